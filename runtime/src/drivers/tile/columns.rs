//! All entries for one vector of the run before the next: what is folded over them stays in registers.

use super::super::vector::{Vector, Wide};
use super::fold::{Best, Folds};
use super::{Mask, Out, Slot, Tile};

/// # Safety
/// As for [`super::rows::rows`].
#[inline(always)]
pub(super) unsafe fn columns<
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
        const { assert!(size_of::<V::Where>() <= size_of::<Mask>()) };
        let (lanes, entries) = (V::LANES, tile.ranges.len());
        // one comparison waits for the other: two rows side by side do not
        let together = if M + A > 0 { 2 } else { 1 };
        for vector in 0..tile.run.div_ceil(lanes) {
            let last = vector * lanes + lanes > tile.run;
            let at = if last && tile.overlap { tile.run - lanes } else { vector * lanes };
            let inside = at >= tile.common.0 && at + lanes <= tile.common.1;
            let masked = !inside;
            // side by side, whatever their size
            let mask_of = |entry: usize| (tile.masks.as_ptr() as *mut V::Where).add(entry);
            for (entry, range) in tile.ranges.iter().enumerate().take(if masked { entries } else { 0 }) {
                mask_of(entry).write(within::<V>(*range, at));
            }
            // kept apart from the tile, which the compiler must believe to change with every store
            let below = Offsets::<I, W>::below(tile);
            let mut near = [Offsets::of::<V>(tile, 0, at), Offsets::of::<V>(tile, 1, at)];
            for row in (0..tile.rows).step_by(together) {
                let rows = [row, row + 1];
                let two = together == 2 && rows[1] < tile.rows;
                let mut folds = [Folds::<V, K, M, A, P>::new(); 2];
                resume(tile, &mut folds[0], rows[0], at);
                if two {
                    resume(tile, &mut folds[1], rows[1], at);
                }
                // of a pair, the second half of the entries is folded by itself
                let pair = tile.pair.filter(|_| together == 1);
                let mut entry = 0;
                for half in 0..1 + usize::from(pair.is_some()) {
                    let end = pair.filter(|_| half == 0).unwrap_or(entries);
                    let mut fold = folds[half];
                    while entry < end {
                        let ins = tile.ins.as_ptr().add(entry * (I + W));
                        let mask = masked.then(|| mask_of(entry).read());
                        let mut places = [V::num(0.0); A];
                        for i in 0..A {
                            places[i] = V::int(*tile.index_base.get_unchecked(entry * A + i));
                        }
                        let (x, wide) = near[0].load(ins, mask);
                        fold.take(body(x, wide), places, mask);
                        if two {
                            let (x, wide) = near[1].load(ins, mask);
                            folds[1].take(body(x, wide), places, mask);
                        }
                        entry += 1;
                    }
                    folds[half] = fold;
                }
                match pair {
                    Some(_) => leave_pair(tile, &folds, row, at),
                    None => leave(tile, &folds[0], rows[0], at),
                }
                if two {
                    leave(tile, &folds[1], rows[1], at);
                }
                for near in &mut near {
                    near.advance(&below, together as isize);
                }
            }
        }
    }
}

/// The lanes of a vector that lie in a stretch of the run.
#[inline(always)]
fn within<V: Vector>((lo, hi): (usize, usize), at: usize) -> V::Where {
    V::range(lo.saturating_sub(at).min(V::LANES), hi.saturating_sub(at).min(V::LANES))
}

/// How far the operands of one row's vector lie from where an entry's begin, in bytes.
struct Offsets<const I: usize, const W: usize>([isize; I], [isize; W]);

impl<const I: usize, const W: usize> Offsets<I, W> {
    /// # Safety
    /// The tile has as many operands.
    #[inline(always)]
    unsafe fn of<V: Vector>(tile: &Tile, row: usize, at: usize) -> Self {
        let of = |i: usize, size: usize| unsafe {
            ((at & *tile.steps.get_unchecked(i)) * size) as isize + row as isize * *tile.in_rows.get_unchecked(i)
        };
        let (mut near, mut far) = ([0; I], [0; W]);
        for i in 0..I {
            near[i] = of(i, size_of::<V::Elem>());
        }
        for i in 0..W {
            far[i] = of(I + i, 8);
        }
        Offsets(near, far)
    }
    /// How far the next row's lie from one row's.
    ///
    /// # Safety
    /// The tile has as many operands.
    #[inline(always)]
    unsafe fn below(tile: &Tile) -> Self {
        let (mut near, mut far) = ([0; I], [0; W]);
        for i in 0..I {
            near[i] = unsafe { *tile.in_rows.get_unchecked(i) };
        }
        for i in 0..W {
            far[i] = unsafe { *tile.in_rows.get_unchecked(I + i) };
        }
        Offsets(near, far)
    }
    /// Goes on to a later row.
    #[inline(always)]
    fn advance(&mut self, below: &Self, rows: isize) {
        for i in 0..I {
            self.0[i] = self.0[i].wrapping_add(below.0[i].wrapping_mul(rows));
        }
        for i in 0..W {
            self.1[i] = self.1[i].wrapping_add(below.1[i].wrapping_mul(rows));
        }
    }
    /// The operands, in the lanes of a mask if there is one.
    ///
    /// # Safety
    /// The pointers of an entry, as [`Tile`] says.
    #[inline(always)]
    unsafe fn load<V: Vector>(&self, ins: *const *const u8, mask: Option<V::Where>) -> ([V; I], [Wide<V>; W]) {
        let (mut x, mut wide) = ([V::num(0.0); I], [Wide(V::sum_of(0.0)); W]);
        unsafe {
            for i in 0..I {
                let p = (*ins.add(i)).wrapping_offset(self.0[i]) as *const V::Elem;
                x[i] = if let Some(mask) = mask { V::load_where(p, mask) } else { V::load(p) };
            }
            for i in 0..W {
                let p = (*ins.add(I + i)).wrapping_offset(self.1[i]) as *const f64;
                wide[i] = Wide(if let Some(mask) = mask { V::sum_load_where(p, mask) } else { V::sum_load(p) });
            }
        }
        (x, wide)
    }
}

