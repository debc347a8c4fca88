//! What a check found wrong, and what it found.

use std::fmt;

use crate::Error;

/// What a passed check looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Report {
    /// Numbers compared.
    pub judged: usize,
    /// Slopes among them: of gradients against the formula's derivative.
    pub slopes: usize,
    /// Numbers that say nothing: beside a kink, beyond the element type's range, or not finite.
    pub unjudged: usize,
    /// The largest error, as a share of what rounding may do there.
    pub worst: f64,
}

impl Report {
    /// The report of both.
    #[must_use]
    pub fn and(self, other: Report) -> Report {
        Report {
            judged: self.judged + other.judged,
            slopes: self.slopes + other.slopes,
            unjudged: self.unjudged + other.unjudged,
            worst: self.worst.max(other.worst),
        }
    }
}

/// Why a layer failed its check.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// A call returned an error.
    Call {
        /// `forward`, `backward` or `reference`.
        call: &'static str,
        /// What it returned.
        error: Error,
    },
    /// A tensor has another shape than the reference says.
    Shape {
        /// The layer.
        function: &'static str,
        /// The tensor.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
        /// The extents by the reference, `Many` axes as one.
        expected: Vec<usize>,
    },
    /// A number is wrong.
    Element(Box<Mismatch>),
    /// The layer's own description contradicts itself.
    Spec {
        /// The layer.
        function: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

/// One number that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// The layer.
    pub function: &'static str,
    /// What was compared with what.
    pub check: &'static str,
    /// The tensor that holds the number.
    pub tensor: String,
    /// Where; empty for a number about the tensor as a whole.
    pub position: Vec<usize>,
    /// The number.
    pub found: f64,
    /// What it should be.
    pub expected: f64,
    /// How far apart the two may be.
    pub tolerance: f64,
    /// The element type and the shapes of all arguments.
    pub call: String,
}

impl Mismatch {
    /// |found − expected| / |expected|
    pub fn relative_error(&self) -> f64 {
        (self.found - self.expected).abs() / self.expected.abs()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Call { call, error } => write!(f, "{call} failed: {error}"),
            Failure::Shape { function, tensor, found, expected } => {
                write!(f, "{function}: {tensor} has shape {found:?}, by the reference {expected:?}")
            }
            Failure::Element(mismatch) => mismatch.fmt(f),
            Failure::Spec { function, message } => write!(f, "{function}: {message}"),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mismatch { function, check, tensor, position, found, expected, tolerance, call } = self;
        write!(f, "{function}: {tensor}")?;
        if !position.is_empty() {
            write!(f, " at {position:?}")?;
        }
        writeln!(f, " is {found:e}, expected {expected:e}")?;
        writeln!(
            f,
            "  relative error {:.2e}; absolute {:.2e}, allowed {tolerance:.2e}",
            self.relative_error(),
            (found - expected).abs()
        )?;
        writeln!(f, "  compared: {check}")?;
        write!(f, "  call: {call}")
    }
}

impl std::error::Error for Failure {}
