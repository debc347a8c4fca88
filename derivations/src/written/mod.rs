//! The formula as its author wrote it, as Rust that runs: the body of `Layer::reference`.
//!
//! In: a formula and those it may call, both free of errors. Out: tokens on the runtime's `formula::written`. The
//! author's expressions, bindings, branches and loops stand as they are, so that Rust itself gives names their
//! meaning. Rewritten are only words of the vocabulary, axes, numbers that meet tensors, and calls, whose bodies are
//! put in their place. Which names are tensors follows from the signature and the words; nothing of what elaboration
//! found out about values or axes is read, so that a mistake there is no mistake here.

mod block;
mod expr;
mod kind;
mod words;

use crate::elaborate::Library;
use crate::error::Errors;
use crate::syntax::{self, AxisList, Formula, NewAxes, Options, Param, ParamKind};
use kind::{Kind, Out};
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};
use std::collections::{BTreeSet, HashMap};
use syn::visit::Visit;

/// A construct that has no rewriting.
struct Unsupported;

type Written<T = Out> = Result<T, Unsupported>;

/// The names that the body needs of the function around it.
pub struct Names<'a> {
    /// `::pullback`
    pub krate: &'a TokenStream,
    /// What a call found out about its shapes.
    pub call: &'a Ident,
    /// The values of arguments, by position.
    pub args: &'a dyn Fn(usize) -> Ident,
}

/// Statements that run the formula and end in its outputs and states. `axes`: the names of the signature's axes, then
/// of those that only outputs have. `None`: some construct has no rewriting.
pub fn body(formula: &Formula, library: &Library, names: &Names<'_>, axes: &[String], declared: usize) -> Option<TokenStream> {
    let mut taken = BTreeSet::new();
    let item = &formula.item;
    words_in(quote!(#item), &mut taken);
    words_in(library.bundle(item), &mut taken);
    let mut promoted = BTreeSet::new();
    // a number that becomes a tensor later must be one from the start: found when it is assigned to
    loop {
        let mut writer = Writer::new(formula, library, names, &taken, promoted.clone());
        let tokens = writer.formula(formula, names, axes, declared).ok()?;
        if writer.promoted.len() == promoted.len() {
            return Some(located(tokens, &writer.bound));
        }
        promoted = writer.promoted;
    }
}

fn words_in(tokens: TokenStream, taken: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => drop(taken.insert(ident.to_string())),
            TokenTree::Group(group) => words_in(group.stream(), taken),
            _ => {}
        }
    }
}

/// The same tokens in the same places, but the macro's own: lints about the author's code do not see them twice.
/// Operators, literals, methods and paths stay the author's, so that what Rust says of a constant of the call, which is
/// computed before all else as well, is one and the same message. `bound`: the names of variables.
pub fn located(tokens: TokenStream, bound: &BTreeSet<String>) -> TokenStream {
    // the operators that stand before a token: one `.`, or `::`
    let mut before = String::new();
    let one = |token: TokenTree| {
        let of_path = before == "." || before.ends_with("::");
        match &token {
            TokenTree::Punct(punct) => before.push(punct.as_char()),
            _ => before.clear(),
        }
        let span = Span::mixed_site().located_at(token.span());
        match token {
            TokenTree::Group(group) => {
                let mut whole = Group::new(group.delimiter(), located(group.stream(), bound));
                whole.set_span(span);
                TokenTree::Group(whole)
            }
            // its span says whose crate it is
            TokenTree::Ident(ident) if ident == "$crate" => TokenTree::Ident(ident),
            TokenTree::Ident(ident) if of_path || is_constant(&ident, bound) => TokenTree::Ident(ident),
            author @ (TokenTree::Punct(_) | TokenTree::Literal(_)) => author,
            mut other => {
                other.set_span(span);
                other
            }
        }
    };
    tokens.into_iter().map(one).collect()
}

/// Whether a name can only be a constant of the author's.
fn is_constant(ident: &Ident, bound: &BTreeSet<String>) -> bool {
    let text = ident.to_string();
    text.starts_with(char::is_uppercase) && !bound.contains(&text)
}

