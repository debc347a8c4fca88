//! Small and odd problems, what is kept, and what happens when something is wrong.

use super::corpus::{C, Case, N, all};
use super::forms::{show, unsimplified};
use crate::graph::*;
use crate::simplify::analysis::{EGraph, Facts};
use crate::simplify::cost::Sizes;
use crate::simplify::language::Expr;
use crate::simplify::rational::Rational;
use crate::simplify::rebuild::lower;
use crate::simplify::{Options, Problem, Stop, rules, saturate, saves, simplify};
use std::collections::BTreeMap;

fn texts(case: &Case) -> Vec<String> {
    let s = case.simplified();
    case.check(&s);
    s.grads.iter().map(|g| show(&s.graph, *g)).collect()
}

#[test]
fn what_is_kept_is_known_before_any_cotangent() {
    for case in all() {
        for s in [case.simplified(), unsimplified(&case)] {
            let depends = saves::cotangent_nodes(&s.graph);
            for id in &s.saved {
                assert!(!depends[id.0 as usize], "{}: {}", case.name, show(&s.graph, *id));
                assert!(!case.outputs.contains(id) && !matches!(s.graph.op(*id), Op::Input(_)), "{}", case.name);
            }
            assert!(s.saved.is_sorted());
        }
    }
}

#[test]
fn nothing_to_do() {
    let mut c = Case::new("identity");
    let x = c.input("x", &[N]);
    let unused = c.input("unused", &[C]);
    let c = c.done(x);
    assert_eq!(texts(&c), ["dy", "0"]);
    let none = Problem { graph: &c.graph, outputs: vec![x, unused], states: vec![], grads: vec![] };
    let s = simplify(&none, &Options::default());
    assert_eq!((s.grads, s.saved), (vec![], vec![]));
}

#[test]
fn a_gradient_may_lack_axes() {
    let mut c = Case::new("sum");
    let x = c.input("x", &[N, C]);
    let y = c.sum(x, &[N, C]);
    assert_eq!(texts(&c.done(y)), ["dy"]);
}

#[test]
fn a_learned_scalar() {
    let mut c = Case::new("scale");
    let x = c.input("x", &[N, C]);
    let t = c.graph.add_input("t", &[], InputKind::DiffScalar);
    c.wrt.push(t);
    let tx = c.mul(t, x);
    let y = c.mul(tx, t);
    assert_eq!(texts(&c.done(y)), ["t^2*dy", "2*t*sum[NC](x*dy)"]);
}

#[test]
fn a_square_root_of_a_square_is_no_identity() {
    let mut c = Case::new("root");
    let x = c.input("x", &[N]);
    let sq = c.mul(x, x);
    let y = c.un(UnaryOp::Sqrt, sq);
    let c = c.done(y);
    c.check(&c.simplified());
}

/// What the user subtracted is not taken apart for the sake of a term that does not go away.
#[test]
fn a_difference_is_opened_only_where_a_term_cancels() {
    let text = |times: f64| {
        let mut c = Case::new("difference");
        let x = c.input("x", &[N, C]);
        let [m, n] = ["m", "n"].map(|name| c.graph.add_input(name, &[N, C], InputKind::Constant));
        let (d, k, two) = (c.sub(m, n), c.num(times), c.num(2.0));
        let (km, kn) = (c.mul(k, m), c.mul(two, n));
        let parts = [d, km, kn].map(|part| c.mul(x, part));
        let sum = c.add(parts[0], parts[1]);
        let y = c.add(sum, parts[2]);
        texts(&c.done(y)).remove(0)
    };
    assert_eq!(text(-1.0), "n*dy");
    assert_eq!(text(3.0), "dy*(((m - n) + 3*m) + 2*n)");
}

#[test]
fn a_common_denominator_leaves_what_remains() {
    // z − z·g/(1 + g)
    let mut c = Case::new("share");
    let (z, g) = (c.input("z", &[N, C]), c.graph.add_input("g", &[N, C], InputKind::Constant));
    let one = c.num(1.0);
    let under = c.add(one, g);
    let share = c.div(g, under);
    let part = c.mul(z, share);
    let y = c.sub(z, part);
    assert_eq!(texts(&c.done(y)), ["(dy/(1 + g))"]);
}

#[test]
fn a_mask_keeps_what_it_guards() {
    // n > 0 is what keeps 1/n finite: it stays inside
    let mut c = Case::new("safe norm");
    let (x, n) = (c.input("x", &[N, C]), c.input("n", &[N]));
    let zero = c.num(0.0);
    let mask = c.graph.binary(BinaryOp::Gt, n, zero);
    let q = c.div(x, n);
    let y = c.graph.select(mask, q, zero);
    let sq = c.mul(y, y);
    let c = c.done(sq);
    let s = c.simplified();
    let mut env = c.env(1);
    env.inputs[1] = vec![0.0, 0.5, -0.5];
    let (raw, new) = (c.graph.eval(&env), s.graph.eval(&env));
    for (a, b) in c.grads.iter().zip(&s.grads) {
        let nans = |v: &Vec<f64>| v.iter().filter(|x| x.is_nan()).count();
        assert!(nans(&new[b.0 as usize]) <= nans(&raw[a.0 as usize]));
    }
}

