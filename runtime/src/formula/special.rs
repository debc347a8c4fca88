//! The error function, which the standard library lacks.

use std::f64::consts::PI;

/// erf(x), to about 1e-15.
pub(super) fn erf(x: f64) -> f64 {
    if x.abs() < 0.5 { series(x) } else { 1f64.copysign(x) * (1.0 - erfc(x.abs())) }
}

/// 1 − erf(x), without cancellation for large x.
pub(super) fn erfc(x: f64) -> f64 {
    if x.is_nan() {
        x
    } else if x < 0.5 {
        // Below −0.5 the sum is at least 1.5, so nothing cancels.
        if x > -0.5 { 1.0 - series(x) } else { 2.0 - erfc(-x) }
    } else if x < 2.5 {
        trapezoid(x)
    } else {
        tail(x)
    }
}

/// Maclaurin: `2/√π·Σ (−1)ᵏ x²ᵏ⁺¹/(k!(2k+1))`, for |x| < 0.5, where the first term rules.
fn series(x: f64) -> f64 {
    let (mut power, mut sum) = (x, 0.0);
    for k in 0..16 {
        let k = f64::from(k);
        sum += power / (2.0 * k + 1.0);
        power *= -x * x / (k + 1.0);
    }
    2.0 / PI.sqrt() * sum
}

/// Chiarella and Reichel (1968): the trapezoidal rule on `erfc x = (2x e^(−x²)/π)·∫₀^∞ e^(−t²)/(t² + x²) dt`, of step h,
/// with the correction of the pole at t = ix: exact up to e^(−π²/h²).
fn trapezoid(x: f64) -> f64 {
    let h = 0.5;
    let terms = |n: i32| {
        let t = f64::from(n) * h;
        (-t * t).exp() / (t * t + x * x)
    };
    let sum: f64 = (1..=14).rev().map(terms).sum::<f64>() * 2.0 + 1.0 / (x * x);
    let pole = 2.0 / (1.0 - (2.0 * PI * x / h).exp());
    h * x / PI * (-x * x).exp() * sum + pole
}

/// The continued fraction `e^(−x²)/√π / (x + (1/2)/(x + 1/(x + (3/2)/(x + …))))`, for x ≥ 2.5.
fn tail(x: f64) -> f64 {
    if x.is_infinite() {
        return 0.0;
    }
    let fraction = (1..=120).rev().fold(0.0, |f, k| f64::from(k) / 2.0 / (x + f));
    (-x * x).exp() / PI.sqrt() / (x + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// Values of `mpmath.erf` and `mpmath.erfc`, rounded to `f64`.
    #[test]
    fn known_values() {
        let known = [
            (0.0, 0.0, 1.0),
            (0.1, 0.1124629160182849, 0.887537083981715),
            (0.5, 0.5204998778130465, 0.4795001221869535),
            (1.0, 0.8427007929497149, 0.15729920705028513),
            (2.0, 0.9953222650189527, 0.004677734981047266),
            (3.0, 0.9999779095030014, 2.209049699858544e-05),
            (5.0, 0.9999999999984626, 1.537459794428035e-12),
        ];
        for (x, y, complement) in known {
            assert_relative_eq!(erf(x), y, max_relative = 2e-15);
            assert_relative_eq!(erf(-x), -y, max_relative = 2e-15);
            assert_relative_eq!(erfc(x), complement, max_relative = 4e-15);
            assert_relative_eq!(erfc(-x), 1.0 + y, max_relative = 2e-15);
        }
        assert_relative_eq!(erfc(10.0), 2.088487583762545e-45, max_relative = 3e-14);
    }

    #[test]
    fn the_pieces_meet() {
        for x in [0.5, 2.5] {
            let (below, above) = (f64::from_bits(f64::to_bits(x) - 1), x);
            assert_relative_eq!(erfc(below), erfc(above), max_relative = 1e-14);
        }
        assert!(erf(f64::NAN).is_nan() && erfc(f64::NAN).is_nan());
        assert_eq!((erf(f64::INFINITY), erfc(f64::NEG_INFINITY), erfc(40.0)), (1.0, 2.0, 0.0));
    }

    #[test]
    fn the_slope_is_a_gaussian() {
        for x in [-3.0f64, -1.2, -0.5, 0.0, 0.3, 0.7, 1.9, 2.6, 4.0] {
            let slope = (erf(x + 1e-5) - erf(x - 1e-5)) / 2e-5;
            assert_relative_eq!(slope, 2.0 / PI.sqrt() * (-x * x).exp(), max_relative = 1e-6, epsilon = 1e-10);
        }
    }
}
