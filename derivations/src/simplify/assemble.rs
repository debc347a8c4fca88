//! From the chosen nodes to the resulting graph, its gradients and what to keep.

use super::analysis::EGraph;
use super::given::{Context, Offers};
use super::language::Expr;
use super::rebuild::Rebuild;
use super::saves;
use crate::graph::{Graph, NodeId};
use egg::{Id, Language};
use std::collections::{BTreeMap, BTreeSet};

/// What is put together.
pub struct Assembly<'a, 'g> {
    pub eg: &'a EGraph<'g>,
    pub context: &'a Context<'a>,
    /// Conditions of the problem that are known before any cotangent, and their classes.
    pub conditions: &'a [(NodeId, Id)],
    pub offers: &'a Offers,
    /// Children before parents.
    pub chosen: &'a [(Id, Expr)],
}

impl Assembly<'_, '_> {
    /// The graph, the gradients of `roots` and the nodes to keep, sorted. `None`: a given value cannot be spelled.
    pub fn assemble(&self, roots: &[Id]) -> Option<(Graph, Vec<NodeId>, Vec<NodeId>)> {
        let mut rebuild = Rebuild::new(self.context.graph);
        let outputs: BTreeSet<NodeId> = self.context.outputs.iter().copied().collect();
        let mut known: BTreeMap<Id, NodeId> = BTreeMap::new();
        for (class, _) in self.chosen.iter().filter(|(_, expr)| matches!(expr, Expr::Given(_))) {
            known.insert(self.eg.find(*class), self.offers.node(self.eg, &mut rebuild, *class)?);
        }
        let mut given: BTreeSet<NodeId> = known.values().copied().collect();
        given.extend(&outputs);
        let written = self.written_conditions(&mut rebuild, &mut known)?;
        given.extend(saves::barriers(&rebuild.graph, self.context.sizes, &written, &given));
        self.share(&rebuild.graph, &written, &given, &mut known);

        let nodes = rebuild.lower_all(self.eg, &self.needed(roots, &known), known)?;
        let grads = roots.iter().map(|g| nodes.get(&self.eg.find(*g)).copied()).collect::<Option<Vec<NodeId>>>()?;
        let saved = read_by(&rebuild.graph, &grads, &given).into_iter().filter(|id| !outputs.contains(id)).collect();
        Some((rebuild.graph, grads, saved))
    }

    /// Whether a node has no axes but those of its class: along others it is constant, and was simplified as if it had none.
    fn fits(&self, id: NodeId, class: Id) -> bool {
        self.context.graph.axes_of(id).is_subset(self.eg[class].data.axes)
    }

    /// Conditions stay as the user wrote them: a rounding difference must not choose the other branch. `None`: one does not
    /// fit where it stands.
    fn written_conditions(&self, rebuild: &mut Rebuild, known: &mut BTreeMap<Id, NodeId>) -> Option<Vec<NodeId>> {
        let mut written = vec![];
        for (class, expr) in self.chosen {
            let class = self.eg.find(*class);
            let condition = self.conditions.iter().find(|(_, c)| self.eg.find(*c) == class);
            if let Some((id, _)) = condition.filter(|_| !matches!(expr, Expr::Num(_) | Expr::Given(_))) {
                if !self.fits(*id, class) {
                    return None;
                }
                let node = rebuild.copy(*id);
                known.insert(class, node);
                written.push(node);
            }
        }
        Some(written)
    }

    /// What those conditions are computed from is there: the same values elsewhere use it.
    fn share(&self, graph: &Graph, written: &[NodeId], given: &BTreeSet<NodeId>, known: &mut BTreeMap<Id, NodeId>) {
        let mut seen = BTreeSet::new();
        let mut work = written.to_vec();
        while let Some(id) = work.pop() {
            if !given.contains(&id) && seen.insert(id) {
                work.extend(graph.op(id).operands());
            }
        }
        for id in seen {
            let class = self.context.classes.get(id.0 as usize).copied().flatten();
            let class = class.map(|c| self.eg.find(c)).filter(|c| self.context.graph.is_forward(id) && self.fits(id, *c));
            if let Some(class) = class {
                known.entry(class).or_insert(id);
            }
        }
    }

    /// The chosen nodes that are still needed when some classes are nodes already.
    fn needed(&self, roots: &[Id], known: &BTreeMap<Id, NodeId>) -> Vec<(Id, Expr)> {
        let mut wanted: BTreeSet<Id> = roots.iter().map(|r| self.eg.find(*r)).collect();
        let mut kept = vec![];
        for (class, expr) in self.chosen.iter().rev() {
            let class = self.eg.find(*class);
            if wanted.contains(&class) && !known.contains_key(&class) {
                wanted.extend(expr.children().iter().map(|c| self.eg.find(*c)));
                kept.push((class, expr.clone()));
            }
        }
        kept.reverse();
        kept
    }
}

/// The given nodes that the gradients read, sorted.
fn read_by(graph: &Graph, grads: &[NodeId], given: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
    let mut seen = BTreeSet::new();
    let mut work = grads.to_vec();
    while let Some(id) = work.pop() {
        if seen.insert(id) && !given.contains(&id) {
            work.extend(graph.op(id).operands());
        }
    }
    seen.intersection(given).copied().collect()
}
