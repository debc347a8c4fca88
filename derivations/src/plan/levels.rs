//! Which tasks share a sweep: those of one level and one domain.

use super::Leaf;
use super::tasks::{Read, Task, Tasks};
use crate::graph::{AxisSet, Condition, Op, ReduceOp};
use std::collections::BTreeMap;

/// Tasks that run as one: a sweep, or one contraction or scatter.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// In dependency order.
    pub tasks: Vec<usize>,
    pub domain: AxisSet,
    pub guard: Vec<Condition>,
    /// A pass over memory (or a phase of its own); else a small task.
    pub full: bool,
    /// A contraction or scatter: a phase of its own.
    pub special: bool,
}

/// Groups the tasks, in an order in which they may run.
pub(super) fn items(tasks: &Tasks) -> Vec<Item> {
    let level = Levels::new(tasks).place();
    let mut items: Vec<Item> = vec![];
    for l in 0..=level.iter().copied().max().unwrap_or(0) {
        let here = |t: &usize| level[*t] == l;
        let all = 0..tasks.tasks.len();
        let first = items.len();
        for t in all.clone().filter(here).filter(|t| !tasks.tasks[*t].large) {
            let mate = items[first..].iter().position(|i| are_mates(tasks, i.tasks[0], t));
            match mate {
                Some(at) => items[first + at].tasks.push(t),
                None => items.push(item(&tasks.tasks[t], vec![t], false)),
            }
        }
        // small domains first: what they find may be needed by nests over the large ones
        let mut sweeps: BTreeMap<(u64, AxisSet, &[Condition]), Vec<usize>> = BTreeMap::new();
        for t in all.filter(here).filter(|t| tasks.tasks[*t].large) {
            let task = &tasks.tasks[t];
            if task.is_sweep() {
                let size = tasks.graph.canonical_size(task.domain);
                sweeps.entry((size, task.domain, &task.guard)).or_default().push(t);
            } else {
                items.push(item(task, vec![t], true));
            }
        }
        for group in sweeps.into_values() {
            items.push(item(&tasks.tasks[group[0]], group, true));
        }
    }
    items
}

fn item(task: &Task, tasks: Vec<usize>, full: bool) -> Item {
    Item { tasks, domain: task.domain, guard: task.guard.clone(), full, special: !task.is_sweep() }
}

/// Whether two tasks are a maximum and its position (or a minimum's), which one fold finds.
fn are_mates(tasks: &Tasks, a: usize, b: usize) -> bool {
    let key = |t: usize| match tasks.graph.op(tasks.tasks[t].node) {
        Op::Reduce { op, axes, x, valid } if tasks.tasks[t].is_fold() => {
            let side = match op {
                ReduceOp::Max | ReduceOp::ArgMax => 0,
                ReduceOp::Min | ReduceOp::ArgMin => 1,
                _ => return None,
            };
            Some((side, *x, axes.iter().copied().collect::<AxisSet>(), valid))
        }
        _ => None,
    };
    a != b && key(a).is_some() && key(a) == key(b)
}

struct Levels<'t> {
    tasks: &'t Tasks,
    level: Vec<usize>,
}

impl<'t> Levels<'t> {
    fn new(tasks: &'t Tasks) -> Levels<'t> {
        Levels { tasks, level: vec![0; tasks.tasks.len()] }
    }
    /// 0 if the reader may run in the sweep that writes (or right after a small one).
    fn weight(&self, from: usize, to: usize, read: &Read) -> usize {
        let (writer, reader) = (&self.tasks.tasks[from], &self.tasks.tasks[to]);
        let shared = writer.is_store()
            && reader.is_sweep()
            && reader.large == writer.large
            && read.plain
            && reader.guard.is_empty()
            && writer.domain == reader.domain;
        usize::from(writer.large && !shared)
    }
    fn earliest(&self, t: usize) -> usize {
        let sources = self.tasks.tasks[t].sources();
        sources.map(|(s, read)| self.level[s] + self.weight(s, t, read)).max().unwrap_or(0)
    }
    fn latest(&self) -> Vec<usize> {
        let top = self.level.iter().copied().max().unwrap_or(0);
        let mut latest = vec![top; self.level.len()];
        for t in (0..latest.len()).rev() {
            for (s, read) in self.tasks.tasks[t].sources() {
                latest[s] = latest[s].min(latest[t].saturating_sub(self.weight(s, t, read)));
            }
        }
        latest
    }

    /// Every task as early as it can be; then full sweeps move to where their tensors are read anyway.
    fn place(mut self) -> Vec<usize> {
        let count = self.level.len();
        for t in 0..count {
            self.level[t] = self.earliest(t);
        }
        for (t, latest) in self.latest().into_iter().enumerate() {
            let earliest = self.earliest(t);
            if !self.tasks.tasks[t].large || !self.tasks.tasks[t].is_sweep() {
                self.level[t] = self.level[t].max(earliest);
                continue;
            }
            let mate = (0..t).find(|m| are_mates(self.tasks, *m, t));
            self.level[t] = match mate {
                Some(mate) => self.level[mate],
                None => self.best(t, earliest, latest.max(earliest)),
            };
        }
        for t in 0..count {
            let earliest = self.earliest(t);
            self.level[t] = if !self.tasks.tasks[t].large { earliest } else { self.level[t].max(earliest) };
        }
        self.level
    }
    /// The level at which a sweep reads fewest tensors that its company does not; stores prefer late ones.
    fn best(&self, t: usize, earliest: usize, latest: usize) -> usize {
        if earliest == latest {
            return earliest;
        }
        let task = &self.tasks.tasks[t];
        let behind = self.behind(t);
        let mates = self.tasks.tasks.iter().enumerate().filter(|(m, c)| {
            *m != t && !behind[*m] && c.large && c.is_sweep() && c.domain == task.domain && c.guard == task.guard
        });
        let mates: Vec<(usize, &Task)> = mates.collect();
        let (mut least, mut best) = (usize::MAX, earliest);
        for l in earliest..=latest {
            let company = || mates.iter().filter(|(m, _)| self.level[*m] == l);
            let at_hand = |leaf: &Leaf| {
                let writes = |m: usize| matches!(leaf, Leaf::Temp(x) if x.0 as usize == m);
                company().any(|(m, c)| writes(*m) || c.reads.iter().any(|r| r.leaf == *leaf))
            };
            let extra = task.reads.iter().filter(|r| self.tasks.is_full(r.axes) && !at_hand(&r.leaf)).count();
            let extra = extra + usize::from(company().next().is_none());
            if extra < least || extra == least && task.is_store() {
                (least, best) = (extra, l);
            }
        }
        best
    }
    /// The tasks that can only run in later sweeps than `t`.
    fn behind(&self, t: usize) -> Vec<bool> {
        let mut distance: Vec<Option<usize>> = vec![None; self.level.len()];
        distance[t] = Some(0);
        for m in t + 1..distance.len() {
            let sources = self.tasks.tasks[m].sources();
            distance[m] = sources.filter_map(|(s, read)| Some(distance[s]? + self.weight(s, m, read))).max();
        }
        distance.into_iter().map(|d| d.is_some_and(|d| d > 0)).collect()
    }
}
