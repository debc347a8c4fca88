//! Blocks of a contraction's factor, copied into contiguous lines as its access says.

use super::array::Elem;
use super::group::{Group, Stretches};
use super::lines;
use super::lower::{Access, Extra, ExtraIndex, Source, Test};
use super::read::{Reader, clip};
use super::walk::Walk;

/// More phases than this of a run are not unrolled.
const PHASES: i64 = 16;

/// How one factor is packed.
pub(crate) struct Packer<'p> {
    access: &'p Access,
    lane: Elem,
    bases: &'p [*mut u8],
    /// The array itself, if the flattened groups move by equal steps: where it begins, and the steps along the factor's
    /// own group and along k, in bytes.
    pub in_place: Option<(*mut u8, i64, i64)>,
    /// Lines go along k.
    pub along_k: bool,
    /// By track: one step along the run.
    steps: Vec<i64>,
    /// Every how many positions of the run all is linear; `None`: never.
    phases: Option<usize>,
    /// For single elements.
    point: Walk,
}

// SAFETY: the pointers are only read through, and by tasks that share them
unsafe impl Sync for Packer<'_> {}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}
/// After how many steps a value has moved by a multiple of `by`.
fn period(step: i64, by: i64) -> i64 {
    by / gcd(step, by).max(1)
}

/// After how many steps everything about an access repeats or has moved linearly, if that is not long.
fn phases(access: &Access, steps: &[i64]) -> Option<i64> {
    let conditions = access.valid.iter().map(|c| match c.test {
        Test::Range { .. } => Some(1),
        Test::Modular { div, modulo, .. } => Some(period(steps[c.track], div * modulo)),
        Test::Divides { by } => Some(period(steps[c.track], by)),
    });
    let extras = access.extras.iter().map(|e| match &e.index {
        ExtraIndex::Divided { track, div, modulo } => {
            let whole = period(steps[*track], div * (*modulo).max(1));
            (e.dims.len() == 1 || steps[*track] == 0).then_some(whole)
        }
        ExtraIndex::Load(index) => is_still(index, steps).then_some(1),
    });
    let together = conditions.chain(extras).try_fold(1, |all, one| one.map(|one| all / gcd(all, one) * one))?;
    let linear = !matches!(access.source, Source::Random { .. });
    (linear && together <= PHASES).then_some(together)
}

/// Whether an access is the same all along the run.
fn is_still(access: &Access, steps: &[i64]) -> bool {
    steps[access.track] == 0
        && access.valid.iter().all(|c| steps[c.track] == 0)
        && access.extras.iter().all(|e| match &e.index {
            ExtraIndex::Divided { track, .. } => steps[*track] == 0,
            ExtraIndex::Load(index) => is_still(index, steps),
        })
}

/// How far an index moves every `phases` steps.
fn moves(extra: &Extra, steps: &[i64], phases: i64) -> i64 {
    match &extra.index {
        ExtraIndex::Divided { track, div, modulo: 0 } => steps[*track] * phases / div,
        _ => 0,
    }
}

