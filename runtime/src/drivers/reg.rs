//! One machine register of floats. Everything here is unsafe for one reason: the processor must have the instructions.

/// A register of `L` lanes of `T`.
///
/// # Safety
/// Every method may be called only where the instruction set that the register belongs to is present.
/// Pointers are valid for the lanes named.
pub unsafe trait Reg: Copy + Send + Sync + 'static {
    type T: crate::float::Lane;
    /// One truth value a lane.
    type M: Copy;
    /// One `f64` a lane: what sums are accumulated in.
    type D: Copy;
    const L: usize;
    unsafe fn set1(x: Self::T) -> Self;
    unsafe fn load(p: *const Self::T) -> Self;
    unsafe fn store(self, p: *mut Self::T);
    /// Past the cache; `p` is aligned to the register's size.
    unsafe fn stream(self, p: *mut Self::T);
    unsafe fn add(self, b: Self) -> Self;
    unsafe fn sub(self, b: Self) -> Self;
    unsafe fn mul(self, b: Self) -> Self;
    unsafe fn div(self, b: Self) -> Self;
    unsafe fn sqrt(self) -> Self;
    /// `self·b + c`, fused where the instruction set can.
    unsafe fn fma(self, b: Self, c: Self) -> Self;
    unsafe fn and(self, b: Self) -> Self;
    unsafe fn or(self, b: Self) -> Self;
    unsafe fn xor(self, b: Self) -> Self;
    unsafe fn gt(self, b: Self) -> Self::M;
    unsafe fn ge(self, b: Self) -> Self::M;
    unsafe fn eq(self, b: Self) -> Self::M;
    /// Either is NaN.
    unsafe fn unordered(self, b: Self) -> Self::M;
    /// Where the mask holds: `self` is larger than `b`, or one of them is NaN.
    unsafe fn exceeds(self, b: Self, m: Self::M) -> Self::M;
    /// The smaller; `b` if one of them is NaN.
    unsafe fn least(self, b: Self) -> Self;
    unsafe fn m_and(a: Self::M, b: Self::M) -> Self::M;
    unsafe fn m_or(a: Self::M, b: Self::M) -> Self::M;
    unsafe fn m_not(a: Self::M) -> Self::M;
    unsafe fn pick(m: Self::M, a: Self, b: Self) -> Self;
    /// True in the lanes `a..b`; both may lie outside of the register.
    unsafe fn range(a: isize, b: isize) -> Self::M;
    /// The lanes `a..b` of what lies at `p`, the others 0. Nothing else is read.
    unsafe fn load_range(p: *const Self::T, a: isize, b: isize) -> Self;
    /// Writes the lanes `a..b` only.
    unsafe fn store_range(self, p: *mut Self::T, a: isize, b: isize);
    /// The lanes of both in turn: the first half of them, and the second.
    #[inline(always)]
    unsafe fn interleave(self, b: Self) -> (Self, Self) {
        let (mut x, mut y) = ([Self::T::default(); 32], [Self::T::default(); 32]);
        unsafe {
            self.store(x.as_mut_ptr());
            b.store(x.as_mut_ptr().add(Self::L));
            for i in 0..2 * Self::L {
                y[i] = x[i / 2 + i % 2 * Self::L];
            }
            (Self::load(y.as_ptr()), Self::load(y.as_ptr().add(Self::L)))
        }
    }
    /// Adds the low bits of `t` to the exponent field.
    unsafe fn scale(self, t: Self) -> Self;
    /// A whole number in every lane, as bits; `u32::MAX` sets them all.
    unsafe fn int(x: u32) -> Self;
    /// The sum of whole numbers held as bits.
    unsafe fn int_add(self, b: Self) -> Self;
    /// `int(x · lane)`.
    unsafe fn int_ramp(x: u32) -> Self;
    /// The same numbers as `f64`.
    unsafe fn widen(self) -> Self::D;
    /// Rounded to the lanes' type.
    unsafe fn narrow(d: Self::D) -> Self;
    unsafe fn d_set1(x: f64) -> Self::D;
    unsafe fn d_add(a: Self::D, b: Self::D) -> Self::D;
    unsafe fn d_sub(a: Self::D, b: Self::D) -> Self::D;
    unsafe fn d_mul(a: Self::D, b: Self::D) -> Self::D;
    unsafe fn d_div(a: Self::D, b: Self::D) -> Self::D;
    unsafe fn d_load(p: *const f64) -> Self::D;
    /// As [`Reg::load_range`].
    unsafe fn d_load_range(p: *const f64, a: isize, b: isize) -> Self::D;
    unsafe fn d_store(d: Self::D, p: *mut f64);
    /// `a`, and `b` added in the lanes where the mask holds.
    unsafe fn d_add_where(a: Self::D, b: Self::D, m: Self::M) -> Self::D;
    /// As [`Reg::load_where`].
    unsafe fn d_load_where(p: *const f64, m: Self::M) -> Self::D;
    /// The lanes where the mask holds of what lies at `p`, the others 0. Nothing else is read.
    unsafe fn load_where(p: *const Self::T, m: Self::M) -> Self;
}

