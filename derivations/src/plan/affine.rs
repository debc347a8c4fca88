//! Arithmetic of quasi-affine indices: substitution of one into another, where the result is again one.

use super::Place;
use crate::graph::{Affine, AxisId, AxisSet, Condition, Graph, Int, IntId, Ints};
use std::collections::BTreeMap;

/// The integers of a plan, with what is known of extents.
pub(super) struct Arith {
    pub ints: Ints,
    extents: Vec<Option<IntId>>,
    /// The extent of each axis, as an integer.
    lens: Vec<IntId>,
}

/// A sum of products of atoms: extents, host integers, divisions.
type Polynomial = BTreeMap<Vec<IntId>, i64>;

/// `sum += times·more`
fn add(sum: &mut Polynomial, more: Polynomial, times: i64) {
    for (atoms, k) in more {
        let total = sum.entry(atoms).or_insert(0);
        *total = total.wrapping_add(k.wrapping_mul(times));
    }
    sum.retain(|_, k| *k != 0);
}

impl Arith {
    pub fn new(graph: &Graph) -> Arith {
        let mut ints = graph.ints.clone();
        let lens = (0..graph.axes.len()).map(|i| ints.axis_len(AxisId(i as u8))).collect();
        Arith { ints, extents: graph.axes.iter().map(|a| a.extent).collect(), lens }
    }

    fn polynomial(&self, id: IntId) -> Polynomial {
        let combine = |a: IntId, b: IntId, sign: i64| {
            let mut sum = self.polynomial(a);
            add(&mut sum, self.polynomial(b), sign);
            sum
        };
        match self.ints.get(id) {
            Int::Const(0) => Polynomial::new(),
            Int::Const(value) => Polynomial::from([(vec![], value)]),
            Int::Len(axis) => match self.extents.get(axis.0 as usize).copied().flatten() {
                Some(extent) if extent != id => self.polynomial(extent),
                _ => Polynomial::from([(vec![id], 1)]),
            },
            Int::Host(_) | Int::FloorDiv(..) | Int::Gcd(..) => Polynomial::from([(vec![id], 1)]),
            Int::Add(a, b) => combine(a, b, 1),
            Int::Sub(a, b) => combine(a, b, -1),
            Int::Mul(a, b) => {
                let (p, q) = (self.polynomial(a), self.polynomial(b));
                let mut product = Polynomial::new();
                for (x, j) in &p {
                    for (y, k) in &q {
                        let mut atoms: Vec<IntId> = x.iter().chain(y).copied().collect();
                        atoms.sort();
                        let total = product.entry(atoms).or_insert(0);
                        *total = total.wrapping_add(j.wrapping_mul(*k));
                    }
                }
                product.retain(|_, k| *k != 0);
                product
            }
        }
    }

    /// Whether two integers are certainly equal.
    pub fn same(&self, a: IntId, b: IntId) -> bool {
        a == b || self.polynomial(a) == self.polynomial(b)
    }
    fn is(&self, id: IntId, value: i64) -> bool {
        match self.ints.get(id) {
            Int::Const(c) => c == value,
            _ => {
                let p = self.polynomial(id);
                if value == 0 { p.is_empty() } else { p.len() == 1 && p.get(&vec![]) == Some(&value) }
            }
        }
    }
    /// The same integer, as a constant if it is one.
    fn tidy(&mut self, id: IntId) -> IntId {
        if self.ints.as_const(id).is_some() {
            return id;
        }
        let p = self.polynomial(id);
        match p.first_key_value() {
            None => self.ints.constant(0),
            Some((atoms, k)) if p.len() == 1 && atoms.is_empty() => self.ints.constant(*k),
            _ => id,
        }
    }
    fn times(&mut self, a: Option<IntId>, b: Option<IntId>) -> Option<IntId> {
        match (a, b) {
            (Some(a), Some(b)) => Some(self.ints.mul(a, b)),
            (a, b) => a.or(b),
        }
    }
    fn scale(&mut self, e: &Linear, k: IntId) -> Linear {
        let terms = e.terms.iter().map(|(a, c)| (*a, self.ints.mul(k, *c))).collect();
        Linear { terms, offset: self.ints.mul(k, e.offset) }
    }
    fn plus(&mut self, a: &Linear, b: &Linear) -> Linear {
        let mut terms = a.terms.clone();
        for (axis, k) in &b.terms {
            let sum = match terms.get(axis) {
                Some(c) => self.ints.add(*c, *k),
                None => *k,
            };
            let sum = self.tidy(sum);
            if self.is(sum, 0) {
                terms.remove(axis);
            } else {
                terms.insert(*axis, sum);
            }
        }
        let offset = self.ints.add(a.offset, b.offset);
        Linear { terms, offset: self.tidy(offset) }
    }
    fn zero(&mut self) -> Linear {
        Linear { terms: BTreeMap::new(), offset: self.ints.constant(0) }
    }

