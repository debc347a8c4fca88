//! Views: windows, shifts, gathers and the like.

use super::Found;
use crate::graph::{AxisSet, Op};
use crate::simplify::analysis::EGraph;
use crate::simplify::language::Expr;
use crate::simplify::rational::Rational;
use crate::simplify::views::{Factor, axes, make_prod, product_view};
use egg::Id;

/// Moves factors out of a view: they are then multiplied once, not once for every time that they are read.
pub fn linear(eg: &mut EGraph, _: Id, node: &Expr) -> Found {
    let Expr::Opaque(payload, children) = node else { return None };
    let Op::Reindex(_, reindex) = eg.analysis.op(*payload) else { return None };
    if !reindex.valid.is_empty() && f64::from_bits(reindex.fill) != 0.0 {
        return None;
    }
    let moved: AxisSet = reindex.map.iter().map(|(a, _)| *a).collect();
    let view = product_view(eg, children[0])?;
    let (mut outside, inside): (Vec<Factor>, Vec<Factor>) =
        view.factors.iter().partition(|(f, _)| !axes(eg, *f).intersects(moved));
    if outside.is_empty() && view.coef.is_one() {
        return None;
    }
    let mut operands = children.clone();
    operands[0] = make_prod(eg, Rational::ONE, &inside)?;
    outside.push((eg.add(Expr::Opaque(*payload, operands)), Rational::ONE));
    Some(vec![make_prod(eg, view.coef, &outside)?])
}
