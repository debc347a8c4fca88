//! The only loop over lanes that contains a body: one tile of a sweep.
//!
//! A tile is a list of entries, each a stretch of the run with its own pointers. By rows, every entry's stretch is
//! walked in turn; by columns, all entries are visited for one vector of the run before the next, so that what is
//! reduced over the entries stays in registers. There is one call site of the body: it is inlined into the function
//! that has the instruction set's features.

use super::isa::Job;
use super::vector::{Summand, Vector, Wide};
use std::cell::Cell;

/// "No winner yet", in the lanes of indices; read as a float it is NaN, which no index of fewer than 2³¹ positions is.
pub(crate) const NONE: u32 = u32::MAX;

/// Where the fold of one value ends up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    /// By rows: an array of lanes, or with `line` one element per position of the run that is added to.
    /// By columns: one element per position of the run.
    pub value: *mut u8,
    /// How far the results of the next row lie, in bytes; 0: one result for all rows.
    pub row: usize,
    /// The same for indices (arg forms).
    pub index: *mut u8,
    pub index_row: usize,
    /// By rows: the run is kept, so results go to memory at each visit.
    pub line: bool,
    /// By columns: continue from what `value` holds.
    pub resume: bool,
    /// By columns: `value` is where results belong, of which no more are written than there are; sums as lanes if `narrow`.
    pub direct: bool,
    pub narrow: bool,
    /// How much the index grows along the run (arg forms).
    pub index_step: u32,
}

/// One tile, prepared by the driver: the same entries for a number of rows, which differ by equal steps.
/// All lists are flat: those by entry have the operands (or outputs …) innermost.
pub(crate) struct Tile {
    pub rows: usize,
    /// The stretch that every entry covers.
    pub common: (usize, usize),
    pub columns: bool,
    pub run: usize,
    /// How many positions of the run exist.
    pub keep: usize,
    /// Of each entry: the stretch of the run.
    pub ranges: Vec<(usize, usize)>,
    /// By entry and operand: where position 0 of the run lies. Wide operands, of `f64`, come last.
    pub ins: Vec<*const u8>,
    /// How far the next row's lies, in bytes.
    pub in_rows: Vec<isize>,
    /// By operand: `usize::MAX` if it varies along the run, 0 if it is one number in every lane.
    pub steps: Vec<usize>,
    /// By entry and output.
    pub outs: Vec<*mut u8>,
    pub out_rows: Vec<isize>,
    /// Write past the cache where the address allows.
    pub stream: bool,
    /// Sums, then maxima, then arg forms, then products.
    pub slots: Vec<Slot>,
    /// By entry and arg form: the index at position 0 of the run.
    pub index_base: Vec<u32>,
    /// By arg form: how much it grows from row to row.
    pub index_rows: Vec<u32>,
    /// By columns, for the loop: by entry and operand where it reads now, and by entry the lanes of one vector.
    pub cursors: Vec<Cell<*const u8>>,
    pub lanes: Vec<Cell<(usize, usize)>>,
}

impl Tile {
    /// Without entries.
    pub(crate) fn new(rows: usize, columns: bool, run: usize) -> Tile {
        let (ranges, ins, in_rows, steps, outs, out_rows) = (vec![], vec![], vec![], vec![], vec![], vec![]);
        let (slots, index_base, index_rows, cursors, lanes) = (vec![], vec![], vec![], vec![], vec![]);
        let (common, keep, stream) = ((0, 0), run, false);
        Tile {
            rows,
            common,
            columns,
            run,
            keep,
            ranges,
            ins,
            in_rows,
            steps,
            outs,
            out_rows,
            stream,
            slots,
            index_base,
            index_rows,
            cursors,
            lanes,
        }
    }
}

/// What a body computes at each position, by what becomes of it.
#[derive(Clone, Copy)]
pub struct Out<V: Vector, const O: usize, const K: usize, const M: usize, const A: usize, const P: usize> {
    store: [V; O],
    sum: [V::Sum; K],
    max: [V; M],
    arg: [V; A],
    prod: [V; P],
}

