//! Whole layers.

use super::{check as check_, show};
fn check(f: Formula, y: &[NodeId]) {
    show(&check_(f, y));
}
use super::formula::Formula;
use crate::graph::*;

fn x4() -> (Formula, NodeId) {
    let mut f = Formula::nchw([2, 3, 4, 3]);
    let x = f.input("x", "N C H W");
    (f, x)
}

fn scaled(f: &mut Formula, x: NodeId, axes: &str) -> NodeId {
    let (gamma, beta) = (f.input("gamma", axes), f.input("beta", axes));
    let y = f.mul(gamma, x);
    f.add(y, beta)
}

#[test]
fn batch_norm() {
    let (mut f, x) = x4();
    let eps = f.host("eps", 0.1);
    let n = f.norm(x, "N H W", eps);
    let y = scaled(&mut f, n, "C");
    check(f, &[y]);
}

#[test]
fn norms_over_other_axes() {
    for (axes, affine) in [("C", "C"), ("C H W", "C H"), ("H W", "C"), ("C W", "N H"), ("N C H W", "W"), ("N", "N")] {
        let (mut f, x) = x4();
        let eps = f.host("eps", 0.1);
        let n = f.norm(x, axes, eps);
        let y = scaled(&mut f, n, affine);
        check(f, &[y]);
    }
}

#[test]
fn softmax_and_logsumexp() {
    for axes in ["C", "W", "N H", "N C H W"] {
        let (mut f, x) = x4();
        let y = f.softmax(x, axes);
        let l = f.logsumexp(x, axes);
        check(f, &[y, l]);
    }
}

#[test]
fn pointwise() {
    let (mut f, x) = x4();
    let a = f.gelu(x);
    let b = f.relu(x);
    let t = f.input("t", "");
    let c = f.mul(t, b);
    let d = f.draw(c, 0, 0.7);
    let dropped = f.mul(c, d);
    let y = f.add(a, dropped);
    check(f, &[y]);
}

#[test]
fn cross_entropy() {
    let mut f = Formula::nchw([5, 4, 1, 1]);
    let x = f.input("x", "N C");
    let label = f.labels("label", "N", 4);
    let l = f.logsumexp(x, "C");
    let p = f.pick(x, "C", label);
    let loss = f.sub(l, p);
    let y = f.mean(loss, "N");
    check(f, &[y]);
}

#[test]
fn embedding_and_scatter() {
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
    check(f, &[y, s]);
}

#[test]
fn mixed_statistics() {
    let (mut f, x) = x4();
    let (a, b, c) = (f.mean(x, "H W"), f.mean(x, "C H W"), f.mean(x, "N H W"));
    let mut y = x;
    for m in [a, b, c] {
        let m = f.scale(0.3, m);
        y = f.sub(y, m);
    }
    let other = f.max(x, "C H W");
    check(f, &[y, c, other]);
}

#[test]
fn a_chain_of_five() {
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
    check(f, &[y]);
}

#[test]
fn linear_and_attention() {
    let mut f = Formula::nchw([3, 1, 1, 1]);
    for (name, len, canonical) in [("I", 4, 512), ("O", 5, 512), ("T", 3, 256), ("S", 3, 256), ("D", 2, 64), ("E", 2, 64)] {
        f.axis(name, len, canonical);
    }
    let (x, w, b) = (f.input("x", "N I"), f.input("w", "O I"), f.input("b", "O"));
    let h = f.dot(x, w, "I");
    let h = f.add(h, b);
    let y = f.gelu(h);
    check(f.clone(), &[y]);
    let (q, k, v) = (f.input("q", "N T D"), f.input("k", "N S D"), f.input("v", "N S E"));
    let scores = f.dot(q, k, "D");
    let scores = f.scale(0.7, scores);
    let (s, t) = (f.index("S"), f.index("T"));
    let causal = f.bin(BinaryOp::Le, s, t);
    let low = f.num(-1e30);
    let scores = f.graph.select(causal, scores, low);
    let p = f.softmax(scores, "S");
    let y = f.dot(p, v, "S");
    check(f, &[y]);
}

fn spatial(stride: i64, padding: i64, taps: usize, host: bool) -> (Formula, NodeId, Vec<Condition>, NodeId) {
    let mut f = Formula::nchw([2, 2, 5, 4]);
    let place = |len: i64| ((len + 2 * padding - taps as i64) / stride + 1) as usize;
    let canonical = |s: i64| (28 / s) as u64;
    f.axis("OH", place(5), canonical(stride));
    f.axis("OW", place(4), canonical(stride));
    f.axis("KH", taps, taps as u64);
    f.axis("KW", taps, taps as u64);
    let x = f.input("x", "N C H W");
    let (s, p) =
        if host { (f.host_int("stride", stride), f.host_int("padding", padding)) } else { (f.int(stride), f.int(padding)) };
    let both = [f.sliding("H OH KH", s, p), f.sliding("W OW KW", s, p)];
    let (view, valid) = f.window(x, &both);
    (f, view, valid, x)
}

