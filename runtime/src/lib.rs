pub use ndarray;

// Formulas: compiled once the macro is.
#[cfg(any())]
pub mod layers;
pub mod reference;