impl<V: Vector, const O: usize> Out<V, O, 0, 0, 0, 0> {
    /// Values to be written.
    #[inline(always)]
    pub fn store(store: [V; O]) -> Self {
        Out { store, sum: [], max: [], arg: [], prod: [] }
    }
}
impl<V: Vector, const O: usize, const M: usize, const A: usize, const P: usize> Out<V, O, 0, M, A, P> {
    /// Values to be summed.
    #[inline(always)]
    pub fn sum<S: Summand<V>, const K: usize>(self, values: [S; K]) -> Out<V, O, K, M, A, P> {
        let Out { store, max, arg, prod, .. } = self;
        let mut sum = [V::sum_of(0.0); K];
        for i in 0..K {
            sum[i] = values[i].summand();
        }
        Out { store, sum, max, arg, prod }
    }
}
impl<V: Vector, const O: usize, const K: usize, const A: usize, const P: usize> Out<V, O, K, 0, A, P> {
    /// Values whose maximum is taken.
    #[inline(always)]
    pub fn max<const M: usize>(self, max: [V; M]) -> Out<V, O, K, M, A, P> {
        let Out { store, sum, arg, prod, .. } = self;
        Out { store, sum, max, arg, prod }
    }
}
impl<V: Vector, const O: usize, const K: usize, const M: usize, const P: usize> Out<V, O, K, M, 0, P> {
    /// Values whose maximum and its place are taken.
    #[inline(always)]
    pub fn argmax<const A: usize>(self, arg: [V; A]) -> Out<V, O, K, M, A, P> {
        let Out { store, sum, max, prod, .. } = self;
        Out { store, sum, max, arg, prod }
    }
}
impl<V: Vector, const O: usize, const K: usize, const M: usize, const A: usize> Out<V, O, K, M, A, 0> {
    /// Values to be multiplied.
    #[inline(always)]
    pub fn prod<const P: usize>(self, prod: [V; P]) -> Out<V, O, K, M, A, P> {
        let Out { store, sum, max, arg, .. } = self;
        Out { store, sum, max, arg, prod }
    }
}

/// A tile and the body to run on it.
pub(crate) struct TileJob<
    't,
    F,
    V,
    const I: usize,
    const W: usize,
    const O: usize,
    const K: usize,
    const M: usize,
    const A: usize,
    const P: usize,
> {
    pub tile: &'t Tile,
    pub body: F,
    pub marker: std::marker::PhantomData<V>,
}

impl<V, F, const I: usize, const W: usize, const O: usize, const K: usize, const M: usize, const A: usize, const P: usize> Job
    for TileJob<'_, F, V, I, W, O, K, M, A, P>
where
    V: Vector,
    F: Fn([V; I], [Wide<V>; W]) -> Out<V, O, K, M, A, P>,
{
    #[inline(always)]
    fn go(self) {
        // SAFETY: the driver's tile is valid, see `Tile`
        unsafe {
            if O == 0 && K + M + A + P > 0 && self.tile.columns {
                columns::<V, F, I, W, O, K, M, A, P>(self.tile, self.body)
            } else {
                rows::<V, F, I, W, O, K, M, A, P>(self.tile, self.body)
            }
        }
    }
}

