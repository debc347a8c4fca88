//! Extraction: one node a class, by greedy search and then hill climbing on the true cost.

use super::analysis::EGraph;
use super::cost::{FIRST, READ, Sizes};
use super::language::Expr;
use crate::graph::Op;
use egg::{Id, Language};
use std::collections::HashMap;

/// The cost of a choice, and what it counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    pub total: u64,
    /// Passes over a full-size domain.
    pub sweeps: usize,
    /// Reductions over a full-size domain.
    pub reductions: usize,
}

/// A node that a class may be computed by.
struct Candidate {
    expr: Expr,
    /// Its children, as numbers of classes.
    children: Vec<usize>,
    own: u64,
    /// A reduction over a full-size domain.
    reduction: bool,
    /// A tensor or kept value: what is read, in elements; and what was kept for it.
    leaf: Option<(u64, u64)>,
    /// A bit for each full-size tensor or kept value (those beyond 128 have none).
    tensor: u128,
}

struct Class {
    id: Id,
    candidates: Vec<Candidate>,
    size: u64,
    full: bool,
}

/// The classes of an e-graph and one choice among the nodes of each.
pub struct Extraction {
    classes: Vec<Class>,
    roots: Vec<usize>,
    choice: Vec<Option<usize>>,
}

impl Extraction {
    pub fn new(eg: &EGraph, sizes: &Sizes, roots: &[Id]) -> Extraction {
        let mut ids: Vec<Id> = eg.classes().map(|c| c.id).collect();
        ids.sort();
        let index: HashMap<Id, usize> = ids.iter().enumerate().map(|(i, id)| (*id, i)).collect();
        let at = |id: Id| index[&eg.find(id)];
        let classes = ids.iter().map(|id| {
            let axes = eg[*id].data.axes;
            let mut nodes = eg[*id].nodes.clone();
            nodes.sort();
            if let Some(value) = eg[*id].data.constant {
                nodes.retain(|n| *n == Expr::Num(value));
            }
            // what has an axis that an equal value lacks is constant along it: others were simplified as if it lacked it too
            nodes.retain(|n| eg.analysis.axes(n, &|i| eg[i].data.axes).is_subset(axes));
            let full = sizes.is_full(axes);
            // `f + f` was made before its terms were known to be equal: `2·f` is beside it
            if nodes.len() > 1 {
                nodes.retain(|n| !repeats(eg, n));
            }
            let mut candidates: Vec<Candidate> = nodes.into_iter().map(|n| Candidate::of(eg, sizes, n, &at)).collect();
            // a small value that can be kept is not reduced again
            if !full && candidates.iter().any(|c| matches!(c.expr, Expr::Given(_))) {
                candidates.retain(|c| !c.reduction);
            }
            Class { id: *id, candidates, size: sizes.size(axes), full }
        });
        let mut classes: Vec<Class> = classes.collect();
        let tensors = classes.iter_mut().filter(|c| c.full && c.candidates.iter().any(|c| c.leaf.is_some()));
        for (bit, class) in tensors.enumerate().take(128) {
            for candidate in class.candidates.iter_mut().filter(|c| c.leaf.is_some()) {
                candidate.tensor = 1 << bit;
            }
        }
        let roots = roots.iter().map(|r| at(*r)).collect();
        Extraction { choice: vec![None; classes.len()], classes, roots }
    }

    /// The chosen nodes, children before parents: class, node.
    pub fn chosen(&self) -> Vec<(Id, Expr)> {
        let order = self.order().unwrap_or_default();
        order.into_iter().filter_map(|c| Some((self.classes[c].id, self.candidate(c)?.expr.clone()))).collect()
    }

    fn candidate(&self, class: usize) -> Option<&Candidate> {
        self.choice[class].map(|j| &self.classes[class].candidates[j])
    }

    /// A first choice: the cheapest set of classes, each counted once. `false`: some root cannot be reached.
    pub fn greedy(&mut self) -> bool {
        const PASSES: usize = 30;
        let mut seed = Seed::new(self.classes.len());
        for _ in 0..PASSES {
            let mut changed = false;
            for c in 0..self.classes.len() {
                for j in 0..self.classes[c].candidates.len() {
                    if seed.improve(c, &self.classes[c].candidates[j]) {
                        self.choice[c] = Some(j);
                        changed = true;
                    }
                }
            }
            if !changed {
                break;
            }
        }
        self.order().is_some()
    }

