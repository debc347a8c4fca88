//! The hand-written references against PyTorch's own samples: outputs, gradients, running statistics, indices.

use approx::relative_eq;
use pullback::ndarray::{Array2, ArrayD, Axis, Dimension, Ix2};
use pullback::reference::{self as hand, Window2d};
use pullback_tests::opinfo::{Sample, samples, tuple};
use serde_json::Value;

#[track_caller]
fn assert_close(sample: &Sample, what: &str, found: &ArrayD<f64>, expected: &ArrayD<f64>) {
    assert_eq!(found.shape(), expected.shape(), "{}: shape of {what}", sample.name);
    for ((index, found), expected) in found.indexed_iter().zip(expected) {
        let close = found.is_nan() && expected.is_nan() || relative_eq!(*found, *expected, epsilon = 1e-11, max_relative = 1e-11);
        assert!(close, "{}: {what}{:?}: {found}, PyTorch {expected}", sample.name, index.slice());
    }
}

/// Compares where PyTorch has an answer.
#[track_caller]
fn assert_close_to_any(sample: &Sample, what: &str, found: ArrayD<f64>, expected: Option<ArrayD<f64>>) {
    if let Some(expected) = expected {
        let found = found.into_shape_with_order(expected.raw_dim()).expect("as many elements as PyTorch's");
        assert_close(sample, what, &found, &expected);
    }
}

fn flat(a: ArrayD<f64>) -> Vec<f64> {
    a.into_iter().collect()
}

fn vector(values: Vec<f64>) -> ArrayD<f64> {
    ArrayD::from_shape_vec(vec![values.len()], values).unwrap()
}

/// The samples that `f` says it covers; there must be `expected` of them, so that none is skipped unnoticed.
fn covered(operator: &str, expected: usize, f: impl Fn(&Sample) -> Option<()>) {
    let count = samples(operator).iter().filter_map(f).count();
    assert_eq!(count, expected, "{operator}: samples covered");
}

#[test]
fn batch_norm() {
    // Left out: channels without a batch.
    covered("batch_norm", 10, |sample| {
        let x = sample.tensor(0).filter(|x| x.ndim() >= 2)?;
        let channels = x.shape()[1];
        let per_channel = |position, default| sample.tensor(position).map_or(vec![default; channels], flat);
        let (gamma, beta) = (per_channel(3, 1.0), per_channel(4, 0.0));
        let (mut mean, mut var) = (per_channel(1, 0.0), per_channel(2, 1.0));
        let (momentum, eps) = (sample.number("momentum", 0.1), sample.number("eps", 1e-5));
        let dy = sample.cotangent(0);
        let (y, grads) = if sample.kwarg("training") == Some(&Value::Bool(true)) {
            let y = hand::batch_norm_forward(&x, &gamma, &beta, &mut mean, &mut var, momentum, eps);
            (y, hand::batch_norm_backward(&dy, &x, &gamma, eps))
        } else {
            let y = hand::batch_norm_eval_forward(&x, &gamma, &beta, &mean, &var, eps);
            (y, hand::batch_norm_eval_backward(&dy, &x, &gamma, &mean, &var, eps))
        };
        let grads = grads.unwrap();
        assert_close(sample, "y", &y.unwrap(), &sample.output(0));
        assert_close_to_any(sample, "dx", grads.x, sample.grad(0));
        assert_close_to_any(sample, "dgamma", vector(grads.gamma), sample.grad(3));
        assert_close_to_any(sample, "dbeta", vector(grads.beta), sample.grad(4));
        // What was not written must not have changed.
        let after = |position| sample.written(position).or_else(|| sample.tensor(position));
        assert_close_to_any(sample, "running mean", vector(mean), after(1));
        assert_close_to_any(sample, "running variance", vector(var), after(2));
        Some(())
    });
}

/// An image without a batch axis as a batch of one.
fn batched(x: ArrayD<f64>) -> ArrayD<f64> {
    if x.ndim() == 3 { x.insert_axis(Axis(0)) } else { x }
}

/// The window of a pooling call, its options at these positions (where they can be positional) or by name.
fn window(sample: &Sample, names: &[&str]) -> Window2d {
    let option = |name: &str| {
        let position = names.iter().position(|n| *n == name).map_or(usize::MAX, |i| i + 1);
        sample.either(position, name)
    };
    let base = Window2d::new(option("kernel_size").and_then(tuple).expect("a kernel size"));
    let flag = |name, default| option(name).and_then(Value::as_bool).unwrap_or(default);
    Window2d {
        stride: option("stride").and_then(tuple).unwrap_or(base.stride),
        padding: option("padding").and_then(tuple).unwrap_or(base.padding),
        dilation: option("dilation").and_then(tuple).unwrap_or(base.dilation),
        ceil_mode: flag("ceil_mode", false),
        count_padding: flag("count_include_pad", names.contains(&"count_include_pad")),
        divisor: option("divisor_override").and_then(Value::as_i64),
        ..base
    }
}