/// # Safety
/// The tile's pointers are valid for what its entries' stretches read and write, as lanes of `V::Elem`.
#[inline(always)]
unsafe fn rows<
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
        let stride = I + W;
        let steps = tile.steps.as_ptr();
        let slots = tile.slots.as_ptr();
        let (zero, low) = (V::num(0.0), V::num(f64::NEG_INFINITY));
        let (mut sums, mut prods, mut maxes) = ([V::sum_of(0.0); K], [V::sum_of(1.0); P], [low; M]);
        let mut args = [(low, V::int(NONE)); A];
        let mut ramps = [zero; A];
        for i in 0..A {
            ramps[i] = V::int_ramp((*slots.add(K + M + i)).index_step);
        }
        let (mut ins, mut wides) = ([std::ptr::null::<V::Elem>(); I], [std::ptr::null::<f64>(); W]);
        let (mut in_steps, mut wide_steps) = ([0; I], [0; W]);
        for i in 0..I {
            in_steps[i] = *steps.add(i);
        }
        for i in 0..W {
            wide_steps[i] = *steps.add(I + i);
        }
        let mut outs = [std::ptr::null_mut::<V::Elem>(); O];
        let mut simple = A + P == 0;
        for i in 0..M {
            simple &= !(*slots.add(K + i)).line;
        }
        for visit in 0..entries * tile.rows {
            let (row, entry) = (visit / entries, visit % entries);
            if entry == 0 {
                // a fold of all rows goes on
                for (i, sum) in sums.iter_mut().enumerate() {
                    *sum = if (*slots.add(i)).row > 0 { V::sum_of(0.0) } else { *sum };
                }
                for (i, max) in maxes.iter_mut().enumerate() {
                    *max = if (*slots.add(K + i)).row > 0 { low } else { *max };
                }
                for (i, arg) in args.iter_mut().enumerate() {
                    *arg = if (*slots.add(K + M + i)).row > 0 { (low, V::int(NONE)) } else { *arg };
                }
                for (i, prod) in prods.iter_mut().enumerate() {
                    *prod = if (*slots.add(K + M + A + i)).row > 0 { V::sum_of(1.0) } else { *prod };
                }
            }
            let (mut at, end) = *tile.ranges.get_unchecked(entry);
            // where sums of what the run keeps go on, this row
            let mut lines = [std::ptr::null_mut::<f64>(); K];
            for (i, line) in lines.iter_mut().enumerate() {
                let slot = &*slots.add(i);
                if slot.line {
                    *line = slot.value.add(row * slot.row) as *mut f64;
                }
            }
            // the pointers of an entry, this row
            let (p, q) = (tile.ins.as_ptr().add(entry * stride), tile.in_rows.as_ptr().add(entry * stride));
            let of_row = {
                #[inline(always)]
                |i: usize| (*p.add(i)).wrapping_offset(row as isize * *q.add(i))
            };
            for i in 0..I {
                ins[i] = of_row(i) as *const V::Elem;
            }
            for i in 0..W {
                wides[i] = of_row(I + i) as *const f64;
            }
            for i in 0..O {
                let (p, step) = (tile.outs.as_ptr().add(entry * O + i), *tile.out_rows.as_ptr().add(entry * O + i));
                outs[i] = (*p).wrapping_offset(row as isize * step) as *mut V::Elem;
            }
            loop {
                let on_line = O == 0 || !stream || outs[0].wrapping_add(at) as usize & 63 == 0;
                if simple && on_line {
                    // whole vectors of one entry, with nothing to decide
                    while at + lanes <= end {
                        let (mut x, mut wide) = ([zero; I], [Wide(V::sum_of(0.0)); W]);
                        for i in 0..I {
                            x[i] = V::load(ins[i].wrapping_add(at & in_steps[i]));
                        }
                        for i in 0..W {
                            wide[i] = Wide(V::sum_load(wides[i].wrapping_add(at & wide_steps[i])));
                        }
                        let y = body(x, wide);
                        for i in 0..O {
                            let p = outs[i].wrapping_add(at);
                            if stream && p as usize & 63 == 0 { y.store[i].stream(p) } else { y.store[i].store(p) }
                        }
                        for i in 0..K {
                            if lines[i].is_null() {
                                sums[i] = V::sum_add(sums[i], y.sum[i]);
                            } else {
                                let p = lines[i].add(at);
                                V::sum_store(V::sum_add(V::sum_load(p), y.sum[i]), p);
                            }
                        }
                        for i in 0..M {
                            maxes[i] = V::pick(y.max[i].beats(maxes[i]), y.max[i], maxes[i]);
                        }
                        at += lanes;
                    }
                }
                // the stretch of this vector: the lanes up to `to` of the position `at`
                if at >= end {
                    break;
                }
                let from = 0;
                let mut next = lanes;
                if O > 0 && stream {
                    // up to the first output's cache line
                    next -= (outs[0].wrapping_add(at) as usize & 63) / size_of::<V::Elem>();
                }
                let to = next.min(end - at);
                let whole = to - from == lanes;
                let (mut x, mut wide) = ([zero; I], [Wide(V::sum_of(0.0)); W]);
                for i in 0..I {
                    let p = ins[i].wrapping_add(at & in_steps[i]);
                    x[i] = if whole || in_steps[i] == 0 { V::load(p) } else { V::load_range(p, from, to) };
                }
                for i in 0..W {
                    let p = wides[i].wrapping_add(at & wide_steps[i]);
                    wide[i] = Wide(if whole || wide_steps[i] == 0 { V::sum_load(p) } else { V::sum_load_range(p, from, to) });
                }
                let y = body(x, wide);
                for i in 0..O {
                    let p = outs[i].wrapping_add(at);
                    if !whole {
                        y.store[i].store_range(p, from, to);
                    } else if stream && p as usize & 63 == 0 {
                        y.store[i].stream(p);
                    } else {
                        y.store[i].store(p);
                    }
                }
                if K + M + A + P > 0 {
                    let Out { mut sum, mut max, mut arg, mut prod, .. } = y;
                    if !whole {
                        let inside = V::range(from, to);
                        for i in 0..K {
                            sum[i] = V::sum_where(sum[i], inside);
                        }
                        for i in 0..M {
                            max[i] = V::pick(inside, max[i], low);
                        }
                        for i in 0..A {
                            arg[i] = V::pick(inside, arg[i], low);
                        }
                        for i in 0..P {
                            prod[i] = V::pick(inside, prod[i], V::num(1.0));
                        }
                    }
                    for i in 0..K {
                        let slot = &*slots.add(i);
                        if slot.line {
                            let p = (slot.value.add(row * slot.row) as *mut f64).add(at);
                            V::sum_store(V::sum_add(V::sum_load(p), sum[i]), p);
                        } else {
                            sums[i] = V::sum_add(sums[i], sum[i]);
                        }
                    }
                    for i in 0..M {
                        let slot = &*slots.add(K + i);
                        if slot.line {
                            let p = (slot.value.add(row * slot.row) as *mut V::Elem).add(at);
                            let best = V::load(p);
                            V::pick(max[i].beats(best), max[i], best).store(p);
                        } else {
                            maxes[i] = V::pick(max[i].beats(maxes[i]), max[i], maxes[i]);
                        }
                    }
                    for i in 0..A {
                        let slot = &*slots.add(K + M + i);
                        let base = *tile.index_base.get_unchecked(entry * A + i);
                        let base = base.wrapping_add(tile.index_rows.get_unchecked(i).wrapping_mul(row as u32));
                        let place = ramps[i].int_add(V::int(base.wrapping_add(slot.index_step.wrapping_mul(at as u32))));
                        let place = if whole { place } else { V::pick(V::range(from, to), place, V::int(NONE)) };
                        if slot.line {
                            let p = (slot.value.add(row * slot.row) as *mut V::Elem).add(at);
                            let q = (slot.index.add(row * slot.index_row) as *mut V::Elem).add(at);
                            let best = better((arg[i], place), (V::load(p), V::load(q)));
                            best.0.store(p);
                            best.1.store(q);
                        } else {
                            args[i] = better((arg[i], place), args[i]);
                        }
                    }
                    for i in 0..P {
                        let slot = &*slots.add(K + M + A + i);
                        if slot.line {
                            let p = (slot.value.add(row * slot.row) as *mut f64).add(at);
                            V::sum_store(V::sum_mul(V::sum_load(p), prod[i].widen()), p);
                        } else {
                            prods[i] = V::sum_mul(prods[i], prod[i].widen());
                        }
                    }
                }
                at += to;
            }
            if entry + 1 == entries {
                for i in 0..K + P {
                    let slot = &*slots.add(if i < K { i } else { M + A + i });
                    if !slot.line {
                        let p = slot.value.add(row * slot.row) as *mut f64;
                        V::sum_store(if i < K { sums[i] } else { prods[i - K] }, p);
                    }
                }
                for i in 0..M + A {
                    let slot = &*slots.add(K + i);
                    if !slot.line {
                        let best = if i < M { maxes[i] } else { args[i - M].0 };
                        best.store(slot.value.add(row * slot.row) as *mut V::Elem);
                        if i >= M {
                            args[i - M].1.store(slot.index.add(row * slot.index_row) as *mut V::Elem);
                        }
                    }
                }
            }
        }
    }
}