    /// The classes in use, children first; `None`: a cycle, or a class without a choice.
    fn order(&self) -> Option<Vec<usize>> {
        // an explicit stack: chains of formulas are deep
        let mut state = vec![0u8; self.classes.len()];
        let mut order = vec![];
        let mut stack: Vec<(usize, usize)> = vec![];
        for &root in &self.roots {
            if state[root] == 0 {
                state[root] = 1;
                stack.push((root, 0));
            }
            while let Some((class, next)) = stack.pop() {
                match self.candidate(class)?.children.get(next) {
                    None => {
                        state[class] = 2;
                        order.push(class);
                    }
                    Some(&child) => {
                        stack.push((class, next + 1));
                        match state[child] {
                            0 => {
                                state[child] = 1;
                                stack.push((child, 0));
                            }
                            1 => return None,
                            _ => {}
                        }
                    }
                }
            }
        }
        Some(order)
    }

    /// The true cost of the choice; `None` if it is not one.
    pub fn cost(&self) -> Option<Cost> {
        let order = self.order()?;
        let mut cost = Cost { total: order.len() as u64, ..Cost::default() };
        for &c in &order {
            let candidate = self.candidate(c)?;
            if candidate.reduction {
                cost.reductions += 1;
                cost.total += if self.classes[c].full { READ * self.classes[c].size } else { 0 };
            } else if !self.classes[c].full {
                cost.total += candidate.own;
            }
        }
        let mut kept = vec![false; self.classes.len()];
        for outputs in self.sweeps(&order)?.into_iter().filter(|s| !s.is_empty()) {
            cost.sweeps += 1;
            cost.total += self.sweep_cost(outputs, &mut kept);
        }
        Some(cost)
    }

    /// What each sweep computes: reductions and full-size roots, as early as they can be; but a reduction that nothing
    /// waits for goes to the sweep that reads most of its tensors anyway.
    fn sweeps(&self, order: &[usize]) -> Option<Vec<Vec<usize>>> {
        let mut level = vec![0usize; self.classes.len()];
        let mut read = vec![false; self.classes.len()];
        let mut tensors = vec![0u128; self.classes.len()];
        let mut fixed: Vec<(usize, usize)> = vec![];
        for &c in order {
            let candidate = self.candidate(c)?;
            tensors[c] = candidate.tensor;
            for &child in &candidate.children {
                read[child] = true;
                level[c] = level[c].max(level[child]);
                if self.classes[child].full && !self.candidate(child)?.reduction {
                    tensors[c] |= tensors[child];
                }
            }
            if candidate.reduction {
                fixed.push((level[c], c));
                level[c] += 1;
            }
        }
        let roots = self.roots.iter().filter(|r| self.classes[**r].full && self.candidate(**r).is_some_and(|c| !c.reduction));
        fixed.extend(roots.map(|r| (level[*r], *r)));
        let (free, fixed): (Vec<_>, Vec<_>) =
            fixed.into_iter().partition(|(_, c)| !read[*c] && self.candidate(*c).is_some_and(|c| c.reduction));
        let last = fixed.iter().chain(&free).map(|(k, _)| *k).max().unwrap_or(0);
        let mut sweeps: Vec<Vec<usize>> = vec![vec![]; last + 1];
        let mut reads = vec![0u128; last + 1];
        for (k, c) in fixed {
            sweeps[k].push(c);
            reads[k] |= tensors[c];
        }
        for (earliest, c) in free {
            let shared = |k: &usize| ((tensors[c] & reads[*k]).count_ones(), std::cmp::Reverse(*k));
            let best = (earliest..=last).max_by_key(shared).unwrap_or(earliest);
            sweeps[best].push(c);
            reads[best] |= tensors[c];
        }
        Some(sweeps)
    }

