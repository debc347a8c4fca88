//! errors: 13
use pullback::prelude::*;

#[derive_backward]
async fn asynchronous(x: Tensor<f32, N>) -> Tensor<f32, N> {
    x
}

struct Layer2;

impl Layer2 {
    #[derive_backward]
    fn method(&self, x: Tensor<f32, N>) -> Tensor<f32, N> {
        x
    }
}

#[derive_backward]
struct NoFunction;

#[derive_backward]
fn bounded<T>(x: Tensor<T, N>) -> Tensor<T, N>
where
    T: Float,
{
    x
}

#[derive_backward(nam = Other)]
fn unknown_option(x: Tensor<f32, N>) -> Tensor<f32, N> {
    x
}

#[derive_backward(name = "Other")]
fn text_option(x: Tensor<f32, N>) -> Tensor<f32, N> {
    x
}

#[derive_backward(name = other)]
fn lower_case(x: Tensor<f32, N>) -> Tensor<f32, N> {
    x
}

#[derive_backward(name = One, name = Two)]
fn two_names(x: Tensor<f32, N>) -> Tensor<f32, N> {
    x
}

#[derive_backward]
fn print(x: Tensor<f32, N>) -> Tensor<f32, N> {
    x
}

#[derive_backward]
fn _2(x: Tensor<f32, N>) -> Tensor<f32, N> {
    x
}

#[derive_backward]
fn promises_nothing(x: Tensor<f32, N>) {
    x
}

#[derive_backward]
fn promises_a_number(x: Tensor<f32, N>) -> f32 {
    x.sum(N)
}

fn main() -> Result<(), pullback::Error> {
    let x = pullback::ndarray::array![1.0f32];
    let _ = NoFunction;
    let _ = asynchronous(&x)?;
    let _ = unknown_option(&x)?;
    let _ = promises_nothing(&x)?.sum();
    Ok(())
}