impl<'p> Packer<'p> {
    pub(crate) fn new(access: &'p Access, lane: Elem, own: &Group, k: &Group, tracks: usize, bases: &'p [*mut u8]) -> Packer<'p> {
        let steps = |group: &Group| -> Vec<i64> { (0..tracks).map(|t| group.innermost(t)).collect() };
        // the price of an element: a part of the run's, and what its step makes of it
        let price = |group: &Group| {
            let (steps, size) = (steps(group), access.elem.size() as i64);
            let dense = access.extras.iter().fold(steps[access.track], |step, e| step + stride(e) * moves(e, &steps, 1)) == size;
            100 / group.run() + if dense { 1 } else { 6 }
        };
        let along_k = price(k) < price(own);
        let steps = steps(if along_k { k } else { own });
        let is_plain = access.extras.is_empty() && access.valid.is_empty() && access.elem == lane;
        let in_place = match access.source {
            Source::Array(array) if is_plain => {
                own.step(access.track).zip(k.step(access.track)).map(|(row, column)| (bases[array.0 as usize], row, column))
            }
            _ => None,
        };
        let phases = phases(access, &steps).map(|n| n as usize);
        Packer { access, lane, bases, in_place, along_k, steps, phases, point: Walk::point(tracks) }
    }
    /// The track of its address.
    pub(crate) fn track(&self) -> usize {
        self.access.track
    }
    fn reader(&self) -> Reader<'_> {
        Reader { bases: self.bases, walk: &self.point }
    }

    /// Packs lines of runs into lines of `width` lanes.
    ///
    /// # Safety
    /// All positions are the contraction's; the buffer has room for the lines.
    pub(crate) unsafe fn pack(&self, origin: &[i64], lines: &Stretches, runs: &Stretches, width: usize, buffer: *mut u8) {
        let mut at = origin.to_vec();
        let size = self.lane.size();
        for i in 0..lines.spans.len() {
            for (j, &(first, n)) in runs.spans.iter().enumerate() {
                for (t, x) in at.iter_mut().enumerate() {
                    *x = origin[t] + lines.at(i)[t] + runs.at(j)[t];
                }
                let line = buffer.wrapping_add((i * width + first) * size);
                unsafe {
                    match self.phases {
                        Some(1) => self.piece(&at, n, 1, line),
                        Some(phases) => self.phased(&mut at, n, phases, line),
                        None => self.elements(&at, n, line),
                    }
                }
            }
        }
    }

    /// # Safety
    /// As for [`Packer::piece`].
    unsafe fn phased(&self, at: &mut [i64], n: usize, phases: usize, line: *mut u8) {
        let mut one = [0u64; 256];
        let one = (&raw mut one).cast::<u8>();
        for phase in 0..phases.min(n) {
            let mut start = at.to_vec();
            let mut done = 0;
            let count = (n - phase).div_ceil(phases);
            while done < count {
                let m = (count - done).min(256);
                for (x, (a, s)) in start.iter_mut().zip(at.iter().zip(&self.steps)) {
                    *x = a + s * (phase + done * phases) as i64;
                }
                unsafe {
                    self.piece(&start, m, phases, one);
                    lines::spread(line.add((phase + done * phases) * self.lane.size()), one, self.lane, phases, m);
                }
                done += m;
            }
        }
    }

    /// Every `phases`-th position from the one at hand, `n` of them.
    ///
    /// # Safety
    /// The positions are the contraction's; the line has room for `n` lanes.
    unsafe fn piece(&self, at: &[i64], n: usize, phases: usize, line: *mut u8) {
        let (access, q, size) = (self.access, phases as i64, self.lane.size());
        let (mut lo, mut hi) = (0, n);
        for c in &access.valid {
            let (v, step) = (at[c.track], self.steps[c.track] * q);
            match c.test {
                Test::Range { lo: from, hi: to } => {
                    let far = v + step * (n as i64 - 1);
                    if v.min(far) < from || v.max(far) >= to {
                        (lo, hi) = clip((from, to), v, step, lo, hi);
                    }
                }
                test if test.holds(v) => {}
                _ => hi = lo,
            }
        }
        unsafe {
            lines::fill(line, self.lane, access.fill, lo);
            lines::fill(line.add(hi * size), self.lane, access.fill, n - hi);
            if lo == hi {
                return;
            }
            let (mut start, mut step) =
                (at[access.track] + self.steps[access.track] * q * lo as i64, self.steps[access.track] * q);
            for extra in &access.extras {
                let each = moves(extra, &self.steps, q);
                // from first to last: it moves one way
                let Some(first) = self.index(extra, at, lo, q).filter(|first| {
                    let last = first + each * (hi - lo - 1) as i64;
                    *first >= 0 && *first < extra.extent && last >= 0 && last < extra.extent
                }) else {
                    return self.every(at, (lo, hi), q, line);
                };
                start += place(extra, first);
                step += stride(extra) * each;
            }
            let line = line.add(lo * size);
            match access.source {
                Source::Array(array) => {
                    let p = self.bases[array.0 as usize].wrapping_offset(start as isize);
                    if access.elem == self.lane && step == size as i64 {
                        p.copy_to_nonoverlapping(line, (hi - lo) * size);
                    } else {
                        lines::stage(line, self.lane, access.elem, p, step, hi - lo);
                    }
                }
                _ => self.every(at, (lo, hi), q, line.sub(lo * size)),
            }
        }
    }
    /// An index of the source at a position of the run.
    unsafe fn index(&self, extra: &Extra, at: &[i64], position: usize, phases: i64) -> Option<i64> {
        Some(match &extra.index {
            ExtraIndex::Divided { track, div, modulo } => {
                let v = (at[*track] + self.steps[*track] * phases * position as i64).div_euclid(*div);
                if *modulo > 0 { v.rem_euclid(*modulo) } else { v }
            }
            // SAFETY: the position is one of the contraction's, and the index the same all along
            ExtraIndex::Load(index) => unsafe { self.reader().element(index, Elem::F64, at, 0) as i64 },
        })
    }
    /// # Safety
    /// As for [`Packer::piece`].
    unsafe fn elements(&self, at: &[i64], n: usize, line: *mut u8) {
        unsafe { self.every(at, (0, n), 1, line) }
    }
    /// One by one.
    ///
    /// # Safety
    /// As for [`Packer::piece`].
    unsafe fn every(&self, at: &[i64], (lo, hi): (usize, usize), phases: i64, line: *mut u8) {
        let mut here = at.to_vec();
        for i in lo..hi {
            for (x, (a, s)) in here.iter_mut().zip(at.iter().zip(&self.steps)) {
                *x = a + s * phases * i as i64;
            }
            unsafe { lines::set(line, self.lane, i, self.reader().element(self.access, self.lane, &here, 0)) }
        }
    }
}

/// The stride of an index of one dimension.
fn stride(extra: &Extra) -> i64 {
    extra.dims.last().map_or(0, |d| d.1)
}
/// The offset of an index.
fn place(extra: &Extra, index: i64) -> i64 {
    let (mut rest, mut offset) = (index, 0);
    for (len, stride) in extra.dims.iter().rev() {
        offset += rest % len * stride;
        rest /= len;
    }
    offset
}
