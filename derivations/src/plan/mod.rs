//! Stage 6: the plan. Which values are materialised, in which sweeps over memory, and what a block keeps in cache.
//!
//! In: a graph, the nodes to compute (`roots`), and nodes that are given (saved by the forward call, or its outputs).
//! Out: a [`Plan`], a list of phases independent of the target. Nothing in it mentions memory order, threads or lanes.
//!
//! The steps, one a file: `rewrite` (views of sums, deltas), `tasks` (what is materialised, with `lower`, `views` and `gemm`),
//! `levels` (which tasks share a sweep), `nests` (which sweeps share a block), `assemble` (the plan's own numbering and names).
//! Choices are made by canonical extents, in integers; the same graph gives the same plan everywhere.

mod affine;
mod assemble;
mod body;
mod cost;
mod describe;
mod gemm;
mod inplace;
pub mod interpret;
mod levels;
mod lower;
mod merge;
mod names;
mod nests;
mod rewrite;
mod roots;
mod tasks;
#[cfg(test)]
mod tests;
mod views;

pub use cost::{Cost, cost};
pub use describe::describe;
pub use names::name_roots;

use crate::graph::{
    Affine, AxisId, AxisSet, BinaryOp, Condition, Draw, Graph, HostId, InputId, IntId, Ints, NodeId, ReduceOp, UnaryOp,
};

/// A value to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    pub node: NodeId,
    /// What its elements are; `None`: the planner's choice (small values wide, arg forms as indices).
    pub elem: Option<Elem>,
    /// Whether later sweeps may read it back. Not so for gradients, which a caller may not want, or may accumulate.
    pub readable: bool,
}

impl Root {
    /// An output of the layer, or a new state.
    pub fn output(node: NodeId) -> Root {
        Root { node, elem: Some(Elem::Data), readable: true }
    }
    /// A value kept for the backward call.
    pub fn saved(node: NodeId) -> Root {
        Root { node, elem: None, readable: true }
    }
    /// A gradient: written, or added to what is there, or not wanted.
    pub fn gradient(node: NodeId) -> Root {
        Root { node, elem: Some(Elem::Data), readable: false }
    }
}

/// Plans the computation of `roots` from the graph's inputs and the `given` nodes.
pub fn plan(graph: &Graph, roots: &[Root], given: &[(NodeId, Elem)]) -> Plan {
    assemble::plan(graph, roots, given)
}

/// A materialised value: an index into [`Plan::temps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TempId(pub u32);

/// A list of phases, in order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub temps: Vec<Temp>,
    pub phases: Vec<Phase>,
    /// The integers of its index maps: the graph's, and those that composing maps has made.
    pub ints: Ints,
    /// What the caller supplies, as it was asked for: [`Leaf::Given`] counts in it.
    pub given: Vec<(NodeId, Elem)>,
}

/// A value that is stored.
#[derive(Clone, Debug)]
pub struct Temp {
    /// The graph's node that it holds, or for whose sake the planner made it.
    pub node: NodeId,
    /// A name for the generated code: the user's, or one that says what it is (`sum_dy`). Unique in the plan.
    pub name: String,
    /// Sorted by id.
    pub axes: Vec<AxisId>,
    pub scope: Scope,
    pub elem: Elem,
}

/// Where a [`Temp`] lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Inside one block of its nest's outer axes: in cache, never in memory as a whole.
    Block,
    /// In memory, from one phase to later ones, owned by the call.
    Memory,
    /// Storage of the caller: the root with this number (an output, a saved value, a gradient).
    Root(u32),
}

/// What the elements of a [`Temp`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Elem {
    /// What the layer is computed in; of an argument or output, its own type.
    Data,
    /// `f64`, whatever that is: results of reductions and small values, where rounding would be felt.
    Wide,
    /// The result of an arg form: whole numbers, one byte where the reduced axes have at most 256 positions.
    Index,
}

#[derive(Clone, Debug)]
pub enum Phase {
    Nest(Nest),
    Gemm(Gemm),
    Scatter(Scatter),
    Scan(Scan),
}

/// For each block of the outer axes (in parallel): all steps in order. With no outer axes and only `wide` sweeps it is
/// a small task.
#[derive(Clone, Debug)]
pub struct Nest {
    /// In every step's domain, and in every value passed between its steps. May be reduced over by folds that only
    /// later phases (or `after`) read: those are finished after the nest.
    pub outer: AxisSet,
    pub steps: Vec<Sweep>,
    /// Small sweeps over finished folds, once, after the last block.
    pub after: Vec<Sweep>,
}

