//! The graph as an e-graph.

use super::analysis::{EGraph, Facts};
use super::language::Expr;
use super::rational::Rational;
use super::views::{Factor, Term};
use crate::graph::{BinaryOp, Graph, Int, NodeId, Op, ReduceOp, UnaryOp};
use egg::Id;

/// An e-graph and the class of each node that is in it.
pub struct Built<'g> {
    pub egraph: EGraph<'g>,
    pub classes: Vec<Option<Id>>,
}

/// Which nodes the roots need.
pub fn reachable(graph: &Graph, roots: impl IntoIterator<Item = NodeId>) -> Vec<bool> {
    let mut seen = vec![false; graph.len()];
    let mut work: Vec<NodeId> = roots.into_iter().collect();
    while let Some(id) = work.pop() {
        if !std::mem::replace(&mut seen[id.0 as usize], true) {
            work.extend(graph.op(id).operands());
        }
    }
    seen
}

/// Adds everything that the roots need. `None` if an exponent overflows.
pub fn build<'g>(facts: Facts<'g>, roots: &[NodeId]) -> Option<Built<'g>> {
    let graph = facts.graph;
    let needed = reachable(graph, roots.iter().copied());
    let mut egraph = EGraph::new(facts);
    let mut classes: Vec<Option<Id>> = vec![None; graph.len()];
    for id in graph.ids().filter(|id| needed[id.0 as usize]) {
        classes[id.0 as usize] = Some(insert(&mut egraph, graph, &classes, id)?);
    }
    egraph.rebuild();
    Some(Built { egraph, classes })
}

fn insert(eg: &mut EGraph, graph: &Graph, classes: &[Option<Id>], id: NodeId) -> Option<Id> {
    let op = graph.op(id);
    let mut operands = vec![];
    for x in op.operands() {
        operands.push(classes[x.0 as usize]?);
    }
    let frozen = graph.is_forward(id);
    let one = Rational::ONE;
    let expr = match op {
        Op::Num(bits) => match Rational::exact(f64::from_bits(*bits)) {
            Some(value) => Expr::Num(value),
            None => opaque(eg, op, operands),
        },
        Op::Len(a) => Expr::Len(*a),
        Op::Int(i) => match graph.ints.get(*i) {
            Int::Const(n) if n.unsigned_abs() <= 1 << 31 => Expr::Num(Rational::int(n)),
            Int::Len(a) => Expr::Len(a),
            _ => opaque(eg, op, operands),
        },
        Op::Unary(UnaryOp::Stop, _) => return Some(operands[0]),
        Op::Unary(UnaryOp::Neg, _) => Expr::sum(false, [(Rational::MINUS_ONE, operands[0])]),
        Op::Unary(UnaryOp::Sqrt, _) => Expr::prod([(operands[0], Rational::halves(1))]),
        Op::Unary(UnaryOp::Rsqrt, _) => Expr::prod([(operands[0], Rational::halves(-1))]),
        Op::Unary(UnaryOp::Recip, _) => Expr::prod([(operands[0], Rational::MINUS_ONE)]),
        Op::Unary(unary, _) => Expr::Unary(*unary, [operands[0]]),
        Op::Powi(_, n) => Expr::prod([(operands[0], Rational::int(i64::from(*n)))]),
        Op::Binary(BinaryOp::Add, ..) => pair_sum(frozen, (one, operands[0]), (one, operands[1]))?,
        Op::Binary(BinaryOp::Sub, ..) => pair_sum(frozen, (one, operands[0]), (Rational::MINUS_ONE, operands[1]))?,
        Op::Binary(BinaryOp::Mul, ..) => pair_product((operands[0], one), (operands[1], one)),
        Op::Binary(BinaryOp::Div, ..) => pair_product((operands[0], one), (operands[1], Rational::MINUS_ONE)),
        Op::Binary(BinaryOp::Pow, _, e) => match graph.as_num(*e).and_then(Rational::exact).filter(|e| e.d <= 2) {
            Some(exponent) => Expr::prod([(operands[0], exponent)]),
            None => opaque(eg, op, operands),
        },
        Op::Select { .. } => Expr::Select([operands[0], operands[1], operands[2]]),
        Op::Reduce { op: ReduceOp::Sum, axes, valid, .. } => {
            let holes = eg.analysis.intern_holes(valid);
            Expr::Red { over: axes.iter().copied().collect(), holes, x: [operands[0]] }
        }
        _ => opaque(eg, op, operands),
    };
    Some(eg.add(expr))
}

fn opaque(eg: &mut EGraph, op: &Op, operands: Vec<Id>) -> Expr {
    Expr::Opaque(eg.analysis.payload(op), operands.into())
}

fn pair_sum(frozen: bool, a: Term, b: Term) -> Option<Expr> {
    if a.1 == b.1 {
        return Some(Expr::sum(false, [(a.0.add(b.0)?, a.1)]));
    }
    Some(if a.1 < b.1 { Expr::sum(frozen, [a, b]) } else { Expr::sum(frozen, [b, a]) })
}

fn pair_product(a: Factor, b: Factor) -> Expr {
    match (a, b) {
        ((x, e), (y, f)) if x == y && e == f => Expr::prod([(x, Rational::int(2))]),
        (a, b) if a < b => Expr::prod([a, b]),
        (a, b) => Expr::prod([b, a]),
    }
}
