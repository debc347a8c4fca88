//! Write a layer's forward formula; get its fused, verified backward.
//!
//! ```
//! use pullback::ndarray::{Array1, Array2};
//! use pullback::prelude::*;
//!
//! /// Scales each row to length one, but for ε.
//! #[derive_backward]
//! pub fn normalise(x: Tensor<f32, (N, C)>, gain: Tensor<f32, C>, eps: f64) -> Tensor<f32, (N, C)> {
//!     gain * x / sqrt(sum(sq(x), C) + eps)
//! }
//!
//! # fn main() -> Result<(), pullback::Error> {
//! let (x, gain) = (Array2::<f32>::ones((2, 3)), Array1::ones(3));
//! let op = Normalise { eps: 1e-6 };
//! let (y, saved) = op.forward(&x, &gain)?;
//! let grads = op.backward(&y, &x, &gain, &y, &saved)?;
//! assert_eq!(grads.x.dim(), (2, 3));
//! # Ok(()) }
//! ```
//!
//! - [`language`]: what may stand in a formula, and what is generated.
//! - [`layers`]: ready-made ones; reading them is the way to learn to write one.
//! - [`gradcheck`](gradcheck()) and `gradient_test!` (feature `testing`): tests of one's own layers.
//!
//! Features: `rayon` (on by default): threads. `half`: the element types `f16` and `bf16`. `testing`: `gradient_test!`.

#[doc(hidden)]
pub mod __private;
mod call;
mod constants;
#[doc(hidden)]
pub mod drivers;
mod error;
mod float;
pub mod formula;
pub mod gradcheck;
#[doc = include_str!("language.md")]
pub mod language {}
pub mod layer;
pub mod layers;
mod markers;
pub mod prelude;
pub mod reference;
pub mod rng;
pub mod statistics;
mod window;

#[doc(hidden)]
pub use pullback_macros::__named_gradient_test;

// the ready-made layers are formulas like any other
extern crate self as pullback;

pub use error::Error;
pub use float::Float;
pub use gradcheck::gradcheck;
#[cfg(feature = "half")]
pub use half::{bf16, f16};
pub use layer::{Grad, Layer};
pub use markers::{Axes, Labels, Many, Tensor};
pub use ndarray;
pub use pullback_macros::derive_backward;
pub use rng::Seed;
pub use window::Window;

/// Writes a `#[test]` that checks a layer's gradients on drawn arguments: see [`gradcheck::check_random`].
///
/// ```
/// # use pullback::gradient_test;
/// # #[derive(Debug)] struct BatchNorm { eps: f64 }
/// # macro_rules! shown { ($($t:tt)*) => {} }
/// # shown! {
/// gradient_test!(BatchNorm { eps: 1e-5 }); // is called `batch_norm_gradient`
/// gradient_test!(with_a_small_eps, BatchNorm { eps: 1e-12 });
/// # }
/// ```
#[cfg(feature = "testing")]
#[macro_export]
macro_rules! gradient_test {
    ($name:ident, $op:expr $(,)?) => {
        #[test]
        fn $name() {
            $crate::gradcheck::check_random(&$op)
        }
    };
    ($($op:tt)+) => {
        $crate::__named_gradient_test! { [$crate] $($op)+ }
    };
}

/// The README's blocks are compiled and run.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../../README.md")]
struct Readme;
