//! Philox4x32-10: the random numbers of a seed, a draw's number and an element's index.

const ROUNDS: usize = 10;

/// The four words of one counter.
#[inline(always)]
fn words(seed: u64, draw: u32, counter: u64) -> [u32; 4] {
    let mut c = [counter as u32, (counter >> 32) as u32, draw, 0];
    let mut k = [seed as u32, (seed >> 32) as u32];
    for _ in 0..ROUNDS {
        let (a, b) = (u64::from(c[0]) * 0xD251_1F53, u64::from(c[2]) * 0xCD9E_8D57);
        c = [(b >> 32) as u32 ^ c[1] ^ k[0], b as u32, (a >> 32) as u32 ^ c[3] ^ k[1], a as u32];
        k = [k[0].wrapping_add(0x9E37_79B9), k[1].wrapping_add(0xBB67_AE85)];
    }
    c
}

/// The bits of one element.
pub(crate) fn bits(seed: u64, draw: u32, element: u64) -> u32 {
    words(seed, draw, element / 4)[(element % 4) as usize]
}

/// How many counters a block computes side by side.
const BLOCK: usize = 16;

/// The bits of consecutive elements.
pub(crate) fn fill(seed: u64, draw: u32, first: u64, out: &mut [u32]) {
    let mut done = 0;
    while done < out.len() {
        let element = first + done as u64;
        let skip = (element % 4) as usize;
        if let Some(block) = out[done..].first_chunk_mut().filter(|_| skip == 0) {
            rounds(seed, draw, element / 4, block);
            done += 4 * BLOCK;
            continue;
        }
        let mut block = [0; 4 * BLOCK];
        rounds(seed, draw, element / 4, &mut block);
        let n = (4 * BLOCK - skip).min(out.len() - done);
        out[done..done + n].copy_from_slice(&block[skip..skip + n]);
        done += n;
    }
}

/// For each of some bits, whether they are below a bound: 1, else 0.
pub(crate) fn below(bits: &[u32], bound: u32, out: &mut [f32]) {
    #[inline(always)]
    fn each(bits: &[u32], bound: u32, out: &mut [f32]) {
        out.iter_mut().zip(bits).for_each(|(out, bits)| *out = if *bits < bound { 1.0 } else { 0.0 });
    }
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn wide(bits: &[u32], bound: u32, out: &mut [f32]) {
            each(bits, bound, out);
        }
        if super::isa::detected() != super::isa::Isa::V1 {
            // SAFETY: the instruction set is there
            return unsafe { wide(bits, bound, out) };
        }
    }
    each(bits, bound, out);
}

