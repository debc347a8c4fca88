//! `forward_inplace`: which formulas have it, and that it computes what `forward` does.

use pullback::layers::{Dropout, Softmax, alpha_dropout};
use pullback::ndarray::{Array2, ArrayD, ArrayRef, ArrayViewMutD, IxDyn, s};
use pullback::prelude::*;
use pullback_tests::calls::Layout;
use pullback_tests::expansion::Sources;

#[derive_backward]
fn logistic(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    sigmoid(x)
}

#[derive_backward]
fn hyperbolic(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    tanh(x)
}

#[derive_backward]
fn scale_and_shift(
    x: Tensor<f32, (N, C, Many<S>)>,
    #[constant] gamma: Tensor<f32, C>,
    beta: Tensor<f32, C>,
) -> Tensor<f32, (N, C, Many<S>)> {
    gamma * x + beta
}

#[derive_backward]
fn centred(x: Tensor<f32, (N, C)>, r: &mut Tensor<f32, C>) -> Tensor<f32, (N, C)> {
    let mu = mean(x, N);
    *r = *r + mu;
    x - mu
}

#[derive_backward]
fn chained(x: Tensor<f32, Many<S>>, seed: Seed, p: f64) -> Tensor<f32, Many<S>> {
    logistic(alpha_dropout(2.0 * x, seed, p))
}

#[derive_backward]
fn around(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    x - 0.5 * mean(shift(x, C, 1), C)
}

