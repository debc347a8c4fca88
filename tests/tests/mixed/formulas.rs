//! Formulas over two type parameters, the ready-made layers among them.

use super::{assert_rounded, drawn, wide};
use crate::for_each_type;
use pullback::layers::{self, BatchNorm, Dropout, Gelu, MaxPool2dIndices, MeanPool2d};
use pullback::ndarray::{Array1, Array2, Array4, Ix1, Ix4};
use pullback::prelude::*;
use pullback::{bf16, f16};

#[derive_backward]
pub fn layer_norm<T: Float, P: Float>(
    x: Tensor<T, (N, C)>,
    gamma: Tensor<P, C>,
    beta: Option<Tensor<P, C>>,
    eps: f64,
) -> Tensor<T, (N, C)> {
    let mu = mean(x, C);
    let y = gamma * (x - mu) / sqrt(mean(sq(x - mu), C) + eps);
    if let Some(b) = beta { y + b } else { y }
}

#[derive_backward]
pub fn softmax<T: Float, Y: Float>(x: Tensor<T, (N, C)>) -> Tensor<Y, (N, C)> {
    layers::softmax(x)
}

#[derive_backward]
pub fn linear<T: Float, P: Float>(
    x: Tensor<T, (N, I)>,
    weight: Tensor<T, (O, I)>,
    bias: Tensor<P, O>,
    #[diff] scale: f64,
) -> Tensor<T, (N, O)> {
    scale * (dot(x, weight, I) + bias)
}

// the same numbers in every type: in `f64` a formula says what the others are, rounded
gradient_test!(LayerNorm { eps: 1e-3 });
gradient_test!(Linear);
gradient_test!(Softmax);

fn batch_norm_rounds_once<T: Float>() {
    let op = BatchNorm { momentum: 0.1, eps: 1e-5 };
    for shape in [[4, 3, 5, 6], [16, 5, 28, 28], [2, 70, 1, 1]] {
        let x: Array4<T> = drawn(&shape, 1);
        let (gamma, beta): (Array1<f32>, Array1<f32>) = (drawn(&shape[1..2], 2), drawn(&shape[1..2], 3));
        let (mut mean, mut var): (Array1<f32>, Array1<f32>) =
            (drawn(&shape[1..2], 4), drawn::<f32, Ix1>(&shape[1..2], 5).mapv(f32::abs));
        let (mut mean64, mut var64) = (wide(&mean), wide(&var));
        let (x64, gamma64, beta64) = (wide(&x), wide(&gamma), wide(&beta));
        let (y, saved) = op.forward(&x, &gamma, &beta, &mut mean, &mut var).expect("the same channels");
        let (y64, saved64) = op.forward(&x64, &gamma64, &beta64, &mut mean64, &mut var64).expect("the same channels");
        assert_rounded(&y, &y64, 0.05, "y");
        assert_rounded(&mean, &mean64, 0.5, "running mean");
        assert_rounded(&var, &var64, 0.5, "running variance");
        // two statistics a channel, none of them of half precision
        assert!(saved.bytes() >= 2 * 4 * shape[1] && saved.bytes() <= 3 * 8 * shape[1], "{} bytes", saved.bytes());
        let dy: Array4<T> = drawn(&shape, 6);
        let dy64 = wide(&dy);
        let grads = op.backward(&dy, &x, &gamma, &beta, &y, &saved).expect("the same shapes");
        let grads64 = op.backward(&dy64, &x64, &gamma64, &beta64, &y64, &saved64).expect("the same shapes");
        assert_rounded(&grads.x, &grads64.x, 0.3, "dx");
        assert_rounded(&grads.gamma, &grads64.gamma, 4.0, "dgamma");
        assert_rounded(&grads.beta, &grads64.beta, 4.0, "dbeta");
        let _: &Array1<f32> = &grads.gamma;
    }
}

