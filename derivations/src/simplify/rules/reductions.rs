//! Sums over axes.

use super::Found;
use crate::graph::AxisSet;
use crate::simplify::analysis::EGraph;
use crate::simplify::language::{Expr, Holes};
use crate::simplify::rational::Rational;
use crate::simplify::views::{self, Factor, Factors, Term, axes, lens, linear_view, make_prod, make_red, make_sum, product_view};
use egg::Id;
use std::collections::BTreeSet;

/// A sum over axes that its operand has (or one that skips positions).
#[derive(Clone, Copy)]
struct Sum {
    over: AxisSet,
    holes: Holes,
    x: Id,
}

impl Sum {
    fn of(eg: &EGraph, node: &Expr) -> Option<Sum> {
        let Expr::Red { over, holes, x } = node else { return None };
        let sum = Sum { over: *over, holes: *holes, x: eg.find(x[0]) };
        (sum.holes != Holes::NONE || over.is_subset(axes(eg, sum.x))).then_some(sum)
    }
    fn complete(eg: &EGraph, node: &Expr) -> Option<Sum> {
        Sum::of(eg, node).filter(|s| s.holes == Holes::NONE)
    }
    fn over(self, eg: &mut EGraph, x: Id) -> Id {
        make_red(eg, self.over, self.holes, x)
    }
    /// Whether a factor can be taken out.
    fn is_free(self, eg: &EGraph, factor: &Factor) -> bool {
        !axes(eg, factor.0).intersects(self.over)
    }
    /// How many sums `Σ kᵢ·Πfᵢ` would add to the e-graph. Looks up, adds nothing.
    fn new_sums(self, eg: &mut EGraph, terms: &[Vec<Factor>]) -> Option<usize> {
        let mut missing = BTreeSet::new();
        for factors in terms {
            let mut all = Factors::of(eg, Rational::ONE, factors)?;
            if all.coef.is_zero() {
                continue;
            }
            all.list.retain(|f| !self.is_free(eg, f));
            all.list.sort();
            let inside = match all.list[..] {
                [] if self.holes == Holes::NONE => continue,
                [(f, e)] if e.is_one() => Some(f),
                _ => eg.lookup(Expr::prod(all.list.iter().copied())),
            };
            let known = inside.is_some_and(|x| {
                let sum = Expr::Red { over: self.over, holes: self.holes, x: [eg.find(x)] };
                eg.lookup(sum).is_some() || self.holes == Holes::NONE && self.is_centred(eg, x)
            });
            if !known {
                missing.insert(all.list);
            }
        }
        Some(missing.len())
    }
    /// Whether `x` is the user's `y − μ` where `μ = Σ y / len` is in the e-graph. Never built out of the difference.
    fn is_centred(self, eg: &mut EGraph, x: Id) -> bool {
        let differences: Vec<(Id, Id)> = eg[x].nodes.iter().filter_map(difference).collect();
        differences.into_iter().flat_map(|(a, b)| [(a, b), (b, a)]).any(|(y, mean)| {
            if axes(eg, mean).intersects(self.over) {
                return false;
            }
            let Some(sum) = eg.lookup(Expr::Red { over: self.over, holes: self.holes, x: [eg.find(y)] }) else { return false };
            let mut factors = lens(eg, self.over, Rational::MINUS_ONE);
            factors.push((sum, Rational::ONE));
            make_prod(eg, Rational::ONE, &factors).is_some_and(|m| eg.find(m) == eg.find(mean))
        })
    }
}

/// The two terms of a difference that the user wrote.
fn difference(node: &Expr) -> Option<(Id, Id)> {
    match node {
        Expr::Sum { frozen: true, coefs, terms } if terms.len() == 2 => {
            coefs[0].add(coefs[1])?.is_zero().then_some((terms[0], terms[1]))
        }
        _ => None,
    }
}

pub fn hoist(eg: &mut EGraph, _: Id, node: &Expr) -> Found {
    let sum = Sum::of(eg, node)?;
    let (coef, factors) = match views::constant(eg, sum.x) {
        Some(k) => (k, vec![]),
        None => product_view(eg, sum.x).map(|v| (v.coef, v.factors.clone()))?,
    };
    let (mut outside, inside): (Vec<Factor>, Vec<Factor>) = factors.into_iter().partition(|f| sum.is_free(eg, f));
    if outside.is_empty() && coef.is_one() {
        return None;
    }
    let inside = make_prod(eg, Rational::ONE, &inside)?;
    outside.push((sum.over(eg, inside), Rational::ONE));
    Some(vec![make_prod(eg, coef, &outside)?])
}

