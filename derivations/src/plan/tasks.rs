//! What is materialised: every such value is a task; every other value is inlined into the tasks that read it.

use super::affine::Arith;
use super::lower::Lowering;
use super::{Body, Elem, Leaf, Root, TempId, Val, cost, gemm};
use crate::graph::{AxisId, AxisSet, Condition, Graph, NodeId, Op, ReduceOp, condition_axes};
use std::collections::{BTreeMap, BTreeSet};

/// The computation of one materialised value.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub node: NodeId,
    /// The axes of its result.
    pub axes: AxisSet,
    pub domain: AxisSet,
    pub guard: Vec<Condition>,
    /// Operands and instructions; its results are in `work`.
    pub body: Body,
    pub work: Work,
    /// Where it goes, and as what.
    pub root: Option<u32>,
    pub elem: Elem,
    /// Whether it is worth a pass of its own over memory, in the layer's type; else it is a small task, in `f64`.
    pub large: bool,
    /// The nodes whose values its body computes.
    pub inlined: BTreeSet<NodeId>,
    pub reads: Vec<Read>,
}

/// What a task does with the values of its body.
#[derive(Clone, Debug)]
pub(super) enum Work {
    Store { value: Val },
    Fold { op: ReduceOp, axes: Vec<AxisId>, value: Val },
    Scan { axis: AxisId, reverse: bool, a: Val, b: Val },
    Gemm { a: Val, b: Val, sides: gemm::Sides },
    Scatter { op: ReduceOp, axis: AxisId, value: Val, index: Val },
}

/// A tensor that a task reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub leaf: Leaf,
    pub axes: AxisSet,
    /// Axes of the leaf whose index is not the position's own.
    pub moved: AxisSet,
    /// At the position itself, everywhere, and not as an index.
    pub plain: bool,
}

impl Task {
    /// A pass over its domain, which other tasks may share.
    pub fn is_sweep(&self) -> bool {
        matches!(self.work, Work::Store { .. } | Work::Fold { .. })
    }
    pub fn is_store(&self) -> bool {
        matches!(self.work, Work::Store { .. })
    }
    pub fn is_fold(&self) -> bool {
        matches!(self.work, Work::Fold { .. })
    }
    /// The tasks whose results it reads, and how.
    pub fn sources(&self) -> impl Iterator<Item = (usize, &Read)> {
        self.reads.iter().filter_map(|r| match r.leaf {
            Leaf::Temp(t) => Some((t.0 as usize, r)),
            _ => None,
        })
    }
}

/// The tasks of a plan, in dependency order, and what they were made from.
pub(super) struct Tasks {
    pub graph: Graph,
    pub arith: Arith,
    pub tasks: Vec<Task>,
    /// The nodes that the caller supplies.
    pub given: Vec<(NodeId, Elem)>,
    /// The canonical size of the largest tensor in reach.
    pub full: u64,
}

impl Tasks {
    /// Whether data over these axes are of the size of the largest tensors.
    pub fn is_full(&self, axes: AxisSet) -> bool {
        self.graph.canonical_size(axes) * 8 > self.full
    }
    /// The axes of a leaf.
    pub fn leaf_axes(&self, leaf: &Leaf) -> AxisSet {
        match leaf {
            Leaf::Temp(t) => self.tasks[t.0 as usize].axes,
            Leaf::Given(k) => self.graph.axes_of(self.given[*k as usize].0),
            leaf => small_leaf_axes(&self.graph, leaf),
        }
    }
}

/// The axes of a leaf that is neither a temp nor a given node.
pub(super) fn small_leaf_axes(graph: &Graph, leaf: &Leaf) -> AxisSet {
    match leaf {
        Leaf::Input(i) => graph.inputs[i.0 as usize].axes.iter().copied().collect(),
        Leaf::Index(axes) => axes.iter().copied().collect(),
        Leaf::Test(conditions) => condition_axes(conditions),
        Leaf::Random(draw) => draw.axes.iter().copied().collect(),
        Leaf::Host(_) | Leaf::Int(_) | Leaf::Len(_) | Leaf::Temp(_) | Leaf::Given(_) => AxisSet::EMPTY,
    }
}

/// Finds the tasks. `wanted` are values to be materialised if they are needed at all.
pub(super) fn find(graph: Graph, roots: &[Root], given: &[(NodeId, Elem)], wanted: &BTreeSet<NodeId>) -> Tasks {
    let mut finder = Finder::new(graph, roots, given, wanted);
    finder.ask(roots);
    finder.run();
    finder.finish(roots, given)
}

