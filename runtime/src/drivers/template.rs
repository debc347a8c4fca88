//! Tiles that are prepared once, and run wherever the sweep looks the same.
//!
//! What a tile consists of is decided by conditions, and by how far things move from row to row, along the run and from
//! tap to tap. At another position where the conditions hold for the same lanes, only addresses differ: those are links,
//! each relative to the value of a track.

use super::array::Elem;
use super::finish::{existing, result_lane};
use super::lines;
use super::lower::{Access, Cond, ExtraIndex, Lowered, Source, Spot, Test};
use super::panel::{Panel, panel};
use super::partial::{Partial, identity};
use super::plan::{CELL, Plan, is_anchored, is_direct, writes_lanes};
use super::read::{Reader, clip};
use super::scratch::{Lines, Scratch};
use super::script::{Array, FoldOp};
use super::tile::{Mask, Slot, Tile};
use super::walk::Walk;
use std::cell::Cell;

/// One sweep over one block.
pub(crate) struct Job<'j> {
    pub step: &'j Lowered,
    pub body: &'j (dyn Fn(&Tile) + Send + Sync),
    pub reader: Reader<'j>,
    pub plan: &'j Plan,
}

/// The tiles of one position outside of rows, taps and run, in order.
pub(crate) struct Program {
    /// The values of the tracks that decide how the tiles look.
    pub key: Vec<i64>,
    pub templates: Vec<Template>,
    pub calls: Vec<Call>,
}

/// A template, and where it runs.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    pub template: usize,
    pub row: usize,
    pub tap: usize,
}

/// What a template is for, within its program.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Shape {
    /// The first row of those that look the same, and the number of rows of one tile.
    pub row: usize,
    pub rows: usize,
    /// The first tap, where it matters, and their number.
    pub tap: usize,
    pub taps: usize,
    pub lo: usize,
    pub hi: usize,
}

/// A pointer of the tile: into an array, relative to a track's value.
#[derive(Clone, Copy)]
struct Link {
    at: usize,
    array: Array,
    track: usize,
    offset: i64,
}

/// A pointer of the tile to an operand, relative to where [`anchor`] is.
#[derive(Clone, Copy)]
struct InLink {
    at: usize,
    operand: usize,
    offset: i64,
}

/// Where an operand's offsets count from: what moves as its tracks do.
pub(crate) fn anchor(access: &Access, at: &[i64]) -> i64 {
    let divided = access.extras.iter().filter(|e| is_anchored(e)).map(|e| match e.index {
        ExtraIndex::Divided { track, div, .. } => at[track].div_euclid(div) * e.dims[0].1,
        ExtraIndex::Load(_) => 0,
    });
    at[access.track] + divided.sum::<i64>()
}

/// What is copied out after the tile.
pub(crate) struct Copy {
    pub line: *mut u8,
    /// From row to row, in bytes.
    pub pitch: usize,
    pub spot: Spot,
    pub offset: i64,
    pub lo: usize,
    pub hi: usize,
}

/// An operand that is copied into lines, row by row, for one entry or for all.
struct Staging {
    operand: usize,
    /// How far the entry's tracks are from the template's.
    moved: Vec<i64>,
    from: usize,
    to: usize,
    line: *mut u8,
    rows: usize,
    pitch: usize,
    /// Stays while its track does: the sweep's number, and the track's value.
    kept: Option<Option<(u64, i64)>>,
}

/// A prepared tile.
pub(crate) struct Template {
    pub shape: Shape,
    pub tile: Tile,
    pub lo: usize,
    pub hi: usize,
    ins: Vec<InLink>,
    outs: Vec<Link>,
    /// By fold: where results go without a line.
    results: Vec<Option<Link>>,
    stagings: Vec<Staging>,
    panels: Vec<Panel>,
    pub copies: Vec<Copy>,
    /// By entry and arg form, relative to the fold's track.
    index_base: Vec<i64>,
    lines: Lines,
}

/// The stretches of the run that are visited, each with the tracks' values there.
#[derive(Default)]
pub(crate) struct Listing {
    pub stretches: Vec<(usize, usize)>,
    values: Vec<i64>,
    width: usize,
    /// Those of the first half of the taps.
    pub first_half: usize,
    /// For how many rows they are the same.
    pub rows: usize,
}

impl Listing {
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&[i64], (usize, usize))> {
        self.values.chunks(self.width).zip(self.stretches.iter().copied())
    }
}

