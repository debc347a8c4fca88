//! Every entry's stretch of the run in turn, row by row.

use super::super::vector::{Vector, Wide};
use super::fold::{Best, Folds};
use super::{Out, Slot, Tile};

/// Where one entry's operands and outputs of one row lie.
struct Pointers<V: Vector, const I: usize, const W: usize, const O: usize> {
    ins: [*const V::Elem; I],
    wides: [*const f64; W],
    outs: [*mut V::Elem; O],
    in_steps: [usize; I],
    wide_steps: [usize; W],
}

impl<V: Vector, const I: usize, const W: usize, const O: usize> Pointers<V, I, W, O> {
    /// # Safety
    /// The tile has such an entry.
    #[inline(always)]
    unsafe fn of(tile: &Tile, entry: usize, row: usize) -> Self {
        let row = row as isize;
        let (mut ins, mut wides) = ([std::ptr::null(); I], [std::ptr::null(); W]);
        let (mut in_steps, mut wide_steps) = ([0; I], [0; W]);
        let mut outs = [std::ptr::null_mut(); O];
        unsafe {
            let of_row = {
                #[inline(always)]
                |i: usize| tile.ins.get_unchecked(entry * (I + W) + i).wrapping_offset(row * *tile.in_rows.get_unchecked(i))
            };
            for i in 0..I {
                (ins[i], in_steps[i]) = (of_row(i) as *const V::Elem, *tile.steps.get_unchecked(i));
            }
            for i in 0..W {
                (wides[i], wide_steps[i]) = (of_row(I + i) as *const f64, *tile.steps.get_unchecked(I + i));
            }
            for i in 0..O {
                let p = tile.outs.get_unchecked(entry * O + i);
                outs[i] = p.wrapping_offset(row * *tile.out_rows.get_unchecked(i)) as *mut V::Elem;
            }
        }
        Pointers { ins, wides, outs, in_steps, wide_steps }
    }
    /// A whole vector.
    #[inline(always)]
    unsafe fn load(&self, at: usize) -> ([V; I], [Wide<V>; W]) {
        let (mut x, mut wide) = ([V::num(0.0); I], [Wide(V::sum_of(0.0)); W]);
        unsafe {
            for i in 0..I {
                x[i] = V::load(self.ins[i].wrapping_add(at & self.in_steps[i]));
            }
            for i in 0..W {
                wide[i] = Wide(V::sum_load(self.wides[i].wrapping_add(at & self.wide_steps[i])));
            }
        }
        (x, wide)
    }
    /// The lanes below `to`.
    #[inline(always)]
    unsafe fn load_below(&self, at: usize, to: usize) -> ([V; I], [Wide<V>; W]) {
        let (mut x, mut wide) = ([V::num(0.0); I], [Wide(V::sum_of(0.0)); W]);
        unsafe {
            for i in 0..I {
                let p = self.ins[i].wrapping_add(at & self.in_steps[i]);
                x[i] = if self.in_steps[i] == 0 { V::load(p) } else { V::load_range(p, 0, to) };
            }
            for i in 0..W {
                let p = self.wides[i].wrapping_add(at & self.wide_steps[i]);
                wide[i] = Wide(if self.wide_steps[i] == 0 { V::sum_load(p) } else { V::sum_load_range(p, 0, to) });
            }
        }
        (x, wide)
    }
    /// Asks for what the next block will read at the strip of vectors from `at`, which is as long as so many lines of memory;
    /// returns its end.
    #[inline(always)]
    fn fetch_ahead(&self, tile: &Tile, at: usize, end: usize) -> usize {
        const LINES: usize = 8;
        for far in &tile.ahead {
            for line in 0..LINES {
                prefetch(self.outs[0].wrapping_add(at + line * V::LANES).wrapping_byte_offset(*far));
            }
        }
        (at + LINES * V::LANES).min(end)
    }
    /// Stores a whole vector, past the cache if wanted and if it is a line of it.
    #[inline(always)]
    unsafe fn store(&self, at: usize, y: &[V; O], stream: bool) {
        for i in 0..O {
            let p = self.outs[i].wrapping_add(at);
            unsafe { if stream && p as usize & 63 == 0 { y[i].stream(p) } else { y[i].store(p) } }
        }
    }
}