/// The decisions so far.
pub(super) struct Finder<'w> {
    pub graph: Graph,
    pub arith: Arith,
    pub full: u64,
    given: BTreeMap<NodeId, u32>,
    wanted: &'w BTreeSet<NodeId>,
    /// Materialised nodes.
    stored: BTreeMap<NodeId, usize>,
    pending: BTreeSet<NodeId>,
    tasks: Vec<Option<Task>>,
    /// Values of indices and extents alone, by node.
    constant: Vec<bool>,
}

impl<'w> Finder<'w> {
    fn new(graph: Graph, roots: &[Root], given: &[(NodeId, Elem)], wanted: &'w BTreeSet<NodeId>) -> Finder<'w> {
        let given: BTreeMap<NodeId, u32> = given.iter().zip(0..).map(|((n, _), k)| (*n, k)).collect();
        let full = largest(&graph, roots, &|n| given.contains_key(&n));
        let arith = Arith::new(&graph);
        let (stored, pending) = (BTreeMap::new(), BTreeSet::new());
        Finder { graph, arith, full, given, wanted, stored, pending, tasks: vec![], constant: vec![] }
    }

    fn run(&mut self) {
        loop {
            // consumers first: they decide what is materialised
            while let Some(node) = self.pending.pop_last() {
                let at = self.stored[&node];
                self.tasks[at] = Some(Lowering::task(self, node));
            }
            let stale = |t: &Task| t.inlined.iter().any(|n| *n != t.node && self.stored.contains_key(n));
            self.pending = self.tasks.iter().flatten().filter(|t| stale(t)).map(|t| t.node).collect();
            if self.pending.is_empty() {
                return;
            }
        }
    }

    /// Materialises a node.
    pub fn store(&mut self, node: NodeId) -> usize {
        if let Some(at) = self.stored.get(&node) {
            return *at;
        }
        self.tasks.push(None);
        self.stored.insert(node, self.tasks.len() - 1);
        self.pending.insert(node);
        self.tasks.len() - 1
    }
    /// The tensor that holds a node, if one does.
    pub fn leaf(&mut self, node: NodeId) -> Option<Leaf> {
        if let Some(k) = self.given.get(&node) {
            return Some(Leaf::Given(*k));
        }
        if let Some(at) = self.stored.get(&node) {
            return Some(Leaf::Temp(TempId(*at as u32)));
        }
        match self.graph.op(node) {
            Op::Input(i) => Some(Leaf::Input(*i)),
            _ if self.wanted.contains(&node) || self.must_store(node) => {
                let at = self.store(node);
                Some(Leaf::Temp(TempId(at as u32)))
            }
            _ => None,
        }
    }
    pub fn stored_at(&self, node: NodeId) -> Option<usize> {
        self.stored.get(&node).copied()
    }
    pub fn is_given(&self, node: NodeId) -> bool {
        self.given.contains_key(&node)
    }
    /// All tasks, by number.
    pub fn take_tasks(&mut self) -> Vec<Task> {
        std::mem::take(&mut self.tasks).into_iter().flatten().collect()
    }
    /// Whether only a phase of its own can compute a node.
    fn must_store(&self, node: NodeId) -> bool {
        matches!(self.graph.op(node), Op::Reduce { .. } | Op::Scatter { .. } | Op::Scan { .. })
    }
    pub fn is_full(&self, axes: AxisSet) -> bool {
        self.graph.canonical_size(axes) * 8 > self.full
    }

    /// Whether a value is made of indices, extents and numbers alone: never materialised, it costs nothing.
    pub fn is_constant(&mut self, node: NodeId) -> bool {
        for at in self.constant.len()..self.graph.len() {
            let op = self.graph.op(NodeId(at as u32));
            let constant = match op {
                Op::Num(_) | Op::Len(_) | Op::Int(_) | Op::Index(_) | Op::Test(_) => true,
                op if op.is_pointwise() => op.operands().iter().all(|x| self.constant[x.0 as usize]),
                _ => false,
            };
            self.constant.push(constant);
        }
        self.constant[node.0 as usize]
    }

    /// Whether a pointwise value is better computed once, for a sweep over `domain` that reads it in place or `moved`.
    pub fn worth_storing(&mut self, node: NodeId, domain: AxisSet, moved: bool) -> bool {
        if matches!(self.graph.op(node), Op::Broadcast(..)) {
            return false;
        }
        let axes = self.graph.axes_of(node);
        if !self.is_full(domain) || axes == domain || self.is_constant(node) && !axes.is_empty() {
            return false;
        }
        // a choice by position, over axes that no data has, is as cheap as reading its result
        let operands = self.graph.op(node).operands();
        let held = operands.into_iter().filter(|x| !self.is_constant(*x)).collect::<Vec<_>>();
        if held.iter().fold(AxisSet::EMPTY, |set, x| set | self.graph.axes_of(*x)) != axes {
            return false;
        }
        let size = self.graph.canonical_size(axes);
        if moved { !self.is_full(axes) } else { size * 4 <= self.graph.canonical_size(domain) }
    }

    /// Whether a view reads costly values so often that its source is better materialised. Returns that source.
    pub fn costly_source(&mut self, view: NodeId) -> Option<NodeId> {
        let Op::Reindex(x, r) = self.graph.op(view).clone() else { return None };
        let size = |axes| self.graph.canonical_size(axes).max(1);
        let (read, held) = (size(self.graph.axes_of(view)), size(self.graph.axes_of(x)));
        let strides: u64 = r.valid.iter().map(|c| cost::stride(&self.graph, &self.arith.ints, c, Some(&r))).product();
        let mut source = x;
        while let (Op::Reindex(inner, _), None) = (self.graph.op(source).clone(), self.leaf(source)) {
            source = inner;
        }
        let often = 2 * read > 3 * held * strides;
        let costly = often
            && self.graph.op(source).is_pointwise()
            && self.is_full(self.graph.axes_of(source))
            && self.leaf(source).is_none()
            && self.tree_cost(source, 24) >= 24;
        costly.then_some(source)
    }
    /// The operations that one element takes, counted up to `enough`.
    fn tree_cost(&mut self, node: NodeId, enough: u64) -> u64 {
        let (mut total, mut seen, mut stack) = (0, BTreeSet::new(), vec![node]);
        while let Some(x) = stack.pop() {
            if total >= enough || !seen.insert(x) || self.leaf(x).is_some() {
                continue;
            }
            total += cost::op_cost(self.graph.op(x));
            stack.extend(self.graph.op(x).operands());
        }
        total
    }

    fn leaf_axes(&self, leaf: &Leaf) -> AxisSet {
        let held = |nodes: &mut dyn Iterator<Item = NodeId>| nodes.next().map_or(AxisSet::EMPTY, |n| self.graph.axes_of(n));
        match leaf {
            Leaf::Temp(t) => held(&mut self.stored.iter().filter(|(_, at)| **at == t.0 as usize).map(|(n, _)| *n)),
            Leaf::Given(k) => held(&mut self.given.iter().filter(|(_, at)| *at == k).map(|(n, _)| *n)),
            leaf => small_leaf_axes(&self.graph, leaf),
        }
    }
    /// The tensors that a body reads.
    pub fn reads(&self, body: &Body) -> Vec<Read> {
        let indices: BTreeSet<u32> = body.operands.iter().flat_map(|o| o.loads()).collect();
        let mut reads = vec![];
        for (at, operand) in body.operands.iter().enumerate() {
            if matches!(operand.leaf, Leaf::Input(_) | Leaf::Given(_) | Leaf::Temp(_)) {
                let moved = operand.map.iter().map(|(a, _)| *a).collect();
                let plain = operand.is_plain() && !indices.contains(&(at as u32));
                reads.push(Read { leaf: operand.leaf.clone(), axes: self.leaf_axes(&operand.leaf), moved, plain });
            }
        }
        reads
    }
    pub fn natural_elem(&self, node: NodeId) -> Elem {
        match self.graph.op(node) {
            Op::Reduce { op: ReduceOp::ArgMax | ReduceOp::ArgMin, .. } => Elem::Index,
            Op::Scatter { op: ReduceOp::Sum, .. } => Elem::Data,
            // whole numbers, which the layer's type may not hold
            Op::Scatter { .. } => Elem::Wide,
            _ if self.is_full(self.graph.axes_of(node)) => Elem::Data,
            _ => Elem::Wide,
        }
    }
}

/// The canonical size of the largest tensor among inputs in reach, given values and roots.
pub(super) fn largest(graph: &Graph, roots: &[Root], is_given: &dyn Fn(NodeId) -> bool) -> u64 {
    let size = |n: NodeId| graph.canonical_size(graph.axes_of(n));
    let mut full = roots.iter().map(|r| size(r.node)).max().unwrap_or(1).max(1);
    let mut seen = vec![false; graph.len()];
    let mut stack: Vec<NodeId> = roots.iter().map(|r| r.node).collect();
    while let Some(n) = stack.pop() {
        if std::mem::replace(&mut seen[n.0 as usize], true) {
            continue;
        }
        let given = is_given(n);
        if given || matches!(graph.op(n), Op::Input(_)) {
            full = full.max(size(n));
        }
        if !given {
            stack.extend(graph.op(n).operands());
        }
    }
    full
}
