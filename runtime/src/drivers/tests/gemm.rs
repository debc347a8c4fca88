//! Contractions against plain loops.

use super::super::script::Operand;
use super::*;
use ndarray::{ArrayRef, Ix3, Ix4, s};

/// `y[b, m, n] = Σ_k a[b, m, k]·b[b, k, n]`
struct Matmul<'a> {
    space: Space,
    a: View<'a>,
    b: View<'a>,
    y: Target<'a>,
}

impl<T: Lane> Kernel<T> for Matmul<'_> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self { space, a, b, y } = self;
        let [batch, m, n, k] = space.axes();
        let mut script = at.script(space);
        let (a, b) = (script.input(a, [batch, m, k]), script.input(b, [batch, k, n]));
        let y = script.root(y, [batch, m, n]);
        script.gemm(y, (a.here(), [m]), (b.here(), [n]), [k], [batch], []);
        script.run();
    }
}

fn matmul<T: Lane>(a: &ArrayRef<T, Ix3>, b: &ArrayRef<T, Ix3>, y: Target) {
    matmul_in::<T, T>(a, b, y);
}

/// In lanes of `T`, of factors of `S`.
fn matmul_in<T: Lane, S: Lane>(a: &ArrayRef<S, Ix3>, b: &ArrayRef<S, Ix3>, y: Target) {
    let (batch, m, k) = a.dim();
    let space = Space::new(&[&[batch], &[m], &[b.dim().2], &[k]]);
    T::dispatch(Matmul { space, a: View::of(a), b: View::of(b), y });
}

fn matmul_of<T: Lane>() {
    let shapes = [
        [2, 3, 4, 5],
        [1, 1, 7, 3],
        [3, 16, 1, 40],
        [1, 300, 20, 700],
        [1, 20, 600, 1500],
        [0, 2, 2, 2],
        [2, 3, 0, 4],
        [2, 3, 4, 0],
    ];
    for [batch, m, n, k] in shapes {
        let cube = |shape: &[usize], seed| numbers::<T>(shape, seed).into_dimensionality::<Ix3>().unwrap();
        let (a, b) = (cube(&[batch, m, k], 1), cube(&[batch, k, n], 2));
        let product = |i, j, l| (0..k).map(|q| a[[i, j, q]].f64() * b[[i, q, l]].f64()).sum::<f64>();
        let scale = (k as f64).sqrt().max(1.0);
        let expected = ndarray::Array3::from_shape_fn((batch, m, n), |(i, j, l)| product(i, j, l) / scale);
        let check = |y: &ndarray::Array3<T>, what: &str| {
            let found = y.mapv(|v| T::of(v.f64() / scale)).into_dyn();
            assert_close(&found, &expected.clone().into_dyn(), &format!("{what} of {:?}", [batch, m, n, k]));
        };
        let mut y = ndarray::Array3::from_elem((batch, m, n), T::of(f64::NAN));
        matmul(&a, &b, Target::write(&mut y));
        check(&y, "product");
        // added to what is there
        let mut sum = ndarray::Array3::from_elem((batch, m, n), T::of(2.0));
        matmul(&a, &b, Target::add(&mut sum));
        sum.mapv_inplace(|v| T::of(v.f64() - 2.0));
        for (x, y) in sum.iter().zip(&y) {
            assert!((x.f64() - y.f64()).abs() <= 8.0 * T::EPSILON * (2.0 + y.f64().abs()), "added: {x:?} for {y:?}");
        }
        // factors of other orders and strides give the same bits
        let back = a.slice(s![.., .., ..;-1]).to_owned();
        let mut wide = ndarray::Array3::<T>::default((batch, n, 2 * k));
        wide.slice_mut(s![.., .., ..;2]).assign(&b.view().permuted_axes([0, 2, 1]));
        let mut strided = ndarray::Array3::<T>::default((batch, n, m)).permuted_axes([0, 2, 1]);
        matmul(
            &back.slice(s![.., .., ..;-1]),
            &wide.slice(s![.., .., ..;2]).permuted_axes([0, 2, 1]),
            Target::write(&mut strided),
        );
        assert_eq!(strided, y, "strided");
        // and so do factors of another type, which are packed
        let (a64, b64) = (a.mapv(|v| v.f64()), b.mapv(|v| v.f64()));
        let mut packed = ndarray::Array3::<T>::default((batch, m, n));
        matmul_in::<T, f64>(&a64, &b64, Target::write(&mut packed));
        assert_eq!(packed, y, "packed");
        // results that are no matrix in place
        let mut sparse = ndarray::Array3::<T>::default((batch, 2 * m, 3 * n));
        matmul(&a, &b, Target::write(&mut sparse.slice_mut(s![.., ..;2, ..;3])));
        assert_eq!(sparse.slice(s![.., ..;2, ..;3]), y, "sparse");
    }
}

