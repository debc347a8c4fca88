//! Arrays over named axes whose elements carry tangents and may be holes.

use std::sync::Arc;

/// A named axis: its position in the formula's list of axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Axis(pub u32);

/// How results are rounded: not at all, or at random by up to `epsilon`, to learn what rounding may do to a formula.
///
/// This is Monte Carlo arithmetic (Parker 1997): the spread of a few runs estimates the error of a run in a type of
/// that precision and range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounding {
    /// The largest relative error of one operation; 0: none.
    pub epsilon: f64,
    /// What is larger becomes infinite.
    pub largest: f64,
    /// Values of smaller size become 0.
    pub smallest: f64,
    /// Tells runs apart.
    pub salt: u64,
    /// Tangents are sums of the sizes of their terms: how large the parts are that cancel in a slope.
    pub sizes: bool,
}

impl Rounding {
    /// Full `f64`.
    pub const NONE: Rounding = Rounding { epsilon: 0.0, largest: f64::INFINITY, smallest: 0.0, salt: 0, sizes: false };

    /// The rounded result. The same number rounds to the same number within a run.
    pub(super) fn round(&self, x: f64) -> f64 {
        if self.epsilon == 0.0 {
            return x;
        }
        let rounded = x * (1.0 + self.epsilon * self.noise(x));
        if rounded.abs() > self.largest { x.signum() * f64::INFINITY } else { rounded }
    }

    /// From ½ to 1, of either sign, so that few runs suffice: a hash (the finaliser of SplitMix64).
    fn noise(&self, x: f64) -> f64 {
        let mut z = x.to_bits() ^ self.salt.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let size = 0.5 + (z >> 12) as f64 / (1u64 << 53) as f64;
        if z & 1 == 0 { size } else { -size }
    }

    /// As [`Rounding::round`], for a value: a tangent may be tiny to tell that it is no zero of structure.
    pub(super) fn round_value(&self, x: f64) -> f64 {
        let rounded = self.round(x);
        if rounded.abs() < self.smallest { 0.0 } else { rounded }
    }

    /// A partial derivative, as tangents take it.
    pub(crate) fn slope(&self, partial: f64) -> f64 {
        if self.sizes { partial.abs() } else { partial }
    }

    fn coarser(self, other: Rounding) -> Rounding {
        if other.epsilon > self.epsilon || other.sizes { other } else { self }
    }
}

/// The elements of a [`Value`], row-major.
#[derive(Debug, Default)]
pub(super) struct Elements {
    pub values: Vec<f64>,
    /// `width` an element; empty where no tangents are carried.
    pub tangents: Vec<f64>,
    /// One an element; empty: none is a hole.
    pub holes: Vec<bool>,
}

/// What a mean over a window's taps divides by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Divisor {
    pub taps: Vec<Axis>,
    pub by: f64,
}

/// An array over named axes: numbers in `f64`, each with tangents, some of them holes.
///
/// A clone shares the elements.
#[derive(Clone, Debug)]
pub struct Value {
    pub(super) dims: Vec<(Axis, usize)>,
    pub(super) elements: Arc<Elements>,
    pub(super) from: Ancestry,
    pub(super) divisor: Option<Divisor>,
}

/// What a value inherits from all that it is computed from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ancestry {
    /// Tangents an element; 0 for constants.
    pub width: usize,
    /// Whether there is a variable among them.
    pub differentiable: bool,
    /// Whether a variable was cut off by `stop_gradient`.
    pub detached: bool,
    pub rounding: Rounding,
}

impl Ancestry {
    const CONSTANT: Ancestry = Ancestry { width: 0, differentiable: false, detached: false, rounding: Rounding::NONE };

    /// Of what is computed from all of these.
    pub fn of(values: &[&Value]) -> Ancestry {
        values.iter().fold(Ancestry::CONSTANT, |from, x| Ancestry {
            width: from.width.max(x.from.width),
            differentiable: from.differentiable || x.from.differentiable,
            detached: from.detached || x.from.detached,
            rounding: from.rounding.coarser(x.from.rounding),
        })
    }
}

impl Value {
    /// A constant: its elements row-major over the axes as listed.
    ///
    /// # Panics
    /// Where the number of elements is not the product of the extents.
    pub fn constant(dims: &[(Axis, usize)], values: Vec<f64>) -> Value {
        assert_eq!(values.len(), size(dims), "as many elements as the extents say");
        let elements = Elements { values, ..Elements::default() };
        Value::of(dims.to_vec(), elements, Ancestry::CONSTANT)
    }

