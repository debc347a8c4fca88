//! A large batch gives what its parts give: blocks, parts and threads must not show.

use pullback::layers::*;
use pullback::ndarray::{Array1, Array2, Array4, Axis, concatenate, s};
use pullback::prelude::*;

fn images(n: usize, c: usize, h: usize) -> Array4<f32> {
    Array4::from_shape_fn((n, c, h, h), |(i, j, k, l)| ((i * 7 + j * 5 + k * 3 + l) as f32 * 0.37).sin())
}

#[test]
fn convolution_of_a_large_batch() {
    let x = images(700, 4, 8);
    let w = Array4::from_shape_fn((8, 4, 3, 3), |(i, j, k, l)| ((i + 2 * j + 3 * k + 5 * l) as f32 * 0.71).cos());
    let k = Window::new([3, 3]).stride([1, 1]).padding([1, 1]);
    let whole = conv2d(&x, &w, None, k).unwrap();
    let parts: Vec<_> = (0..70).map(|i| conv2d(&x.slice(s![i * 10..i * 10 + 10, .., .., ..]), &w, None, k).unwrap()).collect();
    let views: Vec<_> = parts.iter().map(|p| p.view()).collect();
    approx::assert_relative_eq!(whole, concatenate(Axis(0), &views).unwrap(), max_relative = 1e-4, epsilon = 1e-4);
}

#[test]
fn pool_of_a_large_batch() {
    let x = images(700, 4, 8);
    let k = Window::new([2, 2]);
    let whole = max_pool2d(&x, k).unwrap();
    let parts: Vec<_> = (0..70).map(|i| max_pool2d(&x.slice(s![i * 10..i * 10 + 10, .., .., ..]), k).unwrap()).collect();
    let views: Vec<_> = parts.iter().map(|p| p.view()).collect();
    approx::assert_relative_eq!(whole, concatenate(Axis(0), &views).unwrap());
}

#[test]
fn linear_of_a_large_batch() {
    let x = Array2::from_shape_fn((1438, 512), |(i, j)| ((i * 3 + j) as f32 * 0.37).sin());
    let w = Array2::from_shape_fn((10, 512), |(i, j)| ((i * 5 + j) as f32 * 0.11).cos());
    let whole = linear(&x, &w, None).unwrap();
    let parts: Vec<_> = (0..1438).map(|i| linear(&x.slice(s![i..i + 1, ..]), &w, None).unwrap()).collect();
    let views: Vec<_> = parts.iter().map(|p| p.view()).collect();
    approx::assert_relative_eq!(whole, concatenate(Axis(0), &views).unwrap(), max_relative = 1e-4, epsilon = 1e-4);
}

/// With a momentum of 1/n the running statistics are the averages of those of the n batches so far.
#[test]
fn running_statistics_as_a_cumulative_average() {
    let (gamma, beta) = (Array1::<f32>::ones(3), Array1::zeros(3));
    let (mut mean, mut var) = (Array1::<f32>::from_elem(3, 9.0), Array1::from_elem(3, 9.0));
    let (mut means, mut variances) = (Array1::<f32>::zeros(3), Array1::<f32>::zeros(3));
    let all = images(12, 3, 2);
    for (i, batch) in all.axis_chunks_iter(Axis(0), 4).enumerate() {
        let n = (i + 1) as f64;
        batch_norm(&batch, &gamma, &beta, &mut mean, &mut var, 1.0 / n, 1e-5).unwrap();
        let by_channel = batch.permuted_axes([0, 2, 3, 1]).as_standard_layout().into_owned();
        let rows = by_channel.into_shape_with_order((16, 3)).unwrap();
        means += &rows.mean_axis(Axis(0)).unwrap();
        variances += &rows.var_axis(Axis(0), 1.0);
        approx::assert_relative_eq!(mean, &means / n as f32, max_relative = 1e-5, epsilon = 1e-6);
        approx::assert_relative_eq!(var, &variances / n as f32, max_relative = 1e-5, epsilon = 1e-6);
    }
}
