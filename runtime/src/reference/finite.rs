//! Central finite differences, and repeatable values to try them on.

use ndarray::ArrayD;

/// Repeatable values, roughly uniform on (−2, 2), no two alike.
pub fn values(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(2).wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64 * 4.0 - 2.0
    };
    (0..count).map(|_| next()).collect()
}

/// An array of [`values`].
pub fn array(shape: &[usize], seed: u64) -> ArrayD<f64> {
    ArrayD::from_shape_vec(shape, values(shape.iter().product(), seed)).unwrap()
}

/// Σ y·dy: a scalar whose gradient by anything that leads to `y` is the backward of `dy`.
pub fn inner(y: &ArrayD<f64>, dy: &ArrayD<f64>) -> f64 {
    y.iter().zip(dy).map(|(y, dy)| y * dy).sum()
}

/// Asserts that `grad` is the gradient of `f` at `x`.
#[track_caller]
pub fn assert_gradient(f: impl Fn(&[f64]) -> f64, x: &[f64], grad: &[f64]) {
    assert_eq!(x.len(), grad.len());
    let step = 1e-6;
    for (i, &expected) in grad.iter().enumerate() {
        let shifted = |by: f64| {
            let mut x = x.to_vec();
            x[i] += by;
            f(&x)
        };
        let slope = (shifted(step) - shifted(-step)) / (2.0 * step);
        let close = approx::relative_eq!(slope, expected, epsilon = 1e-7, max_relative = 1e-6);
        assert!(close, "element {i}: finite difference {slope}, gradient {expected}");
    }
}

/// [`assert_gradient`] by an array.
#[track_caller]
pub fn assert_array_gradient(f: impl Fn(&ArrayD<f64>) -> f64, x: &ArrayD<f64>, grad: &ArrayD<f64>) {
    assert_eq!(x.shape(), grad.shape());
    let flat = |a: &ArrayD<f64>| a.iter().copied().collect::<Vec<_>>();
    let on_slice = |v: &[f64]| f(&ArrayD::from_shape_vec(x.shape(), v.to_vec()).unwrap());
    assert_gradient(on_slice, &flat(x), &flat(grad));
}
