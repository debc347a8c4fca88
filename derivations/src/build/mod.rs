//! Stage 3: terms to the graph. Composite words are spelled out, and holes become conditions.
//!
//! In: a [`Typed`] formula. Out: a [`Built`] graph, and what else a call must check. Invariant: no hole reaches an output;
//! where one could, there is an error that proposes `fill`.

mod adaptive;
mod holes;
mod pad;
mod reduce;
mod reindex;
mod scan;
mod scatter;

use crate::elaborate::{Check, Term, TermFill, TermId, TermOp, Typed};
use crate::error::Errors;
use crate::graph::{BinaryOp, Draw, Graph, Host, InputKind, NodeId, Op};
use crate::syntax::{Formula, ParamKind};
use holes::Holes;

/// The graph of one specialisation.
#[derive(Clone, Debug)]
pub struct Built {
    pub graph: Graph,
    /// One node an output. It may lack promised axes, and is the same along them.
    pub outputs: Vec<NodeId>,
    /// The new value of each state argument that was assigned.
    pub states: Vec<(usize, NodeId)>,
    /// The node of each argument that is read.
    pub params: Vec<Option<NodeId>>,
    /// What a call checks besides [`Typed::bindings`].
    pub checks: Vec<Check>,
}

/// Builds the graph.
pub fn build(errors: &mut Errors, formula: &Formula, typed: &Typed) -> Built {
    let mut graph = Graph::default();
    graph.ints = typed.ints.clone();
    for axis in &typed.axes {
        let id = graph.add_axis(&axis.name, axis.extent, axis.canonical);
        graph.axes[id.0 as usize].many = axis.many;
    }
    for host in &typed.hosts {
        let name = host_name(&host.tokens.to_string(), &graph.hosts);
        graph.hosts.push(Host { name, code: host.code.clone() });
    }
    let params = vec![None; formula.params.len()];
    let mut builder = Builder { errors, formula, typed, graph, values: vec![], params, checks: vec![] };
    let live = typed.live();
    for (i, term) in typed.terms.iter().enumerate() {
        let value = if live[i] { builder.term(term) } else { None };
        builder.name(term, value.as_ref());
        builder.values.push(value);
    }
    builder.finish()
}

/// The words of a constant's expression, if they are few (`eps`, `k_step_0`, `one_minus_p`); else a letter. Unique.
fn host_name(code: &str, taken: &[Host]) -> String {
    let spoken: String = code
        .chars()
        .map(|c| match c {
            '+' => " plus ".into(),
            '-' => " minus ".into(),
            '*' => " times ".into(),
            '/' => " over ".into(),
            c if c.is_alphanumeric() || matches!(c, '_' | '.') => c.to_string(),
            _ => " ".to_string(),
        })
        .collect();
    let number = |word: &str| match word.strip_suffix(".0").unwrap_or(word) {
        "0" => "zero".to_string(),
        "1" => "one".to_string(),
        "2" => "two".to_string(),
        word => word.replace('.', "_"),
    };
    let words: Vec<String> = spoken.split_whitespace().map(number).filter(|w| w != "usize" && w != "_").collect();
    let spelled = words.join("_").to_lowercase();
    let plain = spelled.len() <= 24 && spelled.starts_with(|c: char| c.is_ascii_lowercase());
    let base = if plain { spelled } else { "c".to_string() };
    let free = |name: &str| taken.iter().all(|h| h.name != name);
    if plain && free(&base) {
        return base;
    }
    (1..).map(|i| format!("{base}{i}")).find(|name| free(name)).unwrap_or(base)
}

/// A value while the graph is built: its node, and where it has holes.
#[derive(Clone, Debug)]
struct Value {
    node: NodeId,
    holes: Holes,
}

struct Builder<'a> {
    errors: &'a mut Errors,
    formula: &'a Formula,
    typed: &'a Typed,
    graph: Graph,
    values: Vec<Option<Value>>,
    params: Vec<Option<NodeId>>,
    checks: Vec<Check>,
}

