//! What the reference says: values and slopes, and how far rounding may take a call from them.

use approx::abs_diff_eq;
use ndarray::ArrayD;

use super::case::Case;
use super::erased::{Erased, Spec};
use super::failure::Failure;
use crate::formula::{Axis, Rounding, Value};
use crate::layer::{ArgKind, ArgSpec};
use crate::{Error, Float, rng};

/// Probes in one run of the reference.
const WIDTH: usize = 32;
/// Runs with rounding. Each flips a comparison at equality with even odds.
pub(super) const ROUNDED_RUNS: u64 = 4;
/// The same for a call that seems wrong: that a near tie looks decided in all of these is not to be expected.
pub(super) const MORE_ROUNDED_RUNS: u64 = 48;
/// Runs with rounding that ask how large what cancels is.
const SIZED_RUNS: u64 = 2;

/// A number that a call should give.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub value: f64,
    /// What rounding may do to it. Infinite: it may do anything, so nothing can be said.
    pub tolerance: f64,
}

impl Expected {
    /// From the exact number, the same with rounding, and the size of the terms it is a sum of.
    fn new<T: Float>(value: f64, rounded: &[f64], scale: f64) -> Expected {
        let same_kind = |r: &f64| {
            if value.is_finite() { r.is_finite() } else { r.to_bits() == value.to_bits() || (r.is_nan() && value.is_nan()) }
        };
        if !rounded.iter().all(same_kind) || (value.is_finite() && value.abs() >= largest::<T>()) {
            return Expected { value, tolerance: f64::INFINITY };
        }
        if !value.is_finite() {
            return Expected { value, tolerance: 0.0 };
        }
        let spread = rounded.iter().map(|r| (r - value).abs()).fold(0.0, f64::max);
        Expected { value, tolerance: 32.0 * T::EPSILON * (value.abs() + scale) + 16.0 * spread + smallest::<T>() }
    }

    pub fn is_judged(&self) -> bool {
        self.tolerance < f64::INFINITY
    }

    pub fn agrees(&self, found: f64) -> bool {
        if !self.is_judged() || self.value.is_nan() {
            return !self.is_judged() || found.is_nan();
        }
        found == self.value || abs_diff_eq!(found, self.value, epsilon = self.tolerance)
    }
}

/// The largest finite number.
fn largest<T: Float>() -> f64 {
    if T::of(f64::MAX).f64().is_finite() { f64::MAX } else { f64::from(f32::MAX) }
}

/// Numbers below this count as zero: the type may flush them, and the reference keeps some to tell zeros apart.
fn smallest<T: Float>() -> f64 {
    if largest::<T>() == f64::MAX { 1e-200 } else { 64.0 * f64::from(f32::MIN_POSITIVE) }
}

/// What is smaller may underflow to 0.
fn smallest_normal<T: Float>() -> f64 {
    if largest::<T>() == f64::MAX { f64::MIN_POSITIVE } else { f64::from(f32::MIN_POSITIVE) }
}

/// A direction to differentiate along.
#[derive(Clone, Copy, Debug)]
pub(super) enum Probe {
    /// One element of one argument.
    Element { arg: usize, at: usize },
    /// All elements of one argument, each its own way.
    Random { arg: usize, seed: u64 },
}

impl Probe {
    pub fn arg(&self) -> usize {
        match self {
            Probe::Element { arg, .. } | Probe::Random { arg, .. } => *arg,
        }
    }

    /// The direction's component at element `at` of argument `arg`.
    pub fn component(&self, arg: usize, at: usize) -> f64 {
        match self {
            Probe::Element { arg: a, at: k } if (*a, *k) == (arg, at) => 1.0,
            Probe::Random { arg: a, seed } if *a == arg => 2.0 * rng::uniform(rng::bits(*seed, 0, at as u64)) - 1.0,
            _ => 0.0,
        }
    }
}

/// The reference of one call.
pub(super) struct Judge<'a, T: Float> {
    op: &'a dyn Erased<T>,
    spec: Spec,
    case: &'a Case<T>,
    /// The axes of each argument, with extents.
    dims: Vec<Vec<(Axis, usize)>>,
    rounded_runs: u64,
}

