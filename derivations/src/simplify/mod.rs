//! Stage 5: equality saturation. From a gradient that is right to one that is cheap.
//!
//! In: a joint graph of forward and adjoint nodes. Out: a graph with the same forward nodes, better gradients, and the
//! nodes that the forward call keeps for the backward call. Invariants: the gradients' values are unchanged as real
//! numbers; a sum or difference that the user wrote is never taken apart; the same problem gives the same result, on
//! every machine. Nothing outside this stage knows of e-graphs.

mod analysis;
mod build;
mod cost;
mod extract;
mod given;
mod language;
mod log;
mod rational;
mod rebuild;
pub mod rules;
mod saturate;
mod saves;
#[cfg(test)]
mod tests;
mod views;

pub use extract::Cost;
pub use saturate::Stop;

use crate::graph::{Graph, NodeId};
use analysis::Facts;
use build::{Built, build};
use cost::Sizes;
use egg::Id;
use extract::Extraction;
use given::{Context, Offers};
use language::Expr;
use rebuild::Rebuild;
use std::collections::{BTreeMap, BTreeSet};

/// A joint graph and what is wanted of it.
pub struct Problem<'a> {
    /// Forward nodes (see [`Graph::forward_end`]) and adjoint nodes.
    pub graph: &'a Graph,
    /// The values that the layer returns; the backward call is given them.
    pub outputs: Vec<NodeId>,
    /// New values of state variables.
    pub states: Vec<NodeId>,
    pub grads: Vec<NodeId>,
}

/// Switches.
#[derive(Clone, Debug)]
pub struct Options {
    /// Names of [`rules`] that are not applied.
    pub rules_off: Vec<&'static str>,
    /// Off: the raw adjoint is returned, and what to keep is chosen by minimum cut alone.
    pub enabled: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { rules_off: vec![], enabled: true }
    }
}

/// The result: what to compute, and what to keep.
#[derive(Debug)]
pub struct Simplified {
    /// The forward nodes with the ids they had, then new nodes.
    pub graph: Graph,
    /// As in the problem, in its order. A gradient that is constant along an axis may lack it.
    pub grads: Vec<NodeId>,
    /// What the backward call is given besides arguments and outputs, sorted. Computed from forward nodes alone.
    pub saved: Vec<NodeId>,
    pub report: Report,
}

/// What happened.
#[derive(Clone, Debug)]
pub struct Report {
    pub iterations: usize,
    /// Of the e-graph when it was extracted from.
    pub nodes: usize,
    pub classes: usize,
    pub stop: Stop,
    /// The cost of the result, if it was extracted.
    pub cost: Option<Cost>,
    /// How often each rule changed something.
    pub fired: BTreeMap<&'static str, usize>,
    /// The rule instances that lead from the raw adjoint to the result, in order.
    pub steps: Vec<Step>,
}

/// One rule instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub rule: &'static str,
    pub before: String,
    pub after: String,
}

impl Report {
    fn new(stop: Stop) -> Report {
        Report { iterations: 0, nodes: 0, classes: 0, stop, cost: None, fired: BTreeMap::new(), steps: vec![] }
    }
}

/// Finds cheap gradients and what to keep for them. Never fails: at worst the raw adjoint is returned, and the report says so.
pub fn simplify(problem: &Problem, options: &Options) -> Simplified {
    let sizes = Sizes::of(problem.graph);
    if !options.enabled {
        return unsimplified(problem, &sizes, Report::new(Stop::Disabled));
    }
    saturated(problem, &sizes, options).unwrap_or_else(|report| unsimplified(problem, &sizes, report))
}

/// The raw adjoint, with what to keep by minimum cut.
fn unsimplified(problem: &Problem, sizes: &Sizes, report: Report) -> Simplified {
    let saved = saves::minimum_cut(problem.graph, sizes, &problem.outputs, &problem.grads);
    Simplified { graph: problem.graph.clone(), grads: problem.grads.clone(), saved, report }
}

