//! Normalisations.

use pullback::prelude::*;

#[derive_backward]
pub fn layer_norm_of_many(
    x: Tensor<f32, (N, Many<S>)>,
    gamma: Option<Tensor<f32, Many<S>>>,
    beta: Option<Tensor<f32, Many<S>>>,
    eps: f64,
) -> Tensor<f32, (N, Many<S>)> {
    let mu = mean(x, S);
    let y = (x - mu) * rsqrt(var(x, S) + eps);
    let y = if let Some(g) = gamma { g * y } else { y };
    match beta {
        Some(b) => y + b,
        None => y,
    }
}
gradient_test!(LayerNormOfMany { eps: 1e-5 });

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
    let centred = grouped - mu;
    let var = mean(sq(centred), (D, S));
    let y = merge(centred / sqrt(var + eps), (G, D), C);
    gamma * y + beta
}
gradient_test!(GroupNorm { groups: 1, eps: 1e-5 });
gradient_test!(group_norm_of_two, GroupNorm { groups: 2, eps: 1e-5 });

#[derive_backward]
pub fn instance_norm(x: Tensor<f32, (N, C, Many<S>)>, eps: f64) -> Tensor<f32, (N, C, Many<S>)> {
    let mu = mean(x, S);
    let var = mean((x - mu).sq(), S);
    (x - mu) / (var + eps).sqrt()
}
gradient_test!(InstanceNorm { eps: 1e-5 });

#[derive_backward]
pub fn rms_norm_plain(x: Tensor<f32, (Many<N>, C)>, weight: Option<Tensor<f32, C>>, eps: f64) -> Tensor<f32, (Many<N>, C)> {
    let y = x * rsqrt(mean(sq(x), C) + eps);
    weight.map_or(y, |w| y * w)
}
gradient_test!(RmsNormPlain { eps: 1e-6 });

#[derive_backward]
pub fn l2_normalize(x: Tensor<f32, (N, C)>, eps: f64) -> Tensor<f32, (N, C)> {
    let norm = sqrt(sum(sq(x), C));
    x / max(norm, eps)
}
gradient_test!(L2Normalize { eps: 1e-2 });

#[derive_backward]
pub fn lp_normalize(x: Tensor<f32, (N, C)>, p: f64, eps: f64) -> Tensor<f32, (N, C)> {
    let norm = if p == 1.0 {
        sum(abs(x), C)
    } else if p == 2.0 {
        sqrt(sum(sq(x), C))
    } else {
        powf(sum(powf(abs(x), p), C), 1.0 / p)
    };
    x / (norm + eps)
}
gradient_test!(lp_normalize_1, LpNormalize { p: 1.0, eps: 1e-1 });
gradient_test!(lp_normalize_2, LpNormalize { p: 2.0, eps: 1e-1 });
gradient_test!(lp_normalize_3, LpNormalize { p: 3.0, eps: 1e-1 });

/// Over a window of the channels, padded with zeros and always divided by its size.
#[derive_backward]
pub fn local_response_norm(
    x: Tensor<f32, (N, C, Many<S>)>,
    size: usize,
    alpha: f64,
    beta: f64,
    k: f64,
) -> Tensor<f32, (N, C, Many<S>)> {
    let near = window(sq(x), C, D, K, Window::new([size]).stride([1]).padding([size / 2]));
    let near = slice(sum(near, K), D, C, ..len(C));
    x / powf(k + alpha * near / size, beta)
}
gradient_test!(LocalResponseNorm { size: 3, alpha: 1e-2, beta: 0.75, k: 1.0 });

#[derive_backward]
pub fn cosine_similarity(a: Tensor<f32, (N, C)>, b: Tensor<f32, (N, C)>, eps: f64) -> Tensor<f32, N> {
    let a_norm = max(sqrt(sum(sq(a), C)), eps);
    let b_norm = max(sqrt(sum(sq(b), C)), eps);
    dot(a, b, C) / (a_norm * b_norm)
}
gradient_test!(CosineSimilarity { eps: 1e-3 });

