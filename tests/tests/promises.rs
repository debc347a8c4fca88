//! What the language reference promises of the generated functions, in a crate that allows nothing.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

use approx::assert_relative_eq;
use pullback::Error;
use pullback::ndarray::{Array, Array1, Array2, Array3, Array4, ArrayD, ArrayView, Axis, Dimension, Slice, arr0, array};
use pullback::prelude::*;

/// Layer normalisation.
#[derive_backward]
pub fn norm(x: Tensor<f32, (N, C)>, gamma: Tensor<f32, C>, beta: Option<Tensor<f32, C>>, eps: f64) -> Tensor<f32, (N, C)> {
    ensure(eps > 0.0, "eps must be positive");
    let mu = mean(x, C);
    let y = gamma * (x - mu) / sqrt(mean(sq(x - mu), C) + eps);
    beta.map_or(y, |b| y + b)
}

/// Alike to rounding.
#[track_caller]
fn assert_close<D: Dimension>(found: &Array<f32, D>, expected: &Array<f32, D>) {
    assert_eq!(found.shape(), expected.shape());
    for (found, expected) in found.iter().zip(expected) {
        assert_relative_eq!(*found, *expected, epsilon = 1e-5, max_relative = 1e-5);
    }
}

/// Every second element along every axis.
fn thin<D: Dimension>(mut x: ArrayView<'_, f32, D>) -> ArrayView<'_, f32, D> {
    for axis in 0..x.ndim() {
        x.slice_axis_inplace(Axis(axis), Slice::new(0, None, 2));
    }
    x
}

fn backwards(x: &Array2<f32>) -> ArrayView<'_, f32, pullback::ndarray::Ix2> {
    x.slice_axis(Axis(0), Slice::new(0, None, -1))
}

fn sample() -> (Array2<f32>, Array1<f32>, Array1<f32>) {
    let x = Array2::from_shape_fn((5, 3), |(i, j)| ((i * 7 + j * 3) % 11) as f32 - 4.0);
    (x, array![1.0, -2.0, 0.5], array![0.25, 0.0, -1.0])
}

#[test]
fn plain_function_and_operation_agree() {
    let (x, gamma, beta) = sample();
    let op = Norm { eps: 1e-3 };
    let y = norm(&x, &gamma, Some(&beta), 1e-3).unwrap();
    let (z, saved) = op.forward(&x, &gamma, Some(&beta)).unwrap();
    assert_eq!(y, z);
    let mut w = Array2::from_elem((5, 3), f32::NAN);
    let again = op.forward_into(&x, &gamma, Some(&beta), &mut w).unwrap();
    assert_eq!(y, w);
    assert_eq!(saved.bytes(), again.bytes());
    assert_eq!(op.clone(), op);
    assert!(format!("{op:?} {saved:?}").starts_with("Norm"));
    let without = norm(&x, &gamma, None, 1e-3).unwrap();
    assert_close(&(without + &beta), &y);
}

#[test]
fn backward_writes_adds_and_leaves_out() {
    let (x, gamma, beta) = sample();
    let op = Norm { eps: 1e-3 };
    let (y, saved) = op.forward(&x, &gamma, Some(&beta)).unwrap();
    let dy = Array2::from_shape_fn((5, 3), |(i, j)| (i as f32 - 2.0) * 0.5 + j as f32);
    let grads = op.backward(&dy, &x, &gamma, Some(&beta), &y, &saved).unwrap();
    assert_close(&grads.beta.clone().unwrap(), &dy.sum_axis(Axis(0)));
    let mut dx = Array2::from_elem((5, 3), 10.0);
    let mut dgamma = Array1::from_elem(3, f32::NAN);
    let into = NormInto { x: Some(Grad::Add(&mut dx)), gamma: Some(Grad::Write(&mut dgamma)), ..Default::default() };
    op.backward_into(&dy, &x, &gamma, Some(&beta), &y, &saved, into).unwrap();
    assert_close(&dx, &(&grads.x + 10.0));
    assert_eq!(dgamma, grads.gamma);
    op.backward_into(&dy, &x, &gamma, Some(&beta), &y, &saved, NormInto::default()).unwrap();
    // the gradient of an absent argument
    let (y, saved) = op.forward(&x, &gamma, None).unwrap();
    let grads = op.backward(&dy, &x, &gamma, None, &y, &saved).unwrap();
    assert!(grads.beta.is_none());
}

