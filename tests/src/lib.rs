//! Support for the tests of the whole.

pub mod calls;
pub mod expansion;
pub mod formulas;
mod host;
pub mod kernels;
pub mod opinfo;
pub mod scratch;
