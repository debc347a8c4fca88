//! Values in words: names for what the user gave no name.

use super::{BinaryOp, Graph, NodeId, Op, ReduceOp, UnaryOp};

/// Longer names are none.
const LONGEST: usize = 20;

/// A name that says what a value is, fit for a Rust identifier: the user's, or `sum_dy`, `mean_xc`, `rstd`, if few words
/// suffice.
pub fn words(graph: &Graph, node: NodeId) -> Option<String> {
    spell(graph, node, 3).filter(|name| name.len() <= LONGEST && is_identifier(name))
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A value in words, if few suffice.
fn spell(graph: &Graph, node: NodeId, depth: u32) -> Option<String> {
    if let Some(name) = graph.names.get(&node) {
        return Some(name.clone());
    }
    let depth = depth.checked_sub(1)?;
    let word = |n: NodeId| spell(graph, n, depth);
    match graph.op(node) {
        Op::Input(i) => Some(graph.inputs[i.0 as usize].name.clone()),
        Op::Binary(BinaryOp::Mul, ..) if is_count(graph, node) => Some("count".into()),
        Op::Random(_) => Some("draw".into()),
        Op::Reduce { op, axes, x, .. } => match (op, graph.op(*x)) {
            (ReduceOp::Sum, Op::Num(_)) if !axes.is_empty() => Some("count".into()),
            _ => Some(format!("{}_{}", op.name(), word(*x)?)),
        },
        Op::Scatter { x, .. } => Some(format!("scattered_{}", word(*x)?)),
        Op::Reindex(x, _) | Op::Broadcast(x, _) | Op::Unary(UnaryOp::Neg | UnaryOp::Stop, x) => word(*x),
        Op::Unary(op, x) => unary(graph, *op, *x, &word),
        Op::Powi(x, 2) => Some(format!("sq_{}", word(*x)?)),
        Op::Binary(op, a, b) => binary(graph, *op, *a, *b, &word),
        _ => None,
    }
}
/// A product of extents.
fn is_count(graph: &Graph, node: NodeId) -> bool {
    match graph.op(node) {
        Op::Len(_) => true,
        Op::Binary(BinaryOp::Mul, a, b) => is_count(graph, *a) && is_count(graph, *b),
        _ => false,
    }
}
/// `std` and `rstd` are what everybody calls the root of a variance and its reciprocal.
fn unary(graph: &Graph, op: UnaryOp, x: NodeId, word: &dyn Fn(NodeId) -> Option<String>) -> Option<String> {
    let inner = word(x)?;
    Some(match (op, inner.as_str()) {
        (UnaryOp::Sqrt, "var" | "variance") => "std".into(),
        (UnaryOp::Rsqrt, "var" | "variance") | (UnaryOp::Recip, "std") => "rstd".into(),
        (UnaryOp::Recip, _) => match graph.op(x) {
            Op::Unary(UnaryOp::Sqrt, v) => format!("rsqrt_{}", word(*v)?),
            _ => format!("recip_{inner}"),
        },
        _ => format!("{}_{inner}", op.name()),
    })
}
fn binary(graph: &Graph, op: BinaryOp, a: NodeId, b: NodeId, word: &dyn Fn(NodeId) -> Option<String>) -> Option<String> {
    let no_axes = |n: NodeId| graph.axes_of(n).is_empty();
    match op {
        BinaryOp::Mul if a == b => Some(format!("sq_{}", word(a)?)),
        BinaryOp::Mul if no_axes(a) && !no_axes(b) => word(b),
        BinaryOp::Mul if no_axes(b) => word(a),
        BinaryOp::Mul => Some(format!("{}_{}", word(a)?, word(b)?)),
        BinaryOp::Div if no_axes(b) => match graph.op(a) {
            Op::Reduce { op: ReduceOp::Sum, x, .. } => Some(format!("mean_{}", word(*x)?)),
            // a mean, times what it is multiplied with
            Op::Binary(BinaryOp::Mul, sum, _) => match graph.op(*sum) {
                Op::Reduce { op: ReduceOp::Sum, x, .. } => Some(format!("slope_{}", word(*x)?)),
                _ => word(a),
            },
            _ => word(a),
        },
        // centred
        BinaryOp::Sub if graph.axes_of(b).is_subset(graph.axes_of(a)) && graph.axes_of(a) != graph.axes_of(b) => {
            Some(format!("{}c", word(a)?))
        }
        BinaryOp::Add if no_axes(b) => word(a),
        _ => None,
    }
}
