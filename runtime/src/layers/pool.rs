use crate::prelude::*;

/// Max pooling: `y[n,c,oh,ow] = max_{kh,kw} x[n,c, oh·s + kh·d − p, ow·s + kw·d − p]`.
///
/// Padding is never chosen (unless `k` counts it as zeros), the first of equals receives the gradient, NaN wins.
///
/// Shapes: x `(N, C, H, W)`, y `(N, C, OH, OW)`. Source: Y.-L. Boureau, J. Ponce, Y. LeCun, "A Theoretical Analysis of
/// Feature Pooling in Visual Recognition", 2010; PyTorch's `MaxPool2d`.
#[derive_backward]
pub fn max_pool2d<T: Float>(x: Tensor<T, (N, C, H, W)>, k: Window<2>) -> Tensor<T, (N, C, OH, OW)> {
    max(window(x, (H, W), (OH, OW), (KH, KW), k), (KH, KW))
}

/// [`max_pool2d`] of sequences. Shapes: x `(N, C, L)`, y `(N, C, O)`. Source: PyTorch's `MaxPool1d`.
#[derive_backward]
pub fn max_pool1d<T: Float>(x: Tensor<T, (N, C, L)>, k: Window<1>) -> Tensor<T, (N, C, O)> {
    max(window(x, L, O, K, k), K)
}

/// [`max_pool2d`] of volumes. Shapes: x `(N, C, D, H, W)`, y `(N, C, OD, OH, OW)`. Source: PyTorch's `MaxPool3d`.
#[derive_backward]
pub fn max_pool3d<T: Float>(x: Tensor<T, (N, C, D, H, W)>, k: Window<3>) -> Tensor<T, (N, C, OD, OH, OW)> {
    max(window(x, (D, H, W), (OD, OH, OW), (KD, KH, KW), k), (KD, KH, KW))
}

/// [`max_pool1d`], and where each maximum was: its index along `L`.
#[derive_backward]
pub fn max_pool1d_indices<T: Float>(x: Tensor<T, (N, C, L)>, k: Window<1>) -> (Tensor<T, (N, C, O)>, Tensor<i64, (N, C, O)>) {
    let w = window(x, L, O, K, k);
    let place = window(index(L), L, O, K, k);
    (max(w, K), pick(fill(place, 0.0), K, argmax(w, K)))
}

/// [`max_pool2d`], and where each maximum was: its index in the plane, row-major over `(H, W)`.
#[derive_backward]
pub fn max_pool2d_indices<T: Float>(
    x: Tensor<T, (N, C, H, W)>,
    k: Window<2>,
) -> (Tensor<T, (N, C, OH, OW)>, Tensor<i64, (N, C, OH, OW)>) {
    let w = window(x, (H, W), (OH, OW), (KH, KW), k);
    let place = window(index(H) * len(W) + index(W), (H, W), (OH, OW), (KH, KW), k);
    (max(w, (KH, KW)), pick(fill(place, 0.0), (KH, KW), argmax(w, (KH, KW))))
}

/// [`max_pool3d`], and where each maximum was: its index in the volume, row-major over `(D, H, W)`.
#[derive_backward]
pub fn max_pool3d_indices<T: Float>(
    x: Tensor<T, (N, C, D, H, W)>,
    k: Window<3>,
) -> (Tensor<T, (N, C, OD, OH, OW)>, Tensor<i64, (N, C, OD, OH, OW)>) {
    let w = window(x, (D, H, W), (OD, OH, OW), (KD, KH, KW), k);
    let place = (index(D) * len(H) + index(H)) * len(W) + index(W);
    let place = window(place, (D, H, W), (OD, OH, OW), (KD, KH, KW), k);
    (max(w, (KD, KH, KW)), pick(fill(place, 0.0), (KD, KH, KW), argmax(w, (KD, KH, KW))))
}

