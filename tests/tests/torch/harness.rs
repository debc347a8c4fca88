//! Runs a formula on what PyTorch was given and compares what comes out: outputs, index outputs, states and gradients.

use pullback::layer::{Arg, ArgKind, Buffer, Forward, GradD, Output};
use pullback::ndarray::{Array0, ArrayD, ArrayViewD, IxDyn};
use pullback::{Error, Float, Layer};
use pullback_tests::opinfo::{Sample, samples_in};
use std::collections::BTreeSet;
use std::path::Path;

/// A formula: how its samples are answered, and where the answer is known to be another than PyTorch's.
pub struct Row {
    name: &'static str,
    run: Run,
    /// The same by the `f32` kernels, with the bound that they are held to.
    single: Option<(Run, Bound)>,
    bound: Bound,
    differs: &'static [Difference],
}

/// How the answer to a sample is computed.
pub type Run = fn(&Sample) -> Result<Answer, Error>;

/// How far numbers may be apart: relative to themselves, or to the largest of their array, for what cancels.
#[derive(Clone, Copy)]
pub struct Bound {
    relative: f64,
    absolute: f64,
    /// What that largest is at least, where all may cancel.
    least: f64,
}
const DOUBLE: Bound = Bound { relative: 1e-10, absolute: 1e-13, least: 1.0 };
const SINGLE: Bound = Bound { relative: 1e-4, absolute: 1e-6, least: 1.0 };

/// A case, what differs in it (`output 0`, `gradient of x`), and why.
pub type Difference = (&'static str, &'static str, &'static str);

impl Row {
    pub const fn new(name: &'static str, run: Run) -> Row {
        Row { name, run, single: None, bound: DOUBLE, differs: &[] }
    }
    /// The `f32` kernels too, to this bound, where nothing is at an edge.
    pub const fn single(mut self, run: Run) -> Row {
        self.single = Some((run, SINGLE));
        self
    }
    /// What differs, and must: where it no longer does, the test fails.
    pub const fn differs(mut self, differs: &'static [Difference]) -> Row {
        self.differs = differs;
        self
    }
}

/// A row of a table, from the formula's name and its operation, which may read its constants from the sample.
macro_rules! row {
    ($name:expr, $op:ident) => {
        row!($name, |_| $op)
    };
    ($name:expr, |$s:pat_param| $op:expr) => {
        $crate::harness::Row::new($name, |s| {
            let $s = s;
            $crate::harness::answer::<f64, _>(&$op, s)
        })
    };
    (single $name:expr, $op:ident) => {
        row!(single $name, |_| $op)
    };
    (single $name:expr, |$s:pat_param| $op:expr) => {
        row!($name, |$s| $op).single(
            |s| {
                let $s = s;
                $crate::harness::answer::<f32, _>(&$op, s)
            },
        )
    };
}
pub(crate) use row;

/// A constant of the formula, as PyTorch was given it.
pub trait Constants {
    fn f(&self, name: &str) -> f64;
    fn n(&self, name: &str) -> usize;
    fn flag(&self, name: &str) -> bool;
    /// The numbers of a list, as a window takes them.
    #[cfg(feature = "zoo")]
    fn list<const D: usize>(&self, name: &str) -> [usize; D];
}

impl Constants for Sample {
    fn f(&self, name: &str) -> f64 {
        self.kwarg(name).and_then(|v| v.as_f64()).unwrap_or_else(|| panic!("{}: no number `{name}`", self.name))
    }
    fn n(&self, name: &str) -> usize {
        self.f(name) as usize
    }
    fn flag(&self, name: &str) -> bool {
        self.kwarg(name).and_then(|v| v.as_bool()).unwrap_or_else(|| panic!("{}: no flag `{name}`", self.name))
    }
    #[cfg(feature = "zoo")]
    fn list<const D: usize>(&self, name: &str) -> [usize; D] {
        let value = self.kwarg(name).unwrap_or_else(|| panic!("{}: no list `{name}`", self.name));
        pullback_tests::opinfo::tuple(value).expect("as many numbers as dimensions")
    }
}

/// What a call gave, by name: `output 0`, `gradient of x`, `state r`.
pub type Answer = Vec<(String, Values)>;

/// The elements of an array.
pub enum Values {
    Float(ArrayD<f64>),
    Int(ArrayD<i64>),
}

/// An argument, owned.
enum Given<T> {
    Tensor(ArrayD<T>),
    State(ArrayD<T>),
    Labels(ArrayD<i64>),
    Scalar(f64),
    Absent,
}

impl<T> Given<T> {
    fn arg(&mut self) -> Arg<'_, T> {
        match self {
            Given::Tensor(x) => Arg::tensor(x),
            Given::State(x) => Arg::state(x),
            Given::Labels(x) => Arg::labels(x),
            Given::Scalar(x) => Arg::Scalar(*x),
            Given::Absent => Arg::Absent,
        }
    }
}

