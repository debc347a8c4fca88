//! # Batch norm: which formula
//!
//! | | weight and bias | either may be absent |
//! | --- | --- | --- |
//! | training, with running statistics | [`batch_norm`] | [`batch_norm_optional`] |
//! | evaluation, or training with frozen statistics | [`batch_norm_eval`] | [`batch_norm_eval_optional`] |
//! | no running statistics, training and evaluation alike | | [`batch_norm_untracked`] |
//!
//! Each works in any rank: `(N, C)`, `(N, C, L)`, `(N, C, H, W)`, `(N, C, D, H, W)`. Where weight or bias may be absent there
//! is a kernel for each of the four cases, and as much more for rustc to compile.

use crate::prelude::*;

/// Batch normalisation in training: `y = γ·(x − μ)/√(σ² + ε) + β`, with mean and biased variance of each channel over the
/// batch.
///
/// The running statistics move towards those of the batch, the variance *unbiased*:
/// `running ← (1 − momentum)·running + momentum·batch`. An empty batch leaves them as they are; a batch with one value a
/// channel is an error. For a cumulative average pass `momentum = 1/(number of batches so far, this one included)`; the
/// exact statistics of a data set are [`Population`](crate::statistics::Population)'s.
///
/// Shapes: x and y `(N, C, ...)`, everything else `C`. Source: S. Ioffe, C. Szegedy, "Batch Normalization", 2015,
/// arXiv:1502.03167, algorithm 1; running statistics as PyTorch's `BatchNorm2d`.
#[derive_backward]
pub fn batch_norm<T: Float, P: Float>(
    x: Tensor<T, (N, C, Many<S>)>,
    gamma: Tensor<P, C>,
    beta: Tensor<P, C>,
    running_mean: &mut Tensor<P, C>,
    running_var: &mut Tensor<P, C>,
    momentum: f64,
    eps: f64,
) -> Tensor<T, (N, C, Many<S>)> {
    batch_norm_optional(x, Some(gamma), Some(beta), running_mean, running_var, momentum, eps)
}

/// [`batch_norm`] whose weight and bias may each be absent, as if they were 1 and 0.
///
/// Shapes and source: as [`batch_norm`].
#[derive_backward]
pub fn batch_norm_optional<T: Float, P: Float>(
    x: Tensor<T, (N, C, Many<S>)>,
    gamma: Option<Tensor<P, C>>,
    beta: Option<Tensor<P, C>>,
    running_mean: &mut Tensor<P, C>,
    running_var: &mut Tensor<P, C>,
    momentum: f64,
    eps: f64,
) -> Tensor<T, (N, C, Many<S>)> {
    let count = len(N) * len(S);
    let unbiased = var(x, (N, S)) * (count as f64 / (count as f64 - 1.0));
    let new_mean = (1.0 - momentum) * *running_mean + momentum * mean(x, (N, S));
    let new_var = (1.0 - momentum) * *running_var + momentum * unbiased;
    *running_mean = select(gt(count, 0), new_mean, *running_mean);
    *running_var = select(gt(count, 0), new_var, *running_var);
    batch_norm_untracked(x, gamma, beta, eps)
}

/// Batch normalisation by the statistics of the batch alone, in evaluation too: [`batch_norm_optional`] without the
/// running ones.
///
/// Shapes and source: as [`batch_norm`]; PyTorch's `track_running_stats=False`.
#[derive_backward]
pub fn batch_norm_untracked<T: Float, P: Float>(
    x: Tensor<T, (N, C, Many<S>)>,
    gamma: Option<Tensor<P, C>>,
    beta: Option<Tensor<P, C>>,
    eps: f64,
) -> Tensor<T, (N, C, Many<S>)> {
    ensure(len(N) * len(S) != 1, "training needs more than one value a channel");
    ensure(eps > 0.0, "eps must be positive in training");
    normalized(x, gamma, beta, mean(x, (N, S)), var(x, (N, S)), eps)
}

/// Batch normalisation in evaluation: `y = γ·(x − m)/√(v + ε) + β`, with the running statistics of [`batch_norm`], which
/// are constants. Training with frozen statistics is this formula too: its backward is that of constants.
///
/// Shapes and source: as [`batch_norm`].
#[derive_backward]
pub fn batch_norm_eval<T: Float, P: Float>(
    x: Tensor<T, (N, C, Many<S>)>,
    gamma: Tensor<P, C>,
    beta: Tensor<P, C>,
    #[constant] running_mean: Tensor<P, C>,
    #[constant] running_var: Tensor<P, C>,
    eps: f64,
) -> Tensor<T, (N, C, Many<S>)> {
    normalized(x, Some(gamma), Some(beta), running_mean, running_var, eps)
}

/// [`batch_norm_eval`] whose weight and bias may each be absent, as if they were 1 and 0.
///
/// Shapes and source: as [`batch_norm`].
#[derive_backward]
pub fn batch_norm_eval_optional<T: Float, P: Float>(
    x: Tensor<T, (N, C, Many<S>)>,
    gamma: Option<Tensor<P, C>>,
    beta: Option<Tensor<P, C>>,
    #[constant] running_mean: Tensor<P, C>,
    #[constant] running_var: Tensor<P, C>,
    eps: f64,
) -> Tensor<T, (N, C, Many<S>)> {
    normalized(x, gamma, beta, running_mean, running_var, eps)
}

#[derive_backward(helper)]
fn normalized<T: Float, P: Float>(
    x: Tensor<T, (N, C, Many<S>)>,
    gamma: Option<Tensor<P, C>>,
    beta: Option<Tensor<P, C>>,
    mu: Tensor<P, C>,
    var: Tensor<P, C>,
    eps: f64,
) -> Tensor<T, (N, C, Many<S>)> {
    let normal = (x - mu) / sqrt(var + eps);
    let scaled = gamma.map_or(normal, |gamma| gamma * normal);
    beta.map_or(scaled, |beta| scaled + beta)
}
