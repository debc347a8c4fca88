//! Words that move, count, draw and accumulate: each as a formula of its own, checked over random calls, and what a call
//! that cannot be answered gets.

use pullback::Error;
use pullback::layer::Arg;
use pullback::ndarray::{Array1, Array2, ArrayD, array};
use pullback::prelude::*;

// ---- elements moved along an axis

#[derive_backward]
pub fn rolled(x: Tensor<f32, (N, C)>, by: i64) -> Tensor<f32, (N, C)> {
    roll(x, C, by) * x
}
gradient_test!(Rolled { by: -2 });
gradient_test!(rolled_far, Rolled { by: 11 });

#[derive_backward]
pub fn rolled_all(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
    sq(roll(x, S, 1)) - flip(x, S)
}
gradient_test!(RolledAll);

#[derive_backward]
pub fn mirrored(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    flip(x, C) * flip(x, N)
}
gradient_test!(Mirrored);

#[derive_backward]
pub fn padded(x: Tensor<f32, (N, C)>, lo: usize, hi: usize, v: f64) -> Tensor<f32, (N, P)> {
    pad(x, C, P, lo, hi, v)
}
gradient_test!(Padded { lo: 1, hi: 2, v: 0.5 });
gradient_test!(not_padded, Padded { lo: 0, hi: 0, v: 0.5 });

#[derive_backward]
pub fn held(x: Tensor<f32, (N, C)>, lo: usize, hi: usize) -> Tensor<f32, (N, P)> {
    pad_edge(x, C, P, lo, hi)
}
gradient_test!(Held { lo: 2, hi: 1 });

#[derive_backward]
pub fn reflected(x: Tensor<f32, (N, C)>, lo: usize, hi: usize) -> Tensor<f32, (N, P)> {
    pad_reflect(x, C, P, lo, hi)
}
gradient_test!(Reflected { lo: 1, hi: 0 });

#[derive_backward]
pub fn joined(x: Tensor<f32, (N, C)>, lo: usize, hi: usize) -> Tensor<f32, (N, P)> {
    pad_circular(x, C, P, lo, hi)
}
gradient_test!(Joined { lo: 1, hi: 1 });

/// A smoothing whose input goes on from the other end.
#[derive_backward]
pub fn smoothed_circle(x: Tensor<f32, (N, L)>) -> Tensor<f32, (N, O)> {
    let around = pad_circular(x, L, P, 1, 1);
    let taps = window(around, P, O, K, Window::new([3]).stride([1]));
    dot(fill(taps, 0.0), constant([0.2, 0.5, 0.3], K), K)
}
gradient_test!(SmoothedCircle);

#[derive_backward]
pub fn reflected_plane(x: Tensor<f32, (N, H, W)>) -> Tensor<f32, (N, HP, WP)> {
    sq(pad_reflect(pad_edge(x, W, WP, 1, 2), H, HP, 0, 0))
}
gradient_test!(ReflectedPlane);

#[derive_backward]
pub fn repeated(x: Tensor<f32, (N, C)>, times: usize) -> Tensor<f32, (N, P)> {
    repeat(x, C, P, times)
}
gradient_test!(Repeated { times: 3 });
gradient_test!(repeated_never, Repeated { times: 0 });

#[test]
fn pads_follow_pytorch() {
    let x = array![[1.0f32, 2.0, 3.0]];
    assert_eq!(reflected(&x, 2, 1).unwrap(), array![[3.0, 2.0, 1.0, 2.0, 3.0, 2.0]]);
    assert_eq!(held(&x, 2, 1).unwrap(), array![[1.0, 1.0, 1.0, 2.0, 3.0, 3.0]]);
    assert_eq!(joined(&x, 2, 1).unwrap(), array![[2.0, 3.0, 1.0, 2.0, 3.0, 1.0]]);
    assert_eq!(padded(&x, 1, 1, 9.0).unwrap(), array![[9.0, 1.0, 2.0, 3.0, 9.0]]);
    assert_eq!(repeated(&x, 2).unwrap(), array![[1.0, 2.0, 3.0, 1.0, 2.0, 3.0]]);
    assert_eq!(rolled(&x, 1).unwrap(), array![[3.0, 2.0, 6.0]]);
}

