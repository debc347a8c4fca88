//! Runs a script: drops what no wanted result needs, decides where temporaries live and how nests are cut into blocks,
//! and runs the blocks, in parallel where that pays.
//!
//! Everything is decided by extents, never by the number of threads: a fold over the outer axes has one accumulator a
//! part, of which there are at most [`PARTS`], combined in order.

use super::array::{Mode, Raw};
use super::exec::Worker;
use super::finish::write;
use super::gather;
use super::lower::{Context, Laid, Lowered, LoweredFold, Lowering, Spot};
use super::partial::Partial;
use super::plan::Plan;
use super::scratch::Aligned;
use super::script::{Array, ArrayInfo, Kind, Phase, Step};
use super::space::{Axis, Space};
use super::unnest::{own_axes, unnest};
use std::sync::Mutex;

/// The most parts into which a fold over outer axes is cut.
pub(crate) const PARTS: usize = 16;
/// The most tasks into which other nests are cut.
pub(crate) const TASKS: usize = 64;
/// What a block's arrays may take if several sweeps read them: half of a second-level cache.
pub(crate) const BLOCK: usize = 512 << 10;
/// Blocks that are few: larger ones would leave threads without work.
const FEW: usize = 4;
/// … if only one does: enough that nothing but memory matters.
const SINGLE: usize = 1 << 20;
/// Below this many elements everything runs on the caller's thread.
pub(crate) const SMALL: usize = 32 << 10;
/// Results larger than this are written past the cache.
const STREAM: usize = 8 << 20;

/// The memory of a call.
pub(crate) struct Memory {
    pub space: Space,
    pub arrays: Vec<ArrayInfo>,
    pub laid: Vec<Option<Laid>>,
    pub bases: Vec<*mut u8>,
    owned: Vec<Aligned>,
}

// SAFETY: tasks share it to read pointers; what they write through them is disjoint.
unsafe impl Sync for Memory {}

pub(crate) fn run(space: Space, arrays: Vec<ArrayInfo>, phases: Vec<Phase>) {
    let n = arrays.len();
    let mut memory = Memory { space, arrays, laid: vec![None; n], bases: vec![std::ptr::null_mut(); n], owned: vec![] };
    let (phases, read) = live(&mut memory, phases);
    let sums = memory.lay_given(&read);
    let nests = unnest(&memory, phases);
    let users = users(n, &nests);
    for (at, phase) in nests.iter().enumerate() {
        match phase {
            Phase::Nest { outer, steps, .. } => {
                // what is added to a result at the end outlives its blocks
                let added = |array: Array| sums.iter().any(|s| s.0 == array);
                let inside = |array: Array| !added(array) && users[array.0 as usize].iter().all(|p| *p == at);
                nest(&mut memory, outer, steps, &inside);
            }
            Phase::Gemm(gemm) => {
                if !gemm.run(&mut memory) {
                    let outer = own_axes(&memory, &gemm.sweep);
                    nest(&mut memory, &outer, std::slice::from_ref(&gemm.sweep), &|_| false);
                }
            }
            Phase::Scatter(step) => step.run(&mut memory),
            Phase::Scan(step) => step.run(&mut memory),
        }
    }
    for (array, raw) in sums {
        memory.add_to(array, &raw);
    }
}

