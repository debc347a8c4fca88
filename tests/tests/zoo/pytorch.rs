//! The zoo against PyTorch's own samples, in `f64`: outputs and gradients.

use super::{activation::*, attention::*, conv::*, loss::*, norm::*, pool::*, reindex::*};
use approx::relative_eq;
use pullback::layer::{Arg, Buffer, GradD, Output};
use pullback::ndarray::{ArrayD, Axis, IxDyn};
use pullback::prelude::*;
use pullback_tests::opinfo::{Sample, samples};
use serde_json::Value as Json;

const TOLERANCE: f64 = 1e-10;

#[track_caller]
fn assert_close(sample: &Sample, what: &str, found: &ArrayD<f64>, expected: &ArrayD<f64>) {
    assert_eq!(found.len(), expected.len(), "{}: size of {what}", sample.name);
    let found = found.clone().into_shape_with_order(expected.raw_dim()).unwrap();
    for ((index, found), expected) in found.indexed_iter().zip(expected) {
        let close = found.is_nan() && expected.is_nan()
            || relative_eq!(*found, *expected, epsilon = TOLERANCE, max_relative = TOLERANCE);
        assert!(close, "{}: {what}{:?}: {found}, PyTorch {expected}", sample.name, index.slice());
    }
}

/// An argument, where it comes from in PyTorch's call, and how its layout there becomes the formula's.
enum Given {
    Tensor(usize, ArrayD<f64>),
    Labels(ArrayD<i64>),
    Absent,
}

impl Given {
    fn arg(&self) -> Arg<'_, f64> {
        match self {
            Given::Tensor(_, x) => Arg::tensor(x),
            Given::Labels(l) => Arg::labels(l),
            Given::Absent => Arg::Absent,
        }
    }
}

fn tensor(sample: &Sample, position: usize) -> Option<Given> {
    Some(Given::Tensor(position, sample.tensor(position)?))
}

fn optional(sample: &Sample, position: usize) -> Given {
    tensor(sample, position).unwrap_or(Given::Absent)
}

/// In PyTorch's own layout.
fn same<L: Layer<f64>>(sample: &Sample, op: &L, given: &[Given]) {
    check(sample, op, given, &|x| x);
}

/// Compares a call with the sample. `layout` takes PyTorch's arrays of the output's shape, and gradients of the first
/// argument, to the formula's layout.
fn check<L: Layer<f64>>(sample: &Sample, op: &L, given: &[Given], layout: &dyn Fn(ArrayD<f64>) -> ArrayD<f64>) {
    let mut args: Vec<_> = given.iter().map(Given::arg).collect();
    let forward = op.forward(&mut args).unwrap_or_else(|e| panic!("{}: {e}", sample.name));
    for (k, output) in forward.outputs.iter().enumerate() {
        match output {
            Output::Float(y) => assert_close(sample, "y", y, &layout(sample.output(k))),
            Output::Int(_) => {}
        }
    }
    let Output::Float(y) = &forward.outputs[0] else { panic!("{}: the first output is of numbers", sample.name) };
    let cotangent = standard(layout(sample.cotangent(0))).into_shape_with_order(y.raw_dim()).unwrap();
    let differentiable: Vec<&Given> =
        L::ARGS.iter().zip(given).filter(|(spec, _)| spec.kind.is_differentiable()).map(|(_, given)| given).collect();
    let mut grads: Vec<Option<ArrayD<f64>>> = differentiable
        .iter()
        .map(|g| match g {
            Given::Tensor(_, x) => Some(ArrayD::from_elem(x.raw_dim(), f64::NAN)),
            _ => None,
        })
        .collect();
    let mut wanted: Vec<_> = grads
        .iter_mut()
        .map(|g| g.as_mut().map(|g| GradD { buffer: Buffer::Tensor(g.view_mut()), add: false }))
        .collect();
    op.backward(&[cotangent.view()], &args, &forward.outputs, &forward.saved, &mut wanted)
        .unwrap_or_else(|e| panic!("{}: {e}", sample.name));
    for (given, grad) in differentiable.iter().zip(&grads) {
        let (Given::Tensor(position, _), Some(grad)) = (given, grad) else { continue };
        if let Some(expected) = sample.grad(*position) {
            let expected = if *position == 0 { layout(expected) } else { expected };
            assert_close(sample, &format!("gradient {position}"), grad, &expected);
        }
    }
}

