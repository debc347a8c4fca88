//! Stage 5: equality saturation. From a gradient that is right to one that is cheap.
//!
//! In: a joint graph of forward and adjoint nodes. Out: a graph with the same forward nodes, better gradients, and the
//! nodes that the forward call keeps for the backward call. Invariants: the gradients' values are unchanged as real
//! numbers; a sum or difference that the user wrote is never taken apart; the same problem gives the same result, on
//! every machine. Nothing outside this stage knows of e-graphs.

mod analysis;
mod assemble;
mod build;
mod cost;
mod extract;
mod given;
mod language;
mod log;
mod print;
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
use assemble::Assembly;
use build::{Built, build};
use cost::Sizes;
use egg::Id;
use extract::Extraction;
use given::{Context, Offers};
use std::collections::BTreeMap;

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
    let mut report = Report::new(Stop::Inconsistent);
    let roots: Vec<NodeId> = problem.grads.iter().chain(&problem.outputs).copied().collect();
    let facts = Facts::new(problem.graph, &options.rules_off);
    let Some(Built { mut egraph, classes }) = build(facts, &roots) else { return Err(report) };

    let raw = egraph.nodes().len();
    let (stop, iterations) = saturate::saturate(&mut egraph, &mut report.fired);
    let forward = problem.graph.ids().filter(|id| problem.graph.is_forward(*id));
    let forward: Vec<Id> = forward.filter_map(|id| classes[id.0 as usize]).collect();
    for (rule, count) in rules::shape::apply(&mut egraph, &forward) {
        *report.fired.entry(rule).or_default() += count;
    }

    let conditions = conditions(problem, &classes);
    let written: Vec<NodeId> = conditions.iter().map(|(id, _)| *id).collect();
    let context = Context {
        graph: problem.graph,
        sizes,
        classes: &classes,
        outputs: &problem.outputs,
        cut: &saves::minimum_cut(problem.graph, sizes, &problem.outputs, &problem.grads),
        kept: &saves::barriers(problem.graph, sizes, &written, &problem.outputs.iter().copied().collect()),
    };
    let offers = Offers::add(&mut egraph, &context);
    (report.iterations, report.nodes, report.classes) = (iterations, egraph.total_number_of_nodes(), egraph.number_of_classes());

    let grads: Vec<Id> = problem.grads.iter().filter_map(|id| classes[id.0 as usize]).collect();
    let mut extraction = Extraction::new(&egraph, sizes, &grads);
    if egraph.analysis.conflict || !extraction.greedy() {
        return Err(report);
    }
    report.cost = extraction.climb();
    let chosen = extraction.chosen();
    let assembly = Assembly { eg: &egraph, context: &context, conditions: &conditions, offers: &offers, chosen: &chosen };
    let Some((graph, grads, saved)) = assembly.assemble(&grads) else { return Err(report) };
    report.steps = log::steps(&egraph, &classes, raw, &chosen);
    report.stop = stop;
    Ok(Simplified { graph, grads, saved, report })
}

/// The conditions that are known before any cotangent, and their classes.
fn conditions(problem: &Problem, classes: &[Option<Id>]) -> Vec<(NodeId, Id)> {
    let depends = saves::cotangent_nodes(problem.graph);
    let nodes = problem.graph.ids().filter(|id| !depends[id.0 as usize] && saves::is_condition(problem.graph.op(*id)));
    nodes.filter_map(|id| Some((id, classes[id.0 as usize]?))).collect()
}
