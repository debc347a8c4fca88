//! Attention, and blocks of transformers.

use crate::harness::{Row, row};
use pullback::prelude::*;

#[derive_backward(helper)]
fn softmax(s: Tensor<f32>, over: impl Axes) -> Tensor<f32> {
    let e = exp(s - max(s, over));
    e / sum(e, over)
}

#[derive_backward]
fn plain(q: Tensor<f32, (N, G, T, D)>, k: Tensor<f32, (N, G, L, D)>, v: Tensor<f32, (N, G, L, O)>) -> Tensor<f32, (N, G, T, O)> {
    let s = dot(q, k, D) / (len(D) as f64).sqrt();
    dot(softmax(s, L), v, L)
}

#[derive_backward]
fn causal(q: Tensor<f32, (N, G, L, D)>, k: Tensor<f32, (N, G, L, D)>, v: Tensor<f32, (N, G, L, D)>) -> Tensor<f32, (N, G, L, D)> {
    let (k, v) = (rename(k, L, M), rename(v, L, M));
    let s = dot(q, k, D) / (len(D) as f64).sqrt();
    let s = select(le(index(M), index(L)), s, f64::NEG_INFINITY);
    dot(exp(s - logsumexp(s, M)), v, M)
}

#[derive_backward]
fn padding_mask(
    q: Tensor<f32, (N, G, T, D)>,
    k: Tensor<f32, (N, G, L, D)>,
    v: Tensor<f32, (N, G, L, O)>,
    #[constant] m: Tensor<f32, (N, L)>,
) -> Tensor<f32, (N, G, T, O)> {
    let keep = m.gt(-0.5);
    let s = q.dot(k, D) * (len(D) as f64).powf(-0.5);
    let s = select(keep, s, f64::NEG_INFINITY);
    let p = select(any(keep, L), softmax(s, L), 0.0);
    p.dot(v, L)
}

#[derive_backward]
fn biased(
    q: Tensor<f32, (N, G, T, D)>,
    k: Tensor<f32, (N, G, L, D)>,
    v: Tensor<f32, (N, G, L, O)>,
    b: Tensor<f32, (T, L)>,
    scale: f64,
) -> Tensor<f32, (N, G, T, O)> {
    let s = dot(q, k, D) * scale + b;
    let e = exp(s - max(s, L));
    dot(e, v, L) / sum(e, L)
}

#[derive_backward]
fn alibi(
    q: Tensor<f32, (N, G, L, D)>,
    k: Tensor<f32, (N, G, L, D)>,
    v: Tensor<f32, (N, G, L, D)>,
    slope: Tensor<f32, G>,
) -> Tensor<f32, (N, G, L, D)> {
    let (k, v) = (rename(k, L, M), rename(v, L, M));
    let d = index(L) - index(M);
    let s = dot(q, k, D) / (len(D) as f64).sqrt() - slope * d;
    dot(softmax(select(d.lt(0), f64::NEG_INFINITY, s), M), v, M)
}

#[derive_backward]
fn grouped_query(
    q: Tensor<f32, (N, H, L, D)>,
    k: Tensor<f32, (N, G, L, D)>,
    v: Tensor<f32, (N, G, L, D)>,
) -> Tensor<f32, (N, H, L, D)> {
    let q = split(q, H, (G, P), len(G));
    let (k, v) = (rename(k, L, M), rename(v, L, M));
    let s = dot(q, k, D) / (len(D) as f64).sqrt();
    merge(dot(softmax(s, M), v, M), (G, P), H)
}

#[derive_backward]
fn rotary(x: Tensor<f32, (Many<B>, L, D)>) -> Tensor<f32, (Many<B>, L, D)> {
    let halves = split(x, D, (P, F), 2);
    let angle = index(L) * exp(-100.0_f64.ln() * index(F) / len(F));
    let (c, s) = (cos(angle), sin(angle));
    let other = roll(halves, P, 1) * select(eq(index(P), 0), -1.0, 1.0);
    merge(halves * c + other * s, (P, F), D)
}

#[derive_backward]
fn rotary_attention(
    q: Tensor<f32, (N, G, L, D)>,
    k: Tensor<f32, (N, G, L, D)>,
    v: Tensor<f32, (N, G, L, D)>,
) -> Tensor<f32, (N, G, L, D)> {
    causal(rotary(q), rotary(k), v)
}

#[derive_backward]
fn rotary_interleaved(x: Tensor<f32, (N, L, D)>, p: Tensor<f32, (N, L, D)>) -> Tensor<f32, (N, L, D)> {
    let z = split(x, D, (F, P), len(D) / 2);
    let re = slice(z, P, A, 0..1).sum(A);
    let im = slice(z, P, B, 1..2).sum(B);
    let a = index(L) * constant([1.0, 0.1], F);
    let y = stack(P, (re * cos(a) - im * sin(a), re * sin(a) + im * cos(a)));
    merge(y, (F, P), D) + p
}