fn standard(x: ArrayD<f64>) -> ArrayD<f64> {
    x.as_standard_layout().into_owned()
}

/// The samples that `f` says it covers; there must be this many, so that none is left out unnoticed.
fn covered(operator: &str, expected: usize, f: impl Fn(&Sample) -> Option<()>) {
    let count = samples(operator).iter().filter_map(f).count();
    assert_eq!(count, expected, "{operator}: samples covered");
}

fn of_mean(sample: &Sample) -> Option<()> {
    matches!(sample.kwarg("reduction").and_then(Json::as_str), None | Some("mean")).then_some(())
}

macro_rules! pointwise {
    ($($name:ident, $count:literal, |$sample:ident| $op:expr;)*) => {
        $(
            #[test]
            fn $name() {
                covered(stringify!($name), $count, |$sample| {
                    same($sample, &$op, &[tensor($sample, 0)?]);
                    Some(())
                });
            }
        )*
    };
}

pointwise! {
    relu, 2, |_s| pullback::layers::Relu;
    relu6, 2, |_s| Relu6;
    hardtanh, 3, |s| Hardtanh { lo: s.number("min_val", -1.0), hi: s.number("max_val", 1.0) };
    leaky_relu, 5, |s| LeakyRelu { slope: s.either(1, "negative_slope").and_then(Json::as_f64).unwrap_or(0.01) };
    elu, 2, |s| Elu { alpha: s.number("alpha", 1.0) };
    selu, 2, |_s| Selu;
    celu, 2, |s| Celu { alpha: s.number("alpha", 1.0) };
    gelu, 4, |s| GeluOfEitherKind { approximate: s.kwarg("approximate").and_then(Json::as_str) == Some("tanh") };
    silu, 2, |_s| Silu;
    mish, 2, |_s| Mish;
    hardsigmoid, 2, |_s| Hardsigmoid;
    hardswish, 2, |_s| Hardswish;
    softsign, 2, |_s| Softsign;
    softshrink, 3, |s| Softshrink { lambda: s.number("lambd", 0.5) };
    hardshrink, 3, |s| Hardshrink { lambda: s.number("lambd", 0.5) };
    tanhshrink, 2, |_s| Tanhshrink;
    logsigmoid, 2, |_s| Logsigmoid;
    softplus, 2, |s| SoftplusBeta { beta: s.number("beta", 1.0), above: s.number("threshold", 20.0) };
    threshold, 2, |s| Threshold { at: s.arg(1)?.as_f64()?, value: s.arg(2)?.as_f64()? };
}

/// The axis that PyTorch names, last.
fn to_last(x: ArrayD<f64>, dim: i64) -> ArrayD<f64> {
    let n = x.ndim();
    if n == 0 {
        return x;
    }
    let dim = if dim < 0 { (dim + n as i64) as usize } else { dim as usize };
    let order: Vec<usize> = (0..n).filter(|d| *d != dim).chain([dim]).collect();
    x.permuted_axes(IxDyn(&order))
}

fn along_an_axis<L: Layer<f64>>(operator: &str, count: usize, op: &L) {
    covered(operator, count, |sample| {
        let x = sample.tensor(0).filter(|x| x.ndim() > 0)?;
        let dim = sample.either(1, "dim")?.as_i64()?;
        check(sample, op, &[Given::Tensor(0, to_last(x, dim))], &|y| to_last(y, dim));
        Some(())
    });
}

#[test]
fn softmax() {
    along_an_axis("softmax", 3, &pullback::layers::Softmax);
}

#[test]
fn log_softmax() {
    along_an_axis("log_softmax", 3, &pullback::layers::LogSoftmax);
}

#[test]
fn glu() {
    covered("glu", 23, |sample| {
        let x = sample.tensor(0)?;
        let dim = sample.either(1, "dim").and_then(Json::as_i64).unwrap_or(-1);
        let flat = |y: ArrayD<f64>| {
            let y = standard(to_last(y, dim));
            let last = y.shape()[y.ndim() - 1];
            let rows = y.shape()[..y.ndim() - 1].iter().product::<usize>();
            y.into_shape_with_order(IxDyn(&[rows, last])).unwrap()
        };
        check(sample, &Glu, &[Given::Tensor(0, flat(x))], &flat);
        Some(())
    });
}

