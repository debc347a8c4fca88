//! Folds over axes that parts share, of numbers that are hard to compare: parts must not show.

use super::*;

/// The largest and the smallest of everything, and their places.
struct Extremes<'a> {
    space: Space,
    x: View<'a>,
    most: Target<'a>,
    most_alone: Target<'a>,
    most_at: IndexTarget<'a>,
    least: Target<'a>,
    least_at: IndexTarget<'a>,
}

impl<T: Lane> Kernel<T> for Extremes<'_> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self { space, x, most, most_alone, most_at, least, least_at } = self;
        let [r, c] = space.axes();
        let mut k = at.script(space);
        let x = k.input(x, [r, c]);
        let (most, most_alone, least) = (k.root(most, []), k.root(most_alone, []), k.root(least, []));
        let (most_at, least_at) = (k.root_index(most_at, []), k.root_index(least_at, []));
        k.nest([r]);
        k.sweep([r, c], [x.here()], [])
            .max_and_argmax(most, most_at, [r, c])
            .min_and_argmin(least, least_at, [r, c])
            .max(most_alone, [r, c])
            .body({
                #[inline(always)]
                move |[x], []| Out::store([]).max([x]).argmax([x, -x])
            });
        k.run();
    }
}

fn extremes_of<T: Lane>(x: &ArrayD<T>) -> ([f64; 3], [i64; 2]) {
    let mut values = [T::of(0.0); 3];
    let mut places = [0, 1].map(|_| ndarray::arr0(0i64));
    let ([most, most_alone, least], [most_at, least_at]) = (&mut values, &mut places);
    T::dispatch(Extremes {
        space: Space::new(&[&[x.shape()[0]], &[x.shape()[1]]]),
        x: View::of(x),
        most: Target::scalar(most),
        most_alone: Target::scalar(most_alone),
        most_at: IndexTarget::of(most_at),
        least: Target::scalar(least),
        least_at: IndexTarget::of(least_at),
    });
    (values.map(|v| v.f64()), places.map(|p| p[[]]))
}

/// Of numbers drawn from a list, few of which are not the first: some in several parts, some in none.
fn hard_parts<T: Lane>() {
    use std::f64::consts::PI;
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let lists: [&[f64]; 6] = [&[1.0, 1.5, -1.5], &[1.0, nan], &[-inf], &[nan], &[-inf, 0.0, -0.0], &[inf, PI, -inf]];
    for list in lists {
        for seed in 0..4 {
            let chosen = |x: f64| if x.abs() < 0.9999 { list[0] } else { list[(x.abs() * 1e7) as usize % list.len()] };
            let x = numbers::<f64>(&[400, 301], seed).mapv(|x| T::of(chosen(x)));
            let (values, places) = extremes_of(&x);
            let beats = |new: f64, best: f64| new > best || new.is_nan();
            for (i, sign) in [1.0, -1.0].into_iter().enumerate() {
                let mut best = (sign * x[[0, 0]].f64(), 0);
                for (at, x) in x.iter().enumerate().skip(1) {
                    if beats(sign * x.f64(), best.0) {
                        best = (sign * x.f64(), at as i64);
                    }
                }
                let same = |x: f64, y: f64| x == y || x.is_nan() && y.is_nan();
                assert!(same(values[2 * i], sign * best.0), "{} for {}: {list:?}", values[2 * i], sign * best.0);
                assert_eq!(places[i], best.1, "{list:?}");
            }
            assert!(values[1] == values[0] || values[0].is_nan() && values[1].is_nan(), "{values:?} of {list:?}");
        }
    }
}

#[test]
fn extremes_of_parts() {
    every_isa(|| {
        hard_parts::<f32>();
        hard_parts::<f64>();
    });
}
