//! Gradient checks: a layer's generated code against its formula, run as written.
//!
//! Three answers that share no code are compared: the generated `forward` and `backward`; the formula itself in `f64`,
//! with tangents; and central differences of the formula. How far the first may be from the second follows from the
//! call: the formula is run again with every operation's result disturbed as rounding to the element type may, and the
//! spread, a few times over, is what is allowed.

mod case;
mod erased;
mod failure;
mod gradients;
mod judge;
#[cfg(feature = "testing")]
mod property;
#[cfg(test)]
mod tests;

use ndarray::{ArrayD, Dimension};

pub use failure::{Failure, Mismatch, Report};
#[cfg(feature = "testing")]
pub use property::check_random;

use crate::layer::{Arg, Output};
use crate::{Float, Layer};
use case::{Case, Layout, Owned};
use erased::{Backward, Erased, Spec};
use judge::{Expected, Judge};

/// Checks an operation on the given arguments, in the element type of the arguments.
///
/// Compares the outputs and states of `forward` with the formula's, and every gradient of `backward`, for a random
/// cotangent, with the formula's derivative. Further: gradients wanted alone, added to a buffer, of arrays in any
/// layout, without the values that `backward` says it does not read, computed twice (the same bits), and for a
/// cotangent of zero (zero).
///
/// # Errors
/// The first [`Failure`]: which number of which tensor, what it is and what it should be.
pub fn gradcheck<T: Float, L: Layer<T>>(op: &L, args: &[Arg<'_, T>]) -> Result<Report, Failure> {
    check_case(op, &Case::copy(args))
}

fn check_case<T: Float>(op: &dyn Erased<T>, case: &Case<T>) -> Result<Report, Failure> {
    match judged(op, case, judge::ROUNDED_RUNS) {
        Err(Failure::Element(_)) => judged(op, case, judge::MORE_ROUNDED_RUNS),
        result => result,
    }
}

fn judged<T: Float>(op: &dyn Erased<T>, case: &Case<T>, rounded_runs: u64) -> Result<Report, Failure> {
    let call = Call::new(op, case.laid_out(Layout::RowMajor))?;
    let judge = Judge::new(op, case, rounded_runs)?;
    let mut report = Report::default();
    let values = call.check_values(&judge, &mut report)?;
    let gradients = call.check_gradients(&judge, &mut report)?;
    for layout in Layout::ALL {
        let other = Call::new(op, case.laid_out(layout))?;
        other.compare_values("forward in another layout, against the formula run as written", &values, &mut report)?;
        other.check_variants(&call, layout, &gradients, &mut report)?;
    }
    call.check_reads(&gradients)?;
    call.check_zero_cotangent(&gradients)?;
    Ok(report)
}

/// A forward call and what it gave.
struct Call<'a, T: Float> {
    spec: Spec,
    /// As the call left it.
    case: Case<T>,
    outputs: Vec<Output<T>>,
    way_back: Box<dyn Backward<T> + 'a>,
}

impl<'a, T: Float> Call<'a, T> {
    fn new(op: &'a dyn Erased<T>, mut case: Case<T>) -> Result<Self, Failure> {
        let forward = op.forward(&mut case.args_mut());
        let (outputs, way_back) = forward.map_err(|error| Failure::Call { call: "forward", error })?;
        Ok(Call { spec: op.spec(), case, outputs, way_back })
    }

    fn mismatch(&self, check: &'static str, tensor: String, position: Vec<usize>, found: f64, expected: Expected) -> Failure {
        let Expected { value: expected, tolerance } = expected;
        let call = self.case.describe(self.spec.args);
        let function = self.spec.name;
        Failure::Element(Box::new(Mismatch { function, check, tensor, position, found, expected, tolerance, call }))
    }

    fn compare(
        &self,
        check: &'static str,
        tensor: &str,
        found: &ArrayD<f64>,
        expected: &[Expected],
        report: &mut Report,
    ) -> Result<(), Failure> {
        for ((at, found), expected) in found.indexed_iter().zip(expected) {
            if !expected.agrees(*found) {
                return Err(self.mismatch(check, tensor.into(), at.slice().to_vec(), *found, *expected));
            }
            record(report, *found, expected);
        }
        Ok(())
    }

    /// The outputs and the states, with their names.
    fn results(&self) -> Vec<(String, ArrayD<f64>)> {
        let output = |(i, y): (usize, &Output<T>)| {
            let y = match y {
                Output::Float(y) => y.mapv(T::f64),
                Output::Int(y) => y.mapv(|i| i as f64),
            };
            (format!("output {i}"), y)
        };
        let names = self.spec.args.iter().zip(&self.case.0).filter(|(_, a)| matches!(a, Owned::State(_))).map(|(s, _)| s.name);
        let states = names.zip(self.case.states()).map(|(name, r)| (format!("state `{name}`"), r.mapv(T::f64)));
        self.outputs.iter().enumerate().map(output).chain(states).collect()
    }

    fn check_values(&self, judge: &Judge<'_, T>, report: &mut Report) -> Result<Vec<Vec<Expected>>, Failure> {
        if self.outputs.len() != self.spec.outputs.len() {
            let (found, expected) = (self.outputs.len(), self.spec.outputs.len());
            let message = format!("forward gives {found} outputs, expected {expected}");
            return Err(Failure::Spec { function: self.spec.name, message });
        }
        let shapes: Vec<_> = self.results().into_iter().map(|(name, y)| (name, y.shape().to_vec())).collect();
        let expected = judge.values(&shapes)?;
        self.compare_values("forward, against the formula run as written", &expected, report)?;
        Ok(expected)
    }

    fn compare_values(&self, check: &'static str, expected: &[Vec<Expected>], report: &mut Report) -> Result<(), Failure> {
        let mut results = self.results().into_iter().zip(expected);
        results.try_for_each(|((name, y), expected)| self.compare(check, &name, &y, expected, report))
    }
}

fn record(report: &mut Report, found: f64, expected: &Expected) {
    if !expected.is_judged() {
        report.unjudged += 1;
        return;
    }
    report.judged += 1;
    if expected.value.is_finite() {
        report.worst = report.worst.max((found - expected.value).abs() / expected.tolerance);
    }
}