/// Loads, stores and ramps by way of an array, where no instruction does it.
macro_rules! by_array {
    ($t:ident $l:literal $bits:ident) => {
        #[inline(always)]
        unsafe fn load_range(p: *const $t, a: isize, b: isize) -> Self {
            unsafe {
                let mut x = [0.0; $l];
                for i in a.max(0)..b.min($l) {
                    x[i as usize] = p.offset(i).read_volatile();
                }
                Self::load(x.as_ptr())
            }
        }
        #[inline(always)]
        unsafe fn load_where(p: *const $t, m: Self) -> Self {
            unsafe {
                let mut x = [0.0; $l];
                m.store(x.as_mut_ptr());
                for (i, x) in x.iter_mut().enumerate() {
                    *x = if x.to_bits() == 0 { 0.0 } else { *p.add(i) };
                }
                Self::load(x.as_ptr())
            }
        }
        #[inline(always)]
        unsafe fn store_range(self, p: *mut $t, a: isize, b: isize) {
            unsafe {
                let mut x = [0.0; $l];
                self.store(x.as_mut_ptr());
                for i in a.max(0)..b.min($l) {
                    // volatile, or it would be a call of memcpy
                    p.offset(i).write_volatile(x[i as usize]);
                }
            }
        }
    };
}
macro_rules! ramp {
    ($t:ident $l:literal $bits:ident) => {
        #[inline(always)]
        unsafe fn int_ramp(x: u32) -> Self {
            unsafe {
                let mut lanes = [0.0; $l];
                for (i, lane) in lanes.iter_mut().enumerate() {
                    *lane = $t::from_bits($bits::from(x).wrapping_mul(i as $bits));
                }
                Self::load(lanes.as_ptr())
            }
        }
    };
}

