//! Contractions, windows and other views, as formulas.

use super::formula::Formula;
use super::layers::{Layer, scaled, x4};
use crate::graph::*;

/// Every formula of this file.
pub fn all() -> Vec<Layer> {
    let mut layers = vec![];
    contractions(&mut layers);
    pools(&mut layers);
    convolutions(&mut layers);
    compositions(&mut layers);
    views(&mut layers);
    layers
}

fn contractions(out: &mut Vec<Layer>) {
    let mut f = Formula::default();
    for (name, len, canonical) in [("N", 3, 512), ("I", 4, 512), ("O", 5, 512)] {
        f.axis(name, len, canonical);
    }
    let (x, w, b) = (f.input("x", "N I"), f.input("w", "O I"), f.input("b", "O"));
    let h = f.dot(x, w, "I");
    let h = f.add(h, b);
    let y = f.gelu(h);
    out.push(("linear, gelu", f, vec![y]));

    let mut f = Formula::default();
    for (name, len, canonical) in [("N", 3, 512), ("I", 4, 512), ("O", 5, 512)] {
        f.axis(name, len, canonical);
    }
    let (x, w) = (f.input("x", "N I"), f.input("w", "O I"));
    let e = f.exp(x);
    let y = f.dot(e, w, "I");
    let y = f.scale(0.5, y);
    out.push(("scaled product", f, vec![y]));

    let mut f = Formula::default();
    for (name, len, canonical) in [("N", 3, 16), ("T", 3, 256), ("S", 3, 256), ("D", 2, 64), ("E", 2, 64)] {
        f.axis(name, len, canonical);
    }
    let (q, k, v) = (f.input("q", "N T D"), f.input("k", "N S D"), f.input("v", "N S E"));
    let scores = f.dot(q, k, "D");
    let scores = f.scale(0.7, scores);
    let (s, t) = (f.index("S"), f.index("T"));
    let causal = f.bin(BinaryOp::Le, s, t);
    let low = f.num(-1e30);
    let scores = f.graph.select(causal, scores, low);
    let p = f.softmax(scores, "S");
    let y = f.dot(p, v, "S");
    out.push(("attention", f, vec![y]));

    let mut f = Formula::nchw([2, 3, 3, 2]);
    f.axis("D", 3, 64);
    let x = f.input("x", "N C H W");
    let mean = f.mean(x, "H W");
    let centred = f.sub(x, mean);
    let other = f.rename(centred, "C", "D");
    let y = f.dot(centred, other, "H W");
    out.push(("Gram matrix", f, vec![y]));

    let mut f = Formula::default();
    for (name, len, canonical) in [("N", 3, 32), ("I", 3, 128), ("J", 4, 128), ("O", 2, 128)] {
        f.axis(name, len, canonical);
    }
    let (x, w, z) = (f.input("x", "N I"), f.input("w", "O I J"), f.input("z", "N J"));
    let h = f.dot(x, w, "I");
    let y = f.dot(h, z, "J");
    out.push(("bilinear", f, vec![y]));

    let mut f = Formula::nchw([2, 3, 4, 3]);
    f.axis("R", 2, 16);
    let x = f.input("x", "N C H W");
    let m = f.mean(x, "H W");
    let (w1, w2) = (f.input("w1", "R C"), f.input("w2", "C R"));
    let h = f.dot(m, w1, "C");
    let h = f.relu(h);
    let s = f.dot(h, w2, "R");
    let s = f.sigmoid(s);
    let y = f.mul(x, s);
    out.push(("mean, two small linears, scale", f, vec![y]));
}

/// A window of x[N, C, H, W] over H and W, and where it is inside.
pub fn windowed(stride: i64, padding: i64, taps: usize, symbolic: bool) -> (Formula, NodeId, Vec<Condition>) {
    let mut f = Formula::nchw([2, 2, 5, 4]);
    let place = |len: i64| ((len + 2 * padding - taps as i64) / stride + 1) as usize;
    let canonical = (28 / stride) as u64;
    f.axis("OH", place(5), canonical);
    f.axis("OW", place(4), canonical);
    f.axis("KH", taps, taps as u64);
    f.axis("KW", taps, taps as u64);
    let x = f.input("x", "N C H W");
    let (s, p) = match symbolic {
        true => (f.host_int("stride", stride), f.host_int("padding", padding)),
        false => (f.int(stride), f.int(padding)),
    };
    let both = [f.sliding("H OH KH", s, p), f.sliding("W OW KW", s, p)];
    let (view, valid) = f.window(x, &both);
    (f, view, valid)
}

