//! Drivers against plain loops.

use super::*;
use crate::Float;
use ndarray::{Array, Array1, Array4, ArrayD, ArrayView4, Axis as NdAxis, IxDyn, Slice};

/// Repeatable numbers, about −1 to 1.
fn numbers<T: Float>(shape: &[usize], seed: u64) -> ArrayD<T> {
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

fn tolerance<T: Float>() -> f64 {
    if size_of::<T>() == 4 { 3e-6 } else { 1e-13 }
}

#[track_caller]
fn assert_close<T: Float>(found: &ArrayD<T>, expected: &ArrayD<f64>, what: &str) {
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
struct BatchNorm<'a, T> {
    space: Space,
    x: View<'a, T>,
    gamma: View<'a, T>,
    beta: View<'a, T>,
    eps: f64,
    y: Target<'a, T>,
    mu: Target<'a, f64>,
    rstd: Target<'a, f64>,
}

impl<T: Float> Kernel<T> for BatchNorm<'_, T> {
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
            move |[x, gamma, rstd, beta], [mu]| Out::store([(x - mu) * (gamma * rstd) + beta])
        });
        k.run();
    }
}

fn batch_norm<T: Float>(x: ArrayView4<T>) -> (ArrayD<T>, ArrayD<T>, ArrayD<f64>, ArrayD<f64>) {
    let [n, c, h, w] = [0, 1, 2, 3].map(|i| x.len_of(NdAxis(i)));
    let (gamma, beta) = (numbers::<T>(&[c], 5), numbers::<T>(&[c], 6));
    // as x lies in memory
    let mut y = Array4::<T>::default((n, c, h, w));
    if x.strides()[1] == 1 {
        y = Array4::default((n, h, w, c)).permuted_axes([0, 3, 1, 2]);
    }
    let (mut mu, mut rstd) = (Array1::zeros(c), Array1::zeros(c));
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
    (y.into_dyn(), numbers::<T>(&[1], 0), mu.into_dyn(), rstd.into_dyn())
}

fn batch_norm_of<T: Float>() {
    for shape in [[2, 3, 4, 5], [5, 1, 1, 7], [1, 70, 3, 3], [3, 2, 17, 33], [4, 40, 32, 40], [0, 3, 2, 2], [2, 0, 2, 2]] {
        let x = numbers::<T>(&shape, 1).into_dimensionality::<ndarray::Ix4>().unwrap();
        let (y, ..) = batch_norm(x.view());
        // a padded, strided view gives the same bits
        let [n, c, h, w] = shape;
        let mut big = Array4::<T>::default((n + 1, c, h + 3, w + 2));
        big.slice_each_axis_mut(|a| Slice::from(0..shape[a.axis.index()] as isize)).assign(&x);
        let view = big.slice_each_axis(|a| Slice::from(0..shape[a.axis.index()] as isize));
        assert_eq!(batch_norm(view).0, y, "a strided view of {shape:?}");
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
