//! Pooling.

use super::{Call, Row, Verdict};
use pullback::layers::{MaxPool1dIndices, MaxPool2dIndices, MaxPool3dIndices, MeanPool1d, MeanPool2d, MeanPool3d};
use pullback::{Layer, Window};
use pullback_tests::opinfo::{Sample, tuple};
use serde_json::Value as Json;

pub const ROWS: &[Row] = &[
    ("avg_pool1d", |s| pool(s, |k| MeanPool1d { k })),
    ("avg_pool2d", |s| pool(s, |k| MeanPool2d { k })),
    ("avg_pool3d", |s| pool(s, |k| MeanPool3d { k })),
    ("max_pool1d", |s| pool(s, |k| MaxPool1dIndices { k })),
    ("max_pool2d", |s| pool(s, |k| MaxPool2dIndices { k })),
    ("max_pool3d", |s| pool(s, |k| MaxPool3dIndices { k })),
];

/// What a mean pool's positional arguments are called; a maximum's are all named.
const NAMES: [&str; 6] = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"];

/// A pool of `D` dimensions: a sample without a batch is a batch of one.
fn pool<const D: usize, L: Layer<f64>>(sample: &Sample, op: impl Fn(Window<D>) -> L) -> Verdict {
    let x = sample.tensor(0).expect("an input");
    let planes = x.ndim() - D;
    let mut shape = vec![1; 2 - planes];
    shape.extend(x.shape());
    Call::new(sample).tensor("arg0", &x, &shape).run(&op(window(sample)))
}

fn window<const D: usize>(sample: &Sample) -> Window<D> {
    let mean = sample.kwarg("return_indices").is_none();
    let option = |name: &str| {
        let position = NAMES.iter().position(|n| *n == name && mean);
        position.and_then(|i| sample.arg(i + 1)).or_else(|| sample.kwarg(name))
    };
    let flag = |name, default| option(name).and_then(Json::as_bool).unwrap_or(default);
    let mut k = Window::new(option("kernel_size").and_then(tuple).expect("a kernel size"));
    if let Some(stride) = option("stride").and_then(tuple) {
        k = k.stride(stride);
    }
    k = k.padding(option("padding").and_then(tuple).unwrap_or([0; D]));
    k = k.dilation(option("dilation").and_then(tuple).unwrap_or([1; D]));
    k.ceil_mode(flag("ceil_mode", false))
        .count_padding(mean && flag("count_include_pad", true))
        .divisor(option("divisor_override").and_then(Json::as_i64))
}