/// The names of one function while its body is written.
struct Frame {
    scopes: Vec<HashMap<String, Binding>>,
    /// What its body may name as axes.
    axes: BTreeSet<String>,
    items: Items,
    library: Library,
}

/// The items of a body, which functions nested in it see too.
#[derive(Clone, Default)]
struct Items {
    functions: HashMap<String, syn::ItemFn>,
    /// Names that `use` brings in, with their paths.
    imports: HashMap<String, syn::Path>,
    /// In a nested function: the axes of the formula around it.
    axes: BTreeSet<String>,
}

#[derive(Clone)]
struct Binding {
    kind: Kind,
    /// The number of a `let mut`.
    mutable: Option<usize>,
}

struct Writer<'a> {
    /// The module of what is called.
    f: TokenStream,
    /// The variable that holds the run.
    run: Ident,
    frames: Vec<Frame>,
    taken: &'a BTreeSet<String>,
    /// The `let mut`s that must be tensors, by number.
    promoted: BTreeSet<usize>,
    mutables: usize,
    /// The names of all variables.
    bound: BTreeSet<String>,
}

impl<'a> Writer<'a> {
    fn new(
        formula: &Formula,
        library: &Library,
        names: &Names<'_>,
        taken: &'a BTreeSet<String>,
        promoted: BTreeSet<usize>,
    ) -> Writer<'a> {
        let krate = names.krate;
        let mut writer = Writer {
            f: quote!(#krate::formula::written),
            run: Ident::new("run", Span::mixed_site()),
            frames: vec![Frame::new(formula, library.clone(), Items::default())],
            taken,
            promoted,
            mutables: 0,
            bound: BTreeSet::new(),
        };
        writer.run = writer.free("run");
        writer
    }

    /// A name that no formula at hand has.
    fn free(&self, name: &str) -> Ident {
        let mut name = name.to_string();
        while self.taken.contains(&name) {
            name.push('_');
        }
        Ident::new(&name, Span::mixed_site())
    }

    fn frame(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("the root frame is never left")
    }

    fn axis(&self, name: &str) -> Ident {
        self.free(&format!("axis_{}", name.trim_start_matches("r#")))
    }

    /// Whether a name is an axis here: one of this function, or else of the formula around it.
    fn knows_axis(&self, name: &str) -> bool {
        let mut frames = self.frames.iter().rev();
        let Some(frame) = frames.next() else { return false };
        if frame.axes.contains(name) {
            return true;
        }
        // its variable must be the formula's, not that of a function between
        let owner = frames.find(|f| f.axes.contains(name));
        frame.items.axes.contains(name) && owner.is_some_and(|f| f.items.axes.is_empty())
    }

