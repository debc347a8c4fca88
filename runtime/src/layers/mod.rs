//! Ready-made layers: each is its formula and nothing else, so that reading one is the way to learn to write one.
//!
//! Names in capitals are axes; arrays are in the order of the axes listed. Every layer may be called as a function, used
//! as an operation with a backward, or called from another formula, which fuses it:
//!
//! | | as a function | with its backward | in a formula |
//! | --- | --- | --- | --- |
//! | ReLU | `relu(&x)?` | `Relu.forward(&x)?`, `Relu.backward(..)?` | `max_pool2d(relu(x), k)` |
//!
//! Each is for any [`Float`](crate::Float) `T`; parameters and statistics have a type `P` of their own, so that data in half
//! precision go with parameters in `f32`. Where no argument says which (`BatchNormUntracked` without weight and bias), name it:
//! `op.forward(&x, None::<&Array1<f32>>, None::<&Array1<f32>>)`.
//!
//! Semantics at the edges (ties, NaN, empty batches, window sizes) are PyTorch's. `pullback::reference` holds the same
//! layers written by hand, against which these are tested.

mod activation;
pub mod batch_norm;
mod conv2d;
mod cross_entropy;
pub mod dropout;
mod layer_norm;
mod linear;
mod pool;
mod rms_norm;
mod softmax;
mod unpool;

pub use activation::*;
pub use batch_norm::*;
pub use conv2d::*;
pub use cross_entropy::*;
pub use dropout::*;
pub use layer_norm::*;
pub use linear::*;
pub use pool::*;
pub use rms_norm::*;
pub use softmax::*;
pub use unpool::*;
