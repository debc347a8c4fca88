//! Runs one sweep over one block: prepares tile after tile and calls the body's loop on each.

use super::array::{Elem, Mode};
use super::lines::{self, Part};
use super::lower::{Cond, Lowered, LoweredFold, Spot, Test};
use super::read::{Reader, clip};
use super::script::FoldOp;
use super::tile::{NONE, Slot, Tile};
use super::walk::{Loop, Walk, pieces};

/// The partial results of a fold: one value and index an element of what it keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Partial {
    pub values: Vec<f64>,
    pub indices: Vec<u32>,
}

impl Partial {
    /// Before the first element.
    pub(crate) fn reset(&mut self, fold: &LoweredFold, len: usize) {
        self.values.clear();
        // vectors may reach past the end
        self.values.resize(len + 16, identity(fold.op));
        self.indices.clear();
        self.indices.resize(if fold.op == FoldOp::Arg { len } else { 0 }, NONE);
    }
}

pub(crate) fn identity(op: FoldOp) -> f64 {
    match op {
        FoldOp::Sum => 0.0,
        FoldOp::Max | FoldOp::Arg => f64::NEG_INFINITY,
        FoldOp::Prod => 1.0,
    }
}

/// Combines a result with what came before, whatever their order: the larger wins, NaN over all, and of equals the
/// smaller index (of NaN the larger).
pub(crate) fn combine(op: FoldOp, best: (f64, u32), new: (f64, u32)) -> (f64, u32) {
    match op {
        FoldOp::Sum => (best.0 + new.0, 0),
        FoldOp::Prod => (best.0 * new.0, 0),
        FoldOp::Max => (if new.0 > best.0 || new.0.is_nan() { new.0 } else { best.0 }, 0),
        FoldOp::Arg => {
            if new.1 == NONE || best.1 == NONE {
                return if new.1 == NONE { best } else { new };
            }
            let wins = match (new.0.is_nan(), best.0.is_nan()) {
                (true, true) => new.1 > best.1,
                (true, false) => true,
                (false, true) => false,
                (false, false) => new.0 > best.0 || new.0 == best.0 && new.1 < best.1,
            };
            if wins { new } else { best }
        }
    }
}

/// What one thread works with.
pub(crate) struct Worker {
    /// Memory of the lines of a tile.
    arena: Vec<u64>,
    used: usize,
    /// Lines of the rare tile that needs more.
    overflow: Vec<Vec<u64>>,
    tile: Tile,
    /// Of each entry: its stretch of the run and the place of each store, for what is copied out.
    copies: Vec<Copy>,
}

// SAFETY: the pointers lead to arrays that the call owns or borrows; tasks write disjoint parts of them.
unsafe impl Send for Worker {}

struct Copy {
    line: *mut u8,
    spot: Spot,
    at: i64,
    lo: usize,
    hi: usize,
}

/// A counter over loops that keeps the tracks' values.
struct Odometer {
    at: Vec<usize>,
}

impl Odometer {
    fn new(loops: &[Loop]) -> Odometer {
        Odometer { at: vec![0; loops.len()] }
    }
    /// False when it is back at the start.
    fn next(&mut self, loops: &[Loop], values: &mut [i64]) -> bool {
        for (at, l) in self.at.iter_mut().zip(loops).rev() {
            *at += 1;
            if *at < l.len {
                values.iter_mut().zip(&l.steps).for_each(|(v, s)| *v += s);
                return true;
            }
            *at = 0;
            let back = l.len as i64 - 1;
            values.iter_mut().zip(&l.steps).for_each(|(v, s)| *v -= s * back);
        }
        false
    }
}

/// How an operand is given to tiles.
#[derive(Clone, Copy, PartialEq)]
struct Class {
    cell: bool,
    invariant: bool,
}

impl Worker {
    pub(crate) fn new() -> Worker {
        let tile = Tile {
            columns: false,
            run: 0,
            ranges: vec![],
            ins: vec![],
            steps: vec![],
            outs: vec![],
            stream: false,
            slots: vec![],
            index_base: vec![],
        };
        Worker { arena: vec![], used: 0, overflow: vec![], tile, copies: vec![] }
    }