fn given<T: Float>(sample: &Sample, at: usize, kind: ArgKind) -> Given<T> {
    let narrow = |x: ArrayD<f64>| x.mapv(T::of);
    match kind {
        _ if sample.arg(at).is_none() => Given::Absent,
        ArgKind::Labels { .. } => Given::Labels(sample.labels(at).expect("it is there")),
        ArgKind::Diff => Given::Scalar(*sample.tensor(at).expect("it is there").first().expect("one number")),
        ArgKind::State => Given::State(narrow(sample.tensor(at).expect("it is there"))),
        ArgKind::Tensor | ArgKind::Constant => Given::Tensor(narrow(sample.tensor(at).expect("it is there"))),
    }
}

/// Where a gradient is to be written: NaN before, so that what is not written shows.
enum Gradient<T> {
    Tensor(ArrayD<T>),
    Scalar(Array0<f64>),
}

/// Runs forward and backward in `T`.
pub fn answer<T: Float, L: Layer<T>>(op: &L, sample: &Sample) -> Result<Answer, Error> {
    let mut given: Vec<Given<T>> = L::ARGS.iter().enumerate().map(|(i, spec)| given(sample, i, spec.kind)).collect();
    let mut args: Vec<Arg<'_, T>> = given.iter_mut().map(Given::arg).collect();
    let Forward { outputs, saved } = op.forward(&mut args)?;
    drop(args);

    let mut answer = vec![];
    let cotangents = cotangents(sample, &outputs);
    let views: Vec<ArrayViewD<'_, T>> = cotangents.iter().map(|dy| dy.view()).collect();
    let mut gradients = vec![];
    for (spec, given) in L::ARGS.iter().zip(&given).filter(|(spec, _)| spec.kind.is_differentiable()) {
        gradients.push(match given {
            Given::Tensor(x) => Some((spec.name, Gradient::Tensor(ArrayD::from_elem(x.raw_dim(), T::of(f64::NAN))))),
            Given::Scalar(_) => Some((spec.name, Gradient::Scalar(Array0::from_elem((), f64::NAN)))),
            _ => None,
        });
    }
    let mut wanted: Vec<Option<GradD<'_, T>>> = vec![];
    for gradient in &mut gradients {
        wanted.push(gradient.as_mut().map(|(_, g)| match g {
            Gradient::Tensor(x) => GradD { buffer: Buffer::Tensor(x.view_mut()), add: false },
            Gradient::Scalar(x) => GradD { buffer: Buffer::Scalar(x.view_mut()), add: false },
        }));
    }
    let args: Vec<Arg<'_, T>> = given.iter_mut().map(Given::arg).collect();
    op.backward(&views, &args, &outputs, &saved, &mut wanted)?;
    drop((args, wanted));

    for (k, output) in outputs.into_iter().enumerate() {
        let values = match output {
            Output::Float(y) => Values::Float(y.mapv(T::f64)),
            Output::Int(y) => Values::Int(y),
        };
        answer.push((format!("output {k}"), values));
    }
    for (spec, given) in L::ARGS.iter().zip(given) {
        if let Given::State(x) = given {
            answer.push((format!("state {}", spec.name), Values::Float(x.mapv(T::f64))));
        }
    }
    for (name, gradient) in gradients.into_iter().flatten() {
        let values = match gradient {
            Gradient::Tensor(x) => x.mapv(T::f64),
            Gradient::Scalar(x) => x.into_dyn(),
        };
        answer.push((format!("gradient of {name}"), Values::Float(values)));
    }
    Ok(answer)
}

fn cotangents<T: Float>(sample: &Sample, outputs: &[Output<T>]) -> Vec<ArrayD<T>> {
    let mut all = vec![];
    for (k, output) in outputs.iter().enumerate() {
        if let Output::Float(y) = output {
            let dy = sample.cotangent_of(k).unwrap_or_else(|| ArrayD::zeros(y.raw_dim()));
            all.push(dy.mapv(T::of));
        }
    }
    all
}

/// What differs between an answer and PyTorch's: what, and how.
fn differences(sample: &Sample, answer: &Answer, bound: Bound) -> Vec<(String, String)> {
    let mut found = vec![];
    let states = sample.entries("written");
    let gradients = sample.entries("grads");
    for (what, values) in answer {
        let at = |prefix: &str| what.strip_prefix(prefix);
        let named = |list: &[(String, ArrayD<f64>)], name: &str| list.iter().find(|(n, _)| n == name).map(|(_, x)| x.clone());
        let expected = match (at("output "), at("state "), at("gradient of ")) {
            (Some(k), ..) => match values {
                Values::Float(_) => Some(sample.output(k.parse().expect("a number"))),
                Values::Int(y) => {
                    let expected = sample.index_output(k.parse().expect("a number"));
                    if *y != expected {
                        found.push((what.clone(), format!("{y:?}, PyTorch {expected:?}")));
                    }
                    continue;
                }
            },
            (_, Some(name), _) => named(&states, name),
            (.., Some(name)) => named(&gradients, name),
            _ => None,
        };
        let Values::Float(values) = values else { panic!("{what} is no index") };
        let expected = expected.unwrap_or_else(|| panic!("{}: the sample has no {what}", sample.name));
        found.extend(difference(values, &expected, bound).map(|d| (what.clone(), d)));
    }
    found
}

