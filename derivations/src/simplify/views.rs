//! Views of classes as sums and products, and the constructors that keep sums and products flat.
//!
//! A view is one canonical node of a class: fewest non-atomic children, fewest children, order. Constructors flatten
//! through views, fold constants, merge equal terms, drop zeros and sort by id. `None` is an overflow: no rule applies.

use super::analysis::{EGraph, Sign};
use super::language::{Expr, Holes};
use super::rational::Rational;
use crate::graph::{AxisSet, UnaryOp};
use egg::Id;
use std::collections::BTreeMap;

/// A coefficient and a term.
pub type Term = (Rational, Id);
/// A factor and its exponent.
pub type Factor = (Id, Rational);

/// How deep constructors look through views. Deeper terms stay as they are.
const DEPTH: u32 = 10;

pub fn axes(eg: &EGraph, id: Id) -> AxisSet {
    eg[id].data.axes
}
pub fn constant(eg: &EGraph, id: Id) -> Option<Rational> {
    eg[id].data.constant
}
pub fn is_zero(eg: &EGraph, id: Id) -> bool {
    constant(eg, id).is_some_and(Rational::is_zero)
}
pub fn number(eg: &mut EGraph, value: Rational) -> Id {
    eg.add(Expr::Num(value))
}

/// Whether a class is a sum that may be taken apart.
pub fn is_sum(eg: &EGraph, id: Id) -> bool {
    constant(eg, id).is_none() && eg[id].nodes.iter().any(|n| matches!(n, Expr::Sum { frozen: false, .. }))
}
/// Whether a class is a product, or a multiple.
fn is_product(eg: &EGraph, id: Id) -> bool {
    eg[id].nodes.iter().any(|n| match n {
        Expr::Prod { .. } => true,
        Expr::Sum { frozen: false, coefs, .. } => coefs.len() == 1,
        _ => false,
    })
}

/// The class as a sum: its canonical unfrozen sum node.
pub fn linear_view(eg: &EGraph, id: Id) -> Option<Vec<Term>> {
    let id = eg.find(id);
    let mut best: Option<(usize, usize, &Expr)> = None;
    for node in &eg[id].nodes {
        let Expr::Sum { frozen: false, terms, .. } = node else { continue };
        if terms.iter().any(|t| eg.find(*t) == id) {
            continue;
        }
        let key = (terms.iter().filter(|t| is_sum(eg, **t)).count(), terms.len(), node);
        if best.is_none_or(|b| key < b) {
            best = Some(key);
        }
    }
    let node = best?.2;
    eg.analysis.log.view(id, node);
    node.free_terms()
}

/// The class as a coefficient and a product: its canonical product node.
pub fn product_view(eg: &EGraph, id: Id) -> Option<(Rational, Vec<Factor>)> {
    let id = eg.find(id);
    let mut best: Option<(usize, usize, &Expr)> = None;
    for node in &eg[id].nodes {
        let parts: &[Id] = match node {
            Expr::Prod { factors, .. } => factors,
            Expr::Sum { frozen: false, terms, .. } if terms.len() == 1 => terms,
            _ => continue,
        };
        if parts.iter().any(|p| eg.find(*p) == id) {
            continue;
        }
        let key = (parts.iter().filter(|p| is_product(eg, **p)).count(), parts.len(), node);
        if best.is_none_or(|b| key < b) {
            best = Some(key);
        }
    }
    let node = best?.2;
    eg.analysis.log.view(id, node);
    match node {
        Expr::Sum { coefs, terms, .. } => Some((coefs[0], vec![(terms[0], Rational::ONE)])),
        node => Some((Rational::ONE, node.factors()?)),
    }
}

/// The class as a coefficient and factors, itself the only factor if it is no product. Factors are canonical.
pub fn monomial(eg: &EGraph, id: Id) -> (Rational, Vec<Factor>) {
    match (constant(eg, id), product_view(eg, id)) {
        (Some(k), _) => (k, vec![]),
        (_, Some((k, factors))) => (k, factors.into_iter().map(|(f, e)| (eg.find(f), e)).collect()),
        _ => (Rational::ONE, vec![(eg.find(id), Rational::ONE)]),
    }
}

