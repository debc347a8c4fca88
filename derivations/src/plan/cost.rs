//! What a plan costs: operations, by a fixed table, and memory traffic, at canonical extents.

use super::{Body, Gemm, Leaf, Nest, Operand, Phase, Place, Plan, Pointwise, Scan, Scatter, Scope, Sweep, Temp, TempId, Val};
use crate::graph::{AxisId, AxisSet, BinaryOp, Condition, Graph, Int, Ints, Op, Reindex, Source, UnaryOp, condition_axes};

/// The memory traffic of a plan, in tensors of full size (more than an eighth of the largest).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Full-size tensors read from memory: once a nest, however many of its sweeps read them.
    pub full_reads: usize,
    /// Full-size tensors written to memory.
    pub full_writes: usize,
    /// Sweeps over full-size domains.
    pub sweeps: usize,
    /// Nests with such sweeps.
    pub nests: usize,
    /// Reductions over full-size domains.
    pub full_reductions: usize,
    /// Full-size temps that are neither a root nor in cache.
    pub memory_temps: usize,
    /// Full-size temps that stay in cache.
    pub block_temps: usize,
    /// Contractions.
    pub gemms: usize,
    /// Scatters.
    pub scatters: usize,
    /// Phases of recurrences along an axis.
    pub scans: usize,
}

/// Counts what a plan moves.
pub fn cost(graph: &Graph, plan: &Plan) -> Cost {
    let mut counter = Counter { graph, plan, full: 1, cost: Cost::default() };
    counter.full = counter.largest();
    for phase in &plan.phases {
        match phase {
            Phase::Nest(nest) => counter.nest(nest),
            Phase::Gemm(gemm) => counter.gemm(gemm),
            Phase::Scatter(scatter) => counter.scatter(scatter),
            Phase::Scan(scan) => counter.scan(scan),
        }
    }
    let full = |t: &&Temp| counter.is_full(t.axes.iter().copied().collect());
    let count = |scope| plan.temps.iter().filter(full).filter(|t| t.scope == scope).count();
    let (memory_temps, block_temps) = (count(Scope::Memory), count(Scope::Block));
    Cost { memory_temps, block_temps, ..counter.cost }
}

struct Counter<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    full: u64,
    cost: Cost,
}

impl Counter<'_> {
    fn temp_axes(&self, temp: TempId) -> AxisSet {
        self.plan.temps[temp.0 as usize].axes.iter().copied().collect()
    }
    fn leaf_axes(&self, leaf: &Leaf) -> AxisSet {
        match leaf {
            Leaf::Input(i) => self.graph.inputs[i.0 as usize].axes.iter().copied().collect(),
            Leaf::Temp(t) => self.temp_axes(*t),
            Leaf::Given(k) => self.graph.axes_of(self.plan.given[*k as usize].0),
            _ => AxisSet::EMPTY,
        }
    }
    fn is_full(&self, axes: AxisSet) -> bool {
        self.graph.canonical_size(axes) * 8 > self.full
    }
    /// The largest tensor that is read or written.
    fn largest(&self) -> u64 {
        let mut axes: Vec<AxisSet> = (0..self.plan.temps.len() as u32).map(|t| self.temp_axes(TempId(t))).collect();
        for phase in &self.plan.phases {
            let bodies: Vec<&Operand> = match phase {
                Phase::Nest(n) => n.steps.iter().chain(&n.after).flat_map(|s| &s.body.operands).collect(),
                Phase::Gemm(g) => vec![&g.a, &g.b],
                Phase::Scatter(s) => s.body.operands.iter().collect(),
                Phase::Scan(s) => s.body.operands.iter().collect(),
            };
            axes.extend(bodies.into_iter().map(|o| self.leaf_axes(&o.leaf)));
        }
        axes.into_iter().map(|a| self.graph.canonical_size(a)).max().unwrap_or(1)
    }
    /// Full-size tensors in memory among these leaves, each once.
    fn reads<'o>(&self, operands: impl Iterator<Item = &'o Operand>) -> usize {
        let mut seen: Vec<&Leaf> = vec![];
        for operand in operands.filter(|o| self.is_full(self.leaf_axes(&o.leaf))) {
            let cached = matches!(operand.leaf, Leaf::Temp(t) if self.plan.temps[t.0 as usize].scope == Scope::Block);
            if !cached && !seen.contains(&&operand.leaf) {
                seen.push(&operand.leaf);
            }
        }
        seen.len()
    }
    fn write(&mut self, temp: TempId) {
        let kept = self.plan.temps[temp.0 as usize].scope != Scope::Block;
        self.cost.full_writes += usize::from(kept && self.is_full(self.temp_axes(temp)));
    }
    fn nest(&mut self, nest: &Nest) {
        let full: Vec<&Sweep> = nest.steps.iter().filter(|s| self.is_full(s.domain)).collect();
        self.cost.nests += usize::from(!full.is_empty());
        self.cost.sweeps += full.len();
        self.cost.full_reductions += full.iter().map(|s| s.body.folds.len()).sum::<usize>();
        self.cost.full_reads += self.reads(full.iter().flat_map(|s| &s.body.operands));
        for sweep in &nest.steps {
            sweep.body.stores.iter().for_each(|s| self.write(s.0));
            sweep.body.folds.iter().for_each(|f| self.write(f.temp));
        }
    }
    fn gemm(&mut self, gemm: &Gemm) {
        self.cost.gemms += 1;
        self.cost.full_reads += self.reads([&gemm.a, &gemm.b].into_iter());
        self.write(gemm.out);
    }
    fn scan(&mut self, scan: &Scan) {
        self.cost.scans += 1;
        self.cost.full_reads += self.reads(scan.body.operands.iter());
        self.write(scan.out);
    }
    fn scatter(&mut self, scatter: &Scatter) {
        self.cost.scatters += 1;
        self.cost.full_reads += self.reads(scatter.body.operands.iter());
        self.write(scatter.out);
    }
}

