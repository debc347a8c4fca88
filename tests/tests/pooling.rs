//! What must hold of every pool, whatever its window: shares of a mean, the arg max alone, sums where windows tile.

use approx::assert_relative_eq;
use pullback::layer::{Arg, Output};
use pullback::layers::*;
use pullback::ndarray::{ArrayD, Dimension, IxDyn};
use pullback::{Layer, Window};
use pullback_tests::Rng;
use pullback_tests::formulas::{Answer, Call};
use pullback_tests::kernels::evaluate;

/// A window's settings along one axis, and the extent of the array.
#[derive(Clone, Copy, Debug)]
struct Along {
    len: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
    ceil: bool,
}

impl Along {
    fn draw(draw: &mut Rng, ceil: bool) -> Along {
        let (kernel, stride, dilation) = (draw.between(1, 4), draw.between(1, 4), draw.between(1, 2));
        let span = dilation * (kernel - 1) + 1;
        let (len, padding) = (draw.between(span, span + 6), draw.between(0, (span / 2).min(2)));
        Along { len, kernel, stride, padding, dilation, ceil }
    }

    /// Windows side by side that cover the array.
    fn tiling(draw: &mut Rng) -> Along {
        let kernel = draw.between(1, 4);
        Along { len: kernel * draw.between(1, 4), kernel, stride: kernel, padding: 0, dilation: 1, ceil: false }
    }

    /// Where each window begins, from the definition: the first at the left padding; each within the array and its
    /// padding, whole, or in ceil mode begun before the right padding.
    fn starts(&self) -> Vec<i64> {
        let [len, stride, padding] = [self.len, self.stride, self.padding].map(|v| v as i64);
        let span = (self.dilation * (self.kernel - 1)) as i64;
        let all = (0..).map(|o| o * stride - padding).take_while(|start| *start < len + padding);
        let whole = all.clone().filter(|start| start + span < len + padding).count();
        let begun = all.clone().filter(|start| *start < len).count();
        // the last window of ceil mode is the first that is not whole
        all.take(if self.ceil { begun.min(whole + usize::from(self.overhangs(whole))) } else { whole }).collect()
    }

    /// Whether something is left over behind the whole windows.
    fn overhangs(&self, whole: usize) -> bool {
        let span = self.dilation * (self.kernel - 1) + 1;
        (self.len + 2 * self.padding - span) > (whole - 1) * self.stride
    }

    fn taps(&self, start: i64) -> impl Iterator<Item = i64> + '_ {
        (0..self.kernel).map(move |k| start + (k * self.dilation) as i64)
    }

    /// For each element Σ 1/divisor along this axis over the windows that hold it.
    fn shares(&self, count_padding: bool, divide: bool) -> Vec<f64> {
        let mut shares = vec![0.0; self.len];
        let inside = 0..self.len as i64;
        let padded = -(self.padding as i64)..(self.len + self.padding) as i64;
        for start in self.starts() {
            let counts = |tap: &i64| if count_padding { padded.contains(tap) } else { inside.contains(tap) };
            let count = if divide { self.taps(start).filter(counts).count() as f64 } else { 1.0 };
            self.taps(start).filter(|tap| inside.contains(tap)).for_each(|tap| shares[tap as usize] += 1.0 / count);
        }
        shares
    }
}

fn window<const D: usize>(along: &[Along; D], count_padding: bool, divisor: Option<i64>) -> Window<D> {
    let k = Window::new(along.map(|a| a.kernel)).stride(along.map(|a| a.stride)).padding(along.map(|a| a.padding));
    k.dilation(along.map(|a| a.dilation)).ceil_mode(along[0].ceil).count_padding(count_padding).divisor(divisor)
}

fn shape<const D: usize>(draw: &mut Rng, along: &[Along; D]) -> Vec<usize> {
    let outer = [draw.between(1, 2), draw.between(1, 2)];
    outer.into_iter().chain(along.iter().map(|a| a.len)).collect()
}

/// A pool's answer under a cotangent of this kind, drawn for the shape that its output has.
fn pooled<L: Layer<f64>>(op: &L, x: &ArrayD<f64>, dy: impl FnOnce(&[usize]) -> ArrayD<f64>) -> (Answer, ArrayD<f64>) {
    let forward = op.forward(&mut [Arg::Tensor(x.view())]).expect("a window that fits");
    let Some(Output::Float(y)) = forward.outputs.first() else { panic!("a pool has numbers") };
    let dy = dy(y.shape());
    (evaluate(op, &Call::default().tensor("x", x.clone()), &dy), dy)
}

