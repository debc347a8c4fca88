//! Hand-written forward and backward of the ready-made layers: plain `f64` loops, one layer family a file, each written
//! from the source it cites.
//!
//! They exist to disagree. Nothing here is shared with the engine, with the generated kernels or with the formulas'
//! own `reference`; they are slow on purpose, so that a reader can hold each loop against the page it came from.
//!
//! Arrays are `ArrayD<f64>` in the axis order of the formulas in `pullback::layers`; values per channel are slices. A
//! `backward` takes the cotangent `dy` first, then what PyTorch's own backward takes, and returns one gradient for each
//! differentiable argument. Arguments that cannot be meant are an [`Invalid`].

mod activation;
mod batch_norm;
mod conv2d;
mod cross_entropy;
mod dropout;
#[cfg(test)]
mod finite;
mod layer_norm;
mod linear;
mod max_pool;
mod mean_pool;
mod rms_norm;
mod softmax;
mod window;

pub use activation::{erf, gelu_backward, gelu_forward, gelu_tanh_backward, gelu_tanh_forward, relu_backward, relu_forward};
pub use batch_norm::{batch_norm_backward, batch_norm_eval_backward, batch_norm_eval_forward, batch_norm_forward};
pub use conv2d::{Conv2dGrads, conv2d_backward, conv2d_forward};
pub use cross_entropy::{cross_entropy_backward, cross_entropy_forward};
pub use dropout::{channel_dropout_backward, channel_dropout_forward, dropout_backward, dropout_forward, keep_mask};
pub use layer_norm::{layer_norm_backward, layer_norm_forward};
pub use linear::{LinearGrads, linear_backward, linear_forward};
pub use max_pool::{PADDING, max_pool2d_backward, max_pool2d_forward};
pub use mean_pool::{mean_pool2d_backward, mean_pool2d_forward};
pub use rms_norm::{rms_norm_backward, rms_norm_forward};
pub use softmax::{log_softmax_backward, log_softmax_forward, softmax_backward, softmax_forward};
pub use window::Window2d;

use ndarray::{Array2, ArrayD};
use std::fmt;

/// Why a reference refused its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid(
    /// What does not hold.
    pub &'static str,
);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Invalid {}

/// Gradients of a normalisation layer.
#[derive(Clone, Debug, PartialEq)]
pub struct NormGrads {
    /// Of the input.
    pub x: ArrayD<f64>,
    /// Of the scale.
    pub gamma: Vec<f64>,
    /// Of the shift; empty where the layer has none.
    pub beta: Vec<f64>,
}

fn check(holds: bool, what: &'static str) -> Result<(), Invalid> {
    if holds { Ok(()) } else { Err(Invalid(what)) }
}

fn check_same_shape(dy: &ArrayD<f64>, x: &ArrayD<f64>) -> Result<(), Invalid> {
    check(dy.shape() == x.shape(), "the cotangent must have the shape of the output")
}

/// The array as rows of its last axis.
fn rows(x: &ArrayD<f64>) -> Result<Array2<f64>, Invalid> {
    let width = *x.shape().last().ok_or(Invalid("at least one axis is needed"))?;
    let height = x.shape()[..x.ndim() - 1].iter().product();
    let values = x.iter().copied().collect();
    Array2::from_shape_vec((height, width), values).map_err(|_| Invalid("too large"))
}

/// The inverse of [`rows`].
fn unrows(rows: Array2<f64>, shape: &[usize]) -> Result<ArrayD<f64>, Invalid> {
    rows.into_shape_with_order(shape).map_err(|_| Invalid("too large"))
}

/// The four extents of an image-shaped array.
fn extents4(x: &ArrayD<f64>, what: &'static str) -> Result<[usize; 4], Invalid> {
    x.shape().try_into().map_err(|_| Invalid(what))
}
