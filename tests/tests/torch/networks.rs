//! Recurrences, blocks of networks, gates, state, and the rest.

use crate::harness::{Constants, Row, row};
use pullback::prelude::*;

/// What others are made of, in a module of its own.
mod parts {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn relu(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
        max(x, 0.0)
    }

    #[derive_backward]
    pub fn linear(x: Tensor<f32, (Many<B>, I)>, w: Tensor<f32, (O, I)>, b: Option<Tensor<f32, O>>) -> Tensor<f32, (Many<B>, O)> {
        let y = dot(x, w, I);
        b.map_or(y, |b| y + b)
    }

    #[derive_backward]
    pub fn conv3(x: Tensor<f32, (N, C, H, W)>, w: Tensor<f32, (O, C, KH, KW)>) -> Tensor<f32, (N, O, OH, OW)> {
        let k = Window::new([3, 3]).stride([1, 1]).padding([1, 1]);
        dot(window(x, (H, W), (OH, OW), (KH, KW), k), w, (C, KH, KW))
    }

    #[derive_backward]
    pub fn batch_norm(
        x: Tensor<f32, (N, C, Many<S>)>,
        g: Tensor<f32, C>,
        b: Tensor<f32, C>,
        eps: f64,
    ) -> Tensor<f32, (N, C, Many<S>)> {
        (x - mean(x, (N, S))) * rsqrt(var(x, (N, S)) + eps) * g + b
    }
}

#[derive_backward]
fn rnn_cell(
    x: Tensor<f32, (N, I)>,
    h: Tensor<f32, (N, D)>,
    w: Tensor<f32, (D, I)>,
    u: Tensor<f32, (D, E)>,
    b: Tensor<f32, D>,
) -> Tensor<f32, (N, D)> {
    tanh(dot(x, w, I) + dot(rename(h, D, E), u, E) + b)
}

#[derive_backward]
fn lstm_cell(
    x: Tensor<f32, (N, I)>,
    h: Tensor<f32, (N, E)>,
    c: Tensor<f32, (N, D)>,
    w: Tensor<f32, (Q, D, I)>,
    u: Tensor<f32, (Q, D, E)>,
    b: Tensor<f32, (Q, D)>,
) -> (Tensor<f32, (N, D)>, Tensor<f32, (N, D)>) {
    let gates = x.dot(w, I) + h.dot(u, E) + b;
    let i = sigmoid(slice(gates, Q, Q0, 0..1).sum(Q0));
    let f = sigmoid(slice(gates, Q, Q1, 1..2).sum(Q1));
    let g = tanh(slice(gates, Q, Q2, 2..3).sum(Q2));
    let o = sigmoid(slice(gates, Q, Q3, 3..).sum(Q3));
    let c = f * c + i * g;
    (o * tanh(c), c)
}

#[derive_backward]
fn gru_cell(
    x: Tensor<f32, (N, I)>,
    h: Tensor<f32, (N, D)>,
    w: Tensor<f32, (Q, D, I)>,
    u: Tensor<f32, (Q, D, E)>,
    bi: Tensor<f32, (Q, D)>,
    bh: Tensor<f32, (Q, D)>,
) -> Tensor<f32, (N, D)> {
    fn gate(z: Tensor<f32>, at: usize) -> Tensor<f32> {
        slice(z, Q, P, at..at + 1).sum(P)
    }
    let a = dot(x, w, I) + bi;
    let s = dot(rename(h, D, E), u, E) + bh;
    let reset = sigmoid(gate(a + s, 0));
    let update = sigmoid(gate(a + s, 1));
    let new = tanh(gate(a, 2) + reset * gate(s, 2));
    (1.0 - update) * new + update * h
}

#[derive_backward]
fn leaky_scan(x: Tensor<f32, (N, T, D)>, a: Tensor<f32, D>, h: Tensor<f32, (N, D)>) -> Tensor<f32, (N, T, D)> {
    scan((1.0 - a) * x, T, h, |h, v| a * h + v)
}

#[derive_backward]
fn sru(x: Tensor<f32, (N, T, D)>, f: Tensor<f32, (N, T, D)>, z: Tensor<f32, (N, T, D)>) -> Tensor<f32, (N, T, D)> {
    let g = sigmoid(f);
    let c = scan((1.0 - g) * x, T, 0.0, |h, v| g * h + v);
    tanh(c) * sigmoid(z)
}