impl<'a, T: Float> Judge<'a, T> {
    pub fn new(op: &'a dyn Erased<T>, case: &'a Case<T>, rounded_runs: u64) -> Result<Self, Failure> {
        let layer = op.spec();
        let of = |(i, spec): (usize, &ArgSpec)| match case.is_absent(i) {
            true => Ok(vec![]),
            false => flat_dims(&layer, spec.axes, spec.many, case.shape(i), spec.name),
        };
        let dims = layer.args.iter().enumerate().map(of).collect::<Result<_, _>>()?;
        Ok(Judge { op, spec: layer, case, dims, rounded_runs })
    }

    /// Runs the reference with the arguments' elements as `numbers` makes them.
    fn run(&self, probes: &[Probe], rounding: Rounding, moved: Option<(Probe, f64)>) -> Result<Vec<Value>, Error> {
        let value = |(i, spec): (usize, &ArgSpec)| {
            let mut numbers = self.case.numbers(i)?;
            if let Some((probe, by)) = moved {
                numbers.iter_mut().enumerate().for_each(|(at, x)| *x += by * probe.component(i, at));
            }
            let value = if spec.kind.is_differentiable() {
                let component = |p: &Probe, at: usize| rounding.slope(p.component(i, at));
                let tangents = (0..numbers.len()).flat_map(|at| probes.iter().map(move |p| component(p, at))).collect();
                Value::variable(&self.dims[i], numbers, probes.len(), tangents)
            } else {
                Value::constant(&self.dims[i], numbers)
            };
            let exact = matches!(spec.kind, ArgKind::Labels { .. });
            Some(value.with_rounding(if exact { Rounding::NONE } else { rounding }))
        };
        let args: Vec<Option<Value>> = self.spec.args.iter().enumerate().map(value).collect();
        self.op.reference(&args)
    }

    fn rounding(salt: u64) -> Rounding {
        let (largest, smallest) = (largest::<T>(), smallest_normal::<T>());
        Rounding { epsilon: 2.0 * T::EPSILON, largest, smallest, salt, sizes: false }
    }

    /// Runs without rounding, and with.
    fn runs(&self, probes: &[Probe]) -> Result<Vec<Vec<Value>>, Failure> {
        let all = std::iter::once(Rounding::NONE).chain((1..=self.rounded_runs).map(Self::rounding));
        let runs = all.map(|rounding| self.run(probes, rounding, None)).collect::<Result<Vec<_>, _>>();
        let runs = runs.map_err(|error| Failure::Call { call: "reference", error })?;
        let expected = self.spec.outputs.len() + self.case.states().count();
        match runs[0].len() {
            found if found == expected => Ok(runs),
            found => {
                Err(wrong(&self.spec, format!("the reference gives {found} values, expected {expected} outputs and states")))
            }
        }
    }

    /// The outputs and states, given the shapes that the call gave them.
    pub fn values(&self, shapes: &[(String, Vec<usize>)]) -> Result<Vec<Vec<Expected>>, Failure> {
        let runs = self.runs(&[])?;
        let mut all = vec![];
        for (k, (tensor, shape)) in shapes.iter().enumerate() {
            let dims = self.result_dims(k, shape)?;
            let fits = |value: &Value| value.dims().iter().all(|d| dims.contains(d));
            if !runs.iter().all(|run| fits(&run[k])) {
                let expected = runs[0][k].dims().iter().map(|(_, len)| *len).collect();
                return Err(Failure::Shape { function: self.spec.name, tensor: tensor.clone(), found: shape.clone(), expected });
            }
            let flat: Vec<Vec<f64>> = runs.iter().map(|run| run[k].values_over(&dims)).collect();
            let at = |i: usize| {
                let rounded: Vec<f64> = flat[1..].iter().map(|run| run[i]).collect();
                Expected::new::<T>(flat[0][i], &rounded, 0.0)
            };
            all.push((0..flat[0].len()).map(at).collect());
        }
        Ok(all)
    }

    /// The axes of the `k`-th of outputs and states.
    fn result_dims(&self, k: usize, shape: &[usize]) -> Result<Vec<(Axis, usize)>, Failure> {
        let states = self.spec.args.iter().enumerate().filter(|(i, s)| s.kind == ArgKind::State && !self.case.is_absent(*i));
        let state = |k: usize| states.map(|(i, _)| i).nth(k).map(|i| self.dims[i].clone());
        match self.spec.outputs.get(k) {
            Some(output) => flat_dims(&self.spec, output.axes, output.many, shape, "an output"),
            None => {
                state(k - self.spec.outputs.len()).ok_or_else(|| wrong(&self.spec, "the reference gives too many values".into()))
            }
        }
    }

