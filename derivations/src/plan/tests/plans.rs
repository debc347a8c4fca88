//! Plans in full, as the simplified backward and the usual roots ask for them, and the edges of the contract.

use super::formula::Formula;
use super::layers::{scaled, x4};
use super::verify;
use crate::graph::*;
use crate::plan::{Elem, Phase, Plan, Root, Scope, cost, describe, interpret, plan};
use expect_test::{Expect, expect};

/// Plans, verifies and prints.
fn show(f: &Formula, roots: &[Root], given: &[(NodeId, Elem)], expected: Expect) -> Plan {
    let env = f.env(3);
    let values = f.graph.eval(&env);
    let plan = verify(&f.graph, &env, &values, roots, given);
    expected.assert_eq(&describe(&f.graph, &plan));
    plan
}

#[test]
fn batch_norm_simplified() {
    let (mut f, x) = x4();
    let eps = f.host("eps", 0.1);
    let (gamma, beta) = (f.input("gamma", "C"), f.input("beta", "C"));
    let mu = f.mean(x, "N H W");
    f.name(mu, "mu");
    let xc = f.sub(x, mu);
    let square = f.sq(xc);
    let var = f.mean(square, "N H W");
    f.name(var, "var");
    let shifted = f.add(var, eps);
    let rstd = f.un(UnaryOp::Rsqrt, shifted);
    f.name(rstd, "rstd");
    let scale = f.mul(gamma, rstd);
    let y = f.mul(scale, xc);
    let y = f.add(y, beta);
    let dy = f.cotangent(0, y);
    // γ·rstd·(dy − Σdy/m − (x − μ)·rstd²·Σ(dy·(x − μ))/m)
    let sum_dy = f.sum(dy, "N H W");
    let product = f.mul(dy, xc);
    let sum_dy_xc = f.sum(product, "N H W");
    let dgamma = f.mul(rstd, sum_dy_xc);
    let count = f.set("N H W");
    let count = f.graph.lens(count);
    let (a, b) = (f.div(sum_dy, count), f.div(sum_dy_xc, count));
    let rstd2 = f.sq(rstd);
    let b = f.mul(rstd2, b);
    let b = f.mul(b, xc);
    let d = f.sub(dy, a);
    let d = f.sub(d, b);
    let dx = f.mul(scale, d);
    show(
        &f,
        &[Root::output(y), Root::saved(mu), Root::saved(rstd)],
        &[],
        expect![[r#"
            nest over [C]
              sweep [N,C,H,W]
                sum_x[C] (block, wide) = sum_{N,H,W} x
              each [C]
                let mu = sum_x / ((len(N) * len(H)) * len(W))
                mu[C] (root 1, wide) = mu
              sweep [N,C,H,W]
                let v1 = x - mu
                sum[C] (block, wide) = sum_{N,H,W} (v1 * v1)
              each [C]
                let var = sum / ((len(N) * len(H)) * len(W))
                let rstd = rsqrt((var + eps))
                rstd[C] (root 2, wide) = rstd
                gamma_rstd[C] (block, wide) = (gamma * rstd)
              sweep [N,C,H,W]
                out[N,C,H,W] (root 0, data) = ((gamma_rstd * (x - mu)) + beta)
        "#]],
    );
    let given = [(mu, Elem::Wide), (rstd, Elem::Wide), (y, Elem::Data)];
    let plan = show(
        &f,
        &[Root::gradient(dx), Root::gradient(dgamma), Root::gradient(sum_dy)],
        &given,
        expect![[r#"
            small
              each [C]
                gamma_rstd[C] (memory, wide) = (gamma * rstd)
            nest over [C]
              sweep [N,C,H,W]
                sum_dy[C] (memory, wide) = sum_{N,H,W} dy
                sum[C] (memory, wide) = sum_{N,H,W} (dy * (x - mu))
              each [C]
                let v1 = (len(N) * len(H)) * len(W)
                mean_dy[C] (block, wide) = (sum_dy / v1)
                value[C] (block, wide) = ((rstd * rstd) * (sum / v1))
              sweep [N,C,H,W]
                out_2[N,C,H,W] (root 0, data) = (gamma_rstd * ((dy - mean_dy) - (value * (x - mu))))
            after
              each [C]
                sum_dy_2[C] (root 2, data) = sum_dy
                out[C] (root 1, data) = (rstd * sum)
        "#]],
    );
    let c = cost(&f.graph, &plan);
    assert_eq!((c.nests, c.sweeps, c.full_reductions, c.full_reads, c.full_writes), (1, 2, 2, 2, 1));
}

#[test]
fn softmax_of_a_middle_axis() {
    let (mut f, x) = x4();
    let y = f.softmax(x, "C");
    show(
        &f,
        &[Root::output(y)],
        &[],
        expect![[r#"
            nest over [N,H,W]
              sweep [N,C,H,W]
                max_x[N,H,W] (block, wide) = max_{C} x
              sweep [N,C,H,W]
                let v1 = exp((x - max_x))
                exp_xc[N,C,H,W] (block, data) = v1
                sum[N,H,W] (block, wide) = sum_{C} v1
              each [N,H,W]
                value[N,H,W] (block, wide) = recip(sum)
              sweep [N,C,H,W]
                out[N,C,H,W] (root 0, data) = (exp_xc * value)
        "#]],
    );
}

#[test]
fn a_max_pool_saves_where() {
    let mut f = Formula::nchw([1, 2, 4, 4]);
    for (name, len, canonical) in [("OH", 2, 14), ("OW", 2, 14), ("KH", 2, 2), ("KW", 2, 2)] {
        f.axis(name, len, canonical);
    }
    let x = f.input("x", "N C H W");
    let (s, p) = (f.host_int("stride", 2), f.host_int("padding", 0));
    let both = [f.sliding("H OH KH", s, p), f.sliding("W OW KW", s, p)];
    let (view, valid) = f.window(x, &both);
    let y = f.reduce_holes(ReduceOp::Max, view, "KH KW", &valid);
    let arg = f.reduce_holes(ReduceOp::ArgMax, view, "KH KW", &valid);
    let dy = f.cotangent(0, y);
    let grads = crate::differentiate::reverse(&mut f.graph, &[(y, dy)], &[x]);
    let forward = show(
        &f,
        &[Root::output(y), Root::saved(arg)],
        &[],
        expect![[r#"
        nest over [N,C,OH,OW]
          sweep [N,C,OH,OW,KH,KW] where 0 ≤ stride*OH + KH + (0 - padding) < |H|, 0 ≤ stride*OW + KW + (0 - padding) < |W|
            max_x[N,C,OH,OW] (root 0, data) = max_{KH,KW} x[H = stride*OH + KH + (0 - padding), W = stride*OW + KW + (0 - padding)]
            argmax_x[N,C,OH,OW] (root 1, index) = argmax_{KH,KW} x[H = stride*OH + KH + (0 - padding), W = stride*OW + KW + (0 - padding)]
    "#]],
    );
    assert_eq!(forward.temps[1].elem, Elem::Index);
    show(
        &f,
        &[Root::gradient(grads[0])],
        &[(arg, Elem::Index)],
        expect![[r#"
            nest over [N,C,H,W]
              sweep [N,C,H,W,KH,KW] where 0 ≤ (H - KH + padding) / stride < |OH|, 0 ≤ (W - KW + padding) / stride < |OW|, stride | H - KH + padding, stride | W - KW + padding
                sum[N,C,H,W] (root 0, data) = sum_{KH,KW} select(eq(index(KH,KW), given0[OH = (H - KH + padding) / stride, OW = (W - KW + padding) / stride]), dy[OH = (H - KH + padding) / stride, OW = (W - KW + padding) / stride], 0)
        "#]],
    );
}

#[test]
fn a_whole_array_reduction_is_parallel_too() {
    let (mut f, x) = x4();
    let square = f.sq(x);
    let y = f.mean(square, "N C H W");
    show(
        &f,
        &[Root::output(y)],
        &[],
        expect![[r#"
        nest over [N,C,H,W]
          sweep [N,C,H,W]
            sum_sq_x[] (memory, wide) = sum_{N,C,H,W} (x * x)
        after
          each []
            mean_sq_x[] (root 0, data) = (sum_sq_x / (((len(N) * len(C)) * len(H)) * len(W)))
    "#]],
    );
}

#[test]
fn roots_that_need_no_computation() {
    let (mut f, x) = x4();
    let two = f.num(2.0);
    let m = f.mean(x, "N H W");
    let eps = f.host("eps", 0.1);
    let index = f.index("H");
    let roots = [
        Root::output(x),
        Root::output(two),
        Root::gradient(m),
        Root::gradient(m),
        Root::output(eps),
        Root::output(index),
        Root::saved(m),
    ];
    show(
        &f,
        &roots,
        &[],
        expect![[r#"
            small
              each []
                out[] (root 1, data) = 2
                out_2[] (root 4, data) = eps
              each [H]
                out_3[H] (root 5, data) = index(H)
            nest over [C]
              sweep [N,C,H,W]
                x_2[N,C,H,W] (root 0, data) = x
                sum_x[C] (memory, wide) = sum_{N,H,W} x
            after
              each [C]
                let v1 = sum_x / ((len(N) * len(H)) * len(W))
                mean_x[C] (root 6, wide) = v1
                mean_x_2[C] (root 2, data) = v1
                mean_x_3[C] (root 3, data) = v1
        "#]],
    );
    show(
        &f,
        &[Root::output(m), Root::gradient(m)],
        &[(m, Elem::Wide)],
        expect![[r#"
        nest over [C]
          sweep [C]
            mean_x[C] (root 0, data) = given0
            mean_x_2[C] (root 1, data) = given0
    "#]],
    );
}

#[test]
fn broadcasts_are_stored_by_their_reader() {
    let (mut f, x) = x4();
    let m = f.mean(x, "H W");
    let all = f.set("N C H");
    let wide = f.graph.broadcast(m, all);
    let e = f.exp(m);
    let same = f.graph.broadcast(e, all);
    show(
        &f,
        &[Root::gradient(wide), Root::gradient(same)],
        &[],
        expect![[r#"
        nest over [N,C]
          sweep [N,C,H,W]
            sum_x[N,C] (block, wide) = sum_{H,W} x
          sweep [N,C,H]
            let v1 = sum_x / (len(H) * len(W))
            mean_x[N,C,H] (root 0, data) = v1
            out[N,C,H] (root 1, data) = exp(v1)
    "#]],
    );
}

#[test]
fn a_gradient_is_never_read_back() {
    let (mut f, x) = x4();
    let e = f.exp(x);
    let s = f.sum(e, "C");
    let t = f.mul(e, s);
    let roots = [Root::gradient(s), Root::gradient(e), Root::gradient(t)];
    let env = f.env(3);
    let values = f.graph.eval(&env);
    let plan = verify(&f.graph, &env, &values, &roots, &[]);
    let bodies = plan.phases.iter().flat_map(|p| match p {
        Phase::Nest(n) => n.steps.iter().chain(&n.after).map(|s| &s.body).collect::<Vec<_>>(),
        _ => vec![],
    });
    for operand in bodies.flat_map(|b| &b.operands) {
        if let crate::plan::Leaf::Temp(t) = operand.leaf {
            assert!(!matches!(plan.temps[t.0 as usize].scope, Scope::Root(_)));
        }
    }
}

#[test]
fn an_index_as_data_is_copied() {
    let (mut f, x) = x4();
    let arg = f.reduce(ReduceOp::ArgMax, x, "C W");
    show(
        &f,
        &[Root::output(arg)],
        &[],
        expect![[r#"
        nest over [N,H]
          sweep [N,C,H,W]
            argmax_x[N,H] (memory, index) = argmax_{C,W} x
        after
          each [N,H]
            argmax_x_2[N,H] (root 0, data) = argmax_x
    "#]],
    );
}

#[test]
fn deep_formulas_neither_overflow_nor_explode() {
    let (mut f, x) = x4();
    let mut y = x;
    for _ in 0..3000 {
        y = f.un(UnaryOp::Tanh, y);
    }
    let mut square = x;
    for _ in 0..60 {
        square = f.sq(square);
    }
    let sum = f.sum(square, "N");
    let plan = plan(&f.graph, &[Root::output(y), Root::output(sum)], &[]);
    assert!(cost(&f.graph, &plan).sweeps > 0);
    assert!(describe(&f.graph, &plan).len() < 1 << 20);
}

#[test]
fn names_are_identifiers_and_unique() {
    let (mut f, x) = x4();
    let eps = f.host("eps", 0.1);
    let n = f.norm(x, "N H W", eps);
    let y = scaled(&mut f, n, "C");
    f.name(y, "x");
    let plan = plan(&f.graph, &[Root::output(y)], &[]);
    let mut names: Vec<&str> = plan.temps.iter().map(|t| t.name.as_str()).collect();
    assert!(names.iter().all(|n| n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')));
    assert!(!names.contains(&"x"), "the input's name is the input's: {names:?}");
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn shadowed_names_are_told_apart() {
    let (mut f, x) = x4();
    let a = f.exp(x);
    f.name(a, "x");
    let b = f.add(a, x);
    f.name(b, "x");
    let y = f.mul(a, b);
    show(
        &f,
        &[Root::output(y)],
        &[],
        expect![[r#"
        nest over [N,C,H,W]
          sweep [N,C,H,W]
            let x_2 = exp(x)
            let x_3 = x_2 + x
            x_x[N,C,H,W] (root 0, data) = (x_2 * x_3)
    "#]],
    );
}

#[test]
fn the_same_plan_every_time() {
    for (_, f, outputs) in super::layers::all() {
        let roots: Vec<Root> = outputs.iter().map(|y| Root::output(*y)).collect();
        assert_eq!(format!("{:?}", plan(&f.graph, &roots, &[]).phases), format!("{:?}", plan(&f.graph, &roots, &[]).phases));
    }
}

/// A softmax's plan, spoilt: the interpreter must notice.
#[test]
fn the_interpreter_notices_wrong_plans() {
    let (mut f, x) = x4();
    let y = f.softmax(x, "C");
    let good = plan(&f.graph, &[Root::output(y)], &[]);
    let env = f.env(3);
    assert!(interpret::run(&f.graph, &good, &env, &[]).is_ok());
    let nest = |p: &mut Plan, change: &dyn Fn(&mut crate::plan::Nest)| match &mut p.phases[0] {
        Phase::Nest(n) => change(n),
        _ => unreachable!("a nest"),
    };
    let mut swapped = good.clone();
    nest(&mut swapped, &|n| n.steps.swap(0, 1));
    let mut cut = good.clone();
    nest(&mut cut, &|n| drop(n.steps.pop()));
    let mut wider = good.clone();
    nest(&mut wider, &|n| n.outer = n.steps[0].domain);
    for plan in [swapped, cut, wider] {
        assert!(interpret::run(&f.graph, &plan, &env, &[]).is_err());
    }
}
