//! Which inputs a result may overwrite.

use super::{Body, Leaf, Operand, Phase, Plan, Scope, Sweep, TempId};
use crate::graph::{AxisId, InputId};

impl Plan {
    /// Whether anything reads an input.
    pub fn reads(&self, input: InputId) -> bool {
        self.phases.iter().any(|phase| phase_reads(phase, input))
    }

    /// Whether a root may lie in an input's memory: one sweep stores it, element by element, and reads the input at the
    /// position itself; the sweeps of its nest before that one read within their block, since blocks run side by side;
    /// and nothing reads the input after. The root and the input have the same axes.
    pub fn may_overwrite(&self, input: InputId, root: u32) -> bool {
        let Some(temp) = self.temps.iter().position(|t| t.scope == Scope::Root(root)) else { return false };
        let stores = |s: &Sweep| s.body.stores.iter().any(|(to, _)| *to == TempId(temp as u32));
        let Some(at) = self.phases.iter().position(|p| matches!(p, Phase::Nest(nest) if nest.steps.iter().any(stores))) else {
            return false;
        };
        let Phase::Nest(nest) = &self.phases[at] else { return false };
        let last = nest.steps.iter().position(stores).unwrap_or(0);
        let (before, after) = nest.steps.split_at(last + 1);
        let stays = |s: &Sweep, fixed: &dyn Fn(AxisId) -> bool| {
            let mut reads = s.body.operands.iter().filter(|o| is(o, input));
            reads.all(|o| o.map.iter().all(|(axis, _)| !fixed(*axis)))
        };
        before[..last].iter().all(|s| stays(s, &|axis| nest.outer.contains(axis)))
            && stays(&before[last], &|_| true)
            && !after.iter().chain(&nest.after).any(|s| body_reads(&s.body, input))
            && !self.phases[at + 1..].iter().any(|phase| phase_reads(phase, input))
    }
}

fn is(operand: &Operand, input: InputId) -> bool {
    operand.leaf == Leaf::Input(input)
}

fn body_reads(body: &Body, input: InputId) -> bool {
    body.operands.iter().any(|o| is(o, input))
}

fn phase_reads(phase: &Phase, input: InputId) -> bool {
    match phase {
        Phase::Nest(nest) => nest.steps.iter().chain(&nest.after).any(|s| body_reads(&s.body, input)),
        Phase::Gemm(gemm) => is(&gemm.a, input) || is(&gemm.b, input),
        Phase::Scatter(scatter) => body_reads(&scatter.body, input),
        Phase::Scan(scan) => body_reads(&scan.body, input),
    }
}
