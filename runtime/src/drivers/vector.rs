//! Vectors of lanes with operators: what the bodies of generated kernels compute with.
//!
//! A vector's type cannot be named outside of this crate: it is reached through [`Kernel::run`] only, which is called
//! after the processor was looked at. So a value of it is proof that its instructions are there.

use super::isa::Job;
use super::reg::Reg;
use crate::Float;
use std::marker::PhantomData;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// A generated kernel: all sweeps of one function.
pub trait Kernel<T: Float> {
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
    type Elem: Float;
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
    /// Writes the first `n` lanes to every other element.
    #[doc(hidden)]
    unsafe fn store_apart(self, p: *mut Self::Elem, n: usize);
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
    /// Whether loads and sums under a mask cost no more than without one.
    #[doc(hidden)]
    const FREE_MASKS: bool;
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

/// `N` registers side by side.
#[derive(Clone, Copy)]
pub struct Lanes<R, const N: usize>([R; N]);

/// The mask of [`Lanes`].
#[derive(Clone, Copy)]
pub struct LaneMask<R: Reg, const N: usize>([R::M; N]);

// SAFETY of what follows: a value of `Lanes<R, N>` exists only where `R`'s instructions do, see the module's page.
macro_rules! lanes {
    ($i:ident => $e:expr) => {{
        // no closure: `array::from_fn` leaves calls of them in functions that have the vector instructions
        let mut lanes = [const { std::mem::MaybeUninit::uninit() }; N];
        let mut $i = 0;
        while $i < N {
            lanes[$i].write(unsafe { $e });
            $i += 1;
        }
        // SAFETY: all are written, and a `MaybeUninit` is as large as what it holds
        unsafe { std::mem::transmute_copy::<_, [_; N]>(&lanes) }
    }};
}
macro_rules! operator {
    ($($trait:ident $f:ident)*) => { $(
        impl<R: Reg, const N: usize> $trait for Lanes<R, N> {
            type Output = Self;
            #[inline(always)]
            fn $f(self, b: Self) -> Self {
                Lanes(lanes!(i => self.0[i].$f(b.0[i])))
            }
        }
        impl<R: Reg, const N: usize> $trait<f64> for Lanes<R, N> {
            type Output = Self;
            #[inline(always)]
            fn $f(self, b: f64) -> Self {
                let b = unsafe { R::set1(R::T::of(b)) };
                Lanes(lanes!(i => self.0[i].$f(b)))
            }
        }
    )* };
}
operator!(Add add Sub sub Mul mul Div div);

impl<R: Reg, const N: usize> Neg for Lanes<R, N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        let sign = unsafe { R::set1(R::T::of(-0.0)) };
        Lanes(lanes!(i => self.0[i].xor(sign)))
    }
}
impl<R: Reg, const N: usize> BitAnd for LaneMask<R, N> {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, b: Self) -> Self {
        LaneMask(lanes!(i => R::m_and(self.0[i], b.0[i])))
    }
}
impl<R: Reg, const N: usize> BitOr for LaneMask<R, N> {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, b: Self) -> Self {
        LaneMask(lanes!(i => R::m_or(self.0[i], b.0[i])))
    }
}
impl<R: Reg, const N: usize> Not for LaneMask<R, N> {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        LaneMask(lanes!(i => R::m_not(self.0[i])))
    }
}

macro_rules! vector {
    ($($name:ident = $r:ty, $n:literal, $enter:path;)*) => { $(
        pub type $name = Lanes<$r, $n>;
        vector!(@ $r, $n, $enter);
    )* };
    (@ $r:ty, $n:literal, $enter:path) => {
        impl Entered for Lanes<$r, $n> {
            #[inline(always)]
            fn entered<J: Job>(job: J) {
                // SAFETY: the type is reached only where the processor has its instructions.
                unsafe { $enter(job) }
            }
        }
    };
}

/// The function that runs a job with the instructions of a vector.
pub trait Entered {
    fn entered<J: Job>(job: J);
}

#[cfg(target_arch = "x86_64")]
mod types {
    use super::super::isa::enter;
    use super::*;
    use std::arch::x86_64::*;
    vector! {
        F32V4 = __m512, 1, enter::v4;
        F64V4 = __m512d, 1, enter::v4;
        F32V3 = __m256, 2, enter::v3;
        F64V3 = __m256d, 2, enter::v3;
        F32V1 = __m128, 1, enter::v1;
        F64V1 = __m128d, 1, enter::v1;
    }
}
#[cfg(target_arch = "x86_64")]
pub(crate) use types::*;

