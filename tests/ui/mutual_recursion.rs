//! errors: 2
use pullback::prelude::*;

#[derive_backward]
fn even(x: Tensor<f32, N>) -> Tensor<f32, N> {
    odd(x) + 1.0
}

#[derive_backward]
fn odd(x: Tensor<f32, N>) -> Tensor<f32, N> {
    even(x) - 1.0
}

fn main() -> Result<(), pullback::Error> {
    Ok(())
}