/// The phases that wanted results need, and which arrays they read.
fn live<'a>(memory: &mut Memory, phases: Vec<Phase<'a>>) -> (Vec<Phase<'a>>, Vec<bool>) {
    let mut needed: Vec<bool> = memory.arrays.iter().map(|a| matches!(a.kind, Kind::Root(Some(_)))).collect();
    let mut read = vec![false; needed.len()];
    let mut keep = |step: &Step, needed: &mut Vec<bool>| {
        let live = step.writes().any(|a| needed[a.0 as usize]);
        if live {
            for a in step.reads() {
                needed[a.0 as usize] = true;
                read[a.0 as usize] = true;
            }
        }
        live
    };
    let mut kept: Vec<Phase> = vec![];
    for phase in phases.into_iter().rev() {
        match phase {
            Phase::Nest { outer, steps, after } => {
                let mut filter = |list: Vec<Step<'a>>, needed: &mut Vec<bool>| {
                    let mut list: Vec<Step> = list.into_iter().rev().filter(|s| keep(s, needed)).collect();
                    list.reverse();
                    list
                };
                let after = filter(after, &mut needed);
                let steps = filter(steps, &mut needed);
                kept.push(Phase::Nest { outer, steps, after });
            }
            Phase::Gemm(gemm) => {
                if keep(&gemm.sweep, &mut needed) {
                    kept.push(Phase::Gemm(gemm));
                }
            }
            Phase::Scan(step) => {
                if needed[step.target.0 as usize] {
                    needed[step.factor.0 as usize] = true;
                    needed[step.term.0 as usize] = true;
                    kept.push(Phase::Scan(step));
                }
            }
            Phase::Scatter(step) => {
                if needed[step.target.0 as usize] {
                    needed[step.value.0 as usize] = true;
                    needed[step.index.0 as usize] = true;
                    kept.push(Phase::Scatter(step));
                }
            }
        }
    }
    kept.reverse();
    // what is written but neither wanted nor read is dropped
    for (info, needed) in memory.arrays.iter_mut().zip(&needed) {
        if let Kind::Root(None) = info.kind
            && *needed
        {
            info.kind = Kind::Temp;
        }
    }
    (kept, read)
}

/// For each array: the phases that touch it.
fn users(arrays: usize, nests: &[Phase]) -> Vec<Vec<usize>> {
    let mut users = vec![vec![]; arrays];
    for (at, phase) in nests.iter().enumerate() {
        let touched = match phase {
            Phase::Nest { steps, .. } => steps.iter().flat_map(|s| s.reads().into_iter().chain(s.writes())).collect(),
            Phase::Gemm(gemm) => gemm.sweep.reads().into_iter().chain(gemm.sweep.writes()).collect(),
            Phase::Scatter(step) => vec![step.target, step.value, step.index],
            Phase::Scan(step) => vec![step.target, step.factor, step.term],
        };
        for array in touched {
            users[array.0 as usize].push(at);
        }
    }
    users
}

impl Memory {
    /// Lays out what the caller gave. Roots that are added to but also read become temporaries, added at the end.
    fn lay_given(&mut self, read: &[bool]) -> Vec<(Array, Raw)> {
        let mut sums = vec![];
        for (i, &read) in read.iter().enumerate() {
            if let Kind::Root(Some((raw, Mode::Add))) = &self.arrays[i].kind
                && read
            {
                sums.push((Array(i as u32), raw.clone()));
                self.arrays[i].kind = Kind::Temp;
            }
            if let Kind::Input(raw) | Kind::Root(Some((raw, _))) = &self.arrays[i].kind {
                let dims = self.arrays[i].axes.iter().flat_map(|a| self.space.of(*a));
                self.laid[i] = Some(lay(raw, dims));
                self.bases[i] = raw.ptr;
            }
        }
        sums
    }
    pub(crate) fn mode(&self, array: Array) -> Option<Mode> {
        match &self.arrays[array.0 as usize].kind {
            Kind::Root(target) => target.as_ref().map(|(_, mode)| *mode),
            _ => Some(Mode::Write),
        }
    }
    /// Lays out a temporary over the given dimensions, outermost first; returns its size in words.
    pub(crate) fn lay_temp(&mut self, array: Array, dims: &[(usize, usize)]) -> usize {
        let elem = self.arrays[array.0 as usize].elem;
        let mut stride = elem.size() as i64;
        let mut laid = vec![];
        for &(g, len) in dims.iter().rev() {
            laid.push((g, stride, stride));
            stride *= len.max(1) as i64;
        }
        self.laid[array.0 as usize] = Some(Laid { elem, dims: laid });
        room(stride as usize)
    }
    pub(crate) fn own(&mut self, array: Array, words: usize) {
        let mut buffer = Aligned::new(words);
        super::scratch::poison(&mut buffer);
        self.bases[array.0 as usize] = buffer.as_mut_ptr() as *mut u8;
        self.owned.push(buffer);
    }
    /// Lays out a temporary of the whole call over the given dimensions, and gives it its memory.
    pub(crate) fn own_temp(&mut self, array: Array, dims: &[(usize, usize)]) {
        let words = self.lay_temp(array, dims);
        self.own(array, words);
    }
    /// What an array takes.
    pub(crate) fn bytes(&self, array: Array) -> usize {
        let info = &self.arrays[array.0 as usize];
        info.axes.iter().map(|a| self.space.extent(*a)).product::<usize>() * info.elem.size()
    }
    /// The dimensions of an array and their extents, outermost first.
    pub(crate) fn dims(&self, array: Array) -> Vec<(usize, usize)> {
        let axes = &self.arrays[array.0 as usize].axes;
        axes.iter().flat_map(|a| self.space.of(*a)).map(|g| (g, self.space.dims()[g].len)).collect()
    }
    /// How far an array's elements lie apart along a dimension, in bytes; 0 where it has none such.
    pub(crate) fn stride(&self, array: Array, g: usize) -> i64 {
        self.laid[array.0 as usize].as_ref().map_or(0, |laid| laid.stride(g))
    }
    fn add_to(&mut self, array: Array, raw: &Raw) {
        let from = self.laid[array.0 as usize].clone();
        let dims = self.dims(array);
        let to = lay(raw, dims.iter().map(|d| d.0));
        let Some(from) = from else { return };
        let loops: Vec<(usize, i64, i64)> = dims.iter().map(|&(g, len)| (len, from.stride(g), to.stride(g))).collect();
        let base = self.bases[array.0 as usize];
        each(&loops, &mut |a, b| {
            // SAFETY: both lie within their arrays
            unsafe {
                let x = super::lines::get(from.elem, base.wrapping_offset(a as isize));
                super::lines::put(raw.ptr.wrapping_offset(b as isize), raw.elem, Mode::Add, x);
            }
        });
    }
}