macro_rules! scalar {
    ($t:ident $bits:ident $shift:literal) => {
        // SAFETY: plain arithmetic, on every processor.
        unsafe impl Reg for $t {
            type T = $t;
            type M = bool;
            type D = f64;
            const L: usize = 1;
            #[inline(always)]
            unsafe fn set1(x: $t) -> $t {
                x
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> $t {
                unsafe { *p }
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t) {
                unsafe { *p = self }
            }
            #[inline(always)]
            unsafe fn stream(self, p: *mut $t) {
                unsafe { *p = self }
            }
            #[inline(always)]
            unsafe fn add(self, b: $t) -> $t {
                self + b
            }
            #[inline(always)]
            unsafe fn sub(self, b: $t) -> $t {
                self - b
            }
            #[inline(always)]
            unsafe fn mul(self, b: $t) -> $t {
                self * b
            }
            #[inline(always)]
            unsafe fn div(self, b: $t) -> $t {
                self / b
            }
            #[inline(always)]
            unsafe fn sqrt(self) -> $t {
                $t::sqrt(self)
            }
            #[inline(always)]
            unsafe fn fma(self, b: $t, c: $t) -> $t {
                self * b + c
            }
            #[inline(always)]
            unsafe fn and(self, b: $t) -> $t {
                $t::from_bits(self.to_bits() & b.to_bits())
            }
            #[inline(always)]
            unsafe fn or(self, b: $t) -> $t {
                $t::from_bits(self.to_bits() | b.to_bits())
            }
            #[inline(always)]
            unsafe fn xor(self, b: $t) -> $t {
                $t::from_bits(self.to_bits() ^ b.to_bits())
            }
            #[inline(always)]
            unsafe fn gt(self, b: $t) -> bool {
                self > b
            }
            #[inline(always)]
            unsafe fn ge(self, b: $t) -> bool {
                self >= b
            }
            #[inline(always)]
            unsafe fn eq(self, b: $t) -> bool {
                self == b
            }
            #[inline(always)]
            unsafe fn unordered(self, b: $t) -> bool {
                self.is_nan() || b.is_nan()
            }
            #[inline(always)]
            unsafe fn exceeds(self, b: $t, m: bool) -> bool {
                m && (self > b || self.is_nan() || b.is_nan())
            }
            #[inline(always)]
            unsafe fn least(self, b: $t) -> $t {
                if self < b { self } else { b }
            }
            #[inline(always)]
            unsafe fn m_and(a: bool, b: bool) -> bool {
                a & b
            }
            #[inline(always)]
            unsafe fn m_or(a: bool, b: bool) -> bool {
                a | b
            }
            #[inline(always)]
            unsafe fn m_not(a: bool) -> bool {
                !a
            }
            #[inline(always)]
            unsafe fn pick(m: bool, a: $t, b: $t) -> $t {
                if m { a } else { b }
            }
            #[inline(always)]
            unsafe fn range(a: isize, b: isize) -> bool {
                a <= 0 && b > 0
            }
            #[inline(always)]
            unsafe fn load_range(p: *const $t, a: isize, b: isize) -> $t {
                if a <= 0 && b > 0 { unsafe { *p } } else { 0.0 }
            }
            #[inline(always)]
            unsafe fn store_range(self, p: *mut $t, a: isize, b: isize) {
                if a <= 0 && b > 0 {
                    unsafe { *p = self }
                }
            }
            #[inline(always)]
            unsafe fn scale(self, t: $t) -> $t {
                $t::from_bits(self.to_bits().wrapping_add(t.to_bits() << $shift))
            }
            #[inline(always)]
            unsafe fn int(x: u32) -> $t {
                $t::from_bits(x as i32 as $bits)
            }
            #[inline(always)]
            unsafe fn int_add(self, b: $t) -> $t {
                $t::from_bits(self.to_bits().wrapping_add(b.to_bits()))
            }
            #[inline(always)]
            unsafe fn int_ramp(_: u32) -> $t {
                $t::from_bits(0)
            }
            #[inline(always)]
            unsafe fn widen(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            unsafe fn narrow(d: f64) -> $t {
                d as $t
            }
            #[inline(always)]
            unsafe fn d_set1(x: f64) -> f64 {
                x
            }
            #[inline(always)]
            unsafe fn d_add(a: f64, b: f64) -> f64 {
                a + b
            }
            #[inline(always)]
            unsafe fn d_sub(a: f64, b: f64) -> f64 {
                a - b
            }
            #[inline(always)]
            unsafe fn d_mul(a: f64, b: f64) -> f64 {
                a * b
            }
            #[inline(always)]
            unsafe fn d_div(a: f64, b: f64) -> f64 {
                a / b
            }
            #[inline(always)]
            unsafe fn d_load_range(p: *const f64, a: isize, b: isize) -> f64 {
                if a <= 0 && b > 0 { unsafe { *p } } else { 0.0 }
            }
            #[inline(always)]
            unsafe fn d_add_where(a: f64, b: f64, m: bool) -> f64 {
                if m { a + b } else { a }
            }
            #[inline(always)]
            unsafe fn d_load_where(p: *const f64, m: bool) -> f64 {
                if m { unsafe { *p } } else { 0.0 }
            }
            #[inline(always)]
            unsafe fn load_where(p: *const $t, m: bool) -> $t {
                if m { unsafe { *p } } else { 0.0 }
            }
            #[inline(always)]
            unsafe fn d_load(p: *const f64) -> f64 {
                unsafe { *p }
            }
            #[inline(always)]
            unsafe fn d_store(d: f64, p: *mut f64) {
                unsafe { *p = d }
            }
        }
    };
}
scalar!(f32 u32 23);
scalar!(f64 u64 52);

#[cfg(target_arch = "x86_64")]
mod x86;
