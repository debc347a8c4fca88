//! Which types formulas may have, and what they are computed in.

use pullback::ndarray::{Array1, Array2, array};
use pullback::prelude::*;
use pullback::{Layer, bf16, f16};

#[derive_backward]
pub fn three<A: Float, B: Float, C: Float>(a: Tensor<A, N>, b: Tensor<B, N>, c: Tensor<C, ()>) -> Tensor<A, N> {
    a * b + c
}

#[derive_backward]
pub fn four(a: Tensor<f32, N>, b: Tensor<f16, N>, c: Tensor<bf16, N>, d: Tensor<f64, ()>) -> (Tensor<f64, N>, Tensor<f16, N>) {
    let product: Tensor<f16, N> = a * b;
    (product + c * d, product)
}

#[derive_backward(helper)]
fn centre<T: Float, P: Float>(x: Tensor<T>, gamma: Tensor<P>, over: impl Axes) -> Tensor<T> {
    gamma * (x - mean(x, over))
}

#[derive_backward]
pub fn helped<T: Float>(x: Tensor<T, (N, C)>, gamma: Tensor<f32, C>) -> Tensor<T, (N, C)> {
    fn doubled(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        2.0 * x
    }
    doubled(centre(x, gamma, C))
}

gradient_test!(Three);
gradient_test!(Four);
gradient_test!(Helped);

#[test]
fn three_parameters_and_a_scalar() {
    let (a, b) = (array![f16::from_f32(1.5), f16::from_f32(-2.0)], array![0.25f64, 3.0]);
    let c = bf16::from_f32(0.5);
    let (y, saved) = Three.forward(&a, &b, c).expect("the same lengths");
    assert_eq!(y, array![f16::from_f32(0.875), f16::from_f32(-5.5)]);
    let grads: ThreeGrads<f16, f64, bf16> = Three.backward(&y, &a, &b, c, &y, &saved).expect("the same lengths");
    assert_eq!(grads.b, array![0.875 * 1.5, 11.0]);
    assert_eq!(grads.c, bf16::from_f64(0.875 - 5.5));
}

#[test]
fn a_let_does_not_round_and_outputs_do() {
    // the product has more bits than an f16 keeps
    let (a, b) = (array![1.000_1f32], array![f16::from_f32(1.001)]);
    let (c, d) = (array![bf16::ZERO], 0.0);
    let ((whole, half), _) = Four.forward(&a, &b, &c, d).expect("the same lengths");
    let product = f64::from(a[0]) * f64::from(b[0]);
    assert_eq!(whole[0], product);
    assert_eq!(half[0], f16::of(product));
    assert_ne!(half[0].to_f64(), product);
}

#[test]
fn saved_values_are_of_the_computing_type() {
    // a name for each: what is kept of half precision is f32, beside f64 it is f64
    let x: Array2<bf16> = super::drawn(&[3, 4], 1);
    let gamma = Array1::<f32>::ones(4);
    let (_, saved): (_, HelpedSaved<f32>) = Helped.forward(&x, &gamma).expect("the same channels");
    drop(saved);
    let (_, saved): (_, ThreeSaved<f64>) =
        Three.forward(&array![1.0f64], &array![bf16::ONE], f16::ONE).expect("the same lengths");
    drop(saved);
}

#[test]
fn a_layer_of_one_type_serves_half_precision_too() {
    fn shape<T: Float, L: Layer<T>>(_: &L) -> usize {
        L::ARGS.len()
    }
    assert_eq!(shape::<bf16, _>(&Helped) + shape::<f16, _>(&Four), 6);
}
