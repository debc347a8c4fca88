//! Copies with the vector instructions of x86-64.

use super::super::array::Elem;
use std::arch::x86_64::*;

/// As [`super::stage`].
///
/// # Safety
/// As there, on a processor with AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn stage(line: *mut u8, lane: Elem, elem: Elem, p: *const u8, step: i64, n: usize) {
    unsafe { super::stage_with(line, lane, elem, p, step, n) }
}

/// Copies every other element.
///
/// # Safety
/// `n` elements lie there, and the line has room; the processor has AVX-512.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn every_other(line: *mut f32, p: *const f32, n: usize) {
    unsafe {
        let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        // of the last one the neighbour need not exist
        let whole = n.saturating_sub(1) / 16 * 16;
        for i in (0..whole).step_by(16) {
            let (a, b) = (_mm512_loadu_ps(p.add(2 * i)), _mm512_loadu_ps(p.add(2 * i + 16)));
            _mm512_storeu_ps(line.add(i), _mm512_permutex2var_ps(a, even, b));
        }
        if whole < n {
            let below = |count: usize| ((1u32 << count.min(16)) - 1) as __mmask16;
            let (rest, reach) = (n - whole, 2 * (n - whole) - 1);
            let a = _mm512_maskz_loadu_ps(below(reach), p.add(2 * whole));
            let b = _mm512_maskz_loadu_ps(below(reach.saturating_sub(16)), p.wrapping_add(2 * whole + 16));
            _mm512_mask_storeu_ps(line.add(whole), below(rest), _mm512_permutex2var_ps(a, even, b));
        }
    }
}

/// Rounds a line of sums.
///
/// # Safety
/// Both have `n` elements, and the processor has AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn narrow(line: *const f64, p: *mut f32, n: usize) {
    unsafe { (0..n).for_each(|i| *p.add(i) = *line.add(i) as f32) }
}

/// Indices as bytes.
///
/// # Safety
/// As for [`narrow`].
#[target_feature(enable = "avx2")]
pub(super) unsafe fn bytes(line: *const u32, p: *mut u8, n: usize) {
    unsafe { super::bytes_with(line, p, n) }
}
