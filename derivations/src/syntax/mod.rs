//! Stage 1: tokens to a [`Formula`]: a checked signature and a body that is still Rust syntax.
//!
//! In: the tokens of the attribute and of the function. Out: a formula, or errors; never a panic. Reads nothing else.

mod axes;
mod imports;
mod limits;
mod options;
mod signature;
pub mod vocabulary;

pub(crate) use axes::{NewAxes, axis_name, elements};
pub use imports::imports;
pub use limits::check_limits;
pub use options::Options;
pub(crate) use signature::{annotation as tensor_axes, list_text, tidy};

use crate::error::Errors;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// The range and the value of `(a..b).contains(&x)`.
pub(crate) fn range_contains(call: &syn::ExprMethodCall) -> Option<(&syn::ExprRange, &syn::Expr)> {
    let mut receiver = &*call.receiver;
    while let syn::Expr::Paren(syn::ExprParen { expr, .. }) | syn::Expr::Group(syn::ExprGroup { expr, .. }) = receiver {
        receiver = expr;
    }
    match (receiver, call.args.first()) {
        (syn::Expr::Range(range), Some(x)) if call.method == "contains" && call.args.len() == 1 => Some((range, x)),
        _ => None,
    }
}

/// A parsed formula.
#[derive(Clone, Debug)]
pub struct Formula {
    pub name: Ident,
    pub vis: syn::Visibility,
    /// Doc comments and other attributes to keep on the generated function.
    pub attrs: Vec<syn::Attribute>,
    /// The element types of its tensors, each once, in the order of their appearance.
    pub elems: Vec<ElemType>,
    pub params: Vec<Param>,
    pub outputs: Vec<Output>,
    /// Whether the outputs were written as a tuple.
    pub tuple: bool,
    pub body: syn::Block,
    /// Whether the signature and the body could be read: of a formula that is not, only stubs are made.
    pub sound: bool,
    /// The function as written, for those who call it.
    pub item: syn::ItemFn,
}

/// The element type of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum ElemType {
    F16,
    BF16,
    F32,
    F64,
    /// `fn layer<T: Float>(x: Tensor<T, N>)`
    Generic(Ident),
}

impl Formula {
    /// Whether values of this type are what the formula is computed in, so that none is rounded when it is stored. With one
    /// type parameter and no other type they count as such: then half precision is rounded where an output is read again.
    pub fn is_computed_in(&self, elem: &ElemType) -> bool {
        match elem {
            ElemType::F64 => true,
            ElemType::F32 => !self.elems.iter().any(|e| matches!(e, ElemType::F64 | ElemType::Generic(_))),
            ElemType::Generic(_) => self.elems.len() == 1,
            ElemType::F16 | ElemType::BF16 => false,
        }
    }
}

/// An argument.
#[derive(Clone, Debug)]
pub struct Param {
    pub name: Ident,
    pub kind: ParamKind,
}

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a handful of arguments a formula")]
pub enum ParamKind {
    Tensor {
        axes: AxisList,
        elem: ElemType,
        constant: bool,
        optional: bool,
    },
    State {
        axes: AxisList,
        elem: ElemType,
    },
    Labels {
        axes: AxisList,
    },
    /// `#[diff] t: f64`
    Diff,
    /// A constant of the call, of this Rust type.
    Scalar(syn::Type),
    Window(usize),
    Seed,
    /// `a: impl Axes`, in helpers.
    Axes,
    /// Its type is an error, which has been reported.
    Unknown,
}

/// The axes of a tensor as written.
#[derive(Clone, Debug)]
pub struct AxisList {
    pub entries: Vec<AxisEntry>,
    /// `Tensor<f32>`, in helpers: any axes.
    pub open: bool,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct AxisEntry {
    pub name: Ident,
    /// `Many<S>`
    pub many: bool,
}

/// An output.
#[derive(Clone, Debug)]
pub struct Output {
    pub axes: AxisList,
    /// Of no meaning where it is `integer`.
    pub elem: ElemType,
    /// `Tensor<i64, ..>`
    pub integer: bool,
}

/// Parses the function under the attribute. Reports every error it can find.
pub fn parse(errors: &mut Errors, options: &Options, item: TokenStream) -> Option<Formula> {
    if !check_limits(errors, &item) {
        return unread(errors, options, item);
    }
    match syn::parse2::<syn::ItemFn>(item.clone()) {
        Ok(item) => signature::formula(errors, options, item),
        Err(error) if syn::parse::Parser::parse2(without_body, item.clone()).is_ok() => {
            errors.span(error.span(), format!("the body of this formula cannot be read: {error}"));
            unread(errors, options, item)
        }
        Err(error) => {
            let usage = "`#[derive_backward]` goes on a function, `fn layer(x: Tensor<f32, N>) -> Tensor<f32, N> { .. }`";
            errors.span(error.span(), format!("{usage}: {error}"));
            None
        }
    }
}

/// The formula without its body, where its signature can be read.
fn unread(errors: &mut Errors, options: &Options, item: TokenStream) -> Option<Formula> {
    let mut head: Vec<TokenTree> = item.into_iter().collect();
    let body = head.pop()?;
    head.push(TokenTree::Group(Group::new(Delimiter::Brace, TokenStream::new())));
    if let Some(TokenTree::Group(group)) = head.last_mut() {
        group.set_span(body.span());
    }
    let head: TokenStream = head.into_iter().collect();
    if !check_limits(&mut Errors::default(), &head) {
        return None;
    }
    let head = syn::parse::Parser::parse2(without_body, head).ok()?;
    signature::formula(errors, options, head).map(|formula| Formula { sound: false, ..formula })
}

/// A function whose body is not looked at.
fn without_body(input: syn::parse::ParseStream<'_>) -> syn::Result<syn::ItemFn> {
    let attrs = input.call(syn::Attribute::parse_outer)?;
    let (vis, sig) = (input.parse()?, input.parse()?);
    let body: Group = input.parse()?;
    let brace_token = syn::token::Brace(body.span());
    Ok(syn::ItemFn { attrs, vis, sig, block: Box::new(syn::Block { brace_token, stmts: vec![] }) })
}