#[test]
fn pads_of_more_than_there_is_are_refused() {
    let x = array![[1.0f32, 2.0, 3.0]];
    let error = |function, found, most| Error::Padding { function, axis: "C", found, most };
    assert_eq!(reflected(&x, 0, 3).unwrap_err(), error("reflected", 3, 2));
    assert_eq!(joined(&x, 4, 0).unwrap_err(), error("joined", 4, 3));
    assert!(matches!(padded(&x, usize::MAX, 0, 0.0), Err(Error::Padding { found: -1, .. })));
    assert!(matches!(repeated(&x, usize::MAX / 2), Err(Error::TooLarge { .. })));
    let empty = Array2::<f32>::zeros((2, 0));
    assert!(matches!(held(&empty, 1, 0), Err(Error::EmptyReduction { .. })));
    assert_eq!(joined(&empty, 0, 0).unwrap().shape(), [2, 0]);
    assert_eq!(rolled(&empty, 3).unwrap().shape(), [2, 0]);
}

// ---- masks as a whole

#[derive_backward]
pub fn clipped_rows(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    let loud = any(gt(abs(x), 1.5), C) & !all(gt(x, 0.0), C);
    select(loud, x * 0.5, sq(x))
}
gradient_test!(ClippedRows);

/// A window without positive elements passes nothing.
#[derive_backward]
pub fn lit(x: Tensor<f32, (N, L)>, k: Window<1>) -> Tensor<f32, (N, O)> {
    let w = window(x, L, O, K, k);
    sum(w, K) * any(gt(w, 0.0), K) + 0.1 * all(gt(w, -1.0), K)
}
gradient_test!(Lit { k: Window::new([3]).stride([1]).padding([1]) });

#[test]
fn nothing_is_all_of_itself() {
    let empty = Array2::<f32>::zeros((2, 0));
    assert_eq!(quantified(&empty).unwrap(), array![1.0, 1.0]);
}

#[derive_backward]
pub fn quantified(x: Tensor<f32, (N, C)>) -> Tensor<f32, N> {
    all(gt(x, 0.0), C) + 2.0 * any(gt(x, 0.0), C)
}

// ---- draws

#[derive_backward]
pub fn noisy(x: Tensor<f32, (N, C)>, seed: Seed) -> Tensor<f32, (N, C)> {
    x * (1.0 + 0.3 * normal_like(x, seed)) + uniform((N, C), seed) * sq(x)
}
gradient_test!(Noisy { seed: Seed(7) });

#[derive_backward]
pub fn drawn(x: Tensor<f32, N>, seed: Seed) -> (Tensor<f32, N>, Tensor<f32, N>) {
    (0.0 * x + uniform_like(x, seed), 0.0 * x + normal(N, seed))
}

#[test]
fn draws_have_their_moments() {
    let n = 40_000;
    let (uniform, normal) = drawn(&Array1::<f32>::zeros(n), Seed(3)).unwrap();
    let moments = |x: &Array1<f32>| (x.mean().unwrap(), x.var(0.0));
    let (mean, var) = moments(&uniform);
    assert!((mean - 0.5).abs() < 0.01 && (var - 1.0 / 12.0).abs() < 0.003, "{mean} {var}");
    let (mean, var) = moments(&normal);
    assert!(mean.abs() < 0.02 && (var - 1.0).abs() < 0.03, "{mean} {var}");
}

// ---- windows that share an axis

#[derive_backward]
pub fn adaptive_mean(x: Tensor<f32, (N, C, H, W)>, h: usize, w: usize) -> Tensor<f32, (N, C, OH, OW)> {
    mean(adaptive_window(x, (H, W), (OH, OW), (KH, KW), (h, w)), (KH, KW))
}
gradient_test!(AdaptiveMean { h: 2, w: 3 });
gradient_test!(adaptive_mean_global, AdaptiveMean { h: 1, w: 1 });

