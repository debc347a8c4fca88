//! The formula vocabulary as functions that run: what `reference` is made of.
//!
//! A formula is an ordinary Rust function ([`written`] runs its body). Here it runs as written, one operation after the other, nothing fused, in
//! `f64`, on arrays with named axes. Every element may carry tangents (forward-mode derivatives), so a run answers
//! both for the values and for the gradient. It shares no code with the generated kernels nor with the engine that
//! derives them: it is their judge.
//!
//! Generated code calls these functions after it has checked shapes and labels. Where they are called with
//! arguments that no formula can produce (an axis of two extents, a label out of range), they panic.

mod gather;
mod pointwise;
mod random;
mod reduce;
mod reindex;
mod special;
mod value;
pub mod written;

pub use gather::{pick, scatter, scatter_add};
pub use pointwise::*;
pub use random::{bernoulli, normal, uniform};
pub use reduce::*;
pub use reindex::*;
pub use value::{Axis, Rounding, Value};

#[cfg(test)]
mod tests;
