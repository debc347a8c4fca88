//! The re-indexing constructors of the builder, each with its transpose.

use super::formula::Formula;
use crate::graph::*;

/// One axis of a window: source, position and tap.
#[derive(Clone, Copy)]
pub struct Sliding {
    pub source: AxisId,
    pub place: AxisId,
    pub tap: AxisId,
    pub stride: IntId,
    pub padding: IntId,
}

impl Formula {
    pub fn affine(&mut self, terms: &[(AxisId, i64)], offset: i64) -> Affine {
        let mut terms: Vec<_> = terms.iter().map(|(a, k)| (*a, self.int(*k))).collect();
        terms.sort();
        Affine { terms, offset: self.int(offset), div: None, modulo: None }
    }
    fn len_int(&mut self, axis: AxisId) -> IntId {
        self.graph.ints.axis_len(axis)
    }
    fn inside(&mut self, e: &Affine, axis: AxisId) -> Condition {
        Condition::Range { e: e.clone(), lo: self.int(0), hi: self.len_int(axis) }
    }
    pub fn view(&mut self, x: NodeId, map: Vec<(AxisId, Affine)>, valid: Vec<Condition>, transpose: Transpose) -> NodeId {
        let map = map.into_iter().map(|(a, e)| (a, Source::Affine(e))).collect();
        self.graph.reindex(x, Reindex { map, valid, fill: 0, transpose: Some(Box::new(transpose)) })
    }
    pub fn rename(&mut self, x: NodeId, from: &str, to: &str) -> NodeId {
        let (a, b) = (self.one(from), self.one(to));
        let (there, back) = (self.affine(&[(b, 1)], 0), self.affine(&[(a, 1)], 0));
        self.view(x, vec![(a, there)], vec![], Transpose { map: vec![(b, back)], valid: vec![], over: AxisSet::EMPTY })
    }
    /// y[m] = x[m + start]
    pub fn slice(&mut self, x: NodeId, from: &str, to: &str, start: i64) -> NodeId {
        let (a, b) = (self.one(from), self.one(to));
        let (there, back) = (self.affine(&[(b, 1)], start), self.affine(&[(a, 1)], -start));
        let valid = vec![self.inside(&back, b)];
        self.view(x, vec![(a, there)], vec![], Transpose { map: vec![(b, back)], valid, over: AxisSet::EMPTY })
    }
    /// y[m] = x[m − before], zero outside
    pub fn pad(&mut self, x: NodeId, from: &str, to: &str, before: i64) -> NodeId {
        let (a, b) = (self.one(from), self.one(to));
        let (there, back) = (self.affine(&[(b, 1)], -before), self.affine(&[(a, 1)], before));
        let valid = vec![self.inside(&there, a)];
        self.view(x, vec![(a, there)], valid, Transpose { map: vec![(b, back)], valid: vec![], over: AxisSet::EMPTY })
    }
    /// y[i] = x[i − by], zero enters
    pub fn shift(&mut self, x: NodeId, axis: &str, by: i64) -> NodeId {
        let a = self.one(axis);
        let (there, back) = (self.affine(&[(a, 1)], -by), self.affine(&[(a, 1)], by));
        let (valid, transposed) = (vec![self.inside(&there, a)], vec![self.inside(&back, a)]);
        self.view(x, vec![(a, there)], valid, Transpose { map: vec![(a, back)], valid: transposed, over: AxisSet::EMPTY })
    }
    pub fn roll(&mut self, x: NodeId, axis: &str, by: i64) -> NodeId {
        let a = self.one(axis);
        let modulo = Some(self.len_int(a));
        let there = Affine { modulo, ..self.affine(&[(a, 1)], -by) };
        let back = Affine { modulo, ..self.affine(&[(a, 1)], by) };
        self.view(x, vec![(a, there)], vec![], Transpose { map: vec![(a, back)], valid: vec![], over: AxisSet::EMPTY })
    }
    /// The maps between `whole` and `(outer, inner)`.
    #[allow(clippy::type_complexity)]
    fn parts(&mut self, whole: AxisId, outer: AxisId, inner: AxisId) -> (Vec<(AxisId, Affine)>, Vec<(AxisId, Affine)>) {
        let (one, zero, len) = (self.int(1), self.int(0), self.len_int(inner));
        let mut terms = vec![(outer, len), (inner, one)];
        terms.sort();
        let joined = vec![(whole, Affine { terms, offset: zero, div: None, modulo: None })];
        let part = |div, modulo| Affine { terms: vec![(whole, one)], offset: zero, div, modulo };
        (joined, vec![(outer, part(Some(len), None)), (inner, part(None, Some(len)))])
    }
    pub fn split(&mut self, x: NodeId, whole: &str, outer: &str, inner: &str) -> NodeId {
        let (w, o, i) = (self.one(whole), self.one(outer), self.one(inner));
        let (joined, parts) = self.parts(w, o, i);
        self.view(x, joined, vec![], Transpose { map: parts, valid: vec![], over: AxisSet::EMPTY })
    }
    pub fn merge(&mut self, x: NodeId, outer: &str, inner: &str, whole: &str) -> NodeId {
        let (w, o, i) = (self.one(whole), self.one(outer), self.one(inner));
        let (joined, parts) = self.parts(w, o, i);
        self.view(x, parts, vec![], Transpose { map: joined, valid: vec![], over: AxisSet::EMPTY })
    }
    pub fn sliding(&mut self, axes: &str, stride: IntId, padding: IntId) -> Sliding {
        let axes = self.axes(axes);
        Sliding { source: axes[0], place: axes[1], tap: axes[2], stride, padding }
    }
    /// x at stride·place + tap − padding; zero outside. Also where it is inside.
    pub fn window(&mut self, x: NodeId, sliding: &[Sliding]) -> (NodeId, Vec<Condition>) {
        let (one, zero, minus) = (self.int(1), self.int(0), self.int(-1));
        let (mut map, mut valid, mut back) = (vec![], vec![], vec![]);
        let mut transposed = vec![];
        let mut over = AxisSet::EMPTY;
        for s in sliding {
            let mut terms = vec![(s.place, s.stride), (s.tap, one)];
            terms.sort();
            let offset = self.graph.ints.neg(s.padding);
            let e = Affine { terms, offset, div: None, modulo: None };
            valid.push(self.inside(&e, s.source));
            map.push((s.source, e));
            let mut terms = vec![(s.source, one), (s.tap, minus)];
            terms.sort();
            let whole = Affine { terms, offset: s.padding, div: None, modulo: None };
            let place = Affine { div: Some(s.stride), ..whole.clone() };
            transposed.push(Condition::Divides { e: whole, by: s.stride });
            transposed.push(Condition::Range { e: place.clone(), lo: zero, hi: self.len_int(s.place) });
            back.push((s.place, place));
            over |= AxisSet::one(s.tap);
        }
        let view = self.view(x, map, valid.clone(), Transpose { map: back, valid: transposed, over });
        (view, valid)
    }
    pub fn reduce_holes(&mut self, op: ReduceOp, x: NodeId, axes: &str, valid: &[Condition]) -> NodeId {
        let axes = self.axes(axes);
        self.graph.reduce_valid(op, &axes, x, valid.to_vec())
    }
    /// x at the index that `label` says, along `axis`
    pub fn pick(&mut self, x: NodeId, axis: &str, label: NodeId) -> NodeId {
        let axis = self.one(axis);
        self.graph.reindex(x, Reindex { map: vec![(axis, Source::Load(label))], valid: vec![], fill: 0, transpose: None })
    }
    pub fn scatter_add(&mut self, x: NodeId, axis: &str, label: NodeId) -> NodeId {
        let axis = self.one(axis);
        let over = self.graph.axes_of(label);
        self.graph.add(Op::Scatter { op: ReduceOp::Sum, x, axis, index: label, over })
    }
    /// `a` (axis `from_a`), then `b` (axis `from_b`), along `to`
    pub fn concat(&mut self, to: &str, a: NodeId, from_a: &str, b: NodeId, from_b: &str) -> NodeId {
        let start = self.len(self.one(from_a)) as i64;
        let (p, q) = (self.pad(a, from_a, to, 0), self.pad(b, from_b, to, start));
        let at = self.index(to);
        let border = self.num(start as f64);
        let first = self.bin(BinaryOp::Lt, at, border);
        self.graph.select(first, p, q)
    }
    pub fn stack(&mut self, axis: &str, a: NodeId, b: NodeId) -> NodeId {
        let at = self.index(axis);
        let zero = self.num(0.0);
        let first = self.bin(BinaryOp::Eq, at, zero);
        self.graph.select(first, a, b)
    }
}
