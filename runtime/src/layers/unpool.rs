use crate::prelude::*;

/// Puts each element where a maximum was: `y[n,c,place[n,c,h,w]] = x[n,c,h,w]`, zero elsewhere; `place` as
/// [`max_pool2d_indices`](crate::layers::max_pool2d_indices) gives it, an index into `oh·ow` elements.
///
/// Where places repeat, the last element in row-major order is written, and it alone has a gradient. (PyTorch's gradient
/// there gives each of them that of the place, which is not the derivative.)
///
/// Shapes: x and place `(N, C, H, W)`, y `(N, C, oh, ow)`; PyTorch's size by default is `(H − 1)·stride − 2·padding +
/// kernel`. Source: M. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", 2013, arXiv:1311.2901;
/// PyTorch's `MaxUnpool2d`.
#[derive_backward]
pub fn max_unpool2d<T: Float>(
    x: Tensor<T, (N, C, H, W)>,
    place: Labels<(N, C, H, W)>,
    oh: usize,
    ow: usize,
) -> Tensor<T, (N, C, OH, OW)> {
    split(scatter(x, place, P, oh * ow, (H, W)), P, (OH, OW), oh)
}

/// [`max_unpool2d`] of sequences. Shapes: x and place `(N, C, L)`, y `(N, C, o)`.
#[derive_backward]
pub fn max_unpool1d<T: Float>(x: Tensor<T, (N, C, L)>, place: Labels<(N, C, L)>, o: usize) -> Tensor<T, (N, C, O)> {
    scatter(x, place, O, o, L)
}

/// [`max_unpool2d`] of volumes. Shapes: x and place `(N, C, D, H, W)`, y `(N, C, od, oh, ow)`.
#[derive_backward]
pub fn max_unpool3d<T: Float>(
    x: Tensor<T, (N, C, D, H, W)>,
    place: Labels<(N, C, D, H, W)>,
    od: usize,
    oh: usize,
    ow: usize,
) -> Tensor<T, (N, C, OD, OH, OW)> {
    let planes = split(scatter(x, place, P, od * oh * ow, (D, H, W)), P, (OD, Q), od);
    split(planes, Q, (OH, OW), oh)
}
