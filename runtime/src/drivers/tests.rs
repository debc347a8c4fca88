//! Drivers against plain loops.

mod conditions;
mod draws;
mod gemm;
mod half;
mod in_place;
mod large;
mod parts;
mod planes;
mod recurrences;

use super::*;
use crate::float::Lane;
use ndarray::{Array, Array1, Array4, ArrayD, ArrayView4, Axis as NdAxis, IxDyn, Slice};

/// Repeatable numbers, about −1 to 1.
fn numbers<T: Lane>(shape: &[usize], seed: u64) -> ArrayD<T> {
    let mut z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    Array::from_shape_simple_fn(IxDyn(shape), || {
        z ^= z << 13;
        z ^= z >> 7;
        z ^= z << 17;
        T::of((z >> 40) as f64 / (1u64 << 23) as f64 - 1.0)
    })
}

/// Runs a test with every instruction set of this machine.
fn every_isa(f: impl Fn()) {
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    let best = isa::detected();
    #[cfg(target_arch = "x86_64")]
    for isa in [isa::Isa::V1, isa::Isa::V3, isa::Isa::V4] {
        if isa as u8 <= best as u8 {
            isa::force(isa);
            f();
        }
    }
    #[cfg(target_arch = "x86_64")]
    isa::force(best);
    #[cfg(not(target_arch = "x86_64"))]
    f();
}

fn tolerance<T: Lane>() -> f64 {
    if size_of::<T>() == 4 { 3e-6 } else { 1e-13 }
}

#[track_caller]
fn assert_close<T: Lane>(found: &ArrayD<T>, expected: &ArrayD<f64>, what: &str) {
    assert_eq!(found.shape(), expected.shape(), "{what}");
    for ((i, x), y) in found.indexed_iter().zip(expected) {
        let (x, y) = (x.f64(), *y);
        let same = x == y || x.is_nan() && y.is_nan();
        assert!(
            same || approx::relative_eq!(x, y, epsilon = tolerance::<T>(), max_relative = tolerance::<T>()),
            "{what} at {i:?}: {x} for {y}"
        );
    }
}

/// `y = gamma·(x − mu)·rstd + beta` with statistics over N, H and W.
struct BatchNorm<'a> {
    space: Space,
    x: View<'a>,
    gamma: View<'a>,
    beta: View<'a>,
    eps: f64,
    y: Target<'a>,
    mu: Target<'a>,
    rstd: Target<'a>,
}

impl<T: Lane> Kernel<T> for BatchNorm<'_> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self { space, x, gamma, beta, eps, y, mu, rstd } = self;
        let [n, c, h, w] = space.axes();
        let count = space.len(n) * space.len(h) * space.len(w);
        let mut k = at.script(space);
        let (x, gamma, beta) = (k.input(x, [n, c, h, w]), k.input(gamma, [c]), k.input(beta, [c]));
        let (y, mu, rstd) = (k.root(y, [n, c, h, w]), k.root(mu, [c]), k.root(rstd, [c]));
        let (sum_x, sum_sq) = (k.wide([c]), k.wide([c]));
        k.nest([c]);
        k.sweep([n, c, h, w], [x.here()], []).sum(sum_x, [n, h, w]).body({
            #[inline(always)]
            move |[x], []| Out::store([]).sum([x])
        });
        k.each([c], [sum_x.here()]).store(mu).body({
            #[inline(always)]
            move |[sum_x], []| Out::store([sum_x / count])
        });
        k.sweep([n, c, h, w], [x.here()], [mu.here()]).sum(sum_sq, [n, h, w]).body({
            #[inline(always)]
            move |[x], [mu]| Out::store([]).sum([(x - mu).sq()])
        });
        k.each([c], [sum_sq.here()]).store(rstd).body({
            #[inline(always)]
            move |[sum_sq], []| Out::store([(sum_sq / count + eps).rsqrt()])
        });
        k.sweep([n, c, h, w], [x.here(), gamma.here(), rstd.here(), beta.here()], [mu.here()]).store(y).body({
            #[inline(always)]
            move |[x, gamma, rstd, beta], [mu]| Out::store([((x - mu) * (gamma * rstd) + beta).narrow()])
        });
        k.run();
    }
}

