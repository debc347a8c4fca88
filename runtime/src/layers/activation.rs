use crate::prelude::*;

/// Rectified linear unit: `y = max(x, 0)`. The derivative at 0 is 0; NaN stays NaN.
///
/// Shapes: any, kept. Source: V. Nair, G. E. Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines", 2010.
#[derive_backward]
pub fn relu<T: Float>(x: Tensor<T, Many<S>>) -> Tensor<T, Many<S>> {
    max(x, 0.0)
}

/// Gaussian error linear unit: `y = x·Φ(x)`, with the standard normal distribution function
/// `Φ(x) = (1 + erf(x/√2))/2`.
///
/// Shapes: any, kept. Source: D. Hendrycks, K. Gimpel, "Gaussian Error Linear Units", arXiv:1606.08415.
#[derive_backward]
pub fn gelu<T: Float>(x: Tensor<T, Many<S>>) -> Tensor<T, Many<S>> {
    0.5 * x * (1.0 + erf(x * ::std::f64::consts::FRAC_1_SQRT_2))
}

/// The approximation of [`gelu`] by a hyperbolic tangent: `y = x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))`.
///
/// Shapes: any, kept. Source: as [`gelu`]; PyTorch's `approximate="tanh"`.
#[derive_backward]
pub fn gelu_tanh<T: Float>(x: Tensor<T, Many<S>>) -> Tensor<T, Many<S>> {
    let root = ::std::f64::consts::FRAC_2_SQRT_PI * ::std::f64::consts::FRAC_1_SQRT_2;
    0.5 * x * (1.0 + tanh(root * (x + 0.044715 * powi(x, 3))))
}
