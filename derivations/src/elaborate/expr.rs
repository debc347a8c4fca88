//! Expressions: names, operators, and how values become terms.

use super::typed::{Term, TermId, TermOp};
use super::value::{Host, Literal, Optional, Tensor, Value};
use super::{Elaborator, host};
use crate::graph::{AxisId, AxisSet, BinaryOp, UnaryOp};
use crate::syntax::{ParamKind, tidy, vocabulary};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{BinOp, Expr, UnOp};

/// The most expressions of a formula, calls inlined and loops unrolled.
const MAX_STEPS: usize = 20_000;
/// The deepest expression, calls inlined.
const MAX_DEPTH: usize = 192;
/// The longest constant of the call.
const MAX_HOST_TOKENS: usize = 1_000;

impl Elaborator<'_> {
    pub(super) fn expr(&mut self, e: &Expr) -> Value {
        if self.undecided.is_some() || self.steps > MAX_STEPS {
            return Value::Poison;
        }
        self.steps += 1;
        if self.steps > MAX_STEPS {
            self.errors.at(e, "the loops and calls of this formula unroll to too much: reduce over an axis instead");
        }
        if self.depth > MAX_DEPTH {
            self.errors.at(e, "the calls of this formula nest too deeply: name parts of them with `let`");
            return Value::Poison;
        }
        self.depth += 1;
        let value = self.construct(e);
        self.depth -= 1;
        match &value {
            Value::Host(h) if h.literal.is_none() && host::is_longer(&h.tokens, MAX_HOST_TOKENS) => {
                self.errors.at(e, "this constant grows too long: compute it outside, and pass it as an argument");
                Value::Poison
            }
            _ => value,
        }
    }

    fn construct(&mut self, e: &Expr) -> Value {
        if self.receiver.as_ref().is_some_and(|(at, _)| std::ptr::eq(*at, e)) {
            return self.receiver.as_ref().map_or(Value::Poison, |(_, value)| value.clone());
        }
        match e {
            Expr::Lit(lit) => self.literal(lit),
            Expr::Path(path) => self.path(path),
            Expr::Paren(inner) => self.expr(&inner.expr),
            Expr::Group(inner) => self.expr(&inner.expr),
            Expr::Reference(r) if r.mutability.is_none() => self.expr(&r.expr),
            Expr::Unary(u) => self.unary(u),
            Expr::Binary(b) => self.binary(b),
            Expr::Call(call) => self.call(call),
            Expr::MethodCall(call) => self.method(call),
            Expr::Block(block) if block.label.is_none() => self.block(&block.block, false),
            Expr::If(branch) => self.branch(branch),
            Expr::Match(m) => self.match_(m),
            Expr::Tuple(tuple) if tuple.elems.is_empty() => Value::Unit,
            Expr::Tuple(tuple) => self.tuple(tuple),
            Expr::Cast(cast) => self.cast(cast),
            Expr::Assign(assign) => self.assign(assign),
            Expr::ForLoop(l) => self.for_loop(l),
            Expr::Array(array) => self.array(array),
            Expr::Repeat(repeat) => self.repeated(repeat),
            Expr::Struct(_) => Value::Host(Host { tokens: quote!(#e), literal: None, span: e.span() }),
            other => self.unsupported(other),
        }
    }

    fn literal(&mut self, e: &syn::ExprLit) -> Value {
        let span = e.lit.span();
        if let syn::Lit::Float(x) = &e.lit
            && !matches!(x.suffix(), "" | "f32" | "f64")
        {
            let digits = x.base10_digits();
            self.errors.at(&e.lit, format!("numbers take the element type of what they meet: write `{digits}`"));
            return Value::Poison;
        }
        let literal = match &e.lit {
            syn::Lit::Int(n) if matches!(n.suffix(), "f32" | "f64") => n.base10_digits().parse().ok().map(Literal::Float),
            syn::Lit::Int(n) => n.base10_parse::<i64>().ok().map(Literal::Int),
            syn::Lit::Float(x) => x.base10_parse::<f64>().ok().map(Literal::Float),
            syn::Lit::Bool(b) => Some(Literal::Bool(b.value)),
            _ => None,
        };
        if matches!(literal, Some(Literal::Float(x)) if !x.is_finite()) {
            self.errors.at(&e.lit, format!("`{}` is beyond the range of `f64`: write `f64::INFINITY`", tidy(&e.lit)));
            return Value::Poison;
        }
        let lit = &e.lit;
        Value::Host(Host { tokens: quote!(#lit), literal, span })
    }

    fn path(&mut self, e: &syn::ExprPath) -> Value {
        if let Some(name) = e.path.get_ident() {
            let text = name.to_string();
            let map_scope = self.frame().map_scope;
            if let Some((value, depth)) = self.frame().find(&text).map(|(v, d)| (v.clone(), d)) {
                return self.captured(value, name, map_scope.is_some_and(|scope| depth < scope));
            }
            if let Some(axes) = self.frame().axes_named(&text) {
                return Value::Axes(axes.clone());
            }
            if text == "None" {
                return Value::Optional(Optional::None);
            }
            if let Some(value) = self.frame().items.constants.get(&text) {
                return value.clone();
            }
            if let Some(path) = self.frame().items.imports.get(&text) {
                return Value::Host(Host { tokens: quote!(#path), literal: None, span: name.span() });
            }
            // constants of the user's are in capitals; what else has no value here never will
            if !text.starts_with(char::is_uppercase) {
                return self.unknown_name(name);
            }
        }
        let path = &e.path;
        Value::Host(Host { tokens: quote!(#path), literal: None, span: path.span() })
    }

    fn unknown_name(&mut self, name: &Ident) -> Value {
        let names = self.frame().names();
        let text = name.to_string();
        let distance = |known: &String| vocabulary::edit_distance(known, &text);
        let hint = match names.iter().min_by_key(|known| distance(known)) {
            _ if vocabulary::word(&text).is_some() => format!("; `{text}` is a function, and is called"),
            Some(nearest) if distance(nearest) <= 2 && distance(nearest) < text.len() => format!(": did you mean `{nearest}`?"),
            Some(_) => format!(": there are `{}`", names.join("`, `")),
            None => String::new(),
        };
        self.errors.at(name, format!("there is no value `{text}`{hint}"));
        Value::Poison
    }

    /// A name's value, unless it is a tensor that a closure over elements must not capture.
    fn captured(&mut self, value: Value, name: &Ident, outside_map: bool) -> Value {
        if let (Value::Tensor(t), true) = (&value, outside_map)
            && !self.axes_of(t.term).is_empty()
        {
            self.errors.at(
                    name,
                    format!("`{name}` is a tensor: the closure of `map` sees one element at a time; write `select(mask, a, b)` over whole tensors instead"),
                );
            return Value::Poison;
        }
        value
    }

    fn tuple(&mut self, tuple: &syn::ExprTuple) -> Value {
        let values: Vec<Value> = tuple.elems.iter().map(|e| self.expr(e)).collect();
        let all_axes = values.iter().all(|v| matches!(v, Value::Axes(_)));
        if all_axes {
            let flat = values.into_iter().flat_map(|v| if let Value::Axes(a) = v { a } else { vec![] });
            return Value::Axes(flat.collect());
        }
        Value::Tuple(values)
    }

    fn unary(&mut self, u: &syn::ExprUnary) -> Value {
        if let UnOp::Deref(_) = u.op {
            return match self.expr(&u.expr) {
                Value::State(index) => self.read_state(index, u.span()),
                Value::Host(_) => {
                    self.errors.at(u, "`*` reads state, `*r`, and this is a constant; a power is `powi(x, 2)`");
                    Value::Poison
                }
                value => value,
            };
        }
        let value = self.expr(&u.expr);
        match (&u.op, value) {
            (_, Value::Poison) => Value::Poison,
            (op, Value::Host(h)) => {
                let literal = match (op, h.literal) {
                    (UnOp::Neg(_), Some(Literal::Int(n))) => n.checked_neg().map(Literal::Int),
                    (UnOp::Neg(_), Some(Literal::Float(x))) => Some(Literal::Float(-x)),
                    (UnOp::Not(_), Some(Literal::Bool(b))) => Some(Literal::Bool(!b)),
                    _ => None,
                };
                let inner = h.tokens;
                Value::Host(Host { tokens: quote!((#op #inner)), literal, span: u.span() })
            }
            (UnOp::Neg(_), value) => match self.tensor(&value, u.expr.span()) {
                Some(x) => self.pointwise(TermOp::Unary(UnaryOp::Neg), &[x], u.span()).into(),
                None => Value::Poison,
            },
            (UnOp::Not(_), value) => match self.mask(&value, u.expr.span()) {
                Some(x) => self.pointwise(TermOp::Unary(UnaryOp::Not), &[x], u.span()).into(),
                None => Value::Poison,
            },
            _ => Value::Poison,
        }
    }

    fn binary(&mut self, b: &syn::ExprBinary) -> Value {
        if let Some(op) = compound(&b.op) {
            return self.compound_assign(b, op);
        }
        let (left, right) = (self.expr(&b.left), self.expr(&b.right));
        self.binary_values(&b.op, left, right, &b.left, &b.right, b.span())
    }

    pub(super) fn binary_values(&mut self, op: &BinOp, left: Value, right: Value, l: &Expr, r: &Expr, span: Span) -> Value {
        if let (Value::Host(x), Value::Host(y)) = (&left, &right) {
            let literal = x.literal.zip(y.literal).and_then(|(x, y)| host::fold(op, x, y));
            if let Some(literal) = literal {
                return Value::Host(host::of_literal(literal, span));
            }
            if self.misfit(op, (x, l), (y, r)) {
                return Value::Poison;
            }
            let (a, b) = (&x.tokens, &y.tokens);
            return Value::Host(Host { tokens: quote!((#a #op #b)), literal: None, span });
        }
        if matches!(left, Value::Poison) || matches!(right, Value::Poison) {
            return Value::Poison;
        }
        use BinaryOp as B;
        let (operator, word) = match op {
            BinOp::Add(_) => (B::Add, None),
            BinOp::Sub(_) => (B::Sub, None),
            BinOp::Mul(_) => (B::Mul, None),
            BinOp::Div(_) => (B::Div, None),
            BinOp::BitAnd(_) | BinOp::BitOr(_) => return self.mask_operator(op, left, right, l, r, span),
            BinOp::And(_) | BinOp::Or(_) if self.frame().map_scope.is_some() => {
                return self.mask_operator(op, left, right, l, r, span);
            }
            BinOp::Gt(_) => (B::Gt, Some("gt")),
            BinOp::Ge(_) => (B::Ge, Some("ge")),
            BinOp::Lt(_) => (B::Lt, Some("lt")),
            BinOp::Le(_) => (B::Le, Some("le")),
            BinOp::Eq(_) => (B::Eq, Some("eq")),
            BinOp::Ne(_) => (B::Ne, Some("ne")),
            other => {
                let hint = match other {
                    BinOp::And(_) => ": masks are joined with `&`",
                    BinOp::Or(_) => ": masks are joined with `|`",
                    BinOp::Rem(_) => ": write `x - floor(x / m) * m`",
                    BinOp::BitXor(_) => ": a power is `powi(x, 2)`, and of two masks one alone is `ne(a, b)`",
                    _ => "",
                };
                self.errors.at(other, format!("`{}` does not work on tensors{hint}", tidy(other)));
                return Value::Poison;
            }
        };
        if let (Some(word), None) = (word, self.frame().map_scope) {
            let (op_text, mask) = (tidy(op), format!("{word}({}, {})", tidy(l), tidy(r)));
            let message = match &self.frame().condition {
                Some((a, b)) => {
                    format!(
                        "`if` chooses once a call, and `{op_text}` has an answer for each element: write `select({mask}, {a}, {b})`"
                    )
                }
                None => format!("`{op_text}` compares one value with another: element by element write `{mask}`"),
            };
            self.errors.at(op, message);
            return Value::Poison;
        }
        match (self.tensor(&left, l.span()), self.tensor(&right, r.span())) {
            (Some(a), Some(b)) => self.pointwise(TermOp::Binary(operator), &[a, b], span).into(),
            _ => Value::Poison,
        }
    }

    fn mask_operator(&mut self, op: &BinOp, left: Value, right: Value, l: &Expr, r: &Expr, span: Span) -> Value {
        let operator = if matches!(op, BinOp::BitAnd(_) | BinOp::And(_)) { BinaryOp::And } else { BinaryOp::Or };
        match (self.mask(&left, l.span()), self.mask(&right, r.span())) {
            (Some(a), Some(b)) => self.pointwise(TermOp::Binary(operator), &[a, b], span).into(),
            _ => Value::Poison,
        }
    }

    fn cast(&mut self, cast: &syn::ExprCast) -> Value {
        match self.expr(&cast.expr) {
            Value::Host(h) => {
                let (inner, ty) = (&h.tokens, &cast.ty);
                let float = matches!(tidy(&cast.ty).as_str(), "f64" | "f32");
                let literal = h.literal.filter(|_| float).map(|l| Literal::Float(l.number()));
                Value::Host(Host { tokens: quote!((#inner as #ty)), literal, span: cast.span() })
            }
            Value::Poison => Value::Poison,
            value => {
                let kind = value.kind();
                self.errors.at(cast, format!("{kind} cannot be cast: masks and indices are numbers in arithmetic as they are"));
                Value::Poison
            }
        }
    }

    /// An array of constants, as a window's settings are: `[len(KH), 3]`.
    fn array(&mut self, array: &syn::ExprArray) -> Value {
        // all are read, so that all that is wrong is reported
        let elements: Vec<Option<TokenStream>> = array.elems.iter().map(|e| self.element(e)).collect();
        let elements: Option<Vec<TokenStream>> = elements.into_iter().collect();
        let span = array.bracket_token.span.join();
        let host = |all: Vec<TokenStream>| Host { tokens: quote_spanned!(span=> [#(#all),*]), literal: None, span };
        elements.map_or(Value::Poison, |all| Value::Host(host(all)))
    }

    /// `[1; 2]`
    fn repeated(&mut self, repeat: &syn::ExprRepeat) -> Value {
        match (self.element(&repeat.expr), self.element(&repeat.len)) {
            (Some(one), Some(times)) => {
                let span = repeat.bracket_token.span.join();
                Value::Host(Host { tokens: quote_spanned!(span=> [#one; #times]), literal: None, span })
            }
            _ => Value::Poison,
        }
    }

    fn element(&mut self, e: &Expr) -> Option<TokenStream> {
        match self.expr(e) {
            Value::Host(h) => Some(h.tokens),
            Value::Poison => None,
            other => {
                self.errors.at(e, format!("a constant is wanted here, and this is {}", other.kind()));
                None
            }
        }
    }

    fn unsupported(&mut self, e: &Expr) -> Value {
        let (what, instead) = match e {
            Expr::While(_) | Expr::Loop(_) => ("a loop without a known count", "write `for i in 0..3`, which is unrolled"),
            Expr::Closure(_) => ("a closure here", "closures go to `map`, `map_or` and `scan`; write a nested `fn` for a helper"),
            Expr::Index(_) => ("indexing with `[]`", "write `slice(x, L, M, a..b)`, or `pick(x, C, i)` for one position"),
            Expr::Return(_) => ("`return`", "let the last expression be the result"),
            Expr::Macro(_) => ("a macro call", "write the expression it stands for"),
            Expr::Async(_) | Expr::Await(_) => ("`async`", "a formula is computed at once"),
            Expr::Unsafe(_) => ("`unsafe`", "a formula needs none"),
            Expr::Field(_) => ("a field", "pass the value as an argument of its own"),
            Expr::Try(_) => ("`?`", "say what must hold with `ensure(condition, \"what is wrong\")`"),
            Expr::Range(_) => ("a range here", "ranges go to `slice` and `for`"),
            Expr::Let(_) => ("`let` in a condition", "write `if let Some(b) = b { .. } else { .. }`"),
            Expr::Reference(_) => ("`&mut`", "state is an argument `r: &mut Tensor<..>`, assigned with `*r = ..`"),
            Expr::Break(_) | Expr::Continue(_) => ("`break` or `continue`", "let the loop run its count"),
            _ => ("this expression", "see the documentation of `pullback::language` for what a formula is made of"),
        };
        self.errors.at(e, format!("{what} cannot stand in a formula: {instead}"));
        Value::Poison
    }

    // ---- values as terms

    /// The value as a tensor term. Reports what is none.
    pub(super) fn tensor(&mut self, value: &Value, span: Span) -> Option<TermId> {
        match value {
            Value::Tensor(t) => Some(t.term),
            Value::Host(h) => match self.no_number(h) {
                Some(what) => {
                    self.errors.span(span, format!("a tensor or a number is wanted here, and this is {what}"));
                    None
                }
                None => Some(self.host_term(h)),
            },
            Value::State(index) => match self.read_state(*index, span) {
                Value::Tensor(t) => Some(t.term),
                _ => None,
            },
            Value::Poison => None,
            Value::Optional(_) => {
                self.errors.span(
                    span,
                    "this tensor may be absent: write `if let Some(b) = b { .. } else { .. }`, or `b.map_or(y, |b| y + b)`",
                );
                None
            }
            Value::Axes(_) => {
                self.errors.span(span, "an axis is no value: `index(N)` is the position along it, `len(N)` its extent");
                None
            }
            other => {
                self.errors.span(span, format!("a tensor is wanted here, and this is {}", other.kind()));
                None
            }
        }
    }

    /// What a constant is, if it is no number.
    pub(super) fn no_number(&self, h: &Host) -> Option<&'static str> {
        if h.literal.is_some() {
            return None;
        }
        match self.constant_kind(h) {
            Some(ParamKind::Window(_)) => Some("a window"),
            Some(ParamKind::Seed) => Some("a seed"),
            _ => host::is_text(&h.tokens).then_some("text"),
        }
    }

    /// The kind of a constant that is an argument, as it stands.
    pub(super) fn constant_kind(&self, h: &Host) -> Option<&ParamKind> {
        let name = h.tokens.to_string();
        self.constants.iter().find(|(known, _)| *known == name).map(|(_, kind)| kind)
    }

    /// The value as a mask.
    pub(super) fn mask(&mut self, value: &Value, span: Span) -> Option<TermId> {
        if let Value::Host(Host { literal: Some(Literal::Bool(b)), .. }) = value {
            let number = Host { literal: Some(Literal::Bool(*b)), tokens: quote!(#b), span };
            let term = self.host_term(&number);
            self.typed.terms[term.0 as usize].mask = true;
            return Some(term);
        }
        let term = self.tensor(value, span)?;
        if !self.typed.terms[term.0 as usize].mask && !matches!(value, Value::Host(_)) {
            self.errors.span(span, "a mask is wanted here: compare with `gt(a, b)`, `le(a, b)`, `eq(a, b)`, ..");
            return None;
        }
        Some(term)
    }

    pub(super) fn axes_of(&self, term: TermId) -> AxisSet {
        self.typed.terms[term.0 as usize].axes
    }

    /// The order of a tensor's axes: declared, or that of first appearance.
    pub(super) fn order_of(&self, t: &Tensor) -> Vec<AxisId> {
        t.order.clone().unwrap_or_else(|| self.axes_of(t.term).iter().collect())
    }

    /// Adds a term. Whether it is differentiable follows from its arguments.
    pub(super) fn term(&mut self, op: TermOp, args: Vec<TermId>, axes: AxisSet, span: Span) -> TermId {
        use super::typed::Reduction::{All, Any, ArgMax, ArgMin};
        let stops = match &op {
            TermOp::Unary(UnaryOp::Stop | UnaryOp::Sign | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Round | UnaryOp::Not) => true,
            TermOp::Binary(b) => b.is_mask(),
            TermOp::Reduce { kind: ArgMax | ArgMin | Any | All, .. } => true,
            _ => false,
        };
        let of_first = |flag: fn(&Term) -> bool| args.first().is_some_and(|a| flag(&self.typed.terms[a.0 as usize]));
        let mask = match &op {
            TermOp::Binary(b) => b.is_mask(),
            TermOp::Unary(UnaryOp::Not) | TermOp::Reduce { kind: Any | All, .. } => true,
            TermOp::Shift { .. } | TermOp::Unary(UnaryOp::Stop) => of_first(|t| t.mask),
            op => op.only_moves() && of_first(|t| t.mask),
        };
        let integer = match &op {
            TermOp::Reduce { kind: ArgMax | ArgMin, .. } => true,
            TermOp::Index(_) => true,
            op => op.only_moves() && of_first(|t| t.integer),
        };
        let through = match &op {
            TermOp::Select => &args[1..],
            TermOp::Pick { .. } | TermOp::Scatter { .. } => &args[..1],
            _ => &args[..],
        };
        let differentiable = !stops && through.iter().any(|a| self.typed.terms[a.0 as usize].differentiable);
        self.typed.terms.push(Term { op, args, axes, span, name: None, mask, integer, differentiable });
        let id = TermId(self.typed.terms.len() as u32 - 1);
        self.advise(id);
        id
    }

    /// A pointwise term over the union of its arguments' axes.
    pub(super) fn pointwise(&mut self, op: TermOp, args: &[TermId], span: Span) -> TermId {
        let axes = args.iter().fold(AxisSet::EMPTY, |set, a| set | self.axes_of(*a));
        self.term(op, args.to_vec(), axes, span)
    }

    // ---- axes in messages

    pub(super) fn axis_name(&self, axis: AxisId) -> String {
        self.typed.axes[axis.0 as usize].name.clone()
    }

    /// `(N, C)`
    pub(super) fn list(&self, axes: AxisSet) -> String {
        let names: Vec<String> = axes.iter().map(|a| self.axis_name(a)).collect();
        format!("({})", names.join(", "))
    }

    /// Whether an unknown name may be an axis that something not known yet introduces: one that is named again.
    pub(super) fn may_come(&self, name: &str) -> bool {
        self.pending_axes && self.mentions.get(name).is_some_and(|n| *n > 1)
    }

    /// The axes of the formula so far: `there are `N`, `C``.
    pub(super) fn known_axes(&mut self) -> String {
        let frame = self.frame();
        let mut known: Vec<String> = frame.axes.keys().chain(frame.items.axes.keys()).map(|name| format!("`{name}`")).collect();
        known.sort();
        known.dedup();
        match known.as_slice() {
            [] => "there are none".into(),
            [one] => format!("there is {one}"),
            several => format!("there are {}", several.join(", ")),
        }
    }

    pub(super) fn unknown_axis(&mut self, name: &Ident) {
        if self.unknown_axes || self.may_come(&name.to_string()) {
            return; // it may be one of those that could not be read
        }
        let there = self.known_axes();
        self.errors.at(
            name,
            format!("there is no axis `{name}`: {there}; an axis is declared in the signature, or as a new axis of `window`, `split`, `rename`, `stack`, .."),
        );
    }

    /// Where an axis of a term came from: the operand that brought it in.
    pub(super) fn origin(&self, term: TermId, axis: AxisId) -> String {
        let mut at = term;
        loop {
            let t = &self.typed.terms[at.0 as usize];
            match t.args.iter().find(|a| self.axes_of(**a).contains(axis)) {
                Some(arg) if t.name.is_none() || at == term => at = *arg,
                _ => return t.name.as_ref().map_or_else(|| format!("`{}`", t.op.word()), |name| format!("`{name}`")),
            }
        }
    }
}

/// The operator of `+=` and its kin.
fn compound(op: &BinOp) -> Option<BinOp> {
    let span = op.span();
    Some(match op {
        BinOp::AddAssign(_) => BinOp::Add(syn::Token![+](span)),
        BinOp::SubAssign(_) => BinOp::Sub(syn::Token![-](span)),
        BinOp::MulAssign(_) => BinOp::Mul(syn::Token![*](span)),
        BinOp::DivAssign(_) => BinOp::Div(syn::Token![/](span)),
        _ => return None,
    })
}
