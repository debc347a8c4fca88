//! The element types of layers.

use crate::drivers::{Kernel, isa};
use std::fmt::Debug;

/// An element type of arrays: `f32` or `f64`.
pub trait Float:
    Copy + Default + PartialEq + PartialOrd + Debug + Send + Sync + Into<f64> + crate::drivers::Element + 'static
{
    /// The distance from 1 to the next larger number.
    const EPSILON: f64;
    /// The nearest number of this type.
    fn of(x: f64) -> Self;
    /// The same number in `f64`.
    fn f64(self) -> f64;
    /// Runs a generated kernel with the best vectors that the processor has.
    #[doc(hidden)]
    fn dispatch<K: Kernel<Self>>(kernel: K);
}

macro_rules! float {
    ($t:ident $l:literal $v4:ident $v3:ident $v1:ident) => {
        impl Float for $t {
            const EPSILON: f64 = $t::EPSILON as f64;
            #[inline(always)]
            fn of(x: f64) -> $t {
                x as $t
            }
            #[inline(always)]
            fn f64(self) -> f64 {
                self.into()
            }
            #[inline]
            fn dispatch<K: Kernel<$t>>(kernel: K) {
                use crate::drivers::vectors::*;
                match isa::detected() {
                    #[cfg(all(target_arch = "x86_64", not(pullback_one_isa)))]
                    isa::Isa::V4 => kernel.run(At::<$v4>::new()),
                    #[cfg(target_arch = "x86_64")]
                    isa::Isa::V3 => kernel.run(At::<$v3>::new()),
                    #[cfg(all(target_arch = "x86_64", not(pullback_one_isa)))]
                    isa::Isa::V1 => kernel.run(At::<$v1>::new()),
                    #[cfg(pullback_one_isa)]
                    _ => unreachable!("compiled for one instruction set, which the processor lacks"),
                    #[cfg(not(target_arch = "x86_64"))]
                    isa::Isa::Portable => kernel.run(At::<Lanes<$t, $l>>::new()),
                }
            }
        }
    };
}
float!(f32 16 F32V4 F32V3 F32V1);
float!(f64 8 F64V4 F64V3 F64V1);
