//! Attention and rotary embeddings.

use pullback::prelude::*;

#[derive_backward(helper)]
pub fn softmax_over(x: Tensor<f32>, a: impl Axes) -> Tensor<f32> {
    let e = exp(x - max(x, a));
    e / sum(e, a)
}

#[derive_backward]
pub fn attention(q: Tensor<f32, (B, T, D)>, k: Tensor<f32, (B, S, D)>, v: Tensor<f32, (B, S, E)>) -> Tensor<f32, (B, T, E)> {
    let scores = dot(q, k, D) / (len(D) as f64).sqrt();
    dot(softmax_over(scores, S), v, S)
}
gradient_test!(Attention);

#[derive_backward]
pub fn causal_attention(
    q: Tensor<f32, (B, T, D)>,
    k: Tensor<f32, (B, T, D)>,
    v: Tensor<f32, (B, T, D)>,
) -> Tensor<f32, (B, T, D)> {
    let (k, v) = (rename(k, T, S), rename(v, T, S));
    let scores = dot(q, k, D) * (1.0 / (len(D) as f64).sqrt());
    let allowed = le(index(S), index(T));
    let weights = softmax_over(select(allowed, scores, -1e9), S);
    dot(weights, v, S)
}
gradient_test!(CausalAttention);

/// The heads are split off the channels, and a mask is added to the scores.
#[derive_backward]
pub fn multi_head_attention(
    x: Tensor<f32, (B, T, C)>,
    wq: Tensor<f32, (C, F)>,
    wk: Tensor<f32, (C, F)>,
    wv: Tensor<f32, (C, F)>,
    wo: Tensor<f32, (F, C)>,
    #[constant] mask: Option<Tensor<f32, (T, S)>>,
    heads: usize,
) -> Tensor<f32, (B, T, C)> {
    let q = split(dot(x, wq, C), F, (H, D), heads);
    let k = split(dot(x, wk, C), F, (H, D), heads).rename(T, S);
    let v = split(dot(x, wv, C), F, (H, D), heads).rename(T, S);
    let scores = dot(q, k, D) / sqrt(len(D) as f64);
    let scores = mask.map_or(scores, |m| scores + m);
    let heads_out = dot(softmax_over(scores, S), v, S);
    dot(merge(heads_out, (H, D), F), wo, F)
}
gradient_test!(MultiHeadAttention { heads: 1 });

/// The first half of the channels is turned against the second.
#[derive_backward]
pub fn rotary_halves(x: Tensor<f32, (B, T, D)>, base: f64) -> Tensor<f32, (B, T, D)> {
    let half = len(D) / 2;
    ensure(half * 2 == len(D), "an even number of channels is needed");
    let a = slice(x, D, F, ..half);
    let b = slice(x, D, F, half..);
    let angle = index(T) * powf(base, -index(F) / half);
    let (c, s) = (cos(angle), sin(angle));
    concat(D, (a * c - b * s, F), (a * s + b * c, F))
}
gradient_test!(RotaryHalves { base: 100.0 });

/// Neighbouring channels are turned in pairs; the angles come from outside.
#[derive_backward]
pub fn rotary_pairs(x: Tensor<f32, (B, T, H, D)>, #[constant] angle: Tensor<f32, (T, F)>) -> Tensor<f32, (B, T, H, D)> {
    let pair = split(x, D, (F, P), len(D) / 2);
    let even = sum(slice(pair, P, Q, 0..1), Q);
    let odd = sum(slice(pair, P, Q, 1..2), Q);
    let turned = stack(P, (even * cos(angle) - odd * sin(angle), odd * cos(angle) + even * sin(angle)));
    merge(turned, (F, P), D)
}
gradient_test!(RotaryPairs);

/// A bias that falls with the distance.
#[derive_backward]
pub fn alibi(scores: Tensor<f32, (H, T, S)>, slope: Tensor<f32, H>) -> Tensor<f32, (H, T, S)> {
    softmax_over(scores - slope * abs(index(T) - index(S)), S)
}
gradient_test!(Alibi);

/// Linear attention, with the feature map elu + 1.
#[derive_backward]
pub fn linear_attention(
    q: Tensor<f32, (B, T, D)>,
    k: Tensor<f32, (B, S, D)>,
    v: Tensor<f32, (B, S, E)>,
) -> Tensor<f32, (B, T, E)> {
    fn feature(x: Tensor<f32>) -> Tensor<f32> {
        map(x, |v| if v > 0.0 { v + 1.0 } else { v.exp() })
    }
    let (q, k) = (feature(q), feature(k));
    let state = dot(k, v, S);
    dot(q, state, D) / (dot(q, sum(k, S), D) + 1e-3)
}
gradient_test!(LinearAttention);
