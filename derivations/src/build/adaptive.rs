//! Windows that share an axis: where their elements are, and which taps are holes.

use super::holes::Holes;
use super::{Builder, Value};
use crate::elaborate::typed::AdaptiveAxis;
use crate::graph::{Affine, AxisSet, BinaryOp, Condition, NodeId};
use proc_macro2::Span;

impl Builder<'_> {
    /// Tap `k` of window `o` is element ⌊o·len/count⌋ + k. The transpose reads, for each window, the tap that an element is.
    pub(super) fn adaptive_window(&mut self, x: &Value, axes: &[AdaptiveAxis], span: Span) -> Option<Value> {
        let mapped: AxisSet = axes.iter().map(|w| w.source).collect();
        self.refuse_holes(x, mapped, span)?;
        let (mut map, mut valid, mut back, mut back_valid) = (vec![], vec![], vec![], vec![]);
        let mut over = AxisSet::EMPTY;
        let mut masks = vec![];
        for w in axes {
            let ints = &mut self.graph.ints;
            let (zero, one, len) = (ints.constant(0), ints.constant(1), ints.axis_len(w.source));
            let element = affine(vec![(w.out, len), (w.tap, w.count)], zero, w);
            valid.push(self.inside(&element, w.source));
            map.push((w.source, element));
            // element − ⌊o·len/count⌋ = ⌈(element·count − o·len)/count⌉
            let ints = &mut self.graph.ints;
            let (minus, last) = (ints.neg(len), ints.sub(w.count, one));
            let tap = affine(vec![(w.source, w.count), (w.out, minus)], last, w);
            back_valid.push(self.inside(&tap, w.tap));
            back.push((w.tap, tap));
            over |= w.out.into();
            let mask = self.within(w);
            masks.push((mask, self.graph.axes_of(mask)));
        }
        let value = self.apply(x, map, valid, back, back_valid, over, span)?;
        let holes = Holes { masks, ..Holes::default() };
        Some(Value { node: value.node, holes: value.holes.union(&holes) })
    }

    /// Whether tap `k` is before the end of its window, ⌈(o+1)·len/count⌉: a window of `len = q·count + s` has ⌈len/count⌉
    /// elements, and one more where `(o+1)·len mod count` is from 1 to below `s`.
    fn within(&mut self, w: &AdaptiveAxis) -> NodeId {
        let ints = &mut self.graph.ints;
        let (zero, one, len) = (ints.constant(0), ints.constant(1), ints.axis_len(w.source));
        let last = ints.sub(w.count, one);
        let above = ints.add(len, last);
        let least = ints.floor_div(above, w.count);
        let quotient = ints.floor_div(len, w.count);
        let whole = ints.mul(quotient, w.count);
        let rest = ints.sub(len, whole);
        let next = Affine { terms: vec![(w.out, len)], offset: len, div: None, modulo: Some(w.count) };
        let tap = self.index(w.tap);
        let always = self.graph.test(vec![Condition::Range { e: tap, lo: zero, hi: least }]);
        let longer = self.graph.test(vec![Condition::Range { e: next, lo: one, hi: rest }]);
        self.graph.binary(BinaryOp::Or, always, longer)
    }
}

fn affine(mut terms: Vec<(crate::graph::AxisId, crate::graph::IntId)>, offset: crate::graph::IntId, w: &AdaptiveAxis) -> Affine {
    terms.sort();
    Affine { terms, offset, div: Some(w.count), modulo: None }
}
