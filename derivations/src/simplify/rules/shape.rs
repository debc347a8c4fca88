//! Forms that saturation would flatten again, offered once: factored sums, small coefficients, products that reuse a
//! value of the forward formula. Cost decides between them.

use crate::graph::AxisSet;
use crate::simplify::analysis::EGraph;
use crate::simplify::language::{Expr, Holes};
use crate::simplify::rational::Rational;
use crate::simplify::views::*;
use egg::Id;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A coefficient and factors.
type Monomial = (Rational, Vec<Factor>);

/// A rule's result: the rule, the class, what it equals.
type Instance = (&'static str, Id, Id);

/// Applies all of them. `forward`: the classes of the user's own values. Returns how often each rule changed something.
pub fn apply(eg: &mut EGraph, forward: &[Id]) -> BTreeMap<&'static str, usize> {
    let mut fired = BTreeMap::new();
    each(eg, &mut fired, |eg, class, node, out| {
        factored(eg, class, node, out);
        scaled(eg, class, node, out);
    });
    // products may now flatten through a factored factor
    each(eg, &mut fired, |eg, class, node, out| {
        if let Some(factors) = node.factors() {
            out.extend(make_prod(eg, Rational::ONE, &factors).map(|new| ("collect_prod", class, new)));
        }
    });
    // twice: a refolded product may contain another forward value
    for _ in 0..2 {
        let targets = Targets::of(eg, forward);
        each(eg, &mut fired, |eg, class, node, out| refold(eg, &targets, class, node, out));
    }
    fired
}

/// Calls a rule on a sorted snapshot of all nodes, then makes its results equal to their sources.
fn each(
    eg: &mut EGraph,
    fired: &mut BTreeMap<&'static str, usize>,
    mut rule: impl FnMut(&mut EGraph, Id, &Expr, &mut Vec<Instance>),
) {
    let mut snapshot: Vec<(Id, Expr)> = vec![];
    for class in eg.classes() {
        let movable = class.nodes.iter().filter(|n| matches!(n, Expr::Sum { frozen: false, .. } | Expr::Prod { .. }));
        snapshot.extend(movable.map(|n| (class.id, n.clone())));
    }
    snapshot.sort();
    let mut found = vec![];
    for (class, node) in snapshot {
        let mut new = vec![];
        eg.analysis.log.begin(class, &node);
        rule(eg, class, &node, &mut new);
        new.dedup();
        for (name, _, new) in &new {
            let constant = constant(eg, *new).is_some();
            eg.analysis.log.step(name, *new, constant);
        }
        eg.analysis.log.end();
        found.extend(new);
    }
    for (name, class, new) in found {
        if eg.analysis.is_on(name) && eg.union(class, new) {
            *fired.entry(name).or_default() += 1;
        }
    }
    eg.rebuild();
}

/// How a sum is factored.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    /// The greatest common monomial; then again within the terms that share the most shared factor.
    Horner,
    /// The greatest common monomial only.
    Common,
    /// Over the highest power of each of the user's sums in a denominator; only if something then cancels.
    Denominator,
}

fn factored(eg: &mut EGraph, class: Id, node: &Expr, out: &mut Vec<Instance>) {
    let Some(terms) = node.free_terms().filter(|t| t.len() >= 2) else { return };
    if terms.iter().any(|(_, t)| is_sum(eg, *t)) {
        return;
    }
    let Some(terms) = monomials(eg, &terms) else { return };
    for (name, style) in [("factor", Style::Horner), ("factor", Style::Common), ("common_denominator", Style::Denominator)] {
        if eg.analysis.is_on(name) {
            out.extend(factor(eg, &terms, 0, style).map(|new| (name, class, new)));
        }
    }
}

/// The terms as monomials; `None` if one is 0.
fn monomials(eg: &EGraph, terms: &[Term]) -> Option<Vec<Monomial>> {
    let monomials = terms.iter().map(|(k, t)| {
        let (coef, factors) = monomial(eg, *t);
        let coef = coef.mul(*k)?;
        (!coef.is_zero()).then_some((coef, factors))
    });
    monomials.collect()
}

