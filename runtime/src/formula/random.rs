//! Random draws over named axes. An element's index is row-major over the axes as listed.

use super::value::{Axis, Value, size};
use crate::{Seed, rng};

/// 1 with probability `keep`, else 0. `draw` is the number of the draw within the formula.
pub fn bernoulli(dims: &[(Axis, usize)], seed: Seed, draw: u32, keep: f64) -> Value {
    drawn(dims, |i| f64::from(u8::from(rng::keeps(rng::bits(seed.0, draw, i), keep))))
}

/// Uniform in [0, 1).
pub fn uniform(dims: &[(Axis, usize)], seed: Seed, draw: u32) -> Value {
    drawn(dims, |i| rng::uniform(rng::bits(seed.0, draw, i)))
}

/// Standard normal.
pub fn normal(dims: &[(Axis, usize)], seed: Seed, draw: u32) -> Value {
    drawn(dims, |i| rng::normal(seed.0, draw, i))
}

fn drawn(dims: &[(Axis, usize)], f: impl Fn(u64) -> f64) -> Value {
    Value::constant(dims, (0..size(dims) as u64).map(f).collect())
}
