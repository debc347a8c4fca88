//! The vocabulary's functions, but reductions and re-indexing.

use super::Elaborator;
use super::typed::{Check, HostKind, TermFill, TermId, TermOp};
use super::value::{Host, Literal, Tensor, Value};
use crate::graph::{AxisId, AxisSet, BinaryOp, Distribution, UnaryOp};
use crate::syntax::{NewAxes, axis_name, tidy};
use proc_macro2::Span;
use quote::quote;
use syn::Expr;
use syn::spanned::Spanned;
use syn::visit::Visit;

impl Elaborator<'_> {
    /// A call of a word of the vocabulary; the number of arguments is right.
    pub(super) fn word(&mut self, name: &str, args: &[&Expr], span: Span) -> Value {
        if self.frame().map_scope.is_some() && !self.is_pointwise(name, args) {
            self.errors.span(
                span,
                format!("the closure of `map` sees one element at a time, which has no axes: take `{name}` out of it"),
            );
            return Value::Poison;
        }
        if let Some(op) = unary_op(name) {
            return self.unary_word(name, op, args[0], span);
        }
        if let Some(op) = binary_op(name) {
            return self.binary_word(op, args, span);
        }
        if let Some(kind) = super::reduce::reduction(name) {
            return self.reduction(kind, args, span);
        }
        match name {
            "sq" => self.power(args[0], 2, span),
            "powi" => self.powi(args, span),
            "max" | "min" if self.is_axes(args[1], args[0]) => {
                let kind = super::reduce::extremum(name);
                self.reduction(kind, args, span)
            }
            "max" | "maximum" => self.binary_word(BinaryOp::Max, args, span),
            "min" | "minimum" => self.binary_word(BinaryOp::Min, args, span),
            "clamp" => self.clamp(args, span),
            "select" => self.select(args, span),
            "map" => self.map(args, span),
            "dot" => self.dot(args, span),
            "index" => self.index(args[0], span),
            "len" => match self.axes_arg(args[0]) {
                Some(axes) => Value::Host(self.len_host(&axes, span)),
                None => Value::Poison,
            },
            "constant" => self.constant(args, span),
            "stop_gradient" => match self.tensor_arg(args[0]) {
                Some(x) => self.keep_order(x, TermOp::Unary(UnaryOp::Stop), span),
                None => Value::Poison,
            },
            "ensure" => self.ensure(args),
            "fill" => self.fill(args, span),
            "bernoulli_like" | "uniform_like" | "normal_like" | "bernoulli" | "uniform" | "normal" => {
                self.random(name, args, span)
            }
            _ => self.reindex_word(name, args, span),
        }
    }

    /// Whether a word works on elements, or on constants.
    fn is_pointwise(&mut self, name: &str, args: &[&Expr]) -> bool {
        match name {
            "max" | "min" => !self.is_axes(args[1], args[0]),
            "sq" | "powi" | "maximum" | "minimum" | "clamp" | "select" | "map" | "len" | "ensure" | "stop_gradient" => true,
            name => unary_op(name).is_some() || binary_op(name).is_some(),
        }
    }

    pub(super) fn tensor_arg(&mut self, arg: &Expr) -> Option<TermId> {
        let value = self.expr(arg);
        self.tensor(&value, arg.span())
    }

    fn unary_word(&mut self, name: &str, op: UnaryOp, arg: &Expr, span: Span) -> Value {
        match self.expr(arg) {
            Value::Poison => Value::Poison,
            Value::Host(h) => self.host_function(name, op, &h, span),
            value => match self.tensor(&value, arg.span()) {
                Some(x) => self.pointwise(TermOp::Unary(op), &[x], span).into(),
                None => Value::Poison,
            },
        }
    }

    /// A function of a constant stays a constant where Rust has it.
    fn host_function(&mut self, name: &str, op: UnaryOp, h: &Host, span: Span) -> Value {
        if let Some(literal) = h.literal {
            let value = op.eval(literal.number());
            if value.is_finite() {
                return Value::Host(super::host::of_literal(Literal::Float(value), span));
            }
        }
        let rust = match name {
            "log" => "ln",
            "log1p" => "ln_1p",
            "sqrt" | "recip" | "exp" | "exp2" | "exp_m1" | "ln" | "log2" | "ln_1p" | "abs" | "floor" | "ceil" | "sin" | "cos"
            | "tan" | "sinh" | "cosh" | "tanh" | "asinh" | "atan" => name,
            _ => {
                let x = self.host_term(h);
                return self.pointwise(TermOp::Unary(op), &[x], span).into();
            }
        };
        let method = proc_macro2::Ident::new(rust, span);
        let tokens = &h.tokens;
        Value::Host(Host { tokens: quote!(((#tokens) as f64).#method()), literal: None, span })
    }

    fn binary_word(&mut self, op: BinaryOp, args: &[&Expr], span: Span) -> Value {
        let (a, b) = (self.tensor_arg(args[0]), self.tensor_arg(args[1]));
        match (a, b) {
            (Some(a), Some(b)) => self.pointwise(TermOp::Binary(op), &[a, b], span).into(),
            _ => Value::Poison,
        }
    }

    fn power(&mut self, arg: &Expr, n: i32, span: Span) -> Value {
        match self.tensor_arg(arg) {
            Some(x) => self.pointwise(TermOp::Powi(n), &[x], span).into(),
            None => Value::Poison,
        }
    }

    fn powi(&mut self, args: &[&Expr], span: Span) -> Value {
        match self.expr(args[1]) {
            Value::Host(Host { literal: Some(Literal::Int(n)), .. }) if i32::try_from(n).is_ok() => {
                self.power(args[0], n as i32, span)
            }
            Value::Poison => Value::Poison,
            // an exponent known at the call only
            Value::Host(_) => self.binary_word(BinaryOp::Pow, args, span),
            other => {
                self.errors.at(
                    args[1],
                    format!("the exponent of `powi` is a whole number, and this is {}: write `powf(x, y)`", other.kind()),
                );
                Value::Poison
            }
        }
    }

    fn clamp(&mut self, args: &[&Expr], span: Span) -> Value {
        let [x, lo, hi] = [0, 1, 2].map(|i| self.tensor_arg(args[i]));
        match (x, lo, hi) {
            (Some(x), Some(lo), Some(hi)) => {
                let above = self.pointwise(TermOp::Binary(BinaryOp::Max), &[x, lo], span);
                self.pointwise(TermOp::Binary(BinaryOp::Min), &[above, hi], span).into()
            }
            _ => Value::Poison,
        }
    }

    fn select(&mut self, args: &[&Expr], span: Span) -> Value {
        let mask = self.expr(args[0]);
        let mask = match &mask {
            Value::Poison => None,
            mask => self.mask(mask, args[0].span()),
        };
        let (a, b) = (self.tensor_arg(args[1]), self.tensor_arg(args[2]));
        match (mask, a, b) {
            (Some(mask), Some(a), Some(b)) => self.pointwise(TermOp::Select, &[mask, a, b], span).into(),
            _ => Value::Poison,
        }
    }

    fn map(&mut self, args: &[&Expr], span: Span) -> Value {
        let Some(x) = self.tensor_arg(args[0]) else { return Value::Poison };
        let depth = self.frame().depth();
        let before = self.frame().map_scope.replace(depth);
        let result = self.apply_closure(args[1], vec![x.into()]);
        self.frame().map_scope = before;
        match self.tensor(&result, args[1].span()) {
            // a closure that ignores its argument still gives a value an element
            Some(y) if self.axes_of(y) == self.axes_of(x) => y.into(),
            Some(y) => {
                let zero = self.term(TermOp::Num(0.0), vec![], AxisSet::EMPTY, span);
                let never = self.pointwise(TermOp::Binary(BinaryOp::Ne), &[x, x], span);
                let never = self.pointwise(TermOp::Binary(BinaryOp::And), &[never, zero], span);
                self.pointwise(TermOp::Select, &[never, x, y], span).into()
            }
            None => Value::Poison,
        }
    }

    fn index(&mut self, arg: &Expr, span: Span) -> Value {
        let Some(axes) = self.axes_arg(arg) else { return Value::Poison };
        let mut flat: Option<TermId> = None;
        for axis in axes {
            let here = self.term(TermOp::Index(axis), vec![], axis.into(), span);
            flat = Some(match flat {
                None => here,
                Some(outer) => {
                    let len = self.len_host(&[axis], span);
                    let len = self.host_term(&len);
                    let scaled = self.pointwise(TermOp::Binary(BinaryOp::Mul), &[outer, len], span);
                    self.pointwise(TermOp::Binary(BinaryOp::Add), &[scaled, here], span)
                }
            });
        }
        let term = flat.unwrap_or_else(|| self.term(TermOp::Num(0.0), vec![], AxisSet::EMPTY, span));
        self.typed.terms[term.0 as usize].integer = true;
        term.into()
    }

    fn constant(&mut self, args: &[&Expr], span: Span) -> Value {
        let Expr::Array(array) = args[0] else {
            self.errors.at(args[0], "write the numbers in place: `constant([0.25, 0.5, 0.25], K)`");
            return Value::Poison;
        };
        let mut values = Vec::new();
        for e in &array.elems {
            match self.expr(e) {
                Value::Host(Host { literal: Some(l), .. }) => values.push(l.number()),
                Value::Poison => return Value::Poison,
                _ => {
                    self.errors.at(
                        e,
                        "`constant` takes numbers known when the formula is derived; pass others as a `#[constant]` tensor",
                    );
                    return Value::Poison;
                }
            }
        }
        let Some(name) = axis_ident(args[1]) else {
            self.errors.at(args[1], "`constant` names one axis: `constant([0.25, 0.5, 0.25], K)`");
            return Value::Poison;
        };
        let known = self.frame().axes_named(&name.to_string()).cloned();
        let axis = match known.as_deref() {
            Some([axis]) => {
                let check = Check::ConstantLen { axis: *axis, len: values.len() };
                self.check(check);
                *axis
            }
            _ => {
                let len = self.typed.ints.constant(values.len() as i64);
                match self.declare_axis(&name, len, values.len() as u64) {
                    Some(axis) => axis,
                    None => return Value::Poison,
                }
            }
        };
        self.term(TermOp::Constant { axis, values }, vec![], axis.into(), span).into()
    }

    fn ensure(&mut self, args: &[&Expr]) -> Value {
        match (self.expr(args[0]), self.expr(args[1])) {
            (Value::Host(condition), _) if matches!(condition.literal, Some(Literal::Int(_) | Literal::Float(_))) => {
                self.errors.at(args[0], "`ensure` checks a condition, such as `p <= 1.0`, and this is a number");
            }
            (_, Value::Host(message)) if message.literal.is_some() => {
                self.errors.at(args[1], "the message is a string: `ensure(condition, \"what is wrong\")`");
            }
            (Value::Host(condition), Value::Host(message)) => {
                self.check(Check::Ensure { condition: condition.tokens, message: message.tokens });
            }
            (Value::Poison, _) | (_, Value::Poison) => {}
            (Value::Host(_), other) => self.errors.at(args[1], format!("the message is a string, and this is {}", other.kind())),
            (other, _) => self.errors.at(
                args[0],
                format!("`ensure` checks constants and lengths before anything is computed, and this is {}", other.kind()),
            ),
        }
        Value::Unit
    }

    fn fill(&mut self, args: &[&Expr], span: Span) -> Value {
        let Some(x) = self.tensor_arg(args[0]) else { return Value::Poison };
        let Some(fill) = self.filler(args[1], "holes are filled") else { return Value::Poison };
        self.pointwise(TermOp::Fill(fill), &[x], span).into()
    }

    /// A number that stands where there are no elements.
    pub(super) fn filler(&mut self, arg: &Expr, what: &str) -> Option<TermFill> {
        match self.expr(arg) {
            Value::Host(Host { literal: Some(l), .. }) => Some(TermFill::Num(l.number())),
            Value::Host(h) => Some(TermFill::Host(self.host(HostKind::Number, h.tokens))),
            Value::Poison => None,
            other => {
                self.errors.at(arg, format!("{what} with a number, and this is {}", other.kind()));
                None
            }
        }
    }

    fn random(&mut self, name: &str, args: &[&Expr], span: Span) -> Value {
        let (kind, like) = match name.strip_suffix("_like") {
            Some(kind) => (kind, true),
            None => (name, false),
        };
        let axes: Option<Vec<AxisId>> = if like {
            match self.expr(args[0]) {
                Value::Tensor(t) => Some(self.order_of(&t)),
                value => self.tensor(&value, args[0].span()).map(|t| self.axes_of(t).iter().collect()),
            }
        } else {
            self.axes_arg(args[0])
        };
        let seed = match self.expr(args[1]) {
            Value::Host(h) if self.no_seed(&h).is_some() => {
                let found = self.no_seed(&h).unwrap_or_default();
                self.errors.at(args[1], format!("a seed is wanted here (an argument `seed: Seed`), and this is {found}"));
                None
            }
            Value::Host(h) => Some(self.host(HostKind::Seed, h.tokens)),
            Value::Poison => None,
            other => {
                self.errors
                    .at(args[1], format!("a seed is wanted here (an argument `seed: Seed`), and this is {}", other.kind()));
                None
            }
        };
        let param = match args.get(2).map(|a| (self.expr(a), a)) {
            None => None,
            Some((Value::Host(h), _)) => Some(self.host(HostKind::Number, h.tokens)),
            Some((Value::Poison, _)) => return Value::Poison,
            Some((other, arg)) => {
                self.errors.at(arg, format!("the keep probability is a constant of the call, and this is {}", other.kind()));
                return Value::Poison;
            }
        };
        let (Some(axes), Some(seed)) = (axes, seed) else { return Value::Poison };
        let distribution = match kind {
            "bernoulli" => Distribution::Bernoulli,
            "uniform" => Distribution::Uniform,
            _ => Distribution::Normal,
        };
        let set = axes.iter().copied().collect();
        let number = self.draws;
        self.draws += 1;
        self.term(TermOp::Random { distribution, seed, param, number, axes }, vec![], set, span).into()
    }

    /// A term of the same axes in the same order.
    fn keep_order(&mut self, x: TermId, op: TermOp, span: Span) -> Value {
        Tensor { term: self.pointwise(op, &[x], span), order: None }.into()
    }

    pub(super) fn check(&mut self, check: Check) {
        self.typed.bindings.push(super::Binding::Check(check));
    }

    // ---- axes as arguments

    /// Whether an argument names axes.
    fn is_axes(&mut self, arg: &Expr, of: &Expr) -> bool {
        match arg {
            Expr::Paren(p) => self.is_axes(&p.expr, of),
            Expr::Group(p) => self.is_axes(&p.expr, of),
            Expr::Tuple(t) => t.elems.iter().all(|e| self.is_axes(e, of)),
            Expr::Path(p) => match p.path.get_ident() {
                None => false,
                Some(name) => {
                    let text = name.to_string();
                    match self.frame().find(&text) {
                        Some((value, _)) => matches!(value, Value::Axes(_)),
                        // an unbound name of one or two capitals can only be meant as an axis
                        None => {
                            self.frame().axes_named(&text).is_some()
                                || (text.len() <= 2 && text.chars().all(|c| c.is_ascii_uppercase()))
                                || introduces(of, &text)
                                || self.may_come(&text)
                        }
                    }
                }
            },
            _ => false,
        }
    }

    /// The axes of this name here: a helper's argument, or one declared.
    pub(super) fn named_axes(&mut self, name: &str) -> Option<Vec<AxisId>> {
        match self.frame().find(name) {
            Some((Value::Axes(axes), _)) => Some(axes.clone()),
            _ => self.frame().axes_named(name).cloned(),
        }
    }

    /// The axes that an argument names: `N`, `(N, C)`, or an axis argument of a helper.
    pub(super) fn axes_arg(&mut self, arg: &Expr) -> Option<Vec<AxisId>> {
        let elems: Vec<&Expr> = match arg {
            Expr::Tuple(t) => t.elems.iter().collect(),
            Expr::Paren(p) => return self.axes_arg(&p.expr),
            Expr::Group(p) => return self.axes_arg(&p.expr),
            one => vec![one],
        };
        let mut axes = Vec::new();
        let mut failed = false;
        for e in elems {
            let Some(name) = axis_ident(e) else {
                let known = self.known_axes();
                self.errors.at(e, format!("an axis is wanted here, and this is `{}`: axes go by name, and {known}", tidy(e)));
                failed = true;
                continue;
            };
            let text = name.to_string();
            let value = self.frame().find(&text).map(|(value, _)| value.clone());
            if let (Some(value), None) = (value, self.named_axes(&text)) {
                if !matches!(value, Value::Poison) {
                    let (kind, known) = (value.kind(), self.known_axes());
                    self.errors.at(&name, format!("an axis is wanted here, and `{text}` is {kind}: {known}"));
                }
                failed = true;
                continue;
            }
            match self.named_axes(&text) {
                Some(found) => {
                    for axis in found {
                        if axes.contains(&axis) {
                            self.errors.at(&name, format!("axis `{text}` stands twice in this list: write it once"));
                            failed = true;
                        }
                        axes.push(axis);
                    }
                }
                None => {
                    self.unknown_axis(&name);
                    failed = true;
                }
            }
        }
        (!failed).then_some(axes)
    }
}

/// The name in an argument that is an axis.
pub(super) fn axis_ident(e: &Expr) -> Option<syn::Ident> {
    axis_name(e).cloned()
}

fn unary_op(name: &str) -> Option<UnaryOp> {
    let name = match name {
        "ln" => "log",
        "ln_1p" => "log1p",
        name => name,
    };
    let op = UnaryOp::ALL.iter().find(|op| op.name() == name)?;
    (!matches!(op, UnaryOp::Neg | UnaryOp::Not | UnaryOp::Stop)).then_some(*op)
}

fn binary_op(name: &str) -> Option<BinaryOp> {
    let op = BinaryOp::ALL.iter().find(|op| op.name() == name)?;
    use BinaryOp::{Add, And, Div, Max, Min, Mul, Or, Sub};
    (!matches!(op, Add | Sub | Mul | Div | Max | Min | And | Or)).then_some(*op)
}

/// Whether a call inside an expression brings in an axis of this name. The expression has not been read yet.
fn introduces(e: &Expr, axis: &str) -> bool {
    let mut axes = NewAxes::default();
    axes.visit_expr(e);
    axes.0.contains(axis)
}
