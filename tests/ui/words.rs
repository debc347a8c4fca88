//! errors: 20
use pullback::prelude::*;

#[derive_backward]
fn misspelt(x: Tensor<f32, (N, C)>, gamma: Tensor<f32, C>) -> Tensor<f32, (N, C)> {
    sigmod(x) + x.logsumxp(C) + gama
}

#[derive_backward]
fn counted(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    sqrt(x, x) + x.clamp(0.0) + dot(x, x)
}

#[derive_backward]
fn unsupported(x: Tensor<f32, (N, C)>, n: usize) -> Tensor<f32, (N, C)> {
    let a = x[0];
    let b = |v| v;
    let c = x.shape;
    let d = x > 0.0;
    let e = x % 2.0;
    let f = x as f64;
    while n > 0 {}
    for i in 0..n {}
    println!("{x}");
    x + 1;
    return x;
}

#[derive_backward]
fn matched(x: Tensor<f32, N>) -> Tensor<f32, N> {
    let y = match x {
        _ => x,
    };
    let Some(z) = x else { return x };
    y + z
}

#[derive_backward]
fn unfinished(x: Tensor<f32, N>) -> Tensor<f32, N> {
    exp(x);
}

fn main() {}
