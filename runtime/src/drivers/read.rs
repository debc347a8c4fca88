//! Operands of a tile: pointers where memory is already a line of lanes, staged lines and cells where it is not.

use super::array::Elem;
use super::lines;
use super::lower::{Access, Cond, Extra, ExtraIndex, Source, Test};
use super::philox;
use super::script::Distribution;
use super::walk::{Loop, Walk, pieces};

/// What reading needs: where arrays lie, and how the run goes.
pub(crate) struct Reader<'r> {
    pub bases: &'r [*mut u8],
    pub walk: &'r Walk,
}

trait DivCeil {
    fn div_ceil_by(self, by: i64) -> usize;
}
impl DivCeil for i64 {
    /// Of positive numbers.
    fn div_ceil_by(self, by: i64) -> usize {
        ((self + by - 1) / by) as usize
    }
}

/// The stretch of the run where a linear condition holds, within `lo..hi`.
pub(crate) fn clip(test: (i64, i64), value: i64, step: i64, lo: usize, hi: usize) -> (usize, usize) {
    let (from, to) = test;
    let (first, end) = match step {
        0 if from <= value && value < to => (lo as i64, hi as i64),
        0 => (0, 0),
        // from ≤ value + step·i < to
        s if s > 0 => (-(value - from).div_euclid(s), -(value - to).div_euclid(s)),
        s => ((value - to).div_euclid(-s) + 1, (value - from).div_euclid(-s) + 1),
    };
    let first = first.clamp(lo as i64, hi as i64);
    (first as usize, end.clamp(first, hi as i64) as usize)
}