/// `coef_in`: each coefficient becomes a factor of its product, where it multiplies the smallest ones.
fn scaled(eg: &mut EGraph, class: Id, node: &Expr, out: &mut Vec<Instance>) {
    let Some(terms) = node.free_terms() else { return };
    let Some(terms) = monomials(eg, &terms) else { return };
    if terms.iter().all(|(k, f)| f.is_empty() || k.abs().is_none_or(Rational::is_one)) {
        return;
    }
    let mut parts = vec![];
    for (k, mut factors) in terms {
        match k.abs() {
            Some(size) if !size.is_one() && !factors.is_empty() => {
                factors.push((number(eg, size), Rational::ONE));
                parts.push((k.signum(), raw_prod(eg, factors)));
            }
            _ => parts.push((k, raw_prod(eg, factors))),
        }
    }
    out.extend(raw_sum(eg, parts).map(|new| ("coef_in", class, new)));
}

fn factor(eg: &mut EGraph, terms: &[Monomial], depth: u32, style: Style) -> Option<Id> {
    let mut common = common_factors(terms);
    if style == Style::Denominator {
        add_denominators(eg, terms, &mut common);
        if common.is_empty() {
            return None;
        }
    }
    let content = content(terms)?;
    let rest = quotients(terms, &common, content)?;
    let (parts, grouped) = group(eg, &rest, depth, style)?;
    if common.is_empty() && content.is_one() && !grouped {
        return None;
    }
    let (sum, cancelled) = add_parts(eg, parts)?;
    if style == Style::Denominator && !cancelled {
        return None;
    }
    common.push((sum, Rational::ONE));
    let product = raw_prod(eg, common);
    if content.is_one() { Some(product) } else { raw_sum(eg, vec![(content, product)]) }
}

/// The factors that all terms have, with the smallest exponents.
fn common_factors(terms: &[Monomial]) -> Vec<Factor> {
    let mut common: Vec<Factor> = vec![];
    for (f, e) in &terms[0].1 {
        let shared = terms[1..].iter().try_fold(*e, |least, (_, factors)| {
            let (_, e) = factors.iter().find(|(g, e)| g == f && e.same_sign(least))?;
            Some(if e.cmp_abs(least).is_lt() { *e } else { least })
        });
        if let Some(e) = shared.filter(|_| common.iter().all(|(g, _)| g != f)) {
            common.push((*f, e));
        }
    }
    common
}

/// The most negative power of each of the user's sums.
fn add_denominators(eg: &EGraph, terms: &[Monomial], common: &mut Vec<Factor>) {
    for (f, e) in terms.iter().flat_map(|(_, factors)| factors) {
        let users = eg[*f].nodes.iter().any(|n| matches!(n, Expr::Sum { frozen: true, .. }));
        if !(e.is_negative() && e.is_int() && users) {
            continue;
        }
        match common.iter_mut().find(|(g, _)| g == f) {
            Some((_, least)) if e.n < least.n => *least = *e,
            Some(_) => {}
            None => common.push((*f, *e)),
        }
    }
}

/// The coefficient that all terms share: its size if all sizes are equal, its sign if all are negative.
fn content(terms: &[Monomial]) -> Option<Rational> {
    let first = terms[0].0.abs()?;
    let equal = terms.iter().all(|(k, _)| k.abs() == Some(first));
    let size = if equal { first } else { Rational::ONE };
    if terms.iter().all(|(k, _)| k.is_negative()) { size.neg() } else { Some(size) }
}

/// The terms divided by the common factors and coefficient; exponents may change sign.
fn quotients(terms: &[Monomial], common: &[Factor], content: Rational) -> Option<Vec<Monomial>> {
    let inverse = content.recip()?;
    let quotient = |(k, factors): &Monomial| {
        let mut rest = factors.clone();
        for (f, e) in common {
            match rest.iter_mut().find(|(g, h)| g == f && h.same_sign(*e)) {
                Some((_, h)) => *h = h.sub(*e)?,
                None => rest.push((*f, e.neg()?)),
            }
        }
        rest.retain(|(_, e)| !e.is_zero());
        Some((k.mul(inverse)?, rest))
    };
    terms.iter().map(quotient).collect()
}

