//! How a sweep walks its domain: which dimension is the run, which are visited inside a tile, which outside.
//!
//! Decided from extents and canonical strides only, so that results do not depend on packing or on threads.

use super::array::{Elem, Mode};
use super::lower::{Access, Cond, Lowered, LoweredFold, Source, Test, Track};
use super::script::FoldOp;

/// Elements that the lines of one tile may take, should all its operands be staged.
const TILE: usize = 16384;
/// The longest stretch of the run in one tile.
const RUN: usize = 4096;
/// … where elements are converted: so that lines stay in the nearest cache, and memory is read while others are computed.
const CONVERTED: usize = 2048;
/// Stretches of memory that one vector of each after the other would be read too far apart.
const STRIP: usize = 32;
/// A run of fewer elements is lengthened, up to so many that what is repeated stays in the nearest cache.
const SHORT: usize = 128;
const REPEATED: usize = 512;
/// The most entries in one tile.
const ENTRIES: usize = 256;

/// One loop: its length, and how far each track moves by one step.
#[derive(Clone, Debug)]
pub(crate) struct Loop {
    pub len: usize,
    pub steps: Vec<i64>,
    canonical: Vec<i64>,
    /// By fold: reduced over.
    roles: Vec<bool>,
}

impl Loop {
    pub(crate) fn reduces(&self, fold: usize) -> bool {
        self.roles[fold]
    }
    /// Whether `inner` and this, the next outer loop, are one loop.
    fn joins(&self, inner: &Loop) -> bool {
        self.roles == inner.roles && self.steps.iter().zip(&inner.steps).all(|(o, i)| *o == i * inner.len as i64)
    }
}

/// The walk of one sweep over one block's extents.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    /// Outermost first.
    pub outer: Vec<Loop>,
    pub taps: Vec<Loop>,
    /// The innermost of the outer loops: a tile covers several of its positions.
    pub rows: Loop,
    /// The dimensions that make up the run, mostly one.
    pub run: Vec<Loop>,
    pub run_len: usize,
    pub run_chunk: usize,
    pub tap_len: usize,
    pub tap_chunk: usize,
    /// By track: how far one position of the run moves, where that is the same all along.
    pub along: Vec<Option<i64>>,
    pub columns: bool,
    /// The run is one phase of a longer axis: positions that do not exist are skipped.
    pub ragged: Option<Cond>,
    /// The run is every other position of an axis, and the outermost of the taps goes to those between.
    pub pair: bool,
}

