//! What becomes of a tile's results: from lines to where they belong, or to the partial results.

use super::array::Elem;
use super::lines;
use super::lower::{Cond, Lowered, LoweredFold, Spot, Test};
use super::partial::{Partial, combine, identity};
use super::read::{Reader, clip};
use super::script::FoldOp;
use super::template::{Copy, Job, Template};
use super::tile::{NONE, Slot};
use super::walk::pieces;

/// Brings the results of a tile that ran at `at` to where they belong; `row` has room for as many values.
///
/// # Safety
/// The tile's positions are the sweep's, and nobody else touches its results.
pub(crate) unsafe fn finish(job: &Job, template: &Template, at: &[i64], row: &mut Vec<i64>, partials: &mut [Partial]) {
    let (step, walk, tile) = (job.step, job.reader.walk, &template.tile);
    for copy in &template.copies {
        unsafe { copy_out(job, copy, at, tile.rows) };
    }
    // what went where it belongs, and what is still being summed
    let left = |f: &usize| !(tile.slots[*f].resume || tile.slots[*f].direct && step.folds[*f].index.is_none());
    for f in (0..step.folds.len()).filter(left) {
        let (fold, slot, partial) = (&step.folds[f], tile.slots[f], &mut partials[f]);
        let rows = if walk.rows.reduces(f) { 1 } else { tile.rows };
        if !walk.run[0].reduces(f) && job.plan.complete[f] {
            unsafe { lines_out(job, template, f, at, rows) };
            continue;
        }
        row.clear();
        row.extend_from_slice(at);
        let mut slot = slot;
        for _ in 0..rows {
            unsafe {
                if walk.run[0].reduces(f) {
                    let best = across_lanes(step, fold, slot);
                    one(&job.reader, fold, best, row, job.plan.complete[f], partial);
                } else {
                    line(job, f, slot, row, partial, (template.lo, template.lo + tile.keep));
                }
            }
            slot.value = slot.value.wrapping_add(slot.row);
            slot.index = slot.index.wrapping_add(slot.index_row);
            for track in fold.value.iter().chain(&fold.index).map(|s| s.track).chain([fold.partial]) {
                row[track] += walk.rows.steps[track];
            }
        }
    }
}

/// Brings the final results of lines away, row by row.
unsafe fn lines_out(job: &Job, template: &Template, f: usize, at: &[i64], rows: usize) {
    let (fold, walk, slot) = (&job.step.folds[f], job.reader.walk, template.tile.slots[f]);
    let (lo, hi) = (template.lo, template.lo + template.tile.keep);
    let lane = result_lane(job.step.lane, fold.op);
    let place = |s: &Spot, along: i64| job.reader.bases[s.array.0 as usize].wrapping_offset((at[s.track] + along) as isize);
    if let Some(spot) = fold.value.as_ref().filter(|_| !slot.direct) {
        pieces(walk, spot.track, lo, hi, |i, n, along, step| {
            let from = lines::Rows { line: slot.value.wrapping_add((i - lo) * lane.size()), pitch: slot.row, rows };
            let to = (place(spot, along), walk.rows.steps[spot.track], step);
            unsafe { lines::unstage_rows(from, lane, (spot.elem, spot.mode, fold.negate), to, n) };
        });
    }
    if let Some(spot) = &fold.index {
        let width = job.step.lane.size();
        pieces(walk, spot.track, lo, hi, |i, n, along, step| {
            let from = lines::Rows { line: slot.index.wrapping_add((i - lo) * width), pitch: slot.index_row, rows };
            let to = (place(spot, along), walk.rows.steps[spot.track], step);
            unsafe { lines::unstage_indices(from, width, spot.elem, to, n) };
        });
    }
}

/// The lanes of a fold's results: sums and products are `f64`.
pub(crate) fn result_lane(lane: Elem, op: FoldOp) -> Elem {
    match op {
        FoldOp::Sum | FoldOp::Prod => Elem::F64,
        FoldOp::Max | FoldOp::Arg => lane,
    }
}

unsafe fn copy_out(job: &Job, copy: &Copy, at: &[i64], rows: usize) {
    let (reader, lane) = (&job.reader, job.step.lane);
    let Copy { line, pitch, spot, offset, lo, hi } = copy;
    for row in 0..rows {
        let line = line.wrapping_add(row * pitch);
        let at = at[spot.track] + offset + reader.walk.rows.steps[spot.track] * row as i64;
        pieces(reader.walk, spot.track, *lo, *hi, |i, n, along, step| {
            let p = reader.bases[spot.array.0 as usize].wrapping_offset((at + along) as isize);
            let line = line.wrapping_add(i * lane.size());
            unsafe {
                if job.plan.stream {
                    lines::stream(line, lane, spot.elem, p, step, n);
                } else {
                    lines::unstage(line, lane, (spot.elem, spot.mode, false), p, step, n);
                }
            }
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
    if fold.op == FoldOp::Sum {
        let mut sums = [0.0; 16];
        unsafe { std::ptr::copy_nonoverlapping(slot.value as *const f64, sums.as_mut_ptr(), step.lanes) };
        for n in [8, 4, 2, 1] {
            for i in 0..n {
                sums[i] += sums[i + n];
            }
        }
        return (sums[0], 0);
    }
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
unsafe fn one(reader: &Reader, fold: &LoweredFold, best: (f64, u32), values: &[i64], complete: bool, partial: &mut Partial) {
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

/// Where the positions of `lo..hi` end that exist: a phase's last ones may not.
pub(crate) fn existing(reader: &Reader, values: &[i64], (lo, hi): (usize, usize)) -> usize {
    match reader.walk.ragged {
        Some(Cond { track, test: Test::Range { lo: a, hi: b } }) => {
            clip((a, b), values[track], reader.walk.along[track].unwrap_or(0), lo, hi).1
        }
        _ => hi,
    }
}

/// Adds the results of a line to partial ones: one a position of the run.
unsafe fn line(job: &Job, f: usize, slot: Slot, values: &[i64], partial: &mut Partial, (lo, hi): (usize, usize)) {
    let fold = &job.step.folds[f];
    for i in lo..hi {
        let at = values[fold.partial] + job.reader.walk.offset(fold.partial, i);
        partial.add(fold.op, at as usize, unsafe { result(job.step.lane, fold.op, slot, i - lo) });
    }
}
