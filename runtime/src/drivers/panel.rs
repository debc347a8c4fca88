//! What all taps of a tile read of one array, copied once: every stretch of the array's memory that some row and tap
//! reads becomes lines, one for each remainder of the step along the run, so that each tap is a pointer into them.

use super::lines;
use super::scratch::{Lines, Scratch};
use super::template::{Job, Listing, anchor, source};

/// The largest step along the run, in elements, that is taken apart.
const PHASES: i64 = 4;

/// Lines that are filled before the tile runs.
pub(crate) struct Panel {
    operand: usize,
    /// From element to element of a line, in bytes.
    step: i64,
    pieces: Vec<Piece>,
}

struct Piece {
    line: *mut u8,
    /// Relative to the operand's anchor.
    offset: i64,
    n: usize,
}

/// One tap, in the panel: which stretch of memory, and where in it.
struct Tap {
    stretch: usize,
    phase: usize,
    shift: usize,
    from: usize,
    to: usize,
}

/// The panel of an operand, every entry's pointer, and the step from row to row; `None` if memory is lanes already, or does
/// not lie in equal steps.
pub(crate) fn panel(
    job: &Job,
    i: usize,
    at: &[i64],
    listing: &Listing,
    rows: usize,
    (lo, lines, scratch): (usize, &mut Lines, &mut Scratch),
) -> Option<(Panel, Vec<*const u8>, isize)> {
    let (access, class, lane) = (&job.step.operands[i], job.plan.classes[i], job.step.lane_of(i));
    let (row_step, step) = class.steps?;
    let size = access.elem.size() as i64;
    let phases = step / size;
    let is_lanes = access.elem == lane && phases == 1;
    if class.cell || is_lanes || step % size != 0 || !(1..=PHASES).contains(&phases) {
        return None;
    }
    if listing.stretches.is_empty() || listing.stretches.len() * rows == 1 {
        return None;
    }
    let starts: Option<Vec<i64>> =
        listing.entries().map(|(values, stretch)| job.reader.linear_start(access, values, stretch)).collect();
    let starts: Vec<i64> = starts?.iter().map(|s| s - anchor(access, at)).collect();
    let (firsts, taps) = taps(&starts, &listing.stretches, size, phases)?;
    let (origin, gap, per_row, of) = arrange(&firsts, row_step, rows);
    // the lanes that some tap reads of each line, by stretch and phase
    let phases = phases as usize;
    let count = of.iter().max().map_or(0, |last| last + 1) + per_row * (rows - 1);
    let mut used = vec![(usize::MAX, 0); count * phases];
    for tap in &taps {
        for row in 0..rows {
            let range = &mut used[(of[tap.stretch] + row * per_row) * phases + tap.phase];
            *range = (range.0.min(tap.shift + tap.from), range.1.max(tap.shift + tap.to));
        }
    }
    let longest = used.iter().map(|u| u.1).max().unwrap_or(0);
    let pitch = pitch(&used, phases, if gap % step == 0 { gap / step } else { 0 });
    // all lines of one phase, then those of the next
    let block = (count * pitch + longest).next_multiple_of(16) * lane.size();
    let (memory, pitch) = (lines.shared(scratch, block * phases), pitch * lane.size());
    let line = |stretch: usize, phase: usize| memory.wrapping_add(phase * block + stretch * pitch);
    let mut pieces: Vec<Piece> = vec![];
    for (phase, stretch) in (0..phases).flat_map(|phase| (0..count).map(move |stretch| (phase, stretch))) {
        let (a, b) = used[stretch * phases + phase];
        if a >= b {
            continue;
        }
        let start = if per_row == 0 || gap != 0 {
            origin + stretch as i64 * gap
        } else {
            firsts[stretch / rows] + (stretch % rows) as i64 * row_step
        };
        let line = line(stretch, phase).wrapping_add(a * lane.size());
        let offset = start + phase as i64 * size + a as i64 * step;
        match pieces.last_mut() {
            // goes on where the one before ends, in memory as in the panel
            Some(last)
                if last.offset + last.n as i64 * step == offset && last.line.wrapping_add(last.n * lane.size()) == line =>
            {
                last.n += b - a;
            }
            _ => pieces.push(Piece { line, offset, n: b - a }),
        }
    }
    let pointer = |tap: &Tap| line(of[tap.stretch], tap.phase).wrapping_add((tap.shift + lo) * lane.size()).cast_const();
    let pointers = taps.iter().map(pointer).collect();
    Some((Panel { operand: i, step, pieces }, pointers, (per_row * pitch) as isize))
}

