//! Formulas in a crate that forbids what is unused: an `allow` in what is emitted would be an error.
#![forbid(unused, dead_code, unsafe_code, missing_docs, non_snake_case, unused_qualifications)]

use pullback::prelude::*;

/// Declared, and nothing of it used.
#[derive_backward]
pub fn never_called(x: Tensor<f32, (N, C)>, w: Tensor<f32, C>, #[diff] t: f64, p: f64, k: Window<1>) -> Tensor<f32, (N, O)> {
    t * mean(window(x * w, C, O, K, k), K) * p
}

/// Called as a function alone.
#[derive_backward]
pub fn called(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    max(x, 0.0)
}

#[derive_backward]
fn private(x: Tensor<f32, N>, seed: Seed, label: Labels<N>, r: &mut Tensor<f32, N>) -> (Tensor<f32, ()>, Tensor<i64, ()>) {
    *r = x + bernoulli_like(x, seed, 0.5);
    (sum(pick(x, N, label), N), argmax(x, N))
}

#[derive_backward(helper)]
fn helping(x: Tensor<f32>) -> Tensor<f32> {
    x * 2.0
}

#[derive_backward]
fn helped(x: Tensor<f32, N>) -> Tensor<f32, N> {
    helping(x)
}

/// Formulas that a macro of the user's writes.
mod made {
    use pullback::prelude::*;
    macro_rules! scaled {
        ($name:ident, $by:expr) => {
            /// Times a number.
            #[derive_backward]
            pub fn $name(x: Tensor<f32, N>) -> Tensor<f32, N> {
                $by * x
            }
        };
    }
    scaled!(thrice, 3.0);
}

#[test]
fn formulas_are_no_dead_code() {
    let x = pullback::ndarray::array![-1.0f32, 2.0];
    assert_eq!(called(&x).unwrap()[0], 0.0);
}
