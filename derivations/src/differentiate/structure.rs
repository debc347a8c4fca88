//! Adjoints of what is not pointwise: reductions, re-indexing, gather and scatter.

use super::expr::{Expr, Tape};
use crate::graph::{
    Affine, AxisId, AxisSet, BinaryOp, Condition, Graph, NodeId, Op, ReduceOp, Reindex, Source, Transpose, UnaryOp,
};

/// A reduction, as the adjoint needs it.
pub(super) struct Reduction<'a> {
    pub op: ReduceOp,
    pub axes: &'a [AxisId],
    pub valid: &'a [Condition],
}

/// The cotangent of a reduction's operand, over the whole domain; `None`: zero.
pub(super) fn reduce<'t>(r: Reduction<'_>, x: Expr<'t>, y: Expr<'t>, g: Expr<'t>) -> Option<Expr<'t>> {
    let tape = x.tape;
    let zero = x.num(0.0);
    let holes = |e: Expr<'t>| {
        let test = Expr { tape, id: tape.write(|graph| graph.test(r.valid.to_vec())) };
        if r.valid.is_empty() { e } else { test.select(e, zero) }
    };
    match r.op {
        ReduceOp::Sum => Some(holes(g)),
        ReduceOp::Prod => Some(holes(product(&r, x, y, g))),
        ReduceOp::Max | ReduceOp::Min => {
            let arg = if r.op == ReduceOp::Max { ReduceOp::ArgMax } else { ReduceOp::ArgMin };
            let winner = Expr { tape, id: tape.write(|graph| graph.reduce_valid(arg, r.axes, x.id, r.valid.to_vec())) };
            let place = Expr { tape, id: tape.write(|graph| flat_index(graph, r.axes)) };
            Some(place.cmp(BinaryOp::Eq, winner).select(g, zero))
        }
        ReduceOp::ArgMax | ReduceOp::ArgMin => None,
    }
}

/// Each factor gets the product of the others, also where one or more factors are zero.
fn product<'t>(r: &Reduction<'_>, x: Expr<'t>, y: Expr<'t>, g: Expr<'t>) -> Expr<'t> {
    let tape = x.tape;
    let over = |op, e: Expr<'t>| Expr { tape, id: tape.write(|graph| graph.reduce_valid(op, r.axes, e.id, r.valid.to_vec())) };
    let (zero, one) = (x.num(0.0), x.num(1.0));
    let is_zero = x.cmp(BinaryOp::Eq, zero);
    let zeros = over(ReduceOp::Sum, is_zero);
    let others = over(ReduceOp::Prod, is_zero.select(one, x));
    let at_zero = zeros.cmp(BinaryOp::Eq, one).select(others, zero);
    let elsewhere = zeros.cmp(BinaryOp::Eq, zero).select(y / is_zero.select(one, x), zero);
    g * is_zero.select(at_zero, elsewhere)
}

/// The row-major index over `axes` in the order given.
fn flat_index(graph: &mut Graph, axes: &[AxisId]) -> NodeId {
    let start = graph.num(0.0);
    axes.iter().fold(start, |flat, &axis| {
        let (len, index) = (graph.add(Op::Len(axis)), graph.add(Op::Index(axis)));
        let scaled = if flat == start { start } else { graph.binary(BinaryOp::Mul, flat, len) };
        graph.binary(BinaryOp::Add, scaled, index)
    })
}

/// The cotangent of a re-indexed operand: for affine maps the transpose, in gather form, so that every element has one
/// owner; for a gather a comparison where it suffices, else a scatter.
pub(super) fn reindex<'t>(r: &Reindex, x: Expr<'t>, g: Expr<'t>) -> Expr<'t> {
    let tape: &'t Tape<'t> = x.tape;
    let id = tape.write(|graph| match &r.transpose {
        Some(transpose) => {
            let map = transpose.map.iter().map(|(axis, e)| (*axis, Source::Affine(e.clone()))).collect();
            let back = Reindex { map, valid: transpose.valid.clone(), fill: 0f64.to_bits(), transpose: None };
            let gathered = graph.reindex(g.id, back);
            graph.sum(transpose.over, gathered)
        }
        None => gather(graph, r, x.id, g.id),
    });
    Expr { tape, id }
}

