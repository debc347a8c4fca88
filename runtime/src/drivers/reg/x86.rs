//! The registers of x86-64: SSE2, AVX2 and AVX-512.

use super::Reg;
use std::arch::x86_64::*;

/// The methods that are one instruction of the same name at every width.
macro_rules! plain {
    ($t:ident $l:literal $bits:ident; $set1:ident $load:ident $store:ident $stream:ident $add:ident $sub:ident $mul:ident $div:ident $sqrt:ident $min:ident
     $and:ident $or:ident $xor:ident; $fi:ident $if:ident $shl:ident $iadd:ident $iset:ident $shift:literal $int:ident) => {
        type T = $t;
        const L: usize = $l;
        #[inline(always)]
        unsafe fn set1(x: $t) -> Self {
            unsafe { $set1(x) }
        }
        #[inline(always)]
        unsafe fn load(p: *const $t) -> Self {
            unsafe { $load(p) }
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut $t) {
            unsafe { $store(p, self) }
        }
        #[inline(always)]
        unsafe fn stream(self, p: *mut $t) {
            unsafe { $stream(p, self) }
        }
        #[inline(always)]
        unsafe fn add(self, b: Self) -> Self {
            unsafe { $add(self, b) }
        }
        #[inline(always)]
        unsafe fn sub(self, b: Self) -> Self {
            unsafe { $sub(self, b) }
        }
        #[inline(always)]
        unsafe fn mul(self, b: Self) -> Self {
            unsafe { $mul(self, b) }
        }
        #[inline(always)]
        unsafe fn div(self, b: Self) -> Self {
            unsafe { $div(self, b) }
        }
        #[inline(always)]
        unsafe fn sqrt(self) -> Self {
            unsafe { $sqrt(self) }
        }
        #[inline(always)]
        unsafe fn least(self, b: Self) -> Self {
            unsafe { $min(self, b) }
        }
        #[inline(always)]
        unsafe fn and(self, b: Self) -> Self {
            unsafe { $and(self, b) }
        }
        #[inline(always)]
        unsafe fn or(self, b: Self) -> Self {
            unsafe { $or(self, b) }
        }
        #[inline(always)]
        unsafe fn xor(self, b: Self) -> Self {
            unsafe { $xor(self, b) }
        }
        #[inline(always)]
        unsafe fn scale(self, t: Self) -> Self {
            unsafe { $if($iadd($fi(self), $shl::<$shift>($fi(t)))) }
        }
        #[inline(always)]
        unsafe fn int(x: u32) -> Self {
            unsafe { $if($iset(x as i32 as $int)) }
        }
        #[inline(always)]
        unsafe fn int_add(self, b: Self) -> Self {
            unsafe { $if($iadd($fi(self), $fi(b))) }
        }
        ramp!($t $l $bits);
    };
}

/// Comparisons whose result is a register, and what is done with it.
macro_rules! wide_masks {
    ($r:ident $t:ident $bits:ident $l:literal) => {
        type M = $r;
        #[inline(always)]
        unsafe fn m_and(a: $r, b: $r) -> $r {
            unsafe { a.and(b) }
        }
        #[inline(always)]
        unsafe fn m_or(a: $r, b: $r) -> $r {
            unsafe { a.or(b) }
        }
        #[inline(always)]
        unsafe fn m_not(a: $r) -> $r {
            unsafe { a.xor(Self::set1($t::from_bits($bits::MAX))) }
        }
        #[inline(always)]
        unsafe fn range(a: isize, b: isize) -> $r {
            // lanes are compared as small numbers
            const RAMP: [$t; 16] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0];
            unsafe {
                let ramp = Self::load(RAMP.as_ptr());
                Self::m_and(ramp.ge(Self::set1(a as $t)), Self::set1(b as $t).gt(ramp))
            }
        }
    };
}

