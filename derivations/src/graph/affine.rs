//! Quasi-affine index maps: how one position is found from others.
//!
//! A window, shift, slice, pad, split, merge, rename and stack are all the same thing, a [`Reindex`].

use super::{AxisId, AxisSet, IntId, NodeId};

/// `⌊(Σ coefficient·index + offset) / div⌋`, then `mod modulo` if there is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Affine {
    /// One coefficient an axis, sorted by axis, each axis once.
    pub terms: Vec<(AxisId, IntId)>,
    pub offset: IntId,
    /// Floor division; `None` is 1. Positive.
    pub div: Option<IntId>,
    /// Euclidean remainder after the division. Positive.
    pub modulo: Option<IntId>,
}

impl Affine {
    /// The axes whose indices it reads.
    pub fn axes(&self) -> AxisSet {
        self.terms.iter().map(|(a, _)| *a).collect()
    }
}

/// Where an index of the source comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    Affine(Affine),
    /// The value of an integer input (labels) or of an argmax.
    Load(NodeId),
}

/// A condition on a position.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Condition {
    /// `lo ≤ e < hi`
    Range { e: Affine, lo: IntId, hi: IntId },
    /// `e ≡ 0 (mod by)`; `e` has neither `div` nor `modulo`.
    Divides { e: Affine, by: IntId },
}

impl Condition {
    pub fn affine(&self) -> &Affine {
        match self {
            Condition::Range { e, .. } | Condition::Divides { e, .. } => e,
        }
    }
    pub fn axes(&self) -> AxisSet {
        self.affine().axes()
    }
}

/// The axes that a conjunction of conditions reads.
pub fn condition_axes(conditions: &[Condition]) -> AxisSet {
    conditions.iter().fold(AxisSet::EMPTY, |set, c| set | c.axes())
}

/// `y[i] = x[map(i)]` where all `valid` conditions hold at `i`, else `fill`.
/// Axes of `x` that `map` does not name keep their index.
///
/// Several maps apply at once (simultaneous substitution). Where `valid` does not hold nothing is read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reindex {
    /// Source axis → its index. Sorted by source axis. The map's own axes are those of the result.
    pub map: Vec<(AxisId, Source)>,
    /// Sorted; empty: everywhere.
    pub valid: Vec<Condition>,
    /// The bits of the `f64` read where `valid` does not hold.
    pub fill: u64,
    /// The transpose of an affine map, as its constructor knows it: `x̄ = Σ_over ȳ[map] where valid`.
    pub transpose: Option<Box<Transpose>>,
}

/// How the adjoint of a [`Reindex`] gathers from the cotangent of its result.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Transpose {
    /// Result axis → its index, from source axes and the axes of `over`.
    pub map: Vec<(AxisId, Affine)>,
    pub valid: Vec<Condition>,
    /// Axes of the result that the source position leaves open; summed over.
    pub over: AxisSet,
}
