//! Runs one sweep over one block: tile after tile, prepared where the sweep looks a way that it did not before.

use super::finish::finish;
use super::lower::Lowered;
use super::partial::Partial;
use super::plan::Plan;
use super::read::Reader;
use super::scratch::{Aligned, Scratch, poison};
use super::template::{Call, Job, Program, Shape, Template, list, template};
use super::tile::Tile;
use super::walk::Loop;

/// The most programs that a sweep keeps, and the most tiles of one.
const PROGRAMS: usize = 32;
const TEMPLATES: usize = 256;

/// What one thread works with.
pub(crate) struct Worker {
    scratch: Scratch,
    /// Counts sweeps.
    sweeps: u64,
    /// Values of tracks at a tile's first row, and at one of its rows.
    at: Vec<i64>,
    row: Vec<i64>,
    /// Temporaries of a block.
    temps: Aligned,
}

thread_local! {
    /// A thread's worker between its tasks: fresh memory costs more than what is done in it.
    static IDLE: std::cell::Cell<Option<Box<Worker>>> = const { std::cell::Cell::new(None) };
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

impl Worker {
    /// This thread's worker.
    pub(crate) fn take() -> Box<Worker> {
        let new = || Worker { scratch: Scratch::new(), sweeps: 0, at: vec![], row: vec![], temps: Aligned::default() };
        IDLE.take().unwrap_or_else(|| Box::new(new()))
    }
    /// Keeps the memory for the thread's next task, unless it is a lot.
    pub(crate) fn put_back(self: Box<Worker>) {
        if self.temps.len() <= 1 << 20 {
            IDLE.set(Some(self));
        }
    }
    /// Memory for a block's temporaries; it may hold anything.
    pub(crate) fn temps(&mut self, words: usize) -> *mut u8 {
        if self.temps.len() < words {
            self.temps = Aligned::new(words);
        }
        poison(&mut self.temps[..words]);
        self.temps.as_mut_ptr() as *mut u8
    }

    /// Runs a sweep over a block that starts at `starts` and is the plan's size. `partials` has one entry a fold.
    ///
    /// # Safety
    /// The lowered step is valid for the arrays at `bases`, and nobody else writes what it writes. The plan's programs
    /// were made with this worker.
    pub(crate) unsafe fn sweep(
        &mut self,
        bases: &[*mut u8],
        (step, body): (&Lowered, &(dyn Fn(&Tile) + Send + Sync)),
        plan: &mut Plan,
        starts: &[usize],
        partials: &mut [Partial],
    ) {
        let origin = step.tracks.iter().map(|t| t.offset + t.strides.iter().zip(starts).map(|(s, i)| s * *i as i64).sum::<i64>());
        let mut values: Vec<i64> = origin.chain([0]).collect();
        // partial results that stay within the block count from its start
        for fold in step.folds.iter().filter(|f| !f.carried) {
            values[fold.partial] = 0;
        }
        self.sweeps += 1;
        let mut programs = std::mem::take(&mut plan.programs);
        let job = Job { step, body, reader: Reader { bases, walk: &plan.walk }, plan };
        let mut outer = Odometer::new(&plan.walk.outer);
        let mut key = vec![];
        loop {
            key.clear();
            key.extend(plan.keys.iter().map(|key| key.of(&values)));
            match programs.iter_mut().find(|p| p.key == key) {
                Some(program) => {
                    for call in &program.calls {
                        unsafe { self.call(&job, &mut program.templates[call.template], *call, &values, partials) };
                    }
                }
                None => {
                    let program = unsafe { self.record(&job, key.clone(), &values, partials) };
                    programs.extend(program.filter(|_| programs.len() < PROGRAMS));
                }
            }
            if !outer.next(&plan.walk.outer, &mut values) {
                break;
            }
        }
        plan.programs = programs;
    }

    /// Runs a template at its call's place.
    unsafe fn call(&mut self, job: &Job, template: &mut Template, call: Call, values: &[i64], partials: &mut [Partial]) {
        let walk = job.reader.walk;
        self.at.clear();
        self.at.extend_from_slice(values);
        let mut advance = |l: &Loop, n: usize| {
            if n > 0 {
                self.at.iter_mut().zip(&l.steps).for_each(|(v, s)| *v += s * n as i64);
            }
        };
        advance(&walk.rows, call.row);
        if let Some(taps) = walk.taps.first() {
            advance(taps, call.tap);
        }
        unsafe {
            template.run(job, &self.at, partials, self.sweeps, &mut self.scratch, &mut self.row);
            finish(job, template, &self.at, &mut self.row, partials);
        }
    }

    /// Goes over all rows, taps and the run for the first time: prepares tiles and runs them. `None` if they are too many
    /// to be kept.
    unsafe fn record(&mut self, job: &Job, key: Vec<i64>, values: &[i64], partials: &mut [Partial]) -> Option<Program> {
        let walk = job.reader.walk;
        let mut program = Program { key, templates: vec![], calls: vec![] };
        let mut kept = true;
        let mut start = 0;
        while start < walk.rows.len {
            let mut at = values.to_vec();
            at.iter_mut().zip(&walk.rows.steps).for_each(|(v, s)| *v += s * start as i64);
            let end = start + alike(job, &at).min(walk.rows.len - start);
            for (call, shape) in calls(job, start, end) {
                let found = program.templates.iter().position(|t| t.shape == shape);
                if found.is_none() && program.templates.len() == TEMPLATES {
                    // too many: this one is not kept, and so neither are all
                    kept = false;
                    let mut once = template(job, &at, shape, &mut self.scratch);
                    unsafe { self.call(job, &mut once, call, values, partials) };
                    continue;
                }
                let found = found.unwrap_or_else(|| {
                    program.templates.push(template(job, &at, shape, &mut self.scratch));
                    program.templates.len() - 1
                });
                let call = Call { template: found, ..call };
                unsafe { self.call(job, &mut program.templates[found], call, values, partials) };
                program.calls.push(call);
            }
            start = end;
        }
        kept.then_some(program)
    }
}

/// For how many rows from `at` on all tiles look the same.
fn alike(job: &Job, at: &[i64]) -> usize {
    let (walk, plan) = (job.reader.walk, job.plan);
    let conditional = !job.step.guard.is_empty() || walk.ragged.is_some() || plan.classes.iter().any(|c| !c.simple);
    if plan.plain || !conditional {
        usize::MAX
    } else if walk.tap_len <= walk.tap_chunk && walk.run_len <= walk.run_chunk {
        list(job, at, (0, walk.tap_len), (0, walk.run_len)).rows
    } else {
        1
    }
}

/// The tiles of rows that look the same, in order: rows outermost, then taps, then the run.
fn calls(job: &Job, start: usize, end: usize) -> Vec<(Call, Shape)> {
    let (walk, plan) = (job.reader.walk, job.plan);
    let mut calls = vec![];
    for row in (start..end).step_by(plan.most_rows) {
        let rows = plan.most_rows.min(end - row);
        for tap in (0..walk.tap_len).step_by(walk.tap_chunk) {
            let taps = walk.tap_chunk.min(walk.tap_len - tap);
            for lo in (0..walk.run_len).step_by(walk.run_chunk) {
                let hi = (lo + walk.run_chunk).min(walk.run_len);
                // in a plain sweep, tiles at other taps differ by equal steps
                let (from, moved) = if plan.plain { (0, tap) } else { (tap, 0) };
                let shape = Shape { row: start, rows, tap: from, taps, lo, hi };
                calls.push((Call { template: 0, row, tap: moved }, shape));
            }
        }
    }
    calls
}
