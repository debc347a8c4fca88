//! What elaboration gives: a formula as a list of terms, with every call inlined and every axis known.

use crate::graph::{AxisId, AxisSet, BinaryOp, Distribution, HostId, IntId, Ints, UnaryOp};
use proc_macro2::{Span, TokenStream};

/// A value of the formula: an index into [`Typed::terms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TermId(pub u32);

/// One specialisation of a formula: straight-line, in single assignment.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    pub axes: Vec<AxisDef>,
    pub ints: Ints,
    pub hosts: Vec<HostDef>,
    /// What a call computes and checks before anything else, in this order.
    pub bindings: Vec<Binding>,
    pub terms: Vec<Term>,
    pub outputs: Vec<TermId>,
    /// The axes that each output promises, in order.
    pub output_axes: Vec<Vec<AxisId>>,
    /// The new value of each state argument that was assigned.
    pub states: Vec<(usize, TermId)>,
    /// What is legal and probably wrong.
    pub warnings: Vec<(Span, String)>,
    /// The branches taken: this specialisation serves the calls where all of these hold.
    pub decisions: Vec<Decision>,
}

impl Typed {
    /// Which terms outputs and states depend on.
    pub fn live(&self) -> Vec<bool> {
        let mut live = vec![false; self.terms.len()];
        let mut open: Vec<TermId> = self.outputs.iter().copied().chain(self.states.iter().map(|s| s.1)).collect();
        while let Some(TermId(id)) = open.pop() {
            if !std::mem::replace(&mut live[id as usize], true) {
                open.extend(&self.terms[id as usize].args);
            }
        }
        live
    }
}

/// A named axis.
#[derive(Clone, Debug)]
pub struct AxisDef {
    pub name: String,
    /// The name that it was made with: a call's result may get another, when the extent has been written about.
    pub first_name: String,
    /// `None`: read off an argument's shape.
    pub extent: Option<IntId>,
    pub many: bool,
    pub canonical: u64,
}

/// A scalar of the call, in the user's own Rust.
#[derive(Clone, Debug)]
pub struct HostDef {
    pub kind: HostKind,
    pub tokens: TokenStream,
    /// The tokens as text: equal texts are one scalar.
    pub code: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKind {
    /// Used as a number: any numeric type or `bool`.
    Number,
    /// Used as an integer: an extent, a stride, an offset.
    Integer,
    Seed,
}

/// A branch of the call.
#[derive(Clone, Debug)]
pub struct Decision {
    pub tokens: TokenStream,
    pub code: String,
    pub value: bool,
}

#[derive(Clone, Debug)]
pub enum Binding {
    Axis(AxisId),
    Host(HostId),
    Check(Check),
}

/// What a call checks up front.
#[derive(Clone, Debug)]
pub enum Check {
    Ensure {
        condition: TokenStream,
        message: TokenStream,
    },
    /// An axis that exists is the result of an operation (`rename` to it, say): the extents agree.
    Extent {
        axis: AxisId,
        extent: IntId,
    },
    /// `split`: the extent is divisible.
    Divisible {
        axis: AxisId,
        by: IntId,
    },
    /// `slice`: `0 ≤ start ≤ end ≤ len`.
    Slice {
        axis: AxisId,
        start: IntId,
        end: IntId,
    },
    /// The options of a window over these axes, and that it fits.
    Window {
        window: TokenStream,
        axes: Vec<AxisId>,
    },
    /// Every window has an element.
    WindowFilled {
        window: TokenStream,
        axes: Vec<AxisId>,
    },
    /// A maximum or minimum over these axes is not over nothing.
    NotEmpty {
        axes: Vec<AxisId>,
        what: &'static str,
    },
    /// Labels lie in `0..len(axes)`. The argument by number.
    Labels {
        param: usize,
        axes: Vec<AxisId>,
    },
    /// So many positions lie within these axes.
    Reach {
        reach: IntId,
        axes: Vec<AxisId>,
    },
    /// Padding is not negative, and a reflection or a joined end has the elements that it takes.
    Padding {
        axis: AxisId,
        lo: IntId,
        hi: IntId,
        kind: Padding,
    },
    /// An axis is shared among so many windows, at least one.
    Outputs {
        axis: AxisId,
        count: IntId,
    },
    /// So many copies of an axis are neither negative nor too many.
    Copies {
        axis: AxisId,
        times: IntId,
    },
    /// A constant array has one number an element of the axis.
    ConstantLen {
        axis: AxisId,
        len: usize,
    },
}

#[derive(Clone, Debug)]
pub struct Term {
    pub op: TermOp,
    pub args: Vec<TermId>,
    pub axes: AxisSet,
    pub span: Span,
    /// The user's `let`.
    pub name: Option<String>,
    /// 0 and 1.
    pub mask: bool,
    /// Whole numbers that may index.
    pub integer: bool,
    /// Depends, differentiably, on an argument that receives a gradient.
    pub differentiable: bool,
}

/// Reductions of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    Sum,
    Mean,
    Prod,
    Max,
    Min,
    ArgMax,
    ArgMin,
    Var,
    LogSumExp,
    /// Whether a mask is set anywhere.
    Any,
    /// Whether a mask is set everywhere.
    All,
}

