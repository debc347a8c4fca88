//! # Dropout before batch norm
//!
//! Dropout changes the variance of what comes after it between training and evaluation; a batch norm there keeps the
//! variance of training. Let x have mean μ and variance σ², and let k be 1 with probability q = 1 − p, else 0, apart from
//! x. Inverted dropout keeps the mean, E[x·k/q] = μ, but not the variance:
//!
//! ```text
//! Var[x·k/q] = E[x²]·E[k²]/q² − μ² = (σ² + μ²)/q − μ² = (σ² + p·μ²)/q
//! ```
//!
//! In evaluation the variance is σ². So a batch norm that follows divides, in evaluation, by a deviation that is too large
//! by √((1 + p·μ²/σ²)/q): by √2 for p = ½ and centred data. Put dropout after the last batch norm, or use the statistics of
//! the data with dropout off ([`Population`](crate::statistics::Population)). Source: X. Li, S. Chen, X. Hu, J. Yang,
//! "Understanding the Disharmony between Dropout and Batch Normalization by Variance Shift", 2018, arXiv:1801.05134.

use crate::prelude::*;

/// Inverted dropout: `y = x·keep/(1 − p)`, each element kept with probability `1 − p`.
///
/// A layer for training; in evaluation leave it out. No mask is stored: the backward draws it again from the seed, so
/// give each step its own (`seed.fold_in(step)`). A dropped NaN or infinity is NaN. In place: [`Dropout::forward_inplace`].
///
/// Shapes: any, kept. Source: N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
/// 2014, section 10.
#[derive_backward]
pub fn dropout<T: Float>(x: Tensor<T, Many<S>>, seed: Seed, p: f64) -> Tensor<T, Many<S>> {
    scaled(x, bernoulli_like(x, seed, 1.0 - p), p)
}

/// [`dropout`] of whole channels: one draw for each channel of each sample.
///
/// Shapes: x and y `(N, C, ...)`. Source: J. Tompson et al., "Efficient Object Localization Using Convolutional
/// Networks", 2015, arXiv:1411.4280, section 3.2; PyTorch's `Dropout1d`, `Dropout2d`, `Dropout3d`.
#[derive_backward]
pub fn channel_dropout<T: Float>(x: Tensor<T, (N, C, Many<S>)>, seed: Seed, p: f64) -> Tensor<T, (N, C, Many<S>)> {
    scaled(x, bernoulli((N, C), seed, 1.0 - p), p)
}

/// The older convention, in training: `y = x·keep`, without scaling. In testing, [`dropout_unscaled_eval`].
///
/// Shapes: any, kept. Source: G. Hinton et al., "Improving neural networks by preventing co-adaptation of feature
/// detectors", 2012, arXiv:1207.0580.
#[derive_backward]
pub fn dropout_unscaled<T: Float>(x: Tensor<T, Many<S>>, seed: Seed, p: f64) -> Tensor<T, Many<S>> {
    ensure((0.0..=1.0).contains(&p), "the dropout probability must lie in [0, 1]");
    x * bernoulli_like(x, seed, 1.0 - p)
}

/// The older convention, in testing: what training gave on average, `y = (1 − p)·x`. (The same as multiplying the weights
/// that follow by the keep probability.)
///
/// Shapes and source: as [`dropout_unscaled`].
#[derive_backward]
pub fn dropout_unscaled_eval<T: Float>(x: Tensor<T, Many<S>>, p: f64) -> Tensor<T, Many<S>> {
    ensure((0.0..=1.0).contains(&p), "the dropout probability must lie in [0, 1]");
    x * (1.0 - p)
}

/// Dropout that keeps mean 0 and variance 1: what is dropped becomes `−α'`, and the result `a·(..) + b` with
/// `a = ((1 − p)·(1 + p·α'²))^(−½)`, `b = a·p·α'`, `α' = λα ≈ 1.7581`. All zeros where `p` is 1.
///
/// Shapes: any, kept. Source: G. Klambauer et al., "Self-Normalizing Neural Networks", 2017, arXiv:1706.02515; PyTorch's
/// `AlphaDropout`.
#[derive_backward]
pub fn alpha_dropout<T: Float>(x: Tensor<T, Many<S>>, seed: Seed, p: f64) -> Tensor<T, Many<S>> {
    self_normalizing(x, bernoulli_like(x, seed, 1.0 - p), p)
}

/// [`alpha_dropout`] of whole channels. Shapes: x and y `(N, C, ...)`. Source: PyTorch's `FeatureAlphaDropout`.
#[derive_backward]
pub fn feature_alpha_dropout<T: Float>(x: Tensor<T, (N, C, Many<S>)>, seed: Seed, p: f64) -> Tensor<T, (N, C, Many<S>)> {
    self_normalizing(x, bernoulli((N, C), seed, 1.0 - p), p)
}

/// Gaussian dropout: `y = x·(1 + √(p/(1 − p))·g)` with standard normal g: the mean and variance of [`dropout`].
///
/// Shapes: any, kept. Source: as [`dropout`], section 10.
#[derive_backward]
pub fn gaussian_dropout<T: Float>(x: Tensor<T, Many<S>>, seed: Seed, p: f64) -> Tensor<T, Many<S>> {
    ensure((0.0..1.0).contains(&p), "the dropout probability must lie in [0, 1)");
    let deviation = (p / (1.0 - p)).sqrt();
    x * (1.0 + deviation * normal_like(x, seed))
}

/// DropConnect: a linear layer whose weights are dropped, `y = x·(W∘keep/(1 − p))ᵀ + b`; one draw of the weights a call.
///
/// Shapes: x `(..., I)`, weight `(O, I)`, bias `O`, y `(..., O)`. Source: L. Wan et al., "Regularization of Neural Networks
/// using DropConnect", 2013, ICML.
#[derive_backward]
pub fn drop_connect<T: Float, P: Float>(
    x: Tensor<T, (Many<N>, I)>,
    weight: Tensor<P, (O, I)>,
    bias: Tensor<P, O>,
    seed: Seed,
    p: f64,
) -> Tensor<T, (Many<N>, O)> {
    ensure((0.0..1.0).contains(&p), "the dropout probability must lie in [0, 1)");
    dot(x, weight * bernoulli_like(weight, seed, 1.0 - p) / (1.0 - p), I) + bias
}

/// What is kept, scaled such that the mean stays. (A product with 0 at `p = 1`, where nothing is kept: NaN stays NaN.)
#[derive_backward(helper)]
fn scaled<T: Float>(x: Tensor<T>, keep: Tensor<T>, p: f64) -> Tensor<T> {
    ensure((0.0..=1.0).contains(&p), "the dropout probability must lie in [0, 1]");
    if p == 1.0 { x * 0.0 } else { x * keep / (1.0 - p) }
}

/// What is kept, the rest −α', moved and scaled such that mean 0 and variance 1 stay.
#[derive_backward(helper)]
fn self_normalizing<T: Float>(x: Tensor<T>, keep: Tensor<T>, p: f64) -> Tensor<T> {
    ensure((0.0..=1.0).contains(&p), "the dropout probability must lie in [0, 1]");
    let alpha = 1.7580993408473766;
    let a = 1.0 / ((1.0 - p) * (1.0 + p * alpha * alpha)).sqrt();
    if p == 1.0 { x * 0.0 } else { a * (x * keep - alpha * (1.0 - keep)) + a * p * alpha }
}
