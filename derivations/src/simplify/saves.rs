//! What the forward call keeps: full-size values by minimum cut, small ones offered to extraction.

use super::build::reachable;
use super::cost::Sizes;
use crate::graph::{AxisSet, Graph, InputKind, NodeId, Op, ReduceOp, UnaryOp};
use std::collections::{BTreeSet, VecDeque};

/// Which nodes depend on a cotangent.
pub fn cotangent_nodes(graph: &Graph) -> Vec<bool> {
    let mut depends = vec![false; graph.len()];
    for id in graph.ids() {
        depends[id.0 as usize] = match graph.op(id) {
            Op::Input(i) => matches!(graph.inputs[i.0 as usize].kind, InputKind::Cotangent(_)),
            op => op.operands().iter().any(|x| depends[x.0 as usize]),
        };
    }
    depends
}

/// Whether the value is one of few: a winner's index, a mask, or a step function.
pub fn is_condition(op: &Op) -> bool {
    match op {
        Op::Binary(b, ..) => b.is_mask(),
        Op::Unary(u, _) => matches!(u, UnaryOp::Not | UnaryOp::Sign | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Round),
        Op::Reduce { op, .. } => matches!(op, ReduceOp::ArgMax | ReduceOp::ArgMin),
        _ => false,
    }
}

/// The domain of a reduction, scatter or scan.
pub fn domain(graph: &Graph, id: NodeId) -> Option<AxisSet> {
    match graph.op(id) {
        Op::Reduce { axes, x, .. } => Some(graph.axes_of(id) | graph.axes_of(*x) | axes.iter().copied().collect()),
        Op::Scatter { x, index, over, .. } => Some(graph.axes_of(*x) | graph.axes_of(*index) | *over),
        Op::Scan { .. } => Some(graph.axes_of(id)),
        _ => None,
    }
}

/// Whether a node must be in memory before a sweep can read it: the result of a pass over a full-size domain.
pub fn is_barrier(graph: &Graph, sizes: &Sizes, id: NodeId) -> bool {
    domain(graph, id).is_some_and(|d| sizes.is_full(d))
}

/// The nodes nearest to the gradients that must be known when the backward call begins, at the least price.
/// Never inputs or outputs, nor what is rebuilt for free.
pub fn minimum_cut(graph: &Graph, sizes: &Sizes, outputs: &[NodeId], grads: &[NodeId]) -> Vec<NodeId> {
    let depends = cotangent_nodes(graph);
    let needed = reachable(graph, grads.iter().copied());
    let mut network = Network::new(2 * graph.len() + 2);
    let (source, sink) = (2 * graph.len(), 2 * graph.len() + 1);
    let (enter, leave) = (|x: NodeId| 2 * x.0 as usize, |x: NodeId| 2 * x.0 as usize + 1);
    for id in graph.ids().filter(|id| needed[id.0 as usize]) {
        let op = graph.op(id);
        if depends[id.0 as usize] {
            for x in op.operands().into_iter().filter(|x| !depends[x.0 as usize]) {
                network.connect(leave(x), sink, Network::UNBOUNDED);
            }
            continue;
        }
        network.connect(enter(id), leave(id), price(graph, sizes, outputs, id));
        if matches!(op, Op::Input(_)) || is_barrier(graph, sizes, id) {
            network.connect(source, enter(id), Network::UNBOUNDED);
        }
        for x in op.operands() {
            network.connect(leave(x), enter(id), Network::UNBOUNDED);
        }
    }
    // a gradient may be such a value itself
    for id in grads.iter().filter(|id| !depends[id.0 as usize]) {
        network.connect(leave(*id), sink, Network::UNBOUNDED);
    }
    let near_sink = network.cut(source, sink);
    let cut = graph.ids().filter(|id| needed[id.0 as usize] && !depends[id.0 as usize]).filter(|id| {
        let free = matches!(graph.op(*id), Op::Input(_)) || outputs.contains(id);
        !free && !near_sink[enter(*id)] && near_sink[leave(*id)]
    });
    cut.collect()
}