#[test]
fn views_are_taken_as_they_are() {
    let (x, gamma, beta) = sample();
    let mut wide = Array2::from_elem((10, 6), f32::NAN);
    for ((i, j), x) in x.indexed_iter() {
        wide[[2 * i, 2 * j]] = *x;
    }
    let y = norm(&x, &gamma, Some(&beta), 1e-3).unwrap();
    assert_eq!(norm(&thin(wide.view()), &gamma, Some(&beta), 1e-3).unwrap(), y);
    let columns = x.t().as_standard_layout().into_owned();
    assert_close(&norm(&columns.t(), &gamma, Some(&beta), 1e-3).unwrap(), &y);
    assert_eq!(norm(&backwards(&x), &gamma, Some(&beta), 1e-3).unwrap(), backwards(&y));
}

#[test]
fn errors_of_shape_are_typed() {
    let (x, gamma, beta) = sample();
    let four = Array1::<f32>::zeros(4);
    let found = norm(&x, &four, Some(&beta), 1e-3).unwrap_err();
    assert!(
        matches!(found, Error::Shape { function: "norm", argument: "gamma", axis: "C", found: 4, expected: 3, .. }),
        "{found}"
    );
    let found = norm(&x, &gamma, Some(&four), 1e-3).unwrap_err();
    assert!(matches!(found, Error::Shape { argument: "beta", axis: "C", .. }), "{found}");
    let found = norm(&x, &gamma, None, 0.0).unwrap_err();
    assert!(matches!(&found, Error::Ensure { message, .. } if message == "eps must be positive"), "{found}");
    let op = Norm { eps: 1e-3 };
    let mut small = Array2::zeros((4, 3));
    let found = op.forward_into(&x, &gamma, None, &mut small).unwrap_err();
    assert!(matches!(&found, Error::Buffer { found, expected, .. } if found == &[4, 3] && expected == &[5, 3]), "{found}");
    let (y, saved) = op.forward(&x, &gamma, None).unwrap();
    let found = op.backward(&small, &x, &gamma, None, &y, &saved).unwrap_err();
    assert!(matches!(found, Error::Buffer { argument: "dy", .. }), "{found}");
    let found = op.backward(&y, &x, &gamma, None, &small, &saved).unwrap_err();
    assert!(matches!(found, Error::Buffer { argument: "y", .. }), "{found}");
    let into = NormInto { x: Some(Grad::Write(&mut small)), ..Default::default() };
    let found = op.backward_into(&y, &x, &gamma, None, &y, &saved, into).unwrap_err();
    assert!(matches!(found, Error::Buffer { .. }), "{found}");
    // what was saved of another call
    let (_, other) = op.forward(&x.slice_axis(Axis(0), Slice::new(0, Some(3), 1)), &gamma, None).unwrap();
    let found = op.backward(&y, &x, &gamma, None, &y, &other).unwrap_err();
    assert!(matches!(found, Error::Saved { .. } | Error::Buffer { .. }), "{found}");
    let found = Norm { eps: 2e-3 }.backward(&y, &x, &gamma, Some(&beta), &y, &saved).unwrap_err();
    assert!(matches!(found, Error::Saved { .. }), "{found}");
}

/// Picks.
#[derive_backward]
pub fn picks(x: Tensor<f32, (N, C)>, label: Labels<N>) -> Tensor<f32, N> {
    pick(x, C, label)
}