#[derive_backward]
fn linear_attention(
    q: Tensor<f32, (N, G, L, D)>,
    k: Tensor<f32, (N, G, L, D)>,
    v: Tensor<f32, (N, G, L, E)>,
) -> Tensor<f32, (N, G, L, E)> {
    fn feature(x: Tensor<f32>) -> Tensor<f32> {
        map(x, |v| if v > 0.0 { v } else { exp_m1(v) }) + 1.0
    }
    let (q, k) = (feature(q), feature(k));
    dot(q, dot(k, v, L), D) / (dot(q, sum(k, L), D) + 1e-6)
}

#[derive_backward]
fn causal_linear(q: Tensor<f32, (N, L, D)>, k: Tensor<f32, (N, L, D)>, v: Tensor<f32, (N, L, O)>) -> Tensor<f32, (N, L, O)> {
    let (q, k) = (max(q, 0.0) + 0.1, max(k, 0.0) + 0.1);
    let kv = cumsum(k * v, L);
    dot(q, kv, D) / (dot(q, cumsum(k, L), D) + 1e-6)
}

#[derive_backward]
fn sliding_window(q: Tensor<f32, (N, L, D)>, k: Tensor<f32, (N, L, D)>, v: Tensor<f32, (N, L, D)>) -> Tensor<f32, (N, L, D)> {
    let w = Window::new([5]).stride([1]).padding([2]);
    let (k, v) = (window(k, L, M, K, w), window(v, L, M, K, w));
    let (k, v) = (rename(k, M, L), rename(v, M, L));
    // a mean, because what is beyond the ends stays a hole in it: a sum would be 0 there
    let s = mean(q * k, D) * (len(D) as f64).sqrt();
    let e = exp(s - max(s, K));
    sum(e / sum(e, K) * v, K)
}

#[derive_backward]
fn cosine_attention(
    q: Tensor<f32, (N, G, T, D)>,
    k: Tensor<f32, (N, G, L, D)>,
    v: Tensor<f32, (N, G, L, O)>,
    tau: Tensor<f32, G>,
) -> Tensor<f32, (N, G, T, O)> {
    fn unit(x: Tensor<f32>) -> Tensor<f32> {
        x / max(sqrt(sum(sq(x), D)), 1e-12)
    }
    let s = dot(unit(q), unit(k), D) * exp(min(tau, 100.0_f64.ln()));
    dot(softmax(s, L), v, L)
}

#[derive_backward]
fn capped(
    q: Tensor<f32, (N, G, T, D)>,
    k: Tensor<f32, (N, G, L, D)>,
    v: Tensor<f32, (N, G, L, O)>,
) -> (Tensor<f32, (N, G, T, O)>, Tensor<f32, (N, G, T)>, Tensor<f32, (N, G, T)>) {
    let s = 5.0 * tanh(dot(q, k, D) / (len(D) as f64).sqrt() / 5.0);
    let lse = logsumexp(s, L);
    let p = exp(s - lse);
    (dot(p, v, L), lse, max(p, L))
}

#[derive_backward]
fn sink(q: Tensor<f32, (N, T, D)>, k: Tensor<f32, (N, L, D)>, v: Tensor<f32, (N, L, D)>) -> Tensor<f32, (N, T, D)> {
    let s = dot(q, k, D) / (len(D) as f64).sqrt();
    let m = stop_gradient(max(max(s, L), 0.0));
    let e = exp(s - m);
    dot(e, v, L) / (exp(-m) + sum(e, L))
}

#[derive_backward]
fn additive(
    q: Tensor<f32, (N, T, D)>,
    k: Tensor<f32, (N, L, D)>,
    w: Tensor<f32, D>,
    v: Tensor<f32, (N, L, O)>,
) -> Tensor<f32, (N, T, O)> {
    let s = dot(tanh(q + k), w, D);
    dot(softmax(s, L), v, L)
}

