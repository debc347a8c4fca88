//! Activations, element by element.

use super::{Invalid, check_same_shape};
use ndarray::ArrayD;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

fn each(dy: &ArrayD<f64>, x: &ArrayD<f64>, slope: impl Fn(f64) -> f64) -> Result<ArrayD<f64>, Invalid> {
    check_same_shape(dy, x)?;
    let mut dx = dy.clone();
    dx.zip_mut_with(x, |d, &x| *d *= slope(x));
    Ok(dx)
}

/// `max(x, 0)`; NaN stays NaN. V. Nair, G. E. Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines",
/// ICML 2010.
pub fn relu_forward(x: &ArrayD<f64>) -> ArrayD<f64> {
    x.mapv(|v| if v <= 0.0 { 0.0 } else { v })
}

/// The gradient of [`relu_forward`], by PyTorch's `threshold_backward`: 0 where `x ≤ 0`, `dy` elsewhere (also at NaN).
pub fn relu_backward(dy: &ArrayD<f64>, x: &ArrayD<f64>) -> Result<ArrayD<f64>, Invalid> {
    check_same_shape(dy, x)?;
    let mut dx = dy.clone();
    dx.zip_mut_with(x, |d, &x| *d = if x <= 0.0 { 0.0 } else { *d });
    Ok(dx)
}

/// `x·Φ(x)`, Φ the standard normal distribution function. D. Hendrycks, K. Gimpel, "Gaussian Error Linear Units", 2016,
/// arXiv:1606.08415, section 2.
pub fn gelu_forward(x: &ArrayD<f64>) -> ArrayD<f64> {
    x.mapv(|v| v * normal_distribution(v))
}

/// The gradient of [`gelu_forward`]: `dy·(Φ(x) + x·φ(x))`, φ the normal density.
pub fn gelu_backward(dy: &ArrayD<f64>, x: &ArrayD<f64>) -> Result<ArrayD<f64>, Invalid> {
    let density = |v: f64| 0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2 * (-0.5 * v * v).exp();
    each(dy, x, |v| normal_distribution(v) + v * density(v))
}

/// The inner function of the tanh form, `√(2/π)·(x + 0.044715·x³)`, and its derivative.
fn tanh_argument(v: f64) -> (f64, f64) {
    let root = FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
    (root * (v + 0.044715 * v.powi(3)), root * (1.0 + 3.0 * 0.044715 * v * v))
}

/// `x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))`: the approximation in section 2 of the same paper.
pub fn gelu_tanh_forward(x: &ArrayD<f64>) -> ArrayD<f64> {
    x.mapv(|v| 0.5 * v * (1.0 + tanh_argument(v).0.tanh()))
}

/// The gradient of [`gelu_tanh_forward`].
pub fn gelu_tanh_backward(dy: &ArrayD<f64>, x: &ArrayD<f64>) -> Result<ArrayD<f64>, Invalid> {
    each(dy, x, |v| {
        let (inner, slope) = tanh_argument(v);
        let tanh = inner.tanh();
        0.5 * (1.0 + tanh) + 0.5 * v * (1.0 - tanh * tanh) * slope
    })
}

/// Φ(x), without cancellation in either tail.
fn normal_distribution(x: f64) -> f64 {
    let z = x * FRAC_1_SQRT_2;
    if z < 0.0 { 0.5 * complement(-z) } else { 0.5 * (1.0 + erf(z)) }
}

/// The error function, by series for small arguments and by the complement's continued fraction for large ones.
pub fn erf(x: f64) -> f64 {
    if x < 0.0 {
        -erf(-x)
    } else if x < 2.0 {
        erf_series(x)
    } else {
        1.0 - complement(x)
    }
}

/// `2/√π·e^(−x²)·Σ 2ⁿx²ⁿ⁺¹/(1·3·…·(2n+1))`: M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions", 7.1.6.
fn erf_series(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..100 {
        term *= 2.0 * x * x / f64::from(2 * n + 1);
        sum += term;
    }
    FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// 1 − erf(x) for x ≥ 0: above 2 the continued fraction `e^(−x²)/√π·1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …))))`,
/// Abramowitz and Stegun 7.1.14, from its tail.
fn complement(x: f64) -> f64 {
    if x < 2.0 {
        return 1.0 - erf_series(x);
    }
    if x.is_nan() {
        return x;
    }
    let tail = (1..=120).rev().fold(x, |tail, n| x + 0.5 * f64::from(n) / tail);
    0.5 * FRAC_2_SQRT_PI * (-x * x).exp() / tail
}

#[cfg(test)]
mod tests {
    use super::super::finite::{array, assert_array_gradient, inner};
    use super::*;
    use approx::assert_relative_eq;
    use ndarray::arr1;

    #[test]
    fn erf_by_the_tables() {
        // From a computation of the series with 60 digits.
        for (x, expected) in [
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (1.999, 0.995_301_556_651_370_5),
            (2.0, 0.995_322_265_018_952_7),
            (3.0, 0.999_977_909_503_001_4),
            (6.0, 1.0),
        ] {
            assert_relative_eq!(erf(x), expected, max_relative = 1e-15);
            assert_eq!(erf(-x), -erf(x));
        }
        assert_relative_eq!(complement(4.0), 1.541_725_790_028_002e-8, max_relative = 1e-13);
        assert_relative_eq!(complement(2.0), 4.677_734_981_047_266e-3, max_relative = 1e-13);
        assert!(erf(f64::NAN).is_nan());
        assert_eq!(erf(f64::INFINITY), 1.0);
    }

    #[test]
    fn relu_at_its_kink_and_at_nan() {
        let x = arr1(&[-1.0, 0.0, 2.0, f64::NAN]).into_dyn();
        let y = relu_forward(&x);
        assert_eq!((y[0], y[1], y[2]), (0.0, 0.0, 2.0));
        assert!(y[3].is_nan());
        let dx = relu_backward(&arr1(&[5.0; 4]).into_dyn(), &x).unwrap();
        assert_eq!(dx, arr1(&[0.0, 0.0, 5.0, 5.0]).into_dyn());
    }

    #[test]
    fn gelu_by_hand() {
        // Φ(1) = 0.841344746068543 (Abramowitz and Stegun, table 26.1); the tanh form is within 5e-4 of it.
        let x = arr1(&[0.0, 1.0, -1.0]).into_dyn();
        let expected = arr1(&[0.0, 0.841_344_746_068_542_9, -0.158_655_253_931_457_05]).into_dyn();
        assert_relative_eq!(gelu_forward(&x), expected, max_relative = 1e-14);
        assert_relative_eq!(gelu_tanh_forward(&x), expected, epsilon = 5e-4);
        assert_eq!(gelu_forward(&arr1(&[-40.0]).into_dyn())[0].abs(), 0.0);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        type Forward = fn(&ArrayD<f64>) -> ArrayD<f64>;
        type Backward = fn(&ArrayD<f64>, &ArrayD<f64>) -> Result<ArrayD<f64>, Invalid>;
        let layers: [(Forward, Backward); 3] =
            [(relu_forward, relu_backward), (gelu_forward, gelu_backward), (gelu_tanh_forward, gelu_tanh_backward)];
        let (x, dy) = (array(&[4, 5], 1) * 2.0, array(&[4, 5], 2));
        for (forward, backward) in layers {
            assert_array_gradient(|x| inner(&forward(x), &dy), &x, &backward(&dy, &x).unwrap());
        }
    }
}
