//! Nodes as mathematics, one line a value.

use super::{AxisId, AxisSet, BinaryOp, Graph, NodeId, Op, ReduceOp, UnaryOp, words};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Prints nodes. Reductions, and values used more than once, get a line and a name of their own.
pub struct Printer<'g> {
    graph: &'g Graph,
    names: RefCell<BTreeMap<NodeId, String>>,
    uses: RefCell<BTreeMap<NodeId, usize>>,
}

/// How tightly an expression binds.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Binding {
    Sum,
    Product,
    Atom,
}

impl<'g> Printer<'g> {
    /// `known` values are printed by these names.
    pub fn new(graph: &'g Graph, known: impl IntoIterator<Item = (NodeId, String)>) -> Printer<'g> {
        let mut names: BTreeMap<NodeId, String> = known.into_iter().collect();
        for (id, name) in &graph.names {
            let leaf = matches!(graph.op(*id), Op::Input(_));
            if leaf {
                names.insert(*id, name.clone());
            }
        }
        Printer { graph, names: RefCell::new(names), uses: RefCell::default() }
    }

    /// Appends the lines that define a gradient, and what it is made of.
    pub fn gradient(&self, lines: &mut Vec<String>, name: &str, node: NodeId) {
        self.count(node);
        let text = self.text(lines, node).0;
        lines.push(format!("{name} = {text}"));
        self.names.borrow_mut().entry(node).or_insert_with(|| name.to_string());
    }

    fn count(&self, node: NodeId) {
        let seen = {
            let mut uses = self.uses.borrow_mut();
            let n = uses.entry(node).or_insert(0);
            *n += 1;
            *n > 1
        };
        if !seen && !self.names.borrow().contains_key(&node) {
            for x in self.graph.op(node).operands() {
                self.count(x);
            }
        }
    }

    /// The text of a node; values that deserve a name are defined first.
    fn text(&self, lines: &mut Vec<String>, node: NodeId) -> (String, Binding) {
        if let Some(name) = self.names.borrow().get(&node) {
            return (name.clone(), Binding::Atom);
        }
        let (text, binding) = self.written_out(lines, node);
        let op = self.graph.op(node);
        let shared = self.uses.borrow().get(&node).is_some_and(|n| *n > 1);
        let compound = !op.operands().is_empty();
        if compound && (matches!(op, Op::Reduce { .. }) || shared) {
            let name = self.name(node);
            lines.push(format!("{name} = {text}"));
            self.names.borrow_mut().insert(node, name.clone());
            return (name, Binding::Atom);
        }
        (text, binding)
    }

    fn name(&self, node: NodeId) -> String {
        let taken =
            |name: &str| self.names.borrow().values().any(|n| n == name) || self.graph.inputs.iter().any(|i| i.name == name);
        let base = words(self.graph, node).unwrap_or_else(|| match self.graph.op(node) {
            Op::Reduce { op, .. } => op.name().to_string(),
            _ => "t".to_string(),
        });
        let numbered = (2..).map(|i| format!("{base}_{i}"));
        std::iter::once(base.clone()).chain(numbered).find(|n| !taken(n)).unwrap_or(base)
    }

    fn wrapped(&self, lines: &mut Vec<String>, node: NodeId, at_least: Binding) -> String {
        let (text, binding) = self.text(lines, node);
        if binding < at_least { format!("({text})") } else { text }
    }

    fn written_out(&self, lines: &mut Vec<String>, node: NodeId) -> (String, Binding) {
        let g = self.graph;
        let atom = |text: String| (text, Binding::Atom);
        match g.op(node) {
            Op::Input(i) => atom(g.inputs[i.0 as usize].name.clone()),
            Op::Num(bits) => atom(f64::from_bits(*bits).to_string()),
            Op::Host(h) => atom(g.hosts[h.0 as usize].name.clone()),
            Op::Len(a) => atom(format!("len({})", self.axis(*a))),
            Op::Index(a) => atom(format!("index({})", self.axis(*a))),
            Op::Int(_) => atom("n".into()),
            Op::Broadcast(x, _) => self.text(lines, *x),
            Op::Unary(UnaryOp::Neg, x) => (format!("-{}", self.wrapped(lines, *x, Binding::Product)), Binding::Sum),
            Op::Unary(u, x) => atom(format!("{}({})", u.name(), self.text(lines, *x).0)),
            Op::Powi(x, 2) => atom(format!("{}²", self.wrapped(lines, *x, Binding::Atom))),
            Op::Powi(x, 3) => atom(format!("{}³", self.wrapped(lines, *x, Binding::Atom))),
            Op::Powi(x, n) => atom(format!("{}^{n}", self.wrapped(lines, *x, Binding::Atom))),
            Op::Binary(op, a, b) => self.binary(lines, *op, *a, *b),
            Op::Select { mask, a, b } => {
                let [m, a, b] = [mask, a, b].map(|x| self.text(lines, *x).0);
                atom(format!("select({m}, {a}, {b})"))
            }
            Op::Test(_) => atom("inside".into()),
            Op::Reduce { op, axes, x, .. } => {
                let set: AxisSet = axes.iter().copied().collect();
                if *op == ReduceOp::Sum {
                    (format!("Σ{} {}", self.subscript(set), self.wrapped(lines, *x, Binding::Product)), Binding::Product)
                } else {
                    atom(format!("{}{}({})", op.name(), self.subscript(set), self.text(lines, *x).0))
                }
            }
            Op::Reindex(x, r) => {
                let moved: AxisSet = r.map.iter().map(|(a, _)| *a).collect();
                atom(format!("{}[{}]", self.wrapped(lines, *x, Binding::Atom), self.list(moved)))
            }
            Op::Scan { axis, a, b, .. } => {
                let (a, b) = (self.text(lines, *a).0, self.text(lines, *b).0);
                atom(format!("scan({a}, {b}, {})", self.axis(*axis)))
            }
            Op::Scatter { op, x, axis, .. } => {
                let word = if *op == ReduceOp::Max { "last" } else { "scatter_add" };
                atom(format!("{word}({}, {})", self.text(lines, *x).0, self.axis(*axis)))
            }
            Op::Random(d) => atom(format!("draw{}", d.number)),
        }
    }

    fn binary(&self, lines: &mut Vec<String>, op: BinaryOp, a: NodeId, b: NodeId) -> (String, Binding) {
        use Binding::{Atom, Product, Sum};
        let (symbol, left, right, binding) = match op {
            BinaryOp::Add => ("+", Sum, Sum, Sum),
            BinaryOp::Sub => ("-", Sum, Product, Sum),
            BinaryOp::Mul => ("·", Product, Product, Product),
            BinaryOp::Div => ("/", Product, Atom, Product),
            op => {
                let (a, b) = (self.text(lines, a).0, self.text(lines, b).0);
                return (format!("{}({a}, {b})", op.name()), Atom);
            }
        };
        let (a, b) = (self.wrapped(lines, a, left), self.wrapped(lines, b, right));
        let text = if symbol == "·" { format!("{a}·{b}") } else { format!("{a} {symbol} {b}") };
        (text, binding)
    }

    fn axis(&self, axis: AxisId) -> String {
        self.graph.axes[axis.0 as usize].name.clone()
    }
    fn list(&self, axes: AxisSet) -> String {
        axes.iter().map(|a| self.axis(a)).collect::<Vec<_>>().join(",")
    }
    fn subscript(&self, axes: AxisSet) -> String {
        format!("[{}]", self.list(axes))
    }
}
