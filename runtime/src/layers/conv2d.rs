use crate::prelude::*;

/// Two-dimensional convolution (cross-correlation, as everywhere in deep learning):
/// `y[n,o,oh,ow] = Σ_{i,kh,kw} weight[o,i,kh,kw]·x[n,i, oh·s + kh·d − p, ow·s + kw·d − p] + bias[o]`,
/// x being zero outside the image.
///
/// The kernel of `k` is the weight's; its `stride` is the kernel's size unless set: a usual convolution of 3×3 is
/// `Window::new([3, 3]).stride([1, 1]).padding([1, 1])`. The products run through one general matrix multiplication over
/// packed windows: correct for every option, and slower than a library tuned for convolutions.
///
/// Shapes: x `(N, I, H, W)`, weight `(O, I, KH, KW)`, bias `O`, y `(N, O, OH, OW)`. Source: V. Dumoulin, F. Visin, "A
/// guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285; PyTorch's `Conv2d`, one group.
#[derive_backward]
pub fn conv2d<T: Float, P: Float>(
    x: Tensor<T, (N, I, H, W)>,
    weight: Tensor<P, (O, I, KH, KW)>,
    bias: Option<Tensor<P, O>>,
    k: Window<2>,
) -> Tensor<T, (N, O, OH, OW)> {
    let y = dot(window(x, (H, W), (OH, OW), (KH, KW), k), weight, (I, KH, KW));
    bias.map_or(y, |b| y + b)
}
