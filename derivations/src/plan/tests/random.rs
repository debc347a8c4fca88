//! Random small formulas: random axis subsets, views, windows, contractions, several outputs, extents 0 to 3.

use super::check;
use super::formula::{Formula, Stream};
use crate::graph::*;

struct Maker {
    f: Formula,
    r: Stream,
    label: NodeId,
    pool: Vec<NodeId>,
    eps: NodeId,
}

fn maker(seed: u64) -> Maker {
    let mut r = Stream::new(seed);
    let mut f = Formula::default();
    let mut len = || match r.unit() {
        u if u < 0.04 => 0,
        u if u < 0.2 => 1,
        u if u < 0.6 => 2,
        _ => 3,
    };
    let lens = [len(), len(), len(), len()];
    for ((name, canonical), len) in [("N", 32), ("C", 64), ("H", 28), ("W", 28)].into_iter().zip(lens) {
        f.axis(name, len, canonical);
    }
    f.axis("D", lens[1], 64);
    f.axis("K", 2, 2);
    f.axis("O", lens[2], 28);
    f.axis("P", lens[2].div_ceil(2), 14);
    f.axis("M", lens[2] + 2, 30);
    f.axis("V", 3, 16);
    let inputs = [("x", "N C H W"), ("a", "C"), ("b", "N H"), ("z", "N C W"), ("w", "C D"), ("s", "")];
    let pool = inputs.into_iter().map(|(name, axes)| f.input(name, axes)).collect();
    let eps = f.host("eps", 0.1);
    let (labels, count) = if lens[1] > 0 { ("N", lens[1]) } else { ("", 1) };
    let label = f.labels("label", labels, count);
    Maker { f, r, label, pool, eps }
}

impl Maker {
    /// A random non-empty subset of the axes that a value has.
    fn subset(&mut self, x: NodeId) -> Option<String> {
        let axes = self.f.graph.axes_of(x);
        let names: Vec<&str> = ["N", "C", "H", "W", "D"].into_iter().filter(|n| axes.contains(self.f.one(n))).collect();
        let chosen: Vec<&str> = names.into_iter().filter(|_| self.r.unit() < 0.5).collect();
        (!chosen.is_empty()).then(|| chosen.join(" "))
    }
    fn step(&mut self) {
        let count = self.pool.len();
        let p = self.pool[(self.r.unit().sqrt() * count as f64) as usize];
        let q = self.pool[self.r.below(count)];
        let subset = self.subset(p);
        let has = |f: &Formula, names: &str| f.set(names).is_subset(f.graph.axes_of(p));
        let f = &mut self.f;
        let made = match (self.r.below(23), subset) {
            (0, _) => f.add(p, q),
            (1, _) => f.sub(p, q),
            (2, _) => f.mul(p, q),
            (3, _) => f.un(UnaryOp::Tanh, p),
            (4 | 5, Some(axes)) => f.mean(p, &axes),
            (6, Some(axes)) => f.norm(p, &axes, self.eps),
            (7, Some(axes)) => f.max(p, &axes),
            (8, Some(axes)) => f.softmax(p, &axes),
            (9, _) if has(f, "C") && !has(f, "D") => f.rename(p, "C", "D"),
            (10, _) if has(f, "C D") => f.dot(p, self.pool[4], "C"),
            (11, _) if has(f, "H") => f.shift(p, "H", 1),
            (12, _) if has(f, "H") && !f.graph.axes_of(p).intersects(f.set("O K")) => window(f, p),
            (13, _) => {
                let limit = f.num(0.1);
                let mask = f.bin(BinaryOp::Gt, p, limit);
                f.graph.select(mask, p, q)
            }
            (14, _) if has(f, "W") => f.roll(p, "W", 1),
            (15, Some(axes)) => f.reduce(ReduceOp::Min, p, &axes),
            (16, _) if has(f, "H") => f.shift(p, "H", -2),
            (17, _) => f.gelu(p),
            (18, _) if has(f, "C") && f.len(f.one("C")) > 0 => f.pick(p, "C", self.label),
            (19, _) if has(f, "N") && f.len(f.one("C")) <= 3 && !has(f, "V") => f.scatter_add(p, "V", self.label),
            (20, _) if has(f, "H") && !has(f, "M") => padded(f, p),
            (21, _) if has(f, "H") && !f.graph.axes_of(p).intersects(f.set("P K")) => strided(f, p),
            _ => f.sigmoid(p),
        };
        if f.graph.canonical_size(f.graph.axes_of(made)) <= 1 << 28 {
            self.pool.push(made);
        }
    }
}

/// A sum of squares over a window of H, with holes.
fn window(f: &mut Formula, x: NodeId) -> NodeId {
    let t = f.un(UnaryOp::Tanh, x);
    let (one, zero) = (f.int(1), f.int(0));
    let sliding = f.sliding("H O K", one, zero);
    let (view, valid) = f.window(t, &[sliding]);
    let square = f.sq(view);
    let sum = f.reduce_holes(ReduceOp::Sum, square, "K", &valid);
    f.rename(sum, "O", "H")
}

/// A maximum over a strided window of H, spread again over what it came from.
fn strided(f: &mut Formula, x: NodeId) -> NodeId {
    let (two, one) = (f.host_int("stride", 2), f.int(1));
    let sliding = f.sliding("H P K", two, one);
    let (view, valid) = f.window(x, &[sliding]);
    let max = f.reduce_holes(ReduceOp::Max, view, "K", &valid);
    let total = f.sum(max, "P");
    f.mul(x, total)
}

/// A difference of neighbours, with edges, and its middle.
fn padded(f: &mut Formula, x: NodeId) -> NodeId {
    let p = f.pad(x, "H", "M", 1);
    let e = f.exp(p);
    let s = f.shift(e, "M", 1);
    let d = f.sub(e, s);
    f.slice(d, "M", "H", 1)
}

fn run(seed: u64) {
    let mut m = maker(seed);
    for _ in 0..3 + m.r.below(12) {
        m.step();
    }
    let last = m.pool.len() - 1;
    let outputs = if m.r.unit() < 0.3 { vec![m.pool[last], m.pool[last - 1]] } else { vec![m.pool[last]] };
    check(m.f, &outputs);
}

#[test]
fn random_formulas() {
    for seed in 0..400 {
        run(seed);
    }
}
