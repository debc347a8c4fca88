//! Registers side by side.

use super::super::isa::Job;
use super::super::reg::Reg;
use super::{Memory, Vector};
use crate::Float;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

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
    use super::super::super::isa::enter;
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
    unsafe fn store_in_turn(self, b: Self, p: *mut R::T, n: usize) {
        for i in 0..N {
            let (low, high) = unsafe { self.0[i].interleave(b.0[i]) };
            let (p, n) = (p.wrapping_add(2 * i * R::L), n.saturating_sub(2 * i * R::L));
            unsafe {
                if n >= 2 * R::L {
                    low.store(p);
                    high.store(p.add(R::L));
                } else {
                    low.store_range(p, 0, n.min(R::L) as isize);
                    high.store_range(p.wrapping_add(R::L), 0, n as isize - R::L as isize);
                }
            }
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
