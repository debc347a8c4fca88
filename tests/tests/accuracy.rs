//! Normalisation in `f32` where the mean is 10⁴ deviations, against `f64` on the very same `f32` arguments.
//!
//! Two measures: the *largest* error of an array's elements over its largest element, and the *typical* one, root mean
//! square over root mean square. Rounding the exact result once has such errors too, and is what they are compared with:
//! every array is within twice those of one rounding, and never above the laboratory kernels' largest errors, 3.5·10⁻⁷ for
//! outputs and the input's gradient, 2·10⁻⁶ for the parameters'. A mean or a sum that is not kept wide costs orders of
//! magnitude more; arithmetic in lanes of `f32` after it, 2 to 5 roundings.

use approx::assert_relative_eq;
use pullback::Layer;
use pullback::layers::{BatchNorm, LayerNorm, RmsNorm};
use pullback::ndarray::{Array1, ArrayD, Dimension};
use pullback::prelude::*;
use pullback_tests::calls::{Given, Layout, results, values};

#[derive_backward]
fn group_norm(
    x: Tensor<f32, (N, C, Many<S>)>,
    gamma: Tensor<f32, C>,
    beta: Tensor<f32, C>,
    groups: usize,
    eps: f64,
) -> Tensor<f32, (N, C, Many<S>)> {
    let grouped = split(x, C, (G, D), groups);
    let mu = mean(grouped, (D, S));
    let var = mean(sq(grouped - mu), (D, S));
    gamma * merge((grouped - mu) / sqrt(var + eps), (G, D), C) + beta
}

/// Layer norm as others write it.
#[derive_backward]
fn row_norm(x: Tensor<f32, (N, C)>, gamma: Tensor<f32, C>, beta: Tensor<f32, C>, eps: f64) -> Tensor<f32, (N, C)> {
    let centred = x - mean(x, C);
    centred * rsqrt(mean(centred * centred, C) + eps) * gamma + beta
}

const EPS: f64 = 1e-5;
const DEVIATION: f64 = 0.6;
const MEAN: f64 = 1e4 * DEVIATION;

/// A normalisation, in words: which elements share their statistics, and which their parameters.
struct Norm<'a> {
    centred: bool,
    group: &'a dyn Fn(&[usize]) -> usize,
    groups: usize,
    channel: &'a dyn Fn(&[usize]) -> usize,
    channels: usize,
}

/// Output and gradients in `f64`.
struct Exact {
    y: ArrayD<f64>,
    dx: ArrayD<f64>,
    dgamma: ArrayD<f64>,
    dbeta: ArrayD<f64>,
}

impl Norm<'_> {
    /// The mean of a value over each group.
    fn means(&self, shape: &[usize], value: impl Fn(&[usize]) -> f64) -> Vec<f64> {
        let (mut sums, mut counts) = (vec![0.0; self.groups], vec![0.0; self.groups]);
        for (at, ()) in ArrayD::from_elem(shape, ()).indexed_iter() {
            sums[(self.group)(at.slice())] += value(at.slice());
            counts[(self.group)(at.slice())] += 1.0;
        }
        sums.iter().zip(counts).map(|(sum, count)| sum / count).collect()
    }

    fn exact(&self, x: &ArrayD<f64>, dy: &ArrayD<f64>, gamma: &[f64], beta: &[f64]) -> Exact {
        let (group, channel, shape) = (self.group, self.channel, x.shape());
        let mu = if self.centred { self.means(shape, |at| x[at]) } else { vec![0.0; self.groups] };
        let rstd: Vec<f64> =
            self.means(shape, |at| (x[at] - mu[group(at)]).powi(2)).iter().map(|v| (v + EPS).sqrt().recip()).collect();
        let xhat = |at: &[usize]| (x[at] - mu[group(at)]) * rstd[group(at)];
        let g = |at: &[usize]| dy[at] * gamma[channel(at)];
        let mean_g = if self.centred { self.means(shape, g) } else { vec![0.0; self.groups] };
        let mean_gx = self.means(shape, |at| g(at) * xhat(at));
        let at_each = |f: &dyn Fn(&[usize]) -> f64| ArrayD::from_shape_fn(shape, |at| f(at.slice()));
        let (mut dgamma, mut dbeta) = (Array1::zeros(self.channels), Array1::zeros(self.channels));
        for (at, dy) in dy.indexed_iter() {
            dgamma[channel(at.slice())] += dy * xhat(at.slice());
            dbeta[channel(at.slice())] += dy;
        }
        Exact {
            y: at_each(&|at| gamma[channel(at)] * xhat(at) + beta[channel(at)]),
            dx: at_each(&|at| rstd[group(at)] * (g(at) - mean_g[group(at)] - xhat(at) * mean_gx[group(at)])),
            dgamma: dgamma.into_dyn(),
            dbeta: dbeta.into_dyn(),
        }
    }
}

/// How far an array is from the exact one.
#[derive(Clone, Copy, Debug)]
struct Distance {
    /// The largest error over the largest element.
    largest: f64,
    /// The same of root mean squares.
    typical: f64,
}