#[test]
fn labels_are_checked() {
    let (x, ..) = sample();
    assert_eq!(picks(&x, &array![0, 2, 1, 0, 0]).unwrap()[1], x[[1, 2]]);
    for wrong in [3, -1, i64::MIN, i64::MAX] {
        let found = picks(&x, &array![0, wrong, 1, 0, 0]).unwrap_err();
        assert!(
            matches!(&found, Error::Label { argument: "label", position, value, bound: 3, .. } if position == &[1] && *value == wrong),
            "{found}"
        );
    }
    let (y, saved) = Picks.forward(&x, &array![0, 2, 1, 0, 0]).unwrap();
    assert!(Picks.backward(&y, &x, &array![0, 3, 1, 0, 0], &y, &saved).is_err());
}

/// A pool.
#[derive_backward]
pub fn pool(x: Tensor<f32, (N, C, H, W)>, k: Window<2>) -> (Tensor<f32, (N, C, OH, OW)>, Tensor<i64, (N, C, OH, OW)>) {
    let w = window(x, (H, W), (OH, OW), (KH, KW), k);
    (max(w, (KH, KW)), argmax(w, (KH, KW)))
}

#[test]
fn windows_are_checked() {
    let x = Array4::from_shape_fn((1, 1, 4, 4), |(_, _, i, j)| ((i * 5 + j * 3) % 7) as f32);
    let refused = |k: Window<2>| pool(&x, k).unwrap_err();
    let e = refused(Window::new([5, 1]));
    assert!(matches!(e, Error::WindowTooLarge { axis: "H", window: 5, padded: 4, .. }), "{e}");
    let e = refused(Window::new([2, 2]).stride([1, 0]));
    assert!(matches!(e, Error::WindowZero { axis: "W", setting: "stride", .. }), "{e}");
    let e = refused(Window::new([0, 2]));
    assert!(matches!(e, Error::WindowZero { axis: "H", setting: "kernel", .. }), "{e}");
    let e = refused(Window::new([2, 2]).dilation([0, 1]));
    assert!(matches!(e, Error::WindowZero { axis: "H", setting: "dilation", .. }), "{e}");
    let e = refused(Window::new([2, 2]).padding([2, 0]));
    assert!(matches!(e, Error::WindowPadding { axis: "H", found: 2, most: 1, .. }), "{e}");
    let huge = usize::MAX / 2;
    for k in [
        Window::new([huge, 2]),
        Window::new([2, 2]).stride([huge, usize::MAX]),
        Window::new([2, 2]).dilation([usize::MAX, huge]),
        Window::new([2, 2]).padding([usize::MAX, 0]),
    ] {
        let _ = pool(&x, k);
    }
    let (y, at) = pool(&x, Window::new([2, 2])).unwrap();
    assert_eq!(y.shape(), [1, 1, 2, 2]);
    assert_eq!(at.shape(), [1, 1, 2, 2]);
    for ((n, c, i, j), k) in at.indexed_iter() {
        let (a, b) = (i * 2 + *k as usize / 2, j * 2 + *k as usize % 2);
        assert_eq!(x[[n, c, a, b]], y[[n, c, i, j]]);
    }
}

#[test]
fn several_outputs_have_one_buffer_each() {
    let x = Array4::from_shape_fn((1, 2, 4, 4), |(_, c, i, j)| ((i * 5 + j * 3 + c) % 7) as f32);
    let op = Pool { k: Window::new([2, 2]) };
    let ((y, at), saved) = op.forward(&x).unwrap();
    let (mut y2, mut at2) = (Array4::zeros((1, 2, 2, 2)), Array4::zeros((1, 2, 2, 2)));
    let _ = op.forward_into(&x, &mut y2, &mut at2).unwrap();
    assert_eq!((&y, &at), (&y2, &at2));
    let dy = Array4::ones((1, 2, 2, 2));
    let grads = op.backward(&dy, &x, &y, &at, &saved).unwrap();
    assert_relative_eq!(grads.x.sum(), 8.0);
}

/// A number of numbers.
#[derive_backward]
pub fn numbers(a: Tensor<f32, ()>, x: Tensor<f32, N>, #[diff] t: f64) -> Tensor<f32, ()> {
    a * t * sum(x * x, N)
}

