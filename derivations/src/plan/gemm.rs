//! Contractions: which sums of products are matrix products.

use super::tasks::Finder;
use crate::graph::{AxisSet, BinaryOp, Condition, Graph, NodeId, Op, condition_axes};

/// More factors than this are not split in two groups.
const MAX_FACTORS: usize = 6;

/// The two factors of a contraction, and where their product counts.
#[derive(Clone, Debug)]
pub(super) struct Product {
    pub a: NodeId,
    pub b: NodeId,
    pub guard: Vec<Condition>,
}

/// The roles of a contraction's axes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides {
    pub m: AxisSet,
    pub n: AxisSet,
    pub k: AxisSet,
    pub batch: AxisSet,
}

pub(super) fn sides(graph: &Graph, product: &Product, k: AxisSet) -> Sides {
    let (a, b) = (graph.axes_of(product.a), graph.axes_of(product.b));
    Sides { m: a - b - k, n: b - a - k, k, batch: (a & b) - k }
}

/// Whether `Σ_k x` is a matrix product: the factors of `x` split into two groups that both have all of `k` and axes
/// of their own, and the terms are much more than the elements.
pub(super) fn find(finder: &mut Finder<'_>, k: AxisSet, x: NodeId) -> Option<Product> {
    let (mut factors, mut guard) = (vec![], vec![]);
    collect(finder, x, &mut factors, &mut guard);
    let (scalars, tensors): (Vec<NodeId>, Vec<NodeId>) = factors.into_iter().partition(|f| finder.graph.axes_of(*f).is_empty());
    let held = tensors.iter().fold(AxisSet::EMPTY, |set, f| set | finder.graph.axes_of(*f));
    if tensors.len() < 2 || tensors.len() > MAX_FACTORS || !condition_axes(&guard).is_subset(held) {
        return None;
    }
    let mut best: Option<(u64, Vec<NodeId>, Vec<NodeId>)> = None;
    for mask in 1..1u32 << (tensors.len() - 1) {
        let side = |bit| tensors.iter().enumerate().filter(move |(j, _)| mask >> j & 1 == bit).map(|(_, f)| *f);
        let (mut a, mut b): (Vec<NodeId>, Vec<NodeId>) = (side(0).collect(), side(1).collect());
        // a group that has to be computed anyway takes the scalars
        if is_computed(finder, &b) && !is_computed(finder, &a) { &mut b } else { &mut a }.extend(&scalars);
        if let Some(price) = price(finder, k, &a, &b)
            && best.as_ref().is_none_or(|(least, ..)| price < *least)
        {
            best = Some((price, a, b));
        }
    }
    let (_, a, b) = best?;
    Some(Product { a: product(&mut finder.graph, a), b: product(&mut finder.graph, b), guard })
}

/// Whether a group is not simply a tensor or a view of one.
fn is_computed(finder: &mut Finder<'_>, group: &[NodeId]) -> bool {
    let [factor] = group else { return true };
    let base = base(finder, *factor);
    finder.leaf(base).is_none()
}
/// What a view is a view of.
fn base(finder: &mut Finder<'_>, view: NodeId) -> NodeId {
    let mut base = view;
    while let (None, Op::Reindex(x, _)) = (finder.leaf(base), finder.graph.op(base).clone()) {
        base = x;
    }
    base
}

/// The factors of a product, and the conditions of factors that are zero elsewhere.
fn collect(finder: &mut Finder<'_>, x: NodeId, factors: &mut Vec<NodeId>, guard: &mut Vec<Condition>) {
    match finder.graph.op(x).clone() {
        Op::Binary(BinaryOp::Mul, a, b) if factors.len() <= MAX_FACTORS && finder.leaf(x).is_none() => {
            collect(finder, a, factors, guard);
            collect(finder, b, factors, guard);
        }
        Op::Select { mask, a, b } if finder.graph.as_num(b) == Some(0.0) && finder.leaf(x).is_none() => {
            match finder.graph.op(mask).clone() {
                Op::Test(conditions) => {
                    guard.extend(finder.arith.conditions(&conditions, &[], &[]).unwrap_or(conditions));
                    collect(finder, a, factors, guard);
                }
                _ => factors.push(x),
            }
        }
        _ => factors.push(x),
    }
}

/// The price of packing two groups; `None` if they are no contraction.
fn price(finder: &mut Finder<'_>, k: AxisSet, a: &[NodeId], b: &[NodeId]) -> Option<u64> {
    let axes = |group: &[NodeId], g: &Graph| group.iter().fold(AxisSet::EMPTY, |set, f| set | g.axes_of(*f));
    let (p, q) = (axes(a, &finder.graph), axes(b, &finder.graph));
    if (p - q - k).is_empty() || (q - p - k).is_empty() || !k.is_subset(p & q) || k.is_empty() {
        return None;
    }
    let domain = finder.graph.canonical_size(p | q);
    let out = finder.graph.canonical_size((p | q) - k);
    let (held_a, held_b) = (held(finder, a), held(finder, b));
    let worthwhile = domain >= 4 * held_a.max(held_b).max(out) && finder.is_full(p | q);
    worthwhile.then(|| held_a + held_b + (a.len() + b.len()) as u64)
}

/// The elements in memory of the largest factor: views count at their base.
fn held(finder: &mut Finder<'_>, group: &[NodeId]) -> u64 {
    let mut largest = 1;
    for factor in group {
        let base = base(finder, *factor);
        let size = |n| finder.graph.canonical_size(finder.graph.axes_of(n));
        largest = largest.max(size(base).min(size(*factor)));
    }
    largest
}

/// The product of a group, small factors first.
fn product(graph: &mut Graph, mut group: Vec<NodeId>) -> NodeId {
    group.sort_by_key(|f| (graph.canonical_size(graph.axes_of(*f)), *f));
    let first = group[0];
    group[1..].iter().fold(first, |p, f| graph.binary(BinaryOp::Mul, p, *f))
}
