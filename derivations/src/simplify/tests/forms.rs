//! What the formulas of the corpus become.

use super::corpus::{Case, all};
use crate::graph::*;
use crate::simplify::cost::Sizes;
use crate::simplify::rules::TABLE;
use crate::simplify::saves::is_barrier;
use crate::simplify::{Options, Simplified, simplify};
use expect_test::{Expect, expect};

/// One node as text, with the user's inputs by name.
pub fn show(graph: &Graph, id: NodeId) -> String {
    if let Some(name) = graph.names.get(&id) {
        return name.clone();
    }
    let s = |x: &NodeId| show(graph, *x);
    let axes = |a: &[AxisId]| a.iter().map(|a| graph.axes[a.0 as usize].name.clone()).collect::<Vec<_>>().join("");
    match graph.op(id) {
        Op::Input(i) => graph.inputs[i.0 as usize].name.clone(),
        Op::Num(bits) => format!("{}", f64::from_bits(*bits)),
        Op::Host(h) => graph.hosts[h.0 as usize].name.clone(),
        Op::Len(a) => format!("|{}|", axes(&[*a])),
        Op::Index(a) => format!("index({})", axes(&[*a])),
        Op::Unary(UnaryOp::Neg, x) => format!("-{}", s(x)),
        Op::Unary(op, x) => format!("{}({})", op.name(), s(x)),
        Op::Binary(BinaryOp::Add, a, b) => format!("({} + {})", s(a), s(b)),
        Op::Binary(BinaryOp::Sub, a, b) => format!("({} - {})", s(a), s(b)),
        Op::Binary(BinaryOp::Mul, a, b) => format!("{}*{}", s(a), s(b)),
        Op::Binary(BinaryOp::Div, a, b) => format!("({}/{})", s(a), s(b)),
        Op::Binary(op, a, b) => format!("{}({}, {})", op.name(), s(a), s(b)),
        Op::Powi(x, n) => format!("{}^{n}", s(x)),
        Op::Select { mask, a, b } => format!("select({}, {}, {})", s(mask), s(a), s(b)),
        Op::Reduce { op, axes: over, x, .. } => format!("{}[{}]({})", op.name(), axes(over), s(x)),
        Op::Reindex(x, _) => format!("view({})", s(x)),
        Op::Random(_) => "draw".into(),
        op => format!("{op:?}"),
    }
}

/// The backward as it will be planned: reductions over full-size domains, given what is kept.
pub fn reductions(case: &Case, s: &Simplified) -> usize {
    let sizes = Sizes::of(&s.graph);
    let mut seen = vec![false; s.graph.len()];
    let mut work = s.grads.clone();
    let mut count = 0;
    while let Some(id) = work.pop() {
        let given = s.saved.contains(&id) || case.outputs.contains(&id);
        if given || std::mem::replace(&mut seen[id.0 as usize], true) {
            continue;
        }
        count += usize::from(is_barrier(&s.graph, &sizes, id));
        work.extend(s.graph.op(id).operands());
    }
    count
}

/// The raw adjoint, with saves by minimum cut.
pub fn unsimplified(case: &Case) -> Simplified {
    simplify(&case.problem(), &Options { enabled: false, ..Options::default() })
}

/// One line a formula: reductions in the raw backward and in the simplified one, sweeps, what is kept.
fn line(case: &Case) -> String {
    let (s, raw) = (case.simplified(), unsimplified(case));
    case.check(&s);
    case.check(&raw);
    let kept = |s: &Simplified| s.saved.iter().map(|id| definition(&s.graph, *id)).collect::<Vec<_>>().join(", ");
    let sweeps = s.report.cost.expect("was extracted").sweeps;
    let counts = format!("{}->{}", reductions(case, &raw), reductions(case, &s));
    format!("{:20} {counts:7} {sweeps} {{{}}} raw {{{}}}\n", case.name, kept(&s), kept(&raw))
}

/// A name, or the node's expression.
fn definition(graph: &Graph, id: NodeId) -> String {
    let text = show(graph, id);
    if text.len() > 60 { format!("{}…", text.chars().take(60).collect::<String>()) } else { text }
}

