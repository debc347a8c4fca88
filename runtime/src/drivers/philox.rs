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
        let mut block = [0; 4 * BLOCK];
        rounds(seed, draw, element / 4, &mut block);
        let n = (4 * BLOCK - skip).min(out.len() - done);
        out[done..done + n].copy_from_slice(&block[skip..skip + n]);
        done += n;
    }
}

fn rounds(seed: u64, draw: u32, counter: u64, out: &mut [u32; 4 * BLOCK]) {
    #[cfg(target_arch = "x86_64")]
    {
        use super::isa::{Isa, detected};
        #[target_feature(enable = "avx2")]
        fn wide(seed: u64, draw: u32, counter: u64, out: &mut [u32; 4 * BLOCK]) {
            rounds_of_block(seed, draw, counter, out)
        }
        if detected() != Isa::V1 {
            // SAFETY: both other instruction sets have AVX2
            return unsafe { wide(seed, draw, counter, out) };
        }
    }
    rounds_of_block(seed, draw, counter, out)
}

/// Arrays of lanes, one counter each, in a form that compilers turn into vectors.
#[inline(always)]
fn rounds_of_block(seed: u64, draw: u32, counter: u64, out: &mut [u32; 4 * BLOCK]) {
    let lane = |f: &dyn Fn(u64) -> u32| std::array::from_fn::<u32, BLOCK, _>(|i| f(counter.wrapping_add(i as u64)));
    let (mut c0, mut c1) = (lane(&|c| c as u32), lane(&|c| (c >> 32) as u32));
    let (mut c2, mut c3) = ([draw; BLOCK], [0u32; BLOCK]);
    let mut k = [seed as u32, (seed >> 32) as u32];
    for _ in 0..ROUNDS {
        for i in 0..BLOCK {
            let (a, b) = (u64::from(c0[i]) * 0xD251_1F53, u64::from(c2[i]) * 0xCD9E_8D57);
            c0[i] = (b >> 32) as u32 ^ c1[i] ^ k[0];
            c1[i] = b as u32;
            c2[i] = (a >> 32) as u32 ^ c3[i] ^ k[1];
            c3[i] = a as u32;
        }
        k = [k[0].wrapping_add(0x9E37_79B9), k[1].wrapping_add(0xBB67_AE85)];
    }
    for i in 0..BLOCK {
        [out[4 * i], out[4 * i + 1], out[4 * i + 2], out[4 * i + 3]] = [c0[i], c1[i], c2[i], c3[i]];
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
