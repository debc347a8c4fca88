//! Normalisations, activations and products.

use super::formulas::{
    BatchNormWithStatistics, CosineSimilarity, GroupNorm, InstanceNorm, InstanceNormTracked, LogSoftmaxAlong, Normalize, Silu,
    SoftmaxAlong,
};
use super::{Call, Row, Verdict};
use pullback::layers::{
    BatchNormEvalOptional, BatchNormOptional, BatchNormUntracked, Gelu, GeluTanh, LayerNorm, Linear, Relu, RmsNorm,
};
use pullback::ndarray::ArrayD;
use pullback_tests::opinfo::Sample;
use serde_json::Value as Json;

pub const ROWS: &[Row] = &[
    ("batch_norm", batch_norm),
    ("batch_norm.without_cudnn", batch_norm),
    ("native_batch_norm", native_batch_norm),
    ("layer_norm", layer_norm),
    ("rms_norm", rms_norm),
    ("group_norm", group_norm),
    ("instance_norm", instance_norm),
    ("normalize", normalize),
    ("cosine_similarity", cosine_similarity),
    ("linear", linear),
    ("relu", |s| pointwise(s, &Relu)),
    ("gelu", gelu),
    ("silu", |s| pointwise(s, &Silu)),
    ("softmax", |s| along(s, &SoftmaxAlong)),
    ("softmax.with_dtype", |s| along(s, &SoftmaxAlong)),
    ("log_softmax", |s| along(s, &LogSoftmaxAlong)),
    ("log_softmax.with_dtype", |s| along(s, &LogSoftmaxAlong)),
];

fn input(sample: &Sample) -> ArrayD<f64> {
    sample.tensor(0).expect("an input")
}

fn batch_norm(sample: &Sample) -> Verdict {
    let x = input(sample);
    // channels alone are a batch of one; of none, where there are none
    let shape = if x.ndim() == 1 { vec![x.len().min(1), x.len()] } else { x.shape().to_vec() };
    let c = shape[1];
    let call = Call::new(sample).tensor("arg0", &x, &shape);
    let call = call.optional("arg3", sample.tensor(3), &[c]).optional("arg4", sample.tensor(4), &[c]);
    let (momentum, eps) = (sample.number("momentum", 0.1), sample.number("eps", 1e-5));
    let statistics = sample.tensor(1).zip(sample.tensor(2));
    match (sample.kwarg("training").and_then(Json::as_bool) == Some(true), statistics) {
        (false, Some((mean, var))) => call.constant(mean).constant(var).run(&BatchNormEvalOptional { eps }),
        (_, Some((mean, var))) => call.state("arg1", mean).state("arg2", var).run(&BatchNormOptional { momentum, eps }),
        (_, None) => call.run(&BatchNormUntracked { eps }),
    }
}

/// Running statistics before the first batch.
fn fresh_statistics(c: usize) -> (ArrayD<f64>, ArrayD<f64>) {
    (super::filled(c, 0.0), super::filled(c, 1.0))
}

fn native_batch_norm(sample: &Sample) -> Verdict {
    let x = input(sample);
    let c = x.shape()[1];
    let call = Call::new(sample).tensor("arg0", &x, x.shape());
    let call = call.optional("arg1", sample.tensor(1), &[c]).optional("arg2", sample.tensor(2), &[c]);
    let number = |at: usize| sample.arg(at).and_then(Json::as_f64).expect("a number");
    let statistics = sample.tensor(3).zip(sample.tensor(4));
    match (sample.arg(5).and_then(Json::as_bool) == Some(true), statistics) {
        // its statistics are empty then
        (false, Some((mean, var))) => call.constant(mean).constant(var).run(&BatchNormEvalOptional { eps: number(7) }),
        (_, statistics) => {
            let (mean, var) = statistics.unwrap_or_else(|| fresh_statistics(c));
            let op = BatchNormWithStatistics { momentum: number(6), eps: number(7) };
            call.state("arg3", mean).state("arg4", var).run(&op)
        }
    }
}

/// The input as rows of what is normalised, its last dimensions, and how long a row is.
fn by_rows(sample: &Sample) -> (Call<'_>, usize) {
    let x = input(sample);
    let normalised = sample.arg(1).and_then(Json::as_array).expect("a shape");
    let c = normalised.iter().map(|n| n.as_u64().expect("an extent") as usize).product();
    let outer = x.shape()[..x.ndim() - normalised.len()].iter().product();
    (Call::new(sample).tensor("arg0", &x, &[outer, c]), c)
}

fn layer_norm(sample: &Sample) -> Verdict {
    let (call, c) = by_rows(sample);
    let eps = sample.either(4, "eps").and_then(Json::as_f64).unwrap_or(1e-5);
    call.or("arg2", sample.tensor(2), 1.0, c).or("arg3", sample.tensor(3), 0.0, c).run(&LayerNorm { eps })
}