fn batch_norm<T: Lane>(x: ArrayView4<T>) -> ArrayD<T> {
    let [n, c, h, w] = [0, 1, 2, 3].map(|i| x.len_of(NdAxis(i)));
    let (gamma, beta) = (numbers::<T>(&[c], 5), numbers::<T>(&[c], 6));
    // as x lies in memory
    let mut y = Array4::<T>::default((n, c, h, w));
    if x.strides()[1] == 1 {
        y = Array4::default((n, h, w, c)).permuted_axes([0, 3, 1, 2]);
    }
    let (mut mu, mut rstd) = (Array1::<f64>::zeros(c), Array1::<f64>::zeros(c));
    T::dispatch(BatchNorm {
        space: Space::new(&[&[n], &[c], &[h], &[w]]),
        x: View::of(&x),
        gamma: View::of(&gamma),
        beta: View::of(&beta),
        eps: 1e-5,
        y: Target::write(&mut y),
        mu: Target::write(&mut mu),
        rstd: Target::write(&mut rstd),
    });
    let m = (n * h * w) as f64;
    let mean: Vec<f64> = (0..c).map(|i| x.index_axis(NdAxis(1), i).iter().map(|v| v.f64()).sum::<f64>() / m).collect();
    let square = |i: usize| x.index_axis(NdAxis(1), i).iter().map(|v| (v.f64() - mean[i]).powi(2)).sum::<f64>() / m;
    let scale: Vec<f64> = (0..c).map(|i| 1.0 / (square(i) + 1e-5).sqrt()).collect();
    let expected = Array::from_shape_fn((n, c, h, w), |(a, i, b, d)| {
        gamma[[i]].f64() * (x[[a, i, b, d]].f64() - mean[i]) * scale[i] + beta[[i]].f64()
    });
    assert_close(&y.clone().into_dyn(), &expected.into_dyn(), "batch norm");
    assert_close(&mu.clone().into_dyn(), &Array1::from(mean).into_dyn(), "mean");
    y.into_dyn()
}

fn batch_norm_of<T: Lane>() {
    for shape in [[2, 3, 4, 5], [5, 1, 1, 7], [1, 70, 3, 3], [3, 2, 17, 33], [3, 33, 8, 47], [0, 3, 2, 2], [2, 0, 2, 2]] {
        let x = numbers::<T>(&shape, 1).into_dimensionality::<ndarray::Ix4>().unwrap();
        let y = batch_norm(x.view());
        // a padded, strided view gives the same bits
        let [n, c, h, w] = shape;
        let mut big = Array4::<T>::default((n + 1, c, h + 3, w + 2));
        big.slice_each_axis_mut(|a| Slice::from(0..shape[a.axis.index()] as isize)).assign(&x);
        let view = big.slice_each_axis(|a| Slice::from(0..shape[a.axis.index()] as isize));
        assert_eq!(batch_norm(view), y, "a strided view of {shape:?}");
        // channels last
        let last = Array4::<T>::from_shape_fn((n, h, w, c), |(a, b, d, i)| x[[a, i, b, d]]);
        batch_norm(last.view().permuted_axes([0, 3, 1, 2]));
        // reversed
        let mut back = x.clone();
        back.invert_axis(NdAxis(3));
        back.invert_axis(NdAxis(0));
        batch_norm(back.view());
    }
}

#[test]
fn batch_norm_against_loops() {
    every_isa(|| {
        batch_norm_of::<f32>();
        batch_norm_of::<f64>();
    });
}

/// Maxima, their places, sums and products over windows with holes.
struct Pool<'a> {
    space: Space,
    x: View<'a>,
    stride: i64,
    pad: i64,
    extent: i64,
    max: Target<'a>,
    place: IndexTarget<'a>,
    sum: Target<'a>,
    total: Target<'a>,
}