#[test]
fn pools() {
    for (stride, padding, taps) in [(2, 0, 2), (1, 1, 3), (2, 1, 3)] {
        for host in [false, true] {
            let (mut f, view, valid, _) = spatial(stride, padding, taps, host);
            let max = f.reduce_holes(ReduceOp::Max, view, "KH KW", &valid);
            let sum = f.reduce_holes(ReduceOp::Sum, view, "KH KW", &valid);
            let one = f.num(1.0);
            let count = f.reduce_holes(ReduceOp::Sum, one, "KH KW", &valid);
            let mean = f.div(sum, count);
            check(f.clone(), &[max]);
            check(f.clone(), &[mean]);
            check(f, &[max, mean]);
        }
    }
}

#[test]
fn a_pool_of_a_norm() {
    let mut f = Formula::nchw([2, 2, 4, 4]);
    for (name, len, canonical) in [("OH", 2, 14), ("OW", 2, 14), ("KH", 2, 2), ("KW", 2, 2)] {
        f.axis(name, len, canonical);
    }
    let x = f.input("x", "N C H W");
    let eps = f.host("eps", 0.1);
    let n = f.norm(x, "N H W", eps);
    let h = scaled(&mut f, n, "C");
    let h = f.relu(h);
    let (two, zero) = (f.int(2), f.int(0));
    let both = [f.sliding("H OH KH", two, zero), f.sliding("W OW KW", two, zero)];
    let (view, valid) = f.window(h, &both);
    let y = f.reduce_holes(ReduceOp::Max, view, "KH KW", &valid);
    check(f, &[y]);
}

#[test]
fn convolutions() {
    for activate in [false, true] {
        for holes in [false, true] {
            let mut f = Formula::nchw([2, 2, 4, 3]);
            for (name, len, canonical) in [("OH", 4, 28), ("OW", 3, 28), ("KH", 3, 3), ("KW", 3, 3), ("F", 3, 64)] {
                f.axis(name, len, canonical);
            }
            let x = f.input("x", "N C H W");
            let h = if activate { f.relu(x) } else { x };
            let one = f.int(1);
            let both = [f.sliding("H OH KH", one, one), f.sliding("W OW KW", one, one)];
            let (view, valid) = f.window(h, &both);
            let w = f.input("w", "F C KH KW");
            let product = f.mul(view, w);
            let valid = if holes { valid } else { vec![] };
            let y = f.reduce_holes(ReduceOp::Sum, product, "C KH KW", &valid);
            let b = f.input("b", "F");
            let y = f.add(y, b);
            check(f, &[y]);
        }
    }
}

#[test]
fn a_depthwise_convolution() {
    let (mut f, view, ..) = spatial(1, 1, 3, true);
    let w = f.input("w", "C KH KW");
    let y = f.dot(view, w, "KH KW");
    check(f, &[y]);
}

#[test]
fn group_norm_by_split() {
    let mut f = Formula::nchw([2, 4, 2, 3]);
    f.axis("G", 2, 8);
    f.axis("D", 2, 8);
    let x = f.input("x", "N C H W");
    let eps = f.host("eps", 0.1);
    let parts = f.split(x, "C", "G", "D");
    let n = f.norm(parts, "D H W", eps);
    let n = f.merge(n, "G", "D", "C");
    let y = scaled(&mut f, n, "C");
    check(f, &[y]);
}

#[test]
fn views_of_views() {
    let mut f = Formula::nchw([2, 4, 5, 3]);
    for (name, len) in [("M", 7), ("A", 2), ("J", 9)] {
        f.axis(name, len, len as u64 * 7);
    }
    let two = f.int(2);
    f.derived_axis("S", 2, 2, two);
    let x = f.input("x", "N C H W");
    let p = f.pad(x, "H", "M", 1);
    let s = f.shift(p, "M", 1);
    let d = f.sub(p, s);
    let r = f.roll(d, "M", 2);
    let r = f.roll(r, "M", -3);
    let e = f.exp(r);
    let a = f.slice(e, "M", "A", 3);
    let j = f.concat("J", e, "M", a, "A");
    let j = f.shift(j, "J", -2);
    let k = f.un(UnaryOp::Tanh, j);
    let y = f.stack("S", j, k);
    let z = f.roll(j, "J", 1);
    let z = f.shift(z, "J", 1);
    let z = f.sum(z, "N J");
    check(f, &[y, z]);
}