#[derive_backward]
pub fn adaptive_max(x: Tensor<f32, (N, L)>, count: usize) -> (Tensor<f32, (N, O)>, Tensor<i64, (N, O)>) {
    let w = adaptive_window(x, L, O, K, count);
    (max(w, K), argmax(w, K))
}
gradient_test!(AdaptiveMax { count: 3 });
gradient_test!(adaptive_max_upwards, AdaptiveMax { count: 7 });

#[derive_backward]
pub fn adaptive_spread(x: Tensor<f32, (N, L)>, count: usize) -> Tensor<f32, (N, O)> {
    let w = adaptive_window(x, L, O, K, count);
    sqrt(var(w, K) + 0.1) + logsumexp(w, K) + 0.1 * prod(w, K) - min(w, K)
}
gradient_test!(AdaptiveSpread { count: 4 });

#[test]
fn shares_of_an_axis() {
    let x = Array1::from_iter((1..=7).map(|i| i as f32)).insert_axis(pullback::ndarray::Axis(0));
    // 0..3, 2..5, 4..7
    assert_eq!(adaptive_max(&x, 3).unwrap(), (array![[3.0, 5.0, 7.0]], array![[2, 2, 2]]));
    let y = adaptive_max(&x, 9).unwrap().0;
    assert_eq!(y, array![[1.0, 2.0, 3.0, 4.0, 4.0, 5.0, 6.0, 7.0, 7.0]].mapv(|v: f32| v));
    let error = Error::WindowZero { function: "adaptive_max", axis: "L", setting: "number of outputs" };
    assert_eq!(adaptive_max(&x, 0).unwrap_err(), error);
}

// ---- scatters

#[derive_backward]
pub fn segment_means(x: Tensor<f32, (N, D)>, label: Labels<N>, n: usize) -> Tensor<f32, (C, D)> {
    let count = scatter_add(1.0, label, C, n);
    scatter_add(x, label, C, n) / max(count, 1.0)
}

/// The inverse of a pool: each element goes where it was found.
#[derive_backward]
pub fn unpool(x: Tensor<f32, (N, C, O)>, at: Labels<(N, C, O)>, n: usize) -> Tensor<f32, (N, C, P)> {
    scatter(x, at, P, n)
}

#[derive_backward]
pub fn unpool_plane(x: Tensor<f32, (N, OH, OW)>, at: Labels<(N, OH, OW)>, h: usize, w: usize) -> Tensor<f32, (N, H, W)> {
    let y: Tensor<f32, (N, P)> = scatter(x, at, P, h * w);
    split(y, P, (H, W), h)
}

#[derive_backward]
pub fn bags(x: Tensor<f32, (B, T, D)>, at: Labels<(B, T)>, n: usize) -> (Tensor<f32, (V, D)>, Tensor<f32, (B, W, D)>) {
    (sq(scatter_add(x, at, V, n)), scatter_add(x, at, W, n, T))
}

#[test]
fn scatters_add_or_keep_the_last() {
    let x = array![[1.0f32, 10.0], [2.0, 20.0], [4.0, 40.0]];
    let label = array![2i64, 0, 2];
    let y = segment_means(&x, &label, 4).unwrap();
    assert_eq!(y, array![[2.0, 20.0], [0.0, 0.0], [2.5, 25.0], [0.0, 0.0]]);
    let x = array![[[1.0f32, 2.0, 3.0]]];
    let at = array![[[3i64, 0, 3]]];
    assert_eq!(unpool(&x, &at, 5).unwrap(), array![[[2.0, 0.0, 0.0, 3.0, 0.0]]]);
    let op = Unpool { n: 5 };
    let (y, saved) = op.forward(&x, &at).unwrap();
    let dy = array![[[1.0f32, 2.0, 3.0, 4.0, 5.0]]];
    let grads = op.backward(&dy, &x, &at, &y, &saved).unwrap();
    assert_eq!(grads.x, array![[[0.0, 1.0, 4.0]]]);
    assert!(matches!(unpool(&x, &at, 3), Err(Error::Label { value: 3, bound: 3, .. })));
}

