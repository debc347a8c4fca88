//! Generated kernels against PyTorch's own operator samples: outputs, index outputs, written statistics and gradients, in
//! `f64`, to 10⁻¹⁰.
//!
//! A table maps each operator's arguments to a layer or a formula. `OPINFO_DIR` names another folder of samples in the same
//! form; operators that it lacks are left out then. `cargo test -p pullback-tests --test conformance -- --nocapture` prints
//! operator, samples, passed, skipped.

mod formulas;
mod losses;
mod norms;
mod pools;

use pullback::layer::{Arg, ArgKind, Buffer, Forward, GradD, Output};
use pullback::ndarray::{Array1, ArrayD, ArrayViewD, Axis, IxDyn};
use pullback::{Error, Layer};
use pullback_tests::opinfo::{Sample, samples_in};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What becomes of a sample.
pub enum Verdict {
    /// The generated kernels' answer.
    Answer(Answer),
    /// Not compared, and why.
    Skipped(&'static str),
    /// No answer, where PyTorch has one.
    Refused(String),
}

/// The answer of a call, flat, in PyTorch's order.
#[derive(Default)]
pub struct Answer {
    outputs: Vec<Flat>,
    /// By the argument's name in the sample.
    grads: Vec<(String, ArrayD<f64>)>,
    written: Vec<(String, ArrayD<f64>)>,
}

/// The elements of an output.
enum Flat {
    Float(Vec<f64>),
    Int(Vec<i64>),
}

/// An argument of a call: PyTorch's array in the shape that the layer takes.
enum Given {
    Tensor(ArrayD<f64>),
    State(ArrayD<f64>),
    Labels(ArrayD<i64>),
    Absent,
}

/// Which of the sample's arguments one is.
struct Name {
    name: String,
    /// PyTorch's shape, and what it was broadcast to.
    shape: Vec<usize>,
    full: Vec<usize>,
}

/// A call of a layer with a sample's arguments.
pub struct Call<'s> {
    sample: &'s Sample,
    given: Vec<Given>,
    names: Vec<Option<Name>>,
}

