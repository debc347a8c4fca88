//! Gradient checks on arguments drawn at random, for `gradient_test!`.

use std::cell::{Cell, RefCell};
use std::fmt::Debug;

use ndarray::{ArrayD, IxDyn};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::case::{Case, Layout, Owned};
use super::erased::{Erased, Spec};
use super::{Call, Failure, Report, check_case};
use crate::layer::{ArgKind, ArgSpec};
use crate::{Error, Float, Layer, rng};

/// Cases drawn of each element type, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 48;
/// No argument has more elements.
const LARGEST: usize = 400;

/// Checks an operation in `f32` and `f64` on drawn arguments: shapes (empty ones and any number of `Many` dimensions
/// among them), optional arguments there or not, labels in range, and values of several kinds (ties, zeros, positive
/// ones, ones far from zero, infinities and NaN). What fails is shrunk. The draws are the same every time.
///
/// Arguments that `forward` refuses are left out.
///
/// # Panics
/// On the first failure, naming the number that is wrong; where `forward` refuses everything, or nothing could be judged.
pub fn check_random<L: Layer<f32> + Layer<f64> + Debug>(op: &L) {
    check_type::<f64>(op, op);
    check_type::<f32>(op, op);
}

fn check_type<T: Float>(op: &dyn Erased<T>, shown: &dyn Debug) {
    let spec = op.spec();
    let config = Config { failure_persistence: None, max_shrink_iters: 1024, ..Config::default() };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { CASES };
    let mut runner = TestRunner::new_with_rng(Config { cases, ..config }, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let (report, refusal) = (Cell::new(Report::default()), RefCell::new(None));
    let result = runner.run(&draws(spec.axes.len(), spec.args.len()), |draw| {
        match draw.accepted::<T>(op) {
            Err(failure) => *refusal.borrow_mut() = Some(failure),
            Ok(case) => {
                let checked = check_case(op, &case).map_err(|failure| TestCaseError::fail(failure.to_string()))?;
                report.set(report.get().and(checked));
            }
        }
        Ok(())
    });
    match result {
        Err(TestError::Fail(reason, draw)) => panic!("{shown:?}\n{reason}\n  drawn: {draw:?}"),
        Err(TestError::Abort(reason)) => panic!("{shown:?}: {reason}"),
        Ok(()) => {}
    }
    let variables = spec.args.iter().any(|spec| spec.kind.is_differentiable());
    if report.get().judged == 0 || (variables && report.get().slopes == 0) {
        let why = refusal.into_inner().map_or("no gradient could be judged".into(), |f| format!("every case was refused: {f}"));
        panic!("{shown:?}: {why}");
    }
}

/// The values that an argument takes, the plainest first.
#[derive(Clone, Copy, Debug)]
enum Style {
    /// −2 to 2: ties and zeros.
    Whole,
    Normal,
    Positive,
    /// In [0, 1).
    Unit,
    /// Normal about 100.
    Far,
    /// Normal, a thousandth.
    Small,
    /// Normal, with infinities, NaN and zeros.
    Special,
}

const STYLES: [Style; 7] = [Style::Whole, Style::Normal, Style::Positive, Style::Unit, Style::Far, Style::Small, Style::Special];

impl Style {
    fn value(self, seed: u64, arg: u32, at: u64) -> f64 {
        let bits = rng::bits(seed, 2 * arg, at);
        let (unit, normal) = (rng::uniform(bits), rng::normal(seed, 2 * arg + 1, at));
        match self {
            Style::Whole => f64::from(bits % 5) - 2.0,
            Style::Normal => normal,
            Style::Positive => 0.1 + 3.0 * unit,
            Style::Unit => unit,
            Style::Far => 100.0 + normal,
            Style::Small => 1e-3 * normal,
            Style::Special => match bits % 24 {
                0 => f64::NAN,
                1 => f64::INFINITY,
                2 => f64::NEG_INFINITY,
                3 => 0.0,
                4 => -0.0,
                _ => normal,
            },
        }
    }
}

/// What one case is made from.
#[derive(Clone, Debug)]
struct Draw {
    /// The extent of each axis.
    extents: Vec<usize>,
    /// The dimensions of each axis where it is a `Many` one.
    many: Vec<Vec<usize>>,
    /// The style of each argument.
    styles: Vec<Style>,
    /// Whether all arguments have the first one's style.
    alike: bool,
    /// Whether each optional argument is there.
    present: Vec<bool>,
    seed: u64,
}

fn draws(axes: usize, args: usize) -> impl Strategy<Value = Draw> {
    let extent = prop_oneof![20 => 1..=6usize, 6 => 7..=12usize, 1 => Just(0usize)];
    let dimension = prop_oneof![20 => 1..=5usize, 1 => Just(0usize)];
    let style = proptest::sample::select(&STYLES[..]);
    let parts = (vec(extent, axes), vec(vec(dimension, 0..=3), axes), vec(style, args.max(1)));
    (parts, any::<bool>(), vec(any::<bool>(), args), any::<u64>())
        .prop_map(|((extents, many, styles), alike, present, seed)| Draw { extents, many, styles, alike, present, seed })
}

impl Draw {
    /// A case that `forward` takes. Where it asks for another extent of an axis (that of a window's taps, say), the axis
    /// gets it.
    fn accepted<T: Float>(&self, op: &dyn Erased<T>) -> Result<Case<T>, Failure> {
        let layer = op.spec();
        let mut draw = self.clone();
        let mut tries = layer.axes.len();
        loop {
            let case = draw.case::<T>(&layer);
            let Err(failure) = Call::new(op, case.laid_out(Layout::RowMajor)) else { return Ok(case) };
            let wanted = match &failure {
                Failure::Call { error: Error::Shape { axis, expected, .. }, .. } => {
                    layer.axes.iter().position(|a| a == axis).map(|id| (id, *expected))
                }
                _ => None,
            };
            match wanted {
                Some((id, expected)) if draw.extents[id] != expected && tries > 0 => draw.extents[id] = expected,
                _ => return Err(failure),
            }
            tries -= 1;
        }
    }

    fn case<T: Float>(&self, layer: &Spec) -> Case<T> {
        let mut draw = self.clone();
        while let Some(over) = layer.args.iter().find(|spec| draw.shape(layer, spec).iter().product::<usize>() > LARGEST) {
            draw.halve(layer, over);
        }
        Case((0..layer.args.len()).map(|i| draw.arg::<T>(layer, i)).collect())
    }

    fn dims(&self, layer: &Spec, axis: &str, many: bool) -> Vec<usize> {
        match layer.axes.iter().position(|a| *a == axis) {
            Some(id) if many => self.many[id].clone(),
            Some(id) => vec![self.extents[id]],
            None => vec![3],
        }
    }

    fn shape(&self, layer: &Spec, spec: &ArgSpec) -> Vec<usize> {
        spec.axes.iter().enumerate().flat_map(|(i, axis)| self.dims(layer, axis, spec.many == Some(i))).collect()
    }

    /// Halves the largest extents of an argument.
    fn halve(&mut self, layer: &Spec, spec: &ArgSpec) {
        let largest = self.shape(layer, spec).into_iter().max().unwrap_or(0);
        for id in spec.axes.iter().filter_map(|axis| layer.axes.iter().position(|a| a == axis)) {
            for len in self.many[id].iter_mut().chain([&mut self.extents[id]]).filter(|len| **len >= largest) {
                *len = (*len / 2).max(1);
            }
        }
    }

    fn arg<T: Float>(&self, layer: &Spec, i: usize) -> Owned<T> {
        let spec = &layer.args[i];
        if spec.optional && !self.present[i] {
            return Owned::Absent;
        }
        let shape = self.shape(layer, spec);
        let style = self.styles[if self.alike { 0 } else { i }];
        let value = |at| T::of(style.value(self.seed, i as u32, at));
        match spec.kind {
            ArgKind::Diff => Owned::Scalar(value(0).f64()),
            ArgKind::Labels { within } => {
                // An axis that no argument has, such as a depth given as a number, is taken to be at least 2 long.
                let known = |axis: &&str| layer.args.iter().any(|s| s.axes.contains(axis));
                let bound = match within.iter().all(known) && !within.is_empty() {
                    true => within.iter().map(|axis| self.extent_of(layer, axis)).product::<usize>().max(1),
                    false => 2,
                };
                Owned::Labels(filled(&shape, |at| i64::from(rng::bits(self.seed, 2 * i as u32, at)) % bound as i64))
            }
            ArgKind::State => Owned::State(filled(&shape, value)),
            ArgKind::Tensor | ArgKind::Constant => Owned::Tensor(filled(&shape, value)),
        }
    }

    /// The extent of an axis, of all dimensions together where it is a `Many` one.
    fn extent_of(&self, layer: &Spec, axis: &str) -> usize {
        let many = layer.args.iter().any(|spec| spec.many.is_some_and(|i| spec.axes[i] == axis));
        self.dims(layer, axis, many).iter().product()
    }
}

/// An array whose elements follow from their row-major index.
fn filled<A>(shape: &[usize], mut f: impl FnMut(u64) -> A) -> ArrayD<A> {
    let mut at = 0;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        at += 1;
        f(at - 1)
    })
}
