//! Exact rational numbers: coefficients and exponents. Every operation may overflow, and says so.

use std::cmp::Ordering;

/// A rational in lowest terms with a positive denominator. The order is that of the fields: total, but not by value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rational {
    pub n: i64,
    pub d: i64,
}

impl std::fmt::Debug for Rational {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.d == 1 { write!(f, "{}", self.n) } else { write!(f, "{}/{}", self.n, self.d) }
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

impl Rational {
    pub const ZERO: Rational = Rational { n: 0, d: 1 };
    pub const ONE: Rational = Rational { n: 1, d: 1 };
    pub const MINUS_ONE: Rational = Rational { n: -1, d: 1 };

    /// `n/d` in lowest terms; `None` if it does not fit or `d` is 0.
    fn reduced(n: i128, d: i128) -> Option<Rational> {
        let g = gcd(n, d) * d.signum();
        if d == 0 {
            return None;
        }
        Some(Rational { n: i64::try_from(n / g).ok()?, d: i64::try_from(d / g).ok()? })
    }
    pub const fn int(n: i64) -> Rational {
        Rational { n, d: 1 }
    }
    /// `n/2`.
    pub fn halves(n: i64) -> Rational {
        if n % 2 == 0 { Rational::int(n / 2) } else { Rational { n, d: 2 } }
    }
    /// The exact value of a number, if numerator and denominator have at most 31 bits. −0 is not exact.
    pub fn exact(value: f64) -> Option<Rational> {
        const LIMIT: f64 = (1u64 << 31) as f64;
        if value == 0.0 && value.is_sign_negative() {
            return None;
        }
        (0..=31u32).find_map(|k| {
            let n = value * (1u64 << k) as f64;
            (n.fract() == 0.0 && n.abs() <= LIMIT).then(|| Rational { n: n as i64, d: 1 << k })
        })
    }
    pub fn to_f64(self) -> f64 {
        self.n as f64 / self.d as f64
    }
    pub fn is_zero(self) -> bool {
        self.n == 0
    }
    pub fn is_one(self) -> bool {
        self == Rational::ONE
    }
    pub fn is_int(self) -> bool {
        self.d == 1
    }
    pub fn is_negative(self) -> bool {
        self.n < 0
    }
    pub fn same_sign(self, other: Rational) -> bool {
        self.is_negative() == other.is_negative()
    }
    pub fn add(self, other: Rational) -> Option<Rational> {
        let (a, b) = (self.n as i128 * other.d as i128, other.n as i128 * self.d as i128);
        Rational::reduced(a + b, self.d as i128 * other.d as i128)
    }
    pub fn sub(self, other: Rational) -> Option<Rational> {
        self.add(other.neg()?)
    }
    pub fn mul(self, other: Rational) -> Option<Rational> {
        Rational::reduced(self.n as i128 * other.n as i128, self.d as i128 * other.d as i128)
    }
    pub fn neg(self) -> Option<Rational> {
        Some(Rational { n: self.n.checked_neg()?, d: self.d })
    }
    pub fn abs(self) -> Option<Rational> {
        if self.is_negative() { self.neg() } else { Some(self) }
    }
    pub fn recip(self) -> Option<Rational> {
        Rational::reduced(self.d as i128, self.n as i128)
    }
    pub fn signum(self) -> Rational {
        Rational::int(self.n.signum())
    }
    /// `selfⁿ`; `None` for a power of 0 that is not positive.
    pub fn powi(self, n: i64) -> Option<Rational> {
        if n < 0 {
            return self.recip()?.powi(n.checked_neg()?);
        }
        // more than 64 factors overflow, unless it is ±1 or 0
        let n = if self.n.abs() <= 1 && self.d == 1 { n.min(2 + n % 2) } else { n };
        if n > 64 {
            return None;
        }
        (0..n).try_fold(Rational::ONE, |power, _| power.mul(self))
    }
    /// Compares by magnitude.
    pub fn cmp_abs(self, other: Rational) -> Ordering {
        let a = (self.n as i128 * other.d as i128).abs();
        a.cmp(&(other.n as i128 * self.d as i128).abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_is_exact_and_checked() {
        let half = Rational::halves(1);
        assert_eq!(half.add(half), Some(Rational::ONE));
        assert_eq!(half.mul(Rational::int(-4)), Some(Rational::int(-2)));
        assert_eq!(half.powi(-3), Some(Rational::int(8)));
        assert_eq!(Rational::MINUS_ONE.powi(1_000_001), Some(Rational::MINUS_ONE));
        assert_eq!(Rational::ZERO.recip(), None);
        assert_eq!(Rational::ZERO.powi(0), Some(Rational::ONE));
        assert_eq!(Rational::int(i64::MAX).add(Rational::ONE), None);
        assert_eq!(Rational::int(3).powi(64), None);
        assert_eq!(Rational::int(i64::MIN).neg(), None);
        let (least, most) = (Rational::int(-1), Rational::int(-2));
        assert_eq!((least.cmp_abs(most), most.cmp_abs(least)), (Ordering::Less, Ordering::Greater));
    }

    #[test]
    fn exact_values_only() {
        assert_eq!(Rational::exact(0.75), Some(Rational { n: 3, d: 4 }));
        assert_eq!(Rational::exact(-2147483648.0), Some(Rational::int(-2147483648)));
        for inexact in [0.1, 1e300, f64::INFINITY, f64::NAN, -0.0, 4e9, 1e-300] {
            assert_eq!(Rational::exact(inexact), None, "{inexact}");
        }
    }
}