impl Builder<'_> {
    fn value(&self, id: TermId) -> Option<Value> {
        self.values[id.0 as usize].clone()
    }

    /// Keeps the user's name for a node that has none.
    fn name(&mut self, term: &Term, value: Option<&Value>) {
        if let (Some(name), Some(value)) = (&term.name, value) {
            self.graph.names.entry(value.node).or_insert_with(|| name.clone());
        }
    }

    fn solid(node: NodeId) -> Option<Value> {
        Some(Value { node, holes: Holes::default() })
    }

    /// One term; `None` after an error.
    fn term(&mut self, term: &Term) -> Option<Value> {
        let args: Option<Vec<Value>> = term.args.iter().map(|a| self.value(*a)).collect();
        let args = args?;
        match &term.op {
            TermOp::Param(index) | TermOp::State(index) => Self::solid(self.param(*index)),
            TermOp::Num(value) => Self::solid(self.graph.num(*value)),
            TermOp::Host(id) => Self::solid(self.graph.add(Op::Host(*id))),
            TermOp::Index(axis) => Self::solid(self.graph.add(Op::Index(*axis))),
            TermOp::Constant { axis, values } => Self::solid(self.constant(*axis, values)),
            TermOp::Random { distribution, seed, param, number, axes } => {
                let draw = Draw { distribution: *distribution, seed: *seed, number: *number, axes: axes.clone(), param: *param };
                Self::solid(self.graph.add(Op::Random(draw)))
            }
            TermOp::Unary(_) | TermOp::Binary(_) | TermOp::Powi(_) | TermOp::Select => Some(self.pointwise(term, &args)),
            TermOp::Fill(fill) => Some(self.fill(&args[0], *fill)),
            TermOp::Reduce { kind, axes } => Some(self.reduce(*kind, axes, &args[0])),
            op => self.reindex(op, &args, term.span),
        }
    }

    fn param(&mut self, index: usize) -> NodeId {
        if let Some(node) = self.params[index] {
            return node;
        }
        let param = &self.formula.params[index];
        let (kind, list) = match &param.kind {
            ParamKind::Tensor { axes, constant: true, .. } => (InputKind::Constant, Some(axes)),
            ParamKind::Tensor { axes, .. } => (InputKind::Tensor, Some(axes)),
            ParamKind::State { axes, .. } => (InputKind::State, Some(axes)),
            ParamKind::Labels { axes } => (InputKind::Labels, Some(axes)),
            _ => (InputKind::DiffScalar, None),
        };
        let names = list.into_iter().flat_map(|l| &l.entries).map(|e| e.name.to_string());
        let axis = |name: String| self.graph.axes.iter().position(|a| a.name == name).map(|i| crate::graph::AxisId(i as u8));
        let axes: Vec<crate::graph::AxisId> = names.filter_map(axis).collect();
        let node = self.graph.add_input(&param.name.to_string(), &axes, kind);
        self.params[index] = Some(node);
        node
    }

    fn pointwise(&mut self, term: &Term, args: &[Value]) -> Value {
        let holes = args.iter().fold(Holes::default(), |holes, a| holes.union(&a.holes));
        let at = |i: usize| args[i].node;
        let node = match &term.op {
            TermOp::Unary(op) => self.graph.unary(*op, at(0)),
            TermOp::Binary(op) => self.graph.binary(*op, at(0), at(1)),
            TermOp::Powi(n) => self.graph.powi(at(0), *n),
            _ => self.graph.select(at(0), at(1), at(2)),
        };
        Value { node, holes }
    }

    fn fill(&mut self, x: &Value, fill: TermFill) -> Value {
        let test = self.solid_where(&x.holes);
        let filler = self.filler(fill);
        Value { node: self.graph.select(test, x.node, filler), holes: Holes::default() }
    }

    /// 1 where a value is no hole.
    fn solid_where(&mut self, holes: &Holes) -> NodeId {
        let test = self.graph.test(holes.conditions.clone());
        match holes.masks.split_first() {
            None => test,
            Some((first, rest)) => {
                let masks = rest.iter().fold(first.0, |all, m| self.graph.binary(BinaryOp::And, all, m.0));
                if holes.conditions.is_empty() { masks } else { self.graph.binary(BinaryOp::And, test, masks) }
            }
        }
    }

    fn constant(&mut self, axis: crate::graph::AxisId, values: &[f64]) -> NodeId {
        let index = self.graph.add(Op::Index(axis));
        let last = self.graph.num(values.last().copied().unwrap_or(0.0));
        let others = values.iter().enumerate().rev().skip(1);
        others.fold(last, |rest, (i, value)| {
            let (here, value) = (self.graph.num(i as f64), self.graph.num(*value));
            let hit = self.graph.binary(BinaryOp::Eq, index, here);
            self.graph.select(hit, value, rest)
        })
    }

    /// Outputs and states have no holes.
    fn finish(mut self) -> Built {
        let mut outputs = Vec::new();
        for id in &self.typed.outputs {
            if let Some(value) = self.value(*id) {
                self.no_holes(&value, *id, "the result");
                outputs.push(value.node);
            }
        }
        let mut states = Vec::new();
        for (param, id) in &self.typed.states {
            if let Some(value) = self.value(*id) {
                self.no_holes(&value, *id, "the state");
                self.param(*param);
                states.push((*param, value.node));
            }
        }
        Built { graph: self.graph, outputs, states, params: self.params, checks: self.checks }
    }

    fn no_holes(&mut self, value: &Value, id: TermId, what: &str) {
        if !value.holes.is_empty() {
            self.errors.span(
                self.typed.terms[id.0 as usize].span,
                format!("{what} can have holes, where a window reaches over the edge: write `fill(.., 0.0)`, or reduce over the window's taps"),
            );
        }
    }
}
