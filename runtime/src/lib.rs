//! Write a layer's forward formula; get its fused, verified backward.

mod error;
pub mod formula;
pub mod rng;
mod window;

pub use error::Error;
pub use rng::Seed;
pub use window::Window;
