//! Every derivative against differences of the primal, evaluated by the interpreter.

use super::reverse;
use crate::graph::eval::Env;
use crate::graph::*;
use approx::assert_relative_eq;

/// A graph with axes `A` (3), `B` (2), `K` (2) and two inputs over (A, B).
struct Case {
    graph: Graph,
    env: Env,
    a: AxisId,
    b: AxisId,
    k: AxisId,
    x: NodeId,
    z: NodeId,
}

fn case() -> Case {
    let mut graph = Graph::default();
    let a = graph.add_axis("A", None, 3);
    let b = graph.add_axis("B", None, 2);
    let k = graph.add_axis("K", None, 2);
    let x = graph.add_input("x", &[a, b], InputKind::Tensor);
    let z = graph.add_input("z", &[a, b], InputKind::Tensor);
    let xs = vec![0.7, 0.31, 1.9, 0.45, 0.12, 2.2];
    let zs = vec![0.52, 1.4, 0.33, 2.6, 0.81, 1.1];
    let env = Env { lens: vec![3, 2, 2], hosts: vec![], inputs: vec![xs, zs] };
    Case { graph, env, a, b, k, x, z }
}

/// Compares the gradient of `y`, under a cotangent of no symmetry, with central differences.
fn check(mut c: Case, y: NodeId) {
    let axes: Vec<AxisId> = c.graph.axes_of(y).iter().collect();
    let cotangent = c.graph.add_input("dy", &axes, InputKind::Cotangent(0));
    let n = c.env.size(c.graph.axes_of(y));
    c.env.inputs.push((0..n).map(|i| 0.3 + 0.41 * (i as f64 * 1.7).sin()).collect());
    let grads = reverse(&mut c.graph, &[(y, cotangent)], &[c.x, c.z]);
    let values = c.graph.eval(&c.env);
    let loss = |env: &Env| -> f64 {
        let values = c.graph.eval(env);
        values[y.0 as usize].iter().zip(&env.inputs[2]).map(|(y, g)| y * g).sum()
    };
    for (input, grad) in grads.iter().enumerate() {
        let axes = c.graph.axes_of(*grad);
        let mut at = [0; AxisSet::CAPACITY];
        c.env.each(AxisSet::one(c.a) | AxisSet::one(c.b), &mut at, &mut |at| {
            let element = c.env.offset(AxisSet::one(c.a) | AxisSet::one(c.b), at);
            let shifted = |h: f64| {
                let mut env = c.env.clone();
                env.inputs[input][element] += h;
                loss(&env)
            };
            let h = 1e-5;
            let expected = (8.0 * (shifted(h) - shifted(-h)) - (shifted(2.0 * h) - shifted(-2.0 * h))) / (12.0 * h);
            let found = values[grad.0 as usize][c.env.offset(axes, at)];
            assert_relative_eq!(found, expected, epsilon = 1e-8, max_relative = 1e-7);
        });
    }
}

#[test]
fn every_unary_operator() {
    for op in UnaryOp::ALL {
        let mut c = case();
        let y = c.graph.unary(*op, c.x);
        if *op == UnaryOp::Stop {
            let cotangent = c.graph.add_input("dy", &[c.a, c.b], InputKind::Cotangent(0));
            let grads = reverse(&mut c.graph, &[(y, cotangent)], &[c.x]);
            assert_eq!(c.graph.as_num(grads[0]), Some(0.0));
        } else if *op != UnaryOp::Not {
            check(c, y);
        }
    }
}

#[test]
fn every_binary_operator() {
    for op in BinaryOp::ALL {
        let mut c = case();
        let y = c.graph.binary(*op, c.x, c.z);
        check(c, y);
    }
}

#[test]
fn powers_and_selection() {
    for n in [-2, -1, 2, 3, 5] {
        let mut c = case();
        let y = c.graph.powi(c.x, n);
        check(c, y);
    }
    let mut c = case();
    let mask = c.graph.binary(BinaryOp::Gt, c.x, c.z);
    let y = c.graph.select(mask, c.x, c.z);
    check(c, y);
}

#[test]
fn every_reduction() {
    for &op in ReduceOp::ALL {
        for axes in [0b01, 0b10, 0b11] {
            let mut c = case();
            let product = c.graph.binary(BinaryOp::Mul, c.x, c.z);
            let over: Vec<AxisId> = AxisSet(axes).iter().collect();
            let y = c.graph.reduce(op, &over, product);
            check(c, y);
        }
    }
}

