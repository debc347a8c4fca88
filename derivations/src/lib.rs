//! The engine of `pullback`: from a layer's forward formula to fused forward and backward functions.

pub mod differentiate;
pub mod graph;
pub mod plan;
pub mod simplify;
