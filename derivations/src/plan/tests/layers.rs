//! Whole layers, as formulas.

use super::formula::Formula;
use crate::graph::*;

/// A formula and its outputs.
pub type Layer = (&'static str, Formula, Vec<NodeId>);

/// Every layer of the tests.
pub fn all() -> Vec<Layer> {
    let mut layers = vec![];
    norms(&mut layers);
    statistics(&mut layers);
    pointwise(&mut layers);
    losses(&mut layers);
    chains(&mut layers);
    layers
}

pub fn x4() -> (Formula, NodeId) {
    let mut f = Formula::nchw([2, 3, 4, 3]);
    let x = f.input("x", "N C H W");
    (f, x)
}
/// x over (N, C), with a long C
fn rows() -> (Formula, NodeId) {
    let mut f = Formula::default();
    f.axis("N", 3, 32);
    f.axis("C", 4, 1024);
    let x = f.input("x", "N C");
    (f, x)
}
pub fn scaled(f: &mut Formula, x: NodeId, axes: &str) -> NodeId {
    let (gamma, beta) = (f.input("gamma", axes), f.input("beta", axes));
    let y = f.mul(gamma, x);
    f.add(y, beta)
}

fn norms(out: &mut Vec<Layer>) {
    let sets = [
        ("batch norm", "N H W", "C"),
        ("norm over C", "C", "C"),
        ("norm over C, H, W", "C H W", "C H"),
        ("instance norm", "H W", "C"),
        ("norm over axes not adjacent", "C W", "N H"),
        ("norm over everything", "N C H W", "W"),
    ];
    for (name, axes, affine) in sets {
        let (mut f, x) = x4();
        let eps = f.host("eps", 0.1);
        let n = f.norm(x, axes, eps);
        let y = scaled(&mut f, n, affine);
        out.push((name, f, vec![y]));
    }
    let (mut f, x) = rows();
    let eps = f.host("eps", 0.1);
    let n = f.norm(x, "C", eps);
    let y = scaled(&mut f, n, "C");
    out.push(("layer norm", f, vec![y]));

    let (mut f, x) = rows();
    let eps = f.host("eps", 0.1);
    let square = f.sq(x);
    let mean = f.mean(square, "C");
    let shifted = f.add(mean, eps);
    let r = f.un(UnaryOp::Rsqrt, shifted);
    let gamma = f.input("gamma", "C");
    let y = f.mul(gamma, x);
    let y = f.mul(y, r);
    out.push(("rms norm", f, vec![y]));

    let mut f = Formula::nchw([2, 4, 2, 3]);
    f.axis("G", 2, 8);
    f.axis("D", 2, 8);
    let x = f.input("x", "N C H W");
    let eps = f.host("eps", 0.1);
    let parts = f.split(x, "C", "G", "D");
    let n = f.norm(parts, "D H W", eps);
    let n = f.merge(n, "G", "D", "C");
    let y = scaled(&mut f, n, "C");
    out.push(("group norm", f, vec![y]));
}

fn statistics(out: &mut Vec<Layer>) {
    for (name, axes) in [("softmax of C", "C"), ("softmax of W", "W"), ("softmax of N, H", "N H"), ("softmax of all", "N C H W")]
    {
        let (mut f, x) = x4();
        let y = f.softmax(x, axes);
        let l = f.logsumexp(x, axes);
        out.push((name, f, vec![y, l]));
    }
    let (mut f, x) = x4();
    let (a, b, c) = (f.mean(x, "H W"), f.mean(x, "C H W"), f.mean(x, "N H W"));
    let mut y = x;
    for m in [a, b, c] {
        let m = f.scale(0.3, m);
        y = f.sub(y, m);
    }
    let other = f.max(x, "C H W");
    out.push(("mixed means", f, vec![y, c, other]));

    let (mut f, x) = x4();
    let max = f.max(x, "C");
    let mean = f.mean(max, "H");
    let square = f.sq(mean);
    let y = f.sum(square, "W");
    out.push(("reductions of reductions", f, vec![y]));

    let (mut f, x) = x4();
    let eps = f.host("eps", 0.1);
    let square = f.sq(x);
    let g = f.sum(square, "H W");
    let g = f.add(g, eps);
    let g = f.sqrt(g);
    let m = f.mean(g, "C");
    let m = f.add(m, eps);
    let n = f.div(g, m);
    let y = f.mul(x, n);
    let y = scaled(&mut f, y, "C");
    out.push(("response norm", f, vec![y]));
}

fn pointwise(out: &mut Vec<Layer>) {
    let (mut f, x) = rows();
    let y = f.gelu(x);
    out.push(("gelu", f, vec![y]));

    let (mut f, x) = x4();
    let a = f.gelu(x);
    let b = f.relu(x);
    let t = f.input("t", "");
    let c = f.mul(t, b);
    let d = f.draw(c, 0, 0.7);
    let dropped = f.mul(c, d);
    let y = f.add(a, dropped);
    out.push(("gelu, relu, dropout", f, vec![y]));

    let (mut f, x) = x4();
    let y = f.shift(x, "W", 1);
    let z = f.sub(y, x);
    let s = f.mul(y, z);
    let s = f.sum(s, "N H W");
    out.push(("differences", f, vec![z, s]));

    let (mut f, x) = x4();
    let mut sum = f.scale(-4.0, x);
    for (axis, by) in [("H", 1), ("H", -1), ("W", 1), ("W", -1)] {
        let neighbour = f.roll(x, axis, by);
        sum = f.add(sum, neighbour);
    }
    let k = f.input("k", "C");
    let y = f.mul(k, sum);
    let y = f.add(x, y);
    out.push(("stencil", f, vec![y]));
}

fn losses(out: &mut Vec<Layer>) {
    let (mut f, x) = rows();
    let label = f.labels("label", "N", 4);
    let l = f.logsumexp(x, "C");
    let p = f.pick(x, "C", label);
    let loss = f.sub(l, p);
    let y = f.mean(loss, "N");
    out.push(("cross entropy", f, vec![y]));

    let (mut f, x) = x4();
    let label = f.labels("label", "N H W", 3);
    let weight = f.input("weight", "C");
    let w = f.pick(weight, "C", label);
    let l = f.logsumexp(x, "C");
    let p = f.pick(x, "C", label);
    let loss = f.sub(l, p);
    let loss = f.mul(w, loss);
    let (total, count) = (f.sum(loss, "N H W"), f.sum(w, "N H W"));
    let y = f.div(total, count);
    out.push(("weighted cross entropy", f, vec![y]));

    let (mut f, x) = rows();
    let z = f.input("z", "N C");
    let dot = f.dot(x, z, "C");
    let (a, b) = (f.dot(x, x, "C"), f.dot(z, z, "C"));
    let (a, b) = (f.sqrt(a), f.sqrt(b));
    let y = f.div(dot, a);
    let y = f.div(y, b);
    out.push(("cosine", f, vec![y]));

    let mut f = Formula::default();
    for name in ["N", "I", "J"] {
        f.axis(name, 3, 128);
    }
    let (s, r) = (f.input("s", "N I"), f.input("r", "N I"));
    let (sj, rj) = (f.rename(s, "I", "J"), f.rename(r, "I", "J"));
    let better = f.bin(BinaryOp::Gt, r, rj);
    let d = f.sub(sj, s);
    let d = f.un(UnaryOp::Softplus, d);
    let zero = f.num(0.0);
    let d = f.graph.select(better, d, zero);
    let y = f.sum(d, "I J");
    out.push(("pairwise loss", f, vec![y]));
}

fn chains(out: &mut Vec<Layer>) {
    let (mut f, x) = x4();
    let eps = f.host("eps", 0.1);
    let n = f.norm(x, "N H W", eps);
    let h = scaled(&mut f, n, "C");
    let h = f.relu(h);
    let d = f.draw(h, 0, 0.6);
    let h = f.mul(h, d);
    let residual = f.input("residual", "N C H W");
    let h = f.add(h, residual);
    let n = f.norm(h, "C H W", eps);
    let (gamma, beta) = (f.input("gamma2", "C"), f.input("beta2", "C"));
    let y = f.mul(gamma, n);
    let y = f.add(y, beta);
    out.push(("chain of five", f, vec![y]));

    let mut f = Formula::default();
    f.axis("I", 3, 512);
    f.axis("J", 4, 512);
    let k = f.input("k", "I J");
    let row = f.logsumexp(k, "J");
    let k1 = f.sub(k, row);
    let column = f.logsumexp(k1, "I");
    let k2 = f.sub(k1, column);
    let y = f.exp(k2);
    out.push(("rows, then columns", f, vec![y]));

    let mut f = Formula::nchw([3, 4, 1, 1]);
    f.axis("V", 5, 4096);
    f.axis("L", 2, 64);
    f.axis("M", 3, 64);
    let table = f.input("table", "V C");
    let token = f.labels("token", "N L", 5);
    let eps = f.host("eps", 0.1);
    let e = f.pick(table, "V", token);
    let n = f.norm(e, "C", eps);
    let y = scaled(&mut f, n, "C");
    let segment = f.labels("segment", "N", 3);
    let s = f.exp(y);
    let s = f.scatter_add(s, "M", segment);
    let s = f.sq(s);
    out.push(("embedding, norm, scatter", f, vec![y, s]));
}