/// Words for so many bytes, and for vectors that reach past their end: whole cache lines.
fn room(bytes: usize) -> usize {
    bytes.div_ceil(64) * 8 + 16
}

/// Calls `f` with two offsets at every position.
pub(crate) fn each(loops: &[(usize, i64, i64)], f: &mut dyn FnMut(i64, i64)) {
    fn go(loops: &[(usize, i64, i64)], a: i64, b: i64, f: &mut dyn FnMut(i64, i64)) {
        match loops.split_first() {
            None => f(a, b),
            Some((&(len, s, t), rest)) => (0..len as i64).for_each(|i| go(rest, a + s * i, b + t * i, f)),
        }
    }
    go(loops, 0, 0, f)
}

/// An array's strides, and those of its contiguous copy in the same memory order.
fn lay(raw: &Raw, dims: impl Iterator<Item = usize>) -> Laid {
    let mut order: Vec<usize> = (0..raw.dims.len()).collect();
    order.sort_by_key(|i| raw.dims[*i].1.unsigned_abs());
    let mut canonical = vec![0; raw.dims.len()];
    let mut stride = raw.elem.size() as i64;
    for i in order {
        if raw.dims[i].0 > 1 {
            canonical[i] = stride;
            stride *= raw.dims[i].0 as i64;
        }
    }
    let dims = dims.zip(&raw.dims).zip(canonical).map(|((g, d), c)| (g, d.1 as i64, c)).collect();
    Laid { elem: raw.elem, dims }
}

/// A nest, ready to run.
struct Nest<'n, 'a> {
    steps: &'n [Step<'a>],
    lowered: Vec<Lowered>,
    /// By dimension of the space: the extent, and the length of a block.
    lens: Vec<usize>,
    block: Vec<usize>,
    /// The dimensions that blocks cut, outermost first.
    cut: Vec<usize>,
    /// Block temporaries and their sizes in words.
    temps: Vec<(Array, usize)>,
    /// By step: results past the cache, and what the next block reads meanwhile.
    stream: Vec<bool>,
    ahead: Vec<Vec<(Array, i64)>>,
    /// Results that a block gathers before they are written.
    gathered: Vec<Array>,
}

fn nest(memory: &mut Memory, outer: &[Axis], steps: &[Step], inside: &dyn Fn(Array) -> bool) {
    let lens: Vec<usize> = memory.space.dims().iter().map(|d| d.len).collect();
    let gathered = gather::gathered(memory, outer, steps, STREAM);
    let budget = match steps.len() {
        _ if !gathered.is_empty() => gather::BLOCK,
        1 => SINGLE,
        _ => BLOCK,
    };
    let (cut, block) = blocks(memory, outer, steps, &lens, budget);
    let mut nest = Nest { steps, lowered: vec![], lens, block, cut, temps: vec![], stream: vec![], ahead: vec![], gathered };
    for step in steps {
        let lowered = lower(memory, &mut nest, outer, step, inside);
        nest.stream.push(streams(memory, step, steps));
        nest.ahead.push(if nest.stream[nest.stream.len() - 1] { ahead(memory, &nest, step) } else { vec![] });
        nest.lowered.push(lowered);
    }
    nest.run(memory);
}

