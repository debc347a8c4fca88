//! What formulas and their tests need: `use pullback::prelude::*;`.

#[cfg(feature = "testing")]
pub use crate::gradient_test;
pub use crate::signature::{Axes, Labels, Many, Tensor};
pub use crate::{Float, Grad, Layer, Seed, Window, gradcheck};
