//! Activations.

use pullback::prelude::*;

#[derive_backward]
pub fn relu6(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    min(max(x, 0.0), 6.0)
}
gradient_test!(Relu6);

#[derive_backward]
pub fn hardtanh(x: Tensor<f32, Many<S>>, lo: f64, hi: f64) -> Tensor<f32, Many<S>> {
    ensure(lo < hi, "lo must lie below hi");
    clamp(x, lo, hi)
}
gradient_test!(Hardtanh { lo: -1.0, hi: 1.0 });

#[derive_backward]
pub fn leaky_relu(x: Tensor<f32, Many<S>>, slope: f64) -> Tensor<f32, Many<S>> {
    map(x, |v| if v > 0.0 { v } else { slope * v })
}
gradient_test!(LeakyRelu { slope: 0.01 });

#[derive_backward]
pub fn elu(x: Tensor<f32, Many<S>>, alpha: f64) -> Tensor<f32, Many<S>> {
    map(x, |v| if v > 0.0 { v } else { alpha * v.exp_m1() })
}
gradient_test!(Elu { alpha: 1.0 });
gradient_test!(elu_of_a_half, Elu { alpha: 0.5 });

const SELU_ALPHA: f64 = 1.6732632423543772;
const SELU_SCALE: f64 = 1.0507009873554805;

#[derive_backward]
pub fn selu(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    let positive = max(x, 0.0);
    let negative = min(SELU_ALPHA * exp_m1(min(x, 0.0)), 0.0);
    SELU_SCALE * select(gt(x, 0.0), positive, negative)
}
gradient_test!(Selu);

#[derive_backward]
pub fn celu(x: Tensor<f32, Many<S>>, alpha: f64) -> Tensor<f32, Many<S>> {
    ensure(alpha != 0.0, "alpha must not be zero");
    map(x, |v| if v > 0.0 { v } else { alpha * (v / alpha).exp_m1() })
}
gradient_test!(Celu { alpha: 2.0 });

#[derive_backward]
pub fn gelu_exact(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x * 0.5 * erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}
gradient_test!(GeluExact);

#[derive_backward]
pub fn gelu_of_either_kind(x: Tensor<f32, Many<S>>, approximate: bool) -> Tensor<f32, Many<S>> {
    if approximate {
        let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
        0.5 * x * (1.0 + inner.tanh())
    } else {
        0.5 * x * (1.0 + (x / 2.0f64.sqrt()).erf())
    }
}
gradient_test!(gelu_approximate, GeluOfEitherKind { approximate: true });
gradient_test!(gelu_not_approximate, GeluOfEitherKind { approximate: false });

#[derive_backward]
pub fn silu(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x * sigmoid(x)
}
gradient_test!(Silu);

#[derive_backward]
pub fn mish(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x * tanh(softplus(x))
}
gradient_test!(Mish);

#[derive_backward]
pub fn hardsigmoid(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    clamp(x / 6.0 + 0.5, 0.0, 1.0)
}
gradient_test!(Hardsigmoid);

#[derive_backward]
pub fn hardswish(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    map(x, |v| {
        if v < -3.0 {
            0.0
        } else if v < 3.0 {
            v * (v + 3.0) / 6.0
        } else {
            v
        }
    })
}
gradient_test!(Hardswish);

#[derive_backward]
pub fn softsign(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x / (1.0 + x.abs())
}
gradient_test!(Softsign);

#[derive_backward]
pub fn softshrink(x: Tensor<f32, Many<S>>, lambda: f64) -> Tensor<f32, Many<S>> {
    select(gt(x, lambda), x - lambda, select(lt(x, -lambda), x + lambda, 0.0))
}
gradient_test!(Softshrink { lambda: 0.5 });

#[derive_backward]
pub fn hardshrink(x: Tensor<f32, Many<S>>, lambda: f64) -> Tensor<f32, Many<S>> {
    let small = ge(x, -lambda) & le(x, lambda);
    select(small, 0.0, x)
}
gradient_test!(Hardshrink { lambda: 0.5 });

#[derive_backward]
pub fn tanhshrink(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    x - tanh(x)
}
gradient_test!(Tanhshrink);

#[derive_backward]
pub fn threshold(x: Tensor<f32, Many<S>>, at: f64, value: f64) -> Tensor<f32, Many<S>> {
    select(le(x, at), value, x)
}
gradient_test!(Threshold { at: 0.25, value: -1.0 });

#[derive_backward]
pub fn logsigmoid(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    -softplus(-x)
}
gradient_test!(Logsigmoid);

/// The slope is one learned number.
#[derive_backward]
pub fn prelu_of_one(x: Tensor<f32, Many<S>>, #[diff] slope: f64) -> Tensor<f32, Many<S>> {
    map(x, |v| if v > 0.0 { v } else { slope * v })
}
gradient_test!(PreluOfOne);

/// A slope a channel.
#[derive_backward]
pub fn prelu(x: Tensor<f32, (N, C, Many<S>)>, slope: Tensor<f32, C>) -> Tensor<f32, (N, C, Many<S>)> {
    select(gt(x, 0.0), x, slope * x)
}
gradient_test!(Prelu);

/// Softplus with PyTorch's two numbers.
#[derive_backward]
pub fn softplus_beta(x: Tensor<f32, Many<S>>, beta: f64, above: f64) -> Tensor<f32, Many<S>> {
    let t = beta * x;
    select(gt(t, above), x, log1p(exp(min(t, above))) / beta)
}
gradient_test!(SoftplusBeta { beta: 2.0, above: 20.0 });

/// Swish with a learned slope.
#[derive_backward]
pub fn swish(x: Tensor<f32, Many<S>>, #[diff] beta: f64) -> Tensor<f32, Many<S>> {
    x * sigmoid(beta * x)
}
gradient_test!(Swish);

/// The gated linear unit: the channels' first half, gated by the other.
#[derive_backward]
pub fn glu(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, D)> {
    let half = len(C) / 2;
    let value = slice(x, C, D, ..half);
    let gate = slice(x, C, D, half..2 * half);
    value * sigmoid(gate)
}
gradient_test!(Glu);

#[derive_backward]
pub fn geglu(x: Tensor<f32, (Many<S>, I)>, w: Tensor<f32, (O, I)>, v: Tensor<f32, (O, I)>) -> Tensor<f32, (Many<S>, O)> {
    fn gelu(t: Tensor<f32>) -> Tensor<f32> {
        0.5 * t * (1.0 + erf(t * std::f64::consts::FRAC_1_SQRT_2))
    }
    gelu(dot(x, w, I)) * dot(x, v, I)
}
gradient_test!(Geglu);

#[derive_backward]
pub fn softmin(x: Tensor<f32, (Many<N>, C)>) -> Tensor<f32, (Many<N>, C)> {
    let e = exp(min(x, C) - x);
    e / sum(e, C)
}
gradient_test!(Softmin);

/// Maxout over groups of neighbouring channels.
#[derive_backward]
pub fn maxout(x: Tensor<f32, (N, C)>, k: usize) -> Tensor<f32, (N, G)> {
    let groups = len(C) / k;
    max(split(x, C, (G, K), groups), K)
}
gradient_test!(Maxout { k: 1 });

#[derive_backward]
pub fn gumbel_free_temperature_softmax(x: Tensor<f64, (N, C)>, #[diff] t: f64) -> Tensor<f64, (N, C)> {
    let z = x / t;
    exp(z - logsumexp(z, C))
}
gradient_test!(GumbelFreeTemperatureSoftmax);
