//! Half precision into lines and out of them, with the vector instructions of x86-64.

use super::super::array::Elem;
use super::super::half::{BF16, F16, Half};
use super::super::isa::{Isa, detected};
use std::arch::x86_64::*;

/// Whether AVX2 comes with conversions of the type.
fn has(elem: Elem) -> bool {
    elem == Elem::BF16 || std::arch::is_x86_feature_detected!("f16c")
}

/// Copies `n` elements of half precision, side by side, into a line; `false` if there is nothing better than one by one.
///
/// # Safety
/// Both have `n` elements.
pub(super) unsafe fn stage(line: *mut f32, elem: Elem, p: *const u16, n: usize) -> bool {
    unsafe {
        match detected() {
            Isa::V4 => widen_v4(line, elem, p, n),
            Isa::V3 if !has(elem) => return false,
            Isa::V3 if elem == Elem::BF16 => widen_bf16_v3(line, p, n),
            Isa::V3 => widen_f16_v3(line, p, n),
            Isa::V1 => return false,
        }
    }
    true
}

/// Rounds a line to `n` elements of half precision, side by side; `false` as in [`stage`]. Past the cache if `stream` says
/// so, and the processor can.
///
/// # Safety
/// As for [`stage`].
pub(super) unsafe fn unstage(line: *const f32, elem: Elem, p: *mut u16, n: usize, stream: bool) -> bool {
    unsafe {
        match detected() {
            Isa::V4 => {
                // up to a whole line of the cache, then whole vectors past it
                let head = if stream { (p.align_offset(64)).min(n) } else { n };
                let body = (n - head) / 32 * 32;
                narrow_v4::<false>(line, elem, p, head);
                narrow_v4::<true>(line.add(head), elem, p.add(head), body);
                narrow_v4::<false>(line.add(head + body), elem, p.add(head + body), n - head - body);
            }
            Isa::V3 if !has(elem) => return false,
            Isa::V3 if elem == Elem::BF16 => narrow_bf16_v3(line, p, n),
            Isa::V3 => narrow_f16_v3(line, p, n),
            Isa::V1 => return false,
        }
    }
    true
}

/// Memory is asked for so many elements before they are converted: what is read in bursts, the processor foresees badly.
const AHEAD: usize = 1024;

/// The first of 16 lanes, as many as there are.
fn lanes(left: usize) -> __mmask16 {
    if left >= 16 { 0xffff } else { (1 << left) - 1 }
}

/// # Safety
/// As for [`stage`], on a processor with AVX-512.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn widen_v4(line: *mut f32, elem: Elem, p: *const u16, n: usize) {
    for i in (0..n).step_by(16) {
        let mask = lanes(n - i);
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(p.wrapping_add(i + AHEAD).cast());
            let h = _mm256_maskz_loadu_epi16(mask, p.add(i).cast());
            let x = match elem {
                Elem::BF16 => _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(h))),
                _ => _mm512_cvtph_ps(h),
            };
            _mm512_mask_storeu_ps(line.add(i), mask, x);
        }
    }
}

/// Past the cache if `STREAM`: then `p` is aligned to 32 bytes, and `n` a multiple of 16.
///
/// # Safety
/// As for [`stage`], on a processor with AVX-512.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn narrow_v4<const STREAM: bool>(line: *const f32, elem: Elem, p: *mut u16, n: usize) {
    for i in (0..n).step_by(16) {
        let mask = lanes(n - i);
        unsafe {
            let x = _mm512_maskz_loadu_ps(mask, line.add(i));
            let h = match elem {
                Elem::BF16 => {
                    // as `to_bf16`
                    let bits = _mm512_castps_si512(x);
                    let upper = _mm512_srli_epi32::<16>(bits);
                    let odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
                    let sum = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
                    let quiet = _mm512_or_si512(upper, _mm512_set1_epi32(0x40));
                    let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x);
                    _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(_mm512_srli_epi32::<16>(sum), nan, quiet))
                }
                _ => _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x),
            };
            if STREAM {
                _mm256_stream_si256(p.add(i).cast(), h);
            } else {
                _mm256_mask_storeu_epi16(p.add(i).cast(), mask, h);
            }
        }
    }
}

/// # Safety
/// As for [`stage`], on a processor with AVX2.
#[target_feature(enable = "avx2")]
unsafe fn widen_bf16_v3(line: *mut f32, p: *const u16, n: usize) {
    let whole = n / 8 * 8;
    unsafe {
        for i in (0..whole).step_by(8) {
            let h = _mm256_cvtepu16_epi32(_mm_loadu_si128(p.add(i).cast()));
            _mm256_storeu_ps(line.add(i), _mm256_castsi256_ps(_mm256_slli_epi32::<16>(h)));
        }
        (whole..n).for_each(|i| *line.add(i) = (*p.add(i).cast::<BF16>()).wide());
    }
}

/// # Safety
/// As for [`stage`], on a processor with AVX2.
#[target_feature(enable = "avx2")]
unsafe fn narrow_bf16_v3(line: *const f32, p: *mut u16, n: usize) {
    let whole = n / 8 * 8;
    unsafe {
        for i in (0..whole).step_by(8) {
            // as `to_bf16`
            let x = _mm256_loadu_ps(line.add(i));
            let bits = _mm256_castps_si256(x);
            let upper = _mm256_srli_epi32::<16>(bits);
            let odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
            let sum = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
            let quiet = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
            let nan = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(x, x));
            let y = _mm256_blendv_epi8(_mm256_srli_epi32::<16>(sum), quiet, nan);
            let h = _mm_packus_epi32(_mm256_castsi256_si128(y), _mm256_extracti128_si256::<1>(y));
            _mm_storeu_si128(p.add(i).cast(), h);
        }
        (whole..n).for_each(|i| *p.add(i).cast() = BF16::nearest(*line.add(i)));
    }
}

/// # Safety
/// As for [`stage`], on a processor with F16C.
#[target_feature(enable = "avx2,f16c")]
unsafe fn widen_f16_v3(line: *mut f32, p: *const u16, n: usize) {
    let whole = n / 8 * 8;
    unsafe {
        for i in (0..whole).step_by(8) {
            _mm256_storeu_ps(line.add(i), _mm256_cvtph_ps(_mm_loadu_si128(p.add(i).cast())));
        }
        (whole..n).for_each(|i| *line.add(i) = (*p.add(i).cast::<F16>()).wide());
    }
}

/// # Safety
/// As for [`stage`], on a processor with F16C.
#[target_feature(enable = "avx2,f16c")]
unsafe fn narrow_f16_v3(line: *const f32, p: *mut u16, n: usize) {
    let whole = n / 8 * 8;
    unsafe {
        for i in (0..whole).step_by(8) {
            let h = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(_mm256_loadu_ps(line.add(i)));
            _mm_storeu_si128(p.add(i).cast(), h);
        }
        (whole..n).for_each(|i| *p.add(i).cast() = F16::nearest(*line.add(i)));
    }
}
