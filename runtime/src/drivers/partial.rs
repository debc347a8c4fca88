//! Results of folds between tiles, blocks and parts.

use super::lower::LoweredFold;
use super::scratch::Aligned;
use super::script::FoldOp;
use super::tile::NONE;

/// The partial results of a fold: one value and index an element of what it keeps.
#[derive(Debug, Default)]
pub(crate) struct Partial {
    pub values: Aligned,
    pub indices: Vec<u32>,
}

impl Partial {
    /// Before the first element.
    pub(crate) fn reset(&mut self, fold: &LoweredFold, len: usize) {
        // vectors may reach past the end
        if self.values.len() != len + 16 {
            self.values = Aligned::new(len + 16);
        }
        self.values.fill(identity(fold.op));
        self.indices.clear();
        self.indices.resize(if fold.op == FoldOp::Arg { len } else { 0 }, NONE);
    }
    /// Takes in the results of a later part.
    pub(crate) fn merge(&mut self, op: FoldOp, later: &Partial) {
        for (i, &value) in later.values.iter().enumerate() {
            if op != FoldOp::Arg || i < self.indices.len() {
                self.add(op, i, (value, later.indices.get(i).copied().unwrap_or(0)));
            }
        }
    }
    pub(crate) fn add(&mut self, op: FoldOp, at: usize, new: (f64, u32)) {
        let index = if op == FoldOp::Arg { self.indices[at] } else { 0 };
        let (value, index) = combine(op, (self.values[at], index), new);
        self.values[at] = value;
        if op == FoldOp::Arg {
            self.indices[at] = index;
        }
    }
}

pub(crate) fn identity(op: FoldOp) -> f64 {
    match op {
        FoldOp::Sum => 0.0,
        FoldOp::Max | FoldOp::Arg => f64::NEG_INFINITY,
        FoldOp::Prod => 1.0,
    }
}

/// Combines a result with what came before, whatever their order: the larger wins, NaN over all, and of equals the
/// smaller index (of NaN the larger).
pub(crate) fn combine(op: FoldOp, best: (f64, u32), new: (f64, u32)) -> (f64, u32) {
    match op {
        FoldOp::Sum => (best.0 + new.0, 0),
        FoldOp::Prod => (best.0 * new.0, 0),
        FoldOp::Max => (if new.0 > best.0 || new.0.is_nan() { new.0 } else { best.0 }, 0),
        FoldOp::Arg => {
            if new.1 == NONE || best.1 == NONE {
                return if new.1 == NONE { best } else { new };
            }
            let wins = match (new.0.is_nan(), best.0.is_nan()) {
                (true, true) => new.1 > best.1,
                (true, false) => true,
                (false, true) => false,
                (false, false) => new.0 > best.0 || new.0 == best.0 && new.1 < best.1,
            };
            if wins { new } else { best }
        }
    }
}
