use crate::prelude::*;

/// Root-mean-square normalisation over the last axis: `y = γ·x/√(mean(x²) + ε)`.
///
/// Shapes: x and y `(..., C)`, γ `C`. Source: B. Zhang, R. Sennrich, "Root Mean Square Layer Normalization", 2019,
/// arXiv:1910.07467; PyTorch's `RMSNorm`.
#[derive_backward]
pub fn rms_norm<T: Float, P: Float>(x: Tensor<T, (Many<N>, C)>, gamma: Tensor<P, C>, eps: f64) -> Tensor<T, (Many<N>, C)> {
    gamma * x / sqrt(mean(sq(x), C) + eps)
}
