//! Layer normalisation over the last axis: J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016,
//! arXiv:1607.06450, equations 3 and 4; biased variance and the place of ε as in PyTorch's `LayerNorm`.

use super::{Invalid, NormGrads, check, check_same_shape, rows, unrows};
use ndarray::{Array2, ArrayD};

/// Mean and √(biased variance + ε) of one row.
fn moments(row: &[f64], eps: f64) -> (f64, f64) {
    let count = row.len() as f64;
    let mean = row.iter().sum::<f64>() / count;
    let var = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    (mean, (var + eps).sqrt())
}

/// `y = γ·(x − μ)/√(σ² + ε) + β`, with the moments of each row.
pub fn layer_norm_forward(x: &ArrayD<f64>, gamma: &[f64], beta: &[f64], eps: f64) -> Result<ArrayD<f64>, Invalid> {
    let mut y = rows(x)?;
    check(gamma.len() == y.ncols() && beta.len() == y.ncols(), "gamma and beta must be as long as the last axis")?;
    for mut row in y.rows_mut() {
        let (mean, std) = moments(&row.to_vec(), eps);
        for (c, value) in row.iter_mut().enumerate() {
            *value = gamma[c] * (*value - mean) / std + beta[c];
        }
    }
    unrows(y, x.shape())
}

/// The gradients of [`layer_norm_forward`]: with `ĝ = γ·dy` and `x̂ = (x − μ)/σ`,
/// `dx = (ĝ − mean(ĝ) − x̂·mean(ĝ·x̂))/σ`, `dγ = Σ dy·x̂`, `dβ = Σ dy`.
pub fn layer_norm_backward(dy: &ArrayD<f64>, x: &ArrayD<f64>, gamma: &[f64], eps: f64) -> Result<NormGrads, Invalid> {
    check_same_shape(dy, x)?;
    let (shape, x, dy) = (x.shape(), rows(x)?, rows(dy)?);
    let (height, width) = x.dim();
    check(gamma.len() == width, "gamma must be as long as the last axis")?;
    let mut dx = Array2::zeros((height, width));
    let mut dgamma = vec![0.0; width];
    let mut dbeta = vec![0.0; width];
    for n in 0..height {
        let (mean, std) = moments(&x.row(n).to_vec(), eps);
        let xhat = |c: usize| (x[[n, c]] - mean) / std;
        let ghat = |c: usize| gamma[c] * dy[[n, c]];
        let mean_g = (0..width).map(ghat).sum::<f64>() / width as f64;
        let mean_gx = (0..width).map(|c| ghat(c) * xhat(c)).sum::<f64>() / width as f64;
        for c in 0..width {
            dx[[n, c]] = (ghat(c) - mean_g - xhat(c) * mean_gx) / std;
            dgamma[c] += dy[[n, c]] * xhat(c);
            dbeta[c] += dy[[n, c]];
        }
    }
    Ok(NormGrads { x: unrows(dx, shape)?, gamma: dgamma, beta: dbeta })
}

#[cfg(test)]
mod tests {
    use super::super::finite::{array, assert_array_gradient, assert_gradient, inner, values};
    use super::*;
    use approx::assert_relative_eq;
    use ndarray::arr2;

    #[test]
    fn one_row_by_hand() {
        // μ = 2, σ² = 2; with ε = 2 the deviation is 2.
        let x = arr2(&[[0.0, 2.0, 2.0, 4.0]]).into_dyn();
        let y = layer_norm_forward(&x, &[1.0, 1.0, 1.0, 3.0], &[0.0, 0.5, 0.0, 0.0], 2.0).unwrap();
        assert_relative_eq!(y, arr2(&[[-1.0, 0.5, 0.0, 3.0]]).into_dyn());
        // dy picks the first element: x̂ = (−1, 0, 0, 1), mean(ĝ) = 1/4, mean(ĝ·x̂) = −1/4.
        let grads = layer_norm_backward(&arr2(&[[1.0, 0.0, 0.0, 0.0]]).into_dyn(), &x, &[1.0; 4], 2.0).unwrap();
        assert_relative_eq!(grads.x, arr2(&[[0.25, -0.125, -0.125, 0.0]]).into_dyn());
        assert_eq!(grads.gamma, [-1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let (x, dy) = (array(&[2, 3, 5], 1), array(&[2, 3, 5], 2));
        let (gamma, beta) = (values(5, 3), values(5, 4));
        let loss = |x: &ArrayD<f64>, gamma: &[f64], beta: &[f64]| inner(&layer_norm_forward(x, gamma, beta, 0.01).unwrap(), &dy);
        let grads = layer_norm_backward(&dy, &x, &gamma, 0.01).unwrap();
        assert_array_gradient(|x| loss(x, &gamma, &beta), &x, &grads.x);
        assert_gradient(|gamma| loss(&x, gamma, &beta), &gamma, &grads.gamma);
        assert_gradient(|beta| loss(&x, &gamma, beta), &beta, &grads.beta);
    }

    #[test]
    fn a_row_of_one_has_no_gradient_and_a_constant_row_without_eps_is_nan() {
        let x = array(&[3, 1], 1);
        let grads = layer_norm_backward(&array(&[3, 1], 2), &x, &[2.0], 1e-5).unwrap();
        assert!(grads.x.iter().all(|&v| v == 0.0));
        let y = layer_norm_forward(&ArrayD::ones(vec![1, 3]), &[1.0; 3], &[0.0; 3], 0.0).unwrap();
        assert!(y.iter().all(|v| v.is_nan()));
    }
}
