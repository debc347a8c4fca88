//! Losses.

use super::formulas::{
    CrossEntropyEach, CrossEntropySoft, CrossEntropySoftTotal, CrossEntropyTotal, SquaredError, SquaredErrorMean, SquaredErrorSum,
};
use super::norms::broadcast_shape;
use super::{Call, Row, Verdict, filled};
use pullback_tests::opinfo::Sample;
use serde_json::Value as Json;

pub const ROWS: &[Row] = &[("cross_entropy", cross_entropy), ("mse_loss", mse_loss)];

fn reduction(sample: &Sample) -> &str {
    sample.kwarg("reduction").and_then(Json::as_str).unwrap_or("mean")
}

fn cross_entropy(sample: &Sample) -> Verdict {
    let logits = sample.tensor(0).expect("logits");
    // without a batch the classes come first
    let (n, rest) = if logits.ndim() == 1 { (1, logits.shape()) } else { (logits.shape()[0], &logits.shape()[1..]) };
    let (c, l) = (rest[0], rest[1..].iter().product());
    let weight = sample.tensor_named("weight").unwrap_or_else(|| filled(c, 1.0));
    let smoothing = sample.number("label_smoothing", 0.0);
    let call = Call::new(sample).tensor("arg0", &logits, &[n, c, l]);
    let Some(label) = sample.labels_if_any(1) else {
        let target = sample.tensor(1).expect("probabilities");
        let call = call.tensor("arg1", &target, &[n, c, l]).constant(weight);
        return match reduction(sample) {
            "none" => call.run(&CrossEntropySoft { smoothing }),
            how => call.run(&CrossEntropySoftTotal { smoothing, is_mean: how == "mean" }),
        };
    };
    let ignore = sample.kwarg("ignore_index").and_then(Json::as_i64).unwrap_or(-100);
    let call = call.labels(&label, &[n, l]).constant(weight);
    match reduction(sample) {
        "none" => call.run(&CrossEntropyEach { ignore, smoothing }),
        how => call.run(&CrossEntropyTotal { ignore, smoothing, is_mean: how == "mean" }),
    }
}

fn mse_loss(sample: &Sample) -> Verdict {
    let (x, y) = (sample.tensor(0).expect("an input"), sample.tensor(1).expect("a target"));
    let full = broadcast_shape(x.shape(), y.shape());
    let n = [full.iter().product()];
    let call = Call::new(sample).broadcast("arg0", &x, &full, &n).broadcast("arg1", &y, &full, &n);
    match reduction(sample) {
        "none" => call.run(&SquaredError),
        "sum" => call.run(&SquaredErrorSum),
        _ => call.run(&SquaredErrorMean),
    }
}