#[test]
fn a_product_with_zeros_keeps_the_others() {
    for zeros in [&[1][..], &[1, 3], &[0, 2, 4]] {
        let mut c = case();
        for zero in zeros {
            c.env.inputs[0][*zero] = 0.0;
        }
        let y = c.graph.reduce(ReduceOp::Prod, &[c.a], c.x);
        check(c, y);
    }
}

#[test]
fn broadcasts_are_summed() {
    let mut c = case();
    let row = c.graph.sum(c.a, c.x);
    let all = c.graph.sum(AxisSet::one(c.a) | AxisSet::one(c.b), c.z);
    let y = c.graph.binary(BinaryOp::Mul, row, all);
    let y = c.graph.sum(c.k, y);
    check(c, y);
}

#[test]
fn scans_both_ways() {
    for reverse in [false, true] {
        let mut c = case();
        let y = c.graph.add(Op::Scan { axis: c.a, reverse, a: c.x, b: c.z });
        check(c, y);
    }
}

/// The slopes of `y` by `x` and `z` where they are these, under a cotangent of 1.
fn slopes(y: impl Fn(&mut Graph, NodeId, NodeId) -> NodeId, [x, z]: [f64; 2]) -> [f64; 2] {
    let mut c = case();
    c.env.inputs = vec![vec![x; 6], vec![z; 6], vec![1.0; 6]];
    let y = y(&mut c.graph, c.x, c.z);
    let cotangent = c.graph.add_input("dy", &[c.a, c.b], InputKind::Cotangent(0));
    let grads = reverse(&mut c.graph, &[(y, cotangent)], &[c.x, c.z]);
    let values = c.graph.eval(&c.env);
    [0, 1].map(|i| values[grads[i].0 as usize][0])
}

/// What the table says where differences see nothing.
#[test]
fn slopes_at_kinks_are_those_of_the_conventions() {
    use BinaryOp::{Max, Min, Pow};
    let binary = |op| move |g: &mut Graph, x, z| g.binary(op, x, z);
    for op in [Max, Min] {
        assert_eq!(slopes(binary(op), [0.7, 0.7]), [0.5, 0.5], "{op:?} at a tie");
        assert_eq!(slopes(binary(op), [f64::NAN, 0.7]), [1.0, 1.0], "{op:?} of NaN");
        let of_zero = move |g: &mut Graph, x, _| {
            let zero = g.num(0.0);
            g.binary(op, x, zero)
        };
        for (x, slope) in [(0.0, 0.0), (f64::NAN, 1.0)] {
            assert_eq!(slopes(of_zero, [x, 0.0]), [slope, 0.0], "{op:?}({x}, 0)");
        }
    }
    for (at, expected) in [([0.0, 0.0], [0.0, 0.0]), ([0.0, 1.0], [1.0, 0.0]), ([0.0, 2.0], [0.0, 0.0])] {
        assert_eq!(slopes(binary(Pow), at), expected, "a power at {at:?}");
    }
    assert_eq!(slopes(|g, x, _| g.unary(UnaryOp::Abs, x), [0.0, 0.0]), [0.0, 0.0]);
}

/// Where a slope is tiny it is so to all digits: no difference of numbers near 1.
#[test]
fn small_slopes_are_not_differences() {
    for (op, x, slope) in [(UnaryOp::Softplus, -40.0, (-40f64).exp()), (UnaryOp::Log1p, 1e-20, 1.0)] {
        assert_relative_eq!(slopes(|g, x, _| g.unary(op, x), [x, 0.0])[0], slope, epsilon = 0.0, max_relative = 1e-12);
    }
}

/// What was not chosen gets nothing, however steep it is there.
#[test]
fn choices_guard_infinite_derivatives() {
    for (twice, scaled) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut c = case();
        c.env.inputs[0][1] = 0.0;
        let zero = c.graph.num(0.0);
        let positive = c.graph.binary(BinaryOp::Gt, c.x, zero);
        let root = c.graph.unary(UnaryOp::Sqrt, c.x);
        let steep = if twice { c.graph.binary(BinaryOp::Mul, root, root) } else { root };
        let steep = c.graph.binary(BinaryOp::Add, steep, root);
        // a factor of fewer axes than the mask stays outside, and must not hide the choice from what is inside
        let factor = c.graph.num(0.3);
        let steep = if scaled { c.graph.binary(BinaryOp::Mul, factor, steep) } else { steep };
        let y = c.graph.select(positive, steep, zero);
        let cotangent = c.graph.add_input("dy", &[c.a, c.b], InputKind::Cotangent(0));
        c.env.inputs.push(vec![1.0; 6]);
        let grads = reverse(&mut c.graph, &[(y, cotangent)], &[c.x]);
        let values = c.graph.eval(&c.env);
        let found = &values[grads[0].0 as usize];
        assert_eq!(found[1], 0.0);
        assert!(found.iter().all(|g| g.is_finite()));
    }
}

