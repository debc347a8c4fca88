use crate::prelude::*;

/// Inverted dropout: `y = x·keep/(1 − p)`, each element kept with probability `1 − p`.
///
/// A layer for training; in evaluation leave it out. No mask is stored: the backward draws it again from the seed, so
/// give each step its own (`seed.fold_in(step)`). A dropped NaN or infinity is NaN.
///
/// Shapes: any, kept. Source: N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
/// 2014, section 10.
#[derive_backward]
pub fn dropout(x: Tensor<f32, Many<S>>, seed: Seed, p: f64) -> Tensor<f32, Many<S>> {
    ensure(p >= 0.0, "the dropout probability must lie in [0, 1]");
    ensure(p <= 1.0, "the dropout probability must lie in [0, 1]");
    let keep = bernoulli_like(x, seed, 1.0 - p);
    if p == 1.0 { x * 0.0 } else { x * keep / (1.0 - p) }
}

/// [`dropout`] of whole channels: one draw for each channel of each sample.
///
/// Shapes: x and y `(N, C, ...)`. Source: J. Tompson et al., "Efficient Object Localization Using Convolutional
/// Networks", 2015, arXiv:1411.4280, section 3.2; PyTorch's `Dropout1d`, `Dropout2d`, `Dropout3d`.
#[derive_backward]
pub fn channel_dropout(x: Tensor<f32, (N, C, Many<S>)>, seed: Seed, p: f64) -> Tensor<f32, (N, C, Many<S>)> {
    ensure(p >= 0.0, "the dropout probability must lie in [0, 1]");
    ensure(p <= 1.0, "the dropout probability must lie in [0, 1]");
    let keep = bernoulli((N, C), seed, 1.0 - p);
    if p == 1.0 { x * 0.0 } else { x * keep / (1.0 - p) }
}