#[derive_backward]
fn multi_head(
    x: Tensor<f32, (N, L, C)>,
    wq: Tensor<f32, (E, C)>,
    wk: Tensor<f32, (E, C)>,
    wv: Tensor<f32, (E, C)>,
    wo: Tensor<f32, (C, E)>,
    g: Tensor<f32, C>,
    heads: usize,
) -> Tensor<f32, (N, L, C)> {
    ensure(len(E) % heads == 0, "the heads divide the channels");
    let h = (x - mean(x, C)) * rsqrt(var(x, C) + 1e-5) * g;
    let q = split(dot(h, wq, C), E, (H, D), heads);
    let k = split(dot(h, wk, C), E, (H, D), heads).rename(L, M);
    let v = split(dot(h, wv, C), E, (H, D), heads).rename(L, M);
    let s = dot(q, k, D) / (len(D) as f64).sqrt();
    let p = softmax(select(gt(index(M), index(L)), f64::NEG_INFINITY, s), M);
    let y = merge(dot(p, v, M), (H, D), E);
    x + dot(y, wo, E)
}

#[derive_backward]
fn feed_forward(
    x: Tensor<f32, (Many<B>, C)>,
    w1: Tensor<f32, (E, C)>,
    b1: Tensor<f32, E>,
    w2: Tensor<f32, (C, E)>,
    b2: Tensor<f32, C>,
    g: Tensor<f32, C>,
    b: Tensor<f32, C>,
) -> Tensor<f32, (Many<B>, C)> {
    fn gelu(x: Tensor<f32>) -> Tensor<f32> {
        x * 0.5 * erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
    }
    let h = (x - mean(x, C)) / sqrt(var(x, C) + 1e-5) * g + b;
    x + dot(gelu(dot(h, w1, C) + b1), w2, E) + b2
}

#[derive_backward]
fn soft_experts(
    x: Tensor<f32, (N, T, D)>,
    w: Tensor<f32, (S, D)>,
    a: Tensor<f32, (S, O, D)>,
) -> (Tensor<f32, (N, T, O)>, Tensor<f32, ()>) {
    let p = softmax(dot(x, w, D), S);
    let y = dot(x, a, D);
    (sum(p * y, S), sum(sq(mean(p, (N, T))), S) * len(S))
}

#[derive_backward]
fn top_1_experts(x: Tensor<f32, (N, D)>, w: Tensor<f32, (S, D)>, a: Tensor<f32, (S, O, D)>) -> Tensor<f32, (N, O)> {
    let p = softmax(dot(x, w, D), S);
    let best = argmax(p, S);
    max(p, S) * dot(x, pick(a, S, best), D)
}

#[derive_backward]
fn attentive_pool(x: Tensor<f32, (N, L, C)>, w: Tensor<f32, C>) -> Tensor<f32, (N, C)> {
    let a = softmax(x.tanh().dot(w, C), L);
    a.dot(x, L)
}

#[derive_backward]
fn non_local(x: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, (N, C, H, W)> {
    let f = merge(x, (H, W), P);
    let g = rename(f, P, Q);
    let s = softmax(dot(f, g, C), Q);
    let y = dot(s, g, Q);
    split(y, P, (H, W), len(H)) + x
}

#[derive_backward]
fn routing(u: Tensor<f32, (N, L, K, D)>) -> Tensor<f32, (N, K, D)> {
    let mut b = sum(u * 0.0, D);
    let mut v = sum(u, L);
    for _ in 0..3 {
        let c = softmax(b, K);
        let s = sum(c * u, L);
        let n2 = sum(sq(s), D);
        v = n2 / (1.0 + n2) * s / sqrt(n2 + 1e-8);
        b += sum(u * v, D);
    }
    v
}

const LAST: &str = "of several NaN the last counts, as in PyTorch's pools; in its `max` the first";
const FAR: &str = "a window takes nothing from what it does not reach; PyTorch multiplies NaN by 0 there";

pub fn rows() -> Vec<Row> {
    vec![
        row!(single "plain", Plain),
        row!("causal", Causal),
        row!("padding_mask", PaddingMask),
        row!("biased", |_| Biased { scale: 0.3 }),
        row!("alibi", Alibi),
        row!("grouped_query", GroupedQuery),
        row!("rotary", Rotary),
        row!("rotary_attention", RotaryAttention),
        row!("rotary_interleaved", RotaryInterleaved),
        row!("linear_attention", LinearAttention),
        row!("causal_linear", CausalLinear),
        row!("sliding_window", SlidingWindow).differs(&[("nan", "gradient of k", FAR), ("nan", "gradient of v", FAR)]),
        row!("cosine_attention", CosineAttention),
        row!("capped", Capped),
        row!("sink", Sink),
        row!("additive", Additive),
        row!("multi_head", |_| MultiHead { heads: 2 }),
        row!("feed_forward", FeedForward),
        row!("soft_experts", SoftExperts),
        row!("top_1_experts", Top1Experts).differs(&[("nan", "gradient of a", LAST)]),
        row!("attentive_pool", AttentivePool),
        row!("non_local", NonLocal),
        row!("routing", Routing),
    ]
}
