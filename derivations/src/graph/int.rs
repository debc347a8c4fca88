//! Symbolic integers: extents, strides, offsets. Known when the formula is called, not when it is derived.

use super::{AxisId, HostId};
use std::collections::{BTreeSet, HashMap};

/// A symbolic integer of one graph: an index into its [`Ints`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IntId(pub u32);

/// How an integer is computed at the start of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Int {
    Const(i64),
    /// The extent of an axis.
    Len(AxisId),
    /// A host expression of integer type (`k.stride(0)`, a `usize` argument).
    Host(HostId),
    Add(IntId, IntId),
    Sub(IntId, IntId),
    Mul(IntId, IntId),
    /// Division rounding towards −∞; the divisor is positive.
    FloorDiv(IntId, IntId),
    /// The greatest common divisor; of 0 and another, the other.
    Gcd(IntId, IntId),
}

/// The hash-consed integers of a graph. Constants are folded.
#[derive(Clone, Debug, Default)]
pub struct Ints {
    table: Vec<Int>,
    ids: HashMap<Int, IntId>,
    nonnegative: BTreeSet<IntId>,
}

impl Ints {
    pub fn get(&self, id: IntId) -> Int {
        self.table[id.0 as usize]
    }
    pub fn len(&self) -> usize {
        self.table.len()
    }
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
    /// The value of an integer that is the same in every call.
    pub fn as_const(&self, id: IntId) -> Option<i64> {
        match self.get(id) {
            Int::Const(value) => Some(value),
            _ => None,
        }
    }
    pub fn constant(&mut self, value: i64) -> IntId {
        self.intern(Int::Const(value))
    }
    pub fn axis_len(&mut self, axis: AxisId) -> IntId {
        self.intern(Int::Len(axis))
    }
    pub fn host(&mut self, host: HostId) -> IntId {
        self.intern(Int::Host(host))
    }
    pub fn add(&mut self, a: IntId, b: IntId) -> IntId {
        match (self.as_const(a), self.as_const(b)) {
            (Some(x), Some(y)) if x.checked_add(y).is_some() => self.constant(x + y),
            (Some(0), _) => b,
            (_, Some(0)) => a,
            _ => self.intern(Int::Add(a, b)),
        }
    }
    pub fn sub(&mut self, a: IntId, b: IntId) -> IntId {
        match (self.as_const(a), self.as_const(b)) {
            (Some(x), Some(y)) if x.checked_sub(y).is_some() => self.constant(x - y),
            (_, Some(0)) => a,
            _ if a == b => self.constant(0),
            _ => match (self.get(a), self.get(b)) {
                (Int::Const(0), Int::Sub(x, y)) => self.sub(y, x),
                _ => self.intern(Int::Sub(a, b)),
            },
        }
    }
    pub fn neg(&mut self, a: IntId) -> IntId {
        let zero = self.constant(0);
        self.sub(zero, a)
    }
    pub fn mul(&mut self, a: IntId, b: IntId) -> IntId {
        match (self.as_const(a), self.as_const(b)) {
            (Some(x), Some(y)) if x.checked_mul(y).is_some() => self.constant(x * y),
            (Some(0), _) => a,
            (_, Some(0)) => b,
            (Some(1), _) => b,
            (_, Some(1)) => a,
            (Some(-1), _) => self.neg(b),
            (_, Some(-1)) => self.neg(a),
            _ => self.intern(Int::Mul(a, b)),
        }
    }
    pub fn floor_div(&mut self, a: IntId, b: IntId) -> IntId {
        match (self.as_const(a), self.as_const(b)) {
            (Some(x), Some(y)) if y > 0 => self.constant(x.div_euclid(y)),
            (_, Some(1)) => a,
            _ => self.intern(Int::FloorDiv(a, b)),
        }
    }
    pub fn gcd(&mut self, a: IntId, b: IntId) -> IntId {
        match (self.as_const(a), self.as_const(b)) {
            (Some(x), Some(y)) => self.constant(common_divisor(x, y)),
            _ => self.intern(Int::Gcd(a, b)),
        }
    }
    /// Records that an integer is never negative (a padding, a count).
    pub fn assume_nonnegative(&mut self, id: IntId) {
        self.nonnegative.insert(id);
    }
    /// Whether an integer is known never to be negative.
    pub fn is_nonnegative(&self, id: IntId) -> bool {
        match self.get(id) {
            Int::Const(value) => value >= 0,
            Int::Len(_) | Int::Gcd(..) => true,
            _ => self.nonnegative.contains(&id),
        }
    }
    /// Evaluates an integer, given the axes' extents and the hosts' values.
    pub fn eval(&self, id: IntId, len: &dyn Fn(AxisId) -> i64, host: &dyn Fn(HostId) -> i64) -> i64 {
        let at = |id| self.eval(id, len, host);
        match self.get(id) {
            Int::Const(value) => value,
            Int::Len(axis) => len(axis),
            Int::Host(id) => host(id),
            Int::Add(a, b) => at(a) + at(b),
            Int::Sub(a, b) => at(a) - at(b),
            Int::Mul(a, b) => at(a) * at(b),
            Int::FloorDiv(a, b) => at(a).div_euclid(at(b)),
            Int::Gcd(a, b) => common_divisor(at(a), at(b)),
        }
    }
    fn intern(&mut self, int: Int) -> IntId {
        if let Some(&id) = self.ids.get(&int) {
            return id;
        }
        let id = IntId(self.table.len() as u32);
        self.table.push(int);
        self.ids.insert(int, id);
        id
    }
}

fn common_divisor(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a.rem_euclid(b));
    }
    a.abs()
}
