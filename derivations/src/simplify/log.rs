//! The log of rule instances, and the slice of it that leads to the result.

use super::Step;
use super::analysis::EGraph;
use super::language::Expr;
use super::print::Printer;
use super::rational::Rational;
use super::views::{ProductView, SumView};
use egg::{Id, Language};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

/// The node that a rule took for a class.
#[derive(Clone)]
pub enum View {
    Sum(Rc<SumView>),
    Product(Rc<ProductView>),
    Node(Expr),
}

impl View {
    pub fn node(&self) -> &Expr {
        match self {
            View::Sum(view) => &view.node,
            View::Product(view) => &view.node,
            View::Node(node) => node,
        }
    }
}

/// One application of a rule.
#[derive(Clone)]
pub struct Instance {
    pub rule: &'static str,
    /// The node rewritten, and its class.
    pub class: Id,
    pub source: Expr,
    /// What the rule looked through: a class, and the node chosen for it.
    pub views: Vec<(Id, View)>,
    /// The nodes that were new.
    pub made: Vec<Expr>,
    pub result: Id,
    /// Whether the result was known to be a constant.
    pub constant: bool,
}

/// Every rule instance, in order.
#[derive(Default)]
pub struct Log {
    pub instances: Vec<Instance>,
    source: Option<(Id, Expr)>,
    // views are taken through shared references
    views: RefCell<Vec<(Id, View)>>,
    made: Vec<Expr>,
}

impl Log {
    /// A rule is about to be applied to a node.
    pub fn begin(&mut self, class: Id, source: &Expr) {
        self.source = Some((class, source.clone()));
        self.views.borrow_mut().clear();
        self.made.clear();
    }
    /// A rule looks at a class as this node.
    pub fn view(&self, class: Id, view: impl FnOnce() -> View) {
        if self.source.is_some() {
            self.views.borrow_mut().push((class, view()));
        }
    }
    pub fn made(&mut self, node: &Expr) {
        if self.source.is_some() {
            self.made.push(node.clone());
        }
    }
    /// The next rule is applied to the same node.
    pub fn next_rule(&mut self) {
        self.views.borrow_mut().clear();
        self.made.clear();
    }
    /// The rule found this.
    pub fn step(&mut self, rule: &'static str, result: Id, constant: bool) {
        let Some((class, source)) = self.source.clone() else { return };
        let made = std::mem::take(&mut self.made);
        let views = self.views.borrow().clone();
        self.instances.push(Instance { rule, class, source, views, made, result, constant });
    }
    pub fn end(&mut self) {
        self.source = None;
    }
}

/// The rule instances that lead to the chosen nodes, in order. `raw`: how many nodes the e-graph began with.
pub fn steps(eg: &EGraph, classes: &[Option<Id>], raw: usize, chosen: &[(Id, Expr)]) -> Vec<Step> {
    let printer = Printer::new(eg, classes);
    let slice = Slice::of(eg, raw, chosen);
    let step = |i: usize| {
        let instance = &eg.analysis.log.instances[i];
        let after = match instance.made.last() {
            Some(made) => printer.node(made),
            None => printer.class(instance.result),
        };
        Step { rule: instance.rule, before: printer.node(&instance.source), after }
    };
    slice.used.into_iter().map(step).filter(|s| s.before != s.after).collect()
}

/// The log sliced backwards: what made the chosen nodes, and what made their premises.
struct Slice<'a, 'g> {
    eg: &'a EGraph<'g>,
    /// Which instance first made a node.
    maker: HashMap<Expr, usize>,
    raw: HashSet<Expr>,
    used: BTreeSet<usize>,
    work: Vec<Expr>,
}

impl Slice<'_, '_> {
    fn of<'a, 'g>(eg: &'a EGraph<'g>, raw: usize, chosen: &[(Id, Expr)]) -> Slice<'a, 'g> {
        let mut maker = HashMap::new();
        for (i, instance) in eg.analysis.log.instances.iter().enumerate() {
            for made in &instance.made {
                maker.entry(canonical(eg, made)).or_insert(i);
            }
        }
        let raw = eg.nodes()[..raw].iter().map(|n| canonical(eg, n)).collect();
        let work = chosen.iter().map(|(_, n)| canonical(eg, n)).collect();
        let mut slice = Slice { eg, maker, raw, used: BTreeSet::new(), work };
        let mut seen: HashSet<Expr> = HashSet::new();
        while let Some(node) = slice.work.pop() {
            if seen.insert(node.clone())
                && !slice.raw.contains(&node)
                && let Some(&i) = slice.maker.get(&node)
            {
                slice.use_instance(i);
            }
        }
        slice
    }
    /// The instance, and as premises its source and the views it took.
    fn use_instance(&mut self, i: usize) {
        if !self.used.insert(i) {
            return;
        }
        let instance = &self.eg.analysis.log.instances[i];
        self.work.push(canonical(self.eg, &instance.source));
        // a part that is 0 was found to be
        let parts = std::iter::once(&instance.source).chain(&instance.made).flat_map(|n| n.children());
        for part in parts.filter(|p| self.eg[**p].data.constant.is_some_and(Rational::is_zero)) {
            self.use_constant(*part);
        }
        for (class, view) in &instance.views {
            match view.node() {
                Expr::Num(_) => self.use_constant(*class),
                node => self.work.push(canonical(self.eg, node)),
            }
        }
    }
    /// What made a class a constant: its nodes say nothing of it.
    fn use_constant(&mut self, class: Id) {
        let class = self.eg.find(class);
        let by = self.eg.analysis.log.instances.iter().position(|i| i.constant && self.eg.find(i.class) == class);
        if let Some(i) = by {
            self.use_instance(i);
        }
    }
}

fn canonical(eg: &EGraph, node: &Expr) -> Expr {
    node.clone().map_children(|c| eg.find(c))
}
