//! Plans are run by the interpreter and compared with whole-array evaluation of the graph.

mod affine;
mod contractions;
mod formula;
mod layers;
mod overwriting;
mod plans;
mod random;
mod spatial;
mod views;

use super::{Elem, Plan, Root, cost, interpret, plan};
use crate::differentiate;
use crate::graph::eval::Env;
use crate::graph::{Graph, InputKind, NodeId, Op};
use approx::relative_eq;
use expect_test::expect_file;
use formula::Formula;

/// A formula's plans: forward, and backward from the inputs alone.
pub struct Plans {
    pub graph: Graph,
    pub forward: Plan,
    pub backward: Plan,
}

/// Plans `outputs` forward and backward, runs both, and compares with the graph's own values.
pub fn check(mut f: Formula, outputs: &[NodeId]) -> Plans {
    let pairs: Vec<(NodeId, NodeId)> = outputs.iter().zip(0..).map(|(y, k)| (*y, f.cotangent(k, *y))).collect();
    let is_tensor = |g: &Graph, n: NodeId| match g.op(n) {
        Op::Input(i) => g.inputs[i.0 as usize].kind == InputKind::Tensor,
        _ => false,
    };
    let wrt: Vec<NodeId> = f.graph.ids().filter(|n| is_tensor(&f.graph, *n)).collect();
    let forward_nodes: Vec<NodeId> = f.graph.ids().collect();
    let grads = differentiate::reverse(&mut f.graph, &pairs, &wrt);
    let graph = f.graph.clone();
    let env = f.env(7);
    let values = graph.eval(&env);

    // statistics are saved, as the backward call would have them
    let is_reduction = |n: &&NodeId| matches!(graph.op(**n), Op::Reduce { .. });
    let saved: Vec<NodeId> = forward_nodes.iter().filter(is_reduction).copied().collect();
    let mut roots: Vec<Root> = outputs.iter().map(|y| Root::output(*y)).collect();
    roots.extend(saved.iter().map(|s| Root::saved(*s)));
    verify(&graph, &env, &values, &roots, &[]);
    let gradients: Vec<Root> = grads.iter().map(|g| Root::gradient(*g)).collect();
    let mut given: Vec<(NodeId, Elem)> = saved.iter().map(|s| (*s, Elem::Wide)).collect();
    given.extend(outputs.iter().map(|y| (*y, Elem::Data)));
    verify(&graph, &env, &values, &gradients, &given);

    let outputs: Vec<Root> = outputs.iter().map(|y| Root::output(*y)).collect();
    let forward = verify(&graph, &env, &values, &outputs, &[]);
    let backward = verify(&graph, &env, &values, &gradients, &[]);
    Plans { graph, forward, backward }
}

fn verify(graph: &Graph, env: &Env, values: &[Vec<f64>], roots: &[Root], given: &[(NodeId, Elem)]) -> Plan {
    let plan = plan(graph, roots, given);
    let supplied: Vec<Vec<f64>> = given.iter().map(|(n, _)| values[n.0 as usize].clone()).collect();
    let found = interpret::run(graph, &plan, env, &supplied).unwrap_or_else(|e| panic!("{e}\n{plan:#?}"));
    assert_eq!(found.len(), roots.len());
    for (root, found) in roots.iter().zip(found) {
        let expected = &values[root.node.0 as usize];
        assert_eq!(found.len(), expected.len());
        let scale = expected.iter().filter(|v| v.is_finite()).fold(0.1f64, |m, v| m.max(v.abs()));
        for (a, b) in found.iter().zip(expected) {
            let equal = a == b || a.is_nan() && b.is_nan() || relative_eq!(*a, *b, epsilon = 1e-12 * scale, max_relative = 1e-12);
            assert!(equal, "{a} is not {b} in {:?}: {:?}\n{plan:#?}", root.node, graph.op(root.node));
        }
    }
    plan
}

/// The costs of all plans: what a change to the planner changes.
#[test]
fn every_layer_is_right_and_costs_this() {
    let mut table = String::new();
    for (name, f, outputs) in layers::all().into_iter().chain(spatial::all()) {
        let plans = check(f, &outputs);
        let (forward, backward) = (costs(&plans.graph, &plans.forward), costs(&plans.graph, &plans.backward));
        table += &format!("{name:<32} {forward}   {backward}\n");
    }
    expect_file!["costs.txt"].assert_eq(&table);
}

/// Nests, sweeps, contractions; full-size reads, writes, reductions; temps in memory, in cache.
fn costs(graph: &Graph, plan: &Plan) -> String {
    let c = cost(graph, plan);
    let phases = format!("{}n {}s {}g", c.nests, c.sweeps, c.gemms + c.scatters);
    format!("{phases} | {}r {}w {}Σ | {}m {}b", c.full_reads, c.full_writes, c.full_reductions, c.memory_temps, c.block_temps)
}
