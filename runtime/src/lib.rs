//! Write a layer's forward formula; get its fused, verified backward.

mod error;
mod float;
pub mod formula;
pub mod gradcheck;
pub mod layer;
// Formulas: compiled once the macro is.
#[cfg(any())]
pub mod layers;
pub mod reference;
pub mod rng;
mod window;

#[doc(hidden)]
pub use pullback_macros::__named_gradient_test;

pub use error::Error;
pub use float::Float;
pub use gradcheck::gradcheck;
pub use layer::{Grad, Layer};
pub use ndarray;
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