/// The first element that is not what it should be: the bound relative, or what cancels in numbers of the array's size.
fn difference(found: &ArrayD<f64>, expected: &ArrayD<f64>, bound: Bound) -> Option<String> {
    if found.shape() != expected.shape() {
        return Some(format!("shape {:?}, PyTorch {:?}", found.shape(), expected.shape()));
    }
    let size = expected.iter().filter(|x| x.is_finite()).fold(bound.least, |size, x| size.max(x.abs()));
    let epsilon = (bound.absolute * size).max(f64::MIN_POSITIVE);
    let same =
        |a: f64, b: f64| a.is_nan() && b.is_nan() || approx::relative_eq!(a, b, epsilon = epsilon, max_relative = bound.relative);
    let at = found.iter().zip(expected).position(|(a, b)| !same(*a, *b))?;
    let [a, b] = [found, expected].map(|x| x.iter().nth(at).expect("it was just there"));
    let others = found.iter().zip(expected).filter(|(a, b)| !same(**a, **b)).count();
    Some(format!("element {at} is {a}, PyTorch {b} ({others} of {} differ)", found.len()))
}

/// How a row's answer to a sample is wrong, beside what is known to differ.
fn judge(row: &Row, sample: &Sample) -> Vec<String> {
    let case = sample.kwarg("case").and_then(|v| v.as_str()).expect("a sample of this table has a case");
    let compare = |answer: Result<Answer, Error>, bound: Bound| match answer {
        Err(e) => vec![("call".to_string(), e.to_string())],
        Ok(answer) => differences(sample, &answer, bound),
    };
    // of numbers that are 10⁴ apart from 0 four digits are gone; a variance of 0 leaves 1/√ε to multiply what rounds
    let lost = match case {
        "far" => 1e4,
        "constant" => 1e2,
        _ => 1.0,
    };
    let least = if case == "tiny" { 0.0 } else { row.bound.least };
    let bound = Bound { relative: row.bound.relative * lost, absolute: row.bound.absolute * lost, least };
    let mut wrong = compare((row.run)(sample), bound);
    if let (Some((run, bound)), true) = (row.single, case.starts_with("plain")) {
        let single = compare(run(sample), bound);
        wrong.extend(single.into_iter().map(|(what, how)| (what, format!("in f32: {how}"))));
    }
    let known: Vec<_> = row.differs.iter().filter(|(at, ..)| *at == case).collect();
    let missed = known.iter().filter(|(_, what, _)| !wrong.iter().any(|(w, _)| w == what));
    let missed: Vec<_> = missed.map(|(_, what, _)| (what.to_string(), "no longer differs".to_string())).collect();
    wrong.retain(|(what, _)| !known.iter().any(|(_, w, _)| w == what));
    wrong.extend(missed);
    wrong.into_iter().map(|(what, how)| format!("{} {case}: {what}: {how}", row.name)).collect()
}

/// Compares every sample of a theme; each row has samples and each sample a row.
pub fn examine(theme: &str, rows: &[Row]) {
    let samples = samples_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/torch"), theme);
    let formula = |s: &Sample| s.kwarg("formula").and_then(|v| v.as_str()).expect("a formula's name").to_owned();
    let sampled: BTreeSet<String> = samples.iter().map(formula).collect();
    let tabled: BTreeSet<String> = rows.iter().map(|row| row.name.to_owned()).collect();
    assert_eq!(rows.len(), tabled.len(), "{theme}: a row stands twice");
    assert_eq!(sampled, tabled, "{theme}: samples, rows");
    let mut wrong = vec![];
    for sample in &samples {
        let row = rows.iter().find(|row| row.name == formula(sample)).expect("each has a row");
        wrong.extend(judge(row, sample));
    }
    println!("{theme}: {} formulas, {} cases", rows.len(), samples.len());
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_difference_is_found() {
    let array = |x: &[f64]| ArrayD::from_shape_vec(IxDyn(&[x.len()]), x.to_vec()).expect("as many");
    assert!(difference(&array(&[1.0, 2.0]), &array(&[1.0, 2.0 + 1e-8]), DOUBLE).is_some());
    assert!(difference(&array(&[1.0, f64::NAN]), &array(&[1.0, 2.0]), DOUBLE).is_some());
    assert!(difference(&array(&[1.0, f64::INFINITY]), &array(&[1.0, f64::NAN]), DOUBLE).is_some());
    assert!(difference(&array(&[f64::NAN]), &array(&[f64::NAN]), DOUBLE).is_none());
    assert!(difference(&array(&[1e-40]), &array(&[2e-40]), Bound { least: 0.0, ..DOUBLE }).is_some());
}
