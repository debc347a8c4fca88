//! The checks of `backward`.

use ndarray::{ArrayD, ArrayViewD, Dimension, IxDyn, arr0};

use super::case::{Case, Layout, same_bits};
use super::failure::{Failure, Report};
use super::judge::{Expected, Judge, Probe};
use super::{Call, record};
use crate::layer::{ArgKind, Buffer, GradD, Output};
use crate::{Float, rng};

/// Up to so many elements of all arguments together, each is checked on its own; beyond that a sample.
const EACH: usize = 128;
/// Elements sampled of a larger argument.
const SAMPLE: u64 = 24;

/// A gradient for each differentiable argument; `None` where it is absent or not wanted.
type Gradients = Vec<Option<ArrayD<f64>>>;

/// The gradients of a call, and how far rounding may take those of the same call made another way.
pub(super) struct Known {
    gradients: Gradients,
    tolerances: Vec<f64>,
}

/// How `backward` is called.
struct Way<'w, T> {
    case: &'w Case<T>,
    outputs: &'w [Output<T>],
    cotangents: &'w [ArrayD<T>],
    wanted: &'w [bool],
    layout: Layout,
    /// What is in the buffers to be added to; `None`: they are overwritten.
    base: Option<f64>,
}

impl<T: Float> Call<'_, T> {
    /// The positions of differentiable arguments.
    fn variables(&self) -> Vec<usize> {
        let args = self.spec.args;
        (0..args.len()).filter(|i| args[*i].kind.is_differentiable()).collect()
    }

    /// A random cotangent for every output that has one.
    fn cotangents(&self) -> Vec<ArrayD<T>> {
        let floats = self.outputs.iter().filter_map(|y| match y {
            Output::Float(y) => Some(y),
            Output::Int(_) => None,
        });
        let random = |(draw, y): (usize, &ArrayD<T>)| {
            let numbers = (0..y.len() as u64).map(|at| T::of(rng::normal(1, draw as u32, at))).collect();
            ArrayD::from_shape_vec(y.raw_dim(), numbers).expect("as many numbers as elements")
        };
        floats.enumerate().map(random).collect()
    }

    fn backward(&self, way: &Way<'_, T>) -> Result<Gradients, Failure> {
        let variables = self.variables();
        let start = way.base.unwrap_or(f64::NAN);
        let fresh = |i: &usize| way.layout.of(&ArrayD::from_elem(IxDyn(way.case.shape(*i)), T::of(start)));
        let mut tensors: Vec<ArrayD<T>> = variables.iter().map(fresh).collect();
        let mut scalars = vec![arr0(start); variables.len()];
        let is_wanted = |k: usize| way.wanted[k] && !way.case.is_absent(variables[k]);
        let mut slots: Vec<Option<GradD<'_, T>>> = vec![];
        for (k, (tensor, scalar)) in tensors.iter_mut().zip(&mut scalars).enumerate() {
            let buffer = match self.spec.args[variables[k]].kind {
                ArgKind::Diff => Buffer::Scalar(scalar.view_mut()),
                _ => Buffer::Tensor(tensor.view_mut()),
            };
            slots.push(is_wanted(k).then_some(GradD { buffer, add: way.base.is_some() }));
        }
        let views: Vec<ArrayViewD<'_, T>> = way.cotangents.iter().map(|c| c.view()).collect();
        let result = self.way_back.backward(&views, &way.case.args(), way.outputs, &mut slots);
        result.map_err(|error| Failure::Call { call: "backward", error })?;
        drop(slots);
        let mut gradients = vec![];
        for (k, (tensor, scalar)) in tensors.into_iter().zip(scalars).enumerate() {
            let gradient =
                || if self.spec.args[variables[k]].kind == ArgKind::Diff { scalar.into_dyn() } else { tensor.mapv(T::f64) };
            gradients.push(is_wanted(k).then(gradient));
        }
        Ok(gradients)
    }

    /// The plain way: all gradients, written, of and to row-major arrays.
    fn plainly(&self, cotangents: &[ArrayD<T>]) -> Result<Gradients, Failure> {
        self.backward(&Way {
            case: &self.case,
            outputs: &self.outputs,
            cotangents,
            wanted: &vec![true; self.variables().len()],
            layout: Layout::RowMajor,
            base: None,
        })
    }

    /// What to differentiate by: elements, and each argument as a whole.
    fn probes(&self) -> Vec<Probe> {
        let present: Vec<usize> = self.variables().into_iter().filter(|i| !self.case.is_absent(*i)).collect();
        let len = |arg: usize| self.case.shape(arg).iter().product::<usize>();
        let total: usize = present.iter().map(|i| len(*i)).sum();
        let mut probes = vec![];
        for arg in present {
            let n = len(arg);
            if total <= EACH || n as u64 <= SAMPLE {
                probes.extend((0..n).map(|at| Probe::Element { arg, at }));
            } else {
                let sample = (0..SAMPLE).map(|k| rng::bits(2, arg as u32, k) as usize % n);
                probes.extend(sample.map(|at| Probe::Element { arg, at }));
            }
            probes.push(Probe::Random { arg, seed: 3 });
        }
        probes
    }

    /// Compares the gradients with the reference's slopes, and those with differences.
    pub(super) fn check_gradients(&self, judge: &Judge<'_, T>, report: &mut Report) -> Result<Known, Failure> {
        let cotangents = self.cotangents();
        let gradients = self.plainly(&cotangents)?;
        self.check_same("backward computed twice", &gradients, &self.plainly(&cotangents)?)?;
        let (probes, variables) = (self.probes(), self.variables());
        let slopes = judge.slopes(&probes, &cotangents)?;
        let mut tolerances = vec![0.0; variables.len()];
        for (probe, slope) in probes.iter().zip(&slopes) {
            let arg = probe.arg();
            let Some(k) = variables.iter().position(|i| *i == arg) else { continue };
            let Some(gradient) = &gradients[k] else { continue };
            let (position, found) = match *probe {
                Probe::Element { at, .. } => at_flat(gradient, at),
                Probe::Random { .. } => {
                    let terms = gradient.iter().enumerate().map(|(at, g)| g * probe.component(arg, at));
                    (vec![], terms.sum())
                }
            };
            tolerances[k] = f64::max(tolerances[k], slope.tolerance);
            // Reverse mode multiplies cotangents of zero by what is not finite, and so spreads it further than tangents do.
            if !found.is_finite() && !self.is_finite() {
                report.unjudged += 1;
                continue;
            }
            if !slope.agrees(found) {
                let check = "backward, against the derivative of the formula run as written";
                return Err(self.mismatch(check, gradient_of(self.spec.args[arg].name, probe), position, found, *slope));
            }
            record(report, found, slope);
            report.slopes += usize::from(slope.is_judged());
            if let (Probe::Random { .. }, true) = (probe, slope.is_judged()) {
                self.check_difference(judge, *probe, *slope, &cotangents, report)?;
            }
        }
        Ok(Known { gradients, tolerances })
    }

    fn check_difference(
        &self,
        judge: &Judge<'_, T>,
        probe: Probe,
        slope: Expected,
        cotangents: &[ArrayD<T>],
        report: &mut Report,
    ) -> Result<(), Failure> {
        let Some(difference) = judge.difference(probe, cotangents)? else {
            report.unjudged += 1;
            return Ok(());
        };
        let expected = Expected { tolerance: difference.tolerance + slope.tolerance, ..difference };
        if expected.agrees(slope.value) {
            record(report, slope.value, &expected);
            return Ok(());
        }
        if judge.is_singular(probe, cotangents, slope)? {
            report.unjudged += 1;
            return Ok(());
        }
        let check = "the derivative of the formula run as written, against central differences of it";
        Err(self.mismatch(check, gradient_of(self.spec.args[probe.arg()].name, &probe), vec![], slope.value, expected))
    }

    /// Checks that two computations gave the same bits.
    fn check_same(&self, check: &'static str, expected: &Gradients, found: &Gradients) -> Result<(), Failure> {
        for (k, arg) in self.variables().into_iter().enumerate() {
            let (Some(a), Some(b)) = (&expected[k], &found[k]) else { continue };
            if same_bits(a, b) {
                continue;
            }
            let differs = |((_, a), b): &((_, &f64), &f64)| a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan());
            if let Some(((at, a), b)) = a.indexed_iter().zip(b).find(differs) {
                let expected = Expected { value: *a, tolerance: 0.0 };
                let tensor = format!("gradient of `{}`", self.spec.args[arg].name);
                return Err(self.mismatch(check, tensor, at.slice().to_vec(), *b, expected));
            }
        }
        Ok(())
    }

    /// Computes the gradients of this call, which is `plain` in another layout: all at once, alone, and added.
    pub(super) fn check_variants(&self, plain: &Self, layout: Layout, known: &Known, report: &mut Report) -> Result<(), Failure> {
        let outputs: Vec<Output<T>> = self.outputs.iter().map(|y| output_in(layout, y)).collect();
        let cotangents: Vec<ArrayD<T>> = plain.cotangents().iter().map(|c| layout.of(c)).collect();
        let n = self.variables().len();
        let all = vec![true; n];
        let way = Way { case: &self.case, outputs: &outputs, cotangents: &cotangents, wanted: &all, layout, base: None };
        let check = "backward in another layout, against row-major";
        self.compare_gradients(check, known, &self.backward(&way)?, 0.0, report)?;
        let check = "backward added to 0.5, against 0.5 and the gradient";
        self.compare_gradients(check, known, &self.backward(&Way { base: Some(0.5), ..way })?, 0.5, report)?;
        for alone in (0..n).filter(|_| layout == Layout::RowMajor) {
            let wanted: Vec<bool> = (0..n).map(|k| k == alone).collect();
            let check = "a gradient wanted alone, against all together";
            let way = Way { wanted: &wanted, case: &self.case, outputs: &outputs, cotangents: &cotangents, ..way };
            self.compare_gradients(check, known, &self.backward(&way)?, 0.0, report)?;
        }
        Ok(())
    }

    fn compare_gradients(
        &self,
        check: &'static str,
        known: &Known,
        found: &Gradients,
        base: f64,
        report: &mut Report,
    ) -> Result<(), Failure> {
        for (k, arg) in self.variables().into_iter().enumerate() {
            let (Some(plain), Some(found)) = (&known.gradients[k], &found[k]) else { continue };
            let expected = |g: &f64| {
                let value = base + g;
                Expected { value, tolerance: known.tolerances[k] + 8.0 * T::EPSILON * (base.abs() + value.abs()) }
            };
            let expected: Vec<Expected> = plain.iter().map(expected).collect();
            self.compare(check, &format!("gradient of `{}`", self.spec.args[arg].name), found, &expected, report)?;
        }
        Ok(())
    }

    /// Checks that `backward` does not look at what it says it does not.
    pub(super) fn check_reads(&self, known: &Known) -> Result<(), Failure> {
        let reads = self.spec.reads;
        let case = self.case.blanked(reads.args);
        let blank = |(k, y): (usize, &Output<T>)| match y {
            Output::Float(y) if !reads.outputs.contains(&k) => Output::Float(ArrayD::from_elem(y.raw_dim(), T::of(f64::NAN))),
            y => y.clone(),
        };
        let outputs: Vec<Output<T>> = self.outputs.iter().enumerate().map(blank).collect();
        let (cotangents, wanted) = (self.cotangents(), vec![true; self.variables().len()]);
        let (outputs, cotangents, wanted) = (&outputs[..], &cotangents[..], &wanted[..]);
        let way = Way { case: &case, outputs, cotangents, wanted, layout: Layout::RowMajor, base: None };
        let check = "backward without the values that it says it does not read, against backward with them";
        self.check_same(check, &known.gradients, &self.backward(&way)?)
    }

    /// Whether every argument and every result is finite.
    fn is_finite(&self) -> bool {
        self.case.is_finite() && self.results().iter().all(|(_, y)| y.iter().all(|y| y.is_finite()))
    }

    /// Checks that a cotangent of zero gives a gradient of zero, where nothing on the way is infinite.
    pub(super) fn check_zero_cotangent(&self, known: &Known) -> Result<(), Failure> {
        let finite = |g: &ArrayD<f64>| g.iter().all(|g| g.is_finite());
        if !(self.is_finite() && known.gradients.iter().flatten().all(finite)) {
            return Ok(());
        }
        let zeros: Vec<ArrayD<T>> = self.cotangents().iter().map(|c| ArrayD::from_elem(c.raw_dim(), T::of(0.0))).collect();
        let gradients = self.plainly(&zeros)?;
        for (k, arg) in self.variables().into_iter().enumerate() {
            let nonzero = gradients[k].iter().flat_map(|g| g.indexed_iter()).find(|(_, g)| **g != 0.0);
            if let Some((at, g)) = nonzero {
                let expected = Expected { value: 0.0, tolerance: 0.0 };
                let tensor = format!("gradient of `{}`", self.spec.args[arg].name);
                let check = "backward of a cotangent of zero, against zero";
                return Err(self.mismatch(check, tensor, at.slice().to_vec(), *g, expected));
            }
        }
        Ok(())
    }
}

fn gradient_of(name: &str, probe: &Probe) -> String {
    match probe {
        Probe::Element { .. } => format!("gradient of `{name}`"),
        Probe::Random { .. } => format!("gradient of `{name}`, along a random direction,"),
    }
}

fn output_in<T: Float>(layout: Layout, y: &Output<T>) -> Output<T> {
    match y {
        Output::Float(y) => Output::Float(layout.of(y)),
        Output::Int(y) => Output::Int(layout.of(y)),
    }
}

/// The position and value of an element by its row-major index.
fn at_flat(x: &ArrayD<f64>, at: usize) -> (Vec<usize>, f64) {
    let found = x.indexed_iter().nth(at);
    found.map_or((vec![], f64::NAN), |(position, value)| (position.slice().to_vec(), *value))
}