#[test]
fn numbers_are_plain() {
    let x = array![1.0f32, 2.0];
    let y: f32 = numbers(3.0, &x, 0.5).unwrap();
    assert_relative_eq!(y, 7.5);
    let (y, saved) = Numbers.forward(3.0, &x, 0.5).unwrap();
    let grads = Numbers.backward(2.0, 3.0, &x, 0.5, y, &saved).unwrap();
    assert_relative_eq!(grads.a, 5.0);
    let t: f64 = grads.t;
    assert_relative_eq!(t, 30.0, epsilon = 1e-6);
    assert_eq!(grads.x, array![6.0, 12.0]);
    let mut out = f32::NAN;
    let _ = Numbers.forward_into(3.0, &x, 0.5, &mut out).unwrap();
    assert_eq!(out, y);
    let (mut da, mut dt) = (arr0(1.0f32), arr0(f64::NAN));
    let into = NumbersInto { a: Some(Grad::Add(&mut da)), t: Some(Grad::Write(&mut dt)), x: None };
    Numbers.backward_into(2.0, 3.0, &x, 0.5, y, &saved, into).unwrap();
    assert_relative_eq!(da[()], 6.0);
    assert_relative_eq!(dt[()], 30.0, epsilon = 1e-6);
}

/// The unbiased variance of each group.
#[derive_backward]
pub fn group_var(x: Tensor<f32, (N, C)>, groups: usize) -> Tensor<f32, (N, G)> {
    let y = split(x, C, (G, D), groups);
    let each = len(C) / groups;
    sum(sq(y - mean(y, D)), D) / (each - 1)
}

#[test]
fn constants_without_a_value_are_errors() {
    let x = Array2::<f32>::from_shape_fn((2, 4), |(n, c)| (n + c * c) as f32);
    assert_eq!(group_var(&x, 2).unwrap(), array![[0.5, 12.5], [0.5, 12.5]]);
    assert!(group_var(&x, 4).unwrap().iter().all(|y| y.is_nan()));
    assert!(GroupVar { groups: 0 }.forward(&x).is_err());
    let empty = Array2::<f32>::zeros((2, 0));
    let below = GroupVar { groups: 1 }.forward(&empty).unwrap_err();
    assert!(matches!(below, Error::Arithmetic { function: "group_var", left: 0, operator: '-', right: 1 }), "{below}");
}

gradient_test!(GroupVar { groups: 2 });

/// Any rank.
#[derive_backward]
pub fn doubled<T: Float>(x: Tensor<T, Many<S>>) -> Tensor<T, Many<S>> {
    x + x
}

#[test]
fn generic_formulas_take_any_rank_and_type() {
    let x = Array3::from_shape_fn((2, 3, 2), |(i, j, k)| (i + j + k) as f64);
    assert_eq!(doubled(&x).unwrap(), &x * 2.0);
    let y: ArrayD<f32> = doubled(&ArrayD::from_elem(vec![2, 1], 1.5f32)).unwrap();
    assert_eq!(y.shape(), [2, 1]);
    assert_eq!(doubled(&arr0(2.0f32)).unwrap()[()], 4.0);
    assert_eq!(doubled(&Array2::<f32>::zeros((0, 3))).unwrap().shape(), [0, 3]);
}

/// Running statistics.
#[derive_backward]
pub fn running(x: Tensor<f32, (N, C)>, r: &mut Tensor<f32, C>, decay: f64) -> Tensor<f32, (N, C)> {
    ensure(decay <= 1.0, "decay is at most 1");
    *r = decay * *r + (1.0 - decay) * mean(x, N);
    x * x
}

#[test]
fn state_is_written_by_forward_alone_and_not_on_errors() {
    let x = array![[1.0f32, 2.0], [3.0, 6.0]];
    let mut r = array![1.0f32, 1.0];
    assert!(running(&x, &mut r, 2.0).is_err());
    assert_eq!(r, array![1.0, 1.0]);
    let y = running(&x, &mut r, 0.5).unwrap();
    assert_eq!(r, array![1.5, 2.5]);
    let op = Running { decay: 0.5 };
    let (_, saved) = op.forward(&x, &mut r).unwrap();
    assert_eq!(r, array![1.75, 3.25]);
    let grads = op.backward(&y, &x, &y, &saved).unwrap();
    assert_eq!(grads.x, 2.0 * &x * &y);
}

