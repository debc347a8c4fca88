//! A layer written by hand, right and wrong in every way that the check must see.

use std::cell::Cell;

use ndarray::{ArrayD, ArrayViewD, Ix0, Ix1, Ix2, IxDyn, array};

use super::*;
use crate::formula::{self, Axis, Value};
use crate::layer::*;
use crate::{Error, Grad};

/// What is wrong with the layer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bug {
    None,
    Forward,
    State,
    MeanTerm,
    GammaTwice,
    Scalar,
    OverwritesSums,
    ReadsOutput,
    DiffersEachTime,
    ZeroCotangent,
    MemoryOrder,
    ForwardOrder,
    Alone,
    Unwritten,
    Reference,
    Shape,
}

/// `y = a·gamma·(x − mean(x, N))·rsqrt(var(x, N) + 1e-2)`, and `r` follows the mean.
#[derive(Debug)]
struct Norm {
    bug: Bug,
    calls: Cell<u32>,
}

impl Norm {
    fn new(bug: Bug) -> Norm {
        Norm { bug, calls: Cell::new(0) }
    }
}

const NAME: &str = "norm";
const N: Axis = Axis(0);

/// The mean and 1/√(var + 1e-2) of a column, rounded after each operation.
fn statistics<T: Float>(x: impl Iterator<Item = T> + Clone) -> (f64, f64) {
    let round = |x: f64| T::of(x).f64();
    let n = x.clone().count() as f64;
    let mean = round(x.clone().map(T::f64).sum::<f64>() / n);
    let var = round(x.map(|x| round(x.f64() - mean).powi(2)).sum::<f64>() / n);
    (mean, round(1.0 / (var + 1e-2).sqrt()))
}

fn put<T: Float, D: ndarray::Dimension>(slot: &mut Slot<'_, T, D>, gradient: &ndarray::Array<f64, D>, overwrite: bool) {
    match slot.grad() {
        Grad::Add(to) if !overwrite => to.zip_mut_with(gradient, |to, g| *to = T::of(to.f64() + g)),
        Grad::Write(to) | Grad::Add(to) => to.zip_mut_with(gradient, |to, g| *to = T::of(*g)),
    }
}