    fn list(&self, list: &AxisList) -> TokenStream {
        let names = list.entries.iter().map(|e| self.axis(&e.name.to_string()));
        quote!(&[#(&#names),*])
    }

    // ---- the outermost formula

    fn formula(&mut self, formula: &Formula, names: &Names<'_>, axes: &[String], declared: usize) -> Written<TokenStream> {
        let (f, run, call, krate) = (self.f.clone(), self.run.clone(), names.call, names.krate);
        let lens = (0..declared).map(|i| quote!(#call.len(#i)));
        let known: Vec<TokenStream> = (0..declared as u32).map(|i| quote!(#f::Name::of(#i))).collect();
        let all = self.frame().axes.clone();
        let axis_lets: Vec<TokenStream> = all
            .iter()
            .map(|name| {
                let ident = self.axis(name);
                let value = axes[..declared].iter().position(|a| a == name).map_or(quote!(#f::Name::new()), |i| known[i].clone());
                quote!(let #ident = #value;)
            })
            .collect();
        let mut lets = vec![];
        for (index, param) in formula.params.iter().enumerate() {
            lets.extend(self.argument_of_call(param, (names.args)(index), call, krate));
            let kind = Kind::of_param(&param.kind);
            self.bind(&param.name.to_string(), kind, None);
        }
        let results: Vec<Ident> = (0..formula.outputs.len()).map(|i| self.free(&format!("y{i}"))).collect();
        let block = self.block(&formula.body, true)?;
        let whole = match (&block.kind(), formula.tuple || results.len() > 1) {
            (Kind::Tuple(_), true) => quote!((#(#results,)*)),
            _ => quote!(#(#results)*),
        };
        let wanted = match &block.kind() {
            Kind::Tuple(kinds) => Kind::Tuple(vec![Kind::Tensor; kinds.len()]),
            _ => Kind::Tensor,
        };
        let value = self.finish_block(block, &wanted)?;
        let place = |name: &Ident| axes.iter().position(|a| name == a).unwrap_or(0) as u32;
        let finished = |writer: &Self, value: TokenStream, list: &AxisList| {
            let pairs = list.entries.iter().map(|e| {
                let (ident, place) = (writer.axis(&e.name.to_string()), place(&e.name));
                quote!((&#ident, #place))
            });
            quote!(#value.finished(&[#(#pairs),*]))
        };
        let outputs: Vec<TokenStream> =
            formula.outputs.iter().zip(&results).map(|(o, y)| finished(self, quote!(#y), &o.axes)).collect();
        let states = formula.params.iter().filter_map(|p| match &p.kind {
            ParamKind::State { axes, .. } => {
                let name = self.state(&p.name);
                Some(finished(self, quote!(#name.last()), axes))
            }
            _ => None,
        });
        Ok(quote! {
            let #run = #f::Run::new(&[#(#lens),*]);
            #(#axis_lets)*
            #(#lets)*
            let #whole = #value;
            ::core::result::Result::Ok(::std::vec![#(#outputs,)* #(#states,)*])
        })
    }

    /// The variable that owns a state argument.
    fn state(&self, name: &Ident) -> Ident {
        self.free(&format!("state_{name}"))
    }

    /// Binds an argument of the outermost formula to its value; constants are bound already.
    fn argument_of_call(&self, param: &Param, value: Ident, call: &Ident, krate: &TokenStream) -> Option<TokenStream> {
        let (f, run, name, text) = (&self.f, &self.run, &param.name, param.name.to_string());
        let given = quote!(#krate::__private::given(&#call, #text, #value)?);
        Some(match &param.kind {
            ParamKind::Tensor { axes, optional: true, .. } => {
                let axes = self.list(axes);
                quote!(let #name = ::core::option::Option::as_ref(#value).map(|v| #run.argument(::core::clone::Clone::clone(v), #axes));)
            }
            ParamKind::Tensor { axes, .. } | ParamKind::Labels { axes } => {
                let axes = self.list(axes);
                quote!(let #name = #run.argument(#given, #axes);)
            }
            ParamKind::State { axes, .. } => {
                let (axes, state) = (self.list(axes), self.state(name));
                quote!(let #state = #f::State::new(#run.argument(#given, #axes)); let #name = &#state;)
            }
            ParamKind::Diff => quote!(let #name = #run.argument(#given, &[]);),
            _ => return None,
        })
    }

    // ---- calls

    /// A helper nested in the body.
    fn call_nested(&mut self, function: &syn::ItemFn, args: &[&syn::Expr]) -> Written {
        let options = Options { helper: true, ..Options::default() };
        let formula = syntax::parse(&mut Errors::default(), &options, quote!(#function)).ok_or(Unsupported)?;
        let (library, mut items) = (self.frame().library.clone(), self.frame().items.clone());
        if items.axes.is_empty() {
            items.axes = self.frame().axes.clone();
        }
        self.inline(&formula, library, items, args)
    }

    /// A call means the callee's body, its arguments bound and its axes named as it names them.
    fn inline(&mut self, callee: &Formula, library: Library, items: Items, args: &[&syn::Expr]) -> Written {
        let f = self.f.clone();
        let (mut names, mut values) = (vec![], vec![]);
        for (param, arg) in callee.params.iter().zip(args) {
            let arg = self.expr(arg)?;
            names.push(&param.name);
            values.push(self.argument(param, arg)?);
        }
        self.frames.push(Frame::new(callee, library, items));
        for param in &callee.params {
            self.bind(&param.name.to_string(), Kind::of_param(&param.kind), None);
        }
        let axes: Vec<Ident> = self.frame().axes.clone().iter().map(|name| self.axis(name)).collect();
        let binds: Vec<TokenStream> = callee.params.iter().filter_map(|p| self.bind_axes(p)).collect();
        let block = self.block(&callee.body, true)?;
        let promised: Vec<TokenStream> = callee
            .outputs
            .iter()
            .map(|o| {
                if o.axes.open {
                    quote!()
                } else {
                    let list = self.list(&o.axes);
                    quote!(.promised(#list))
                }
            })
            .collect();
        let results: Vec<Ident> = (0..promised.len()).map(|i| self.free(&format!("y{i}"))).collect();
        let (kind, result) = if callee.tuple {
            let kind = Kind::Tuple(vec![Kind::Tensor; results.len()]);
            let value = self.finish_block(block, &kind)?;
            (kind, quote!(let (#(#results,)*) = #value; (#(#results #promised,)*)))
        } else {
            let value = self.finish_block(block, &Kind::Tensor)?;
            let y = &results[0];
            (Kind::Tensor, quote!(let #y = #value; #y #(#promised)*))
        };
        self.frames.pop();
        let tokens = quote!({
            let (#(#names,)*) = (#(#values,)*);
            #(let #axes = #f::Name::new();)*
            #(#binds)*
            #result
        });
        Ok(Out { tokens, kind })
    }

    /// The value of a call's argument.
    fn argument(&self, param: &Param, arg: Out) -> Written<TokenStream> {
        let f = &self.f;
        Ok(match &param.kind {
            ParamKind::Tensor { optional: true, .. } => self.coerce(arg, &Kind::Optional)?,
            ParamKind::Tensor { constant: true, .. } => {
                let value = self.coerce(arg, &Kind::Tensor)?;
                quote!(#f::stop_gradient(#value))
            }
            ParamKind::Scalar(ty) => {
                let (value, is_bool) = (&arg.tokens, quote!(#ty).to_string() == "bool");
                if is_bool { quote!((#value)) } else { quote!(((#value) as #ty)) }
            }
            kind => self.coerce(arg, &Kind::of_param(kind))?,
        })
    }

    fn bind_axes(&self, param: &Param) -> Option<TokenStream> {
        let (axes, optional) = match &param.kind {
            ParamKind::Tensor { axes, optional, .. } => (axes, *optional),
            ParamKind::Labels { axes } | ParamKind::State { axes, .. } => (axes, false),
            _ => return None,
        };
        if axes.open {
            return None;
        }
        let (name, list) = (&param.name, self.list(axes));
        let many = match axes.entries.iter().position(|e| e.many) {
            Some(at) => quote!(::core::option::Option::Some(#at)),
            None => quote!(::core::option::Option::None),
        };
        Some(match &param.kind {
            ParamKind::State { .. } => quote!(#name.last().bind(#list, #many);),
            _ if optional => quote!(if let ::core::option::Option::Some(v) = #name { v.bind(#list, #many); }),
            _ => quote!(#name.bind(#list, #many);),
        })
    }

    fn bind(&mut self, name: &str, kind: Kind, mutable: Option<usize>) {
        self.bound.insert(name.into());
        let scope = self.frame().scopes.last_mut().expect("a scope is open");
        scope.insert(name.into(), Binding { kind, mutable });
    }

    fn find(&mut self, name: &str) -> Option<Binding> {
        self.frame().scopes.iter().rev().find_map(|s| s.get(name)).cloned()
    }
}

impl Frame {
    fn new(formula: &Formula, library: Library, items: Items) -> Frame {
        let lists = formula.params.iter().filter_map(|p| match &p.kind {
            ParamKind::Tensor { axes, .. } | ParamKind::State { axes, .. } | ParamKind::Labels { axes } => Some(axes),
            _ => None,
        });
        let lists = lists.chain(formula.outputs.iter().map(|o| &o.axes));
        let mut axes = NewAxes(lists.flat_map(|l| l.entries.iter().map(|e| e.name.to_string())).collect());
        axes.visit_block(&formula.body);
        Frame { scopes: vec![HashMap::new()], axes: axes.0, items, library }
    }
}

#[cfg(test)]
mod tests;

/// `format_ident` under the macro's hygiene.
fn part(name: &str, index: usize) -> Ident {
    format_ident!("{name}{index}", span = Span::mixed_site())
}