fn layer_norm_rounds_once<T: Float>() {
    let op = LayerNorm { eps: 1e-5 };
    for shape in [[3, 7], [40, 1024], [300, 129]] {
        let (x, dy): (Array2<T>, Array2<T>) = (drawn(&shape, 1), drawn(&shape, 2));
        let (gamma, beta): (Array1<f32>, Array1<f32>) = (drawn(&shape[1..], 3), drawn(&shape[1..], 4));
        let (x64, gamma64, beta64) = (wide(&x), wide(&gamma), wide(&beta));
        let (y, saved) = op.forward(&x, &gamma, Some(&beta)).expect("the same channels");
        let (y64, saved64) = op.forward(&x64, &gamma64, Some(&beta64)).expect("the same channels");
        assert_rounded(&y, &y64, 0.05, "y");
        let grads = op.backward(&dy, &x, &gamma, Some(&beta), &y, &saved).expect("the same shapes");
        let grads64 = op.backward(&wide(&dy), &x64, &gamma64, Some(&beta64), &y64, &saved64).expect("the same shapes");
        assert_rounded(&grads.x, &grads64.x, 0.3, "dx");
        assert_rounded(&grads.gamma, &grads64.gamma, 8.0, "dgamma");
        assert_rounded(&grads.beta.expect("given"), &grads64.beta.expect("given"), 8.0, "dbeta");
    }
}

fn softmax_rounds_once<T: Float>() {
    for shape in [[4, 5], [30, 300], [2, 9000]] {
        let (x, dy): (Array2<T>, Array2<T>) = (drawn(&shape, 1), drawn(&shape, 2));
        let (y, saved) = Softmax.forward::<T, T>(&x).expect("no empty row");
        let (y64, saved64) = Softmax.forward::<f64, f64>(&wide(&x)).expect("no empty row");
        assert_rounded(&y, &y64, 0.05, "y");
        let dx = Softmax.backward(&dy, &x, &y, &saved).expect("the same shapes").x;
        let dx64 = Softmax.backward(&wide(&dy), &wide(&x), &y64, &saved64).expect("the same shapes").x;
        assert_rounded(&dx, &dx64, 0.5, "dx");
        // half precision in, f32 out
        let (y, _) = Softmax.forward::<T, f32>(&x).expect("no empty row");
        assert_rounded(&y, &y64, 3.0, "y in f32");
    }
}

fn dropout_rounds_once<T: Float>() {
    let op = Dropout { seed: Seed(4), p: 0.3 };
    for shape in [&[5][..], &[20, 30], &[7, 3, 5, 11], &[400, 300]] {
        let (x, dy) = (super::numbers::<T>(shape, 1), super::numbers::<T>(shape, 2));
        let (y, saved) = op.forward(&x).expect("a probability");
        let (y64, saved64) = op.forward(&wide(&x)).expect("a probability");
        assert_rounded(&y, &y64, 1.0, "y");
        let dx = op.backward(&dy, &x, &y, &saved).expect("the same shapes").x;
        let dx64 = op.backward(&wide(&dy), &wide(&x), &y64, &saved64).expect("the same shapes").x;
        assert_rounded(&dx, &dx64, 1.0, "dx");
        let mut z = x.clone();
        op.forward_inplace(&mut z).expect("a probability");
        assert_eq!(z, y);
    }
}

fn gelu_rounds_once<T: Float>() {
    let (mut x, dy) = (super::numbers::<T>(&[70, 90], 1), super::numbers::<T>(&[70, 90], 2));
    for (x, special) in x.iter_mut().zip([0.0, -0.0, f64::INFINITY, f64::NAN, 1e-6, -3e-5, 7.0, -3.5]) {
        *x = T::of(special);
    }
    let (y, saved) = Gelu.forward(&x).expect("any shape");
    let (y64, saved64) = Gelu.forward(&wide(&x)).expect("any shape");
    assert_rounded(&y, &y64, 0.5, "y");
    let dx = Gelu.backward(&dy, &x, &y, &saved).expect("the same shapes").x;
    let dx64 = Gelu.backward(&wide(&dy), &wide(&x), &y64, &saved64).expect("the same shapes").x;
    assert_rounded(&dx, &dx64, 0.5, "dx");
}