/// The terms as parts of a sum; whether those that share a factor were factored in their turn.
fn group(eg: &mut EGraph, terms: &[Monomial], depth: u32, style: Style) -> Option<(Vec<Term>, bool)> {
    const DEPTH: u32 = 4;
    let shared = if style == Style::Horner && depth < DEPTH { most_shared(eg, terms) } else { None };
    let (inside, outside): (Vec<&Monomial>, Vec<&Monomial>) =
        terms.iter().partition(|(_, factors)| factors.iter().any(|(f, _)| Some(*f) == shared));
    let mut parts = vec![];
    let split = inside.len() >= 2 && !outside.is_empty();
    let rest = if split {
        let inside: Vec<Monomial> = inside.into_iter().cloned().collect();
        parts.push((Rational::ONE, factor(eg, &inside, depth + 1, style)?));
        outside
    } else {
        terms.iter().collect()
    };
    for (k, factors) in rest {
        parts.push((*k, make_prod(eg, Rational::ONE, factors)?));
    }
    Some((parts, split))
}

/// The factor that most terms have, if two do: of those the largest.
fn most_shared(eg: &EGraph, terms: &[Monomial]) -> Option<Id> {
    let mut count: BTreeMap<Id, usize> = BTreeMap::new();
    for (f, _) in terms.iter().flat_map(|(_, factors)| factors) {
        if !axes(eg, *f).is_empty() {
            *count.entry(*f).or_default() += 1;
        }
    }
    count.into_iter().filter(|(_, n)| *n >= 2).max_by_key(|(f, n)| (*n, axes(eg, *f).len(), Reverse(*f))).map(|(f, _)| f)
}

/// The sum of the parts as they are; whether terms cancel when it is flattened.
fn add_parts(eg: &mut EGraph, parts: Vec<Term>) -> Option<(Id, bool)> {
    let flat = make_sum(eg, &parts)?;
    let count = parts.len();
    let raw = raw_sum(eg, parts)?;
    if eg.find(flat) == eg.find(raw) {
        return Some((raw, false));
    }
    let left = if constant(eg, flat).is_some() { 1 } else { linear_view(eg, flat).map_or(1, |v| v.terms.len()) };
    if left >= count {
        return Some((raw, false));
    }
    eg.union(raw, flat);
    Some((raw, true))
}

/// The products that a larger product may contain.
struct Targets {
    /// A class and its factors.
    list: Vec<(Id, Vec<Factor>)>,
    /// Which of the list have a factor.
    by_factor: BTreeMap<Id, Vec<usize>>,
}

impl Targets {
    /// The user's own products, and `1/√v` for every root in a denominator: values that the forward call has or can keep.
    fn of(eg: &mut EGraph, forward: &[Id]) -> Targets {
        let mut classes: Vec<Id> = forward.iter().map(|id| eg.find(*id)).collect();
        classes.sort();
        classes.dedup();
        let mut list: Vec<(Id, Vec<Factor>)> = vec![];
        for class in classes {
            let (coef, factors) = monomial(eg, class);
            if coef.is_one() && !factors.iter().any(|(f, _)| *f == class) && !factors.is_empty() {
                list.push((class, factors));
            }
        }
        let mut roots: Vec<Id> = vec![];
        for class in eg.classes() {
            for (f, e) in class.nodes.iter().filter_map(Expr::factors).flatten() {
                if e.d == 2 && e.is_negative() {
                    roots.push(eg.find(f));
                }
            }
        }
        roots.sort();
        roots.dedup();
        for root in roots {
            let factor = (root, Rational::halves(-1));
            let class = raw_prod(eg, vec![factor]);
            let class = eg.find(class);
            if list.iter().all(|(known, _)| *known != class) {
                list.push((class, vec![factor]));
            }
        }
        let mut by_factor: BTreeMap<Id, Vec<usize>> = BTreeMap::new();
        for (i, (_, factors)) in list.iter().enumerate() {
            for (f, _) in factors {
                by_factor.entry(*f).or_default().push(i);
            }
        }
        Targets { list, by_factor }
    }
    /// Those that share a factor with a product or with a sum inside it.
    fn sharing(&self, factors: &[Factor]) -> Vec<usize> {
        let mut all: Vec<usize> = factors.iter().filter_map(|(f, _)| self.by_factor.get(f)).flatten().copied().collect();
        all.sort();
        all.dedup();
        all
    }
}

