//! Two-dimensional convolution (cross-correlation): V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep
//! learning", 2016, arXiv:1603.07285, chapter 2; the documentation of PyTorch's `Conv2d`, one group.
//! Arrays are `(N, I, H, W)`, weights `(O, I, KH, KW)`.

use super::window::Tap;
use super::{Invalid, Window2d, check, extents4};
use ndarray::{Array4, ArrayD};

/// Gradients of a convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv2dGrads {
    /// Of the input.
    pub x: ArrayD<f64>,
    /// Of the weight.
    pub weight: ArrayD<f64>,
    /// Of the bias.
    pub bias: Vec<f64>,
}

/// Every product of the convolution: calls `f(n, o, i, [oh, ow], [kh, kw], [h, w])` for each tap that meets an element.
/// Padding contributes zeros, so it is left out.
fn products(
    [n, inputs, h, w]: [usize; 4],
    outputs: usize,
    k: &Window2d,
    mut f: impl FnMut(usize, usize, usize, [usize; 2], [usize; 2], [usize; 2]),
) -> Result<(), Invalid> {
    let [oh, ow] = k.output([h, w])?;
    for i in 0..oh {
        for j in 0..ow {
            for tap in k.taps() {
                let Tap::Element(row, column) = k.tap([h, w], [i, j], tap) else { continue };
                for n in 0..n {
                    for o in 0..outputs {
                        for input in 0..inputs {
                            f(n, o, input, [i, j], tap, [row, column]);
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

fn check_shapes(x: &ArrayD<f64>, weight: &ArrayD<f64>, k: &Window2d) -> Result<([usize; 4], [usize; 4]), Invalid> {
    let image = extents4(x, "the input must have the axes (N, I, H, W)")?;
    let [outputs, inputs, kh, kw] = extents4(weight, "the weight must have the axes (O, I, KH, KW)")?;
    check(inputs == image[1], "weight and input must have as many input channels")?;
    check(k.kernel == [kh, kw], "the window's kernel must be as large as the weight")?;
    let [oh, ow] = k.output([image[2], image[3]])?;
    Ok((image, [image[0], outputs, oh, ow]))
}

/// `y[n, o, oh, ow] = Σ x[n, i, oh·s + kh·d − p, ow·s + kw·d − p]·weight[o, i, kh, kw] + bias[o]`, x being zero outside.
pub fn conv2d_forward(x: &ArrayD<f64>, weight: &ArrayD<f64>, bias: Option<&[f64]>, k: &Window2d) -> Result<ArrayD<f64>, Invalid> {
    let (image, output) = check_shapes(x, weight, k)?;
    check(bias.is_none_or(|b| b.len() == output[1]), "the bias must have one value an output channel")?;
    let mut y = Array4::from_shape_fn(output, |(_, o, _, _)| bias.map_or(0.0, |b| b[o]));
    products(image, output[1], k, |n, o, i, [oh, ow], [kh, kw], [h, w]| {
        y[[n, o, oh, ow]] += x[[n, i, h, w]] * weight[[o, i, kh, kw]];
    })?;
    Ok(y.into_dyn())
}

/// The gradients of [`conv2d_forward`]: each product `x·weight` hands `dy·weight` to x and `dy·x` to the weight.
pub fn conv2d_backward(dy: &ArrayD<f64>, x: &ArrayD<f64>, weight: &ArrayD<f64>, k: &Window2d) -> Result<Conv2dGrads, Invalid> {
    let (image, output) = check_shapes(x, weight, k)?;
    check(dy.shape() == output, "the cotangent must have the shape of the output")?;
    let mut dx = ArrayD::zeros(x.raw_dim());
    let mut dweight = ArrayD::zeros(weight.raw_dim());
    products(image, output[1], k, |n, o, i, [oh, ow], [kh, kw], [h, w]| {
        let dy = dy[[n, o, oh, ow]];
        dx[[n, i, h, w]] += dy * weight[[o, i, kh, kw]];
        dweight[[o, i, kh, kw]] += dy * x[[n, i, h, w]];
    })?;
    let mut dbias = vec![0.0; output[1]];
    for (index, dy) in dy.indexed_iter() {
        dbias[index[1]] += dy;
    }
    Ok(Conv2dGrads { x: dx, weight: dweight, bias: dbias })
}

#[cfg(test)]
mod tests {
    use super::super::finite::{array, assert_array_gradient, assert_gradient, inner, values};
    use super::*;
    use ndarray::Array;

    fn plane(shape: [usize; 2], values: &[f64]) -> ArrayD<f64> {
        Array::from(values.to_vec()).into_shape_with_order(vec![1, 1, shape[0], shape[1]]).unwrap()
    }

    #[test]
    fn one_row_by_hand() {
        let (x, weight) = (plane([1, 3], &[1.0, 2.0, 3.0]), plane([1, 2], &[10.0, 1.0]));
        let k = Window2d { stride: [1, 1], padding: [0, 1], ..Window2d::new([1, 2]) };
        let y = conv2d_forward(&x, &weight, Some(&[0.5]), &k).unwrap();
        assert_eq!(y, plane([1, 4], &[1.5, 12.5, 23.5, 30.5]));
        let grads = conv2d_backward(&plane([1, 4], &[1.0, 0.0, 0.0, 2.0]), &x, &weight, &k).unwrap();
        assert_eq!(grads.x, plane([1, 3], &[1.0, 0.0, 20.0]));
        assert_eq!(grads.weight, plane([1, 2], &[6.0, 1.0]));
        assert_eq!(grads.bias, [3.0]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let base = Window2d { stride: [1, 1], ..Window2d::new([3, 2]) };
        let windows = [
            Window2d { padding: [1, 1], ..base },
            Window2d { stride: [2, 3], padding: [2, 0], ..base },
            Window2d { stride: [1, 2], padding: [1, 3], dilation: [2, 3], ..base },
        ];
        for k in windows {
            let (x, weight, bias) = (array(&[2, 2, 5, 5], 1), array(&[3, 2, 3, 2], 2), values(3, 3));
            let forward = |x: &ArrayD<f64>, w: &ArrayD<f64>, b: &[f64]| conv2d_forward(x, w, Some(b), &k).unwrap();
            let dy = array(forward(&x, &weight, &bias).shape(), 4);
            let grads = conv2d_backward(&dy, &x, &weight, &k).unwrap();
            assert_array_gradient(|x| inner(&forward(x, &weight, &bias), &dy), &x, &grads.x);
            assert_array_gradient(|w| inner(&forward(&x, w, &bias), &dy), &weight, &grads.weight);
            assert_gradient(|b| inner(&forward(&x, &weight, b), &dy), &bias, &grads.bias);
        }
    }
}
