//! An interpreter in `f64`, whole arrays at a time: the oracle of the rule, adjoint and plan tests.

use super::*;

/// What a call supplies, for evaluation.
#[derive(Clone, Debug, Default)]
pub struct Env {
    /// The extent of each axis, by id.
    pub lens: Vec<usize>,
    /// The value of each host scalar, by id.
    pub hosts: Vec<f64>,
    /// The elements of each input, row-major **in axis-id order** (not in the declared order), by id.
    pub inputs: Vec<Vec<f64>>,
}

/// A position: one index an axis of the graph.
pub type Position = [usize; AxisSet::CAPACITY];

impl Env {
    pub fn len(&self, axis: AxisId) -> usize {
        self.lens[axis.0 as usize]
    }
    /// The number of elements over a set of axes.
    pub fn size(&self, axes: AxisSet) -> usize {
        axes.iter().map(|a| self.len(a)).product()
    }
    /// The row-major offset of a position, in axis-id order.
    pub fn offset(&self, axes: AxisSet, at: &Position) -> usize {
        axes.iter().fold(0, |k, a| k * self.len(a) + at[a.0 as usize])
    }
    /// The row-major offset within axes in a named order.
    pub fn offset_in(&self, axes: &[AxisId], at: &Position) -> usize {
        axes.iter().fold(0, |k, a| k * self.len(*a) + at[a.0 as usize])
    }
    /// Calls `f` at every position over `axes`, in row-major order; other indices stay as they are.
    pub fn each(&self, axes: AxisSet, at: &mut Position, f: &mut dyn FnMut(&mut Position)) {
        let order: Vec<AxisId> = axes.iter().collect();
        self.each_in(&order, at, f);
    }
    /// The same, row-major in a named order.
    pub fn each_in(&self, order: &[AxisId], at: &mut Position, f: &mut dyn FnMut(&mut Position)) {
        match order.split_first() {
            None => f(at),
            Some((first, rest)) => {
                for i in 0..self.len(*first) {
                    at[first.0 as usize] = i;
                    self.each_in(rest, at, f);
                }
            }
        }
    }
    pub fn int(&self, ints: &Ints, id: IntId) -> i64 {
        ints.eval(id, &|a| self.len(a) as i64, &|h| self.hosts[h.0 as usize] as i64)
    }
    pub fn affine(&self, ints: &Ints, e: &Affine, at: &Position) -> i64 {
        let terms: i64 = e.terms.iter().map(|(a, k)| at[a.0 as usize] as i64 * self.int(ints, *k)).sum();
        let mut value = terms + self.int(ints, e.offset);
        if let Some(div) = e.div {
            value = value.div_euclid(self.int(ints, div));
        }
        if let Some(modulo) = e.modulo {
            value = value.rem_euclid(self.int(ints, modulo));
        }
        value
    }
    pub fn holds(&self, ints: &Ints, conditions: &[Condition], at: &Position) -> bool {
        conditions.iter().all(|c| match c {
            Condition::Range { e, lo, hi } => {
                let value = self.affine(ints, e, at);
                self.int(ints, *lo) <= value && value < self.int(ints, *hi)
            }
            Condition::Divides { e, by } => self.affine(ints, e, at).rem_euclid(self.int(ints, *by)) == 0,
        })
    }
}

/// Adds one element to a reduction. The state is the value and, for arg forms, the winner's index (−1: none yet).
/// Elements may come in any order: of equal values the first in row-major order wins, of NaNs the last.
pub fn fold(op: ReduceOp, state: &mut (f64, f64), value: f64, index: usize) {
    let (best, at) = *state;
    let index = index as f64;
    let wins = |better: bool| match (value.is_nan(), best.is_nan()) {
        _ if at < 0.0 => true,
        (true, true) => index > at,
        (true, false) => true,
        (false, true) => false,
        (false, false) => better || value == best && index < at,
    };
    match op {
        ReduceOp::Sum => state.0 += value,
        ReduceOp::Prod => state.0 *= value,
        ReduceOp::Max | ReduceOp::ArgMax if wins(value > best) => *state = (value, index),
        ReduceOp::Min | ReduceOp::ArgMin if wins(value < best) => *state = (value, index),
        _ => {}
    }
}

/// The state of a scan after step `t`; the first has no state before it.
pub fn scanned(t: usize, a: f64, before: f64, b: f64) -> f64 {
    if t == 0 { b } else { a * before + b }
}

/// What lies at a place of a scatter after one more value.
pub fn scattered(op: ReduceOp, before: f64, value: f64) -> f64 {
    if op == ReduceOp::Max { before.max(value) } else { before + value }
}

/// The state of a reduction before its first element.
pub fn fold_start(op: ReduceOp) -> (f64, f64) {
    let value = match op {
        ReduceOp::ArgMax => f64::NEG_INFINITY,
        ReduceOp::ArgMin => f64::INFINITY,
        op => op.identity(),
    };
    (value, -1.0)
}

