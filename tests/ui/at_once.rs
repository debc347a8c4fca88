//! errors: 7
use pullback::prelude::*;

#[derive_backward(nam = Other)]
async fn everything(x: Tensor<f32, (N, C)>, gamma: Tensor<f32, (C, C)>, train: bool) -> Tensor<f32, C> {
    let a = sigmod(x);
    let b = if train { mean(x, Q) } else { sqrt(x, x) };
    a + b;
    x * gamma
}

fn main() -> Result<(), pullback::Error> {
    let x = pullback::ndarray::array![[1.0f32]];
    let _ = everything(&x, &x, true)?;
    let _ = Everything { train: true }.forward(&x, &x)?;
    Ok(())
}