impl Reader<'_> {
    fn value(&self, track: usize, at: &[i64], position: usize) -> i64 {
        at[track] + self.walk.offset(track, position)
    }
    /// Whether a condition is the same at every position of the run.
    fn is_fixed(&self, c: &Cond) -> bool {
        self.walk.along[c.track].is_some_and(|step| c.test.is_periodic(step))
    }
    /// How far an index moves along the run, if by equal steps.
    pub(crate) fn extra_step(&self, extra: &Extra) -> Option<i64> {
        let step = match &extra.index {
            ExtraIndex::Divided { track, div, modulo } => match (self.walk.along[*track]?, modulo) {
                (0, _) => 0,
                (s, 0) if s % div == 0 => s / div,
                (s, m) if *m > 0 && s % (div * m) == 0 => 0,
                _ => return None,
            },
            ExtraIndex::Load(index) => self.is_cell(index).then_some(0)?,
        };
        if step == 0 {
            Some(0)
        } else if extra.dims.len() == 1 {
            Some(step * extra.dims[0].1)
        } else {
            None
        }
    }
    /// One value all along the run.
    pub(crate) fn is_cell(&self, access: &Access) -> bool {
        (matches!(access.source, Source::One) || self.walk.along[access.track] == Some(0))
            && access.extras.iter().all(|e| self.extra_step(e) == Some(0))
            && access.valid.iter().all(|c| self.is_fixed(c))
    }
    /// The same whatever the position along the given loops.
    pub(crate) fn is_invariant(&self, access: &Access, loops: &[Loop]) -> bool {
        let still = |t: usize| loops.iter().all(|l| l.len == 1 || l.steps[t] == 0);
        still(access.track)
            && access.valid.iter().all(|c| still(c.track))
            && access.extras.iter().all(|e| match &e.index {
                ExtraIndex::Divided { track, .. } => still(*track),
                ExtraIndex::Load(index) => self.is_invariant(index, loops),
            })
    }
    /// How far the source's offset moves from row to row, if by equal steps.
    pub(crate) fn row_step(&self, access: &Access) -> Option<i64> {
        let rows = &self.walk.rows;
        let mut step = rows.steps[access.track];
        for extra in &access.extras {
            step += match &extra.index {
                _ if rows.len == 1 => 0,
                ExtraIndex::Divided { track, div, modulo } => match (rows.steps[*track], modulo) {
                    (0, _) => 0,
                    (s, 0) if s % div == 0 && extra.dims.len() == 1 => s / div * extra.dims[0].1,
                    _ => return None,
                },
                ExtraIndex::Load(index) => self.is_invariant(index, std::slice::from_ref(rows)).then_some(0)?,
            };
        }
        Some(step)
    }
    /// For how many rows, this one included, a condition clips the run as it does here.
    pub(crate) fn same_rows(&self, c: &Cond, at: &[i64]) -> usize {
        let (v, along, step) = (at[c.track], self.walk.along[c.track], self.walk.rows.steps[c.track]);
        if self.walk.rows.len == 1 || c.test.is_periodic(step) {
            return usize::MAX;
        }
        match (c.test, along) {
            (Test::Range { lo, hi }, Some(0)) => {
                // rows until the outcome changes
                let (v, lo, hi) = if step > 0 { (v, lo, hi) } else { (-v, 1 - hi, 1 - lo) };
                let to = if v < lo { lo } else { hi };
                if v >= hi { usize::MAX } else { (to - v).div_ceil_by(step.abs()) }
            }
            (Test::Range { lo, hi }, Some(s)) => {
                // the whole run inside, for as long as that stays so
                let far = v + s * (self.walk.run_len as i64 - 1);
                let (least, most) = (v.min(far), v.max(far));
                let (least, most, lo, hi) = if step > 0 { (least, most, lo, hi) } else { (-most, -least, 1 - hi, 1 - lo) };
                if least >= lo && most < hi { (hi - most).div_ceil_by(step.abs()) } else { 1 }
            }
            _ => 1,
        }
    }

    /// The source's offset that an index adds; `None` if it lies outside.
    unsafe fn extra(&self, extra: &Extra, at: &[i64], position: usize) -> Option<i64> {
        match &extra.index {
            ExtraIndex::Divided { .. } => self.divided(extra, at, position),
            ExtraIndex::Load(index) => offset_of(extra, unsafe { self.element(index, Elem::F64, at, position) as i64 }),
        }
    }
    /// The same for an index that no array holds.
    fn divided(&self, extra: &Extra, at: &[i64], position: usize) -> Option<i64> {
        let ExtraIndex::Divided { track, div, modulo } = &extra.index else { return None };
        let v = self.value(*track, at, position).div_euclid(*div);
        offset_of(extra, if *modulo > 0 { v.rem_euclid(*modulo) } else { v })
    }

    /// One element, for a lane of this type. Slow, and right for every access.
    ///
    /// # Safety
    /// The position is one of the sweep's.
    pub(crate) unsafe fn element(&self, access: &Access, lane: Elem, at: &[i64], position: usize) -> f64 {
        if !access.valid.iter().all(|c| c.test.holds(self.value(c.track, at, position))) {
            return access.fill;
        }
        let mut offset = self.value(access.track, at, position);
        for extra in &access.extras {
            match unsafe { self.extra(extra, at, position) } {
                Some(more) => offset += more,
                None => return access.fill,
            }
        }
        match access.source {
            Source::Array(array) => unsafe {
                lines::get(access.elem, self.bases[array.0 as usize].wrapping_offset(offset as isize))
            },
            Source::Iota => offset as f64,
            Source::One => 1.0,
            Source::Random { seed, number, distribution } => draw(
                distribution,
                lane,
                philox::bits(seed, number, offset as u64),
                || philox::bits(seed, number, offset as u64 ^ 1),
                offset as u64,
            ),
        }
    }

    /// The offset at the run's start, if all conditions hold for the stretch and it lies in equal steps.
    pub(crate) fn linear_start(&self, access: &Access, at: &[i64], (lo, hi): (usize, usize)) -> Option<i64> {
        let mut offset = at[access.track];
        for extra in &access.extras {
            // the run's start may be outside, where the index means nothing
            let step = self.extra_step(extra)?;
            offset += self.divided(extra, at, lo)? - step * lo as i64;
        }
        (self.valid(access, at, lo, hi)? == (lo, hi)).then_some(offset)
    }

    /// The stretch where all conditions hold; `None` if it is not one stretch.
    fn valid(&self, access: &Access, at: &[i64], mut lo: usize, mut hi: usize) -> Option<(usize, usize)> {
        for c in &access.valid {
            let step = self.walk.along[c.track]?;
            match c.test {
                Test::Range { lo: a, hi: b } => (lo, hi) = clip((a, b), at[c.track], step, lo, hi),
                test if !test.is_periodic(step) => return None,
                test if !test.holds(at[c.track]) => hi = lo,
                _ => {}
            }
        }
        Some((lo, hi))
    }

    /// Fills a line with the stretch `lo..hi`; `line` is position 0's place.
    ///
    /// # Safety
    /// The stretch is one of the sweep's, and the line has room for it.
    pub(crate) unsafe fn stage(&self, access: &Access, lane: Elem, at: &[i64], lo: usize, hi: usize, line: *mut u8) {
        if access.extras.is_empty()
            && access.valid.is_empty()
            && let Some(step) = self.walk.along[access.track]
        {
            let start = at[access.track] + step * lo as i64;
            return unsafe { self.stage_piece(access, lane, start, step, hi - lo, line.wrapping_add(lo * lane.size())) };
        }
        let steps: Option<Vec<i64>> = access.extras.iter().map(|e| self.extra_step(e)).collect();
        let (Some(steps), Some((from, to))) = (steps, self.valid(access, at, lo, hi)) else {
            return unsafe { self.stage_each(access, lane, at, (lo, hi), line) };
        };
        let place = |i: usize| line.wrapping_add(i * lane.size());
        unsafe {
            lines::fill(place(lo), lane, access.fill, from - lo);
            lines::fill(place(to), lane, access.fill, hi - to);
            if from == to {
                return;
            }
            let mut offset = at[access.track];
            for extra in &access.extras {
                match self.extra(extra, at, 0) {
                    Some(more) => offset += more,
                    None => return self.stage_each(access, lane, at, (from, to), line),
                }
            }
            let extra: i64 = steps.iter().sum();
            if self.walk.along[access.track].is_none() && extra != 0 {
                return self.stage_each(access, lane, at, (from, to), line);
            }
            pieces(self.walk, access.track, from, to, |i, n, along, step| {
                let start = offset + along + extra * i as i64;
                self.stage_piece(access, lane, start, step + extra, n, place(i));
            });
        }
    }

    unsafe fn stage_piece(&self, access: &Access, lane: Elem, start: i64, step: i64, n: usize, line: *mut u8) {
        unsafe {
            match access.source {
                Source::Array(array) => {
                    let p = self.bases[array.0 as usize].wrapping_offset(start as isize);
                    lines::stage(line, lane, access.elem, p, step, n);
                }
                Source::Iota => (0..n).for_each(|i| lines::set(line, lane, i, (start + step * i as i64) as f64)),
                Source::One => lines::fill(line, lane, 1.0, n),
                Source::Random { seed, number, distribution } if step == 1 => {
                    stage_random(seed, number, distribution, lane, start as u64, n, line);
                }
                Source::Random { seed, number, distribution } => {
                    for i in 0..n {
                        let e = (start + step * i as i64) as u64;
                        let (bits, neighbour) = (philox::bits(seed, number, e), || philox::bits(seed, number, e ^ 1));
                        let x = draw(distribution, lane, bits, neighbour, e);
                        lines::set(line, lane, i, x);
                    }
                }
            }
        }
    }

    unsafe fn stage_each(&self, access: &Access, lane: Elem, at: &[i64], (lo, hi): (usize, usize), line: *mut u8) {
        for i in lo..hi {
            unsafe { lines::set(line.wrapping_add(i * lane.size()), lane, 0, self.element(access, lane, at, i)) }
        }
    }
}