/// Terms by class: what a sum is made of.
struct Terms {
    /// The class of 1: constants are its multiples.
    one: Id,
    coefs: BTreeMap<Id, Rational>,
}

impl Terms {
    fn push(&mut self, eg: &EGraph, coef: Rational, id: Id, depth: u32) -> Option<()> {
        let id = eg.find(id);
        if let Some(k) = constant(eg, id) {
            eg.analysis.log.view(id, &Expr::Num(k));
            return self.insert(coef.mul(k)?, self.one);
        }
        match linear_view(eg, id).filter(|_| depth < DEPTH) {
            Some(terms) => terms.into_iter().try_for_each(|(k, t)| self.push(eg, coef.mul(k)?, t, depth + 1)),
            None => self.insert(coef, id),
        }
    }
    fn insert(&mut self, coef: Rational, id: Id) -> Option<()> {
        let total = self.coefs.entry(id).or_insert(Rational::ZERO);
        *total = total.add(coef)?;
        Some(())
    }
    /// A frozen sum, one of whose terms cancels exactly against another term.
    fn cancelling(&self, eg: &EGraph) -> Option<(Id, Rational, Expr)> {
        for (&id, &coef) in self.coefs.iter().filter(|(_, c)| !c.is_zero()) {
            for node in &eg[id].nodes {
                let Expr::Sum { frozen: true, coefs, terms } = node else { continue };
                for (k, t) in coefs.iter().zip(terms) {
                    let other = self.coefs.get(&eg.find(*t)).copied().unwrap_or(Rational::ZERO);
                    let sum = coef.mul(*k).and_then(|c| c.add(other));
                    if !other.is_zero() && sum.is_some_and(Rational::is_zero) {
                        return Some((id, coef, node.clone()));
                    }
                }
            }
        }
        None
    }
}

/// `Σ kᵢ·fᵢ`, flat: rule `collect_sum`, and `cancel_frozen` inside it.
pub fn make_sum(eg: &mut EGraph, terms: &[Term]) -> Option<Id> {
    let one = number(eg, Rational::ONE);
    let mut all = Terms { one: eg.find(one), coefs: BTreeMap::new() };
    for (k, t) in terms {
        all.push(eg, *k, *t, 0)?;
    }
    if eg.analysis.is_on("cancel_frozen") {
        while let Some((id, coef, node)) = all.cancelling(eg) {
            eg.analysis.log.view(id, &node);
            let Expr::Sum { coefs, terms, .. } = node else { return None };
            all.coefs.remove(&id);
            for (k, t) in coefs.iter().zip(&terms) {
                all.push(eg, coef.mul(*k)?, *t, 0)?;
            }
        }
    }
    let terms = all.coefs.into_iter().filter(|(_, k)| !k.is_zero());
    raw_sum(eg, terms.map(|(t, k)| (k, t)).collect())
}

/// A sum of these very terms: nothing is flattened.
pub fn raw_sum(eg: &mut EGraph, mut terms: Vec<Term>) -> Option<Id> {
    terms.sort_by_key(|(k, t)| (*t, *k));
    match terms[..] {
        [] => return Some(number(eg, Rational::ZERO)),
        [(k, t)] if k.is_one() => return Some(t),
        [(k, t)] => {
            if let Some(value) = constant(eg, t) {
                return Some(number(eg, k.mul(value)?));
            }
        }
        _ => {}
    }
    Some(eg.add(Expr::sum(false, terms)))
}

/// A coefficient and factors by class: what a product is made of.
pub struct Factors {
    pub coef: Rational,
    pub list: Vec<Factor>,
}