/// Which argument of each formula the result may overwrite, as its text says.
#[test]
fn offered_where_it_is_right() {
    let mut sources = Sources::layers();
    sources.add(include_str!("in_place.rs"));
    sources.add(
        "#[derive_backward]
        fn neighbour(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> { 2.0 * x - shift(x, C, 1) }
        #[derive_backward]
        fn turned(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> { flip(x, C) }
        #[derive_backward]
        fn transposed(x: Tensor<f32, (N, C)>) -> Tensor<f32, (C, N)> { 2.0 * x }
        #[derive_backward]
        fn both(x: Tensor<f32, N>) -> (Tensor<f32, N>, Tensor<f32, N>) { (2.0 * x, 3.0 * x) }
        #[derive_backward]
        fn added(x: Tensor<f32, N>, y: Tensor<f32, (N, C)>, z: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> { x + y + z }
        #[derive_backward]
        fn maybe(x: Option<Tensor<f32, N>>) -> Tensor<f32, N> { if let Some(x) = x { x } else { constant([1.0], N) } }
        #[derive_backward]
        fn sometimes(x: Tensor<f32, N>, square: bool) -> Tensor<f32, N> { if square { x * x } else { 2.0 * x } }
        #[derive_backward]
        fn summed(x: Tensor<f32, (N, C)>, w: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> { w + cumsum(x, C) }
        #[derive_backward]
        fn across(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> { x - pick(x, N, argmax(x, N)) }",
    );
    let offered = |name: &str| {
        let text = sources.expand(name).to_string();
        let method = text.split("fn forward_inplace").nth(1)?;
        // the argument that is `&mut`, and no state
        let arguments = method.split(')').next()?;
        let at = arguments.find(": & mut ::")?;
        arguments[..at].trim_end().rsplit([' ', ',']).next().map(str::to_string)
    };
    let x = [
        "dropout",
        "channel_dropout",
        "dropout_unscaled",
        "dropout_unscaled_eval",
        "alpha_dropout",
        "feature_alpha_dropout",
        "gaussian_dropout",
        "softmax",
        "logistic",
        "hyperbolic",
        "scale_and_shift",
        "chained",
        "centred",
        "around",
    ];
    for name in x {
        assert_eq!(offered(name).as_deref(), Some("x"), "{name}");
    }
    assert_eq!(offered("added").as_deref(), Some("y"));
    // the backward reads x; another shape; a neighbour is read; which output?; may be absent; not in every branch
    let none = [
        "gelu",
        "log_softmax",
        "across",
        "layer_norm",
        "batch_norm",
        "max_pool2d",
        "linear",
        "cross_entropy",
        "neighbour",
        "turned",
        "transposed",
        "both",
        "maybe",
        "sometimes",
    ];
    for name in none {
        assert_eq!(offered(name), None, "{name}");
    }
    assert_eq!(offered("summed").as_deref(), Some("x"), "the sum is finished before anything is stored");
}

fn numbers(shape: &[usize]) -> ArrayD<f32> {
    let mut at = 0u32;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        at = at.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (at >> 8) as f32 / 4_194_304.0 - 2.0
    })
}

fn bits(a: &ArrayRef<f32, IxDyn>) -> Vec<u32> {
    a.iter().map(|x| x.to_bits()).collect()
}

/// `forward` and `forward_inplace` on every layout, then `backward` with the overwritten array for both.
fn check<S>(
    shape: &[usize],
    forward: impl Fn(&ArrayRef<f32, IxDyn>) -> (ArrayD<f32>, S),
    in_place: impl Fn(&mut ArrayRef<f32, IxDyn>) -> S,
    backward: impl Fn(&ArrayRef<f32, IxDyn>, &ArrayRef<f32, IxDyn>, &ArrayRef<f32, IxDyn>, &S) -> ArrayD<f32>,
) {
    let mut x = numbers(shape);
    for (at, special) in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0].into_iter().enumerate() {
        if let Some(x) = x.iter_mut().nth(7 * at) {
            *x = special;
        }
    }
    let dy = numbers(shape);
    for layout in [Layout::Standard, Layout::Stepped, Layout::Reversed, Layout::ChannelsLast, Layout::ChannelsLastStepped] {
        let mut x = layout.of(&x);
        let (y, saved) = forward(&x);
        let dx = backward(&dy, &x, &y, &saved);
        let saved = in_place(&mut x);
        assert_eq!(bits(&x), bits(&y), "{layout:?}");
        assert_eq!(bits(&backward(&dy, &x, &x, &saved)), bits(&dx), "{layout:?}");
    }
}

/// [`check`] of an operation on one array.
macro_rules! check_alone {
    ($op:expr, $shape:expr) => {
        check(
            $shape,
            |x| $op.forward(x).expect("the array fits"),
            |x| $op.forward_inplace(x).expect("the array fits"),
            |dy, x, y, saved| $op.backward(dy, x, y, saved).expect("the same shapes").x,
        )
    };
}

#[test]
fn dropout_in_place() {
    let op = Dropout { seed: Seed(5), p: 0.3 };
    // the last one is written past the cache where it is not in place
    for shape in [&[][..], &[0, 3], &[1], &[5, 7], &[3, 4, 5, 6], &[40, 33, 9], &[1500, 1500]] {
        check_alone!(op, shape);
    }
}

#[test]
fn functions_of_one_element_in_place() {
    for shape in [&[6][..], &[17, 3], &[2, 3, 4, 5], &[300, 400]] {
        check_alone!(Logistic, shape);
        check_alone!(Hyperbolic, shape);
        let op = Chained { seed: Seed(3), p: 0.5 };
        check_alone!(op, shape);
    }
}

#[test]
fn softmax_reads_its_rows_thrice_before_it_writes() {
    for shape in [&[4, 9][..], &[300, 500], &[3, 70_000], &[2, 5, 33]] {
        check_alone!(Softmax, shape);
    }
}

#[test]
fn with_other_arguments_in_place() {
    for shape in [&[6, 3][..], &[17, 3, 5], &[4, 3, 90, 110]] {
        let (gamma, beta) = (numbers(&[3]), numbers(&[3]));
        let vector = |a: &ArrayD<f32>| a.clone().into_dimensionality().expect("one axis");
        let (gamma, beta): (pullback::ndarray::Array1<f32>, _) = (vector(&gamma), vector(&beta));
        check(
            shape,
            |x| ScaleAndShift.forward(x, &gamma, &beta).expect("the same channels"),
            |x| ScaleAndShift.forward_inplace(x, &gamma, &beta).expect("the same channels"),
            |dy, x, y, saved| ScaleAndShift.backward(dy, x, &gamma, &beta, y, saved).expect("the same shapes").x,
        );
    }
}

#[test]
fn state_goes_on_in_place() {
    let x = numbers(&[20, 6]).into_dimensionality::<pullback::ndarray::Ix2>().expect("two axes");
    let (mut r, mut r2) = (pullback::ndarray::Array1::ones(6), pullback::ndarray::Array1::ones(6));
    let (y, _) = Centred.forward(&x, &mut r).expect("the same channels");
    let mut x = x;
    Centred.forward_inplace(&mut x, &mut r2).expect("the same channels");
    assert_eq!((y, r), (x, r2));
}

#[test]
fn neighbours_within_a_block_in_place() {
    let x = numbers(&[700, 90]).into_dimensionality::<pullback::ndarray::Ix2>().expect("two axes");
    let y = Around.forward(&x).expect("no empty row").0;
    let mut x = x;
    Around.forward_inplace(&mut x).expect("no empty row");
    assert_eq!(x, y);
}

#[test]
fn a_part_of_an_array_in_place() {
    // what lies between the elements stays as it is
    let whole = numbers(&[40, 30]).into_dimensionality::<pullback::ndarray::Ix2>().expect("two axes");
    let op = Dropout { seed: Seed(1), p: 0.5 };
    let mut found = whole.clone();
    let part = |a: &mut Array2<f32>, f: &dyn Fn(ArrayViewMutD<'_, f32>)| f(a.slice_mut(s![1..;3, ..;-2]).into_dyn());
    part(&mut found, &|mut x| drop(op.forward_inplace(&mut x).expect("a probability")));
    let mut expected = whole.clone();
    part(&mut expected, &|mut x| {
        let y = op.forward(&x).expect("a probability").0;
        x.assign(&y);
    });
    assert_eq!(found, expected);
    assert_ne!(found, whole);
}

#[test]
fn nothing_is_written_where_the_call_fails() {
    let mut x = numbers(&[4, 5]);
    let before = x.clone();
    assert!(Dropout { seed: Seed(1), p: 2.0 }.forward_inplace(&mut x).is_err());
    let mut wide = x.clone().into_dimensionality::<pullback::ndarray::Ix2>().expect("two axes");
    let (gamma, beta) = (pullback::ndarray::Array1::ones(4), pullback::ndarray::Array1::ones(4));
    assert!(ScaleAndShift.forward_inplace(&mut wide, &gamma, &beta).is_err());
    assert_eq!((&x, &wide.into_dyn()), (&before, &before));
}