/// Whether a sweep's stores are large and not read again in the nest, nor lie where something was just read.
fn streams(memory: &Memory, step: &Step, steps: &[Step]) -> bool {
    let bytes = |a: &Array| memory.bytes(*a);
    !step.stores.is_empty()
        && step.stores.iter().all(|a| {
            let root = matches!(memory.arrays[a.0 as usize].kind, Kind::Root(Some((_, Mode::Write))));
            let shared = memory.bases.iter().filter(|p| **p == memory.bases[a.0 as usize]).count() > 1;
            root && !shared && bytes(a) >= STREAM && !steps.iter().any(|s| s.reads().contains(a))
        })
}

/// The large arguments that lie as the first result of a sweep does, and how far on the next block's part lies. A block
/// reads them first and writes last: without a hint the memory would do one of both at a time.
fn ahead(memory: &Memory, nest: &Nest, step: &Step) -> Vec<(Array, i64)> {
    let laid = |a: Array| memory.laid[a.0 as usize].as_ref().map(|l| (l.elem, &l.dims));
    let next = nest.cut.iter().rfind(|g| nest.block[**g] < nest.lens[**g]);
    let (Some(first), Some(next)) = (step.stores.first().copied(), next) else { return vec![] };
    let far = memory.stride(first, *next) * nest.block[*next] as i64;
    let mut found: Vec<Array> = nest.steps.iter().flat_map(|s| s.reads()).collect();
    found.sort_by_key(|a| a.0);
    found.dedup();
    found.retain(|a| matches!(memory.arrays[a.0 as usize].kind, Kind::Input(_)) && laid(*a) == laid(first));
    found.into_iter().filter(|_| nest.steps.len() > 1).map(|a| (a, far)).collect()
}

/// Cuts the outer axes: which dimensions, and the length of a block along every dimension.
fn blocks(memory: &Memory, outer: &[Axis], steps: &[Step], lens: &[usize], budget: usize) -> (Vec<usize>, Vec<usize>) {
    let space = &memory.space;
    let mut arrays: Vec<Array> = steps.iter().flat_map(|s| s.reads().into_iter().chain(s.writes())).collect();
    arrays.sort_by_key(|a| a.0);
    arrays.dedup();
    let bytes = |a: &Array| memory.bytes(*a);
    let mut cut: Vec<usize> = outer.iter().flat_map(|a| space.of(*a)).filter(|g| lens[*g] > 1).collect();
    // the order of the array that has most of these dimensions
    let has = |a: &Array| -> usize {
        let laid = memory.laid[a.0 as usize].as_ref();
        laid.map_or(0, |l| cut.iter().filter(|g| l.dims.iter().any(|d| d.0 == **g)).map(|g| lens[*g].ilog2() as usize + 1).sum())
    };
    let given = arrays.iter().filter(|a| memory.laid[a.0 as usize].is_some());
    let primary = given.max_by_key(|a| (has(a), bytes(a), u32::MAX - a.0));
    let strides = primary.and_then(|a| memory.laid[a.0 as usize].as_ref());
    let canonical = |g: usize| strides.and_then(|l| l.dims.iter().find(|d| d.0 == g)).map_or(i64::MAX, |d| d.2);
    cut.sort_by_key(|g| std::cmp::Reverse(canonical(*g)));
    let count: usize = cut.iter().map(|g| lens[*g]).product();
    let total: usize = arrays.iter().map(bytes).sum();
    let mut units = (budget / (total / count.max(1)).max(1)).max(1);
    let mut block = lens.to_vec();
    for &g in cut.iter().rev() {
        // whole cache lines of the innermost axis, and not few of them if that leaves blocks enough
        let least = match canonical(g) {
            stride if stride > 8 => 1,
            _ if count >= 64 * FEW => 64,
            stride => 64 / stride.max(1) as usize * 2,
        };
        block[g] = units.max(least).min(lens[g]);
        units /= block[g];
        if block[g] < lens[g] {
            units = 1;
        }
        units = units.max(1);
    }
    (cut, block)
}