/// Indices below `extent`, some of them twice.
fn indices(extent: usize, shape: &[usize]) -> ArrayD<i64> {
    let all = (0..shape.iter().product::<usize>() as i64).map(|i| (i * i * 7 + 3 * i) % extent as i64);
    ArrayD::from_shape_vec(shape, all.collect()).unwrap()
}

fn numbers(shape: &[usize]) -> ArrayD<f64> {
    let all = (0..shape.iter().product::<usize>()).map(|i| (1.3 * i as f64).sin());
    ArrayD::from_shape_vec(shape, all.collect()).unwrap()
}

#[test]
fn scatters_have_their_gradients() {
    let (x, at) = (numbers(&[5, 3]), indices(4, &[5]));
    pullback::gradcheck(&SegmentMeans { n: 4 }, &[Arg::Tensor(x.view()), Arg::Labels(at.view())]).unwrap();
    let (x, at) = (numbers(&[2, 3, 6]), indices(5, &[2, 3, 6]));
    pullback::gradcheck(&Unpool { n: 5 }, &[Arg::Tensor(x.view()), Arg::Labels(at.view())]).unwrap();
    pullback::gradcheck(&UnpoolPlane { h: 2, w: 5 }, &[Arg::Tensor(x.view()), Arg::Labels(at.view())]).unwrap();
    let at = indices(5, &[2, 3]);
    pullback::gradcheck(&Bags { n: 5 }, &[Arg::Tensor(x.view()), Arg::Labels(at.view())]).unwrap();
}

// ---- values that follow from the one before

#[derive_backward]
pub fn totals(x: Tensor<f32, (N, T, D)>) -> Tensor<f32, (N, T, D)> {
    cumsum(x, T)
}
gradient_test!(Totals);

#[derive_backward]
pub fn discounted(x: Tensor<f32, (N, T)>, gamma: f64) -> Tensor<f32, (N, T)> {
    flip(scan(flip(x, T), T, 0.0, |h, v| gamma * h + v), T)
}
gradient_test!(Discounted { gamma: 0.9 });

/// A diagonal state space: every channel forgets at a rate that the input chooses.
#[derive_backward]
pub fn state_space(x: Tensor<f32, (N, T)>, a: Tensor<f32, S>, h0: Tensor<f32, (N, S)>) -> Tensor<f32, (N, T, S)> {
    scan(x, T, h0, |h, v| exp(-sq(a) * sigmoid(v)) * h + a * v)
}
gradient_test!(StateSpace);

#[derive_backward]
pub fn unmoved(x: Tensor<f32, (N, T)>, h0: Tensor<f32, N>) -> Tensor<f32, (N, T)> {
    scan(x, T, h0, |h, _| 0.5 * h) + 0.0 * x
}
gradient_test!(Unmoved);

#[test]
fn running_sums_are_exact_and_in_order() {
    assert_eq!(totals(&array![[[1.0f32], [2.0], [4.0]]]).unwrap(), array![[[1.0], [3.0], [7.0]]]);
    assert_eq!(discounted(&array![[1.0f32, 2.0, 4.0]], 0.5).unwrap(), array![[3.0, 4.0, 4.0]]);
    assert_eq!(totals(&pullback::ndarray::Array3::<f32>::zeros((2, 0, 3))).unwrap().shape(), [2, 0, 3]);
    // accumulated in f64: 2²⁴ ones in f32 would stop at 2²⁴
    let many = pullback::ndarray::Array3::<f32>::ones((1, 1 << 10, 1)) * 16385.0;
    assert_eq!(totals(&many).unwrap()[[0, 1023, 0]], 16385.0 * 1024.0);
}

/// A helper's axis argument is the axis that a value is given.
#[derive_backward]
pub fn given_an_axis(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    fn along(v: Tensor<f32, E>, a: impl Axes) -> Tensor<f32> {
        rename(v, E, a)
    }
    x * along(rename(mean(x, N), C, E), C)
}
gradient_test!(GivenAnAxis);

// ---- constants of the call

