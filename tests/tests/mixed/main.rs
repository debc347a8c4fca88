//! Formulas over several element types: half precision beside `f32`, `f32` beside `f64`.
//!
//! Each generic formula is compared with itself on the same numbers in `f64`: what comes out is that, rounded.

mod formulas;
mod half;
mod kinds;

use pullback::ndarray::{Array, ArrayD, Dimension, IxDyn};
use pullback::{Float, bf16, f16};

/// Repeatable numbers of a type, about −2 to 2.
pub fn numbers<T: Float>(shape: &[usize], seed: u32) -> ArrayD<T> {
    let mut at = seed.wrapping_mul(2_654_435_769) | 1;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        at = at.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        T::of(f64::from(at >> 8) / 4_194_304.0 - 2.0)
    })
}

/// The same in a fixed rank.
pub fn drawn<T: Float, D: Dimension>(shape: &[usize], seed: u32) -> Array<T, D> {
    numbers(shape, seed).into_dimensionality().expect("the rank of the shape")
}

pub fn wide<T: Float, D: Dimension>(x: &Array<T, D>) -> Array<f64, D> {
    x.mapv(T::f64)
}

/// The distance from a number to the next one of the type.
fn gap<T: Float>(x: f64) -> f64 {
    // the smallest one, by halving
    let mut least = T::EPSILON;
    while T::of(least / 2.0).f64() > 0.0 {
        least /= 2.0;
    }
    let exponent = x.abs().log2().floor();
    if x == 0.0 { least } else { least.max(exponent.exp2() * T::EPSILON) }
}

/// Every element is the `f64` one, rounded; `more` units in the last place away at most, beside the half from rounding, and
/// what `f32` loses where large terms cancel.
#[track_caller]
pub fn assert_rounded<T: Float, D: Dimension>(found: &Array<T, D>, expected: &Array<f64, D>, more: f64, what: &str) {
    assert_eq!(found.shape(), expected.shape(), "{what}");
    let largest = expected.iter().copied().filter(|x| x.is_finite()).fold(0.0, |most: f64, x| most.max(x.abs()));
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let (nearest, found) = (T::of(*expected).f64(), found.f64());
        if nearest.is_nan() || nearest.is_infinite() || found.is_infinite() {
            let same = found == nearest || found.is_nan() && nearest.is_nan();
            assert!(same, "{what}, element {at}: {found} for {expected}");
            continue;
        }
        let error = (found - expected).abs();
        let units = error / gap::<T>(*expected);
        let fits = error <= (0.5 + more) * gap::<T>(*expected) + 1e-6 * largest;
        assert!(fits, "{what}, element {at}: {found} for {expected}, {units} units in the last place");
    }
}

/// Calls a test of a type for both halves and `f32`.
#[macro_export]
macro_rules! for_each_type {
    ($($name:ident)*) => { $(
        mod $name {
            #[test]
            fn in_f16() {
                super::$name::<pullback::f16>();
            }
            #[test]
            fn in_bf16() {
                super::$name::<pullback::bf16>();
            }
            #[test]
            fn in_f32() {
                super::$name::<f32>();
            }
        }
    )* };
}

#[test]
fn gaps_are_those_of_the_types() {
    assert_eq!(gap::<f16>(1.5), 1.0 / 1024.0);
    assert_eq!(gap::<bf16>(-3.0), 1.0 / 64.0);
    assert_eq!(gap::<f16>(0.0), f16::from_bits(1).to_f64());
    assert_eq!(gap::<f16>(1e-7), f16::from_bits(1).to_f64());
    assert_eq!(gap::<f32>(1.0), f64::from(f32::EPSILON));
}