impl Walk {
    pub(crate) fn new(step: &Lowered, lens: &[usize]) -> Walk {
        let pair = Walk::with(step, lens, true);
        if pair.pair && !(pair.columns && pair.tap_len <= pair.tap_chunk) { Walk::with(step, lens, false) } else { pair }
    }
    /// `pair`: two phases of the run may be walked together.
    fn with(step: &Lowered, lens: &[usize], pair: bool) -> Walk {
        let mut loops = loops(step, lens);
        let run_at = choose_run(step, &loops);
        let mut run = match run_at {
            Some(at) => vec![loops.remove(at)],
            None => vec![one(step)],
        };
        let (mut ragged, mut between) = (None, None);
        if let Some(phase) = phases(step, &run[0]) {
            let (whole, n) = (run.remove(0), phase as usize);
            let (mut quotient, mut rest) = (whole.clone(), whole.clone());
            quotient.len = whole.len.div_ceil(n);
            rest.len = n;
            for list in [&mut quotient.steps, &mut quotient.canonical] {
                list.iter_mut().for_each(|s| *s *= phase);
            }
            // the last track counts positions
            let position = step.tracks.len();
            quotient.steps[position] = phase;
            rest.steps[position] = 1;
            ragged = Some(Cond { track: position, test: Test::Range { lo: 0, hi: whole.len as i64 } });
            run.push(quotient);
            if pair && n == 2 && lies_in_turn(step, &whole) {
                between = Some(rest);
            } else {
                // outside of the last loop that stays outside of the tile
                let at = loops.iter().rposition(|l| !l.roles.iter().all(|r| *r)).unwrap_or(0);
                loops.insert(at, rest);
            }
        }
        join_run(step, &mut loops, &mut run, ragged.is_none());
        repeat_run(step, &mut loops, &mut run);
        join(&mut loops);
        let (mut outer, mut taps) = split(step, loops, &run);
        let pair = between.is_some();
        taps.splice(0..0, between);
        if let Some(last) = outer.last()
            && let Some(phase) = phases(step, last)
            && last.len as i64 % phase == 0
        {
            // the same for the rows: those of one phase differ by equal steps
            let at = outer.len() - 1;
            let (mut quotient, mut rest) = (outer[at].clone(), outer[at].clone());
            quotient.len /= phase as usize;
            rest.len = phase as usize;
            quotient.steps.iter_mut().for_each(|s| *s *= phase);
            outer.splice(at.., [rest, quotient]);
        }
        let rows = outer.pop_if(|last| in_order(step, std::iter::once(&*last).chain(&taps).chain(&run)));
        let rows = rows.unwrap_or_else(|| one(step));
        let run_len: usize = run.iter().map(|l| l.len).product();
        let tap_len: usize = taps.iter().map(|l| l.len).product();
        let slots = (step.operands.len() + step.wide + step.stores.len()).max(1);
        let run_chunk = if converts(step) { CONVERTED } else { RUN }.min(run_len.max(1));
        let tap_chunk = (TILE / (run_chunk * slots)).clamp(1, ENTRIES);
        let along = (0..=step.tracks.len()).map(|t| stretch(&run, t)).collect();
        let kept = run.iter().all(|l| l.roles.iter().all(|r| !r));
        let each_row = rows.len == 1 || rows.roles.iter().all(|r| !r);
        // many short stretches of memory are read one after the other, whole
        let strip = rows.len == 1 && tap_len >= STRIP && run_len > step.lanes && step.folds.iter().all(|f| f.op == FoldOp::Sum);
        let columns = !step.folds.is_empty() && step.stores.is_empty() && kept && each_row && !strip;
        Walk { outer, taps, rows, run, run_len, run_chunk, tap_len, tap_chunk, along, columns, ragged, pair }
    }
    /// A run of one position, for reading single elements.
    pub(crate) fn point(tracks: usize) -> Walk {
        let rows = Loop { len: 1, steps: vec![0; tracks + 1], canonical: vec![0; tracks + 1], roles: vec![] };
        Walk {
            outer: vec![],
            taps: vec![],
            run: vec![rows.clone()],
            rows,
            run_len: 1,
            run_chunk: 1,
            tap_len: 1,
            tap_chunk: 1,
            along: vec![Some(0); tracks + 1],
            columns: false,
            ragged: None,
            pair: false,
        }
    }
    /// How far a track moves from the run's start to a position.
    pub(crate) fn offset(&self, track: usize, position: usize) -> i64 {
        if let Some(step) = self.along[track] {
            return step * position as i64;
        }
        let (mut rest, mut offset) = (position, 0);
        for l in self.run.iter().rev() {
            offset += (rest % l.len) as i64 * l.steps[track];
            rest /= l.len;
        }
        offset
    }
}

/// Calls `f(position, count, offset, step)` for pieces of a stretch along which a track moves by equal steps.
pub(crate) fn pieces(walk: &Walk, track: usize, lo: usize, hi: usize, mut f: impl FnMut(usize, usize, i64, i64)) {
    let inner = &walk.run[walk.run.len() - 1];
    let piece = if walk.along[track].is_some() { usize::MAX } else { inner.len };
    let mut i = lo;
    while i < hi {
        let n = (piece - i % piece).min(hi - i);
        f(i, n, walk.offset(track, i), inner.steps[track]);
        i += n;
    }
}

/// Whether all that a sweep computes are sums whose values lie side by side along a loop, in lanes.
fn lies_in_turn(step: &Lowered, whole: &Loop) -> bool {
    let lane = step.lane;
    let beside = |f: &LoweredFold| {
        let value = f.value.filter(|s| s.elem == lane && s.mode == Mode::Write && whole.steps[s.track] == lane.size() as i64);
        f.op == FoldOp::Sum && !f.negate && !f.carried && value.is_some()
    };
    step.stores.is_empty() && whole.roles.iter().all(|r| !r) && step.folds.iter().all(beside)
}

/// Whether an array of half precision is read or stored.
fn converts(step: &Lowered) -> bool {
    let elems = step.operands.iter().map(|o| o.elem).chain(step.stores.iter().flatten().map(|s| s.elem));
    elems.into_iter().any(|elem| matches!(elem, Elem::F16 | Elem::BF16))
}

/// A track's step along the run, if its dimensions merge for it.
fn stretch(run: &[Loop], track: usize) -> Option<i64> {
    let joined = run.windows(2).all(|w| w[0].steps[track] == w[1].steps[track] * w[1].len as i64);
    joined.then(|| run[run.len() - 1].steps[track])
}