/// Mean pooling: `y[n,c,oh,ow] = mean_{kh,kw} x[n,c, oh·s + kh·d − p, ow·s + kw·d − p]`.
///
/// The mean divides by the elements that it counted: those of the image, with `count_padding(true)` those of the padding
/// too, which are zeros (PyTorch's `count_include_pad`); with `divisor(..)` by that number.
///
/// Shapes: x `(N, C, H, W)`, y `(N, C, OH, OW)`. Source: as [`max_pool2d`]; PyTorch's `AvgPool2d`.
#[derive_backward]
pub fn mean_pool2d<T: Float>(x: Tensor<T, (N, C, H, W)>, k: Window<2>) -> Tensor<T, (N, C, OH, OW)> {
    mean(window(x, (H, W), (OH, OW), (KH, KW), k), (KH, KW))
}

/// [`mean_pool2d`] of sequences. Shapes: x `(N, C, L)`, y `(N, C, O)`. Source: PyTorch's `AvgPool1d`.
#[derive_backward]
pub fn mean_pool1d<T: Float>(x: Tensor<T, (N, C, L)>, k: Window<1>) -> Tensor<T, (N, C, O)> {
    mean(window(x, L, O, K, k), K)
}

/// [`mean_pool2d`] of volumes. Shapes: x `(N, C, D, H, W)`, y `(N, C, OD, OH, OW)`. Source: PyTorch's `AvgPool3d`.
#[derive_backward]
pub fn mean_pool3d<T: Float>(x: Tensor<T, (N, C, D, H, W)>, k: Window<3>) -> Tensor<T, (N, C, OD, OH, OW)> {
    mean(window(x, (D, H, W), (OD, OH, OW), (KD, KH, KW), k), (KD, KH, KW))
}

/// The largest element of each channel. Shapes: x `(N, C, ...)`, y `(N, C)`.
#[derive_backward]
pub fn global_max_pool<T: Float>(x: Tensor<T, (N, C, Many<S>)>) -> Tensor<T, (N, C)> {
    max(x, S)
}

/// The mean of each channel. Shapes: x `(N, C, ...)`, y `(N, C)`. Source: M. Lin, Q. Chen, S. Yan, "Network In Network",
/// 2013, arXiv:1312.4400, section 3.2.
#[derive_backward]
pub fn global_mean_pool<T: Float>(x: Tensor<T, (N, C, Many<S>)>) -> Tensor<T, (N, C)> {
    mean(x, S)
}

/// Power-mean pooling: `y = (Σ_{kh,kw} xᵖ)^(1/p)`, as PyTorch computes it: without absolute values, a negative sum gives 0,
/// and where a window's sum is 0 the gradient is 0.
///
/// Shapes: x `(N, C, H, W)`, y `(N, C, OH, OW)`. Source: P. Sermanet, S. Chintala, Y. LeCun, "Convolutional Neural Networks
/// Applied to House Numbers Digit Classification", 2012, arXiv:1204.3968; PyTorch's `LPPool2d`.
#[derive_backward]
pub fn lp_pool2d<T: Float>(x: Tensor<T, (N, C, H, W)>, p: f64, k: Window<2>) -> Tensor<T, (N, C, OH, OW)> {
    let total = sum(window(powf(x, p), (H, W), (OH, OW), (KH, KW), k), (KH, KW));
    let positive = gt(total, 0.0);
    select(positive, powf(select(positive, total, 1.0), 1.0 / p), 0.0)
}

/// [`lp_pool2d`] of sequences. Shapes: x `(N, C, L)`, y `(N, C, O)`. Source: PyTorch's `LPPool1d`.
#[derive_backward]
pub fn lp_pool1d<T: Float>(x: Tensor<T, (N, C, L)>, p: f64, k: Window<1>) -> Tensor<T, (N, C, O)> {
    let total = sum(window(powf(x, p), L, O, K, k), K);
    let positive = gt(total, 0.0);
    select(positive, powf(select(positive, total, 1.0), 1.0 / p), 0.0)
}

