//! Activations.

use crate::harness::{Constants, Row, row};
use pullback::prelude::*;

#[derive_backward]
fn relu6(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x.clamp(0.0, 6.0)
}

#[derive_backward]
fn leaky_relu(x: Tensor<f32, Many<S>>, slope: f64) -> Tensor<f32, Many<S>> {
    map(x, |v| if v > 0.0 { v } else { slope * v })
}

#[derive_backward]
fn elu<T: Float>(x: Tensor<T, Many<S>>, alpha: f64) -> Tensor<T, Many<S>> {
    map(x, |v| if v > 0.0 { v } else { alpha * exp_m1(v) })
}

#[derive_backward]
fn celu(x: Tensor<f64, Many<S>>, alpha: f64) -> Tensor<f64, Many<S>> {
    map(x, |v| if v > 0 { v } else { alpha * exp_m1(v / alpha) })
}

#[derive_backward]
fn selu(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    let alpha = 1.6732632423543772848170429916717;
    let scale = 1.0507009873554804934193349852946;
    scale * map(x, |v| if v > 0.0 { v } else { alpha * v.exp_m1() })
}

#[derive_backward]
fn gelu(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2))
}

#[derive_backward]
fn gelu_tanh(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    let k = (2.0 / std::f64::consts::PI).sqrt();
    x / 2 * (1 + tanh(k * (x + 0.044715 * powi(x, 3))))
}

#[derive_backward]
fn quick_gelu(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x * (1.702 * x).sigmoid()
}

#[derive_backward]
fn silu(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x * sigmoid(x)
}

#[derive_backward]
fn mish(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x * x.softplus().tanh()
}

#[derive_backward]
fn hardswish(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    map(x, |v| {
        if v <= -3.0 {
            0.0
        } else if v < 3.0 {
            v * (v + 3.0) / 6.0
        } else {
            v
        }
    })
}

#[derive_backward]
fn hardsigmoid(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    clamp(x + 3, 0, 6) / 6
}

#[derive_backward]
fn hardtanh(x: Tensor<f32, Many<S>>, lo: f64, hi: f64) -> Tensor<f32, Many<S>> {
    clamp(x, lo, hi)
}

#[derive_backward]
fn hardshrink(x: Tensor<f32, Many<S>>, lambd: f64) -> Tensor<f32, Many<S>> {
    select(le(x, lambd) & ge(x, -lambd), 0.0, x)
}

#[derive_backward]
fn softshrink(x: Tensor<f32, Many<S>>, lambd: f64) -> Tensor<f32, Many<S>> {
    let above = x.gt(lambd);
    let below = x.lt(-lambd);
    select(above, x - lambd, select(below, x + lambd, x * 0.0))
}

#[derive_backward]
fn tanhshrink(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x - x.tanh()
}

#[derive_backward]
fn threshold(x: Tensor<f32, Many<S>>, t: f64, v: f64) -> Tensor<f32, Many<S>> {
    select(x.le(t), v, x)
}

#[derive_backward]
fn softsign(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x / (1 + x.abs())
}

#[derive_backward]
fn logsigmoid(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    -softplus(-x)
}

#[derive_backward]
fn softplus_beta(x: Tensor<f32, Many<S>>, beta: f64, threshold: f64) -> Tensor<f32, Many<S>> {
    map(x, |v| if v * beta > threshold { v } else { softplus(beta * v) / beta })
}

#[derive_backward]
fn squared_relu(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x.max(0.0).sq()
}

#[derive_backward]
fn bent_identity(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    (sqrt(x * x + 1) - 1) / 2 + x
}

#[derive_backward]
fn gaussian(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    exp(-sq(x))
}

#[derive_backward]
fn sinc(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    select(x.eq(0.0), 1.0, x.sin() / x)
}

#[derive_backward]
fn snake(x: Tensor<f32, Many<S>>, a: f64) -> Tensor<f32, Many<S>> {
    x + sin(a * x).powi(2) / a
}

#[derive_backward]
fn sigmoid_by_hand(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    1.0 / (1.0 + exp(-x))
}

#[derive_backward]
fn tanh_by_hand(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    2.0 * sigmoid(2.0 * x) - 1.0
}

#[derive_backward]
fn isru(x: Tensor<f32, Many<S>>, a: f64) -> Tensor<f32, Many<S>> {
    x * rsqrt(1.0 + a * x * x)
}

#[derive_backward]
fn isrlu(x: Tensor<f32, Many<S>>, a: f64) -> Tensor<f32, Many<S>> {
    map(x, |v| if v < 0.0 { v / sqrt(1.0 + a * v * v) } else { v })
}

#[derive_backward]
fn symlog(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x.sign() * x.abs().log1p()
}