/// # Safety
/// The tile's pointers are valid for what its entries' stretches read and write, as lanes of `V::Elem`.
#[inline(always)]
pub(super) unsafe fn rows<
    V,
    F,
    const I: usize,
    const W: usize,
    const O: usize,
    const K: usize,
    const M: usize,
    const A: usize,
    const P: usize,
>(
    tile: &Tile,
    body: F,
) where
    V: Vector,
    F: Fn([V; I], [Wide<V>; W]) -> Out<V, O, K, M, A, P>,
{
    unsafe {
        let lanes = V::LANES;
        // only vectors of a whole cache line are streamed: not the scalars of an `each`
        let stream = tile.stream && lanes * size_of::<V::Elem>() == 64;
        let entries = tile.ranges.len();
        let slots = tile.slots.as_ptr();
        let simple = A + P == 0 && !tile.slots[K..K + M].iter().any(|slot| slot.line);
        let mut folds = Folds::<V, K, M, A, P>::new();
        let mut lines = Lines::<K>::of(slots, 0);
        let (mut row, mut entry) = (0, 0);
        // one loop over rows and entries: the body has one place
        for _ in 0..entries * tile.rows {
            if entry == 0 {
                folds.begin_row(slots);
                lines = Lines::of(slots, row);
            }
            let (mut at, end) = *tile.ranges.get_unchecked(entry);
            let memory = Pointers::<V, I, W, O>::of(tile, entry, row);
            loop {
                let before = if O > 0 && stream { memory.outs[0].wrapping_add(at) as usize & 63 } else { 0 };
                if simple && before == 0 {
                    // whole vectors of one entry, with nothing to decide
                    while at + lanes <= end {
                        let strip = if O > 0 && stream { memory.fetch_ahead(tile, at, end) } else { end };
                        while at + lanes <= strip {
                            let (x, wide) = memory.load(at);
                            let y = body(x, wide);
                            memory.store(at, &y.store, stream);
                            lines.take::<V>(&mut folds.sums, &y.sum, at);
                            folds.take_maxes(&y.max);
                            at += lanes;
                        }
                    }
                }
                if at >= end {
                    break;
                }
                // up to the first output's cache line, or the end
                let to = (lanes - before / size_of::<V::Elem>()).min(end - at);
                let whole = to == lanes;
                let (x, wide) = if whole { memory.load(at) } else { memory.load_below(at, to) };
                let y = body(x, wide);
                if whole {
                    memory.store(at, &y.store, stream);
                } else {
                    for i in 0..O {
                        y.store[i].store_range(memory.outs[i].wrapping_add(at), 0, to);
                    }
                }
                if K + M + A + P > 0 {
                    take(tile, &mut folds, y, (row, entry, at), to);
                }
                at += to;
            }
            entry += 1;
            if entry == entries {
                leave(slots, &folds, row);
                (row, entry) = (row + 1, 0);
            }
        }
    }
}