/// The price of having a value: arguments and outputs are there anyway; what the forward call has in memory costs a
/// little less than what it has not; indices and masks take a quarter.
fn price(graph: &Graph, sizes: &Sizes, outputs: &[NodeId], id: NodeId) -> u64 {
    let quarters = match graph.op(id) {
        Op::Input(_) => 4,
        _ if outputs.contains(&id) => 4,
        op if is_condition(op) => 66,
        _ if is_barrier(graph, sizes, id) => 4 * 65,
        _ => 4 * 66,
    };
    quarters * sizes.size(graph.axes_of(id))
}

/// A flow network.
struct Network {
    /// Of each vertex, its arcs' numbers. An arc's reverse has its number with the last bit flipped.
    arcs: Vec<Vec<usize>>,
    to: Vec<usize>,
    capacity: Vec<u64>,
}

impl Network {
    const UNBOUNDED: u64 = u64::MAX / 4;

    fn new(vertices: usize) -> Network {
        Network { arcs: vec![vec![]; vertices], to: vec![], capacity: vec![] }
    }
    fn connect(&mut self, from: usize, to: usize, capacity: u64) {
        for (a, b, c) in [(from, to, capacity), (to, from, 0)] {
            self.arcs[a].push(self.to.len());
            self.to.push(b);
            self.capacity.push(c);
        }
    }
    /// The arcs of a shortest path with capacity left.
    fn path(&self, source: usize, sink: usize) -> Option<Vec<usize>> {
        let mut by: Vec<Option<usize>> = vec![None; self.arcs.len()];
        let mut queue = VecDeque::from([source]);
        while let Some(at) = queue.pop_front() {
            if at == sink {
                break;
            }
            for &arc in &self.arcs[at] {
                let next = self.to[arc];
                if self.capacity[arc] > 0 && by[next].is_none() && next != source {
                    by[next] = Some(arc);
                    queue.push_back(next);
                }
            }
        }
        let mut path = vec![];
        let mut at = sink;
        while at != source {
            let arc = by[at]?;
            path.push(arc);
            at = self.to[arc ^ 1];
        }
        Some(path)
    }
    /// Saturates the network; returns which vertices still reach the sink.
    fn cut(&mut self, source: usize, sink: usize) -> Vec<bool> {
        while let Some(path) = self.path(source, sink) {
            let flow = path.iter().map(|a| self.capacity[*a]).min().unwrap_or(0);
            if flow >= Network::UNBOUNDED / 2 {
                break;
            }
            for arc in path {
                self.capacity[arc] -= flow;
                self.capacity[arc ^ 1] += flow;
            }
        }
        let mut reaches = vec![false; self.arcs.len()];
        let mut work = vec![sink];
        while let Some(at) = work.pop() {
            if std::mem::replace(&mut reaches[at], true) {
                continue;
            }
            // arcs into `at` with capacity left
            work.extend(self.arcs[at].iter().filter(|a| self.capacity[**a ^ 1] > 0).map(|a| self.to[*a]));
        }
        reaches
    }
}

/// What nodes that are recomputed as the user wrote them need to be given: in their cones, the topmost small values that
/// full-size reductions lead to, and the topmost results of such reductions.
pub fn barriers(graph: &Graph, sizes: &Sizes, roots: &[NodeId], given: &BTreeSet<NodeId>) -> Vec<NodeId> {
    let mut behind = vec![false; graph.len()];
    for id in graph.ids() {
        let below = graph.op(id).operands().iter().any(|x| behind[x.0 as usize]);
        behind[id.0 as usize] = !given.contains(&id) && (below || is_barrier(graph, sizes, id));
    }
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut work = roots.to_vec();
    while let Some(id) = work.pop() {
        if !behind[id.0 as usize] || !seen.insert(id) {
            continue;
        }
        let barrier = is_barrier(graph, sizes, id);
        if barrier || !sizes.is_full(graph.axes_of(id)) {
            found.insert(id);
        } else {
            work.extend(graph.op(id).operands());
        }
    }
    found.into_iter().collect()
}
