//! Inverted dropout: N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15,
//! 2014, section 10 (the kept values are scaled up while training); whole channels as in J. Tompson et al., "Efficient
//! Object Localization Using Convolutional Networks", 2015, arXiv:1411.4280, section 3.2.

use super::{Invalid, check};
use ndarray::ArrayD;

/// Which of `count` elements a stream of 32-bit draws keeps: those where `bits < keep·2³²`.
///
/// `bits` gives the draw of an element by its row-major index, as `pullback::rng::bits(seed, draw, element)` does.
pub fn keep_mask(count: usize, keep: f64, bits: impl Fn(u64) -> u32) -> Vec<bool> {
    let bound = keep * (1u64 << 32) as f64;
    (0..count as u64).map(|element| f64::from(bits(element)) < bound).collect()
}

/// What an element is multiplied by. Dropped NaNs and infinities become NaN: dropping multiplies by 0.
fn noise(kept: bool, p: f64) -> f64 {
    if kept && p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 }
}

fn check_probability(p: f64) -> Result<(), Invalid> {
    check((0.0..=1.0).contains(&p), "the dropout probability must lie in [0, 1]")
}

/// `y = x·keep/(1 − p)`: `kept` has one entry an element, row-major.
pub fn dropout_forward(x: &ArrayD<f64>, kept: &[bool], p: f64) -> Result<ArrayD<f64>, Invalid> {
    check_probability(p)?;
    check(kept.len() == x.len(), "the mask must have one entry an element")?;
    let mut y = ArrayD::zeros(x.raw_dim());
    for ((y, x), &kept) in y.iter_mut().zip(x).zip(kept) {
        *y = x * noise(kept, p);
    }
    Ok(y)
}

/// The gradient of [`dropout_forward`], which is linear: the same map.
pub fn dropout_backward(dy: &ArrayD<f64>, kept: &[bool], p: f64) -> Result<ArrayD<f64>, Invalid> {
    dropout_forward(dy, kept, p)
}

/// Dropout of whole channels of `(N, C, ...)`: `kept` has one entry for each of `(N, C)`, row-major.
pub fn channel_dropout_forward(x: &ArrayD<f64>, kept: &[bool], p: f64) -> Result<ArrayD<f64>, Invalid> {
    check_probability(p)?;
    check(x.ndim() >= 2, "the input must have a batch axis and a channel axis")?;
    let channels = x.shape()[1];
    check(kept.len() == x.shape()[0] * channels, "the mask must have one entry a channel of each sample")?;
    let mut y = ArrayD::zeros(x.raw_dim());
    for (index, x) in x.indexed_iter() {
        y[&index] = x * noise(kept[index[0] * channels + index[1]], p);
    }
    Ok(y)
}

/// The gradient of [`channel_dropout_forward`], which is linear: the same map.
pub fn channel_dropout_backward(dy: &ArrayD<f64>, kept: &[bool], p: f64) -> Result<ArrayD<f64>, Invalid> {
    channel_dropout_forward(dy, kept, p)
}

#[cfg(test)]
mod tests {
    use super::super::finite::{array, assert_array_gradient, inner};
    use super::*;
    use ndarray::arr2;

    #[test]
    fn the_mask_compares_bits() {
        let bits = |element: u64| [0, 1 << 31, (1 << 31) - 1, u32::MAX][element as usize];
        assert_eq!(keep_mask(4, 0.5, bits), [true, false, true, false]);
        assert_eq!(keep_mask(4, 1.0, bits), [true; 4]);
        assert_eq!(keep_mask(4, 0.0, bits), [false; 4]);
    }

    #[test]
    fn the_mask_of_the_generator_is_what_a_formula_draws() {
        let kept = keep_mask(1000, 0.7, |element| crate::rng::bits(5, 0, element));
        let drawn: Vec<bool> = (0..1000).map(|element| crate::rng::keeps(crate::rng::bits(5, 0, element), 0.7)).collect();
        assert_eq!(kept, drawn);
        let share = kept.iter().filter(|kept| **kept).count();
        assert!((650..750).contains(&share), "{share} of 1000");
    }

    #[test]
    fn kept_elements_are_scaled_up() {
        let x = arr2(&[[1.0, 2.0], [f64::NAN, 4.0]]).into_dyn();
        let y = dropout_forward(&x, &[true, false, false, true], 0.75).unwrap();
        assert_eq!(y[[0, 0]], 4.0);
        assert_eq!(y[[0, 1]], 0.0);
        assert!(y[[1, 0]].is_nan());
        assert_eq!(y[[1, 1]], 16.0);
        let y = channel_dropout_forward(&x, &[true, false, true, true], 0.5).unwrap();
        assert_eq!((y[[0, 0]], y[[0, 1]], y[[1, 1]]), (2.0, 0.0, 8.0));
        let all = dropout_forward(&arr2(&[[1.0, -2.0]]).into_dyn(), &[false; 2], 1.0).unwrap();
        assert!(all.iter().all(|&v| v == 0.0));
        assert!(dropout_forward(&x, &[true; 4], 1.5).is_err());
        assert!(dropout_forward(&x, &[true; 4], f64::NAN).is_err());
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let (x, dy) = (array(&[2, 3, 2], 1), array(&[2, 3, 2], 2));
        let kept: Vec<_> = (0..12).map(|i| i % 3 != 0).collect();
        let dx = dropout_backward(&dy, &kept, 0.3).unwrap();
        assert_array_gradient(|x| inner(&dropout_forward(x, &kept, 0.3).unwrap(), &dy), &x, &dx);
        let dx = channel_dropout_backward(&dy, &kept[..6], 0.3).unwrap();
        assert_array_gradient(|x| inner(&channel_dropout_forward(x, &kept[..6], 0.3).unwrap(), &dy), &x, &dx);
    }
}