impl<T: Lane> Kernel<T> for Pool<'_> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self { space, x, stride, pad, extent, max, place, sum, total } = self;
        let [n, l, o, k0] = space.axes();
        let mut k = at.script(space);
        let x = k.input(x, [n, l]);
        let (max, place) = (k.root(max, [n, o]), k.root_index(place, [n, o]));
        let (sum, total) = (k.root(sum, [n, o]), k.root(total, [k0]));
        k.nest([n, o]);
        k.sweep([n, o, k0], [x.here().at(l, o * stride + k0 - pad)], [])
            .guard([(o * stride + k0 - pad).within(0, extent)])
            .sum(sum, [k0])
            .sum(total, [o, n])
            .max_and_argmax(max, place, [k0])
            .body({
                #[inline(always)]
                move |[x], []| Out::store([]).sum([x * x, x]).argmax([x])
            });
        k.run();
    }
}

fn pool<T: Lane>([n, l, width]: [usize; 3], stride: usize, pad: usize) {
    let mut x = numbers::<T>(&[n, l], 3);
    // ties and a NaN
    x.mapv_inplace(|v| T::of((v.f64() * 4.0).round()));
    if let Some(v) = x.iter_mut().nth(l / 2) {
        *v = T::of(f64::NAN);
    }
    let o = (l + 2 * pad - width) / stride + 1;
    let (mut max, mut sum) = (ArrayD::<T>::default(IxDyn(&[n, o])), ArrayD::<T>::default(IxDyn(&[n, o])));
    let mut place = ArrayD::<i64>::zeros(IxDyn(&[n, o]));
    let mut bytes = IndexBuf::new(&[n, o], width);
    let mut total = ArrayD::<f64>::zeros(IxDyn(&[width]));
    let mut run = |place: IndexTarget, add: bool| {
        T::dispatch(Pool {
            space: Space::new(&[&[n], &[l], &[o], &[width]]),
            x: View::of(&x),
            stride: stride as i64,
            pad: pad as i64,
            extent: l as i64,
            max: if add { Target::none() } else { Target::write(&mut max) },
            place,
            sum: if add { Target::add(&mut sum) } else { Target::write(&mut sum) },
            total: Target::write(&mut total),
        });
    };
    run(IndexTarget::of(&mut place), false);
    run(bytes.target(), true);
    let (mut best, mut at) = (ArrayD::<f64>::zeros(IxDyn(&[n, o])), ArrayD::<i64>::zeros(IxDyn(&[n, o])));
    let (mut squares, mut totals) = (best.clone(), ArrayD::<f64>::zeros(IxDyn(&[width])));
    for ((a, j), k) in (0..n).flat_map(|a| (0..o).map(move |j| (a, j))).flat_map(|p| (0..width).map(move |k| (p, k))) {
        if k == 0 {
            (best[[a, j]], at[[a, j]]) = (f64::NEG_INFINITY, -1);
        }
        let Some(i) = (j * stride + k).checked_sub(pad).filter(|i| *i < l) else { continue };
        let v = x[[a, i]].f64();
        if v > best[[a, j]] || v.is_nan() || at[[a, j]] < 0 {
            (best[[a, j]], at[[a, j]]) = (v, k as i64);
        }
        squares[[a, j]] += 2.0 * v * v;
        totals[[k]] += v;
    }
    assert_close(&max, &best, "maxima");
    assert_eq!(place, at.mapv(|i| i.max(0)), "places");
    assert_close(&sum, &squares, "sums, written and then added");
    assert_close(&total, &totals, "sums over the outer axes");
}

#[test]
fn windows_against_loops() {
    every_isa(|| {
        // of the last the first and last windows hold nothing
        let shapes = [([2, 40, 3], 1, 1), ([3, 9, 2], 2, 0), ([1, 70, 5], 3, 2), ([17, 5, 5], 1, 2), ([2, 33, 1], 1, 0)];
        for (shape, stride, pad) in shapes.into_iter().chain([([3, 30, 2], 1, 2)]) {
            pool::<f32>(shape, stride, pad);
            pool::<f64>(shape, stride, pad);
        }
    });
}

/// Row and column sums, and their products, of a matrix that several parts share.
struct Sums<'a> {
    space: Space,
    x: View<'a>,
    rows: Target<'a>,
    columns: Target<'a>,
    most: Target<'a>,
}