/// Goes on from sums of earlier tiles.
///
/// # Safety
/// There is a slot for each fold.
#[inline(always)]
unsafe fn resume<V: Vector, const K: usize, const M: usize, const A: usize, const P: usize>(
    tile: &Tile,
    folds: &mut Folds<V, K, M, A, P>,
    row: usize,
    at: usize,
) {
    for i in 0..K {
        let slot = unsafe { tile.slots.get_unchecked(i) };
        if slot.resume {
            folds.sums[i] = unsafe { V::sum_load((slot.value.add(row * slot.row) as *const f64).add(at)) };
        }
    }
}

/// Brings the folds of one vector to memory.
///
/// # Safety
/// As for [`columns`].
#[inline(always)]
unsafe fn leave<V: Vector, const K: usize, const M: usize, const A: usize, const P: usize>(
    tile: &Tile,
    folds: &Folds<V, K, M, A, P>,
    row: usize,
    at: usize,
) {
    unsafe {
        for i in 0..K + P {
            let slot = tile.slots.get_unchecked(if i < K { i } else { M + A + i });
            let sum = if i < K { folds.sums[i] } else { folds.prods[i - K] };
            if slot.direct && slot.narrow {
                write(tile, slot, row, at, V::narrow(sum));
            } else {
                write_sum::<V>(tile, slot, row, at, sum);
            }
        }
        for i in 0..M {
            let slot = tile.slots.get_unchecked(K + i);
            write(tile, slot, row, at, folds.maxes[i]);
        }
        for i in 0..A {
            let slot = tile.slots.get_unchecked(K + M + i);
            let best: Best<V> = folds.args[i];
            write(tile, slot, row, at, best.value);
            best.place.store((slot.index.add(row * slot.index_row) as *mut V::Elem).add(at));
        }
    }
}

/// Brings the sums of a pair, whose results lie in turn, to memory.
///
/// # Safety
/// As for [`columns`].
#[inline(always)]
unsafe fn leave_pair<V: Vector, const K: usize, const M: usize, const A: usize, const P: usize>(
    tile: &Tile,
    folds: &[Folds<V, K, M, A, P>; 2],
    row: usize,
    at: usize,
) {
    for i in 0..K {
        unsafe {
            let slot = tile.slots.get_unchecked(i);
            let p = (slot.value.wrapping_add(row.wrapping_mul(slot.row)) as *mut V::Elem).wrapping_add(2 * at);
            let [first, second] = [V::narrow(folds[0].sums[i]), V::narrow(folds[1].sums[i])];
            first.store_in_turn(second, p, tile.keep.saturating_sub(2 * at));
        }
    }
}

/// Writes a vector of results: lines have room behind their end, what is where it belongs has not.
///
/// # Safety
/// As for [`columns`].
#[inline(always)]
unsafe fn write<V: Vector>(tile: &Tile, slot: &Slot, row: usize, at: usize, x: V) {
    unsafe {
        let p = (slot.value.wrapping_add(row.wrapping_mul(slot.row)) as *mut V::Elem).wrapping_add(at);
        if slot.direct && at + V::LANES > tile.keep {
            x.store_range(p, 0, tile.keep.saturating_sub(at));
        } else {
            x.store(p);
        }
    }
}

/// The same for sums.
///
/// # Safety
/// As for [`columns`].
#[inline(always)]
unsafe fn write_sum<V: Vector>(tile: &Tile, slot: &Slot, row: usize, at: usize, sum: V::Sum) {
    unsafe {
        let p = (slot.value.wrapping_add(row.wrapping_mul(slot.row)) as *mut f64).wrapping_add(at);
        if slot.direct && at + V::LANES > tile.keep {
            let mut last = [0.0; 16];
            V::sum_store(sum, last.as_mut_ptr());
            for (i, x) in last.iter().enumerate().take(tile.keep.saturating_sub(at)) {
                // volatile, or it would be a call of memcpy
                p.add(i).write_volatile(*x);
            }
        } else {
            V::sum_store(sum, p);
        }
    }
}
