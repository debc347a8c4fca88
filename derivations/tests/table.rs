//! What the plans of known layers cost, beside the best hand-written forms.

use pullback_derivations::elaborate::{Library, Outcome, elaborate};
use pullback_derivations::emit::Variant;
use pullback_derivations::error::Errors;
use pullback_derivations::syntax::{Options, parse};
use pullback_derivations::{plan, simplify, variant};

fn derive(source: &str, simplifier: &simplify::Options) -> Variant {
    let mut errors = Errors::default();
    let formula = parse(&mut errors, &Options::default(), source.parse().expect("tokens")).expect("a formula");
    let Outcome::Typed(typed) = elaborate(&mut errors, &formula, &Library::default()) else { panic!("calls nothing") };
    let variant = variant(&mut errors, &formula, typed.into_iter().next().expect("one"), simplifier);
    assert!(errors.is_empty(), "{:#?}", errors.messages());
    variant
}

#[test]
fn show() {
    let only = std::env::var("SHOW").unwrap_or_default();
    for (name, source) in FORMULAS {
        if !name.contains(&only) {
            continue;
        }
        let t = std::time::Instant::now();
        let v = derive(source, &simplify::Options::default());
        let t = t.elapsed();
        println!("==== {name}  {t:?}");
        println!("{}", plan::describe(&v.graph, &v.forward));
        println!("saved {:?}", v.saved.iter().map(|s| (&s.name, s.elem)).collect::<Vec<_>>());
        println!("{}", plan::describe(&v.graph, &v.backward));
        for l in &v.mathematics {
            println!("   {l}");
        }
        println!("{:?}\n{:?}", plan::cost(&v.graph, &v.forward), plan::cost(&v.graph, &v.backward));
    }
}

const FORMULAS: &[(&str, &str)] = &[
    ("batch_norm", "fn f(x: Tensor<f32, (N, C, Many<S>)>, gamma: Tensor<f32, C>, beta: Tensor<f32, C>, eps: f64) -> Tensor<f32, (N, C, Many<S>)> {
        let mu = mean(x, (N, S)); let var = mean(sq(x - mu), (N, S)); gamma * (x - mu) / sqrt(var + eps) + beta }"),
    ("layer_norm", "fn f(x: Tensor<f32, (N, D)>, gamma: Tensor<f32, D>, beta: Tensor<f32, D>, eps: f64) -> Tensor<f32, (N, D)> {
        let mu = mean(x, D); let var = mean(sq(x - mu), D); gamma * (x - mu) / sqrt(var + eps) + beta }"),
    ("softmax", "fn f(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> { let e = exp(x - max(x, C)); e / sum(e, C) }"),
    ("gelu", "fn f(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> { 0.5 * x * (1.0 + erf(x * 0.7071067811865476)) }"),
    ("max_pool", "fn f(x: Tensor<f32, (N, C, H, W)>, k: Window<2>) -> Tensor<f32, (N, C, OH, OW)> { max(window(x, (H, W), (OH, OW), (KH, KW), k), (KH, KW)) }"),
    ("mean_pool", "fn f(x: Tensor<f32, (N, C, H, W)>, k: Window<2>) -> Tensor<f32, (N, C, OH, OW)> { mean(window(x, (H, W), (OH, OW), (KH, KW), k), (KH, KW)) }"),
    ("dropout", "fn f(x: Tensor<f32, Many<S>>, seed: Seed, p: f64) -> Tensor<f32, Many<S>> { x * bernoulli_like(x, seed, 1.0 - p) / (1.0 - p) }"),
    ("cross_entropy", "fn f(x: Tensor<f32, (N, C)>, label: Labels<N>) -> Tensor<f32, ()> { mean(logsumexp(x, C) - pick(x, C, label), N) }"),
    ("conv", "fn f(x: Tensor<f32, (N, I, H, W)>, w: Tensor<f32, (O, I, KH, KW)>, k: Window<2>) -> Tensor<f32, (N, O, OH, OW)> { dot(window(x, (H, W), (OH, OW), (KH, KW), k), w, (I, KH, KW)) }"),
];
