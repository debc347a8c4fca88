//! Stage 4: reverse-mode differentiation.
//!
//! In: a forward graph. Out: the same graph with adjoint nodes after the forward ones ([`Graph::forward_end`] marks the
//! border), and the gradient of each node asked for. The result is the raw adjoint: correct, shared, not yet simplified.

mod expr;
mod pointwise;
mod structure;

use crate::graph::{AxisSet, BinaryOp, Graph, NodeId, Op};
use expr::{Expr, Tape};
use pointwise::Side;
use structure::Reduction;

/// Differentiates `outputs`, each with the node that holds its cotangent, with respect to the nodes `wrt`.
/// A gradient has at most the axes of its node; it is constant along those it lacks.
///
/// Source: reverse accumulation over a hash-consed graph; partial derivatives as PyTorch defines them.
pub fn reverse(graph: &mut Graph, outputs: &[(NodeId, NodeId)], wrt: &[NodeId]) -> Vec<NodeId> {
    let end = graph.len();
    graph.forward_end = Some(end as u32);
    let reached = reached_from(graph, wrt);
    let mut adjoints = Adjoints { of: vec![None; end] };
    for &(y, cotangent) in outputs {
        if reached[y.0 as usize] {
            adjoints.accumulate(graph, y, AxisSet::EMPTY, cotangent);
        }
    }
    for id in (0..end as u32).rev().map(NodeId) {
        let Some(g) = adjoints.of[id.0 as usize] else { continue };
        for (operand, contribution) in contributions(graph, id, g, &reached) {
            let domain = domain_of(graph, id);
            adjoints.accumulate(graph, operand, domain, contribution);
        }
    }
    let zero = graph.num(0.0);
    wrt.iter().map(|id| adjoints.of[id.0 as usize].unwrap_or(zero)).collect()
}

/// Which nodes depend, differentiably, on one of `wrt`.
pub fn reached_from(graph: &Graph, wrt: &[NodeId]) -> Vec<bool> {
    let mut reached = vec![false; graph.len()];
    for id in wrt {
        reached[id.0 as usize] = true;
    }
    for id in graph.ids() {
        let op = graph.op(id);
        if !structure::is_opaque(op) {
            let through = differentiable_operands(op).any(|x| reached[x.0 as usize]);
            reached[id.0 as usize] |= through;
        }
    }
    reached
}

/// The operands through which a gradient may pass: not masks, not indices.
fn differentiable_operands(op: &Op) -> impl Iterator<Item = NodeId> {
    let operands = match op {
        Op::Select { a, b, .. } => vec![*a, *b],
        Op::Reindex(x, _) | Op::Scatter { x, .. } => vec![*x],
        op => op.operands(),
    };
    operands.into_iter()
}

struct Adjoints {
    of: Vec<Option<NodeId>>,
}

impl Adjoints {
    /// Adds `contribution`, which stands for a value over at least `domain`, to the adjoint of `to`: what `to` was
    /// broadcast over is summed.
    fn accumulate(&mut self, graph: &mut Graph, to: NodeId, domain: AxisSet, contribution: NodeId) {
        if graph.as_num(contribution) == Some(0.0) {
            return;
        }
        let broadcast = (domain | graph.axes_of(contribution)) - graph.axes_of(to);
        let contribution = graph.sum(broadcast, contribution);
        let slot = &mut self.of[to.0 as usize];
        *slot = Some(match *slot {
            None => contribution,
            Some(sum) => add_where_chosen(graph, sum, contribution),
        });
    }
}

/// The sum of two cotangents; one choice, where both are nothing on the same side of the same mask.
fn add_where_chosen(graph: &mut Graph, a: NodeId, b: NodeId) -> NodeId {
    let zero = |graph: &Graph, id: NodeId| graph.as_num(id) == Some(0.0);
    if let (&Op::Select { mask, a: a1, b: a2 }, &Op::Select { mask: other, a: b1, b: b2 }) = (graph.op(a), graph.op(b)) {
        let both = |graph: &Graph, a, b| zero(graph, a) && zero(graph, b);
        if mask == other && (both(graph, a1, b1) || both(graph, a2, b2)) {
            let first = if both(graph, a1, b1) { a1 } else { graph.binary(BinaryOp::Add, a1, b1) };
            let second = if both(graph, a2, b2) { a2 } else { graph.binary(BinaryOp::Add, a2, b2) };
            return graph.select(mask, first, second);
        }
    }
    graph.binary(BinaryOp::Add, a, b)
}