impl Factors {
    pub fn of(eg: &EGraph, coef: Rational, factors: &[Factor]) -> Option<Factors> {
        let mut all = Factors { coef, list: vec![] };
        for (f, e) in factors {
            all.push(eg, *f, *e, 0)?;
        }
        all.list.retain(|(_, e)| !e.is_zero());
        Some(all)
    }
    fn push(&mut self, eg: &EGraph, id: Id, exponent: Rational, depth: u32) -> Option<()> {
        let id = eg.find(id);
        if let Some(k) = constant(eg, id) {
            eg.analysis.log.view(id, &Expr::Num(k));
            if k.is_one() {
                return Some(());
            }
            if let Some(power) = k.powi(exponent.n).filter(|_| exponent.is_int()) {
                self.coef = self.coef.mul(power)?;
                return Some(());
            }
        } else if depth < DEPTH
            && let Some((k, factors)) = product_view(eg, id)
        {
            // (k·f·g)ᵉ = kᵉ·fᵉ·gᵉ
            let not_negative = k.is_one() && factors.iter().all(|(f, _)| eg[*f].data.sign >= Sign::NonNeg);
            let power = if exponent.is_int() { k.powi(exponent.n) } else { not_negative.then_some(Rational::ONE) };
            if let Some(power) = power {
                self.coef = self.coef.mul(power)?;
                return factors.into_iter().try_for_each(|(f, e)| self.push(eg, f, e.mul(exponent)?, depth + 1));
            }
        }
        let positive = eg[id].data.sign == Sign::Pos;
        for (f, e) in &mut self.list {
            if *f == id && (positive || e.same_sign(exponent)) {
                *e = e.add(exponent)?;
                return Some(());
            }
        }
        self.list.push((id, exponent));
        Some(())
    }
    /// A factor `sign(x)` and the factor `x` beside it.
    fn sign_pair(&self, eg: &EGraph) -> Option<(usize, usize, Id)> {
        for (i, (f, e)) in self.list.iter().enumerate().filter(|(_, (_, e))| e.is_one()) {
            debug_assert!(e.is_one());
            for node in &eg[*f].nodes {
                let Expr::Unary(UnaryOp::Sign, [x]) = node else { continue };
                let x = eg.find(*x);
                if let Some(j) = self.list.iter().position(|(f, e)| *f == x && e.is_int() && e.n > 0) {
                    return Some((i, j, x));
                }
            }
        }
        None
    }
}

/// `k·Π fᵢ^eᵢ`, flat: rule `collect_prod`, and `abs` inside it.
pub fn make_prod(eg: &mut EGraph, coef: Rational, factors: &[Factor]) -> Option<Id> {
    let mut all = Factors::of(eg, coef, factors)?;
    if all.coef.is_zero() {
        return Some(number(eg, Rational::ZERO));
    }
    if eg.analysis.is_on("abs") {
        while let Some((i, j, x)) = all.sign_pair(eg) {
            all.list[i] = (eg.add(Expr::Unary(UnaryOp::Abs, [x])), Rational::ONE);
            all.list[j].1 = all.list[j].1.add(Rational::MINUS_ONE)?;
            all.list.retain(|(_, e)| !e.is_zero());
        }
    }
    let product = raw_prod(eg, all.list);
    if all.coef.is_one() { Some(product) } else { raw_sum(eg, vec![(all.coef, product)]) }
}

/// A product of these very factors: nothing is flattened.
pub fn raw_prod(eg: &mut EGraph, mut factors: Vec<Factor>) -> Id {
    factors.retain(|(_, e)| !e.is_zero());
    factors.sort();
    match factors[..] {
        [] => number(eg, Rational::ONE),
        [(f, e)] if e.is_one() => f,
        _ => eg.add(Expr::prod(factors)),
    }
}

/// `Σ_over x`.
pub fn make_red(eg: &mut EGraph, over: AxisSet, holes: Holes, x: Id) -> Id {
    if over.is_empty() && holes == Holes::NONE { x } else { eg.add(Expr::Red { over, holes, x: [x] }) }
}

/// The extents of axes, as factors.
pub fn lens(eg: &mut EGraph, axes: AxisSet, exponent: Rational) -> Vec<Factor> {
    axes.iter().map(|a| (eg.add(Expr::Len(a)), exponent)).collect()
}

/// `factors / divisor`, if every factor of the divisor is among them with at least its exponent.
pub fn divide(factors: &[Factor], divisor: &[Factor]) -> Option<Vec<Factor>> {
    let mut rest = factors.to_vec();
    for (f, e) in divisor {
        let at = rest.iter().position(|(g, h)| g == f && h.same_sign(*e) && h.cmp_abs(*e).is_ge())?;
        rest[at].1 = rest[at].1.sub(*e)?;
        rest.retain(|(_, e)| !e.is_zero());
    }
    Some(rest)
}