/// Moves tracks along loops to a position of their flattened range.
pub(crate) fn advance(walk: &Walk, tap: usize, values: &mut [i64]) {
    let mut rest = tap;
    for l in walk.taps.iter().rev() {
        let i = (rest % l.len) as i64;
        rest /= l.len;
        values.iter_mut().zip(&l.steps).for_each(|(v, s)| *v += s * i);
    }
}

/// Lists the stretches of `taps` taps from the first, over `lo..hi` of the run.
pub(crate) fn list(job: &Job, at: &[i64], (tap, taps): (usize, usize), (lo, hi): (usize, usize)) -> Listing {
    let (step, reader, walk) = (job.step, &job.reader, job.reader.walk);
    let mut listing = Listing { rows: usize::MAX, width: at.len(), ..Listing::default() };
    let conditions = || step.guard.iter().chain(&walk.ragged);
    let middle = tap + taps / 2;
    for tap in tap..tap + taps {
        if tap == middle {
            listing.first_half = listing.stretches.len();
        }
        let mut values = at.to_vec();
        advance(walk, tap, &mut values);
        let (mut from, mut to) = (lo, hi);
        let mut hard = false;
        for c in conditions() {
            listing.rows = listing.rows.min(reader.same_rows(c, &values));
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
        // what is read in place must be the same for all rows; what is staged is looked at row by row
        let linear = step.operands.iter().zip(&job.plan.classes).filter(|(_, c)| c.steps.is_some());
        for c in linear.flat_map(|(access, _)| &access.valid) {
            listing.rows = listing.rows.min(reader.same_rows(c, &values));
        }
        if hard {
            listing.rows = 1;
            let holds = |i: usize, c: &Cond| c.test.holds(values[c.track] + walk.offset(c.track, i));
            let mut i = from;
            while i < to {
                let start = i;
                while i < to && conditions().all(|c| holds(i, c)) {
                    i += 1;
                }
                if start < i {
                    listing.stretches.push((start, i));
                    listing.values.extend_from_slice(&values);
                } else {
                    i += 1;
                }
            }
        } else if from < to {
            listing.stretches.push((from, to));
            listing.values.extend_from_slice(&values);
        }
    }
    listing
}

/// Prepares a tile whose first row is at `at`.
pub(crate) fn template(job: &Job, at: &[i64], shape: Shape, scratch: &mut Scratch) -> Template {
    let (step, plan, walk) = (job.step, job.plan, job.reader.walk);
    let (lo, hi) = (shape.lo, shape.hi);
    let first = if plan.plain { 1 } else { shape.taps };
    let listing = list(job, at, (shape.tap, first), (lo, hi));
    let mut tile = Tile::new(shape.rows, walk.columns, hi - lo);
    // what is copied on from lines stays in the cache until then
    tile.stream = plan.stream && step.stores.iter().flatten().all(|s| is_direct(s, step.lane, walk));
    if let (true, Some(Some(first))) = (tile.stream, step.stores.first()) {
        let base = |a: Array| job.reader.bases[a.0 as usize] as isize;
        tile.ahead = plan.ahead.iter().map(|(array, far)| base(*array).wrapping_sub(base(first.array)) + *far as isize).collect();
    }
    tile.steps = plan.classes.iter().map(|c| if c.cell { 0 } else { usize::MAX }).collect();
    tile.ranges = listing.stretches.iter().map(|(from, to)| (from - lo, to - lo)).collect();
    let args = || step.folds.iter().filter(|f| f.op == FoldOp::Arg);
    tile.index_rows = args().map(|f| walk.rows.steps[f.arg] as u32).collect();
    tile.keep = existing(&job.reader, at, (lo, hi)) - lo;
    if walk.pair {
        let mut between = at.to_vec();
        between.iter_mut().zip(&walk.taps[0].steps).for_each(|(v, s)| *v += s);
        tile.keep += existing(&job.reader, &between, (lo, hi)) - lo;
        tile.pair = Some(listing.first_half);
    }
    let index_base = listing
        .entries()
        .flat_map(|(values, _)| args().map(move |f| values[f.arg] - at[f.arg] + walk.offset(f.arg, lo)).collect::<Vec<i64>>());
    let index_base = index_base.collect();
    let (lines, results) = (Lines::default(), vec![]);
    let (ins, outs, stagings, panels, copies) = (vec![], vec![], vec![], vec![], vec![]);
    let mut t = Template { shape, tile, lo, hi, ins, outs, results, stagings, panels, copies, index_base, lines };
    t.operands(job, at, &listing, scratch);
    t.stores(job, at, &listing, scratch);
    if plan.plain {
        t.more_taps(job, shape.taps);
    }
    t.tile.common = t.tile.ranges.iter().fold((0, hi - lo), |c, r| (c.0.max(r.0), c.1.min(r.1)));
    if walk.columns {
        t.tile.masks = vec![Cell::new(Mask::NONE); t.tile.ranges.len()];
    }
    t.slots(job, scratch);
    t.tile.overlap = t.tile.run >= step.lanes && !t.tile.slots.iter().any(|slot| slot.resume);
    t
}

impl Template {
    /// The pointers of every entry's operands.
    fn operands(&mut self, job: &Job, at: &[i64], listing: &Listing, scratch: &mut Scratch) {
        let (count, entries) = (job.step.operands.len(), listing.stretches.len());
        self.tile.ins = vec![std::ptr::null(); count * entries];
        self.tile.in_rows = vec![0; count];
        for i in 0..count {
            if let Some((row_step, starts)) = self.in_place(job, i, at, listing) {
                self.tile.in_rows[i] = row_step as isize;
                let links = starts.iter().enumerate();
                self.ins.extend(links.map(|(entry, offset)| InLink { at: entry * count + i, operand: i, offset: *offset }));
                continue;
            }
            let shared = panel(job, i, at, listing, self.shape.rows, (self.lo, &mut self.lines, scratch));
            if let Some((panel, pointers, row_step)) = shared {
                self.panels.push(panel);
                self.tile.in_rows[i] = row_step;
                for (entry, p) in pointers.into_iter().enumerate() {
                    self.tile.ins[entry * count + i] = p;
                }
                continue;
            }
            let class = job.plan.classes[i];
            let guarded = !job.step.guard.is_empty() || job.reader.walk.ragged.is_some();
            let keep = class.invariant && !class.direct && (class.cell || !guarded);
            for (entry, (values, stretch)) in listing.entries().enumerate() {
                if keep && entry > 0 {
                    self.tile.ins[entry * count + i] = self.tile.ins[i];
                } else {
                    self.staged(job, i, (at, values), stretch, (entry * count + i, keep), scratch);
                }
            }
        }
    }

    /// An operand that is lanes where it lies: how far rows are apart, and where each entry's begin.
    fn in_place(&self, job: &Job, i: usize, at: &[i64], listing: &Listing) -> Option<(i64, Vec<i64>)> {
        let (class, access, lane) = (job.plan.classes[i], &job.step.operands[i], job.step.lane_of(i));
        let (row_step, step) = class.steps?;
        if class.cell || access.elem != lane || step != lane.size() as i64 {
            return None;
        }
        let first = (self.lo * lane.size()) as i64 - anchor(access, at);
        let starts = listing.entries().map(|(values, stretch)| Some(job.reader.linear_start(access, values, stretch)? + first));
        Some((row_step, starts.collect::<Option<Vec<i64>>>()?))
    }

    /// One operand of one entry, which is brought into a line.
    fn staged(
        &mut self,
        job: &Job,
        i: usize,
        (at, values): (&[i64], &[i64]),
        (from, to): (usize, usize),
        (column, keep): (usize, bool),
        scratch: &mut Scratch,
    ) {
        let (class, lane) = (job.plan.classes[i], job.step.lane_of(i));
        let rows = if class.row_invariant { 1 } else { self.shape.rows };
        let pitch = if class.cell { CELL } else { (self.hi - self.lo) * lane.size() };
        let pinned = keep && class.simple && class.row_invariant;
        let bytes = pitch * rows;
        let line = if pinned || class.constant { self.lines.own(bytes) } else { self.lines.shared(scratch, bytes) };
        self.tile.ins[column] = line;
        self.tile.in_rows[i] = if rows == 1 { 0 } else { pitch as isize };
        let moved = values.iter().zip(at).map(|(v, a)| v - a).collect();
        let staging = Staging { operand: i, moved, from, to, line, rows, pitch, kept: pinned.then_some(None) };
        if class.constant {
            // SAFETY: the line has this room, and the positions are the sweep's
            unsafe { staging.stage(job, self.lo, at, &mut vec![]) };
        } else {
            self.stagings.push(staging);
        }
    }

    /// Where every entry's stored values go.
    fn stores(&mut self, job: &Job, at: &[i64], listing: &Listing, scratch: &mut Scratch) {
        let (step, walk) = (job.step, job.reader.walk);
        let size = step.lane.size();
        let pitch = (self.hi - self.lo) * size;
        let direct = |s: &Option<Spot>| s.filter(|s| is_direct(s, step.lane, walk));
        let row_step = |s: &Option<Spot>| direct(s).map_or(pitch as isize, |s| walk.rows.steps[s.track] as isize);
        self.tile.out_rows = step.stores.iter().map(row_step).collect();
        for (values, (from, to)) in listing.entries() {
            for spot in &step.stores {
                if let Some(s) = direct(spot) {
                    let offset = values[s.track] - at[s.track] + (self.lo * size) as i64;
                    self.outs.push(Link { at: self.tile.outs.len(), array: s.array, track: s.track, offset });
                    self.tile.outs.push(std::ptr::null_mut());
                    continue;
                }
                let line = self.lines.shared(scratch, pitch * self.shape.rows);
                self.tile.outs.push(line);
                if let Some(spot) = *spot {
                    let line = line.wrapping_sub(self.lo * size);
                    let offset = values[spot.track] - at[spot.track];
                    self.copies.push(Copy { line, pitch, spot, offset, lo: from, hi: to });
                }
            }
        }
    }

    /// The other taps of a plain sweep: the first one's entry, moved by equal steps.
    fn more_taps(&mut self, job: &Job, n: usize) {
        let (step, walk) = (job.step, job.reader.walk);
        let Some(taps) = walk.taps.first().filter(|_| n > 1) else { return };
        let (ins, outs) = (step.operands.len(), step.stores.len());
        let (in_links, out_links) = (self.ins.len(), self.outs.len());
        for entry in 1..n {
            for i in 0..ins {
                self.tile.ins.push(self.tile.ins[i]);
            }
            for i in 0..outs {
                self.tile.outs.push(self.tile.outs[i]);
            }
            for i in 0..in_links {
                let InLink { at, operand, offset } = self.ins[i];
                let offset = offset + taps.steps[step.operands[operand].track] * entry as i64;
                self.ins.push(InLink { at: at + entry * ins, operand, offset });
            }
            for i in 0..out_links {
                let Link { at, array, track, offset } = self.outs[i];
                let offset = offset + taps.steps[track] * entry as i64;
                self.outs.push(Link { at: at + entry * outs, array, track, offset });
            }
            self.tile.ranges.push(self.tile.ranges[0]);
        }
    }

    /// Where folds end up.
    fn slots(&mut self, job: &Job, scratch: &mut Scratch) {
        let (step, walk, plan) = (job.step, job.reader.walk, job.plan);
        let (run, rows) = (self.hi - self.lo, self.shape.rows);
        for (f, fold) in step.folds.iter().enumerate() {
            let kept = !walk.run[0].reduces(f);
            let each_row = !walk.rows.reduces(f);
            // vectors reach past the end of a row, and rows are not visited one after the other
            let width = if kept { run.next_multiple_of(16) } else { step.lanes };
            let lane = result_lane(step.lane, fold.op);
            let line = kept && !walk.columns;
            let resume = fold.op == FoldOp::Sum && kept && !plan.complete[f] && walk.along[fold.partial] == Some(1);
            let empty = self.tile.ranges.is_empty() && !walk.pair;
            let direct = plan.complete[f] && !empty && writes_lanes(fold, step.lane, walk);
            let index_step = walk.along[fold.arg].unwrap_or(0) as u32;
            let null = std::ptr::null_mut();
            let narrow = fold.value.is_some_and(|s| s.elem == step.lane);
            let mut slot = Slot { value: null, row: 0, index: null, index_row: 0, line, resume, direct, narrow, index_step };
            let pitch = width * lane.size();
            let bytes = pitch * if each_row { rows } else { 1 } + 128;
            let mut link = None;
            if resume {
                slot.row = walk.rows.steps[fold.partial] as usize * 8;
            } else if let Some(s) = fold.value.filter(|_| direct) {
                slot.row = walk.rows.steps[s.track] as usize;
                let offset = (self.lo * s.elem.size() * if walk.pair { 2 } else { 1 }) as i64;
                link = Some(Link { at: f, array: s.array, track: s.track, offset });
            } else {
                slot.row = if each_row { pitch } else { 0 };
                slot.value = self.lines.shared(scratch, bytes);
            }
            if fold.op == FoldOp::Arg {
                slot.index_row = if each_row { pitch } else { 0 };
                slot.index = self.lines.shared(scratch, bytes);
            }
            self.tile.slots.push(slot);
            self.results.push(link);
        }
    }

    /// Runs the tile where the tracks are at `at`: stages what it reads, and calls the body's loop.
    ///
    /// # Safety
    /// The positions are the sweep's, and look as those did for which the template was made.
    pub(crate) unsafe fn run(
        &mut self,
        job: &Job,
        at: &[i64],
        partials: &mut [Partial],
        sweep: u64,
        scratch: &mut Scratch,
        row: &mut Vec<i64>,
    ) {
        scratch.poison(self.lines.shared);
        self.link(job, at);
        for staging in &mut self.stagings {
            if let Some(kept) = &mut staging.kept {
                let key = Some((sweep, at[job.step.operands[staging.operand].track]));
                if std::mem::replace(kept, key) == key {
                    continue;
                }
            }
            unsafe { staging.stage(job, self.lo, at, row) };
        }
        for panel in &self.panels {
            unsafe { panel.stage(job, at) };
        }
        self.begin(job, at, partials);
        if !self.tile.ranges.is_empty() || self.tile.pair.is_some() {
            (job.body)(&self.tile);
        }
    }

    /// Points the tile to where the tracks are.
    fn link(&mut self, job: &Job, at: &[i64]) {
        let mut anchored = (usize::MAX, std::ptr::null_mut());
        for link in &self.ins {
            if anchored.0 != link.operand {
                let access = &job.step.operands[link.operand];
                anchored = (link.operand, source(job, access).wrapping_offset(anchor(access, at) as isize));
            }
            self.tile.ins[link.at] = anchored.1.wrapping_offset(link.offset as isize);
        }
        for link in &self.outs {
            self.tile.outs[link.at] = link.place(job, at);
        }
        let args = || job.step.folds.iter().filter(|f| f.op == FoldOp::Arg).map(|f| at[f.arg]).cycle();
        self.tile.index_base.clear();
        self.tile.index_base.extend(self.index_base.iter().zip(args()).map(|(base, at)| (base + at) as u32));
    }

    /// Prepares where folds end up.
    fn begin(&mut self, job: &Job, at: &[i64], partials: &mut [Partial]) {
        let walk = job.reader.walk;
        for (f, fold) in job.step.folds.iter().enumerate() {
            let slot = &mut self.tile.slots[f];
            if slot.resume {
                let to = at[fold.partial] as isize + self.lo as isize;
                slot.value = partials[f].values.as_mut_ptr().wrapping_offset(to) as *mut u8;
            } else if let Some(link) = &self.results[f] {
                slot.value = link.place(job, at);
            } else if slot.line || self.tile.ranges.is_empty() {
                let lane = result_lane(job.step.lane, fold.op);
                let width = if walk.run[0].reduces(f) { job.step.lanes } else { (self.hi - self.lo).next_multiple_of(16) };
                let lanes = width * if walk.rows.reduces(f) { 1 } else { self.tile.rows };
                // SAFETY: the lines have this room
                unsafe {
                    lines::fill(slot.value, lane, identity(fold.op), lanes + 128 / lane.size());
                    if fold.op == FoldOp::Arg {
                        std::ptr::write_bytes(slot.index, 0xff, lanes * lane.size() + 128);
                    }
                }
            }
        }
    }
}

impl Link {
    fn place(&self, job: &Job, at: &[i64]) -> *mut u8 {
        job.reader.bases[self.array.0 as usize].wrapping_offset((at[self.track] + self.offset) as isize)
    }
}

/// The first element of the array that is read.
pub(crate) fn source(job: &Job, access: &Access) -> *mut u8 {
    match access.source {
        Source::Array(array) => job.reader.bases[array.0 as usize],
        _ => std::ptr::null_mut(),
    }
}

impl Staging {
    /// # Safety
    /// The positions are the sweep's; the line has the room.
    unsafe fn stage(&self, job: &Job, lo: usize, at: &[i64], values: &mut Vec<i64>) {
        let (access, class, lane): (&Access, _, Elem) =
            (&job.step.operands[self.operand], job.plan.classes[self.operand], job.step.lane_of(self.operand));
        let size = lane.size();
        values.clear();
        values.extend(at.iter().zip(&self.moved).map(|(a, m)| a + m));
        for row in 0..self.rows {
            let line = self.line.wrapping_add(row * self.pitch);
            unsafe {
                if class.cell {
                    lines::fill(line, lane, job.reader.element(access, lane, values, self.from), CELL / size);
                } else {
                    job.reader.stage(access, lane, values, self.from, self.to, line.wrapping_sub(lo * size));
                }
            }
            if row + 1 < self.rows {
                values.iter_mut().zip(&job.reader.walk.rows.steps).for_each(|(v, s)| *v += s);
            }
        }
    }
}