/// The `f64` of `f64` lanes are these themselves.
macro_rules! own_doubles {
    ($r:ident) => {
        type D = $r;
        #[inline(always)]
        unsafe fn d_set1(x: f64) -> $r {
            unsafe { Self::set1(x) }
        }
        #[inline(always)]
        unsafe fn widen(self) -> $r {
            self
        }
        #[inline(always)]
        unsafe fn narrow(d: $r) -> Self {
            d
        }
        #[inline(always)]
        unsafe fn d_add(a: $r, b: $r) -> $r {
            unsafe { a.add(b) }
        }
        #[inline(always)]
        unsafe fn d_sub(a: $r, b: $r) -> $r {
            unsafe { a.sub(b) }
        }
        #[inline(always)]
        unsafe fn d_mul(a: $r, b: $r) -> $r {
            unsafe { a.mul(b) }
        }
        #[inline(always)]
        unsafe fn d_div(a: $r, b: $r) -> $r {
            unsafe { a.div(b) }
        }
        #[inline(always)]
        unsafe fn d_load_range(p: *const f64, a: isize, b: isize) -> $r {
            unsafe { Self::load_range(p, a, b) }
        }
        #[inline(always)]
        unsafe fn d_add_where(a: $r, b: $r, m: Self::M) -> $r {
            unsafe { Self::pick(m, a.add(b), a) }
        }
        #[inline(always)]
        unsafe fn d_load_where(p: *const f64, m: Self::M) -> $r {
            unsafe { Self::load_where(p, m) }
        }
        #[inline(always)]
        unsafe fn d_load(p: *const f64) -> $r {
            unsafe { Self::load(p) }
        }
        #[inline(always)]
        unsafe fn d_store(d: $r, p: *mut f64) {
            unsafe { d.store(p) }
        }
    };
}

/// The `f64` of `f32` lanes: two registers, the lower and the upper half.
macro_rules! two_doubles {
    ($d:ident $half:literal $low:expr, $high:expr, $join:expr, $low_mask:expr, $high_mask:expr) => {
        type D = [$d; 2];
        #[inline(always)]
        unsafe fn d_set1(x: f64) -> [$d; 2] {
            unsafe { [$d::set1(x); 2] }
        }
        #[inline(always)]
        unsafe fn widen(self) -> [$d; 2] {
            unsafe { [$low(self), $high(self)] }
        }
        #[inline(always)]
        unsafe fn narrow(d: [$d; 2]) -> Self {
            unsafe { $join(d[0], d[1]) }
        }
        #[inline(always)]
        unsafe fn d_add(a: [$d; 2], b: [$d; 2]) -> [$d; 2] {
            unsafe { [a[0].add(b[0]), a[1].add(b[1])] }
        }
        #[inline(always)]
        unsafe fn d_sub(a: [$d; 2], b: [$d; 2]) -> [$d; 2] {
            unsafe { [a[0].sub(b[0]), a[1].sub(b[1])] }
        }
        #[inline(always)]
        unsafe fn d_mul(a: [$d; 2], b: [$d; 2]) -> [$d; 2] {
            unsafe { [a[0].mul(b[0]), a[1].mul(b[1])] }
        }
        #[inline(always)]
        unsafe fn d_div(a: [$d; 2], b: [$d; 2]) -> [$d; 2] {
            unsafe { [a[0].div(b[0]), a[1].div(b[1])] }
        }
        #[inline(always)]
        unsafe fn d_load_range(p: *const f64, a: isize, b: isize) -> [$d; 2] {
            unsafe { [$d::load_range(p, a, b), $d::load_range(p.wrapping_add($half), a - $half, b - $half)] }
        }
        #[inline(always)]
        unsafe fn d_add_where(a: [$d; 2], b: [$d; 2], m: Self::M) -> [$d; 2] {
            unsafe { [$d::d_add_where(a[0], b[0], $low_mask(m)), $d::d_add_where(a[1], b[1], $high_mask(m))] }
        }
        #[inline(always)]
        unsafe fn d_load_where(p: *const f64, m: Self::M) -> [$d; 2] {
            unsafe { [$d::load_where(p, $low_mask(m)), $d::load_where(p.wrapping_add($half), $high_mask(m))] }
        }
        #[inline(always)]
        unsafe fn d_load(p: *const f64) -> [$d; 2] {
            unsafe { [$d::load(p), $d::load(p.add($half))] }
        }
        #[inline(always)]
        unsafe fn d_store(d: [$d; 2], p: *mut f64) {
            unsafe {
                d[0].store(p);
                d[1].store(p.add($half));
            }
        }
    };
}

