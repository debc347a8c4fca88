//! Random programs: every union is true of numbers, and the result has the raw adjoint's values.

use super::corpus::{C, Case, H, N, all};
use super::shadow::Shadow;
use crate::graph::*;
use crate::simplify::analysis::Facts;
use crate::simplify::build::build;
use crate::simplify::{Stop, rules, saturate};
use std::collections::BTreeMap;

/// Saturates with fingerprints on: a union of unequal values panics, with the rule instance.
pub fn check_unions(case: &Case) -> BTreeMap<&'static str, usize> {
    let mut facts = Facts::new(&case.graph, &[]);
    facts.shadow = Some(Shadow::new(&case.graph, &case.env(99)));
    let roots: Vec<NodeId> = case.grads.iter().chain(&case.outputs).copied().collect();
    let mut built = build(facts, &roots).expect("no exponent overflows");
    let mut fired = BTreeMap::new();
    let (stop, _) = saturate::saturate(&mut built.egraph, &mut fired);
    assert_eq!(stop, Stop::Saturated, "{}", case.name);
    let forward = case.graph.ids().filter(|id| case.graph.is_forward(*id));
    let forward: Vec<egg::Id> = forward.filter_map(|id| built.classes[id.0 as usize]).collect();
    for (rule, count) in rules::shape::apply(&mut built.egraph, &forward) {
        *fired.entry(rule).or_default() += count;
    }
    assert!(!built.egraph.analysis.conflict);
    fired
}

pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

pub fn random_case(seed: u64, operators: usize) -> Case {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    for _ in 0..10 {
        dice.roll(2);
    }
    let mut c = Case::new("random");
    let x = c.input("x", &[N, C, H]);
    let (a, b) = (c.input("a", &[C]), c.input("b", &[N, H]));
    let eps = c.host("eps", 1e-3);
    let mut pool = vec![x, a, b, x];
    for _ in 0..operators {
        let pick = |dice: &mut Dice| {
            let recent = pool.len() as u64 - dice.roll(pool.len() as u64).min(dice.roll(pool.len() as u64));
            pool[recent as usize - 1]
        };
        let (p, q) = (pick(&mut dice), pick(&mut dice));
        let axes: Vec<AxisId> = c.graph.axes_of(p).iter().filter(|_| dice.roll(2) == 0).collect();
        let value = operator(&mut c, dice.roll(18), p, q, &axes, eps);
        pool.push(value);
    }
    let y = pool[pool.len() - 1];
    c.done(y)
}

fn operator(c: &mut Case, kind: u64, p: NodeId, q: NodeId, axes: &[AxisId], eps: NodeId) -> NodeId {
    use UnaryOp::*;
    match kind {
        0 | 1 => c.add(p, q),
        2 | 3 => c.sub(p, q),
        4 | 5 => c.mul(p, q),
        6 => {
            let sq = c.graph.powi(q, 2);
            let v = c.add(sq, eps);
            let s = c.un(Sqrt, v);
            c.div(p, s)
        }
        7 => {
            let t = c.un(Tanh, p);
            c.un(Exp, t)
        }
        8 => c.un(Tanh, p),
        9 | 10 => c.mean(p, axes),
        11 => c.sum(p, axes),
        12 => {
            let m = c.mean(p, axes);
            c.sub(p, m)
        }
        13 => {
            let sq = c.graph.powi(p, 2);
            let m = c.mean(sq, axes);
            let v = c.add(m, eps);
            let r = c.un(Rsqrt, v);
            c.mul(p, r)
        }
        14 => {
            let zero = c.num(0.0);
            let mask = c.graph.binary(BinaryOp::Gt, p, zero);
            c.graph.select(mask, q, p)
        }
        15 if !axes.is_empty() => {
            let (_, e, z) = c.softmax_parts(p, axes);
            c.div(e, z)
        }
        16 => {
            let a = c.un(Abs, p);
            let b = c.un(Sign, q);
            c.mul(a, b)
        }
        _ => c.un(Sigmoid, p),
    }
}

/// The least distance of a compared value from 0, where a branch could go either way.
pub fn knife_edge(case: &Case) -> bool {
    let values = case.graph.eval(&case.env(99));
    let near = |id: NodeId| values[id.0 as usize].iter().any(|v| v.abs() < 1e-9);
    case.graph.ids().any(|id| match case.graph.op(id) {
        Op::Binary(op, a, b) if op.is_mask() => case.graph.as_num(*b) == Some(0.0) && near(*a),
        Op::Unary(UnaryOp::Sign, x) => near(*x),
        _ => false,
    })
}

#[test]
fn every_union_in_the_corpus_is_true() {
    let mut fired: BTreeMap<&str, usize> = BTreeMap::new();
    for case in all() {
        for (rule, count) in check_unions(&case) {
            *fired.entry(rule).or_default() += count;
        }
    }
    for seed in 0..150 {
        let case = random_case(seed, 4 + seed as usize % 12);
        if !knife_edge(&case) {
            for (rule, count) in check_unions(&case) {
                *fired.entry(rule).or_default() += count;
            }
        }
    }
    println!("{fired:?}");
    for rule in rules::TABLE {
        let by_constructor = matches!(rule.apply, rules::Apply::Construct);
        assert!(by_constructor || fired.contains_key(rule.name), "{} never fires", rule.name);
    }
}

#[test]
fn random_programs_keep_their_gradients() {
    let mut left = (0, 0);
    for seed in 0..150 {
        let case = random_case(1000 + seed, 4 + seed as usize % 12);
        if knife_edge(&case) {
            continue;
        }
        let s = case.simplified();
        assert_eq!(s.report.stop, Stop::Saturated, "seed {seed}");
        case.check(&s);
        let raw = super::forms::unsimplified(&case);
        left.0 += super::forms::reductions(&case, &s);
        left.1 += super::forms::reductions(&case, &raw);
    }
    println!("reductions {} of {}", left.0, left.1);
    assert!(10 * left.0 < 9 * left.1, "reductions left: {} of {}", left.0, left.1);
}
