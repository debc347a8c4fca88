//! errors: 1
use pullback::prelude::*;

fn plain(x: f32) -> f32 {
    x
}

#[derive_backward]
fn calls(x: Tensor<f32, N>) -> Tensor<f32, N> {
    plain(x) + 1.0
}

fn main() -> Result<(), pullback::Error> {
    plain(1.0);
    let x = pullback::ndarray::array![1.0f32];
    let _ = calls(&x)?;
    Ok(())
}
