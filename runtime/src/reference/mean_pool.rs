//! Mean pooling over two axes: the documentation of PyTorch's `AvgPool2d`, and for the divisor
//! `aten/src/ATen/native/cpu/AvgPoolKernel.cpp`. Arrays are `(N, C, H, W)`.

use super::window::Tap;
use super::{Invalid, Window2d, check, extents4};
use ndarray::{Array4, ArrayD};

const SHAPE: &str = "the input must have the axes (N, C, H, W)";

/// The elements under a window, and what their sum is divided by: the override; else, padding counted, all that lies in
/// the padded image; else the elements alone.
fn members(k: &Window2d, image: [usize; 2], out: [usize; 2]) -> Result<(Vec<[usize; 2]>, f64), Invalid> {
    let mut elements = Vec::new();
    let mut counted = 0;
    for tap in k.taps() {
        match k.tap(image, out, tap) {
            Tap::Element(row, column) => {
                elements.push([row, column]);
                counted += 1;
            }
            Tap::Padding if k.count_padding => counted += 1,
            Tap::Padding | Tap::Beyond => {}
        }
    }
    check(counted > 0, "a window has no element")?;
    let divisor = k.divisor.map_or(f64::from(counted), |divisor| divisor as f64);
    Ok((elements, divisor))
}

/// The mean of each window.
pub fn mean_pool2d_forward(x: &ArrayD<f64>, k: &Window2d) -> Result<ArrayD<f64>, Invalid> {
    let [n, c, h, w] = extents4(x, SHAPE)?;
    let [oh, ow] = k.pooled([h, w])?;
    let mut y = Array4::zeros((n, c, oh, ow));
    for i in 0..oh {
        for j in 0..ow {
            let (elements, divisor) = members(k, [h, w], [i, j])?;
            for n in 0..n {
                for c in 0..c {
                    let sum: f64 = elements.iter().map(|&[row, column]| x[[n, c, row, column]]).sum();
                    y[[n, c, i, j]] = sum / divisor;
                }
            }
        }
    }
    Ok(y.into_dyn())
}

/// The gradient of [`mean_pool2d_forward`] for an input of the shape `shape`: every element gets `dy` of each window it
/// lies in, over the divisor of the forward.
pub fn mean_pool2d_backward(dy: &ArrayD<f64>, shape: &[usize], k: &Window2d) -> Result<ArrayD<f64>, Invalid> {
    let [n, c, h, w] = shape.try_into().map_err(|_| Invalid(SHAPE))?;
    let [oh, ow] = k.pooled([h, w])?;
    check(dy.shape() == [n, c, oh, ow], "the cotangent must have the shape of the output")?;
    let mut dx = Array4::zeros((n, c, h, w));
    for i in 0..oh {
        for j in 0..ow {
            let (elements, divisor) = members(k, [h, w], [i, j])?;
            for n in 0..n {
                for c in 0..c {
                    for &[row, column] in &elements {
                        dx[[n, c, row, column]] += dy[[n, c, i, j]] / divisor;
                    }
                }
            }
        }
    }
    Ok(dx.into_dyn())
}

#[cfg(test)]
mod tests {
    use super::super::finite::{array, assert_array_gradient, inner};
    use super::*;
    use approx::assert_relative_eq;
    use ndarray::{Array, arr2};

    /// 1 2 3 / 4 5 6 / 7 8 9, as one channel of one image.
    fn nine() -> ArrayD<f64> {
        Array::from_iter((1..=9).map(f64::from)).into_shape_with_order(vec![1, 1, 3, 3]).unwrap()
    }

    #[test]
    fn divisors_worked_out_by_hand() {
        let plane = |y: ArrayD<f64>| y.into_shape_with_order((2, 2)).unwrap();
        let base = Window2d { stride: [2, 2], padding: [1, 1], ..Window2d::new([2, 2]) };
        let y = plane(mean_pool2d_forward(&nine(), &base).unwrap());
        assert_relative_eq!(y, arr2(&[[1.0, 2.5], [5.5, 7.0]]));
        let y = plane(mean_pool2d_forward(&nine(), &Window2d { count_padding: true, ..base }).unwrap());
        assert_relative_eq!(y, arr2(&[[0.25, 1.25], [2.75, 7.0]]));
        let y = plane(mean_pool2d_forward(&nine(), &Window2d { divisor: Some(-2), ..base }).unwrap());
        assert_relative_eq!(y, arr2(&[[-0.5, -2.5], [-5.5, -14.0]]));
        // Ceil mode without padding: the last window holds the 9 alone, overhang is never counted.
        let ceil = Window2d { ceil_mode: true, count_padding: true, ..Window2d::new([2, 2]) };
        let y = plane(mean_pool2d_forward(&nine(), &ceil).unwrap());
        assert_relative_eq!(y, arr2(&[[3.0, 4.5], [7.5, 9.0]]));
        let dx = mean_pool2d_backward(&ArrayD::ones(vec![1, 1, 2, 2]), &[1, 1, 3, 3], &ceil).unwrap();
        assert_relative_eq!(
            dx.into_shape_with_order((3, 3)).unwrap(),
            arr2(&[[0.25, 0.25, 0.5], [0.25, 0.25, 0.5], [0.5, 0.5, 1.0]])
        );
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let base = Window2d::new([3, 2]);
        let windows = [
            base,
            Window2d { stride: [1, 2], padding: [1, 1], ..base },
            Window2d { stride: [2, 1], dilation: [2, 3], ceil_mode: true, ..base },
            Window2d { stride: [2, 3], padding: [1, 1], count_padding: true, ceil_mode: true, ..base },
            Window2d { stride: [1, 1], divisor: Some(-3), ..base },
        ];
        for k in windows {
            let x = array(&[2, 2, 6, 5], 1);
            let dy = array(mean_pool2d_forward(&x, &k).unwrap().shape(), 2);
            let dx = mean_pool2d_backward(&dy, x.shape(), &k).unwrap();
            assert_array_gradient(|x| inner(&mean_pool2d_forward(x, &k).unwrap(), &dy), &x, &dx);
        }
    }

    #[test]
    fn a_window_over_nothing_is_refused() {
        // Dilated by 2 and padded by 1, both positions straddle an image of one row.
        let k = Window2d { padding: [1, 0], dilation: [2, 1], ..Window2d::new([2, 1]) };
        assert!(mean_pool2d_forward(&ArrayD::ones(vec![1, 1, 1, 1]), &k).is_err());
        assert!(mean_pool2d_forward(&ArrayD::ones(vec![1, 1, 1, 1]), &Window2d { count_padding: true, ..k }).is_ok());
    }
}