macro_rules! avx512 {
    ($r:ident $t:ident $l:literal $m:ident; $fma:ident $cmp:ident $mcmp:ident $blend:ident $mload:ident $mstore:ident; { $($plain:tt)* } { $($doubles:tt)* }) => {
        // SAFETY: one instruction each; the caller has AVX-512.
        unsafe impl Reg for $r {
            plain!($($plain)*);
            $($doubles)*
            type M = $m;
            #[inline(always)]
            unsafe fn fma(self, b: Self, c: Self) -> Self {
                unsafe { $fma(self, b, c) }
            }
            #[inline(always)]
            unsafe fn gt(self, b: Self) -> $m {
                unsafe { $cmp::<_CMP_GT_OQ>(self, b) }
            }
            #[inline(always)]
            unsafe fn ge(self, b: Self) -> $m {
                unsafe { $cmp::<_CMP_GE_OQ>(self, b) }
            }
            #[inline(always)]
            unsafe fn eq(self, b: Self) -> $m {
                unsafe { $cmp::<_CMP_EQ_OQ>(self, b) }
            }
            #[inline(always)]
            unsafe fn unordered(self, b: Self) -> $m {
                unsafe { $cmp::<_CMP_UNORD_Q>(self, b) }
            }
            #[inline(always)]
            unsafe fn exceeds(self, b: Self, m: $m) -> $m {
                unsafe { $mcmp::<_CMP_NLE_UQ>(m, self, b) }
            }
            #[inline(always)]
            unsafe fn m_and(a: $m, b: $m) -> $m {
                a & b
            }
            #[inline(always)]
            unsafe fn m_or(a: $m, b: $m) -> $m {
                a | b
            }
            #[inline(always)]
            unsafe fn m_not(a: $m) -> $m {
                !a
            }
            #[inline(always)]
            unsafe fn pick(m: $m, a: Self, b: Self) -> Self {
                unsafe { $blend(m, b, a) }
            }
            #[inline(always)]
            unsafe fn range(a: isize, b: isize) -> $m {
                // as bits, whose difference is the stretch
                let below = |n: isize| 1u32 << n.clamp(0, $l);
                (below(b).saturating_sub(below(a))) as $m
            }
            #[inline(always)]
            unsafe fn load_range(p: *const $t, a: isize, b: isize) -> Self {
                unsafe { $mload(Self::range(a, b), p) }
            }
            #[inline(always)]
            unsafe fn load_where(p: *const $t, m: $m) -> Self {
                unsafe { $mload(m, p) }
            }
            #[inline(always)]
            unsafe fn store_range(self, p: *mut $t, a: isize, b: isize) {
                unsafe { $mstore(p, Self::range(a, b), self) }
            }
        }
    };
}
avx512!(__m512 f32 16 __mmask16; _mm512_fmadd_ps _mm512_cmp_ps_mask _mm512_mask_cmp_ps_mask _mm512_mask_blend_ps _mm512_maskz_loadu_ps _mm512_mask_storeu_ps;
    { f32 16 u32; _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_stream_ps _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_div_ps
      _mm512_sqrt_ps _mm512_min_ps _mm512_and_ps _mm512_or_ps _mm512_xor_ps; _mm512_castps_si512 _mm512_castsi512_ps _mm512_slli_epi32 _mm512_add_epi32 _mm512_set1_epi32 23 i32 }
    { two_doubles!(__m512d 8 |x| _mm512_cvtps_pd(_mm512_castps512_ps256(x)), |x| _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(x)),
      |a, b| _mm512_insertf32x8::<1>(_mm512_castps256_ps512(_mm512_cvtpd_ps(a)), _mm512_cvtpd_ps(b)),
      |m: __mmask16| m as __mmask8, |m: __mmask16| (m >> 8) as __mmask8);
      #[inline(always)]
      unsafe fn interleave(self, b: Self) -> (Self, Self) {
          unsafe {
              let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
              let high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
              (_mm512_permutex2var_ps(self, low, b), _mm512_permutex2var_ps(self, high, b))
          }
      } });
