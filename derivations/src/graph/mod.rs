//! Stage 3: the named-axis graph. Hash-consed nodes over axis sets; pointful underneath.
//!
//! In: a typed formula (through [`Graph`]'s constructors, in `build`). Out: nodes in topological order, each with its
//! axis set. Invariants: a node's operands have smaller ids; a node's axis set follows from its operands
//! ([`Graph::axes_of`]); nothing mentions memory order, element types, spans or layers.

mod affine;
mod axis;
pub mod eval;
mod int;
mod op;
pub mod print;
pub mod special;
mod words;

pub use affine::{Affine, Condition, Reindex, Source, Transpose, condition_axes};
pub use axis::{AxisId, AxisSet};
pub use int::{Int, IntId, Ints};
pub use op::{BinaryOp, ReduceOp, UnaryOp};
pub use words::words;

use std::collections::{BTreeMap, HashMap};

/// A node of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// An input of a [`Graph`]: an argument of the formula, or a cotangent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InputId(pub u32);

/// A scalar that is the same over a whole call: an index into [`Graph::hosts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostId(pub u32);

/// What an [`Input`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InputKind {
    /// A tensor that receives a gradient.
    Tensor,
    /// A `#[constant]` tensor.
    Constant,
    /// A learned scalar, `#[diff] t: f64`: no axes, always wide, receives a gradient.
    DiffScalar,
    /// Integer indices (`i64`).
    Labels,
    /// The value of a state variable when the call begins.
    State,
    /// The cotangent of the output with this number.
    Cotangent(u32),
}

/// A leaf tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    pub name: String,
    /// In the declared order, which is the array's.
    pub axes: Vec<AxisId>,
    pub kind: InputKind,
}

/// A named axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    pub name: String,
    /// How the extent follows from others; `None`: read off an input's shape.
    pub extent: Option<IntId>,
    /// A plausible extent: the planner's and the cost function's choices use these, never run-time ones.
    pub canonical: u64,
    /// Declared as `Many<..>`: any number of dimensions, flattened.
    pub many: bool,
}

/// A scalar computed by the user's own Rust (`1.0 - p`, `k.stride(0)`), once a call. Always an `f64` or an integer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// A name for the generated code.
    pub name: String,
    /// The Rust expression, as text; axis lengths appear as `len_<axis>` variables.
    pub code: String,
}

/// How random numbers are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Distribution {
    /// 1 with the probability given by the parameter, else 0.
    Bernoulli,
    /// Uniform on [0, 1).
    Uniform,
    /// Standard normal.
    Normal,
}

/// A stream of draws: element `i` (row-major over `axes` as listed) of draw number `draw` of the generator `seed`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Draw {
    pub distribution: Distribution,
    /// The seed (`u64`), an expression of the user's.
    pub seed: HostId,
    /// In textual order after inlining.
    pub number: u32,
    /// Order matters: it defines the element index.
    pub axes: Vec<AxisId>,
    /// The keep probability of `Bernoulli`.
    pub param: Option<HostId>,
}

/// What a node computes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    Input(InputId),
    /// The bits of an `f64` (never NaN; −0 only where written).
    Num(u64),
    Host(HostId),
    /// The extent of an axis, as a number.
    Len(AxisId),
    /// The position along an axis, as a number.
    Index(AxisId),
    /// A symbolic integer, as a number.
    Int(IntId),
    /// The value itself, the same along further axes. Only outputs and gradients need it.
    Broadcast(NodeId, AxisSet),
    Unary(UnaryOp, NodeId),
    Binary(BinaryOp, NodeId, NodeId),
    /// `xⁿ`, by multiplication.
    Powi(NodeId, i32),
    /// Element by element: `a` where the mask is not 0, else `b`; the other is not looked at.
    Select {
        mask: NodeId,
        a: NodeId,
        b: NodeId,
    },
    /// 1 where all conditions hold, else 0. Its axes are those of the conditions, and `over`.
    Test(Vec<Condition>),
    /// A reduction of `x` over `axes` (in the order named), skipping positions where `valid` does not hold (holes).
    /// `x` need not have all of `axes`: a sum then counts.
    Reduce {
        op: ReduceOp,
        axes: Vec<AxisId>,
        x: NodeId,
        valid: Vec<Condition>,
    },
    Reindex(NodeId, Reindex),
    /// `y[.., c, ..] = Σ x[..]` over the positions whose `index` is `c`, summed over `over`; transposes a gather. Or the
    /// largest of them and 0.
    Scatter {
        /// `Sum` or `Max`.
        op: ReduceOp,
        x: NodeId,
        axis: AxisId,
        index: NodeId,
        over: AxisSet,
    },
    /// `y[t] = a[t]·y[t−1] + b[t]` along an axis, from 0; with `reverse`, `y[t] = a[t]·y[t+1] + b[t]`.
    Scan {
        axis: AxisId,
        reverse: bool,
        a: NodeId,
        b: NodeId,
    },
    Random(Draw),
}