#[test]
fn what_every_formula_becomes() {
    let table: String = all().iter().map(line).collect();
    expect![[r#"
        batch_norm           4->2    2 {mu, recip(sigma)} raw {sum[NHW](x), sum[NHW]((x - mu)^2)}
        layer_norm           4->4    2 {mu, recip(sigma)} raw {sum[C](x), sum[C]((x - mu)^2)}
        group_norm           4->2    2 {mu, recip(sigma)} raw {sum[HWD](x), sum[HWD]((x - mu)^2)}
        rms_norm             2->2    2 {recip(sigma)} raw {sum[C](x^2)}
        l2_normalise         1->1    2 {recip(sigma)} raw {sum[C](x^2)}
        softmax              2->1    2 {} raw {m, z, argmax[C](x)}
        log_softmax          2->1    2 {m, z} raw {m, z, argmax[C](x)}
        cross_entropy        1->0    1 {m, z} raw {m, z, argmax[C](x)}
        cosine_similarity    0->0    1 {(sum[C](a*a) + eps), (sum[C](b*b) + eps)} raw {sum[C](a*a), sum[C](b*b)}
        relu                 0->0    1 {} raw {}
        leaky                0->0    1 {} raw {}
        sigmoid              0->0    1 {} raw {}
        tanh                 0->0    1 {} raw {}
        silu                 0->0    1 {} raw {}
        softsign             0->0    1 {} raw {}
        gelu_erf             0->0    1 {} raw {}
        gelu_tanh            0->0    1 {} raw {}
        centred              1->1    2 {} raw {}
        mse                  0->0    1 {} raw {}
        attention            6->5    3 {scores, m, z} raw {scores, m, z, argmax[W](scores)}
        perceptron           3->3    1 {le((z + b), 0)} raw {le((z + b), 0)}
        padded_mean          1->1    1 {} raw {}
        max_pool             1->1    1 {argmax[D](view(x))} raw {argmax[D](view(x))}
        mean_pool            1->1    1 {} raw {}
        bn                   4->2    2 {mu, recip(sigma)} raw {sum[NHW](x), sum[NHW]((x - mu)^2)}
        bn_relu              4->2    2 {mu, sigma} raw {sum[NHW](x), sum[NHW]((x - mu)^2)}
        bn_relu_dropout      4->2    2 {mu, sigma} raw {sum[NHW](x), sum[NHW]((x - mu)^2)}
        bn_relu_dropout_add  4->2    2 {mu, sigma} raw {sum[NHW](x), sum[NHW]((x - mu)^2)}
        chain5               8->4    3 {mu, sigma, mu2, recip(sigma2)} raw {sum[NHW](x), sum[NHW]((x - mu)^2), sum[CHW](((max((gamma*((x - mu)/sigma) + beta), 0)*draw/keep…, sum[CHW]((((max((gamma*((x - mu)/sigma) + beta), 0)*draw/kee…}
        chain5_x2            16->9   5 {mu, sigma, mu2, sigma2, mu3, sigma3, mu4, recip(sigma4)} raw {sum[NHW](x), sum[NHW]((x - mu)^2), sum[CHW](((max((gamma*((x - mu)/sigma) + beta), 0)*draw/keep…, sum[CHW]((((max((gamma*((x - mu)/sigma) + beta), 0)*draw/kee…, sum[NHW]((gamma*((((max((gamma*((x - mu)/sigma) + beta), 0)*…, sum[NHW](((gamma*((((max((gamma*((x - mu)/sigma) + beta), 0)…, sum[CHW](((max((gamma*(((gamma*((((max((gamma*((x - mu)/sigm…, sum[CHW]((((max((gamma*(((gamma*((((max((gamma*((x - mu)/sig…}
        ln_x2                8->8    3 {mu, mu2, recip(sigma), recip(sigma2)} raw {sum[C](x), sum[C]((x - mu)^2), sum[C]((gamma*((x - mu)/sigma) + beta)), sum[C](((gamma*((x - mu)/sigma) + beta) - mu2)^2)}
        ln_x3                12->12  4 {mu, mu2, mu3, recip(sigma), recip(sigma2), recip(sigma3)} raw {sum[C](x), sum[C]((x - mu)^2), sum[C]((gamma*((x - mu)/sigma) + beta)), sum[C](((gamma*((x - mu)/sigma) + beta) - mu2)^2), sum[C]((gamma*(((gamma*((x - mu)/sigma) + beta) - mu2)/sigma…, sum[C](((gamma*(((gamma*((x - mu)/sigma) + beta) - mu2)/sigm…}
    "#]].assert_eq(&table);
}

/// The gradients as text.
fn check(name: &str, expected: Expect) {
    let case = all().into_iter().find(|c| c.name == name).expect("a formula of the corpus");
    let s = case.simplified();
    let lines: Vec<String> = s.grads.iter().map(|g| show(&s.graph, *g) + "\n").collect();
    expected.assert_eq(&lines.concat());
}

#[test]
fn batch_norm_is_the_published_form() {
    check(
        "batch_norm",
        expect![[r#"
        gamma*recip(sigma)*((dy - (sum[NHW](dy)/|N|*|H|*|W|)) - (sum[NHW]((x - mu)*dy)*recip(sigma)^2/|N|*|H|*|W|)*(x - mu))
        recip(sigma)*sum[NHW]((x - mu)*dy)
        sum[NHW](dy)
    "#]],
    );
}

#[test]
fn softmax_and_cross_entropy_are_the_published_forms() {
    check(
        "softmax",
        expect![[r#"
        (exp((x - m))/z)*(dy - sum[C]((exp((x - m))/z)*dy))
    "#]],
    );
    check(
        "log_softmax",
        expect![[r#"
        (dy - (sum[C](dy)/z)*exp((x - m)))
    "#]],
    );
    check(
        "cross_entropy",
        expect![[r#"
        (select(eq(index(C), label), -(dy/|N|), 0) + ((dy/|N|)/z)*exp((x - m)))
    "#]],
    );
}

#[test]
fn activations_read_their_input_or_output_alone() {
    for name in ["relu", "sigmoid", "tanh", "silu", "softsign", "gelu_erf", "gelu_tanh"] {
        let case = all().into_iter().find(|c| c.name == name).expect("a formula of the corpus");
        assert_eq!(case.simplified().saved, [], "{name}");
    }
    check(
        "gelu_erf",
        expect![[r#"
        0.5*dy*((1 + erf(0.7071067811865476*x)) + 1.1283791670955126*0.7071067811865476*x*exp(-0.7071067811865476*x^2))
    "#]],
    );
    check(
        "silu",
        expect![[r#"
        sigmoid(x)*dy*(1 + x*(1 - sigmoid(x)))
    "#]],
    );
    check(
        "softsign",
        expect![[r#"
        (dy/(1 + abs(x))^2)
    "#]],
    );
}

#[test]
fn windows_and_contractions() {
    check(
        "max_pool",
        expect![[r#"
        sum[D](view(select(eq(index(D), argmax[D](view(x))), dy, 0)))
    "#]],
    );
    check(
        "padded_mean",
        expect![[r#"
            sum[D](view((6/sum[D](1))*dy*select(Test([Range { e: Affine { terms: [(AxisId(2), IntId(2)), (AxisId(4), IntId(1))], offset: IntId(3), div: None, modulo: None }, lo: IntId(0), hi: IntId(4) }]), view(x), 0)))
        "#]],
    );
    check(
        "perceptron",
        expect![[r#"
        sum[H](w*select(le((z + b), 0), 0, dy))
        sum[N](x*select(le((z + b), 0), 0, dy))
        sum[N](select(le((z + b), 0), 0, dy))
    "#]],
    );
    check(
        "attention",
        expect![[r#"
        sum[W](k*recip(z)*exp((scores - m))*(sum[D](dy*v) - (sum[W](exp((scores - m))*sum[D](dy*v))/z)))
        sum[H](q*recip(z)*exp((scores - m))*(sum[D](dy*v) - (sum[W](exp((scores - m))*sum[D](dy*v))/z)))
        sum[H](recip(z)*dy*exp((scores - m)))
    "#]],
    );
}

#[test]
fn a_condition_is_recomputed_as_the_user_wrote_it() {
    let case = all().into_iter().find(|c| c.name == "bn_relu").expect("a formula of the corpus");
    let s = case.simplified();
    let masks = |graph: &Graph| -> Vec<String> {
        let masks = graph.ids().filter(|id| matches!(graph.op(*id), Op::Binary(op, ..) if op.is_mask()));
        masks.map(|id| show(graph, id)).collect()
    };
    assert_eq!(masks(&s.graph), masks(&case.graph));
    // and what it needs of reductions is kept: nothing is reduced again for it
    assert_eq!(s.saved.iter().map(|id| show(&s.graph, *id)).collect::<Vec<_>>(), ["mu", "sigma"]);
}

#[test]
fn forward_nodes_keep_their_ids() {
    for case in all() {
        let s = case.simplified();
        let end = case.graph.forward_end.expect("was differentiated");
        assert_eq!(s.graph.forward_end, Some(end));
        for id in (0..end).map(NodeId) {
            assert_eq!(s.graph.op(id), case.graph.op(id), "{}", case.name);
        }
    }
}

#[test]
fn the_same_problem_gives_the_same_result() {
    let text =
        |case: &Case, s: &Simplified| format!("{:?} {:?} {:?} {:?}", s.grads, s.saved, s.report, nodes(&s.graph)) + case.name;
    let first: Vec<String> = all().iter().map(|c| text(c, &c.simplified())).collect();
    let again: Vec<String> = all().iter().rev().map(|c| text(c, &c.simplified())).collect();
    assert!(first.iter().eq(again.iter().rev()));
}

fn nodes(graph: &Graph) -> Vec<&Op> {
    graph.ids().map(|id| graph.op(id)).collect()
}

#[test]
fn every_rule_can_be_switched_off() {
    for case in all().into_iter().filter(|c| ["batch_norm", "softmax", "softsign", "bn_relu"].contains(&c.name)) {
        for rule in TABLE {
            let s = simplify(&case.problem(), &Options { rules_off: vec![rule.name], enabled: true });
            case.check(&s);
            assert!(!s.report.fired.contains_key(rule.name), "{} fired", rule.name);
        }
    }
}

/// The cost of a formula with rules switched off, in percent of its cost.
fn percent(name: &str, off: &[&'static str]) -> u64 {
    let case = all().into_iter().find(|c| c.name == name).expect("a formula of the corpus");
    let cost = |off: &[&'static str]| {
        let options = Options { rules_off: off.to_vec(), enabled: true };
        simplify(&case.problem(), &options).report.cost.expect("was extracted").total
    };
    100 * cost(off) / cost(&[])
}

#[test]
fn rules_that_only_constructors_apply_are_worth_their_place() {
    assert!(percent("softsign", &["abs"]) > 100);
    assert!(percent("softsign", &["cancel_frozen"]) > 100);
}
