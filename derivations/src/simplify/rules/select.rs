//! Choices by a mask.

use super::Found;
use crate::simplify::analysis::EGraph;
use crate::simplify::language::Expr;
use crate::simplify::rational::Rational;
use crate::simplify::views::{Factor, axes, is_zero, make_prod, product_view};
use egg::Id;

pub fn same(eg: &mut EGraph, _: Id, node: &Expr) -> Found {
    match node {
        Expr::Select([_, a, b]) if eg.find(*a) == eg.find(*b) => Some(vec![*a]),
        _ => None,
    }
}

/// A choice by the same mask inside is already made.
pub fn nested(eg: &mut EGraph, _: Id, node: &Expr) -> Found {
    let Expr::Select([mask, a, b]) = node else { return None };
    let inner = |side: Id, which: usize| {
        eg[side].nodes.iter().find_map(|n| match n {
            Expr::Select(x) if eg.find(x[0]) == eg.find(*mask) => Some(x[which]),
            _ => None,
        })
    };
    let (then, other) = (inner(*a, 1), inner(*b, 2));
    if then.is_none() && other.is_none() {
        return None;
    }
    Some(vec![eg.add(Expr::Select([*mask, then.unwrap_or(*a), other.unwrap_or(*b)]))])
}

/// Moves factors out of the side that is not 0. A mask whose axes a factor has could be what keeps the factor finite.
pub fn linear(eg: &mut EGraph, class: Id, node: &Expr) -> Found {
    let Expr::Select(x) = node else { return None };
    let side = match (is_zero(eg, x[1]), is_zero(eg, x[2])) {
        (false, true) => 1,
        (true, false) => 2,
        _ => return None,
    };
    let (all, mask) = (axes(eg, class), axes(eg, x[0]));
    let view = product_view(eg, x[side])?;
    let coef = view.coef;
    let (mut outside, inside): (Vec<Factor>, Vec<Factor>) =
        view.factors.iter().partition(|(f, _)| axes(eg, *f) != all && !mask.is_subset(axes(eg, *f)));
    if outside.is_empty() && coef.is_one() {
        return None;
    }
    let mut kept = *x;
    kept[side] = make_prod(eg, Rational::ONE, &inside)?;
    outside.push((eg.add(Expr::Select(kept)), Rational::ONE));
    Some(vec![make_prod(eg, coef, &outside)?])
}
