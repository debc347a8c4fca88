//! Reductions, spelled out: means divide by what was counted, `logsumexp` is shifted by its maximum.

use super::holes::Holes;
use super::{Builder, Value};
use crate::elaborate::{Check, Reduction};
use crate::graph::{AxisId, AxisSet, BinaryOp, Condition, NodeId, Op, ReduceOp, UnaryOp};

impl Builder<'_> {
    pub(super) fn reduce(&mut self, kind: Reduction, axes: &[AxisId], x: &Value) -> Value {
        let set: AxisSet = axes.iter().copied().collect();
        let (settled, stay) = x.holes.split(set);
        if !matches!(kind, Reduction::Sum | Reduction::Any | Reduction::All) && !settled.is_empty() {
            self.check_filled(&x.holes, set);
        }
        let plain = |op| (op, axes.to_vec());
        let (op, axes) = match kind {
            // a sum over holes alone is 0, so no hole is left
            Reduction::Sum => {
                let node = self.graph.reduce_valid(ReduceOp::Sum, axes, x.node, x.holes.conditions.clone());
                return Value { node, holes: Holes::default() };
            }
            Reduction::Mean => {
                let node = self.mean(axes, x.node, &settled, &x.holes);
                return Value { node, holes: stay };
            }
            Reduction::Var => {
                let node = self.var(axes, x.node, &settled);
                return Value { node, holes: stay };
            }
            Reduction::LogSumExp => {
                let node = self.logsumexp(axes, x.node, &settled);
                return Value { node, holes: stay };
            }
            Reduction::Any | Reduction::All => {
                let node = self.quantifier(kind == Reduction::All, axes, x);
                return Value { node, holes: Holes::default() };
            }
            Reduction::Prod => plain(ReduceOp::Prod),
            Reduction::Max => plain(ReduceOp::Max),
            Reduction::Min => plain(ReduceOp::Min),
            Reduction::ArgMax => plain(ReduceOp::ArgMax),
            Reduction::ArgMin => plain(ReduceOp::ArgMin),
        };
        Value { node: self.graph.reduce_valid(op, &axes, x.node, settled), holes: stay }
    }

    /// Whether a mask is set somewhere, or everywhere: by counting. Over holes alone it is what it is over nothing.
    fn quantifier(&mut self, all: bool, axes: &[AxisId], x: &Value) -> NodeId {
        let g = &mut self.graph;
        let (zero, counted) = (g.num(0.0), if all { g.unary(UnaryOp::Not, x.node) } else { x.node });
        let count = g.reduce_valid(ReduceOp::Sum, axes, counted, x.holes.conditions.clone());
        g.binary(if all { BinaryOp::Eq } else { BinaryOp::Gt }, count, zero)
    }

    /// A reduction that needs an element: windows without one are an error of the call.
    fn check_filled(&mut self, holes: &Holes, axes: AxisSet) {
        for w in &holes.windows {
            if w.taps.intersects(axes) {
                self.checks.push(Check::WindowFilled { window: w.window.clone(), axes: w.sources.clone() });
            }
        }
    }

    fn mean(&mut self, axes: &[AxisId], x: NodeId, valid: &[Condition], holes: &Holes) -> NodeId {
        let sum = self.graph.reduce_valid(ReduceOp::Sum, axes, x, valid.to_vec());
        let count = self.count(axes, valid, holes);
        self.graph.binary(BinaryOp::Div, sum, count)
    }

    /// The number of elements that a mean divides by.
    fn count(&mut self, axes: &[AxisId], valid: &[Condition], holes: &Holes) -> NodeId {
        let set: AxisSet = axes.iter().copied().collect();
        if valid.is_empty() {
            return self.graph.lens(set);
        }
        let one = self.graph.num(1.0);
        let mut count = self.graph.reduce_valid(ReduceOp::Sum, axes, one, valid.to_vec());
        for w in &holes.windows {
            if w.taps.is_subset(set) {
                let others = self.graph.lens(set - w.taps);
                let divisor = self.graph.add(Op::Host(w.divisor));
                let given = self.graph.binary(BinaryOp::Mul, divisor, others);
                let has_divisor = self.graph.add(Op::Host(w.has_divisor));
                count = self.graph.select(has_divisor, given, count);
            }
        }
        count
    }

    /// The biased variance, about the mean. A window's divisor is for its mean alone.
    fn var(&mut self, axes: &[AxisId], x: NodeId, valid: &[Condition]) -> NodeId {
        let counted = Holes::default();
        let mean = self.mean(axes, x, valid, &counted);
        let centred = self.graph.binary(BinaryOp::Sub, x, mean);
        let square = self.graph.powi(centred, 2);
        self.mean(axes, square, valid, &counted)
    }

    /// `m + log Σ exp(x − m)`, with `m` the maximum where it is finite and 0 elsewhere, so that −∞ alone gives −∞ and
    /// +∞ gives +∞. The shift has no influence on the value, so it gets no gradient.
    fn logsumexp(&mut self, axes: &[AxisId], x: NodeId, valid: &[Condition]) -> NodeId {
        let g = &mut self.graph;
        let max = g.reduce_valid(ReduceOp::Max, axes, x, valid.to_vec());
        let (zero, infinity) = (g.num(0.0), g.num(f64::INFINITY));
        let size = g.unary(UnaryOp::Abs, max);
        let infinite = g.binary(BinaryOp::Eq, size, infinity);
        let shift = g.select(infinite, zero, max);
        let shift = g.unary(UnaryOp::Stop, shift);
        let shifted = g.binary(BinaryOp::Sub, x, shift);
        let exp = g.unary(UnaryOp::Exp, shifted);
        let sum = g.reduce_valid(ReduceOp::Sum, axes, exp, valid.to_vec());
        let log = g.unary(UnaryOp::Log, sum);
        g.binary(BinaryOp::Add, log, shift)
    }
}
