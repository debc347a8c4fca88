//! What a generated function answers instead of panicking.

use std::borrow::Cow;
use std::fmt;

/// Why a call could not be carried out: the argument and axis, what was found, what was expected.
///
/// Nothing is computed and no state is written when an operation returns an error.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// Two arguments disagree on the extent of an axis.
    Shape {
        /// The operation that was called.
        function: &'static str,
        /// The argument that does not fit.
        argument: &'static str,
        /// The axis, as the formula calls it.
        axis: &'static str,
        /// Its extent in `argument`.
        found: usize,
        /// Its extent in `source`.
        expected: usize,
        /// Who fixed the extent: an earlier argument, or a constant of the operation.
        source: &'static str,
    },
    /// An argument has another number of dimensions than its axes.
    Rank {
        /// The operation that was called.
        function: &'static str,
        /// The argument that does not fit.
        argument: &'static str,
        /// Its number of dimensions.
        found: usize,
        /// How many the formula names.
        expected: usize,
        /// Whether more are allowed: the formula has a `Many` axis there.
        at_least: bool,
    },
    /// A window does not fit in its padded input.
    WindowTooLarge {
        /// The operation that was called.
        function: &'static str,
        /// The axis that the window slides along.
        axis: &'static str,
        /// What the window covers, dilation included.
        window: usize,
        /// The extent of the axis, padding included.
        padded: usize,
    },
    /// A kernel size, stride or dilation of zero.
    WindowZero {
        /// The operation that was called.
        function: &'static str,
        /// The axis that the window slides along.
        axis: &'static str,
        /// Which setting is zero: `kernel`, `stride` or `dilation`.
        setting: &'static str,
    },
    /// Padding of more than half of what the window covers.
    WindowPadding {
        /// The operation that was called.
        function: &'static str,
        /// The axis that the window slides along.
        axis: &'static str,
        /// The padding asked for.
        found: usize,
        /// The most that is allowed.
        most: usize,
    },
    /// A divisor of zero.
    WindowDivisor {
        /// The operation that was called.
        function: &'static str,
    },
    /// Some window holds no element at all, and a mean, maximum, minimum or product over it was asked for.
    WindowEmpty {
        /// The operation that was called.
        function: &'static str,
        /// The axis that the window slides along.
        axis: &'static str,
        /// The first empty window along it.
        position: usize,
    },
    /// A maximum or minimum over nothing.
    EmptyReduction {
        /// The operation that was called.
        function: &'static str,
        /// The reduction, such as `max`.
        reduction: &'static str,
        /// The axis of extent zero.
        axis: &'static str,
    },
    /// An index outside the axis it points into.
    Label {
        /// The operation that was called.
        function: &'static str,
        /// The argument that holds it.
        argument: &'static str,
        /// Where in the argument.
        position: Vec<usize>,
        /// The index found.
        value: i64,
        /// Valid indices lie below this.
        bound: usize,
    },
    /// An axis that does not split into equal groups.
    Indivisible {
        /// The operation that was called.
        function: &'static str,
        /// The axis that is split.
        axis: &'static str,
        /// Its extent.
        found: usize,
        /// The number of groups.
        groups: usize,
    },
    /// Positions beyond their axis: of a slice, or of an index along another, longer one.
    Range {
        /// The operation that was called.
        function: &'static str,
        /// The axis that is sliced or picked from, of several the first.
        axis: &'static str,
        /// The first index asked for.
        start: usize,
        /// One past the last index asked for.
        end: usize,
        /// How many positions there are.
        len: usize,
    },
    /// Padding of a negative width, or of more than there are elements to go on with.
    Padding {
        /// The operation that was called.
        function: &'static str,
        /// The axis that is padded.
        axis: &'static str,
        /// The width asked for.
        found: i64,
        /// The most that is allowed.
        most: i64,
    },
    /// A condition that the formula states with `ensure` does not hold.
    Ensure {
        /// The operation that was called.
        function: &'static str,
        /// The formula's own words.
        message: Cow<'static, str>,
    },
    /// Whole constants that have no difference, quotient or remainder in their type: `len(N) - 1` where `N` is empty.
    Arithmetic {
        /// The operation that was called.
        function: &'static str,
        /// What stands before the operator.
        left: i64,
        /// `-`, `/` or `%`.
        operator: char,
        /// What stands after it.
        right: i64,
    },
    /// A cotangent, output, saved tensor or buffer of another shape than the call's.
    Buffer {
        /// The operation that was called.
        function: &'static str,
        /// The argument that does not fit.
        argument: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that belongs there.
        expected: Vec<usize>,
    },
    /// A tensor of more elements than can be addressed.
    TooLarge {
        /// The operation that was called.
        function: &'static str,
        /// The tensor, or what it is for.
        argument: &'static str,
    },
    /// What `forward` saved belongs to other arguments or to another operation.
    Saved {
        /// The operation that was called.
        function: &'static str,
        /// What differs.
        message: Cow<'static, str>,
    },
    /// A call on dynamic arguments with another number of them.
    Count {
        /// The operation that was called.
        function: &'static str,
        /// What is counted: `arguments`, `outputs`, `cotangents` or `gradients`.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A call on dynamic arguments with one of another kind.
    Kind {
        /// The operation that was called.
        function: &'static str,
        /// The argument that does not fit.
        argument: &'static str,
        /// Its kind.
        found: &'static str,
        /// The kind that belongs there.
        expected: &'static str,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Shape { function, argument, axis, found, expected, source } => {
                write!(f, "{function}: axis {axis} of `{argument}` has extent {found}, expected {expected} as in `{source}`")
            }
            Error::Rank { function, argument, found, expected, at_least } => {
                let bound = if *at_least { "at least " } else { "" };
                write!(f, "{function}: `{argument}` has {found} dimensions, expected {bound}{expected}")
            }
            Error::WindowTooLarge { function, axis, window, padded } => {
                write!(f, "{function}: the window covers {window} along {axis}, expected at most {padded}, the padded extent")
            }
            Error::WindowZero { function, axis, setting } => {
                write!(f, "{function}: the window's {setting} along {axis} is 0, expected at least 1")
            }
            Error::WindowPadding { function, axis, found, most } => {
                write!(f, "{function}: the window's padding along {axis} is {found}, expected at most {most}, half of the window")
            }
            Error::WindowDivisor { function } => write!(f, "{function}: the window's divisor is 0, expected any other number"),
            Error::WindowEmpty { function, axis, position } => {
                write!(f, "{function}: window {position} along {axis} holds no element, expected at least one in every window")
            }
            Error::EmptyReduction { function, reduction, axis } => {
                write!(f, "{function}: `{reduction}` over {axis}, which has extent 0, expected at least 1")
            }
            Error::Label { function, argument, position, value, bound } => {
                write!(f, "{function}: `{argument}`{position:?} is {value}, expected an index from 0 to below {bound}")
            }
            Error::Indivisible { function, axis, found, groups } => {
                write!(f, "{function}: axis {axis} has extent {found}, expected a multiple of the {groups} groups")
            }
            Error::Range { function, axis, start, end, len } => {
                write!(f, "{function}: positions {start}..{end} of axis {axis}, expected a range within 0..{len}")
            }
            Error::Padding { function, axis, found, most } => {
                write!(f, "{function}: padding of {found} along {axis}, expected 0 to {most}")
            }
            Error::Ensure { function, message } => write!(f, "{function}: {message}"),
            Error::Arithmetic { function, left, operator, right } => write!(
                f,
                "{function}: `{left} {operator} {right}` of whole numbers has no value in their type; reckon in `f64`, or rule it out with `ensure`"
            ),
            Error::Buffer { function, argument, found, expected } => {
                write!(f, "{function}: `{argument}` has shape {found:?}, expected {expected:?}")
            }
            Error::TooLarge { function, argument } => {
                write!(f, "{function}: `{argument}` has more elements than can be addressed, expected at most {}", isize::MAX)
            }
            Error::Saved { function, message } => write!(f, "{function}: `saved` is not of this forward call: {message}"),
            Error::Count { function, what, found, expected } => {
                write!(f, "{function}: {found} {what}, expected {expected}")
            }
            Error::Kind { function, argument, found, expected } => {
                write!(f, "{function}: `{argument}` is {found}, expected {expected}")
            }
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_argument_axis_found_and_expected() {
        let error = Error::Shape { function: "batch_norm", argument: "gamma", axis: "C", found: 3, expected: 4, source: "x" };
        assert_eq!(error.to_string(), "batch_norm: axis C of `gamma` has extent 3, expected 4 as in `x`");
        let error = Error::Label { function: "loss", argument: "label", position: vec![2, 0], value: -1, bound: 10 };
        assert_eq!(error.to_string(), "loss: `label`[2, 0] is -1, expected an index from 0 to below 10");
        let error = Error::Rank { function: "norm", argument: "x", found: 1, expected: 2, at_least: true };
        assert_eq!(error.to_string(), "norm: `x` has 1 dimensions, expected at least 2");
    }

    #[test]
    fn is_a_std_error() {
        let error: Box<dyn std::error::Error + Send + Sync> =
            Box::new(Error::Ensure { function: "dropout", message: "p must lie in [0, 1]".into() });
        assert_eq!(error.to_string(), "dropout: p must lie in [0, 1]");
    }
}
