//! What the vectors of a tile are folded into: registers, while a row or all rows go on.

use super::super::vector::Vector;
use super::{NONE, Out, Slot};

/// The largest value so far and its place: NaN over all, of equals the first.
#[derive(Clone, Copy)]
pub(super) struct Best<V> {
    /// What a value must exceed, or be NaN: `value`, but infinity if that is NaN, and NaN if there is none yet.
    bound: V,
    pub value: V,
    pub place: V,
}

impl<V: Vector> Best<V> {
    #[inline(always)]
    pub(super) fn none() -> Best<V> {
        let none = V::int(NONE);
        Best { bound: none, value: V::num(f64::NEG_INFINITY), place: none }
    }
    /// Goes on from a value and its place, which as a number is NaN if there is none.
    #[inline(always)]
    pub(super) fn of(value: V, place: V) -> Best<V> {
        let none = place.beats(place);
        Best { bound: V::pick(none, place, value.bound()), value, place }
    }
    /// In the lanes of the mask.
    #[inline(always)]
    pub(super) fn or(self, value: V, place: V, within: V::Where) -> Best<V> {
        let wins = value.exceeds(self.bound, within);
        Best {
            bound: V::pick(wins, value.bound(), self.bound),
            value: V::pick(wins, value, self.value),
            place: V::pick(wins, place, self.place),
        }
    }
    /// # Safety
    /// Both have room for a vector.
    #[inline(always)]
    pub(super) unsafe fn store(self, value: *mut V::Elem, place: *mut V::Elem) {
        unsafe {
            self.value.store(value);
            self.place.store(place);
        }
    }
}

/// The larger: NaN over all.
#[inline(always)]
fn larger<V: Vector>(new: V, best: V) -> V {
    V::pick(new.beats(best), new, best)
}

/// The folds of one body, of all its vectors so far.
#[derive(Clone, Copy)]
pub(super) struct Folds<V: Vector, const K: usize, const M: usize, const A: usize, const P: usize> {
    pub sums: [V::Sum; K],
    pub maxes: [V; M],
    pub args: [Best<V>; A],
    pub prods: [V::Sum; P],
}

// by index: iterators over arrays are not always unrolled, which puts them into memory
impl<V: Vector, const K: usize, const M: usize, const A: usize, const P: usize> Folds<V, K, M, A, P> {
    /// Of nothing.
    #[inline(always)]
    pub(super) fn new() -> Self {
        let low = V::num(f64::NEG_INFINITY);
        Folds { sums: [V::sum_of(0.0); K], maxes: [low; M], args: [Best::none(); A], prods: [V::sum_of(1.0); P] }
    }
    /// Begins those anew that every row has its own of.
    ///
    /// # Safety
    /// There is a slot for each.
    #[inline(always)]
    pub(super) unsafe fn begin_row(&mut self, slots: *const Slot) {
        let new = Self::new();
        let each_row = |i: usize| unsafe { (*slots.add(i)).row > 0 };
        for i in 0..K {
            self.sums[i] = if each_row(i) { new.sums[i] } else { self.sums[i] };
        }
        for i in 0..M {
            self.maxes[i] = if each_row(K + i) { new.maxes[i] } else { self.maxes[i] };
        }
        for i in 0..A {
            self.args[i] = if each_row(K + M + i) { new.args[i] } else { self.args[i] };
        }
        for i in 0..P {
            self.prods[i] = if each_row(K + M + A + i) { new.prods[i] } else { self.prods[i] };
        }
    }
    /// Takes in values of all lanes.
    #[inline(always)]
    pub(super) fn take_maxes(&mut self, max: &[V; M]) {
        for i in 0..M {
            self.maxes[i] = larger(max[i], self.maxes[i]);
        }
    }
    /// Takes in a body's values, in the lanes of a mask if there is one.
    #[inline(always)]
    pub(super) fn take<const O: usize>(&mut self, y: Out<V, O, K, M, A, P>, places: [V; A], within: Option<V::Where>) {
        for i in 0..K {
            self.sums[i] = match within {
                Some(m) => V::sum_add_where(self.sums[i], y.sum[i], m),
                None => V::sum_add(self.sums[i], y.sum[i]),
            };
        }
        for i in 0..M {
            let max = within.map_or(y.max[i], |m| V::pick(m, y.max[i], V::num(f64::NEG_INFINITY)));
            self.maxes[i] = larger(max, self.maxes[i]);
        }
        for i in 0..A {
            self.args[i] = self.args[i].or(y.arg[i], places[i], within.unwrap_or_else(|| V::range(0, V::LANES)));
        }
        for i in 0..P {
            let factor = within.map_or(y.prod[i], |m| V::pick(m, y.prod[i], V::num(1.0)));
            self.prods[i] = V::sum_mul(self.prods[i], factor.widen());
        }
    }
}