fn pools_round_once<T: Float>() {
    for k in [
        Window::new([2, 2]),
        Window::new([3, 3]).stride([2, 1]).padding([1, 1]),
        Window::new([3, 2]).stride([1, 1]).dilation([2, 1]),
    ] {
        let x: Array4<T> = drawn(&[3, 5, 14, 15], 1);
        let x64 = wide(&x);
        let op = MaxPool2dIndices { k };
        let ((y, index), saved) = op.forward(&x).expect("a window that fits");
        let ((y64, index64), saved64) = op.forward(&x64).expect("a window that fits");
        assert_eq!(index, index64);
        assert_eq!(wide(&y), y64);
        let dy: Array4<T> = drawn(y.shape(), 2);
        let dx = op.backward(&dy, &x, &y, &index, &saved).expect("the same shapes").x;
        let dx64 = op.backward(&wide(&dy), &x64, &y64, &index64, &saved64).expect("the same shapes").x;
        assert_rounded(&dx, &dx64, 0.6, "dx of a maximum");
        let op = MeanPool2d { k };
        let (y, saved) = op.forward(&x).expect("a window that fits");
        let (y64, saved64) = op.forward(&x64).expect("a window that fits");
        assert_rounded(&y, &y64, 0.6, "y");
        let dx = op.backward(&dy, &x, &y, &saved).expect("the same shapes").x;
        let dx64 = op.backward(&wide(&dy), &x64, &y64, &saved64).expect("the same shapes").x;
        assert_rounded(&dx, &dx64, 0.6, "dx of a mean");
    }
}

fn linear_rounds_once<T: Float>() {
    for [n, i, o] in [[3, 4, 5], [64, 300, 70], [9, 2100, 33]] {
        let (x, weight): (Array2<T>, Array2<T>) = (drawn(&[n, i], 1), drawn(&[o, i], 2));
        let (bias, dy): (Array1<f32>, Array2<T>) = (drawn(&[o], 3), drawn(&[n, o], 4));
        let (x64, weight64, bias64) = (wide(&x), wide(&weight), wide(&bias));
        let (y, saved) = Linear.forward(&x, &weight, &bias, 0.75).expect("shapes that fit");
        let (y64, saved64) = Linear.forward(&x64, &weight64, &bias64, 0.75).expect("shapes that fit");
        assert_rounded(&y, &y64, 0.5, "y");
        let grads = Linear.backward(&dy, &x, &weight, &bias, 0.75, &y, &saved).expect("the same shapes");
        let grads64 = Linear.backward(&wide(&dy), &x64, &weight64, &bias64, 0.75, &y64, &saved64).expect("the same shapes");
        assert_rounded(&grads.x, &grads64.x, 0.5, "dx");
        assert_rounded(&grads.weight, &grads64.weight, 0.5, "dweight");
        assert_rounded(&grads.bias, &grads64.bias, 8.0, "dbias");
        approx::assert_relative_eq!(grads.scale, grads64.scale, max_relative = 1e-4, epsilon = 1e-2);
    }
}

for_each_type! {
    batch_norm_rounds_once layer_norm_rounds_once softmax_rounds_once dropout_rounds_once gelu_rounds_once pools_round_once
    linear_rounds_once
}

#[test]
fn f32_data_with_f64_parameters_is_computed_in_f64() {
    let op = LayerNorm { eps: 1e-5 };
    let x: Array2<f32> = drawn(&[20, 300], 1);
    let (gamma, dy): (Array1<f64>, Array2<f32>) = (drawn(&[300], 2), drawn(&[20, 300], 3));
    let (y, saved) = op.forward(&x, &gamma, None).expect("the same channels");
    let (y64, saved64) = op.forward(&wide(&x), &gamma, None).expect("the same channels");
    let nearest = y64.mapv(|y| y as f32);
    assert_eq!(y, nearest);
    let grads = op.backward(&dy, &x, &gamma, None, &y, &saved).expect("the same shapes");
    let grads64 = op.backward(&wide(&dy), &wide(&x), &gamma, None, &y64, &saved64).expect("the same shapes");
    assert_eq!(grads.x, grads64.x.mapv(|x| x as f32));
    assert_eq!(grads.gamma, grads64.gamma);
}

