//! Support for the tests of the whole.

pub mod formulas;
mod host;
pub mod kernels;
pub mod opinfo;
mod pipeline;

pub use pipeline::Slopes;