fn pools(out: &mut Vec<Layer>) {
    for (name, stride, padding, taps, symbolic) in
        [("2×2", 2, 0, 2, false), ("3×3 s1 p1", 1, 1, 3, false), ("3×3 s2 p1", 2, 1, 3, false), ("3×3 symbolic", 2, 1, 3, true)]
    {
        let (mut f, view, valid) = windowed(stride, padding, taps, symbolic);
        let max = f.reduce_holes(ReduceOp::Max, view, "KH KW", &valid);
        out.push((["max pool ", name].concat().leak(), f.clone(), vec![max]));
        let sum = f.reduce_holes(ReduceOp::Sum, view, "KH KW", &valid);
        let one = f.num(1.0);
        let count = f.reduce_holes(ReduceOp::Sum, one, "KH KW", &valid);
        let mean = f.div(sum, count);
        out.push((["mean pool ", name].concat().leak(), f.clone(), vec![mean]));
        out.push((["both pools ", name].concat().leak(), f, vec![max, mean]));
    }
    let (mut f, view, valid) = windowed(2, 1, 3, true);
    let counted = f.host_int("counted", 1);
    f.graph.ints.assume_nonnegative(counted);
    let widened = |f: &mut Formula, c: &Condition| match c {
        Condition::Range { e, lo, hi } => {
            let ints = &mut f.graph.ints;
            Condition::Range { e: e.clone(), lo: ints.sub(*lo, counted), hi: ints.add(*hi, counted) }
        }
        c => c.clone(),
    };
    let holes: Vec<Condition> = valid.iter().map(|c| widened(&mut f, c)).collect();
    let sum = f.reduce_holes(ReduceOp::Sum, view, "KH KW", &holes);
    let one = f.num(1.0);
    let count = f.reduce_holes(ReduceOp::Sum, one, "KH KW", &holes);
    let mean = f.div(sum, count);
    let max = f.reduce_holes(ReduceOp::Max, view, "KH KW", &holes);
    out.push(("both pools, padding counted", f, vec![mean, max]));

    let (mut f, view, valid) = windowed(2, 1, 3, true);
    let max = f.reduce_holes(ReduceOp::Max, view, "KH KW", &valid);
    let shifted = f.sub(view, max);
    let e = f.exp(shifted);
    let weighted = f.mul(e, view);
    let (a, b) = (f.reduce_holes(ReduceOp::Sum, weighted, "KH KW", &valid), f.reduce_holes(ReduceOp::Sum, e, "KH KW", &valid));
    let y = f.div(a, b);
    out.push(("soft pool", f, vec![y]));
}

fn convolutions(out: &mut Vec<Layer>) {
    for (name, activate, holes, stride) in [
        ("convolution", false, false, 1),
        ("convolution with holes", false, true, 1),
        ("relu, convolution with holes", true, true, 1),
        ("convolution, symbolic stride", false, true, 2),
    ] {
        let mut f = Formula::nchw([2, 2, 4, 3]);
        let place = |len: usize| (len - 1) / stride + 1;
        let canonical = 28 / stride as u64;
        for (name, len, canonical) in
            [("OH", place(4), canonical), ("OW", place(3), canonical), ("KH", 3, 3), ("KW", 3, 3), ("F", 3, 64)]
        {
            f.axis(name, len, canonical);
        }
        let x = f.input("x", "N C H W");
        let h = if activate { f.relu(x) } else { x };
        let one = f.int(1);
        let s = if stride == 1 { one } else { f.host_int("stride", stride as i64) };
        let both = [f.sliding("H OH KH", s, one), f.sliding("W OW KW", s, one)];
        let (view, valid) = f.window(h, &both);
        let w = f.input("w", "F C KH KW");
        let product = f.mul(view, w);
        let y = f.reduce_holes(ReduceOp::Sum, product, "C KH KW", if holes { &valid } else { &[] });
        let b = f.input("b", "F");
        let y = f.add(y, b);
        out.push((name, f, vec![y]));
    }
    let (mut f, view, _) = windowed(1, 1, 3, true);
    let w = f.input("w", "C KH KW");
    let y = f.dot(view, w, "KH KW");
    out.push(("depthwise convolution", f, vec![y]));
}

