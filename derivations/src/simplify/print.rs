//! Expressions of an e-graph as text, in the formula language.

use super::analysis::EGraph;
use super::language::{Expr, Holes};
use super::rational::Rational;
use crate::graph::{AxisSet, Graph, Op};
use egg::{Id, Language};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Prints classes by their smallest node, and by the user's names where there are some.
pub struct Printer<'a, 'g> {
    eg: &'a EGraph<'g>,
    names: BTreeMap<Id, &'a str>,
    /// Of each class, how many operators its smallest term has, and the node that begins it.
    smallest: BTreeMap<Id, (usize, &'a Expr)>,
    /// What was printed before.
    texts: RefCell<BTreeMap<Id, String>>,
}

/// Terms with more operators are not written out.
const LONGEST: usize = 60;

impl<'a, 'g> Printer<'a, 'g> {
    pub fn new(eg: &'a EGraph<'g>, classes: &[Option<Id>]) -> Printer<'a, 'g> {
        let mut names: BTreeMap<Id, &str> = BTreeMap::new();
        for (id, name) in &eg.analysis.graph.names {
            if let Some(class) = classes.get(id.0 as usize).copied().flatten() {
                names.entry(eg.find(class)).or_insert(name);
            }
        }
        let mut printer = Printer { eg, names, smallest: BTreeMap::new(), texts: RefCell::default() };
        printer.measure();
        printer
    }

    fn measure(&mut self) {
        let mut ids: Vec<Id> = self.eg.classes().map(|c| c.id).collect();
        ids.sort();
        loop {
            let mut changed = false;
            for &id in &ids {
                for node in &self.eg[id].nodes {
                    let Some(size) = self.size(node) else { continue };
                    if self.smallest.get(&id).is_none_or(|best| (size, node) < *best) {
                        self.smallest.insert(id, (size, node));
                        changed = true;
                    }
                }
            }
            if !changed {
                return;
            }
        }
    }

    /// The operators of a node's smallest term; `None`: some child has none yet.
    fn size(&self, node: &Expr) -> Option<usize> {
        if matches!(node, Expr::Given(_)) {
            return None;
        }
        node.children().iter().try_fold(1usize, |size, child| {
            let child = self.eg.find(*child);
            let below = if self.names.contains_key(&child) { 1 } else { self.smallest.get(&child)?.0 };
            Some(size.saturating_add(below))
        })
    }

    pub fn class(&self, id: Id) -> String {
        let id = self.eg.find(id);
        if let Some(text) = self.texts.borrow().get(&id) {
            return text.clone();
        }
        let text = match (self.names.get(&id), self.smallest.get(&id)) {
            (Some(name), _) => (*name).to_string(),
            (_, Some((size, node))) if *size <= LONGEST => self.node(node),
            _ => "…".to_string(),
        };
        self.texts.borrow_mut().insert(id, text.clone());
        text
    }

    /// A child that is an operand of `*` or `/`, in parentheses where needed.
    fn operand(&self, id: Id) -> String {
        let text = self.class(id);
        let mut depth = 0;
        let mut open = |c: char| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0 && matches!(c, '+' | '-' | '*' | '/')
        };
        if text.chars().any(&mut open) { format!("({text})") } else { text }
    }

    pub fn node(&self, node: &Expr) -> String {
        match node {
            Expr::Given(k) => format!("given {k}"),
            Expr::Num(value) => format!("{value:?}"),
            Expr::Len(a) => format!("len({})", self.axes(AxisSet::one(*a))),
            Expr::Sum { coefs, terms, .. } => self.sum(coefs, terms),
            Expr::Prod { exponents, factors } => self.product(exponents, factors),
            Expr::Red { over, holes, x } => {
                let name = if *holes == Holes::NONE { "sum" } else { "sum_valid" };
                format!("{name}({}, {})", self.class(x[0]), self.axes(*over))
            }
            Expr::Select(x) => format!("select({}, {}, {})", self.class(x[0]), self.class(x[1]), self.class(x[2])),
            Expr::Unary(op, x) => format!("{}({})", op.name(), self.class(x[0])),
            Expr::Opaque(payload, x) => {
                let (name, last) = describe(self.eg.analysis.graph, self.eg.analysis.op(*payload));
                let mut parts: Vec<String> = x.iter().map(|c| self.class(*c)).collect();
                parts.extend(last);
                if parts.is_empty() { name } else { format!("{name}({})", parts.join(", ")) }
            }
        }
    }

