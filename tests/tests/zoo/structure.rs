//! Control flow, helpers, state, options, composition.

use pullback::layers::{batch_norm_eval, layer_norm, relu};
use pullback::prelude::*;

#[derive_backward]
pub fn by_case(x: Tensor<f32, Many<S>>, kind: usize) -> Tensor<f32, Many<S>> {
    match kind {
        0 => x,
        1 => max(x, 0.0),
        2 => tanh(x),
        _ => sigmoid(x),
    }
}
gradient_test!(by_case_0, ByCase { kind: 0 });
gradient_test!(by_case_1, ByCase { kind: 1 });
gradient_test!(by_case_2, ByCase { kind: 2 });
gradient_test!(by_case_9, ByCase { kind: 9 });

#[derive_backward]
pub fn reduced(x: Tensor<f32, (N, C)>, signed: bool, weight: Option<Tensor<f32, C>>, p: f64) -> Tensor<f32, N> {
    let y = match weight {
        Some(w) => x * w,
        None => x,
    };
    let y = if signed { y } else { y.abs() };
    if p >= 2.0 && signed { sum(y * y, C) } else { sum(y, C) }
}
gradient_test!(reduced_signed, Reduced { signed: true, p: 2.0 });
gradient_test!(reduced_unsigned, Reduced { signed: false, p: 1.0 });

#[derive_backward]
pub fn iterated(x: Tensor<f32, (N, C)>, #[diff] rate: f64) -> Tensor<f32, (N, C)> {
    let mut y = x;
    for _ in 0..3 {
        y += rate * tanh(y);
    }
    y
}
gradient_test!(Iterated);

#[derive_backward]
pub fn horner(x: Tensor<f32, Many<S>>, coefficients: Tensor<f32, K>) -> Tensor<f32, Many<S>> {
    let k = index(K);
    sum(coefficients * powf(x, k), K)
}
gradient_test!(Horner);

#[derive_backward]
pub fn two_outputs(a: Tensor<f32, (N, C)>, b: Tensor<f32, C>) -> (Tensor<f32, (N, C)>, Tensor<f32, N>, Tensor<f32, ()>) {
    let y = a * b;
    let s = sum(y, C);
    (exp(y), s, sum(sq(s), N))
}
gradient_test!(TwoOutputs);

#[derive_backward]
pub fn averaged(x: Tensor<f32, (N, C)>, average: &mut Tensor<f32, C>, decay: f64) -> Tensor<f32, (N, C)> {
    let batch = mean(x, N);
    *average = decay * *average + (1.0 - decay) * batch;
    x - stop_gradient(*average)
}
gradient_test!(Averaged { decay: 0.9 });

#[derive_backward]
pub fn in_doubles(x: Tensor<f64, (N, C)>, w: Tensor<f64, C>) -> Tensor<f64, N> {
    dot(x, w, C)
}
gradient_test!(InDoubles);

#[derive_backward]
pub fn generic<T: Float>(x: Tensor<T, (N, C)>, w: Tensor<T, C>, eps: f64) -> Tensor<T, (N, C)> {
    let n = rsqrt(mean(sq(x), C) + eps);
    x * n * w
}
gradient_test!(Generic { eps: 1e-3 });

#[derive_backward(helper)]
pub fn centred(x: Tensor<f32>, a: impl Axes) -> Tensor<f32> {
    x - mean(x, a)
}

#[derive_backward]
pub fn doubly_centred(x: Tensor<f32, (I, J)>) -> Tensor<f32, (I, J)> {
    centred(centred(x, I), J)
}
gradient_test!(DoublyCentred);

#[derive_backward]
pub fn covariance(x: Tensor<f32, (N, C)>) -> Tensor<f32, (C, D)> {
    let c = centred(x, N);
    dot(c, rename(c, C, D), N) / len(N)
}
gradient_test!(Covariance);

#[derive_backward]
pub fn dropped(x: Tensor<f32, (N, C)>, p: f64, seed: Seed, training: bool) -> Tensor<f32, (N, C)> {
    ensure(p >= 0.0 && p < 1.0, "p must lie in [0, 1)");
    if training {
        let keep = bernoulli((N, C), seed, 1.0 - p);
        keep * x / (1.0 - p)
    } else {
        x
    }
}
gradient_test!(dropped_in_training, Dropped { p: 0.5, seed: Seed(3), training: true });
gradient_test!(dropped_in_evaluation, Dropped { p: 0.5, seed: Seed(3), training: false });