#[derive_backward]
fn selective_scan(
    x: Tensor<f32, (N, T, D)>,
    dt: Tensor<f32, (N, T, D)>,
    a: Tensor<f32, (D, K)>,
    b: Tensor<f32, (N, T, K)>,
    c: Tensor<f32, (N, T, K)>,
) -> Tensor<f32, (N, T, D)> {
    let dt = softplus(dt);
    let keep = exp(dt * a);
    let h = scan(dt * x * b, T, 0.0, |h, v| keep * h + v);
    dot(h, c, K)
}

#[derive_backward]
fn discounted(r: Tensor<f32, (N, T)>, v: Tensor<f32, (N, T)>, gamma: f64) -> Tensor<f32, (N, T)> {
    flip(scan(flip(r, T), T, 0.0, |g, r| gamma * g + r), T) - v
}

#[derive_backward]
fn squeeze_excite(
    x: Tensor<f32, (N, C, H, W)>,
    w1: Tensor<f32, (K, C)>,
    b1: Tensor<f32, K>,
    w2: Tensor<f32, (C, K)>,
    b2: Tensor<f32, C>,
) -> Tensor<f32, (N, C, H, W)> {
    let s = mean(x, (H, W));
    let s = parts::relu(parts::linear(s, w1, Some(b1)));
    x * sigmoid(parts::linear(s, w2, Some(b2)))
}

#[derive_backward]
fn residual(
    x: Tensor<f32, (N, C, H, W)>,
    w1: Tensor<f32, (E, C, KH, KW)>,
    g1: Tensor<f32, E>,
    b1: Tensor<f32, E>,
    w2: Tensor<f32, (C, E, KH, KW)>,
    g2: Tensor<f32, C>,
    b2: Tensor<f32, C>,
) -> Tensor<f32, (N, C, H, W)> {
    let y: Tensor<f32, (N, E, H1, W1)> = parts::conv3(x, w1);
    let y = parts::relu(parts::batch_norm(y, g1, b1, 1e-5));
    let y: Tensor<f32, (N, C, H2, W2)> = parts::conv3(y, w2);
    let y = parts::batch_norm(y, g2, b2, 1e-5);
    let y = rename(rename(y, H2, H), W2, W);
    parts::relu(y + x)
}

#[derive_backward]
fn conv_next(
    x: Tensor<f32, (N, C, H, W)>,
    w: Tensor<f32, (C, KH, KW)>,
    g: Tensor<f32, C>,
    b: Tensor<f32, C>,
    w1: Tensor<f32, (E, C)>,
    b1: Tensor<f32, E>,
    w2: Tensor<f32, (C, E)>,
    b2: Tensor<f32, C>,
    s: Tensor<f32, C>,
) -> Tensor<f32, (N, C, H, W)> {
    let k = Window::new([7, 7]).stride([1, 1]).padding([3, 3]);
    let y = sum(window(x, (H, W), (P, Q), (KH, KW), k) * w, (KH, KW));
    let y = (y - mean(y, C)) / sqrt(var(y, C) + 1e-6) * g + b;
    let y = dot(y, w1, C) + b1;
    let y = 0.5 * y * (1.0 + erf(y / 2.0_f64.sqrt()));
    let y = (dot(y, w2, E) + b2) * s;
    x + y.rename(P, H).rename(Q, W)
}

#[derive_backward]
fn inverted_residual(
    x: Tensor<f32, (N, C, H, W)>,
    we: Tensor<f32, (E, C)>,
    wd: Tensor<f32, (E, KH, KW)>,
    wp: Tensor<f32, (C, E)>,
) -> Tensor<f32, (N, C, H, W)> {
    let y = dot(x, we, C).clamp(0.0, 6.0);
    let k = Window::new([3, 3]).stride([1, 1]).padding([1, 1]);
    let y = dot(window(y, (H, W), (P, Q), (KH, KW), k), wd, (KH, KW));
    let y = dot(clamp(y, 0, 6), wp, E);
    x + rename(rename(y, P, H), Q, W)
}

#[derive_backward]
fn spatial_attention(x: Tensor<f32, (N, C, H, W)>, w: Tensor<f32, (O, P, KH, KW)>) -> Tensor<f32, (N, C, H, W)> {
    let s = stack(P, (mean(x, C), max(x, C)));
    let k = Window::new([3, 3]).stride([1, 1]).padding([1, 1]);
    let first = slice(w, O, Q, 0..1).sum(Q);
    let y = dot(window(s, (H, W), (OH, OW), (KH, KW), k), first, (P, KH, KW));
    x * sigmoid(y.rename(OH, H).rename(OW, W))
}