    /// The slopes along each probe of the outputs' products with the cotangents.
    pub fn slopes(&self, probes: &[Probe], cotangents: &[ArrayD<T>]) -> Result<Vec<Expected>, Failure> {
        let mut slopes = vec![];
        for chunk in probes.chunks(WIDTH) {
            let mut sums = vec![];
            for run in self.runs(chunk)? {
                sums.push(self.contract(&run, cotangents, chunk.len())?);
            }
            let paths = self.paths(chunk, cotangents)?;
            slopes.extend((0..chunk.len()).map(|k| {
                let rounded: Vec<f64> = sums[1..].iter().map(|s| s[k].0).collect();
                let (value, scale) = sums[0][k];
                let (size, error) = paths[k];
                let mut expected = Expected::new::<T>(value, &rounded, scale.max(size));
                expected.tolerance += 16.0 * error;
                // Where a slope is not finite its parts cancel as the formula is written; another spelling differs.
                if value.is_finite() { expected } else { Expected { value, tolerance: f64::INFINITY } }
            }));
        }
        Ok(slopes)
    }

    /// A slope is a sum over paths through the formula, which another spelling of the derivative adds up in another
    /// order, so that what cancels in one does not in the other. The sum of the paths' sizes along each probe, and how far
    /// rounding on the way takes it.
    fn paths(&self, probes: &[Probe], cotangents: &[ArrayD<T>]) -> Result<Vec<(f64, f64)>, Failure> {
        let mut sums = vec![];
        for salt in 0..=SIZED_RUNS {
            let rounding = if salt == 0 { Rounding::NONE } else { Self::rounding(salt) };
            let run = self.run(probes, Rounding { sizes: true, ..rounding }, None);
            let run = run.map_err(|error| Failure::Call { call: "reference", error })?;
            sums.push(self.contract(&run, cotangents, probes.len())?);
        }
        let one = |k: usize| {
            let size = sums[0][k].1;
            let error = sums[1..].iter().map(|s| (s[k].1 - size).abs()).fold(0.0, f64::max);
            if size.is_finite() && error.is_finite() { (size, error) } else { (0.0, 0.0) }
        };
        Ok((0..probes.len()).map(one).collect())
    }

    /// For each of `width` tangents: Σ cotangent·tangent, and Σ |cotangent·tangent|.
    fn contract(&self, run: &[Value], cotangents: &[ArrayD<T>], width: usize) -> Result<Vec<(f64, f64)>, Failure> {
        let mut sums = vec![(0.0, 0.0); width];
        let floats = self.spec.outputs.iter().enumerate().filter(|(_, o)| !o.integer);
        for ((k, _), cotangent) in floats.zip(cotangents) {
            let dims = self.result_dims(k, cotangent.shape())?;
            let tangents = run[k].tangents_over(&dims, width);
            for (c, row) in cotangent.iter().zip(tangents.chunks(width.max(1))) {
                for (sum, tangent) in sums.iter_mut().zip(row) {
                    let term = if *tangent == 0.0 { 0.0 } else { c.f64() * tangent };
                    *sum = (sum.0 + term, sum.1 + term.abs());
                }
            }
        }
        Ok(sums)
    }

    /// The slope along a probe by central differences; `None` beside a kink, and where `stop_gradient` hides a part of
    /// the change from the tangents.
    ///
    /// Both sides must agree: across a kink even a central difference looks smooth.
    pub fn difference(&self, probe: Probe, cotangents: &[ArrayD<T>]) -> Result<Option<Expected>, Failure> {
        let step = self.step(probe);
        let at = |by: f64| -> Result<(f64, f64), Failure> {
            let run = self.run(&[], Rounding::NONE, Some((probe, by)));
            let run = run.map_err(|error| Failure::Call { call: "reference", error })?;
            if run.iter().any(Value::is_detached) {
                return Ok((f64::NAN, 0.0));
            }
            let mut sum = (0.0, 0.0);
            let floats = self.spec.outputs.iter().enumerate().filter(|(_, o)| !o.integer);
            for ((k, _), cotangent) in floats.zip(cotangents) {
                let values = run[k].values_over(&self.result_dims(k, cotangent.shape())?);
                let terms = cotangent.iter().zip(values).map(|(c, y)| c.f64() * y);
                sum = terms.fold(sum, |(s, m), term| (s + term, m + term.abs()));
            }
            Ok(sum)
        };
        let (below, here, above) = (at(-step)?, at(0.0)?, at(step)?);
        let (far_below, far_above) = (at(-2.0 * step)?.0, at(2.0 * step)?.0);
        let (left, right) = ((here.0 - below.0) / step, (above.0 - here.0) / step);
        let value = (above.0 - below.0) / (2.0 * step);
        // Rounding of the sums, magnified by the step; the curvature; what twice the step changes.
        let noise = 256.0 * f64::EPSILON * (here.1 + above.1 + below.1) / step;
        let bend = ((far_above - far_below) / (4.0 * step) - value).abs();
        let tolerance = noise + bend + 1e-4 * value.abs().max(left.abs()).max(right.abs());
        let smooth = value.is_finite() && abs_diff_eq!(left, right, epsilon = tolerance);
        // Twice the step halves the quotient of a jump, and hardly changes that of a curve.
        let jump = bend > 0.25 * value.abs() && bend > noise;
        Ok((smooth && !jump).then_some(Expected { value, tolerance }))
    }