/// Everything normalised in one axis, everything else before it.
fn rows(x: ArrayD<f64>, normalised: usize) -> ArrayD<f64> {
    let outer: usize = x.shape()[..x.ndim() - normalised].iter().product();
    let shape: Vec<usize> = [outer].into_iter().chain(x.shape()[x.ndim() - normalised..].iter().copied()).collect();
    standard(x).into_shape_with_order(IxDyn(&shape)).unwrap()
}

#[test]
fn layer_norm() {
    covered("layer_norm", 3, |sample| {
        let normalised = sample.arg(1)?.as_array()?.len();
        let op = LayerNormOfMany { eps: sample.number("eps", 1e-5) };
        let x = rows(sample.tensor(0)?, normalised);
        check(sample, &op, &[Given::Tensor(0, x), optional(sample, 2), optional(sample, 3)], &|y| rows(y, normalised));
        Some(())
    });
}

#[test]
fn rms_norm() {
    covered("rms_norm", 3, |sample| {
        let normalised = sample.arg(1)?.as_array()?.len();
        let flat = |x: ArrayD<f64>| {
            let outer: usize = x.shape()[..x.ndim() - normalised].iter().product();
            let inner = x.len().checked_div(outer).unwrap_or(0);
            standard(x).into_shape_with_order(IxDyn(&[outer, inner])).unwrap()
        };
        let weight = sample.tensor(2).map_or(Given::Absent, |w| {
            let n = w.len();
            Given::Tensor(2, w.into_shape_with_order(IxDyn(&[n])).unwrap())
        });
        let op = RmsNormPlain { eps: sample.number("eps", f64::EPSILON) };
        check(sample, &op, &[Given::Tensor(0, flat(sample.tensor(0)?)), weight], &flat);
        Some(())
    });
}

#[test]
fn group_norm() {
    covered("group_norm", 13, |sample| {
        let x = sample.tensor(0)?;
        let channels = x.shape()[1];
        let per_channel = |name: &str, default: f64| {
            Given::Tensor(usize::MAX, sample.tensor_named(name).unwrap_or_else(|| ArrayD::from_elem(IxDyn(&[channels]), default)))
        };
        let op = GroupNorm { groups: sample.arg(1)?.as_u64()? as usize, eps: sample.number("eps", 1e-5) };
        same(sample, &op, &[Given::Tensor(0, x), per_channel("weight", 1.0), per_channel("bias", 0.0)]);
        Some(())
    });
}

#[test]
fn local_response_norm() {
    covered("local_response_norm", 6, |sample| {
        let size = sample.either(1, "size")?.as_u64()? as usize;
        let op = LocalResponseNorm {
            size,
            alpha: sample.number("alpha", 1e-4),
            beta: sample.number("beta", 0.75),
            k: sample.number("k", 1.0),
        };
        same(sample, &op, &[tensor(sample, 0)?]);
        Some(())
    });
}

#[test]
fn prelu() {
    covered("prelu", 6, |sample| {
        let x = sample.tensor(0).filter(|x| x.ndim() >= 2)?;
        let slope = sample.tensor_named("weight")?;
        let per_channel = slope.broadcast(IxDyn(&[x.shape()[1]]))?.to_owned();
        same(sample, &Prelu, &[Given::Tensor(0, x), Given::Tensor(usize::MAX, per_channel)]);
        Some(())
    });
}

/// `N` numbers of an option that may be one number for all, given by position or by name.
fn option<const N: usize>(sample: &Sample, position: usize, name: &str) -> Option<[usize; N]> {
    let value = sample.either(position, name)?;
    match value.as_array() {
        Some(list) if list.is_empty() => None,
        Some(list) => Some(std::array::from_fn(|i| list[i.min(list.len() - 1)].as_u64().unwrap() as usize)),
        None => value.as_u64().map(|n| [n as usize; N]),
    }
}

fn flag(sample: &Sample, position: usize, name: &str) -> Option<bool> {
    sample.either(position, name).and_then(Json::as_bool)
}