fn compositions(out: &mut Vec<Layer>) {
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
    out.push(("batch norm, relu, max pool", f, vec![y]));

    let mut f = Formula::nchw([2, 2, 6, 1]);
    for (name, len, canonical) in [("O", 5, 27), ("P", 4, 26), ("K", 2, 2), ("J", 2, 2)] {
        f.axis(name, len, canonical);
    }
    let x = f.input("x", "N C H");
    let (one, zero) = (f.int(1), f.int(0));
    let first = f.sliding("H O K", one, zero);
    let (view, valid) = f.window(x, &[first]);
    let m = f.reduce_holes(ReduceOp::Max, view, "K", &valid);
    let second = f.sliding("O P J", one, zero);
    let (view, valid) = f.window(m, &[second]);
    let square = f.sq(view);
    let y = f.reduce_holes(ReduceOp::Sum, square, "J", &valid);
    out.push(("pool of a pool", f, vec![y]));

    let (mut f, x) = x4();
    f.axis("OC", 3, 64);
    f.axis("K", 3, 5);
    let square = f.sq(x);
    let one = f.int(1);
    let sliding = f.sliding("C OC K", one, one);
    let (view, valid) = f.window(square, &[sliding]);
    let sum = f.reduce_holes(ReduceOp::Sum, view, "K", &valid);
    let sum = f.rename(sum, "OC", "C");
    let (one, power) = (f.num(1.0), f.num(-0.75));
    let base = f.add(one, sum);
    let scale = f.bin(BinaryOp::Pow, base, power);
    let y = f.mul(x, scale);
    out.push(("local response norm", f, vec![y]));
}

fn views(out: &mut Vec<Layer>) {
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
    out.push(("views of views", f, vec![y, z]));

    let mut f = Formula::default();
    for (name, len, canonical) in [("N", 3, 32), ("T", 3, 128), ("D", 4, 64), ("F", 2, 32)] {
        f.axis(name, len, canonical);
    }
    let two = f.int(2);
    f.derived_axis("S", 2, 2, two);
    let x = f.input("x", "N T D");
    let (p, q) = (f.input("p", "T F"), f.input("q", "T F"));
    let (a, b) = (f.slice(x, "D", "F", 0), f.slice(x, "D", "F", 2));
    let (ap, bq, bp, aq) = (f.mul(a, p), f.mul(b, q), f.mul(b, p), f.mul(a, q));
    let (first, second) = (f.sub(ap, bq), f.add(bp, aq));
    let both = f.stack("S", first, second);
    let y = f.merge(both, "S", "F", "D");
    out.push(("rotated halves", f, vec![y]));

    let mut f = Formula::default();
    for (name, len, canonical) in [("N", 3, 32), ("A", 2, 32), ("E", 3, 48), ("J", 5, 80)] {
        f.axis(name, len, canonical);
    }
    let (a, b) = (f.input("a", "N A"), f.input("b", "N E"));
    let eps = f.host("eps", 0.1);
    let t = f.un(UnaryOp::Tanh, b);
    let j = f.concat("J", a, "A", t, "E");
    let y = f.norm(j, "J", eps);
    out.push(("norm of a concatenation", f, vec![y]));

    let mut f = Formula::nchw([2, 4, 3, 1]);
    f.axis("D", 2, 32);
    let x = f.input("x", "N C H");
    let (a, b) = (f.slice(x, "C", "D", 0), f.slice(x, "C", "D", 2));
    let gate = f.sigmoid(b);
    let y = f.mul(a, gate);
    out.push(("gated halves", f, vec![y]));
}
