//! errors: 7
//! What Rust does not do with constants of a call is said once, and Rust has nothing to add.
use pullback::prelude::*;

#[derive_backward]
pub fn mixed(x: Tensor<f32, (N, C)>, n: usize, p: f64, on: bool) -> Tensor<f32, (N, C)> {
    let y = if p == 1 { x } else { x * (n * p) };
    y * n.sqrt() / (len(C) / 2.0) + x * (on + 1.0)
}

#[derive_backward]
pub fn settings(x: Tensor<f32, (H, W)>, n: usize) -> Tensor<f32, (OH, OW)> {
    let y = match n { 0 => x, 1 => -x };
    max(window(y, (H, W), (OH, OW), (KH, KW), Window::new([2])), (KH, KW))
}

#[derive_backward]
pub fn arrays(x: Tensor<f32, L>) -> Tensor<f32, O> {
    max(window(x, L, O, K, Window::new([2]).stride([1, 1])), K)
}

fn main() {
    let op = Mixed { n: 1, p: 1.0, on: true };
    let _ = (op, Settings { n: 1 });
}
