//! What an extracted backward costs: memory traffic, work, kept values. Integers only.
//!
//! `R·Σ_sweeps (size of the distinct full-size tensors read) + Σ_sweeps (full-size operations, recomputation counted)
//! + R/2·(distinct full-size tensors read at all) + 2R·(full-size tensors kept beside the outputs) + (small operations, once) + (number of nodes)`

use super::analysis::{Facts, Given};
use super::language::Expr;
use super::rational::Rational;
use crate::graph::{AxisSet, BinaryOp, Graph, Op, UnaryOp};
use egg::Id;

/// What reading one element costs, in operations.
pub const READ: u64 = 8;

/// What the first read of an element costs beside: later sweeps may find it in cache.
pub const FIRST: u64 = READ / 2;

/// Sizes by canonical extents.
pub struct Sizes {
    extents: Vec<u64>,
    /// The size of the largest tensor.
    full: u64,
    /// The number of axes of the tensor with the most.
    pub rank: usize,
}

impl Sizes {
    /// Sizes saturate here, so that sums of costs do not overflow.
    const LIMIT: u64 = 1 << 40;

    pub fn of(graph: &Graph) -> Sizes {
        let extents = graph.axes.iter().map(|a| a.canonical.clamp(1, Sizes::LIMIT)).collect();
        let mut sizes = Sizes { extents, full: 1, rank: 0 };
        for input in &graph.inputs {
            let axes: AxisSet = input.axes.iter().copied().collect();
            sizes.full = sizes.full.max(sizes.size(axes));
            sizes.rank = sizes.rank.max(axes.len());
        }
        sizes
    }
    pub fn size(&self, axes: AxisSet) -> u64 {
        let mut rest = axes.0;
        let mut size = 1u64;
        while rest != 0 {
            size = size.saturating_mul(self.extents[rest.trailing_zeros() as usize]).min(Sizes::LIMIT);
            rest &= rest - 1;
        }
        size
    }
    /// The size of a given value, in elements of the data's type.
    pub fn given_size(&self, given: &Given) -> u64 {
        let size = self.size(given.axes);
        if given.few { size.div_ceil(4) } else { size }
    }
    /// Whether a domain is as large as the largest tensor, by order of magnitude.
    pub fn is_full(&self, axes: AxisSet) -> bool {
        self.size(axes) * 8 > self.full
    }
    /// An n-ary operation, computed pairwise with the smallest operands first.
    fn staged(&self, mut operands: Vec<AxisSet>) -> u64 {
        operands.sort_by_key(|a| (self.size(*a), *a));
        let mut axes = AxisSet::EMPTY;
        let mut cost = 0;
        for (i, operand) in operands.into_iter().enumerate() {
            axes |= operand;
            cost += if i > 0 { self.size(axes) } else { 0 };
        }
        cost
    }
    /// The cost of one node without its children.
    pub fn own(&self, facts: &Facts, expr: &Expr, class_axes: &dyn Fn(Id) -> AxisSet) -> u64 {
        let size = |id: &Id| self.size(class_axes(*id));
        let result = || self.size(facts.axes(expr, class_axes));
        match expr {
            Expr::Num(_) | Expr::Len(_) => 0,
            Expr::Given(k) => {
                let given = &facts.given[*k as usize];
                // kept values are read, and were written in the forward call and held
                READ * self.given_size(given) * if given.there { 1 } else { 3 }
            }
            Expr::Sum { coefs, terms, .. } => {
                let scaled = |k: &Rational| !(k.is_one() || *k == Rational::MINUS_ONE && terms.len() > 1);
                let scaling: u64 = coefs.iter().zip(terms).filter(|(k, _)| scaled(k)).map(|(_, t)| size(t)).sum();
                scaling + self.staged(terms.iter().map(|t| class_axes(*t)).collect())
            }
            Expr::Prod { exponents, factors } => {
                let powers: u64 = exponents.iter().zip(factors).map(|(e, f)| power_cost(*e) * size(f)).sum();
                powers + self.staged(factors.iter().map(|f| class_axes(*f)).collect())
            }
            Expr::Unary(op, _) => unary_cost(*op) * result(),
            Expr::Select(_) => result(),
            Expr::Red { .. } => self.size(facts.domain(expr, class_axes)),
            Expr::Opaque(payload, _) => match facts.op(*payload) {
                Op::Input(_) => READ * result(),
                Op::Num(_) | Op::Host(_) | Op::Int(_) | Op::Index(_) => 0,
                Op::Random(_) => 10 * result(),
                Op::Binary(BinaryOp::Pow | BinaryOp::Atan2, ..) => 12 * result(),
                Op::Binary(BinaryOp::Hypot, ..) => 8 * result(),
                Op::Reduce { .. } | Op::Scatter { .. } | Op::Scan { .. } => 2 * self.size(facts.domain(expr, class_axes)),
                _ => result(),
            },
        }
    }
}

fn power_cost(exponent: Rational) -> u64 {
    match (exponent.n, exponent.d) {
        (n @ 1..=3, 1) => n as u64 - 1,
        (n @ -2..=-1, 1) => 3 + n.unsigned_abs(),
        (n, 2) => 6 + n.unsigned_abs() / 2,
        _ => 8,
    }
}

fn unary_cost(op: UnaryOp) -> u64 {
    use UnaryOp::*;
    match op {
        Neg | Abs | Sign | Floor | Ceil | Round | Not | Stop => 1,
        Recip => 4,
        Sqrt | Rsqrt => 6,
        _ => 12,
    }
}