impl<const N: usize> Entered for Lanes<f32, N> {
    #[inline(always)]
    fn entered<J: Job>(job: J) {
        job.go()
    }
}
impl<const N: usize> Entered for Lanes<f64, N> {
    #[inline(always)]
    fn entered<J: Job>(job: J) {
        job.go()
    }
}

/// One `f64`: for sweeps over small domains.
pub type One = Lanes<f64, 1>;

impl<R: Reg, const N: usize> Vector for Lanes<R, N>
where
    Self: Entered,
{
    type One = One;
    type Mask = LaneMask<R, N>;
    #[inline(always)]
    fn first(self) -> f64 {
        let mut x = [R::T::default(); 16];
        unsafe { self.store(x.as_mut_ptr()) };
        x[0].f64()
    }
    #[inline(always)]
    fn num(x: f64) -> Self {
        let x = unsafe { R::set1(R::T::of(x)) };
        Lanes([x; N])
    }
    #[inline(always)]
    fn select(m: LaneMask<R, N>, a: Self, b: Self) -> Self {
        Lanes(lanes!(i => R::pick(m.0[i], a.0[i], b.0[i])))
    }
    #[inline(always)]
    fn gt(self, b: Self) -> LaneMask<R, N> {
        LaneMask(lanes!(i => self.0[i].gt(b.0[i])))
    }
    #[inline(always)]
    fn ge(self, b: Self) -> LaneMask<R, N> {
        LaneMask(lanes!(i => self.0[i].ge(b.0[i])))
    }
    #[inline(always)]
    fn eq(self, b: Self) -> LaneMask<R, N> {
        LaneMask(lanes!(i => self.0[i].eq(b.0[i])))
    }
    #[inline(always)]
    fn unordered(self, b: Self) -> LaneMask<R, N> {
        LaneMask(lanes!(i => self.0[i].unordered(b.0[i])))
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        Lanes(lanes!(i => self.0[i].fma(b.0[i], c.0[i])))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Lanes(lanes!(i => self.0[i].sqrt()))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.copysign(Self::num(1.0))
    }
    #[inline(always)]
    fn copysign(self, b: Self) -> Self {
        let sign = unsafe { R::set1(R::T::of(-0.0)) };
        Lanes(lanes!(i => {
            // clear the sign, then take b's
            let magnitude = self.0[i].or(sign).xor(sign);
            magnitude.or(b.0[i].and(sign))
        }))
    }
    #[inline(always)]
    fn scale(self, t: Self) -> Self {
        Lanes(lanes!(i => self.0[i].scale(t.0[i])))
    }
    #[inline(always)]
    fn each(self, f: impl Fn(R::T) -> R::T) -> Self {
        let mut x = [R::T::default(); 16];
        unsafe {
            self.store(x.as_mut_ptr());
            for lane in &mut x[..N * R::L] {
                *lane = f(*lane);
            }
            Self::load(x.as_ptr())
        }
    }
    #[inline(always)]
    fn each2(self, b: Self, f: impl Fn(R::T, R::T) -> R::T) -> Self {
        let (mut x, mut y) = ([R::T::default(); 16], [R::T::default(); 16]);
        unsafe {
            self.store(x.as_mut_ptr());
            b.store(y.as_mut_ptr());
            for (lane, other) in x[..N * R::L].iter_mut().zip(&y) {
                *lane = f(*lane, *other);
            }
            Self::load(x.as_ptr())
        }
    }
}