#[test]
fn matrix_products_against_loops() {
    every_isa(|| {
        matmul_of::<f32>();
        matmul_of::<f64>();
    });
}

/// How a convolution's window lies.
#[derive(Clone, Copy, Debug)]
struct Placed {
    stride: i64,
    padding: i64,
}

/// The three products of a convolution. Axes: N, F, C, H, W, OH, OW, KH, KW.
struct Convolution<'a> {
    space: Space,
    at: Placed,
    x: View<'a>,
    w: View<'a>,
    dy: View<'a>,
    y: Target<'a>,
    dx: Target<'a>,
    dw: Target<'a>,
}

impl<T: Lane> Kernel<T> for Convolution<'_> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self { space, at: Placed { stride, padding }, x, w, dy, y, dx, dw } = self;
        let [n, f, c, h, w_axis, oh, ow, kh, kw] = space.axes();
        let extent = |a| space.extent(a) as i64;
        let (len_h, len_w, len_oh, len_ow) = (extent(h), extent(w_axis), extent(oh), extent(ow));
        let mut k = at.script(space);
        let (x, w) = (k.input(x, [n, c, h, w_axis]), k.input(w, [f, c, kh, kw]));
        let dy = k.input(dy, [n, f, oh, ow]);
        let (y, dx, dw) = (k.root(y, [n, f, oh, ow]), k.root(dx, [n, c, h, w_axis]), k.root(dw, [f, c, kh, kw]));
        let (row, column) = (oh * stride + kh - padding, ow * stride + kw - padding);
        let inside = || [row.clone().within(0, len_h), column.clone().within(0, len_w)];
        let window = || x.here().at(h, row.clone()).at(w_axis, column.clone()).valid(inside(), 0.0);
        k.gemm(y, (window(), [n, oh, ow]), (w.here(), [f]), [c, kh, kw], [], inside());
        k.gemm(dw, (window(), [c, kh, kw]), (dy.here(), [f]), [n, oh, ow], [], inside());
        let (back_h, back_w) = (h + kh * -1 + padding, w_axis + kw * -1 + padding);
        let (to_h, to_w) = (back_h.clone().floor_div(stride), back_w.clone().floor_div(stride));
        let hits = || {
            [
                to_h.clone().within(0, len_oh),
                to_w.clone().within(0, len_ow),
                back_h.clone().divides(stride),
                back_w.clone().divides(stride),
            ]
        };
        let spread = dy.here().at(oh, to_h.clone()).at(ow, to_w.clone()).valid(hits(), 0.0);
        k.gemm(dx, (w.here(), [c]), (spread, [n, h, w_axis]), [f, kh, kw], [], hits());
        k.run();
    }
}

/// The results of a convolution: y, dx and dw.
type Results<T> = [Array4<T>; 3];

