//! The signature of a formula: what its arguments are.

use super::{AxisEntry, AxisList, ElemType, Formula, Options, Output, Param, ParamKind};
use crate::error::Errors;
use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{FnArg, GenericArgument, GenericParam, ItemFn, Pat, PathArguments, ReturnType, Type, TypeParamBound};

/// Checks a function's signature and takes it apart. `None`: not even stubs can be made.
pub(super) fn formula(errors: &mut Errors, options: &Options, item: ItemFn) -> Option<Formula> {
    let before = errors.reports();
    let sig = &item.sig;
    qualifiers(errors, sig);
    let mut reader = Reader { errors, options, elems: vec![], generics: vec![] };
    reader.generics(&sig.generics);
    let params: Vec<Param> = sig.inputs.iter().filter_map(|arg| reader.param(arg)).collect();
    let (outputs, tuple) = reader.outputs(&sig.output, sig);
    reader.duplicates(&params);
    reader.unused();
    if sig.receiver().is_some() {
        return None;
    }
    let mut elems = reader.elems;
    if elems.is_empty() {
        elems.push(ElemType::F32);
    }
    Some(Formula {
        name: sig.ident.clone(),
        vis: generated(item.vis.clone()),
        attrs: item.attrs.clone(),
        elems,
        params,
        outputs,
        tuple,
        body: (*item.block).clone(),
        sound: errors.reports() == before,
        item,
    })
}

/// The same visibility, as the macro's own: an item that begins with a token of a user's `macro_rules!` is linted as theirs.
fn generated(mut vis: syn::Visibility) -> syn::Visibility {
    if let syn::Visibility::Public(word) | syn::Visibility::Restricted(syn::VisRestricted { pub_token: word, .. }) = &mut vis {
        word.span = Span::mixed_site().located_at(word.span);
    }
    vis
}

/// Reports what stands before `fn`, and `where`.
fn qualifiers(errors: &mut Errors, sig: &syn::Signature) {
    for (bad, what) in [
        (sig.asyncness.map(|t| t.span()), "an `async` function"),
        (sig.unsafety.map(|t| t.span()), "an `unsafe` function"),
        (sig.constness.map(|t| t.span()), "a `const` function"),
        (sig.abi.as_ref().map(|t| t.span()), "an `extern` function"),
        (sig.variadic.as_ref().map(|t| t.span()), "a variadic function"),
    ] {
        if let Some(span) = bad {
            errors.span(span, format!("{what} cannot be a formula: write a plain `fn`"));
        }
    }
    if let Some(clause) = &sig.generics.where_clause {
        errors.at(clause, "a formula has no `where` clause: write the bound in place, `fn layer<T: Float>(..)`");
    }
}

struct Reader<'a> {
    errors: &'a mut Errors,
    options: &'a Options,
    elems: Vec<ElemType>,
    generics: Vec<Ident>,
}

