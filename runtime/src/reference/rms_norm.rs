//! Root-mean-square normalisation over the last axis: B. Zhang, R. Sennrich, "Root Mean Square Layer Normalization",
//! 2019, arXiv:1910.07467, equation 4; the place of ε as in PyTorch's `RMSNorm`.

use super::{Invalid, NormGrads, check, check_same_shape, rows, unrows};
use ndarray::{Array2, ArrayD};

/// √(mean(x²) + ε) of one row.
fn root(row: &[f64], eps: f64) -> f64 {
    (row.iter().map(|v| v * v).sum::<f64>() / row.len() as f64 + eps).sqrt()
}

/// `y = γ·x/√(mean(x²) + ε)`.
pub fn rms_norm_forward(x: &ArrayD<f64>, gamma: &[f64], eps: f64) -> Result<ArrayD<f64>, Invalid> {
    let mut y = rows(x)?;
    check(gamma.len() == y.ncols(), "gamma must be as long as the last axis")?;
    for mut row in y.rows_mut() {
        let rms = root(&row.to_vec(), eps);
        for (c, value) in row.iter_mut().enumerate() {
            *value = gamma[c] * *value / rms;
        }
    }
    unrows(y, x.shape())
}

/// The gradients of [`rms_norm_forward`]: with `ĝ = γ·dy` and `x̂ = x/rms`, `dx = (ĝ − x̂·mean(x̂·ĝ))/rms`,
/// `dγ = Σ dy·x̂`. There is no shift.
pub fn rms_norm_backward(dy: &ArrayD<f64>, x: &ArrayD<f64>, gamma: &[f64], eps: f64) -> Result<NormGrads, Invalid> {
    check_same_shape(dy, x)?;
    let (shape, x, dy) = (x.shape(), rows(x)?, rows(dy)?);
    let (height, width) = x.dim();
    check(gamma.len() == width, "gamma must be as long as the last axis")?;
    let mut dx = Array2::zeros((height, width));
    let mut dgamma = vec![0.0; width];
    for n in 0..height {
        let rms = root(&x.row(n).to_vec(), eps);
        let mean_gx = (0..width).map(|c| gamma[c] * dy[[n, c]] * x[[n, c]] / rms).sum::<f64>() / width as f64;
        for c in 0..width {
            let xhat = x[[n, c]] / rms;
            dx[[n, c]] = (gamma[c] * dy[[n, c]] - xhat * mean_gx) / rms;
            dgamma[c] += dy[[n, c]] * xhat;
        }
    }
    Ok(NormGrads { x: unrows(dx, shape)?, gamma: dgamma, beta: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::super::finite::{array, assert_array_gradient, assert_gradient, inner, values};
    use super::*;
    use approx::assert_relative_eq;
    use ndarray::arr2;

    #[test]
    fn one_row_by_hand() {
        // mean(x²) = 25/2; with ε = 7/2 the root is 4.
        let x = arr2(&[[3.0, 4.0]]).into_dyn();
        let y = rms_norm_forward(&x, &[2.0, 1.0], 3.5).unwrap();
        assert_relative_eq!(y, arr2(&[[1.5, 1.0]]).into_dyn());
        let grads = rms_norm_backward(&arr2(&[[0.0, 8.0]]).into_dyn(), &x, &[2.0, 1.0], 3.5).unwrap();
        // ĝ = (0, 8), x̂ = (3/4, 1), mean(x̂·ĝ) = 4.
        assert_relative_eq!(grads.x, arr2(&[[-0.75, 1.0]]).into_dyn());
        assert_eq!(grads.gamma, [0.0, 8.0]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let (x, dy, gamma) = (array(&[2, 3, 4], 1), array(&[2, 3, 4], 2), values(4, 3));
        let grads = rms_norm_backward(&dy, &x, &gamma, 0.01).unwrap();
        assert_array_gradient(|x| inner(&rms_norm_forward(x, &gamma, 0.01).unwrap(), &dy), &x, &grads.x);
        assert_gradient(|gamma| inner(&rms_norm_forward(&x, gamma, 0.01).unwrap(), &dy), &gamma, &grads.gamma);
    }
}
