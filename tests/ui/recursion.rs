//! errors: 3
use pullback::prelude::*;

#[derive_backward]
fn itself(x: Tensor<f32, N>) -> Tensor<f32, N> {
    exp(itself(x))
}

#[derive_backward(helper)]
fn helper(x: Tensor<f32>) -> Tensor<f32> {
    self::helper(x)
}

#[derive_backward]
fn nested(x: Tensor<f32, N>) -> Tensor<f32, N> {
    fn even(x: Tensor<f32>) -> Tensor<f32> {
        odd(x)
    }
    fn odd(x: Tensor<f32>) -> Tensor<f32> {
        even(x)
    }
    even(x)
}

fn main() -> Result<(), pullback::Error> {
    let x = pullback::ndarray::array![1.0f32];
    let _ = nested(&itself(&x)?)?;
    Ok(())
}
