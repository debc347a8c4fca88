//! Pools of one, two and three dimensions.

use pullback::prelude::*;

#[derive_backward]
pub fn max_pool1d(x: Tensor<f32, (N, C, L)>, k: Window<1>) -> Tensor<f32, (N, C, O)> {
    max(window(x, L, O, K, k), K)
}
gradient_test!(max_pool1d_plain, MaxPool1d { k: Window::new([2]) });
gradient_test!(max_pool1d_overlapping, MaxPool1d { k: Window::new([3]).stride([1]).padding([1]) });
gradient_test!(max_pool1d_dilated, MaxPool1d { k: Window::new([2]).stride([2]).dilation([2]).padding([1]).ceil_mode(true) });

#[derive_backward]
pub fn mean_pool1d(x: Tensor<f32, (Many<N>, L)>, k: Window<1>) -> Tensor<f32, (Many<N>, O)> {
    x.window(L, O, K, k).mean(K)
}
gradient_test!(mean_pool1d_plain, MeanPool1d { k: Window::new([2]) });
gradient_test!(mean_pool1d_overlapping, MeanPool1d { k: Window::new([3]).stride([2]).padding([1]) });
gradient_test!(mean_pool1d_ceil, MeanPool1d { k: Window::new([3]).stride([2]).padding([1]).ceil_mode(true).count_padding(true) });

#[derive_backward]
pub fn max_pool2d_with_indices(
    x: Tensor<f32, (N, C, H, W)>,
    k: Window<2>,
) -> (Tensor<f32, (N, C, OH, OW)>, Tensor<i64, (N, C, OH, OW)>) {
    let w = window(x, (H, W), (OH, OW), (KH, KW), k);
    (max(w, (KH, KW)), argmax(w, (KH, KW)))
}
gradient_test!(MaxPool2dWithIndices { k: Window::new([2, 2]).stride([1, 2]) });

#[derive_backward]
pub fn min_pool2d(x: Tensor<f32, (N, C, H, W)>, k: Window<2>) -> Tensor<f32, (N, C, OH, OW)> {
    min(window(x, (H, W), (OH, OW), (KH, KW), k), (KH, KW))
}
gradient_test!(MinPool2d { k: Window::new([3, 2]).stride([2, 1]).padding([1, 0]) });

#[derive_backward]
pub fn mean_pool2d(x: Tensor<f32, (N, C, H, W)>, k: Window<2>) -> Tensor<f32, (N, C, OH, OW)> {
    mean(window(x, (H, W), (OH, OW), (KH, KW), k), (KH, KW))
}
gradient_test!(mean_pool2d_unequal, MeanPool2d { k: Window::new([3, 2]).stride([2, 1]).padding([1, 0]).dilation([1, 2]) });
gradient_test!(mean_pool2d_counting, MeanPool2d { k: Window::new([3, 3]).stride([2, 2]).padding([1, 1]).count_padding(true) });
gradient_test!(mean_pool2d_divisor, MeanPool2d { k: Window::new([2, 2]).divisor(Some(3)) });
gradient_test!(mean_pool2d_ceil, MeanPool2d { k: Window::new([2, 3]).stride([2, 2]).ceil_mode(true) });

#[derive_backward]
pub fn max_pool3d(x: Tensor<f32, (N, C, D, H, W)>, k: Window<3>) -> Tensor<f32, (N, C, OD, OH, OW)> {
    max(window(x, (D, H, W), (OD, OH, OW), (KD, KH, KW), k), (KD, KH, KW))
}
gradient_test!(MaxPool3d { k: Window::new([2, 1, 2]) });

#[derive_backward]
pub fn mean_pool3d(x: Tensor<f32, (N, C, D, H, W)>, k: Window<3>) -> Tensor<f32, (N, C, OD, OH, OW)> {
    mean(window(x, (D, H, W), (OD, OH, OW), (KD, KH, KW), k), (KD, KH, KW))
}
gradient_test!(MeanPool3d { k: Window::new([1, 2, 2]).stride([1, 1, 2]) });

/// As PyTorch: no absolute value.
#[derive_backward]
pub fn lp_pool2d(x: Tensor<f32, (N, C, H, W)>, p: f64, k: Window<2>) -> Tensor<f32, (N, C, OH, OW)> {
    let w = window(x, (H, W), (OH, OW), (KH, KW), k);
    let s = sum(powf(w, p), (KH, KW));
    powf(s, 1.0 / p)
}
gradient_test!(LpPool2d { p: 2.0, k: Window::new([2, 2]) });

#[derive_backward]
pub fn global_mean_pool(x: Tensor<f32, (N, C, Many<S>)>) -> Tensor<f32, (N, C)> {
    mean(x, S)
}
gradient_test!(GlobalMeanPool);

#[derive_backward]
pub fn global_max_and_mean(x: Tensor<f32, (N, C, H, W)>) -> (Tensor<f32, (N, C)>, Tensor<f32, (N, C)>) {
    (max(x, (H, W)), mean(x, (H, W)))
}
gradient_test!(GlobalMaxAndMean);

/// The soft maximum of a window: a log of a mean of exponentials.
#[derive_backward]
pub fn soft_pool(x: Tensor<f32, (N, L)>, k: Window<1>) -> Tensor<f32, (N, O)> {
    let w = window(x, L, O, K, k);
    let e = exp(w - max(w, K));
    sum(w * e, K) / sum(e, K)
}
gradient_test!(SoftPool { k: Window::new([3]).stride([1]) });

#[derive_backward]
pub fn window_variance(x: Tensor<f32, (N, L)>, k: Window<1>) -> Tensor<f32, (N, O)> {
    var(window(x, L, O, K, k), K)
}
gradient_test!(WindowVariance { k: Window::new([3]).stride([2]).padding([1]) });

#[derive_backward]
pub fn filled_window(x: Tensor<f32, (N, L)>, k: Window<1>) -> Tensor<f32, (N, O, K)> {
    fill(window(x, L, O, K, k), -1.0)
}
gradient_test!(FilledWindow { k: Window::new([3]).stride([1]).padding([1]) });

#[derive_backward]
pub fn window_product(x: Tensor<f32, (N, L)>, k: Window<1>) -> Tensor<f32, (N, O)> {
    prod(window(x, L, O, K, k), K)
}
gradient_test!(WindowProduct { k: Window::new([3]).stride([1]).padding([1]) });

/// A blur of three taps, then every second one: anti-aliased downsampling.
#[derive_backward]
pub fn blur_pool(x: Tensor<f32, (N, C, L)>) -> Tensor<f32, (N, C, O)> {
    let taps = constant([0.25, 0.5, 0.25], K);
    dot(window(x, L, O, K, Window::new([3]).stride([2]).padding([1])), taps, K)
}
gradient_test!(BlurPool);
