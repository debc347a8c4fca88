//! Half precision as a type: rounding, special numbers.

use pullback::ndarray::{Array1, ArrayD, array};
use pullback::prelude::*;
use pullback::{bf16, f16};

#[derive_backward]
pub fn twice(x: Tensor<f16, N>) -> Tensor<f16, N> {
    2.0 * x
}

#[derive_backward]
pub fn same<T: Float, U: Float>(x: Tensor<T, Many<S>>) -> Tensor<U, Many<S>> {
    x
}

#[derive_backward]
pub fn average(x: Tensor<bf16, (N, C)>, weight: Tensor<f32, C>) -> Tensor<bf16, N> {
    sum(x * weight, C) / sum(weight, C)
}

#[test]
fn special_numbers_stay_what_they_are() {
    let tiny = f16::from_bits(1);
    let x = array![
        f16::NAN,
        f16::INFINITY,
        f16::NEG_INFINITY,
        f16::MAX,
        -f16::MAX,
        tiny,
        -tiny,
        f16::from_f32(-0.0),
        f16::MIN_POSITIVE
    ];
    let (y, saved) = Twice.forward(&x).expect("any length");
    assert!(y[0].is_nan());
    assert_eq!(y[1], f16::INFINITY);
    assert_eq!(y[2], f16::NEG_INFINITY);
    // beyond the largest
    assert_eq!((y[3], y[4]), (f16::INFINITY, f16::NEG_INFINITY));
    assert_eq!((y[5].to_bits(), y[6].to_bits()), (2, 0x8002));
    assert_eq!(y[7].to_bits(), 0x8000);
    assert_eq!(y[8].to_f32(), 2.0 * f16::MIN_POSITIVE.to_f32());
    let dx: Array1<f16> = Twice.backward(&x, &x, &y, &saved).expect("the same shapes").x;
    assert_eq!(dx.mapv(f16::to_bits), y.mapv(f16::to_bits));
}

#[test]
fn every_half_comes_through() {
    // odd lengths and steps, so that every way of reading is taken
    let all: ArrayD<f16> = Array1::from_iter((0..=u16::MAX).map(f16::from_bits)).into_dyn();
    let brains: ArrayD<bf16> = Array1::from_iter((0..=u16::MAX).map(bf16::from_bits)).into_dyn();
    for step in [1, 2, 3, -1, -5] {
        let slice = pullback::ndarray::Slice::new(0, None, step);
        let some = all.slice_axis(pullback::ndarray::Axis(0), slice);
        let f32s = Same.forward::<f16, f32, _>(&some).expect("any shape").0;
        let back = Same.forward::<f32, f16, _>(&f32s).expect("any shape").0;
        let f64s = Same.forward::<f16, f64, _>(&some).expect("any shape").0;
        let again = Same.forward::<f64, f16, _>(&f64s).expect("any shape").0;
        for (i, x) in some.iter().enumerate() {
            assert!(x.to_f32().to_bits() == f32s[i].to_bits() || x.is_nan() && f32s[i].is_nan(), "{x}");
            assert!(x.to_f64().to_bits() == f64s[i].to_bits() || x.is_nan() && f64s[i].is_nan(), "{x}");
            for y in [back[i], again[i]] {
                assert!(x.to_bits() == y.to_bits() || x.is_nan() && y.is_nan(), "{x} became {y}");
            }
        }
        let some = brains.slice_axis(pullback::ndarray::Axis(0), slice);
        let f32s = Same.forward::<bf16, f32, _>(&some).expect("any shape").0;
        let back = Same.forward::<f32, bf16, _>(&f32s).expect("any shape").0;
        for (i, x) in some.iter().enumerate() {
            assert!(x.to_f32().to_bits() == f32s[i].to_bits() || x.is_nan() && f32s[i].is_nan(), "{x}");
            assert!(x.to_bits() == back[i].to_bits() || x.is_nan() && back[i].is_nan(), "{x} became {}", back[i]);
        }
    }
}

/// Between every number and the next: a little less than the middle, the middle, a little more.
fn rounds_to_nearest<T: Float>(of_bits: fn(u16) -> T, infinity: u16, bits: fn(T) -> u16) {
    for i in 0..infinity {
        let (a, b) = (
            of_bits(i).f64(),
            if i + 1 < infinity { of_bits(i + 1).f64() } else { 2.0 * of_bits(i).f64() - of_bits(i - 1).f64() },
        );
        let middle = f64::midpoint(a, b);
        let even = if i % 2 == 0 { i } else { i + 1 };
        for sign in [1.0, -1.0] {
            let found = |x: f64| bits(T::of(sign * x)) & 0x7fff;
            assert_eq!([found(middle.next_down()), found(middle), found(middle.next_up())], [i, even, i + 1], "after {a}");
            // by way of f32 lanes
            let m = middle as f32;
            let x = array![m.next_down(), m, m.next_up()].mapv(|x| sign as f32 * x);
            let y = Same.forward::<f32, T, _>(&x).expect("any shape").0;
            let y: Vec<u16> = y.iter().map(|y| bits(*y) & 0x7fff).collect();
            assert_eq!(y, [i, even, i + 1], "after {a}, from f32");
        }
    }
}

#[test]
fn rounding_is_to_nearest_even() {
    rounds_to_nearest(f16::from_bits, 0x7c00, f16::to_bits);
    rounds_to_nearest(bf16::from_bits, 0x7f80, bf16::to_bits);
    assert!(f16::of(f64::NAN).is_nan() && bf16::of(-f64::NAN).is_nan());
    assert_eq!((f16::of(1e300), bf16::of(-1e300)), (f16::INFINITY, bf16::NEG_INFINITY));
    assert_eq!((f16::of(1e-300).to_bits(), bf16::of(-1e-300).to_bits()), (0, 0x8000));
}

#[test]
fn sums_are_not_rounded_on_the_way() {
    // one by one in bf16 the sum would stop at 256
    let (x, weight) = (pullback::ndarray::Array2::from_elem((2, 3000), bf16::ONE), Array1::<f32>::ones(3000));
    let (y, saved) = Average.forward(&x, &weight).expect("the same lengths");
    assert_eq!(y, array![bf16::ONE, bf16::ONE]);
    let grads = Average.backward(&y, &x, &weight, &y, &saved).expect("the same lengths");
    assert_eq!(grads.x[[0, 0]], bf16::from_f64(1.0 / 3000.0));
    assert!(grads.weight.iter().all(|w| w.abs() < 1e-6));
}
