//! Results of more bytes than caches hold: written past them, and gathered where a block's part of them is one stretch.

use super::*;

/// `y[i, j] = Σ_k x[k, i, j]`, and if it is read again, `z[i] = Σ_j y[i, j]`.
struct Totals<'a> {
    space: Space,
    x: View<'a>,
    y: Target<'a>,
    z: Option<Target<'a>>,
}

impl<T: Lane> Kernel<T> for Totals<'_> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self { space, x, y, z } = self;
        let [q, i, j] = space.axes();
        let mut k = at.script(space);
        let (x, y) = (k.input(x, [q, i, j]), k.root(y, [i, j]));
        let z = z.map(|z| k.root(z, [i]));
        if z.is_some() {
            k.nest([i])
        } else {
            k.nest([i, j])
        }
        k.sweep([q, i, j], [x.here()], []).sum(y, [q]).body({
            #[inline(always)]
            move |[x], []| Out::store([]).sum([x])
        });
        if let Some(z) = z {
            k.sweep([i, j], [y.here()], []).sum(z, [j]).body({
                #[inline(always)]
                move |[y], []| Out::store([]).sum([y])
            });
        }
        k.run();
    }
}

/// `y[i, j] = 2·x[i, j]`
struct Twice<'a>(Space, View<'a>, Target<'a>);

impl<T: Lane> Kernel<T> for Twice<'_> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self(space, x, y) = self;
        let [i, j] = space.axes();
        let mut k = at.script(space);
        let (x, y) = (k.input(x, [i, j]), k.root(y, [i, j]));
        k.nest([i, j]);
        k.sweep([i, j], [x.here()], []).store(y).body({
            #[inline(always)]
            move |[x], []| Out::store([x + x])
        });
        k.run();
    }
}

/// More than 8 MB of `f32`; lines end anywhere in a line of the cache.
const SHAPE: [usize; 2] = [1501, 1499];

/// Numbers whose sums are exact, however they are added up.
fn whole<T: Lane>(shape: &[usize]) -> ArrayD<T> {
    Array::from_shape_fn(IxDyn(shape), |at| {
        let flat = (0..shape.len()).fold(0, |n, i| (n * 31 + at[i] * 7 + i) % 4093);
        T::of(flat as f64 - 2000.0)
    })
}

#[track_caller]
fn assert_equal<T: Lane>(found: impl Fn(usize, usize) -> T, expected: impl Fn(usize, usize) -> f64, what: &str) {
    for (i, j) in (0..SHAPE[0]).flat_map(|i| (0..SHAPE[1]).map(move |j| (i, j))) {
        assert!(found(i, j).f64() == expected(i, j), "{what} at {i}, {j}: {:?} for {}", found(i, j), expected(i, j));
    }
}

fn large<T: Lane>() {
    let [m, n] = SHAPE;
    let x = whole::<T>(&[2, m, n]);
    let space = || Space::new(&[&[2], &[m], &[n]]);
    let total = |i: usize, j: usize| x[[0, i, j]].f64() + x[[1, i, j]].f64();
    let mut y = ArrayD::from_elem(IxDyn(&SHAPE), T::of(f64::NAN));
    T::dispatch(Totals { space: space(), x: View::of(&x), y: Target::write(&mut y), z: None });
    assert_equal(|i, j| y[[i, j]], total, "sums");
    T::dispatch(Totals { space: space(), x: View::of(&x), y: Target::add(&mut y), z: None });
    assert_equal(|i, j| y[[i, j]], |i, j| 2.0 * total(i, j), "sums, added to");
    // read again in the nest
    let mut z = Array1::<f64>::zeros(m);
    y.fill(T::of(f64::NAN));
    T::dispatch(Totals { space: space(), x: View::of(&x), y: Target::write(&mut y), z: Some(Target::write(&mut z)) });
    assert_equal(|i, j| y[[i, j]], total, "sums that are read");
    assert!((0..m).all(|i| z[i] == (0..n).map(|j| total(i, j)).sum::<f64>()), "what reads them");
    // what reads a result that is added to does not see what was there
    y.fill(T::of(0.5));
    z.fill(0.25);
    T::dispatch(Totals { space: space(), x: View::of(&x), y: Target::add(&mut y), z: Some(Target::add(&mut z)) });
    assert_equal(|i, j| y[[i, j]], |i, j| total(i, j) + 0.5, "sums that are read and added to");
    assert!((0..m).all(|i| z[i] == 0.25 + (0..n).map(|j| total(i, j)).sum::<f64>()), "what reads them");
    // a part of a larger array, whose other elements stay
    let mut around = Array::from_elem((m, n + 3), T::of(7.0));
    T::dispatch(Totals {
        space: space(),
        x: View::of(&x),
        y: Target::write(&mut around.slice_mut(ndarray::s![.., 1..=n])),
        z: None,
    });
    assert_equal(|i, j| around[[i, j + 1]], total, "sums in a larger array");
    assert!((0..m).all(|i| [0, n + 1, n + 2].iter().all(|j| around[[i, *j]].f64() == 7.0)), "what lies beside them");
    // element by element
    let one = x.index_axis(NdAxis(0), 0);
    for from in [0, 1] {
        let mut around = Array1::from_elem(m * n + 2, T::of(7.0));
        let mut view = around.slice_mut(ndarray::s![from..from + m * n]);
        let mut view = view.view_mut().into_shape_with_order((m, n)).expect("one stretch");
        T::dispatch(Twice(Space::new(&[&[m], &[n]]), View::of(&one), Target::write(&mut view)));
        assert_equal(|i, j| around[from + i * n + j], |i, j| 2.0 * one[[i, j]].f64(), "twice");
        assert!((0..m * n + 2).all(|i| (from..from + m * n).contains(&i) || around[i].f64() == 7.0), "what lies beside it");
    }
}

#[test]
fn large_results() {
    every_isa(|| {
        large::<f32>();
        large::<f64>();
    });
}