    /// Whether an index is that of `axis` itself.
    pub fn is_identity(&self, axis: AxisId, e: &Affine) -> bool {
        matches!(&e.terms[..], [(a, k)] if *a == axis && self.is(*k, 1)) && is_plain(e) && self.is(e.offset, 0)
    }

    /// `e` at the position that `map` gives, where the conditions `holds` do; `None` where no [`Place`] says it.
    pub fn substitute(&mut self, e: &Affine, map: &[(AxisId, Place)], holds: &[Condition]) -> Option<Place> {
        if !map.iter().any(|(axis, _)| e.terms.iter().any(|(a, _)| a == axis)) {
            return Some(Place::Affine(self.without_unit_division(e.clone())));
        }
        if let [(axis, _)] = e.terms[..] {
            let loaded = map.iter().find(|(a, place)| *a == axis && matches!(place, Place::Load(_)));
            if let Some((_, place)) = loaded {
                return self.is_identity(axis, e).then(|| place.clone());
            }
        }
        let mut plain = self.zero();
        plain.offset = e.offset;
        let mut divided: Vec<(IntId, Affine)> = vec![];
        for (axis, k) in &e.terms {
            match map.iter().find(|(a, _)| a == axis).map(|(_, place)| place) {
                None => {
                    let term = Linear { terms: BTreeMap::from([(*axis, *k)]), offset: self.ints.constant(0) };
                    plain = self.plus(&plain, &term);
                }
                Some(Place::Affine(f)) if is_plain(f) => {
                    let term = self.scale(&Linear::of(f), *k);
                    plain = self.plus(&plain, &term);
                }
                Some(Place::Affine(f)) => match self.whole_quotient(*k, f, holds) {
                    Some(c) => {
                        let term = self.scale(&Linear::of(f), c);
                        plain = self.plus(&plain, &term);
                    }
                    None => divided.push((*k, f.clone())),
                },
                Some(Place::Load(_)) => return None,
            }
        }
        let plain = self.recombine(plain, &mut divided);
        let closed = self.close(plain, &divided, e.div, e.modulo)?;
        Some(Place::Affine(self.without_unit_division(closed)))
    }
    /// `c` such that `k·⌊u/d⌋ = c·u`: where `d` divides `k`, and `u`.
    fn whole_quotient(&mut self, k: IntId, f: &Affine, holds: &[Condition]) -> Option<IntId> {
        let (Some(d), None) = (f.div, f.modulo) else { return None };
        let divides = |c: &Condition| match c {
            Condition::Divides { e, by } => e.terms == f.terms && self.same(e.offset, f.offset) && self.same(*by, d),
            Condition::Range { .. } => false,
        };
        if !holds.iter().any(divides) {
            return None;
        }
        match (self.ints.as_const(k), self.ints.as_const(d)) {
            (Some(k), Some(d)) if d > 0 && k % d == 0 => Some(self.ints.constant(k / d)),
            _ => self.same(k, d).then(|| self.ints.constant(1)),
        }
    }
    fn without_unit_division(&self, e: Affine) -> Affine {
        let div = e.div.filter(|d| !self.is(*d, 1));
        Affine { div, ..e }
    }

