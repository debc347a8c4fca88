//! Vectors of lanes with operators: what the bodies of generated kernels compute with.
//!
//! A vector's type cannot be named outside of this crate: it is reached through [`Kernel::run`] only, which is called
//! after the processor was looked at. So a value of it is proof that its instructions are there.

mod lanes;
mod wide;

pub use lanes::One;
pub(crate) use lanes::*;
pub use wide::{Summand, Wide};

use super::isa::Job;
use crate::float::{Float, Lane};
use std::marker::PhantomData;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// A generated kernel: all sweeps of one function.
pub trait Kernel<T: Lane> {
    /// Runs it with vectors of one instruction set.
    fn run<V: Vector<Elem = T>>(self, at: At<V>);
}

/// The proof, inside a kernel, that the instructions of `V` are present.
pub struct At<V>(PhantomData<V>);

impl<V> Clone for At<V> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<V> Copy for At<V> {}
impl<V> At<V> {
    pub(crate) fn new() -> At<V> {
        At(PhantomData)
    }
}

/// Lanes: 64 bytes of them, or with SSE2 one register, to be compiled in less time. Comparisons give masks; literals and
/// constants are `f64` on the right.
pub trait Vector:
    Memory
    + Copy
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
    + Add<Wide<Self>, Output = Wide<Self>>
    + Sub<Wide<Self>, Output = Wide<Self>>
    + Mul<Wide<Self>, Output = Wide<Self>>
    + Div<Wide<Self>, Output = Wide<Self>>
{
    /// One `f64`: the lanes of sweeps over small domains.
    type One: Vector<Elem = f64>;
    /// One truth value a lane.
    type Mask: Copy + BitAnd<Output = Self::Mask> + BitOr<Output = Self::Mask> + Not<Output = Self::Mask>;

    /// The number in every lane.
    fn num(x: f64) -> Self;
    /// The first lane.
    fn first(self) -> f64;
    /// As `f64`, for arithmetic that is rounded at its end only.
    #[inline(always)]
    fn wide(self) -> Wide<Self> {
        Wide(self.widen())
    }
    /// `a` where the mask holds, else `b`.
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self;
    /// 1 where the mask holds, else 0.
    #[inline(always)]
    fn mask(mask: Self::Mask) -> Self {
        Self::select(mask, Self::num(1.0), Self::num(0.0))
    }
    fn gt(self, b: Self) -> Self::Mask;
    fn ge(self, b: Self) -> Self::Mask;
    #[inline(always)]
    fn lt(self, b: Self) -> Self::Mask {
        b.gt(self)
    }
    #[inline(always)]
    fn le(self, b: Self) -> Self::Mask {
        b.ge(self)
    }
    fn eq(self, b: Self) -> Self::Mask;
    #[inline(always)]
    fn ne(self, b: Self) -> Self::Mask {
        !self.eq(b)
    }
    /// Either is NaN.
    fn unordered(self, b: Self) -> Self::Mask;
    /// Not 0.
    #[inline(always)]
    fn holds(self) -> Self::Mask {
        self.ne(Self::num(0.0))
    }
    /// `self·b + c`; fused where that costs nothing.
    fn mul_add(self, b: Self, c: Self) -> Self;
    fn sqrt(self) -> Self;
    fn abs(self) -> Self;
    /// The sign of `b` on the magnitude of `self`.
    fn copysign(self, b: Self) -> Self;
    /// The bits of `t`, shifted into the exponent's place and added: a product with 2ᵗ.
    fn scale(self, t: Self) -> Self;
    /// A function of one lane, lane by lane.
    fn each(self, f: impl Fn(Self::Elem) -> Self::Elem) -> Self;
    /// A function of two lanes, lane by lane.
    fn each2(self, b: Self, f: impl Fn(Self::Elem, Self::Elem) -> Self::Elem) -> Self;

    #[inline(always)]
    fn recip(self) -> Self {
        Self::num(1.0) / self
    }
    #[inline(always)]
    fn rsqrt(self) -> Self {
        self.sqrt().recip()
    }
    #[inline(always)]
    fn sq(self) -> Self {
        self * self
    }
    /// By multiplication.
    #[inline(always)]
    fn powi(self, n: i32) -> Self {
        let (mut square, mut product, mut left) = (self, Self::num(1.0), n.unsigned_abs());
        while left > 0 {
            if left & 1 == 1 {
                product = product * square;
            }
            left >>= 1;
            if left > 0 {
                square = square * square;
            }
        }
        if n < 0 { product.recip() } else { product }
    }
    /// NaN if either is.
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        Self::select(self.gt(b) | self.unordered(self), self, b)
    }
    /// NaN if either is.
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        Self::select(b.gt(self) | self.unordered(self), self, b)
    }
    /// −1, 0 or 1; NaN for NaN.
    #[inline(always)]
    fn sign(self) -> Self {
        let zero = Self::num(0.0);
        let one = Self::num(1.0).copysign(self);
        Self::select(self.gt(zero) | zero.gt(self), one, self.abs())
    }
    #[inline(always)]
    fn floor(self) -> Self {
        let r = self.round();
        (Self::select(r.gt(self), r - 1.0, r)).copysign(self)
    }
    #[inline(always)]
    fn ceil(self) -> Self {
        let r = self.round();
        (Self::select(self.gt(r), r + 1.0, r)).copysign(self)
    }
    /// Ties to even.
    #[inline(always)]
    fn round(self) -> Self {
        // adding 1.5·2ⁿ leaves no bits for the fraction
        let magic = Self::num(<Self::Elem as super::Element>::MAGIC);
        let small = Self::num(<Self::Elem as super::Element>::MAGIC / 3.0).gt(self.abs());
        Self::select(small, ((self + magic) - magic).copysign(self), self)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        super::Element::exp(self)
    }
    #[inline(always)]
    fn exp2(self) -> Self {
        self.each(|x| Self::Elem::of(x.f64().exp2()))
    }
    #[inline(always)]
    fn exp_m1(self) -> Self {
        self.each(|x| Self::Elem::of(x.f64().exp_m1()))
    }
    #[inline(always)]
    fn log(self) -> Self {
        super::Element::log(self)
    }
    #[inline(always)]
    fn log2(self) -> Self {
        self.each(|x| Self::Elem::of(x.f64().log2()))
    }
    #[inline(always)]
    fn log1p(self) -> Self {
        self.each(|x| Self::Elem::of(x.f64().ln_1p()))
    }
    #[inline(always)]
    fn sin(self) -> Self {
        self.each(|x| Self::Elem::of(x.f64().sin()))
    }
    #[inline(always)]
    fn cos(self) -> Self {
        self.each(|x| Self::Elem::of(x.f64().cos()))
    }
    #[inline(always)]
    fn tan(self) -> Self {
        self.each(|x| Self::Elem::of(x.f64().tan()))
    }
    #[inline(always)]
    fn sinh(self) -> Self {
        self.each(|x| Self::Elem::of(x.f64().sinh()))
    }
    #[inline(always)]
    fn cosh(self) -> Self {
        self.each(|x| Self::Elem::of(x.f64().cosh()))
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        super::Element::tanh(self)
    }
    #[inline(always)]
    fn asinh(self) -> Self {
        self.each(|x| Self::Elem::of(x.f64().asinh()))
    }
    #[inline(always)]
    fn atan(self) -> Self {
        self.each(|x| Self::Elem::of(x.f64().atan()))
    }
    /// 1/(1 + e⁻ˣ).
    #[inline(always)]
    fn sigmoid(self) -> Self {
        ((-self).exp() + 1.0).recip()
    }
    /// log(1 + eˣ), without overflow.
    #[inline(always)]
    fn softplus(self) -> Self {
        Vector::max(self, Self::num(0.0)) + (-self.abs()).exp().log1p()
    }
    #[inline(always)]
    fn erf(self) -> Self {
        super::Element::erf(self)
    }
    #[inline(always)]
    fn erfc(self) -> Self {
        self.each(|x| Self::Elem::of(super::math::erfc(x.f64())))
    }
    #[inline(always)]
    fn powf(self, b: Self) -> Self {
        self.each2(b, |x, y| Self::Elem::of(x.f64().powf(y.f64())))
    }
    #[inline(always)]
    fn atan2(self, b: Self) -> Self {
        self.each2(b, |y, x| Self::Elem::of(y.f64().atan2(x.f64())))
    }
    #[inline(always)]
    fn hypot(self, b: Self) -> Self {
        self.each2(b, |x, y| Self::Elem::of(x.f64().hypot(y.f64())))
    }
}