/// All entries for one vector of the run before the next: what is folded over them stays in registers.
///
/// # Safety
/// As for [`rows`].
#[inline(always)]
unsafe fn columns<
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
        let (entries, stride) = (tile.ranges.len(), I + W);
        let slots = tile.slots.as_ptr();
        let (zero, low) = (V::num(0.0), V::num(f64::NEG_INFINITY));
        let mut ramps = [zero; A];
        for i in 0..A {
            ramps[i] = V::int_ramp((*slots.add(K + M + i)).index_step);
        }
        let (mut in_steps, mut wide_steps) = ([0; I], [0; W]);
        for i in 0..I {
            in_steps[i] = *tile.steps.get_unchecked(i);
        }
        for i in 0..W {
            wide_steps[i] = *tile.steps.get_unchecked(I + i);
        }
        for at in (0..tile.run).step_by(lanes) {
            let inside = at >= tile.common.0 && at + lanes <= tile.common.1;
            for entry in 0..entries {
                for i in 0..stride {
                    let size = if i < I { size_of::<V::Elem>() } else { 8 };
                    let p = *tile.ins.get_unchecked(entry * stride + i);
                    tile.cursors
                        .get_unchecked(entry * stride + i)
                        .set(p.wrapping_add((at & *tile.steps.get_unchecked(i)) * size));
                }
                // the entry's lanes of this vector
                let (lo, hi) = *tile.ranges.get_unchecked(entry);
                tile.lanes.get_unchecked(entry).set((lo.saturating_sub(at).min(lanes), hi.saturating_sub(at).min(lanes)));
            }
            for row in 0..tile.rows {
                let (mut sums, mut prods, mut maxes) = ([V::sum_of(0.0); K], [V::sum_of(1.0); P], [low; M]);
                let mut args = [(low, V::int(NONE)); A];
                for (k, sum) in sums.iter_mut().enumerate() {
                    let slot = &*slots.add(k);
                    if slot.resume {
                        *sum = V::sum_load((slot.value.add(row * slot.row) as *const f64).add(at));
                    }
                }
                let mut shifts = [0u32; A];
                for i in 0..A {
                    let along = (*slots.add(K + M + i)).index_step.wrapping_mul(at as u32);
                    shifts[i] = tile.index_rows.get_unchecked(i).wrapping_mul(row as u32).wrapping_add(along);
                }
                for entry in 0..entries {
                    let cursor = tile.cursors.as_ptr().add(entry * stride);
                    let (from, to) = if inside { (0, lanes) } else { tile.lanes.get_unchecked(entry).get() };
                    std::hint::assert_unchecked(from <= lanes && to <= lanes);
                    let within = V::range(from, to);
                    let (mut x, mut wide) = ([zero; I], [Wide(V::sum_of(0.0)); W]);
                    for i in 0..I {
                        let p = (*cursor.add(i)).get() as *const V::Elem;
                        x[i] = if inside || in_steps[i] == 0 { V::load(p) } else { V::load_where(p, within) };
                    }
                    for i in 0..W {
                        let p = (*cursor.add(I + i)).get() as *const f64;
                        wide[i] = Wide(if inside || wide_steps[i] == 0 { V::sum_load(p) } else { V::sum_load_where(p, within) });
                    }
                    let Out { mut sum, mut max, mut arg, mut prod, .. } = body(x, wide);
                    if !inside {
                        // by index: iterators over arrays are not always unrolled, which puts them into memory
                        for i in 0..K {
                            sum[i] = V::sum_where(sum[i], within);
                        }
                        for i in 0..M {
                            max[i] = V::pick(within, max[i], low);
                        }
                        for i in 0..A {
                            arg[i] = V::pick(within, arg[i], low);
                        }
                        for i in 0..P {
                            prod[i] = V::pick(within, prod[i], V::num(1.0));
                        }
                    }
                    for i in 0..K {
                        sums[i] = V::sum_add(sums[i], sum[i]);
                    }
                    for i in 0..M {
                        maxes[i] = V::pick(max[i].beats(maxes[i]), max[i], maxes[i]);
                    }
                    for i in 0..A {
                        let base = *tile.index_base.get_unchecked(entry * A + i);
                        let place = ramps[i].int_add(V::int(base.wrapping_add(shifts[i])));
                        let place = if inside { place } else { V::pick(within, place, V::int(NONE)) };
                        args[i] = better((arg[i], place), args[i]);
                    }
                    for i in 0..P {
                        prods[i] = V::sum_mul(prods[i], prod[i].widen());
                    }
                }
                for i in 0..entries * stride {
                    let cursor = tile.cursors.get_unchecked(i);
                    cursor.set(cursor.get().wrapping_offset(*tile.in_rows.get_unchecked(i)));
                }
                for i in 0..K + P {
                    let slot = &*slots.add(if i < K { i } else { M + A + i });
                    let sum = if i < K { sums[i] } else { prods[i - K] };
                    if slot.direct && slot.narrow {
                        write(tile, slot, row, at, V::narrow(sum));
                    } else if slot.direct && at + lanes > tile.keep {
                        let mut last = [0.0; 16];
                        V::sum_store(sum, last.as_mut_ptr());
                        let p = (slot.value.wrapping_add(row.wrapping_mul(slot.row)) as *mut f64).wrapping_add(at);
                        for (i, x) in last.iter().enumerate().take(tile.keep.saturating_sub(at)) {
                            // volatile, or it would be a call of memcpy
                            p.add(i).write_volatile(*x);
                        }
                    } else {
                        V::sum_store(sum, (slot.value.wrapping_add(row.wrapping_mul(slot.row)) as *mut f64).wrapping_add(at));
                    }
                }
                for i in 0..M + A {
                    let slot = &*slots.add(K + i);
                    let best = if i < M { maxes[i] } else { args[i - M].0 };
                    if slot.direct {
                        write(tile, slot, row, at, best);
                    } else {
                        best.store((slot.value.add(row * slot.row) as *mut V::Elem).add(at));
                    }
                    if i >= M {
                        args[i - M].1.store((slot.index.add(row * slot.index_row) as *mut V::Elem).add(at));
                    }
                }
            }
        }
    }
}

/// Writes a vector of results where they belong.
///
/// # Safety
/// As for [`rows`].
#[inline(always)]
unsafe fn write<V: Vector>(tile: &Tile, slot: &Slot, row: usize, at: usize, x: V) {
    unsafe {
        let p = (slot.value.wrapping_add(row.wrapping_mul(slot.row)) as *mut V::Elem).wrapping_add(at);
        if at + V::LANES > tile.keep {
            x.store_range(p, 0, tile.keep.saturating_sub(at));
        } else if tile.stream && V::LANES * size_of::<V::Elem>() == 64 && p as usize & 63 == 0 {
            x.stream(p);
        } else {
            x.store(p);
        }
    }
}

/// The winner of a new value and the best so far: larger, or NaN, or the first.
#[inline(always)]
fn better<V: Vector>(new: (V, V), best: (V, V)) -> (V, V) {
    // nothing beats itself but NaN: which "no winner yet" is
    let wins = V::either(best.1.beats(best.1), new.0.beats(best.0));
    (V::pick(wins, new.0, best.0), V::pick(wins, new.1, best.1))
}
