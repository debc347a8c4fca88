//! The e-graph's language: n-ary sums and products with rational coefficients and exponents, sums over axes, and
//! everything else as opaque operators.
//!
//! Coefficients and exponents live in the operator; only ids are children. Division, negation and roots are products and
//! sums, so that no rule needs commutativity or associativity.

use super::rational::Rational;
use crate::graph::{AxisId, AxisSet, UnaryOp};
use egg::Id;

/// A list of conditions, interned in [`Facts`](super::analysis::Facts).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Holes(pub u32);

impl Holes {
    /// No condition: every position counts.
    pub const NONE: Holes = Holes(0);
}

/// An operator of the graph without its operands, interned in [`Facts`](super::analysis::Facts).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Payload(pub u32);

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Expr {
    /// Extraction only: a value that the backward call is given. The number is an index of [`Facts`]' list.
    ///
    /// [`Facts`]: super::analysis::Facts
    Given(u32),
    Num(Rational),
    Len(AxisId),
    /// `Σ coefᵢ·termᵢ`, sorted by term. A frozen sum is one the user wrote: an atom for every rule but `cancel_frozen`.
    Sum {
        frozen: bool,
        coefs: Box<[Rational]>,
        terms: Box<[Id]>,
    },
    /// `Π factorᵢ^exponentᵢ`, sorted by factor.
    Prod {
        exponents: Box<[Rational]>,
        factors: Box<[Id]>,
    },
    /// A sum over axes, of the positions where `holes`' conditions hold.
    Red {
        over: AxisSet,
        holes: Holes,
        x: [Id; 1],
    },
    /// Mask, then, else.
    Select([Id; 3]),
    Unary(UnaryOp, [Id; 1]),
    /// Any other operator, leaves included: no rule looks inside.
    Opaque(Payload, Box<[Id]>),
}

impl Expr {
    pub fn sum(frozen: bool, terms: impl IntoIterator<Item = (Rational, Id)>) -> Expr {
        let (coefs, terms): (Vec<_>, Vec<_>) = terms.into_iter().unzip();
        Expr::Sum { frozen, coefs: coefs.into(), terms: terms.into() }
    }
    pub fn prod(factors: impl IntoIterator<Item = (Id, Rational)>) -> Expr {
        let (factors, exponents): (Vec<_>, Vec<_>) = factors.into_iter().unzip();
        Expr::Prod { exponents: exponents.into(), factors: factors.into() }
    }
    /// The terms of a sum that rules may take apart.
    pub fn free_terms(&self) -> Option<Vec<(Rational, Id)>> {
        match self {
            Expr::Sum { frozen: false, coefs, terms } => Some(coefs.iter().copied().zip(terms.iter().copied()).collect()),
            _ => None,
        }
    }
    pub fn factors(&self) -> Option<Vec<(Id, Rational)>> {
        match self {
            Expr::Prod { exponents, factors } => Some(factors.iter().copied().zip(exponents.iter().copied()).collect()),
            _ => None,
        }
    }
}

impl egg::Language for Expr {
    type Discriminant = std::mem::Discriminant<Expr>;

    fn discriminant(&self) -> Self::Discriminant {
        std::mem::discriminant(self)
    }
    fn matches(&self, other: &Expr) -> bool {
        match (self, other) {
            (Expr::Sum { frozen: f, coefs: a, .. }, Expr::Sum { frozen: g, coefs: b, .. }) => f == g && a == b,
            (Expr::Prod { exponents: a, .. }, Expr::Prod { exponents: b, .. }) => a == b,
            (Expr::Red { over: a, holes: v, .. }, Expr::Red { over: b, holes: w, .. }) => a == b && v == w,
            (Expr::Select(_), Expr::Select(_)) => true,
            (Expr::Unary(a, _), Expr::Unary(b, _)) => a == b,
            (Expr::Opaque(a, x), Expr::Opaque(b, y)) => a == b && x.len() == y.len(),
            (a, b) => a == b,
        }
    }
    fn children(&self) -> &[Id] {
        match self {
            Expr::Given(_) | Expr::Num(_) | Expr::Len(_) => &[],
            Expr::Sum { terms: x, .. } | Expr::Prod { factors: x, .. } | Expr::Opaque(_, x) => x,
            Expr::Red { x, .. } | Expr::Unary(_, x) => x,
            Expr::Select(x) => x,
        }
    }
    fn children_mut(&mut self) -> &mut [Id] {
        match self {
            Expr::Given(_) | Expr::Num(_) | Expr::Len(_) => &mut [],
            Expr::Sum { terms: x, .. } | Expr::Prod { factors: x, .. } | Expr::Opaque(_, x) => x,
            Expr::Red { x, .. } | Expr::Unary(_, x) => x,
            Expr::Select(x) => x,
        }
    }
}
