//! Scans: what a scan begins with is a term of its first step.

use super::{Builder, Value};
use crate::graph::{AxisId, AxisSet, BinaryOp, Op};
use proc_macro2::Span;

impl Builder<'_> {
    pub(super) fn cumsum(&mut self, axis: AxisId, x: &Value, span: Span) -> Option<Value> {
        self.refuse_holes(x, AxisSet(u64::MAX), span)?;
        let a = self.graph.num(1.0);
        Self::solid(self.graph.add(Op::Scan { axis, reverse: false, a, b: x.node }))
    }

    pub(super) fn scan(&mut self, axis: AxisId, args: &[Value], span: Span) -> Option<Value> {
        for x in args {
            self.refuse_holes(x, AxisSet(u64::MAX), span)?;
        }
        let g = &mut self.graph;
        let (a, start) = (args[0].node, args[2].node);
        let mut b = args[1].node;
        // a factor that is no number may be infinite or NaN, and so is what it makes of 0
        let carries_nothing = g.as_num(start) == Some(0.0) && g.as_num(a).is_some_and(f64::is_finite);
        if !carries_nothing {
            let (zero, at) = (g.num(0.0), g.add(Op::Index(axis)));
            let (first, carried) = (g.binary(BinaryOp::Eq, at, zero), g.binary(BinaryOp::Mul, a, start));
            let begun = g.binary(BinaryOp::Add, carried, b);
            b = g.select(first, begun, b);
        }
        Self::solid(g.add(Op::Scan { axis, reverse: false, a, b }))
    }
}
