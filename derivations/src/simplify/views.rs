//! Views of classes as sums and products, and the constructors that keep sums and products flat.
//!
//! A view is one canonical node of a class: fewest non-atomic children, fewest children, order. Constructors flatten
//! through views, fold constants, merge equal terms, drop zeros and sort by id. `None` is an overflow: no rule applies.

use super::analysis::{EGraph, Sign};
use super::language::{Expr, Holes};
use super::log::View;
use super::rational::Rational;
use crate::graph::{AxisSet, UnaryOp};
use egg::Id;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A coefficient and a term.
pub type Term = (Rational, Id);
/// A factor and its exponent.
pub type Factor = (Id, Rational);

/// How deep constructors look through views. Deeper terms stay as they are.
const DEPTH: usize = 10;

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

/// Whether a class is `k·of`, or a power of it: then `of` is the simpler one, and is not to be viewed through it.
fn is_multiple(eg: &EGraph, id: Id, of: Id) -> bool {
    eg[id].nodes.iter().any(|n| match n {
        Expr::Sum { frozen: false, terms: x, .. } | Expr::Prod { factors: x, .. } => x.len() == 1 && eg.find(x[0]) == of,
        _ => false,
    })
}

/// Whether a class can be viewed through these others: none is the class itself, or made of it alone.
fn is_simpler(eg: &EGraph, id: Id, parts: &[Id]) -> bool {
    parts.iter().all(|p| eg.find(*p) != id && !is_multiple(eg, *p, id))
}

/// A class as a sum.
pub struct SumView {
    pub node: Expr,
    pub terms: Vec<Term>,
}

/// A class as a coefficient and a product.
pub struct ProductView {
    pub node: Expr,
    pub coef: Rational,
    pub factors: Vec<Factor>,
}

/// The views of classes, by number, as they were after so many unions: a union may change any of them, nothing else does.
#[derive(Default)]
pub struct Memo {
    sums: Slots<SumView>,
    products: Slots<ProductView>,
}

/// When each view was taken, and the view, if there is one.
type Slots<T> = Vec<Option<(u64, Option<Rc<T>>)>>;

impl Memo {
    fn read<T>(slots: &Slots<T>, id: Id, unions: u64) -> Option<Option<Rc<T>>> {
        match slots.get(usize::from(id)) {
            Some(Some((at, view))) if *at == unions => Some(view.clone()),
            _ => None,
        }
    }
    fn write<T>(slots: &mut Slots<T>, id: Id, unions: u64, view: Option<Rc<T>>) {
        let at = usize::from(id);
        if slots.len() <= at {
            slots.resize_with(at + 1, || None);
        }
        slots[at] = Some((unions, view));
    }
}

/// The class as a sum: its canonical unfrozen sum node.
pub fn linear_view(eg: &EGraph, id: Id) -> Option<Rc<SumView>> {
    let id = eg.find(id);
    let facts = &eg.analysis;
    let known = Memo::read(&facts.memo.borrow().sums, id, facts.unions.get());
    let view = known.unwrap_or_else(|| {
        let view = canonical_sum(eg, id).and_then(|n| Some(Rc::new(SumView { node: n.clone(), terms: n.free_terms()? })));
        Memo::write(&mut facts.memo.borrow_mut().sums, id, facts.unions.get(), view.clone());
        view
    })?;
    facts.log.view(id, || View::Sum(view.clone()));
    Some(view)
}

fn canonical_sum<'a>(eg: &'a EGraph, id: Id) -> Option<&'a Expr> {
    let candidates = eg[id].nodes.iter().filter_map(|node| match node {
        Expr::Sum { frozen: false, terms, .. } if is_simpler(eg, id, terms) => Some((&**terms, node)),
        _ => None,
    });
    fewest(eg, candidates, is_sum)
}

/// The node with the fewest parts that can be taken apart in their turn, then the fewest parts, then in order.
fn fewest<'a>(
    eg: &EGraph,
    candidates: impl Iterator<Item = (&'a [Id], &'a Expr)>,
    divisible: fn(&EGraph, Id) -> bool,
) -> Option<&'a Expr> {
    let candidates: Vec<_> = candidates.collect();
    match candidates[..] {
        [(_, node)] => Some(node),
        _ => {
            let key =
                |(parts, node): &(&'a [Id], &'a Expr)| (parts.iter().filter(|p| divisible(eg, **p)).count(), parts.len(), *node);
            candidates.iter().map(key).min().map(|(_, _, node)| node)
        }
    }
}

/// The class as a coefficient and a product: its canonical product node.
pub fn product_view(eg: &EGraph, id: Id) -> Option<Rc<ProductView>> {
    let id = eg.find(id);
    let facts = &eg.analysis;
    let known = Memo::read(&facts.memo.borrow().products, id, facts.unions.get());
    let view = known.unwrap_or_else(|| {
        let view = canonical_product(eg, id).and_then(|node| {
            let (coef, factors) = match node {
                Expr::Sum { coefs, terms, .. } => (coefs[0], vec![(eg.find(terms[0]), Rational::ONE)]),
                node => (Rational::ONE, node.factors()?.into_iter().map(|(f, e)| (eg.find(f), e)).collect()),
            };
            Some(Rc::new(ProductView { node: node.clone(), coef, factors }))
        });
        Memo::write(&mut facts.memo.borrow_mut().products, id, facts.unions.get(), view.clone());
        view
    })?;
    facts.log.view(id, || View::Product(view.clone()));
    Some(view)
}

