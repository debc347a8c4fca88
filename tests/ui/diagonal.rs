//! errors: 1
//! A warning, which is denied here.
#![deny(deprecated)]
use pullback::prelude::*;

#[derive_backward]
fn gram(c: Tensor<f32, (N, D)>) -> Tensor<f32, D> {
    dot(c, c, N)
}

fn main() {}
