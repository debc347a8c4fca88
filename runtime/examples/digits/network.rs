//! The network, as one formula: its whole backward is derived.

// A formula takes every parameter of what it calls.
#![allow(clippy::too_many_arguments)]

use pullback::layers::{batch_norm, batch_norm_eval, conv2d, cross_entropy, dropout, linear, max_pool2d, relu};
use pullback::prelude::*;

/// The loss of a batch, in training: two convolutions with batch normalisation, a max pool, dropout, a linear layer,
/// cross-entropy.
#[derive_backward]
pub fn network(
    #[constant] image: Tensor<f32, (N, I, H, W)>,
    label: Labels<N>,
    conv1: Tensor<f32, (A, I, KH, KW)>,
    gamma1: Tensor<f32, A>,
    beta1: Tensor<f32, A>,
    conv2: Tensor<f32, (B, A, KH, KW)>,
    gamma2: Tensor<f32, B>,
    beta2: Tensor<f32, B>,
    weight: Tensor<f32, (C, F)>,
    bias: Tensor<f32, C>,
    mean1: &mut Tensor<f32, A>,
    var1: &mut Tensor<f32, A>,
    mean2: &mut Tensor<f32, B>,
    var2: &mut Tensor<f32, B>,
    seed: Seed,
) -> Tensor<f32, ()> {
    let same = Window::new([3, 3]).stride([1, 1]).padding([1, 1]);
    let halve = Window::new([2, 2]);
    let h = relu(batch_norm(conv2d(image, conv1, None, same), gamma1, beta1, mean1, var1, 0.1, 1e-5));
    let h = relu(batch_norm(conv2d(h, conv2, None, same), gamma2, beta2, mean2, var2, 0.1, 1e-5));
    let h: Tensor<f32, (N, B, PH, PW)> = dropout(max_pool2d(h, halve), seed, 0.25);
    cross_entropy(linear(merge(merge(h, (PH, PW), P), (B, P), F), weight, Some(bias)), label)
}

/// The logits in evaluation: running statistics, no dropout.
#[derive_backward]
pub fn logits(
    #[constant] image: Tensor<f32, (N, I, H, W)>,
    conv1: Tensor<f32, (A, I, KH, KW)>,
    gamma1: Tensor<f32, A>,
    beta1: Tensor<f32, A>,
    conv2: Tensor<f32, (B, A, KH, KW)>,
    gamma2: Tensor<f32, B>,
    beta2: Tensor<f32, B>,
    weight: Tensor<f32, (C, F)>,
    bias: Tensor<f32, C>,
    #[constant] mean1: Tensor<f32, A>,
    #[constant] var1: Tensor<f32, A>,
    #[constant] mean2: Tensor<f32, B>,
    #[constant] var2: Tensor<f32, B>,
) -> Tensor<f32, (N, C)> {
    let same = Window::new([3, 3]).stride([1, 1]).padding([1, 1]);
    let halve = Window::new([2, 2]);
    let h = relu(batch_norm_eval(conv2d(image, conv1, None, same), gamma1, beta1, mean1, var1, 1e-5));
    let h = relu(batch_norm_eval(conv2d(h, conv2, None, same), gamma2, beta2, mean2, var2, 1e-5));
    let h: Tensor<f32, (N, B, PH, PW)> = max_pool2d(h, halve);
    linear(merge(merge(h, (PH, PW), P), (B, P), F), weight, Some(bias))
}
