//! Rewrites of the graph before planning: they spare intermediate tensors, and divisions.
//!
//! - A view of a sum is a sum of views, where the sum would be larger than the result. This makes one contraction of the
//!   gradient of a convolution's input.
//! - A scalar times a sum of full size scales a factor of the summands that is computed anyway.
//! - A quotient by what many elements share is a product with its reciprocal, which is computed once, in `f64`.
//! - A sum over an axis of known extent of what is zero but at one index is a view at that index: the adjoint of a stack.

use super::affine::Arith;
use super::tasks::largest;
use super::{Affine, Place, Root};
use crate::graph::{AxisId, AxisSet, BinaryOp, Graph, NodeId, Op, ReduceOp, Reindex, Source, UnaryOp, condition_axes};
use std::collections::{BTreeMap, BTreeSet};

/// Values nested deeper than this are not looked into.
const DEPTH: u32 = 12;
/// Sums over longer axes are not looked at index by index.
const MAX_EXTENT: i64 = 8;

/// The graph to plan.
pub(super) struct Rewritten {
    pub graph: Graph,
    pub roots: Vec<Root>,
    /// The caller's node in whose place a new one stands.
    origin: BTreeMap<NodeId, NodeId>,
    /// Nodes with smaller ids are the caller's own.
    end: u32,
}

impl Rewritten {
    /// The caller's node that a node holds, or serves.
    pub fn origin(&self, graph: &Graph, node: NodeId) -> NodeId {
        let mut node = node;
        while node.0 >= self.end {
            let made_from = graph.op(node).operands().first().copied();
            node = self.origin.get(&node).copied().or(made_from).unwrap_or(NodeId(0));
        }
        node
    }
}

pub(super) fn rewrite(graph: &Graph, roots: &[Root], given: &[NodeId]) -> Rewritten {
    let needed = needed(graph, roots, given);
    let full = largest(graph, roots, &|n| given.contains(&n));
    let mut uses = BTreeMap::new();
    for &node in needed.iter().filter(|n| !given.contains(n)) {
        graph.op(node).operands().into_iter().for_each(|x| *uses.entry(x).or_insert(0) += 1);
    }
    roots.iter().for_each(|r| *uses.entry(r.node).or_insert(0) += 1);
    let mut rewriter = Rewriter { graph: graph.clone(), arith: Arith::new(graph), full, uses };
    let mut now: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    let mut origin = BTreeMap::new();
    for &node in &needed {
        let made = if given.contains(&node) { node } else { rewriter.node(node, &now) };
        now.insert(node, made);
        if made != node {
            origin.entry(made).or_insert(node);
            if let Some(name) = graph.names.get(&node) {
                rewriter.graph.names.entry(made).or_insert_with(|| name.clone());
            }
        }
    }
    let roots = roots.iter().map(|r| Root { node: now[&r.node], ..*r }).collect();
    let mut graph_now = rewriter.graph;
    graph_now.ints = rewriter.arith.ints;
    Rewritten { graph: graph_now, roots, origin, end: graph.len() as u32 }
}

/// The nodes that are to be computed or read, in order.
fn needed(graph: &Graph, roots: &[Root], given: &[NodeId]) -> BTreeSet<NodeId> {
    let mut needed = BTreeSet::new();
    let mut stack: Vec<NodeId> = roots.iter().map(|r| r.node).collect();
    while let Some(n) = stack.pop() {
        if needed.insert(n) && !given.contains(&n) {
            stack.extend(graph.op(n).operands());
        }
    }
    needed
}

struct Rewriter {
    graph: Graph,
    arith: Arith,
    /// The canonical size of the largest tensor.
    full: u64,
    /// How often each of the caller's nodes is read.
    uses: BTreeMap<NodeId, usize>,
}

impl Rewriter {
    /// The node in place of `node`, whose operands are those of `now`.
    fn node(&mut self, node: NodeId, now: &BTreeMap<NodeId, NodeId>) -> NodeId {
        let op = self.graph.op(node).clone();
        let moved = op.operands().iter().any(|x| now[x] != *x);
        let (op, same) = if moved {
            let op = op.with_operands(|x| now[&x]);
            (op.clone(), self.graph.add(op))
        } else {
            (op, node)
        };
        if let Op::Binary(sign @ (BinaryOp::Mul | BinaryOp::Div), a, b) = *self.graph.op(node) {
            // in the user's own value a sum of nothing, over no elements, is NaN; and a number of the call may be infinite
            let is_exact = !self.graph.is_forward(node) || [a, b].iter().any(|n| self.graph.as_num(*n).is_some());
            let scaled = is_exact.then(|| self.scaled_sum(sign, a, b, now)).flatten();
            return scaled.or_else(|| self.times_reciprocal(same)).unwrap_or(same);
        }
        let Op::Reduce { op: ReduceOp::Sum, axes, x, valid } = op else { return same };
        let over: AxisSet = axes.into_iter().collect();
        if valid.is_empty()
            && let Some(better) = self.sum_of_deltas(over, x)
        {
            return better;
        }
        if valid.is_empty() { self.view_of_sum(over, x).unwrap_or(same) } else { same }
    }

