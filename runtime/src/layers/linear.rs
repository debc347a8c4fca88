use crate::prelude::*;

/// The linear layer over the last axis: `y = x·weightᵀ + bias`.
///
/// Shapes: x `(..., I)`, weight `(O, I)`, bias `O`, y `(..., O)`. Source: PyTorch's `Linear`.
#[derive_backward]
pub fn linear<T: Float, P: Float>(
    x: Tensor<T, (Many<N>, I)>,
    weight: Tensor<P, (O, I)>,
    bias: Option<Tensor<P, O>>,
) -> Tensor<T, (Many<N>, O)> {
    let y = dot(x, weight, I);
    bias.map_or(y, |b| y + b)
}