impl Op {
    /// The operands, in order.
    pub fn operands(&self) -> Vec<NodeId> {
        match self {
            Op::Input(_) | Op::Num(_) | Op::Host(_) | Op::Len(_) | Op::Index(_) | Op::Int(_) | Op::Test(_) | Op::Random(_) => {
                vec![]
            }
            Op::Broadcast(x, _) | Op::Unary(_, x) | Op::Powi(x, _) | Op::Reduce { x, .. } => vec![*x],
            Op::Binary(_, a, b) | Op::Scan { a, b, .. } => vec![*a, *b],
            Op::Select { mask, a, b } => vec![*mask, *a, *b],
            Op::Reindex(x, r) => {
                let loads = r.map.iter().filter_map(|(_, s)| match s {
                    Source::Load(id) => Some(*id),
                    Source::Affine(_) => None,
                });
                std::iter::once(*x).chain(loads).collect()
            }
            Op::Scatter { x, index, .. } => vec![*x, *index],
        }
    }
    /// The same operator on other operands, given in the order of [`Op::operands`].
    pub fn with_operands(&self, mut f: impl FnMut(NodeId) -> NodeId) -> Op {
        let mut op = self.clone();
        match &mut op {
            Op::Input(_) | Op::Num(_) | Op::Host(_) | Op::Len(_) | Op::Index(_) | Op::Int(_) | Op::Test(_) | Op::Random(_) => {}
            Op::Broadcast(x, _) | Op::Unary(_, x) | Op::Powi(x, _) | Op::Reduce { x, .. } => *x = f(*x),
            Op::Binary(_, a, b) | Op::Scan { a, b, .. } => (*a, *b) = (f(*a), f(*b)),
            Op::Select { mask, a, b } => (*mask, *a, *b) = (f(*mask), f(*a), f(*b)),
            Op::Reindex(x, r) => {
                *x = f(*x);
                for (_, source) in &mut r.map {
                    if let Source::Load(id) = source {
                        *id = f(*id);
                    }
                }
            }
            Op::Scatter { x, index, .. } => (*x, *index) = (f(*x), f(*index)),
        }
        op
    }
    /// Computed element by element from operands at the same position.
    pub fn is_pointwise(&self) -> bool {
        matches!(self, Op::Broadcast(..) | Op::Unary(..) | Op::Binary(..) | Op::Powi(..) | Op::Select { .. })
    }
}

/// The graph of one specialisation of a formula.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub axes: Vec<Axis>,
    pub inputs: Vec<Input>,
    pub hosts: Vec<Host>,
    pub ints: Ints,
    ops: Vec<Op>,
    sets: Vec<AxisSet>,
    ids: HashMap<Op, NodeId>,
    /// Nodes with smaller ids are the user's own: their sums and differences are never taken apart. Set when
    /// differentiation begins; `u32::MAX` before.
    pub forward_end: Option<u32>,
    /// Names for the generated code: the user's `let`s.
    pub names: BTreeMap<NodeId, String>,
}

