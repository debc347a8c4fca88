//! Random programs of what rules must leave alone: skipped positions, views of several axes that read something outside,
//! roots and quotients of what may be negative or zero, sums beside the mean, masks over few axes. And what is known of
//! classes, on numbers among which are zeros.

use super::corpus::{C, Case, H, N, W};
use super::random::{Dice, check_unions, knife_edge};
use super::shadow::Shadow;
use crate::graph::*;
use crate::simplify::Stop;
use crate::simplify::analysis::Facts;
use crate::simplify::build::build;
use crate::simplify::saturate;
use std::collections::BTreeMap;

/// `by ± axis`, and whether that is one of the axis' positions.
fn moved(graph: &mut Graph, axis: AxisId, sign: i64, by: i64) -> (Affine, Condition) {
    let ints = &mut graph.ints;
    let (zero, len) = (ints.constant(0), ints.axis_len(axis));
    let by = ints.constant(by);
    let offset = if sign < 0 { ints.add(len, by) } else { by };
    let e = Affine { terms: vec![(axis, ints.constant(sign))], offset, div: None, modulo: None };
    (e.clone(), Condition::Range { e, lo: zero, hi: len })
}

/// `y[a, b] = x[|a| − 1 − a, b − 1]`, and `fill` outside.
fn view(c: &mut Case, x: NodeId, [a, b]: [AxisId; 2], fill: f64) -> NodeId {
    let axes = c.graph.axes_of(x);
    if !axes.contains(a) || !axes.contains(b) {
        return x;
    }
    let (flip, (from, inside), (to, back)) =
        (moved(&mut c.graph, a, -1, -1).0, moved(&mut c.graph, b, 1, -1), moved(&mut c.graph, b, 1, 1));
    let map = |e: Affine| vec![(a, flip.clone()), (b, e)];
    let transpose = Transpose { map: map(to), valid: vec![back], over: AxisSet::EMPTY };
    let map = map(from).into_iter().map(|(axis, e)| (axis, Source::Affine(e))).collect();
    let r = Reindex { map, valid: vec![inside], fill: fill.to_bits(), transpose: Some(Box::new(transpose)) };
    c.graph.reindex(x, r)
}

/// `Σ x` over the positions along an axis that are not below three times another's: for some of those, over nothing.
fn sum_of_some(c: &mut Case, x: NodeId, axis: AxisId) -> NodeId {
    let other = if axis == H { N } else { H };
    let (mut e, Condition::Range { lo, hi, .. }) = moved(&mut c.graph, axis, 1, 0) else { unreachable!() };
    e.terms.push((other, c.graph.ints.constant(-3)));
    e.terms.sort();
    c.graph.reduce_valid(ReduceOp::Sum, &[axis], x, vec![Condition::Range { e, lo, hi }])
}

fn operator(c: &mut Case, kind: u64, p: NodeId, q: NodeId, axis: AxisId) -> NodeId {
    let has = c.graph.axes_of(p).contains(axis);
    match kind {
        0 | 1 => c.mul(p, q),
        2 => c.add(p, q),
        3 => c.sub(p, q),
        4 => c.un(UnaryOp::Neg, p),
        5 => view(c, p, [C, H], 0.0),
        6 => view(c, p, [H, N], 0.75),
        7 | 8 if has => sum_of_some(c, p, axis),
        9 if has => c.sum(p, &[axis]),
        10 if has => {
            let m = c.mean(p, &[axis]);
            if c.graph.axes_of(q).contains(axis) { c.sub(p, m) } else { c.add(p, m) }
        }
        11 => {
            let (a, b) = (c.graph.powi(p, 2), c.graph.powi(q, 2));
            let ab = c.mul(a, b);
            c.un(UnaryOp::Sqrt, ab)
        }
        12 => {
            let (one, sq) = (c.num(1.0), c.graph.powi(q, 2));
            let under = c.add(one, sq);
            let part = c.div(sq, under);
            let part = c.mul(p, part);
            c.sub(p, part)
        }
        13 => {
            let (zero, scaled) = (c.num(0.0), c.mul(p, q));
            let mask = c.graph.binary(BinaryOp::Gt, q, zero);
            c.graph.select(mask, scaled, zero)
        }
        14 => c.relu(p),
        15 => {
            let (half, sum) = (c.num(0.5), c.add(p, q));
            let scaled = c.mul(half, sum);
            c.mul(scaled, p)
        }
        16 => c.un(UnaryOp::Abs, p),
        // a weighted mean, its weights an output too, half of it
        17 if has => {
            let t = c.un(UnaryOp::Tanh, p);
            let (half, e) = (c.num(0.5), c.un(UnaryOp::Exp, t));
            let (z, weighted) = (c.sum(e, &[axis]), c.mul(e, q));
            let (weighted, share) = (c.mul(half, weighted), c.div(e, z));
            let sum = c.sum(weighted, &[axis]);
            let mean = c.div(sum, z);
            c.add(share, mean)
        }
        // the mean of some, as if of all
        18 if has => {
            let (sum, len) = (sum_of_some(c, p, axis), c.graph.lens(AxisSet::one(axis)));
            let mean = c.div(sum, len);
            let rest = c.sub(p, mean);
            sum_of_some(c, rest, axis)
        }
        19 => {
            let some = if has { sum_of_some(c, p, axis) } else { p };
            let axes: Vec<AxisId> = c.graph.axes_of(some).iter().collect();
            c.sum(some, &axes)
        }
        _ => {
            let t = c.un(UnaryOp::Tanh, p);
            c.un(UnaryOp::Exp, t)
        }
    }
}