/// How many lanes lines are apart: as many as the stretches that follow each other in memory, if what is used of each
/// ends where that of the next begins, so that they are copied in one go; else whole cache lines.
fn pitch(used: &[(usize, usize)], phases: usize, apart: i64) -> usize {
    let follows = |pitch: usize, of: &[(usize, usize)], next: &[(usize, usize)]| {
        of.iter().zip(next).all(|(a, b)| a.0 >= a.1 || b.0 >= b.1 || a.1 <= pitch + b.0)
    };
    let lines: Vec<&[(usize, usize)]> = used.chunks(phases).collect();
    let longest = used.iter().map(|u| u.1).max().unwrap_or(0);
    if apart > 0 && longest <= 2 * apart as usize && lines.windows(2).all(|w| follows(apart as usize, w[0], w[1])) {
        return apart as usize;
    }
    longest.next_multiple_of(16) + 16
}

/// Groups taps that read the same stretch of memory: where each stretch begins, and each tap's place in one.
fn taps(starts: &[i64], stretches: &[(usize, usize)], size: i64, phases: i64) -> Option<(Vec<i64>, Vec<Tap>)> {
    let longest = stretches.iter().map(|(from, to)| to - from).max().unwrap_or(0) as i64;
    let span = (longest * phases * size).max(1);
    let mut order: Vec<usize> = (0..starts.len()).collect();
    order.sort_by_key(|e| starts[*e]);
    let mut firsts: Vec<i64> = vec![];
    let mut found: Vec<Option<Tap>> = starts.iter().map(|_| None).collect();
    for e in order {
        if firsts.last().is_none_or(|first| starts[e] - first >= span) {
            firsts.push(starts[e]);
        }
        let away = starts[e] - firsts[firsts.len() - 1];
        if away % size != 0 {
            return None;
        }
        let (phase, shift) = (away / size % phases, away / size / phases);
        let (from, to) = stretches[e];
        found[e] = Some(Tap { stretch: firsts.len() - 1, phase: phase as usize, shift: shift as usize, from, to });
    }
    Some((firsts, found.into_iter().flatten().collect()))
}

/// Numbers the stretches that rows and taps read: the origin and gap of an arithmetic progression that holds them all,
/// how many further one row is, and each first row's number. A gap of 0: every stretch has its own for each row.
fn arrange(firsts: &[i64], row_step: i64, rows: usize) -> (i64, i64, usize, Vec<usize>) {
    let gcd = |a: i64, b: i64| {
        let (mut a, mut b) = (a.abs(), b.abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let origin = firsts[0];
    let row_step = if rows == 1 { 0 } else { row_step };
    let gap = firsts.iter().fold(row_step, |g, f| gcd(g, f - origin));
    if row_step >= 0 && gap > 0 {
        let of: Vec<usize> = firsts.iter().map(|f| ((f - origin) / gap) as usize).collect();
        let per_row = (row_step / gap) as usize;
        let count = of[of.len() - 1] + 1 + per_row * (rows - 1);
        if count <= 2 * firsts.len() * rows {
            return (origin, gap, per_row, of);
        }
    }
    if row_step == 0 && firsts.len() == 1 {
        return (origin, 0, 0, vec![0]);
    }
    (origin, 0, 1, (0..firsts.len()).map(|i| i * rows).collect())
}

impl Panel {
    /// Fills the lines where the track is at `at`.
    ///
    /// # Safety
    /// The positions are the sweep's.
    pub(crate) unsafe fn stage(&self, job: &Job, at: &[i64]) {
        let (access, lane) = (&job.step.operands[self.operand], job.step.lane_of(self.operand));
        let base = source(job, access).wrapping_offset(anchor(access, at) as isize);
        for piece in &self.pieces {
            let p = base.wrapping_offset(piece.offset as isize);
            unsafe { lines::stage(piece.line, lane, access.elem, p, self.step, piece.n) };
        }
    }
}