#[derive_backward]
fn efficient_channel(x: Tensor<f32, (N, C, L)>, w: Tensor<f32, K>) -> Tensor<f32, (N, C, L)> {
    let taps = window(mean(x, L), C, D, K, Window::new([3]).stride([1]).padding([1]));
    x * sigmoid(rename(dot(taps, w, K), D, C))
}

#[derive_backward]
fn highway(
    x: Tensor<f32, (N, I)>,
    t: Tensor<f32, (N, I)>,
    wt: Tensor<f32, (O, I)>,
    bt: Tensor<f32, O>,
    wh: Tensor<f32, (O, I)>,
) -> Tensor<f32, (N, O)> {
    let g = sigmoid(dot(x, wt, I) + bt);
    let here = rename(x, I, O);
    g * max(dot(x, wh, I), 0.0) + (1.0 - g) * here + rename(t, I, O) * 0.5
}

#[derive_backward]
fn normalised_linear(
    x: Tensor<f32, (N, I)>,
    w: Tensor<f32, (O, I)>,
    b: Tensor<f32, O>,
    r: &mut Tensor<f32, O>,
    training: bool,
) -> Tensor<f32, (N, O)> {
    let y = dot(x, w, I) + b;
    if training {
        *r = 0.9 * *r + 0.1 * stop_gradient(mean(abs(y), N));
    }
    y / (*r + 1.0)
}

#[derive_backward]
fn optional_linear(
    x: Tensor<f32, (N, I)>,
    w: Tensor<f32, (O, I)>,
    b: Option<Tensor<f32, O>>,
    s: Option<Tensor<f32, O>>,
) -> Tensor<f32, (N, O)> {
    let y = dot(x, w, I);
    match (b, s) {
        (Some(b), Some(s)) => y * exp(s) + b,
        (Some(b), None) => y + b,
        (None, Some(s)) => y * exp(s),
        (None, None) => y,
    }
}

#[derive_backward]
fn bilinear(a: Tensor<f32, (N, I)>, b: Tensor<f32, (N, J)>, w: Tensor<f32, (O, I, J)>) -> Tensor<f32, (N, O)> {
    a.dot(w, I).dot(b, J)
}

#[derive_backward]
fn factorised_machine(x: Tensor<f32, (N, F)>, b: Tensor<f32, F>) -> Tensor<f32, N> {
    let e = x * stack(D, (b, flip(b, F)));
    0.5 * sum(sq(sum(e, F)) - sum(sq(e), F), D)
}

#[derive_backward]
fn gaussian_mixture(
    x: Tensor<f32, (N, I)>,
    mu: Tensor<f32, (K, I)>,
    ls: Tensor<f32, (K, I)>,
    lp: Tensor<f32, K>,
) -> (Tensor<f32, N>, Tensor<f32, (N, K)>) {
    let d = (x - mu) / exp(ls);
    let log_2_pi = (2.0 * std::f64::consts::PI).ln();
    let l = -0.5 * d.sq().sum(I) - ls.sum(I) - 0.5 * len(I) as f64 * log_2_pi + lp - logsumexp(lp, K);
    let total = logsumexp(l, K);
    (total, exp(l - total))
}

#[derive_backward]
fn planar_flow(
    x: Tensor<f32, (N, I)>,
    s: Tensor<f32, I>,
    t: Tensor<f32, I>,
    w: Tensor<f32, I>,
) -> (Tensor<f32, (N, I)>, Tensor<f32, N>) {
    let a = tanh(dot(x, w, I) + 0.1);
    let psi = (1.0 - a.powi(2)) * w;
    ((x + s * a) * exp(t), log(abs(1.0 + dot(psi, s, I)) + 1e-9))
}

#[derive_backward]
fn pearson_lags(x: Tensor<f32, (N, T)>, y: Tensor<f32, (N, T)>) -> Tensor<f32, N> {
    let y = roll(y, T, 1);
    let (a, b) = (x - mean(x, T), y - mean(y, T));
    dot(a, b, T) / sqrt(sum(sq(a), T) * sum(sq(b), T) + 1e-8)
}

#[derive_backward]
fn graph_layer(a: Tensor<f32, (N, K)>, #[constant] h: Tensor<f32, (K, J)>) -> Tensor<f32, (N, J)> {
    let adj = gt(h, 0.0) + eq(index(K), index(J)) * 1.0;
    let d = rsqrt(sum(adj, J));
    max(dot(a, d * adj, K) * rename(rename(d, K, J2), J2, J), 0.0)
}

