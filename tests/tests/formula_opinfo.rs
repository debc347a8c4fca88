//! The formula vocabulary against PyTorch's own samples: formulas run as written give its outputs, and their tangents
//! its gradients.

use approx::{assert_relative_eq, relative_eq};
use pullback::formula::{self as f, Axis, Value};
use pullback::ndarray::ArrayD;
use pullback::{Window, rng};
use pullback_tests::opinfo::{Sample, samples, tuple};
use serde_json::Value as Json;

/// Axes of the first operand, in order; then those that formulas introduce.
const X: [Axis; 5] = [Axis(0), Axis(1), Axis(2), Axis(3), Axis(4)];
const OUT: Axis = Axis(10);
const OUT2: Axis = Axis(11);
const TAP: Axis = Axis(12);
const TAP2: Axis = Axis(13);
const NEW: Axis = Axis(14);
const OTHER: Axis = Axis(15);
const GROUP: Axis = Axis(16);
const INPUT: Axis = Axis(17);
const RESULT: Axis = Axis(18);
/// Directions that gradients are compared along.
const DIRECTIONS: usize = 6;

/// An argument: its position in PyTorch's call, its elements, its axes.
struct Argument {
    position: usize,
    array: ArrayD<f64>,
    axes: Vec<Axis>,
}

impl Argument {
    fn new(sample: &Sample, position: usize, axes: &[Axis]) -> Option<Argument> {
        let array = sample.tensor(position)?;
        Some(Argument { position, axes: axes[..array.ndim()].to_vec(), array })
    }

    fn dims(&self) -> Vec<(Axis, usize)> {
        self.axes.iter().copied().zip(self.array.shape().iter().copied()).collect()
    }

    /// Along direction `k`, the component at element `at`.
    fn component(&self, at: usize, k: usize) -> f64 {
        rng::normal(k as u64, self.position as u32, at as u64)
    }

    /// As a variable, its elements moving along every direction.
    fn variable(&self) -> Value {
        let tangents = (0..self.array.len()).flat_map(|at| (0..DIRECTIONS).map(move |k| self.component(at, k)));
        Value::variable(&self.dims(), self.array.iter().copied().collect(), DIRECTIONS, tangents.collect())
    }

    fn constant(&self) -> Value {
        Value::constant(&self.dims(), self.array.iter().copied().collect())
    }
}

/// Compares a formula of the arguments, its result over `axes`, with the sample's output and gradients.
fn check(sample: &Sample, args: &[Option<Argument>], axes: &[Axis], formula: impl Fn(&[Option<Value>]) -> Value) {
    let (output, cotangent) = (sample.output(0), sample.cotangent(0));
    let dims: Vec<(Axis, usize)> = axes.iter().copied().zip(output.shape().iter().copied()).collect();
    assert_eq!(dims.len(), output.ndim(), "{}", sample.name);
    for (i, moving) in args.iter().enumerate() {
        let Some(moving) = moving else { continue };
        let value =
            |(j, arg): (usize, &Option<Argument>)| arg.as_ref().map(|arg| if i == j { arg.variable() } else { arg.constant() });
        let result = formula(&args.iter().enumerate().map(value).collect::<Vec<_>>());
        for (found, expected) in result.values_over(&dims).iter().zip(&output) {
            let same = found.is_nan() && expected.is_nan();
            assert!(
                same || relative_eq!(*found, *expected, epsilon = 1e-11, max_relative = 1e-11),
                "{}: {found}, PyTorch {expected}",
                sample.name
            );
        }
        let Some(gradient) = sample.grad(moving.position) else { continue };
        let tangents = result.tangents_over(&dims, DIRECTIONS);
        for k in 0..DIRECTIONS {
            let found: f64 = cotangent.iter().enumerate().map(|(o, c)| c * tangents[o * DIRECTIONS + k]).sum();
            let expected: f64 = gradient.iter().enumerate().map(|(at, g)| g * moving.component(at, k)).sum();
            let size: f64 = gradient.iter().map(|g| g.abs()).sum();
            assert_relative_eq!(found, expected, epsilon = 1e-11 * (1.0 + size), max_relative = 1e-10);
        }
    }
}

/// The samples that `f` says it covers; there must be `expected` of them, so that none is skipped unnoticed.
fn covered(operator: &str, expected: usize, f: impl Fn(&Sample) -> Option<()>) {
    let count = samples(operator).iter().filter_map(f).count();
    assert_eq!(count, expected, "{operator}: samples covered");
}

/// The window of a pooling call, its options at these positions (where they can be positional) or by name.
fn window(sample: &Sample, names: &[&str]) -> Window<2> {
    let option = |name: &str| {
        let position = names.iter().position(|n| *n == name).map_or(usize::MAX, |i| i + 1);
        sample.either(position, name)
    };
    let flag = |name, default| option(name).and_then(Json::as_bool).unwrap_or(default);
    let mut k = Window::new(option("kernel_size").and_then(tuple).expect("a kernel size"));
    if let Some(stride) = option("stride").and_then(tuple) {
        k = k.stride(stride);
    }
    k = k
        .padding(option("padding").and_then(tuple).unwrap_or([0, 0]))
        .dilation(option("dilation").and_then(tuple).unwrap_or([1, 1]));
    k.ceil_mode(flag("ceil_mode", false))
        .count_padding(flag("count_include_pad", names.contains(&"count_include_pad")))
        .divisor(option("divisor_override").and_then(Json::as_i64))
}

