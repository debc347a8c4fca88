//! Cross-entropy of logits `(N, C)` against integer labels, averaged over N: I. Goodfellow, Y. Bengio, A. Courville,
//! "Deep Learning", 2016, equation 6.31; PyTorch's `CrossEntropyLoss` without weights and smoothing.

use super::{Invalid, check, log_softmax_forward};
use ndarray::ArrayD;

fn check_labels(logits: &ArrayD<f64>, labels: &[i64]) -> Result<(), Invalid> {
    check(logits.ndim() == 2, "the logits must have the axes (N, C)")?;
    check(labels.len() == logits.shape()[0], "there must be one label a row")?;
    let classes = logits.shape()[1] as i64;
    check(labels.iter().all(|label| (0..classes).contains(label)), "a label lies outside the classes")
}

/// `−mean_n ln softmax(logits)[n, label n]`; NaN for no rows at all, as the mean of nothing.
pub fn cross_entropy_forward(logits: &ArrayD<f64>, labels: &[i64]) -> Result<f64, Invalid> {
    check_labels(logits, labels)?;
    let log_probability = log_softmax_forward(logits)?;
    let total: f64 = labels.iter().enumerate().map(|(n, &label)| log_probability[[n, label as usize]]).sum();
    Ok(-total / labels.len() as f64)
}

/// The gradient of [`cross_entropy_forward`]: `dy·(softmax(logits) − onehot(label))/N`.
pub fn cross_entropy_backward(dy: f64, logits: &ArrayD<f64>, labels: &[i64]) -> Result<ArrayD<f64>, Invalid> {
    check_labels(logits, labels)?;
    let mut dx = log_softmax_forward(logits)?.mapv(f64::exp);
    for (n, &label) in labels.iter().enumerate() {
        dx[[n, label as usize]] -= 1.0;
    }
    Ok(dx * (dy / labels.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::super::finite::{array, assert_array_gradient};
    use super::*;
    use approx::assert_relative_eq;
    use ndarray::arr2;

    #[test]
    fn two_rows_by_hand() {
        let logits = arr2(&[[0.0, 3f64.ln()], [0.0, 0.0]]).into_dyn();
        let loss = cross_entropy_forward(&logits, &[0, 1]).unwrap();
        assert_relative_eq!(loss, (4f64.ln() + 2f64.ln()) / 2.0);
        let dx = cross_entropy_backward(2.0, &logits, &[0, 1]).unwrap();
        assert_relative_eq!(dx, arr2(&[[-0.75, 0.75], [0.5, -0.5]]).into_dyn());
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let (logits, labels) = (array(&[3, 4], 1), [3, 0, 3]);
        let dx = cross_entropy_backward(0.7, &logits, &labels).unwrap();
        assert_array_gradient(|x| 0.7 * cross_entropy_forward(x, &labels).unwrap(), &logits, &dx);
    }

    #[test]
    fn labels_outside_the_classes_are_refused_and_no_rows_are_nan() {
        assert!(cross_entropy_forward(&array(&[1, 4], 1), &[4]).is_err());
        assert!(cross_entropy_forward(&array(&[1, 4], 1), &[-1]).is_err());
        assert!(cross_entropy_forward(&ArrayD::zeros(vec![0, 4]), &[]).unwrap().is_nan());
    }
}