fn rms_norm(sample: &Sample) -> Verdict {
    let (call, c) = by_rows(sample);
    let eps = sample.either(3, "eps").and_then(Json::as_f64).unwrap_or(f64::EPSILON);
    call.or("arg2", sample.tensor(2), 1.0, c).run(&RmsNorm { eps })
}

fn group_norm(sample: &Sample) -> Verdict {
    let groups = sample.arg(1).and_then(Json::as_u64).expect("a number of groups") as usize;
    by_channels(sample).run(&GroupNorm { groups, eps: sample.number("eps", 1e-5) })
}

fn instance_norm(sample: &Sample) -> Verdict {
    let (call, eps) = (by_channels(sample), sample.number("eps", 1e-5));
    match sample.tensor_named("running_mean").zip(sample.tensor_named("running_var")) {
        Some((mean, var)) => {
            let op = InstanceNormTracked { momentum: sample.number("momentum", 0.1), eps };
            call.state("running_mean", mean).state("running_var", var).run(&op)
        }
        None => call.run(&InstanceNorm { eps }),
    }
}

/// The input, and the weight and bias of its channels, ones and zeros if they are not there.
fn by_channels(sample: &Sample) -> Call<'_> {
    let x = input(sample);
    let c = x.shape()[1];
    let call = Call::new(sample).tensor("arg0", &x, x.shape());
    call.or("weight", sample.tensor_named("weight"), 1.0, c).or("bias", sample.tensor_named("bias"), 0.0, c)
}

/// A shape with one dimension in the middle of three; a scalar has one of its own.
fn middle(shape: &[usize], dim: i64) -> [usize; 3] {
    if shape.is_empty() {
        return [1; 3];
    }
    let at = dim.rem_euclid(shape.len() as i64) as usize;
    [shape[..at].iter().product(), shape[at], shape[at + 1..].iter().product()]
}

fn along<L: pullback::Layer<f64>>(sample: &Sample, op: &L) -> Verdict {
    let x = input(sample);
    let dim = sample.either(1, "dim").and_then(Json::as_i64).expect("a dimension");
    let shape = middle(x.shape(), dim);
    match Call::new(sample).tensor("arg0", &x, &shape).run(op) {
        Verdict::Refused(_) if shape[1] == 0 => Verdict::Skipped("a maximum of nothing is an error"),
        verdict => verdict,
    }
}

fn pointwise<L: pullback::Layer<f64>>(sample: &Sample, op: &L) -> Verdict {
    let x = input(sample);
    Call::new(sample).tensor("arg0", &x, x.shape()).run(op)
}

fn gelu(sample: &Sample) -> Verdict {
    match sample.kwarg("approximate").and_then(Json::as_str) {
        Some("tanh") => pointwise(sample, &GeluTanh),
        _ => pointwise(sample, &Gelu),
    }
}

fn normalize(sample: &Sample) -> Verdict {
    let x = input(sample);
    let dim = sample.kwarg("dim").and_then(Json::as_i64).unwrap_or(1);
    let op = Normalize { p: sample.number("p", 2.0), eps: sample.number("eps", 1e-12) };
    Call::new(sample).tensor("arg0", &x, &middle(x.shape(), dim)).run(&op)
}

fn cosine_similarity(sample: &Sample) -> Verdict {
    let (a, b) = (input(sample), sample.tensor(1).expect("another input"));
    let dim = sample.kwarg("dim").and_then(Json::as_i64).unwrap_or(1);
    let full = broadcast_shape(a.shape(), b.shape());
    let shape = middle(&full, dim);
    let call = Call::new(sample).broadcast("arg0", &a, &full, &shape).broadcast("arg1", &b, &full, &shape);
    call.run(&CosineSimilarity { eps: sample.number("eps", 1e-8) })
}

/// The shape that both broadcast to.
pub fn broadcast_shape(a: &[usize], b: &[usize]) -> Vec<usize> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], i: usize| (i + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    (0..rank).map(|i| if at(a, i) == 1 { at(b, i) } else { at(a, i) }).collect()
}

fn linear(sample: &Sample) -> Verdict {
    let (x, weight) = (input(sample), sample.tensor(1).expect("a weight"));
    let width = weight.shape()[weight.ndim() - 1];
    let out = if weight.ndim() == 2 { weight.shape()[0] } else { 1 };
    let n: usize = x.shape()[..x.ndim() - 1].iter().product();
    let call = Call::new(sample).tensor("arg0", &x, &[n, width]).tensor("arg1", &weight, &[out, width]);
    call.optional("arg2", sample.tensor(2), &[out]).run(&Linear)
}