    /// `k·q·⌊u/(d·q)⌋ + k·(⌊u/d⌋ mod q) = k·⌊u/d⌋`: a split that is merged again.
    fn recombine(&mut self, mut plain: Linear, divided: &mut Vec<(IntId, Affine)>) -> Linear {
        'again: loop {
            for high in 0..divided.len() {
                for low in 0..divided.len() {
                    if let Some(joined) = self.join(&divided[high], &divided[low]) {
                        divided[high] = joined;
                        divided.remove(low);
                        continue 'again;
                    }
                }
            }
            break;
        }
        let (whole, rest): (Vec<_>, Vec<_>) = divided.drain(..).partition(|(_, f)| is_plain(f));
        *divided = rest;
        for (k, f) in whole {
            let term = self.scale(&Linear::of(&f), k);
            plain = self.plus(&plain, &term);
        }
        plain
    }
    fn join(&mut self, (kh, high): &(IntId, Affine), (kl, low): &(IntId, Affine)) -> Option<(IntId, Affine)> {
        let q = low.modulo?;
        let div = self.times(low.div, Some(q))?;
        let coefficient = self.ints.mul(*kl, q);
        let fits = high.terms == low.terms
            && self.same(high.offset, low.offset)
            && high.div.is_some_and(|d| self.same(d, div))
            && self.same(*kh, coefficient);
        fits.then(|| {
            let modulo = high.modulo.map(|m| self.ints.mul(m, q));
            (*kl, Affine { modulo, ..low.clone() })
        })
    }

    /// `⌊(plain + Σ k·divided)/div⌋ mod modulo`, where that is one quasi-affine index.
    fn close(&mut self, plain: Linear, divided: &[(IntId, Affine)], div: Option<IntId>, modulo: Option<IntId>) -> Option<Affine> {
        match divided {
            [] => Some(plain.with(div, modulo)),
            // ⌊u/d⌋ + p = ⌊(u + d·p)/d⌋
            [(k, f)] if f.modulo.is_none() && self.is(*k, 1) => {
                let shift = match f.div {
                    Some(d) => self.scale(&plain, d),
                    None => plain,
                };
                let sum = self.plus(&Linear::of(f), &shift);
                let div = self.times(f.div, div);
                Some(sum.with(div, modulo))
            }
            [(k, f)] if plain.terms.is_empty() && self.is(plain.offset, 0) && self.is(*k, 1) && div.is_none() => {
                let inner = f.modulo?;
                modulo.is_none_or(|m| self.same(m, inner)).then(|| f.clone())
            }
            // k·(u mod m) + p ≡ k·u + p (mod m)
            _ if div.is_none() => {
                let outer = modulo?;
                let mut sum = plain;
                for (k, f) in divided {
                    if f.div.is_some() || !f.modulo.is_some_and(|m| self.same(m, outer)) {
                        return None;
                    }
                    let term = self.scale(&Linear::of(f), *k);
                    sum = self.plus(&sum, &term);
                }
                Some(sum.with(None, modulo))
            }
            _ => None,
        }
    }

    /// A condition at the position that `map` gives, where the conditions `holds` do.
    fn condition(&mut self, c: &Condition, map: &[(AxisId, Place)], holds: &[Condition]) -> Option<Condition> {
        match c {
            Condition::Range { e, lo, hi } => match self.substitute(e, map, holds)? {
                Place::Affine(e) => Some(Condition::Range { e, lo: *lo, hi: *hi }),
                Place::Load(_) => None,
            },
            Condition::Divides { e, by } => match self.substitute(e, map, holds)? {
                Place::Affine(e) if is_plain(&e) => Some(Condition::Divides { e, by: *by }),
                Place::Affine(e) if e.modulo.is_none() => {
                    let (lo, hi) = (self.ints.constant(0), self.ints.constant(1));
                    Some(Condition::Range { e: Affine { modulo: Some(*by), ..e }, lo, hi })
                }
                _ => None,
            },
        }
    }
    /// Conditions at the position that `map` gives, without those that always hold.
    pub fn conditions(&mut self, list: &[Condition], map: &[(AxisId, Place)], holds: &[Condition]) -> Option<Vec<Condition>> {
        let mut moved = vec![];
        for c in list {
            let c = self.condition(c, map, holds)?;
            if !self.is_certain(&c) {
                moved.push(c);
            }
        }
        Some(moved)
    }
    /// Whether a condition holds everywhere.
    fn is_certain(&self, c: &Condition) -> bool {
        let constant = |id| self.ints.as_const(id);
        match c {
            Condition::Divides { e, by } => match constant(*by) {
                Some(1) => true,
                Some(by) => e.terms.iter().map(|(_, k)| *k).chain([e.offset]).all(|k| constant(k).is_some_and(|k| k % by == 0)),
                None => false,
            },
            Condition::Range { e, lo, hi } => {
                let from_zero = self.is_at_most(*lo, None);
                let own = match e.terms[..] {
                    [(axis, _)] if from_zero && self.is_identity(axis, e) => self.is_extent_at_most(axis, *hi),
                    _ => false,
                };
                let wrapped = from_zero && e.modulo.is_some_and(|m| self.is_at_most(m, Some(*hi)));
                let fixed = e.terms.is_empty() && is_plain(e);
                let within = |v: i64| constant(*lo).is_some_and(|lo| lo <= v) && constant(*hi).is_some_and(|hi| v < hi);
                own || wrapped || self.is_between(e, *lo, *hi) || fixed && constant(e.offset).is_some_and(within)
            }
        }
    }
    /// Whether `lo ≤ e < hi` at every position of the axes that it reads: by the least and the largest of each term.
    fn is_between(&self, e: &Affine, lo: IntId, hi: IntId) -> bool {
        if !is_plain(e) {
            return false;
        }
        let (mut above, mut below) = (self.polynomial(e.offset), self.polynomial(hi));
        add(&mut above, self.polynomial(lo), -1);
        add(&mut below, self.polynomial(e.offset), -1);
        add(&mut below, Polynomial::from([(vec![], 1)]), -1);
        for (axis, k) in &e.terms {
            let Some(k) = self.ints.as_const(*k) else { return false };
            let mut largest = self.polynomial(self.lens[axis.0 as usize]);
            add(&mut largest, Polynomial::from([(vec![], 1)]), -1);
            if k < 0 {
                add(&mut above, largest, k);
            } else {
                add(&mut below, largest, -k);
            }
        }
        self.is_never_negative(&above) && self.is_never_negative(&below)
    }
    fn is_never_negative(&self, p: &Polynomial) -> bool {
        p.iter().all(|(atoms, k)| *k == 0 || *k > 0 && atoms.iter().all(|a| self.ints.is_nonnegative(*a)))
    }
    /// Whether a condition holds wherever all of `facts` do.
    pub fn is_implied(&self, c: &Condition, facts: &[Condition]) -> bool {
        let Condition::Range { e, lo, hi } = c else { return facts.contains(c) };
        facts.iter().any(|fact| match fact {
            Condition::Range { e: f, lo: from, hi: to } => {
                e == f && (lo == from || self.is_at_most(*lo, Some(*from))) && (hi == to || self.is_at_most(*to, Some(*hi)))
            }
            Condition::Divides { .. } => false,
        })
    }
    /// A conjunction without what follows from `facts` or from its other parts. Sorted.
    pub fn minimal(&self, mut list: Vec<Condition>, facts: &[Condition]) -> Vec<Condition> {
        list.sort();
        list.dedup();
        list.retain(|c| !self.is_implied(c, facts));
        let mut at = 0;
        while at < list.len() {
            let c = list.remove(at);
            if !self.is_implied(&c, &list) {
                list.insert(at, c);
                at += 1;
            }
        }
        list
    }
    /// Whether `a ≤ b` in every call; no `b` is 0.
    fn is_at_most(&self, a: IntId, b: Option<IntId>) -> bool {
        let mut difference = b.map_or_else(Polynomial::new, |b| self.polynomial(b));
        add(&mut difference, self.polynomial(a), -1);
        self.is_never_negative(&difference)
    }
    fn is_extent_at_most(&self, axis: AxisId, hi: IntId) -> bool {
        let sum = self.polynomial(hi);
        // the extent itself, once, and what is not negative
        let own = |atoms: &[IntId]| matches!(atoms, [a] if self.ints.get(*a) == Int::Len(axis));
        let rest = |atoms: &[IntId], k: i64| k >= 0 && atoms.iter().all(|a| self.ints.is_nonnegative(*a));
        let direct = sum.iter().any(|(atoms, k)| own(atoms) && *k > 0) && sum.iter().all(|(atoms, k)| rest(atoms, *k));
        let derived = self.extents.get(axis.0 as usize).copied().flatten();
        direct || derived.is_some_and(|extent| self.is_at_most(extent, Some(hi)))
    }
}

/// Without division and remainder.
pub(super) fn is_plain(e: &Affine) -> bool {
    e.div.is_none() && e.modulo.is_none()
}

/// A plain affine form under construction.
#[derive(Clone)]
struct Linear {
    terms: BTreeMap<AxisId, IntId>,
    offset: IntId,
}

impl Linear {
    /// The dividend of an index.
    fn of(e: &Affine) -> Linear {
        Linear { terms: e.terms.iter().copied().collect(), offset: e.offset }
    }
    fn with(self, div: Option<IntId>, modulo: Option<IntId>) -> Affine {
        Affine { terms: self.terms.into_iter().collect(), offset: self.offset, div, modulo }
    }
}

/// The axes whose indices a map reads.
pub(super) fn map_axes(map: &[(AxisId, Place)]) -> AxisSet {
    map.iter().fold(AxisSet::EMPTY, |set, (_, place)| match place {
        Place::Affine(e) => set | e.axes(),
        Place::Load(_) => set,
    })
}
