//! Calls: of the vocabulary, of nested functions and helpers, of other formulas. A call means the callee's body.

use super::frame::{Frame, Items};
use super::typed::TermOp;
use super::value::{Host, Literal, Optional, Tensor, Value};
use super::{Elaborator, host};
use crate::error::Errors;
use crate::graph::AxisId;
use crate::syntax::{self, AxisList, Formula, Options, Param, ParamKind, tidy, vocabulary};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use std::rc::Rc;
use syn::Expr;
use syn::spanned::Spanned;

/// How deep calls may nest.
const MAX_CALLS: usize = 32;

/// What is said of a name that is nearly one of the vocabulary.
pub fn misspelt(path: &syn::Path) -> Option<String> {
    let name = path.get_ident()?.to_string();
    let nearest = vocabulary::nearest(&name)?;
    Some(format!("there is no function `{name}` in the formula language: did you mean `{nearest}`?"))
}

/// The formulas that a formula may call, by the path as written; each with those that it calls in turn.
#[derive(Clone, Default)]
pub struct Library(Rc<Vec<(String, Callee)>>);

#[derive(Clone)]
struct Callee {
    /// `None`: it has errors, which are reported where it stands.
    formula: Option<Rc<Formula>>,
    library: Library,
    tokens: TokenStream,
}

impl Library {
    /// Reads a bundle: `{ item } { path => bundle; .. }`, as [`bundle`] writes it.
    pub fn add(&mut self, errors: &mut Errors, path: &str, tokens: TokenStream) {
        let mut groups = tokens.clone().into_iter().filter_map(|t| match t {
            TokenTree::Group(g) => Some(g.stream()),
            _ => None,
        });
        let (Some(item), Some(callees)) = (groups.next(), groups.next()) else { return };
        let options = Options { helper: true, ..Options::default() };
        let formula = if item.is_empty() { None } else { syntax::parse(errors, &options, item).map(Rc::new) };
        let library = Library::read(errors, callees);
        let callee = Callee { formula, library, tokens };
        Rc::make_mut(&mut self.0).push((path.into(), callee));
    }

    fn read(errors: &mut Errors, tokens: TokenStream) -> Library {
        let mut library = Library::default();
        let mut tokens = tokens.into_iter();
        while let (Some(TokenTree::Group(path)), Some(TokenTree::Group(bundle))) = (tokens.next(), tokens.next()) {
            library.add(errors, &path.stream().to_string(), bundle.stream());
        }
        library
    }

