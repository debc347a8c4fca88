//! Which values of a body are computed in `f64` although the data is narrower.
//!
//! Where an `f64`, a mean for instance, is subtracted from data, rounding it first would lose what the difference is about;
//! and each rounding on the way adds to the error. So arithmetic in which an `f64` meets data stays `f64` until its value is
//! stored or meets a function; that is cheap, since sweeps of this kind wait for memory. Data that such arithmetic reads
//! again and again, as a row of weights, is given to it as `f64`: it is converted once, not at every position.

use crate::graph::{BinaryOp, ReduceOp, UnaryOp};
use crate::plan::{Body, Leaf, Operand, Pointwise, Val};

/// By operand, and by instruction.
pub(super) struct Wide {
    pub operands: Vec<bool>,
    pub code: Vec<bool>,
}

/// Whether wide lanes have the operation.
fn is_arithmetic(op: &Pointwise) -> bool {
    use BinaryOp::{Add, Div, Mul, Sub};
    matches!(
        op,
        Pointwise::Unary(UnaryOp::Neg | UnaryOp::Stop, _) | Pointwise::Powi(_, 2) | Pointwise::Binary(Add | Sub | Mul | Div, ..)
    )
}

impl Wide {
    /// Of a body that runs in `f64` as a whole.
    pub(super) fn none(body: &Body) -> Wide {
        Wide { operands: vec![false; body.operands.len()], code: vec![false; body.code.len()] }
    }
    /// Of a body whose operands are `f64` where `is_f64` says so, and `is_repeated` those that have fewer axes than its domain.
    pub(super) fn of(body: &Body, is_f64: impl Fn(&Leaf) -> bool, is_repeated: impl Fn(&Operand) -> bool) -> Wide {
        let f64s: Vec<bool> = body.operands.iter().map(|o| is_f64(&o.leaf)).collect();
        let is_f64 = |v: &Val| matches!(v, Val::Operand(k) if f64s[*k as usize]);
        let is_data = |v: &Val| match v {
            Val::Num(_) => false,
            Val::Operand(k) => {
                !f64s[*k as usize] && !matches!(body.operands[*k as usize].leaf, Leaf::Host(_) | Leaf::Len(_) | Leaf::Int(_))
            }
            Val::Instr(_) => true,
        };
        let mut found = Wide::none(body);
        for (at, instr) in body.code.iter().enumerate() {
            if let Pointwise::Binary(_, a, b) = &instr.op
                && is_arithmetic(&instr.op)
                && (is_f64(a) && is_data(b) || is_data(a) && is_f64(b))
            {
                found.code[at] = true;
            }
        }
        while found.grow(body, &f64s) {}
        for (k, _) in body.operands.iter().enumerate().filter(|(_, o)| is_repeated(o)) {
            found.operands[k] |= found.serves(body, Val::Operand(k as u32));
        }
        found
    }
    /// Whether a value goes into wide arithmetic, and sums beside it, and nowhere else.
    fn serves(&self, body: &Body, value: Val) -> bool {
        let stored = body.stores.iter().map(|s| s.1);
        let mut elsewhere = stored.chain(body.folds.iter().filter(|f| f.op != ReduceOp::Sum).map(|f| f.value));
        let users = || body.code.iter().zip(&self.code).filter(|(instr, _)| instr.op.operands().contains(&value));
        users().next().is_some() && users().all(|(_, wide)| *wide) && elsewhere.all(|v| v != value)
    }
    /// Whether one of the sums is of wide values: then all are.
    fn sums_are_wide(&self, body: &Body) -> bool {
        let is_wide = |v: Val| matches!(v, Val::Instr(k) if self.code[k as usize]);
        body.folds.iter().any(|f| f.op == ReduceOp::Sum && is_wide(f.value))
    }
    /// One round: on to what is computed from wide values, and back to what is used for them alone.
    fn grow(&mut self, body: &Body, f64s: &[bool]) -> bool {
        let before = self.count();
        for (at, instr) in body.code.iter().enumerate() {
            let is_wide = |v: &Val| matches!(v, Val::Instr(k) if self.code[*k as usize]);
            self.code[at] = self.code[at] || is_arithmetic(&instr.op) && instr.op.operands().iter().any(is_wide);
        }
        self.spread_to_operands(body);
        for (instr, _) in body.code.iter().zip(&self.code).filter(|(_, wide)| **wide) {
            for v in instr.op.operands() {
                if let Val::Operand(k) = v {
                    self.operands[k as usize] |= f64s[k as usize];
                }
            }
        }
        self.count() > before
    }
    fn count(&self) -> usize {
        self.operands.iter().chain(&self.code).filter(|w| **w).count()
    }
    /// On to arithmetic whose value goes into wide arithmetic, and sums beside it, and nowhere else: users first.
    fn spread_to_operands(&mut self, body: &Body) {
        let (mut served, mut other) = (vec![false; self.code.len()], vec![false; self.code.len()]);
        let stored = body.stores.iter().map(|s| s.1);
        for v in stored.chain(body.folds.iter().filter(|f| f.op != ReduceOp::Sum).map(|f| f.value)) {
            if let Val::Instr(k) = v {
                other[k as usize] = true;
            }
        }
        let sums_are_wide = self.sums_are_wide(body);
        for fold in body.folds.iter().filter(|f| f.op == ReduceOp::Sum && sums_are_wide) {
            if let Val::Instr(k) = fold.value {
                served[k as usize] = true;
            }
        }
        for (at, instr) in body.code.iter().enumerate().rev() {
            self.code[at] |= is_arithmetic(&instr.op) && served[at] && !other[at];
            for v in instr.op.operands() {
                if let Val::Instr(k) = v {
                    let uses = if self.code[at] { &mut served } else { &mut other };
                    uses[k as usize] = true;
                }
            }
        }
    }
}
