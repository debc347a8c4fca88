//! Norms.

use crate::harness::{Constants, Row, row};
use pullback::prelude::*;

#[derive_backward]
fn batch_norm(
    x: Tensor<f32, (N, C, Many<S>)>,
    g: Tensor<f32, C>,
    b: Tensor<f32, C>,
    rm: &mut Tensor<f32, C>,
    rv: &mut Tensor<f32, C>,
    training: bool,
    momentum: f64,
    eps: f64,
) -> Tensor<f32, (N, C, Many<S>)> {
    if training {
        ensure(len((N, S)) > 1, "one value a channel");
        let mu = mean(x, (N, S));
        let v = var(x, (N, S));
        let m = len((N, S)) as f64;
        *rm = (1.0 - momentum) * *rm + momentum * stop_gradient(mu);
        *rv = (1.0 - momentum) * *rv + momentum * stop_gradient(v) * (m / (m - 1.0));
        (x - mu) * rsqrt(v + eps) * g + b
    } else {
        (x - *rm) / sqrt(*rv + eps) * g + b
    }
}

#[derive_backward]
fn batch_norm_flat(x: Tensor<f32, (N, C)>, g: Option<Tensor<f32, C>>, b: Option<Tensor<f32, C>>) -> Tensor<f32, (N, C)> {
    let d = x - x.mean(N);
    let y = d / (d.sq().mean(N) + 1e-5).sqrt();
    let y = g.map_or(y, |g| y * g);
    b.map_or(y, |b| y + b)
}

#[derive_backward]
fn layer_norm(x: Tensor<f32, (Many<S>, C)>, g: Option<Tensor<f32, C>>, b: Option<Tensor<f32, C>>) -> Tensor<f32, (Many<S>, C)> {
    let mut y = (x - mean(x, C)) * rsqrt(var(x, C) + 1e-5);
    if let Some(g) = g {
        y = y * g;
    }
    if let Some(b) = b {
        y += b;
    }
    y
}

#[derive_backward]
fn layer_norm_3(
    x: Tensor<f32, (N, C, H, W)>,
    g: Option<Tensor<f32, (C, H, W)>>,
    b: Option<Tensor<f32, (C, H, W)>>,
) -> Tensor<f32, (N, C, H, W)> {
    let y = (x - x.mean((C, H, W))) / sqrt(x.var((C, H, W)) + 1e-6);
    let y = match g {
        Some(g) => g * y,
        None => y,
    };
    match b {
        Some(b) => y + b,
        None => y,
    }
}

#[derive_backward]
fn layer_norm_channels_first(
    x: Tensor<f32, (N, C, Many<S>)>,
    g: Tensor<f32, C>,
    b: Tensor<f32, C>,
) -> Tensor<f32, (N, C, Many<S>)> {
    let u = x.mean(C);
    let s = (x - u).powi(2).mean(C);
    let x = (x - u) / sqrt(s + 1e-6);
    g * x + b
}

#[derive_backward]
fn rms_norm<T: Float>(x: Tensor<T, (Many<S>, C)>, g: Option<Tensor<T, C>>) -> Tensor<T, (Many<S>, C)> {
    let y = x * rsqrt(mean(sq(x), C) + 1e-6);
    if let Some(g) = g { y * g } else { y }
}

#[derive_backward]
fn rms_norm_gemma(x: Tensor<f32, (N, C)>, g: Tensor<f32, C>) -> Tensor<f32, (N, C)> {
    x * (x.powi(2).mean(C) + 1e-6).rsqrt() * (1.0 + g)
}

#[derive_backward]
fn group_norm(
    x: Tensor<f32, (N, C, Many<S>)>,
    g: Option<Tensor<f32, C>>,
    b: Option<Tensor<f32, C>>,
    groups: usize,
) -> Tensor<f32, (N, C, Many<S>)> {
    let z = split(x, C, (G, D), groups);
    let z = (z - z.mean((D, S))) / sqrt(z.var((D, S)) + 1e-5);
    let y = merge(z, (G, D), C);
    let y = g.map_or(y, |g| g * y);
    b.map_or(y, |b| b + y)
}

#[derive_backward]
fn instance_norm(
    x: Tensor<f32, (N, C, Many<S>)>,
    g: Option<Tensor<f32, C>>,
    b: Option<Tensor<f32, C>>,
) -> Tensor<f32, (N, C, Many<S>)> {
    let y = (x - mean(x, S)) / sqrt(var(x, S) + 1e-5);
    let y = if let Some(g) = g { y * g } else { y };
    if let Some(b) = b { y + b } else { y }
}

#[derive_backward]
fn instance_norm_running(x: Tensor<f32, (N, C, L)>, rm: &mut Tensor<f32, C>, rv: &mut Tensor<f32, C>) -> Tensor<f32, (N, C, L)> {
    let (m, v) = (mean(x, L), var(x, L));
    let unbiased = v * len(L) / (len(L) - 1);
    *rm = *rm * 0.75 + 0.25 * mean(stop_gradient(m), N);
    *rv = *rv * 0.75 + 0.25 * mean(stop_gradient(unbiased), N);
    (x - m) * rsqrt(v + 1e-5)
}

