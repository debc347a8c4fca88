//! errors: 9
use pullback::prelude::*;

#[derive_backward]
fn if_on_a_tensor(x: Tensor<f32, N>, eps: f64) -> Tensor<f32, N> {
    let a = if x > 0.0 { x } else { -x };
    let b = if gt(x, 0.0) { x } else { -x };
    let c = if eps { x } else { -x };
    a + b + c
}

#[derive_backward]
fn captured(x: Tensor<f32, N>, slope: Tensor<f32, N>, s: f64) -> Tensor<f32, N> {
    map(x, |v| if v > 0.0 { v } else { slope * s * v })
}

#[derive_backward]
fn both_branches(x: Tensor<f32, N>, train: bool) -> Tensor<f32, N> {
    if train { sum(x, P) } else { sum(x, Q) }
}

#[derive_backward]
fn too_many(x: Tensor<f32, N>, a: bool, b: bool, c: bool, d: bool, e: bool) -> Tensor<f32, N> {
    let y = if a { x } else { x + 1.0 };
    let y = if b { y } else { y + 1.0 };
    let y = if c { y } else { y + 1.0 };
    let y = if d { y } else { y + 1.0 };
    if e { y } else { y + 1.0 }
}

#[derive_backward]
fn absent(x: Tensor<f32, N>, bias: Option<Tensor<f32, N>>) -> Tensor<f32, N> {
    x + bias
}

#[derive_backward]
fn holes(x: Tensor<f32, L>, k: Window<1>) -> Tensor<f32, (O, K)> {
    window(x, L, O, K, k).exp()
}

fn main() -> Result<(), pullback::Error> {
    let x = pullback::ndarray::array![1.0f32];
    let _ = absent(&x, Some(&x))?;
    let k = Window::new([1]);
    let _ = Holes { k }.forward(&x)?;
    let _ = too_many(&x, true, true, true, true, true)?;
    Ok(())
}
