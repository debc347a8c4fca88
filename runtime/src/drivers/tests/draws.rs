//! Random draws, vector by vector, against those of `rng`, one by one.

use super::super::script::Operand;
use super::*;
use crate::rng;

/// One draw of each kind, all of the same bits.
struct Draws<'a> {
    space: Space,
    seed: u64,
    keep: f64,
    kept: Target<'a>,
    uniform: Target<'a>,
    normal: Target<'a>,
}

impl<T: Lane> Kernel<T> for Draws<'_> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self { space, seed, keep, kept, uniform, normal } = self;
        let [i, j] = space.axes();
        let mut k = at.script(space);
        let [kept, uniform, normal] = [kept, uniform, normal].map(|target| k.root(target, [i, j]));
        k.nest([i, j]);
        let draws =
            [Operand::bernoulli(seed, 3, [i, j], keep), Operand::uniform(seed, 3, [i, j]), Operand::normal(seed, 3, [i, j])];
        k.sweep([i, j], draws, []).store(kept).store(uniform).store(normal).body({
            #[inline(always)]
            move |[kept, uniform, normal], []| Out::store([kept, uniform, normal])
        });
        k.run();
    }
}

fn draws<T: Lane>(transposed: bool) {
    let (seed, [m, n]) = (0xa409_3822_299f_31d0, [7, 301]);
    for element in [0, 1, 2, 300, 301, 1203, 2106] {
        let bits = rng::bits(seed, 3, element);
        // one more than the element's bits would keep it, its own do not; and what lies between
        for (bound, is_kept) in [(0.0, false), (0.5, true), (1.0, true)] {
            let keep = (f64::from(bits) + bound) / 4_294_967_296.0;
            let zeros = || {
                let shape = if transposed { [n, m] } else { [m, n] };
                let zeros = ndarray::Array2::from_elem(shape, T::of(f64::NAN));
                if transposed { zeros.reversed_axes() } else { zeros }
            };
            let [mut kept, mut uniform, mut normal] = [0, 1, 2].map(|_| zeros());
            T::dispatch(Draws {
                space: Space::new(&[&[m], &[n]]),
                seed,
                keep,
                kept: Target::write(&mut kept),
                uniform: Target::write(&mut uniform),
                normal: Target::write(&mut normal),
            });
            assert_eq!(kept[[element as usize / n, element as usize % n]].f64() == 1.0, is_kept);
            for ((i, j), kept) in kept.indexed_iter() {
                let at = (i * n + j) as u64;
                let bits = rng::bits(seed, 3, at);
                let exact = size_of::<T>() == 8;
                let unit = if exact { rng::uniform(bits) } else { f64::from(rng::uniform_f32(bits)) };
                assert_eq!(kept.f64(), f64::from(u8::from(rng::keeps(bits, keep))), "{at}");
                assert_eq!(uniform[[i, j]].f64(), unit, "{at}");
                let expected = rng::normal(seed, 3, at);
                assert!((normal[[i, j]].f64() - expected).abs() <= T::EPSILON * expected.abs(), "{at}");
            }
        }
    }
}

#[test]
fn draws_are_functions_of_the_place() {
    every_isa(|| {
        for transposed in [false, true] {
            draws::<f32>(transposed);
            draws::<f64>(transposed);
        }
    });
}