#[test]
fn an_angle_has_no_slope_at_the_origin() {
    let mut c = case();
    c.env.inputs[0][1] = 0.0;
    let [y, other] = [(c.x, true), (c.x, false)].map(|(x, first)| {
        let zero = c.graph.binary(BinaryOp::Sub, x, x);
        let (a, b) = if first { (x, zero) } else { (zero, x) };
        c.graph.binary(BinaryOp::Atan2, a, b)
    });
    let y = c.graph.binary(BinaryOp::Add, y, other);
    let cotangent = c.graph.add_input("dy", &[c.a, c.b], InputKind::Cotangent(0));
    c.env.inputs.push(vec![1.0; 6]);
    let grads = reverse(&mut c.graph, &[(y, cotangent)], &[c.x]);
    let found = &c.graph.eval(&c.env)[grads[0].0 as usize];
    assert_eq!(found[1], 0.0);
    assert!(found.iter().all(|g| g.is_finite()));
}

/// `y[o, b, k] = x[2·o + k − 1, b]`, with a hole at −1: a strided window with padding.
fn window(c: &mut Case, o: AxisId) -> (NodeId, Vec<Condition>) {
    let ints = &mut c.graph.ints;
    let (zero, one, two, minus) = (ints.constant(0), ints.constant(1), ints.constant(2), ints.constant(-1));
    let (len_a, len_o) = (ints.axis_len(c.a), ints.axis_len(o));
    let e = Affine { terms: vec![(c.k, one), (o, two)], offset: minus, div: None, modulo: None };
    let valid = vec![Condition::Range { e: e.clone(), lo: zero, hi: len_a }];
    let back = |div| Affine { terms: vec![(c.a, one), (c.k, minus)], offset: one, div, modulo: None };
    let transpose = Transpose {
        map: vec![(o, back(Some(two)))],
        valid: vec![Condition::Divides { e: back(None), by: two }, Condition::Range { e: back(Some(two)), lo: zero, hi: len_o }],
        over: AxisSet::one(c.k),
    };
    let r = Reindex { map: vec![(c.a, Source::Affine(e))], valid: valid.clone(), fill: 0, transpose: Some(Box::new(transpose)) };
    (c.graph.reindex(c.x, r), valid)
}

#[test]
fn windows_with_holes() {
    for op in [ReduceOp::Sum, ReduceOp::Prod, ReduceOp::Max, ReduceOp::Min] {
        let mut c = case();
        let o = c.graph.add_axis("O", None, 2);
        c.env.lens.push(2);
        let (w, valid) = window(&mut c, o);
        let y = c.graph.reduce_valid(op, &[c.k], w, valid);
        check(c, y);
    }
}

#[test]
fn gathers_compare_or_scatter() {
    for label_axes in [0b10, 0b100] {
        let mut c = case();
        let axes: Vec<AxisId> = AxisSet(label_axes).iter().collect();
        let label = c.graph.add_input("label", &axes, InputKind::Labels);
        let r = Reindex { map: vec![(c.a, Source::Load(label))], valid: vec![], fill: 0, transpose: None };
        let y = c.graph.reindex(c.x, r);
        c.env.inputs.push(vec![2.0, 2.0]);
        check_gather(c, y);
    }
}

fn check_gather(mut c: Case, y: NodeId) {
    let axes: Vec<AxisId> = c.graph.axes_of(y).iter().collect();
    let cotangent = c.graph.add_input("dy", &axes, InputKind::Cotangent(0));
    let n = c.env.size(c.graph.axes_of(y));
    c.env.inputs.push((1..=n).map(|i| i as f64).collect());
    let grads = reverse(&mut c.graph, &[(y, cotangent)], &[c.x]);
    let values = c.graph.eval(&c.env);
    let total: f64 = values[grads[0].0 as usize].iter().sum();
    assert_relative_eq!(total, (1..=n).sum::<usize>() as f64);
    assert!(values[grads[0].0 as usize][..4].iter().all(|v| *v == 0.0), "only the third row was read");
}
