//! Every class of construct inside and around every other: all pairs through the engine's interpreters, and each class
//! inside and around some others compiled by the macro.

mod classes;
#[rustfmt::skip]
mod compiled;
mod pairs;

use pairs::pair;
use pullback::layer::{Arg, ArgKind};
use pullback::ndarray::ArrayD;
use pullback::reference::Window2d;
use pullback::{Layer, gradcheck};
use pullback_tests::Slopes;
use pullback_tests::formulas::{Call, Formulas};
use std::collections::BTreeMap;

const N: usize = 3;
const C: usize = 4;
const D: usize = 2;

/// Numbers without symmetry, in about (−1, 1).
fn numbers(shape: &[usize], seed: f64) -> ArrayD<f64> {
    let value = |i: usize| ((i as f64 + seed) * 1.618).sin() * 0.9 + 0.013 * seed;
    ArrayD::from_shape_vec(shape.to_vec(), (0..shape.iter().product()).map(value).collect()).expect("as many as the shape says")
}

/// The value of each argument that a class may take.
fn tensors() -> BTreeMap<&'static str, ArrayD<f64>> {
    let label = ArrayD::from_shape_vec(vec![N], vec![2.0, 0.0, 2.0]).expect("three labels");
    BTreeMap::from([
        ("x", numbers(&[N, C], 0.7)),
        ("a", numbers(&[C], 2.9)),
        ("w", numbers(&[D, C], 4.1)),
        ("b", numbers(&[C], 5.3)),
        ("t", numbers(&[], 1.1)),
        ("label", label),
    ])
}

fn call() -> Call {
    let call = tensors().into_iter().fold(Call::default(), |call, (name, value)| call.tensor(name, value));
    let mut k = Window2d::new([3, 3]);
    (k.stride, k.padding) = ([1, 1], [1, 1]);
    call.constant("s", 0.3).constant("flag", 1.0).constant("seed", 5.0).constant("k", k)
}

/// A formula made of members of these classes. A panic is a failure like others: the list goes on.
fn checked(formulas: &Formulas, item: &syn::ItemFn, classes: &[&str]) -> Result<Slopes, String> {
    let (call, dy) = (call(), numbers(&[N, C], 8.3));
    let check = std::panic::AssertUnwindSafe(|| {
        formulas.check_plans(item, &call, &dy)?;
        // a stopped gradient is none of differences
        if classes.contains(&"stops") { Ok(Slopes::default()) } else { formulas.check_slopes(item, &call, &dy) }
    });
    std::panic::catch_unwind(check).unwrap_or_else(|_| Err("panics".into()))
}

/// All pairs whose outer class is one of these, members taken in turn.
fn check_pairs(part: usize, parts: usize) {
    let (formulas, classes) = pairs::read();
    assert!(classes.len() >= 25, "{} classes", classes.len());
    let mut slopes = Slopes::default();
    let mut failures = vec![];
    for (i, outer) in classes.iter().enumerate().filter(|(i, _)| i % parts == part) {
        for (j, inner) in classes.iter().enumerate() {
            let (outer, inner) = (&outer[(i + j) % outer.len()], &inner[(i + j / outer.len()) % inner.len()]);
            match checked(&formulas, &pair(outer, inner), &[&outer.class, &inner.class]) {
                Ok(s) => {
                    slopes.judged += s.judged;
                    slopes.unjudged += s.unjudged;
                }
                Err(e) => failures.push(format!("{}({}): {e}", outer.path(), inner.path())),
            }
        }
    }
    assert!(failures.is_empty(), "{} pairs fail:\n{}", failures.len(), failures.join("\n"));
    assert!(slopes.judged > 20 * slopes.unjudged, "kinks hide too much: {slopes:?}");
}

// four tests, for as many threads
#[test]
fn all_pairs_1() {
    check_pairs(0, 4);
}
#[test]
fn all_pairs_2() {
    check_pairs(1, 4);
}
#[test]
fn all_pairs_3() {
    check_pairs(2, 4);
}
#[test]
fn all_pairs_4() {
    check_pairs(3, 4);
}

#[test]
fn every_member_by_itself() {
    let (formulas, classes) = pairs::read();
    let mut failures = vec![];
    for member in classes.iter().flatten() {
        match checked(&formulas, &member.function, &[&member.class]) {
            Ok(slopes) if slopes.judged > 0 || member.class == "stops" => {}
            Ok(_) => failures.push(format!("{}: no slope could be judged", member.path())),
            Err(e) => failures.push(format!("{}: {e}", member.path())),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A generated operation against its formula, on the arguments of the matrix.
fn check_compiled<L: Layer<f64>>(op: &L) {
    let tensors = tensors();
    let labels: BTreeMap<&str, ArrayD<i64>> = tensors.iter().map(|(name, x)| (*name, x.mapv(|v| v as i64))).collect();
    let argument = |spec: &pullback::layer::ArgSpec| match spec.kind {
        ArgKind::Labels { .. } => Arg::Labels(labels[spec.name].view()),
        ArgKind::Diff => Arg::Scalar(tensors[spec.name].sum()),
        _ => Arg::Tensor(tensors[spec.name].view()),
    };
    let args: Vec<Arg<'_, f64>> = L::ARGS.iter().map(argument).collect();
    let report = gradcheck(op, &args).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(report.slopes > 0, "{}: no slope could be judged", L::NAME);
}

#[test]
fn the_compiled_pairs_are_those_of_the_classes() {
    let (_, classes) = pairs::read();
    let text = pairs::compiled(&classes);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/matrix/compiled.rs");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &text).expect("a file that can be written");
    }
    let found = std::fs::read_to_string(path).expect("the generated file");
    assert!(found == text, "{path} is out of date: BLESS=1 writes it");
}
