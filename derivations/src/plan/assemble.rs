//! From tasks, items and segments to a plan with its own numbering.

use super::levels::{Item, items};
use super::nests::{Segment, cut};
use super::tasks::{Tasks, Work};
use super::{Elem, Gemm, Leaf, Nest, Operand, Phase, Plan, Root, Scan, Scatter, Scope, Sweep, Temp, TempId, Val};
use super::{cost, merge, names, rewrite, tasks};
use crate::graph::{AxisSet, Graph, NodeId};
use std::collections::{BTreeMap, BTreeSet};

/// A value that two sweeps of one nest evaluate is stored if it takes this many operations.
const COSTLY: u64 = 10;

pub(super) fn plan(graph: &Graph, roots: &[Root], given: &[(NodeId, Elem)]) -> Plan {
    let nodes: Vec<NodeId> = given.iter().map(|(n, _)| *n).collect();
    let rewritten = rewrite::rewrite(graph, roots, &nodes);
    let attempt = |wanted: &BTreeSet<NodeId>| Attempt::new(rewritten.graph.clone(), &rewritten.roots, given, wanted);
    let mut best = attempt(&BTreeSet::new());
    let wanted = best.repeated();
    if !wanted.is_empty() {
        let other = attempt(&wanted);
        if other.cost < best.cost {
            best = other;
        }
    }
    let names = names::names(&best.tasks);
    let Attempt { tasks, items, segments, .. } = best;
    let mut assembler = Assembler::new(&tasks, &items);
    for segment in &segments {
        assembler.segment(segment);
    }
    let mut plan = assembler.finish(&rewritten, names, given);
    names::settle(&mut plan, graph);
    plan
}

struct Attempt {
    tasks: Tasks,
    items: Vec<Item>,
    segments: Vec<Segment>,
    cost: u64,
}

impl Attempt {
    fn new(graph: Graph, roots: &[Root], given: &[(NodeId, Elem)], wanted: &BTreeSet<NodeId>) -> Attempt {
        let tasks = tasks::find(graph, roots, given, wanted);
        let items = items(&tasks);
        let segments = cut(&tasks, &items);
        let cost = segments.iter().map(|s| s.cost).sum();
        Attempt { tasks, items, segments, cost }
    }
    /// Costly values of full size that two sweeps of one nest evaluate, and no other: stored, they stay in cache.
    fn repeated(&self) -> BTreeSet<NodeId> {
        // for each value: its nest, and how many of its sweeps evaluate it
        let mut seen: BTreeMap<NodeId, (usize, usize)> = BTreeMap::new();
        let mut scattered = BTreeSet::new();
        for (nest, segment) in self.segments.iter().enumerate() {
            for k in segment.before.iter().chain(&segment.inside).chain(&segment.after) {
                let tasks = self.items[*k].tasks.iter().map(|t| &self.tasks.tasks[*t]);
                let values: BTreeSet<NodeId> = tasks.flat_map(|t| t.inlined.iter().copied().filter(|n| *n != t.node)).collect();
                for n in values {
                    let (first, count) = seen.entry(n).or_insert((nest, 0));
                    *count += 1;
                    if *first != nest || !segment.inside.contains(k) {
                        scattered.insert(n);
                    }
                }
            }
        }
        let graph = &self.tasks.graph;
        let costly = |n: &NodeId| cost::op_cost(graph.op(*n)) >= COSTLY && self.tasks.is_full(graph.axes_of(*n));
        let repeated = seen.into_iter().filter(|(_, (_, count))| *count > 1).map(|(n, _)| n);
        repeated.filter(|n| costly(n) && !scattered.contains(n)).collect()
    }
}

/// A plan under construction.
struct Assembler<'t> {
    tasks: &'t Tasks,
    items: &'t [Item],
    /// The tasks that read each task's result.
    readers: Vec<Vec<usize>>,
    /// The plan's temp for each task that has one, and its scope.
    temps: Vec<(usize, Scope)>,
    numbers: BTreeMap<usize, TempId>,
    phases: Vec<Phase>,
}