    /// Room for `bytes` and a vector more on either side.
    fn line(&mut self, bytes: usize) -> *mut u8 {
        let words = bytes.div_ceil(64) * 8 + 16;
        if self.used + words > self.arena.len() {
            let mut more = vec![0u64; words];
            let p = more.as_mut_ptr().wrapping_add(8) as *mut u8;
            self.overflow.push(more);
            return p;
        }
        let p = self.arena.as_mut_ptr().wrapping_add(self.used + 8) as *mut u8;
        self.used += words;
        p
    }

    /// Runs a sweep over a block that starts at `starts` and is `walk`'s size. `partials` has one entry a fold.
    ///
    /// # Safety
    /// The lowered step is valid for the arrays at `bases`, and nobody else writes what it writes.
    pub(crate) unsafe fn sweep(
        &mut self,
        bases: &[*mut u8],
        step: &Lowered,
        body: &(dyn Fn(&Tile) + Send + Sync),
        walk: &Walk,
        starts: &[usize],
        partials: &mut [Partial],
        stream: bool,
    ) {
        let origin = step.tracks.iter().map(|t| t.offset + t.strides.iter().zip(starts).map(|(s, i)| s * *i as i64).sum::<i64>());
        let mut values: Vec<i64> = origin.chain([0]).collect();
        // partial results that stay within the block count from its start
        for fold in step.folds.iter().filter(|f| !f.carried) {
            values[fold.partial] = 0;
        }
        let complete: Vec<bool> = step.folds.iter().enumerate().map(|(f, fold)| completes(walk, f, fold)).collect();
        let reader = Reader { bases, walk };
        let classes: Vec<Class> =
            step.operands.iter().map(|a| Class { cell: reader.is_cell(a), invariant: reader.is_invariant(a) }).collect();
        self.prepare(step, walk, &classes);
        self.tile.stream = stream && step.folds.iter().enumerate().all(|(f, _)| !walk.run[0].reduces(f));
        let mut outer = Odometer::new(&walk.outer);
        loop {
            let mut taps = Odometer::new(&walk.taps);
            let mut tap = 0;
            while tap < walk.tap_len {
                let n = walk.tap_chunk.min(walk.tap_len - tap);
                let mut lo = 0;
                while lo < walk.run_len {
                    let hi = (lo + walk.run_chunk).min(walk.run_len);
                    // every stretch begins at the same tap; only the last one leaves them moved on
                    let before = (hi < walk.run_len).then(|| (values.clone(), taps.at.clone()));
                    unsafe {
                        self.entries(step, &reader, &classes, &mut values, &mut taps, n, (lo, hi));
                        self.folds_and_body(step, body, &reader, &values, &complete, partials, (lo, hi));
                    }
                    if let Some((v, t)) = before {
                        (values, taps.at) = (v, t);
                    }
                    lo = hi;
                }
                tap += n;
            }
            if !outer.next(&walk.outer, &mut values) {
                break;
            }
        }
    }

    /// Sizes the arena, and what is the same for all tiles.
    fn prepare(&mut self, step: &Lowered, walk: &Walk, classes: &[Class]) {
        let slots = step.operands.len() + step.wide + step.stores.len();
        let lines = slots * walk.tap_chunk + 2 * step.folds.len() + 2 * slots;
        let words = lines * (walk.run_chunk + 40) + 64;
        if self.arena.len() < words {
            self.arena = vec![0; words];
        }
        self.tile.columns = walk.columns;
        self.tile.steps.clear();
        for (i, class) in classes.iter().enumerate() {
            let step_mask = if class.cell { 0 } else { usize::MAX };
            self.tile.steps.push(step_mask);
            if i + step.wide >= classes.len() {
                self.tile.steps.push(if step.lane == Elem::F64 { 0 } else { step_mask });
            }
        }
    }