    /// A constant without axes.
    pub fn number(value: f64) -> Value {
        Value::constant(&[], vec![value])
    }

    /// A variable to differentiate by: every element carries `width` tangents, given element after element.
    ///
    /// All variables of one run have the same width. With `width` 0 the run computes values only, but knows what is
    /// differentiable.
    ///
    /// # Panics
    /// Where the number of elements or tangents does not fit the extents.
    pub fn variable(dims: &[(Axis, usize)], values: Vec<f64>, width: usize, tangents: Vec<f64>) -> Value {
        assert_eq!(values.len(), size(dims), "as many elements as the extents say");
        assert_eq!(tangents.len(), values.len() * width, "`width` tangents an element");
        let elements = Elements { values, tangents, holes: vec![] };
        Value::of(dims.to_vec(), elements, Ancestry { width, differentiable: true, ..Ancestry::CONSTANT })
    }

    /// The same elements; what is computed from them is rounded.
    #[must_use]
    pub fn with_rounding(mut self, rounding: Rounding) -> Value {
        self.from.rounding = rounding;
        self
    }

    pub(super) fn of(dims: Vec<(Axis, usize)>, mut elements: Elements, from: Ancestry) -> Value {
        if !elements.holes.contains(&true) {
            elements.holes.clear();
        }
        Value { dims, elements: Arc::new(elements), from, divisor: None }
    }

    /// The axes and their extents, in the order of the elements.
    pub fn dims(&self) -> &[(Axis, usize)] {
        &self.dims
    }

    /// The extent of an axis; `None` where the value does not vary along it.
    pub fn extent(&self, axis: Axis) -> Option<usize> {
        self.dims.iter().find(|(a, _)| *a == axis).map(|(_, len)| *len)
    }

    /// Whether it is computed from a variable. What is not is a constant.
    pub fn is_differentiable(&self) -> bool {
        self.from.differentiable
    }

    /// Whether a variable was cut off on the way, so that differences of values are not what the tangents say.
    pub fn is_detached(&self) -> bool {
        self.from.detached
    }

    /// The tangents an element carries.
    pub fn width(&self) -> usize {
        self.from.width
    }

    /// The elements row-major over `dims`, repeated along axes that the value lacks; NaN for holes.
    ///
    /// # Panics
    /// Where `dims` lacks an axis of the value or disagrees on an extent.
    pub fn values_over(&self, dims: &[(Axis, usize)]) -> Vec<f64> {
        let mut values = Vec::with_capacity(size(dims));
        self.each_offset(dims, |at| values.push(if self.is_hole(at) { f64::NAN } else { self.elements.values[at] }));
        values
    }

    /// The tangents of [`Value::values_over`], `width` an element. A constant has zeros.
    ///
    /// # Panics
    /// As [`Value::values_over`].
    pub fn tangents_over(&self, dims: &[(Axis, usize)], width: usize) -> Vec<f64> {
        let mut tangents = Vec::with_capacity(size(dims) * width);
        let flushed = |tangent: f64| if tangent.abs() < Act::NOTHING { 0.0 } else { tangent };
        self.each_offset(dims, |at| tangents.extend((0..width).map(|k| flushed(self.tangent(at, k)))));
        tangents
    }

    fn each_offset(&self, dims: &[(Axis, usize)], mut f: impl FnMut(usize)) {
        for (axis, len) in &self.dims {
            assert!(dims.contains(&(*axis, *len)), "{axis:?} of extent {len} among {dims:?}");
        }
        let strides = self.strides_in(dims);
        each_position(dims, |at| f(offset(at, &strides)));
    }

    /// The stride of each axis of `dims`; 0 for those that the value lacks.
    pub(super) fn strides_in(&self, dims: &[(Axis, usize)]) -> Vec<usize> {
        strides_over(&self.dims, dims)
    }

    pub(super) fn is_hole(&self, at: usize) -> bool {
        !self.elements.holes.is_empty() && self.elements.holes[at]
    }

    pub(super) fn tangent(&self, at: usize, k: usize) -> f64 {
        if self.elements.tangents.is_empty() { 0.0 } else { self.elements.tangents[at * self.from.width + k] }
    }