    /// The cost of computing some classes in one pass.
    fn sweep_cost(&self, outputs: Vec<usize>, kept: &mut [bool]) -> u64 {
        let mut seen = vec![false; self.classes.len()];
        let mut cost = 0;
        let mut work = outputs;
        while let Some(class) = work.pop() {
            if std::mem::replace(&mut seen[class], true) {
                continue;
            }
            let Some(candidate) = self.candidate(class) else { continue };
            if let Some((read, keep)) = candidate.leaf {
                let first = !std::mem::replace(&mut kept[class], true);
                cost += READ * read + if first { FIRST * read + 2 * READ * keep } else { 0 };
                continue;
            }
            cost += candidate.own;
            for &child in &candidate.children {
                if !self.classes[child].full {
                    continue;
                }
                if self.candidate(child).is_some_and(|c| c.reduction) {
                    // in memory since an earlier sweep
                    cost += if std::mem::replace(&mut seen[child], true) { 0 } else { READ * self.classes[child].size };
                } else {
                    work.push(child);
                }
            }
        }
        cost
    }

    /// Tries every other node of every class in use, keeps what is cheaper, until nothing is.
    pub fn climb(&mut self) -> Option<Cost> {
        let mut best = self.cost()?;
        loop {
            let mut improved = false;
            for class in self.order()? {
                let mut kept = self.choice[class];
                for j in 0..self.classes[class].candidates.len() {
                    let children = &self.classes[class].candidates[j].children;
                    if Some(j) == kept || children.iter().any(|k| self.choice[*k].is_none()) {
                        continue;
                    }
                    self.choice[class] = Some(j);
                    if let Some(cost) = self.cost().filter(|c| c.total < best.total) {
                        (best, kept, improved) = (cost, Some(j), true);
                    }
                }
                self.choice[class] = kept;
            }
            if !improved {
                return Some(best);
            }
        }
    }
}

/// Whether a sum or product has the same part twice.
fn repeats(eg: &EGraph, node: &Expr) -> bool {
    if !matches!(node, Expr::Sum { .. } | Expr::Prod { .. }) {
        return false;
    }
    let mut parts: Vec<Id> = node.children().iter().map(|c| eg.find(*c)).collect();
    parts.sort();
    parts.windows(2).any(|pair| pair[0] == pair[1])
}

impl Candidate {
    fn of(eg: &EGraph, sizes: &Sizes, expr: Expr, at: &dyn Fn(Id) -> usize) -> Candidate {
        let facts = &eg.analysis;
        let axes = |id: Id| eg[id].data.axes;
        let own = sizes.own(facts, &expr, &axes);
        let reduction = facts.is_reduction(&expr) && sizes.is_full(facts.domain(&expr, &axes));
        let leaf = match &expr {
            Expr::Given(k) => {
                let given = &facts.given[*k as usize];
                let size = sizes.given_size(given);
                Some((size, if given.there { 0 } else { size }))
            }
            Expr::Opaque(payload, x) if x.is_empty() && matches!(facts.op(*payload), Op::Input(_)) => {
                Some((sizes.size(facts.axes(&expr, &axes)), 0))
            }
            _ => None,
        };
        let children = expr.children().iter().map(|c| at(*c)).collect();
        Candidate { expr, children, own, reduction, leaf, tensor: 0 }
    }
}

/// For each class the cheapest set of classes found so far that computes it.
struct Seed {
    sets: Vec<Option<(u64, Vec<u64>)>>,
    owns: Vec<u64>,
}

impl Seed {
    fn new(count: usize) -> Seed {
        Seed { sets: vec![None; count], owns: vec![0; count] }
    }
    /// Takes the candidate for the class if that is cheaper.
    fn improve(&mut self, class: usize, candidate: &Candidate) -> bool {
        let mut set = vec![0u64; self.sets.len().div_ceil(64)];
        for child in &candidate.children {
            let Some((_, below)) = &self.sets[*child] else { return false };
            for (a, b) in set.iter_mut().zip(below) {
                *a |= b;
            }
        }
        if set[class / 64] >> (class % 64) & 1 == 1 {
            return false;
        }
        let mut total = candidate.own + 1;
        for (i, word) in set.iter().enumerate() {
            let mut bits = *word;
            while bits != 0 {
                total += self.owns[i * 64 + bits.trailing_zeros() as usize] + 1;
                bits &= bits - 1;
            }
        }
        if self.sets[class].as_ref().is_some_and(|(best, _)| *best <= total) {
            return false;
        }
        set[class / 64] |= 1 << (class % 64);
        self.sets[class] = Some((total, set));
        self.owns[class] = candidate.own;
        true
    }
}
