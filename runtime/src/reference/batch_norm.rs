//! Batch normalisation: S. Ioffe, C. Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing
//! Internal Covariate Shift", 2015, arXiv:1502.03167, algorithm 1 and the chain-rule equations of section 3; running
//! statistics as the documentation of PyTorch's `BatchNorm2d` has them.
//!
//! Arrays are `(N, C, ...)`: the channel is the second axis, everything else is reduced over.

use super::{Invalid, NormGrads, check, check_same_shape};
use ndarray::ArrayD;

/// Mean and biased variance of each channel, and the number of values a channel.
struct Moments {
    mean: Vec<f64>,
    var: Vec<f64>,
    count: f64,
}

fn channels(x: &ArrayD<f64>, per_channel: &[&[f64]]) -> Result<usize, Invalid> {
    check(x.ndim() >= 2, "the input must have a batch axis and a channel axis")?;
    let channels = x.shape()[1];
    check(per_channel.iter().all(|v| v.len() == channels), "there must be one value a channel")?;
    Ok(channels)
}

fn moments(x: &ArrayD<f64>, channels: usize) -> Moments {
    let count = (x.len() / channels.max(1)) as f64;
    let mut mean = vec![0.0; channels];
    for (index, value) in x.indexed_iter() {
        mean[index[1]] += value / count;
    }
    let mut var = vec![0.0; channels];
    for (index, value) in x.indexed_iter() {
        var[index[1]] += (value - mean[index[1]]).powi(2) / count;
    }
    Moments { mean, var, count }
}

fn check_training(x: &ArrayD<f64>, channels: usize, eps: f64) -> Result<(), Invalid> {
    check(x.len() != channels, "training needs more than one value a channel")?;
    check(eps > 0.0, "eps must be positive in training")
}

/// `y = γ·(x − μ)/√(σ² + ε) + β`, with μ and the biased σ² of this batch. The running statistics move towards μ and
/// the *unbiased* variance: `r ← (1 − momentum)·r + momentum·new`. An empty batch leaves them as they are.
pub fn batch_norm_forward(
    x: &ArrayD<f64>,
    gamma: &[f64],
    beta: &[f64],
    running_mean: &mut [f64],
    running_var: &mut [f64],
    momentum: f64,
    eps: f64,
) -> Result<ArrayD<f64>, Invalid> {
    let channels = channels(x, &[gamma, beta, running_mean, running_var])?;
    check_training(x, channels, eps)?;
    let Moments { mean, var, count } = moments(x, channels);
    if count > 0.0 {
        for c in 0..channels {
            let unbiased = var[c] * count / (count - 1.0);
            running_mean[c] = (1.0 - momentum) * running_mean[c] + momentum * mean[c];
            running_var[c] = (1.0 - momentum) * running_var[c] + momentum * unbiased;
        }
    }
    batch_norm_eval_forward(x, gamma, beta, &mean, &var, eps)
}

/// The gradients of [`batch_norm_forward`], by the chain rule through μ and σ² as in section 3 of the paper.
pub fn batch_norm_backward(dy: &ArrayD<f64>, x: &ArrayD<f64>, gamma: &[f64], eps: f64) -> Result<NormGrads, Invalid> {
    let channels = channels(x, &[gamma])?;
    check_same_shape(dy, x)?;
    check_training(x, channels, eps)?;
    let Moments { mean, var, count } = moments(x, channels);

    let mut dgamma = vec![0.0; channels];
    let mut dbeta = vec![0.0; channels];
    let mut dvar = vec![0.0; channels];
    let mut dmean = vec![0.0; channels];
    for (index, dy) in dy.indexed_iter() {
        let c = index[1];
        let (centred, std) = (x[&index] - mean[c], (var[c] + eps).sqrt());
        let dxhat = dy * gamma[c];
        dgamma[c] += dy * centred / std;
        dbeta[c] += dy;
        dvar[c] += dxhat * centred * -0.5 / std.powi(3);
        // The paper's second term of ∂μ, through σ², is a sum of centred values: zero.
        dmean[c] -= dxhat / std;
    }
    let mut dx = ArrayD::zeros(x.raw_dim());
    for (index, dy) in dy.indexed_iter() {
        let c = index[1];
        let (centred, std) = (x[&index] - mean[c], (var[c] + eps).sqrt());
        dx[&index] = dy * gamma[c] / std + dvar[c] * 2.0 * centred / count + dmean[c] / count;
    }
    Ok(NormGrads { x: dx, gamma: dgamma, beta: dbeta })
}

/// `y = γ·(x − m)/√(v + ε) + β` with given statistics, which are constants.
pub fn batch_norm_eval_forward(
    x: &ArrayD<f64>,
    gamma: &[f64],
    beta: &[f64],
    mean: &[f64],
    var: &[f64],
    eps: f64,
) -> Result<ArrayD<f64>, Invalid> {
    channels(x, &[gamma, beta, mean, var])?;
    let mut y = x.clone();
    for (index, value) in y.indexed_iter_mut() {
        let c = index[1];
        *value = gamma[c] * (*value - mean[c]) / (var[c] + eps).sqrt() + beta[c];
    }
    Ok(y)
}