pub fn constant(eg: &mut EGraph, _: Id, node: &Expr) -> Found {
    let Expr::Red { over, holes: Holes::NONE, x } = node else { return None };
    let missing = *over - axes(eg, x[0]);
    if missing.is_empty() {
        return None;
    }
    let mut factors = lens(eg, missing, Rational::ONE);
    factors.push((make_red(eg, *over - missing, Holes::NONE, x[0]), Rational::ONE));
    Some(vec![make_prod(eg, Rational::ONE, &factors)?])
}

pub fn merge(eg: &mut EGraph, _: Id, node: &Expr) -> Found {
    let sum = Sum::complete(eg, node)?;
    let inner: Vec<(AxisSet, Id)> = eg[sum.x]
        .nodes
        .iter()
        .filter_map(|n| match n {
            Expr::Red { over, holes: Holes::NONE, x } if !over.intersects(sum.over) => Some((*over, x[0])),
            _ => None,
        })
        .collect();
    Some(inner.into_iter().map(|(over, x)| make_red(eg, sum.over | over, Holes::NONE, x)).collect())
}

pub fn linear(eg: &mut EGraph, _: Id, node: &Expr) -> Found {
    let sum = Sum::of(eg, node)?;
    let view = linear_view(eg, sum.x)?;
    let products: Vec<Vec<Factor>> = view.terms.iter().map(|(_, t)| vec![(*t, Rational::ONE)]).collect();
    if sum.new_sums(eg, &products)? > 1 {
        return None;
    }
    let terms: Vec<Term> = view.terms.iter().map(|(k, t)| (*k, sum.over(eg, *t))).collect();
    Some(vec![make_sum(eg, &terms)?])
}

/// Distributes over one factor that is a sum; each such factor gives one result.
pub fn distribute(eg: &mut EGraph, _: Id, node: &Expr) -> Found {
    let sum = Sum::of(eg, node)?;
    let product = product_view(eg, sum.x)?;
    let mut found = vec![];
    for (i, (f, e)) in product.factors.iter().enumerate() {
        let Some(view) = linear_view(eg, *f).filter(|v| e.is_one() && v.terms.len() > 1) else { continue };
        let products: Vec<Vec<Factor>> = view
            .terms
            .iter()
            .map(|(_, t)| {
                let mut product = product.factors.clone();
                product[i].0 = *t;
                product
            })
            .collect();
        if sum.new_sums(eg, &products)? > 1 {
            continue;
        }
        let mut parts = vec![];
        for ((k, _), factors) in view.terms.iter().zip(&products) {
            let x = make_prod(eg, product.coef.mul(*k)?, factors)?;
            parts.push((Rational::ONE, sum.over(eg, x)));
        }
        found.push(make_sum(eg, &parts)?);
    }
    Some(found)
}

/// Takes a factor out of a part of the axes.
pub fn split(eg: &mut EGraph, _: Id, node: &Expr) -> Found {
    let sum = Sum::complete(eg, node)?;
    let view = product_view(eg, sum.x)?;
    let inner: BTreeSet<AxisSet> =
        view.factors.iter().map(|(f, _)| sum.over - axes(eg, *f)).filter(|b| !b.is_empty() && *b != sum.over).collect();
    let mut found = vec![];
    for over in inner {
        let (mut outside, inside): (Vec<Factor>, Vec<Factor>) =
            view.factors.iter().partition(|(f, _)| !axes(eg, *f).intersects(over));
        let inside = make_prod(eg, Rational::ONE, &inside)?;
        outside.push((make_red(eg, over, Holes::NONE, inside), Rational::ONE));
        let x = make_prod(eg, view.coef, &outside)?;
        found.push(make_red(eg, sum.over - over, Holes::NONE, x));
    }
    Some(found)
}

pub fn reuse(eg: &mut EGraph, _: Id, node: &Expr) -> Found {
    let sum = Sum::complete(eg, node)?;
    // sums of the same operand over a part of the axes
    let parts: BTreeSet<AxisSet> = eg[sum.x]
        .parents()
        .filter_map(|p| match eg.id_to_node(p) {
            Expr::Red { over, holes: Holes::NONE, x } if eg.find(x[0]) == sum.x => Some(*over),
            _ => None,
        })
        .filter(|over| over.is_subset(sum.over) && *over != sum.over)
        .collect();
    let mut found = vec![];
    for over in parts {
        let inner = make_red(eg, over, Holes::NONE, sum.x);
        found.push(make_red(eg, sum.over - over, Holes::NONE, inner));
    }
    Some(found)
}

pub fn centred(eg: &mut EGraph, _: Id, node: &Expr) -> Found {
    let sum = Sum::complete(eg, node)?;
    let zero = views::number(eg, Rational::ZERO);
    sum.is_centred(eg, sum.x).then_some(vec![zero])
}
