//! A small builder of formulas, with values for their inputs.

use crate::graph::eval::Env;
use crate::graph::*;

/// A formula under construction, and what a call of it supplies.
#[derive(Clone, Default)]
pub struct Formula {
    pub graph: Graph,
    lens: Vec<usize>,
    hosts: Vec<f64>,
    /// The number of values of each input's elements, for labels.
    ranges: Vec<Option<usize>>,
}

/// A deterministic stream of numbers in [0, 1).
pub struct Stream(u64);

impl Stream {
    pub fn new(seed: u64) -> Stream {
        let mut stream = Stream(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..16 {
            stream.unit();
        }
        stream
    }
    pub fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
    pub fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n.saturating_sub(1))
    }
}

impl Formula {
    /// Axes N, C, H, W of these extents, with ids 0 to 3.
    pub fn nchw(lens: [usize; 4]) -> Formula {
        let mut f = Formula::default();
        for (name, len, canonical) in [("N", lens[0], 32), ("C", lens[1], 64), ("H", lens[2], 28), ("W", lens[3], 28)] {
            f.axis(name, len, canonical);
        }
        f
    }
    pub fn axis(&mut self, name: &str, len: usize, canonical: u64) -> AxisId {
        self.lens.push(len);
        self.graph.add_axis(name, None, canonical)
    }
    /// An axis whose extent follows from others.
    pub fn derived_axis(&mut self, name: &str, len: usize, canonical: u64, extent: IntId) -> AxisId {
        self.lens.push(len);
        self.graph.add_axis(name, Some(extent), canonical)
    }
    pub fn len(&self, axis: AxisId) -> usize {
        self.lens[axis.0 as usize]
    }
    /// The axes of a list of names.
    pub fn axes(&self, names: &str) -> Vec<AxisId> {
        let find = |name| AxisId(self.graph.axes.iter().position(|a| a.name == name).expect("an axis") as u8);
        names.split_whitespace().map(find).collect()
    }
    pub fn set(&self, names: &str) -> AxisSet {
        self.axes(names).into_iter().collect()
    }
    pub fn one(&self, name: &str) -> AxisId {
        self.axes(name)[0]
    }
    pub fn input(&mut self, name: &str, axes: &str) -> NodeId {
        let axes = self.axes(axes);
        self.ranges.push(None);
        self.graph.add_input(name, &axes, InputKind::Tensor)
    }
    pub fn labels(&mut self, name: &str, axes: &str, count: usize) -> NodeId {
        let axes = self.axes(axes);
        self.ranges.push(Some(count));
        self.graph.add_input(name, &axes, InputKind::Labels)
    }
    pub fn cotangent(&mut self, k: u32, y: NodeId) -> NodeId {
        let axes: Vec<AxisId> = self.graph.axes_of(y).iter().collect();
        self.ranges.push(None);
        self.graph.add_input(&if k == 0 { "dy".into() } else { format!("dy{k}") }, &axes, InputKind::Cotangent(k))
    }
    pub fn host(&mut self, name: &str, value: f64) -> NodeId {
        let host = self.host_id(name, value);
        self.graph.add(Op::Host(host))
    }
    /// An integer known only when the formula is called.
    pub fn host_int(&mut self, name: &str, value: i64) -> IntId {
        let host = self.host_id(name, value as f64);
        self.graph.ints.host(host)
    }
    pub fn int(&mut self, value: i64) -> IntId {
        self.graph.ints.constant(value)
    }
    /// What a call supplies: the same numbers for the same seed.
    pub fn env(&self, seed: u64) -> Env {
        let mut stream = Stream::new(seed);
        let mut env = Env { lens: self.lens.clone(), hosts: self.hosts.clone(), inputs: vec![] };
        for (input, range) in self.graph.inputs.iter().zip(&self.ranges) {
            let size = env.size(input.axes.iter().copied().collect());
            let mut value = || match range {
                Some(n) => stream.below(*n) as f64,
                None => stream.unit() * 1.6 - 0.6,
            };
            env.inputs.push((0..size).map(|_| value()).collect());
        }
        env
    }
    pub fn name(&mut self, x: NodeId, name: &str) -> NodeId {
        self.graph.names.insert(x, name.into());
        x
    }

