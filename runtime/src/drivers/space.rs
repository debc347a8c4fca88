//! The axes of a call, expressions of positions along them, and conditions on positions.

use std::ops::{Add, Mul, Neg, Sub};

/// An axis of a [`Space`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Axis(pub(crate) u8);

/// The extents of all axes of one call.
///
/// An axis declared as `Many` is a list of dimensions, flattened row-major; so every axis has a list, mostly of one.
#[derive(Clone, Debug)]
pub struct Space {
    dims: Vec<Dim>,
    /// Where an axis' dimensions begin in `dims`; one more at the end.
    first: Vec<usize>,
}

/// One dimension of an axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dim {
    pub len: usize,
    /// How far one step moves along the flattened axis.
    pub flat: i64,
}

impl Space {
    /// From the list of dimensions of each axis.
    pub fn new(axes: &[&[usize]]) -> Space {
        let (mut dims, mut first) = (vec![], vec![0]);
        for lens in axes {
            let mut flat: i64 = lens.iter().map(|&n| n as i64).product();
            for &len in *lens {
                flat = if len == 0 { 0 } else { flat / len as i64 };
                dims.push(Dim { len, flat });
            }
            first.push(dims.len());
        }
        Space { dims, first }
    }
    /// The axes, in order.
    pub fn axes<const N: usize>(&self) -> [Axis; N] {
        assert!(N < self.first.len(), "the space has fewer axes");
        std::array::from_fn(|i| Axis(i as u8))
    }
    /// The extent of an axis, as a number.
    pub fn len(&self, axis: Axis) -> f64 {
        self.extent(axis) as f64
    }
    pub(crate) fn extent(&self, axis: Axis) -> usize {
        self.of(axis).map(|g| self.dims[g].len).product()
    }
    /// The dimensions of an axis, as indices into [`Space::dims`].
    pub(crate) fn of(&self, axis: Axis) -> std::ops::Range<usize> {
        self.first[axis.0 as usize]..self.first[axis.0 as usize + 1]
    }
    pub(crate) fn dims(&self) -> &[Dim] {
        &self.dims
    }
}

/// `⌊(Σ coefficient·index + offset) / div⌋`, then its remainder by `modulo` if that is not 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    pub(crate) terms: Vec<(Axis, i64)>,
    pub(crate) offset: i64,
    pub(crate) div: i64,
    pub(crate) modulo: i64,
}

impl Index {
    /// The same index everywhere.
    pub fn constant(offset: i64) -> Index {
        Index { terms: vec![], offset, div: 1, modulo: 0 }
    }
    /// Floor division by a positive number.
    pub fn floor_div(mut self, by: i64) -> Index {
        assert!(self.div == 1 && self.modulo == 0, "one division");
        // by the length of an axis without elements: then nothing is read
        self.div = by.max(1);
        self
    }
    /// The remainder by a positive number, never negative.
    pub fn modulo(mut self, by: i64) -> Index {
        assert!(self.modulo == 0, "one remainder");
        self.modulo = by.max(1);
        self
    }
    /// The condition `lo ≤ self < hi`.
    pub fn within(self, lo: i64, hi: i64) -> Condition {
        Condition::Range { e: self, lo, hi }
    }
    /// The condition that the index is a multiple of a positive number.
    pub fn divides(self, by: i64) -> Condition {
        Condition::Divides { e: self, by: by.max(1) }
    }
}

impl From<Axis> for Index {
    fn from(axis: Axis) -> Index {
        Index { terms: vec![(axis, 1)], offset: 0, div: 1, modulo: 0 }
    }
}
impl Mul<i64> for Axis {
    type Output = Index;
    fn mul(self, by: i64) -> Index {
        Index { terms: vec![(self, by)], offset: 0, div: 1, modulo: 0 }
    }
}
impl Neg for Axis {
    type Output = Index;
    fn neg(self) -> Index {
        self * -1
    }
}
impl<I: Into<Index>> Add<I> for Index {
    type Output = Index;
    fn add(mut self, other: I) -> Index {
        let other = other.into();
        self.terms.extend(other.terms);
        self.offset += other.offset;
        self
    }
}
impl<I: Into<Index>> Add<I> for Axis {
    type Output = Index;
    fn add(self, other: I) -> Index {
        Index::from(self) + other
    }
}
impl From<i64> for Index {
    fn from(offset: i64) -> Index {
        Index::constant(offset)
    }
}
impl Sub<i64> for Index {
    type Output = Index;
    fn sub(mut self, by: i64) -> Index {
        self.offset -= by;
        self
    }
}
impl Sub<i64> for Axis {
    type Output = Index;
    fn sub(self, by: i64) -> Index {
        Index::from(self) - by
    }
}

/// A condition on a position.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// `lo ≤ e < hi`
    Range { e: Index, lo: i64, hi: i64 },
    /// `e` is a multiple of `by`.
    Divides { e: Index, by: i64 },
}