// SAFETY: as above; each method touches the lanes it names.
unsafe impl<R: Reg, const N: usize> Memory for Lanes<R, N>
where
    Self: Entered,
{
    const LANES: usize = N * R::L;
    const FREE_MASKS: bool = R::FREE_MASKS;
    type Sum = [R::D; N];
    type Elem = R::T;
    type Where = LaneMask<R, N>;
    #[inline(always)]
    unsafe fn load(p: *const R::T) -> Self {
        Lanes(lanes!(i => R::load(p.add(i * R::L))))
    }
    #[inline(always)]
    unsafe fn load_range(p: *const R::T, a: usize, b: usize) -> Self {
        Lanes(
            lanes!(i => R::load_range(p.wrapping_add(i * R::L), a as isize - (i * R::L) as isize, b as isize - (i * R::L) as isize)),
        )
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut R::T) {
        for i in 0..N {
            unsafe { self.0[i].store(p.add(i * R::L)) }
        }
    }
    #[inline(always)]
    unsafe fn store_range(self, p: *mut R::T, a: usize, b: usize) {
        for i in 0..N {
            let start = (i * R::L) as isize;
            unsafe { self.0[i].store_range(p.wrapping_add(i * R::L), a as isize - start, b as isize - start) }
        }
    }
    #[inline(always)]
    unsafe fn store_apart(self, p: *mut R::T, n: usize) {
        for i in 0..N {
            unsafe { self.0[i].store_apart(p.wrapping_add(2 * i * R::L), n.saturating_sub(i * R::L)) }
        }
    }
    #[inline(always)]
    unsafe fn stream(self, p: *mut R::T) {
        for i in 0..N {
            unsafe { self.0[i].stream(p.add(i * R::L)) }
        }
    }
    #[inline(always)]
    fn range(a: usize, b: usize) -> LaneMask<R, N> {
        LaneMask(lanes!(i => R::range(a as isize - (i * R::L) as isize, b as isize - (i * R::L) as isize)))
    }
    #[inline(always)]
    fn pick(m: LaneMask<R, N>, a: Self, b: Self) -> Self {
        Self::select(m, a, b)
    }
    #[inline(always)]
    fn beats(self, b: Self) -> LaneMask<R, N> {
        LaneMask(lanes!(i => R::m_or(self.0[i].gt(b.0[i]), self.0[i].unordered(self.0[i]))))
    }
    #[inline(always)]
    fn sum_of(x: f64) -> [R::D; N] {
        [unsafe { R::d_set1(x) }; N]
    }
    #[inline(always)]
    fn widen(self) -> [R::D; N] {
        lanes!(i => self.0[i].widen())
    }
    #[inline(always)]
    fn narrow(x: [R::D; N]) -> Self {
        Lanes(lanes!(i => R::narrow(x[i])))
    }
    #[inline(always)]
    fn sum_add(a: [R::D; N], b: [R::D; N]) -> [R::D; N] {
        lanes!(i => R::d_add(a[i], b[i]))
    }
    #[inline(always)]
    fn sum_sub(a: [R::D; N], b: [R::D; N]) -> [R::D; N] {
        lanes!(i => R::d_sub(a[i], b[i]))
    }
    #[inline(always)]
    fn sum_mul(a: [R::D; N], b: [R::D; N]) -> [R::D; N] {
        lanes!(i => R::d_mul(a[i], b[i]))
    }
    #[inline(always)]
    fn sum_div(a: [R::D; N], b: [R::D; N]) -> [R::D; N] {
        lanes!(i => R::d_div(a[i], b[i]))
    }
    #[inline(always)]
    unsafe fn load_where(p: *const R::T, m: LaneMask<R, N>) -> Self {
        Lanes(lanes!(i => R::load_where(p.wrapping_add(i * R::L), m.0[i])))
    }
    #[inline(always)]
    fn sum_add_where(a: [R::D; N], b: [R::D; N], m: LaneMask<R, N>) -> [R::D; N] {
        lanes!(i => R::d_add_where(a[i], b[i], m.0[i]))
    }
    #[inline(always)]
    unsafe fn sum_load_where(p: *const f64, m: LaneMask<R, N>) -> [R::D; N] {
        lanes!(i => R::d_load_where(p.wrapping_add(i * R::L), m.0[i]))
    }
    #[inline(always)]
    fn exceeds(self, b: Self, m: LaneMask<R, N>) -> LaneMask<R, N> {
        LaneMask(lanes!(i => self.0[i].exceeds(b.0[i], m.0[i])))
    }
    #[inline(always)]
    fn bound(self) -> Self {
        let infinity = unsafe { R::set1(R::T::of(f64::INFINITY)) };
        Lanes(lanes!(i => self.0[i].least(infinity)))
    }
    #[inline(always)]
    unsafe fn sum_load_range(p: *const f64, a: usize, b: usize) -> [R::D; N] {
        lanes!(i => R::d_load_range(p.wrapping_add(i * R::L), a as isize - (i * R::L) as isize, b as isize - (i * R::L) as isize))
    }
    #[inline(always)]
    unsafe fn sum_load(p: *const f64) -> [R::D; N] {
        lanes!(i => R::d_load(p.add(i * R::L)))
    }
    #[inline(always)]
    unsafe fn sum_store(sum: [R::D; N], p: *mut f64) {
        for (i, d) in sum.into_iter().enumerate() {
            unsafe { R::d_store(d, p.add(i * R::L)) }
        }
    }
    #[inline(always)]
    fn int(x: u32) -> Self {
        let x = unsafe { R::int(x) };
        Lanes([x; N])
    }
    #[inline(always)]
    fn int_ramp(x: u32) -> Self {
        Lanes(lanes!(i => R::int_ramp(x).int_add(R::int(x.wrapping_mul((i * R::L) as u32)))))
    }
    #[inline(always)]
    fn int_add(self, b: Self) -> Self {
        Lanes(lanes!(i => self.0[i].int_add(b.0[i])))
    }
    #[inline(always)]
    fn enter<J: Job>(job: J) {
        Self::entered(job)
    }
}
