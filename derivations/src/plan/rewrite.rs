//! Rewrites of the graph before planning, for the sake of memory traffic.

use super::Root;
use crate::graph::{Graph, NodeId};
use std::collections::BTreeMap;

/// The graph to plan.
pub(super) struct Rewritten {
    pub graph: Graph,
    pub roots: Vec<Root>,
    /// The caller's node that a new node stands for.
    pub origin: BTreeMap<NodeId, NodeId>,
}

pub(super) fn rewrite(graph: &Graph, roots: &[Root], _given: &[NodeId]) -> Rewritten {
    Rewritten { graph: graph.clone(), roots: roots.to_vec(), origin: BTreeMap::new() }
}