/// The last two axes of `n`, and an output's axes with windows in their place.
fn planes(n: usize) -> (Vec<Axis>, Vec<Axis>) {
    (X[n - 2..n].to_vec(), [&X[..n - 2], &[OUT, OUT2]].concat())
}

#[test]
fn pools() {
    let names = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"];
    type Reduction = fn(&Value, &[Axis]) -> Value;
    let pools: [(&str, &[&str], usize, Reduction); 2] = [("avg_pool2d", &names, 7, f::mean), ("max_pool2d", &[], 144, f::max)];
    for (operator, names, count, reduction) in pools {
        covered(operator, count, |sample| {
            let x = Argument::new(sample, 0, &X)?;
            let (k, (plane, out)) = (window(sample, names), planes(x.array.ndim()));
            check(sample, &[Some(x)], &out, |x| {
                let windows = f::window(x[0].as_ref().unwrap(), &plane, &[OUT, OUT2], &[TAP, TAP2], &k);
                reduction(&windows, &[TAP, TAP2])
            });
            Some(())
        });
    }
}

#[test]
fn adaptive_pools() {
    type Reduction = fn(&Value, &[Axis]) -> Value;
    let pools: [(&str, usize, Reduction); 2] = [("adaptive_avg_pool1d", 6, f::mean), ("adaptive_max_pool1d", 12, f::max)];
    for (operator, count, reduction) in pools {
        covered(operator, count, |sample| {
            let x = Argument::new(sample, 0, &X)?;
            let last = X[x.array.ndim() - 1];
            let out = [&X[..x.array.ndim() - 1], &[OUT]].concat();
            let len = sample.arg(1).and_then(tuple::<1>)?[0];
            check(sample, &[Some(x)], &out, |x| {
                reduction(&f::adaptive_window(x[0].as_ref().unwrap(), &[last], &[OUT], &[TAP], &[len]), &[TAP])
            });
            Some(())
        });
    }
}

#[test]
fn convolution() {
    // Left out: `same`, which pads an even kernel on one side more.
    covered("conv2d", 28, |sample| {
        let padding = match sample.kwarg("padding") {
            Some(Json::String(same)) if same == "same" => return None,
            Some(Json::String(_)) | None => [0, 0],
            Some(given) => tuple(given)?,
        };
        let (x, n) = (Argument::new(sample, 0, &X)?, sample.tensor(0)?.ndim());
        let weight = Argument::new(sample, 1, &[NEW, X[n - 3], TAP, TAP2])?;
        let bias = Argument::new(sample, 2, &[NEW]);
        let option = |name| sample.kwarg(name).and_then(tuple);
        let groups = sample.number("groups", 1.0) as usize;
        let k = Window::new([weight.array.shape()[2], weight.array.shape()[3]]).padding(padding);
        let k = k.stride(option("stride").unwrap_or([1, 1])).dilation(option("dilation").unwrap_or([1, 1]));
        let (channels, (plane, mut out)) = (X[n - 3], planes(n));
        out[n - 3] = NEW;
        check(sample, &[Some(x), Some(weight), bias], &out, |args| {
            let [Some(x), Some(weight), bias] = args else { unreachable!("x and weight are given") };
            let windows = f::window(x, &plane, &[OUT, OUT2], &[TAP, TAP2], &k);
            let windows = f::split(&windows, channels, (GROUP, INPUT), groups);
            let weight = f::rename(&f::split(weight, NEW, (GROUP, RESULT), groups), channels, INPUT);
            let y = f::merge(&f::dot(&windows, &weight, &[INPUT, TAP, TAP2]), (GROUP, RESULT), NEW);
            bias.as_ref().map_or(y.clone(), |bias| f::add(&y, bias))
        });
        Some(())
    });
}

#[test]
fn norms() {
    for (operator, centred) in [("layer_norm", true), ("rms_norm", false)] {
        covered(operator, 6, |sample| {
            let normalised = sample.arg(1).and_then(Json::as_array)?.len();
            let x = Argument::new(sample, 0, &X)?;
            let n = x.array.ndim();
            let last = X[n - normalised..n].to_vec();
            let args = [Some(x), Argument::new(sample, 2, &last), Argument::new(sample, 3, &last)];
            let eps = f::num(sample.number("eps", if centred { 1e-5 } else { f64::EPSILON }));
            check(sample, &args, &X[..n], |args| {
                let [Some(x), gamma, beta] = args else { unreachable!("x is given") };
                let hat = if centred {
                    f::mul(&f::sub(x, &f::mean(x, &last)), &f::rsqrt(&f::add(&f::var(x, &last), &eps)))
                } else {
                    f::mul(x, &f::rsqrt(&f::add(&f::mean(&f::sq(x), &last), &eps)))
                };
                let y = gamma.as_ref().map_or(hat.clone(), |gamma| f::mul(&hat, gamma));
                beta.as_ref().map_or(y.clone(), |beta| f::add(&y, beta))
            });
            Some(())
        });
    }
}