/// One pass over a domain.
#[derive(Clone, Debug)]
pub struct Sweep {
    pub domain: AxisSet,
    /// A small domain: computed in `f64`, one element at a time ("each").
    pub wide: bool,
    /// Positions where it does not hold are skipped: no fold sees them. Empty where there are stores.
    pub guard: Vec<Condition>,
    pub body: Body,
}

/// What a sweep computes at each position: pointwise instructions over operands.
#[derive(Clone, Debug, Default)]
pub struct Body {
    pub operands: Vec<Operand>,
    /// In order: an instruction reads operands and earlier instructions only.
    pub code: Vec<Instr>,
    /// Values written, one a position. The target's axes are the domain's.
    pub stores: Vec<(TempId, Val)>,
    pub folds: Vec<Fold>,
}

/// A reduction in a sweep. Its temp's axes are the domain's but `axes`.
#[derive(Clone, Debug)]
pub struct Fold {
    pub temp: TempId,
    pub op: ReduceOp,
    /// In the order named (the index of arg forms is row-major in it).
    pub axes: Vec<AxisId>,
    pub value: Val,
}

/// A value inside a [`Body`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Val {
    /// A number by its bits.
    Num(u64),
    Operand(u32),
    Instr(u32),
}

/// One pointwise instruction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instr {
    /// The user's name for the value, if it has one: then it becomes a `let`.
    pub name: Option<String>,
    pub op: Pointwise,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pointwise {
    Unary(UnaryOp, Val),
    Binary(BinaryOp, Val, Val),
    Powi(Val, i32),
    Select { mask: Val, a: Val, b: Val },
}

/// A leaf of a body, and how it is read at a position of the domain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operand {
    pub leaf: Leaf,
    /// Axes of the leaf whose index is not the position's own. Sorted by axis.
    pub map: Vec<(AxisId, Place)>,
    /// Where it does not hold, `fill` is read instead. Without what the sweep's guard implies.
    pub valid: Vec<Condition>,
    /// The bits of an `f64`.
    pub fill: u64,
}

/// The index along one axis of a leaf.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    Affine(Affine),
    /// The value of another operand of the body (labels, an argmax), as an integer.
    Load(u32),
}

/// What an operand reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Leaf {
    Input(InputId),
    Temp(TempId),
    /// A node that the caller supplies: the number in the list of given nodes.
    Given(u32),
    Host(HostId),
    Int(IntId),
    /// The extent of an axis.
    Len(AxisId),
    /// The row-major index of the position within some axes (of one, as mapped, if the operand has a map).
    Index(Vec<AxisId>),
    /// 1 where all hold, else 0.
    Test(Vec<Condition>),
    Random(Draw),
}

/// `out[batch, m, n] = Σ_k a[batch, m, k] · b[batch, k, n]`; operands may be views (windows are packed, never built).
#[derive(Clone, Debug)]
pub struct Gemm {
    pub out: TempId,
    pub a: Operand,
    pub b: Operand,
    pub m: AxisSet,
    pub n: AxisSet,
    pub k: AxisSet,
    pub batch: AxisSet,
    /// Positions (over all four) whose product does not count.
    pub guard: Vec<Condition>,
}

/// `out[t] = a[t]·out[t−1] + b[t]` along `axis`, or from its end, for every position of the domain's other axes.
#[derive(Clone, Debug)]
pub struct Scan {
    pub out: TempId,
    pub domain: AxisSet,
    pub axis: AxisId,
    pub reverse: bool,
    /// Operands of the body; `stores` and `folds` are empty.
    pub body: Body,
    pub a: Val,
    pub b: Val,
}

/// `out[.., c, ..] = Σ x` over the positions of `domain` whose index is `c`; or the largest of them and 0.
#[derive(Clone, Debug)]
pub struct Scatter {
    pub out: TempId,
    /// `Sum` or `Max`.
    pub op: ReduceOp,
    pub domain: AxisSet,
    pub axis: AxisId,
    /// Operands of the body; `stores` and `folds` are empty.
    pub body: Body,
    pub value: Val,
    pub index: Val,
}