/// How far an index moves along its source's dimensions.
fn offset_of(extra: &Extra, index: i64) -> Option<i64> {
    if index < 0 || index >= extra.extent {
        return None;
    }
    if let [(_, stride)] = extra.dims[..] {
        return Some(index * stride);
    }
    let (mut rest, mut offset) = (index, 0);
    for (len, stride) in extra.dims.iter().rev() {
        offset += rest % len * stride;
        rest /= len;
    }
    Some(offset)
}

/// The number that 32 random bits stand for. A normal one takes its neighbour's bits too (Box–Muller).
fn draw(distribution: Distribution, lane: Elem, bits: u32, neighbour: impl Fn() -> u32, element: u64) -> f64 {
    let unit = |bits: u32| f64::from(bits) / 4_294_967_296.0;
    match distribution {
        Distribution::Bernoulli(keep) => f64::from(u8::from(f64::from(bits) < keep * 4_294_967_296.0)),
        // the upper 24 bits: rounding all 32 could give 1
        Distribution::Uniform if lane == Elem::F32 => f64::from(bits >> 8) / 16_777_216.0,
        Distribution::Uniform => unit(bits),
        Distribution::Normal => {
            // of a pair, the even element is the cosine, the odd one the sine
            let odd = element % 2 == 1;
            let (first, second) = if odd { (neighbour(), bits) } else { (bits, neighbour()) };
            let radius = (-2.0 * (unit(first) + 1.0 / 4_294_967_296.0).ln()).sqrt();
            let angle = std::f64::consts::TAU * unit(second);
            radius * if odd { angle.sin() } else { angle.cos() }
        }
    }
}

unsafe fn stage_random(seed: u64, number: u32, distribution: Distribution, lane: Elem, first: u64, n: usize, line: *mut u8) {
    let mut words = [0; 256];
    let mut done = 0;
    while done < n {
        let m = words.len().min(n - done);
        let e = first + done as u64;
        philox::fill(seed, number, e, &mut words[..m]);
        unsafe {
            let line = line.add(done * lane.size());
            match (distribution, lane) {
                (Distribution::Bernoulli(keep), _) => {
                    // kept where bits < keep·2³²; 1.0 keeps all
                    let bound = (keep * 4_294_967_296.0).ceil().clamp(0.0, 4_294_967_296.0) as u64;
                    if lane == Elem::F32 {
                        let line = line as *mut f32;
                        if bound > u64::from(u32::MAX) {
                            (0..m).for_each(|i| *line.add(i) = 1.0);
                        } else {
                            philox::below(&words[..m], bound as u32, std::slice::from_raw_parts_mut(line, m));
                        }
                    } else {
                        let line = line as *mut f64;
                        (0..m).for_each(|i| *line.add(i) = if u64::from(words[i]) < bound { 1.0 } else { 0.0 });
                    }
                }
                // as `draw`
                (Distribution::Uniform, Elem::F32) => {
                    (0..m).for_each(|i| *(line as *mut f32).add(i) = (words[i] >> 8) as f32 / 16_777_216.0);
                }
                _ => {
                    for i in 0..m {
                        let element = e + i as u64;
                        let x = draw(distribution, lane, words[i], || philox::bits(seed, number, element ^ 1), element);
                        lines::set(line, lane, i, x);
                    }
                }
            }
        }
        done += m;
    }
}
