//! Formulas through parsing, elaboration and graph building; and what is said of wrong ones.

use super::{Library, Outcome, elaborate};
use crate::build::{Built, build};
use crate::error::Errors;
use crate::graph::eval::Env;
use crate::syntax::{Options, parse};
use approx::assert_relative_eq;

fn built(source: &str) -> Result<Vec<Built>, Vec<String>> {
    let mut errors = Errors::default();
    let options = Options::default();
    let formula = parse(&mut errors, &options, source.parse().expect("tokens"));
    let Some(formula) = formula else { return Err(errors.messages()) };
    let outcome = elaborate(&mut errors, &formula, &Library::default());
    let mut out = vec![];
    if let Outcome::Typed(typed) = outcome {
        out = typed.iter().map(|t| build(&mut errors, &formula, t)).collect();
    }
    if errors.is_empty() { Ok(out) } else { Err(errors.messages()) }
}

/// The first output of a formula without branches.
fn value(source: &str, env: Env) -> Vec<f64> {
    let built = built(source).expect("a right formula").remove(0);
    built.graph.eval(&env)[built.outputs[0].0 as usize].clone()
}

#[track_caller]
fn complains(source: &str, of: &[&str]) {
    let messages = built(source).expect_err("a wrong formula");
    assert_eq!(messages.len(), of.len(), "{messages:#?}");
    for (message, part) in messages.iter().zip(of) {
        assert!(message.contains(part), "{message}\nlacks: {part}");
    }
}

/// The engine's own table and what is done with its words agree: none falls through, which would be a panic.
#[test]
fn every_word_means_something() {
    for word in crate::syntax::vocabulary::WORDS {
        let args = vec!["x"; word.args.0].join(", ");
        let _ = built(&format!("fn f(x: Tensor<f32, N>) -> Tensor<f32, N> {{ let y = {}({args}); x }}", word.name));
    }
}

#[test]
fn a_norm_has_mean_zero() {
    let source = "fn norm(x: Tensor<f32, (N, C)>, eps: f64) -> Tensor<f32, (N, C)> {
        let mu = x.mean(N);
        let var = mean(sq(x - mu), N);
        (x - mu) / sqrt(var + eps)
    }";
    let env = Env { lens: vec![2, 2], hosts: vec![0.0], inputs: vec![vec![1.0, 5.0, 3.0, 9.0]] };
    let y = value(source, env);
    for (found, expected) in y.iter().zip([-1.0, -1.0, 1.0, 1.0]) {
        assert_relative_eq!(*found, expected);
    }
}

#[test]
fn helpers_loops_and_closures() {
    let source = "fn f(x: Tensor<f32, N>, s: f64) -> Tensor<f32, N> {
        fn twice(v: Tensor<f32, A>) -> Tensor<f32, A> { v + v }
        let mut y = x;
        for i in 0..2 { y = twice(y) + i; }
        map(y, |v| if v > 0.0 { v } else { s * v })
    }";
    let env = Env { lens: vec![2], hosts: vec![0.5], inputs: vec![vec![1.0, -2.0]] };
    let y = value(source, env);
    assert_relative_eq!(y[0], 5.0);
    assert_relative_eq!(y[1], -3.5);
}

#[test]
fn a_nested_function_sees_the_axes_around_it() {
    let source = "fn f(x: Tensor<f32, (N, C)>) -> Tensor<f32, N> {
        fn inner(t: Tensor<f32>) -> Tensor<f32, N> { sum(t, C) }
        fn swapped(t: Tensor<f32, (C, N)>) -> Tensor<f32, C> { sum(t, N) }
        fn outer(t: Tensor<f32, (C, N)>) -> Tensor<f32, C> { inner(t) }
        fn even(t: Tensor<f32>) -> Tensor<f32> { dot(t, constant([0.5, 0.5], C), C) }
        inner(x) + 100.0 * swapped(x) + 10000.0 * outer(x) + 2000000.0 * even(x)
    }";
    let env = Env { lens: vec![2, 2], hosts: vec![], inputs: vec![vec![1.0, 5.0, 3.0, 9.0]] };
    for (found, expected) in value(source, env).iter().zip([6060606.0, 12121212.0]) {
        assert_relative_eq!(*found, expected);
    }
    complains(
        "fn f(x: Tensor<f32, N>) -> Tensor<f32, N> { fn g(t: Tensor<f32>) -> Tensor<f32> { sum(t, Q) } g(x) * x }",
        &["there is no axis `Q`: there is `N`"],
    );
}

#[test]
fn branches_make_variants() {
    let source = "fn f(x: Tensor<f32, N>, b: Option<Tensor<f32, N>>, p: f64) -> Tensor<f32, N> {
        let y = if p == 1.0 { x * 0.0 } else { x / p };
        b.map_or(y, |b| y + b)
    }";
    assert_eq!(built(source).expect("right").len(), 4);
    let source = "fn f(x: Tensor<f32, N>, p: f64) -> Tensor<f32, N> {
        if ((0.0..=1.0)).contains(&p) && !(..0.5).contains(&p) { x * p } else { x }
    }";
    assert_eq!(built(source).expect("right").len(), 2);
}

#[test]
fn several_are_matched_at_once() {
    let source = "fn f(x: Tensor<f32, N>, a: Option<Tensor<f32, N>>, b: Option<Tensor<f32, N>>, k: usize) -> Tensor<f32, N> {
        let y = match (a, b) {
            (Some(a), Some(b)) => x * a + b,
            (Some(v), None) | (None, Some(v)) => x + v,
            _ => x,
        };
        if let (Some(a), 1) = (a, k) { y * a } else { y }
    }";
    assert_eq!(built(source).expect("right").len(), 6);
    complains(
        "fn f(x: Tensor<f32, N>, a: Option<Tensor<f32, N>>) -> Tensor<f32, N> { match (a, x) { (Some(a), Some(x)) => a * x, _ => x } }",
        &["chooses once a call"],
    );
    complains(
        "fn f(x: Tensor<f32, N>, a: Option<Tensor<f32, N>>) -> Tensor<f32, N> { match (a, 1) { (Some(a), 1) => a * x } }",
        &["what happens otherwise"],
    );
}

#[test]
fn the_length_of_several_axes_is_a_product() {
    let source = "fn f(x: Tensor<f32, (N, A, B)>) -> Tensor<f32, (N, A, B)> {
        fn over(v: Tensor<f32, (N, Many<S>)>) -> Tensor<f32, (N, Many<S>)> { v * (len(S) + len((N, S))) }
        over(x)
    }";
    let built = built(source).expect("a right formula").remove(0);
    let codes: Vec<&str> = built.graph.hosts.iter().map(|h| h.code.as_str()).collect();
    assert_eq!(codes, ["Number ((len_a_1 * len_b_2) + (len_n_0 * len_a_1 * len_b_2))"]);
}

#[test]
fn all_errors_are_reported_at_once() {
    complains(
        "fn f(x: Tensor<f32, (N, C)>) -> Tensor<f32, C> { sigmod(x); mean(x, Q); sqrt(x, x); mean(x, N) }",
        &["did you mean `sigmoid`", "there is no axis `Q`", "`sqrt` takes 1 argument"],
    );
    complains(
        "async fn f(x: Tensor<f32, (N, C)>, b: bool) -> Tensor<f32, C> { if b { sum(x, P) } else { sum(x, Q) } }",
        &["`async`", "there is no axis `P`", "there is no axis `Q`"],
    );
}
