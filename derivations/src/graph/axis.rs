//! Named axes and sets of them.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, Not, Sub};

/// A named axis of one formula: an index into [`Graph::axes`](super::Graph::axes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AxisId(pub u8);

/// A set of axes, as bits. A formula has at most [`AxisSet::CAPACITY`] axes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AxisSet(pub u64);

impl AxisSet {
    /// How many axes one formula may have.
    pub const CAPACITY: usize = 64;
    /// No axis: a scalar's set.
    pub const EMPTY: AxisSet = AxisSet(0);

    /// The set of one axis.
    pub fn one(axis: AxisId) -> AxisSet {
        AxisSet(1 << axis.0)
    }
    pub fn contains(self, axis: AxisId) -> bool {
        self.0 >> axis.0 & 1 == 1
    }
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }
    /// Whether every axis of `self` is in `other`.
    pub fn is_subset(self, other: AxisSet) -> bool {
        self.0 & !other.0 == 0
    }
    pub fn intersects(self, other: AxisSet) -> bool {
        self.0 & other.0 != 0
    }
    /// The axes in order of first appearance in the formula.
    pub fn iter(self) -> AxisIter {
        AxisIter(self.0)
    }
}

/// The axes of a set, bit by bit: much of planning is products of extents, also in unoptimised builds.
#[derive(Clone, Debug)]
pub struct AxisIter(u64);

impl Iterator for AxisIter {
    type Item = AxisId;
    fn next(&mut self) -> Option<AxisId> {
        if self.0 == 0 {
            return None;
        }
        let lowest = self.0.trailing_zeros() as u8;
        self.0 &= self.0 - 1;
        Some(AxisId(lowest))
    }
}
impl DoubleEndedIterator for AxisIter {
    fn next_back(&mut self) -> Option<AxisId> {
        if self.0 == 0 {
            return None;
        }
        let highest = 63 - self.0.leading_zeros() as u8;
        self.0 &= !(1 << highest);
        Some(AxisId(highest))
    }
}

impl FromIterator<AxisId> for AxisSet {
    fn from_iter<I: IntoIterator<Item = AxisId>>(axes: I) -> AxisSet {
        axes.into_iter().fold(AxisSet::EMPTY, |set, a| set | AxisSet::one(a))
    }
}
impl From<AxisId> for AxisSet {
    fn from(axis: AxisId) -> AxisSet {
        AxisSet::one(axis)
    }
}
impl BitOr for AxisSet {
    type Output = AxisSet;
    fn bitor(self, other: AxisSet) -> AxisSet {
        AxisSet(self.0 | other.0)
    }
}
impl BitOrAssign for AxisSet {
    fn bitor_assign(&mut self, other: AxisSet) {
        self.0 |= other.0;
    }
}
impl BitAnd for AxisSet {
    type Output = AxisSet;
    fn bitand(self, other: AxisSet) -> AxisSet {
        AxisSet(self.0 & other.0)
    }
}
impl Sub for AxisSet {
    type Output = AxisSet;
    fn sub(self, other: AxisSet) -> AxisSet {
        AxisSet(self.0 & !other.0)
    }
}
impl Not for AxisSet {
    type Output = AxisSet;
    fn not(self) -> AxisSet {
        AxisSet(!self.0)
    }
}
impl fmt::Debug for AxisSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|a| a.0)).finish()
    }
}
