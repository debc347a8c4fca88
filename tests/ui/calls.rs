//! errors: 10
use pullback::prelude::*;

#[derive_backward(helper)]
fn scaled(x: Tensor<f32, (A, B)>, g: Tensor<f32, B>, s: f64) -> Tensor<f32, (A, B)> {
    x * g * s
}

#[derive_backward]
fn nll(x: Tensor<f32, (N, C)>, label: Labels<N>) -> Tensor<f32, N> {
    -pick(x, C, label)
}

#[derive_backward]
fn pool(x: Tensor<f32, L>, k: Window<1>) -> Tensor<f32, O> {
    max(window(x, L, O, K, k), K)
}

#[derive_backward]
fn wrong_count(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    scaled(x, 2.0)
}

#[derive_backward]
fn wrong_axes(x: Tensor<f32, (N, C)>, g: Tensor<f32, N>) -> Tensor<f32, (N, C)> {
    scaled(g, g, 1.0) + scaled(x, g, 1.0)
}

#[derive_backward]
fn wrong_kinds(x: Tensor<f32, (N, C)>, g: Tensor<f32, C>, k: Window<2>) -> Tensor<f32, (N, C)> {
    scaled(x, g, g) + pool(g, k) + pool(g, 3)
}

#[derive_backward]
fn no_index(x: Tensor<f32, (N, C)>, weight: Tensor<f32, N>) -> Tensor<f32, N> {
    nll(x, weight) + pick(x, C, weight)
}

#[derive_backward]
fn wrong(x: Tensor<f32, N>) -> Tensor<f32, N> {
    sum(x, Q)
}

// the error of a callee is reported where it stands, and nowhere else
#[derive_backward]
fn calls_a_wrong_one(x: Tensor<f32, N>) -> Tensor<f32, N> {
    exp(wrong(x))
}

#[derive_backward]
fn calls_that_one(x: Tensor<f32, N>) -> Tensor<f32, N> {
    calls_a_wrong_one(x) + 1.0
}

// and so is a misspelt word of a helper
#[derive_backward(helper)]
fn halved(x: Tensor<f32>) -> Tensor<f32> {
    sigmod(x) / 2.0
}

#[derive_backward]
fn calls_a_helper(x: Tensor<f32, N>) -> Tensor<f32, N> {
    halved(x) * halved(x)
}

fn main() -> Result<(), pullback::Error> {
    let x = pullback::ndarray::array![1.0f32];
    let _ = calls_that_one(&calls_a_wrong_one(&wrong(&x)?)?)?;
    Ok(())
}
