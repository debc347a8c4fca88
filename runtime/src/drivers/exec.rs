//! Runs one sweep over one block: prepares tile after tile and calls the body's loop on each.

use super::array::{Elem, Mode};
use super::lines;
use super::lower::{Cond, Lowered, LoweredFold, Source, Spot, Test};
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

/// The bytes of a cell, one number for every lane: as many as the lanes of a vector take as `f64`.
const CELL: usize = 128;

/// Memory that is used again holds what nobody may read: in debug builds it is NaN, in every type.
pub(crate) fn poison(memory: &mut [u64]) {
    if cfg!(debug_assertions) {
        memory.fill(u64::MAX);
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
    /// Of each entry: its stretch of the run, and the tracks' values.
    stretches: Vec<(usize, usize)>,
    snapshots: Vec<i64>,
    /// What is copied out after the tile.
    copies: Vec<Copy>,
    /// By operand: what is kept from tile to tile, and its lines.
    pinned: Vec<Option<(i64, usize, usize)>>,
    pins: Vec<u64>,
    /// Temporaries of a block.
    temps: Vec<u64>,
}

thread_local! {
    /// A thread's worker between its tasks: fresh memory costs more than what is done in it.
    static IDLE: std::cell::Cell<Option<Box<Worker>>> = const { std::cell::Cell::new(None) };
}

// SAFETY: the pointers lead to arrays that the call owns or borrows; tasks write disjoint parts of them.
unsafe impl Send for Worker {}

struct Copy {
    line: *mut u8,
    /// From row to row, in bytes.
    pitch: usize,
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
    /// An array whose elements are lanes along the run, wherever the tile is.
    direct: bool,
    /// The same for every entry of a tile.
    invariant: bool,
    /// The same for every row of a tile.
    row_invariant: bool,
    /// Depends on nothing but its track.
    simple: bool,
    /// How far its elements move from row to row, if by equal steps.
    row_step: Option<i64>,
}

/// What is the same for all tiles of a sweep.
struct Job<'j> {
    step: &'j Lowered,
    body: &'j (dyn Fn(&Tile) + Send + Sync),
    reader: Reader<'j>,
    classes: Vec<Class>,
    complete: Vec<bool>,
    /// The most rows of one tile.
    most_rows: usize,
    /// No conditions, one loop of taps at most, and every operand and store direct or the same for all of them.
    plain: bool,
}

impl Worker {
    /// This thread's worker.
    pub(crate) fn take() -> Box<Worker> {
        IDLE.take().unwrap_or_else(|| Box::new(Worker::new()))
    }
    /// Keeps the memory for the thread's next task, unless it is a lot.
    pub(crate) fn put_back(self: Box<Worker>) {
        if self.temps.len() + self.arena.len() <= 1 << 20 {
            IDLE.set(Some(self));
        }
    }
    /// Memory for a block's temporaries; it may hold anything.
    pub(crate) fn temps(&mut self, words: usize) -> *mut u8 {
        if self.temps.len() < words {
            self.temps = vec![0; words];
        }
        poison(&mut self.temps[..words]);
        self.temps.as_mut_ptr() as *mut u8
    }
    fn new() -> Worker {
        let tile = Tile {
            rows: 1,
            common: (0, 0),
            columns: false,
            run: 0,
            ranges: vec![],
            ins: vec![],
            in_rows: vec![],
            steps: vec![],
            outs: vec![],
            out_rows: vec![],
            stream: false,
            slots: vec![],
            index_base: vec![],
            index_rows: vec![],
        };
        let (arena, overflow, stretches, snapshots, copies) = (vec![], vec![], vec![], vec![], vec![]);
        Worker { arena, used: 0, overflow, tile, stretches, snapshots, copies, pinned: vec![], pins: vec![], temps: vec![] }
    }