fn expected<T: Lane>(x: &Array4<T>, w: &Array4<T>, dy: &Array4<T>, at: Placed) -> Results<f64> {
    let (n, f, oh, ow) = dy.dim();
    let (_, c, kh, kw) = w.dim();
    let (mut y, mut dx, mut dw) = (Array4::zeros(dy.dim()), Array4::zeros(x.dim()), Array4::zeros(w.dim()));
    for [n, f, i, j] in ndarray::indices((n, f, oh, ow)).into_iter().map(|(a, b, c, d)| [a, b, c, d]) {
        for [c, p, q] in ndarray::indices((c, kh, kw)).into_iter().map(|(a, b, c)| [a, b, c]) {
            let place = |o: usize, k: usize| (o as i64 * at.stride + k as i64 - at.padding) as usize;
            let from = [n, c, place(i, p), place(j, q)];
            let Some(&v) = x.get(from) else { continue };
            y[[n, f, i, j]] += v.f64() * w[[f, c, p, q]].f64();
            dx[from] += dy[[n, f, i, j]].f64() * w[[f, c, p, q]].f64();
            dw[[f, c, p, q]] += v.f64() * dy[[n, f, i, j]].f64();
        }
    }
    [y, dx, dw]
}

fn convolve<T: Lane>(x: &ArrayRef<T, Ix4>, w: &ArrayRef<T, Ix4>, dy: &ArrayRef<T, Ix4>, at: Placed) -> Results<T> {
    let ([n, c, h, wide], [f, _, kh, kw]) = ([0, 1, 2, 3].map(|i| x.shape()[i]), [0, 1, 2, 3].map(|i| w.shape()[i]));
    let [oh, ow] = [2, 3].map(|i| dy.shape()[i]);
    let extents = [n, f, c, h, wide, oh, ow, kh, kw].map(|e| [e]);
    let (mut y, mut dx, mut dw) = (Array4::default(dy.raw_dim()), Array4::default(x.raw_dim()), Array4::default(w.raw_dim()));
    T::dispatch(Convolution {
        space: Space::new(&extents.each_ref().map(|e| &e[..])),
        at,
        x: View::of(x),
        w: View::of(w),
        dy: View::of(dy),
        y: Target::write(&mut y),
        dx: Target::write(&mut dx),
        dw: Target::write(&mut dw),
    });
    [y, dx, dw]
}

fn quad<T: Lane>(shape: [usize; 4], seed: u64) -> Array4<T> {
    numbers(&shape, seed).into_dimensionality().unwrap()
}

fn assert_all<T: Lane>(found: &Results<T>, expected: &Results<f64>, what: &str) {
    for ((found, expected), name) in found.iter().zip(expected).zip(["y", "dx", "dw"]) {
        // relative to the largest: some are small by cancellation
        let scale = expected.iter().fold(1.0, |m: f64, v| if v.is_finite() { m.max(v.abs()) } else { m });
        let found = found.mapv(|v| T::of(v.f64() / scale)).into_dyn();
        assert_close(&found, &expected.mapv(|v| v / scale).into_dyn(), &format!("{name}: {what}"));
    }
}

/// Extents of x (N, C, H, W), of w (F, KH, KW), and the window.
const CONVOLUTIONS: [([usize; 4], [usize; 3], Placed); 6] = [
    ([2, 3, 8, 8], [5, 3, 3], Placed { stride: 1, padding: 1 }),
    ([3, 2, 9, 7], [4, 3, 2], Placed { stride: 2, padding: 2 }),
    ([1, 1, 5, 40], [3, 1, 5], Placed { stride: 3, padding: 0 }),
    ([4, 16, 17, 33], [20, 3, 3], Placed { stride: 1, padding: 1 }),
    ([0, 2, 4, 4], [3, 3, 3], Placed { stride: 1, padding: 1 }),
    ([2, 0, 4, 4], [3, 3, 3], Placed { stride: 1, padding: 0 }),
];

fn convolutions_of<T: Lane>() {
    for ([n, c, h, w], [f, kh, kw], at) in CONVOLUTIONS {
        let out = |len: usize, k: usize| (len + 2 * at.padding as usize - k) / at.stride as usize + 1;
        let (x, weights) = (quad::<T>([n, c, h, w], 1), quad::<T>([f, c, kh, kw], 2));
        let dy = quad::<T>([n, f, out(h, kh), out(w, kw)], 3);
        let found = convolve(&x, &weights, &dy, at);
        let what = format!("{:?} by {:?}, {at:?}", [n, c, h, w], [f, kh, kw]);
        assert_all(&found, &expected(&x, &weights, &dy, at), &what);
        let last = Array4::from_shape_fn((n, h, w, c), |(a, b, d, i)| x[[a, i, b, d]]);
        let last = convolve(&last.view().permuted_axes([0, 3, 1, 2]), &weights, &dy, at);
        assert_all(&last, &expected(&x, &weights, &dy, at), &format!("channels last, {what}"));
    }
}

