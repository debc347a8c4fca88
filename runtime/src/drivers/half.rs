//! Numbers of half precision, in bits: there is nothing else to be done with them but to convert them.
//!
//! All is branch-free, so that loops over it become vectors.

use super::array::Elem;

/// How much further left the exponent of `f16` stands in the bits of `f32`.
const SHIFT: u32 = 13;

/// The same number. A subnormal one becomes normal; NaN keeps its payload.
#[inline(always)]
pub(crate) fn from_f16(bits: u16) -> f32 {
    let magnitude = u32::from(bits & 0x7fff);
    // the exponent counts from another zero: 2¹¹²
    let scaled = f32::from_bits(magnitude << SHIFT) * f32::from_bits((127 + 112) << 23);
    let special = (magnitude << SHIFT) | 0x7f80_0000;
    let x = if magnitude >= 0x7c00 { special } else { scaled.to_bits() };
    f32::from_bits(x | u32::from(bits & 0x8000) << 16)
}

/// The nearest `f16`, of two the even one; NaN is quiet.
#[inline(always)]
pub(crate) fn to_f16(x: f32) -> u16 {
    let bits = x.to_bits();
    let magnitude = bits & 0x7fff_ffff;
    // below the normal range: adding ½ leaves the bits of a multiple of 2⁻²⁴, rounded as additions are
    let small = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0.5f32.to_bits());
    // what is cut off rounds up from half on, or past half where the last bit kept is even; a carry goes to the exponent
    let odd = (magnitude >> SHIFT) & 1;
    let normal = magnitude.wrapping_sub(112 << 23).wrapping_add(0xfff + odd) >> SHIFT;
    let y = if magnitude < 0x3880_0000 { small } else { normal };
    let y = if magnitude >= 0x4780_0000 { 0x7c00 } else { y };
    let y = if magnitude > 0x7f80_0000 { 0x7e00 | (magnitude >> SHIFT) & 0x3ff } else { y };
    (y | (bits >> 16) & 0x8000) as u16
}

/// The same number.
#[inline(always)]
pub(crate) fn from_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The nearest `bf16`, of two the even one; NaN is quiet.
#[inline(always)]
pub(crate) fn to_bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
    let quiet = (bits >> 16) | 0x40;
    (if bits & 0x7fff_ffff > 0x7f80_0000 { quiet } else { rounded }) as u16
}

/// An `f32` next to the number, the odd one where it is between two: so that rounding that to fewer bits is as rounding
/// the number itself.
#[inline(always)]
pub(crate) fn to_odd(x: f64) -> f32 {
    let y = x as f32;
    let bits = y.to_bits();
    let away = f64::from(y).abs() > x.abs();
    let inexact = f64::from(y) != x && !x.is_nan();
    // towards zero if it was rounded away from it; one of the two neighbours is odd
    let toward = if away { bits.wrapping_sub(1) } else { bits.wrapping_add(1) };
    f32::from_bits(if inexact && bits & 1 == 0 { toward } else { bits })
}

/// An element of half precision.
pub(crate) trait Half: Copy {
    const ELEM: Elem;
    fn wide(self) -> f32;
    fn nearest(x: f32) -> Self;
}

macro_rules! half {
    ($($name:ident $from:ident $to:ident)*) => { $(
        #[derive(Clone, Copy)]
        #[repr(transparent)]
        pub(crate) struct $name(u16);
        impl Half for $name {
            const ELEM: Elem = Elem::$name;
            #[inline(always)]
            fn wide(self) -> f32 {
                $from(self.0)
            }
            #[inline(always)]
            fn nearest(x: f32) -> $name {
                $name($to(x))
            }
        }
    )* };
}
half!(F16 from_f16 to_f16 BF16 from_bf16 to_bf16);