/// Mean pooling into `(oh, ow)` windows that cover the image, whatever its size: window `i` of `n` along an axis of length
/// `len` begins at `⌊i·len/n⌋` and ends before `⌈(i + 1)·len/n⌉`.
///
/// Shapes: x `(N, C, H, W)`, y `(N, C, oh, ow)`. Source: PyTorch's `AdaptiveAvgPool2d`.
#[derive_backward]
pub fn adaptive_mean_pool2d<T: Float>(x: Tensor<T, (N, C, H, W)>, oh: usize, ow: usize) -> Tensor<T, (N, C, OH, OW)> {
    mean(adaptive_window(x, (H, W), (OH, OW), (KH, KW), (oh, ow)), (KH, KW))
}

/// [`adaptive_mean_pool2d`] of sequences. Shapes: x `(N, C, L)`, y `(N, C, o)`.
#[derive_backward]
pub fn adaptive_mean_pool1d<T: Float>(x: Tensor<T, (N, C, L)>, o: usize) -> Tensor<T, (N, C, O)> {
    mean(adaptive_window(x, L, O, K, o), K)
}

/// [`adaptive_mean_pool2d`] of volumes. Shapes: x `(N, C, D, H, W)`, y `(N, C, od, oh, ow)`.
#[derive_backward]
pub fn adaptive_mean_pool3d<T: Float>(
    x: Tensor<T, (N, C, D, H, W)>,
    od: usize,
    oh: usize,
    ow: usize,
) -> Tensor<T, (N, C, OD, OH, OW)> {
    mean(adaptive_window(x, (D, H, W), (OD, OH, OW), (KD, KH, KW), (od, oh, ow)), (KD, KH, KW))
}

/// The largest element of each window of [`adaptive_mean_pool2d`], and its index in the plane, row-major over `(H, W)`.
///
/// Shapes: x `(N, C, H, W)`, both results `(N, C, oh, ow)`. Source: PyTorch's `AdaptiveMaxPool2d`.
#[derive_backward]
pub fn adaptive_max_pool2d<T: Float>(
    x: Tensor<T, (N, C, H, W)>,
    oh: usize,
    ow: usize,
) -> (Tensor<T, (N, C, OH, OW)>, Tensor<i64, (N, C, OH, OW)>) {
    let w = adaptive_window(x, (H, W), (OH, OW), (KH, KW), (oh, ow));
    let place = adaptive_window(index(H) * len(W) + index(W), (H, W), (OH, OW), (KH, KW), (oh, ow));
    (max(w, (KH, KW)), pick(fill(place, 0.0), (KH, KW), argmax(w, (KH, KW))))
}

/// [`adaptive_max_pool2d`] of sequences. Shapes: x `(N, C, L)`, both results `(N, C, o)`.
#[derive_backward]
pub fn adaptive_max_pool1d<T: Float>(x: Tensor<T, (N, C, L)>, o: usize) -> (Tensor<T, (N, C, O)>, Tensor<i64, (N, C, O)>) {
    let w = adaptive_window(x, L, O, K, o);
    let place = adaptive_window(index(L), L, O, K, o);
    (max(w, K), pick(fill(place, 0.0), K, argmax(w, K)))
}

/// [`adaptive_max_pool2d`] of volumes. Shapes: x `(N, C, D, H, W)`, both results `(N, C, od, oh, ow)`.
#[derive_backward]
pub fn adaptive_max_pool3d<T: Float>(
    x: Tensor<T, (N, C, D, H, W)>,
    od: usize,
    oh: usize,
    ow: usize,
) -> (Tensor<T, (N, C, OD, OH, OW)>, Tensor<i64, (N, C, OD, OH, OW)>) {
    let w = adaptive_window(x, (D, H, W), (OD, OH, OW), (KD, KH, KW), (od, oh, ow));
    let place = (index(D) * len(H) + index(H)) * len(W) + index(W);
    let place = adaptive_window(place, (D, H, W), (OD, OH, OW), (KD, KH, KW), (od, oh, ow));
    (max(w, (KD, KH, KW)), pick(fill(place, 0.0), (KD, KH, KW), argmax(w, (KD, KH, KW))))
}
