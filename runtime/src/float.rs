//! The element types of layers, and the types that they are computed in.

#[cfg(feature = "half")]
use crate::drivers::half as bits;
use crate::drivers::{Element, Kernel, Stored, isa};
use std::fmt::Debug;

/// An element type of arrays: `f32`, `f64`, and with the feature `half` also `f16` and `bf16`.
pub trait Float: Copy + Default + PartialEq + PartialOrd + Debug + Send + Sync + Into<f64> + Stored + 'static {
    /// What elements are computed in: the type itself, `f32` for half precision.
    type Lane: Lane;
    /// The distance from 1 to the next larger number.
    const EPSILON: f64;
    /// The nearest number of this type; of two, the even one.
    fn of(x: f64) -> Self;
    /// The same number in `f64`.
    fn f64(self) -> f64;
}

/// A type that kernels compute in: `f32` or `f64`.
pub trait Lane: Float<Lane = Self> + Element {
    /// The wider of two.
    #[doc(hidden)]
    type With<O: Lane>: Lane;
    /// Runs a generated kernel with the best vectors that the processor has.
    #[doc(hidden)]
    fn dispatch<K: Kernel<Self>>(kernel: K);
}

/// The element types of a formula: one, or a pair of one and the others.
pub trait Floats {
    /// What all of it is computed in: `f64` if one of them is, else `f32`.
    type Lane: Lane;
}

impl<T: Float> Floats for T {
    type Lane = T::Lane;
}
type With<A, B> = <A as Lane>::With<B>;
impl<A: Float, B: Floats> Floats for (A, B) {
    type Lane = With<A::Lane, B::Lane>;
}

macro_rules! float {
    ($t:ident $l:literal $other:ident $wider:ty, $v4:ident $v3:ident $v1:ident) => {
        impl Float for $t {
            type Lane = $t;
            const EPSILON: f64 = $t::EPSILON as f64;
            #[inline(always)]
            fn of(x: f64) -> $t {
                x as $t
            }
            #[inline(always)]
            fn f64(self) -> f64 {
                self.into()
            }
        }
        impl Lane for $t {
            type With<$other: Lane> = $wider;
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
float!(f32 16 O O, F32V4 F32V3 F32V1);
float!(f64 8 O f64, F64V4 F64V3 F64V1);

#[cfg(feature = "half")]
macro_rules! half {
    ($($t:ident $epsilon:literal $round:ident)*) => { $(
        impl Float for half::$t {
            type Lane = f32;
            const EPSILON: f64 = $epsilon;
            #[inline]
            fn of(x: f64) -> Self {
                half::$t::from_bits(bits::$round(bits::to_odd(x)))
            }
            #[inline]
            fn f64(self) -> f64 {
                self.into()
            }
        }
    )* };
}
#[cfg(feature = "half")]
half!(f16 0.000_976_562_5 to_f16 bf16 0.007_812_5 to_bf16);
