//! Names of temps for the generated code: the user's own, or ones that say what the value is.

use super::tasks::{Task, Tasks, Work};
use super::{Body, Leaf, Phase, Plan, Scope, Temp, Val};
use crate::graph::{Graph, words};
use std::collections::BTreeSet;

/// Expressions nested deeper get a name.
const DEEPEST: usize = 32;

/// A name for each task's result, unique, fit for a Rust identifier, no input's.
pub(super) fn names(tasks: &Tasks) -> Vec<String> {
    let graph = &tasks.graph;
    let mut taken: BTreeSet<String> = graph.inputs.iter().map(|i| i.name.clone()).collect();
    taken.extend(graph.hosts.iter().map(|h| h.name.clone()));
    let mut names = vec![String::new(); tasks.tasks.len()];
    // the user's names first: they are not to be numbered for the sake of ours
    let (named, other): (Vec<usize>, Vec<usize>) =
        (0..names.len()).partition(|t| graph.names.contains_key(&tasks.tasks[*t].node));
    for t in named.into_iter().chain(other) {
        names[t] = unique(&mut taken, &name(graph, &tasks.tasks[t]));
    }
    names
}

/// Gives the first roots the names that a caller knows them by.
pub fn name_roots(plan: &mut Plan, wanted: &[String]) {
    let (roots, other): (Vec<&mut Temp>, Vec<&mut Temp>) =
        plan.temps.iter_mut().partition(|t| matches!(t.scope, Scope::Root(k) if (k as usize) < wanted.len()));
    let mut taken: BTreeSet<String> = wanted.iter().cloned().collect();
    for temp in other {
        temp.name = unique(&mut taken, &temp.name);
    }
    for temp in roots {
        if let Scope::Root(k) = temp.scope {
            temp.name.clone_from(&wanted[k as usize]);
        }
    }
}

/// Makes the `let`s of each body differ from one another and from what the body reads: a user may shadow names.
pub(super) fn settle(plan: &mut Plan, graph: &Graph) {
    let Plan { temps, phases, given, .. } = plan;
    for phase in phases {
        let bodies: Vec<&mut Body> = match phase {
            Phase::Nest(nest) => nest.steps.iter_mut().chain(&mut nest.after).map(|s| &mut s.body).collect(),
            Phase::Scatter(scatter) => vec![&mut scatter.body],
            Phase::Scan(scan) => vec![&mut scan.body],
            Phase::Gemm(_) => vec![],
        };
        for body in bodies {
            let given = |k: u32| graph.names.get(&given[k as usize].0).map(String::as_str);
            let mut taken: BTreeSet<String> =
                body.operands.iter().filter_map(|o| leaf_name(&o.leaf, graph, temps, &given)).map(String::from).collect();
            name_deep(body);
            for name in body.code.iter_mut().filter_map(|i| i.name.as_mut()) {
                *name = unique(&mut taken, name);
            }
        }
    }
}

/// Gives a name to what is nested deeply: who writes expressions down need not nest them without end.
fn name_deep(body: &mut Body) {
    let mut depths: Vec<usize> = vec![];
    for instr in &mut body.code {
        let depth = |val: &Val| match val {
            Val::Instr(at) => depths[*at as usize],
            _ => 0,
        };
        let depth = 1 + instr.op.operands().iter().map(depth).max().unwrap_or(0);
        if depth >= DEEPEST && instr.name.is_none() {
            instr.name = Some("value".into());
        }
        depths.push(if instr.name.is_some() { 0 } else { depth });
    }
}

fn leaf_name<'a>(leaf: &Leaf, graph: &'a Graph, temps: &'a [Temp], given: &dyn Fn(u32) -> Option<&'a str>) -> Option<&'a str> {
    match leaf {
        Leaf::Input(i) => Some(&graph.inputs[i.0 as usize].name),
        Leaf::Temp(t) => Some(&temps[t.0 as usize].name),
        Leaf::Given(k) => given(*k),
        Leaf::Host(h) => Some(&graph.hosts[h.0 as usize].name),
        _ => None,
    }
}

fn unique(taken: &mut BTreeSet<String>, name: &str) -> String {
    let mut candidate = name.to_string();
    let mut number = 2;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{name}_{number}");
        number += 1;
    }
    candidate
}

fn name(graph: &Graph, task: &Task) -> String {
    let general = match &task.work {
        Work::Fold { op, .. } => op.name(),
        Work::Gemm { .. } => "product",
        Work::Scatter { .. } => "scattered",
        Work::Scan { .. } => "running",
        Work::Store { .. } if task.root.is_some() => "out",
        Work::Store { .. } => "value",
    };
    words(graph, task.node).unwrap_or_else(|| general.into())
}