impl<T: Lane> Kernel<T> for Sums<'_> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self { space, x, rows, columns, most } = self;
        let [r, c] = space.axes();
        let mut k = at.script(space);
        let x = k.input(x, [r, c]);
        let (rows, columns, most) = (k.root(rows, [r]), k.root(columns, [c]), k.root(most, []));
        k.nest([r]);
        k.sweep([r, c], [x.here()], []).sum(rows, [c]).sum(columns, [r]).min(most, [r, c]).body({
            #[inline(always)]
            move |[x], []| Out::store([]).sum([x.exp(), x]).max([-x])
        });
        k.run();
    }
}

#[test]
fn sums_are_the_same_for_any_number_of_threads() {
    every_isa(sums_for_any_number_of_threads);
}

fn sums_for_any_number_of_threads() {
    let x = numbers::<f64>(&[700, 301], 4);
    let sums = || {
        let (mut rows, mut columns, mut most) = (ArrayD::<f64>::zeros(IxDyn(&[700])), ArrayD::<f64>::zeros(IxDyn(&[301])), 0.0);
        f64::dispatch(Sums {
            space: Space::new(&[&[700], &[301]]),
            x: View::of(&x),
            rows: Target::write(&mut rows),
            columns: Target::write(&mut columns),
            most: Target::scalar(&mut most),
        });
        (rows, columns, most)
    };
    let first = sums();
    assert_close(&first.0, &x.map_axis(NdAxis(1), |l| l.iter().map(|v| v.exp()).sum::<f64>()).into_dyn(), "rows");
    assert_close(&first.1, &x.sum_axis(NdAxis(0)).into_dyn(), "columns");
    assert_eq!(first.2, x.iter().copied().fold(f64::INFINITY, f64::min));
    #[cfg(feature = "rayon")]
    for threads in [1, 2, 7] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(pool.install(sums) == first, "{threads} threads");
    }
}

#[test]
fn elementary_functions_are_accurate() {
    struct Map<'a>(View<'a>, Target<'a>, Target<'a>, Target<'a>);
    impl<T: Lane> Kernel<T> for Map<'_> {
        fn run<V: Vector<Elem = T>>(self, at: At<V>) {
            let n = self.0.raw.as_ref().map_or(0, |raw| raw.dims[0].0);
            let mut k = at.script(Space::new(&[&[n]]));
            let [i] = Space::new(&[&[n]]).axes();
            let x = k.input(self.0, [i]);
            let (e, t, f) = (k.root(self.1, [i]), k.root(self.2, [i]), k.root(self.3, [i]));
            k.nest([i]);
            k.sweep([i], [x.here()], []).store(e).store(t).store(f).body({
                #[inline(always)]
                move |[x], []| Out::store([x.exp(), x.tanh(), x.erf()])
            });
            k.run();
        }
    }
    fn check<T: Lane>(ulps: f64) {
        let mut x = numbers::<T>(&[4000], 9);
        for (i, v) in x.iter_mut().enumerate() {
            *v = T::of(v.f64() * [0.1, 1.0, 9.0, 80.0][i % 4]);
        }
        for (i, v) in [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -2000.0, 2000.0].into_iter().enumerate() {
            x[[i]] = T::of(v);
        }
        let (mut e, mut t, mut f) = (x.clone(), x.clone(), x.clone());
        T::dispatch(Map(View::of(&x), Target::write(&mut e), Target::write(&mut t), Target::write(&mut f)));
        for (i, v) in x.iter().enumerate() {
            let v = v.f64();
            let pairs = [(e[[i]], v.exp()), (t[[i]], v.tanh()), (f[[i]], math::erf(v))];
            for (which, (found, expected)) in pairs.into_iter().enumerate() {
                let (found, expected) = (found.f64(), T::of(expected).f64());
                let close = found == expected || found.is_nan() && expected.is_nan();
                let error = (found - expected).abs() / (T::EPSILON * expected.abs().max(f64::MIN_POSITIVE));
                assert!(close || error <= ulps, "function {which} of {v}: {found} for {expected}, {error} ULP");
            }
        }
    }
    every_isa(|| {
        check::<f32>(4.0);
        check::<f64>(3.0);
    });
}