fn refold(eg: &mut EGraph, targets: &Targets, class: Id, node: &Expr, out: &mut Vec<Instance>) {
    let Some(factors) = node.factors() else { return };
    let factors: Vec<Factor> = factors.into_iter().map(|(f, e)| (eg.find(f), e)).collect();
    if factors.iter().any(|(f, _)| is_zero(eg, *f)) {
        return;
    }
    let sums = inner_sums(eg, &factors);
    for i in targets.sharing(&factors) {
        let (target, parts) = &targets.list[i];
        if *target == eg.find(class) || factors.iter().any(|(f, _)| f == target) {
            continue;
        }
        if let Some(rest) = fold_power(&factors, *target, parts) {
            out.push(("refold", class, raw_prod(eg, rest)));
        } else if parts.len() >= 2 {
            for sum in &sums {
                out.extend(refold_sum(eg, sum, *target, parts).map(|new| ("refold_red", class, new)));
            }
        }
    }
}

/// The product with the highest power of the target that it contains made one factor; of a root its reciprocal's, too.
fn fold_power(factors: &[Factor], target: Id, parts: &[Factor]) -> Option<Vec<Factor>> {
    let fold = |parts: &[Factor], sign: i64| {
        let powers = parts.iter().map(|(f, e)| {
            let (_, h) = factors.iter().find(|(g, h)| g == f && h.same_sign(*e))?;
            h.abs()?.mul(e.abs()?.recip()?).map(|times| times.n / times.d)
        });
        let power = powers.min().flatten().filter(|n| *n > 0)?;
        let exponent = Rational::int(power);
        let all = parts.iter().map(|(f, e)| Some((*f, e.mul(exponent)?))).collect::<Option<Vec<Factor>>>()?;
        let mut rest = divide(factors, &all)?;
        rest.push((target, Rational::int(sign * power)));
        Some(rest)
    };
    fold(parts, 1).or_else(|| match parts {
        [(f, e)] if e.d == 2 => fold(&[(*f, e.neg()?)], -1),
        _ => None,
    })
}

/// A sum that is a factor of a product.
struct InnerSum {
    over: AxisSet,
    holes: Holes,
    inside: Vec<Factor>,
    /// The other factors.
    beside: Vec<Factor>,
}

fn inner_sums(eg: &EGraph, factors: &[Factor]) -> Vec<InnerSum> {
    let mut sums = vec![];
    for (i, (f, _)) in factors.iter().enumerate().filter(|(_, (_, e))| e.is_one()) {
        for node in &eg[*f].nodes {
            let Expr::Red { over, holes, x } = node else { continue };
            let (coef, inside) = monomial(eg, x[0]);
            if coef.is_one() {
                let mut beside = factors.to_vec();
                beside.remove(i);
                sums.push(InnerSum { over: *over, holes: *holes, inside, beside });
            }
        }
    }
    sums
}

/// `Z⁻¹·Σ_A g·e → Σ_A g·y` where `y = e·Z⁻¹`: a part of the target is inside a sum, the rest beside it.
fn refold_sum(eg: &mut EGraph, sum: &InnerSum, target: Id, parts: &[Factor]) -> Option<Id> {
    let (bound, free): (Vec<Factor>, Vec<Factor>) = parts.iter().partition(|(f, _)| axes(eg, *f).intersects(sum.over));
    if bound.is_empty() || free.is_empty() {
        return None;
    }
    let mut inside = divide(&sum.inside, &bound)?;
    let mut rest = divide(&sum.beside, &free)?;
    inside.push((target, Rational::ONE));
    let x = raw_prod(eg, inside);
    rest.push((make_red(eg, sum.over, sum.holes, x), Rational::ONE));
    Some(raw_prod(eg, rest))
}
