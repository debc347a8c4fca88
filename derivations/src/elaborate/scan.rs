//! Values that follow from the one before along an axis.

use super::Elaborator;
use super::typed::{TermId, TermOp};
use crate::graph::{AxisSet, BinaryOp, UnaryOp};
use proc_macro2::Span;
use syn::Expr;
use syn::spanned::Spanned;

/// `a·h + b`, with `h` the value before. `None`: 0.
#[derive(Clone, Copy)]
struct Linear {
    a: Option<TermId>,
    b: Option<TermId>,
}

impl Elaborator<'_> {
    pub(super) fn cumsum(&mut self, args: &[&Expr], span: Span) -> Option<TermId> {
        let x = self.tensor_arg(args[0])?;
        let axis = self.one_axis(args[1], x, args[0])?;
        let set = self.axes_of(x);
        Some(self.term(TermOp::Cumsum { axis }, vec![x], set, span))
    }

    pub(super) fn scan(&mut self, args: &[&Expr], span: Span) -> Option<TermId> {
        let x = self.tensor_arg(args[0])?;
        let axis = self.one_axis(args[1], x, args[0])?;
        let start = self.tensor_arg(args[2])?;
        if self.axes_of(start).contains(axis) {
            let name = self.axis_name(axis);
            self.errors
                .at(args[2], format!("a scan begins with one value, and this has axis `{name}`: write `pick(.., {name}, 0)`"));
            return None;
        }
        let axes = (self.axes_of(x) - axis.into()) | self.axes_of(start);
        let before = self.term(TermOp::Before, vec![], axes, span);
        let result = self.apply_closure(args[3], vec![before.into(), x.into()]);
        let result = self.tensor(&result, args[3].span())?;
        let Some(Linear { a, b }) = self.linear(result, before, span) else {
            self.errors.at(
                args[3],
                "a scan is of the form `|h, v| a * h + b`, where `a` and `b` do not depend on `h`: unroll another with `for` over `pick(x, T, i)`",
            );
            return None;
        };
        let zero = self.term(TermOp::Num(0.0), vec![], AxisSet::EMPTY, span);
        let (a, b) = (a.unwrap_or(zero), b.unwrap_or(zero));
        let set = self.axes_of(a) | self.axes_of(b) | self.axes_of(start) | axis.into();
        Some(self.term(TermOp::Scan { axis }, vec![a, b, start], set, span))
    }

    /// A value as a linear function of another; `None` where it is none.
    fn linear(&mut self, value: TermId, of: TermId, span: Span) -> Option<Linear> {
        if value == of {
            let one = self.term(TermOp::Num(1.0), vec![], AxisSet::EMPTY, span);
            return Some(Linear { a: Some(one), b: None });
        }
        if !self.depends(value, of) {
            return Some(Linear { a: None, b: Some(value) });
        }
        let (op, args) = (self.typed.terms[value.0 as usize].op.clone(), self.typed.terms[value.0 as usize].args.clone());
        let free = |e: &Self, i: usize| !e.depends(args[i], of);
        match op {
            TermOp::Unary(UnaryOp::Neg) => {
                let x = self.linear(args[0], of, span)?;
                Some(self.each(x, &mut |e, part| e.pointwise(TermOp::Unary(UnaryOp::Neg), &[part], span)))
            }
            TermOp::Binary(op @ (BinaryOp::Add | BinaryOp::Sub)) => {
                let (x, y) = (self.linear(args[0], of, span)?, self.linear(args[1], of, span)?);
                Some(Linear { a: self.joined(op, x.a, y.a, span), b: self.joined(op, x.b, y.b, span) })
            }
            TermOp::Binary(BinaryOp::Mul) if free(self, 0) || free(self, 1) => {
                let (factor, x) = if free(self, 0) { (args[0], args[1]) } else { (args[1], args[0]) };
                let x = self.linear(x, of, span)?;
                Some(self.each(x, &mut |e, part| e.pointwise(TermOp::Binary(BinaryOp::Mul), &[factor, part], span)))
            }
            TermOp::Binary(BinaryOp::Div) if free(self, 1) => {
                let x = self.linear(args[0], of, span)?;
                Some(self.each(x, &mut |e, part| e.pointwise(TermOp::Binary(BinaryOp::Div), &[part, args[1]], span)))
            }
            TermOp::Select if free(self, 0) => {
                let (x, y) = (self.linear(args[1], of, span)?, self.linear(args[2], of, span)?);
                let zero = self.term(TermOp::Num(0.0), vec![], AxisSet::EMPTY, span);
                let mut chosen = |x: Option<TermId>, y: Option<TermId>| {
                    (x.is_some() || y.is_some())
                        .then(|| self.pointwise(TermOp::Select, &[args[0], x.unwrap_or(zero), y.unwrap_or(zero)], span))
                };
                Some(Linear { a: chosen(x.a, y.a), b: chosen(x.b, y.b) })
            }
            _ => None,
        }
    }

    fn depends(&self, value: TermId, on: TermId) -> bool {
        // terms come after their arguments
        let mut open = vec![value];
        let mut seen = std::collections::BTreeSet::new();
        while let Some(term) = open.pop() {
            if term == on {
                return true;
            }
            if term > on && seen.insert(term) {
                open.extend(&self.typed.terms[term.0 as usize].args);
            }
        }
        false
    }

    fn each(&mut self, x: Linear, f: &mut dyn FnMut(&mut Self, TermId) -> TermId) -> Linear {
        Linear { a: x.a.map(|part| f(self, part)), b: x.b.map(|part| f(self, part)) }
    }

    fn joined(&mut self, op: BinaryOp, x: Option<TermId>, y: Option<TermId>, span: Span) -> Option<TermId> {
        match (x, y) {
            (Some(x), Some(y)) => Some(self.pointwise(TermOp::Binary(op), &[x, y], span)),
            (None, Some(y)) if op == BinaryOp::Sub => Some(self.pointwise(TermOp::Unary(UnaryOp::Neg), &[y], span)),
            (x, y) => x.or(y),
        }
    }
}
