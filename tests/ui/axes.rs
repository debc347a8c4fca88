//! errors: 9
use pullback::ndarray::array;
use pullback::prelude::*;

#[derive_backward]
fn unknown(x: Tensor<f32, (N, C)>) -> Tensor<f32, N> {
    sum(x, Q)
}

#[derive_backward]
fn twice_in_the_signature(x: Tensor<f32, (N, N)>) -> Tensor<f32, ()> {
    sum(x, N)
}

#[derive_backward]
fn twice_in_a_reduction(x: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    sum(x, (N, C, N))
}

#[derive_backward]
fn missing(x: Tensor<f32, (N, C)>, gamma: Tensor<f32, C>) -> Tensor<f32, (N, C)> {
    x * sum(gamma, N) + mean(gamma - 1.0, (C, N))
}

#[derive_backward]
fn unlike_the_promise(x: Tensor<f32, (N, C)>, gamma: Tensor<f32, C>) -> Tensor<f32, C> {
    let y = gamma * x;
    y + gamma
}

#[derive_backward]
fn unlike_the_second_promise(x: Tensor<f32, (N, C)>) -> (Tensor<f32, (N, C)>, Tensor<f32, N>) {
    (x, x.exp())
}

#[derive_backward]
fn renamed(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    let y = rename(x, N, C);
    x
}

#[derive_backward]
fn promised_from_nowhere(x: Tensor<f32, N>) -> Tensor<f32, (N, Q)> {
    x
}

fn main() -> Result<(), pullback::Error> {
    let (x, gamma) = (array![[1.0f32]], array![1.0f32]);
    let _: f32 = unknown(&x)?.sum() + twice_in_the_signature(&x)?;
    let y = missing(&x, &gamma)?;
    let (_, saved) = Missing.forward(&x, &gamma)?;
    let grads: MissingGrads<f32> = Missing.backward(&y, &x, &gamma, &y, &saved)?;
    let _: pullback::ndarray::Array1<f32> = grads.gamma;
    let (_, _) = unlike_the_second_promise(&x)?;
    Ok(())
}
