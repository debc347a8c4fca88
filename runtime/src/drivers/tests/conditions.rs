//! Conditions of operands that hold for some rows of a tile and not for others.

use super::*;

/// `y[i, j] = x[i + by, j]`, with `fill` where that is outside.
struct Shift<'a> {
    space: Space,
    x: View<'a>,
    by: i64,
    y: Target<'a>,
}

impl<T: Lane> Kernel<T> for Shift<'_> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self { space, x, by, y } = self;
        let [rows, run] = space.axes();
        let len = space.len(rows) as i64;
        let mut k = at.script(space);
        let (x, y) = (k.input(x, [rows, run]), k.root(y, [rows, run]));
        k.nest([rows, run]);
        let moved = || Index::from(rows) + by;
        let from = x.here().at(rows, moved()).valid([moved().within(0, len)], 7.0);
        k.sweep([rows, run], [from], []).store(y).body({
            #[inline(always)]
            move |[x], []| Out::store([x])
        });
        k.run();
    }
}

#[test]
fn shifted_rows_end_where_the_array_does() {
    let shape = [9, 20];
    for by in [-9, -2, -1, 0, 1, 2, 8, 9] {
        let x = numbers::<f32>(&shape, 3);
        let mut y = ArrayD::from_elem(IxDyn(&shape), f32::NAN);
        let space = Space::new(&[&[9], &[20]]);
        f32::dispatch(Shift { space, x: View::of(&x), by, y: Target::write(&mut y) });
        let expected = ArrayD::from_shape_fn(IxDyn(&shape), |i| {
            let from = i[0] as i64 + by;
            if (0..9).contains(&from) { f64::from(x[[from as usize, i[1]]]) } else { 7.0 }
        });
        assert_close(&y, &expected, "shifted");
    }
}

/// `y[j, i] = Σ_k x[k, i, j]`, and the largest with its place: the result lies across the run.
struct Across<'a> {
    space: Space,
    x: View<'a>,
    sum: Target<'a>,
    most: Target<'a>,
    place: IndexTarget<'a>,
}

impl<T: Lane> Kernel<T> for Across<'_> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self { space, x, sum, most, place } = self;
        let [k_axis, i, j] = space.axes();
        let mut k = at.script(space);
        let x = k.input(x, [k_axis, i, j]);
        let (sum, most, place) = (k.root(sum, [j, i]), k.root(most, [j, i]), k.root_index(place, [j, i]));
        k.nest([i, j]);
        k.sweep([k_axis, i, j], [x.here()], []).sum(sum, [k_axis]).max_and_argmax(most, place, [k_axis]).body({
            #[inline(always)]
            move |[x], []| Out::store([]).sum([x]).argmax([x])
        });
        k.run();
    }
}

fn folds_across<T: Lane>() {
    for [n, rows, run] in [[4, 2, 20], [3, 7, 5], [2, 5, 33], [3, 40, 16], [5, 3, 1]] {
        let x = numbers::<T>(&[n, rows, run], 11);
        let (mut sum, mut most) =
            (ArrayD::from_elem(IxDyn(&[run, rows]), T::of(0.0)), ArrayD::from_elem(IxDyn(&[run, rows]), T::of(0.0)));
        let mut place = ArrayD::<i64>::zeros(IxDyn(&[run, rows]));
        T::dispatch(Across {
            space: Space::new(&[&[n], &[rows], &[run]]),
            x: View::of(&x),
            sum: Target::write(&mut sum),
            most: Target::write(&mut most),
            place: IndexTarget::of(&mut place),
        });
        let all = |j: usize, i: usize| (0..n).map(|k| x[[k, i, j]].f64()).collect::<Vec<f64>>();
        let expected = |f: &dyn Fn(Vec<f64>) -> f64| ArrayD::from_shape_fn(IxDyn(&[run, rows]), |at| f(all(at[0], at[1])));
        let largest = |v: &[f64]| v.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert_close(&sum, &expected(&|v| v.iter().sum()), "sum");
        assert_close(&most, &expected(&|v| largest(&v)), "most");
        let first = expected(&|v| v.iter().position(|x| *x == largest(&v)).unwrap_or(0) as f64);
        assert_eq!(place.mapv(|i: i64| i as f64), first);
    }
}

#[test]
fn folds_lie_across_the_run() {
    every_isa(|| {
        folds_across::<f32>();
        folds_across::<f64>();
    });
}

/// What the rules say of a list: NaN over all and of several the last, of equals the first.
fn winner(list: &[f64]) -> (f64, usize) {
    let beats = |new: f64, best: f64| new > best || new.is_nan();
    let mut best = (list[0], 0);
    for (i, x) in list.iter().enumerate().skip(1) {
        if beats(*x, best.0) {
            best = (*x, i);
        }
    }
    best
}

fn extremes<T: Float>() {
    const HARD: [f64; 7] = [f64::NEG_INFINITY, f64::INFINITY, f64::NAN, 0.0, -0.0, 1.0, -1.0];
    // by columns the reduced axis is the first, by rows the last
    for [n, rows, run] in [[3, 5, 37], [4, 2, 16], [2, 3, 7]] {
        for seed in 0..20 {
            let draw = numbers::<f64>(&[n, rows, run], seed).mapv(|x| HARD[((x + 1.0) * 3.5) as usize % 7]);
            let x = draw.mapv(T::of);
            let zeros = || ArrayD::from_elem(IxDyn(&[run, rows]), T::of(0.0));
            let (mut sum, mut most, mut place) = (zeros(), zeros(), ArrayD::<i64>::zeros(IxDyn(&[run, rows])));
            T::dispatch(Across {
                space: Space::new(&[&[n], &[rows], &[run]]),
                x: View::of(&x),
                sum: Target::write(&mut sum),
                most: Target::write(&mut most),
                place: IndexTarget::of(&mut place),
            });
            for (at, found) in place.indexed_iter() {
                let list: Vec<f64> = (0..n).map(|k| draw[[k, at[1], at[0]]]).collect();
                let (value, first) = winner(&list);
                assert_eq!(*found, first as i64, "{list:?}");
                let found = most[[at[0], at[1]]].f64();
                assert!(found.to_bits() == value.to_bits() || found.is_nan() && value.is_nan(), "{found} for {list:?}");
            }
        }
    }
}

#[test]
fn ties_infinities_and_nan() {
    every_isa(|| {
        extremes::<f32>();
        extremes::<f64>();
    });
}