impl Reduction {
    pub fn name(self) -> &'static str {
        match self {
            Reduction::Sum => "sum",
            Reduction::Mean => "mean",
            Reduction::Prod => "prod",
            Reduction::Max => "max",
            Reduction::Min => "min",
            Reduction::ArgMax => "argmax",
            Reduction::ArgMin => "argmin",
            Reduction::Var => "var",
            Reduction::LogSumExp => "logsumexp",
            Reduction::Any => "any",
            Reduction::All => "all",
        }
    }
}

/// One axis of a window.
#[derive(Clone, Debug)]
pub struct WindowAxis {
    pub dim: usize,
    pub source: AxisId,
    pub out: AxisId,
    pub tap: AxisId,
    pub stride: IntId,
    pub dilation: IntId,
    pub padding: IntId,
    /// How much of the padding counts as zeros: the padding, or 0.
    pub counted: IntId,
}

/// One axis of a window whose positions share the axis: the `i`-th covers ⌊i·len/count⌋ to ⌈(i+1)·len/count⌉.
#[derive(Clone, Copy, Debug)]
pub struct AdaptiveAxis {
    pub source: AxisId,
    pub out: AxisId,
    pub tap: AxisId,
    pub count: IntId,
}

#[derive(Clone, Debug)]
pub enum TermOp {
    /// A tensor, labels or `#[diff]` argument.
    Param(usize),
    /// A state argument as it was when the call began.
    State(usize),
    Num(f64),
    Host(HostId),
    Index(AxisId),
    Unary(UnaryOp),
    Binary(BinaryOp),
    Powi(i32),
    Select,
    Reduce {
        kind: Reduction,
        axes: Vec<AxisId>,
    },
    Window {
        window: TokenStream,
        axes: Vec<WindowAxis>,
        divisor: HostId,
        has_divisor: HostId,
    },
    AdaptiveWindow {
        axes: Vec<AdaptiveAxis>,
    },
    Rename {
        from: AxisId,
        to: AxisId,
    },
    Split {
        axis: AxisId,
        outer: AxisId,
        inner: AxisId,
        inner_len: IntId,
    },
    Merge {
        outer: AxisId,
        inner: AxisId,
        axis: AxisId,
        inner_len: IntId,
    },
    Slice {
        axis: AxisId,
        out: AxisId,
        start: IntId,
    },
    Shift {
        axis: AxisId,
        by: IntId,
    },
    /// `y[i] = x[(i − by) mod len]`
    Roll {
        axis: AxisId,
        by: IntId,
    },
    Flip {
        axis: AxisId,
    },
    Pad {
        axis: AxisId,
        out: AxisId,
        lo: IntId,
        hi: IntId,
        kind: Padding,
    },
    /// The axis so many times over as `copies` is long.
    Repeat {
        axis: AxisId,
        out: AxisId,
        copies: AxisId,
        len: IntId,
    },
    Stack {
        axis: AxisId,
    },
    /// Each argument's own axis, and where it starts in the whole.
    Concat {
        axis: AxisId,
        parts: Vec<(AxisId, IntId)>,
    },
    /// The last argument is the index.
    Pick {
        axis: AxisId,
    },
    /// The last argument is the index. Its axes `over` are replaced by `axis`; of several elements for one place, their sum
    /// or the last.
    Scatter {
        axis: AxisId,
        over: Vec<AxisId>,
        last: bool,
    },
    /// The sums of the elements up to each position.
    Cumsum {
        axis: AxisId,
    },
    /// `h[t] = a[t]·h[t−1] + b[t]` along the axis: `a`, `b`, and the value before the first.
    Scan {
        axis: AxisId,
    },
    /// What the closure of a scan is given for the value before: a stand-in, in no value that is used.
    Before,
    /// A fixed position.
    PickAt {
        axis: AxisId,
        at: IntId,
    },
    Constant {
        axis: AxisId,
        values: Vec<f64>,
    },
    Random {
        distribution: Distribution,
        seed: HostId,
        param: Option<HostId>,
        number: u32,
        axes: Vec<AxisId>,
    },
    Fill(TermFill),
}