impl Reader<'_> {
    fn generics(&mut self, generics: &syn::Generics) {
        for param in &generics.params {
            match param {
                GenericParam::Type(t) => {
                    if !is_float_bound(t) {
                        let message = format!("write `{}: Float`: a type parameter of a formula is an element type", t.ident);
                        self.errors.at(t, message);
                    }
                    self.generics.push(t.ident.clone());
                }
                other => self.errors.at(other, "the parameters of a formula are element types, `T: Float`"),
            }
        }
    }

    /// Reports type parameters that nothing would tell at a call.
    fn unused(&mut self) {
        for generic in &self.generics {
            if !self.elems.iter().any(|e| matches!(e, ElemType::Generic(t) if t == generic)) {
                self.errors.at(generic, format!("no tensor has the element type `{generic}`: leave it out"));
            }
        }
    }

    fn param(&mut self, arg: &FnArg) -> Option<Param> {
        let typed = match arg {
            FnArg::Receiver(this) => {
                self.errors
                    .at(this, "a formula takes no `self`: write a function outside `impl`, and pass what it needs as arguments");
                return None;
            }
            FnArg::Typed(typed) => typed,
        };
        let name = match &*typed.pat {
            Pat::Ident(p) if p.by_ref.is_none() && p.subpat.is_none() && p.mutability.is_none() => p.ident.clone(),
            other => {
                let name = if let Pat::Ident(p) = other { p.ident.clone() } else { Ident::new("argument", other.span()) };
                self.errors.at(other, format!("an argument of a formula is a plain name: write `{name}: {}`", tidy(&typed.ty)));
                name
            }
        };
        let mark = |word: &str| typed.attrs.iter().any(|a| a.path().is_ident(word));
        for attr in &typed.attrs {
            if !attr.path().is_ident("constant") && !attr.path().is_ident("diff") {
                self.errors.at(attr, "unknown attribute: an argument may be marked `#[constant]` or `#[diff]`");
            }
        }
        let before = self.errors.reports();
        let kind = self.kind(&typed.ty, mark("constant"), mark("diff")).unwrap_or(ParamKind::Unknown);
        debug_assert!(!matches!(kind, ParamKind::Unknown) || self.errors.reports() > before, "an unknown type is an error");
        Some(Param { name, kind })
    }

    fn kind(&mut self, ty: &Type, constant: bool, diff: bool) -> Option<ParamKind> {
        if let Type::Reference(r) = ty {
            if r.mutability.is_some() {
                return self.tensor(&r.elem, false).map(|(axes, elem)| ParamKind::State { axes, elem });
            }
            if last_segment(&r.elem).is_none() {
                self.unknown(ty);
                return None;
            }
            self.errors.at(ty, format!("arguments are taken by value in a formula: write `{}`", tidy(&r.elem)));
            return self.kind(&r.elem, constant, diff);
        }
        if let Type::ImplTrait(t) = ty
            && t.bounds.iter().any(|b| bound_is(b, "Axes"))
        {
            return Some(ParamKind::Axes);
        }
        let Some((name, args)) = last_segment(ty) else {
            self.unknown(ty);
            return None;
        };
        if diff {
            if name == "f64" {
                return Some(ParamKind::Diff);
            }
            let hint = if name == "Tensor" { "; a tensor has a gradient without it" } else { "" };
            self.errors.at(ty, format!("`#[diff]` marks a learned scalar, which is `f64`: write `#[diff] t: f64`{hint}"));
            return if name == "f32" { Some(ParamKind::Diff) } else { self.kind(ty, constant, false) };
        }
        if constant && !matches!(name.as_str(), "Tensor" | "Option") {
            self.errors.at(ty, "`#[constant]` marks a tensor; a scalar is constant as it is");
        }
        match name.as_str() {
            "Tensor" => self.tensor_kind(ty, constant, false),
            "Option" => match type_args(args).as_slice() {
                [inner] => self.tensor_kind(inner, constant, true),
                _ => {
                    self.unknown(ty);
                    None
                }
            },
            "Labels" => match type_args(args).as_slice() {
                [axes] => Some(ParamKind::Labels { axes: self.axis_list(axes) }),
                _ => {
                    self.errors.at(ty, "labels name their axes: `Labels<N>` or `Labels<(N, L)>`");
                    None
                }
            },
            "Window" => window_rank(args).map(ParamKind::Window).or_else(|| {
                self.errors.at(ty, "a window names how many axes it has: `Window<2>`");
                None
            }),
            "Seed" => Some(ParamKind::Seed),
            "f64" | "f32" | "usize" | "i32" | "i64" | "bool" => Some(ParamKind::Scalar(ty.clone())),
            _ => {
                self.unknown(ty);
                // a constant of Rust's own types keeps its type, so that callers of the stub compile
                let constant = matches!(name.as_str(), "u8" | "u16" | "u32" | "u64" | "i8" | "i16" | "isize" | "char" | "String");
                constant.then(|| ParamKind::Scalar(ty.clone()))
            }
        }
    }

    fn tensor_kind(&mut self, ty: &Type, constant: bool, optional: bool) -> Option<ParamKind> {
        self.tensor(ty, false).map(|(axes, elem)| ParamKind::Tensor { axes, elem, constant, optional })
    }

    fn unknown(&mut self, ty: &Type) {
        self.errors.at(
            ty,
            format!(
                "`{}` cannot be an argument of a formula: there are `Tensor<f32, (N, C)>`, `Option<Tensor<..>>`, `&mut Tensor<..>`, `Labels<N>`, `Window<2>`, `Seed`, `f64`, `f32`, `usize`, `i32`, `i64` and `bool`",
                tidy(ty)
            ),
        );
    }

    /// The axes and element type of `Tensor<elem, axes>`.
    fn tensor(&mut self, ty: &Type, output: bool) -> Option<(AxisList, ElemType)> {
        let Some((_, args)) = last_segment(ty).filter(|(name, _)| name == "Tensor") else {
            self.unknown(ty);
            return None;
        };
        match type_args(args).as_slice() {
            [elem, axes] => {
                let elem = self.element(elem, output);
                Some((self.axis_list(axes), elem))
            }
            [elem] if self.options.helper => {
                let elem = self.element(elem, output);
                Some((AxisList { entries: vec![], open: true, span: ty.span() }, elem))
            }
            [_] => {
                self.errors.at(ty, "this tensor names no axes: write `Tensor<f32, (N, C)>`, or `Tensor<f32, ()>` for a scalar (only helpers may leave axes open)");
                None
            }
            _ => {
                self.errors.at(ty, "a tensor names its element type and its axes: `Tensor<f32, (N, C)>`");
                None
            }
        }
    }

    /// An element type. One that is none is an error, and as if it were `f32`.
    fn element(&mut self, ty: &Type, output: bool) -> ElemType {
        let name = last_segment(ty).map(|(name, _)| name);
        let found = match name.as_deref() {
            Some(name) if self.generics.iter().any(|generic| generic == name) => {
                ElemType::Generic(last_ident(ty).unwrap_or_else(|| Ident::new("T", ty.span())))
            }
            Some("f16") => ElemType::F16,
            Some("bf16") => ElemType::BF16,
            Some("f32") => ElemType::F32,
            Some("f64") => ElemType::F64,
            Some("i64") if output => return ElemType::F32,
            _ => {
                self.no_element(ty);
                return ElemType::F32;
            }
        };
        if !self.elems.contains(&found) {
            self.elems.push(found.clone());
        }
        found
    }

    fn no_element(&mut self, ty: &Type) {
        let hint = if tidy(ty) == "i64" { "; integers come in as `Labels<N>`" } else { "" };
        let message = format!(
            "`{}` is not an element type: there are `f16`, `bf16`, `f32`, `f64` and type parameters `T: Float`{hint}",
            tidy(ty)
        );
        self.errors.at(ty, message);
    }

    fn axis_list(&mut self, ty: &Type) -> AxisList {
        let types: Vec<&Type> = match ty {
            Type::Tuple(tuple) => tuple.elems.iter().collect(),
            Type::Paren(inner) => vec![&*inner.elem],
            one => vec![one],
        };
        let entries: Vec<AxisEntry> = types.into_iter().filter_map(|t| self.axis(t)).collect();
        for (i, entry) in entries.iter().enumerate() {
            if entries[..i].iter().any(|e| e.name == entry.name) {
                let name = &entry.name;
                self.errors.at(
                    name,
                    format!("axis `{name}` stands twice in this list: give the second a name of its own and bring it in with `rename(x, {name}, {name}2)`"),
                );
            }
            if entry.many && entries[..i].iter().any(|e| e.many) {
                self.errors.at(
                    &entry.name,
                    "at most one `Many<..>` in a list of axes: which dimensions belong to which could not be told",
                );
            }
        }
        AxisList { entries, open: false, span: ty.span() }
    }

    fn axis(&mut self, ty: &Type) -> Option<AxisEntry> {
        match last_segment(ty) {
            Some((name, PathArguments::None)) if name == "Many" => self.nameless(ty),
            Some((name, args)) if name == "Many" => match type_args(args).as_slice() {
                [inner] => self.axis(inner).map(|e| AxisEntry { many: true, ..e }),
                _ => self.nameless(ty),
            },
            Some((_, PathArguments::None)) => last_ident(ty).map(|name| AxisEntry { name, many: false }),
            _ => {
                self.errors.at(ty, format!("`{}` is not an axis: an axis is a name, such as `N` or `Many<S>`", tidy(ty)));
                None
            }
        }
    }

    fn nameless(&mut self, many: &Type) -> Option<AxisEntry> {
        self.errors.at(many, "`Many` names its axis: `Many<S>`");
        None
    }

    fn outputs(&mut self, output: &ReturnType, sig: &syn::Signature) -> (Vec<Output>, bool) {
        let ty = match output {
            ReturnType::Default => {
                self.errors.at(&sig.ident, "a formula promises its result: add `-> Tensor<f32, (N, C)>`");
                return (vec![], false);
            }
            ReturnType::Type(_, ty) => &**ty,
        };
        let (types, tuple): (Vec<&Type>, bool) = match ty {
            Type::Tuple(t) if !t.elems.is_empty() => (t.elems.iter().collect(), true),
            Type::Paren(inner) => (vec![&*inner.elem], false),
            one => (vec![one], false),
        };
        let outputs = types.into_iter().filter_map(|t| self.output(t)).collect();
        (outputs, tuple)
    }

    fn output(&mut self, ty: &Type) -> Option<Output> {
        let is_tensor = last_segment(ty).is_some_and(|(name, _)| name == "Tensor");
        if !is_tensor {
            self.errors.at(
                ty,
                "a formula gives a tensor or a tuple of tensors: `-> Tensor<f32, (N, C)>`; `Tensor<f32, ()>` is a scalar",
            );
            return None;
        }
        let (axes, elem) = self.tensor(ty, true)?;
        let (_, args) = last_segment(ty)?;
        let integer = type_args(args).first().and_then(|t| last_segment(t)).is_some_and(|(name, _)| name == "i64");
        Some(Output { axes, elem, integer })
    }

    fn duplicates(&mut self, params: &[Param]) {
        for (i, param) in params.iter().enumerate() {
            if params[..i].iter().any(|p| p.name == param.name) {
                self.errors.at(&param.name, format!("two arguments are called `{}`", param.name));
            }
        }
    }
}

