//! The error function in `f64`, for evaluation in tests and constants.

use std::f64::consts::PI;

/// erf(x), to about 1e-15.
pub fn erf(x: f64) -> f64 {
    if x.abs() < 3.0 { series(x) } else { 1f64.copysign(x) * (1.0 - tail(x.abs())) }
}

/// 1 − erf(x), without cancellation for large x.
pub fn erfc(x: f64) -> f64 {
    if x > 2.0 {
        tail(x)
    } else if x < -3.0 {
        2.0 - tail(-x)
    } else {
        1.0 - series(x)
    }
}

/// `2/√π·exp(−x²)·Σ 2ᵏx²ᵏ⁺¹/(2k+1)!!`: every term has the same sign, so nothing cancels. For |x| < 3.
fn series(x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (x, x, 0.0);
    while term.abs() > 1e-17 * sum.abs() && k < 200.0 {
        k += 1.0;
        term *= 2.0 * x * x / (2.0 * k + 1.0);
        sum += term;
    }
    sum * 2.0 / PI.sqrt() * (-x * x).exp()
}

/// Continued fraction of erfc, for x ≥ 2.
fn tail(x: f64) -> f64 {
    if x.is_nan() || x.is_infinite() {
        return if x.is_nan() { x } else { 0.0 };
    }
    let f = (1..200).rev().fold(0.0, |f, k| k as f64 / 2.0 / (x + f));
    (-x * x).exp() / PI.sqrt() / (x + f)
}
