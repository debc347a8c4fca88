//! What a call checks before it computes anything, in the interpreter.

use crate::formulas::Evaluation;
use crate::host::Constant;
use pullback_derivations::elaborate::{Binding, Check, Padding};
use pullback_derivations::graph::{AxisId, Graph};

impl Evaluation<'_> {
    /// Whether a call would be refused, and why. Extents must be known ([`Evaluation::sizes`]).
    pub(crate) fn refusal(&self, graph: &Graph, checks: &[Check]) -> Option<String> {
        let bound = self.typed.bindings.iter().filter_map(|b| match b {
            Binding::Check(check) => Some(check),
            _ => None,
        });
        bound.chain(checks).find(|check| !self.holds(graph, check)).map(|check| format!("{check:?}"))
    }

    fn holds(&self, graph: &Graph, check: &Check) -> bool {
        let len = |axis: &AxisId| self.env.lens[axis.0 as usize] as i64;
        let int = |id| self.env.int(&graph.ints, id);
        match check {
            Check::Ensure { condition, .. } => self.call.scalar(condition, &self.env.lens) != 0.0,
            Check::Extent { axis, extent } => len(axis) == int(*extent),
            Check::Divisible { axis, by } => int(*by) > 0 && len(axis) % int(*by) == 0,
            Check::Slice { axis, start, end } => 0 <= int(*start) && int(*start) <= int(*end) && int(*end) <= len(axis),
            Check::Window { window, axes } => self.window(window, axes, false),
            Check::WindowFilled { window, axes } => self.window(window, axes, true),
            Check::NotEmpty { axes, .. } => axes.iter().all(|a| len(a) > 0),
            Check::Labels { param, axes } => {
                let below: i64 = axes.iter().map(len).product();
                let name = self.formula.params[*param].name.to_string();
                let labels = self.call.tensors.get(name.as_str());
                labels.is_none_or(|labels| labels.iter().all(|i| (0..below).contains(&(*i as i64))))
            }
            Check::Padding { axis, lo, hi, kind } => {
                let most = match kind {
                    Padding::Reflect => len(axis) - 1,
                    Padding::Circular => len(axis),
                    _ => i64::MAX,
                };
                [int(*lo), int(*hi)].iter().all(|p| (0..=most).contains(p))
            }
            Check::Reach { reach, axes } => int(*reach) <= axes.iter().map(len).product(),
            Check::Outputs { count, .. } => int(*count) > 0,
            Check::Copies { times, .. } => int(*times) >= 0,
            Check::ConstantLen { axis, len: numbers } => len(axis) == *numbers as i64,
        }
    }

    fn window(&self, window: &impl quote::ToTokens, axes: &[AxisId], filled: bool) -> bool {
        let Constant::Sliding(k) = crate::host::constant(window, &|name| self.call.variable(name, &self.env.lens)) else {
            return true;
        };
        let lens = [0, 1, 2].map(|i| axes.get(i).map_or(1, |a| self.env.lens[a.0 as usize]));
        let names = ["A", "B", "C"];
        if filled { k.check_filled("window", names, lens).is_ok() } else { k.check("window", names, lens).is_ok() }
    }
}
