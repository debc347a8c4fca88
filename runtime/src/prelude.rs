//! Everything that a formula and its tests need: `use pullback::prelude::*;`.

pub use crate::float::Float;
pub use crate::gradcheck::gradcheck;
#[cfg(feature = "testing")]
pub use crate::gradient_test;
pub use crate::layer::{Grad, Layer};
pub use crate::markers::{Axes, Labels, Many, Tensor};
pub use crate::rng::Seed;
pub use crate::window::Window;
pub use pullback_macros::derive_backward;