#[test]
fn mean_pool() {
    let names = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"];
    covered("avg_pool2d", 7, |sample| {
        let (x, k) = (sample.tensor(0)?, window(sample, &names));
        assert_close(sample, "y", &hand::mean_pool2d_forward(&x, &k).unwrap(), &sample.output(0));
        let dx = hand::mean_pool2d_backward(&sample.cotangent(0), x.shape(), &k).unwrap();
        assert_close(sample, "dx", &dx, &sample.grad(0)?);
        Some(())
    });
}

#[test]
fn max_pool() {
    let all = samples("max_pool2d").len();
    assert!(all > 80);
    covered("max_pool2d", all, |sample| {
        let (x, k) = (batched(sample.tensor(0)?), window(sample, &[]));
        let (y, indices) = hand::max_pool2d_forward(&x, &k).unwrap();
        assert_close(sample, "y", &y, &batched(sample.output(0)));
        let expected = sample.index_output(1);
        let expected = if expected.ndim() == 3 { expected.insert_axis(Axis(0)) } else { expected };
        assert_eq!(indices, expected, "{}: indices", sample.name);
        let dx = hand::max_pool2d_backward(&batched(sample.cotangent(0)), &indices, x.shape()).unwrap();
        assert_close(sample, "dx", &dx, &batched(sample.grad(0)?));
        Some(())
    });
}

/// The normalised axes, which are the last ones, merged into one.
fn merged(sample: &Sample, x: ArrayD<f64>) -> ArrayD<f64> {
    let normalised = sample.arg(1).and_then(Value::as_array).expect("a normalised shape").len();
    let (outer, inner) = x.shape().split_at(x.ndim() - normalised);
    let shape = [outer.iter().product::<usize>(), inner.iter().product()];
    x.into_shape_with_order(shape.to_vec()).unwrap()
}

#[test]
fn layer_norm() {
    // Left out: no weight.
    covered("layer_norm", 5, |sample| {
        let (x, dy) = (merged(sample, sample.tensor(0)?), merged(sample, sample.cotangent(0)));
        let (gamma, beta, eps) = (flat(sample.tensor(2)?), flat(sample.tensor(3)?), sample.number("eps", 1e-5));
        let y = hand::layer_norm_forward(&x, &gamma, &beta, eps).unwrap();
        assert_close(sample, "y", &y, &merged(sample, sample.output(0)));
        let grads = hand::layer_norm_backward(&dy, &x, &gamma, eps).unwrap();
        assert_close_to_any(sample, "dx", grads.x, sample.grad(0));
        assert_close_to_any(sample, "dgamma", vector(grads.gamma), sample.grad(2));
        assert_close_to_any(sample, "dbeta", vector(grads.beta), sample.grad(3));
        Some(())
    });
}

#[test]
fn rms_norm() {
    // Left out: no weight.
    covered("rms_norm", 5, |sample| {
        let (x, dy) = (merged(sample, sample.tensor(0)?), merged(sample, sample.cotangent(0)));
        let (gamma, eps) = (flat(sample.tensor(2)?), sample.number("eps", f64::EPSILON));
        let y = hand::rms_norm_forward(&x, &gamma, eps).unwrap();
        assert_close(sample, "y", &y, &merged(sample, sample.output(0)));
        let grads = hand::rms_norm_backward(&dy, &x, &gamma, eps).unwrap();
        assert_close_to_any(sample, "dx", grads.x, sample.grad(0));
        assert_close_to_any(sample, "dgamma", vector(grads.gamma), sample.grad(2));
        Some(())
    });
}

#[test]
fn softmax() {
    type Map = fn(&ArrayD<f64>) -> Result<ArrayD<f64>, hand::Invalid>;
    type Backward = fn(&ArrayD<f64>, &ArrayD<f64>) -> Result<ArrayD<f64>, hand::Invalid>;
    let layers: [(&str, Map, Backward); 2] = [
        ("softmax", hand::softmax_forward, hand::softmax_backward),
        ("log_softmax", hand::log_softmax_forward, hand::log_softmax_backward),
    ];
    for (name, forward, backward) in layers {
        covered(name, 7, |sample| {
            let n = sample.tensor(0)?.ndim().max(1);
            let axis = sample.arg(1).and_then(Value::as_i64)?.rem_euclid(n as i64) as usize;
            // A scalar counts as one element along its axis 0.
            let lift = |a: ArrayD<f64>| if a.ndim() == 0 { a.insert_axis(Axis(0)) } else { a };
            let turn = |a: ArrayD<f64>| {
                let mut a = lift(a);
                let last = a.ndim() - 1;
                a.swap_axes(axis, last);
                a
            };
            let y = forward(&turn(sample.tensor(0)?)).unwrap();
            assert_close(sample, "y", &y, &turn(sample.output(0)));
            let dx = backward(&turn(sample.cotangent(0)), &y).unwrap();
            assert_close(sample, "dx", &dx, &turn(sample.grad(0)?));
            Some(())
        });
    }
}

