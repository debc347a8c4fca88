//! errors: 2
use pullback::prelude::*;

fn plain(x: f32) -> f32 {
    x
}

#[derive_backward]
fn calls(x: Tensor<f32, N>) -> Tensor<f32, N> {
    plain(x) + sum(x, Q)
}

fn main() -> Result<(), pullback::Error> {
    plain(1.0);
    Ok(())
}