impl Graph {
    pub fn len(&self) -> usize {
        self.ops.len()
    }
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..self.ops.len() as u32).map(NodeId)
    }
    pub fn op(&self, id: NodeId) -> &Op {
        &self.ops[id.0 as usize]
    }
    /// The axes of a node.
    pub fn axes_of(&self, id: NodeId) -> AxisSet {
        self.sets[id.0 as usize]
    }
    /// Whether the user wrote the node (rather than the adjoint).
    pub fn is_forward(&self, id: NodeId) -> bool {
        self.forward_end.is_none_or(|end| id.0 < end)
    }
    /// The product of the canonical extents.
    pub fn canonical_size(&self, axes: AxisSet) -> u64 {
        axes.iter().map(|a| self.axes[a.0 as usize].canonical).product()
    }
    /// The value of a literal.
    pub fn as_num(&self, id: NodeId) -> Option<f64> {
        match self.op(id) {
            Op::Num(bits) => Some(f64::from_bits(*bits)),
            _ => None,
        }
    }

    pub fn add_axis(&mut self, name: &str, extent: Option<IntId>, canonical: u64) -> AxisId {
        self.axes.push(Axis { name: name.into(), extent, canonical, many: false });
        AxisId(self.axes.len() as u8 - 1)
    }
    pub fn add_input(&mut self, name: &str, axes: &[AxisId], kind: InputKind) -> NodeId {
        self.inputs.push(Input { name: name.into(), axes: axes.to_vec(), kind });
        self.add(Op::Input(InputId(self.inputs.len() as u32 - 1)))
    }
    /// The host scalar of this code; equal codes are one host.
    pub fn add_host(&mut self, name: &str, code: &str) -> HostId {
        let at = self.hosts.iter().position(|h| h.code == code).unwrap_or_else(|| {
            self.hosts.push(Host { name: name.into(), code: code.into() });
            self.hosts.len() - 1
        });
        HostId(at as u32)
    }

    /// Adds a node, or finds the equal one.
    pub fn add(&mut self, op: Op) -> NodeId {
        if let Some(&id) = self.ids.get(&op) {
            return id;
        }
        let set = self.set_of(&op);
        let id = NodeId(self.ops.len() as u32);
        self.ops.push(op.clone());
        self.sets.push(set);
        self.ids.insert(op, id);
        id
    }

    fn set_of(&self, op: &Op) -> AxisSet {
        self.axes_with(op, &|id| self.axes_of(id))
    }

    /// The axes of an operator's value, from those of its operands.
    pub fn axes_with(&self, op: &Op, of: &dyn Fn(NodeId) -> AxisSet) -> AxisSet {
        let of = |id: &NodeId| of(*id);
        match op {
            Op::Input(i) => self.inputs[i.0 as usize].axes.iter().copied().collect(),
            Op::Num(_) | Op::Host(_) | Op::Len(_) | Op::Int(_) => AxisSet::EMPTY,
            Op::Index(a) => AxisSet::one(*a),
            Op::Broadcast(x, axes) => of(x) | *axes,
            Op::Unary(_, x) | Op::Powi(x, _) => of(x),
            Op::Binary(_, a, b) => of(a) | of(b),
            Op::Select { mask, a, b } => of(mask) | of(a) | of(b),
            Op::Test(conditions) => condition_axes(conditions),
            Op::Reduce { axes, x, valid, .. } => (of(x) | condition_axes(valid)) - axes.iter().copied().collect(),
            Op::Reindex(x, r) => {
                let mapped: AxisSet = r.map.iter().map(|(a, _)| *a).collect();
                let read = r.map.iter().fold(AxisSet::EMPTY, |set, (_, source)| match source {
                    Source::Affine(e) => set | e.axes(),
                    Source::Load(id) => set | of(id),
                });
                (of(x) - mapped) | read | condition_axes(&r.valid)
            }
            Op::Scan { axis, a, b, .. } => of(a) | of(b) | AxisSet::one(*axis),
            Op::Scatter { x, axis, index, over, .. } => ((of(x) | of(index)) - *over) | AxisSet::one(*axis),
            Op::Random(draw) => draw.axes.iter().copied().collect(),
        }
    }

    // Constructors with the folding that every stage wants. They keep IEEE results: no `0·x → 0`.

    pub fn num(&mut self, value: f64) -> NodeId {
        self.add(Op::Num(value.to_bits()))
    }
    pub fn unary(&mut self, op: UnaryOp, x: NodeId) -> NodeId {
        match (op, self.as_num(x), self.op(x)) {
            (UnaryOp::Stop, ..) => self.add(Op::Unary(op, x)),
            (_, Some(value), _) if !op.eval(value).is_nan() => self.num(op.eval(value)),
            (UnaryOp::Neg, _, Op::Unary(UnaryOp::Neg, y)) => *y,
            _ => self.add(Op::Unary(op, x)),
        }
    }
    pub fn binary(&mut self, op: BinaryOp, a: NodeId, b: NodeId) -> NodeId {
        use BinaryOp::*;
        let (x, y) = (self.as_num(a), self.as_num(b));
        if let (Some(x), Some(y)) = (x, y) {
            let value = op.eval(x, y);
            if !value.is_nan() {
                return self.num(value);
            }
        }
        match (op, x, y) {
            (Add, Some(0.0), _) | (Mul, Some(1.0), _) => b,
            (Add | Sub, _, Some(0.0)) | (Mul | Div | Pow, _, Some(1.0)) => a,
            (Mul | Div, _, Some(-1.0)) => self.unary(UnaryOp::Neg, a),
            (Mul, Some(-1.0), _) => self.unary(UnaryOp::Neg, b),
            (Sub, Some(0.0), _) => self.unary(UnaryOp::Neg, b),
            _ => self.add(Op::Binary(op, a, b)),
        }
    }
    pub fn powi(&mut self, x: NodeId, n: i32) -> NodeId {
        match (n, self.as_num(x)) {
            (0, _) => self.num(1.0),
            (1, _) => x,
            (_, Some(value)) => self.num(value.powi(n)),
            _ => self.add(Op::Powi(x, n)),
        }
    }
    pub fn select(&mut self, mask: NodeId, a: NodeId, b: NodeId) -> NodeId {
        match self.as_num(mask) {
            _ if a == b => a,
            Some(0.0) => b,
            Some(_) => a,
            None => self.add(Op::Select { mask, a, b }),
        }
    }
    /// The value over at least `axes`.
    pub fn broadcast(&mut self, x: NodeId, axes: AxisSet) -> NodeId {
        if axes.is_subset(self.axes_of(x)) { x } else { self.add(Op::Broadcast(x, axes)) }
    }
    /// A mask of index conditions.
    pub fn test(&mut self, mut conditions: Vec<Condition>) -> NodeId {
        conditions.sort();
        conditions.dedup();
        if conditions.is_empty() { self.num(1.0) } else { self.add(Op::Test(conditions)) }
    }
    /// A reduction that skips nothing.
    pub fn reduce(&mut self, op: ReduceOp, axes: &[AxisId], x: NodeId) -> NodeId {
        self.reduce_valid(op, axes, x, vec![])
    }
    /// A reduction over the positions where `valid` holds.
    pub fn reduce_valid(&mut self, op: ReduceOp, axes: &[AxisId], x: NodeId, mut valid: Vec<Condition>) -> NodeId {
        let value = !matches!(op, ReduceOp::ArgMax | ReduceOp::ArgMin);
        if axes.is_empty() && value && valid.is_empty() {
            return x;
        }
        let mut axes = axes.to_vec();
        if matches!(op, ReduceOp::Sum | ReduceOp::Prod) {
            // the named order settles ties, and nothing else
            axes.sort();
        }
        valid.sort();
        valid.dedup();
        self.add(Op::Reduce { op, axes, x, valid })
    }
    pub fn sum(&mut self, axes: impl Into<AxisSet>, x: NodeId) -> NodeId {
        let axes: Vec<AxisId> = axes.into().iter().collect();
        self.reduce(ReduceOp::Sum, &axes, x)
    }
    /// The product of the extents, as a number.
    pub fn lens(&mut self, axes: impl Into<AxisSet>) -> NodeId {
        let one = self.num(1.0);
        axes.into().iter().fold(one, |product, a| {
            let len = self.add(Op::Len(a));
            self.binary(BinaryOp::Mul, product, len)
        })
    }
    pub fn reindex(&mut self, x: NodeId, mut reindex: Reindex) -> NodeId {
        reindex.map.sort();
        reindex.valid.sort();
        reindex.valid.dedup();
        self.add(Op::Reindex(x, reindex))
    }
}
