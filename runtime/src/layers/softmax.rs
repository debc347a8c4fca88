use crate::prelude::*;

/// Softmax over the last axis: `y = exp(x − max x)/Σ exp(x − max x)`. For another axis pass a view with the axes permuted.
///
/// Shapes: `(..., C)`, kept. Source: J. S. Bridle, "Probabilistic Interpretation of Feedforward Classification Network
/// Outputs", 1990; the shift as in P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and
/// softmax functions", 2021.
#[derive_backward]
pub fn softmax<T: Float>(x: Tensor<T, (Many<N>, C)>) -> Tensor<T, (Many<N>, C)> {
    let e = exp(x - max(x, C));
    e / sum(e, C)
}

/// The logarithm of [`softmax`], without leaving the logarithms: `y = x − max x − ln Σ exp(x − max x)`.
///
/// Shapes and source: as [`softmax`].
#[derive_backward]
pub fn log_softmax<T: Float>(x: Tensor<T, (Many<N>, C)>) -> Tensor<T, (Many<N>, C)> {
    let shifted = x - max(x, C);
    shifted - log(sum(exp(shifted), C))
}