/// The axes over which a node's contributions are to be understood. A transposed view or scatter is already summed.
fn domain_of(graph: &Graph, id: NodeId) -> AxisSet {
    match graph.op(id) {
        Op::Reindex(..) | Op::Scatter { .. } => AxisSet::EMPTY,
        Op::Reduce { axes, .. } => graph.axes_of(id) | axes.iter().copied().collect(),
        _ => graph.axes_of(id),
    }
}

/// What a node passes on to those of its operands that are reached, given its cotangent.
fn contributions(graph: &mut Graph, id: NodeId, g: NodeId, reached: &[bool]) -> Vec<(NodeId, NodeId)> {
    let op = graph.op(id).clone();
    let tape = Tape::new(graph);
    let at = |id| Expr { tape: &tape, id };
    let (y, g) = (at(id), at(g));
    let mut out = Vec::new();
    let mut pass = |to: NodeId, partial: &dyn Fn() -> Option<NodeId>| {
        if reached[to.0 as usize] {
            out.extend(partial().map(|g| (to, g)));
        }
    };
    let id_of = |e: Expr<'_>| e.id;
    match &op {
        Op::Broadcast(x, _) => pass(*x, &|| Some(g.id)),
        Op::Unary(u, x) => {
            let kept = |mask, product| at(mask).axes().is_subset(y.axes()) && !(product && at(mask).depends_on(y));
            pass(*x, &|| g.where_chosen(&kept, &|g| pointwise::unary(*u, at(*x), y, g)).map(id_of));
        }
        Op::Binary(o, a, b) => {
            let kept = |mask, product, factor| {
                let anew = *o == BinaryOp::Mul || product;
                at(mask).axes().is_subset(at(factor).axes()) && !(anew && at(mask).depends_on(y))
            };
            // what the cotangent is multiplied by
            let of_a = if matches!(o, BinaryOp::Mul | BinaryOp::Div) { *b } else { id };
            let of_b = if matches!(o, BinaryOp::Mul) { *a } else { id };
            let (a_kept, b_kept) = (|mask, product| kept(mask, product, of_a), |mask, product| kept(mask, product, of_b));
            pass(*a, &|| g.where_chosen(&a_kept, &|g| pointwise::binary(*o, Side::A, at(*a), at(*b), y, g)).map(id_of));
            pass(*b, &|| g.where_chosen(&b_kept, &|g| pointwise::binary(*o, Side::B, at(*a), at(*b), y, g)).map(id_of));
        }
        Op::Powi(x, n) => {
            let kept = |mask, product| at(mask).axes().is_subset(y.axes()) && !(product && at(mask).depends_on(y));
            pass(*x, &|| g.where_chosen(&kept, &|g| Some(g * f64::from(*n) * at(*x).powi(n - 1))).map(id_of));
        }
        Op::Select { mask, a, b } => {
            pass(*a, &|| Some(at(*mask).select(g, g.num(0.0)).id));
            pass(*b, &|| Some(at(*mask).select(g.num(0.0), g).id));
        }
        Op::Reduce { op, axes, x, valid } => {
            pass(*x, &|| structure::reduce(Reduction { op: *op, axes, valid }, at(*x), y, g).map(id_of));
        }
        Op::Reindex(x, r) => pass(*x, &|| Some(structure::reindex(r, at(*x), g).id)),
        Op::Scatter { x, axis, index, .. } => pass(*x, &|| Some(structure::scatter_add(*axis, *index, g).id)),
        Op::Scan { axis, reverse, a, b } => {
            let scan = structure::Scan { axis: *axis, reverse: *reverse };
            pass(*b, &|| Some(scan.of_term(at(*a), g).id));
            pass(*a, &|| Some(scan.of_factor(at(*a), y, g).id));
        }
        Op::Input(_) | Op::Num(_) | Op::Host(_) | Op::Len(_) | Op::Index(_) | Op::Int(_) | Op::Test(_) | Op::Random(_) => {}
    }
    out
}

#[cfg(test)]
mod tests;
