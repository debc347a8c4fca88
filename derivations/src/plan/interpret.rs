//! An interpreter of plans in `f64`: what a driver may do at worst.
//!
//! Outer indices run backwards, one at a time; block temps are wiped after each; folds that reduce over outer axes are
//! finished only after the nest; reading what is not computed fails. A plan that survives this is right under any
//! blocking and any number of threads.

use super::*;
use crate::graph::eval::{self, Env, Position};

/// The elements of a temp, row-major in axis-id order, and the states of the fold that makes it.
#[derive(Clone, Default)]
struct Buffer {
    axes: AxisSet,
    values: Vec<Option<f64>>,
    states: Vec<(f64, f64)>,
}

struct Interpreter<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    env: &'a Env,
    given: &'a [Vec<f64>],
    temps: Vec<Buffer>,
}

/// Runs a plan. `given` and the results (one a root) are row-major in axis-id order.
///
/// # Errors
/// A value is read before it is computed, or out of bounds; a root is not written.
pub fn run(graph: &Graph, plan: &Plan, env: &Env, given: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, String> {
    let buffer = |t: &Temp| {
        let axes: AxisSet = t.axes.iter().copied().collect();
        Buffer { axes, values: vec![None; env.size(axes)], states: vec![] }
    };
    let temps = plan.temps.iter().map(buffer).collect();
    let mut interpreter = Interpreter { graph, plan, env, given, temps };
    for phase in &plan.phases {
        match phase {
            Phase::Nest(nest) => interpreter.nest(nest)?,
            Phase::Gemm(gemm) => interpreter.gemm(gemm)?,
            Phase::Scatter(scatter) => interpreter.scatter(scatter)?,
            Phase::Scan(scan) => interpreter.scan(scan)?,
        }
    }
    interpreter.roots()
}

impl Interpreter<'_> {
    fn nest(&mut self, nest: &Nest) -> Result<(), String> {
        for sweep in nest.steps.iter().chain(&nest.after) {
            for fold in &sweep.body.folds {
                self.start(fold);
            }
        }
        let mut at: Position = [0; AxisSet::CAPACITY];
        let mut outer = vec![];
        self.env.each(nest.outer, &mut at, &mut |at| outer.push(*at));
        for at in outer.iter().rev() {
            for sweep in &nest.steps {
                self.sweep(sweep, nest.outer, at)?;
            }
            self.wipe(nest);
        }
        let folds = nest.steps.iter().flat_map(|s| &s.body.folds);
        for fold in folds.filter(|f| f.axes.iter().any(|a| nest.outer.contains(*a)) || outer.is_empty()) {
            self.end(fold);
        }
        for sweep in &nest.after {
            self.sweep(sweep, AxisSet::EMPTY, &[0; AxisSet::CAPACITY])?;
        }
        Ok(())
    }
    fn start(&mut self, fold: &Fold) {
        let buffer = &mut self.temps[fold.temp.0 as usize];
        buffer.states = vec![eval::fold_start(fold.op); buffer.values.len()];
    }
    fn end(&mut self, fold: &Fold) {
        let buffer = &mut self.temps[fold.temp.0 as usize];
        buffer.values = buffer.states.iter().map(|s| Some(eval::fold_end(fold.op, *s))).collect();
    }
    fn wipe(&mut self, nest: &Nest) {
        for sweep in &nest.steps {
            let temps = sweep.body.stores.iter().map(|s| s.0).chain(sweep.body.folds.iter().map(|f| f.temp));
            for t in temps.filter(|t| self.plan.temps[t.0 as usize].scope == Scope::Block) {
                self.temps[t.0 as usize].values.fill(None);
            }
        }
    }

    fn sweep(&mut self, sweep: &Sweep, outer: AxisSet, start: &Position) -> Result<(), String> {
        let mut positions = vec![];
        let mut at = *start;
        self.env.each(sweep.domain - outer, &mut at, &mut |at| positions.push(*at));
        if !sweep.guard.is_empty() && !sweep.body.stores.is_empty() {
            return Err("a store under a guard".into());
        }
        for at in &positions {
            if !self.env.holds(&self.plan.ints, &sweep.guard, at) {
                continue;
            }
            let (operands, code) = self.body(&sweep.body, at)?;
            let value = |val: &Val| pick(*val, &operands, &code);
            for (temp, val) in &sweep.body.stores {
                let buffer = &mut self.temps[temp.0 as usize];
                if buffer.axes != sweep.domain {
                    return Err("a store with other axes than its sweep".into());
                }
                let offset = self.env.offset(buffer.axes, at);
                buffer.values[offset] = Some(value(val));
            }
            for fold in &sweep.body.folds {
                let buffer = &mut self.temps[fold.temp.0 as usize];
                let offset = self.env.offset(buffer.axes, at);
                let index = self.env.offset_in(&fold.axes, at);
                eval::fold(fold.op, &mut buffer.states[offset], value(&fold.value), index);
            }
        }
        // a fold inside the block is finished for this block alone
        for fold in sweep.body.folds.iter().filter(|f| f.axes.iter().all(|a| !outer.contains(*a))) {
            let axes = self.temps[fold.temp.0 as usize].axes;
            let mut at = *start;
            let mut offsets = vec![];
            self.env.each(axes - outer, &mut at, &mut |at| offsets.push(self.env.offset(axes, at)));
            let buffer = &mut self.temps[fold.temp.0 as usize];
            for offset in offsets {
                buffer.values[offset] = Some(eval::fold_end(fold.op, buffer.states[offset]));
            }
        }
        Ok(())
    }

    /// The values of all operands and instructions at a position.
    fn body(&self, body: &Body, at: &Position) -> Result<(Vec<f64>, Vec<f64>), String> {
        let (mut operands, mut code) = (vec![], vec![]);
        for operand in &body.operands {
            let value = self.read(operand, at, &operands)?;
            operands.push(value);
        }
        for instr in &body.code {
            let value = |val: &Val| pick(*val, &operands, &code);
            let result = match &instr.op {
                Pointwise::Unary(op, x) => op.eval(value(x)),
                Pointwise::Binary(op, a, b) => op.eval(value(a), value(b)),
                Pointwise::Powi(x, n) => value(x).powi(*n),
                Pointwise::Select { mask, a, b } => value(if value(mask) != 0.0 { a } else { b }),
            };
            code.push(result);
        }
        Ok((operands, code))
    }
    fn read(&self, operand: &Operand, at: &Position, earlier: &[f64]) -> Result<f64, String> {
        let (env, ints) = (self.env, &self.plan.ints);
        if !env.holds(ints, &operand.valid, at) {
            return Ok(f64::from_bits(operand.fill));
        }
        let mut from = *at;
        for (axis, place) in &operand.map {
            let index = match place {
                Place::Affine(e) => env.affine(ints, e, at),
                Place::Load(load) => earlier[*load as usize] as i64,
            };
            if index < 0 || index >= env.len(*axis) as i64 {
                return Err(format!("{:?} is read out of bounds along axis {}", operand.leaf, axis.0));
            }
            from[axis.0 as usize] = index as usize;
        }
        let offset = |node: NodeId| env.offset(self.graph.axes_of(node), &from);
        Ok(match &operand.leaf {
            Leaf::Input(i) => {
                let axes = self.graph.inputs[i.0 as usize].axes.iter().copied().collect();
                env.inputs[i.0 as usize][env.offset(axes, &from)]
            }
            Leaf::Given(k) => self.given[*k as usize][offset(self.plan.given[*k as usize].0)],
            Leaf::Temp(t) => {
                let buffer = &self.temps[t.0 as usize];
                let value = buffer.values[env.offset(buffer.axes, &from)];
                value.ok_or_else(|| format!("`{}` is read before it is computed", self.plan.temps[t.0 as usize].name))?
            }
            Leaf::Host(h) => env.hosts[h.0 as usize],
            Leaf::Int(i) => env.int(ints, *i) as f64,
            Leaf::Len(a) => env.len(*a) as f64,
            Leaf::Index(axes) => env.offset_in(axes, &from) as f64,
            Leaf::Test(conditions) => f64::from(u8::from(env.holds(ints, conditions, at))),
            Leaf::Random(d) => eval::draw(d, env.offset_in(&d.axes, &from), d.param.map_or(0.0, |p| env.hosts[p.0 as usize])),
        })
    }

    fn gemm(&mut self, gemm: &Gemm) -> Result<(), String> {
        let axes = gemm.m | gemm.n | gemm.batch;
        let mut out = vec![0.0; self.env.size(axes)];
        let mut failure = None;
        self.env.each(axes | gemm.k, &mut [0; AxisSet::CAPACITY], &mut |at| {
            if self.env.holds(&self.plan.ints, &gemm.guard, at) {
                match (self.read(&gemm.a, at, &[]), self.read(&gemm.b, at, &[])) {
                    (Ok(a), Ok(b)) => out[self.env.offset(axes, at)] += a * b,
                    (Err(e), _) | (_, Err(e)) => failure = Some(e),
                }
            }
        });
        self.temps[gemm.out.0 as usize].values = out.into_iter().map(Some).collect();
        failure.map_or(Ok(()), Err)
    }
    fn scan(&mut self, scan: &Scan) -> Result<(), String> {
        let axes = self.temps[scan.out.0 as usize].axes;
        let mut out = vec![0.0; self.env.size(axes)];
        let mut failure = None;
        let len = self.env.len(scan.axis);
        self.env.each(scan.domain - AxisSet::one(scan.axis), &mut [0; AxisSet::CAPACITY], &mut |at| {
            let mut state = 0.0;
            for t in 0..len {
                at[scan.axis.0 as usize] = if scan.reverse { len - 1 - t } else { t };
                match self.body(&scan.body, at) {
                    Ok((operands, code)) => {
                        let [a, b] = [scan.a, scan.b].map(|v| pick(v, &operands, &code));
                        state = eval::scanned(t, a, state, b);
                        out[self.env.offset(axes, at)] = state;
                    }
                    Err(e) => failure = Some(e),
                }
            }
        });
        self.temps[scan.out.0 as usize].values = out.into_iter().map(Some).collect();
        failure.map_or(Ok(()), Err)
    }
    fn scatter(&mut self, scatter: &Scatter) -> Result<(), String> {
        let axes = self.temps[scatter.out.0 as usize].axes;
        let mut out = vec![0.0; self.env.size(axes)];
        let mut failure = None;
        self.env.each(scatter.domain, &mut [0; AxisSet::CAPACITY], &mut |at| match self.body(&scatter.body, at) {
            Ok((operands, code)) => {
                let mut to = *at;
                to[scatter.axis.0 as usize] = pick(scatter.index, &operands, &code) as usize;
                let slot = &mut out[self.env.offset(axes, &to)];
                *slot = eval::scattered(scatter.op, *slot, pick(scatter.value, &operands, &code));
            }
            Err(e) => failure = Some(e),
        });
        self.temps[scatter.out.0 as usize].values = out.into_iter().map(Some).collect();
        failure.map_or(Ok(()), Err)
    }

    fn roots(self) -> Result<Vec<Vec<f64>>, String> {
        let mut roots: Vec<(u32, Vec<f64>)> = vec![];
        for (temp, buffer) in self.plan.temps.iter().zip(self.temps) {
            if let Scope::Root(k) = temp.scope {
                let values: Option<Vec<f64>> = buffer.values.into_iter().collect();
                roots.push((k, values.ok_or_else(|| format!("`{}` is not written", temp.name))?));
            }
        }
        roots.sort_by_key(|(k, _)| *k);
        Ok(roots.into_iter().map(|(_, values)| values).collect())
    }
}

fn pick(val: Val, operands: &[f64], code: &[f64]) -> f64 {
    match val {
        Val::Num(bits) => f64::from_bits(bits),
        Val::Operand(at) => operands[at as usize],
        Val::Instr(at) => code[at as usize],
    }
}
