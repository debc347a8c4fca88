//! errors: 4
use pullback::prelude::*;

#[derive_backward]
#[rustfmt::skip]
fn deep(x: Tensor<f32, N>) -> Tensor<f32, N> {
    ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((x))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))
}

macro_rules! long {
    ([] $($body:tt)*) => {
        #[derive_backward]
        fn long(x: Tensor<f32, N>) -> Tensor<f32, N> {
            $($body)*
            x
        }
    };
    ([. $($more:tt)*] $($body:tt)*) => { long! { [$($more)*] $($body)* $($body)* } };
}

long! { [. . . . . . . . . . . .] let y = x; }

#[derive_backward]
fn unrolled(x: Tensor<f32, N>) -> Tensor<f32, N> {
    let mut y = x;
    for i in 0..60 {
        for j in 0..60 {
            for k in 0..60 {
                y += 1.0;
            }
        }
    }
    y
}

#[derive_backward]
fn grown(x: Tensor<f32, N>, e: f64) -> Tensor<f32, N> {
    let mut e = e;
    for i in 0..60 {
        e = e + e;
    }
    x * e
}

fn main() -> Result<(), pullback::Error> {
    let x = pullback::ndarray::array![1.0f32];
    let _ = deep(&long(&x)?)?;
    Ok(())
}