/// With another name.
#[derive_backward(name = Other)]
pub fn named(x: Tensor<f32, N>) -> Tensor<f32, N> {
    exp(x)
}

#[test]
fn the_name_can_be_chosen() {
    let x = array![0.0f32, 1.0];
    let (y, saved): (_, OtherSaved<f32>) = Other.forward(&x).unwrap();
    let grads: OtherGrads<f32> = Other.backward(&y, &x, &y, &saved).unwrap();
    assert_relative_eq!(grads.x[1], 1.0f32.exp() * 1.0f32.exp(), epsilon = 1e-5);
}

/// Two formulas of one name.
pub mod left {
    use pullback::prelude::*;
    /// The sum.
    #[derive_backward]
    pub fn both(x: Tensor<f32, N>, y: Tensor<f32, N>) -> Tensor<f32, N> {
        x + y
    }
}
/// Two formulas of one name.
pub mod right {
    use pullback::prelude::*;
    /// The product.
    #[derive_backward]
    pub fn both(x: Tensor<f32, N>, y: Tensor<f32, N>) -> Tensor<f32, N> {
        x * y
    }
}

/// One of each.
#[derive_backward]
pub fn of_both(x: Tensor<f32, N>) -> Tensor<f32, N> {
    left::both(x, right::both(x, x))
}

#[test]
fn formulas_of_one_name_live_in_two_modules() {
    assert_eq!(of_both(&array![3.0f32]).unwrap(), array![12.0]);
}

#[test]
fn a_formula_may_stand_in_a_function() {
    #[derive_backward]
    fn cubed(x: Tensor<f32, N>) -> Tensor<f32, N> {
        x * x * x
    }
    assert_eq!(cubed(&array![2.0f32]).unwrap(), array![8.0]);
}

/// Arguments with the names that an emitter might use itself.
#[derive_backward]
pub fn clashing(
    call: Tensor<f32, (N, C)>,
    saved: Tensor<f32, C>,
    dy: Tensor<f32, C>,
    y: Tensor<f32, C>,
    grads: Tensor<f32, C>,
    into: Option<Tensor<f32, C>>,
    shapes: f64,
    function: f64,
    op: f64,
    args: usize,
    t: f64,
) -> Tensor<f32, (N, C)> {
    let space = call * saved + dy * y;
    let z = space * shapes + grads * function - op * t / args as f64;
    into.map_or(z, |lanes| z * lanes)
}

gradient_test!(Clashing { shapes: 0.5, function: 2.0, op: 1.0, args: 4, t: 3.0 });

/// Axes with the names of types in reach.
#[derive_backward]
pub fn types_as_axes(x: Tensor<f32, (T, D, Some, Vec)>) -> Tensor<f32, (T, D)> {
    sum(x, (Some, Vec))
}

gradient_test!(TypesAsAxes);

/// One's own `max` and `N` in scope.
pub mod own {
    pub use std::cmp::max;
    /// Nothing.
    pub struct N;
    /// Nothing.
    pub struct C;
    /// Not a tensor.
    pub type Result = usize;

    use pullback::prelude::*;
    /// The largest.
    #[derive_backward]
    pub fn largest(x: Tensor<f32, (N, C)>) -> Tensor<f32, N> {
        max(x, C) + max(sum(x, C), 0.0)
    }

    #[test]
    fn vocabulary_is_the_vocabulary() {
        let _: (Result, N, C) = (max(1, 2), N, C);
        let x = pullback::ndarray::array![[1.0f32, 3.0]];
        assert_eq!(largest(&x).unwrap()[0], 7.0);
    }
}

/// The runtime under another name.
pub mod renamed {
    extern crate pullback as gradients;
    use gradients::prelude::*;
    /// Softsign.
    #[derive_backward(crate = gradients)]
    pub fn softsign(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
        x / (1.0 + abs(x))
    }
    gradients::gradient_test!(softsign_under_another_name, Softsign);
}

