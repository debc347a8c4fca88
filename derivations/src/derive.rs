//! One specialisation, from its terms to its plans.

use crate::build::{self, Built};
use crate::elaborate::Typed;
use crate::emit::{Saved, Variant};
use crate::error::Errors;
use crate::graph::{AxisId, AxisSet, Graph, InputKind, NodeId, Op};
use crate::plan::{self, Elem, Root};
use crate::syntax::{Formula, Output, ParamKind};
use crate::{differentiate, simplify};

/// Differentiates, simplifies and plans. The graph's errors are reported; nothing after it can fail.
pub fn variant(errors: &mut Errors, formula: &Formula, typed: Typed, options: &simplify::Options) -> Variant {
    let built = build::build(errors, formula, &typed);
    let Built { mut graph, outputs, states, mut params, checks } = built;
    // an argument that nothing reads has a gradient all the same: zero
    let wrt: Vec<NodeId> = differentiable(formula).map(|i| read(&mut graph, formula, &typed, &mut params, i)).collect();
    let cotangents = cotangents(&mut graph, formula, &typed, &outputs);
    let grads = differentiate::reverse(&mut graph, &cotangents, &wrt);
    // the backward call is given the outputs, where they are neither broadcast nor rounded
    let is_exact = |k: usize| formula.outputs[k].integer || formula.is_computed_in(&formula.outputs[k].elem);
    let whole = |k: &usize| is_exact(*k) && graph.axes_of(outputs[*k]) == promised(&typed, *k);
    let readable: Vec<usize> = (0..outputs.len()).filter(whole).collect();
    let problem = simplify::Problem {
        graph: &graph,
        outputs: readable.iter().map(|k| outputs[*k]).collect(),
        states: states.iter().map(|s| s.1).collect(),
        grads,
    };
    let simplified = simplify::simplify(&problem, options);
    let (mut graph, grads, mut saved) = (simplified.graph, simplified.grads, simplified.saved);
    keep_states(&graph, &grads, &mut saved);
    let roots: Vec<NodeId> = (0..outputs.len()).map(|k| graph.broadcast(outputs[k], promised(&typed, k))).collect();
    let state_roots: Vec<NodeId> = states
        .iter()
        .map(|(param, node)| {
            let set = params[*param].map_or(AxisSet::EMPTY, |p| graph.axes_of(p));
            graph.broadcast(*node, set)
        })
        .collect();
    let whole_grads: Vec<NodeId> = grads.iter().zip(&wrt).map(|(g, x)| graph.broadcast(*g, graph.axes_of(*x))).collect();
    let forward_roots: Vec<Root> = roots
        .iter()
        .enumerate()
        .map(|(k, node)| Root { elem: Some(output_elem(&formula.outputs[k])), readable: is_exact(k), node: *node })
        .chain(
            state_roots.iter().zip(&states).map(|(n, (p, _))| Root { readable: is_exact_state(formula, *p), ..Root::output(*n) }),
        )
        .chain(saved.iter().map(|n| Root::saved(*n)))
        .collect();
    let mut forward = plan::plan(&graph, &forward_roots, &[]);
    let names = output_names(outputs.len());
    plan::name_roots(&mut forward, &names);
    let kept: Vec<Saved> =
        saved.iter().enumerate().map(|(i, node)| saved_value(&forward, *node, outputs.len() + states.len() + i)).collect();

    // the gradients are told in terms of what was kept and of the outputs, by the names that the code has
    let kept_names = kept.iter().map(|s| (s.node, s.name.clone()));
    let returned = readable.iter().map(|k| (outputs[*k], names[*k].clone()));
    let computed = returned.filter(|(node, _)| !matches!(graph.op(*node), Op::Input(_)));
    let known: Vec<(NodeId, String)> = kept_names.chain(computed).collect();
    graph.names.extend(known.iter().cloned());
    let mathematics = mathematics(formula, &graph, &grads, known);

    let output_elems = formula.outputs.iter().map(output_elem);
    let given: Vec<(NodeId, Elem)> =
        kept.iter().map(|s| (s.node, s.elem)).chain(readable.iter().map(|k| outputs[*k]).zip(output_elems)).collect();
    let backward_roots: Vec<Root> =
        whole_grads.iter().zip(differentiable(formula)).map(|(g, i)| gradient_root(*g, &formula.params[i].kind)).collect();
    let mut backward = plan::plan(&graph, &backward_roots, &given);
    let grad_names: Vec<String> = differentiable(formula).map(|i| format!("grad_{}", formula.params[i].name)).collect();
    plan::name_roots(&mut backward, &grad_names);
    let states = states.into_iter().map(|s| s.0).collect();
    Variant { typed, graph, checks, states, saved: kept, readable, forward, backward, mathematics, params }
}