#[derive_backward]
fn smooth_step(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    let t = clamp((x + 1.0) / 2.0, 0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[derive_backward]
fn lisht(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x * tanh(x)
}

#[derive_backward]
fn phish(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x * tanh(gelu(x))
}

#[derive_backward]
fn logit(x: Tensor<f64, Many<S>>, eps: f64) -> Tensor<f64, Many<S>> {
    let p = x.clamp(eps, 1.0 - eps);
    log(p / (1.0 - p))
}

#[derive_backward]
fn triangle(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    maximum(1 - abs(x), 0)
}

#[derive_backward]
fn sawtooth(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x - floor(x)
}

#[derive_backward]
fn round_straight(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x + stop_gradient(round(x) - x)
}

#[derive_backward]
fn one_of_seven(x: Tensor<f32, Many<S>>, kind: usize) -> Tensor<f32, Many<S>> {
    match kind {
        0 => x,
        1 => max(x, 0.0),
        2 => tanh(x),
        3 => sigmoid(x),
        4 => silu(x),
        5 => sin(x),
        _ => sq(x),
    }
}

#[derive_backward]
fn prelu(x: Tensor<f32, (N, C, Many<S>)>, w: Tensor<f32, C>) -> Tensor<f32, (N, C, Many<S>)> {
    select(gt(x, 0.0), x, w * x)
}

#[derive_backward]
fn pade(x: Tensor<f32, (N, C)>, #[diff] a: f64, #[diff] b: f64) -> Tensor<f32, (N, C)> {
    (x + a * x.sq()) / (1.0 + abs(b * x))
}

#[derive_backward]
fn swish_learned(x: Tensor<f32, Many<S>>, #[diff] beta: f64) -> Tensor<f32, Many<S>> {
    map(x, |v| v * sigmoid(beta * v))
}

#[derive_backward]
fn acon_c(x: Tensor<f32, (N, C)>, p1: Tensor<f32, C>, p2: Tensor<f32, C>, beta: Tensor<f32, C>) -> Tensor<f32, (N, C)> {
    let d = (p1 - p2) * x;
    d * sigmoid(beta * d) + p2 * x
}

#[derive_backward]
fn glu(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, D)> {
    let parts = split(x, C, (P, D), 2);
    let a = slice(parts, P, P1, 0..1).sum(P1);
    let b = slice(parts, P, P2, 1..2).sum(P2);
    a * sigmoid(b)
}

#[derive_backward]
fn geglu(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, D)> {
    let half = len(C) / 2;
    let a = slice(x, C, D, ..half);
    let b = slice(x, C, D, half..);
    a * gelu(b)
}

#[derive_backward]
fn swiglu(x: Tensor<f32, (N, C)>, gate: Tensor<f32, (N, C)>, value: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    silu(x * gate) * value
}

#[derive_backward]
fn maxout(x: Tensor<f32, (N, G, K, C)>) -> Tensor<f32, (N, G, C)> {
    x.max(K)
}

#[derive_backward]
fn crelu(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, D)> {
    concat(D, (max(x, 0.0), C), (max(-x, 0.0), C))
}

#[derive_backward]
fn softmax_t(x: Tensor<f32, (N, S)>, t: f64) -> Tensor<f32, (N, S)> {
    let z = x / t;
    let e = exp(z - max(z, S));
    e / sum(e, S)
}

#[derive_backward]
fn log_softmax_shifted(x: Tensor<f32, (N, S)>) -> Tensor<f32, (N, S)> {
    let z = x - x.max(S);
    z - z.exp().sum(S).ln()
}

#[derive_backward]
fn softmin(x: Tensor<f32, (N, S)>) -> Tensor<f32, (N, S)> {
    exp(-x - logsumexp(-x, S))
}

#[derive_backward]
fn softmax_2d(x: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, (N, C, H, W)> {
    let e = exp(x - x.max(C));
    e / e.sum(C)
}

#[derive_backward]
fn spatial_softargmax(x: Tensor<f32, (N, S)>) -> Tensor<f32, N> {
    let e = exp(x - max(x, S));
    dot(e / sum(e, S), index(S), S)
}

#[derive_backward]
fn squash(x: Tensor<f32, (N, S)>) -> Tensor<f32, (N, S)> {
    let n2 = x.sq().sum(S);
    n2 / (1 + n2) * x / sqrt(n2 + 1e-8)
}

#[derive_backward]
fn straight_gumbel(x: Tensor<f32, (N, S)>, #[constant] b: Tensor<f32, (N, S)>) -> Tensor<f32, (N, S)> {
    let z = (x + b) / 0.5;
    let e = exp(z - max(z, S));
    let y = e / sum(e, S);
    let hard = eq(index(S), argmax(y, S));
    hard - stop_gradient(y) + y
}

#[derive_backward]
fn rbf(x: Tensor<f32, (N, C)>, c: Tensor<f32, K>) -> Tensor<f32, (N, C)> {
    exp(-sq(x - c) / 0.5).sum(K)
}

#[derive_backward]
fn top_half(x: Tensor<f32, (N, C)>) -> (Tensor<f32, (N, P)>, Tensor<f32, (N, P)>) {
    let pairs = x.split(C, (P, Q), len(C) / 2);
    let (a, b) = (slice(pairs, Q, A, 0..1).sum(A), slice(pairs, Q, B, 1..2).sum(B));
    (max(a, b), min(a, b))
}

const BRANCH: &str = "NaN is not greater than 0, and takes the other branch as written; PyTorch's kernel takes the first";
const CLAMP: &str = "PyTorch stops a gradient where a clamp meets NaN; here it goes on";

pub fn rows() -> Vec<Row> {
    vec![
        row!("relu6", Relu6),
        row!("leaky_relu", |s| LeakyRelu { slope: s.f("slope") }),
        row!(single "elu", |s| Elu { alpha: s.f("alpha") }).differs(&[("points", "gradient of x", BRANCH)]),
        row!("celu", |s| Celu { alpha: s.f("alpha") }),
        row!(single "selu", Selu).differs(&[("points", "gradient of x", BRANCH)]),
        row!("gelu", Gelu),
        row!("gelu_tanh", GeluTanh),
        row!("quick_gelu", QuickGelu),
        row!("silu", Silu),
        row!(single "mish", Mish),
        row!("hardswish", Hardswish).differs(&[("points", "output 0", "as written 0 below −3; PyTorch multiplies −∞ by 0")]),
        row!("hardsigmoid", Hardsigmoid),
        row!("hardtanh", |s| Hardtanh { lo: s.f("lo"), hi: s.f("hi") }),
        row!("hardshrink", |s| Hardshrink { lambd: s.f("lambd") }),
        row!("softshrink", |s| Softshrink { lambd: s.f("lambd") }).differs(&[("points", "gradient of x", BRANCH)]),
        row!("tanhshrink", Tanhshrink),
        row!("threshold", |s| Threshold { t: s.f("t"), v: s.f("v") }),
        row!("softsign", Softsign).differs(&[("points", "gradient of x", "1/(1 + ∞)², where PyTorch has ∞/∞")]),
        row!("logsigmoid", Logsigmoid),
        row!("softplus_beta", |s| SoftplusBeta { beta: s.f("beta"), threshold: s.f("threshold") }),
        row!("squared_relu", SquaredRelu),
        row!("bent_identity", BentIdentity),
        row!("gaussian", Gaussian),
        row!("sinc", Sinc),
        row!("snake", |s| Snake { a: s.f("a") }),
        row!("sigmoid_by_hand", SigmoidByHand),
        row!("tanh_by_hand", TanhByHand),
        row!("isru", |s| Isru { a: s.f("a") }).differs(&[(
            "points",
            "gradient of x",
            "x² is infinite there, and is multiplied by 0",
        )]),
        row!("isrlu", |s| Isrlu { a: s.f("a") }).differs(&[("points", "gradient of x", "0 at −∞, where PyTorch has 0·∞")]),
        row!("symlog", Symlog),
        row!("smooth_step", SmoothStep).differs(&[("points", "gradient of x", CLAMP)]),
        row!("lisht", Lisht),
        row!("phish", Phish),
        row!("logit", |s| Logit { eps: s.f("eps") }).differs(&[("points", "gradient of x", CLAMP)]),
        row!("triangle", Triangle).differs(&[("points", "gradient of x", CLAMP)]),
        row!("sawtooth", Sawtooth),
        row!("round_straight", RoundStraight),
        row!("one_of_seven", |s| OneOfSeven { kind: s.n("kind") }),
        row!(single "prelu", Prelu),
        row!("pade", Pade),
        row!("swish_learned", SwishLearned),
        row!("acon_c", AconC),
        row!("glu", Glu),
        row!("geglu", Geglu),
        row!("swiglu", Swiglu),
        row!("maxout", Maxout),
        row!("crelu", Crelu),
        row!(single "softmax_t", |s| SoftmaxT { t: s.f("t") }),
        row!("log_softmax_shifted", LogSoftmaxShifted),
        row!("softmin", Softmin),
        row!("softmax_2d", Softmax2d),
        row!("spatial_softargmax", SpatialSoftargmax),
        row!("squash", Squash),
        row!("straight_gumbel", StraightGumbel),
        row!("rbf", Rbf),
        row!("top_half", TopHalf),
    ]
}
