//! Formulas as graphs, differentiated: what the other tests run on.

use crate::differentiate::reverse;
use crate::graph::eval::Env;
use crate::graph::*;
use crate::simplify::{Options, Problem, Simplified, simplify};
use approx::assert_relative_eq;

/// Axes with canonical and test extents.
const AXES: [(&str, u64, usize); 5] = [("N", 32, 3), ("C", 64, 4), ("H", 28, 2), ("W", 28, 3), ("D", 8, 2)];
pub const N: AxisId = AxisId(0);
pub const C: AxisId = AxisId(1);
pub const H: AxisId = AxisId(2);
pub const W: AxisId = AxisId(3);
pub const D: AxisId = AxisId(4);

/// A formula under construction, and then its derivative.
pub struct Case {
    pub name: &'static str,
    pub graph: Graph,
    pub outputs: Vec<NodeId>,
    pub wrt: Vec<NodeId>,
    pub grads: Vec<NodeId>,
    pub hosts: Vec<f64>,
    pub lens: Vec<usize>,
}

pub fn set(axes: &[AxisId]) -> AxisSet {
    axes.iter().copied().collect()
}

impl Case {
    pub fn new(name: &'static str) -> Case {
        let mut graph = Graph::default();
        for (name, canonical, _) in AXES {
            graph.add_axis(name, None, canonical);
        }
        let lens = AXES.iter().map(|a| a.2).collect();
        Case { name, graph, outputs: vec![], wrt: vec![], grads: vec![], hosts: vec![], lens }
    }
    pub fn input(&mut self, name: &str, axes: &[AxisId]) -> NodeId {
        let id = self.graph.add_input(name, axes, InputKind::Tensor);
        self.wrt.push(id);
        id
    }
    pub fn host(&mut self, name: &str, value: f64) -> NodeId {
        let host = self.graph.add_host(name, name);
        if self.hosts.len() <= host.0 as usize {
            self.hosts.push(value);
        }
        self.graph.add(Op::Host(host))
    }
    pub fn num(&mut self, value: f64) -> NodeId {
        self.graph.num(value)
    }
    pub fn un(&mut self, op: UnaryOp, x: NodeId) -> NodeId {
        self.graph.unary(op, x)
    }
    pub fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.graph.binary(BinaryOp::Add, a, b)
    }
    pub fn sub(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.graph.binary(BinaryOp::Sub, a, b)
    }
    pub fn mul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.graph.binary(BinaryOp::Mul, a, b)
    }
    pub fn div(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.graph.binary(BinaryOp::Div, a, b)
    }
    pub fn sum(&mut self, x: NodeId, axes: &[AxisId]) -> NodeId {
        self.graph.sum(set(axes), x)
    }
    pub fn mean(&mut self, x: NodeId, axes: &[AxisId]) -> NodeId {
        let sum = self.sum(x, axes);
        let count = self.graph.lens(set(axes));
        self.div(sum, count)
    }
    pub fn max(&mut self, x: NodeId, axes: &[AxisId]) -> NodeId {
        self.graph.reduce(ReduceOp::Max, axes, x)
    }
    pub fn relu(&mut self, x: NodeId) -> NodeId {
        let zero = self.num(0.0);
        self.graph.binary(BinaryOp::Max, x, zero)
    }
    /// `(x − mean(x)) / sqrt(var(x) + eps)`
    pub fn normalised(&mut self, x: NodeId, axes: &[AxisId]) -> NodeId {
        let mu = self.mean(x, axes);
        let d = self.sub(x, mu);
        let sq = self.graph.powi(d, 2);
        let var = self.mean(sq, axes);
        let sigma = self.root(var);
        self.name(mu, "mu");
        self.div(d, sigma)
    }
    /// `sqrt(x + eps)`
    pub fn root(&mut self, x: NodeId) -> NodeId {
        let eps = self.host("eps", 1e-3);
        let v = self.add(x, eps);
        let root = self.un(UnaryOp::Sqrt, v);
        self.name(root, "sigma")
    }
    /// Names a value, as the user's `let` would; a second one of a name gets a number.
    pub fn name(&mut self, id: NodeId, name: &str) -> NodeId {
        let count = self.graph.names.values().filter(|n| n.starts_with(name)).count();
        let name = if count == 0 { name.to_string() } else { format!("{name}{}", count + 1) };
        self.graph.names.entry(id).or_insert(name);
        id
    }
    pub fn affine(&mut self, x: NodeId, axes: &[AxisId]) -> NodeId {
        let gamma = self.input("gamma", axes);
        let beta = self.input("beta", axes);
        let scaled = self.mul(gamma, x);
        self.add(scaled, beta)
    }
    pub fn softmax_parts(&mut self, x: NodeId, axes: &[AxisId]) -> (NodeId, NodeId, NodeId) {
        let m = self.max(x, axes);
        let d = self.sub(x, m);
        let e = self.un(UnaryOp::Exp, d);
        let z = self.sum(e, axes);
        self.name(m, "m");
        self.name(z, "z");
        (m, e, z)
    }
    /// Differentiates.
    pub fn done(mut self, y: NodeId) -> Case {
        let axes: Vec<AxisId> = self.graph.axes_of(y).iter().collect();
        let dy = self.graph.add_input("dy", &axes, InputKind::Cotangent(0));
        self.outputs = vec![y];
        self.grads = reverse(&mut self.graph, &[(y, dy)], &self.wrt);
        self
    }
    pub fn env(&self, seed: u64) -> Env {
        let mut env = Env { lens: self.lens.clone(), hosts: self.hosts.clone(), inputs: vec![] };
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        for input in &self.graph.inputs {
            let size = env.size(set(&input.axes));
            let values = (0..size).map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let unit = (state >> 11) as f64 / (1u64 << 53) as f64;
                if input.kind == InputKind::Labels { (unit * 2.0).floor() } else { 2.0 * unit - 0.7 }
            });
            let values = values.collect();
            env.inputs.push(values);
        }
        env
    }
    pub fn problem(&self) -> Problem<'_> {
        Problem { graph: &self.graph, outputs: self.outputs.clone(), states: vec![], grads: self.grads.clone() }
    }
    pub fn simplified(&self) -> Simplified {
        simplify(&self.problem(), &Options::default())
    }
    /// The simplified gradients have the raw ones' values.
    pub fn check(&self, simplified: &Simplified) {
        for seed in 1..4 {
            let env = self.env(seed);
            let (raw, new) = (self.graph.eval(&env), simplified.graph.eval(&env));
            for (a, b) in self.grads.iter().zip(&simplified.grads) {
                let (au, av) = (self.graph.axes_of(*a), simplified.graph.axes_of(*b));
                let scale = raw[a.0 as usize].iter().fold(1.0f64, |m, x| m.max(x.abs()));
                env.each(au | av, &mut [0; AxisSet::CAPACITY], &mut |at| {
                    let (p, q) = (raw[a.0 as usize][env.offset(au, at)], new[b.0 as usize][env.offset(av, at)]);
                    assert_relative_eq!(p, q, epsilon = 1e-9 * scale);
                });
            }
        }
    }
}