impl<'s> Call<'s> {
    pub fn new(sample: &'s Sample) -> Call<'s> {
        Call { sample, given: vec![], names: vec![] }
    }
    /// The tensor that the sample calls `name`, reshaped; broadcast first if it is smaller than `full`.
    pub fn broadcast(mut self, name: &str, x: &ArrayD<f64>, full: &[usize], shape: &[usize]) -> Self {
        let wide = x.broadcast(full).expect("shapes that broadcast").to_owned();
        self.given.push(Given::Tensor(reshaped(&wide, shape)));
        self.names.push(Some(Name { name: name.into(), shape: x.shape().to_vec(), full: full.to_vec() }));
        self
    }
    /// The tensor that the sample calls `name`, in another shape of as many elements.
    pub fn tensor(self, name: &str, x: &ArrayD<f64>, shape: &[usize]) -> Self {
        let full = x.shape().to_vec();
        self.broadcast(name, x, &full, shape)
    }
    /// A tensor that the sample does not have, or gives no gradient.
    pub fn constant(mut self, x: ArrayD<f64>) -> Self {
        self.given.push(Given::Tensor(x));
        self.names.push(None);
        self
    }
    /// A tensor of the sample, or where it has none these elements.
    pub fn or(self, name: &str, x: Option<ArrayD<f64>>, default: f64, len: usize) -> Self {
        match x {
            Some(x) => self.tensor(name, &x, &[len]),
            None => self.constant(ArrayD::from_elem(IxDyn(&[len]), default)),
        }
    }
    /// A tensor that the call writes to.
    pub fn state(mut self, name: &str, x: ArrayD<f64>) -> Self {
        self.names.push(Some(Name { name: name.into(), shape: x.shape().to_vec(), full: x.shape().to_vec() }));
        self.given.push(Given::State(x));
        self
    }
    pub fn labels(mut self, label: &ArrayD<i64>, shape: &[usize]) -> Self {
        self.given.push(Given::Labels(reshaped(label, shape)));
        self.names.push(None);
        self
    }
    pub fn absent(mut self) -> Self {
        self.given.push(Given::Absent);
        self.names.push(None);
        self
    }
    /// A tensor, if it is there.
    pub fn optional(self, name: &str, x: Option<ArrayD<f64>>, shape: &[usize]) -> Self {
        match x {
            Some(x) => self.tensor(name, &x, shape),
            None => self.absent(),
        }
    }

    /// Runs forward and backward.
    pub fn run<L: Layer<f64>>(self, op: &L) -> Verdict {
        let name = &self.sample.name;
        let refused = format!("{name}: {} gives an error where PyTorch has none", L::NAME);
        self.answer(op).map_or_else(|e| Verdict::Refused(format!("{refused}: {e}")), Verdict::Answer)
    }

    fn answer<L: Layer<f64>>(mut self, op: &L) -> Result<Answer, Error> {
        let mut states: Vec<ArrayD<f64>> = self.given.iter().filter_map(Given::state).cloned().collect();
        let mut next = states.iter_mut();
        let mut args: Vec<Arg<'_, f64>> = self.given.iter().map(|g| argument(g, next.next_if_state(g))).collect();
        let Forward { outputs, saved } = op.forward(&mut args)?;
        drop(args);

        let cotangents: Vec<ArrayD<f64>> = outputs.iter().enumerate().filter_map(|(k, y)| self.cotangent(k, y)).collect();
        let cotangents: Vec<ArrayViewD<'_, f64>> = cotangents.iter().map(|dy| dy.view()).collect();
        let args: Vec<Arg<'_, f64>> = self.given.iter().map(|g| argument(g, None)).collect();
        let differentiable: Vec<usize> = (0..L::ARGS.len()).filter(|i| L::ARGS[*i].kind.is_differentiable()).collect();
        let nan = |i: &usize| match &self.given[*i] {
            // what is not overwritten shows
            Given::Tensor(x) => Some(ArrayD::from_elem(x.raw_dim(), f64::NAN)),
            _ => None,
        };
        let mut buffers: Vec<Option<ArrayD<f64>>> = differentiable.iter().map(nan).collect();
        let mut wanted: Vec<Option<GradD<'_, f64>>> = vec![];
        for buffer in &mut buffers {
            wanted.push(buffer.as_mut().map(|b| GradD { buffer: Buffer::Tensor(b.view_mut()), add: false }));
        }
        op.backward(&cotangents, &args, &outputs, &saved, &mut wanted)?;
        drop((wanted, args));

        let grads = differentiable.iter().zip(buffers);
        let grads = grads.filter_map(|(i, b)| Some((self.names[*i].take()?, b?)));
        let grads = grads.map(|(n, b)| (n.name, collapsed(reshaped(&b, &n.full), &n.shape))).collect();
        let named = L::ARGS.iter().zip(&mut self.names).filter(|(spec, _)| spec.kind == ArgKind::State);
        let written = named.zip(states).filter_map(|((_, name), x)| Some((name.take()?.name, x))).collect();
        let flat = |output: Output<f64>| match output {
            Output::Float(y) => Flat::Float(y.iter().copied().collect()),
            Output::Int(y) => Flat::Int(y.iter().copied().collect()),
        };
        Ok(Answer { outputs: outputs.into_iter().map(flat).collect(), grads, written })
    }

    /// The sample's cotangent in the shape of an output; zeros where nothing was fed in.
    fn cotangent(&self, k: usize, output: &Output<f64>) -> Option<ArrayD<f64>> {
        let Output::Float(y) = output else { return None };
        Some(self.sample.cotangent_of(k).map_or_else(|| ArrayD::zeros(y.raw_dim()), |dy| reshaped(&dy, y.shape())))
    }
}

impl Given {
    fn state(&self) -> Option<&ArrayD<f64>> {
        if let Given::State(x) = self { Some(x) } else { None }
    }
}

/// Hands out states to the arguments that are some.
trait NextState<'a> {
    fn next_if_state(&mut self, given: &Given) -> Option<&'a mut ArrayD<f64>>;
}
impl<'a, I: Iterator<Item = &'a mut ArrayD<f64>>> NextState<'a> for I {
    fn next_if_state(&mut self, given: &Given) -> Option<&'a mut ArrayD<f64>> {
        given.state().and_then(|_| self.next())
    }
}

fn argument<'a>(given: &'a Given, state: Option<&'a mut ArrayD<f64>>) -> Arg<'a, f64> {
    match given {
        Given::Tensor(x) => Arg::tensor(x),
        Given::Labels(label) => Arg::labels(label),
        Given::State(_) => state.map_or(Arg::Absent, |x| Arg::state(x)),
        Given::Absent => Arg::Absent,
    }
}

/// The same elements, row-major, in another shape.
pub fn reshaped<T: Copy>(x: &ArrayD<T>, shape: &[usize]) -> ArrayD<T> {
    ArrayD::from_shape_vec(shape, x.iter().copied().collect()).expect("as many elements")
}

/// The gradient of what was broadcast: summed where it was repeated.
fn collapsed(gradient: ArrayD<f64>, shape: &[usize]) -> ArrayD<f64> {
    let mut sum = gradient;
    while sum.ndim() > shape.len() {
        sum = sum.sum_axis(Axis(0));
    }
    for (axis, &len) in shape.iter().enumerate() {
        if len == 1 && sum.shape()[axis] != 1 {
            sum = sum.sum_axis(Axis(axis)).insert_axis(Axis(axis));
        }
    }
    sum
}

/// An array of ones, to stand for a weight that is not there.
pub fn filled(len: usize, x: f64) -> ArrayD<f64> {
    Array1::from_elem(len, x).into_dyn()
}

