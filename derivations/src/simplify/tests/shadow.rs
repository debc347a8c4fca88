//! Fingerprints: every e-node is evaluated when it is made, and two classes are compared before they become one. A wrong
//! rule is found at once, with its name on the log.

use crate::graph::eval::Env;
use crate::graph::{AxisSet, Graph, NodeId};
use crate::simplify::analysis::{EGraph, Facts, Sign};
use crate::simplify::language::Expr;
use crate::simplify::rebuild::lower;
use egg::{Id, Language};
use std::collections::HashMap;

/// A graph that holds every e-node made so far, evaluated in one environment.
pub struct Shadow {
    pub graph: Graph,
    pub env: Env,
    /// Whether classes that become one are compared.
    pub compares: bool,
    values: Vec<Vec<f64>>,
    nodes: HashMap<Id, NodeId>,
}

impl Shadow {
    pub fn new(graph: &Graph, env: &Env) -> Shadow {
        let mut shadow = Graph::default();
        shadow.axes = graph.axes.clone();
        shadow.inputs = graph.inputs.clone();
        shadow.hosts = graph.hosts.clone();
        shadow.ints = graph.ints.clone();
        Shadow { graph: shadow, env: env.clone(), compares: true, values: vec![], nodes: HashMap::new() }
    }

    fn node(&self, eg: &EGraph, id: Id) -> Option<NodeId> {
        self.nodes.get(&id).or_else(|| self.nodes.get(&eg.find(id))).copied()
    }

    pub fn record(eg: &mut EGraph, expr: &Expr, id: Id) {
        let Some(mut shadow) = eg.analysis.shadow.take() else { return };
        let children: Option<Vec<NodeId>> = expr.children().iter().map(|c| shadow.node(eg, *c)).collect();
        if let Some(children) = children.filter(|_| !matches!(expr, Expr::Given(_))) {
            let node = lower(&mut shadow.graph, &eg.analysis, expr, &children);
            while shadow.values.len() < shadow.graph.len() {
                let next = NodeId(shadow.values.len() as u32);
                let value = shadow.graph.eval_node(next, &shadow.env, &shadow.values);
                shadow.values.push(value);
            }
            shadow.nodes.entry(id).or_insert(node);
        }
        eg.analysis.shadow = Some(shadow);
    }

    pub fn compare(eg: &EGraph, a: Id, b: Id) {
        let Facts { shadow: Some(shadow), .. } = &eg.analysis else { return };
        if !shadow.compares {
            return;
        }
        let (Some(x), Some(y)) = (shadow.node(eg, a), shadow.node(eg, b)) else { return };
        let (u, v) = (&shadow.values[x.0 as usize], &shadow.values[y.0 as usize]);
        let (au, av) = (shadow.graph.axes_of(x), shadow.graph.axes_of(y));
        let scale = u.iter().chain(v).fold(1.0f64, |m, x| m.max(x.abs()));
        shadow.env.each(au | av, &mut [0; AxisSet::CAPACITY], &mut |at| {
            let (p, q) = (u[shadow.env.offset(au, at)], v[shadow.env.offset(av, at)]);
            let equal = (p - q).abs() <= 1e-9 * scale || !p.is_finite() || !q.is_finite();
            assert!(
                equal,
                "unsound: {p} = {q}\n{:#?}\n{:#?}\n{:?}",
                eg[a].nodes,
                eg[b].nodes,
                eg.analysis.log.instances.last().map(|i| i.rule)
            );
        });
    }

    /// What is known of each class against its numbers, where they are finite.
    pub fn check_facts(&self, eg: &EGraph) {
        for (id, node) in &self.nodes {
            let (values, axes, data) = (&self.values[node.0 as usize], self.graph.axes_of(*node), &eg[*id].data);
            self.env.each(axes, &mut [0; AxisSet::CAPACITY], &mut |at| {
                let x = values[self.env.offset(axes, at)];
                let mut first = *at;
                (axes - data.axes).iter().for_each(|a| first[a.0 as usize] = 0);
                let same = values[self.env.offset(axes, &first)];
                let signed = match data.sign {
                    Sign::Unknown => true,
                    // where everything cancels, rounding is left
                    Sign::NonNeg => x >= -1e-9,
                    Sign::Pos => x > 0.0,
                };
                let known = data.constant.is_none_or(|k| (x - k.to_f64()).abs() <= 1e-9 * x.abs().max(1.0));
                let constant = (x - same).abs() <= 1e-9 * x.abs().max(1.0);
                assert!(
                    !x.is_finite() || !same.is_finite() || signed && known && constant,
                    "{x}: {data:?}\n{:#?}",
                    eg[*id].nodes
                );
            });
        }
    }
}