/// A convolution whose window is what its weights say.
#[derive_backward]
pub fn weights_say(x: Tensor<f32, (N, C, L)>, w: Tensor<f32, (O, C, K)>, step: usize) -> Tensor<f32, (N, O, P)> {
    let once = 1;
    let k = Window::new([len(K)]).stride([step]).padding([len(K) / 2]).dilation([once; 1]).divisor(None);
    dot(window(x, L, P, K, k), w, (C, K))
}
gradient_test!(WeightsSay { step: 2 });

#[derive_backward]
pub fn divided(x: Tensor<f32, (N, L)>, by: i64) -> Tensor<f32, (N, O)> {
    mean(window(x, L, O, K, Window::new([2]).divisor(Some(by))), K)
}
gradient_test!(Divided { by: -3 });

#[derive_backward]
pub fn seeded(x: Tensor<f32, N>, seed: Seed, step: usize, other: i32) -> Tensor<f32, N> {
    x * uniform_like(x, Seed(3)) + normal_like(x, seed.fold_in(step)) * bernoulli_like(x, seed.fold_in(other), 0.5)
}
gradient_test!(Seeded { seed: Seed(1), step: 4, other: -1 });

#[derive_backward]
pub fn raw(r#type: Tensor<f32, N>, r#in: f64) -> Tensor<f32, N> {
    sq(r#type) * r#in
}
gradient_test!(Raw { r#in: 2.0 });

// ---- indices that are computed

/// Labels that do not count point somewhere harmless.
#[derive_backward]
pub fn ignoring(x: Tensor<f32, (N, C)>, label: Labels<N>, ignored: i64) -> Tensor<f32, ()> {
    let live = ne(label, ignored);
    let loss = logsumexp(x, C) - pick(x, C, select(live, label, 0));
    sum(select(live, loss, 0.0), N) / sum(live, N)
}
gradient_test!(Ignoring { ignored: 1 });

#[derive_backward]
pub fn relative(s: Tensor<f32, (H, T, S)>, bias: Tensor<f32, (R, H)>, far: i64) -> Tensor<f32, (H, T, S)> {
    s + pick(bias, R, clamp(index(T) - index(S), -far, far) + far)
}
gradient_test!(Relative { far: 1 });

/// The four neighbours of a point.
#[derive_backward]
pub fn sampled(x: Tensor<f32, (N, H, W)>, row: Tensor<f32, (N, O)>, column: Tensor<f32, (N, O)>) -> Tensor<f32, (N, O)> {
    fn at(x: Tensor<f32>, i: Tensor<f32>, j: Tensor<f32>) -> Tensor<f32> {
        let inside = ge(i, 0) & lt(i, len(H)) & ge(j, 0) & lt(j, len(W));
        select(inside, pick(x, (H, W), i * len(W) + j), 0.0)
    }
    let (top, left) = (floor(row), floor(column));
    let (down, right) = (row - top, column - left);
    (1 - down) * ((1 - right) * at(x, top, left) + right * at(x, top, left + 1))
        + down * ((1 - right) * at(x, top + 1, left) + right * at(x, top + 1, left + 1))
}
gradient_test!(Sampled);

#[derive_backward]
pub fn two_steps(x: Tensor<f32, (N, C)>, of: Labels<K>, label: Labels<N>, by: usize) -> (Tensor<f32, N>, Tensor<i64, N>) {
    (pick(x, C, pick(of, K, label) + by), 2 * label + by)
}
gradient_test!(TwoSteps { by: 0 });

#[derive_backward]
pub fn along_another(x: Tensor<f32, (N, C)>, y: Tensor<f32, (N, D)>) -> Tensor<f32, N> {
    pick(x, C, argmax(y, D)) + sum(pick(x, C, index(D)), D)
}
gradient_test!(AlongAnother);

#[test]
fn indices_outside_are_seen() {
    let (x, y) = (array![[1.0f32, 2.0]], array![[0.0f32, 1.0, 5.0]]);
    let error = Error::Range { function: "along_another", axis: "C", start: 0, end: 3, len: 2 };
    assert_eq!(along_another(&x, &y).unwrap_err(), error);
    let (op, of, label) = (TwoSteps { by: 1 }, array![0i64, 1], array![1i64]);
    let (y, saved) = op.forward(&x, &of, &label).unwrap();
    assert!(y.0[0].is_nan() && y.1[0] == 3, "{y:?}");
    let grads = op.backward(&array![1.0], &x, &of, &label, &y.0, &y.1, &saved).unwrap();
    assert_eq!(grads.x, array![[0.0, 0.0]]);
    assert_eq!(ignoring(&array![[0.0f32, 0.0], [1.0, 9.0]], &array![0, -100], -100).unwrap(), 2f32.ln());
}

// ---- zeros that meet infinities

#[derive_backward]
pub fn causal(x: Tensor<f32, (N, C, T)>, w: Tensor<f32, (O, C, K)>, dilation: usize) -> Tensor<f32, (N, O, Q)> {
    let before = (len(K) - 1) * dilation;
    let k = Window::new([len(K)]).stride([1]).dilation([dilation]);
    dot(window(pad(x, T, P, before, 0, 0.0), P, Q, K, k), w, (C, K))
}
gradient_test!(Causal { dilation: 2 });

#[derive_backward]
pub fn causal_each(x: Tensor<f32, (N, C, T)>, w: Tensor<f32, (C, K)>) -> Tensor<f32, (N, C, Q)> {
    dot(window(pad(x, T, P, 1, 1, 0.0), P, Q, K, Window::new([len(K)]).stride([1])), w, K)
}
gradient_test!(CausalEach);

#[derive_backward]
pub fn shifted_product(x: Tensor<f32, (N, C, T)>, w: Tensor<f32, (O, C, T)>) -> Tensor<f32, (N, O)> {
    dot(shift(x, T, 1), w, (C, T))
}
gradient_test!(ShiftedProduct);

#[derive_backward]
pub fn forgetting(x: Tensor<f32, (N, T)>, a: Tensor<f32, N>) -> Tensor<f32, (N, T)> {
    scan(x, T, 0, |h, v| a * h + v)
}
gradient_test!(Forgetting);

#[test]
fn only_holes_are_skipped() {
    let (x, w) = (array![[[1.0f32, 2.0]]], array![[[f32::INFINITY, 2.0]]]);
    let y = causal(&x, &w, 1).unwrap();
    assert!(y[[0, 0, 0]].is_nan() && y[[0, 0, 1]] == f32::INFINITY, "{y}");
    // a hole meets nothing
    let y = weights_say(&x, &w, 1).unwrap();
    assert_eq!(y, array![[[2.0, f32::INFINITY, f32::INFINITY]]]);
    assert!(forgetting(&array![[1.0f32]], &array![f32::INFINITY]).unwrap()[[0, 0]].is_nan());
}

// ---- constants beyond reason

#[derive_backward]
pub fn moved(x: Tensor<f32, (N, C)>, by: i64, far: usize) -> Tensor<f32, (N, C)> {
    shift(x, C, by) + shift(x, C, far) + roll(x, C, by)
}

#[derive_backward]
pub fn parted(x: Tensor<f32, (N, C)>, parts: usize) -> Tensor<f32, (N, G, D)> {
    split(x, C, (G, D), parts)
}

#[test]
fn no_distance_is_too_far() {
    let x = array![[1.0f32, 2.0, 3.0]];
    for by in [i64::MIN, i64::MIN + 1, -(1 << 62), 1 << 62, i64::MAX] {
        let once = by.rem_euclid(3) as usize;
        let rolled = Array2::from_shape_fn((1, 3), |(_, i)| x[[0, (i + 3 - once) % 3]]);
        assert_eq!(moved(&x, by, usize::MAX).unwrap(), rolled);
        assert_eq!(moved(&Array2::zeros((2, 0)), by, 1 << 63).unwrap().shape(), [2, 0]);
    }
    let empty = Array2::<f32>::zeros((2, 0));
    assert!(matches!(parted(&empty, 1 << 62), Err(Error::TooLarge { .. })));
    assert_eq!(parted(&empty, 3).unwrap().shape(), [2, 3, 0]);
}
