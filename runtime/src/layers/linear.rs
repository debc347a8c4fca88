use crate::prelude::*;

/// The linear layer over the last axis: `y = x·weightᵀ + bias`.
///
/// Shapes: x `(..., I)`, weight `(O, I)`, bias `O`, y `(..., O)`. Source: PyTorch's `Linear`.
#[derive_backward]
pub fn linear(
    x: Tensor<f32, (Many<N>, I)>,
    weight: Tensor<f32, (O, I)>,
    bias: Option<Tensor<f32, O>>,
) -> Tensor<f32, (Many<N>, O)> {
    let y = dot(x, weight, I);
    bias.map_or(y, |b| y + b)
}