/// Groups.
#[derive_backward]
pub fn grouped(x: Tensor<f32, (N, C)>, groups: usize) -> Tensor<f32, (N, G)> {
    mean(split(x, C, (G, D), groups), D)
}

#[test]
fn groups_must_divide() {
    let (x, ..) = sample();
    assert_eq!(grouped(&x, 3).unwrap(), x);
    for wrong in [0, 2, usize::MAX] {
        let e = grouped(&x, wrong).unwrap_err();
        assert!(matches!(e, Error::Indivisible { axis: "C", found: 3, .. }), "{e}");
    }
}

/// A part.
#[derive_backward]
pub fn part(x: Tensor<f32, N>, from: usize, to: usize) -> Tensor<f32, M> {
    slice(x, N, M, from..to)
}

#[test]
fn slices_must_lie_within() {
    let x = array![1.0f32, 2.0, 3.0];
    assert_eq!(part(&x, 1, 3).unwrap(), array![2.0, 3.0]);
    assert_eq!(part(&x, 3, 3).unwrap().len(), 0);
    for (from, to) in [(0, 4), (2, 1), (4, 4), (usize::MAX, usize::MAX), (0, usize::MAX)] {
        let e = part(&x, from, to).unwrap_err();
        assert!(matches!(e, Error::Range { axis: "N", .. }), "{from}..{to}: {e}");
    }
}

/// The largest of nothing.
#[derive_backward]
pub fn largest(x: Tensor<f32, (N, C)>) -> Tensor<f32, N> {
    max(x, C)
}

#[test]
fn maxima_of_nothing_are_errors() {
    let e = largest(&Array2::zeros((2, 0))).unwrap_err();
    assert!(matches!(e, Error::EmptyReduction { reduction: "max", axis: "C", .. }), "{e}");
}

/// Dropped.
#[derive_backward]
pub fn dropped(x: Tensor<f32, (N, C)>, seed: Seed, p: f64) -> Tensor<f32, (N, C)> {
    x * bernoulli_like(x, seed, 1.0 - p) / (1.0 - p)
}

#[test]
fn draws_depend_on_seed_and_place_alone() {
    let x = Array2::<f32>::ones((64, 33));
    let y = dropped(&x, Seed(1), 0.5).unwrap();
    assert_eq!(y, dropped(&x, Seed(1), 0.5).unwrap());
    assert_ne!(y, dropped(&x, Seed(1).fold_in(1), 0.5).unwrap());
    let columns = Array2::<f32>::ones((33, 64));
    assert_eq!(y, dropped(&columns.t(), Seed(1), 0.5).unwrap());
    for (i, y) in y.iter().enumerate() {
        let kept = u64::from(pullback::rng::bits(1, 0, i as u64)) < 1u64 << 31;
        assert_eq!(*y, if kept { 2.0 } else { 0.0 });
    }
    let mean = y.mean().unwrap();
    assert!((mean - 1.0).abs() < 0.1, "{mean}");
}

/// The page that describes the language has every word of it.
#[test]
fn the_language_page_is_complete() {
    let page = include_str!("../../runtime/src/language.md");
    let named: Vec<&str> = page.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    for word in pullback_derivations::syntax::vocabulary::WORDS {
        assert!(named.contains(&word.name), "`{}` is not on the page", word.name);
    }
}

/// Nothing here has a gradient.
#[derive_backward]
pub fn weighed(label: Labels<N>, #[constant] w: Tensor<f32, N>) -> Tensor<f32, ()> {
    sum(w * label, N)
}

#[test]
fn a_formula_may_have_no_gradients() -> Result<(), Error> {
    let (label, w) = (array![1i64, 2], array![0.5f32, 1.0]);
    let (y, saved) = Weighed.forward(&label, &w)?;
    assert_eq!(y, 2.5);
    let WeighedGrads = Weighed.backward(1.0, &label, &w, y, &saved)?;
    Weighed.backward_into(1.0, &label, &w, y, &saved, WeighedInto)
}
