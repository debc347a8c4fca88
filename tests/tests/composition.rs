//! Formulas that call formulas, across modules and crates.

use pullback::layers::{batch_norm_eval, max_pool2d, relu};
use pullback::prelude::*;

#[derive_backward]
pub fn stem(
    x: Tensor<f32, (N, C, H, W)>,
    gamma: Tensor<f32, C>,
    beta: Tensor<f32, C>,
    #[constant] mean: Tensor<f32, C>,
    #[constant] var: Tensor<f32, C>,
    eps: f64,
    k: Window<2>,
) -> Tensor<f32, (N, C, OH, OW)> {
    max_pool2d(relu(batch_norm_eval(x, gamma, beta, mean, var, eps)), k)
}

mod inner {
    use pullback::prelude::*;

    #[derive_backward]
    fn twice(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
        x + x
    }

    #[derive_backward]
    pub(super) fn four_times(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
        twice(twice(x))
    }
}

#[derive_backward]
fn eight_times(x: Tensor<f32, N>) -> Tensor<f32, N> {
    2.0 * inner::four_times(x)
}

gradient_test!(Stem { eps: 1e-3, k: Window::new([2, 2]) });
gradient_test!(EightTimes);

#[test]
fn calls_mean_bodies() {
    let x = pullback::ndarray::array![1.0f32, -2.0];
    let y = eight_times(&x).unwrap();
    approx::assert_relative_eq!(y[1], -16.0);
}

/// A callee that branches in the middle, and says what its states become on the way.
#[derive_backward]
pub fn tracked_norm(x: Tensor<f32, (N, C)>, r: &mut Tensor<f32, C>, m: f64, training: bool) -> Tensor<f32, (N, C)> {
    let mu = if training {
        let mu = mean(x, N);
        *r = (1.0 - m) * *r + m * stop_gradient(mu);
        mu
    } else {
        *r
    };
    let y = if m == 0.0 { x } else { x - mu };
    y * 2.0
}

#[derive_backward]
pub fn tracked_twice(x: Tensor<f32, (B, D)>, r: &mut Tensor<f32, D>, m: f64, training: bool) -> Tensor<f32, (B, D)> {
    let y = tracked_norm(x, r, m, training);
    tracked_norm(y, r, m, training)
}
gradient_test!(tracked_twice_training, TrackedTwice { m: 0.1, training: true });
gradient_test!(tracked_twice_evaluation, TrackedTwice { m: 0.0, training: false });