avx512!(__m512d f64 8 __mmask8; _mm512_fmadd_pd _mm512_cmp_pd_mask _mm512_mask_cmp_pd_mask _mm512_mask_blend_pd _mm512_maskz_loadu_pd _mm512_mask_storeu_pd;
    { f64 8 u64; _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_stream_pd _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_div_pd
      _mm512_sqrt_pd _mm512_min_pd _mm512_and_pd _mm512_or_pd _mm512_xor_pd; _mm512_castpd_si512 _mm512_castsi512_pd _mm512_slli_epi64 _mm512_add_epi64 _mm512_set1_epi64 52 i64 }
    { own_doubles!(__m512d); });

macro_rules! avx2 {
    ($r:ident $t:ident $l:literal $bits:ident; $fma:ident $cmp:ident $blend:ident $mload:ident $mstore:ident $fi:ident; { $($plain:tt)* } { $($doubles:tt)* }) => {
        // SAFETY: one instruction each; the caller has AVX2 and FMA.
        unsafe impl Reg for $r {
            plain!($($plain)*);
            $($doubles)*
            wide_masks!($r $t $bits $l);
            #[inline(always)]
            unsafe fn fma(self, b: Self, c: Self) -> Self {
                unsafe { $fma(self, b, c) }
            }
            #[inline(always)]
            unsafe fn gt(self, b: Self) -> $r {
                unsafe { $cmp::<_CMP_GT_OQ>(self, b) }
            }
            #[inline(always)]
            unsafe fn ge(self, b: Self) -> $r {
                unsafe { $cmp::<_CMP_GE_OQ>(self, b) }
            }
            #[inline(always)]
            unsafe fn eq(self, b: Self) -> $r {
                unsafe { $cmp::<_CMP_EQ_OQ>(self, b) }
            }
            #[inline(always)]
            unsafe fn unordered(self, b: Self) -> $r {
                unsafe { $cmp::<_CMP_UNORD_Q>(self, b) }
            }
            #[inline(always)]
            unsafe fn exceeds(self, b: Self, m: $r) -> $r {
                unsafe { $cmp::<_CMP_NLE_UQ>(self, b).and(m) }
            }
            #[inline(always)]
            unsafe fn pick(m: $r, a: Self, b: Self) -> Self {
                unsafe { $blend(b, a, m) }
            }
            #[inline(always)]
            unsafe fn load_range(p: *const $t, a: isize, b: isize) -> Self {
                unsafe { $mload(p, $fi(Self::range(a, b))) }
            }
            #[inline(always)]
            unsafe fn load_where(p: *const $t, m: $r) -> Self {
                unsafe { $mload(p, $fi(m)) }
            }
            #[inline(always)]
            unsafe fn store_range(self, p: *mut $t, a: isize, b: isize) {
                unsafe { $mstore(p, $fi(Self::range(a, b)), self) }
            }
        }
    };
}
avx2!(__m256 f32 8 u32; _mm256_fmadd_ps _mm256_cmp_ps _mm256_blendv_ps _mm256_maskload_ps _mm256_maskstore_ps _mm256_castps_si256;
    { f32 8 u32; _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_stream_ps _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps
      _mm256_sqrt_ps _mm256_min_ps _mm256_and_ps _mm256_or_ps _mm256_xor_ps; _mm256_castps_si256 _mm256_castsi256_ps _mm256_slli_epi32 _mm256_add_epi32 _mm256_set1_epi32 23 i32 }
    { two_doubles!(__m256d 4 |x| _mm256_cvtps_pd(_mm256_castps256_ps128(x)), |x| _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(x)),
      |a, b| _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(_mm256_cvtpd_ps(a)), _mm256_cvtpd_ps(b)),
      |m| _mm256_castsi256_pd(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(_mm256_castps_si256(m)))),
      |m| _mm256_castsi256_pd(_mm256_cvtepi32_epi64(_mm256_extracti128_si256::<1>(_mm256_castps_si256(m)))));
      #[inline(always)]
      unsafe fn interleave(self, b: Self) -> (Self, Self) {
          unsafe {
              let (low, high) = (_mm256_unpacklo_ps(self, b), _mm256_unpackhi_ps(self, b));
              (_mm256_permute2f128_ps::<0x20>(low, high), _mm256_permute2f128_ps::<0x31>(low, high))
          }
      } });
