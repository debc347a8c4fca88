//! What words do at their edges: windows with divisors and holes that other axes see, infinities, positions and labels
//! that do not exist, places beyond a byte.

use pullback::Error;
use pullback::ndarray::{Array1, Array2, array};
use pullback::prelude::*;

/// A divisor is for all taps, however many other axes the mean is over.
#[derive_backward]
pub fn mean_with_channels(x: Tensor<f32, (N, C, L)>, k: Window<1>) -> Tensor<f32, (N, O)> {
    mean(window(x, L, O, K, k), (C, K))
}
gradient_test!(MeanWithChannels { k: Window::new([3]).stride([2]).padding([1]).divisor(2) });

/// The same in two steps.
#[derive_backward]
pub fn mean_after_channels(x: Tensor<f32, (N, C, L)>, k: Window<1>) -> Tensor<f32, (N, O)> {
    mean(mean(window(x, L, O, K, k), C), K)
}
gradient_test!(MeanAfterChannels { k: Window::new([3]).stride([2]).padding([1]).divisor(5) });

/// A mean over some of a window's taps divides by those that are there.
#[derive_backward]
pub fn mean_of_columns(x: Tensor<f32, (H, W)>, k: Window<2>) -> Tensor<f32, (OH, OW)> {
    sum(fill(mean(window(x, (H, W), (OH, OW), (KH, KW), k), KH), 0.0), KW)
}
gradient_test!(MeanOfColumns { k: Window::new([2, 2]).stride([1, 1]).padding([1, 1]).divisor(3) });

/// Holes of windows that share an axis are where they were under another name.
#[derive_backward]
pub fn renamed_shares(x: Tensor<f32, (N, L)>, count: usize) -> Tensor<f32, (N, P)> {
    max(rename(adaptive_window(x, L, O, K, count), O, P), K)
}
gradient_test!(RenamedShares { count: 3 });

#[derive_backward]
pub fn log_total(x: Tensor<f32, (N, C)>) -> Tensor<f32, N> {
    logsumexp(x, C)
}
gradient_test!(LogTotal);

#[test]
fn sums_of_exponentials_of_infinities() {
    let inf = f32::INFINITY;
    let x = array![[-inf, -inf], [inf, 1.0], [-inf, 2.0], [inf, -inf]];
    assert_eq!(log_total(&x).expect("a matrix"), array![-inf, inf, 2.0, inf]);
}

#[derive_backward]
pub fn differences(x: Tensor<f32, (N, T)>) -> Tensor<f32, (N, T)> {
    scan(x, T, 1.0, |h, v| 0.5 * h - v)
}
gradient_test!(Differences);

#[derive_backward]
pub fn nth_column(x: Tensor<f32, (N, C)>, at: usize) -> Tensor<f32, N> {
    pick(x, C, at)
}

#[test]
fn a_position_beyond_the_end_is_refused() {
    let x = array![[1.0f32, 2.0, 3.0]];
    assert_eq!(nth_column(&x, 2).expect("the last"), array![3.0]);
    let error = nth_column(&x, 3).expect_err("none such");
    assert!(matches!(error, Error::Range { axis: "C", start: 3, end: 4, len: 3, .. }), "{error}");
}

/// Labels are moved before they are used.
#[derive_backward]
pub fn picked_backwards(x: Tensor<f32, (N, C)>, label: Labels<N>) -> Tensor<f32, N> {
    pick(x, C, flip(label, N))
}
gradient_test!(PickedBackwards);

#[test]
fn labels_that_are_moved_are_checked() {
    let x = array![[1.0f32, 2.0], [3.0, 4.0]];
    assert_eq!(picked_backwards(&x, &array![0, 1]).expect("labels"), array![2.0, 3.0]);
    for wrong in [2, -1] {
        let error = picked_backwards(&x, &array![0, wrong]).expect_err("no label");
        assert!(matches!(&error, Error::Label { argument: "label", value, bound: 2, .. } if *value == wrong), "{error}");
    }
}

#[derive_backward]
pub fn largest(x: Tensor<f32, (N, C)>) -> Tensor<f32, N> {
    max(x, C)
}

/// Places are saved in a byte each only where all fit into one.
#[test]
fn the_place_of_a_maximum_may_need_more_than_a_byte() {
    for (c, at) in [(256, 255), (257, 256), (700, 699), (70_000, 69_999)] {
        let x = Array2::from_shape_fn((2, c), |(i, j)| if j == at - i { 1.0f32 } else { 0.0 });
        let (y, saved) = Largest.forward(&x).expect("a matrix");
        assert_eq!(saved.bytes(), if c <= 256 { 2 } else { 8 });
        let grads = Largest.backward(&array![2.0, 3.0], &x, &y, &saved).expect("the same call");
        let expected = |i: usize, j: usize| if j == at - i { 2.0 + i as f32 } else { 0.0 };
        assert_eq!(grads.x, Array2::from_shape_fn((2, c), |(i, j)| expected(i, j)), "{c}");
    }
}

#[derive_backward]
pub fn smoothed(x: Tensor<f32, L>, k: Window<1>) -> Tensor<f32, O> {
    dot(window(x, L, O, K, k), constant([0.25, 0.5, 0.25], K), K)
}

#[test]
fn constants_have_the_length_of_their_axis() {
    let x = Array1::from_elem(6, 1.0f32);
    let k = |n: usize| Window::new([n]).stride([1]);
    assert_eq!(smoothed(&x, k(3)).expect("three taps"), Array1::from_elem(4, 1.0));
    for n in [2, 4] {
        let error = smoothed(&x, k(n)).expect_err("other taps");
        assert!(matches!(error, Error::Shape { axis: "K", expected: 3, .. }), "{error}");
    }
}
