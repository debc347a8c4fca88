//! Functions of elements at one position. Axes align by name; a missing axis repeats.

use std::f64::consts::{FRAC_2_SQRT_PI, LN_2};
use std::sync::Arc;

use super::special;
use super::value::{Act, Ancestry, Axis, Elements, Value, each_position, joint_dims, offset, size};

/// `f` of the operands' elements at each position; `d` gives the partial derivatives from operands and result.
fn pointwise<const N: usize>(
    xs: [&Value; N],
    act: Act,
    f: impl Fn([f64; N]) -> f64,
    d: impl Fn([f64; N], f64) -> [f64; N],
) -> Value {
    let dims = joint_dims(&xs);
    let strides = xs.map(|x| x.strides_in(&dims));
    let from = Ancestry::of(&xs);
    let round = act.rounding(&from);
    let mut out = Elements::default();
    out.values.reserve(size(&dims));
    let mut offsets = [0; N];
    each_position(&dims, |at| {
        for (o, s) in offsets.iter_mut().zip(&strides) {
            *o = offset(at, s);
        }
        let mut operands = [0.0; N];
        for (i, x) in xs.iter().enumerate() {
            let value = x.elements.values[offsets[i]];
            // A constant is rounded where it meets numbers that are, unless any type holds it.
            operands[i] = if x.from.rounding.epsilon == 0.0 && value.fract() != 0.0 { round.round(value) } else { value };
        }
        let y = round.round_value(f(operands));
        out.values.push(y);
        out.holes.push(xs.iter().zip(offsets).any(|(x, o)| x.is_hole(o)));
        if from.width > 0 {
            let partials = d(operands, y);
            for k in 0..from.width {
                let terms = (0..N).map(|i| act.scale(from.rounding.slope(partials[i]), xs[i].tangent(offsets[i], k)));
                out.tangents.push(round.round(Act::total(terms)));
            }
        }
    });
    let mut y = Value::of(dims, out, from);
    y.divisor = xs.iter().find_map(|x| x.divisor.clone());
    y
}

/// The same elements as constants: for results that have no derivative.
pub(super) fn opaque(mut y: Value) -> Value {
    let elements = Elements { values: y.elements.values.clone(), tangents: vec![], holes: y.elements.holes.clone() };
    y.elements = Arc::new(elements);
    y.from = Ancestry { width: 0, differentiable: false, ..y.from };
    y
}

macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident($x:ident) => $value:expr, d($y:ident) => $slope:expr, $act:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(x: &Value) -> Value {
            pointwise([x], Act::$act, |[$x]| $value, |[$x], $y| { let _ = ($x, $y); [$slope] })
        }
    )*};
}

unary! {
    /// −x
    neg(x) => -x, d(y) => -1.0, Chooses;
    /// x²
    sq(x) => x * x, d(y) => 2.0 * x, Computes;
    /// √x. The slope at 0 is +∞.
    sqrt(x) => x.sqrt(), d(y) => 0.5 / y, Computes;
    /// 1/√x
    rsqrt(x) => 1.0 / x.sqrt(), d(y) => -0.5 * y * y * y, Computes;
    /// 1/x
    recip(x) => 1.0 / x, d(y) => -y * y, Computes;
    /// eˣ
    exp(x) => x.exp(), d(y) => y, Computes;
    /// 2ˣ
    exp2(x) => x.exp2(), d(y) => LN_2 * y, Computes;
    /// eˣ − 1
    exp_m1(x) => x.exp_m1(), d(y) => x.exp(), Computes;
    /// The natural logarithm.
    log(x) => x.ln(), d(y) => 1.0 / x, Computes;
    /// The logarithm to base 2.
    log2(x) => x.log2(), d(y) => 1.0 / (x * LN_2), Computes;
    /// log(1 + x)
    log1p(x) => x.ln_1p(), d(y) => 1.0 / (1.0 + x), Computes;
    /// |x|. The slope at 0 is 0.
    abs(x) => x.abs(), d(y) => sign_of(x), Signs;
    /// −1, 0 or 1; NaN for NaN.
    sign(x) => sign_of(x), d(y) => 0.0, Chooses;
    /// The largest integer not above x.
    floor(x) => x.floor(), d(y) => 0.0, Chooses;
    /// The smallest integer not below x.
    ceil(x) => x.ceil(), d(y) => 0.0, Chooses;
    /// The nearest integer; ties to even.
    round(x) => x.round_ties_even(), d(y) => 0.0, Chooses;
    /// The sine.
    sin(x) => x.sin(), d(y) => x.cos(), Computes;
    /// The cosine.
    cos(x) => x.cos(), d(y) => -x.sin(), Computes;
    /// The tangent.
    tan(x) => x.tan(), d(y) => 1.0 + y * y, Computes;
    /// The hyperbolic sine.
    sinh(x) => x.sinh(), d(y) => x.cosh(), Computes;
    /// The hyperbolic cosine.
    cosh(x) => x.cosh(), d(y) => x.sinh(), Computes;
    /// The hyperbolic tangent.
    tanh(x) => x.tanh(), d(y) => 1.0 - y * y, Computes;
    /// The inverse of the hyperbolic sine.
    asinh(x) => x.asinh(), d(y) => 1.0 / x.hypot(1.0), Computes;
    /// The inverse of the tangent.
    atan(x) => x.atan(), d(y) => 1.0 / (1.0 + x * x), Computes;
    /// 1/(1 + e⁻ˣ)
    sigmoid(x) => logistic(x), d(y) => y * (1.0 - y), Computes;
    /// log(1 + eˣ), without overflow.
    softplus(x) => (-x.abs()).exp().ln_1p() + if x < 0.0 { 0.0 } else { x }, d(y) => logistic(x), Computes;
    /// The error function.
    erf(x) => special::erf(x), d(y) => FRAC_2_SQRT_PI * (-x * x).exp(), Computes;
    /// 1 − erf(x)
    erfc(x) => special::erfc(x), d(y) => -FRAC_2_SQRT_PI * (-x * x).exp(), Computes;
}

