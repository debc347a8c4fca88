//! The elements of arguments, from a seed. Knows nothing of its neighbours: compiled batches hold a copy.

/// What the elements of tensors are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// About −2 to 2.
    Ordinary,
    /// A few values, each many times.
    Ties,
    Zeros,
    /// Ordinary, some of them large.
    Huge,
    Tiny,
    /// Ordinary, with infinities, NaN and zeros.
    Special,
}

impl Style {
    pub const ALL: [Style; 6] = [Style::Ordinary, Style::Ties, Style::Zeros, Style::Huge, Style::Tiny, Style::Special];

    fn value(self, bits: u64) -> f64 {
        let ordinary = (bits >> 11) as f64 / (1u64 << 53) as f64 * 4.0 - 2.0;
        match self {
            Style::Ordinary => ordinary,
            Style::Ties => (bits % 5) as f64 - 2.0,
            Style::Zeros => 0.0,
            Style::Huge if bits.is_multiple_of(7) => ordinary * 1e12,
            Style::Huge => ordinary,
            Style::Tiny => ordinary * 1e-12,
            Style::Special => match bits % 24 {
                0 => f64::NAN,
                1 => f64::INFINITY,
                2 => f64::NEG_INFINITY,
                3 => 0.0,
                4 => -0.0,
                _ => ordinary,
            },
        }
    }
}

/// SplitMix64.
pub fn mixed(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Numbers of a style, as many as the shape says.
pub fn numbers(shape: &[usize], style: Style, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x2545_f491_4f6c_dd1d);
    (0..shape.iter().product()).map(|_| style.value(mixed(&mut state))).collect()
}

/// Indices below a bound, as many as the shape says.
pub fn labels(shape: &[usize], below: usize, seed: u64) -> Vec<i64> {
    let mut state = seed.wrapping_mul(0x2545_f491_4f6c_dd1d);
    (0..shape.iter().product()).map(|_| (mixed(&mut state) % below.max(1) as u64) as i64).collect()
}
