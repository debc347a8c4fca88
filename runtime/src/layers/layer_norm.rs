use crate::prelude::*;

/// Layer normalisation over the last axis: `y = γ·(x − μ)/√(σ² + ε) + β`, with mean and biased variance of each row.
///
/// Shapes: x and y `(..., C)`, γ and β `C`. Source: J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016,
/// arXiv:1607.06450; PyTorch's `LayerNorm`.
#[derive_backward]
pub fn layer_norm<T: Float, P: Float>(
    x: Tensor<T, (Many<N>, C)>,
    gamma: Tensor<P, C>,
    beta: Tensor<P, C>,
    eps: f64,
) -> Tensor<T, (Many<N>, C)> {
    let mu = mean(x, C);
    let var = mean(sq(x - mu), C);
    gamma * (x - mu) / sqrt(var + eps) + beta
}