impl<T: Float> Layer<T> for Norm {
    const NAME: &'static str = NAME;
    const AXES: &'static [&'static str] = &["N", "C"];
    const ARGS: &'static [ArgSpec] = &[
        ArgSpec::new("x", &["N", "C"], ArgKind::Tensor),
        ArgSpec::new("gamma", &["C"], ArgKind::Tensor).optional(),
        ArgSpec::new("a", &[], ArgKind::Diff),
        ArgSpec::new("r", &["C"], ArgKind::State),
    ];
    const OUTPUTS: &'static [OutputSpec] = &[OutputSpec::new(&["N", "C"])];
    const BACKWARD_READS: Reads = Reads { args: &[0, 1, 2], outputs: &[] };
    type Saved = ();

    fn forward(&self, args: &mut [Arg<'_, T>]) -> Result<Forward<T, ()>, Error> {
        let [x, gamma, a, r] = exactly_mut(args, NAME, "arguments")?;
        let (x, gamma, a) = (x.view::<Ix2>(NAME, "x")?, gamma.optional::<Ix1>(NAME, "gamma")?, a.scalar(NAME, "a")?);
        let mut r = r.state_mut::<Ix1>(NAME, "r")?;
        if x.nrows() == 0 {
            return Err(Error::EmptyReduction { function: NAME, reduction: "mean", axis: "N" });
        }
        let mut y = x.to_owned();
        for (c, mut column) in y.columns_mut().into_iter().enumerate() {
            let (mean, rstd) = statistics(x.column(c).iter().copied());
            let factor = a * gamma.as_ref().map_or(1.0, |g| g[c].f64()) * rstd;
            let wrong = if self.bug == Bug::Forward { 1.0 + 1e-4 } else { 1.0 };
            column.mapv_inplace(|x| T::of(wrong * factor * T::of(x.f64() - mean).f64()));
            if self.bug != Bug::State {
                r[c] = T::of(0.9 * r[c].f64() + 0.1 * mean);
            }
        }
        if self.bug == Bug::ForwardOrder && x.strides()[0] < 0 {
            y.invert_axis(ndarray::Axis(0));
        }
        let y = if self.bug == Bug::Shape { y.reversed_axes() } else { y };
        Ok(Forward { outputs: vec![Output::Float(y.into_dyn())], saved: () })
    }

    fn backward(
        &self,
        cotangents: &[ArrayViewD<'_, T>],
        args: &[Arg<'_, T>],
        outputs: &[Output<T>],
        (): &(),
        wanted: &mut [Option<GradD<'_, T>>],
    ) -> Result<(), Error> {
        let ([dy], [x, gamma, a, _]) = (exactly(cotangents, NAME, "cotangents")?, exactly(args, NAME, "arguments")?);
        let (dy, x) = (fixed::<T, Ix2>(dy, NAME, "dy")?, x.view::<Ix2>(NAME, "x")?);
        let (gamma, a) = (gamma.optional::<Ix1>(NAME, "gamma")?, a.scalar(NAME, "a")?);
        let y = outputs[0].view::<Ix2>(NAME, "y")?;
        let all = wanted.iter().all(Option::is_some) || gamma.is_none();
        let [dx, dgamma, da] = exactly_mut(wanted, NAME, "gradients")?;
        self.calls.set(self.calls.get() + 1);

        let (n, mut grad_x) = (x.nrows() as f64, x.mapv(|_| 0.0));
        let (mut grad_gamma, mut grad_a) = (ndarray::Array1::zeros(x.ncols()), ndarray::arr0(0.0));
        for c in 0..x.ncols() {
            let (mean, rstd) = statistics(x.column(c).iter().copied());
            let weight = gamma.as_ref().map_or(1.0, |g| g[c].f64());
            let hat = |i: usize| (x[[i, c]].f64() - mean) * rstd;
            let sum: f64 = (0..x.nrows()).map(|i| dy[[i, c]].f64()).sum();
            let product: f64 = (0..x.nrows()).map(|i| dy[[i, c]].f64() * hat(i)).sum();
            grad_gamma[c] = a * product;
            grad_a += weight * product;
            let sum = if self.bug == Bug::MeanTerm { 0.0 } else { sum };
            for i in 0..x.nrows() {
                grad_x[[i, c]] = a * weight * rstd * (dy[[i, c]].f64() - sum / n - hat(i) * product / n);
            }
        }
        match self.bug {
            Bug::GammaTwice => grad_gamma *= 2.0,
            Bug::Scalar => grad_a *= 1.001,
            Bug::Reference => grad_a *= 2.0,
            Bug::ReadsOutput => grad_gamma.iter_mut().zip(y.row(0)).for_each(|(g, y)| *g += 0.0 * y.f64()),
            Bug::DiffersEachTime => grad_a *= 1.0 + 1e-12 * f64::from(self.calls.get()),
            Bug::ZeroCotangent => grad_x += 1e-300,
            Bug::MemoryOrder if dy.strides()[0] < 0 => grad_x.invert_axis(ndarray::Axis(0)),
            Bug::Alone if !all => grad_gamma += 1.0,
            _ => {}
        }
        let overwrite = self.bug == Bug::OverwritesSums;
        if let (Some(slot), true) = (&mut slot::<T, Ix2>(dx, NAME, "x")?, self.bug != Bug::Unwritten) {
            put(slot, &grad_x, overwrite);
        }
        if let Some(slot) = &mut slot::<T, Ix1>(dgamma, NAME, "gamma")? {
            put(slot, &grad_gamma, overwrite);
        }
        if let Some(slot) = &mut scalar_slot(da, NAME, "a")? {
            put(slot, &grad_a, overwrite);
        }
        Ok(())
    }

    fn reference(&self, args: &[Option<Value>]) -> Result<Vec<Value>, Error> {
        let [Some(x), gamma, Some(a), Some(r)] = args else {
            return Err(Error::Count { function: NAME, what: "arguments", found: args.len(), expected: 4 });
        };
        let mu = formula::mean(x, &[N]);
        let rstd = formula::rsqrt(&formula::add(&formula::var(x, &[N]), &formula::num(1e-2)));
        let hat = formula::mul(&formula::sub(x, &mu), &rstd);
        let hat = gamma.as_ref().map_or(hat.clone(), |gamma| formula::mul(gamma, &hat));
        // The number is right, its tangents are twice what they should be.
        let doubled = a.tangents_over(&[], a.width()).iter().map(|t| 2.0 * t).collect();
        let wrong = Value::variable(&[], a.values_over(&[]), a.width(), doubled);
        let a = if self.bug == Bug::Reference { &wrong } else { a };
        let next = formula::add(&formula::mul(&formula::num(0.9), r), &formula::mul(&formula::num(0.1), &mu));
        Ok(vec![formula::mul(a, &hat), next])
    }
}

fn check<T: Float>(bug: Bug) -> Result<Report, Failure> {
    let x = ArrayD::from_shape_fn(IxDyn(&[5, 3]), |at| T::of((7 * at[0] + 3 * at[1]) as f64 % 5.0 - 1.3 * at[1] as f64));
    let gamma = array![T::of(1.5), T::of(-0.5), T::of(2.0)];
    let mut r = array![T::of(0.0), T::of(1.0), T::of(2.0)];
    let args = [Arg::tensor(&x), Arg::tensor(&gamma), Arg::Scalar(0.7), Arg::state(&mut r)];
    gradcheck(&Norm::new(bug), &args)
}

fn mismatch(bug: Bug) -> Mismatch {
    match check::<f64>(bug) {
        Err(Failure::Element(mismatch)) => *mismatch,
        other => panic!("{bug:?} gives {other:?}"),
    }
}

#[test]
fn a_right_layer_passes_in_both_types() {
    for report in [check::<f32>(Bug::None), check::<f64>(Bug::None)] {
        let report = report.unwrap_or_else(|failure| panic!("{failure}"));
        assert!(report.judged > 200 && report.unjudged == 0, "{report:?}");
    }
}

#[test]
fn every_bug_is_found_by_its_own_check() {
    let expected = [
        (Bug::Forward, "output 0", "forward, against the formula"),
        (Bug::ForwardOrder, "output 0", "forward in another layout"),
        (Bug::State, "state `r`", "forward, against the formula"),
        (Bug::MeanTerm, "gradient of `x`", "backward, against the derivative"),
        (Bug::GammaTwice, "gradient of `gamma`", "backward, against the derivative"),
        (Bug::Scalar, "gradient of `a`", "backward, against the derivative"),
        (Bug::Unwritten, "gradient of `x`", "backward, against the derivative"),
        (Bug::OverwritesSums, "gradient of `x`", "backward added to 0.5"),
        (Bug::ReadsOutput, "gradient of `gamma`", "backward without the values"),
        (Bug::DiffersEachTime, "gradient of `a`", "backward computed twice"),
        (Bug::ZeroCotangent, "gradient of `x`", "backward of a cotangent of zero"),
        (Bug::MemoryOrder, "gradient of `x`", "backward in another layout"),
        (Bug::Alone, "gradient of `gamma`", "a gradient wanted alone"),
        (Bug::Reference, "gradient of `a`, along a random direction,", "the derivative of the formula"),
    ];
    for (bug, tensor, check) in expected {
        let found = mismatch(bug);
        assert_eq!(found.tensor, tensor, "{bug:?}: {found}");
        assert!(found.check.starts_with(check), "{bug:?}: {found}");
    }
}

#[test]
fn a_failure_names_the_element_both_values_and_the_shapes() {
    let message = mismatch(Bug::GammaTwice).to_string();
    assert!(message.starts_with("norm: gradient of `gamma` at [0] is "), "{message}");
    assert!(message.contains("relative error 1.00e0"), "{message}");
    assert!(message.contains("f64, x [5, 3], gamma [3], a = 0.7, r [3]"), "{message}");
    assert!(matches!(check::<f64>(Bug::Shape), Err(Failure::Shape { .. })));
}

#[test]
fn a_refused_call_is_told() {
    let x = array![[1.0f64, 2.0]];
    let failure = gradcheck(&Norm::new(Bug::None), &[Arg::tensor(&x)]).unwrap_err();
    assert_eq!(failure.to_string(), "forward failed: norm: 1 arguments, expected 4");
}

/// `y = max(x, 0)`, at its kink and far from it.
#[derive(Debug)]
struct Relu {
    /// The slope at 0.
    at_zero: f64,
}

impl<T: Float> Layer<T> for Relu {
    const NAME: &'static str = "relu";
    const AXES: &'static [&'static str] = &["S"];
    const ARGS: &'static [ArgSpec] = &[ArgSpec::new("x", &["S"], ArgKind::Tensor).many(0)];
    const OUTPUTS: &'static [OutputSpec] = &[OutputSpec::new(&["S"]).many(0)];
    const BACKWARD_READS: Reads = Reads { args: &[0], outputs: &[] };
    type Saved = ();

    fn forward(&self, args: &mut [Arg<'_, T>]) -> Result<Forward<T, ()>, Error> {
        let y = args[0].view::<IxDyn>("relu", "x")?.mapv(|x| if x.f64() < 0.0 { T::of(0.0) } else { x });
        Ok(Forward { outputs: vec![Output::Float(y)], saved: () })
    }

    fn backward(
        &self,
        cotangents: &[ArrayViewD<'_, T>],
        args: &[Arg<'_, T>],
        _: &[Output<T>],
        (): &(),
        wanted: &mut [Option<GradD<'_, T>>],
    ) -> Result<(), Error> {
        let slope = |x: f64| {
            if x == 0.0 {
                self.at_zero
            } else if x < 0.0 {
                0.0
            } else {
                1.0
            }
        };
        let mut gradient = args[0].view::<IxDyn>("relu", "x")?.mapv(|x| slope(x.f64()));
        gradient.zip_mut_with(&cotangents[0], |g, dy| *g *= dy.f64());
        if let Some(slot) = &mut slot::<T, IxDyn>(&mut wanted[0], "relu", "x")? {
            put(slot, &gradient, false);
        }
        Ok(())
    }

    fn reference(&self, args: &[Option<Value>]) -> Result<Vec<Value>, Error> {
        Ok(args.iter().flatten().map(|x| formula::max2(x, &formula::num(0.0))).collect())
    }
}

#[test]
fn kinks_follow_the_convention() {
    let x = array![[-1.0, 0.0], [2.0, 0.0]];
    gradcheck(&Relu { at_zero: 0.0 }, &[Arg::tensor(&x)]).unwrap();
    let failure = gradcheck(&Relu { at_zero: 0.5 }, &[Arg::tensor(&x)]).unwrap_err();
    assert!(failure.to_string().starts_with("relu: gradient of `x` at [0, 1] is "), "{failure}");
}

/// `y[n] = exp(x[n, label[n]])`
#[derive(Debug)]
struct Pick {
    /// Whether the gradient lands one class too far.
    off_by_one: bool,
}

impl<T: Float> Layer<T> for Pick {
    const NAME: &'static str = "pick";
    const AXES: &'static [&'static str] = &["N", "C"];
    const ARGS: &'static [ArgSpec] =
        &[ArgSpec::new("x", &["N", "C"], ArgKind::Tensor), ArgSpec::new("label", &["N"], ArgKind::Labels { within: &["C"] })];
    const OUTPUTS: &'static [OutputSpec] = &[OutputSpec::new(&["N"])];
    const BACKWARD_READS: Reads = Reads { args: &[1], outputs: &[0] };
    type Saved = ();

    fn forward(&self, args: &mut [Arg<'_, T>]) -> Result<Forward<T, ()>, Error> {
        let [x, label] = exactly_mut(args, "pick", "arguments")?;
        let (x, label) = (x.view::<Ix2>("pick", "x")?, label.indices::<Ix1>("pick", "label")?);
        let bound = x.ncols();
        if let Some((n, &value)) = label.indexed_iter().find(|(_, c)| !(0..bound as i64).contains(*c)) {
            return Err(Error::Label { function: "pick", argument: "label", position: vec![n], value, bound });
        }
        let y = label.indexed_iter().map(|(n, c)| T::of(x[[n, *c as usize]].f64().exp())).collect::<ndarray::Array1<T>>();
        Ok(Forward { outputs: vec![Output::Float(y.into_dyn())], saved: () })
    }

    fn backward(
        &self,
        cotangents: &[ArrayViewD<'_, T>],
        args: &[Arg<'_, T>],
        outputs: &[Output<T>],
        (): &(),
        wanted: &mut [Option<GradD<'_, T>>],
    ) -> Result<(), Error> {
        let (x, label) = (args[0].view::<Ix2>("pick", "x")?, args[1].indices::<Ix1>("pick", "label")?);
        let y = outputs[0].view::<Ix1>("pick", "y")?;
        let mut gradient = x.mapv(|_| 0.0);
        for (n, c) in label.indexed_iter() {
            let class = (*c as usize + usize::from(self.off_by_one)) % x.ncols();
            gradient[[n, class]] = cotangents[0][n].f64() * y[n].f64();
        }
        if let Some(slot) = &mut slot::<T, Ix2>(&mut wanted[0], "pick", "x")? {
            put(slot, &gradient, false);
        }
        Ok(())
    }

    fn reference(&self, args: &[Option<Value>]) -> Result<Vec<Value>, Error> {
        let [Some(x), Some(label)] = args else { unreachable!("neither is optional") };
        Ok(vec![formula::exp(&formula::pick(x, &[Axis(1)], label))])
    }
}

#[test]
fn labels_are_checked_and_drawn_in_range() {
    let (x, label) = (array![[0.5, -1.0], [0.25, 2.0]], array![1, 0]);
    gradcheck(&Pick { off_by_one: false }, &[Arg::tensor(&x), Arg::labels(&label)]).unwrap();
    let failure = gradcheck(&Pick { off_by_one: true }, &[Arg::tensor(&x), Arg::labels(&label)]).unwrap_err();
    assert!(failure.to_string().starts_with("pick: gradient of `x` at [0, 0] is "), "{failure}");
    let far = gradcheck(&Pick { off_by_one: false }, &[Arg::tensor(&x), Arg::labels(&array![1, 2])]).unwrap_err();
    assert_eq!(far.to_string(), "forward failed: pick: `label`[1] is 2, expected an index from 0 to below 2");
}

#[test]
fn rank_zero_and_empty_arrays_are_checked() {
    let scalar = ndarray::arr0(2.0);
    assert!(gradcheck(&Relu { at_zero: 0.0 }, &[Arg::tensor(&scalar)]).unwrap().judged > 0);
    let empty = ArrayD::<f32>::zeros(IxDyn(&[0, 3]));
    gradcheck(&Relu { at_zero: 0.0 }, &[Arg::tensor(&empty)]).unwrap();
    let _: Ix0 = scalar.raw_dim();
}

#[cfg(feature = "testing")]
mod drawn {
    use super::*;
    use crate::gradient_test;

    gradient_test!(norm_gradient, Norm::new(Bug::None));
    gradient_test!(Relu { at_zero: 0.0 });
    gradient_test!(Pick { off_by_one: false });

    fn failure(run: impl FnOnce() + std::panic::UnwindSafe) -> String {
        let payload = std::panic::catch_unwind(run).unwrap_err();
        payload.downcast_ref::<String>().cloned().unwrap_or_default()
    }

    #[test]
    fn a_wrong_layer_fails_and_is_shrunk() {
        let message = failure(|| check_random(&Norm::new(Bug::MeanTerm)));
        assert!(message.contains("gradient of `x`"), "{message}");
        // One row and one column suffice to miss the mean's term.
        assert!(message.contains("x [1, 1]"), "{message}");
        assert!(failure(|| check_random(&Relu { at_zero: 1.0 })).contains("x ["));
    }

    #[test]
    fn a_layer_that_refuses_everything_fails() {
        let message = failure(|| check_random(&Refusing));
        assert!(message.contains("every case was refused"), "{message}");
    }

    #[derive(Debug)]
    struct Refusing;

    impl<T: Float> Layer<T> for Refusing {
        const NAME: &'static str = "refusing";
        const AXES: &'static [&'static str] = &[];
        const ARGS: &'static [ArgSpec] = &[];
        const OUTPUTS: &'static [OutputSpec] = &[];
        const BACKWARD_READS: Reads = Reads { args: &[], outputs: &[] };
        type Saved = ();

        fn forward(&self, _: &mut [Arg<'_, T>]) -> Result<Forward<T, ()>, Error> {
            Err(Error::Ensure { function: "refusing", message: "never".into() })
        }
        fn backward(
            &self,
            _: &[ArrayViewD<'_, T>],
            _: &[Arg<'_, T>],
            _: &[Output<T>],
            (): &(),
            _: &mut [Option<GradD<'_, T>>],
        ) -> Result<(), Error> {
            Ok(())
        }
        fn reference(&self, _: &[Option<Value>]) -> Result<Vec<Value>, Error> {
            Ok(vec![])
        }
    }
}
