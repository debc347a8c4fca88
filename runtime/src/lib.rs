//! Write a layer's forward formula; get its fused, verified backward.

#[doc(hidden)]
pub mod drivers;
mod float;

pub use float::Float;