/// Logits `(N, C, ...)` as rows of classes.
fn by_class(logits: ArrayD<f64>) -> ArrayD<f64> {
    let mut order: Vec<usize> = (0..logits.ndim()).filter(|&axis| axis != 1).collect();
    order.push(1);
    let classes = logits.shape()[1];
    let rows = logits.len() / classes;
    let values = logits.permuted_axes(order).iter().copied().collect();
    ArrayD::from_shape_vec(vec![rows, classes], values).unwrap()
}

#[test]
fn cross_entropy() {
    // Left out: class weights, an ignored label, probabilities as labels, no reduction.
    covered("cross_entropy", 6, |sample| {
        let reduction = sample.kwarg("reduction").and_then(Value::as_str).unwrap_or("mean");
        if sample.kwargs().any(|name| name != "reduction") || reduction == "none" {
            return None;
        }
        let logits = by_class(sample.tensor(0)?);
        let labels: Vec<i64> = sample.labels_if_any(1)?.into_iter().collect();
        let scale = if reduction == "sum" { labels.len() as f64 } else { 1.0 };
        let loss = hand::cross_entropy_forward(&logits, &labels).unwrap() * scale;
        assert_close_to_any(sample, "loss", vector(vec![loss]), Some(sample.output(0)));
        let dy = sample.cotangent(0).sum() * scale;
        let dx = hand::cross_entropy_backward(dy, &logits, &labels).unwrap();
        assert_close(sample, "dx", &dx, &by_class(sample.grad(0)?));
        Some(())
    });
}

#[test]
fn linear() {
    // Left out: a weight of one axis.
    covered("linear", 20, |sample| {
        let weight: Array2<f64> = sample.tensor(1)?.into_dimensionality::<Ix2>().ok()?;
        let (x, bias) = (sample.tensor(0)?, sample.tensor(2).map(flat));
        let y = hand::linear_forward(&x, &weight, bias.as_deref()).unwrap();
        assert_close(sample, "y", &y, &sample.output(0));
        let grads = hand::linear_backward(&sample.cotangent(0), &x, &weight).unwrap();
        assert_close_to_any(sample, "dx", grads.x, sample.grad(0));
        assert_close_to_any(sample, "dweight", grads.weight.into_dyn(), sample.grad(1));
        assert_close_to_any(sample, "dbias", vector(grads.bias), sample.grad(2));
        Some(())
    });
}

#[test]
fn conv2d() {
    // Left out: no batch, several groups, and `same`, which pads this even kernel on one side more.
    covered("conv2d", 6, |sample| {
        if sample.number("groups", 1.0) != 1.0 {
            return None;
        }
        let (x, weight, bias) = (sample.tensor(0).filter(|x| x.ndim() == 4)?, sample.tensor(1)?, sample.tensor(2).map(flat));
        let kernel = [weight.shape()[2], weight.shape()[3]];
        let option = |name| sample.kwarg(name).and_then(tuple);
        let (stride, dilation) = (option("stride").unwrap_or([1, 1]), option("dilation").unwrap_or([1, 1]));
        let padding = match sample.kwarg("padding") {
            Some(Value::String(same)) if same == "same" => return None,
            Some(Value::String(_)) | None => [0, 0],
            Some(given) => tuple(given)?,
        };
        let k = Window2d { stride, dilation, padding, ..Window2d::new(kernel) };
        let y = hand::conv2d_forward(&x, &weight, bias.as_deref(), &k).unwrap();
        assert_close(sample, "y", &y, &sample.output(0));
        let grads = hand::conv2d_backward(&sample.cotangent(0), &x, &weight, &k).unwrap();
        assert_close_to_any(sample, "dx", grads.x, sample.grad(0));
        assert_close_to_any(sample, "dweight", grads.weight, sample.grad(1));
        assert_close_to_any(sample, "dbias", vector(grads.bias), sample.grad(2));
        Some(())
    });
}

#[test]
fn gelu() {
    covered("gelu", 8, |sample| {
        let x = sample.tensor(0)?;
        let tanh = sample.kwarg("approximate").and_then(Value::as_str) == Some("tanh");
        let dy = sample.cotangent(0);
        let (y, dx) = if tanh {
            (hand::gelu_tanh_forward(&x), hand::gelu_tanh_backward(&dy, &x).unwrap())
        } else {
            (hand::gelu_forward(&x), hand::gelu_backward(&dy, &x).unwrap())
        };
        assert_close(sample, "y", &y, &sample.output(0));
        assert_close(sample, "dx", &dx, &sample.grad(0)?);
        Some(())
    });
}

#[test]
fn relu() {
    covered("relu", 4, |sample| {
        let x = sample.tensor(0)?;
        assert_close(sample, "y", &hand::relu_forward(&x), &sample.output(0));
        assert_close(sample, "dx", &hand::relu_backward(&sample.cotangent(0), &x).unwrap(), &sample.grad(0)?);
        Some(())
    });
}