fn window<const N: usize>(sample: &Sample, mean: bool) -> Option<Window<N>> {
    let kernel = option(sample, 1, "kernel_size")?;
    let mut k = Window::new(kernel)
        .stride(option(sample, 2, "stride").unwrap_or(kernel))
        .padding(option(sample, 3, "padding").unwrap_or([0; N]));
    if mean {
        k = k
            .ceil_mode(flag(sample, 4, "ceil_mode").unwrap_or(false))
            .count_padding(flag(sample, 5, "count_include_pad").unwrap_or(true))
            .divisor(sample.either(6, "divisor_override").and_then(Json::as_i64));
    } else {
        k = k
            .dilation(option(sample, 4, "dilation").unwrap_or([1; N]))
            .ceil_mode(flag(sample, 5, "ceil_mode").unwrap_or(false));
    }
    Some(k)
}

/// With a batch of one where there is none.
fn batched(x: ArrayD<f64>, rank: usize) -> ArrayD<f64> {
    if x.ndim() + 1 == rank { x.insert_axis(Axis(0)) } else { x }
}

#[test]
fn pools_of_means() {
    covered("avg_pool1d", 5, |sample| {
        check(sample, &MeanPool1d { k: window(sample, true)? }, &[tensor(sample, 0)?], &|x| x);
        Some(())
    });
    covered("avg_pool2d", 4, |sample| {
        let x = batched(sample.tensor(0)?, 4);
        check(sample, &MeanPool2d { k: window(sample, true)? }, &[Given::Tensor(0, x)], &|x| batched(x, 4));
        Some(())
    });
    covered("avg_pool3d", 4, |sample| {
        let x = batched(sample.tensor(0)?, 5);
        check(sample, &MeanPool3d { k: window(sample, true)? }, &[Given::Tensor(0, x)], &|x| batched(x, 5));
        Some(())
    });
}

#[test]
fn pools_of_maxima() {
    covered("max_pool1d", 108, |sample| {
        let x = batched(sample.tensor(0)?, 3);
        check(sample, &MaxPool1d { k: window(sample, false)? }, &[Given::Tensor(0, x)], &|x| batched(x, 3));
        Some(())
    });
    covered("max_pool3d", 144, |sample| {
        let x = batched(sample.tensor(0)?, 5);
        check(sample, &MaxPool3d { k: window(sample, false)? }, &[Given::Tensor(0, x)], &|x| batched(x, 5));
        Some(())
    });
}

macro_rules! losses {
    ($($name:ident, $count:literal, |$sample:ident| $op:expr;)*) => {
        $(
            #[test]
            fn $name() {
                covered(stringify!($name), $count, |$sample| {
                    of_mean($sample)?;
                    same($sample, &$op, &[tensor($sample, 0)?, tensor($sample, 1)?]);
                    Some(())
                });
            }
        )*
    };
}

losses! {
    mse_loss, 2, |_s| MseLoss;
    l1_loss, 2, |_s| L1Loss;
    smooth_l1_loss, 3, |s| SmoothL1Loss { beta: s.number("beta", 1.0) };
    huber_loss, 2, |s| HuberLoss { delta: s.number("delta", 1.0) };
    soft_margin_loss, 2, |_s| SoftMargin;
    poisson_nll_loss, 3, |s| {
        (s.kwarg("log_input").and_then(Json::as_bool).unwrap_or(true)).then_some(())?;
        PoissonNll { full: s.kwarg("full").and_then(Json::as_bool).unwrap_or(false) }
    };
}

#[test]
fn margin_ranking_loss() {
    covered("margin_ranking_loss", 4, |sample| {
        of_mean(sample)?;
        let op = MarginRanking { margin: sample.number("margin", 0.0) };
        let flat = |x: ArrayD<f64>| {
            let n = x.len();
            standard(x).into_shape_with_order(IxDyn(&[n])).unwrap()
        };
        let given: Option<Vec<Given>> = (0..3).map(|i| Some(Given::Tensor(i, flat(sample.tensor(i)?)))).collect();
        check(sample, &op, &given?, &|x| if x.ndim() == 0 { x } else { flat(x) });
        Some(())
    });
}

#[test]
fn multi_margin_loss() {
    covered("multi_margin_loss", 3, |sample| {
        of_mean(sample)?;
        let label = sample.labels(1)?;
        same(sample, &MultiMargin { margin: sample.number("margin", 1.0) }, &[tensor(sample, 0)?, Given::Labels(label)]);
        Some(())
    });
}