fn mean_shares<const D: usize, L: Layer<f64>>(draw: &mut Rng, pool: impl Fn(Window<D>) -> L) {
    let (ceil, count_padding) = (draw.below(2) == 0, draw.below(2) == 0);
    let divisor = (draw.below(3) == 0).then(|| draw.between(1, 9) as i64);
    let along = [(); D].map(|()| Along::draw(draw, ceil));
    let op = pool(window(&along, count_padding, divisor));
    let shape = shape(draw, &along);
    let x = draw.plain(&shape);
    let (answer, dy) = pooled(&op, &x, |shape| ArrayD::ones(IxDyn(shape)));
    let windows: Vec<usize> = along.iter().map(|a| a.starts().len()).collect();
    assert_eq!(&dy.shape()[2..], windows, "{along:?}");
    let shares = along.map(|a| a.shares(count_padding, divisor.is_none()));
    for (at, found) in answer.grads["x"].indexed_iter() {
        let product: f64 = (0..D).map(|axis| shares[axis][at[2 + axis]]).product();
        let expected = product / divisor.unwrap_or(1) as f64;
        assert_relative_eq!(*found, expected, max_relative = 1e-12, epsilon = 1e-14);
    }
}

fn max_alone<const D: usize, L: Layer<f64>>(draw: &mut Rng, pool: impl Fn(Window<D>) -> L) {
    let ceil = draw.below(2) == 0;
    let along = [(); D].map(|()| Along::draw(draw, ceil));
    let op = pool(window(&along, false, None));
    let shape = shape(draw, &along);
    let x = draw.plain(&shape);
    let (answer, dy) = pooled(&op, &x, |shape| draw.plain(shape));
    let mut expected = ArrayD::<f64>::zeros(x.raw_dim());
    for (at, dy) in dy.indexed_iter() {
        let mut best: Option<Vec<usize>> = None;
        for element in elements(&along, &at.slice()[2..]) {
            let place: Vec<usize> = at.slice()[..2].iter().copied().chain(element).collect();
            if best.as_ref().is_none_or(|b| x[IxDyn(&place)] > x[IxDyn(b)]) {
                best = Some(place);
            }
        }
        let best = IxDyn(&best.expect("no window is empty"));
        assert_relative_eq!(answer.outputs[0][&at], x[&best]);
        expected[&best] += dy;
    }
    for (at, found) in answer.grads["x"].indexed_iter() {
        assert_relative_eq!(*found, expected[&at], max_relative = 1e-12, epsilon = 1e-14);
    }
}

/// The elements under a window in row-major order.
fn elements<const D: usize>(along: &[Along; D], window: &[usize]) -> Vec<Vec<usize>> {
    let mut places = vec![vec![]];
    for (a, o) in along.iter().zip(window) {
        let inside: Vec<usize> =
            a.taps(a.starts()[*o]).filter(|tap| (0..a.len as i64).contains(tap)).map(|tap| tap as usize).collect();
        let longer = |place: Vec<usize>| inside.iter().map(move |tap| [place.clone(), vec![*tap]].concat()).collect::<Vec<_>>();
        places = places.into_iter().flat_map(longer).collect();
    }
    places
}

fn tiles_keep_the_sum<const D: usize, L: Layer<f64>>(draw: &mut Rng, pool: impl Fn(Window<D>) -> L) {
    let along = [(); D].map(|()| Along::tiling(draw));
    let op = pool(window(&along, draw.below(2) == 0, None));
    let shape = shape(draw, &along);
    let x = draw.plain(&shape);
    let (answer, dy) = pooled(&op, &x, |shape| draw.plain(shape));
    assert_relative_eq!(answer.grads["x"].sum(), dy.sum(), max_relative = 1e-12, epsilon = 1e-12);
}

const CASES: u64 = 200;

#[test]
fn an_elements_share_of_a_mean_is_the_sum_over_the_windows_that_hold_it() {
    for case in 0..CASES {
        mean_shares(&mut Rng(case), |k| MeanPool1d { k });
        mean_shares(&mut Rng(case), |k| MeanPool2d { k });
        mean_shares(&mut Rng(case), |k| MeanPool3d { k });
    }
}

#[test]
fn a_maximums_gradient_arrives_where_it_was_and_nowhere_else() {
    for case in 0..CASES {
        max_alone(&mut Rng(case), |k| MaxPool1d { k });
        max_alone(&mut Rng(case), |k| MaxPool2d { k });
        max_alone(&mut Rng(case), |k| MaxPool3d { k });
    }
}

#[test]
fn tiles_keep_the_sum_of_the_cotangent() {
    for case in 0..CASES {
        tiles_keep_the_sum(&mut Rng(case), |k| MeanPool1d { k });
        tiles_keep_the_sum(&mut Rng(case), |k| MeanPool2d { k });
        tiles_keep_the_sum(&mut Rng(case), |k| MeanPool3d { k });
        tiles_keep_the_sum(&mut Rng(case), |k| MaxPool1d { k });
        tiles_keep_the_sum(&mut Rng(case), |k| MaxPool2d { k });
        tiles_keep_the_sum(&mut Rng(case), |k| MaxPool3d { k });
    }
}
