//! Arithmetic of indices and conditions against every position of small axes.

use super::formula::Stream;
use crate::graph::*;
use crate::plan::Place;
use crate::plan::affine::Arith;

/// The extents of axes A, B and C in different calls.
const CALLS: [[i64; 3]; 4] = [[5, 4, 6], [1, 3, 2], [7, 1, 8], [4, 6, 3]];

struct Maker {
    arith: Arith,
    r: Stream,
}

impl Maker {
    fn new(seed: u64) -> Maker {
        let mut graph = Graph::default();
        for name in ["A", "B", "C"] {
            graph.add_axis(name, None, 8);
        }
        Maker { arith: Arith::new(&graph), r: Stream::new(seed) }
    }
    fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.r.below(list.len())]
    }
    /// A number, or an extent and a little.
    fn int(&mut self, numbers: &[i64]) -> IntId {
        let n = self.one_of(numbers);
        let id = self.arith.ints.constant(n);
        if self.r.unit() < 0.7 {
            return id;
        }
        let axis = AxisId(self.r.below(3) as u8);
        let len = self.arith.ints.axis_len(axis);
        self.arith.ints.add(len, id)
    }
    fn affine(&mut self, axes: &[u8]) -> Affine {
        let count = 1 + self.r.below(2);
        let mut terms: Vec<(AxisId, IntId)> = vec![];
        for _ in 0..count {
            let axis = AxisId(self.one_of(axes));
            let k = self.one_of(&[-2, -1, 1, 1, 1, 2, 3]);
            if terms.iter().all(|(a, _)| *a != axis) {
                terms.push((axis, self.arith.ints.constant(k)));
            }
        }
        terms.sort();
        let parts = [None, None, None, Some(2), Some(3)].map(|d| d.map(|d| self.arith.ints.constant(d)));
        let (div, modulo) = (self.one_of(&parts), self.one_of(&parts));
        Affine { terms, offset: self.int(&[-3, -1, 0, 0, 0, 1, 2]), div, modulo }
    }
    /// `q·A + B` and a map of both: the quotient and the remainder of one index, or nearly so.
    fn split(&mut self) -> (Affine, Vec<(AxisId, Place)>) {
        let [q, one] = [self.one_of(&[2, 3]), 1].map(|n| self.arith.ints.constant(n));
        let offset = self.arith.ints.constant(0);
        let whole = Affine { terms: vec![(AxisId(0), q), (AxisId(1), one)], offset, div: None, modulo: None };
        let u = Affine { div: None, modulo: None, ..self.affine(&[2]) };
        let almost = if self.r.unit() < 0.5 { self.int(&[0, 1]) } else { u.offset };
        let map = vec![
            (AxisId(0), Place::Affine(Affine { div: Some(q), ..u.clone() })),
            (AxisId(1), Place::Affine(Affine { modulo: Some(q), offset: almost, ..u })),
        ];
        (whole, map)
    }
    fn condition(&mut self, axes: &[u8]) -> Condition {
        let e = self.affine(axes);
        if self.r.unit() < 0.3 {
            return Condition::Divides { e: Affine { div: None, modulo: None, ..e }, by: self.arith.ints.constant(2) };
        }
        Condition::Range { e, lo: self.int(&[-4, -1, 0, 0]), hi: self.int(&[0, 1, 2, 4, 9]) }
    }
}

/// A call's extents, and the indices of a position.
#[derive(Clone, Copy)]
struct At<'a> {
    ints: &'a Ints,
    lens: [i64; 3],
    index: [i64; 3],
}

impl At<'_> {
    fn int(&self, id: IntId) -> i64 {
        self.ints.eval(id, &|a| self.lens[a.0 as usize], &|_| 0)
    }
    fn affine(&self, e: &Affine) -> i64 {
        let sum: i64 = e.terms.iter().map(|(a, k)| self.int(*k) * self.index[a.0 as usize]).sum();
        let quotient = (sum + self.int(e.offset)).div_euclid(e.div.map_or(1, |d| self.int(d)));
        e.modulo.map_or(quotient, |m| quotient.rem_euclid(self.int(m)))
    }
    fn holds(&self, list: &[Condition]) -> bool {
        list.iter().all(|c| match c {
            Condition::Range { e, lo, hi } => (self.int(*lo)..self.int(*hi)).contains(&self.affine(e)),
            Condition::Divides { e, by } => self.affine(e).rem_euclid(self.int(*by)) == 0,
        })
    }
    /// Where a map leads from here.
    fn moved(self, map: &[(AxisId, Place)]) -> Self {
        let mut index = self.index;
        for (axis, place) in map {
            let Place::Affine(e) = place else { unreachable!() };
            index[axis.0 as usize] = self.affine(e);
        }
        At { index, ..self }
    }
}