fn pooled(mut c: Case, op: ReduceOp) -> Case {
    // y[o] = op over k of x[2·o + k], one spatial axis; H is o, D is k, W the source
    let x = c.input("x", &[N, C, W]);
    let ints = &mut c.graph.ints;
    let (zero, one, two) = (ints.constant(0), ints.constant(1), ints.constant(2));
    let e = Affine { terms: vec![(H, two), (D, one)], offset: zero, div: None, modulo: None };
    let back = Affine { terms: vec![(W, one), (D, ints.constant(-1))], offset: zero, div: Some(two), modulo: None };
    let exact = Affine { div: None, ..back.clone() };
    let len = ints.axis_len(H);
    let valid = vec![Condition::Range { e: back.clone(), lo: zero, hi: len }, Condition::Divides { e: exact, by: two }];
    let transpose = Transpose { map: vec![(H, back)], valid, over: AxisSet::one(D) };
    let window = Reindex { map: vec![(W, Source::Affine(e))], valid: vec![], fill: 0, transpose: Some(Box::new(transpose)) };
    c.lens = vec![3, 4, 3, 6, 2];
    (c.graph.axes[2].canonical, c.graph.axes[4].canonical) = (14, 2);
    let x = c.graph.reindex(x, window);
    let y = match op {
        ReduceOp::Sum => c.mean(x, &[D]),
        op => c.graph.reduce(op, &[D], x),
    };
    c.done(y)
}

