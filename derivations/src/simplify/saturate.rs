//! The saturation loop: all rules on a sorted snapshot of nodes, until nothing changes.

use super::analysis::EGraph;
use super::language::Expr;
use super::rules::{Apply, TABLE};
use super::views::constant;
use crate::graph::Op;
use egg::{Id, Language};
use std::collections::{BTreeMap, HashSet};

/// Why saturation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No rule has anything to add.
    Saturated,
    /// Too many iterations; the result is used as it is.
    Iterations,
    /// Too many nodes; the result is used as it is.
    Nodes,
    /// The simplifier was switched off.
    Disabled,
    /// Two different constants were found equal, or nothing could be extracted: the raw adjoint is used.
    Inconsistent,
}

const ITERATIONS: usize = 30;
const NODES: usize = 20_000;

/// What a node's rules depend on: the node, and of each child's class how many nodes and parents it has, its sign and axes.
type Key = (Expr, Vec<(usize, usize, u8, u64)>);

/// Applies the rules of phase 1. Returns why it stopped and after how many iterations.
pub fn saturate(eg: &mut EGraph, fired: &mut BTreeMap<&'static str, usize>) -> (Stop, usize) {
    let mut seen: HashSet<Key> = HashSet::new();
    for iteration in 1..=ITERATIONS {
        let before = eg.total_number_of_nodes();
        let mut changed = false;
        for (class, node) in snapshot(eg) {
            let state = node.children().iter().map(|c| {
                let class = &eg[*c];
                (class.parents().len(), class.nodes.len(), class.data.sign as u8, class.data.axes.0)
            });
            let key = (node.clone(), state.collect());
            if seen.insert(key) {
                changed |= rewrite(eg, class, &node, fired);
            }
        }
        eg.rebuild();
        if eg.analysis.conflict {
            return (Stop::Inconsistent, iteration);
        }
        if eg.total_number_of_nodes() > NODES {
            return (Stop::Nodes, iteration);
        }
        if !changed && eg.total_number_of_nodes() == before {
            return (Stop::Saturated, iteration);
        }
    }
    (Stop::Iterations, ITERATIONS)
}

fn snapshot(eg: &EGraph) -> Vec<(Id, Expr)> {
    let mut nodes = vec![];
    for class in eg.classes() {
        for node in &class.nodes {
            let fixed = match node {
                Expr::Sum { frozen, .. } => *frozen,
                Expr::Prod { .. } | Expr::Red { .. } | Expr::Select(_) => false,
                Expr::Opaque(payload, _) => !matches!(eg.analysis.op(*payload), Op::Reindex(..)),
                _ => true,
            };
            if !fixed {
                nodes.push((class.id, node.clone()));
            }
        }
    }
    nodes.sort();
    nodes
}

/// Applies every rule to one node.
fn rewrite(eg: &mut EGraph, class: Id, node: &Expr, fired: &mut BTreeMap<&'static str, usize>) -> bool {
    let mut changed = false;
    let mut found: Vec<(&'static str, Id)> = vec![];
    eg.analysis.log.begin(class, node);
    for rule in TABLE {
        let Apply::Saturate(apply) = rule.apply else { continue };
        if !eg.analysis.is_on(rule.name) {
            continue;
        }
        eg.analysis.log.next_rule();
        for new in apply(eg, class, node).unwrap_or_default() {
            if eg.find(new) != eg.find(class) {
                let constant = constant(eg, new).is_some();
                eg.analysis.log.step(rule.name, new, constant);
                found.push((rule.name, new));
            }
        }
    }
    eg.analysis.log.end();
    for (name, new) in found {
        if eg.union(class, new) {
            changed = true;
            *fired.entry(name).or_default() += 1;
        }
    }
    changed
}