fn odd_case(seed: u64, operators: usize) -> Case {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    for _ in 0..10 {
        dice.roll(2);
    }
    let mut c = Case::new("odd");
    let x = c.input("x", &[N, C, H]);
    let (a, b, w) = (c.input("a", &[C]), c.input("b", &[N, H]), c.input("w", &[W]));
    let mut pool = vec![x, a, b, w, x];
    for _ in 0..operators {
        let pick = |dice: &mut Dice| {
            let recent = pool.len() as u64 - dice.roll(pool.len() as u64).min(dice.roll(pool.len() as u64));
            pool[recent as usize - 1]
        };
        let (p, q) = (pick(&mut dice), pick(&mut dice));
        let axis = [N, C, H, W][dice.roll(4) as usize];
        let value = operator(&mut c, dice.roll(21), p, q, axis);
        pool.push(value);
    }
    let y = pool[pool.len() - 1];
    c.done(y)
}

/// Whether the raw gradients are numbers: a root of 0 has no slope.
fn is_finite(case: &Case) -> bool {
    (1..4).all(|seed| {
        let values = case.graph.eval(&case.env(seed));
        case.grads.iter().all(|g| values[g.0 as usize].iter().all(|x| x.is_finite()))
    })
}

/// An environment with zeros and ones among its numbers.
fn round_numbers(case: &Case) -> crate::graph::eval::Env {
    let mut env = case.env(99);
    for (i, x) in env.inputs.iter_mut().flatten().enumerate() {
        *x = if i % 4 == 3 { *x } else { (2.0 * *x).round() / 2.0 };
    }
    env
}

/// What is known of every class is true of its numbers: sign, constant, and that it varies over no other axes.
fn check_facts(case: &Case) {
    let mut facts = Facts::new(&case.graph, &[]);
    let mut shadow = Shadow::new(&case.graph, &round_numbers(case));
    shadow.compares = false;
    facts.shadow = Some(shadow);
    let roots: Vec<NodeId> = case.grads.iter().chain(&case.outputs).copied().collect();
    let mut built = build(facts, &roots).expect("no exponent overflows");
    saturate::saturate(&mut built.egraph, &mut BTreeMap::new());
    let shadow = built.egraph.analysis.shadow.take().expect("was given");
    shadow.check_facts(&built.egraph);
}

#[test]
fn what_rules_must_leave_alone_is_left_alone() {
    let mut compared = 0;
    for seed in 0..500 {
        let case = odd_case(seed, 4 + seed as usize % 9);
        if knife_edge(&case) {
            continue;
        }
        check_unions(&case);
        let s = case.simplified();
        assert_eq!(s.report.stop, Stop::Saturated, "seed {seed}");
        if is_finite(&case) {
            case.check(&s);
            compared += 1;
        }
    }
    assert!(compared > 200, "{compared} programs compared");
}

#[test]
fn what_is_known_of_classes_is_true() {
    for seed in 0..200 {
        check_facts(&odd_case(500 + seed, 4 + seed as usize % 9));
    }
    super::corpus::all().iter().for_each(check_facts);
}
