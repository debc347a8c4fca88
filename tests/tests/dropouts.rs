//! Dropout in all its forms: expectation, variance, one mask for forward and backward whatever the strides and threads,
//! and what it does to a batch norm behind it.

use approx::assert_abs_diff_eq;
use pullback::layers::*;
use pullback::ndarray::{Array, Array2, ArrayD, Axis, IxDyn};
use pullback::prelude::*;
use pullback::statistics::Population;
use pullback::{Error, rng};
use pullback_tests::calls::{Given, Layout, results, values};

const SHAPE: [usize; 2] = [600, 500];

fn mean_and_variance(x: &Array2<f32>) -> (f64, f64) {
    let n = x.len() as f64;
    let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
    (mean, x.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n)
}

/// Standard normal numbers, moved.
fn data(mean: f64) -> Array2<f32> {
    let mut at = 0;
    Array::from_shape_simple_fn(SHAPE, || {
        at += 1;
        (mean + rng::normal(5, 0, at)) as f32
    })
}

#[test]
fn both_conventions_have_the_same_expectation() {
    // over many elements; three hundred thousand of them deviate by 0.003 or so
    let (x, p, seed) = (data(1.5), 0.4, Seed(11));
    let scaled = mean_and_variance(&dropout(&x, seed, p).expect("a probability")).0;
    assert_abs_diff_eq!(scaled, 1.5, epsilon = 0.01);
    let unscaled = mean_and_variance(&dropout_unscaled(&x, seed, p).expect("a probability")).0;
    let tested = mean_and_variance(&dropout_unscaled_eval(&x, p).expect("a probability")).0;
    assert_abs_diff_eq!(unscaled, tested, epsilon = 0.01);
    assert_abs_diff_eq!(unscaled / (1.0 - p), scaled, epsilon = 1e-6);
}

#[test]
fn alpha_dropout_keeps_mean_and_variance() {
    let (mean, variance) = mean_and_variance(&alpha_dropout(&data(0.0), Seed(3), 0.3).expect("a probability"));
    assert_abs_diff_eq!(mean, 0.0, epsilon = 0.01);
    assert_abs_diff_eq!(variance, 1.0, epsilon = 0.02);
}

#[test]
fn gaussian_dropout_has_the_variance_of_dropout() {
    let (x, p) = (data(2.0), 0.25);
    let (mean, variance) = mean_and_variance(&gaussian_dropout(&x, Seed(3), p).expect("a probability"));
    let (other_mean, other) = mean_and_variance(&dropout(&x, Seed(3), p).expect("a probability"));
    assert_abs_diff_eq!(mean, other_mean, epsilon = 0.02);
    assert_abs_diff_eq!(variance, other, epsilon = 0.05);
}

#[test]
fn whole_channels_are_kept_or_dropped() {
    let x = Array::from_elem((40, 7, 3, 3), 1.0f32);
    let y = channel_dropout(&x, Seed(9), 0.5).expect("a probability");
    let kept = y.axis_iter(Axis(0)).flat_map(|n| n.axis_iter(Axis(0)).map(|c| c.to_owned()).collect::<Vec<_>>());
    let sums: Vec<f32> = kept.map(|c| c.sum()).collect();
    assert!(sums.iter().all(|s| *s == 0.0 || *s == 18.0));
    assert!(sums.contains(&0.0) && sums.contains(&18.0));
    let y = feature_alpha_dropout(&x, Seed(9), 0.5).expect("a probability");
    assert!(y.axis_iter(Axis(0)).all(|n| n.axis_iter(Axis(0)).all(|c| c.iter().all(|v| *v == c[[0, 0]]))));
}

