//! Windows that share an axis among a given number of positions.

use super::Elaborator;
use super::reindex::names;
use super::typed::{AdaptiveAxis, Check, TermId, TermOp};
use crate::graph::{AxisId, AxisSet, IntId};
use proc_macro2::{Ident, Span};
use syn::Expr;

impl Elaborator<'_> {
    pub(super) fn adaptive_window(&mut self, args: &[&Expr], span: Span) -> Option<TermId> {
        let x = self.tensor_arg(args[0])?;
        let sources = self.axes_arg(args[1])?;
        let (outs, taps) = (names(args[2]), names(args[3]));
        let counts: Vec<&Expr> = match args[4] {
            Expr::Tuple(t) => t.elems.iter().collect(),
            one => vec![one],
        };
        if [outs.len(), taps.len(), counts.len()].iter().any(|n| *n != sources.len()) {
            self.errors.span(
                span,
                "an adaptive window names as many positions, taps and counts as axes: `adaptive_window(x, (H, W), (OH, OW), (KH, KW), (oh, ow))`",
            );
            return None;
        }
        if !self.has_axes(x, args[0], &sources, args[1]) || !self.distinct(outs.iter().chain(&taps)) {
            return None;
        }
        let mut axes = vec![];
        for (((source, out), tap), count) in sources.iter().zip(&outs).zip(&taps).zip(counts) {
            let count = self.int_arg(count)?;
            let (Some(out), Some(tap)) = (out, tap) else {
                let at = if out.is_none() { args[2] } else { args[3] };
                self.errors.at(at, "the names of the window's new axes are wanted here");
                return None;
            };
            axes.push(self.adaptive_axis(*source, out, tap, count, x)?);
        }
        let mapped: AxisSet = sources.iter().copied().collect();
        let new: AxisSet = axes.iter().flat_map(|a| [a.out, a.tap]).collect();
        let set = (self.axes_of(x) - mapped) | new;
        Some(self.term(TermOp::AdaptiveWindow { axes }, vec![x], set, span))
    }

    fn adaptive_axis(&mut self, source: AxisId, out: &Ident, tap: &Ident, count: IntId, x: TermId) -> Option<AdaptiveAxis> {
        self.check(Check::Outputs { axis: source, count });
        let canonical = self.typed.ints.as_const(count).map_or(7, |n| n.clamp(1, 1024) as u64);
        let widest = self.widest(source, count);
        let taps = self.canonical(source).div_ceil(canonical);
        let out = self.target_ident(out, count, canonical, x)?;
        let tap = self.target_ident(tap, widest, taps, x)?;
        Some(AdaptiveAxis { source, out, tap, count })
    }

    /// The most elements of a window. Position `i` has ⌈(len + i·len mod count)/count⌉ of them, and the remainders are the
    /// multiples of the greatest common divisor below `count`.
    fn widest(&mut self, source: AxisId, count: IntId) -> IntId {
        let ints = &mut self.typed.ints;
        let len = ints.axis_len(source);
        let step = ints.gcd(len, count);
        let (one, two) = (ints.constant(1), ints.constant(2));
        let twice = ints.mul(two, count);
        let above = ints.add(len, twice);
        let below = ints.sub(above, step);
        let most = ints.sub(below, one);
        ints.floor_div(most, count)
    }
}
