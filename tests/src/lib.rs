//! Support for the tests of the whole.

pub mod calls;
mod checks;
mod draw;
pub mod expansion;
pub mod formulas;
mod host;
pub mod kernels;
pub mod opinfo;
mod pipeline;
pub mod programs;
pub mod scratch;

pub use draw::Draw;
pub use pipeline::Slopes;
