//! Where results go: which tasks write to a root themselves, and which roots need a copy.

use super::body::Builder;
use super::lower::Lowering;
use super::tasks::{Finder, Read, Task, Tasks, Work};
use super::{Elem, Leaf, Root, TempId};
use crate::graph::{NodeId, Op};
use std::collections::BTreeSet;

/// Sweeps over so many elements are not left to `f64`, unless they compute with statistics.
const LARGE: u64 = 4096;

impl Finder<'_> {
    /// Whether a root is already at hand, so that only a copy is needed.
    fn is_at_hand(&self, node: NodeId) -> bool {
        let leaf = matches!(
            self.graph.op(node),
            Op::Input(_) | Op::Num(_) | Op::Host(_) | Op::Len(_) | Op::Int(_) | Op::Index(_) | Op::Test(_) | Op::Random(_)
        );
        leaf || self.is_given(node)
    }
    /// Makes the tasks of the roots.
    pub fn ask(&mut self, roots: &[Root]) {
        for root in roots {
            if !self.is_at_hand(root.node) {
                self.store(root.node);
            }
        }
    }

    /// Gives each root a task that writes it, and puts the tasks in dependency order.
    pub fn finish(mut self, roots: &[Root], given: &[(NodeId, Elem)]) -> Tasks {
        let mut copies = vec![];
        for (root, k) in roots.iter().zip(0..) {
            if self.is_at_hand(root.node) {
                let mut task = Lowering::copy(&mut self, root.node);
                (task.root, task.elem) = (Some(k), root.elem.unwrap_or(task.elem));
                copies.push(task);
            }
        }
        let mut tasks = self.take_tasks();
        let read = read_tasks(&tasks, roots, |n| self.stored_at(n));
        for (root, k) in roots.iter().zip(0..) {
            let Some(at) = self.stored_at(root.node).filter(|_| !self.is_at_hand(root.node)) else { continue };
            let alone = !read.contains(&at) && roots.iter().filter(|r| r.node == root.node).count() == 1;
            let task = &mut tasks[at];
            // the fold of an arg form writes indices
            let alone = alone && (task.elem != Elem::Index || root.elem.is_none_or(|e| e == Elem::Index));
            let shared = root.readable && root.elem.is_none_or(|e| e == task.elem);
            if task.root.is_none() && (alone || shared) {
                (task.root, task.elem) = (Some(k), root.elem.unwrap_or(task.elem));
            } else {
                copies.push(self.copy_of(&tasks[at], at, k, root));
            }
        }
        tasks.extend(copies);
        let tasks = order(tasks);
        let mut tasks = Tasks { graph: self.graph, arith: self.arith, tasks, given: given.to_vec(), full: self.full };
        tasks.settle();
        tasks
    }

    fn copy_of(&self, task: &Task, at: usize, k: u32, root: &Root) -> Task {
        let mut builder = Builder::default();
        let mut value = builder.leaf(Leaf::Temp(TempId(at as u32)));
        let body = builder.finish(vec![], vec![], &mut [&mut value]);
        let reads = self.reads(&body);
        Task {
            node: task.node,
            axes: task.axes,
            domain: task.axes,
            guard: vec![],
            body,
            work: Work::Store { value },
            root: Some(k),
            elem: root.elem.unwrap_or(task.elem),
            large: false,
            inlined: BTreeSet::new(),
            reads,
        }
    }
}

impl Tasks {
    /// Decides which tasks are large, and what the elements of their results are.
    fn settle(&mut self) {
        for t in 0..self.tasks.len() {
            let task = &self.tasks[t];
            let size = self.graph.canonical_size(task.domain);
            let wide = |r: &Read| self.elem_of(&r.leaf) == Elem::Wide && 4 * self.graph.canonical_size(r.axes) > size;
            let statistics = task.reads.iter().any(wide);
            let large = !task.is_sweep() || self.is_full(task.domain) || size >= LARGE && !statistics;
            let packed = matches!(task.work, Work::Gemm { .. });
            let sources: Vec<usize> = if packed { task.sources().map(|(s, _)| s).collect() } else { vec![] };
            let task = &mut self.tasks[t];
            task.large = large;
            if large && task.is_store() && task.root.is_none() && task.elem == Elem::Wide {
                task.elem = Elem::Data;
            }
            // what a contraction packs is data
            for source in sources {
                let source = &mut self.tasks[source];
                if source.elem == Elem::Wide && source.root.is_none() {
                    source.elem = Elem::Data;
                }
            }
        }
    }
    fn elem_of(&self, leaf: &Leaf) -> Elem {
        match leaf {
            Leaf::Temp(t) => self.tasks[t.0 as usize].elem,
            Leaf::Given(k) => self.given[*k as usize].1,
            _ => Elem::Data,
        }
    }
}

/// The tasks that live tasks read.
fn read_tasks(tasks: &[Task], roots: &[Root], at: impl Fn(NodeId) -> Option<usize>) -> BTreeSet<usize> {
    let mut stack: Vec<usize> = roots.iter().filter_map(|r| at(r.node)).collect();
    let (mut live, mut read) = (BTreeSet::new(), BTreeSet::new());
    while let Some(t) = stack.pop() {
        if live.insert(t) {
            for (source, _) in tasks[t].sources() {
                read.insert(source);
                stack.push(source);
            }
        }
    }
    read
}

/// Keeps what the roots need, in dependency order, and renumbers.
fn order(tasks: Vec<Task>) -> Vec<Task> {
    let mut place: Vec<Option<usize>> = vec![None; tasks.len()];
    let mut order: Vec<usize> = vec![];
    let mut starts: Vec<usize> = (0..tasks.len()).filter(|t| tasks[*t].root.is_some()).collect();
    starts.sort_by_key(|t| (tasks[*t].node, tasks[*t].root));
    for start in starts {
        let mut stack = vec![(start, false)];
        while let Some((t, ready)) = stack.pop() {
            if place[t].is_some() {
                continue;
            }
            if ready {
                place[t] = Some(order.len());
                order.push(t);
            } else {
                stack.push((t, true));
                let sources: Vec<usize> = tasks[t].sources().map(|(s, _)| s).collect();
                stack.extend(sources.into_iter().rev().map(|s| (s, false)));
            }
        }
    }
    let renumber = |leaf: &mut Leaf| {
        if let Leaf::Temp(t) = leaf {
            let at = place[t.0 as usize].unwrap_or_default();
            *t = TempId(at as u32);
        }
    };
    order
        .iter()
        .map(|t| {
            let mut task = tasks[*t].clone();
            task.body.operands.iter_mut().for_each(|o| renumber(&mut o.leaf));
            task.reads.iter_mut().for_each(|r| renumber(&mut r.leaf));
            task
        })
        .collect()
}