/// Brings a line of memory nearer. Any address will do.
#[inline(always)]
fn prefetch<T>(p: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of x86-64, and a prefetch of memory that is not there does nothing
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(p.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = p;
}

/// Where sums of what the run keeps go on, in one row; null for the others.
struct Lines<const K: usize>([*mut f64; K]);

impl<const K: usize> Lines<K> {
    /// # Safety
    /// There is a slot for each sum.
    #[inline(always)]
    unsafe fn of(slots: *const Slot, row: usize) -> Self {
        let mut lines = [std::ptr::null_mut(); K];
        for i in 0..K {
            let slot = unsafe { &*slots.add(i) };
            if slot.line {
                lines[i] = slot.value.wrapping_add(row * slot.row) as *mut f64;
            }
        }
        Lines(lines)
    }
    /// Adds a vector's values, on the line or to what registers hold.
    ///
    /// # Safety
    /// The lines have room there.
    #[inline(always)]
    unsafe fn take<V: Vector>(&self, sums: &mut [V::Sum; K], new: &[V::Sum; K], at: usize) {
        for i in 0..K {
            if self.0[i].is_null() {
                sums[i] = V::sum_add(sums[i], new[i]);
            } else {
                unsafe {
                    let p = self.0[i].add(at);
                    V::sum_store(V::sum_add(V::sum_load(p), new[i]), p);
                }
            }
        }
    }
}

/// Takes in the values of the lanes below `to`: on a line, which is another fold at every position, or in registers.
///
/// # Safety
/// As for [`rows`].
#[inline(always)]
unsafe fn take<V: Vector, const O: usize, const K: usize, const M: usize, const A: usize, const P: usize>(
    tile: &Tile,
    folds: &mut Folds<V, K, M, A, P>,
    y: Out<V, O, K, M, A, P>,
    (row, entry, at): (usize, usize, usize),
    to: usize,
) {
    unsafe {
        let slots = tile.slots.as_ptr();
        let line = |slot: &Slot| slot.value.wrapping_add(row * slot.row);
        let mut from = *folds;
        for i in 0..K + P {
            let slot = &*slots.add(if i < K { i } else { M + A + i });
            let sum = if i < K { &mut from.sums[i] } else { &mut from.prods[i - K] };
            if slot.line {
                *sum = V::sum_load((line(slot) as *const f64).add(at));
            }
        }
        let mut places = [V::num(0.0); A];
        for i in 0..M + A {
            let slot = &*slots.add(K + i);
            if i >= M {
                let base = *tile.index_base.get_unchecked(entry * A + i - M);
                let base = base.wrapping_add(tile.index_rows.get_unchecked(i - M).wrapping_mul(row as u32));
                let base = V::int(base.wrapping_add(slot.index_step.wrapping_mul(at as u32)));
                places[i - M] = V::int_ramp(slot.index_step).int_add(base);
            }
            if slot.line {
                let value = V::load((line(slot) as *const V::Elem).add(at));
                if i < M {
                    from.maxes[i] = value;
                } else {
                    let place = (slot.index.add(row * slot.index_row) as *const V::Elem).add(at);
                    from.args[i - M] = Best::of(value, V::load(place));
                }
            }
        }
        from.take(y, places, Some(V::range(0, to)));
        for i in 0..K + P {
            let slot = &*slots.add(if i < K { i } else { M + A + i });
            let (new, kept) =
                if i < K { (from.sums[i], &mut folds.sums[i]) } else { (from.prods[i - K], &mut folds.prods[i - K]) };
            if slot.line { V::sum_store(new, (line(slot) as *mut f64).add(at)) } else { *kept = new }
        }
        for i in 0..M + A {
            let slot = &*slots.add(K + i);
            let p = (line(slot) as *mut V::Elem).wrapping_add(at);
            match (slot.line, i < M) {
                (true, true) => from.maxes[i].store(p),
                (true, false) => from.args[i - M].store(p, (slot.index.add(row * slot.index_row) as *mut V::Elem).add(at)),
                (false, true) => folds.maxes[i] = from.maxes[i],
                (false, false) => folds.args[i - M] = from.args[i - M],
            }
        }
    }
}

/// Brings what a row's registers hold to memory.
///
/// # Safety
/// There is a slot for each fold.
#[inline(always)]
unsafe fn leave<V: Vector, const K: usize, const M: usize, const A: usize, const P: usize>(
    slots: *const Slot,
    folds: &Folds<V, K, M, A, P>,
    row: usize,
) {
    unsafe {
        for i in 0..K + P {
            let slot = &*slots.add(if i < K { i } else { M + A + i });
            if !slot.line {
                let sum = if i < K { folds.sums[i] } else { folds.prods[i - K] };
                V::sum_store(sum, slot.value.add(row * slot.row) as *mut f64);
            }
        }
        for i in 0..M + A {
            let slot = &*slots.add(K + i);
            if !slot.line {
                let p = slot.value.add(row * slot.row) as *mut V::Elem;
                if i < M {
                    folds.maxes[i].store(p);
                } else {
                    folds.args[i - M].store(p, slot.index.add(row * slot.index_row) as *mut V::Elem);
                }
            }
        }
    }
}
