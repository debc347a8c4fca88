//! The same bits, whatever runs the kernels and wherever arrays lie: for any number of threads, for repeated runs, and
//! for a view as for its copy in the same memory order.

use approx::relative_eq;
use pullback::layers::*;
use pullback::ndarray::{Array1, ArrayD, Dimension};
use pullback::{Layer, Seed, Window};
use pullback_tests::calls::{Given, Layout, results, values};

/// What is checked of each layer.
trait Check {
    fn layer<L: Layer<f32> + Sync>(&self, op: &L, args: &[Given]);
}

fn tensor(shape: &[usize], seed: u64) -> Given {
    Given::Tensor(values(shape, seed))
}

fn positive(len: usize, seed: u64) -> Given {
    Given::Tensor(values(&[len], seed).mapv(|v| v.abs() + 0.5))
}

/// Every ready-made layer, on arrays that several threads share, none of whose extents are multiples of a vector's lanes.
fn every_layer(check: &impl Check) {
    let image = || tensor(&[5, 13, 29, 31], 1);
    let rows = || tensor(&[7, 37, 203], 2);
    let channels = |seed| tensor(&[13], seed);
    let columns = |seed| tensor(&[203], seed);
    check.layer(&Relu, &[image()]);
    check.layer(&Gelu, &[image()]);
    check.layer(&GeluTanh, &[image()]);
    check.layer(&Dropout { seed: Seed(7), p: 0.3 }, &[image()]);
    check.layer(&ChannelDropout { seed: Seed(7), p: 0.3 }, &[image()]);
    check.layer(&BatchNorm { momentum: 0.1, eps: 1e-5 }, &[image(), channels(3), channels(4), channels(5), positive(13, 6)]);
    check.layer(&BatchNormEval { eps: 1e-5 }, &[image(), channels(3), channels(4), channels(5), positive(13, 6)]);
    // where channels come last, more than blocks of them hold: swept along memory, in several parts
    let (large, many) = (tensor(&[9, 37, 31, 30], 1), |seed| tensor(&[37], seed));
    check.layer(&BatchNorm { momentum: 0.1, eps: 1e-5 }, &[large, many(3), many(4), many(5), positive(37, 6)]);
    check.layer(&LayerNorm { eps: 1e-5 }, &[rows(), columns(3), columns(4)]);
    check.layer(&RmsNorm { eps: 1e-5 }, &[rows(), columns(3)]);
    check.layer(&Softmax, &[rows()]);
    check.layer(&LogSoftmax, &[rows()]);
    let label = Given::Labels(Array1::from_shape_fn(259, |n| (n * 89 % 203) as i64).into_dyn());
    check.layer(&CrossEntropy, &[tensor(&[259, 203], 2), label]);
    check.layer(&Linear, &[tensor(&[7, 37, 43], 1), tensor(&[29, 43], 2), tensor(&[29], 3)]);
    check.layer(&Linear, &[tensor(&[7, 37, 43], 1), tensor(&[29, 43], 2), Given::Absent]);
    let k = Window::new([3, 3]).stride([1, 1]).padding([1, 1]);
    check.layer(&Conv2d { k }, &[tensor(&[3, 3, 17, 19], 1), tensor(&[5, 3, 3, 3], 2), tensor(&[5], 3)]);
    check.layer(&MaxPool2d { k: Window::new([2, 2]) }, &[image()]);
    check.layer(&MaxPool2d { k }, &[image()]);
    check.layer(&MeanPool2d { k: Window::new([2, 2]) }, &[image()]);
    check.layer(&MeanPool2d { k: k.stride([2, 2]) }, &[image()]);
}

/// The first element whose bits differ. Every NaN is as good as another.
fn difference(a: &ArrayD<f32>, b: &ArrayD<f32>) -> Option<String> {
    assert_eq!(a.shape(), b.shape());
    let bits = |v: f32| if v.is_nan() { f32::NAN.to_bits() } else { v.to_bits() };
    let mut pairs = a.indexed_iter().zip(b);
    let found = pairs.find(|((_, a), b)| bits(**a) != bits(**b));
    found.map(|((at, a), b)| format!("{:?}: {a:e} against {b:e}", at.slice()))
}

#[track_caller]
fn assert_same<L: Layer<f32>>(what: &str, found: &[(String, ArrayD<f32>)], expected: &[(String, ArrayD<f32>)]) {
    assert!(found.len() == expected.len() && !found.is_empty());
    for ((name, found), (_, expected)) in found.iter().zip(expected) {
        if let Some(difference) = difference(found, expected) {
            panic!("{}, {name}, {what}: at {difference}", L::NAME);
        }
    }
}

struct Threads;

impl Check for Threads {
    fn layer<L: Layer<f32> + Sync>(&self, op: &L, args: &[Given]) {
        for layout in [Layout::Standard, Layout::ChannelsLast] {
            let on = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
                pool.install(|| results(op, args, layout))
            };
            let expected = on(1);
            for threads in [1, 2, 7, 7] {
                assert_same::<L>(&format!("{layout:?} on {threads} threads"), &on(threads), &expected);
            }
        }
    }
}

#[test]
fn threads_and_runs_give_the_same_bits() {
    every_layer(&Threads);
}

struct Views;

impl Check for Views {
    fn layer<L: Layer<f32> + Sync>(&self, op: &L, args: &[Given]) {
        let standard = results(op, args, Layout::Standard);
        let channels_last = results(op, args, Layout::ChannelsLast);
        assert_same::<L>("stepped", &results(op, args, Layout::Stepped), &standard);
        assert_same::<L>("reversed", &results(op, args, Layout::Reversed), &standard);
        assert_same::<L>("channels last, stepped", &results(op, args, Layout::ChannelsLastStepped), &channels_last);
        for ((name, found), (_, expected)) in channels_last.iter().zip(&standard) {
            let scale = expected.iter().fold(0.0, |a: f32, v| a.max(v.abs()));
            for ((at, found), expected) in found.indexed_iter().zip(expected) {
                let close = relative_eq!(*found, *expected, epsilon = 2e-6 * scale, max_relative = 2e-6);
                assert!(close, "{}, {name}, channels last: at {:?}: {found:e} against {expected:e}", L::NAME, at.slice());
            }
        }
    }
}

#[test]
fn views_give_what_their_copies_give() {
    every_layer(&Views);
}

#[test]
fn a_difference_is_found() {
    let a = values(&[3, 4], 1);
    let mut b = Layout::Reversed.of(&a);
    assert_eq!(difference(&a, &b), None);
    b[[1, 2]] = f32::from_bits(b[[1, 2]].to_bits() ^ 1);
    assert!(difference(&a, &b).is_some_and(|text| text.starts_with("[1, 2]")));
}
