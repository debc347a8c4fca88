//! The constants of a call: Rust's own arithmetic, but what would panic is an error.

use crate::Error;

/// A constant of the user's as a number.
pub fn number<N: HostNumber>(x: N) -> f64 {
    x.number()
}

/// A constant of the user's as an integer.
pub fn integer<N: HostNumber>(x: N) -> i64 {
    x.integer()
}

/// `a - b`, where the type has it.
///
/// # Errors
/// [`Error::Arithmetic`], as of the next two.
pub fn difference<N: Arithmetic>(function: &'static str, a: N, b: N) -> Result<N, Error> {
    a.difference(b).ok_or_else(|| failed(function, a, '-', b))
}

/// `a / b`, where the type has it.
pub fn quotient<N: Arithmetic>(function: &'static str, a: N, b: N) -> Result<N, Error> {
    a.quotient(b).ok_or_else(|| failed(function, a, '/', b))
}

/// `a % b`, where the type has it.
pub fn remainder<N: Arithmetic>(function: &'static str, a: N, b: N) -> Result<N, Error> {
    a.remainder(b).ok_or_else(|| failed(function, a, '%', b))
}

fn failed<N: Arithmetic>(function: &'static str, a: N, operator: char, b: N) -> Error {
    Error::Arithmetic { function, left: a.integer(), operator, right: b.integer() }
}

/// The types of a formula's constants.
pub trait HostNumber {
    fn number(self) -> f64;
    fn integer(self) -> i64;
}

/// Those that are reckoned with.
pub trait Arithmetic: HostNumber + Copy {
    fn difference(self, other: Self) -> Option<Self>;
    fn quotient(self, other: Self) -> Option<Self>;
    fn remainder(self, other: Self) -> Option<Self>;
}

macro_rules! numbers {
    ($($t:ty)*: $a:ident $b:ident => $difference:expr, $quotient:expr, $remainder:expr) => {
        $(numbers! { @one $t: $a $b => $difference, $quotient, $remainder })*
    };
    (@one $t:ty: $a:ident $b:ident => $difference:expr, $quotient:expr, $remainder:expr) => {
        impl HostNumber for $t {
            #[inline]
            fn number(self) -> f64 {
                self as f64
            }
            #[inline]
            fn integer(self) -> i64 {
                self as i64
            }
        }
        impl Arithmetic for $t {
            #[inline]
            fn difference(self, $b: Self) -> Option<Self> {
                let $a = self;
                $difference
            }
            #[inline]
            fn quotient(self, $b: Self) -> Option<Self> {
                let $a = self;
                $quotient
            }
            #[inline]
            fn remainder(self, $b: Self) -> Option<Self> {
                let $a = self;
                $remainder
            }
        }
    };
}
numbers! { usize u8 u16 u32 u64 isize i8 i16 i32 i64: a b => a.checked_sub(b), a.checked_div(b), a.checked_rem(b) }
numbers! { f32 f64: a b => Some(a - b), Some(a / b), Some(a % b) }

impl HostNumber for bool {
    #[inline]
    fn number(self) -> f64 {
        f64::from(u8::from(self))
    }
    #[inline]
    fn integer(self) -> i64 {
        i64::from(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_no_less_than_nothing_and_no_division_by_it() {
        assert_eq!(difference("f", 3usize, 1).ok(), Some(2));
        assert_eq!(difference("f", 1i64, 3).ok(), Some(-2));
        let error = difference("f", 0usize, 1).expect_err("below zero");
        assert_eq!(
            error.to_string(),
            "f: `0 - 1` of whole numbers has no value in their type; reckon in `f64`, or rule it out with `ensure`"
        );
        assert!(quotient("f", 3usize, 0).is_err() && remainder("f", 3i32, 0).is_err() && quotient("f", i64::MIN, -1).is_err());
        assert_eq!(quotient("f", 1.0, 0.0).ok(), Some(f64::INFINITY));
    }
}
