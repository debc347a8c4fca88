//! Formulas of operators that are no ready-made layer. What PyTorch does along one dimension is done along the middle one
//! of three.

use pullback::layers::batch_norm_optional;
use pullback::prelude::*;

#[derive_backward]
pub fn silu(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x * sigmoid(x)
}

#[derive_backward]
pub fn softmax_along(x: Tensor<f32, (N, C, L)>) -> Tensor<f32, (N, C, L)> {
    let e = exp(x - max(x, C));
    e / sum(e, C)
}

#[derive_backward]
pub fn log_softmax_along(x: Tensor<f32, (N, C, L)>) -> Tensor<f32, (N, C, L)> {
    x - logsumexp(x, C)
}

/// Batch norm that also gives its statistics.
#[derive_backward]
pub fn batch_norm_with_statistics(
    x: Tensor<f32, (N, C, Many<S>)>,
    gamma: Option<Tensor<f32, C>>,
    beta: Option<Tensor<f32, C>>,
    running_mean: &mut Tensor<f32, C>,
    running_var: &mut Tensor<f32, C>,
    momentum: f64,
    eps: f64,
) -> (Tensor<f32, (N, C, Many<S>)>, Tensor<f32, C>, Tensor<f32, C>) {
    let y = batch_norm_optional(x, gamma, beta, running_mean, running_var, momentum, eps);
    (y, mean(x, (N, S)), rsqrt(var(x, (N, S)) + eps))
}

#[derive_backward]
pub fn group_norm(
    x: Tensor<f32, (N, C, Many<S>)>,
    gamma: Tensor<f32, C>,
    beta: Tensor<f32, C>,
    groups: usize,
    eps: f64,
) -> Tensor<f32, (N, C, Many<S>)> {
    let grouped = split(x, C, (G, D), groups);
    let mu = mean(grouped, (D, S));
    let var = mean(sq(grouped - mu), (D, S));
    gamma * merge((grouped - mu) / sqrt(var + eps), (G, D), C) + beta
}

#[derive_backward]
pub fn instance_norm(
    x: Tensor<f32, (N, C, Many<S>)>,
    gamma: Tensor<f32, C>,
    beta: Tensor<f32, C>,
    eps: f64,
) -> Tensor<f32, (N, C, Many<S>)> {
    gamma * (x - mean(x, S)) * rsqrt(var(x, S) + eps) + beta
}

/// The same, with running statistics: those of the instances, averaged.
#[derive_backward]
pub fn instance_norm_tracked(
    x: Tensor<f32, (N, C, Many<S>)>,
    gamma: Tensor<f32, C>,
    beta: Tensor<f32, C>,
    running_mean: &mut Tensor<f32, C>,
    running_var: &mut Tensor<f32, C>,
    momentum: f64,
    eps: f64,
) -> Tensor<f32, (N, C, Many<S>)> {
    let count = len(S) as f64;
    *running_mean = (1.0 - momentum) * *running_mean + momentum * mean(mean(x, S), N);
    *running_var = (1.0 - momentum) * *running_var + momentum * mean(var(x, S), N) * (count / (count - 1.0));
    instance_norm(x, gamma, beta, eps)
}

/// `x / max(‖x‖ₚ, eps)`.
#[derive_backward]
pub fn normalize(x: Tensor<f32, (N, C, L)>, p: f64, eps: f64) -> Tensor<f32, (N, C, L)> {
    let norm = if p == 2.0 {
        sqrt(sum(sq(x), C))
    } else if p == 1.0 {
        sum(abs(x), C)
    } else if p == 0.0 {
        sum(ne(x, 0.0), C)
    } else {
        powf(sum(powf(abs(x), p), C), 1.0 / p)
    };
    x / max(norm, eps)
}

#[derive_backward]
pub fn cosine_similarity(a: Tensor<f32, (N, C, L)>, b: Tensor<f32, (N, C, L)>, eps: f64) -> Tensor<f32, (N, L)> {
    dot(a, b, C) / (max(sqrt(sum(sq(a), C)), eps) * max(sqrt(sum(sq(b), C)), eps))
}

/// The loss of each element. A label that is no class counts for nothing.
#[derive_backward]
pub fn cross_entropy_each(
    logits: Tensor<f32, (N, C, L)>,
    label: Labels<(N, L)>,
    #[constant] weight: Tensor<f32, C>,
    ignore: i64,
    smoothing: f64,
) -> Tensor<f32, (N, L)> {
    let nll = logsumexp(logits, C) - logits;
    let hit = eq(index(C), label) & ne(label, ignore);
    let smooth = select(ne(label, ignore), sum(weight * nll, C), 0.0) / len(C);
    (1.0 - smoothing) * sum(select(hit, weight * nll, 0.0), C) + smoothing * smooth
}

/// Their mean, by the weights of the labels, or their sum.
#[derive_backward]
pub fn cross_entropy_total(
    logits: Tensor<f32, (N, C, L)>,
    label: Labels<(N, L)>,
    #[constant] weight: Tensor<f32, C>,
    ignore: i64,
    smoothing: f64,
    is_mean: bool,
) -> Tensor<f32, ()> {
    let total = sum(cross_entropy_each(logits, label, weight, ignore, smoothing), (N, L));
    let hit = eq(index(C), label) & ne(label, ignore);
    if is_mean { total / sum(select(hit, weight, 0.0), (N, C, L)) } else { total }
}

/// With probabilities for labels; the sum over classes.
#[derive_backward]
pub fn cross_entropy_soft(
    logits: Tensor<f32, (N, C, L)>,
    target: Tensor<f32, (N, C, L)>,
    #[constant] weight: Tensor<f32, C>,
    smoothing: f64,
) -> Tensor<f32, (N, L)> {
    let target = (1.0 - smoothing) * target + smoothing / len(C) as f64;
    sum(target * weight * (logsumexp(logits, C) - logits), C)
}

/// Their mean over the positions, or their sum.
#[derive_backward]
pub fn cross_entropy_soft_total(
    logits: Tensor<f32, (N, C, L)>,
    target: Tensor<f32, (N, C, L)>,
    #[constant] weight: Tensor<f32, C>,
    smoothing: f64,
    is_mean: bool,
) -> Tensor<f32, ()> {
    let each = cross_entropy_soft(logits, target, weight, smoothing);
    if is_mean { mean(each, (N, L)) } else { sum(each, (N, L)) }
}

#[derive_backward]
pub fn squared_error(x: Tensor<f32, N>, y: Tensor<f32, N>) -> Tensor<f32, N> {
    sq(x - y)
}

#[derive_backward]
pub fn squared_error_sum(x: Tensor<f32, N>, y: Tensor<f32, N>) -> Tensor<f32, ()> {
    sum(sq(x - y), N)
}

#[derive_backward]
pub fn squared_error_mean(x: Tensor<f32, N>, y: Tensor<f32, N>) -> Tensor<f32, ()> {
    mean(sq(x - y), N)
}
