//! Calls of operations on `f32` arrays of any layout, and everything that comes out of them.

use pullback::Layer;
use pullback::layer::{Arg, ArgKind, Buffer, GradD, Output};
use pullback::ndarray::{ArrayD, Axis, Slice};

/// An argument of a call.
#[derive(Clone)]
pub enum Given {
    /// A tensor, or a state.
    Tensor(ArrayD<f32>),
    Labels(ArrayD<i64>),
    Scalar(f64),
    Absent,
}

/// How an array lies in memory. Its elements are the same in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One element after the other, the last axis fastest.
    Standard,
    /// Every second element along each axis of a larger array.
    Stepped,
    /// From the end of memory to its start.
    Reversed,
    /// The second axis fastest.
    ChannelsLast,
    /// Every second element along each axis of a larger array whose second axis is fastest.
    ChannelsLastStepped,
}

impl Layout {
    /// The same elements in this layout.
    pub fn of(self, a: &ArrayD<f32>) -> ArrayD<f32> {
        let axes = (0..a.ndim()).map(Axis);
        match self {
            Layout::Standard => a.as_standard_layout().into_owned(),
            Layout::Stepped => {
                let shape: Vec<usize> = a.shape().iter().map(|n| 2 * n).collect();
                // what lies between is never to be read
                let mut wide = ArrayD::from_elem(shape, f32::NAN);
                for axis in axes {
                    wide.slice_axis_inplace(axis, Slice::new(0, None, 2));
                }
                wide.assign(a);
                wide
            }
            Layout::Reversed => {
                let mut reversed = a.clone();
                axes.clone().for_each(|axis| reversed.invert_axis(axis));
                let mut reversed = reversed.as_standard_layout().into_owned();
                axes.for_each(|axis| reversed.invert_axis(axis));
                reversed
            }
            Layout::ChannelsLast | Layout::ChannelsLastStepped => {
                let inner = if self == Layout::ChannelsLast { Layout::Standard } else { Layout::Stepped };
                if a.ndim() < 3 {
                    return inner.of(a);
                }
                let order: Vec<usize> = [0].into_iter().chain(2..a.ndim()).chain([1]).collect();
                let back: Vec<usize> = [0, a.ndim() - 1].into_iter().chain(1..a.ndim() - 1).collect();
                inner.of(&a.view().permuted_axes(order).to_owned()).permuted_axes(back)
            }
        }
    }
}

/// Repeatable values, roughly uniform on (−2, 2).
pub fn values(shape: &[usize], seed: u64) -> ArrayD<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    ArrayD::from_shape_simple_fn(shape, || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 / (1u64 << 53) as f64 * 4.0 - 2.0) as f32
    })
}

/// All that a forward and a backward call write, by name: outputs, states, gradients. Every array that goes in or is
/// written lies as `layout` says; the cotangent of output `k` is drawn from seed `k`.
///
/// # Panics
/// If a call returns an error, or an output holds indices.
pub fn results<L: Layer<f32>>(op: &L, given: &[Given], layout: Layout) -> Vec<(String, ArrayD<f32>)> {
    let given: Vec<Given> = given
        .iter()
        .map(|g| match g {
            Given::Tensor(x) => Given::Tensor(layout.of(x)),
            other => other.clone(),
        })
        .collect();
    let mut states = given.clone();
    let mut args: Vec<Arg<'_, f32>> = L::ARGS
        .iter()
        .zip(&given)
        .zip(&mut states)
        .map(|((spec, given), state)| match (spec.kind, state) {
            (ArgKind::State, Given::Tensor(state)) => Arg::state(state),
            _ => argument(given),
        })
        .collect();
    let forward = op.forward(&mut args).unwrap_or_else(|e| panic!("{}: {e}", L::NAME));
    drop(args);

    let outputs: Vec<&ArrayD<f32>> = forward
        .outputs
        .iter()
        .map(|output| match output {
            Output::Float(y) => y,
            Output::Int(_) => panic!("{} gives indices", L::NAME),
        })
        .collect();
    let cotangents: Vec<ArrayD<f32>> = outputs.iter().enumerate().map(|(k, y)| layout.of(&values(y.shape(), k as u64))).collect();
    let cotangents: Vec<_> = cotangents.iter().map(|dy| dy.view()).collect();
    let args: Vec<Arg<'_, f32>> = L::ARGS
        .iter()
        .zip(&given)
        .map(|(spec, given)| if spec.kind == ArgKind::State { Arg::Absent } else { argument(given) })
        .collect();
    let differentiable = || L::ARGS.iter().zip(&given).filter(|(spec, _)| spec.kind.is_differentiable());
    // NaN: what is not overwritten shows
    let mut buffers: Vec<ArrayD<f32>> =
        differentiable().map(|(_, g)| layout.of(&ArrayD::from_elem(shape(g), f32::NAN))).collect();
    let mut wanted: Vec<Option<GradD<'_, f32>>> = differentiable()
        .zip(&mut buffers)
        .map(|((_, given), buffer)| match given {
            Given::Tensor(_) => Some(GradD { buffer: Buffer::Tensor(buffer.view_mut()), add: false }),
            _ => None,
        })
        .collect();
    op.backward(&cotangents, &args, &forward.outputs, &forward.saved, &mut wanted).unwrap_or_else(|e| panic!("{}: {e}", L::NAME));
    drop(wanted);

    let outputs = outputs.into_iter().enumerate().map(|(k, y)| (format!("output {k}"), y.clone()));
    let states = L::ARGS.iter().zip(&states).filter_map(|(spec, state)| match (spec.kind, state) {
        (ArgKind::State, Given::Tensor(state)) => Some((spec.name.to_string(), state.clone())),
        _ => None,
    });
    let grads = differentiable().zip(&buffers).filter(|((_, given), _)| matches!(given, Given::Tensor(_)));
    let grads = grads.map(|((spec, _), buffer)| (format!("d{}", spec.name), buffer.clone()));
    outputs.chain(states).chain(grads).collect()
}

fn shape(given: &Given) -> Vec<usize> {
    match given {
        Given::Tensor(x) => x.shape().to_vec(),
        _ => vec![],
    }
}

fn argument(given: &Given) -> Arg<'_, f32> {
    match given {
        Given::Tensor(x) => Arg::tensor(x),
        Given::Labels(label) => Arg::labels(label),
        Given::Scalar(x) => Arg::Scalar(*x),
        Given::Absent => Arg::Absent,
    }
}
