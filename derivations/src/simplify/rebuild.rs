//! From expressions back to graph nodes.

use super::analysis::{EGraph, Facts};
use super::language::Expr;
use super::rational::Rational;
use crate::graph::{AxisSet, BinaryOp, Graph, NodeId, Op, ReduceOp, UnaryOp};
use egg::{Id, Language};
use std::collections::BTreeMap;

/// The node of an expression, given those of its children. Sums and products become pairs, smallest operands first.
pub fn lower(graph: &mut Graph, facts: &Facts, expr: &Expr, children: &[NodeId]) -> NodeId {
    match expr {
        Expr::Given(_) => unreachable!("a given value is a node already"),
        Expr::Num(value) => graph.num(value.to_f64()),
        Expr::Len(a) => graph.add(Op::Len(*a)),
        Expr::Sum { coefs, .. } => {
            let terms: Vec<(Rational, NodeId)> = coefs.iter().copied().zip(children.iter().copied()).collect();
            lower_sum(graph, terms)
        }
        Expr::Prod { exponents, .. } => {
            let factors: Vec<(NodeId, Rational)> = children.iter().copied().zip(exponents.iter().copied()).collect();
            lower_product(graph, factors)
        }
        Expr::Red { over, holes, .. } => {
            let axes: Vec<_> = over.iter().collect();
            let valid = facts.conditions(*holes).to_vec();
            graph.reduce_valid(ReduceOp::Sum, &axes, children[0], valid)
        }
        Expr::Select(_) => graph.select(children[0], children[1], children[2]),
        Expr::Unary(op, _) => graph.unary(*op, children[0]),
        Expr::Opaque(payload, _) => {
            let op = facts.op(*payload).with_operands(|k| children[k.0 as usize]);
            match op {
                Op::Binary(op, a, b) => graph.binary(op, a, b),
                Op::Reindex(x, reindex) => graph.reindex(x, reindex),
                op => graph.add(op),
            }
        }
    }
}

/// The order of operands: small ones first, so that large intermediate results come late.
fn rank(graph: &Graph, id: NodeId) -> (u128, AxisSet, NodeId) {
    let axes = graph.axes_of(id);
    let size = axes.iter().fold(1u128, |n, a| n.saturating_mul(u128::from(graph.axes[a.0 as usize].canonical.max(1))));
    (size, axes, id)
}

fn lower_sum(graph: &mut Graph, terms: Vec<(Rational, NodeId)>) -> NodeId {
    let mut signed: Vec<(bool, NodeId)> = vec![];
    for (k, x) in terms {
        let node = match k.abs() {
            Some(size) if size.is_one() => x,
            Some(size) => {
                let size = graph.num(size.to_f64());
                graph.binary(BinaryOp::Mul, size, x)
            }
            None => {
                let k = graph.num(k.to_f64());
                signed.push((false, graph.binary(BinaryOp::Mul, k, x)));
                continue;
            }
        };
        signed.push((k.is_negative(), node));
    }
    signed.sort_by_key(|(negative, x)| (rank(graph, *x), *negative));
    let sum = signed.into_iter().reduce(|(minus, a), (negative, b)| match (minus, negative) {
        (false, true) => (false, graph.binary(BinaryOp::Sub, a, b)),
        (true, false) => (false, graph.binary(BinaryOp::Sub, b, a)),
        (sign, _) => (sign, graph.binary(BinaryOp::Add, a, b)),
    });
    match sum {
        None => graph.num(0.0),
        Some((false, x)) => x,
        Some((true, x)) => graph.unary(UnaryOp::Neg, x),
    }
}

/// A product under way: numerator and denominator.
#[derive(Default)]
struct Fraction {
    over: Option<NodeId>,
    under: Option<NodeId>,
}

impl Fraction {
    fn times(side: &mut Option<NodeId>, graph: &mut Graph, x: NodeId) {
        *side = Some(match *side {
            None => x,
            Some(y) => graph.binary(BinaryOp::Mul, y, x),
        });
    }
    /// One node.
    fn close(self, graph: &mut Graph) -> Option<NodeId> {
        match (self.over, self.under) {
            (over, None) => over,
            (None, Some(under)) => Some(graph.unary(UnaryOp::Recip, under)),
            (Some(over), Some(under)) => Some(graph.binary(BinaryOp::Div, over, under)),
        }
    }
}

