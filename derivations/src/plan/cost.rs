//! What a plan costs: operations, by a fixed table, and memory traffic, at canonical extents.

use super::{Body, Leaf, Operand, Place, Pointwise, Val};
use crate::graph::{AxisId, AxisSet, BinaryOp, Condition, Graph, Int, Ints, Op, Reindex, Source, UnaryOp, condition_axes};

/// The operations that one element of a node takes.
pub(super) fn op_cost(op: &Op) -> u64 {
    match op {
        Op::Unary(u, _) => unary_cost(*u),
        Op::Binary(b, ..) => binary_cost(*b),
        Op::Powi(_, n) => powi_cost(*n),
        Op::Select { .. } | Op::Test(_) => 1,
        Op::Random(_) => 10,
        _ => 0,
    }
}
fn unary_cost(u: UnaryOp) -> u64 {
    use UnaryOp::*;
    match u {
        Stop => 0,
        Neg | Abs | Sign | Not | Floor | Ceil | Round => 1,
        Recip => 4,
        Sqrt | Rsqrt => 6,
        _ => 12,
    }
}
fn binary_cost(b: BinaryOp) -> u64 {
    match b {
        BinaryOp::Div => 4,
        BinaryOp::Pow | BinaryOp::Atan2 | BinaryOp::Hypot => 12,
        _ => 1,
    }
}
fn powi_cost(n: i32) -> u64 {
    let multiplications = u64::from(33 - n.unsigned_abs().leading_zeros());
    multiplications + if n < 0 { 4 } else { 0 }
}
fn instr_cost(op: &Pointwise) -> u64 {
    match op {
        Pointwise::Unary(u, _) => unary_cost(*u),
        Pointwise::Binary(b, ..) => binary_cost(*b),
        Pointwise::Powi(_, n) => powi_cost(*n),
        Pointwise::Select { .. } => 1,
    }
}

/// By how much a divisibility condition thins out the positions.
pub(super) fn stride(graph: &Graph, ints: &Ints, c: &Condition, view: Option<&Reindex>) -> u64 {
    let Condition::Divides { e, by } = c else { return 1 };
    if let Some(value) = ints.as_const(*by) {
        return value.max(1) as u64;
    }
    let canonical = |a: AxisId| graph.axes[a.0 as usize].canonical.max(1);
    let longest = e.terms.iter().map(|(a, _)| canonical(*a)).max().unwrap_or(1);
    let mapped = view.and_then(|r| {
        r.map.iter().find_map(|(axis, source)| match source {
            Source::Affine(f) if f.div == Some(*by) => Some(canonical(*axis)),
            _ => None,
        })
    });
    match (mapped, ints.get(*by)) {
        (Some(axis), _) => ((longest + axis / 2) / axis).max(1),
        (None, Int::Len(axis)) => canonical(axis),
        (None, _) => 1,
    }
}

/// The axes on which each operand of a body depends, then each instruction.
pub(super) fn body_axes(body: &Body, leaf_axes: &dyn Fn(&Leaf) -> AxisSet) -> (Vec<AxisSet>, Vec<AxisSet>) {
    let mut operands: Vec<AxisSet> = vec![];
    for operand in &body.operands {
        let axes = operand_axes(operand, leaf_axes(&operand.leaf), &operands);
        operands.push(axes);
    }
    let mut code: Vec<AxisSet> = vec![];
    for instr in &body.code {
        let of = |val: Val| match val {
            Val::Num(_) => AxisSet::EMPTY,
            Val::Operand(at) => operands[at as usize],
            Val::Instr(at) => code[at as usize],
        };
        let axes = instr.op.operands().into_iter().fold(AxisSet::EMPTY, |set, val| set | of(val));
        code.push(axes);
    }
    (operands, code)
}
/// The axes of the sweep on which an operand depends.
fn operand_axes(operand: &Operand, leaf: AxisSet, earlier: &[AxisSet]) -> AxisSet {
    let mapped: AxisSet = operand.map.iter().map(|(a, _)| *a).collect();
    operand.map.iter().fold((leaf - mapped) | condition_axes(&operand.valid), |set, (_, place)| match place {
        Place::Affine(e) => set | e.axes(),
        Place::Load(at) => set | earlier[*at as usize],
    })
}

/// The operations of a body over a domain, invariant ones counted once.
pub(super) fn body_work(graph: &Graph, ints: &Ints, body: &Body, guard: &[Condition], leaf_axes: &dyn Fn(&Leaf) -> AxisSet) -> u64 {
    let (operands, code) = body_axes(body, leaf_axes);
    let thinned: u64 = guard.iter().map(|c| stride(graph, ints, c, None)).product();
    let draws = body.operands.iter().zip(&operands).map(|(o, axes)| match o.leaf {
        Leaf::Random(_) => 10 * graph.canonical_size(*axes),
        Leaf::Test(_) => graph.canonical_size(*axes),
        _ => 0,
    });
    let instrs = body.code.iter().zip(&code).map(|(i, axes)| instr_cost(&i.op) * graph.canonical_size(*axes));
    draws.chain(instrs).sum::<u64>() / thinned.max(1)
}