fn canonical_product<'a>(eg: &'a EGraph, id: Id) -> Option<&'a Expr> {
    let candidates = eg[id].nodes.iter().filter_map(|node| {
        let parts = match node {
            Expr::Prod { factors, .. } => factors,
            Expr::Sum { frozen: false, terms, .. } if terms.len() == 1 => terms,
            _ => return None,
        };
        is_simpler(eg, id, parts).then_some((&**parts, node))
    });
    fewest(eg, candidates, is_product)
}

/// The class as a coefficient and factors, itself the only factor if it is no product. Factors are canonical.
pub fn monomial(eg: &EGraph, id: Id) -> (Rational, Vec<Factor>) {
    match (constant(eg, id), product_view(eg, id)) {
        (Some(k), _) => (k, vec![]),
        (_, Some(view)) => (view.coef, view.factors.clone()),
        _ => (Rational::ONE, vec![(eg.find(id), Rational::ONE)]),
    }
}

/// Terms by class: what a sum is made of.
struct Terms {
    /// The class of 1: constants are its multiples.
    one: Id,
    coefs: BTreeMap<Id, Rational>,
    /// The classes that are being looked through.
    path: Vec<Id>,
    /// The frozen sums that were taken apart. Terms of one may be views that hold it again: once is enough.
    opened: Vec<Id>,
}

impl Terms {
    fn push(&mut self, eg: &EGraph, coef: Rational, id: Id) -> Option<()> {
        let id = eg.find(id);
        if let Some(k) = constant(eg, id) {
            eg.analysis.log.view(id, || View::Node(Expr::Num(k)));
            return self.insert(coef.mul(k)?, self.one);
        }
        let cyclic = |view: &SumView| view.terms.iter().any(|(_, t)| self.path.contains(&eg.find(*t)));
        let view = if self.path.len() < DEPTH { linear_view(eg, id).filter(|v| !cyclic(v)) } else { None };
        let Some(view) = view else { return self.insert(coef, id) };
        self.path.push(id);
        let done = view.terms.iter().try_for_each(|(k, t)| self.push(eg, coef.mul(*k)?, *t));
        self.path.pop();
        done
    }
    fn insert(&mut self, coef: Rational, id: Id) -> Option<()> {
        let total = self.coefs.entry(id).or_insert(Rational::ZERO);
        *total = total.add(coef)?;
        Some(())
    }
    /// A frozen sum, one of whose terms cancels exactly against another term.
    fn cancelling(&self, eg: &EGraph) -> Option<(Id, Rational, Expr)> {
        for (&id, &coef) in self.coefs.iter().filter(|(id, c)| !c.is_zero() && !self.opened.contains(id)) {
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
    let mut all = Terms { one: eg.find(one), coefs: BTreeMap::new(), path: vec![], opened: vec![] };
    for (k, t) in terms {
        all.push(eg, *k, *t)?;
    }
    if eg.analysis.is_on("cancel_frozen") {
        while let Some((id, coef, node)) = all.cancelling(eg) {
            eg.analysis.log.view(id, || View::Node(node.clone()));
            let Expr::Sum { coefs, terms, .. } = node else { return None };
            all.opened.push(id);
            all.coefs.remove(&id);
            for (k, t) in coefs.iter().zip(&terms) {
                all.push(eg, coef.mul(*k)?, *t)?;
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
    /// The classes that are being looked through.
    path: Vec<Id>,
}

impl Factors {
    pub fn of(eg: &EGraph, coef: Rational, factors: &[Factor]) -> Option<Factors> {
        let mut all = Factors { coef, list: vec![], path: vec![] };
        for (f, e) in factors {
            all.push(eg, *f, *e)?;
        }
        all.list.retain(|(_, e)| !e.is_zero());
        Some(all)
    }
    fn push(&mut self, eg: &EGraph, id: Id, exponent: Rational) -> Option<()> {
        let id = eg.find(id);
        if let Some(k) = constant(eg, id) {
            eg.analysis.log.view(id, || View::Node(Expr::Num(k)));
            if k.is_one() {
                return Some(());
            }
            if let Some(power) = k.powi(exponent.n).filter(|_| exponent.is_int()) {
                self.coef = self.coef.mul(power)?;
                return Some(());
            }
            return self.insert(eg, id, exponent);
        }
        let Some((k, view)) = self.view(eg, id, exponent) else { return self.insert(eg, id, exponent) };
        self.coef = self.coef.mul(k)?;
        self.path.push(id);
        let done = view.factors.iter().try_for_each(|(f, e)| self.push(eg, *f, e.mul(exponent)?));
        self.path.pop();
        done
    }
    /// A class as factors, if its power is their powers' product: `(k·f·g)ᵉ = kᵉ·fᵉ·gᵉ`. Returns `kᵉ` and the view.
    fn view(&self, eg: &EGraph, id: Id, exponent: Rational) -> Option<(Rational, Rc<ProductView>)> {
        if self.path.len() >= DEPTH {
            return None;
        }
        let view = product_view(eg, id)?;
        if view.factors.iter().any(|(f, _)| self.path.contains(&eg.find(*f))) {
            return None;
        }
        let not_negative = || view.coef.is_one() && view.factors.iter().all(|(f, _)| eg[*f].data.sign >= Sign::NonNeg);
        let power = if exponent.is_int() { view.coef.powi(exponent.n)? } else { not_negative().then_some(Rational::ONE)? };
        Some((power, view))
    }
    fn insert(&mut self, eg: &EGraph, id: Id, exponent: Rational) -> Option<()> {
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
        for (i, (f, _)) in self.list.iter().enumerate().filter(|(_, (_, e))| e.is_one()) {
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