#[test]
fn views_of_any_strides_are_read_in_place() {
    use pullback::ndarray::s;
    let op = LayerNorm { eps: 1e-5 };
    let whole: Array2<bf16> = drawn(&[90, 64], 1);
    let gamma: Array1<f32> = drawn(&[21], 2);
    for x in [whole.slice(s![1..40, 1..64;3]), whole.slice(s![..;-2, ..21;-1]), whole.t().slice_move(s![..60, ..42;2])] {
        let copy = x.to_owned();
        let (found, saved) = op.forward(&x, &gamma, None).expect("the same channels");
        let (expected, _) = op.forward(&copy, &gamma, None).expect("the same channels");
        assert_eq!(found, expected);
        let (a, b) = (op.backward(&x, &x, &gamma, None, &found, &saved), op.backward(&copy, &copy, &gamma, None, &found, &saved));
        let (a, b) = (a.expect("the same shapes"), b.expect("the same shapes"));
        assert_eq!((a.x, a.gamma), (b.x, b.gamma));
    }
}

#[test]
fn nothing_is_there_in_empty_arrays() {
    let x: Array2<f16> = drawn(&[0, 5], 1);
    let gamma: Array1<f32> = drawn(&[5], 2);
    let op = LayerNorm { eps: 1e-5 };
    let (y, saved) = op.forward(&x, &gamma, None).expect("the same channels");
    let grads = op.backward(&y, &x, &gamma, None, &y, &saved).expect("the same shapes");
    assert_eq!((y.shape(), grads.x.shape()), (&[0, 5][..], &[0, 5][..]));
    assert_eq!(grads.gamma, Array1::<f32>::zeros(5));
}

#[test]
fn gradients_are_added_in_their_own_type() {
    let (x, dy): (Array2<bf16>, Array2<bf16>) = (drawn(&[30, 50], 1), drawn(&[30, 50], 2));
    let gamma: Array1<f32> = drawn(&[50], 3);
    let op = LayerNorm { eps: 1e-5 };
    let (y, saved) = op.forward(&x, &gamma, None).expect("the same channels");
    let (y64, saved64) = op.forward(&wide(&x), &wide(&gamma), None).expect("the same channels");
    let fresh = op.backward(&wide(&dy), &wide(&x), &wide(&gamma), None, &y64, &saved64).expect("the same shapes");
    let (mut dx, mut dgamma): (Array2<bf16>, Array1<f32>) = (drawn(&[30, 50], 4), drawn(&[50], 5));
    let (before, before_gamma) = (wide(&dx), wide(&dgamma));
    let into = LayerNormInto { x: Some(Grad::Add(&mut dx)), gamma: Some(Grad::Add(&mut dgamma)), beta: None };
    op.backward_into(&dy, &x, &gamma, None, &y, &saved, into).expect("the same shapes");
    // what is added was not rounded before
    assert_rounded(&dx, &(before + fresh.x), 0.1, "dx");
    assert_rounded(&dgamma, &(before_gamma + fresh.gamma), 2.0, "dgamma");
}

#[test]
fn the_kernels_are_the_same_for_one_thread_and_seven() {
    let x: Array4<bf16> = drawn::<_, Ix4>(&[32, 16, 30, 30], 1);
    let (gamma, beta): (Array1<f32>, Array1<f32>) = (drawn(&[16], 2), drawn(&[16], 3));
    let op = BatchNorm { momentum: 0.1, eps: 1e-5 };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let (mut mean, mut var) = (Array1::<f32>::zeros(16), Array1::<f32>::ones(16));
        pool.install(|| {
            let (y, saved) = op.forward(&x, &gamma, &beta, &mut mean, &mut var).expect("the same channels");
            let grads = op.backward(&y, &x, &gamma, &beta, &y, &saved).expect("the same shapes");
            (y, grads.x, grads.gamma, grads.beta)
        })
    };
    assert!(run(1) == run(7));
}

#[derive_backward]
pub fn embedding<T: Float, P: Float>(
    table: Tensor<T, (V, C)>,
    label: Labels<N>,
    r: &mut Tensor<T, C>,
    decay: Tensor<P, ()>,
) -> Tensor<T, (N, C)> {
    let x = pick(table, V, label);
    let total = cumsum(x, N) * decay;
    *r = *r + stop_gradient(max(total, N));
    total + *r
}

