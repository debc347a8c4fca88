pub use ndarray;

pub mod reference;
