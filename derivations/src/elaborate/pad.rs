//! Elements moved along one axis: rolled, mirrored, padded, repeated.

use super::Elaborator;
use super::host::len_ident;
use super::typed::{Check, Padding, TermId, TermOp};
use super::value::{Host, Literal, Value};
use crate::graph::{AxisId, AxisSet, IntId};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Expr;

impl Elaborator<'_> {
    pub(super) fn roll(&mut self, args: &[&Expr], span: Span) -> Option<TermId> {
        let x = self.tensor_arg(args[0])?;
        let axis = self.one_axis(args[1], x, args[0])?;
        let by = self.distance(args[2], axis, |by, len| quote!(#by.rem_euclid(if #len == 0 { 1 } else { #len as i128 })))?;
        let set = self.axes_of(x);
        Some(self.term(TermOp::Roll { axis, by }, vec![x], set, span))
    }

    /// How far an axis is moved: no further than it is long, so that no position is beyond counting. `within` gives the
    /// same move by less, of an `i128` and a length.
    pub(super) fn distance(
        &mut self,
        arg: &Expr,
        axis: AxisId,
        within: impl Fn(TokenStream, &Ident) -> TokenStream,
    ) -> Option<IntId> {
        let value = self.expr(arg);
        match &value {
            // a number that is written out is as it is, unless it is beyond all reason
            Value::Host(h)
                if !matches!(h.literal, Some(Literal::Int(-0xFFFF..=0xFFFF) | Literal::Float(_) | Literal::Bool(_))) =>
            {
                let tokens = &h.tokens;
                let by = within(quote!(((#tokens) as i128)), &len_ident(&self.typed.axes, axis));
                Some(self.host_int(&Host { tokens: quote!((#by as i64)), literal: None, span: h.span }))
            }
            _ => self.whole_number(value, arg),
        }
    }

    pub(super) fn flip(&mut self, args: &[&Expr], span: Span) -> Option<TermId> {
        let x = self.tensor_arg(args[0])?;
        let axis = self.one_axis(args[1], x, args[0])?;
        let set = self.axes_of(x);
        Some(self.term(TermOp::Flip { axis }, vec![x], set, span))
    }

    pub(super) fn pad(&mut self, word: &str, args: &[&Expr], span: Span) -> Option<TermId> {
        let x = self.tensor_arg(args[0])?;
        let axis = self.one_axis(args[1], x, args[0])?;
        let (lo, hi) = (self.int_arg(args[3])?, self.int_arg(args[4])?);
        let kind = match word {
            "pad_reflect" => Padding::Reflect,
            "pad_edge" => Padding::Edge,
            "pad_circular" => Padding::Circular,
            _ => Padding::Number(self.filler(args[5], "an axis is padded")?),
        };
        self.check(Check::Padding { axis, lo, hi, kind });
        if matches!(kind, Padding::Edge) {
            self.check(Check::NotEmpty { axes: vec![axis], what: kind.word() });
        }
        let ints = &mut self.typed.ints;
        let len = ints.axis_len(axis);
        let below = ints.add(lo, len);
        let extent = ints.add(below, hi);
        let out = self.target_axis(args[2], extent, self.canonical(axis), x)?;
        Some(self.term(TermOp::Pad { axis, out, lo, hi, kind }, vec![x], self.moved(x, axis, out), span))
    }

    pub(super) fn repeat(&mut self, args: &[&Expr], span: Span) -> Option<TermId> {
        let x = self.tensor_arg(args[0])?;
        let axis = self.one_axis(args[1], x, args[0])?;
        let times = self.int_arg(args[3])?;
        self.check(Check::Copies { axis, times });
        let len = self.typed.ints.axis_len(axis);
        let extent = self.typed.ints.mul(len, times);
        let count = self.typed.ints.as_const(times).map_or(2, |n| n.max(1) as u64);
        let copies = self.hidden_axis(&format!("{}_copies", self.axis_name(axis)), times, count, span)?;
        let canonical = self.canonical(axis).saturating_mul(count);
        let out = self.target_axis(args[2], extent, canonical, x)?;
        Some(self.term(TermOp::Repeat { axis, out, copies, len }, vec![x], self.moved(x, axis, out), span))
    }

    /// The axes of a value with one of them replaced.
    fn moved(&self, x: TermId, from: AxisId, to: AxisId) -> AxisSet {
        (self.axes_of(x) - from.into()) | to.into()
    }
}