fn lower(memory: &mut Memory, nest: &mut Nest, outer: &[Axis], step: &Step, inside: &dyn Fn(Array) -> bool) -> Lowered {
    let axes = |a: Array| memory.arrays[a.0 as usize].axes.clone();
    let domain: Vec<usize> = step.domain.iter().flat_map(|a| memory.space.of(*a)).collect();
    let mut lowering = Lowering::new(Context { space: &memory.space, axes: &axes, laid: &memory.laid }, &step.domain);
    let read = |lowering: &mut Lowering, operand| {
        let mut access = lowering.access(operand, &step.guard);
        // what may lie outside is not read; the position itself is computed like others
        access.valid.extend(lowering.take_checks());
        access
    };
    let operands: Vec<_> = step.operands.iter().map(|o| read(&mut lowering, o)).collect();
    let guard = lowering.conditions(&lowering.distinct(&step.guard));
    let order = lowering.order(&domain, &operands);
    let pending = lowering.finish(guard, step, operands);
    // temporaries lie as the sweep that writes them walks
    let mut fresh = vec![];
    for array in step.writes() {
        let info = &memory.arrays[array.0 as usize];
        if !matches!(info.kind, Kind::Temp) || memory.laid[array.0 as usize].is_some() {
            continue;
        }
        let own: Vec<usize> = info.axes.iter().flat_map(|a| memory.space.of(*a)).collect();
        let in_block = inside(array) && outer.iter().all(|a| info.axes.contains(a));
        let lens = if in_block { &nest.block } else { &nest.lens };
        let dims: Vec<(usize, usize)> = order.iter().filter(|g| own.contains(g)).map(|g| (*g, lens[*g])).collect();
        let words = memory.lay_temp(array, &dims);
        if in_block {
            nest.temps.push((array, words));
        } else {
            fresh.push((array, words));
        }
    }
    for (array, words) in fresh {
        memory.own(array, words);
    }
    let axes = |a: Array| memory.arrays[a.0 as usize].axes.clone();
    let context = Context { space: &memory.space, axes: &axes, laid: &memory.laid };
    let mut lowering = Lowering::resume(context, &step.domain, pending.tracks);
    let wanted = |a: Array| memory.laid[a.0 as usize].is_some().then(|| memory.mode(a)).flatten();
    let spot = |lowering: &mut Lowering, a: Array| wanted(a).map(|mode| lowering.place(a, mode));
    let stores = step.stores.iter().map(|a| spot(&mut lowering, *a)).collect();
    let mut folds = vec![];
    for fold in &step.folds {
        let carried = fold.axes.iter().any(|a| outer.contains(a));
        let lens = if carried { &nest.lens } else { &nest.block };
        let kept: Vec<(usize, usize)> = order.iter().map(|g| (*g, lens[*g])).collect();
        let mut lowered = lowering.fold(fold, &kept, carried);
        lowered.value = fold.value.and_then(|a| spot(&mut lowering, a));
        lowered.index = fold.index.and_then(|a| spot(&mut lowering, a));
        folds.push(lowered);
    }
    Lowered { tracks: lowering.tracks, stores, folds, ..pending }
}

