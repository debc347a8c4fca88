//! The element types of layers.

use std::fmt::Debug;

/// An element type of arrays: `f32` or `f64`.
pub trait Float: Copy + Default + PartialEq + PartialOrd + Debug + Send + Sync + Into<f64> + 'static {
    /// The distance from 1 to the next larger number.
    const EPSILON: f64;
    /// The nearest number of this type.
    fn of(x: f64) -> Self;
    /// The same number in `f64`.
    fn f64(self) -> f64;
}

macro_rules! float {
    ($t:ident) => {
        impl Float for $t {
            const EPSILON: f64 = $t::EPSILON as f64;
            fn of(x: f64) -> $t {
                x as $t
            }
            fn f64(self) -> f64 {
                self.into()
            }
        }
    };
}
float!(f32);
float!(f64);