/// The result of a reduction.
pub fn fold_end(op: ReduceOp, state: (f64, f64)) -> f64 {
    match op {
        ReduceOp::ArgMax | ReduceOp::ArgMin => state.1.max(0.0),
        _ => state.0,
    }
}

/// A deterministic stand-in for the generator: tests of plans and rules need repeatable draws, not random ones.
pub fn draw(draw: &Draw, element: usize, param: f64) -> f64 {
    let mut z = (element as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(draw.number) << 40;
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    let unit = (z >> 11) as f64 / (1u64 << 53) as f64;
    match draw.distribution {
        Distribution::Bernoulli => f64::from(u8::from(unit < param)),
        Distribution::Uniform => unit,
        Distribution::Normal => 2.0 * unit - 1.0,
    }
}

impl Graph {
    /// Evaluates every node. The values are row-major in axis-id order.
    pub fn eval(&self, env: &Env) -> Vec<Vec<f64>> {
        let mut values: Vec<Vec<f64>> = Vec::with_capacity(self.len());
        for id in self.ids() {
            let value = self.eval_node(id, env, &values);
            values.push(value);
        }
        values
    }

    /// Evaluates one node, given the values of those before it.
    pub fn eval_node(&self, id: NodeId, env: &Env, values: &[Vec<f64>]) -> Vec<f64> {
        let axes = self.axes_of(id);
        let read = |x: NodeId, at: &Position| values[x.0 as usize][env.offset(self.axes_of(x), at)];
        let mut at: Position = [0; AxisSet::CAPACITY];
        let mut out = vec![0.0; env.size(axes)];
        match self.op(id) {
            Op::Input(i) => return env.inputs[i.0 as usize].clone(),
            Op::Reduce { op, axes: over, x, valid } => {
                let mut states = vec![fold_start(*op); out.len()];
                let kept: Vec<AxisId> = axes.iter().collect();
                let order: Vec<AxisId> = kept.iter().chain(over).copied().collect();
                env.each_in(&order, &mut at, &mut |at| {
                    if env.holds(&self.ints, valid, at) {
                        fold(*op, &mut states[env.offset(axes, at)], read(*x, at), env.offset_in(over, at));
                    }
                });
                return states.into_iter().map(|s| fold_end(*op, s)).collect();
            }
            Op::Scatter { op, x, axis, index, over } => {
                let domain = self.axes_of(*x) | self.axes_of(*index) | *over;
                env.each(domain, &mut at, &mut |at| {
                    let mut to = *at;
                    to[axis.0 as usize] = read(*index, at) as usize;
                    let slot = &mut out[env.offset(axes, &to)];
                    *slot = scattered(*op, *slot, read(*x, at));
                });
            }
            Op::Scan { axis, reverse, a, b } => env.each(axes - AxisSet::one(*axis), &mut at, &mut |at| {
                let mut state = 0.0;
                for t in 0..env.len(*axis) {
                    at[axis.0 as usize] = if *reverse { env.len(*axis) - 1 - t } else { t };
                    state = scanned(t, read(*a, at), state, read(*b, at));
                    out[env.offset(axes, at)] = state;
                }
            }),
            op => env.each(axes, &mut at, &mut |at| {
                out[env.offset(axes, at)] = self.eval_at(op, env, at, &read);
            }),
        }
        out
    }

    /// One element of a node that is no reduction; `read` gives the operands' elements.
    pub fn eval_at(&self, op: &Op, env: &Env, at: &Position, read: &dyn Fn(NodeId, &Position) -> f64) -> f64 {
        match op {
            Op::Num(bits) => f64::from_bits(*bits),
            Op::Host(h) => env.hosts[h.0 as usize],
            Op::Len(a) => env.len(*a) as f64,
            Op::Index(a) => at[a.0 as usize] as f64,
            Op::Int(i) => env.int(&self.ints, *i) as f64,
            Op::Broadcast(x, _) => read(*x, at),
            Op::Unary(u, x) => u.eval(read(*x, at)),
            Op::Binary(b, x, y) => b.eval(read(*x, at), read(*y, at)),
            Op::Powi(x, n) => read(*x, at).powi(*n),
            Op::Select { mask, a, b } => read(if read(*mask, at) != 0.0 { *a } else { *b }, at),
            Op::Test(conditions) => f64::from(u8::from(env.holds(&self.ints, conditions, at))),
            Op::Reindex(x, r) => {
                if !env.holds(&self.ints, &r.valid, at) {
                    return f64::from_bits(r.fill);
                }
                let mut from = *at;
                for (axis, source) in &r.map {
                    from[axis.0 as usize] = match source {
                        Source::Affine(e) => env.affine(&self.ints, e, at) as usize,
                        Source::Load(id) => read(*id, at) as usize,
                    };
                }
                read(*x, &from)
            }
            Op::Random(d) => draw(d, env.offset_in(&d.axes, at), d.param.map_or(0.0, |p| env.hosts[p.0 as usize])),
            Op::Input(_) | Op::Reduce { .. } | Op::Scatter { .. } | Op::Scan { .. } => {
                unreachable!("not computed element by element")
            }
        }
    }
}