fn is_float_bound(t: &syn::TypeParam) -> bool {
    t.bounds.iter().any(|b| bound_is(b, "Float"))
}

fn bound_is(bound: &TypeParamBound, name: &str) -> bool {
    matches!(bound, TypeParamBound::Trait(t) if t.path.segments.last().is_some_and(|s| s.ident == name))
}

/// The identifier that a path type ends with.
fn last_ident(ty: &Type) -> Option<Ident> {
    match ty {
        Type::Path(p) => p.path.segments.last().map(|s| s.ident.clone()),
        Type::Paren(inner) => last_ident(&inner.elem),
        Type::Group(inner) => last_ident(&inner.elem),
        _ => None,
    }
}

/// The last segment of a path type, and its arguments.
pub(crate) fn last_segment(ty: &Type) -> Option<(String, &PathArguments)> {
    match ty {
        Type::Path(p) if p.qself.is_none() => p.path.segments.last().map(|s| (s.ident.to_string(), &s.arguments)),
        Type::Paren(inner) => last_segment(&inner.elem),
        Type::Group(inner) => last_segment(&inner.elem),
        _ => None,
    }
}

/// The type arguments of `<A, B>`.
pub(crate) fn type_args(args: &PathArguments) -> Vec<&Type> {
    match args {
        PathArguments::AngleBracketed(a) => a
            .args
            .iter()
            .filter_map(|a| match a {
                GenericArgument::Type(t) => Some(t),
                _ => None,
            })
            .collect(),
        _ => vec![],
    }
}