/// Groups factors by axes: what is per channel is finished, its division included, before it meets a larger operand.
fn lower_product(graph: &mut Graph, factors: Vec<(NodeId, Rational)>) -> NodeId {
    let mut powers: Vec<(NodeId, bool)> = factors.into_iter().map(|(x, e)| power(graph, x, e)).collect();
    powers.sort_by_key(|(x, under)| (rank(graph, *x), *under));
    let mut product = Fraction::default();
    let mut axes: Option<AxisSet> = None;
    for (x, under) in powers {
        let next = graph.axes_of(x);
        if axes.is_some_and(|a| a != next) {
            // numbers are divided together with the first tensor
            let scalar = axes == Some(AxisSet::EMPTY) && product.over.is_none();
            if !scalar || under {
                product = Fraction { over: product.close(graph), under: None };
            }
        }
        axes = Some(next);
        Fraction::times(if under { &mut product.under } else { &mut product.over }, graph, x);
    }
    match product.close(graph) {
        Some(x) => x,
        None => graph.num(1.0),
    }
}

/// A power, and whether it belongs in the denominator.
fn power(graph: &mut Graph, x: NodeId, exponent: Rational) -> (NodeId, bool) {
    let size = exponent.n.unsigned_abs().min(i32::MAX as u64) as i32;
    match exponent.d {
        1 => (graph.powi(x, size), exponent.is_negative()),
        2 => {
            let root = graph.unary(if exponent.is_negative() { UnaryOp::Rsqrt } else { UnaryOp::Sqrt }, x);
            (graph.powi(root, size), false)
        }
        _ => {
            let exponent = graph.num(exponent.to_f64());
            (graph.binary(BinaryOp::Pow, x, exponent), false)
        }
    }
}

/// The returned graph while it grows: the problem's forward nodes, then new ones.
pub struct Rebuild<'a> {
    pub graph: Graph,
    source: &'a Graph,
    copies: BTreeMap<NodeId, NodeId>,
}

impl<'a> Rebuild<'a> {
    /// Starts with the forward nodes, which keep their ids.
    pub fn new(source: &'a Graph) -> Rebuild<'a> {
        let mut graph = Graph::default();
        graph.axes = source.axes.clone();
        graph.inputs = source.inputs.clone();
        graph.hosts = source.hosts.clone();
        graph.ints = source.ints.clone();
        for id in source.ids().filter(|id| source.is_forward(*id)) {
            graph.add(source.op(id).clone());
        }
        let end = graph.len() as u32;
        graph.forward_end = Some(end);
        graph.names = source.names.range(..NodeId(end)).map(|(id, name)| (*id, name.clone())).collect();
        Rebuild { graph, source, copies: BTreeMap::new() }
    }
    /// A node of the source as it is spelled there.
    pub fn copy(&mut self, id: NodeId) -> NodeId {
        if self.source.is_forward(id) {
            return id;
        }
        let mut work = vec![id];
        while let Some(&top) = work.last() {
            let copied = |x: &NodeId| self.source.is_forward(*x) || self.copies.contains_key(x);
            let missing: Vec<NodeId> = self.source.op(top).operands().into_iter().filter(|x| !copied(x)).collect();
            if !missing.is_empty() {
                work.extend(missing);
                continue;
            }
            work.pop();
            let op = self.source.op(top).with_operands(|x| *self.copies.get(&x).unwrap_or(&x));
            let copy = self.graph.add(op);
            self.copies.insert(top, copy);
        }
        self.copies[&id]
    }
    /// The nodes of the chosen expressions, children first. `nodes`: of classes that have one already.
    /// `None`: a child is missing.
    pub fn lower_all(
        &mut self,
        eg: &EGraph,
        chosen: &[(Id, Expr)],
        mut nodes: BTreeMap<Id, NodeId>,
    ) -> Option<BTreeMap<Id, NodeId>> {
        for (class, expr) in chosen.iter().filter(|(_, expr)| !matches!(expr, Expr::Given(_))) {
            let children: Option<Vec<NodeId>> = expr.children().iter().map(|c| nodes.get(&eg.find(*c)).copied()).collect();
            let node = lower(&mut self.graph, &eg.analysis, expr, &children?);
            nodes.insert(*class, node);
        }
        Some(nodes)
    }
}