#[derive_backward]
fn local_response(x: Tensor<f32, (N, C, Many<S>)>, size: usize, alpha: f64, beta: f64, k: f64) -> Tensor<f32, (N, C, Many<S>)> {
    let padded = pad(sq(x), C, P, size / 2, (size - 1) / 2, 0.0);
    let w = window(padded, P, O, K, Window::new([size]).stride([1]));
    let div = rename(mean(w, K), O, C);
    x / powf(k + alpha * div, beta)
}

#[derive_backward]
fn normalize_p(x: Tensor<f32, (N, S)>, p: f64) -> Tensor<f32, (N, S)> {
    let n = if p == 1.0 {
        sum(abs(x), S)
    } else if p == 2.0 {
        sqrt(sum(sq(x), S))
    } else {
        powf(sum(powf(abs(x), p), S), 1.0 / p)
    };
    x / max(n, 1e-12)
}

#[derive_backward]
fn weight_norm(v: Tensor<f32, (O, I)>, g: Tensor<f32, O>) -> Tensor<f32, (O, I)> {
    g * v / v.sq().sum(I).sqrt()
}

#[derive_backward]
fn weight_normed_linear(
    x: Tensor<f32, (N, I)>,
    v: Tensor<f32, (O, I)>,
    g: Tensor<f32, O>,
    b: Tensor<f32, O>,
) -> Tensor<f32, (N, O)> {
    let w = weight_norm(v, g);
    x.dot(w, I) + b
}

#[derive_backward]
fn weight_standardised(x: Tensor<f32, (N, I)>, w: Tensor<f32, (O, I, K)>, b: Tensor<f32, O>) -> Tensor<f32, (N, O, K)> {
    let w = (w - mean(w, (I, K))) / sqrt(var(w, (I, K)) + 1e-5);
    dot(x, w, I) + b
}

#[derive_backward]
fn adain(x: Tensor<f32, (N, C, Many<S>)>, s: Tensor<f32, (N, C)>, b: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C, Many<S>)> {
    let y = instance_norm(x, None, None);
    y * (1.0 + s) + b
}

#[derive_backward]
fn ada_layer_norm_zero(
    x: Tensor<f32, (N, L, C)>,
    s: Tensor<f32, (N, C)>,
    b: Tensor<f32, (N, C)>,
    gate: Tensor<f32, (N, C)>,
    r: Tensor<f32, (N, L, C)>,
) -> Tensor<f32, (N, L, C)> {
    fn normed(x: Tensor<f32>, over: impl Axes, eps: f64) -> Tensor<f32> {
        let d = x - mean(x, over);
        d * rsqrt(mean(sq(d), over) + eps)
    }
    r + gate * (normed(x, C, 1e-6) * (1 + s) + b)
}

#[derive_backward]
fn grn(x: Tensor<f32, (N, C, H, W)>, g: Tensor<f32, C>, b: Tensor<f32, C>) -> Tensor<f32, (N, C, H, W)> {
    let gx = sqrt(sum(sq(x), (H, W)));
    let nx = gx / (mean(gx, C) + 1e-6);
    g * (x * nx) + b + x
}

#[derive_backward]
fn filter_response(
    x: Tensor<f32, (N, C, H, W)>,
    g: Tensor<f32, C>,
    b: Tensor<f32, C>,
    tau: Tensor<f32, C>,
) -> Tensor<f32, (N, C, H, W)> {
    let nu2 = x.sq().mean((H, W));
    max(g * x * rsqrt(nu2 + 1e-6) + b, tau)
}