    /// Room for `bytes`, and for a vector before and two behind.
    fn line(&mut self, bytes: usize) -> *mut u8 {
        let words = bytes.div_ceil(64) * 8 + 24;
        if self.used + words > self.arena.len() {
            let mut more = vec![0u64; words];
            poison(&mut more);
            let p = more.as_mut_ptr().wrapping_add(8) as *mut u8;
            self.overflow.push(more);
            return p;
        }
        poison(&mut self.arena[self.used..self.used + words]);
        let p = self.arena.as_mut_ptr().wrapping_add(self.used + 8) as *mut u8;
        self.used += words;
        p
    }

    /// Runs a sweep over a block that starts at `starts` and is `walk`'s size. `partials` has one entry a fold.
    ///
    /// # Safety
    /// The lowered step is valid for the arrays at `bases`, and nobody else writes what it writes.
    #[expect(clippy::too_many_arguments, reason = "one sweep of one block")]
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
        let job = self.prepare(step, body, Reader { bases, walk });
        self.tile.stream = stream && (0..step.folds.len()).all(|f| !walk.run[0].reduces(f));
        let mut outer = Odometer::new(&walk.outer);
        loop {
            let mut row = 0;
            while row < walk.rows.len {
                let most = job.most_rows.min(walk.rows.len - row);
                let rows = unsafe { self.row_group(&job, &mut values, most, partials) };
                row += rows;
                values.iter_mut().zip(&walk.rows.steps).for_each(|(v, s)| *v += s * rows as i64);
            }
            values.iter_mut().zip(&walk.rows.steps).for_each(|(v, s)| *v -= s * row as i64);
            if !outer.next(&walk.outer, &mut values) {
                break;
            }
        }
    }

    /// All taps and the whole run, for as many rows as go together; returns their number.
    unsafe fn row_group(&mut self, job: &Job, values: &mut Vec<i64>, most: usize, partials: &mut [Partial]) -> usize {
        let walk = job.reader.walk;
        let one_tile = walk.tap_len <= walk.tap_chunk && walk.run_len <= walk.run_chunk;
        // a group must be the same for all its tiles
        let conditional = !job.step.guard.is_empty() || walk.ragged.is_some() || job.classes.iter().any(|c| !c.simple);
        let mut rows = if one_tile || !conditional { most } else { 1 };
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
                    if job.plain {
                        self.tile.rows = rows;
                        self.plain_entries(job, values, tap, n, (lo, hi));
                    } else {
                        rows = rows.min(self.list(job, values, &mut taps, n, (lo, hi)));
                        self.tile.rows = rows;
                        self.entries(job, (lo, hi));
                    }
                    self.folds_and_body(job, values, partials, (lo, hi));
                }
                if let Some((v, t)) = before {
                    (*values, taps.at) = (v, t);
                }
                lo = hi;
            }
            tap += n;
        }
        rows
    }

    /// Sizes the arena, and sets what is the same for all tiles.
    fn prepare<'j>(&mut self, step: &'j Lowered, body: &'j (dyn Fn(&Tile) + Send + Sync), reader: Reader<'j>) -> Job<'j> {
        let walk = reader.walk;
        let class = |i: usize| {
            let access = &step.operands[i];
            let simple = access.extras.is_empty() && access.valid.is_empty();
            let lane = step.lane_of(i);
            let lanes = matches!(access.source, Source::Array(_))
                && access.elem == lane
                && walk.along[access.track] == Some(lane.size() as i64);
            Class {
                cell: reader.is_cell(access),
                direct: simple && lanes,
                invariant: reader.is_invariant(access, &walk.taps),
                row_invariant: reader.is_invariant(access, std::slice::from_ref(&walk.rows)),
                simple,
                row_step: reader.row_step(access),
            }
        };
        let classes: Vec<Class> = (0..step.operands.len()).map(class).collect();
        let entries = walk.tap_chunk.min(walk.tap_len).max(1);
        // what one row of a tile takes, in elements
        let staged = |c: &Class| match c {
            c if c.direct || c.row_invariant => 0,
            c if c.cell => 32,
            _ => walk.run_chunk + 16,
        };
        let lines: usize = classes.iter().map(staged).sum();
        let stores = step.stores.len() * (walk.run_chunk + 16);
        let results: usize =
            (0..step.folds.len()).map(|f| if walk.run[0].reduces(f) { 32 } else { 2 * walk.run_chunk + 32 }).sum();
        let row = (lines + stores) * entries + results;
        let most_rows = 8192usize.checked_div(row).map_or(256, |rows| rows.clamp(1, 256));
        let once = 2 * classes.len() * entries * (walk.run_chunk + 32);
        let words = 2 * most_rows.min(walk.rows.len) * (row + 64) + once.min(1 << 16) + 512;
        if self.arena.len() < words {
            self.arena = vec![0; words];
        }
        self.pinned.clear();
        self.pinned.resize(classes.len(), None);
        let pin = (walk.run_chunk + 40) * classes.len();
        if classes.iter().any(|c| !c.direct && c.simple && c.invariant && c.row_invariant) {
            if self.pins.len() < pin {
                self.pins = vec![0; pin];
            }
            poison(&mut self.pins[..pin]);
        }
        self.tile.columns = walk.columns;
        self.tile.steps.clear();
        for class in &classes {
            self.tile.steps.push(if class.cell { 0 } else { usize::MAX });
        }
        let args = step.folds.iter().filter(|f| f.op == FoldOp::Arg);
        self.tile.index_rows = args.map(|f| walk.rows.steps[f.arg] as u32).collect();
        let complete = step.folds.iter().enumerate().map(|(f, fold)| completes(walk, f, fold)).collect();
        let direct = |s: &Option<Spot>| s.is_some_and(|s| is_direct(&s, step.lane, walk));
        let plain = walk.taps.len() <= 1
            && step.guard.is_empty()
            && walk.ragged.is_none()
            && self.tile.index_rows.is_empty()
            && classes.iter().all(|c| c.direct || c.simple && c.invariant)
            && step.stores.iter().all(direct);
        Job { step, body, reader, classes, complete, most_rows, plain }
    }

    /// Lists the tile's stretches: `n` taps from where the odometer stands, over `lo..hi` of the run. Returns for how
    /// many rows they are the same.
    unsafe fn list(&mut self, job: &Job, values: &mut [i64], taps: &mut Odometer, n: usize, (lo, hi): (usize, usize)) -> usize {
        let (step, reader, walk) = (job.step, &job.reader, job.reader.walk);
        self.stretches.clear();
        self.snapshots.clear();
        let mut rows = usize::MAX;
        let conditions = || step.guard.iter().chain(&walk.ragged);
        for _ in 0..n {
            let (mut from, mut to) = (lo, hi);
            let mut hard = false;
            for c in conditions() {
                rows = rows.min(reader.same_rows(c, values));
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
            for (access, class) in step.operands.iter().zip(&job.classes).filter(|(_, c)| !c.simple) {
                let fixed = access.valid.iter().map(|c| reader.same_rows(c, values)).min().unwrap_or(usize::MAX);
                rows = rows.min(if class.row_step.is_some() { fixed } else { 1 });
            }
            if hard {
                rows = 1;
                let holds = |i: usize, c: &Cond| c.test.holds(values[c.track] + walk.offset(c.track, i));
                let mut i = from;
                while i < to {
                    let start = i;
                    while i < to && conditions().all(|c| holds(i, c)) {
                        i += 1;
                    }
                    if start < i {
                        self.stretches.push((start, i));
                        self.snapshots.extend_from_slice(values);
                    } else {
                        i += 1;
                    }
                }
            } else if from < to {
                self.stretches.push((from, to));
                self.snapshots.extend_from_slice(values);
            }
            taps.next(&walk.taps, values);
        }
        rows
    }

    /// The entries of a plain sweep: the first one's pointers, moved by equal steps. `tap` is the first of them.
    unsafe fn plain_entries(&mut self, job: &Job, values: &[i64], tap: usize, n: usize, (lo, hi): (usize, usize)) {
        let (step, walk) = (job.step, job.reader.walk);
        let moved: Vec<i64> = match walk.taps.first() {
            Some(l) => values.iter().zip(&l.steps).map(|(v, s)| v + s * tap as i64).collect(),
            None => values.to_vec(),
        };
        self.stretches.clear();
        self.stretches.push((lo, hi));
        self.snapshots.clear();
        self.snapshots.extend_from_slice(&moved);
        unsafe { self.entries(job, (lo, hi)) };
        let Some(taps) = walk.taps.first().filter(|_| n > 1) else { return };
        let tile = &mut self.tile;
        let mut steps: Vec<isize> = vec![];
        for (i, access) in step.operands.iter().enumerate() {
            steps.push(if job.classes[i].direct { taps.steps[access.track] as isize } else { 0 });
        }
        let count = tile.ins.len();
        for entry in 1..n {
            let at = (entry - 1) * count;
            for (i, step) in steps.iter().enumerate() {
                let (p, row) = (tile.ins[at + i], tile.in_rows[at + i]);
                tile.ins.push(p.wrapping_offset(*step));
                tile.in_rows.push(row);
            }
            for (i, spot) in step.stores.iter().flatten().enumerate() {
                let at = (entry - 1) * step.stores.len() + i;
                let (p, row) = (tile.outs[at], tile.out_rows[at]);
                tile.outs.push(p.wrapping_offset(taps.steps[spot.track] as isize));
                tile.out_rows.push(row);
            }
            tile.ranges.push(tile.ranges[0]);
        }
    }

    /// Gives every listed stretch its pointers.
    unsafe fn entries(&mut self, job: &Job, (lo, hi): (usize, usize)) {
        self.used = 0;
        self.overflow.clear();
        let tile = &mut self.tile;
        tile.run = hi - lo;
        tile.ranges.clear();
        tile.ins.clear();
        tile.in_rows.clear();
        tile.outs.clear();
        tile.out_rows.clear();
        tile.index_base.clear();
        self.copies.clear();
        let snapshots = std::mem::take(&mut self.snapshots);
        let stretches = std::mem::take(&mut self.stretches);
        let first = self.tile.ins.len();
        for (values, &(from, to)) in snapshots.chunks(job.step.tracks.len() + 1).zip(&stretches) {
            unsafe { self.entry(job, values, (lo, from, to), first) };
        }
        (self.snapshots, self.stretches) = (snapshots, stretches);
    }

    /// Adds one entry: the stretch `from..to` of a tile that starts at `lo`.
    unsafe fn entry(&mut self, job: &Job, values: &[i64], (lo, from, to): (usize, usize, usize), first: usize) {
        let (step, reader) = (job.step, &job.reader);
        let walk = reader.walk;
        let is_first = self.tile.ranges.is_empty();
        self.tile.ranges.push((from - lo, to - lo));
        let size = step.lane.size();
        for (i, access) in step.operands.iter().enumerate() {
            let class = job.classes[i];
            if class.direct
                && let Source::Array(array) = access.source
            {
                let start = values[access.track] + (lo * step.lane_of(i).size()) as i64;
                self.tile.ins.push(reader.bases[array.0 as usize].wrapping_offset(start as isize));
                self.tile.in_rows.push(walk.rows.steps[access.track] as isize);
                continue;
            }
            let keep = class.invariant && (class.cell || step.guard.is_empty() && walk.ragged.is_none());
            let (p, pitch) = if keep && !is_first {
                (self.tile.ins[first + i], self.tile.in_rows[first + i])
            } else {
                unsafe { self.operand(job, i, values, (lo, from, to), keep) }
            };
            self.tile.ins.push(p);
            self.tile.in_rows.push(pitch);
        }
        for spot in &step.stores {
            let direct =
                spot.filter(|s| s.elem == step.lane && s.mode == Mode::Write && walk.along[s.track] == Some(size as i64));
            if let Some(s) = direct {
                let start = values[s.track] + lo as i64 * size as i64;
                self.tile.outs.push(reader.bases[s.array.0 as usize].wrapping_offset(start as isize));
                self.tile.out_rows.push(walk.rows.steps[s.track] as isize);
                continue;
            }
            let pitch = (to - lo) * size;
            let line = self.line(pitch * self.tile.rows);
            self.tile.outs.push(line);
            self.tile.out_rows.push(pitch as isize);
            if let Some(spot) = *spot {
                let line = line.wrapping_sub(lo * size);
                self.copies.push(Copy { line, pitch, spot, at: values[spot.track], lo: from, hi: to });
            }
        }
        for fold in step.folds.iter().filter(|f| f.op == FoldOp::Arg) {
            self.tile.index_base.push((values[fold.arg] + walk.offset(fold.arg, lo)) as u32);
        }
    }

    /// Where one operand lies at the tile's start, and how far the next row's does.
    unsafe fn operand(
        &mut self,
        job: &Job,
        i: usize,
        values: &[i64],
        (lo, from, to): (usize, usize, usize),
        keep: bool,
    ) -> (*const u8, isize) {
        let (reader, class, access) = (&job.reader, job.classes[i], &job.step.operands[i]);
        let lane = job.step.lane_of(i);
        if !class.cell
            && let Some(p) = unsafe { reader.direct(access, lane, values, (from, to)) }
            && let Some(row_step) = class.row_step
        {
            return (p.wrapping_add(lo * lane.size()), row_step as isize);
        }
        let rows = if class.row_invariant { 1 } else { self.tile.rows };
        let pitch = if class.cell { CELL } else { (to - lo) * lane.size() };
        let key = (values[access.track], lo, to);
        let pinnable = keep && class.simple && class.row_invariant;
        let line = if pinnable {
            let width = self.pins.len() / job.classes.len();
            self.pins.as_mut_ptr().wrapping_add(i * width + 8) as *mut u8
        } else {
            self.line(pitch * rows)
        };
        if !pinnable || self.pinned[i] != Some(key) {
            unsafe { stage_rows(job, i, values, (lo, from, to), line, (rows, pitch)) };
        }
        if pinnable {
            self.pinned[i] = Some(key);
        }
        (line, if rows == 1 { 0 } else { pitch as isize })
    }

    /// Runs the body on the tile, and brings its results to where they belong.
    unsafe fn folds_and_body(&mut self, job: &Job, values: &[i64], partials: &mut [Partial], (lo, hi): (usize, usize)) {
        let (step, walk) = (job.step, job.reader.walk);
        let (run, rows) = (hi - lo, self.tile.rows);
        self.tile.slots.clear();
        for (f, fold) in step.folds.iter().enumerate() {
            let kept = !walk.run[0].reduces(f);
            let line = kept && !walk.columns;
            let width = if kept { run } else { step.lanes };
            let each_row = !walk.rows.reduces(f);
            let straight = fold.op == FoldOp::Sum && kept && !job.complete[f] && walk.along[fold.partial] == Some(1);
            let index_step = walk.along[fold.arg].unwrap_or(0) as u32;
            let lane = result_lane(step.lane, fold.op);
            let mut slot =
                Slot { value: std::ptr::null_mut(), index: std::ptr::null_mut(), row: 0, line, resume: straight, index_step };
            if straight {
                slot.row = walk.rows.steps[fold.partial] as usize * 8;
                slot.value =
                    partials[f].values.as_mut_ptr().wrapping_offset(values[fold.partial] as isize + lo as isize) as *mut u8;
            } else {
                let count = if each_row { rows } else { 1 };
                slot.row = if each_row { width * lane.size() } else { 0 };
                let bytes = width * lane.size() * count + 128;
                slot.value = self.line(bytes);
                slot.index = if fold.op == FoldOp::Arg { self.line(bytes) } else { slot.index };
                if line || self.tile.ranges.is_empty() {
                    // SAFETY: the lines have this room
                    unsafe {
                        lines::fill(slot.value, lane, identity(fold.op), bytes / lane.size());
                        if fold.op == FoldOp::Arg {
                            std::ptr::write_bytes(slot.index, 0xff, bytes);
                        }
                    }
                }
            }
            self.tile.slots.push(slot);
        }
        if !self.tile.ranges.is_empty() {
            self.tile.common = self.tile.ranges.iter().fold((0, run), |c, r| (c.0.max(r.0), c.1.min(r.1)));
            (job.body)(&self.tile);
        }
        for copy in &self.copies {
            unsafe { copy_out(job, copy, rows) };
        }
        let mut at = values.to_vec();
        for (f, fold) in step.folds.iter().enumerate().filter(|(f, _)| !self.tile.slots[*f].resume) {
            let mut slot = self.tile.slots[f];
            let partial = &mut partials[f];
            let count = if walk.rows.reduces(f) { 1 } else { rows };
            let spots = || fold.value.iter().chain(&fold.index).map(|s| s.track).chain([fold.partial]);
            for _ in 0..count {
                unsafe {
                    if walk.run[0].reduces(f) {
                        let best = across_lanes(step, fold, slot);
                        finish(&job.reader, fold, best, &at, job.complete[f], partial);
                    } else {
                        finish_line(&job.reader, step.lane, fold, slot, &at, job.complete[f], partial, (lo, hi));
                    }
                }
                slot.value = slot.value.wrapping_add(slot.row);
                slot.index = slot.index.wrapping_add(slot.row);
                spots().for_each(|t| at[t] += walk.rows.steps[t]);
            }
            spots().for_each(|t| at[t] = values[t]);
        }
    }
}