    pub fn un(&mut self, op: UnaryOp, x: NodeId) -> NodeId {
        self.graph.unary(op, x)
    }
    pub fn bin(&mut self, op: BinaryOp, a: NodeId, b: NodeId) -> NodeId {
        self.graph.binary(op, a, b)
    }
    pub fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.bin(BinaryOp::Add, a, b)
    }
    pub fn sub(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.bin(BinaryOp::Sub, a, b)
    }
    pub fn mul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.bin(BinaryOp::Mul, a, b)
    }
    pub fn div(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.bin(BinaryOp::Div, a, b)
    }
    pub fn num(&mut self, value: f64) -> NodeId {
        self.graph.num(value)
    }
    pub fn scale(&mut self, k: f64, x: NodeId) -> NodeId {
        let k = self.num(k);
        self.mul(k, x)
    }
    pub fn sq(&mut self, x: NodeId) -> NodeId {
        self.mul(x, x)
    }
    pub fn exp(&mut self, x: NodeId) -> NodeId {
        self.un(UnaryOp::Exp, x)
    }
    pub fn sqrt(&mut self, x: NodeId) -> NodeId {
        self.un(UnaryOp::Sqrt, x)
    }
    pub fn sigmoid(&mut self, x: NodeId) -> NodeId {
        self.un(UnaryOp::Sigmoid, x)
    }
    pub fn relu(&mut self, x: NodeId) -> NodeId {
        let zero = self.num(0.0);
        let mask = self.bin(BinaryOp::Gt, x, zero);
        self.graph.select(mask, x, zero)
    }
    pub fn reduce(&mut self, op: ReduceOp, x: NodeId, axes: &str) -> NodeId {
        let axes = self.axes(axes);
        self.graph.reduce(op, &axes, x)
    }
    pub fn sum(&mut self, x: NodeId, axes: &str) -> NodeId {
        self.reduce(ReduceOp::Sum, x, axes)
    }
    pub fn max(&mut self, x: NodeId, axes: &str) -> NodeId {
        self.reduce(ReduceOp::Max, x, axes)
    }
    pub fn mean(&mut self, x: NodeId, axes: &str) -> NodeId {
        let sum = self.sum(x, axes);
        let count = self.set(axes);
        let count = self.graph.lens(count);
        self.div(sum, count)
    }
    pub fn dot(&mut self, a: NodeId, b: NodeId, axes: &str) -> NodeId {
        let product = self.mul(a, b);
        self.sum(product, axes)
    }
    /// (x − mean x)/√(var x + eps)
    pub fn norm(&mut self, x: NodeId, axes: &str, eps: NodeId) -> NodeId {
        let mu = self.mean(x, axes);
        let mu = self.name(mu, "mu");
        let centred = self.sub(x, mu);
        let square = self.sq(centred);
        let var = self.mean(square, axes);
        let var = self.name(var, "var");
        let shifted = self.add(var, eps);
        let sigma = self.sqrt(shifted);
        self.div(centred, sigma)
    }
    pub fn softmax(&mut self, x: NodeId, axes: &str) -> NodeId {
        let max = self.max(x, axes);
        let shifted = self.sub(x, max);
        let e = self.exp(shifted);
        let sum = self.sum(e, axes);
        self.div(e, sum)
    }
    pub fn logsumexp(&mut self, x: NodeId, axes: &str) -> NodeId {
        let max = self.max(x, axes);
        let shifted = self.sub(x, max);
        let e = self.exp(shifted);
        let sum = self.sum(e, axes);
        let log = self.un(UnaryOp::Log, sum);
        self.add(max, log)
    }
    pub fn gelu(&mut self, x: NodeId) -> NodeId {
        let scaled = self.scale(0.5f64.sqrt(), x);
        let erf = self.un(UnaryOp::Erf, scaled);
        let one = self.num(1.0);
        let sum = self.add(one, erf);
        let half = self.scale(0.5, x);
        self.mul(half, sum)
    }
    pub fn index(&mut self, axis: &str) -> NodeId {
        let axis = self.one(axis);
        self.graph.add(Op::Index(axis))
    }
    pub fn draw(&mut self, x: NodeId, number: u32, keep: f64) -> NodeId {
        let axes: Vec<AxisId> = self.graph.axes_of(x).iter().collect();
        let seed = self.host_id("seed", 0.0);
        let param = Some(self.host_id("keep", keep));
        self.graph.add(Op::Random(Draw { distribution: Distribution::Bernoulli, seed, number, axes, param }))
    }
    fn host_id(&mut self, name: &str, value: f64) -> HostId {
        let host = self.graph.add_host(name, name);
        if self.hosts.len() < self.graph.hosts.len() {
            self.hosts.push(value);
        }
        host
    }
}
