//! Arithmetic in `f64`, and what is summed.

use super::super::reg::Reg;
use super::lanes::{Entered, Lanes};
use super::{Memory, Vector};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// One `f64` a lane of a vector, whatever the vector's element type. Arithmetic with a wide value is done in `f64`, so
/// that a long expression is rounded once, where it is narrowed.
#[derive(Clone, Copy)]
pub struct Wide<V: Memory>(pub(crate) V::Sum);

impl<V: Vector> Wide<V> {
    /// Rounded to the element type.
    #[inline(always)]
    pub fn narrow(self) -> V {
        V::narrow(self.0)
    }
    #[inline(always)]
    pub fn sq(self) -> Self {
        self * self
    }
}
impl<V: Vector> Neg for Wide<V> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        // −0 − x is −x for zeros too
        Wide(V::sum_sub(V::sum_of(-0.0), self.0))
    }
}
macro_rules! wide_operator {
    ($($trait:ident $f:ident $of:ident)*) => { $(
        impl<V: Vector> $trait for Wide<V> {
            type Output = Self;
            #[inline(always)]
            fn $f(self, b: Self) -> Self {
                Wide(V::$of(self.0, b.0))
            }
        }
        impl<V: Vector> $trait<V> for Wide<V> {
            type Output = Self;
            #[inline(always)]
            fn $f(self, b: V) -> Self {
                Wide(V::$of(self.0, b.widen()))
            }
        }
        impl<V: Vector> $trait<f64> for Wide<V> {
            type Output = Self;
            #[inline(always)]
            fn $f(self, b: f64) -> Self {
                Wide(V::$of(self.0, V::sum_of(b)))
            }
        }
        impl<R: Reg, const N: usize> $trait<Wide<Self>> for Lanes<R, N>
        where
            Self: Entered,
        {
            type Output = Wide<Self>;
            #[inline(always)]
            fn $f(self, b: Wide<Self>) -> Wide<Self> {
                Wide(<Self as Memory>::$of(self.widen(), b.0))
            }
        }
    )* };
}
wide_operator!(Add add sum_add Sub sub sum_sub Mul mul sum_mul Div div sum_div);

/// What is summed: lanes, or `f64` already.
pub trait Summand<V: Vector>: Copy {
    #[doc(hidden)]
    fn summand(self) -> V::Sum;
}
impl<V: Vector> Summand<V> for V {
    #[inline(always)]
    fn summand(self) -> V::Sum {
        self.widen()
    }
}
impl<V: Vector> Summand<V> for Wide<V> {
    #[inline(always)]
    fn summand(self) -> V::Sum {
        self.0
    }
}
