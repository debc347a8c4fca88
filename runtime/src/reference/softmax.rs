//! Softmax and its logarithm over the last axis: J. S. Bridle, "Probabilistic Interpretation of Feedforward
//! Classification Network Outputs", 1990; shifted by the maximum as in P. Blanchard, D. J. Higham, N. J. Higham,
//! "Accurately computing the log-sum-exp and softmax functions", IMA J. Numer. Anal. 41, 2021, algorithm 3.2.

use super::{Invalid, check_same_shape, rows, unrows};
use ndarray::ArrayD;

/// The largest of a row, NaN if there is one.
fn largest(row: &[f64]) -> f64 {
    row.iter().fold(f64::NEG_INFINITY, |a, &b| if b > a || b.is_nan() { b } else { a })
}

/// `y = exp(x − max x)/Σ exp(x − max x)`.
pub fn softmax_forward(x: &ArrayD<f64>) -> Result<ArrayD<f64>, Invalid> {
    let mut y = rows(x)?;
    for mut row in y.rows_mut() {
        let shift = largest(&row.to_vec());
        let total: f64 = row.iter().map(|v| (v - shift).exp()).sum();
        row.mapv_inplace(|v| (v - shift).exp() / total);
    }
    unrows(y, x.shape())
}

/// The gradient of [`softmax_forward`], from its output: `dx = y·(dy − Σ dy·y)`.
pub fn softmax_backward(dy: &ArrayD<f64>, y: &ArrayD<f64>) -> Result<ArrayD<f64>, Invalid> {
    check_same_shape(dy, y)?;
    let (mut dx, dy, shape) = (rows(y)?, rows(dy)?, y.shape());
    for (mut row, dy) in dx.rows_mut().into_iter().zip(dy.rows()) {
        let weighted: f64 = row.iter().zip(&dy).map(|(y, dy)| y * dy).sum();
        for (y, dy) in row.iter_mut().zip(&dy) {
            *y *= dy - weighted;
        }
    }
    unrows(dx, shape)
}

/// `y = x − max x − ln Σ exp(x − max x)`.
pub fn log_softmax_forward(x: &ArrayD<f64>) -> Result<ArrayD<f64>, Invalid> {
    let mut y = rows(x)?;
    for mut row in y.rows_mut() {
        let shift = largest(&row.to_vec());
        let total: f64 = row.iter().map(|v| (v - shift).exp()).sum();
        row.mapv_inplace(|v| v - shift - total.ln());
    }
    unrows(y, x.shape())
}

/// The gradient of [`log_softmax_forward`], from its output: `dx = dy − exp(y)·Σ dy`.
pub fn log_softmax_backward(dy: &ArrayD<f64>, y: &ArrayD<f64>) -> Result<ArrayD<f64>, Invalid> {
    check_same_shape(dy, y)?;
    let (mut dx, dy, shape) = (rows(y)?, rows(dy)?, y.shape());
    for (mut row, dy) in dx.rows_mut().into_iter().zip(dy.rows()) {
        let total = dy.sum();
        for (y, dy) in row.iter_mut().zip(&dy) {
            *y = dy - y.exp() * total;
        }
    }
    unrows(dx, shape)
}

#[cfg(test)]
mod tests {
    use super::super::finite::{array, assert_array_gradient, inner};
    use super::*;
    use approx::assert_relative_eq;
    use ndarray::arr2;

    #[test]
    fn one_row_by_hand() {
        // Weights 1 : 3, whatever the shift; large values must not overflow.
        let x = arr2(&[[1000.0, 1000.0 + 3f64.ln()]]).into_dyn();
        let y = softmax_forward(&x).unwrap();
        assert_relative_eq!(y, arr2(&[[0.25, 0.75]]).into_dyn(), epsilon = 1e-12);
        assert_relative_eq!(log_softmax_forward(&x).unwrap(), y.mapv(f64::ln), epsilon = 1e-12);
        let dx = softmax_backward(&arr2(&[[4.0, 0.0]]).into_dyn(), &arr2(&[[0.25, 0.75]]).into_dyn()).unwrap();
        assert_relative_eq!(dx, arr2(&[[0.75, -0.75]]).into_dyn());
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let (x, dy) = (array(&[2, 3, 4], 1), array(&[2, 3, 4], 2));
        let dx = softmax_backward(&dy, &softmax_forward(&x).unwrap()).unwrap();
        assert_array_gradient(|x| inner(&softmax_forward(x).unwrap(), &dy), &x, &dx);
        let dx = log_softmax_backward(&dy, &log_softmax_forward(&x).unwrap()).unwrap();
        assert_array_gradient(|x| inner(&log_softmax_forward(x).unwrap(), &dy), &x, &dx);
    }

    #[test]
    fn rows_without_a_finite_maximum_are_nan() {
        for row in [[f64::NEG_INFINITY; 2], [0.0, f64::INFINITY], [f64::NAN, 0.0]] {
            assert!(softmax_forward(&arr2(&[row]).into_dyn()).unwrap().iter().all(|v| v.is_nan()));
        }
        let one_out = softmax_forward(&arr2(&[[f64::NEG_INFINITY, 5.0]]).into_dyn()).unwrap();
        assert_eq!(one_out, arr2(&[[0.0, 1.0]]).into_dyn());
    }
}
