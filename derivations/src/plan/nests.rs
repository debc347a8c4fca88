//! Which sweeps share a nest: a dynamic programme over cuts of the ordered list of items.

use super::levels::Item;
use super::tasks::{Tasks, Work};
use super::{Leaf, cost};
use crate::graph::AxisSet;
use std::collections::{BTreeMap, BTreeSet};

/// What moving an element between memory and the core costs, in operations.
const MOVE: u64 = 8;
/// Bytes of a block that stay in cache from one sweep to the next.
const CACHE: u64 = 4 << 20;
/// The longest run of items that is considered for one nest.
const LONGEST: usize = 40;

/// A run of items that becomes one nest, and what goes before and after it.
#[derive(Clone, Debug, Default)]
pub(super) struct Segment {
    pub outer: AxisSet,
    pub before: Vec<usize>,
    pub inside: Vec<usize>,
    pub after: Vec<usize>,
    pub cost: u64,
}

/// Cuts the list of items.
pub(super) fn cut(tasks: &Tasks, items: &[Item]) -> Vec<Segment> {
    let nests = Nests::new(tasks, items);
    let mut best: Vec<(u64, Segment)> = vec![(0, Segment::default())];
    let mut starts = vec![0];
    for end in 1..=items.len() {
        let mut found: Option<(u64, usize, Segment)> = None;
        for start in (end.saturating_sub(LONGEST)..end).rev() {
            match nests.segment(start, end) {
                Verdict::Fits(segment) => {
                    let total = best[start].0 + segment.cost;
                    if found.as_ref().is_none_or(|(least, ..)| total < *least) {
                        found = Some((total, start, segment));
                    }
                }
                Verdict::No => {}
                Verdict::NorAnyLonger => break,
            }
        }
        let (total, start, segment) = found.unwrap_or_default();
        best.push((total, segment));
        starts.push(start);
    }
    let mut segments = vec![];
    let mut end = items.len();
    while end > 0 {
        segments.push(std::mem::take(&mut best[end].1));
        end = starts[end];
    }
    segments.reverse();
    segments
}

enum Verdict {
    Fits(Segment),
    No,
    /// This run is no nest, and no run that contains it is.
    NorAnyLonger,
}

/// A tensor that an item reads.
struct Input {
    tensor: (u8, u32),
    axes: AxisSet,
    moved: AxisSet,
    /// The item that computes it.
    owner: Option<usize>,
    /// Written and read at one position of one sweep.
    forwarded: bool,
}

/// A value that an item computes.
struct Output {
    axes: AxisSet,
    readers: Vec<usize>,
    root: bool,
}

struct Facts {
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    /// Axes that folds with large results reduce over: partial results of an outer axis would be as large.
    inner: AxisSet,
    work: u64,
}

struct Nests<'t> {
    tasks: &'t Tasks,
    items: &'t [Item],
    facts: Vec<Facts>,
}