avx2!(__m256d f64 4 u64; _mm256_fmadd_pd _mm256_cmp_pd _mm256_blendv_pd _mm256_maskload_pd _mm256_maskstore_pd _mm256_castpd_si256;
    { f64 4 u64; _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_stream_pd _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd
      _mm256_sqrt_pd _mm256_min_pd _mm256_and_pd _mm256_or_pd _mm256_xor_pd; _mm256_castpd_si256 _mm256_castsi256_pd _mm256_slli_epi64 _mm256_add_epi64 _mm256_set1_epi64x 52 i64 }
    { own_doubles!(__m256d); });

macro_rules! sse2 {
    ($r:ident $t:ident $l:literal $bits:ident; $gt:ident $ge:ident $eq:ident $un:ident $nle:ident $andnot:ident; { $($plain:tt)* } { $($doubles:tt)* }) => {
        // SAFETY: one instruction each; every x86-64 processor has SSE2.
        unsafe impl Reg for $r {
            plain!($($plain)*);
            $($doubles)*
            wide_masks!($r $t $bits $l);
            by_array!($t $l $bits);
            #[inline(always)]
            unsafe fn fma(self, b: Self, c: Self) -> Self {
                unsafe { self.mul(b).add(c) }
            }
            #[inline(always)]
            unsafe fn gt(self, b: Self) -> $r {
                unsafe { $gt(self, b) }
            }
            #[inline(always)]
            unsafe fn ge(self, b: Self) -> $r {
                unsafe { $ge(self, b) }
            }
            #[inline(always)]
            unsafe fn eq(self, b: Self) -> $r {
                unsafe { $eq(self, b) }
            }
            #[inline(always)]
            unsafe fn unordered(self, b: Self) -> $r {
                unsafe { $un(self, b) }
            }
            #[inline(always)]
            unsafe fn exceeds(self, b: Self, m: $r) -> $r {
                unsafe { $nle(self, b).and(m) }
            }
            #[inline(always)]
            unsafe fn pick(m: $r, a: Self, b: Self) -> Self {
                unsafe { m.and(a).or($andnot(m, b)) }
            }
        }
    };
}
sse2!(__m128 f32 4 u32; _mm_cmpgt_ps _mm_cmpge_ps _mm_cmpeq_ps _mm_cmpunord_ps _mm_cmpnle_ps _mm_andnot_ps;
    { f32 4 u32; _mm_set1_ps _mm_loadu_ps _mm_storeu_ps _mm_stream_ps _mm_add_ps _mm_sub_ps _mm_mul_ps _mm_div_ps
      _mm_sqrt_ps _mm_min_ps _mm_and_ps _mm_or_ps _mm_xor_ps; _mm_castps_si128 _mm_castsi128_ps _mm_slli_epi32 _mm_add_epi32 _mm_set1_epi32 23 i32 }
    { two_doubles!(__m128d 2 |x| _mm_cvtps_pd(x), |x| _mm_cvtps_pd(_mm_movehl_ps(x, x)),
      |a, b| _mm_movelh_ps(_mm_cvtpd_ps(a), _mm_cvtpd_ps(b)),
      |m| _mm_castps_pd(_mm_unpacklo_ps(m, m)), |m| _mm_castps_pd(_mm_unpackhi_ps(m, m))); });
sse2!(__m128d f64 2 u64; _mm_cmpgt_pd _mm_cmpge_pd _mm_cmpeq_pd _mm_cmpunord_pd _mm_cmpnle_pd _mm_andnot_pd;
    { f64 2 u64; _mm_set1_pd _mm_loadu_pd _mm_storeu_pd _mm_stream_pd _mm_add_pd _mm_sub_pd _mm_mul_pd _mm_div_pd
      _mm_sqrt_pd _mm_min_pd _mm_and_pd _mm_or_pd _mm_xor_pd; _mm_castpd_si128 _mm_castsi128_pd _mm_slli_epi64 _mm_add_epi64 _mm_set1_epi64x 52 i64 }
    { own_doubles!(__m128d); });