fn one(step: &Lowered) -> Loop {
    let zeros = vec![0; step.tracks.len() + 1];
    Loop { len: 1, steps: zeros.clone(), canonical: zeros, roles: vec![false; step.folds.len()] }
}

/// The domain's dimensions that have more than one position, in memory order of the largest array.
fn loops(step: &Lowered, lens: &[usize]) -> Vec<Loop> {
    let dims: Vec<usize> = step.domain.iter().copied().filter(|g| lens[*g] > 1).collect();
    let at: Vec<usize> = addresses(step).collect();
    let mut loops: Vec<(i64, Loop)> = dims
        .iter()
        .map(|&g| {
            let of = |list: &dyn Fn(usize) -> i64| (0..step.tracks.len()).map(list).chain([0]).collect::<Vec<i64>>();
            let steps = of(&|t| step.tracks[t].strides[g]);
            let canonical = of(&|t| step.tracks[t].canonical[g]);
            let roles = step.folds.iter().map(|f| f.reduced[g]).collect();
            (order_key(&step.tracks, &at, &step.domain, lens, g), Loop { len: lens[g], steps, canonical, roles })
        })
        .collect();
    loops.sort_by_key(|(key, _)| std::cmp::Reverse(*key));
    loops.into_iter().map(|(_, l)| l).collect()
}

/// The tracks that address arrays, inputs first.
fn addresses(step: &Lowered) -> impl Iterator<Item = usize> + '_ {
    let ins = step.operands.iter().filter(|o| matches!(o.source, Source::Array(_))).map(|o| o.track);
    let outs = step.stores.iter().flatten().map(|s| s.track);
    let folds = step.folds.iter().flat_map(|f| f.value.iter().chain(&f.index)).map(|s| s.track);
    ins.chain(outs).chain(folds)
}

/// Larger is further out: the stride in the array that spans most of the domain.
pub(crate) fn order_key(tracks: &[Track], addresses: &[usize], domain: &[usize], lens: &[usize], dim: usize) -> i64 {
    let span = |t: usize| -> usize { domain.iter().filter(|g| tracks[t].canonical[**g] != 0).map(|g| lens[*g].max(1)).product() };
    let stride = |t: usize| tracks[t].canonical[dim].abs();
    let mut best: Option<(usize, usize)> = None;
    for &t in addresses {
        if best.is_none_or(|(size, _)| span(t) > size) {
            best = Some((span(t), t));
        }
    }
    let primary = best.map_or(0, |(_, t)| stride(t));
    if primary != 0 { primary } else { addresses.iter().map(|t| stride(*t)).max().unwrap_or(0) }
}

/// The loop that lanes go along: long, and of small strides. Arg forms want the order of their indices.
fn choose_run(step: &Lowered, loops: &[Loop]) -> Option<usize> {
    let args: Vec<(usize, usize)> =
        step.folds.iter().enumerate().filter(|(_, f)| f.op == FoldOp::Arg).map(|(i, f)| (i, f.arg)).collect();
    let fits = |l: &Loop| {
        args.iter().all(|&(fold, track)| {
            !l.roles[fold] || loops.iter().filter(|o| o.roles[fold]).all(|o| l.steps[track] <= o.steps[track])
        })
    };
    let size = step.lane.size() as i64;
    let score = |l: &Loop| -> u64 {
        let ease: u64 = addresses(step)
            .map(|t| match l.canonical[t].abs() {
                0 => 2,
                s if s <= size => 12,
                s if s <= 2 * size => 6,
                _ => 1,
            })
            .sum();
        ease * l.len.min(32) as u64
    };
    let mut best: Option<(u64, usize)> = None;
    for (i, l) in loops.iter().enumerate().rev() {
        if fits(l) && best.is_none_or(|(s, _)| score(l) > s) {
            best = Some((score(l), i));
        }
    }
    best.map(|(_, i)| i)
}