    /// Lists the tile's entries: `n` taps from where the odometer stands, over the run's stretch.
    #[expect(clippy::too_many_arguments, reason = "the state of one tile")]
    unsafe fn entries(
        &mut self,
        step: &Lowered,
        reader: &Reader,
        classes: &[Class],
        values: &mut [i64],
        taps: &mut Odometer,
        n: usize,
        (lo, hi): (usize, usize),
    ) {
        self.used = 0;
        self.overflow.clear();
        let tile = &mut self.tile;
        tile.run = hi - lo;
        tile.ranges.clear();
        tile.ins.clear();
        tile.outs.clear();
        tile.index_base.clear();
        self.copies.clear();
        let mut shared: Vec<Option<[*const u8; 2]>> = vec![None; classes.len()];
        let walk = reader.walk;
        for _ in 0..n {
            let (mut from, mut to) = (lo, hi);
            let mut hard = false;
            for c in step.guard.iter().chain(&walk.ragged) {
                match (c.test, walk.along[c.track]) {
                    (Test::Range { lo: a, hi: b }, Some(s)) => (from, to) = clip((a, b), values[c.track], s, from, to),
                    (test, Some(s)) if test.is_periodic(s) => {
                        if !test.holds(values[c.track]) {
                            to = from;
                        }
                    }
                    _ => hard = true,
                }
            }
            if !hard && from < to {
                unsafe { self.entry(step, reader, classes, values, (lo, from, to), &mut shared) };
            }
            if hard {
                let holds = |i: usize, c: &Cond| c.test.holds(values[c.track] + walk.offset(c.track, i));
                let mut i = from;
                while i < to {
                    let start = i;
                    while i < to && step.guard.iter().chain(&walk.ragged).all(|c| holds(i, c)) {
                        i += 1;
                    }
                    if start < i {
                        unsafe { self.entry(step, reader, classes, values, (lo, start, i), &mut shared) };
                    } else {
                        i += 1;
                    }
                }
            }
            taps.next(&walk.taps, values);
        }
    }

    /// Adds one entry: the stretch `from..to` of a tile that starts at `lo`.
    unsafe fn entry(
        &mut self,
        step: &Lowered,
        reader: &Reader,
        classes: &[Class],
        values: &[i64],
        (lo, from, to): (usize, usize, usize),
        shared: &mut [Option<[*const u8; 2]>],
    ) {
        self.tile.ranges.push((from - lo, to - lo));
        let size = step.lane.size();
        for (i, access) in step.operands.iter().enumerate() {
            let class = classes[i];
            let wide = i + step.wide >= step.operands.len();
            let keep = class.invariant && (class.cell || step.guard.is_empty() && reader.walk.ragged.is_none());
            let pair = match shared[i].filter(|_| keep) {
                Some(pair) => pair,
                None => unsafe { self.operand(step, reader, access, class, wide, values, (lo, from, to)) },
            };
            shared[i] = Some(pair);
            self.tile.ins.push(pair[0]);
            if wide {
                self.tile.ins.push(pair[1]);
            }
        }
        for spot in &step.stores {
            let run = to - lo;
            let direct =
                spot.filter(|s| s.elem == step.lane && s.mode == Mode::Write && reader.walk.along[s.track] == Some(size as i64));
            if let Some(s) = direct {
                let start = values[s.track] + lo as i64 * size as i64;
                self.tile.outs.push(reader.bases[s.array.0 as usize].wrapping_offset(start as isize));
                continue;
            }
            let line = self.line(run * size);
            self.tile.outs.push(line);
            if let Some(spot) = *spot {
                self.copies.push(Copy { line: line.wrapping_sub(lo * size), spot, at: values[spot.track], lo: from, hi: to });
            }
        }
        for fold in step.folds.iter().filter(|f| f.op == FoldOp::Arg) {
            self.tile.index_base.push((values[fold.arg] + reader.walk.offset(fold.arg, lo)) as u32);
        }
    }

    /// The pointers of one operand at the tile's start: data, or high and low part.
    #[expect(clippy::too_many_arguments, reason = "the state of one entry")]
    unsafe fn operand(
        &mut self,
        step: &Lowered,
        reader: &Reader,
        access: &super::lower::Access,
        class: Class,
        wide: bool,
        values: &[i64],
        (lo, from, to): (usize, usize, usize),
    ) -> [*const u8; 2] {
        let lane = step.lane;
        let mut pair = [std::ptr::null(); 2];
        let parts = if wide && lane == Elem::F32 { &[Part::Whole, Part::Rest][..] } else { &[Part::Whole] };
        unsafe {
            if class.cell {
                let x = reader.element(access, values, from);
                for (p, part) in pair.iter_mut().zip(parts) {
                    let cell = self.line(64);
                    lines::fill(cell, lane, *part, x, 64 / lane.size());
                    *p = cell;
                }
            } else if let Some(p) = reader.direct(access, lane, values, (from, to)) {
                pair[0] = p.wrapping_add(lo * lane.size());
            } else {
                for (p, part) in pair.iter_mut().zip(parts) {
                    let line = self.line((to - lo) * lane.size());
                    reader.stage(access, lane, *part, values, from, to, line.wrapping_sub(lo * lane.size()));
                    *p = line;
                }
            }
            if wide && lane == Elem::F64 {
                // never read into a result: an f64 lane holds all of it
                let cell = self.line(64);
                lines::fill(cell, lane, Part::Rest, 0.0, 8);
                pair[1] = cell;
            }
        }
        pair
    }