/// The gradients of [`batch_norm_eval_forward`].
pub fn batch_norm_eval_backward(
    dy: &ArrayD<f64>,
    x: &ArrayD<f64>,
    gamma: &[f64],
    mean: &[f64],
    var: &[f64],
    eps: f64,
) -> Result<NormGrads, Invalid> {
    let channels = channels(x, &[gamma, mean, var])?;
    check_same_shape(dy, x)?;
    let mut grads = NormGrads { x: ArrayD::zeros(x.raw_dim()), gamma: vec![0.0; channels], beta: vec![0.0; channels] };
    for (index, dy) in dy.indexed_iter() {
        let c = index[1];
        let std = (var[c] + eps).sqrt();
        grads.x[&index] = dy * gamma[c] / std;
        grads.gamma[c] += dy * (x[&index] - mean[c]) / std;
        grads.beta[c] += dy;
    }
    Ok(grads)
}

#[cfg(test)]
mod tests {
    use super::super::finite::{array, assert_array_gradient, assert_gradient, inner, values};
    use super::*;
    use approx::assert_relative_eq;
    use ndarray::arr2;

    fn forward(x: &ArrayD<f64>, gamma: &[f64], beta: &[f64], eps: f64) -> ArrayD<f64> {
        let mut running = [vec![0.0; gamma.len()], vec![0.0; gamma.len()]];
        let [mean, var] = &mut running;
        batch_norm_forward(x, gamma, beta, mean, var, 0.1, eps).unwrap()
    }

    #[test]
    fn one_channel_by_hand() {
        // μ = 3, σ² = 4 (unbiased 8), ε = 0 up to 1e-300.
        let x = arr2(&[[1.0], [5.0]]).into_dyn();
        let (mut mean, mut var) = ([10.0], [1.0]);
        let y = batch_norm_forward(&x, &[2.0], &[0.5], &mut mean, &mut var, 0.25, 1e-300).unwrap();
        assert_relative_eq!(y, arr2(&[[-1.5], [2.5]]).into_dyn());
        assert_relative_eq!(mean[0], 0.75 * 10.0 + 0.25 * 3.0);
        assert_relative_eq!(var[0], 0.75 + 0.25 * 8.0);
        // Two values are always ±1 after normalising: no gradient reaches them.
        let grads = batch_norm_backward(&arr2(&[[1.0], [3.0]]).into_dyn(), &x, &[2.0], 1e-300).unwrap();
        assert_relative_eq!(grads.x, arr2(&[[0.0], [0.0]]).into_dyn(), epsilon = 1e-12);
        assert_relative_eq!(grads.gamma[0], 2.0);
        assert_relative_eq!(grads.beta[0], 4.0);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let (x, dy) = (array(&[3, 2, 2, 2], 1), array(&[3, 2, 2, 2], 2));
        let (gamma, beta) = (values(2, 3), values(2, 4));
        let grads = batch_norm_backward(&dy, &x, &gamma, 0.1).unwrap();
        assert_array_gradient(|x| inner(&forward(x, &gamma, &beta, 0.1), &dy), &x, &grads.x);
        assert_gradient(|gamma| inner(&forward(&x, gamma, &beta, 0.1), &dy), &gamma, &grads.gamma);
        assert_gradient(|beta| inner(&forward(&x, &gamma, beta, 0.1), &dy), &beta, &grads.beta);
    }

    #[test]
    fn gradients_agree_with_finite_differences_in_evaluation() {
        let (x, dy) = (array(&[3, 2, 4], 1), array(&[3, 2, 4], 2));
        let (gamma, beta, mean, var) = (values(2, 3), values(2, 4), values(2, 5), [0.7, 1.9]);
        let forward = |x: &ArrayD<f64>, gamma: &[f64], beta: &[f64]| {
            inner(&batch_norm_eval_forward(x, gamma, beta, &mean, &var, 1e-5).unwrap(), &dy)
        };
        let grads = batch_norm_eval_backward(&dy, &x, &gamma, &mean, &var, 1e-5).unwrap();
        assert_array_gradient(|x| forward(x, &gamma, &beta), &x, &grads.x);
        assert_gradient(|gamma| forward(&x, gamma, &beta), &gamma, &grads.gamma);
        assert_gradient(|beta| forward(&x, &gamma, beta), &beta, &grads.beta);
    }

    #[test]
    fn one_value_a_channel_is_refused_and_an_empty_batch_is_not() {
        let (mut mean, mut var) = ([0.5, 0.5], [2.0, 2.0]);
        let one = ArrayD::zeros(vec![1, 2]);
        assert!(batch_norm_forward(&one, &[1.0; 2], &[0.0; 2], &mut mean, &mut var, 0.1, 1e-5).is_err());
        let empty = ArrayD::zeros(vec![0, 2, 3]);
        let y = batch_norm_forward(&empty, &[1.0; 2], &[0.0; 2], &mut mean, &mut var, 0.1, 1e-5).unwrap();
        assert_eq!(y.shape(), [0, 2, 3]);
        assert_eq!((mean, var), ([0.5, 0.5], [2.0, 2.0]));
        let grads = batch_norm_backward(&empty, &empty, &[1.0; 2], 1e-5).unwrap();
        assert_eq!(grads.gamma, [0.0, 0.0]);
    }

    #[test]
    fn a_nan_spoils_its_own_channel_only() {
        let mut x = array(&[2, 2, 2], 1);
        x[[0, 1, 0]] = f64::NAN;
        let y = forward(&x, &[1.0; 2], &[0.0; 2], 1e-5);
        for (index, value) in y.indexed_iter() {
            assert_eq!(value.is_nan(), index[1] == 1);
        }
    }
}