/// An operator's name, and how its samples are answered.
type Row = (&'static str, fn(&Sample) -> Verdict);

fn table() -> Vec<Row> {
    [pools::ROWS, norms::ROWS, losses::ROWS].concat()
}

/// What was found over an operator's samples.
#[derive(Default)]
struct Tally {
    samples: usize,
    passed: usize,
    skipped: Vec<&'static str>,
    wrong: Vec<String>,
}

fn examine(row: &Row, samples: &[Sample]) -> Tally {
    let mut tally = Tally { samples: samples.len(), ..Tally::default() };
    for sample in samples {
        match (row.1)(sample) {
            Verdict::Skipped(why) => tally.skipped.push(why),
            Verdict::Refused(error) => tally.wrong.push(error),
            Verdict::Answer(answer) => match differences(sample, &answer) {
                wrong if wrong.is_empty() => tally.passed += 1,
                wrong => tally.wrong.extend(wrong),
            },
        }
    }
    tally
}

/// How an answer differs from the sample.
fn differences(sample: &Sample, answer: &Answer) -> Vec<String> {
    let mut wrong = vec![];
    let mut note = |what: &str, difference: Option<String>| {
        wrong.extend(difference.map(|d| format!("{}: {what}: {d}", sample.name)));
    };
    for (k, found) in answer.outputs.iter().enumerate().take(sample.outputs()) {
        match found {
            Flat::Float(y) => note(&format!("output {k}"), difference(y, &sample.output(k).iter().copied().collect::<Vec<_>>())),
            Flat::Int(y) => {
                let expected: Vec<i64> = sample.index_output(k).iter().copied().collect();
                note(&format!("output {k}"), (*y != expected).then(|| format!("{y:?}, PyTorch {expected:?}")));
            }
        }
    }
    for (what, expected) in [("grads", sample.entries("grads")), ("written", sample.entries("written"))] {
        let found = if what == "grads" { &answer.grads } else { &answer.written };
        for (name, expected) in expected {
            match found.iter().find(|(n, _)| *n == name) {
                Some((_, x)) => {
                    let [x, expected] = [x, &expected].map(|a| a.iter().copied().collect::<Vec<_>>());
                    note(&format!("{what} of {name}"), difference(&x, &expected));
                }
                None => note(&format!("{what} of {name}"), Some("not computed".into())),
            }
        }
    }
    wrong
}

/// The first element that is not what it should be: 10⁻¹⁰ relative, or what cancels in numbers of the array's size.
fn difference(found: &[f64], expected: &[f64]) -> Option<String> {
    if found.len() != expected.len() {
        return Some(format!("{} elements, PyTorch {}", found.len(), expected.len()));
    }
    let size = expected.iter().filter(|x| x.is_finite()).fold(1.0f64, |size, x| size.max(x.abs()));
    let same =
        |a: f64, b: f64| a.is_nan() && b.is_nan() || approx::relative_eq!(a, b, epsilon = 1e-13 * size, max_relative = 1e-10);
    let at = found.iter().zip(expected).position(|(a, b)| !same(*a, *b))?;
    Some(format!("element {at} is {}, PyTorch {}", found[at], expected[at]))
}

#[test]
fn samples_of_pytorch() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/opinfo");
    let other = std::env::var_os("OPINFO_DIR").map(PathBuf::from);
    let folder = other.as_deref().unwrap_or(&own);
    let mut wrong = vec![];
    println!("{:28} {:>7} {:>7} {:>7}", "operator", "samples", "passed", "skipped");
    for row in table() {
        if other.is_some() && !folder.join(format!("{}.json", row.0)).exists() {
            continue;
        }
        let tally = examine(&row, &samples_in(folder, row.0));
        println!("{:28} {:7} {:7} {:7}", row.0, tally.samples, tally.passed, tally.skipped.len());
        let reasons: BTreeSet<_> = tally.skipped.iter().collect();
        reasons.iter().for_each(|why| println!("    skipped: {why}"));
        wrong.extend(tally.wrong);
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}

#[test]
fn a_difference_is_found() {
    assert!(difference(&[1.0, 2.0], &[1.0, 2.0 + 1e-8]).is_some());
    assert!(difference(&[1.0, f64::NAN], &[1.0, 2.0]).is_some());
    assert!(difference(&[1.0], &[1.0, 2.0]).is_some());
    assert!(difference(&[1.0, f64::NAN], &[1.0, f64::NAN]).is_none());
    let row = pools::ROWS[0];
    let samples = samples_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/opinfo"), row.0);
    let Verdict::Answer(mut answer) = (row.1)(&samples[0]) else { panic!("a sample that is compared") };
    answer.grads[0].1.iter_mut().for_each(|g| *g += 1e-6);
    assert!(!differences(&samples[0], &answer).is_empty());
}
