//! Max pooling over two axes: the documentation of PyTorch's `MaxPool2d`, and for ties and NaN
//! `aten/src/ATen/native/cpu/MaxPoolKernel.cpp`. Arrays are `(N, C, H, W)`.

use super::window::Tap;
use super::{Invalid, Window2d, check, extents4};
use ndarray::{Array4, ArrayD};

const SHAPE: &str = "the input must have the axes (N, C, H, W)";

/// The index of a maximum that is padding (which `count_padding` makes zeros): no element receives its gradient.
pub const PADDING: i64 = -1;

/// The maximum of each window, and where it was: an index into the image of its channel, `row·W + column`.
///
/// The rule is `v > best or v is NaN`: the first of equals wins, and the last of NaNs.
pub fn max_pool2d_forward(x: &ArrayD<f64>, k: &Window2d) -> Result<(ArrayD<f64>, ArrayD<i64>), Invalid> {
    let [n, c, h, w] = extents4(x, SHAPE)?;
    check(c > 0, "there must be a channel")?;
    let [oh, ow] = k.pooled([h, w])?;
    let mut y = Array4::zeros((n, c, oh, ow));
    let mut indices = Array4::zeros((n, c, oh, ow));
    for n in 0..n {
        for c in 0..c {
            for i in 0..oh {
                for j in 0..ow {
                    let mut best = None;
                    for tap in k.taps() {
                        let (value, index) = match k.tap([h, w], [i, j], tap) {
                            Tap::Element(row, column) => (x[[n, c, row, column]], (row * w + column) as i64),
                            Tap::Padding if k.count_padding => (0.0, PADDING),
                            Tap::Padding | Tap::Beyond => continue,
                        };
                        if best.is_none_or(|(best, _)| value > best || value.is_nan()) {
                            best = Some((value, index));
                        }
                    }
                    let (value, index) = best.ok_or(Invalid("a window has no element"))?;
                    y[[n, c, i, j]] = value;
                    indices[[n, c, i, j]] = index;
                }
            }
        }
    }
    Ok((y.into_dyn(), indices.into_dyn()))
}

/// The gradient of [`max_pool2d_forward`] for an input of the shape `shape`: each `dy` goes to the element that was the
/// maximum.
pub fn max_pool2d_backward(dy: &ArrayD<f64>, indices: &ArrayD<i64>, shape: &[usize]) -> Result<ArrayD<f64>, Invalid> {
    let [n, c, h, w]: [usize; 4] = shape.try_into().map_err(|_| Invalid(SHAPE))?;
    let fits = dy.ndim() == 4 && dy.shape() == indices.shape() && dy.shape()[..2] == [n, c];
    check(fits, "cotangent and indices must have the shape of the output")?;
    let mut dx = Array4::zeros((n, c, h, w));
    for (at, &index) in indices.indexed_iter() {
        if index == PADDING {
            continue;
        }
        check((0..(h * w) as i64).contains(&index), "an index lies outside the image")?;
        let index = index as usize;
        dx[[at[0], at[1], index / w, index % w]] += dy[&at];
    }
    Ok(dx.into_dyn())
}

#[cfg(test)]
mod tests {
    use super::super::finite::{array, assert_array_gradient, inner};
    use super::*;
    use ndarray::Array;

    fn pool(values: &[f64], k: &Window2d) -> (Vec<f64>, Vec<i64>) {
        let x = Array::from(values.to_vec()).into_shape_with_order(vec![1, 1, 1, values.len()]).unwrap();
        let (y, indices) = max_pool2d_forward(&x, k).unwrap();
        (y.iter().copied().collect(), indices.iter().copied().collect())
    }

    #[test]
    fn ties_go_to_the_first_and_nan_to_the_last() {
        let k = Window2d::new([1, 4]);
        assert_eq!(pool(&[2.0, 7.0, 7.0, 1.0], &k), (vec![7.0], vec![1]));
        let infinity = f64::NEG_INFINITY;
        assert_eq!(pool(&[infinity; 4], &k), (vec![infinity], vec![0]));
        let (y, index) = pool(&[f64::NAN, 9.0, f64::NAN, 10.0], &k);
        assert!(y[0].is_nan());
        // A NaN wins over everything before it; `10 > NaN` does not hold.
        assert_eq!(index, [2]);
    }

    #[test]
    fn padding_is_never_chosen_unless_it_counts() {
        let k = Window2d { stride: [1, 2], padding: [0, 1], ..Window2d::new([1, 3]) };
        assert_eq!(pool(&[-3.0, -4.0, -1.0, -2.0], &k), (vec![-3.0, -1.0], vec![0, 2]));
        let counted = Window2d { count_padding: true, ..k };
        assert_eq!(pool(&[-3.0, -4.0, -1.0, -2.0], &counted), (vec![0.0, -1.0], vec![PADDING, 2]));
    }

    #[test]
    fn overlapping_windows_add_up() {
        let k = Window2d { stride: [1, 1], ..Window2d::new([1, 2]) };
        let x = Array::from(vec![1.0, 5.0, 2.0]).into_shape_with_order(vec![1, 1, 1, 3]).unwrap();
        let (_, indices) = max_pool2d_forward(&x, &k).unwrap();
        let dy = Array::from(vec![10.0, 100.0]).into_shape_with_order(vec![1, 1, 1, 2]).unwrap();
        let dx = max_pool2d_backward(&dy, &indices, x.shape()).unwrap();
        assert_eq!(dx.iter().copied().collect::<Vec<_>>(), [0.0, 110.0, 0.0]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let base = Window2d::new([3, 2]);
        let windows = [
            base,
            Window2d { stride: [1, 2], padding: [1, 1], ..base },
            Window2d { stride: [2, 1], dilation: [2, 3], ceil_mode: true, ..base },
            Window2d { stride: [2, 3], padding: [1, 1], count_padding: true, ..base },
        ];
        for k in windows {
            let x = array(&[2, 2, 6, 5], 1);
            let (y, indices) = max_pool2d_forward(&x, &k).unwrap();
            let dy = array(y.shape(), 2);
            let dx = max_pool2d_backward(&dy, &indices, x.shape()).unwrap();
            assert_array_gradient(|x| inner(&max_pool2d_forward(x, &k).unwrap().0, &dy), &x, &dx);
        }
    }

    #[test]
    fn an_empty_batch_is_fine_and_an_empty_channel_axis_is_not() {
        let k = Window2d::new([2, 2]);
        let (y, _) = max_pool2d_forward(&ArrayD::zeros(vec![0, 3, 4, 4]), &k).unwrap();
        assert_eq!(y.shape(), [0, 3, 2, 2]);
        assert!(max_pool2d_forward(&ArrayD::zeros(vec![2, 0, 4, 4]), &k).is_err());
    }
}