#[derive_backward]
pub fn weight_norm(v: Tensor<f32, (O, I)>, g: Tensor<f32, O>) -> Tensor<f32, (O, I)> {
    g * v / sqrt(sum(sq(v), I))
}
gradient_test!(WeightNorm);

/// Running statistics, and which of them are used, decided by a constant.
#[derive_backward]
pub fn batch_norm_of_both_modes(
    x: Tensor<f32, (N, C, Many<S>)>,
    gamma: Tensor<f32, C>,
    beta: Tensor<f32, C>,
    running_mean: &mut Tensor<f32, C>,
    running_var: &mut Tensor<f32, C>,
    training: bool,
    momentum: f64,
    eps: f64,
) -> Tensor<f32, (N, C, Many<S>)> {
    if training {
        let m = len(N) * len(S);
        ensure(m > 1, "more than one value a channel is needed");
        let mu = mean(x, (N, S));
        let v = var(x, (N, S));
        *running_mean = *running_mean * (1.0 - momentum) + stop_gradient(mu) * momentum;
        *running_var = *running_var * (1.0 - momentum) + stop_gradient(v) * (momentum * m as f64 / (m - 1) as f64);
        gamma * (x - mu) / sqrt(v + eps) + beta
    } else {
        gamma * (x - *running_mean) / sqrt(*running_var + eps) + beta
    }
}
gradient_test!(batch_norm_training, BatchNormOfBothModes { training: true, momentum: 0.1, eps: 1e-5 });
gradient_test!(batch_norm_evaluation, BatchNormOfBothModes { training: false, momentum: 0.1, eps: 1e-5 });

/// Standardised over everything.
#[derive_backward]
pub fn standardize<T: Float>(x: Tensor<T, Many<S>>) -> Tensor<T, Many<S>> {
    (x - mean(x, S)) / sqrt(var(x, S) + 1e-3)
}
gradient_test!(Standardize);

/// Layer norm of channels in the middle, as ConvNeXt has it.
#[derive_backward]
pub fn channel_layer_norm(
    x: Tensor<f32, (N, C, H, W)>,
    gamma: Tensor<f32, C>,
    beta: Tensor<f32, C>,
    eps: f64,
) -> Tensor<f32, (N, C, H, W)> {
    let mu = x.mean(C);
    let s = (x - mu).sq().mean(C);
    (x - mu) / (s + eps).sqrt() * gamma + beta
}
gradient_test!(ChannelLayerNorm { eps: 1e-5 });

/// Global response normalisation of ConvNeXt V2.
#[derive_backward]
pub fn global_response_norm(
    x: Tensor<f32, (N, H, W, C)>,
    gamma: Tensor<f32, C>,
    beta: Tensor<f32, C>,
) -> Tensor<f32, (N, H, W, C)> {
    let g = sqrt(sum(sq(x), (H, W)) + 1e-3);
    let n = g / (mean(g, C) + 1e-3);
    gamma * (x * n) + beta + x
}
gradient_test!(GlobalResponseNorm);

/// bn → relu → dropout → add → ln in one.
#[derive_backward]
pub fn residual_block(
    x: Tensor<f32, (N, C)>,
    skip: Tensor<f32, (N, C)>,
    gamma: Tensor<f32, C>,
    beta: Tensor<f32, C>,
    scale: Tensor<f32, C>,
    seed: Seed,
    p: f64,
    eps: f64,
) -> Tensor<f32, (N, C)> {
    let mu = mean(x, N);
    let h = gamma * (x - mu) / sqrt(mean(sq(x - mu), N) + eps) + beta;
    let h = max(h, 0.0);
    let h = h * bernoulli_like(h, seed, 1.0 - p) / (1.0 - p);
    let h = h + skip;
    let m = mean(h, C);
    scale * (h - m) / sqrt(mean(sq(h - m), C) + eps)
}
gradient_test!(ResidualBlock { seed: Seed(7), p: 0.25, eps: 1e-3 });
