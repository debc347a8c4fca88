//! The only loop over lanes that contains a body: one tile of a sweep.
//!
//! A tile is a list of entries, each a stretch of the run with its own pointers. By rows, every entry's stretch is
//! walked in turn; by columns, all entries are visited for one vector of the run before the next, so that what is
//! reduced over the entries stays in registers. There is one call site of the body: it is inlined into the function
//! that has the instruction set's features.

mod columns;
mod fold;
mod rows;

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
    /// By columns: the run is every other position, and the first entries, so many, are of these, the others of those
    /// between. Their results lie in turn.
    pub pair: Option<usize>,
    /// By columns: the last vector ends where the run does, and so meets some positions twice.
    pub overlap: bool,
    /// How many positions of the run exist; of a pair, of both together.
    pub keep: usize,
    /// Of each entry: the stretch of the run.
    pub ranges: Vec<(usize, usize)>,
    /// By entry and operand: where position 0 of the run lies. Wide operands, of `f64`, come last.
    pub ins: Vec<*const u8>,
    /// By operand: how far the next row's lies, in bytes.
    pub in_rows: Vec<isize>,
    /// By operand: `usize::MAX` if it varies along the run, 0 if it is one number in every lane.
    pub steps: Vec<usize>,
    /// By entry and output.
    pub outs: Vec<*mut u8>,
    pub out_rows: Vec<isize>,
    /// Write past the cache where the address allows.
    pub stream: bool,
    /// What the next block will read while this one's results are written: how far from the first output, in bytes.
    pub ahead: Vec<isize>,
    /// Sums, then maxima, then arg forms, then products.
    pub slots: Vec<Slot>,
    /// By entry and arg form: the index at position 0 of the run.
    pub index_base: Vec<u32>,
    /// By arg form: how much it grows from row to row.
    pub index_rows: Vec<u32>,
    /// By columns, for the loop: which lanes of one vector each entry has.
    pub masks: Vec<Cell<Mask>>,
}

/// Room for the mask of any vector.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Mask {
    _room: [u8; 64],
}

impl Mask {
    pub(crate) const NONE: Mask = Mask { _room: [0; 64] };
}

impl Tile {
    /// Without entries.
    pub(crate) fn new(rows: usize, columns: bool, run: usize) -> Tile {
        let (ranges, ins, in_rows, steps, outs, out_rows) = (vec![], vec![], vec![], vec![], vec![], vec![]);
        let (ahead, slots, index_base, index_rows, masks) = (vec![], vec![], vec![], vec![], vec![]);
        let (common, keep, stream, overlap, pair) = ((0, 0), run, false, false, None);
        Tile {
            rows,
            common,
            columns,
            run,
            pair,
            overlap,
            keep,
            ranges,
            ins,
            in_rows,
            steps,
            outs,
            out_rows,
            stream,
            ahead,
            slots,
            index_base,
            index_rows,
            masks,
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
            // decided before code is generated: what writes has one loop, not two
            if const { O == 0 && K + M + A + P > 0 } && self.tile.columns {
                columns::columns::<V, F, I, W, O, K, M, A, P>(self.tile, self.body)
            } else {
                rows::rows::<V, F, I, W, O, K, M, A, P>(self.tile, self.body)
            }
        }
    }
}