impl TermOp {
    /// Whether every element of the result is one of its argument's.
    pub fn only_moves(&self) -> bool {
        match self {
            TermOp::Pad { kind, .. } => !matches!(kind, Padding::Number(_)),
            TermOp::Rename { .. } | TermOp::Slice { .. } | TermOp::Split { .. } | TermOp::Merge { .. } => true,
            TermOp::Roll { .. } | TermOp::Flip { .. } | TermOp::Repeat { .. } => true,
            _ => false,
        }
    }

    /// The word that makes new axes, for messages.
    pub fn word(&self) -> &'static str {
        match self {
            TermOp::Index(_) => "index",
            TermOp::Window { .. } => "window",
            TermOp::AdaptiveWindow { .. } => "adaptive_window",
            TermOp::Rename { .. } => "rename",
            TermOp::Split { .. } => "split",
            TermOp::Merge { .. } => "merge",
            TermOp::Slice { .. } => "slice",
            TermOp::Pad { kind, .. } => kind.word(),
            TermOp::Repeat { .. } => "repeat",
            TermOp::Stack { .. } => "stack",
            TermOp::Concat { .. } => "concat",
            TermOp::Cumsum { .. } => "cumsum",
            TermOp::Scan { .. } => "scan",
            TermOp::Scatter { last: true, .. } => "scatter",
            TermOp::Scatter { .. } => "scatter_add",
            TermOp::Constant { .. } => "constant",
            TermOp::Random { distribution, .. } => match distribution {
                Distribution::Bernoulli => "bernoulli",
                Distribution::Uniform => "uniform",
                Distribution::Normal => "normal",
            },
            _ => "the value itself",
        }
    }
}

/// What lies beyond the ends of a padded axis.
#[derive(Clone, Copy, Debug)]
pub enum Padding {
    Number(TermFill),
    /// Mirrored at the first and last element.
    Reflect,
    /// The first and last element again.
    Edge,
    /// The ends joined.
    Circular,
}

impl Padding {
    pub fn word(self) -> &'static str {
        match self {
            Padding::Number(_) => "pad",
            Padding::Reflect => "pad_reflect",
            Padding::Edge => "pad_edge",
            Padding::Circular => "pad_circular",
        }
    }
}

/// The number that `fill` puts in place of holes.
#[derive(Clone, Copy, Debug)]
pub enum TermFill {
    Num(f64),
    Host(HostId),
}
