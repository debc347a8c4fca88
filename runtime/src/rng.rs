//! Random numbers as a function of position: Philox4x32-10, by Salmon, Moraes, Dror and Shaw,
//! "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
//!
//! Nothing is drawn in sequence: an element's number follows from the seed, the number of the draw in the formula and
//! the element's index, so any thread may compute any part, and the backward pass draws again what it needs.

/// The seed of a call's random draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seed(
    /// The key: its low word first.
    pub u64,
);

impl Seed {
    /// A seed for one step of many, such as a training step: unrelated to this one and to those of other steps.
    #[must_use]
    pub fn fold_in(self, step: impl Step) -> Seed {
        let step = step.bits();
        // The last counter word is 0 in every draw, so this block is no draw's.
        let [a, b, _, _] = philox([low(step), high(step), 0, 1], [low(self.0), high(self.0)]);
        Seed(u64::from(b) << 32 | u64::from(a))
    }
}

/// The number of a step: a whole number of any type, so that a formula's own arguments serve. Equal numbers are equal steps.
pub trait Step: Copy {
    /// The number modulo 2⁶⁴.
    fn bits(self) -> u64;
}

macro_rules! step {
    ($($ty:ty)*) => {
        $(impl Step for $ty {
            fn bits(self) -> u64 {
                self as u64
            }
        })*
    };
}
step!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

fn low(x: u64) -> u32 {
    (x & 0xFFFF_FFFF) as u32
}

fn high(x: u64) -> u32 {
    (x >> 32) as u32
}

/// Ten rounds on a counter.
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let a = u64::from(MULTIPLIERS[0]) * u64::from(counter[0]);
        let b = u64::from(MULTIPLIERS[1]) * u64::from(counter[2]);
        counter = [high(b) ^ counter[1] ^ key[0], low(b), high(a) ^ counter[3] ^ key[1], low(a)];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// The bits of elements `4·index` to `4·index + 3` of draw number `draw`.
pub fn block(seed: u64, draw: u32, index: u64) -> [u32; 4] {
    philox([low(index), high(index), draw, 0], [low(seed), high(seed)])
}

/// The 32 bits of one element: lane `element mod 4` of block `element / 4`.
pub fn bits(seed: u64, draw: u32, element: u64) -> u32 {
    block(seed, draw, element / 4)[(element % 4) as usize]
}

/// An element is kept where its bits lie below this: `keep·2³²`, rounded up. 1 keeps all, 0 and NaN none.
pub fn keep_threshold(keep: f64) -> u64 {
    // A cast of a float saturates, and takes NaN to 0.
    ((keep * 4_294_967_296.0).ceil() as u64).min(1 << 32)
}

/// Whether an element with these bits is kept: `bits < keep·2³²`.
pub fn keeps(bits: u32, keep: f64) -> bool {
    u64::from(bits) < keep_threshold(keep)
}

/// Uniform in [0, 1): `bits·2⁻³²`.
pub fn uniform(bits: u32) -> f64 {
    f64::from(bits) / 4_294_967_296.0
}

/// Uniform in [0, 1) for `f32`: the upper 24 bits, since rounding all 32 could give 1.
pub fn uniform_f32(bits: u32) -> f32 {
    (bits >> 8) as f32 / 16_777_216.0
}

/// Standard normal, by Box and Muller: neighbours `2j` and `2j + 1` share a radius `√(−2·ln u)` and an angle `2π·v`,
/// with `u = (bits[2j] + 1)·2⁻³²` and `v = bits[2j + 1]·2⁻³²`; the even one takes the cosine, the odd one the sine.
pub fn normal(seed: u64, draw: u32, element: u64) -> f64 {
    let bits = block(seed, draw, element / 4);
    let pair = (element % 4) as usize / 2 * 2;
    let u = (f64::from(bits[pair]) + 1.0) / 4_294_967_296.0;
    let (sin, cos) = (std::f64::consts::TAU * uniform(bits[pair + 1])).sin_cos();
    (-2.0 * u.ln()).sqrt() * if element.is_multiple_of(2) { cos } else { sin }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// `philox4x32 10` of the Random123 library's `kat_vectors`.
    #[test]
    fn published_vectors() {
        let known = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in known {
            assert_eq!(philox(counter, key), expected);
        }
    }

    #[test]
    fn an_element_is_a_lane_of_its_block() {
        let seed = 0xa409_3822_299f_31d0;
        assert_eq!(bits(0, 0, 0), 0x6627_e8d5);
        assert_eq!(bits(0, 0, 3), 0x9b00_dbd8);
        assert_eq!(bits(seed, 7, 4 * 0x1_0000_0002 + 1), philox([2, 1, 7, 0], [low(seed), high(seed)])[1]);
    }

    #[test]
    fn keeping_is_exact_at_both_ends() {
        assert!(keeps(u32::MAX, 1.0) && keeps(0, 1e-12));
        assert!(!keeps(0, 0.0) && !keeps(0, f64::NAN) && !keeps(0, -1.0));
        assert!(keeps(0x7fff_ffff, 0.5) && !keeps(0x8000_0000, 0.5));
        assert_eq!(keep_threshold(2.0), 1 << 32);
    }

    #[test]
    fn draws_have_their_moments() {
        let n = 1 << 16;
        let mean = |f: &dyn Fn(u64) -> f64| (0..n).map(f).sum::<f64>() / n as f64;
        assert_relative_eq!(mean(&|i| uniform(bits(1, 0, i))), 0.5, epsilon = 5e-3);
        assert_relative_eq!(mean(&|i| f64::from(u8::from(keeps(bits(2, 0, i), 0.3)))), 0.3, epsilon = 8e-3);
        assert_relative_eq!(mean(&|i| normal(3, 0, i)), 0.0, epsilon = 2e-2);
        assert_relative_eq!(mean(&|i| normal(3, 0, i).powi(2)), 1.0, epsilon = 3e-2);
        assert_relative_eq!(mean(&|i| normal(3, 0, i).powi(4)), 3.0, epsilon = 0.2);
        assert_relative_eq!(mean(&|i| normal(3, 0, i) * normal(3, 0, i ^ 1)), 0.0, epsilon = 2e-2);
    }

    #[test]
    fn uniform_stays_below_one_in_both_types() {
        assert!(uniform(u32::MAX) < 1.0 && uniform_f32(u32::MAX) < 1.0);
        assert_eq!(uniform(0), 0.0);
    }

    #[test]
    fn folded_seeds_differ_from_each_other() {
        let mut seeds: Vec<u64> = (0..1000).map(|step| Seed(5).fold_in(step).0).chain([5]).collect();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 1001);
        assert_ne!(Seed(5).fold_in(1), Seed(6).fold_in(1));
        // nor are they what some draw finds at an element
        let [a, b, ..] = block(5, 0, 1);
        assert_ne!(Seed(5).fold_in(1).0, u64::from(b) << 32 | u64::from(a));
    }
}