fn cross_entropy(mut c: Case) -> Case {
    let x = c.input("x", &[N, C]);
    let label = c.graph.add_input("label", &[N], InputKind::Labels);
    let (m, _, z) = c.softmax_parts(x, &[C]);
    let log = c.un(UnaryOp::Log, z);
    let lse = c.add(m, log);
    let r = Reindex { map: vec![(C, Source::Load(label))], valid: vec![], fill: 0, transpose: None };
    let picked = c.graph.reindex(x, r);
    let loss = c.sub(lse, picked);
    let y = c.mean(loss, &[N]);
    c.done(y)
}

fn cosine(mut c: Case) -> Case {
    let (a, b) = (c.input("a", &[N, C]), c.input("b", &[N, C]));
    let norm = |c: &mut Case, x: NodeId| {
        let sq = c.mul(x, x);
        let sum = c.sum(sq, &[C]);
        c.root(sum)
    };
    let ab = c.mul(a, b);
    let dot = c.sum(ab, &[C]);
    let (na, nb) = (norm(&mut c, a), norm(&mut c, b));
    let under = c.mul(na, nb);
    let y = c.div(dot, under);
    c.done(y)
}

/// Batch norm, then relu, dropout, addition and layer norm: as many stages as asked for, any number of times.
fn chain(name: &'static str, stages: usize, times: usize) -> Case {
    let mut c = Case::new(name);
    let full = [N, C, H, W];
    let mut h = c.input("x", &full);
    for _ in 0..times {
        let x = h;
        h = c.normalised(h, &[N, H, W]);
        h = c.affine(h, &[C]);
        if stages >= 2 {
            h = c.relu(h);
        }
        if stages >= 3 {
            let (seed, p) = (c.graph.add_host("seed", "seed"), c.host("keep", 0.7));
            c.hosts.resize(c.graph.hosts.len(), 0.7);
            let Op::Host(param) = *c.graph.op(p) else { unreachable!() };
            let draw = Draw { distribution: Distribution::Bernoulli, seed, number: 0, axes: full.to_vec(), param: Some(param) };
            let keep = c.graph.add(Op::Random(draw));
            let kept = c.mul(h, keep);
            h = c.div(kept, p);
        }
        if stages >= 4 {
            h = c.add(h, x);
        }
        if stages >= 5 {
            h = c.normalised(h, &[C, H, W]);
            h = c.affine(h, &[C]);
        }
    }
    c.done(h)
}

fn norms(name: &'static str, times: usize) -> Case {
    let mut c = Case::new(name);
    let mut h = c.input("x", &[N, C]);
    for _ in 0..times {
        h = c.normalised(h, &[C]);
        h = c.affine(h, &[C]);
    }
    c.done(h)
}

/// One input of axes (N, C), a pointwise or row formula of it.
fn of_x(name: &'static str, f: impl FnOnce(&mut Case, NodeId) -> NodeId) -> Case {
    let mut c = Case::new(name);
    let x = c.input("x", &[N, C]);
    let y = f(&mut c, x);
    c.done(y)
}

fn gelu_tanh(c: &mut Case, x: NodeId) -> NodeId {
    let (k, a, one, half) = (c.num((2.0 / std::f64::consts::PI).sqrt()), c.num(0.044715), c.num(1.0), c.num(0.5));
    let cube = c.graph.powi(x, 3);
    let ax = c.mul(a, cube);
    let u = c.add(x, ax);
    let ku = c.mul(k, u);
    let t = c.un(UnaryOp::Tanh, ku);
    let p = c.add(one, t);
    let hx = c.mul(half, x);
    c.mul(hx, p)
}

