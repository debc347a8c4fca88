//! Arithmetic on graph nodes that reads as arithmetic, for the derivative tables.

use crate::graph::{AxisSet, BinaryOp, Graph, NodeId, Op, UnaryOp};
use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// The graph that a reverse pass writes to.
pub(super) struct Tape<'g>(RefCell<&'g mut Graph>);

impl<'g> Tape<'g> {
    pub fn new(graph: &'g mut Graph) -> Tape<'g> {
        Tape(RefCell::new(graph))
    }
    /// Reads the graph; the closure must not write to the tape.
    pub fn read<R>(&self, f: impl FnOnce(&Graph) -> R) -> R {
        f(&self.0.borrow())
    }
    /// Writes to the graph.
    pub fn write<R>(&self, f: impl FnOnce(&mut Graph) -> R) -> R {
        f(&mut self.0.borrow_mut())
    }
}

/// A node of a tape.
#[derive(Clone, Copy)]
pub(super) struct Expr<'t> {
    pub tape: &'t Tape<'t>,
    pub id: NodeId,
}

impl<'t> Expr<'t> {
    fn make(self, f: impl FnOnce(&mut Graph) -> NodeId) -> Expr<'t> {
        Expr { tape: self.tape, id: self.tape.write(f) }
    }
    pub fn num(self, value: f64) -> Expr<'t> {
        self.make(|graph| graph.num(value))
    }
    pub fn unary(self, op: UnaryOp) -> Expr<'t> {
        self.make(|graph| graph.unary(op, self.id))
    }
    pub fn binary(self, op: BinaryOp, other: Expr<'t>) -> Expr<'t> {
        self.make(|graph| graph.binary(op, self.id, other.id))
    }
    pub fn cmp(self, op: BinaryOp, other: Expr<'t>) -> Expr<'t> {
        self.binary(op, other)
    }
    pub fn powi(self, n: i32) -> Expr<'t> {
        self.make(|graph| graph.powi(self.id, n))
    }
    /// `a` where the mask `self` holds, else `b`.
    pub fn select(self, a: Expr<'t>, b: Expr<'t>) -> Expr<'t> {
        self.make(|graph| graph.select(self.id, a.id, b.id))
    }
    pub fn axes(self) -> AxisSet {
        self.tape.read(|graph| graph.axes_of(self.id))
    }
    /// Whether `other` takes part in computing this.
    pub fn depends_on(self, other: Expr<'t>) -> bool {
        self.tape.read(|graph| {
            let mut seen = vec![false; graph.len()];
            let mut open = vec![self.id];
            while let Some(id) = open.pop() {
                if id == other.id {
                    return true;
                }
                if !std::mem::replace(&mut seen[id.0 as usize], true) {
                    open.extend(graph.op(id).operands());
                }
            }
            false
        })
    }
    /// Applies `partial`, which is linear, to a cotangent. What a `select` or `max` did not choose gets nothing: where the
    /// mask may be what keeps the factor from being infinite, the zero on that side stays, since their product is NaN.
    pub fn where_chosen(
        self,
        kept: &dyn Fn(NodeId, bool) -> bool,
        partial: &dyn Fn(Expr<'t>) -> Option<Expr<'t>>,
    ) -> Option<Expr<'t>> {
        let zero = |e: Expr<'t>| self.tape.read(|graph| graph.as_num(e.id) == Some(0.0));
        let Some((mask, a, b)) = self.choice().filter(|c| kept(c.0.id, self.is_product())) else { return partial(self) };
        let a = if zero(a) { a } else { a.where_chosen(kept, partial)? };
        let b = if zero(b) { b } else { b.where_chosen(kept, partial)? };
        Some(mask.select(a, b))
    }
    fn is_product(self) -> bool {
        self.tape.read(|graph| !matches!(graph.op(self.id), Op::Select { .. }))
    }
    /// The choice between something and nothing that this is, factors around it taken in.
    fn choice(self) -> Option<(Expr<'t>, Expr<'t>, Expr<'t>)> {
        let at = |id| Expr { tape: self.tape, id };
        let zero = |e: Expr<'t>| self.tape.read(|graph| graph.as_num(e.id) == Some(0.0));
        let within = |inner: Expr<'t>, f: &dyn Fn(Expr<'t>) -> Expr<'t>| {
            let (mask, a, b) = inner.choice()?;
            let side = |e: Expr<'t>| if zero(e) { e } else { f(e) };
            Some((mask, side(a), side(b)))
        };
        match self.tape.read(|graph| graph.op(self.id).clone()) {
            Op::Select { mask, a, b } if zero(at(a)) || zero(at(b)) => Some((at(mask), at(a), at(b))),
            Op::Unary(UnaryOp::Neg, x) => within(at(x), &|e| -e),
            Op::Binary(BinaryOp::Mul, x, k) => within(at(x), &|e| e * at(k)).or_else(|| within(at(k), &|e| at(x) * e)),
            Op::Binary(BinaryOp::Div, x, k) => within(at(x), &|e| e / at(k)),
            _ => None,
        }
    }
    pub fn is_constant(self) -> bool {
        super::pointwise::is_constant(self.tape, self.id)
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident;)*) => { $(
        impl<'t> $trait for Expr<'t> {
            type Output = Expr<'t>;
            fn $method(self, other: Expr<'t>) -> Expr<'t> {
                self.binary(BinaryOp::$trait, other)
            }
        }
        impl<'t> $trait<f64> for Expr<'t> {
            type Output = Expr<'t>;
            fn $method(self, other: f64) -> Expr<'t> {
                self.binary(BinaryOp::$trait, self.num(other))
            }
        }
        impl<'t> $trait<Expr<'t>> for f64 {
            type Output = Expr<'t>;
            fn $method(self, other: Expr<'t>) -> Expr<'t> {
                other.num(self).binary(BinaryOp::$trait, other)
            }
        }
    )* };
}
operators! { Add add; Sub sub; Mul mul; Div div; }

impl<'t> Neg for Expr<'t> {
    type Output = Expr<'t>;
    fn neg(self) -> Expr<'t> {
        self.unary(UnaryOp::Neg)
    }
}