fn window_rank(args: &PathArguments) -> Option<usize> {
    let PathArguments::AngleBracketed(a) = args else { return None };
    match a.args.first()? {
        GenericArgument::Const(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(n), .. })) => {
            n.base10_parse().ok().filter(|n| (1..=8).contains(n))
        }
        _ => None,
    }
}

/// A list of axes as it is written: `N`, `(N, C)`, `()`.
pub(crate) fn list_text(names: &[String]) -> String {
    match names {
        [one] => one.clone(),
        names => format!("({})", names.join(", ")),
    }
}

/// Tokens as a person would write them.
pub(crate) fn tidy(tokens: &impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let before = out.chars().last();
        let after = chars.peek().copied();
        let tight = matches!(before, Some('(' | '[' | '<' | '.' | '&' | '!'))
            || matches!(after, Some(')' | ']' | '>' | ',' | '.' | ';' | '(' | '<' | '?'));
        let path = before == Some(':') || after == Some(':');
        let sign = matches!(before, Some('-' | '!' | '*')) && is_prefix(&out);
        if c == ' ' && (tight || path || sign) {
            continue;
        }
        out.push(c);
    }
    out
}

/// Whether the operator that a text ends with stands before its operand, not between two.
fn is_prefix(text: &str) -> bool {
    let before = text[..text.len() - 1].trim_end().chars().last();
    matches!(before, None | Some('(' | '[' | '{' | ',' | '=' | '|' | '&' | '+' | '-' | '*' | '/' | '<' | '>'))
}

/// The axes of a type annotation `Tensor<f32, (N, C)>`; `None` for other types.
pub(crate) fn annotation(errors: &mut Errors, ty: &Type) -> Option<AxisList> {
    let (name, args) = last_segment(ty)?;
    let args = type_args(args);
    if name != "Tensor" || args.len() != 2 {
        return None;
    }
    let options = Options::default();
    let mut reader = Reader { errors, options: &options, elems: vec![], generics: vec![] };
    Some(reader.axis_list(args[1]))
}