    /// `s·Σ f·g = Σ (s·f)·g`, where `f` is computed in any case. The operands are the caller's.
    fn scaled_sum(&mut self, sign: BinaryOp, a: NodeId, b: NodeId, now: &BTreeMap<NodeId, NodeId>) -> Option<NodeId> {
        let is_scalar = |n| self.graph.axes_of(n).is_empty();
        let (scalar, sum) = if sign == BinaryOp::Mul && is_scalar(a) { (a, b) } else { (b, a) };
        let full = self.graph.canonical_size(self.graph.axes_of(sum)) * 8 > self.full;
        if !is_scalar(scalar) || !full || self.uses.get(&sum) != Some(&1) {
            return None;
        }
        let Op::Reduce { op: ReduceOp::Sum, axes, x, valid } = self.graph.op(now[&sum]).clone() else { return None };
        let Op::Binary(BinaryOp::Mul, f, g) = *self.graph.op(x) else { return None };
        let is_computed = |n: &NodeId| self.graph.op(*n).is_pointwise() && !self.graph.axes_of(*n).is_empty();
        let f_or_g = [f, g].into_iter().find(is_computed)?;
        let other = if f_or_g == f { g } else { f };
        let scaled = self.graph.binary(sign, f_or_g, now[&scalar]);
        let product = self.graph.binary(BinaryOp::Mul, scaled, other);
        Some(self.graph.reduce_valid(ReduceOp::Sum, &axes, product, valid))
    }

    /// `a / b = a · (1/b)`, where `b` has far fewer elements.
    fn times_reciprocal(&mut self, quotient: NodeId) -> Option<NodeId> {
        let Op::Binary(BinaryOp::Div, a, b) = *self.graph.op(quotient) else { return None };
        let (of_a, of_b) = (self.graph.axes_of(a), self.graph.axes_of(b));
        let size = |axes| self.graph.canonical_size(axes);
        if of_b.is_empty() || !of_b.is_subset(of_a) || size(of_b) * 8 > size(of_a) {
            return None;
        }
        let reciprocal = self.graph.unary(UnaryOp::Recip, b);
        Some(self.graph.binary(BinaryOp::Mul, a, reciprocal))
    }

    /// `Σ_A view(Σ_K y) = Σ_{A,K} view(y)`
    fn view_of_sum(&mut self, over: AxisSet, x: NodeId) -> Option<NodeId> {
        let Op::Reindex(v, r) = self.graph.op(x).clone() else { return None };
        let Op::Reduce { op: ReduceOp::Sum, axes, x: y, valid } = self.graph.op(v).clone() else { return None };
        let inner: AxisSet = axes.into_iter().collect();
        let size = |axes| self.graph.canonical_size(axes);
        let larger = size(self.graph.axes_of(v)) > 2 * size(self.graph.axes_of(x) - over);
        let sources: AxisSet = r.map.iter().map(|(a, _)| *a).collect();
        let touched = (sources | self.graph.axes_of(x) | condition_axes(&r.valid)).intersects(inner);
        let zero = r.valid.is_empty() || f64::from_bits(r.fill) == 0.0;
        if !larger || touched || !zero {
            return None;
        }
        let holes = self.arith.conditions(&valid, &places(&r)?, &r.valid)?;
        let summand = self.sink(&r, y, DEPTH)?;
        let axes: Vec<AxisId> = (over | inner).iter().collect();
        Some(self.graph.reduce_valid(ReduceOp::Sum, &axes, summand, holes))
    }
    /// A view of a product is a product of views, of those factors that have its axes.
    fn sink(&mut self, r: &Reindex, y: NodeId, depth: u32) -> Option<NodeId> {
        let Some(depth) = depth.checked_sub(1) else { return Some(self.plain_view(r, y)) };
        let sources: AxisSet = r.map.iter().map(|(a, _)| *a).collect();
        match self.graph.op(y).clone() {
            Op::Binary(BinaryOp::Mul, a, b) => {
                let (has_a, has_b) = (self.graph.axes_of(a).intersects(sources), self.graph.axes_of(b).intersects(sources));
                let a = if has_a || !has_b { self.sink(r, a, depth)? } else { a };
                let b = if has_b { self.sink(r, b, depth)? } else { b };
                Some(self.graph.binary(BinaryOp::Mul, a, b))
            }
            Op::Select { mask, a, b } if self.graph.as_num(b) == Some(0.0) => {
                let Op::Test(conditions) = self.graph.op(mask).clone() else { return Some(self.plain_view(r, y)) };
                let holds = self.arith.conditions(&conditions, &places(r)?, &r.valid)?;
                let a = self.sink(r, a, depth)?;
                let mask = self.graph.test(holds);
                Some(self.graph.select(mask, a, b))
            }
            _ => Some(self.plain_view(r, y)),
        }
    }
    fn plain_view(&mut self, r: &Reindex, y: NodeId) -> NodeId {
        self.graph.reindex(y, Reindex { transpose: None, ..r.clone() })
    }