/// Alpha dropout: what is dropped takes the value that keeps mean and variance.
#[derive_backward]
pub fn alpha_dropped(x: Tensor<f32, Many<S>>, p: f64, seed: Seed) -> Tensor<f32, Many<S>> {
    let alpha = 1.7580993408473766;
    let a = 1.0 / ((alpha * alpha * p + 1.0) * (1.0 - p)).sqrt();
    let keep = gt(bernoulli_like(x, seed, 1.0 - p), 0.5);
    a * select(keep, x, -alpha) + a * alpha * p
}
gradient_test!(AlphaDropped { p: 0.25, seed: Seed(11) });

/// Drops a whole sample's branch.
#[derive_backward]
pub fn drop_path(
    x: Tensor<f32, (N, Many<S>)>,
    branch: Tensor<f32, (N, Many<S>)>,
    p: f64,
    seed: Seed,
) -> Tensor<f32, (N, Many<S>)> {
    x + branch * bernoulli(N, seed, 1.0 - p) / (1.0 - p)
}
gradient_test!(DropPath { p: 0.5, seed: Seed(5) });

mod blocks {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn project(x: Tensor<f32, (Many<B>, I)>, w: Tensor<f32, (O, I)>) -> Tensor<f32, (Many<B>, O)> {
        dot(x, w, I)
    }

    pub mod inner {
        use pullback::prelude::*;

        #[derive_backward]
        pub fn feed_forward(
            x: Tensor<f32, (Many<B>, D)>,
            w1: Tensor<f32, (F, D)>,
            w2: Tensor<f32, (D, F)>,
        ) -> Tensor<f32, (Many<B>, D)> {
            let h: Tensor<f32, (Many<B>, F)> = super::project(x, w1);
            super::project(max(h, 0.0), w2)
        }
    }
}

#[derive_backward]
pub fn transformer_tail(
    x: Tensor<f32, (B, T, D)>,
    w1: Tensor<f32, (F, D)>,
    w2: Tensor<f32, (D, F)>,
    gamma: Tensor<f32, D>,
    beta: Tensor<f32, D>,
) -> Tensor<f32, (B, T, D)> {
    layer_norm(x + blocks::inner::feed_forward(x, w1, w2), gamma, beta, 1e-3)
}
gradient_test!(TransformerTail);

#[derive_backward]
pub fn normed_and_rectified(
    x: Tensor<f32, (N, C, H, W)>,
    gamma: Tensor<f32, C>,
    beta: Tensor<f32, C>,
    #[constant] mean: Tensor<f32, C>,
    #[constant] var: Tensor<f32, C>,
) -> Tensor<f32, (N, C)> {
    let y = relu(batch_norm_eval(x, gamma, beta, mean, var, 1e-3));
    y.mean((H, W))
}
gradient_test!(NormedAndRectified);

/// The user's own sigmoid, called by its path.
#[derive_backward]
fn sigmoid(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    0.5 * (tanh(0.5 * x) + 1.0)
}

#[derive_backward]
pub fn with_ones_own(x: Tensor<f32, N>) -> Tensor<f32, N> {
    self::sigmoid(x) + sigmoid(2.0 * x)
}
gradient_test!(WithOnesOwn);

#[derive_backward]
pub fn scalars(a: Tensor<f32, ()>, b: Tensor<f32, ()>, #[diff] c: f64) -> Tensor<f32, ()> {
    a * exp(b) + c * c
}
gradient_test!(Scalars);

#[derive_backward]
pub fn integers_and_lengths(x: Tensor<f32, (N, C)>, k: i32, n: usize) -> Tensor<f32, (N, C)> {
    let total = len(N) * len(C) + n;
    x * k + x / total - powi(x, 2) / (n as f64 + 1.5)
}
gradient_test!(IntegersAndLengths { k: -2, n: 3 });

#[derive_backward]
pub fn annotated(x: Tensor<f32, (N, C)>) -> Tensor<f32, N> {
    let scale: f64 = 0.5;
    let (lo, hi): (Tensor<f32, N>, Tensor<f32, N>) = (min(x, C), max(x, C));
    let spread: Tensor<f32, N> = hi - lo;
    scale * spread
}
gradient_test!(Annotated);

#[derive_backward]
pub fn masked_mean(x: Tensor<f32, (N, T, D)>, #[constant] mask: Tensor<f32, (N, T)>) -> Tensor<f32, (N, D)> {
    let keep = gt(mask, 0.0);
    sum(select(keep, x, 0.0), T) / max(sum(keep, T), 1.0)
}
gradient_test!(MaskedMean);