/// Softmax of scores, times values. H and W are positions, D the width.
fn attention(mut c: Case) -> Case {
    let (q, k, v) = (c.input("q", &[N, H, D]), c.input("k", &[N, W, D]), c.input("v", &[N, W, D]));
    (c.graph.axes[2].canonical, c.graph.axes[3].canonical, c.graph.axes[4].canonical) = (512, 512, 64);
    let qk = c.mul(q, k);
    let scores = c.sum(qk, &[D]);
    let (_, e, z) = c.softmax_parts(scores, &[W]);
    let p = c.div(e, z);
    let pv = c.mul(p, v);
    let y = c.sum(pv, &[W]);
    c.name(scores, "scores");
    c.done(y)
}

/// A linear layer, a bias and relu, then the mean of the rest.
fn perceptron(mut c: Case) -> Case {
    let (x, w, b) = (c.input("x", &[N, C]), c.input("w", &[H, C]), c.input("b", &[H]));
    (c.graph.axes[0].canonical, c.graph.axes[2].canonical) = (512, 256);
    let xw = c.mul(x, w);
    let z = c.sum(xw, &[C]);
    c.name(z, "z");
    let z = c.add(z, b);
    let y = c.relu(z);
    c.done(y)
}

/// The mean over the positions of a window that are inside: `x[2·o + k − 1]`.
fn padded_mean(mut c: Case) -> Case {
    let x = c.input("x", &[N, W]);
    let ints = &mut c.graph.ints;
    let (zero, one, two, minus) = (ints.constant(0), ints.constant(1), ints.constant(2), ints.constant(-1));
    let e = Affine { terms: vec![(H, two), (D, one)], offset: minus, div: None, modulo: None };
    let back = Affine { terms: vec![(W, one), (D, minus)], offset: one, div: Some(two), modulo: None };
    let exact = Affine { div: None, ..back.clone() };
    let inside = Condition::Range { e: e.clone(), lo: zero, hi: ints.axis_len(W) };
    let range = Condition::Range { e: back.clone(), lo: zero, hi: ints.axis_len(H) };
    let valid = vec![range, Condition::Divides { e: exact, by: two }];
    let transpose = Transpose { map: vec![(H, back)], valid, over: AxisSet::one(D) };
    let window =
        Reindex { map: vec![(W, Source::Affine(e))], valid: vec![inside.clone()], fill: 0, transpose: Some(Box::new(transpose)) };
    c.lens = vec![3, 1, 3, 5, 3];
    (c.graph.axes[2].canonical, c.graph.axes[4].canonical) = (14, 3);
    let x = c.graph.reindex(x, window);
    let sq = c.graph.powi(x, 2);
    let three = c.num(3.0);
    let scaled = c.mul(three, sq);
    let sum = c.graph.reduce_valid(ReduceOp::Sum, &[D], scaled, vec![inside.clone()]);
    let ones = c.num(1.0);
    let count = c.graph.reduce_valid(ReduceOp::Sum, &[D], ones, vec![inside]);
    let y = c.div(sum, count);
    c.done(y)
}