    /// `Σ_a x = x[a = i]` where `x` is zero at every other index.
    fn sum_of_deltas(&mut self, over: AxisSet, x: NodeId) -> Option<NodeId> {
        let has_delta =
            matches!(self.graph.op(x), Op::Select { .. } | Op::Binary(BinaryOp::Mul, ..) | Op::Unary(UnaryOp::Neg, _));
        if !has_delta {
            return None;
        }
        for axis in over.iter() {
            let extent = self.graph.axes[axis.0 as usize].extent.and_then(|e| self.graph.ints.as_const(e));
            let Some(extent) = extent.filter(|n| (1..=MAX_EXTENT).contains(n)) else { continue };
            let alive: Vec<i64> = (0..extent).filter(|i| !self.is_zero_at(x, axis, *i, DEPTH)).collect();
            if let ([i], true) = (&alive[..], extent > 1) {
                let value = self.at(x, axis, *i, DEPTH);
                return Some(self.graph.sum(over - AxisSet::one(axis), value));
            }
        }
        None
    }
    /// Which branch of a choice between indices is taken at `axis = i`.
    fn choice(&self, mask: NodeId, axis: AxisId, i: i64) -> Option<bool> {
        let Op::Binary(op, a, b) = self.graph.op(mask) else { return None };
        let value = |n: NodeId| match self.graph.op(n) {
            Op::Index(a) if *a == axis => Some(i as f64),
            Op::Num(bits) => Some(f64::from_bits(*bits)),
            _ => None,
        };
        op.is_mask().then_some(())?;
        Some(op.eval(value(*a)?, value(*b)?) != 0.0)
    }
    fn is_zero_at(&self, x: NodeId, axis: AxisId, i: i64, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match self.graph.op(x) {
            Op::Num(bits) => f64::from_bits(*bits) == 0.0,
            Op::Unary(UnaryOp::Neg, a) => self.is_zero_at(*a, axis, i, depth),
            Op::Binary(BinaryOp::Mul, a, b) => self.is_zero_at(*a, axis, i, depth) || self.is_zero_at(*b, axis, i, depth),
            Op::Select { mask, a, b } => match self.choice(*mask, axis, i) {
                Some(first) => self.is_zero_at(if first { *a } else { *b }, axis, i, depth),
                None => self.is_zero_at(*a, axis, i, depth) && self.is_zero_at(*b, axis, i, depth),
            },
            _ => false,
        }
    }
    /// `x` at `axis = i`.
    fn at(&mut self, x: NodeId, axis: AxisId, i: i64, depth: u32) -> NodeId {
        if !self.graph.axes_of(x).contains(axis) {
            return x;
        }
        let next = depth.saturating_sub(1);
        match self.graph.op(x).clone() {
            _ if depth == 0 => self.point(x, axis, i),
            Op::Unary(op, a) => {
                let a = self.at(a, axis, i, next);
                self.graph.unary(op, a)
            }
            Op::Binary(op, a, b) => {
                let (a, b) = (self.at(a, axis, i, next), self.at(b, axis, i, next));
                self.graph.binary(op, a, b)
            }
            Op::Select { mask, a, b } if self.choice(mask, axis, i).is_some() => {
                let first = self.choice(mask, axis, i) == Some(true);
                self.at(if first { a } else { b }, axis, i, next)
            }
            _ => self.point(x, axis, i),
        }
    }
    fn point(&mut self, x: NodeId, axis: AxisId, i: i64) -> NodeId {
        let offset = self.arith.ints.constant(i);
        let e = Affine { terms: vec![], offset, div: None, modulo: None };
        let map = vec![(axis, Source::Affine(e))];
        self.graph.reindex(x, Reindex { map, valid: vec![], fill: 0, transpose: None })
    }
}

/// The map of a view that loads nothing.
fn places(r: &Reindex) -> Option<Vec<(AxisId, Place)>> {
    let place = |(axis, source): &(AxisId, Source)| match source {
        Source::Affine(e) => Some((*axis, Place::Affine(e.clone()))),
        Source::Load(_) => None,
    };
    r.map.iter().map(place).collect()
}