    fn sum(&self, coefs: &[Rational], terms: &[Id]) -> String {
        let mut text = String::new();
        for (k, t) in coefs.iter().zip(terms) {
            let sign = match (text.is_empty(), k.is_negative()) {
                (true, false) => "",
                (true, true) => "-",
                (false, false) => " + ",
                (false, true) => " - ",
            };
            let size = k.abs().unwrap_or(*k);
            let scale = if size.is_one() { String::new() } else { format!("{size:?} * ") };
            text += &format!("{sign}{scale}{}", self.operand(*t));
        }
        text
    }

    fn product(&self, exponents: &[Rational], factors: &[Id]) -> String {
        let (mut over, mut under): (Vec<String>, Vec<String>) = (vec![], vec![]);
        for (e, f) in exponents.iter().zip(factors) {
            let size = e.abs().unwrap_or(*e);
            let text = match (size.n, size.d) {
                (1, 1) => self.operand(*f),
                (2, 1) => format!("sq({})", self.class(*f)),
                (n, 1) => format!("powi({}, {n})", self.class(*f)),
                (1, 2) => format!("sqrt({})", self.class(*f)),
                (n, 2) => format!("powi(sqrt({}), {n})", self.class(*f)),
                _ => format!("powf({}, {size:?})", self.class(*f)),
            };
            if e.is_negative() { under.push(text) } else { over.push(text) }
        }
        let mut text = if over.is_empty() { "1".to_string() } else { over.join(" * ") };
        for divisor in under {
            text += &format!(" / {divisor}");
        }
        text
    }

    fn axes(&self, axes: AxisSet) -> String {
        axis_list(self.eg.analysis.graph, axes)
    }
}

fn axis_list(graph: &Graph, axes: AxisSet) -> String {
    let names: Vec<&str> = axes.iter().map(|a| graph.axes[a.0 as usize].name.as_str()).collect();
    if names.len() == 1 { names[0].to_string() } else { format!("({})", names.join(", ")) }
}

/// An operator's name, and what follows its operands.
fn describe(graph: &Graph, op: &Op) -> (String, Option<String>) {
    let plain = |name: &str| (name.to_string(), None);
    match op {
        Op::Input(i) => plain(&graph.inputs[i.0 as usize].name),
        Op::Host(h) => plain(&graph.hosts[h.0 as usize].name),
        Op::Num(bits) => (f64::from_bits(*bits).to_string(), None),
        Op::Int(_) => plain("int"),
        Op::Index(a) => ("index".to_string(), Some(axis_list(graph, AxisSet::one(*a)))),
        Op::Binary(op, ..) => plain(op.name()),
        Op::Reduce { op, axes, .. } => (op.name().to_string(), Some(axis_list(graph, axes.iter().copied().collect()))),
        Op::Test(_) => plain("inside"),
        Op::Reindex(_, r) => ("view".to_string(), Some(axis_list(graph, r.map.iter().map(|(a, _)| *a).collect()))),
        Op::Scan { axis, .. } => ("scan".to_string(), Some(axis_list(graph, AxisSet::one(*axis)))),
        Op::Scatter { op, axis, .. } => (format!("scatter_{}", op.name()), Some(axis_list(graph, AxisSet::one(*axis)))),
        Op::Random(draw) => (format!("draw_{}", draw.number), None),
        // these have forms of their own in the language
        Op::Len(_) | Op::Unary(..) | Op::Powi(..) | Op::Select { .. } | Op::Broadcast(..) => plain("value"),
    }
}
