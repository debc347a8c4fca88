use crate::prelude::*;

/// Batch normalisation in training: `y = γ·(x − μ)/√(σ² + ε) + β`, with mean and biased variance of each channel over the
/// batch.
///
/// The running statistics move towards those of the batch, the variance *unbiased*:
/// `running ← (1 − momentum)·running + momentum·batch`. An empty batch leaves them as they are; a batch with one value a
/// channel is an error. For a cumulative average pass `momentum = 1/(number of batches so far, this one included)`.
///
/// Shapes: x and y `(N, C, ...)`, everything else `C`. Source: S. Ioffe, C. Szegedy, "Batch Normalization", 2015,
/// arXiv:1502.03167, algorithm 1; running statistics as PyTorch's `BatchNorm2d`.
#[derive_backward]
pub fn batch_norm(
    x: Tensor<f32, (N, C, Many<S>)>,
    gamma: Tensor<f32, C>,
    beta: Tensor<f32, C>,
    running_mean: &mut Tensor<f32, C>,
    running_var: &mut Tensor<f32, C>,
    momentum: f64,
    eps: f64,
) -> Tensor<f32, (N, C, Many<S>)> {
    let count = len(N) * len(S);
    ensure(count != 1, "training needs more than one value a channel");
    ensure(eps > 0.0, "eps must be positive in training");
    let mu = mean(x, (N, S));
    let var = mean(sq(x - mu), (N, S));
    let unbiased = var * (count as f64 / (count as f64 - 1.0));
    let new_mean = (1.0 - momentum) * *running_mean + momentum * mu;
    let new_var = (1.0 - momentum) * *running_var + momentum * unbiased;
    *running_mean = select(gt(count, 0), new_mean, *running_mean);
    *running_var = select(gt(count, 0), new_var, *running_var);
    gamma * (x - mu) / sqrt(var + eps) + beta
}

/// Batch normalisation in evaluation: `y = γ·(x − m)/√(v + ε) + β`, with the running statistics of [`batch_norm`], which
/// are constants.
///
/// Shapes and source: as [`batch_norm`].
#[derive_backward]
pub fn batch_norm_eval(
    x: Tensor<f32, (N, C, Many<S>)>,
    gamma: Tensor<f32, C>,
    beta: Tensor<f32, C>,
    #[constant] running_mean: Tensor<f32, C>,
    #[constant] running_var: Tensor<f32, C>,
    eps: f64,
) -> Tensor<f32, (N, C, Many<S>)> {
    gamma * (x - running_mean) / sqrt(running_var + eps) + beta
}