/// Each differentiable output with its cotangent.
fn cotangents(graph: &mut Graph, formula: &Formula, typed: &Typed, outputs: &[NodeId]) -> Vec<(NodeId, NodeId)> {
    let mut cotangents = Vec::new();
    for (k, (y, axes)) in outputs.iter().zip(&typed.output_axes).enumerate() {
        if !formula.outputs[k].integer {
            let name = if k == 0 { "dy".into() } else { format!("dy{}", k + 1) };
            cotangents.push((*y, graph.add_input(&name, axes, InputKind::Cotangent(k as u32))));
        }
    }
    cotangents
}

fn gradient_root(node: NodeId, kind: &ParamKind) -> Root {
    let elem = if matches!(kind, ParamKind::Diff) { Elem::Wide } else { Elem::Data };
    Root { elem: Some(elem), ..Root::gradient(node) }
}

/// Whether a state's new values are not rounded when they are stored.
fn is_exact_state(formula: &Formula, param: usize) -> bool {
    matches!(&formula.params[param].kind, ParamKind::State { elem, .. } if formula.is_computed_in(elem))
}

fn promised(typed: &Typed, output: usize) -> AxisSet {
    typed.output_axes.get(output).into_iter().flatten().copied().collect()
}

/// The positions of the arguments with a gradient.
fn differentiable(formula: &Formula) -> impl Iterator<Item = usize> + '_ {
    let has_gradient = |kind: &ParamKind| matches!(kind, ParamKind::Tensor { constant: false, .. } | ParamKind::Diff);
    formula.params.iter().enumerate().filter(move |(_, p)| has_gradient(&p.kind)).map(|(i, _)| i)
}

/// The node of an argument.
fn read(graph: &mut Graph, formula: &Formula, typed: &Typed, params: &mut [Option<NodeId>], index: usize) -> NodeId {
    if let Some(node) = params[index] {
        return node;
    }
    let param = &formula.params[index];
    let (kind, axes) = match &param.kind {
        ParamKind::Tensor { axes, .. } => {
            let id = |name: String| typed.axes.iter().position(|a| a.name == name).map(|i| AxisId(i as u8));
            (InputKind::Tensor, axes.entries.iter().filter_map(|e| id(e.name.to_string())).collect())
        }
        _ => (InputKind::DiffScalar, vec![]),
    };
    let node = graph.add_input(&param.name.to_string(), &axes, kind);
    params[index] = Some(node);
    node
}

/// State that the gradients read is kept as it was: the forward call overwrites it.
fn keep_states(graph: &Graph, grads: &[NodeId], saved: &mut Vec<NodeId>) {
    let mut seen = vec![false; graph.len()];
    let mut open = grads.to_vec();
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut seen[id.0 as usize], true) || saved.contains(&id) {
            continue;
        }
        if let Op::Input(i) = graph.op(id)
            && graph.inputs[i.0 as usize].kind == InputKind::State
        {
            saved.push(id);
            continue;
        }
        open.extend(graph.op(id).operands());
    }
    saved.sort();
}

fn saved_value(forward: &plan::Plan, node: NodeId, root: usize) -> Saved {
    let temp = forward.temps.iter().find(|t| t.scope == plan::Scope::Root(root as u32));
    let (name, elem) = temp.map_or(("saved".into(), Elem::Data), |t| (t.name.clone(), t.elem));
    Saved { node, name, elem }
}

fn output_elem(output: &Output) -> Elem {
    if output.integer { Elem::Index } else { Elem::Data }
}

/// The outputs as the generated functions call them.
fn output_names(count: usize) -> Vec<String> {
    (0..count).map(|k| if k == 0 { "y".into() } else { format!("y{}", k + 1) }).collect()
}

/// The gradients as formulas of arguments and of values that are `known`, for the documentation.
fn mathematics(formula: &Formula, graph: &Graph, grads: &[NodeId], known: Vec<(NodeId, String)>) -> Vec<String> {
    let printer = crate::graph::print::Printer::new(graph, known);
    let mut lines = Vec::new();
    for (grad, index) in grads.iter().zip(differentiable(formula)) {
        printer.gradient(&mut lines, &format!("∂{}", formula.params[index].name), *grad);
    }
    lines
}