impl<'t> Assembler<'t> {
    fn new(tasks: &'t Tasks, items: &'t [Item]) -> Assembler<'t> {
        let mut readers = vec![vec![]; tasks.tasks.len()];
        for (t, task) in tasks.tasks.iter().enumerate() {
            for (source, _) in task.sources() {
                readers[source].push(t);
            }
        }
        Assembler { tasks, items, readers, temps: vec![], numbers: BTreeMap::new(), phases: vec![] }
    }

    fn segment(&mut self, segment: &Segment) {
        self.loose(&segment.before);
        if !segment.inside.is_empty() {
            let inside: BTreeSet<usize> = segment.inside.iter().flat_map(|k| &self.items[*k].tasks).copied().collect();
            let steps = self.steps(&segment.inside, segment.outer, &inside);
            self.phases.push(Phase::Nest(Nest { outer: segment.outer, steps, after: vec![] }));
        }
        self.loose(&segment.after);
    }
    /// Items outside a nest: small ones in the phase before if that has room, others as phases.
    fn loose(&mut self, items: &[usize]) {
        let mut rest = items;
        while let Some((first, others)) = rest.split_first() {
            if self.items[*first].special {
                self.special(self.items[*first].tasks[0]);
                rest = others;
                continue;
            }
            let count = rest.iter().take_while(|k| !self.items[**k].special).count();
            let steps = self.steps(&rest[..count], AxisSet::EMPTY, &BTreeSet::new());
            match self.phases.last_mut() {
                Some(Phase::Nest(nest)) if nest.steps.iter().all(|s| s.wide) && nest.outer.is_empty() => nest.steps.extend(steps),
                Some(Phase::Nest(nest)) => nest.after.extend(steps),
                _ => self.phases.push(Phase::Nest(Nest { outer: AxisSet::EMPTY, steps, after: vec![] })),
            }
            rest = &rest[count..];
        }
    }

    /// The sweeps of a list of items; small ones over one domain are joined where their order allows.
    fn steps(&mut self, list: &[usize], outer: AxisSet, inside: &BTreeSet<usize>) -> Vec<Sweep> {
        let mut groups: Vec<(bool, Vec<usize>)> = vec![];
        for k in list {
            let item = &self.items[*k];
            let mut place = None;
            if !item.full {
                for (at, (full, group)) in groups.iter().enumerate().rev() {
                    if !full && self.may_join(&item.tasks, group) {
                        place = Some(at);
                    }
                    if self.reads_from(&item.tasks, group) {
                        break;
                    }
                }
            }
            match place {
                Some(at) => groups[at].1.extend(&item.tasks),
                None => groups.push((item.full, item.tasks.clone())),
            }
        }
        groups.into_iter().map(|(full, group)| self.sweep(!full, &group, outer, inside)).collect()
    }
    fn reads_from(&self, tasks: &[usize], group: &[usize]) -> bool {
        tasks.iter().any(|t| self.tasks.tasks[*t].sources().any(|(s, _)| group.contains(&s)))
    }
    fn may_join(&self, tasks: &[usize], group: &[usize]) -> bool {
        let (a, b) = (&self.tasks.tasks[tasks[0]], &self.tasks.tasks[group[0]]);
        let at_hand = |t: &usize| {
            let mut sources = self.tasks.tasks[*t].sources();
            sources.all(|(s, read)| !group.contains(&s) || read.plain && self.tasks.tasks[s].is_store())
        };
        a.domain == b.domain && a.guard == b.guard && tasks.iter().all(at_hand)
    }

    fn sweep(&mut self, wide: bool, group: &[usize], outer: AxisSet, inside: &BTreeSet<usize>) -> Sweep {
        let needed = |t: usize| self.tasks.tasks[t].root.is_some() || self.readers[t].iter().any(|r| !group.contains(r));
        let mut body = merge::merged(self.tasks, group, &needed);
        let written = body.stores.iter().map(|s| s.0).chain(body.folds.iter().map(|f| f.temp));
        for t in written.map(|t| t.0 as usize).collect::<Vec<_>>() {
            let task = &self.tasks.tasks[t];
            let block = !outer.is_empty() && outer.is_subset(task.axes) && self.readers[t].iter().all(|r| inside.contains(r));
            self.temp(t, if block { Scope::Block } else { Scope::Memory });
        }
        body.stores.iter_mut().for_each(|s| s.0 = self.numbers[&(s.0.0 as usize)]);
        body.folds.iter_mut().for_each(|f| f.temp = self.numbers[&(f.temp.0 as usize)]);
        body.operands.iter_mut().for_each(|o| self.renumber(o));
        let first = &self.tasks.tasks[group[0]];
        Sweep { domain: first.domain, wide, guard: first.guard.clone(), body }
    }
    fn special(&mut self, t: usize) {
        let out = self.temp(t, Scope::Memory);
        let task = &self.tasks.tasks[t];
        let mut body = task.body.clone();
        body.operands.iter_mut().for_each(|o| self.renumber(o));
        let phase = match &task.work {
            Work::Gemm { a, b, sides } => {
                let operand = |val: &Val| match val {
                    Val::Operand(at) => body.operands[*at as usize].clone(),
                    _ => unreachable!("a contraction's factors are accesses"),
                };
                let (a, b, guard) = (operand(a), operand(b), task.guard.clone());
                Phase::Gemm(Gemm { out, a, b, m: sides.m, n: sides.n, k: sides.k, batch: sides.batch, guard })
            }
            Work::Scatter { op, axis, value, index } => {
                let (domain, op, axis, value, index) = (task.domain, *op, *axis, *value, *index);
                Phase::Scatter(Scatter { out, op, domain, axis, body, value, index })
            }
            Work::Scan { axis, reverse, a, b } => {
                let (domain, axis, reverse, a, b) = (task.domain, *axis, *reverse, *a, *b);
                Phase::Scan(Scan { out, domain, axis, reverse, body, a, b })
            }
            Work::Store { .. } | Work::Fold { .. } => unreachable!("a sweep is no phase of its own"),
        };
        self.phases.push(phase);
    }

    fn temp(&mut self, t: usize, scope: Scope) -> TempId {
        let number = TempId(self.temps.len() as u32);
        self.temps.push((t, self.tasks.tasks[t].root.map_or(scope, Scope::Root)));
        self.numbers.insert(t, number);
        number
    }
    fn renumber(&self, operand: &mut Operand) {
        if let Leaf::Temp(t) = &mut operand.leaf {
            *t = self.numbers[&(t.0 as usize)];
        }
    }

    fn finish(self, rewritten: &rewrite::Rewritten, names: Vec<String>, given: &[(NodeId, Elem)]) -> Plan {
        let temp = |(t, scope): (usize, Scope)| {
            let task = &self.tasks.tasks[t];
            let node = rewritten.origin(&self.tasks.graph, task.node);
            Temp { node, name: names[t].clone(), axes: task.axes.iter().collect(), scope, elem: task.elem }
        };
        let temps = self.temps.iter().copied().map(temp).collect();
        Plan { temps, phases: self.phases, ints: self.tasks.arith.ints.clone(), given: given.to_vec() }
    }
}