#[test]
fn convolutions_against_loops() {
    every_isa(|| {
        convolutions_of::<f32>();
        convolutions_of::<f64>();
    });
}

#[test]
fn holes_add_nothing_to_what_is_not_finite() {
    let at = Placed { stride: 1, padding: 1 };
    let (x, mut w, mut dy) = (quad::<f32>([2, 3, 8, 8], 1), quad::<f32>([5, 3, 3, 3], 2), quad::<f32>([2, 5, 8, 8], 3));
    w[[1, 2, 0, 0]] = f32::NAN;
    dy[[0, 3, 0, 5]] = f32::INFINITY;
    let found = convolve(&x, &w, &dy, at);
    assert_all(&found, &expected(&x, &w, &dy, at), "not finite");
    // the tap above the first row is a hole
    assert!(found[0][[0, 1, 0, 0]].is_finite() && found[0][[0, 1, 1, 1]].is_nan());
}

#[test]
fn products_do_not_depend_on_threads() {
    let ([n, c, h, w], [f, kh, kw], at) = CONVOLUTIONS[3];
    let (x, weights, dy) = (quad::<f32>([n, c, h, w], 1), quad::<f32>([f, c, kh, kw], 2), quad::<f32>([n, f, h, w], 3));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| convolve(&x, &weights, &dy, at))
    };
    let one = on(1);
    assert_eq!(on(2), one);
    assert_eq!(on(7), one);
}

/// `y[m, n] = Σ_k table[label[m], k]·b[k, n]` with `b` in `f64`, and without the positions where `m` is not above `n`.
struct Picked<'a> {
    space: Space,
    table: View<'a>,
    label: View<'a>,
    b: View<'a>,
    y: Target<'a>,
    lower: Target<'a>,
}

impl<T: Lane> Kernel<T> for Picked<'_> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self { space, table, label, b, y, lower } = self;
        let [m, n, k, row] = space.axes();
        let len = space.extent(m) as i64;
        let mut script = at.script(space);
        let (table, label, b) = (script.input(table, [row, k]), script.input(label, [m]), script.input(b, [k, n]));
        let (y, lower) = (script.root(y, [m, n]), script.root(lower, [m, n]));
        let rows = || Operand::at(table.here(), row, label.here());
        script.gemm(y, (rows(), [m]), (b.here(), [n]), [k], [], []);
        script.gemm(lower, (rows(), [m]), (b.here(), [n]), [k], [], [(m + n * -1).within(1, len)]);
        script.run();
    }
}

#[test]
fn rows_by_label_and_guards_on_both() {
    let (m, n, k, rows) = (9, 5, 33, 4);
    let (table, b) = (numbers::<f32>(&[rows, k], 1), numbers::<f64>(&[k, n], 2));
    let label = Array1::from_shape_fn(m, |i| (3 * i % rows) as i64);
    let (mut y, mut lower) = (ndarray::Array2::<f32>::zeros((m, n)), ndarray::Array2::<f32>::zeros((m, n)));
    f32::dispatch(Picked {
        space: Space::new(&[&[m], &[n], &[k], &[rows]]),
        table: View::of(&table),
        label: View::of(&label),
        b: View::of(&b),
        y: Target::write(&mut y),
        lower: Target::write(&mut lower),
    });
    let sum = |i: usize, j: usize| (0..k).map(|q| f64::from(table[[label[i] as usize, q]]) * b[[q, j]]).sum::<f64>();
    let full = ndarray::Array2::from_shape_fn((m, n), |(i, j)| sum(i, j));
    assert_close(&y.into_dyn(), &full.clone().into_dyn(), "rows by label");
    let half = ndarray::Array2::from_shape_fn((m, n), |(i, j)| if i > j { full[[i, j]] } else { 0.0 });
    assert_close(&lower.into_dyn(), &half.into_dyn(), "guarded");
}
