//! Sums.

use super::Found;
use crate::simplify::analysis::EGraph;
use crate::simplify::language::Expr;
use crate::simplify::views::make_sum;
use egg::Id;

pub fn collect(eg: &mut EGraph, _: Id, node: &Expr) -> Found {
    Some(vec![make_sum(eg, &node.free_terms()?)?])
}
