//! Reductions, spelled out: means divide by what was counted, `logsumexp` is shifted by its maximum.

use super::holes::{Holes, WindowHoles};
use super::{Builder, Value};
use crate::elaborate::{Check, Reduction};
use crate::graph::{AxisId, AxisSet, BinaryOp, NodeId, Op, ReduceOp, UnaryOp};

impl Builder<'_> {
    pub(super) fn reduce(&mut self, kind: Reduction, axes: &[AxisId], x: &Value) -> Value {
        let set: AxisSet = axes.iter().copied().collect();
        let (settled, stay) = x.holes.split(set);
        if !matches!(kind, Reduction::Sum | Reduction::Any | Reduction::All) && !settled.is_empty() {
            self.check_filled(&x.holes, set);
        }
        let node = match kind {
            // a sum over holes alone is 0, so no hole is left
            Reduction::Sum => {
                let node = self.fold(ReduceOp::Sum, axes, x.node, &x.holes);
                return Value { node, holes: Holes::default() };
            }
            Reduction::Any | Reduction::All => {
                let node = self.quantifier(kind == Reduction::All, axes, x);
                return Value { node, holes: Holes::default() };
            }
            Reduction::Mean => self.mean(axes, x.node, &settled, &x.holes.windows),
            Reduction::Var => self.var(axes, x.node, &settled),
            Reduction::LogSumExp => self.logsumexp(axes, x.node, &settled),
            Reduction::Prod => self.fold(ReduceOp::Prod, axes, x.node, &settled),
            Reduction::Max => self.fold(ReduceOp::Max, axes, x.node, &settled),
            Reduction::Min => self.fold(ReduceOp::Min, axes, x.node, &settled),
            Reduction::ArgMax => self.fold(ReduceOp::ArgMax, axes, x.node, &settled),
            Reduction::ArgMin => self.fold(ReduceOp::ArgMin, axes, x.node, &settled),
        };
        Value { node, holes: stay }
    }

    /// A reduction that skips holes: by its conditions, and where a mask says so by what changes nothing.
    fn fold(&mut self, op: ReduceOp, axes: &[AxisId], x: NodeId, holes: &Holes) -> NodeId {
        let mut x = x;
        if !holes.masks.is_empty() {
            let masks = Holes { masks: holes.masks.clone(), ..Holes::default() };
            let nothing = match op {
                ReduceOp::ArgMax => f64::NEG_INFINITY,
                ReduceOp::ArgMin => f64::INFINITY,
                op => op.identity(),
            };
            let (solid, nothing) = (self.solid_where(&masks), self.graph.num(nothing));
            x = self.graph.select(solid, x, nothing);
        }
        self.graph.reduce_valid(op, axes, x, holes.conditions.clone())
    }

    /// Whether a mask is set somewhere, or everywhere: by counting. Over holes alone it is what it is over nothing.
    fn quantifier(&mut self, all: bool, axes: &[AxisId], x: &Value) -> NodeId {
        let (zero, counted) = (self.graph.num(0.0), if all { self.graph.unary(UnaryOp::Not, x.node) } else { x.node });
        let count = self.fold(ReduceOp::Sum, axes, counted, &x.holes);
        self.graph.binary(if all { BinaryOp::Eq } else { BinaryOp::Gt }, count, zero)
    }

    /// A reduction that needs an element: windows without one are an error of the call.
    fn check_filled(&mut self, holes: &Holes, axes: AxisSet) {
        for w in &holes.windows {
            if w.taps.intersects(axes) {
                self.checks.push(Check::WindowFilled { window: w.window.clone(), axes: w.sources.clone() });
            }
        }
    }

    fn mean(&mut self, axes: &[AxisId], x: NodeId, holes: &Holes, windows: &[WindowHoles]) -> NodeId {
        let sum = self.fold(ReduceOp::Sum, axes, x, holes);
        let count = self.count(axes, holes, windows);
        self.graph.binary(BinaryOp::Div, sum, count)
    }

    /// The number of elements that a mean divides by.
    fn count(&mut self, axes: &[AxisId], holes: &Holes, windows: &[WindowHoles]) -> NodeId {
        let set: AxisSet = axes.iter().copied().collect();
        if holes.is_empty() {
            return self.graph.lens(set);
        }
        let one = self.graph.num(1.0);
        let mut count = self.fold(ReduceOp::Sum, axes, one, holes);
        for w in windows {
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
    fn var(&mut self, axes: &[AxisId], x: NodeId, holes: &Holes) -> NodeId {
        let mean = self.mean(axes, x, holes, &[]);
        let centred = self.graph.binary(BinaryOp::Sub, x, mean);
        let square = self.graph.powi(centred, 2);
        self.mean(axes, square, holes, &[])
    }

    /// `m + log Σ exp(x − m)`, with `m` the maximum where it is finite and 0 elsewhere, so that −∞ alone gives −∞ and
    /// +∞ gives +∞. The shift has no influence on the value, so it gets no gradient.
    fn logsumexp(&mut self, axes: &[AxisId], x: NodeId, holes: &Holes) -> NodeId {
        let max = self.fold(ReduceOp::Max, axes, x, holes);
        let g = &mut self.graph;
        let (zero, infinity) = (g.num(0.0), g.num(f64::INFINITY));
        let size = g.unary(UnaryOp::Abs, max);
        let infinite = g.binary(BinaryOp::Eq, size, infinity);
        let shift = g.select(infinite, zero, max);
        let shift = g.unary(UnaryOp::Stop, shift);
        let shifted = g.binary(BinaryOp::Sub, x, shift);
        let exp = g.unary(UnaryOp::Exp, shifted);
        let sum = self.fold(ReduceOp::Sum, axes, exp, holes);
        let log = self.graph.unary(UnaryOp::Log, sum);
        self.graph.binary(BinaryOp::Add, log, shift)
    }
}