/// Every formula.
pub fn all() -> Vec<Case> {
    use UnaryOp::*;
    let mut cases = vec![
        {
            // as in the design: gamma * (x - mu) / sqrt(var + eps) + beta
            let mut c = Case::new("batch_norm");
            let x = c.input("x", &[N, C, H, W]);
            let (gamma, beta) = (c.input("gamma", &[C]), c.input("beta", &[C]));
            let mu = c.mean(x, &[N, H, W]);
            c.name(mu, "mu");
            let d = c.sub(x, mu);
            let sq = c.graph.powi(d, 2);
            let var = c.mean(sq, &[N, H, W]);
            let p = c.mul(gamma, d);
            let s = c.root(var);
            let q = c.div(p, s);
            let y = c.add(q, beta);
            c.done(y)
        },
        norms("layer_norm", 1),
        {
            let mut c = Case::new("group_norm");
            let x = c.input("x", &[N, C, D, H, W]);
            let n = c.normalised(x, &[D, H, W]);
            let y = c.affine(n, &[C, D]);
            c.done(y)
        },
        {
            let mut c = Case::new("rms_norm");
            let x = c.input("x", &[N, C]);
            let gamma = c.input("gamma", &[C]);
            let sq = c.graph.powi(x, 2);
            let m = c.mean(sq, &[C]);
            let s = c.root(m);
            let q = c.div(x, s);
            let y = c.mul(q, gamma);
            c.done(y)
        },
        of_x("l2_normalise", |c, x| {
            let sq = c.graph.powi(x, 2);
            let m = c.sum(sq, &[C]);
            let s = c.root(m);
            c.div(x, s)
        }),
        of_x("softmax", |c, x| {
            let (_, e, z) = c.softmax_parts(x, &[C]);
            c.div(e, z)
        }),
        of_x("log_softmax", |c, x| {
            let (m, _, z) = c.softmax_parts(x, &[C]);
            let d = c.sub(x, m);
            let log = c.un(Log, z);
            c.sub(d, log)
        }),
        cross_entropy(Case::new("cross_entropy")),
        cosine(Case::new("cosine_similarity")),
    ];
    cases.extend(activations());
    cases.extend([attention(Case::new("attention")), perceptron(Case::new("perceptron")), padded_mean(Case::new("padded_mean"))]);
    cases.extend([pooled(Case::new("max_pool"), ReduceOp::Max), pooled(Case::new("mean_pool"), ReduceOp::Sum)]);
    let chains = ["bn", "bn_relu", "bn_relu_dropout", "bn_relu_dropout_add", "chain5"];
    cases.extend(chains.into_iter().enumerate().map(|(i, name)| chain(name, i + 1, 1)));
    cases.extend([chain("chain5_x2", 5, 2), norms("ln_x2", 2), norms("ln_x3", 3)]);
    cases
}

fn activations() -> Vec<Case> {
    use UnaryOp::*;
    vec![
        of_x("relu", |c, x| c.relu(x)),
        // twice by the same mask
        of_x("leaky", |c, x| {
            let (zero, two, slope) = (c.num(0.0), c.num(2.0), c.num(0.25));
            let mask = c.graph.binary(BinaryOp::Gt, x, zero);
            let (scaled, small) = (c.mul(two, x), c.mul(slope, x));
            let once = c.graph.select(mask, scaled, small);
            let sq = c.mul(once, once);
            c.graph.select(mask, sq, small)
        }),
        of_x("sigmoid", |c, x| c.un(Sigmoid, x)),
        of_x("tanh", |c, x| c.un(Tanh, x)),
        of_x("silu", |c, x| {
            let s = c.un(Sigmoid, x);
            c.mul(x, s)
        }),
        of_x("softsign", |c, x| {
            let (one, a) = (c.num(1.0), c.un(Abs, x));
            let under = c.add(one, a);
            c.div(x, under)
        }),
        of_x("gelu_erf", |c, x| {
            let (k, one, half) = (c.num(0.5f64.sqrt()), c.num(1.0), c.num(0.5));
            let u = c.mul(x, k);
            let e = c.un(Erf, u);
            let p = c.add(one, e);
            let hx = c.mul(half, x);
            c.mul(hx, p)
        }),
        of_x("gelu_tanh", gelu_tanh),
        of_x("centred", |c, x| {
            let mu = c.mean(x, &[N]);
            c.sub(x, mu)
        }),
        {
            let mut c = Case::new("mse");
            let (x, t) = (c.input("x", &[N, C]), c.input("t", &[N, C]));
            let d = c.sub(x, t);
            let sq = c.graph.powi(d, 2);
            let y = c.mean(sq, &[N, C]);
            c.done(y)
        },
    ]
}