fn sign_of(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() { x.abs() } else { x.signum() }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident($a:ident, $b:ident) => $value:expr, d($y:ident) => $da:expr, $db:expr;)*) => {$(
        $(#[$doc])*
        pub fn $name(a: &Value, b: &Value) -> Value {
            pointwise([a, b], Act::Computes, |[$a, $b]| $value, |[$a, $b], $y| { let _ = ($a, $b, $y); [$da, $db] })
        }
    )*};
}

binary! {
    /// a + b
    add(a, b) => a + b, d(y) => 1.0, 1.0;
    /// a − b
    sub(a, b) => a - b, d(y) => 1.0, -1.0;
    /// a·b
    mul(a, b) => a * b, d(y) => b, a;
    /// a/b
    div(a, b) => a / b, d(y) => 1.0 / b, -y / b;
    /// aᵇ. The slope by `a` is 0 where b is 0; the slope by `b` is 0 where a is 0 and b is not negative.
    powf(a, b) => a.powf(b), d(y) => if b == 0.0 { 0.0 } else { b * a.powf(b - 1.0) },
        if a == 0.0 && b >= 0.0 { 0.0 } else { y * a.ln() };
    /// The angle of (b, a): `atan(a/b)` in the right quadrant. Its slopes at the origin are 0.
    atan2(a, b) => a.atan2(b), d(y) => turn(b, a, b), -turn(a, a, b);
    /// √(a² + b²)
    hypot(a, b) => a.hypot(b), d(y) => a / y, b / y;
}

fn turn(arm: f64, a: f64, b: f64) -> f64 {
    let distance = a * a + b * b;
    if distance == 0.0 { 0.0 } else { arm / distance }
}

/// xⁿ
pub fn powi(x: &Value, n: i32) -> Value {
    let slope = |x: f64| if n == 0 { 0.0 } else { f64::from(n) * x.powi(n.saturating_sub(1)) };
    pointwise([x], Act::Computes, |[x]| x.powi(n), |[x], _| [slope(x)])
}

/// The larger of the two; NaN if either is. At equality two tensors get half the tangent each, and a tensor met by a
/// number gets none. Beside a NaN both count.
pub fn max2(a: &Value, b: &Value) -> Value {
    let larger = |a: f64, b: f64| if a > b || a.is_nan() { a } else { b };
    extreme(a, b, larger, |a, b| a < b)
}

/// The smaller of the two, with the rules of [`max2`].
pub fn min2(a: &Value, b: &Value) -> Value {
    let smaller = |a: f64, b: f64| if a < b || a.is_nan() { a } else { b };
    extreme(a, b, smaller, |a, b| a > b)
}

fn extreme(a: &Value, b: &Value, f: impl Fn(f64, f64) -> f64, loses: impl Fn(f64, f64) -> bool) -> Value {
    let is_number = |v: &Value| v.dims().is_empty() && !v.from.differentiable;
    let tie = if is_number(a) || is_number(b) { 0.0 } else { 0.5 };
    let part = |a: f64, b: f64| {
        if loses(a, b) {
            0.0
        } else if a == b {
            tie
        } else {
            1.0
        }
    };
    pointwise([a, b], Act::Chooses, |[a, b]| f(a, b), |[a, b], _| [part(a, b), part(b, a)])
}