impl Nest<'_, '_> {
    fn run(&self, memory: &Memory) {
        let counts: Vec<usize> = self.cut.iter().map(|g| self.lens[*g].div_ceil(self.block[*g])).collect();
        let blocks: usize = counts.iter().product();
        let elements = self.lowered.iter().map(|l| l.domain.iter().map(|g| self.lens[*g]).product::<usize>()).max();
        let carries = self.lowered.iter().any(|l| l.folds.iter().any(|f| f.carried));
        let serial = elements.unwrap_or(0) < SMALL;
        let parts = match (carries, serial) {
            (true, _) => self.most_parts(),
            (false, true) => 1,
            (false, false) => TASKS,
        };
        let parts = parts.min(blocks);
        // what tasks leave for the next one on any thread
        let idle = Mutex::new(vec![]);
        let lock = || idle.lock().unwrap_or_else(|e| e.into_inner());
        let done = in_parallel(parts, serial, |part| {
            let hands = lock().pop();
            let mut task = Task::new(self, memory, hands.unwrap_or_else(|| Hands::new(self.lowered.len())));
            for b in blocks * part / parts..blocks * (part + 1) / parts {
                task.block(memory, &counts, b);
            }
            lock().push(task.hands);
            task.partials
        });
        idle.into_inner().unwrap_or_else(|e| e.into_inner()).into_iter().for_each(|hands| hands.worker.put_back());
        if carries {
            self.finish_carried(memory, done);
        }
    }
    /// Fewer where the accumulators would take much memory.
    fn most_parts(&self) -> usize {
        let carried = self.lowered.iter().flat_map(|l| l.folds.iter().filter(|f| f.carried).map(|f| self.kept(l, f, &self.lens)));
        let elements: usize = carried.sum();
        PARTS.min((8 << 20) / elements.max(1)).max(1)
    }
    fn kept(&self, step: &Lowered, fold: &LoweredFold, lens: &[usize]) -> usize {
        step.domain.iter().filter(|g| !fold.reduced[**g]).map(|g| lens[*g]).product()
    }
    fn finish_carried(&self, memory: &Memory, mut done: Vec<Vec<Vec<Partial>>>) {
        for (s, step) in self.lowered.iter().enumerate() {
            for (f, fold) in step.folds.iter().enumerate().filter(|(_, f)| f.carried) {
                let mut total = Partial::default();
                total.reset(fold, self.kept(step, fold, &self.lens));
                for part in &mut done {
                    total.merge(fold.op, &part[s][f]);
                }
                let zeros = vec![0; self.lens.len()];
                finish_partial(step, fold, &total, &self.lens, &zeros, &memory.bases);
            }
        }
    }
}

/// Writes a fold's finished results: over what it keeps of the lengths, from the starts.
fn finish_partial(step: &Lowered, fold: &LoweredFold, partial: &Partial, lens: &[usize], starts: &[usize], bases: &[*mut u8]) {
    let kept: Vec<usize> = step.domain.iter().copied().filter(|g| !fold.reduced[*g]).collect();
    let stride = |track: usize, g: usize| step.tracks[track].strides[g];
    let value = fold.value.map_or(fold.partial, |s| s.track);
    let loops: Vec<(usize, i64, i64)> = kept.iter().map(|&g| (lens[g], stride(fold.partial, g), stride(value, g))).collect();
    let origin =
        |track: usize| step.tracks[track].offset + kept.iter().map(|&g| stride(track, g) * starts[g] as i64).sum::<i64>();
    let at = |i: usize| (partial.values[i], partial.indices.get(i).copied().unwrap_or(0));
    let one = |spot: Spot, only_value: bool, loops: &[(usize, i64, i64)]| {
        let only =
            LoweredFold { value: fold.value.filter(|_| only_value), index: fold.index.filter(|_| !only_value), ..fold.clone() };
        each(loops, &mut |from, to| {
            let place = |_: &Spot| bases[spot.array.0 as usize].wrapping_offset((origin(spot.track) + to) as isize);
            // SAFETY: the fold's results are this task's
            unsafe { write(&only, at(from as usize), &place) }
        });
    };
    if let Some(spot) = fold.value {
        one(spot, true, &loops);
    }
    if let Some(spot) = fold.index {
        let loops: Vec<_> = kept.iter().map(|&g| (lens[g], stride(fold.partial, g), stride(spot.track, g))).collect();
        one(spot, false, &loops);
    }
}

/// What a task works with, one after the other.
struct Hands {
    worker: Box<Worker>,
    /// By step: plans for the lengths met. Their tiles lie in the worker's memory.
    plans: Vec<Vec<(Vec<usize>, Plan)>>,
}

// SAFETY: the pointers lead to the worker's own memory, which moves along, and to arrays that the call borrows.
unsafe impl Send for Hands {}

impl Hands {
    fn new(steps: usize) -> Hands {
        Hands { worker: Worker::take(), plans: (0..steps).map(|_| vec![]).collect() }
    }
}

/// The blocks of one part, in order, on one thread.
struct Task<'t> {
    nest: &'t Nest<'t, 't>,
    hands: Hands,
    bases: Vec<*mut u8>,
    /// By step and fold.
    partials: Vec<Vec<Partial>>,
}