/// The words of consecutive counters.
fn rounds(seed: u64, draw: u32, counter: u64, out: &mut [u32; 4 * BLOCK]) {
    #[cfg(target_arch = "x86_64")]
    match super::isa::detected() {
        // SAFETY: the instruction set is there
        super::isa::Isa::V4 => return unsafe { avx512::sixteen(seed, draw, counter, out) },
        super::isa::Isa::V3 => {
            let (a, b) = out.split_at_mut(32);
            // SAFETY: the instruction set is there
            unsafe {
                avx2::eight(seed, draw, counter, a);
                avx2::eight(seed, draw, counter.wrapping_add(8), b);
            }
            return;
        }
        super::isa::Isa::V1 => {}
    }
    for (i, four) in out.chunks_exact_mut(4).enumerate() {
        four.copy_from_slice(&words(seed, draw, counter.wrapping_add(i as u64)));
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::ROUNDS;
    use std::arch::x86_64::*;

    /// High and low halves of eight products.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn product(a: __m256i, by: i32) -> (__m256i, __m256i) {
        let by = _mm256_set1_epi32(by);
        let (even, odd) = (_mm256_mul_epu32(a, by), _mm256_mul_epu32(_mm256_srli_epi64::<32>(a), by));
        let high = _mm256_blend_epi32::<0b1010_1010>(_mm256_srli_epi64::<32>(even), odd);
        (high, _mm256_blend_epi32::<0b1010_1010>(even, _mm256_slli_epi64::<32>(odd)))
    }

    /// Eight counters, one a lane.
    #[target_feature(enable = "avx2")]
    pub(super) fn eight(seed: u64, draw: u32, counter: u64, out: &mut [u32]) {
        let lane = |i: u64, shift: u32| (counter.wrapping_add(i) >> shift) as i32;
        let lanes = |s: u32| {
            _mm256_setr_epi32(lane(0, s), lane(1, s), lane(2, s), lane(3, s), lane(4, s), lane(5, s), lane(6, s), lane(7, s))
        };
        let (mut c0, mut c1) = (lanes(0), lanes(32));
        let (mut c2, mut c3) = (_mm256_set1_epi32(draw as i32), _mm256_setzero_si256());
        let mut k = [seed as u32, (seed >> 32) as u32];
        for _ in 0..ROUNDS {
            let (a, b) = (product(c0, 0xD251_1F53_u32 as i32), product(c2, 0xCD9E_8D57_u32 as i32));
            c0 = _mm256_xor_si256(_mm256_xor_si256(b.0, c1), _mm256_set1_epi32(k[0] as i32));
            c2 = _mm256_xor_si256(_mm256_xor_si256(a.0, c3), _mm256_set1_epi32(k[1] as i32));
            (c1, c3) = (b.1, a.1);
            k = [k[0].wrapping_add(0x9E37_79B9), k[1].wrapping_add(0xBB67_AE85)];
        }
        // four words of one counter side by side
        let (a, b) = (_mm256_unpacklo_epi32(c0, c1), _mm256_unpackhi_epi32(c0, c1));
        let (c, d) = (_mm256_unpacklo_epi32(c2, c3), _mm256_unpackhi_epi32(c2, c3));
        let pairs =
            [_mm256_unpacklo_epi64(a, c), _mm256_unpackhi_epi64(a, c), _mm256_unpacklo_epi64(b, d), _mm256_unpackhi_epi64(b, d)];
        assert_eq!(out.len(), 32);
        for (i, pair) in pairs.into_iter().enumerate() {
            // SAFETY: 32 words
            unsafe {
                let p = out.as_mut_ptr();
                _mm_storeu_si128(p.add(4 * i).cast(), _mm256_castsi256_si128(pair));
                _mm_storeu_si128(p.add(4 * i + 16).cast(), _mm256_extracti128_si256::<1>(pair));
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::ROUNDS;
    use std::arch::x86_64::*;

    /// Eight counters, one a pair of lanes: words are in the lower ones, which is what products are of; what is in the
    /// upper ones does not matter.
    #[derive(Clone, Copy)]
    struct Eight([__m512i; 4]);

    impl Eight {
        #[inline]
        #[target_feature(enable = "avx512f")]
        fn new(draw: u32, counter: u64) -> Eight {
            // so that, of the results, the pairs that are interleaved lie in order
            let order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
            let counter = _mm512_add_epi64(_mm512_set1_epi64(counter as i64), order);
            let high = _mm512_srli_epi64::<32>(counter);
            Eight([counter, high, _mm512_set1_epi64(draw.into()), _mm512_setzero_si512()])
        }
        #[inline]
        #[target_feature(enable = "avx512f")]
        fn round(self, k: [u32; 2]) -> Eight {
            const XOR: i32 = 0x96;
            let [c0, c1, c2, c3] = self.0;
            let a = _mm512_mul_epu32(c0, _mm512_set1_epi64(0xD251_1F53));
            let b = _mm512_mul_epu32(c2, _mm512_set1_epi64(0xCD9E_8D57));
            let mix = |product, word, key: u32| {
                _mm512_ternarylogic_epi64::<XOR>(_mm512_srli_epi64::<32>(product), word, _mm512_set1_epi64(key.into()))
            };
            Eight([mix(b, c1, k[0]), b, mix(a, c3, k[1]), a])
        }
        /// The words, those of one counter side by side.
        #[inline]
        #[target_feature(enable = "avx512f")]
        fn words(self) -> [__m512i; 2] {
            const ODD: __mmask16 = 0xaaaa;
            let [c0, c1, c2, c3] = self.0;
            let (a, b) = (_mm512_mask_shuffle_epi32::<0xa0>(c0, ODD, c1), _mm512_mask_shuffle_epi32::<0xa0>(c2, ODD, c3));
            [_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b)]
        }
    }

    /// Sixteen counters.
    #[target_feature(enable = "avx512f")]
    pub(super) fn sixteen(seed: u64, draw: u32, counter: u64, out: &mut [u32; 64]) {
        // two chains of products side by side: neither waits for the other
        let (mut first, mut second) = (Eight::new(draw, counter), Eight::new(draw, counter.wrapping_add(8)));
        let mut k = [seed as u32, (seed >> 32) as u32];
        for _ in 0..ROUNDS {
            (first, second) = (first.round(k), second.round(k));
            k = [k[0].wrapping_add(0x9E37_79B9), k[1].wrapping_add(0xBB67_AE85)];
        }
        let ([a, b], [c, d]) = (first.words(), second.words());
        for (i, row) in [a, b, c, d].into_iter().enumerate() {
            // SAFETY: 64 words
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().add(16 * i).cast(), row) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors() {
        // Random123's kat_vectors, philox4x32 with 10 rounds; the last counter word is always 0 here
        assert_eq!(words(0, 0, 0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
    }

    #[test]
    fn blocks_agree_with_single_elements() {
        for first in [0, 1, 3, 5, 62, u64::from(u32::MAX) * 4 - 9] {
            let mut out = [0; 151];
            fill(0x1234_5678_9abc_def0, 3, first, &mut out);
            for (i, &word) in out.iter().enumerate() {
                assert_eq!(word, bits(0x1234_5678_9abc_def0, 3, first + i as u64));
            }
        }
    }
}
