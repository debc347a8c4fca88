//! Which classes the backward call may be given, and how the forward call spells them.

use super::analysis::{EGraph, Given};
use super::cost::Sizes;
use super::language::Expr;
use super::rebuild::{Rebuild, lower};
use super::saves::is_condition;
use crate::graph::{Graph, NodeId, Op};
use egg::{Id, Language};
use std::collections::{BTreeMap, BTreeSet};

/// How a class is computed in the forward call.
#[derive(Clone, Debug)]
enum Spelling {
    /// A node of the problem.
    Node(NodeId),
    /// A small expression of classes that are spelled.
    Small(Expr),
}

/// The offers made to extraction, by number.
pub struct Offers {
    spellings: BTreeMap<Id, Spelling>,
}

/// What the offers depend on besides the e-graph.
pub struct Context<'a> {
    pub graph: &'a Graph,
    pub sizes: &'a Sizes,
    pub classes: &'a [Option<Id>],
    pub outputs: &'a [NodeId],
    /// Full-size values (and winners' indices) chosen by the minimum cut.
    pub cut: &'a [NodeId],
    /// What recomputed conditions need; the small ones of these are kept in any case.
    pub kept: &'a [NodeId],
}

impl Offers {
    /// Adds a [`Expr::Given`] to every class that may be given.
    pub fn add(eg: &mut EGraph, context: &Context) -> Offers {
        // a node with axes that its class lacks is no value to be given for it
        let class_of = |eg: &EGraph, id: NodeId| {
            let class = context.classes[id.0 as usize].map(|c| eg.find(c));
            class.filter(|c| context.graph.axes_of(id).is_subset(eg[*c].data.axes))
        };
        let mut offers = Offers { spellings: spell(eg, context) };
        let mut there: BTreeSet<Id> = BTreeSet::new();
        let small = |id: &&NodeId| !context.sizes.is_full(context.graph.axes_of(**id));
        for &id in context.outputs.iter().chain(context.kept.iter().filter(small)) {
            there.extend(class_of(eg, id));
        }
        // an output's class is read from the output, whatever else it is equal to
        for &id in context.cut.iter().chain(context.outputs) {
            if let Some(class) = class_of(eg, id) {
                offers.spellings.insert(class, Spelling::Node(id));
            }
        }
        let mut wanted: BTreeSet<Id> = there.clone();
        wanted.extend(context.cut.iter().filter_map(|id| class_of(eg, *id)));
        for (&class, spelling) in &offers.spellings {
            let axes = eg[class].data.axes;
            let few = matches!(spelling, Spelling::Node(_)) || 2 * axes.len() <= context.sizes.rank;
            if few && !context.sizes.is_full(axes) {
                wanted.insert(class);
            }
        }
        let free = free_classes(eg);
        wanted.retain(|c| !free.contains(c) && !eg[*c].data.cotangent && offers.spellings.contains_key(c));
        for class in wanted {
            let few = matches!(offers.spellings[&class], Spelling::Node(id) if is_condition(context.graph.op(id)));
            let given = Given { axes: eg[class].data.axes, there: there.contains(&class), few };
            eg.analysis.given.push(given);
            let number = eg.analysis.given.len() as u32 - 1;
            let node = eg.add(Expr::Given(number));
            eg.union(class, node);
        }
        eg.rebuild();
        let spellings = std::mem::take(&mut offers.spellings);
        offers.spellings = spellings.into_iter().map(|(c, s)| (eg.find(c), s)).collect();
        offers
    }

    /// The node that holds a given value.
    pub fn node(&self, eg: &EGraph, rebuild: &mut Rebuild, class: Id) -> Option<NodeId> {
        match self.spellings.get(&eg.find(class))? {
            Spelling::Node(id) => Some(rebuild.copy(*id)),
            Spelling::Small(expr) => {
                let mut children = vec![];
                for child in expr.children() {
                    children.push(self.node(eg, rebuild, *child)?);
                }
                Some(lower(&mut rebuild.graph, &eg.analysis, expr, &children))
            }
        }
    }
}

/// Spells classes with the user's own nodes, and small pointwise expressions of those. Rounds, so that no spelling
/// contains itself.
fn spell(eg: &EGraph, context: &Context) -> BTreeMap<Id, Spelling> {
    let mut spellings: BTreeMap<Id, Spelling> = BTreeMap::new();
    for id in context.graph.ids().filter(|id| context.graph.is_forward(*id)) {
        let class = context.classes[id.0 as usize].map(|c| eg.find(c));
        if let Some(class) = class.filter(|c| context.graph.axes_of(id).is_subset(eg[*c].data.axes)) {
            spellings.entry(class).or_insert(Spelling::Node(id));
        }
    }
    let axes = |id: Id| eg[id].data.axes;
    let mut rest: Vec<Id> = eg.classes().map(|c| c.id).collect();
    rest.sort();
    rest.retain(|c| !eg[*c].data.cotangent && !context.sizes.is_full(eg[*c].data.axes) && !spellings.contains_key(c));
    loop {
        let mut found = vec![];
        for &class in &rest {
            let spelled =
                eg[class].nodes.iter().filter(|n| eg.analysis.axes(n, &axes).is_subset(axes(class))).filter(|n| {
                    !eg.analysis.is_reduction(n) && n.children().iter().all(|c| spellings.contains_key(&eg.find(*c)))
                });
            if let Some(node) = spelled.min_by_key(|n| (context.sizes.own(&eg.analysis, n, &axes), (*n).clone())) {
                found.push((class, Spelling::Small(node.clone())));
            }
        }
        if found.is_empty() {
            return spellings;
        }
        spellings.extend(found);
        rest.retain(|c| !spellings.contains_key(c));
    }
}

/// Classes that are free to have in the backward call: inputs, and what is computed of constants, lengths, indices and
/// draws alone.
fn free_classes(eg: &EGraph) -> BTreeSet<Id> {
    let is_input = |n: &Expr| matches!(n, Expr::Opaque(p, _) if matches!(eg.analysis.op(*p), Op::Input(_)));
    let mut classes: Vec<Id> = eg.classes().map(|c| c.id).collect();
    classes.sort();
    let (inputs, mut rest): (BTreeSet<Id>, Vec<Id>) = {
        let (inputs, rest): (Vec<Id>, Vec<Id>) = classes.into_iter().partition(|c| eg[*c].nodes.iter().any(is_input));
        (inputs.into_iter().collect(), rest)
    };
    let mut free: BTreeSet<Id> = BTreeSet::new();
    loop {
        let is_free = |n: &Expr| n.children().iter().all(|c| free.contains(&eg.find(*c)));
        let (found, left): (Vec<Id>, Vec<Id>) = rest.into_iter().partition(|c| eg[*c].nodes.iter().any(is_free));
        if found.is_empty() {
            return &free | &inputs;
        }
        free.extend(found);
        rest = left;
    }
}