/// Whether a store can write lanes where they belong.
fn is_direct(spot: &Spot, lane: Elem, walk: &Walk) -> bool {
    spot.elem == lane && spot.mode == Mode::Write && walk.along[spot.track] == Some(lane.size() as i64)
}

/// Stages one part of an operand for each row.
unsafe fn stage_rows(
    job: &Job,
    i: usize,
    values: &[i64],
    (lo, from, to): (usize, usize, usize),
    line: *mut u8,
    (rows, pitch): (usize, usize),
) {
    let (access, class, reader, lane) = (&job.step.operands[i], job.classes[i], &job.reader, job.step.lane_of(i));
    let size = lane.size();
    let steps = &reader.walk.rows.steps;
    let one = |at: &[i64], row: usize| {
        let line = line.wrapping_add(row * pitch);
        unsafe {
            if class.cell {
                lines::fill(line, lane, reader.element(access, at, from), CELL / size);
            } else {
                reader.stage(access, lane, at, from, to, line.wrapping_sub(lo * size));
            }
        }
    };
    one(values, 0);
    if rows > 1 {
        let mut at = values.to_vec();
        for row in 1..rows {
            at.iter_mut().zip(steps).for_each(|(v, s)| *v += s);
            one(&at, row);
        }
    }
}

/// Whether one tile sees all that the fold reduces over, so that its result is final.
pub(crate) fn completes(walk: &Walk, f: usize, fold: &LoweredFold) -> bool {
    let inside = walk.tap_len <= walk.tap_chunk && (!walk.run[0].reduces(f) || walk.run_len <= walk.run_chunk);
    let rows = walk.rows.len == 1 || !walk.rows.reduces(f);
    inside && rows && !fold.carried && walk.outer.iter().all(|l| !l.reduces(f))
}

/// The lanes of a fold's results: sums and products are `f64`.
fn result_lane(lane: Elem, op: FoldOp) -> Elem {
    match op {
        FoldOp::Sum | FoldOp::Prod => Elem::F64,
        FoldOp::Max | FoldOp::Arg => lane,
    }
}

unsafe fn copy_out(job: &Job, copy: &Copy, rows: usize) {
    let (reader, lane) = (&job.reader, job.step.lane);
    let Copy { line, pitch, spot, at, lo, hi } = copy;
    for row in 0..rows {
        let line = line.wrapping_add(row * pitch);
        let at = at + reader.walk.rows.steps[spot.track] * row as i64;
        pieces(reader.walk, spot.track, *lo, *hi, |i, n, offset, step| {
            let p = reader.bases[spot.array.0 as usize].wrapping_offset((at + offset) as isize);
            unsafe { lines::unstage(line.wrapping_add(i * lane.size()), lane, (spot.elem, spot.mode, false), p, step, n) };
        });
    }
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
            let width = lane.size();
            pieces(walk, spot.track, lo, hi, |i, n, offset, step| {
                lines::unstage_indices(slot.index.wrapping_add((i - lo) * width), width, spot.elem, place(spot, offset), step, n);
            });
        }
    }
}