#[derive_backward]
fn pixel_norm_then_std(x: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, (N, E, H, W)> {
    let y = x * rsqrt(mean(x * x, C) + 1e-8);
    let s = sqrt(var(y, N) + 1e-8).mean((C, H, W));
    let one = slice(y, C, F, 0..1);
    concat(E, (y, C), (one * 0.0 + s, F))
}

#[derive_backward]
fn batch_renorm(
    x: Tensor<f32, (N, C)>,
    g: Tensor<f32, C>,
    b: Tensor<f32, C>,
    r: Tensor<f32, C>,
    d: Tensor<f32, C>,
) -> Tensor<f32, (N, C)> {
    let (m, s) = (mean(x, N), sqrt(var(x, N) + 1e-3));
    let rr = clamp(stop_gradient(s) / (0.5 + abs(stop_gradient(r))), 1.0 / 3.0, 3.0);
    let dd = stop_gradient(d).clamp(-5.0, 5.0);
    ((x - m) / s * rr + dd) * g + b
}

#[derive_backward]
fn switchable(x: Tensor<f32, (N, C, L)>, w: Tensor<f32, K>, v: Tensor<f32, K>) -> Tensor<f32, (N, C, L)> {
    let means = stack(K, (mean(x, L), mean(x, (C, L)), mean(x, (N, L))));
    let vars = stack(K, (var(x, L), var(x, (C, L)), var(x, (N, L))));
    let w = exp(w - logsumexp(w, K));
    let v = exp(v - logsumexp(v, K));
    (x - dot(w, means, K)) / sqrt(dot(v, vars, K) + 1e-5)
}

#[derive_backward]
fn dynamic_tanh(x: Tensor<f32, (N, C, L)>, #[diff] alpha: f64, g: Tensor<f32, C>, b: Tensor<f32, C>) -> Tensor<f32, (N, C, L)> {
    g * tanh(alpha * x) + b
}

#[derive_backward]
fn scale_norm(x: Tensor<f32, (N, L, C)>, #[diff] sc: f64) -> Tensor<f32, (N, L, C)> {
    sc * x / x.sq().sum(C).sqrt().max(1e-5)
}

#[derive_backward]
fn standardised_relu(x: Tensor<f32, (N, C, L)>, g: Tensor<f32, C>, b: Tensor<f32, C>) -> Tensor<f32, (N, C)> {
    let y = (x - mean(x, C)) / sqrt(var(x, C) + 1e-5) * g + b;
    max(max(y, 0.0), L)
}

#[derive_backward]
fn cosine(a: Tensor<f32, (N, S)>, b: Tensor<f32, (N, S)>) -> Tensor<f32, N> {
    let na = max(sqrt(sum(sq(a), S)), 1e-8);
    let nb = max(sqrt(sum(sq(b), S)), 1e-8);
    sum(a / na * (b / nb), S)
}

#[derive_backward]
fn pairwise(a: Tensor<f32, (N, S)>, b: Tensor<f32, (N, S)>) -> Tensor<f32, N> {
    (a - b + 1e-6).sq().sum(S).sqrt()
}

#[derive_backward]
fn distances(a: Tensor<f32, (N, S)>, b: Tensor<f32, (M, S)>) -> (Tensor<f32, (N, M)>, Tensor<f32, (N, M)>) {
    let d = a - b;
    (sqrt(sum(d * d, S)), sum(abs(d), S))
}

#[derive_backward]
fn covariance(x: Tensor<f32, (N, C)>) -> Tensor<f32, (C, E)> {
    let d = x - mean(x, N);
    dot(d, rename(d, C, E), N) / (len(N) - 1)
}

#[derive_backward]
fn correlation(x: Tensor<f32, (N, C)>) -> Tensor<f32, (C, E)> {
    let z = (x - mean(x, N)) / sqrt(var(x, N) + 1e-8);
    dot(z, z.rename(C, E), N) / len(N)
}

#[derive_backward]
fn moments(x: Tensor<f32, (N, S)>) -> (Tensor<f32, N>, Tensor<f32, N>, Tensor<f32, N>, Tensor<f32, N>) {
    let m = mean(x, S);
    let v = mean(sq(x - m), S);
    let z = (x - m) / sqrt(v + 1e-9);
    (m, v, mean(powi(z, 3), S), mean(z.powi(4), S) - 3.0)
}

pub fn rows() -> Vec<Row> {
    vec![
        row!("batch_norm", |s| BatchNorm { training: s.flag("training"), momentum: s.f("momentum"), eps: s.f("eps") }),
        row!(single "batch_norm_flat", BatchNormFlat),
        row!("layer_norm", LayerNorm),
        row!("layer_norm_3", LayerNorm3),
        row!("layer_norm_channels_first", LayerNormChannelsFirst),
        row!(single "rms_norm", RmsNorm),
        row!("rms_norm_gemma", RmsNormGemma),
        row!("group_norm", |s| GroupNorm { groups: s.n("groups") }),
        row!("instance_norm", InstanceNorm),
        row!("instance_norm_running", InstanceNormRunning),
        row!("local_response", |s| LocalResponse { size: s.n("size"), alpha: s.f("alpha"), beta: s.f("beta"), k: s.f("k") }),
        row!("normalize_p", |s| NormalizeP { p: s.f("p") }),
        row!("weight_norm", WeightNorm),
        row!("weight_normed_linear", WeightNormedLinear),
        row!("weight_standardised", WeightStandardised),
        row!("adain", Adain),
        row!("ada_layer_norm_zero", AdaLayerNormZero),
        row!("grn", Grn),
        row!("filter_response", FilterResponse),
        row!("pixel_norm_then_std", PixelNormThenStd),
        row!("batch_renorm", BatchRenorm),
        row!("switchable", Switchable),
        row!("dynamic_tanh", DynamicTanh),
        row!("scale_norm", ScaleNorm),
        row!("standardised_relu", StandardisedRelu),
        row!("cosine", Cosine),
        row!("pairwise", Pairwise),
        row!("distances", Distances),
        row!("covariance", Covariance),
        row!("correlation", Correlation),
        row!("moments", Moments),
    ]
}
