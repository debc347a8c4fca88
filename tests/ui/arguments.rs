//! errors: 14
use pullback::prelude::*;

#[derive_backward]
fn wrong_types(
    x: Tensor<f32, N>,
    by_reference: &Tensor<f32, N>,
    bytes: &[u8],
    count: u32,
    no_axes: Tensor<f32>,
    half: Tensor<u8, N>,
    wide: Tensor<f80, N>,
    labels: Tensor<i64, N>,
    window: Window,
    #[diff] t: f32,
    #[constant] eps: f64,
    #[learned] s: f64,
    mut y: Tensor<f32, N>,
    x: Tensor<f32, N>,
) -> Tensor<f32, N> {
    x + by_reference * count + sum(bytes, Q)
}

#[derive_backward]
fn both(x: Tensor<f32, (N, S)>, y: Tensor<f32, Many<S>>) -> Tensor<f32, (N, S)> {
    x + y
}

fn main() -> Result<(), pullback::Error> {
    let (x, count) = (pullback::ndarray::array![1.0f32], 3u32);
    let _ = both(&x.clone().insert_axis(pullback::ndarray::Axis(0)), &x)?;
    let _ = WrongTypes { count, eps: 1.0, s: 2.0 };
    Ok(())
}