#[test]
fn nll_loss() {
    covered("nll_loss", 2, |sample| {
        of_mean(sample)?;
        let x = sample.tensor(0).filter(|x| x.ndim() == 2)?;
        let label = sample.labels(1)?;
        let ignored = sample.number("ignore_index", -100.0) as i64;
        let free = label.iter().all(|l| *l != ignored && *l >= 0);
        let classes = x.shape()[1];
        let weight = sample.tensor_named("weight").unwrap_or_else(|| ArrayD::ones(IxDyn(&[classes])));
        free.then(|| same(sample, &NllLoss, &[Given::Tensor(0, x), Given::Labels(label), Given::Tensor(usize::MAX, weight)]))
    });
}

#[test]
fn contractions() {
    covered("bilinear", 8, |sample| {
        let flat = |x: ArrayD<f64>| {
            let last = x.shape()[x.ndim() - 1];
            let outer = x.shape()[..x.ndim() - 1].iter().product::<usize>();
            standard(x).into_shape_with_order(IxDyn(&[outer, last])).unwrap()
        };
        let (a, b) = (flat(sample.tensor(0)?), flat(sample.tensor(1)?));
        let given = [Given::Tensor(0, a), Given::Tensor(1, b), tensor(sample, 2)?, optional(sample, 3)];
        check(sample, &Bilinear, &given, &flat);
        Some(())
    });
    covered("embedding", 1, |sample| {
        let label = sample.labels(1).filter(|l| l.ndim() == 2)?;
        same(sample, &Embedding, &[tensor(sample, 0)?, Given::Labels(label)]);
        Some(())
    });
    covered("conv1d", 4, |sample| {
        let x = sample.tensor(0)?;
        let weight = sample.tensor(1)?;
        let one_group = x.shape()[x.ndim() - 2] == weight.shape()[1];
        let padding = if sample.kwarg("padding").is_some_and(Json::is_string) { None } else { option(sample, 4, "padding") };
        let k = Window::new([weight.shape()[2]])
            .stride(option(sample, 3, "stride").unwrap_or([1]))
            .padding(padding.unwrap_or([0]))
            .dilation(option(sample, 5, "dilation").unwrap_or([1]));
        one_group.then(|| {
            let given = [Given::Tensor(0, batched(x, 3)), tensor(sample, 1).unwrap(), optional(sample, 2)];
            check(sample, &Conv1d { k }, &given, &|x| batched(x, 3));
        })
    });
}

#[test]
fn scaled_dot_product_attention() {
    covered("scaled_dot_product_attention", 3, |sample| {
        let (q, k, v) = (sample.tensor(0)?, sample.tensor(1)?, sample.tensor(2)?);
        let flag = |name| sample.kwarg(name).and_then(Json::as_bool).unwrap_or(false);
        let plain = sample.kwarg("attn_mask").is_none() && sample.number("dropout_p", 0.0) == 0.0;
        let same_heads = q.ndim() == k.ndim() && q.shape()[..q.ndim() - 2] == k.shape()[..k.ndim() - 2];
        if !plain || !same_heads || flag("is_causal") {
            return None;
        }
        let flat = |x: ArrayD<f64>| {
            let n = x.ndim();
            let outer = x.shape()[..n - 2].iter().product::<usize>();
            let shape = [outer, x.shape()[n - 2], x.shape()[n - 1]];
            standard(x).into_shape_with_order(IxDyn(&shape)).unwrap()
        };
        let given = [Given::Tensor(0, flat(q)), Given::Tensor(1, flat(k)), Given::Tensor(2, flat(v))];
        check(sample, &Attention, &given, &flat);
        Some(())
    });
}

#[test]
fn shuffles() {
    covered("pixel_shuffle", 1, |sample| {
        let x = sample.tensor(0).filter(|x| x.ndim() == 4)?;
        let r = sample.either(1, "upscale_factor")?.as_u64()? as usize;
        same(sample, &PixelShuffle { r }, &[Given::Tensor(0, x)]);
        Some(())
    });
    covered("channel_shuffle", 2, |sample| {
        same(sample, &ChannelShuffle { groups: sample.arg(1)?.as_u64()? as usize }, &[tensor(sample, 0)?]);
        Some(())
    });
}
