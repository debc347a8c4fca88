//! The table of partial derivatives. `x`, `a`, `b` are operands, `y` the result, `g` the cotangent of the result.
//!
//! Conventions at kinks are PyTorch's: `abs'(0) = 0`, `max(x, 0)'` at 0 is 0 and at NaN is 1, `atan2'(0, 0) = 0`.

use super::expr::{Expr, Tape};
use crate::graph::{BinaryOp, InputKind, NodeId, Op, UnaryOp};
use std::f64::consts::{LN_2, PI};

/// The cotangent of a unary operator's operand; `None`: the derivative is zero everywhere.
pub(super) fn unary<'t>(op: UnaryOp, x: Expr<'t>, y: Expr<'t>, g: Expr<'t>) -> Option<Expr<'t>> {
    use UnaryOp::*;
    Some(match op {
        Neg => -g,
        Sqrt => g * 0.5 / y,
        Rsqrt => g * -0.5 * y.powi(3),
        Recip => -(g * y.powi(2)),
        Exp => g * y,
        Exp2 => g * y * LN_2,
        ExpM1 => g * (y + 1.0),
        Log => g / x,
        Log2 => g / (x * LN_2),
        Log1p => g / (x + 1.0),
        Abs => g * x.unary(Sign),
        Sin => g * x.unary(Cos),
        Cos => -(g * x.unary(Sin)),
        Tan => g * (y.powi(2) + 1.0),
        Sinh => g * x.unary(Cosh),
        Cosh => g * x.unary(Sinh),
        Tanh => g * (1.0 - y.powi(2)),
        Asinh => g / (x.powi(2) + 1.0).unary(Sqrt),
        Atan => g / (x.powi(2) + 1.0),
        Sigmoid => g * (y * (1.0 - y)),
        Softplus => g * x.unary(Sigmoid),
        Erf => g * (2.0 / PI.sqrt()) * (-x.powi(2)).unary(Exp),
        Erfc => g * (-2.0 / PI.sqrt()) * (-x.powi(2)).unary(Exp),
        Sign | Floor | Ceil | Round | Not | Stop => return None,
    })
}

/// Which operand of a binary operator a cotangent is for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Side {
    A,
    B,
}

/// The cotangent of one operand of a binary operator; `None`: the derivative is zero everywhere.
pub(super) fn binary<'t>(op: BinaryOp, side: Side, a: Expr<'t>, b: Expr<'t>, y: Expr<'t>, g: Expr<'t>) -> Option<Expr<'t>> {
    use BinaryOp::*;
    use Side::*;
    Some(match (op, side) {
        (Add, _) | (Sub, A) => g,
        (Sub, B) => -g,
        (Mul, A) => g * b,
        (Mul, B) => g * a,
        (Div, A) => g / b,
        (Div, B) => -(g * y / b),
        (Pow, A) => b.cmp(Eq, b.num(0.0)).select(g.num(0.0), g * b * a.binary(Pow, b - 1.0)),
        (Pow, B) => {
            let flat = a.cmp(Eq, a.num(0.0)).binary(And, b.cmp(Ge, b.num(0.0)));
            flat.select(g.num(0.0), g * y * a.unary(UnaryOp::Log))
        }
        (Max, A) => kink(Lt, Le, a, b, g),
        (Max, B) => kink(Lt, Le, b, a, g),
        (Min, A) => kink(Gt, Ge, a, b, g),
        (Min, B) => kink(Gt, Ge, b, a, g),
        (Atan2, A) => turn(a, b, g * b),
        (Atan2, B) => -turn(a, b, g * a),
        (Hypot, A) => g * (a / y),
        (Hypot, B) => g * (b / y),
        (Gt | Ge | Lt | Le | Eq | Ne | And | Or, _) => return None,
    })
}

/// What an angle's cotangent is divided by is the distance squared; at the origin, which has no angle, there is no slope.
fn turn<'t>(a: Expr<'t>, b: Expr<'t>, arm: Expr<'t>) -> Expr<'t> {
    let distance = a.powi(2) + b.powi(2);
    distance.cmp(BinaryOp::Eq, a.num(0.0)).select(a.num(0.0), arm / distance)
}

/// The cotangent of `v` in `max(v, other)` (or `min`): nothing where `v` loses; at a tie half, and nothing beside a
/// constant. NaN passes it on.
fn kink<'t>(loses: BinaryOp, loses_or_ties: BinaryOp, v: Expr<'t>, other: Expr<'t>, g: Expr<'t>) -> Expr<'t> {
    let zero = v.num(0.0);
    if other.is_constant() {
        return v.cmp(loses_or_ties, other).select(zero, g);
    }
    v.cmp(loses, other).select(zero, v.cmp(BinaryOp::Eq, other).select(g * 0.5, g))
}

/// Whether a value is made of numbers and scalar constants alone.
pub(super) fn is_constant(tape: &Tape<'_>, id: NodeId) -> bool {
    tape.read(|graph| {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            match graph.op(id) {
                Op::Num(_) | Op::Host(_) | Op::Len(_) | Op::Int(_) => {}
                Op::Input(i) if graph.inputs[i.0 as usize].kind == InputKind::Constant && graph.axes_of(id).is_empty() => {}
                op if op.is_pointwise() => open.extend(op.operands()),
                _ => return false,
            }
        }
        true
    })
}