#[test]
fn no_probability_outside_of_zero_and_one() {
    let x = data(0.0);
    for p in [-0.1, 1.1, f64::NAN] {
        assert!(matches!(dropout(&x, Seed(0), p), Err(Error::Ensure { .. })), "{p}");
        assert!(matches!(dropout_unscaled(&x, Seed(0), p), Err(Error::Ensure { .. })), "{p}");
        assert!(matches!(alpha_dropout(&x, Seed(0), p), Err(Error::Ensure { .. })), "{p}");
        assert!(matches!(gaussian_dropout(&x, Seed(0), p), Err(Error::Ensure { .. })), "{p}");
    }
    assert_eq!(dropout(&x, Seed(0), 0.0).expect("nothing dropped"), x);
    assert!(dropout(&x, Seed(0), 1.0).expect("all dropped").iter().all(|y| *y == 0.0));
    assert!(alpha_dropout(&x, Seed(0), 1.0).expect("all dropped").iter().all(|y| *y == 0.0));
}

/// Noise on the same elements, whatever their order in memory.
#[derive_backward]
fn noise(x: Tensor<f32, (N, C, Many<S>)>, seed: Seed) -> Tensor<f32, (N, C, Many<S>)> {
    x * uniform_like(x, seed) + uniform((C, S), seed) * normal_like(x, seed)
}

/// Everything that a layer computes is the same for any strides and threads: so is the mask.
fn same_everywhere<L: Layer<f32> + Sync>(op: &L, given: &[Given]) {
    let sorted = |layout| results(op, given, layout);
    let expected = sorted(Layout::Standard);
    for layout in [Layout::Stepped, Layout::Reversed, Layout::ChannelsLast] {
        assert_eq!(sorted(layout), expected, "{} {layout:?}", L::NAME);
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    assert_eq!(pool.install(|| results(op, given, Layout::Standard)), expected);
}

#[test]
fn one_mask_whatever_the_strides_and_threads() {
    let x = [Given::Tensor(values(&[6, 5, 40, 50], 1))];
    let (seed, p) = (Seed(21), 0.35);
    same_everywhere(&Dropout { seed, p }, &x);
    same_everywhere(&ChannelDropout { seed, p }, &x);
    same_everywhere(&AlphaDropout { seed, p }, &x);
    same_everywhere(&FeatureAlphaDropout { seed, p }, &x);
    same_everywhere(&DropoutUnscaled { seed, p }, &x);
    same_everywhere(&Noise { seed }, &x);
}

#[test]
fn forward_and_backward_draw_the_same_mask() {
    let x: ArrayD<f32> = Array::from_elem(IxDyn(&[300, 70]), 1.0);
    let found = results(&Dropout { seed: Seed(2), p: 0.5 }, &[Given::Tensor(x.clone())], Layout::Standard);
    let (y, dx) = (&found[0].1, &found[1].1);
    assert!(y.iter().zip(dx).all(|(y, dx)| (*y == 0.0) == (*dx == 0.0)));
}

#[test]
fn dropout_before_batch_norm_shifts_the_variance() {
    let (mean, p) = (1.0, 0.5);
    let x = data(mean);
    let dropped = dropout(&x, Seed(77), p).expect("a probability");
    let mut population = Population::new(SHAPE[1]);
    population.update(&dropped).expect("channels");
    let trained = population.variance().mean().expect("channels");
    let (_, variance) = mean_and_variance(&x);
    // what the module's documentation derives
    assert_abs_diff_eq!(trained, (variance + p * mean * mean) / (1.0 - p), epsilon = 0.03);
    assert!(trained > 2.5 * variance, "{trained}");
}

#[test]
fn a_population_is_the_same_however_it_is_cut() {
    let x = values(&[37, 4, 5], 8).into_dimensionality::<pullback::ndarray::Ix3>().expect("three axes");
    let mut whole = Population::new(4);
    whole.update(&x).expect("four channels");
    let mut parts = Population::new(4);
    for (from, to) in [(0, 1), (1, 1), (1, 20), (20, 37)] {
        parts.update(&x.slice(pullback::ndarray::s![from..to, .., ..])).expect("four channels");
    }
    assert_eq!(whole.count(), 185.0);
    for (a, b) in [(whole.mean(), parts.mean()), (whole.unbiased_variance(), parts.unbiased_variance())] {
        assert!(a.iter().zip(&b).all(|(a, b)| approx::relative_eq!(a, b, max_relative = 1e-13)), "{a} {b}");
    }
    assert!(parts.update(&Array2::<f32>::zeros((3, 5))).is_err());
}
