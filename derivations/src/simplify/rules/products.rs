//! Products and powers.

use super::Found;
use crate::simplify::analysis::EGraph;
use crate::simplify::language::Expr;
use crate::simplify::rational::Rational;
use crate::simplify::views::make_prod;
use egg::Id;

pub fn collect(eg: &mut EGraph, _: Id, node: &Expr) -> Found {
    Some(vec![make_prod(eg, Rational::ONE, &node.factors()?)?])
}