#[test]
fn logarithms_of_softmax() {
    covered("log_softmax", 7, |sample| {
        let x = Argument::new(sample, 0, &X)?;
        let axis = sample.arg(1).and_then(Json::as_i64)?.rem_euclid(x.array.ndim().max(1) as i64) as usize;
        let n = x.array.ndim();
        check(sample, &[Some(x)], &X[..n], |x| {
            let x = x[0].as_ref().unwrap();
            // A scalar counts as one element along its axis 0.
            let over = if n == 0 { vec![] } else { vec![X[axis]] };
            f::sub(x, &f::logsumexp(x, &over))
        });
        Some(())
    });
}

#[test]
fn cross_entropy() {
    // Left out: class weights, an ignored label, probabilities as labels, and no reduction.
    covered("cross_entropy", 6, |sample| {
        let reduction = sample.kwarg("reduction").and_then(Json::as_str).unwrap_or("mean");
        if sample.kwargs().any(|name| name != "reduction") || reduction == "none" {
            return None;
        }
        let logits = Argument::new(sample, 0, &X)?;
        let rest: Vec<Axis> = (0..logits.array.ndim()).filter(|i| *i != 1).map(|i| X[i]).collect();
        let labels = sample.labels_if_any(1)?;
        let dims: Vec<(Axis, usize)> = rest.iter().copied().zip(labels.shape().iter().copied()).collect();
        let labels = Value::constant(&dims, labels.iter().map(|i| *i as f64).collect());
        check(sample, &[Some(logits)], &[], |x| {
            let x = x[0].as_ref().unwrap();
            let losses = f::sub(&f::logsumexp(x, &[X[1]]), &f::pick(x, &[X[1]], &labels));
            if reduction == "sum" { f::sum(&losses, &rest) } else { f::mean(&losses, &rest) }
        });
        Some(())
    });
}

#[test]
fn embedding() {
    covered("embedding", 3, |sample| {
        let table = Argument::new(sample, 0, &X)?;
        let labels = sample.labels(1)?;
        let axes = [NEW, OTHER, OUT][..labels.ndim()].to_vec();
        let dims: Vec<(Axis, usize)> = axes.iter().copied().zip(labels.shape().iter().copied()).collect();
        let labels = Value::constant(&dims, labels.iter().map(|i| *i as f64).collect());
        let out = [&axes[..], &X[1..2]].concat();
        check(sample, &[Some(table)], &out, |x| f::pick(x[0].as_ref().unwrap(), &[X[0]], &labels));
        Some(())
    });
}

#[test]
fn activations() {
    covered("gelu", 8, |sample| {
        let x = Argument::new(sample, 0, &X)?;
        let n = x.array.ndim();
        let tanh = sample.kwarg("approximate").and_then(Json::as_str) == Some("tanh");
        check(sample, &[Some(x)], &X[..n], |x| {
            let x = x[0].as_ref().unwrap();
            let half = f::mul(&f::num(0.5), x);
            let inner = if tanh {
                let cubic = f::add(x, &f::mul(&f::num(0.044715), &f::powi(x, 3)));
                f::tanh(&f::mul(&f::num((2.0 / std::f64::consts::PI).sqrt()), &cubic))
            } else {
                f::erf(&f::div(x, &f::num(2f64.sqrt())))
            };
            f::mul(&half, &f::add(&f::num(1.0), &inner))
        });
        Some(())
    });
    covered("softplus", 3, |sample| {
        let x = Argument::new(sample, 0, &X)?;
        let n = x.array.ndim();
        let (beta, threshold) = (f::num(sample.number("beta", 1.0)), f::num(sample.number("threshold", 20.0)));
        check(sample, &[Some(x)], &X[..n], |x| {
            let x = x[0].as_ref().unwrap();
            let scaled = f::mul(&beta, x);
            f::select(&f::gt(&scaled, &threshold), x, &f::div(&f::softplus(&scaled), &beta))
        });
        Some(())
    });
}

#[test]
fn pads() {
    type Pad = fn(&Value, Axis, Axis, usize, usize) -> Value;
    let pads: [(&str, usize, Pad); 2] = [("pad.reflect", 11, f::pad_reflect), ("pad.circular", 7, f::pad_circular)];
    for (operator, count, pad) in pads {
        // Left out: negative widths.
        covered(operator, count, |sample| {
            let x = Argument::new(sample, 0, &X)?;
            let n = x.array.ndim();
            let widths: Vec<usize> =
                sample.arg(1)?.as_array()?.iter().map(|w| Some(w.as_u64()? as usize)).collect::<Option<_>>()?;
            check(sample, &[Some(x)], &X[..n], |x| {
                // PyTorch names the last axis first.
                let pairs = widths.chunks(2).zip((0..n).rev());
                pairs.fold(x[0].clone().unwrap(), |x, (width, axis)| pad(&x, X[axis], X[axis], width[0], width[1]))
            });
            Some(())
        });
    }
}