impl Distance {
    fn of(found: &ArrayD<f32>, exact: &ArrayD<f64>) -> Distance {
        assert_eq!(found.shape(), exact.shape());
        let errors: Vec<f64> = found.iter().zip(exact).map(|(found, exact)| f64::from(*found) - exact).collect();
        // a NaN is no small error
        let largest = |values: &mut dyn Iterator<Item = f64>| {
            values.fold(0.0, |a: f64, v| if v.is_nan() { f64::INFINITY } else { a.max(v.abs()) })
        };
        let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
        Distance {
            largest: largest(&mut errors.iter().copied()) / largest(&mut exact.iter().copied()),
            typical: (square(&mut errors.iter().copied()) / square(&mut exact.iter().copied())).sqrt(),
        }
    }
}

fn data(shape: &[usize], channel: &dyn Fn(&[usize]) -> usize) -> ArrayD<f32> {
    // uniform on (−2, 2) has deviation 2/√3
    let mut x = values(shape, 77);
    x.indexed_iter_mut().for_each(|(at, v)| {
        let sign = if channel(at.slice()).is_multiple_of(3) { -1.0 } else { 1.0 };
        *v = (sign * MEAN + f64::from(*v) * DEVIATION * 3.0f64.sqrt() / 2.0) as f32;
    });
    x
}

/// The most that the largest error of an array may be.
fn never_above(name: &str) -> f64 {
    if matches!(name, "dgamma" | "dbeta") { 2e-6 } else { 3.5e-7 }
}

fn check<L: Layer<f32>>(op: &L, shape: &[usize], norm: &Norm<'_>, states: &[Given]) {
    let x = data(shape, if norm.channels < norm.groups { norm.group } else { norm.channel });
    let (gamma, beta) = (values(&[norm.channels], 3), values(&[norm.channels], 4));
    let mut args = vec![Given::Tensor(x.clone()), Given::Tensor(gamma.clone())];
    if norm.centred {
        args.push(Given::Tensor(beta.clone()));
    }
    args.extend_from_slice(states);
    let wide = |a: &ArrayD<f32>| a.mapv(f64::from);
    let list = |a: &ArrayD<f32>| -> Vec<f64> { a.iter().copied().map(f64::from).collect() };
    let beta = if norm.centred { list(&beta) } else { vec![0.0; norm.channels] };
    let exact = norm.exact(&wide(&x), &wide(&values(shape, 0)), &list(&gamma), &beta);
    let mut wrong = vec![];
    for layout in [Layout::Standard, Layout::ChannelsLast] {
        for (name, found) in results(op, &args, layout) {
            let exact = match name.as_str() {
                "output 0" => &exact.y,
                "dx" => &exact.dx,
                "dgamma" => &exact.dgamma,
                "dbeta" => &exact.dbeta,
                _ => continue,
            };
            let (found, rounded) = (Distance::of(&found, exact), Distance::of(&exact.mapv(|v| v as f32), exact));
            let (largest, typical) = (found.largest / rounded.largest, found.typical / rounded.typical);
            let line = format!(
                "{:10} {layout:12?} {name:8}: largest {:.1e}, {largest:.2} times one rounding; typical {:.1e}, {typical:.2} times",
                L::NAME,
                found.largest,
                found.typical,
            );
            println!("{line}");
            if !(largest <= 2.0 && typical <= 2.0 && found.largest <= never_above(&name)) {
                wrong.push(line);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn batch_norm_with_a_large_mean() {
    let states = [Given::Tensor(values(&[48], 5)), Given::Tensor(values(&[48], 6))];
    let norm = Norm { centred: true, group: &|at| at[1], groups: 48, channel: &|at| at[1], channels: 48 };
    check(&BatchNorm { momentum: 0.1, eps: EPS }, &[8, 48, 32, 32], &norm, &states);
}

#[test]
fn layer_norm_with_a_large_mean() {
    let norm = Norm { centred: true, group: &|at| at[0], groups: 40, channel: &|at| at[1], channels: 8192 };
    check(&LayerNorm { eps: EPS }, &[40, 8192], &norm, &[]);
    check(&RowNorm { eps: EPS }, &[40, 8192], &norm, &[]);
}

#[test]
fn group_norm_with_a_large_mean() {
    let norm = Norm { centred: true, group: &|at| at[0] * 6 + at[1] / 8, groups: 24, channel: &|at| at[1], channels: 48 };
    check(&GroupNorm { groups: 6, eps: EPS }, &[4, 48, 32, 32], &norm, &[]);
}

#[test]
fn rms_norm_with_a_large_mean() {
    let norm = Norm { centred: false, group: &|at| at[0], groups: 40, channel: &|at| at[1], channels: 8192 };
    check(&RmsNorm { eps: EPS }, &[40, 8192], &norm, &[]);
}

#[test]
fn the_measure() {
    let exact = ArrayD::from_shape_vec(vec![2], vec![3.0, -4.0]).expect("two");
    let found = ArrayD::from_shape_vec(vec![2], vec![3.5, -4.0]).expect("two");
    let distance = Distance::of(&found, &exact);
    assert_relative_eq!(distance.largest, 0.125);
    assert_relative_eq!(distance.typical, 0.1);
}