    /// Runs the body on the tile, and brings its results to where they belong.
    #[expect(clippy::too_many_arguments, reason = "the state of one tile")]
    unsafe fn folds_and_body(
        &mut self,
        step: &Lowered,
        body: &(dyn Fn(&Tile) + Send + Sync),
        reader: &Reader,
        values: &[i64],
        complete: &[bool],
        partials: &mut [Partial],
        (lo, hi): (usize, usize),
    ) {
        let (run, walk) = (hi - lo, reader.walk);
        self.tile.slots.clear();
        for (f, fold) in step.folds.iter().enumerate() {
            let kept = !walk.run[0].reduces(f);
            let line = kept && !walk.columns;
            let width = if kept { run } else { step.lanes };
            let straight = fold.op == FoldOp::Sum && kept && !complete[f] && walk.along[fold.partial] == Some(1);
            let index_step = walk.along[fold.arg].unwrap_or(0) as u32;
            let mut slot = Slot { value: std::ptr::null_mut(), index: std::ptr::null_mut(), line, resume: straight, index_step };
            if straight {
                slot.value =
                    partials[f].values.as_mut_ptr().wrapping_offset(values[fold.partial] as isize + lo as isize) as *mut u8;
            } else {
                let lane = result_lane(step.lane, fold.op);
                slot.value = self.line((width + 16) * 8);
                // SAFETY: the line has this room
                unsafe { lines::fill(slot.value, lane, Part::Whole, identity(fold.op), width + 16) };
                if fold.op == FoldOp::Arg {
                    slot.index = self.line((width + 16) * 8);
                    unsafe { std::ptr::write_bytes(slot.index, 0xff, (width + 16) * 8) };
                }
            }
            self.tile.slots.push(slot);
        }
        if !self.tile.ranges.is_empty() {
            body(&self.tile);
        }
        for copy in std::mem::take(&mut self.copies) {
            unsafe { copy_out(reader, step.lane, &copy) };
        }
        for (f, fold) in step.folds.iter().enumerate() {
            let slot = self.tile.slots[f];
            if slot.resume {
                continue;
            }
            let partial = &mut partials[f];
            unsafe {
                if walk.run[0].reduces(f) {
                    let best = across_lanes(step, fold, slot);
                    finish(reader, fold, best, values, complete[f], partial);
                } else {
                    finish_line(reader, step.lane, fold, slot, values, complete[f], partial, (lo, hi));
                }
            }
        }
    }
}

/// Whether one tile sees all that the fold reduces over, so that its result is final.
pub(crate) fn completes(walk: &Walk, f: usize, fold: &LoweredFold) -> bool {
    let inside = walk.tap_len <= walk.tap_chunk && (!walk.run[0].reduces(f) || walk.run_len <= walk.run_chunk);
    inside && !fold.carried && walk.outer.iter().all(|l| !l.reduces(f))
}

/// The lanes of a fold's results: sums and products are `f64`.
fn result_lane(lane: Elem, op: FoldOp) -> Elem {
    match op {
        FoldOp::Sum | FoldOp::Prod => Elem::F64,
        FoldOp::Max | FoldOp::Arg => lane,
    }
}

unsafe fn copy_out(reader: &Reader, lane: Elem, copy: &Copy) {
    let Copy { line, spot, at, lo, hi } = copy;
    pieces(reader.walk, spot.track, *lo, *hi, |i, n, offset, step| {
        let p = reader.bases[spot.array.0 as usize].wrapping_offset((at + offset) as isize);
        unsafe { lines::unstage(line.wrapping_add(i * lane.size()), lane, (spot.elem, spot.mode, false), p, step, n) };
    });
}

/// One result of a slot, at a lane or a position of the run.
unsafe fn result(lane: Elem, op: FoldOp, slot: Slot, i: usize) -> (f64, u32) {
    let lane = result_lane(lane, op);
    unsafe {
        let value = lines::get(lane, slot.value.wrapping_add(i * lane.size()));
        match (op, lane) {
            (FoldOp::Arg, Elem::F32) => (value, *(slot.index as *const u32).add(i)),
            // lanes of f64 hold indices in the low half
            (FoldOp::Arg, _) => (value, *(slot.index as *const u64).add(i) as u32),
            _ => (value, 0),
        }
    }
}

