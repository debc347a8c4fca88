//! Support for the tests of the whole.

pub mod calls;
mod checks;
pub mod expansion;
pub mod formulas;
mod host;
pub mod kernels;
pub mod opinfo;
mod pipeline;
pub mod programs;
mod rng;
pub mod scratch;

pub use pipeline::Slopes;
pub use rng::Rng;
