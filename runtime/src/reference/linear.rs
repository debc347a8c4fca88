//! The linear layer over the last axis: the documentation of PyTorch's `Linear`, `y = x·Aᵀ + b`.

use super::{Invalid, check, rows, unrows};
use ndarray::{Array2, ArrayD};

/// Gradients of a linear layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearGrads {
    /// Of the input.
    pub x: ArrayD<f64>,
    /// Of the weight.
    pub weight: Array2<f64>,
    /// Of the bias.
    pub bias: Vec<f64>,
}

/// `y[.., o] = Σᵢ x[.., i]·weight[o, i] + bias[o]`; no bias is a bias of zeros.
pub fn linear_forward(x: &ArrayD<f64>, weight: &Array2<f64>, bias: Option<&[f64]>) -> Result<ArrayD<f64>, Invalid> {
    let input = rows(x)?;
    let (outputs, inputs) = weight.dim();
    check(input.ncols() == inputs, "the weight must be as wide as the last axis")?;
    check(bias.is_none_or(|b| b.len() == outputs), "the bias must have one value an output")?;
    let mut y = Array2::zeros((input.nrows(), outputs));
    for n in 0..input.nrows() {
        for o in 0..outputs {
            let products = (0..inputs).map(|i| input[[n, i]] * weight[[o, i]]);
            y[[n, o]] = products.sum::<f64>() + bias.map_or(0.0, |b| b[o]);
        }
    }
    unrows(y, &with_last(x.shape(), outputs))
}

/// The gradients of [`linear_forward`]: `dx = dy·A`, `dA = dyᵀ·x`, `db = Σ dy`.
pub fn linear_backward(dy: &ArrayD<f64>, x: &ArrayD<f64>, weight: &Array2<f64>) -> Result<LinearGrads, Invalid> {
    let (outputs, inputs) = weight.dim();
    check(x.shape().last() == Some(&inputs), "the weight must be as wide as the last axis")?;
    check(dy.shape() == with_last(x.shape(), outputs), "the cotangent must have the shape of the output")?;
    let (input, dy) = (rows(x)?, rows(dy)?);
    let mut dx = Array2::zeros(input.dim());
    let mut dweight = Array2::zeros(weight.dim());
    let mut dbias = vec![0.0; outputs];
    for n in 0..input.nrows() {
        for o in 0..outputs {
            for i in 0..inputs {
                dx[[n, i]] += dy[[n, o]] * weight[[o, i]];
                dweight[[o, i]] += dy[[n, o]] * input[[n, i]];
            }
            dbias[o] += dy[[n, o]];
        }
    }
    Ok(LinearGrads { x: unrows(dx, x.shape())?, weight: dweight, bias: dbias })
}

fn with_last(shape: &[usize], last: usize) -> Vec<usize> {
    let mut shape = shape.to_vec();
    if let Some(extent) = shape.last_mut() {
        *extent = last;
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::super::finite::{array, assert_array_gradient, assert_gradient, inner, values};
    use super::*;
    use ndarray::{Ix2, arr2};

    #[test]
    fn one_row_by_hand() {
        let (x, weight) = (arr2(&[[1.0, 2.0]]).into_dyn(), arr2(&[[3.0, 4.0], [5.0, 6.0], [0.0, -1.0]]));
        let y = linear_forward(&x, &weight, Some(&[0.5, 0.0, 0.0])).unwrap();
        assert_eq!(y, arr2(&[[11.5, 17.0, -2.0]]).into_dyn());
        let grads = linear_backward(&arr2(&[[1.0, 10.0, 0.0]]).into_dyn(), &x, &weight).unwrap();
        assert_eq!(grads.x, arr2(&[[53.0, 64.0]]).into_dyn());
        assert_eq!(grads.weight, arr2(&[[1.0, 2.0], [10.0, 20.0], [0.0, 0.0]]));
        assert_eq!(grads.bias, [1.0, 10.0, 0.0]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let (x, dy, bias) = (array(&[2, 3, 4], 1), array(&[2, 3, 2], 2), values(2, 3));
        let weight = array(&[2, 4], 4);
        let square = |w: &ArrayD<f64>| w.clone().into_dimensionality::<Ix2>().unwrap();
        let loss = |x: &ArrayD<f64>, w: &ArrayD<f64>, b: &[f64]| inner(&linear_forward(x, &square(w), Some(b)).unwrap(), &dy);
        let grads = linear_backward(&dy, &x, &square(&weight)).unwrap();
        assert_array_gradient(|x| loss(x, &weight, &bias), &x, &grads.x);
        assert_array_gradient(|w| loss(&x, w, &bias), &weight, &grads.weight.into_dyn());
        assert_gradient(|b| loss(&x, &weight, b), &bias, &grads.bias);
    }
}