/// Every position of every call.
fn each(ints: &Ints, mut f: impl FnMut(At<'_>)) {
    for lens in CALLS {
        for flat in 0..lens.iter().product() {
            f(At { ints, lens, index: [flat / (lens[1] * lens[2]), flat / lens[2] % lens[1], flat % lens[2]] });
        }
    }
}

#[test]
fn substituted_indices_are_the_same() {
    let (mut found, mut joined) = (0, 0);
    for seed in 0..4000 {
        let mut m = Maker::new(seed);
        let (e, map) = match seed % 3 {
            0 => m.split(),
            _ => (m.affine(&[0, 1]), vec![(AxisId(0), Place::Affine(m.affine(&[1, 2])))]),
        };
        // what may be known of the position: that the division on the way leaves nothing
        let Place::Affine(to) = map[0].1.clone() else { unreachable!() };
        let whole = to.div.map(|by| Condition::Divides { e: Affine { div: None, modulo: None, ..to.clone() }, by });
        let holds: Vec<Condition> = whole.into_iter().filter(|_| seed % 2 == 0).collect();
        let Some(Place::Affine(new)) = m.arith.substitute(&e, &map, &holds) else { continue };
        found += 1;
        joined += usize::from(seed % 3 == 0);
        each(&m.arith.ints, |at| {
            let same = !at.holds(&holds) || at.affine(&new) == at.moved(&map).affine(&e);
            assert!(same, "seed {seed}: {e:?} through {map:?} is {new:?} at {:?} of {:?}", at.index, at.lens);
        });
    }
    assert!(found > 2000 && joined > 300, "{found} of 4000, {joined} split and merged");
}

#[test]
fn conditions_that_are_left_out_hold() {
    let mut left_out = 0;
    for seed in 0..6000 {
        let mut m = Maker::new(seed);
        let list = vec![m.condition(&[0, 1]), m.condition(&[1, 2])];
        let map = if seed % 2 == 0 { vec![] } else { vec![(AxisId(0), Place::Affine(m.affine(&[1, 2])))] };
        let Some(new) = m.arith.conditions(&list, &map, &[]) else { continue };
        left_out += list.len() - new.len();
        each(&m.arith.ints, |at| {
            let same = at.holds(&new) == at.moved(&map).holds(&list);
            assert!(same, "seed {seed}: {list:?} through {map:?} is {new:?} at {:?} of {:?}", at.index, at.lens);
        });
    }
    assert!(left_out > 100, "{left_out} conditions left out");
}

#[test]
fn conditions_that_follow_from_others_do() {
    let mut implied = 0;
    for seed in 0..6000 {
        let mut m = Maker::new(seed);
        let Condition::Range { e, .. } = m.condition(&[0, 1]) else { continue };
        // of one index within several bounds
        let mut bounds = |n: usize| -> Vec<Condition> {
            let one = |m: &mut Maker| Condition::Range { e: e.clone(), lo: m.int(&[-4, -1, 0, 0]), hi: m.int(&[0, 1, 2, 4, 9]) };
            (0..n).map(|_| one(&mut m)).collect()
        };
        let (list, facts) = (bounds(3), bounds(1));
        let least = m.arith.minimal(list.clone(), &facts);
        implied += list.len() - least.len();
        each(&m.arith.ints, |at| {
            let same = !at.holds(&facts) || at.holds(&least) == at.holds(&list);
            assert!(same, "seed {seed}: {list:?} is not {least:?} at {:?} of {:?}", at.index, at.lens);
        });
    }
    assert!(implied > 3000, "{implied} conditions follow");
}
