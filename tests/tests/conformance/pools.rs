//! Pooling.

use super::{Call, Row, Verdict};
use pullback::layers::{
    AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d, AdaptiveMeanPool1d, AdaptiveMeanPool2d, AdaptiveMeanPool3d,
    MaxPool1dIndices, MaxPool2dIndices, MaxPool3dIndices, MaxUnpool1d, MaxUnpool2d, MaxUnpool3d, MeanPool1d, MeanPool2d,
    MeanPool3d,
};
use pullback::{Layer, Window};
use pullback_tests::opinfo::{Sample, tuple};
use serde_json::Value as Json;
use std::collections::BTreeSet;

pub const ROWS: &[Row] = &[
    ("avg_pool1d", |s| pool(s, |k| MeanPool1d { k })),
    ("avg_pool2d", |s| pool(s, |k| MeanPool2d { k })),
    ("avg_pool3d", |s| pool(s, |k| MeanPool3d { k })),
    ("max_pool1d", |s| pool(s, |k| MaxPool1dIndices { k })),
    ("max_pool2d", |s| pool(s, |k| MaxPool2dIndices { k })),
    ("max_pool3d", |s| pool(s, |k| MaxPool3dIndices { k })),
    ("adaptive_avg_pool1d", |s| adaptive(s, |[o]| AdaptiveMeanPool1d { o })),
    ("adaptive_avg_pool2d", |s| adaptive(s, |[oh, ow]| AdaptiveMeanPool2d { oh, ow })),
    ("adaptive_avg_pool3d", |s| adaptive(s, |[od, oh, ow]| AdaptiveMeanPool3d { od, oh, ow })),
    ("adaptive_max_pool1d", |s| adaptive(s, |[o]| AdaptiveMaxPool1d { o })),
    ("adaptive_max_pool2d", |s| adaptive(s, |[oh, ow]| AdaptiveMaxPool2d { oh, ow })),
    ("adaptive_max_pool3d", |s| adaptive(s, |[od, oh, ow]| AdaptiveMaxPool3d { od, oh, ow })),
    ("max_unpool1d", |s| unpool(s, |[o]| MaxUnpool1d { o })),
    ("max_unpool1d.grad", |s| unpool(s, |[o]| MaxUnpool1d { o })),
    ("max_unpool2d", |s| unpool(s, |[oh, ow]| MaxUnpool2d { oh, ow })),
    ("max_unpool2d.grad", |s| unpool(s, |[oh, ow]| MaxUnpool2d { oh, ow })),
    ("max_unpool3d", |s| unpool(s, |[od, oh, ow]| MaxUnpool3d { od, oh, ow })),
    ("max_unpool3d.grad", |s| unpool(s, |[od, oh, ow]| MaxUnpool3d { od, oh, ow })),
];

/// What a mean pool's positional arguments are called; a maximum's are all named.
const NAMES: [&str; 6] = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"];

/// A pool of `D` dimensions.
fn pool<const D: usize, L: Layer<f64>>(sample: &Sample, op: impl Fn(Window<D>) -> L) -> Verdict {
    batched::<D>(sample).run(&op(window(sample)))
}

/// A pool into so many windows; where none is said, as many as there are elements.
fn adaptive<const D: usize, L: Layer<f64>>(sample: &Sample, op: impl Fn([usize; D]) -> L) -> Verdict {
    let x = sample.tensor(0).expect("an input");
    let size = sample.arg(1).expect("an output size");
    let extent = |i: usize, v: &Json| v.as_u64().map_or(x.shape()[x.ndim() - D + i], |n| n as usize);
    let sizes = std::array::from_fn(|i| extent(i, size.as_array().map_or(size, |list| &list[i])));
    batched::<D>(sample).run(&op(sizes))
}

/// The inverse of a pool. Where places repeat, PyTorch's gradient is not the derivative.
fn unpool<const D: usize, L: Layer<f64>>(sample: &Sample, op: impl Fn([usize; D]) -> L) -> Verdict {
    let place = sample.labels(1).expect("indices");
    let planes = place.ndim() - D;
    let size: usize = place.shape()[planes..].iter().product();
    let elements: Vec<i64> = place.iter().copied().collect();
    let repeats = |plane: &[i64]| plane.iter().collect::<BTreeSet<_>>().len() < plane.len();
    if size > 0 && elements.chunks(size).any(repeats) {
        return Verdict::Skipped("places repeat: PyTorch's gradient is not the derivative");
    }
    let option = |name: &str| sample.kwarg(name).and_then(tuple::<D>);
    let kernel = option("kernel_size").expect("a kernel size");
    let (stride, padding) = (option("stride").unwrap_or(kernel), option("padding").unwrap_or([0; D]));
    let default = |i: usize| (place.shape()[planes + i] - 1) * stride[i] - 2 * padding[i] + kernel[i];
    let said = sample.kwarg("output_size").and_then(Json::as_array);
    let said = |i: usize| said.and_then(|list| list[list.len() - D + i].as_u64()).map(|n| n as usize);
    let sizes = std::array::from_fn(|i| said(i).unwrap_or_else(|| default(i)));
    let mut shape = vec![1; D + 2 - place.ndim()];
    shape.extend(place.shape());
    batched::<D>(sample).labels(&place, &shape).run(&op(sizes))
}

/// The input of a pool of `D` dimensions: without a batch it is a batch of one.
fn batched<const D: usize>(sample: &Sample) -> Call<'_> {
    let x = sample.tensor(0).expect("an input");
    let mut shape = vec![1; D + 2 - x.ndim()];
    shape.extend(x.shape());
    Call::new(sample).tensor("arg0", &x, &shape)
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
