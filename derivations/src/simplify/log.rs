//! The log of rule instances, and the slice of it that leads to the result.

use super::language::Expr;
use super::views::{ProductView, SumView};
use egg::Id;
use std::cell::RefCell;
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
    pub fn step(&mut self, rule: &'static str, result: Id) {
        let Some((class, source)) = self.source.clone() else { return };
        let made = std::mem::take(&mut self.made);
        self.instances.push(Instance { rule, class, source, views: self.views.borrow().clone(), made, result });
    }
    pub fn end(&mut self) {
        self.source = None;
    }
}