impl<'t> Task<'t> {
    fn new(nest: &'t Nest<'t, 't>, memory: &Memory, hands: Hands) -> Task<'t> {
        let mut partials: Vec<Vec<Partial>> = vec![];
        for step in &nest.lowered {
            let mut list: Vec<Partial> = step.folds.iter().map(|_| Partial::default()).collect();
            for (partial, fold) in list.iter_mut().zip(&step.folds).filter(|(_, f)| f.carried) {
                partial.reset(fold, nest.kept(step, fold, &nest.lens));
            }
            partials.push(list);
        }
        Task { nest, hands, bases: memory.bases.clone(), partials }
    }

    fn block(&mut self, memory: &Memory, counts: &[usize], number: usize) {
        let nest = self.nest;
        let (mut starts, mut lens) = (vec![0; nest.lens.len()], nest.lens.clone());
        let mut rest = number;
        for (g, count) in nest.cut.iter().zip(counts).rev() {
            starts[*g] = rest % count * nest.block[*g];
            lens[*g] = nest.block[*g].min(nest.lens[*g] - starts[*g]);
            rest /= count;
        }
        let laid = |array: &Array| memory.laid[array.0 as usize].as_ref().expect("laid out with the nest");
        let parts = nest.gathered.iter().filter_map(|a| Some((*a, gather::stretch(laid(a), &starts, &lens)?)));
        let parts: Vec<(Array, (i64, usize))> = parts.collect();
        let words = nest.temps.iter().map(|t| t.1).chain(parts.iter().map(|p| room(p.1.1))).sum();
        let mut buffer = self.hands.worker.temps(words);
        for (array, words) in &nest.temps {
            let back: i64 = laid(array).dims.iter().map(|d| d.1 * starts[d.0] as i64).sum();
            self.bases[array.0 as usize] = buffer.wrapping_offset(-back as isize);
            buffer = buffer.wrapping_add(words * 8);
        }
        for (array, (begin, bytes)) in &parts {
            self.bases[array.0 as usize] = buffer.wrapping_offset(-*begin as isize);
            buffer = buffer.wrapping_add(room(*bytes) * 8);
        }
        for s in 0..nest.lowered.len() {
            self.step(s, &starts, &lens);
        }
        for (array, (begin, bytes)) in parts {
            let to = memory.bases[array.0 as usize];
            let from = std::mem::replace(&mut self.bases[array.0 as usize], to);
            // SAFETY: the fold wrote every element of the block's part, which is this task's alone
            unsafe { gather::flush(from.wrapping_offset(begin as isize), to.wrapping_offset(begin as isize), bytes) };
            super::fence();
        }
    }

    fn step(&mut self, s: usize, starts: &[usize], lens: &[usize]) {
        let (nest, step) = (self.nest, &self.nest.lowered[s]);
        let at = match self.hands.plans[s].iter().position(|(l, _)| l == lens) {
            Some(at) => at,
            None => {
                self.hands.plans[s].push((lens.to_vec(), Plan::new(step, lens, nest.stream[s], nest.ahead[s].clone())));
                self.hands.plans[s].len() - 1
            }
        };
        let plan = &mut self.hands.plans[s][at].1;
        let empty = step.domain.iter().any(|g| lens[*g] == 0);
        let local: Vec<bool> =
            step.folds.iter().zip(&plan.complete).map(|(fold, complete)| !fold.carried && (empty || !complete)).collect();
        for (f, fold) in step.folds.iter().enumerate().filter(|(f, _)| local[*f]) {
            self.partials[s][f].reset(fold, nest.kept(step, fold, &nest.block));
        }
        if !empty {
            let body = &*nest.steps[s].body;
            // SAFETY: lowering checked every access against the extents; blocks are disjoint in what they write
            unsafe { self.hands.worker.sweep(&self.bases, (step, body), plan, starts, &mut self.partials[s]) };
        }
        for (f, fold) in step.folds.iter().enumerate().filter(|(f, _)| local[*f]) {
            finish_partial(step, fold, &self.partials[s][f], lens, starts, &self.bases);
        }
        super::fence();
    }
}

/// Calls `f` for each part; results in order.
pub(crate) fn in_parallel<R: Send>(parts: usize, serial: bool, f: impl Fn(usize) -> R + Sync) -> Vec<R> {
    #[cfg(feature = "rayon")]
    if !serial && parts > 1 {
        use rayon::prelude::*;
        return (0..parts).into_par_iter().map(&f).collect();
    }
    let _ = serial;
    (0..parts).map(f).collect()
}