#[derive_backward]
fn learned_soft_threshold(x: Tensor<f32, (N, S)>, #[diff] k: f64, #[diff] c: f64) -> Tensor<f32, (N, S)> {
    let t = softplus(k);
    sign(x) * max(abs(x) - t, 0.0) + c * x
}

#[derive_backward]
fn quadratic_form(x: Tensor<f32, (N, D)>, g: Tensor<f32, (N, D, E)>) -> (Tensor<f32, N>, Tensor<f32, N>) {
    let a = dot(g, rename(g, D, D2), E) + eq(index(D), index(D2));
    let form = dot(dot(x, a, D), rename(x, D, D2), D2);
    (form, sum(select(eq(index(D), index(D2)), a, 0.0), (D, D2)))
}

#[derive_backward]
fn cross_product(a: Tensor<f32, (N, S, K)>, b: Tensor<f32, (N, S, K)>) -> (Tensor<f32, (N, S, K)>, Tensor<f32, (N, S)>) {
    let c = roll(a, K, -1) * roll(b, K, 1) - roll(a, K, 1) * roll(b, K, -1);
    (c, atan2(sqrt(sum(sq(c), K) + 1e-30), dot(a, b, K)))
}

#[derive_backward]
fn newton_root(x: Tensor<f32, (N, S)>, #[constant] n: Tensor<f32, (N, S)>) -> Tensor<f32, (N, S)> {
    let a = abs(x) + 1.0;
    let mut y = a;
    for _ in 0..4 {
        y = 0.5 * (y + a / y);
    }
    y * n
}

#[derive_backward]
fn interval(x: Tensor<f32, (N, S)>, y: Tensor<f32, (N, S)>) -> (Tensor<f32, (N, S)>, Tensor<f32, (N, S)>, Tensor<i64, N>) {
    let (lo, hi) = (min(x, y), max(x, y));
    (mean(stack(P, (lo, hi)), P), hi - lo, argmax(select(ge(x, y), 1.0, 0.0 * index(S)), S))
}

#[derive_backward]
fn running_products(p: Tensor<f32, (N, S)>) -> Tensor<f32, (N, S)> {
    let before = shift(log1p(-p), S, 1);
    p * exp(cumsum(before, S))
}

#[derive_backward]
fn numbers(x: Tensor<f32, ()>, y: Tensor<f32, ()>, #[diff] z: f64) -> (Tensor<f32, ()>, Tensor<f32, ()>) {
    (x * tanh(y) + z * x.powi(2), hypot(x, y + 2))
}
const SIGN: &str = "the sign of NaN is NaN; PyTorch's is 0";
const RELU6: &str = "PyTorch's relu6 passes NaN's gradient on in what is left of its vectors, and stops it in them";

pub fn rows() -> Vec<Row> {
    vec![
        row!("rnn_cell", RnnCell),
        row!(single "lstm_cell", LstmCell),
        row!("gru_cell", GruCell),
        row!("leaky_scan", LeakyScan),
        row!("sru", Sru),
        row!("selective_scan", SelectiveScan),
        row!("discounted", |_| Discounted { gamma: 0.9 }),
        row!("squeeze_excite", SqueezeExcite),
        row!("residual", Residual),
        row!("conv_next", ConvNext).differs(&[(
            "nan",
            "gradient of w",
            "PyTorch multiplies the padding's zeros by NaN; here nothing is taken from beyond the edge",
        )]),
        row!("inverted_residual", InvertedResidual).differs(&[
            ("nan", "gradient of x", RELU6),
            ("nan", "gradient of we", RELU6),
            ("nan", "gradient of wd", RELU6),
        ]),
        row!("spatial_attention", SpatialAttention),
        row!("efficient_channel", EfficientChannel),
        row!("highway", Highway),
        row!("normalised_linear", |s| NormalisedLinear { training: s.flag("training") }),
        row!("optional_linear", OptionalLinear),
        row!("bilinear", Bilinear),
        row!("factorised_machine", FactorisedMachine),
        row!("gaussian_mixture", GaussianMixture),
        row!("planar_flow", PlanarFlow),
        row!("pearson_lags", PearsonLags),
        row!("graph_layer", GraphLayer),
        row!("learned_soft_threshold", LearnedSoftThreshold)
            .differs(&[("nan", "gradient of x", SIGN), ("nan", "gradient of k", SIGN)]),
        row!("quadratic_form", QuadraticForm),
        row!("cross_product", CrossProduct),
        row!("newton_root", NewtonRoot),
        row!("interval", Interval),
        row!("running_products", RunningProducts),
        row!("numbers", Numbers),
    ]
}