fn gather(graph: &mut Graph, r: &Reindex, x: NodeId, g: NodeId) -> NodeId {
    let load = r.map.iter().find_map(|(axis, source)| match source {
        Source::Load(index) => Some((*axis, *index)),
        Source::Affine(_) => None,
    });
    let Some((axis, index)) = load else {
        unreachable!("an affine map carries its transpose");
    };
    let over: AxisSet = graph.axes_of(index) - graph.axes_of(x);
    if over.is_empty() {
        let here = graph.add(Op::Index(axis));
        let hit = graph.binary(BinaryOp::Eq, here, index);
        let zero = graph.num(0.0);
        graph.select(hit, g, zero)
    } else {
        graph.add(Op::Scatter { op: ReduceOp::Sum, x: g, axis, index, over })
    }
}

/// The cotangent of a scattered operand: what was written to its place.
pub(super) fn scatter_add<'t>(axis: AxisId, index: NodeId, g: Expr<'t>) -> Expr<'t> {
    let r = Reindex { map: vec![(axis, Source::Load(index))], valid: vec![], fill: 0f64.to_bits(), transpose: None };
    Expr { tape: g.tape, id: g.tape.write(|graph| graph.reindex(g.id, r)) }
}

/// A linear recurrence along an axis.
#[derive(Clone, Copy)]
pub(super) struct Scan {
    pub axis: AxisId,
    pub reverse: bool,
}

impl Scan {
    /// The cotangent of the terms, `λ[t] = g[t] + a[t+1]·λ[t+1]`: the scan the other way.
    pub fn of_term<'t>(self, a: Expr<'t>, g: Expr<'t>) -> Expr<'t> {
        let after = if self.reverse { 1 } else { -1 };
        let tape = a.tape;
        let id = tape.write(|graph| {
            let a = shifted(graph, a.id, self.axis, after);
            graph.add(Op::Scan { axis: self.axis, reverse: !self.reverse, a, b: g.id })
        });
        Expr { tape, id }
    }
    /// The cotangent of the factors, `λ[t]·y[t−1]`.
    pub fn of_factor<'t>(self, a: Expr<'t>, y: Expr<'t>, g: Expr<'t>) -> Expr<'t> {
        let before = if self.reverse { -1 } else { 1 };
        let id = y.tape.write(|graph| shifted(graph, y.id, self.axis, before));
        self.of_term(a, g) * Expr { tape: y.tape, id }
    }
}

/// `y[i] = x[i − by]`; zeros enter. What does not vary along the axis stays as it is.
fn shifted(graph: &mut Graph, x: NodeId, axis: AxisId, by: i64) -> NodeId {
    if !graph.axes_of(x).contains(axis) {
        return x;
    }
    let place = |graph: &mut Graph, offset: i64| {
        let terms = vec![(axis, graph.ints.constant(1))];
        let e = Affine { terms, offset: graph.ints.constant(offset), div: None, modulo: None };
        let (lo, hi) = (graph.ints.constant(0), graph.ints.axis_len(axis));
        (e.clone(), Condition::Range { e, lo, hi })
    };
    let ((e, inside), (back, back_inside)) = (place(graph, -by), place(graph, by));
    let transpose = Transpose { map: vec![(axis, back)], valid: vec![back_inside], over: AxisSet::EMPTY };
    let map = vec![(axis, Source::Affine(e))];
    graph.reindex(x, Reindex { map, valid: vec![inside], fill: 0f64.to_bits(), transpose: Some(Box::new(transpose)) })
}

/// Whether the derivative of a node with respect to its operands is zero or meaningless.
pub(super) fn is_opaque(op: &Op) -> bool {
    match op {
        Op::Num(_) | Op::Host(_) | Op::Len(_) | Op::Index(_) | Op::Int(_) | Op::Test(_) | Op::Random(_) => true,
        Op::Unary(UnaryOp::Stop | UnaryOp::Not | UnaryOp::Sign | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Round, _) => true,
        Op::Binary(op, ..) => op.is_mask(),
        Op::Reduce { op: ReduceOp::ArgMax | ReduceOp::ArgMin, .. } => true,
        // positions alone are scattered so
        Op::Scatter { op: ReduceOp::Max, .. } => true,
        _ => false,
    }
}
