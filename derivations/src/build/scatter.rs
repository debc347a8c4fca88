//! Scatters: sums by destination, and the last element for each.

use super::{Builder, Value};
use crate::graph::{AxisId, AxisSet, BinaryOp, NodeId, Op, ReduceOp, Reindex, Source};
use proc_macro2::Span;

impl Builder<'_> {
    pub(super) fn scatter(&mut self, axis: AxisId, over: &[AxisId], last: bool, args: &[Value], span: Span) -> Option<Value> {
        let (x, index) = (&args[0], args[1].node);
        self.refuse_holes(x, AxisSet(u64::MAX), span)?;
        let mut node = x.node;
        if last {
            let (wins, zero) = (self.lands_last(axis, over, index), self.graph.num(0.0));
            node = self.graph.select(wins, node, zero);
        }
        Self::solid(self.scatter_node(ReduceOp::Sum, node, axis, index, over))
    }

    fn scatter_node(&mut self, op: ReduceOp, x: NodeId, axis: AxisId, index: NodeId, over: &[AxisId]) -> NodeId {
        self.graph.add(Op::Scatter { op, x, axis, index, over: over.iter().copied().collect() })
    }

    /// A mask of the elements that no later one, row-major over `over`, writes over: the largest position that was sent to a
    /// place is the one that is there. Positions count from 1, so that 0 is a place where nothing lands.
    fn lands_last(&mut self, axis: AxisId, over: &[AxisId], index: NodeId) -> NodeId {
        let g = &mut self.graph;
        let one = g.num(1.0);
        let zero = g.num(0.0);
        let place = over.iter().fold(zero, |flat, &axis| {
            let (len, at) = (g.add(Op::Len(axis)), g.add(Op::Index(axis)));
            let scaled = if flat == zero { zero } else { g.binary(BinaryOp::Mul, flat, len) };
            g.binary(BinaryOp::Add, scaled, at)
        });
        let place = g.binary(BinaryOp::Add, place, one);
        let largest = self.scatter_node(ReduceOp::Max, place, axis, index, over);
        let load = Reindex { map: vec![(axis, Source::Load(index))], valid: vec![], fill: 0f64.to_bits(), transpose: None };
        let there = self.graph.reindex(largest, load);
        self.graph.binary(BinaryOp::Eq, there, place)
    }
}