/// The fold of all lanes, pairwise: in an order that depends on their number only.
unsafe fn across_lanes(step: &Lowered, fold: &LoweredFold, slot: Slot) -> (f64, u32) {
    let mut lanes = [(identity(fold.op), NONE); 16];
    for (i, lane) in lanes[..step.lanes].iter_mut().enumerate() {
        *lane = unsafe { result(step.lane, fold.op, slot, i) };
    }
    let mut n = 16;
    while n > 1 {
        n /= 2;
        for i in 0..n {
            lanes[i] = combine(fold.op, lanes[i], lanes[i + n]);
        }
    }
    lanes[0]
}

/// Writes a final result, or adds it to the partial one.
unsafe fn finish(reader: &Reader, fold: &LoweredFold, best: (f64, u32), values: &[i64], complete: bool, partial: &mut Partial) {
    if complete {
        let place = |spot: &Spot| reader.bases[spot.array.0 as usize].wrapping_offset(values[spot.track] as isize);
        unsafe { write(fold, best, &place) };
        return;
    }
    partial.add(fold.op, values[fold.partial] as usize, best);
}

/// Writes a final result; `place` says where.
///
/// # Safety
/// The places are elements that nobody else touches.
pub(crate) unsafe fn write(fold: &LoweredFold, (value, index): (f64, u32), place: &dyn Fn(&Spot) -> *mut u8) {
    unsafe {
        if let Some(spot) = &fold.value {
            lines::put(place(spot), spot.elem, spot.mode, if fold.negate { -value } else { value });
        }
        if let Some(spot) = &fold.index {
            lines::put_index(place(spot), spot.elem, if index == NONE { 0 } else { index });
        }
    }
}

impl Partial {
    /// Takes in the results of a later part.
    pub(crate) fn merge(&mut self, op: FoldOp, later: &Partial) {
        for (i, &value) in later.values.iter().enumerate() {
            if op != FoldOp::Arg || i < self.indices.len() {
                self.add(op, i, (value, later.indices.get(i).copied().unwrap_or(0)));
            }
        }
    }
    pub(crate) fn add(&mut self, op: FoldOp, at: usize, new: (f64, u32)) {
        let index = if op == FoldOp::Arg { self.indices[at] } else { 0 };
        let (value, index) = combine(op, (self.values[at], index), new);
        self.values[at] = value;
        if op == FoldOp::Arg {
            self.indices[at] = index;
        }
    }
}

/// The results of a line: one a position of the run.
#[expect(clippy::too_many_arguments, reason = "the state of one tile")]
unsafe fn finish_line(
    reader: &Reader,
    lane: Elem,
    fold: &LoweredFold,
    slot: Slot,
    values: &[i64],
    complete: bool,
    partial: &mut Partial,
    (lo, hi): (usize, usize),
) {
    let walk = reader.walk;
    // a phase's last positions may not exist
    let hi = match walk.ragged {
        Some(Cond { track, test: Test::Range { lo: a, hi: b } }) => {
            clip((a, b), values[track], walk.along[track].unwrap_or(0), lo, hi).1
        }
        _ => hi,
    };
    if !complete {
        for i in lo..hi {
            let at = values[fold.partial] + walk.offset(fold.partial, i);
            partial.add(fold.op, at as usize, unsafe { result(lane, fold.op, slot, i - lo) });
        }
        return;
    }
    let place =
        |spot: &Spot, offset: i64| reader.bases[spot.array.0 as usize].wrapping_offset((values[spot.track] + offset) as isize);
    unsafe {
        if let Some(spot) = &fold.value {
            let lane = result_lane(lane, fold.op);
            pieces(walk, spot.track, lo, hi, |i, n, offset, step| {
                let line = slot.value.wrapping_add((i - lo) * lane.size());
                lines::unstage(line, lane, (spot.elem, spot.mode, fold.negate), place(spot, offset), step, n);
            });
        }
        if let Some(spot) = &fold.index {
            for i in lo..hi {
                let (_, index) = result(lane, fold.op, slot, i - lo);
                lines::put_index(place(spot, walk.offset(spot.track, i)), spot.elem, if index == NONE { 0 } else { index });
            }
        }
    }
}
