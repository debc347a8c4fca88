//! Rolls, flips, pads and repeats as affine maps. The transpose of each is read off its map.

use super::holes::substitute_all;
use super::{Builder, Value};
use crate::elaborate::{Padding, TermFill, TermOp};
use crate::graph::{Affine, AxisId, AxisSet, Condition, IntId, NodeId, Op};
use proc_macro2::Span;

/// An axis that gets more elements at its ends.
#[derive(Clone, Copy)]
struct Ends {
    axis: AxisId,
    out: AxisId,
    lo: IntId,
}

impl Builder<'_> {
    pub(super) fn moved(&mut self, op: &TermOp, x: &Value, span: Span) -> Option<Value> {
        match op {
            TermOp::Roll { axis, by } => {
                let minus = self.graph.ints.neg(*by);
                let modulo = Some(self.graph.ints.axis_len(*axis));
                let e = Affine { modulo, ..self.plus(*axis, minus) };
                self.bijection(x, *axis, *axis, e, vec![], span)
            }
            TermOp::Flip { axis } => {
                let ints = &mut self.graph.ints;
                let (one, len) = (ints.constant(1), ints.axis_len(*axis));
                let last = ints.sub(len, one);
                let e = self.minus(*axis, last);
                self.bijection(x, *axis, *axis, e, vec![], span)
            }
            TermOp::Pad { axis, out, lo, hi, kind } => {
                self.refuse_holes(x, AxisSet::one(*axis), span)?;
                for width in [*lo, *hi] {
                    self.graph.ints.assume_nonnegative(width);
                }
                self.pad(x, Ends { axis: *axis, out: *out, lo: *lo }, *kind, span)
            }
            TermOp::Repeat { axis, out, copies, len } => {
                let spread = Value { node: self.graph.broadcast(x.node, (*copies).into()), holes: x.holes.clone() };
                let flat = self.flat(*copies, *axis, *len);
                let map = self.unflat(*out, *copies, *axis, *len);
                self.apply(&spread, map, vec![], vec![(*out, flat)], vec![], AxisSet::EMPTY, span)
            }
            _ => None,
        }
    }

    /// `offset − axis`
    fn minus(&mut self, axis: AxisId, offset: IntId) -> Affine {
        Affine { terms: vec![(axis, self.graph.ints.constant(-1))], offset, div: None, modulo: None }
    }

    /// `axis ← ±out + offset`, perhaps modulo the extent that both axes have. Its transpose is `out ← ±(axis − offset)`
    /// where that is a position of `out` that is read.
    fn bijection(&mut self, x: &Value, axis: AxisId, out: AxisId, e: Affine, valid: Vec<Condition>, span: Span) -> Option<Value> {
        let ints = &mut self.graph.ints;
        let sign = e.terms[0].1;
        let turned = ints.mul(sign, e.offset);
        let back = Affine { terms: vec![(axis, sign)], offset: ints.neg(turned), ..e };
        let mut back_valid = match e.modulo {
            Some(_) => vec![],
            None => vec![self.inside(&back, out)],
        };
        back_valid.extend(substitute_all(&mut self.graph, &valid, &[(out, back.clone())])?);
        self.apply(x, vec![(axis, e)], valid, vec![(out, back)], back_valid, AxisSet::EMPTY, span)
    }

    fn pad(&mut self, x: &Value, ends: Ends, kind: Padding, span: Span) -> Option<Value> {
        let Ends { axis, out, lo } = ends;
        let minus = self.graph.ints.neg(lo);
        let e = self.plus(out, minus);
        let inside = self.inside(&e, axis);
        let middle = self.bijection(x, axis, out, e, vec![inside.clone()], span)?.node;
        let (before, after) = match kind {
            Padding::Number(TermFill::Num(0.0)) => return Self::solid_like(middle, x),
            Padding::Number(fill) => {
                let filler = self.filler(fill);
                let test = self.graph.test(vec![inside]);
                return Self::solid_like(self.graph.select(test, middle, filler), x);
            }
            Padding::Edge => (self.element(x, axis, false, span)?, self.element(x, axis, true, span)?),
            Padding::Reflect | Padding::Circular => self.continued(x, ends, kind, span)?,
        };
        let beginning = self.beginning(ends);
        let (test, inner) = (self.graph.test(vec![beginning]), self.graph.test(vec![inside]));
        let rest = self.graph.select(inner, middle, after);
        Self::solid_like(self.graph.select(test, before, rest), x)
    }

    /// A value with the holes of another, whose own axis has none.
    fn solid_like(node: NodeId, x: &Value) -> Option<Value> {
        Some(Value { node, holes: x.holes.clone() })
    }

    pub(super) fn filler(&mut self, fill: TermFill) -> NodeId {
        match fill {
            TermFill::Num(value) => self.graph.num(value),
            TermFill::Host(id) => self.graph.add(Op::Host(id)),
        }
    }

    /// `out < lo`
    fn beginning(&mut self, ends: Ends) -> Condition {
        let zero = self.graph.ints.constant(0);
        Condition::Range { e: self.index(ends.out), lo: zero, hi: ends.lo }
    }

    /// The first or last element along an axis.
    fn element(&mut self, x: &Value, axis: AxisId, last: bool, span: Span) -> Option<NodeId> {
        let ints = &mut self.graph.ints;
        let (one, len) = (ints.constant(1), ints.axis_len(axis));
        let at = if last { ints.sub(len, one) } else { ints.constant(0) };
        Some(self.reindex(&TermOp::PickAt { axis, at }, std::slice::from_ref(x), span)?.node)
    }

    /// What lies before and after an axis that goes on mirrored, or from its other end.
    fn continued(&mut self, x: &Value, ends: Ends, kind: Padding, span: Span) -> Option<(NodeId, NodeId)> {
        let Ends { axis, out, lo } = ends;
        let ints = &mut self.graph.ints;
        let (two, len, whole) = (ints.constant(2), ints.axis_len(axis), ints.axis_len(out));
        let end = ints.add(lo, len);
        let (before, after) = if matches!(kind, Padding::Reflect) {
            let past = ints.add(end, len);
            let mirror = ints.sub(past, two);
            (self.minus(out, lo), self.minus(out, mirror))
        } else {
            let (ahead, back) = (ints.sub(len, lo), ints.neg(end));
            (self.plus(out, ahead), self.plus(out, back))
        };
        let first = self.beginning(ends);
        let last = Condition::Range { e: self.index(out), lo: end, hi: whole };
        let before = self.bijection(x, axis, out, before, vec![first], span)?;
        let after = self.bijection(x, axis, out, after, vec![last], span)?;
        Some((before.node, after.node))
    }
}
