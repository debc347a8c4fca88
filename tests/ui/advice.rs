//! errors: 8
//! Warnings, which are denied here.
#![deny(deprecated)]
use pullback::prelude::*;

#[derive_backward]
fn log_sum(x: Tensor<f32, (N, C)>) -> Tensor<f32, N> {
    log(sum(exp(x), C))
}

#[derive_backward]
fn log_of_softmax(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    let e = exp(x);
    (e / sum(e, C)).ln()
}

#[derive_backward]
fn variance(x: Tensor<f32, (N, C)>) -> Tensor<f32, C> {
    mean(sq(x), N) - sq(mean(x, N))
}

#[derive_backward]
fn small(x: Tensor<f32, N>) -> Tensor<f32, N> {
    log(1.0 + x) * (exp(x) - 1.0)
}

#[derive_backward]
fn soft(x: Tensor<f32, N>, eps: f64) -> Tensor<f32, N> {
    // a gate loses nothing that matters
    (x.exp() + 1.0).log() * (1.0 - sigmoid(x))
}

#[derive_backward]
fn others(x: Tensor<f32, (N, C)>, _unused: f64) -> Tensor<f32, (N, C)> {
    let e = exp(x);
    1.0 - e / sum(e, C)
}

#[derive_backward]
fn shifted(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    let s = x - stop_gradient(max(x, C));
    s - log(sum(exp(s), C))
}

fn main() {}