#[test]
fn huge_exponents_and_extents_do_not_overflow() {
    let mut c = Case::new("huge");
    let x = c.input("x", &[N, C]);
    for axis in &mut c.graph.axes {
        axis.canonical = u64::MAX;
    }
    let mut h = c.graph.powi(x, i32::MAX);
    for _ in 0..3 {
        h = c.graph.powi(h, i32::MAX);
    }
    let y = c.sum(h, &[C]);
    let c = c.done(y);
    let s = c.simplified();
    assert_eq!(s.grads.len(), 1);
}

#[test]
fn two_constants_made_equal_are_noticed() {
    let graph = Graph::default();
    let mut eg = EGraph::new(Facts::new(&graph, &[]));
    let (one, two) = (eg.add(Expr::Num(Rational::ONE)), eg.add(Expr::Num(Rational::int(2))));
    eg.union(one, two);
    eg.rebuild();
    let (stop, _) = saturate::saturate(&mut eg, &mut BTreeMap::new());
    assert_eq!(stop, Stop::Inconsistent);
}

#[test]
fn switched_off_the_raw_adjoint_stays() {
    for case in all() {
        let s = unsimplified(&case);
        assert_eq!(s.report.stop, Stop::Disabled);
        assert_eq!(s.grads, case.grads);
        assert_eq!(s.graph.len(), case.graph.len());
    }
}

#[test]
fn the_cut_is_cheap_and_near_the_gradients() {
    // y = exp(h)·w with h = Σ x·w: h must be in memory, exp(h) is rebuilt from it
    let mut c = Case::new("cut");
    let (x, w) = (c.input("x", &[N, C]), c.input("w", &[C]));
    let xw = c.mul(x, w);
    let h = c.sum(xw, &[C]);
    let e = c.un(UnaryOp::Exp, h);
    let s = c.un(UnaryOp::Sin, e);
    let y = c.mul(s, w);
    let c = c.done(y);
    let cut = saves::minimum_cut(&c.graph, &Sizes::of(&c.graph), &c.outputs, &c.grads);
    assert_eq!(cut.iter().map(|id| show(&c.graph, *id)).collect::<Vec<_>>(), ["sum[C](x*w)"]);
}

#[test]
fn expressions_become_natural_operators() {
    let mut graph = Graph::default();
    let n = graph.add_axis("N", None, 4);
    let (a, b) = (graph.add_input("a", &[n], InputKind::Tensor), graph.add_input("b", &[n], InputKind::Tensor));
    let facts = Facts::new(&graph, &[]);
    let mut copy = graph.clone();
    let id = egg::Id::from(0);
    let mut text = |exponents: &[(i64, i64)]| {
        let factors = exponents.iter().map(|(n, d)| (id, Rational { n: *n, d: *d }));
        let node = lower(&mut copy, &facts, &Expr::prod(factors), &[a, b][..exponents.len()]);
        show(&copy, node)
    };
    assert_eq!(text(&[(1, 1), (-1, 1)]), "(a/b)");
    assert_eq!(text(&[(-1, 1)]), "recip(a)");
    assert_eq!(text(&[(1, 2), (-1, 2)]), "sqrt(a)*rsqrt(b)");
    assert_eq!(text(&[(2, 1), (-3, 1)]), "(a^2/b^3)");
    assert_eq!(text(&[(-3, 2)]), "rsqrt(a)^3");
    assert_eq!(text(&[(3, 4)]), "powf(a, 0.75)");
}

#[test]
fn the_steps_tell_how_a_result_was_found() {
    let case = all().into_iter().find(|c| c.name == "batch_norm").expect("a formula of the corpus");
    let s = case.simplified();
    for step in &s.report.steps {
        assert!(rules::TABLE.iter().any(|r| r.name == step.rule), "{}", step.rule);
        assert_ne!(step.before, step.after);
    }
    for rule in ["hoist", "centred", "factor", "refold"] {
        assert!(s.report.steps.iter().any(|step| step.rule == rule), "{rule} is missing");
    }
    let centred = s.report.steps.iter().find(|step| step.rule == "centred").expect("was found");
    assert_eq!((centred.before.as_str(), centred.after.as_str()), ("sum(x - mu, (N, H, W))", "0"));
    assert!(s.report.steps.len() < 40, "{} steps", s.report.steps.len());
}