fn saturated(problem: &Problem, sizes: &Sizes, options: &Options) -> Result<Simplified, Report> {
    let failed = || Report::new(Stop::Inconsistent);
    let roots: Vec<NodeId> = problem.grads.iter().chain(&problem.outputs).copied().collect();
    let facts = Facts::new(problem.graph, &options.rules_off);
    let Built { mut egraph, classes } = build(facts, &roots).ok_or_else(failed)?;
    let mut report = failed();

    let (stop, iterations) = saturate::saturate(&mut egraph, &mut report.fired);
    let forward = problem.graph.ids().filter(|id| problem.graph.is_forward(*id));
    let forward: Vec<Id> = forward.filter_map(|id| classes[id.0 as usize]).collect();
    for (rule, count) in rules::shape::apply(&mut egraph, &forward) {
        *report.fired.entry(rule).or_default() += count;
    }

    let conditions = conditions(problem, &classes);
    let outputs: BTreeSet<NodeId> = problem.outputs.iter().copied().collect();
    let exact: Vec<NodeId> = conditions.iter().map(|(id, _)| *id).collect();
    let cut = saves::minimum_cut(problem.graph, sizes, &problem.outputs, &problem.grads);
    let context = Context {
        graph: problem.graph,
        sizes,
        classes: &classes,
        outputs: &problem.outputs,
        cut: &cut,
        kept: &saves::small_barriers(problem.graph, sizes, &exact, &outputs),
    };
    let offers = Offers::add(&mut egraph, &context);
    (report.nodes, report.classes) = (egraph.total_number_of_nodes(), egraph.number_of_classes());
    report.iterations = iterations;

    let grads: Vec<Id> = problem.grads.iter().filter_map(|id| classes[id.0 as usize]).collect();
    let mut extraction = Extraction::new(&egraph, sizes, &grads);
    if egraph.analysis.conflict || !extraction.greedy() {
        return Err(report);
    }
    report.cost = extraction.climb();
    report.stop = stop;
    let chosen = extraction.chosen();

    let mut rebuild = Rebuild::new(problem.graph);
    let mut known: BTreeMap<Id, NodeId> = BTreeMap::new();
    let mut saved: BTreeSet<NodeId> = BTreeSet::new();
    for (class, expr) in &chosen {
        if let Expr::Given(_) = expr {
            let node = offers.node(&egraph, &mut rebuild, *class).ok_or_else(failed)?;
            known.insert(*class, node);
            saved.insert(node);
        }
    }
    // conditions as the user wrote them: a rounding difference must not choose the other branch
    let mut exact = vec![];
    for (class, expr) in &chosen {
        let class = egraph.find(*class);
        let written = conditions.iter().find(|(_, c)| egraph.find(*c) == class);
        if let Some((id, _)) = written.filter(|_| !matches!(expr, Expr::Num(_) | Expr::Given(_))) {
            let node = rebuild.copy(*id);
            known.insert(class, node);
            exact.push(node);
        }
    }
    let nodes = rebuild.lower_all(&egraph, &needed(&egraph, &chosen, &grads, &known), known);
    let grads: Vec<NodeId> = grads.iter().map(|g| nodes[&egraph.find(*g)]).collect();
    let graph = rebuild.graph;
    let given: BTreeSet<NodeId> = saved.union(&outputs).copied().collect();
    saved.extend(saves::small_barriers(&graph, sizes, &exact, &given));
    saved.retain(|id| !outputs.contains(id));
    Ok(Simplified { graph, grads, saved: saved.into_iter().collect(), report })
}

/// The conditions that are known before any cotangent, and their classes.
fn conditions(problem: &Problem, classes: &[Option<Id>]) -> Vec<(NodeId, Id)> {
    let depends = saves::cotangent_nodes(problem.graph);
    let nodes = problem.graph.ids().filter(|id| !depends[id.0 as usize] && saves::is_condition(problem.graph.op(*id)));
    nodes.filter_map(|id| Some((id, classes[id.0 as usize]?))).collect()
}

/// The chosen nodes that are still needed when some classes are nodes already.
fn needed(eg: &analysis::EGraph, chosen: &[(Id, Expr)], roots: &[Id], known: &BTreeMap<Id, NodeId>) -> Vec<(Id, Expr)> {
    let mut wanted: BTreeSet<Id> = roots.iter().map(|r| eg.find(*r)).collect();
    let mut kept = vec![];
    for (class, expr) in chosen.iter().rev() {
        let class = eg.find(*class);
        if wanted.contains(&class) && !known.contains_key(&class) {
            wanted.extend(egg::Language::children(expr).iter().map(|c| eg.find(*c)));
            kept.push((class, expr.clone()));
        }
    }
    kept.reverse();
    kept
}
