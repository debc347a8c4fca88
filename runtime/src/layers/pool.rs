use crate::prelude::*;

/// Max pooling: `y[n,c,oh,ow] = max_{kh,kw} x[n,c, oh·s + kh·d − p, ow·s + kw·d − p]`.
///
/// Padding is never chosen (unless `k` counts it as zeros), the first of equals receives the gradient, NaN wins.
///
/// Shapes: x `(N, C, H, W)`, y `(N, C, OH, OW)`. Source: Y.-L. Boureau, J. Ponce, Y. LeCun, "A Theoretical Analysis of
/// Feature Pooling in Visual Recognition", 2010; PyTorch's `MaxPool2d`.
#[derive_backward]
pub fn max_pool2d(x: Tensor<f32, (N, C, H, W)>, k: Window<2>) -> Tensor<f32, (N, C, OH, OW)> {
    max(window(x, (H, W), (OH, OW), (KH, KW), k), (KH, KW))
}

/// Mean pooling: `y[n,c,oh,ow] = mean_{kh,kw} x[n,c, oh·s + kh·d − p, ow·s + kw·d − p]`.
///
/// The mean divides by the elements that it counted: those of the image, with `count_padding(true)` those of the padding
/// too, which are zeros (PyTorch's `count_include_pad`); with `divisor(..)` by that number.
///
/// Shapes: x `(N, C, H, W)`, y `(N, C, OH, OW)`. Source: as [`max_pool2d`]; PyTorch's `AvgPool2d`.
#[derive_backward]
pub fn mean_pool2d(x: Tensor<f32, (N, C, H, W)>, k: Window<2>) -> Tensor<f32, (N, C, OH, OW)> {
    mean(window(x, (H, W), (OH, OW), (KH, KW), k), (KH, KW))
}
