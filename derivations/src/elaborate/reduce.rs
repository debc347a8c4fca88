//! Reductions and contractions.

use super::Elaborator;
use super::typed::{Check, Reduction, TermOp};
use super::value::Value;
use crate::graph::{AxisId, AxisSet, BinaryOp};
use crate::syntax::{list_text, tidy};
use proc_macro2::Span;
use syn::Expr;
use syn::spanned::Spanned;

/// The reduction of a word that is nothing else.
pub(super) fn reduction(name: &str) -> Option<Reduction> {
    Some(match name {
        "sum" => Reduction::Sum,
        "mean" => Reduction::Mean,
        "prod" => Reduction::Prod,
        "argmax" => Reduction::ArgMax,
        "argmin" => Reduction::ArgMin,
        "var" => Reduction::Var,
        "logsumexp" => Reduction::LogSumExp,
        "any" => Reduction::Any,
        "all" => Reduction::All,
        _ => return None,
    })
}

/// `max` or `min` over axes.
pub(super) fn extremum(name: &str) -> Reduction {
    if name == "max" { Reduction::Max } else { Reduction::Min }
}

impl Elaborator<'_> {
    pub(super) fn reduction(&mut self, kind: Reduction, args: &[&Expr], span: Span) -> Value {
        let x = match (kind, self.expr(args[0])) {
            (_, Value::Poison) => None,
            (Reduction::Any | Reduction::All, mask) => self.mask(&mask, args[0].span()),
            (_, x) => self.tensor(&x, args[0].span()),
        };
        let (Some(x), Some(axes)) = (x, self.axes_arg(args[1])) else { return Value::Poison };
        if !self.reducible(kind.name(), args[0], self.axes_of(x), &axes, args[1]) {
            return Value::Poison;
        }
        if matches!(kind, Reduction::Max | Reduction::Min | Reduction::ArgMax | Reduction::ArgMin) {
            self.check(Check::NotEmpty { axes: axes.clone(), what: kind.name() });
        }
        let kept = self.axes_of(x) - axes.iter().copied().collect();
        self.term(TermOp::Reduce { kind, axes }, vec![x], kept, span).into()
    }

    /// Reports axes that a value does not have.
    fn reducible(&mut self, word: &str, x: &Expr, has: AxisSet, axes: &[AxisId], at: &Expr) -> bool {
        let missing: AxisSet = axes.iter().copied().filter(|a| !has.contains(*a)).collect();
        let Some(axis) = missing.iter().next() else { return true };
        let name = self.axis_name(axis);
        let list = self.list(has);
        let instead: AxisSet = has & axes.iter().copied().collect();
        let hint = if instead.is_empty() {
            format!("it is the same everywhere along `{name}` already; to count, multiply by `len({name})`")
        } else {
            let left: Vec<String> = instead.iter().map(|a| self.axis_name(a)).collect();
            format!("write `{word}({}, {})`", tidy(x), list_text(&left))
        };
        let token = self.axis_token(at, axis);
        self.errors.span(token, format!("cannot reduce over `{name}`: `{}` has axes {list}; {hint}", tidy(x)));
        false
    }

    /// The token of an axis in a list of axes.
    pub(super) fn axis_token(&mut self, list: &Expr, axis: AxisId) -> Span {
        let elems: Vec<&Expr> = match list {
            Expr::Tuple(t) => t.elems.iter().collect(),
            one => vec![one],
        };
        let named = elems.iter().find(|e| {
            let name = super::words::axis_ident(e).map(|n| n.to_string()).unwrap_or_default();
            self.frame().axes_named(&name).is_some_and(|axes| axes.contains(&axis))
        });
        named.map_or(list.span(), |e| e.span())
    }

    pub(super) fn dot(&mut self, args: &[&Expr], span: Span) -> Value {
        let (a, b, axes) = (self.tensor_arg(args[0]), self.tensor_arg(args[1]), self.axes_arg(args[2]));
        let (Some(a), Some(b), Some(axes)) = (a, b, axes) else { return Value::Poison };
        let fine = self.reducible("sum", args[0], self.axes_of(a), &axes, args[2])
            && self.reducible("sum", args[1], self.axes_of(b), &axes, args[2]);
        if !fine {
            return Value::Poison;
        }
        let kept = self.axes_of(a) - axes.iter().copied().collect();
        if let (true, Some(axis)) = (a == b, kept.iter().next()) {
            let (x, name, over) = (tidy(args[0]), self.axis_name(axis), tidy(args[2]));
            self.typed.warnings.push((
                span,
                format!("`dot` of `{x}` with itself keeps `{name}` once: this is a diagonal, not a table of all pairs; for the table write `dot({x}, rename({x}, {name}, {name}2), {over})`, for the diagonal `sum(sq({x}), {over})`"),
            ));
        }
        let product = self.pointwise(TermOp::Binary(BinaryOp::Mul), &[a, b], span);
        let kept = self.axes_of(product) - axes.iter().copied().collect();
        self.term(TermOp::Reduce { kind: Reduction::Sum, axes }, vec![product], kept, span).into()
    }
}