/// In how many phases the run must be split so that divisions along it become steps.
fn phases(step: &Lowered, run: &Loop) -> Option<i64> {
    let mut phase = 1;
    let mut divide = |coefficient: i64, by: i64| {
        if coefficient % by != 0 {
            let need = by / gcd(coefficient.abs(), by);
            phase = phase / gcd(phase, need) * need;
        }
    };
    for c in step.guard.iter().chain(step.operands.iter().flat_map(|o| &o.valid)) {
        if let Test::Divides { by } = c.test {
            divide(run.steps[c.track], by);
        }
    }
    for extra in step.operands.iter().flat_map(|o| &o.extras) {
        if let super::lower::ExtraIndex::Divided { track, div, modulo: 0 } = extra.index {
            divide(run.steps[track], div);
        }
    }
    (1 < phase && phase <= 16 && phase <= run.len as i64).then_some(phase)
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Lengthens the run by loops that continue it. With folds, as if arrays were contiguous; those that are not are staged.
fn join_run(step: &Lowered, loops: &mut Vec<Loop>, run: &mut Vec<Loop>, free: bool) {
    if !free {
        return;
    }
    let divided = step.operands.iter().any(|a: &Access| !a.extras.is_empty());
    let by_canonical = !step.folds.is_empty() && !divided;
    let steps = |l: &Loop| if by_canonical { l.canonical.clone() } else { l.steps.clone() };
    let inner = steps(&run[0]);
    let mut total = run[0].len as i64;
    let roles = run[0].roles.clone();
    let continues =
        |l: &Loop, total: i64| l.roles == roles && steps(l).iter().zip(&inner).all(|(outer, inner)| *outer == inner * total);
    while let Some(at) = loops.iter().position(|l| continues(l, total)) {
        let next = loops.remove(at);
        total *= next.len as i64;
        if next.joins(&run[0]) {
            run[0].len *= next.len;
        } else {
            run.insert(0, next);
        }
    }
}

/// Lengthens a short run by a part of the loop that continues it for all that is stored: what does not go on there, as
/// values of channels that come last, is repeated in a line, once for all rows.
fn repeat_run(step: &Lowered, loops: &mut Vec<Loop>, run: &mut Vec<Loop>) {
    let total: usize = run.iter().map(|l| l.len).product();
    let bare = |a: &Access| a.extras.is_empty() && a.valid.is_empty();
    if !step.folds.is_empty() || !step.guard.is_empty() || !step.operands.iter().all(bare) || total >= SHORT {
        return;
    }
    let along = |t: usize| stretch(run, t);
    let continues = |l: &Loop, t: usize| along(t).is_some_and(|s| l.steps[t] == s * total as i64);
    let fits = |l: &Loop| {
        step.stores.iter().flatten().all(|s| continues(l, s.track))
            && step.operands.iter().all(|o| continues(l, o.track) || l.steps[o.track] == 0 || along(o.track) == Some(0))
    };
    let Some(at) = loops.iter().position(fits) else { return };
    let most = (1..=loops[at].len).rev().find(|n| loops[at].len.is_multiple_of(*n) && n * total <= REPEATED);
    let Some(n) = most.filter(|n| *n > 1) else { return };
    let inner = Loop { len: n, ..loops[at].clone() };
    if n == loops[at].len {
        loops.remove(at);
    } else {
        let outer = &mut loops[at];
        outer.len /= n;
        outer.steps.iter_mut().chain(&mut outer.canonical).for_each(|s| *s *= n as i64);
    }
    run.insert(0, inner);
}

/// Joins loops outside of the run where nothing changes by it.
fn join(loops: &mut Vec<Loop>) {
    let mut i = 0;
    while i + 1 < loops.len() {
        if loops[i].joins(&loops[i + 1]) {
            let outer = loops.remove(i);
            loops[i].len *= outer.len;
            i = 0;
        } else {
            i += 1;
        }
    }
}

/// Whether a tile of these loops, outermost first, meets the places of every arg form in their order: of equals it keeps
/// the first that it meets. Between tiles places are compared.
fn in_order<'l>(step: &Lowered, loops: impl Iterator<Item = &'l Loop> + Clone) -> bool {
    let mut args = step.folds.iter().enumerate().filter(|(_, f)| f.op == FoldOp::Arg);
    args.all(|(i, f)| loops.clone().filter(|l| l.len > 1 && l.reduces(i)).map(|l| l.steps[f.arg]).is_sorted_by(|a, b| a >= b))
}

/// Loops that every fold reduces go inside the tile.
fn split(step: &Lowered, loops: Vec<Loop>, run: &[Loop]) -> (Vec<Loop>, Vec<Loop>) {
    if step.folds.is_empty() {
        return (loops, vec![]);
    }
    let (mut all, mut outer): (Vec<Loop>, Vec<Loop>) = loops.into_iter().partition(|l| l.roles.iter().all(|r| *r));
    if let Some(fold) = step.folds.iter().find(|f| f.op == FoldOp::Arg) {
        all.sort_by_key(|l| std::cmp::Reverse(l.steps[fold.arg]));
    }
    let mut taps: Vec<Loop> = vec![];
    for tap in all {
        let fits = in_order(step, taps.iter().chain([&tap]).chain(run));
        (if fits { &mut taps } else { &mut outer }).push(tap);
    }
    (outer, taps)
}