    /// Whether the formula has another slope a step away to either side: what it does at this very point, such as where
    /// two numbers are equal, differences do not see.
    pub fn is_singular(&self, probe: Probe, cotangents: &[ArrayD<T>], slope: Expected) -> Result<bool, Failure> {
        let step = self.step(probe);
        let mut apart = true;
        for by in [-step, step] {
            let run = self.run(&[probe], Rounding::NONE, Some((probe, by)));
            let run = run.map_err(|error| Failure::Call { call: "reference", error })?;
            let beside = self.contract(&run, cotangents, 1)?[0].0;
            apart &= !abs_diff_eq!(beside, slope.value, epsilon = slope.tolerance + 1e-3 * slope.value.abs());
        }
        Ok(apart)
    }

    /// How far a difference moves the argument.
    fn step(&self, probe: Probe) -> f64 {
        let largest = self.case.numbers(probe.arg()).into_iter().flatten().fold(0.0, |m: f64, x| m.max(x.abs()));
        1e-6 * largest.max(1e-3)
    }
}

fn wrong(spec: &Spec, message: String) -> Failure {
    Failure::Spec { function: spec.name, message }
}

/// Axes with the extents of a shape, a `Many` axis being all its dimensions' elements.
fn flat_dims(
    spec: &Spec,
    axes: &[&str],
    many: Option<usize>,
    shape: &[usize],
    tensor: &str,
) -> Result<Vec<(Axis, usize)>, Failure> {
    let extra = (shape.len() + usize::from(many.is_some())).checked_sub(axes.len());
    let (Some(extra), true) = (extra, many.is_some() || shape.len() == axes.len()) else {
        return Err(wrong(spec, format!("{tensor} has {} dimensions for the axes {axes:?}", shape.len())));
    };
    let mut rest = shape.iter().copied();
    let mut dims = vec![];
    for (i, name) in axes.iter().enumerate() {
        let Some(id) = spec.axes.iter().position(|a| a == name) else {
            return Err(wrong(spec, format!("axis {name} of {tensor} is not among {:?}", spec.axes)));
        };
        let len = if many == Some(i) { rest.by_ref().take(extra).product() } else { rest.next().unwrap_or(1) };
        dims.push((Axis(id as u32), len));
    }
    Ok(dims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rounding_may_turn_into_another_kind_is_not_judged() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let of = |value: f64, rounded: &[f64]| Expected::new::<f32>(value, rounded, 0.0);
        for (value, rounded) in [(1.0, [1.0, inf]), (1.0, [nan, 1.0]), (inf, [inf, 1.0]), (inf, [inf, -inf]), (nan, [inf, nan])] {
            assert!(!of(value, &rounded).is_judged(), "{value} and {rounded:?}");
        }
        // what stays of its kind is that and nothing else
        for value in [nan, inf, -inf] {
            let expected = of(value, &[value, value]);
            assert!(expected.is_judged() && expected.agrees(value), "{value}");
            assert!([0.0, 1.0, f64::MAX, -value].iter().all(|x| x.is_nan() || !expected.agrees(*x)), "{value}");
        }
        let near = of(1.0, &[1.0 + 1e-7, 1.0]);
        assert!(near.is_judged() && near.agrees(1.0 + 1e-6) && !near.agrees(1.001) && !near.agrees(nan));
    }
}
