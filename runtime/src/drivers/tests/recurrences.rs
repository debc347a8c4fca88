//! Scans and scatters against plain loops.

use super::*;

/// Factors and terms as they come; the scan of them.
struct Scanned<'a> {
    space: Space,
    factor: View<'a>,
    term: View<'a>,
    reverse: bool,
    y: Target<'a>,
}

impl<T: Lane> Kernel<T> for Scanned<'_> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self { space, factor, term, reverse, y } = self;
        let [i, t] = space.axes();
        let mut k = at.script(space);
        let (factor, term, y) = (k.input(factor, [i, t]), k.input(term, [i, t]), k.root(y, [i, t]));
        let (factors, terms) = (k.wide([i, t]), k.wide([i, t]));
        k.nest([]);
        k.each([i, t], [factor.here(), term.here()]).store(factors).store(terms).body({
            #[inline(always)]
            move |[factor, term], []| Out::store([factor, term])
        });
        k.scan(y, t, factors, terms, reverse);
        k.run();
    }
}

fn scans<T: Lane>() {
    for ([rows, steps], reverse) in [([3, 7], false), ([3, 7], true), ([1, 1], true), ([2, 4000], false), ([2, 0], true)] {
        let (factor, term) = (numbers::<T>(&[rows, steps], 3), numbers::<T>(&[rows, steps], 4));
        // almost 1: what came long before still counts
        let factor = factor.mapv(|x| T::of(1.0 - 1e-4 * x.f64().abs()));
        let mut y = ArrayD::from_elem(IxDyn(&[rows, steps]), T::of(0.5));
        let mut expected = y.mapv(|_| 0.5);
        let space = Space::new(&[&[rows], &[steps]]);
        T::dispatch(Scanned { space, factor: View::of(&factor), term: View::of(&term), reverse, y: Target::add(&mut y) });
        for i in 0..rows {
            let mut state = 0.0;
            for t in (0..steps).map(|t| if reverse { steps - 1 - t } else { t }) {
                state = factor[[i, t]].f64() * state + term[[i, t]].f64();
                expected[[i, t]] += state;
            }
        }
        // one rounding, of the result: states are f64
        for (x, y) in y.iter().zip(&expected) {
            assert!((x.f64() - y).abs() <= T::EPSILON * (1.0 + y.abs()), "{x:?} for {y}, reverse: {reverse}");
        }
    }
}

#[test]
fn scans_against_loops() {
    every_isa(|| {
        scans::<f32>();
        scans::<f64>();
    });
}

/// Sums by destination, and the largest for it.
struct Scattered<'a> {
    space: Space,
    x: View<'a>,
    index: IndexView<'a>,
    sum: Target<'a>,
    most: Target<'a>,
}

impl<T: Lane> Kernel<T> for Scattered<'_> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self { space, x, index, sum, most } = self;
        let [d, i, j, to] = space.axes();
        let mut k = at.script(space);
        let (x, index) = (k.input(x, [d, i, j]), k.input_index(index, [i, j]));
        let (sum, most) = (k.root(sum, [d, to]), k.root(most, [d, to]));
        let (values, places) = (k.wide([d, i, j]), k.wide([i, j]));
        k.nest([]);
        k.each([d, i, j], [x.here()]).store(values).body({
            #[inline(always)]
            move |[x], []| Out::store([x])
        });
        k.each([i, j], [index.here()]).store(places).body({
            #[inline(always)]
            move |[index], []| Out::store([index])
        });
        k.scatter_add(sum, to, values, places);
        k.scatter_max(most, to, values, places);
        k.run();
    }
}

fn scatters<T: Lane>() {
    for ([d, i, j], to) in [([2, 3, 5], 4), ([1, 1, 9], 9), ([3, 4, 4], 1), ([2, 0, 3], 2)] {
        let x = numbers::<T>(&[d, i, j], 5);
        // some lead nowhere
        let index = numbers::<f64>(&[i, j], 6).mapv(|v| ((v + 1.0) / 2.0 * (to + 2) as f64) as i64 - 1);
        let start = |v: f64| ArrayD::from_elem(IxDyn(&[d, to]), v);
        let (mut sum, mut most) = (start(0.25).mapv(T::of), start(0.25).mapv(T::of));
        T::dispatch(Scattered {
            space: Space::new(&[&[d], &[i], &[j], &[to]]),
            x: View::of(&x),
            index: IndexView::of(&index),
            sum: Target::add(&mut sum),
            most: Target::write(&mut most),
        });
        let (mut sums, mut largest) = (start(0.25), start(0.0));
        for (at, v) in x.indexed_iter() {
            let place = index[[at[1], at[2]]];
            if (0..to as i64).contains(&place) {
                let place = [at[0], place as usize];
                sums[place] += v.f64();
                largest[place] = f64::max(largest[place], v.f64());
            }
        }
        assert_close(&sum, &sums, "sums by destination");
        assert_close(&most, &largest, "the largest by destination");
    }
}

#[test]
fn scatters_against_loops() {
    every_isa(|| {
        scatters::<f32>();
        scatters::<f64>();
    });
}
