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
        let mut sweeps: BTreeMap<(AxisSet, &[Condition]), Vec<usize>> = BTreeMap::new();
        for t in all.filter(here).filter(|t| tasks.tasks[*t].large) {
            let task = &tasks.tasks[t];
            if task.is_sweep() {
                sweeps.entry((task.domain, &task.guard)).or_default().push(t);
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
        let latest = self.latest();
        for t in 0..count {
            let earliest = self.earliest(t);
            if !self.tasks.tasks[t].large || !self.tasks.tasks[t].is_sweep() {
                self.level[t] = self.level[t].max(earliest);
                continue;
            }
            let mate = (0..t).find(|m| are_mates(self.tasks, *m, t));
            self.level[t] = match mate {
                Some(mate) => self.level[mate],
                None => self.best(t, earliest, latest[t].max(earliest)),
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
        let task = &self.tasks.tasks[t];
        let (mut least, mut best) = (usize::MAX, earliest);
        for l in earliest..=latest {
            let company: Vec<(usize, &Task)> = self
                .tasks
                .tasks
                .iter()
                .enumerate()
                .filter(|(m, c)| {
                    *m != t && self.level[*m] == l && c.is_sweep() && c.domain == task.domain && c.guard == task.guard
                })
                .collect();
            let at_hand = |leaf: &Leaf| {
                company
                    .iter()
                    .any(|(m, c)| matches!(leaf, Leaf::Temp(x) if x.0 as usize == *m) || c.reads.iter().any(|r| r.leaf == *leaf))
            };
            let extra = task.reads.iter().filter(|r| self.tasks.is_full(r.axes) && !at_hand(&r.leaf)).count();
            let extra = extra + usize::from(company.is_empty());
            if extra < least || extra == least && task.is_store() {
                (least, best) = (extra, l);
            }
        }
        best
    }
}
