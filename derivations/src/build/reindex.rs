//! Re-indexing words as affine maps, each with its transpose.

use super::holes::{Holes, WindowHoles, substitute_all};
use super::{Builder, Value};
use crate::elaborate::TermOp;
use crate::elaborate::typed::WindowAxis;
use crate::graph::{Affine, AxisId, AxisSet, BinaryOp, Condition, IntId, NodeId, Op, Reindex, Source, Transpose};
use proc_macro2::{Span, TokenStream};

impl Builder<'_> {
    pub(super) fn reindex(&mut self, op: &TermOp, args: &[Value], span: Span) -> Option<Value> {
        let x = &args[0];
        match op {
            TermOp::Window { window, axes, divisor, has_divisor } => {
                let value = self.window(x, axes, span)?;
                let holes = self.window_holes(window, axes, *divisor, *has_divisor);
                Some(Value { node: value.node, holes: value.holes.union(&holes) })
            }
            TermOp::AdaptiveWindow { axes } => self.adaptive_window(x, axes, span),
            TermOp::Rename { from, to } => {
                let (map, back) = (vec![(*from, self.index(*to))], vec![(*to, self.index(*from))]);
                self.apply(x, map, vec![], back, vec![], AxisSet::EMPTY, span)
            }
            TermOp::Split { axis, outer, inner, inner_len } => {
                let flat = self.flat(*outer, *inner, *inner_len);
                let back = self.unflat(*axis, *outer, *inner, *inner_len);
                self.apply(x, vec![(*axis, flat)], vec![], back, vec![], AxisSet::EMPTY, span)
            }
            TermOp::Merge { outer, inner, axis, inner_len } => {
                let flat = self.flat(*outer, *inner, *inner_len);
                let map = self.unflat(*axis, *outer, *inner, *inner_len);
                self.apply(x, map, vec![], vec![(*axis, flat)], vec![], AxisSet::EMPTY, span)
            }
            TermOp::Slice { axis, out, start } => {
                let minus = self.graph.ints.neg(*start);
                let back = self.plus(*axis, minus);
                let inside = self.inside(&back, *out);
                let map = vec![(*axis, self.plus(*out, *start))];
                self.apply(x, map, vec![], vec![(*out, back)], vec![inside], AxisSet::EMPTY, span)
            }
            TermOp::Shift { axis, by } => {
                let minus = self.graph.ints.neg(*by);
                let (e, back) = (self.plus(*axis, minus), self.plus(*axis, *by));
                let (valid, valid_back) = (self.inside(&e, *axis), self.inside(&back, *axis));
                self.apply(x, vec![(*axis, e)], vec![valid], vec![(*axis, back)], vec![valid_back], AxisSet::EMPTY, span)
            }
            TermOp::PickAt { axis, at } => {
                let place = Affine { terms: vec![], offset: *at, div: None, modulo: None };
                let one = self.graph.ints.constant(1);
                let end = self.graph.ints.add(*at, one);
                let here = Condition::Range { e: self.index(*axis), lo: *at, hi: end };
                self.apply(x, vec![(*axis, place)], vec![], vec![], vec![here], AxisSet::EMPTY, span)
            }
            TermOp::Pick { axis } => {
                self.refuse_holes(x, AxisSet::one(*axis), span)?;
                let r = Reindex {
                    map: vec![(*axis, Source::Load(args[1].node))],
                    valid: vec![],
                    fill: 0f64.to_bits(),
                    transpose: None,
                };
                Some(Value { node: self.graph.reindex(x.node, r), holes: x.holes.clone() })
            }
            TermOp::Roll { .. } | TermOp::Flip { .. } | TermOp::Pad { .. } | TermOp::Repeat { .. } => self.moved(op, x, span),
            TermOp::Cumsum { axis } => self.cumsum(*axis, x, span),
            TermOp::Scan { axis } => self.scan(*axis, args, span),
            TermOp::Scatter { axis, over, last } => self.scatter(*axis, over, *last, args, span),
            TermOp::Stack { axis } => self.stack(*axis, args, span),
            TermOp::Concat { axis, parts } => self.concat(*axis, parts, args, span),
            _ => None,
        }
    }

    // ---- affine expressions

    pub(super) fn index(&mut self, axis: AxisId) -> Affine {
        let zero = self.graph.ints.constant(0);
        self.plus(axis, zero)
    }

    pub(super) fn plus(&mut self, axis: AxisId, offset: IntId) -> Affine {
        let one = self.graph.ints.constant(1);
        Affine { terms: vec![(axis, one)], offset, div: None, modulo: None }
    }

    /// `outer·inner_len + inner`
    pub(super) fn flat(&mut self, outer: AxisId, inner: AxisId, inner_len: IntId) -> Affine {
        let (one, offset) = (self.graph.ints.constant(1), self.graph.ints.constant(0));
        let mut terms = vec![(outer, inner_len), (inner, one)];
        terms.sort();
        Affine { terms, offset, div: None, modulo: None }
    }

    /// `outer ← ⌊axis / inner_len⌋`, `inner ← axis mod inner_len`
    pub(super) fn unflat(&mut self, axis: AxisId, outer: AxisId, inner: AxisId, inner_len: IntId) -> Vec<(AxisId, Affine)> {
        let plain = self.index(axis);
        let quotient = Affine { div: Some(inner_len), ..plain.clone() };
        let remainder = Affine { modulo: Some(inner_len), ..plain };
        vec![(outer, quotient), (inner, remainder)]
    }

    /// `0 ≤ e < len(axis)`
    pub(super) fn inside(&mut self, e: &Affine, axis: AxisId) -> Condition {
        let (lo, hi) = (self.graph.ints.constant(0), self.graph.ints.axis_len(axis));
        Condition::Range { e: e.clone(), lo, hi }
    }

    /// A re-indexed value, with its transpose. Holes of the source are carried along.
    #[expect(clippy::too_many_arguments, reason = "a map, its transpose, and the conditions of both")]
    pub(super) fn apply(
        &mut self,
        x: &Value,
        map: Vec<(AxisId, Affine)>,
        valid: Vec<Condition>,
        mut back: Vec<(AxisId, Affine)>,
        mut back_valid: Vec<Condition>,
        over: AxisSet,
        span: Span,
    ) -> Option<Value> {
        let mapped: AxisSet = map.iter().map(|(a, _)| *a).collect();
        let touched = x.holes.axes().intersects(mapped);
        if touched && !valid.is_empty() {
            self.refuse_holes(x, mapped, span)?;
        }
        let conditions = match substitute_all(&mut self.graph, &x.holes.conditions, &map) {
            Some(conditions) => conditions,
            None => {
                self.refuse_holes(x, mapped, span)?;
                vec![]
            }
        };
        let masks = self.moved_masks(&x.holes, mapped, &map);
        back.sort();
        back_valid.sort();
        let transpose = Some(Box::new(Transpose { map: back, valid: back_valid, over }));
        let map = map.into_iter().map(|(axis, e)| (axis, Source::Affine(e))).collect();
        let r = Reindex { map, valid, fill: 0f64.to_bits(), transpose };
        let windows = x.holes.windows.clone();
        Some(Value { node: self.graph.reindex(x.node, r), holes: Holes { conditions, windows, masks } })
    }

    /// Masks of holes, seen through a map.
    fn moved_masks(&mut self, holes: &Holes, mapped: AxisSet, map: &[(AxisId, Affine)]) -> Vec<(NodeId, AxisSet)> {
        let mut moved = vec![];
        for &(mask, axes) in &holes.masks {
            let used = map.iter().filter(|(axis, _)| axes.contains(*axis));
            let map: Vec<_> = used.map(|(axis, e)| (*axis, Source::Affine(e.clone()))).collect();
            let r = Reindex { map, valid: vec![], fill: 0f64.to_bits(), transpose: None };
            let mask = if axes.intersects(mapped) { self.graph.reindex(mask, r) } else { mask };
            moved.push((mask, self.graph.axes_of(mask)));
        }
        moved
    }

    pub(super) fn refuse_holes(&mut self, x: &Value, axes: AxisSet, span: Span) -> Option<()> {
        if x.holes.axes().intersects(axes) {
            self.errors.span(
                span,
                "this moves positions that may be holes, where a window reaches over the edge: write `fill(.., 0.0)` first",
            );
            return None;
        }
        Some(())
    }

    // ---- windows

    fn window(&mut self, x: &Value, axes: &[WindowAxis], span: Span) -> Option<Value> {
        let (mut map, mut valid, mut back, mut back_valid) = (vec![], vec![], vec![], vec![]);
        let mut over = AxisSet::EMPTY;
        for w in axes {
            let e = self.tap_position(w);
            valid.push(self.inside(&e, w.source));
            map.push((w.source, e));
            let ints = &mut self.graph.ints;
            let (one, minus_dilation) = (ints.constant(1), ints.neg(w.dilation));
            let mut terms = vec![(w.source, one), (w.tap, minus_dilation)];
            terms.sort();
            let distance = Affine { terms, offset: w.padding, div: None, modulo: None };
            let o = Affine { div: Some(w.stride), ..distance.clone() };
            back_valid.push(Condition::Divides { e: distance, by: w.stride });
            back_valid.push(self.inside(&o, w.out));
            back.push((w.out, o));
            over |= w.tap.into();
        }
        let mapped: AxisSet = map.iter().map(|(a, _)| *a).collect();
        self.refuse_holes(x, mapped, span)?;
        self.apply(x, map, valid, back, back_valid, over, span)
    }

    /// `stride·o + dilation·k − padding`
    fn tap_position(&mut self, w: &WindowAxis) -> Affine {
        let offset = self.graph.ints.neg(w.padding);
        let mut terms = vec![(w.out, w.stride), (w.tap, w.dilation)];
        terms.sort();
        Affine { terms, offset, div: None, modulo: None }
    }

    /// A tap is a hole beyond the array and the padding that counts.
    fn window_holes(
        &mut self,
        window: &TokenStream,
        axes: &[WindowAxis],
        divisor: crate::graph::HostId,
        has_divisor: crate::graph::HostId,
    ) -> Holes {
        let mut conditions = Vec::new();
        for w in axes {
            let e = self.tap_position(w);
            let ints = &mut self.graph.ints;
            ints.assume_nonnegative(w.counted);
            let (lo, len) = (ints.neg(w.counted), ints.axis_len(w.source));
            let hi = ints.add(len, w.counted);
            conditions.push(Condition::Range { e, lo, hi });
        }
        conditions.sort();
        let taps = axes.iter().map(|w| w.tap).collect();
        let sources = axes.iter().map(|w| w.source).collect();
        let windows = vec![WindowHoles { window: window.clone(), sources, taps, divisor, has_divisor }];
        Holes { conditions, windows, masks: vec![] }
    }

    // ---- joining

    fn stack(&mut self, axis: AxisId, parts: &[Value], span: Span) -> Option<Value> {
        for part in parts {
            self.refuse_holes(part, AxisSet(u64::MAX), span)?;
        }
        let index = self.graph.add(Op::Index(axis));
        let (last, others) = parts.split_last()?;
        let mut node = last.node;
        for (i, part) in others.iter().enumerate().rev() {
            let here = self.graph.num(i as f64);
            let hit = self.graph.binary(BinaryOp::Eq, index, here);
            node = self.graph.select(hit, part.node, node);
        }
        if others.is_empty() {
            node = self.graph.broadcast(node, axis.into());
        }
        Some(Value { node, holes: Holes::default() })
    }

    /// Each part padded to the whole, chosen by position.
    fn concat(&mut self, axis: AxisId, parts: &[(AxisId, IntId)], values: &[Value], span: Span) -> Option<Value> {
        let mut node: Option<NodeId> = None;
        for ((own, start), value) in parts.iter().zip(values).rev() {
            self.refuse_holes(value, AxisSet(u64::MAX), span)?;
            let minus = self.graph.ints.neg(*start);
            let e = self.plus(axis, minus);
            let inside = self.inside(&e, *own);
            let back = self.plus(*own, *start);
            let padded =
                self.apply(value, vec![(*own, e)], vec![inside.clone()], vec![(axis, back)], vec![], AxisSet::EMPTY, span)?;
            node = Some(match node {
                None => padded.node,
                Some(rest) => {
                    let test = self.graph.test(vec![inside]);
                    self.graph.select(test, padded.node, rest)
                }
            });
        }
        Some(Value { node: node?, holes: Holes::default() })
    }
}