    /// Whether each element has a tangent other than 0.
    pub(super) fn moving(&self) -> Vec<bool> {
        let one = |at: usize| (0..self.from.width).any(|k| self.tangent(at, k) != 0.0);
        (0..self.elements.values.len()).map(one).collect()
    }

    /// The position of an axis among the dimensions.
    pub(super) fn position(&self, axis: Axis) -> usize {
        self.dims.iter().position(|(a, _)| *a == axis).expect("a formula names axes that the value has")
    }
}

/// The product of the extents.
pub(super) fn size(dims: &[(Axis, usize)]) -> usize {
    dims.iter().map(|(_, len)| len).product()
}

/// The strides of a row-major array over `own`, for each axis of `dims`; 0 for those it lacks.
pub(super) fn strides_over(own: &[(Axis, usize)], dims: &[(Axis, usize)]) -> Vec<usize> {
    let mut strides = vec![0; dims.len()];
    let mut stride = 1;
    for (axis, len) in own.iter().rev() {
        if let Some(i) = dims.iter().position(|(a, _)| a == axis) {
            strides[i] = stride;
        }
        stride *= len;
    }
    strides
}

pub(super) fn offset(at: &[usize], strides: &[usize]) -> usize {
    at.iter().zip(strides).map(|(i, s)| i * s).sum()
}

/// Calls `f` at every position, row-major.
pub(super) fn each_position(dims: &[(Axis, usize)], mut f: impl FnMut(&[usize])) {
    let mut at = vec![0; dims.len()];
    for _ in 0..size(dims) {
        f(&at);
        for (i, (_, len)) in at.iter_mut().zip(dims).rev() {
            *i += 1;
            if *i < *len {
                break;
            }
            *i = 0;
        }
    }
}

/// The offsets of all positions, row-major.
pub(super) fn offsets(dims: &[(Axis, usize)], strides: &[usize]) -> Vec<usize> {
    let mut all = Vec::with_capacity(size(dims));
    each_position(dims, |at| all.push(offset(at, strides)));
    all
}

/// The axes of all values, in order of first appearance.
///
/// # Panics
/// Where two of them disagree on an extent.
pub(super) fn joint_dims(values: &[&Value]) -> Vec<(Axis, usize)> {
    let mut dims: Vec<(Axis, usize)> = vec![];
    for (axis, len) in values.iter().flat_map(|x| &x.dims) {
        match dims.iter().find(|(a, _)| a == axis) {
            None => dims.push((*axis, *len)),
            Some((_, other)) => assert_eq!(len, other, "the extents of {axis:?} agree"),
        }
    }
    dims
}

/// What an operation does with the numbers it gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Act {
    /// The result is one of them, or a small integer: nothing is rounded, and what is not chosen has no say.
    Chooses,
    /// The result is the operand but for its sign: nothing is rounded, and a slope of 0 is one that was computed.
    Signs,
    Computes,
}

impl Act {
    pub fn rounding(self, from: &Ancestry) -> Rounding {
        if self == Act::Computes { from.rounding } else { Rounding::NONE }
    }

    /// A factor of a derivative times a tangent.
    ///
    /// A tangent of 0 is one of structure: nothing on the way depends on the variable, so that it wins over infinities
    /// and NaN. A factor of 0 does so only where it says that an operand was not chosen. Elsewhere it may have been
    /// computed, and the product must stay apart from 0 to become NaN where it meets an infinity later: it is tiny.
    pub fn scale(self, factor: f64, tangent: f64) -> f64 {
        let product = factor * tangent;
        if tangent == 0.0 || (factor == 0.0 && self == Act::Chooses) {
            0.0
        } else if product == 0.0 {
            Self::NEXT_TO_NOTHING
        } else {
            product
        }
    }

    /// The sum of such products. Where they cancel it is no zero of structure either.
    pub fn total(terms: impl Iterator<Item = f64>) -> f64 {
        let (sum, depends) = terms.fold((0.0, false), |(sum, depends), term| (sum + term, depends || term != 0.0));
        if sum == 0.0 && depends { Self::NEXT_TO_NOTHING } else { sum }
    }

    const NEXT_TO_NOTHING: f64 = 1e-290;
    /// Tangents below this are zeros that were computed.
    const NOTHING: f64 = 1e-200;
}
