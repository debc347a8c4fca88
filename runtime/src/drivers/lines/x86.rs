//! Copies with the vector instructions of x86-64.

use super::super::array::Elem;
use super::Rows;
use std::arch::x86_64::*;

/// As [`super::stage`].
///
/// # Safety
/// As there, on a processor with AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn stage(line: *mut u8, lane: Elem, elem: Elem, p: *const u8, step: i64, n: usize) {
    unsafe { super::stage_with(line, lane, elem, p, step, n) }
}

/// Rounds a line of sums.
///
/// # Safety
/// Both have `n` elements, and the processor has AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn narrow(line: *const f64, p: *mut f32, n: usize) {
    unsafe { (0..n).for_each(|i| *p.add(i) = *line.add(i) as f32) }
}

/// Rounds lines of sums to every other element; what lies between them is not touched.
///
/// # Safety
/// As for [`super::unstage_rows`], on a processor with AVX-512.
#[target_feature(enable = "avx512f,avx512vl")]
pub(super) unsafe fn narrow_apart(from: Rows, p: *mut f32, row_step: i64, n: usize) {
    const EVEN: __mmask16 = 0x5555;
    for row in 0..from.rows {
        let line = from.line.wrapping_add(row * from.pitch) as *const f64;
        let p = p.wrapping_byte_offset(row as isize * row_step as isize);
        unsafe {
            for i in (0..n / 8 * 8).step_by(8) {
                let x = _mm512_castps256_ps512(_mm512_cvtpd_ps(_mm512_loadu_pd(line.add(i))));
                _mm512_mask_storeu_ps(p.add(2 * i), EVEN, _mm512_maskz_expand_ps(EVEN, x));
            }
            (n / 8 * 8..n).for_each(|i| *p.add(2 * i) = *line.add(i) as f32);
        }
    }
}

/// Indices as bytes.
///
/// # Safety
/// As for [`narrow`].
#[target_feature(enable = "avx2")]
pub(super) unsafe fn bytes(line: *const u32, p: *mut u8, n: usize) {
    unsafe { super::bytes_with(line, p, n) }
}