impl<'t> Nests<'t> {
    fn new(tasks: &'t Tasks, items: &'t [Item]) -> Nests<'t> {
        let mut owner = vec![0; tasks.tasks.len()];
        for (k, item) in items.iter().enumerate() {
            item.tasks.iter().for_each(|t| owner[*t] = k);
        }
        let mut readers: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); tasks.tasks.len()];
        for (t, task) in tasks.tasks.iter().enumerate() {
            for (source, _) in task.sources() {
                readers[source].insert(owner[t]);
            }
        }
        let facts = items.iter().enumerate().map(|(k, item)| facts(tasks, item, k, &owner, &readers)).collect();
        Nests { tasks, items, facts }
    }

    fn segment(&self, start: usize, end: usize) -> Verdict {
        let run = start..end;
        let sweeps = run.clone().filter(|k| self.items[*k].full && !self.items[*k].special).count();
        if sweeps == 0 {
            return match run.clone().any(|k| self.items[k].special) {
                true if run.len() > 1 => Verdict::No,
                true => Verdict::Fits(self.alone(start)),
                false => Verdict::Fits(Segment { before: run.collect(), cost: self.tasks.full / 64, ..Segment::default() }),
            };
        }
        let roles = self.roles(start, end);
        let mut segment = Segment { outer: !AxisSet::EMPTY, ..Segment::default() };
        let mut edge = false;
        for k in run {
            let (needs, feeds) = roles[k - start];
            match (needs, feeds) {
                (false, _) => segment.before.push(k),
                (true, false) => segment.after.push(k),
                (true, true) if self.items[k].special => return Verdict::NorAnyLonger,
                (true, true) => {
                    segment.inside.push(k);
                    segment.outer = segment.outer & (self.items[k].domain - self.facts[k].inner);
                    let passed =
                        |i: &&Input| !i.forwarded && i.owner.is_some_and(|o| o >= start && roles[o - start] == (true, true));
                    for input in self.facts[k].inputs.iter().filter(passed) {
                        segment.outer = segment.outer & (input.axes - input.moved);
                        edge = true;
                    }
                }
            }
        }
        if sweeps == 1 && !edge {
            segment.outer = self.alone_outer(&segment);
        } else if segment.outer.is_empty() {
            return Verdict::NorAnyLonger;
        }
        segment.cost = self.price(&segment, sweeps);
        Verdict::Fits(segment)
    }
    /// The outer axes of one sweep: any are right. What every result keeps needs no partial results; what any keeps, few.
    fn alone_outer(&self, segment: &Segment) -> AxisSet {
        let outputs = segment.inside.iter().flat_map(|k| &self.facts[*k].outputs);
        let all = outputs.clone().fold(segment.outer, |set, o| set & o.axes);
        let any = segment.outer & outputs.fold(AxisSet::EMPTY, |set, o| set | o.axes);
        [all, any].into_iter().find(|set| !set.is_empty()).unwrap_or(segment.outer)
    }
    /// For each item of a run: whether it needs a full sweep of the run, and whether one needs it.
    fn roles(&self, start: usize, end: usize) -> Vec<(bool, bool)> {
        let core = |k: usize| self.items[k].full && !self.items[k].special;
        let mut roles = vec![(false, false); end - start];
        for k in start..end {
            let after_core = |i: &Input| i.owner.is_some_and(|o| o >= start && o < k && roles[o - start].0);
            roles[k - start].0 = core(k) || self.facts[k].inputs.iter().any(after_core);
        }
        for k in (start..end).rev() {
            let before_core = |r: &usize| *r > k && *r < end && roles[r - start].1;
            roles[k - start].1 = core(k) || self.facts[k].outputs.iter().flat_map(|o| &o.readers).any(before_core);
        }
        roles
    }

    /// A contraction or scatter on its own.
    fn alone(&self, k: usize) -> Segment {
        Segment { before: vec![k], cost: self.special_price(k), ..Segment::default() }
    }
    fn special_price(&self, k: usize) -> u64 {
        let size = |axes| self.tasks.graph.canonical_size(axes);
        let full = |axes: AxisSet| if self.tasks.is_full(axes) { size(axes) } else { 0 };
        let facts = &self.facts[k];
        let read: u64 = facts.inputs.iter().map(|i| full(i.axes)).sum();
        let written: u64 = facts.outputs.iter().map(|o| full(o.axes)).sum();
        MOVE * (read + written + self.tasks.full / 32) + facts.work
    }
    fn price(&self, segment: &Segment, sweeps: usize) -> u64 {
        let size = |axes| self.tasks.graph.canonical_size(axes);
        let inside = |k: &usize| segment.inside.contains(k);
        let (mut work, mut written, mut each_sweep) = (0, 0, 0);
        let mut distinct: BTreeMap<(u8, u32), AxisSet> = BTreeMap::new();
        for k in &segment.inside {
            let facts = &self.facts[*k];
            work += facts.work;
            let mut read: BTreeMap<(u8, u32), AxisSet> = BTreeMap::new();
            for i in facts.inputs.iter().filter(|i| self.tasks.is_full(i.axes) && !i.owner.as_ref().is_some_and(inside)) {
                read.insert(i.tensor, i.axes);
            }
            each_sweep += read.values().map(|axes| size(*axes)).sum::<u64>();
            distinct.extend(read);
            for o in facts.outputs.iter().filter(|o| self.tasks.is_full(o.axes)) {
                if o.root || o.readers.iter().any(|r| !inside(r)) {
                    written += size(o.axes);
                } else if o.readers.iter().any(|r| r != k) {
                    work += 2 * size(o.axes);
                }
            }
        }
        let block: u64 = distinct.values().map(|axes| 4 * size(*axes - segment.outer)).sum();
        let cached = sweeps == 1 || block <= CACHE;
        let read = if cached { distinct.values().map(|axes| size(*axes)).sum() } else { each_sweep };
        let specials = segment.before.iter().chain(&segment.after).filter(|k| self.items[**k].special);
        MOVE * (read + written + self.tasks.full / 32) + work + specials.map(|k| self.special_price(*k)).sum::<u64>()
    }
}

/// A key for the tensor of a leaf.
fn tensor(leaf: &Leaf) -> (u8, u32) {
    match leaf {
        Leaf::Input(i) => (0, i.0),
        Leaf::Given(k) => (1, *k),
        Leaf::Temp(t) => (2, t.0),
        _ => (3, 0),
    }
}

fn facts(tasks: &Tasks, item: &Item, k: usize, owner: &[usize], readers: &[BTreeSet<usize>]) -> Facts {
    let mut inputs = vec![];
    for t in &item.tasks {
        for r in &tasks.tasks[*t].reads {
            let source = match r.leaf {
                Leaf::Temp(s) => Some(s.0 as usize),
                _ => None,
            };
            let from = source.map(|s| owner[s]);
            let forwarded = r.plain && from == Some(k) && source.is_some_and(|s| tasks.tasks[s].is_store());
            inputs.push(Input { tensor: tensor(&r.leaf), axes: r.axes, moved: r.moved, owner: from, forwarded });
        }
    }
    let outputs = item.tasks.iter().map(|t| Output {
        axes: tasks.tasks[*t].axes,
        readers: readers[*t].iter().copied().collect(),
        root: tasks.tasks[*t].root.is_some(),
    });
    let large = item.tasks.iter().map(|t| &tasks.tasks[*t]).filter(|t| t.is_fold() && tasks.is_full(t.axes));
    let inner = large.fold(AxisSet::EMPTY, |set, t| set | (t.domain - t.axes));
    Facts { inputs, outputs: outputs.collect(), inner, work: work(tasks, item) }
}

/// The operations of an item: what two of its tasks compute counts once.
fn work(tasks: &Tasks, item: &Item) -> u64 {
    let size = |axes| tasks.graph.canonical_size(axes);
    let results = item.tasks.iter().map(|t| match &tasks.tasks[*t].work {
        Work::Store { .. } => 0,
        Work::Fold { .. } => size(tasks.tasks[*t].domain),
        Work::Gemm { .. } => size(tasks.tasks[*t].domain) / 8,
        Work::Scatter { .. } | Work::Scan { .. } => 2 * size(tasks.tasks[*t].domain),
    });
    let body = super::merge::merged(tasks, &item.tasks, &|_| true);
    let leaf_axes = |leaf: &Leaf| tasks.leaf_axes(leaf);
    results.sum::<u64>() + cost::body_work(&tasks.graph, &tasks.arith.ints, &body, &item.guard, &leaf_axes)
}