    pub fn contains(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// A formula by its path as written, with those that it may call.
    pub fn formula(&self, path: &str) -> Option<(Rc<Formula>, Library)> {
        let callee = self.get(path)?;
        Some((callee.formula.clone()?, callee.library.clone()))
    }

    fn get(&self, path: &str) -> Option<&Callee> {
        self.0.iter().find(|(p, _)| p == path).map(|(_, c)| c)
    }

    /// The tokens that hand a formula on to its callers, with all that it calls.
    pub fn bundle(&self, item: &syn::ItemFn) -> TokenStream {
        let callees = self.0.iter().map(|(path, callee)| {
            let path: TokenStream = path.parse().unwrap_or_default();
            let tokens = &callee.tokens;
            quote!({ #path } { #tokens })
        });
        quote!({ #item } { #(#callees)* })
    }

    /// The bundle of a formula with errors.
    pub fn broken_bundle() -> TokenStream {
        quote!({} {})
    }
}

/// Whether a path in the body of the formula `name` means that formula: `name` or `self::name`.
pub(super) fn is_itself(path: &syn::Path, name: &str) -> bool {
    let mut segments = path.segments.iter().rev();
    segments.next().is_some_and(|s| s.ident == name) && segments.all(|s| s.ident == "self") && path.leading_colon.is_none()
}

/// What is said of a formula that calls itself, by way of `calls`.
pub fn recursion(calls: &[String], name: &str) -> String {
    let chain: Vec<String> = calls.iter().skip_while(|c| *c != name).map(|c| format!("`{c}` → ")).collect();
    format!(
        "`{name}` calls itself ({}`{name}`): a call means the callee's formula, so a formula cannot be recursive; repeat with `for i in 0..3 {{ .. }}`",
        chain.concat()
    )
}

impl Elaborator<'_> {
    pub(super) fn call(&mut self, call: &syn::ExprCall) -> Value {
        let Expr::Path(path) = &*call.func else {
            self.errors.at(&call.func, "only a named function can be called");
            return Value::Poison;
        };
        let args: Vec<&Expr> = call.args.iter().collect();
        if path.path.segments.iter().any(|s| !s.arguments.is_none()) && path.qself.is_none() {
            let plain: Vec<String> = path.path.segments.iter().map(|s| s.ident.to_string()).collect();
            self.errors.at(path, format!("a call in a formula has no type arguments: write `{}(..)`", plain.join("::")));
            return Value::Poison;
        }
        let Some(name) = path.path.get_ident() else {
            return self.call_path(&path.path, &args);
        };
        let text = name.to_string();
        if let Some(value) = self.frame().find(&text).map(|(value, _)| value.clone()) {
            if !matches!(value, Value::Poison) {
                self.errors.at(name, format!("`{text}` is {} here, and cannot be called", value.kind()));
            }
            return Value::Poison;
        }
        if let Some(function) = self.frame().items.functions.get(&text).cloned() {
            return self.call_nested(&function, &args, name.span());
        }
        if text == "Some" && args.len() == 1 {
            let value = self.expr(args[0]);
            return Value::Optional(Optional::Some(Box::new(value)));
        }
        if let Some(word) = vocabulary::word(&text) {
            return self.word_call(word, name.span(), &args);
        }
        if let Some(path) = self.frame().items.imports.get(&text).cloned() {
            return self.call_path(&path, &args);
        }
        if let Some(message) = misspelt(&path.path) {
            self.errors.at(name, message);
            return Value::Poison;
        }
        self.call_path(&path.path, &args)
    }

    fn word_call(&mut self, word: &vocabulary::Word, name: Span, args: &[&Expr]) -> Value {
        let (least, most) = word.args;
        if args.len() < least || args.len() > most {
            let count = if least == most { least.to_string() } else { format!("{least} to {most}") };
            let plural = if most == 1 { "" } else { "s" };
            let given = given(args.len());
            self.errors
                .span(name, format!("`{}` takes {count} argument{plural}, and {given}: write `{}`", word.name, word.usage));
            // those that it would have introduced are no errors where they are named
            self.unknown_axes |= word.introduces();
            return Value::Poison;
        }
        self.word(word.name, args, name)
    }

    pub(super) fn method(&mut self, call: &syn::ExprMethodCall) -> Value {
        if let Some((range, x)) = syntax::range_contains(call) {
            return self.range_contains(range, x, call.span());
        }
        let name = call.method.to_string();
        let receiver = self.expr(&call.receiver);
        match &receiver {
            Value::Poison => return Value::Poison,
            Value::Optional(optional) => return self.option_method(call, &optional.clone()),
            Value::Host(h) => return self.host_method(call, h),
            _ => {}
        }
        let Some(word) = vocabulary::word(&name) else {
            let hint = match (vocabulary::instead_of(&name), vocabulary::nearest(&name)) {
                (Some(instead), _) => format!(": {instead}"),
                (None, Some(nearest)) => format!(": did you mean `{nearest}`?"),
                (None, None) => String::new(),
            };
            self.errors.at(&call.method, format!("there is no function `{name}` in the formula language{hint}"));
            return Value::Poison;
        };
        self.receiver_first(word, call, receiver)
    }

    /// A method is the function with the receiver first. The receiver has been elaborated, and must not be again.
    fn receiver_first(&mut self, word: &vocabulary::Word, call: &syn::ExprMethodCall, receiver: Value) -> Value {
        let args: Vec<&Expr> = std::iter::once(&*call.receiver).chain(&call.args).collect();
        let outer = self.receiver.replace((&*call.receiver as *const Expr, receiver));
        let result = self.word_call(word, call.method.span(), &args);
        self.receiver = outer;
        result
    }

    /// A method of a constant is Rust's own.
    fn host_method(&mut self, call: &syn::ExprMethodCall, receiver: &Host) -> Value {
        if self.misfit_method(&call.method, (receiver, &call.receiver)) || self.misfit_setting(call, receiver) {
            return Value::Poison;
        }
        let mut args = Vec::new();
        for arg in &call.args {
            match self.expr(arg) {
                Value::Host(h) => args.push(h.tokens),
                Value::Poison => return Value::Poison,
                Value::Optional(optional) if optional.constant().is_some() => args.extend(optional.constant()),
                Value::Tensor(_) => {
                    // `2.0.max(x)`: the vocabulary's, with a number first
                    if let Some(word) = vocabulary::word(&call.method.to_string()) {
                        return self.receiver_first(word, call, Value::Host(receiver.clone()));
                    }
                    self.errors.at(arg, "a tensor cannot go to a method of a constant");
                    return Value::Poison;
                }
                other => {
                    self.errors.at(arg, format!("a constant is wanted here, and this is {}", other.kind()));
                    return Value::Poison;
                }
            }
        }
        let (tokens, method) = (&receiver.tokens, &call.method);
        let turbofish = &call.turbofish;
        let typed = match receiver.literal {
            Some(Literal::Float(_)) => quote!((#tokens as f64)),
            _ => quote!(#tokens),
        };
        Value::Host(Host { tokens: quote!(#typed.#method #turbofish(#(#args),*)), literal: None, span: call.span() })
    }

    /// Whether a constant lies in a range of constants.
    fn range_contains(&mut self, range: &syn::ExprRange, x: &Expr, span: Span) -> Value {
        let mut tokens = |e: &Expr| match self.expr(e) {
            Value::Host(h) => Some(h.tokens),
            Value::Poison => None,
            other => {
                let instead = "of a tensor's elements ask with `ge`, `lt` and their like, joined by `&`";
                self.errors.at(e, format!("a constant is wanted here, and this is {}: {instead}", other.kind()));
                None
            }
        };
        let bounds = [&range.start, &range.end].map(|bound| bound.as_deref().map(&mut tokens));
        let (Some(x), [None | Some(Some(_)), None | Some(Some(_))]) = (tokens(x), &bounds) else { return Value::Poison };
        let ([start, end], dots) = (bounds.map(Option::flatten), &range.limits);
        Value::Host(Host { tokens: quote!((#start #dots #end).contains(&(#x))), literal: None, span })
    }

    fn option_method(&mut self, call: &syn::ExprMethodCall, optional: &Optional) -> Value {
        let args: Vec<&Expr> = call.args.iter().collect();
        let name = call.method.to_string();
        let (default, closure) = match (name.as_str(), args.as_slice()) {
            ("is_some" | "is_none", []) => {
                let Some(presence) = self.presence(optional) else { return Value::Poison };
                let holds = presence.is_some() == (name == "is_some");
                return Value::Host(host::of_literal(Literal::Bool(holds), call.span()));
            }
            ("map_or", [default, closure]) => (*default, Some(*closure)),
            ("unwrap_or", [default]) => (*default, None),
            _ => {
                self.errors.at(&call.method, "an optional tensor has `map_or(default, |b| ..)`, `unwrap_or(default)`, `is_some()` and `is_none()`; or write `if let Some(b) = b { .. } else { .. }`");
                return Value::Poison;
            }
        };
        let Some(presence) = self.presence(optional) else { return Value::Poison };
        match (presence, closure) {
            (None, _) => self.expr(default),
            (Some(value), None) => value,
            (Some(value), Some(closure)) => self.apply_closure(closure, vec![value]),
        }
    }

    /// Calls a closure that was written in place.
    pub(super) fn apply_closure(&mut self, closure: &Expr, args: Vec<Value>) -> Value {
        let Expr::Closure(c) = closure else {
            self.errors.at(closure, "write the closure in place: `|v| ..`");
            return Value::Poison;
        };
        if c.inputs.len() != args.len() {
            self.errors.at(c, format!("this closure takes {}, and {}", arguments(c.inputs.len()), given(args.len())));
            return Value::Poison;
        }
        self.frame().open();
        for (pat, value) in c.inputs.iter().zip(args) {
            let pat = match pat {
                syn::Pat::Type(t) => &*t.pat,
                pat => pat,
            };
            match pat {
                syn::Pat::Ident(p) => self.frame().bind(&p.ident.to_string(), value, false),
                syn::Pat::Wild(_) => {}
                other => self.errors.at(other, "a closure's argument is a plain name"),
            }
        }
        let result = self.expr(&c.body);
        self.frame().close();
        result
    }

    // ---- other functions

    /// A function nested in the formula's body.
    fn call_nested(&mut self, function: &syn::ItemFn, args: &[&Expr], span: Span) -> Value {
        let options = Options { helper: true, ..Options::default() };
        let Some(formula) = syntax::parse(self.errors, &options, quote!(#function)) else { return Value::Poison };
        if !formula.sound {
            return Value::Poison;
        }
        let library = self.frame().library.clone();
        let items = self.frame().for_nested();
        self.inline(&formula, library, items, args, span)
    }

    /// Another formula, or a Rust function of constants.
    fn call_path(&mut self, path: &syn::Path, args: &[&Expr]) -> Value {
        let span = path.segments.last().map_or(path.span(), |s| s.ident.span());
        let key = quote!(#path).to_string();
        if let Some(callee) = self.frame().library.get(&key).cloned() {
            return match &callee.formula {
                Some(formula) => self.inline(formula, callee.library, Default::default(), args, span),
                None => {
                    (self.blocked, self.pending_axes) = (true, true);
                    Value::Poison
                }
            };
        }
        let stack = self.frame().stack.clone();
        if stack.first().is_some_and(|root| is_itself(path, root)) {
            self.errors.span(span, recursion(&stack, &stack[0]));
            return Value::Poison;
        }
        let values: Vec<Value> = args.iter().map(|a| self.expr(a)).collect();
        let hosts: Option<Vec<TokenStream>> = values
            .iter()
            .map(|v| match v {
                Value::Host(h) => Some(h.tokens.clone()),
                Value::Optional(optional) => optional.constant(),
                _ => None,
            })
            .collect();
        // a path, or a type that is a function, such as `Seed`
        let of_constants = path.segments.len() > 1 || key.starts_with(char::is_uppercase);
        if let (Some(hosts), true) = (hosts, of_constants) {
            return Value::Host(Host { tokens: quote!(#path(#(#hosts),*)), literal: None, span });
        }
        if !self.needs.iter().any(|p| quote!(#p).to_string() == key) {
            self.needs.push(path.clone());
        }
        // an annotation may give names to axes of its result
        self.pending_axes = true;
        Value::Poison
    }

    /// The callee's body, with its arguments bound.
    fn inline(&mut self, callee: &Formula, library: Library, items: Items, args: &[&Expr], span: Span) -> Value {
        let name = callee.name.to_string();
        let mut stack = self.frame().stack.clone();
        if stack.contains(&name) && !items.functions.is_empty() {
            self.errors.span(span, recursion(&stack, &name));
            return Value::Poison;
        }
        if stack.len() > MAX_CALLS {
            self.errors.span(span, format!("calls nest deeper than {MAX_CALLS} formulas here: {}", stack.join(" → ")));
            return Value::Poison;
        }
        stack.push(name.clone());
        if args.len() != callee.params.len() {
            let params: Vec<String> = callee.params.iter().map(|p| p.name.to_string()).collect();
            let (takes, given) = (arguments(params.len()), given(args.len()));
            self.errors.span(span, format!("`{name}` takes {takes}, and {given}: write `{name}({})`", params.join(", ")));
            return Value::Poison;
        }
        let mut frame = Frame::root(library);
        // inside `map` the callee's arguments are elements too
        frame.map_scope = self.frame().map_scope.map(|_| 0);
        (frame.items, frame.stack) = (items, stack);
        let mut values = Vec::new();
        for (param, arg) in callee.params.iter().zip(args) {
            values.push(self.argument(&mut frame, callee, param, arg));
        }
        if values.iter().any(|v| matches!(v, Value::Poison)) {
            return Value::Poison;
        }
        for (param, value) in callee.params.iter().zip(values) {
            frame.bind(&param.name.to_string(), value, false);
        }
        self.frames.push(frame);
        self.promise_results(callee);
        let result = self.block(&callee.body, true);
        let result = self.promised(callee, result);
        self.frames.pop();
        result
    }

    /// One argument of a call, its axes bound by position in the callee's frame.
    fn argument(&mut self, frame: &mut Frame, callee: &Formula, param: &Param, arg: &Expr) -> Value {
        let value = self.expr(arg);
        let wrong = |e: &mut Self, wanted: &str, found: &Value| {
            e.errors.at(arg, format!("`{}` of `{}` is {wanted}, and this is {}", param.name, callee.name, found.kind()));
            Value::Poison
        };
        match (&param.kind, value) {
            (_, Value::Poison) => Value::Poison,
            (ParamKind::Tensor { axes, constant, optional, .. }, value) => {
                if *optional {
                    return match value {
                        Value::Optional(Optional::None) => Value::Optional(Optional::None),
                        Value::Optional(o) => match self.presence(&o) {
                            None => Value::Poison,
                            Some(None) => Value::Optional(Optional::None),
                            Some(Some(v)) => {
                                Value::Optional(Optional::Some(Box::new(self.bind_tensor(frame, callee, param, axes, v, arg))))
                            }
                        },
                        other => wrong(self, "optional: write `Some(..)` or `None`", &other),
                    };
                }
                let value = self.bind_tensor(frame, callee, param, axes, value, arg);
                self.freeze(value, *constant, arg.span())
            }
            (ParamKind::Labels { axes }, value) => {
                let bound = self.bind_tensor(frame, callee, param, axes, value, arg);
                if let Value::Tensor(t) = &bound
                    && !self.typed.terms[t.term.0 as usize].integer
                {
                    self.errors.at(
                        arg,
                        format!("`{}` of `{}` is labels: pass labels or the result of `argmax`", param.name, callee.name),
                    );
                    return Value::Poison;
                }
                bound
            }
            (ParamKind::State { axes, .. }, Value::State(index)) => {
                let term = self.states.iter().find(|s| s.0 == index).map(|s| s.1);
                if let Some(term) = term {
                    let tensor = self.as_state(index, term);
                    self.bind_tensor(frame, callee, param, axes, tensor, arg);
                }
                Value::State(index)
            }
            (ParamKind::State { .. }, other) => wrong(self, "state: pass a `&mut Tensor` argument on", &other),
            (ParamKind::Diff, value) => match self.tensor(&value, arg.span()) {
                Some(term) if self.axes_of(term).is_empty() => Tensor { term, order: Some(vec![]) }.into(),
                Some(_) => wrong(self, "a learned scalar", &value),
                None => Value::Poison,
            },
            (ParamKind::Scalar(_), Value::Host(h)) if self.no_number(&h).is_some() => {
                let found = self.no_number(&h).unwrap_or_default();
                self.errors
                    .at(arg, format!("`{}` of `{}` is a constant of the call, and this is {found}", param.name, callee.name));
                Value::Poison
            }
            (ParamKind::Scalar(ty), Value::Host(h)) => {
                // a literal keeps its value; a cast keeps arithmetic in the callee's type
                let tokens = &h.tokens;
                let literal = h.literal.map(|l| if tidy(ty).starts_with('f') { Literal::Float(l.number()) } else { l });
                let bool_or_int = tidy(ty) == "bool";
                let tokens = if bool_or_int { quote!(#tokens) } else { quote!((#tokens as #ty)) };
                Value::Host(Host { tokens, literal, span: h.span })
            }
            (ParamKind::Window(rank), Value::Host(h)) => match self.no_window(&h, *rank) {
                Some(found) => {
                    let message = format!("`{}` of `{}` is `Window<{rank}>`, and this is {found}", param.name, callee.name);
                    self.errors.at(arg, message);
                    Value::Poison
                }
                None => Value::Host(h),
            },
            (ParamKind::Seed, Value::Host(h)) => match self.no_seed(&h) {
                Some(found) => {
                    self.errors.at(arg, format!("`{}` of `{}` is a seed, and this is {found}", param.name, callee.name));
                    Value::Poison
                }
                None => Value::Host(h),
            },
            (ParamKind::Unknown, _) => Value::Poison,
            (ParamKind::Axes, Value::Axes(axes)) => Value::Axes(axes),
            (ParamKind::Scalar(_), other) => wrong(self, "a constant of the call", &other),
            (ParamKind::Window(_), other) => wrong(self, "a window", &other),
            (ParamKind::Seed, other) => wrong(self, "a seed", &other),
            (ParamKind::Axes, other) => wrong(self, "an axis or several", &other),
        }
    }

    /// A `#[constant]` argument receives no gradient, so none passes through it.
    fn freeze(&mut self, value: Value, constant: bool, span: Span) -> Value {
        match value {
            Value::Tensor(t) if constant && self.typed.terms[t.term.0 as usize].differentiable => {
                let term = self.pointwise(TermOp::Unary(crate::graph::UnaryOp::Stop), &[t.term], span);
                Tensor { term, ..t }.into()
            }
            value => value,
        }
    }

    fn bind_tensor(
        &mut self,
        frame: &mut Frame,
        callee: &Formula,
        param: &Param,
        list: &AxisList,
        value: Value,
        arg: &Expr,
    ) -> Value {
        let Some(term) = self.tensor(&value, arg.span()) else { return Value::Poison };
        let order = match &value {
            Value::Tensor(t) => self.order_of(t),
            _ => self.axes_of(term).iter().collect(),
        };
        if list.open {
            return Tensor { term, order: Some(order) }.into();
        }
        let named = list.entries.iter().filter(|e| !e.many).count();
        let many = named < list.entries.len();
        if order.len() < named || (!many && order.len() > named) {
            let found = self.list(order.iter().copied().collect());
            let wanted: Vec<String> =
                list.entries.iter().map(|e| if e.many { format!("Many<{}>", e.name) } else { e.name.to_string() }).collect();
            self.errors
                .at(arg, format!("`{}` of `{}` has axes ({}), and this has {found}", param.name, callee.name, wanted.join(", ")));
            return Value::Poison;
        }
        let mut rest = order.as_slice();
        for entry in &list.entries {
            let take = if entry.many { rest.len() - list.entries.iter().rev().take_while(|e| !e.many).count() } else { 1 };
            let (mine, after) = rest.split_at(take);
            rest = after;
            let name = entry.name.to_string();
            match frame.axes.get(&name) {
                Some(bound) if bound.as_slice() != mine => {
                    let (had, has) = (self.list_of(bound), self.list_of(mine));
                    self.errors.at(arg, format!("axis `{name}` of `{}` would be {has} here and is {had} in an earlier argument: all arguments must agree", callee.name));
                    return Value::Poison;
                }
                Some(_) => {}
                None => {
                    frame.axes.insert(name, mine.to_vec());
                }
            }
        }
        Tensor { term, order: Some(order) }.into()
    }

    fn list_of(&self, axes: &[AxisId]) -> String {
        let names: Vec<String> = axes.iter().map(|a| format!("`{}`", self.axis_name(*a))).collect();
        if names.is_empty() { "no axis".into() } else { names.join(", ") }
    }

    /// Gives a call's results the order of the callee's promised lists.
    fn promised(&mut self, callee: &Formula, result: Value) -> Value {
        let values = match result {
            Value::Tuple(values) if callee.tuple => values,
            value => vec![value],
        };
        let mut out = Vec::new();
        for (value, promised) in values.into_iter().zip(&callee.outputs) {
            let span = callee.name.span();
            if matches!(value, Value::Poison) {
                return Value::Poison;
            }
            let Some(term) = self.tensor(&value, span) else { return Value::Poison };
            if let Value::Tensor(t) = &value {
                self.name_axes(&promised.axes, t);
            }
            if promised.axes.open {
                out.push(value);
                continue;
            }
            let Some(order) = self.promised_order(&promised.axes) else { return Value::Poison };
            out.push(Tensor { term, order: Some(order) }.into());
        }
        if callee.tuple { Value::Tuple(out) } else { out.pop().unwrap_or(Value::Poison) }
    }
}

/// `1 argument`, `2 arguments`
fn arguments(n: usize) -> String {
    format!("{n} argument{}", if n == 1 { "" } else { "s" })
}

/// `1 is given`
fn given(n: usize) -> String {
    format!("{n} {} given", if n == 1 { "is" } else { "are" })
}

impl From<Tensor> for Value {
    fn from(t: Tensor) -> Value {
        Value::Tensor(t)
    }
}