/// `x` kept between `lo` and `hi`: `min(max(x, lo), hi)`, whose slope at a constant bound is 0.
pub fn clamp(x: &Value, lo: &Value, hi: &Value) -> Value {
    min2(&max2(x, lo), hi)
}

macro_rules! masks {
    ($($(#[$doc:meta])* $name:ident($($x:ident),*) => $value:expr;)*) => {$(
        $(#[$doc])*
        pub fn $name($($x: &Value),*) -> Value {
            opaque(pointwise([$($x),*], Act::Chooses, |[$($x),*]| f64::from(u8::from($value)), |xs, _| xs.map(|_| 0.0)))
        }
    )*};
}

masks! {
    /// The mask of a > b.
    gt(a, b) => a > b;
    /// The mask of a ≥ b.
    ge(a, b) => a >= b;
    /// The mask of a < b.
    lt(a, b) => a < b;
    /// The mask of a ≤ b.
    le(a, b) => a <= b;
    /// The mask of a = b.
    eq(a, b) => a == b;
    /// The mask of a ≠ b.
    ne(a, b) => a != b;
    /// Where both masks are set.
    and(a, b) => a != 0.0 && b != 0.0;
    /// Where either mask is set.
    or(a, b) => a != 0.0 || b != 0.0;
    /// Where the mask is not set.
    not(a) => a == 0.0;
}

/// `a` where the mask is set, else `b`. Tangents are selected likewise: what is not selected has no say, NaN or not.
pub fn select(mask: &Value, a: &Value, b: &Value) -> Value {
    let choose = |[mask, a, b]: [f64; 3]| if mask != 0.0 { a } else { b };
    let parts = |[mask, _, _]: [f64; 3], _| if mask != 0.0 { [0.0, 1.0, 0.0] } else { [0.0, 0.0, 1.0] };
    pointwise([mask, a, b], Act::Chooses, choose, parts)
}

/// The same numbers as constants.
pub fn stop_gradient(x: &Value) -> Value {
    let mut y = opaque(x.clone());
    y.from.detached |= x.from.differentiable;
    y
}

/// Holes become `v`; all else stays.
pub fn fill(x: &Value, v: &Value) -> Value {
    let dims = joint_dims(&[x, v]);
    let (from_x, from_v) = (x.strides_in(&dims), v.strides_in(&dims));
    let from = Ancestry::of(&[x, v]);
    let mut out = Elements::default();
    each_position(&dims, |at| {
        let at_x = offset(at, &from_x);
        let (source, o) = if x.is_hole(at_x) { (v, offset(at, &from_v)) } else { (x, at_x) };
        out.values.push(source.elements.values[o]);
        out.tangents.extend((0..from.width).map(|k| source.tangent(o, k)));
        out.holes.push(source.is_hole(o));
    });
    Value::of(dims, out, from)
}

/// A number.
pub fn num(value: f64) -> Value {
    Value::number(value)
}

/// The given numbers along one axis.
pub fn constant(values: &[f64], axis: Axis) -> Value {
    Value::constant(&[(axis, values.len())], values.to_vec())
}

/// 0, 1, … along an axis.
pub fn index(axis: Axis, len: usize) -> Value {
    Value::constant(&[(axis, len)], (0..len).map(|i| i as f64).collect())
}

/// The extent of an axis of `x`.
///
/// # Panics
/// Where `x` lacks the axis.
pub fn len(x: &Value, axis: Axis) -> usize {
    x.dims[x.position(axis)].1
}

/// `f` of every element on its own: branches per element. `f` sees values without axes.
pub fn map(x: &Value, f: impl Fn(&Value) -> Value) -> Value {
    let results: Vec<Value> = (0..x.elements.values.len()).map(|at| f(&element(x, at))).collect();
    let results: Vec<&Value> = results.iter().collect();
    // What the closure captures may be differentiable where `x` is not.
    let from = Ancestry::of(&[&[x], &results[..]].concat());
    let mut out = Elements::default();
    for (at, y) in results.iter().enumerate() {
        out.values.push(y.elements.values[0]);
        out.tangents.extend((0..from.width).map(|k| y.tangent(0, k)));
        out.holes.push(x.is_hole(at));
    }
    let mut y = Value::of(x.dims.clone(), out, from);
    y.divisor = x.divisor.clone();
    y
}

/// Whether a mask without axes is set: the condition of an `if` in [`map`].
pub fn holds(mask: &Value) -> bool {
    mask.elements.values[0] != 0.0
}

fn element(x: &Value, at: usize) -> Value {
    let tangents = (0..x.from.width).map(|k| x.tangent(at, k)).collect();
    let elements = Elements { values: vec![x.elements.values[at]], tangents, holes: vec![] };
    Value::of(vec![], elements, x.from)
}
