//! The engine of `pullback`: from a layer's forward formula to fused forward and backward functions.

pub mod build;
pub mod differentiate;
pub mod elaborate;
pub mod error;
pub mod graph;
pub mod plan;
pub mod syntax;
pub mod simplify;
