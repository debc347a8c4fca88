//! Names of temps for the generated code.

use super::tasks::Tasks;
use crate::graph::NodeId;
use std::collections::BTreeMap;

/// A name for each task's result, unique, fit for a Rust identifier.
pub(super) fn names(tasks: &Tasks, _origin: &BTreeMap<NodeId, NodeId>) -> Vec<String> {
    (0..tasks.tasks.len()).map(|t| format!("t{t}")).collect()
}