/// The operations that one element of a node takes.
pub(super) fn op_cost(op: &Op) -> u64 {
    match op {
        Op::Unary(u, _) => unary_cost(*u),
        Op::Binary(b, ..) => binary_cost(*b),
        Op::Powi(_, n) => powi_cost(*n),
        Op::Select { .. } | Op::Test(_) => 1,
        Op::Random(_) => 10,
        _ => 0,
    }
}
fn unary_cost(u: UnaryOp) -> u64 {
    use UnaryOp::*;
    match u {
        Stop => 0,
        Neg | Abs | Sign | Not | Floor | Ceil | Round => 1,
        Recip => 4,
        Sqrt | Rsqrt => 6,
        _ => 12,
    }
}
fn binary_cost(b: BinaryOp) -> u64 {
    match b {
        BinaryOp::Div => 4,
        BinaryOp::Pow | BinaryOp::Atan2 | BinaryOp::Hypot => 12,
        _ => 1,
    }
}
fn powi_cost(n: i32) -> u64 {
    let multiplications = u64::from(33 - n.unsigned_abs().leading_zeros());
    multiplications + if n < 0 { 4 } else { 0 }
}
fn instr_cost(op: &Pointwise) -> u64 {
    match op {
        Pointwise::Unary(u, _) => unary_cost(*u),
        Pointwise::Binary(b, ..) => binary_cost(*b),
        Pointwise::Powi(_, n) => powi_cost(*n),
        Pointwise::Select { .. } => 1,
    }
}

/// By how much a divisibility condition thins out the positions.
pub(super) fn stride(graph: &Graph, ints: &Ints, c: &Condition, view: Option<&Reindex>) -> u64 {
    let Condition::Divides { e, by } = c else { return 1 };
    if let Some(value) = ints.as_const(*by) {
        return value.max(1) as u64;
    }
    let canonical = |a: AxisId| graph.axes[a.0 as usize].canonical.max(1);
    let longest = e.terms.iter().map(|(a, _)| canonical(*a)).max().unwrap_or(1);
    let mapped = view.and_then(|r| {
        r.map.iter().find_map(|(axis, source)| match source {
            Source::Affine(f) if f.div == Some(*by) => Some(canonical(*axis)),
            _ => None,
        })
    });
    match (mapped, ints.get(*by)) {
        (Some(axis), _) => ((longest + axis / 2) / axis).max(1),
        (None, Int::Len(axis)) => canonical(axis),
        (None, _) => 1,
    }
}

/// The axes on which each operand of a body depends, then each instruction.
pub(super) fn body_axes(body: &Body, leaf_axes: &dyn Fn(&Leaf) -> AxisSet) -> (Vec<AxisSet>, Vec<AxisSet>) {
    let mut operands: Vec<AxisSet> = vec![];
    for operand in &body.operands {
        let axes = operand_axes(operand, leaf_axes(&operand.leaf), &operands);
        operands.push(axes);
    }
    let mut code: Vec<AxisSet> = vec![];
    for instr in &body.code {
        let of = |val: Val| match val {
            Val::Num(_) => AxisSet::EMPTY,
            Val::Operand(at) => operands[at as usize],
            Val::Instr(at) => code[at as usize],
        };
        let axes = instr.op.operands().into_iter().fold(AxisSet::EMPTY, |set, val| set | of(val));
        code.push(axes);
    }
    (operands, code)
}
/// The axes of the sweep on which an operand depends.
fn operand_axes(operand: &Operand, leaf: AxisSet, earlier: &[AxisSet]) -> AxisSet {
    let mapped: AxisSet = operand.map.iter().map(|(a, _)| *a).collect();
    operand.map.iter().fold((leaf - mapped) | condition_axes(&operand.valid), |set, (_, place)| match place {
        Place::Affine(e) => set | e.axes(),
        Place::Load(at) => set | earlier[*at as usize],
    })
}

/// The operations of a body over a domain, invariant ones counted once.
pub(super) fn body_work(
    graph: &Graph,
    ints: &Ints,
    body: &Body,
    guard: &[Condition],
    leaf_axes: &dyn Fn(&Leaf) -> AxisSet,
) -> u64 {
    let (operands, code) = body_axes(body, leaf_axes);
    let thinned: u64 = guard.iter().map(|c| stride(graph, ints, c, None)).product();
    let draws = body.operands.iter().zip(&operands).map(|(o, axes)| match o.leaf {
        Leaf::Random(_) => 10 * graph.canonical_size(*axes),
        Leaf::Test(_) => graph.canonical_size(*axes),
        _ => 0,
    });
    let instrs = body.code.iter().zip(&code).map(|(i, axes)| instr_cost(&i.op) * graph.canonical_size(*axes));
    draws.chain(instrs).sum::<u64>() / thinned.max(1)
}