/// How vectors meet memory, and how they are folded. Not to be implemented or called by others.
///
/// # Safety
/// Pointers are valid for the lanes read or written, of type `Elem`.
pub unsafe trait Memory: Sized {
    #[doc(hidden)]
    const LANES: usize;
    /// One `f64` a lane.
    #[doc(hidden)]
    type Sum: Copy;
    /// The type of a lane.
    type Elem: Lane;
    #[doc(hidden)]
    type Where: Copy;
    #[doc(hidden)]
    unsafe fn load(p: *const Self::Elem) -> Self;
    /// The lanes `a..b`, the others 0.
    #[doc(hidden)]
    unsafe fn load_range(p: *const Self::Elem, a: usize, b: usize) -> Self;
    #[doc(hidden)]
    unsafe fn store(self, p: *mut Self::Elem);
    #[doc(hidden)]
    unsafe fn store_range(self, p: *mut Self::Elem, a: usize, b: usize);
    /// Writes the lanes of both in turn, as far as there are `n` elements.
    #[doc(hidden)]
    unsafe fn store_in_turn(self, b: Self, p: *mut Self::Elem, n: usize);
    /// Past the cache; `p` is aligned to 64 bytes.
    #[doc(hidden)]
    unsafe fn stream(self, p: *mut Self::Elem);
    /// True in the lanes `a..b`.
    #[doc(hidden)]
    fn range(a: usize, b: usize) -> Self::Where;
    #[doc(hidden)]
    fn pick(m: Self::Where, a: Self, b: Self) -> Self;
    /// `self` is larger than `b`, or NaN.
    #[doc(hidden)]
    fn beats(self, b: Self) -> Self::Where;
    #[doc(hidden)]
    fn sum_of(x: f64) -> Self::Sum;
    #[doc(hidden)]
    fn widen(self) -> Self::Sum;
    #[doc(hidden)]
    fn narrow(x: Self::Sum) -> Self;
    #[doc(hidden)]
    fn sum_add(a: Self::Sum, b: Self::Sum) -> Self::Sum;
    #[doc(hidden)]
    fn sum_sub(a: Self::Sum, b: Self::Sum) -> Self::Sum;
    #[doc(hidden)]
    fn sum_mul(a: Self::Sum, b: Self::Sum) -> Self::Sum;
    #[doc(hidden)]
    fn sum_div(a: Self::Sum, b: Self::Sum) -> Self::Sum;
    /// The lanes where the mask holds, the others 0; nothing else is read.
    #[doc(hidden)]
    unsafe fn load_where(p: *const Self::Elem, m: Self::Where) -> Self;
    /// `a`, and `b` added in the lanes where the mask holds.
    #[doc(hidden)]
    fn sum_add_where(a: Self::Sum, b: Self::Sum, m: Self::Where) -> Self::Sum;
    /// As [`Memory::load_where`].
    #[doc(hidden)]
    unsafe fn sum_load_where(p: *const f64, m: Self::Where) -> Self::Sum;
    /// Where the mask holds: `self` is larger than `b`, or one of them is NaN.
    #[doc(hidden)]
    fn exceeds(self, b: Self, m: Self::Where) -> Self::Where;
    /// Infinity instead of NaN.
    #[doc(hidden)]
    fn bound(self) -> Self;
    #[doc(hidden)]
    unsafe fn sum_load(p: *const f64) -> Self::Sum;
    /// The lanes `a..b`, the others 0.
    #[doc(hidden)]
    unsafe fn sum_load_range(p: *const f64, a: usize, b: usize) -> Self::Sum;
    #[doc(hidden)]
    unsafe fn sum_store(sum: Self::Sum, p: *mut f64);
    /// A whole number, as bits, in every lane.
    #[doc(hidden)]
    fn int(x: u32) -> Self;
    /// `x·lane`, as bits.
    #[doc(hidden)]
    fn int_ramp(x: u32) -> Self;
    #[doc(hidden)]
    fn int_add(self, b: Self) -> Self;
    #[doc(hidden)]
    fn enter<J: Job>(job: J);
}