#[derive_backward]
pub fn convolution<T: Float>(
    x: Tensor<T, (N, I, H, W)>,
    weight: Tensor<T, (O, I, KH, KW)>,
    bias: Option<Tensor<f32, O>>,
    k: Window<2>,
) -> Tensor<T, (N, O, OH, OW)> {
    let y = dot(window(x, (H, W), (OH, OW), (KH, KW), k), weight, (I, KH, KW));
    if let Some(b) = bias { y + b } else { y }
}

gradient_test!(Embedding);

fn gathers_scans_and_states_round_once<T: Float>() {
    let (table, dy): (Array2<T>, Array2<T>) = (drawn(&[7, 5], 1), drawn(&[40, 5], 2));
    let label = Array1::from_shape_fn(40, |n| (n * n % 7) as i64);
    let mut r: Array1<T> = drawn(&[5], 3);
    let mut r64 = wide(&r);
    let (y, saved) = Embedding.forward(&table, &label, &mut r, 0.3f32).expect("labels in range");
    let (y64, saved64) = Embedding.forward(&wide(&table), &label, &mut r64, f64::from(0.3f32)).expect("labels in range");
    assert_rounded(&y, &y64, 0.3, "y");
    assert_rounded(&r, &r64, 0.3, "r");
    let grads = Embedding.backward(&dy, &table, &label, 0.3f32, &y, &saved).expect("the same shapes");
    let grads64 = Embedding.backward(&wide(&dy), &wide(&table), &label, f64::from(0.3f32), &y64, &saved64);
    let grads64 = grads64.expect("the same shapes");
    assert_rounded(&grads.table, &grads64.table, 0.3, "dtable");
    approx::assert_relative_eq!(f64::from(grads.decay), grads64.decay, max_relative = 1e-5);
}

fn convolutions_round_once<T: Float>() {
    let op = Convolution { k: Window::new([3, 3]).padding([1, 1]).stride([2, 1]) };
    let (x, weight): (Array4<T>, Array4<T>) = (drawn(&[2, 6, 11, 9], 1), drawn(&[5, 6, 3, 3], 2));
    let bias: Array1<f32> = drawn(&[5], 3);
    let (y, saved) = op.forward(&x, &weight, Some(&bias)).expect("a window that fits");
    let (y64, saved64) = op.forward(&wide(&x), &wide(&weight), Some(&bias)).expect("a window that fits");
    assert_rounded(&y, &y64, 0.5, "y");
    let dy: Array4<T> = drawn(y.shape(), 4);
    let grads = op.backward(&dy, &x, &weight, Some(&bias), &y, &saved).expect("the same shapes");
    let grads64 = op.backward(&wide(&dy), &wide(&x), &wide(&weight), Some(&bias), &y64, &saved64).expect("the same shapes");
    assert_rounded(&grads.x, &grads64.x, 0.5, "dx");
    assert_rounded(&grads.weight, &grads64.weight, 0.5, "dweight");
    // an infinity meets the window's padding: no NaN comes of it
    let mut x = x;
    x[[0, 0, 0, 0]] = T::of(f64::INFINITY);
    let (y, _) = op.forward(&x, &weight, None).expect("a window that fits");
    let (y64, _) = op.forward(&wide(&x), &wide(&weight), None).expect("a window that fits");
    assert_rounded(&y, &y64, 0.5, "y beside an infinity");
}

for_each_type! { gathers_scans_and_states_round_once convolutions_round_once }

#[test]
fn in_place_is_forward_in_any_layout() {
    use pullback::ndarray::s;
    let op = Dropout { seed: Seed(9), p: 0.4 };
    let whole: Array2<bf16> = drawn(&[300, 70], 1);
    let mut found = whole.clone();
    let mut part = found.slice_mut(s![3..;2, ..;-3]);
    let expected = op.forward(&part).expect("a probability").0;
    op.forward_inplace(&mut part).expect("a probability");
    assert_eq!(part, expected);
    assert_eq!(found.slice(s![..;2, ..]), whole.slice(s![..;2, ..]));
    // large enough to be written past the cache
    let mut x: Array2<f16> = drawn(&[2100, 2100], 2);
    let y = op.forward(&x).expect("a probability").0;
    op.forward_inplace(&mut x).expect("a probability");
    assert!(x == y);
}
