//! Generated operations, asked as [`crate::formulas`] asks the interpreter.

use crate::formulas::{Answer, Call, Constant};
use pullback::layer::{Arg, ArgKind, ArgSpec, Buffer, GradD, Output};
use pullback::ndarray::ArrayD;
use pullback::{Layer, Window};
use std::collections::BTreeMap;

/// An operation with one output, and its derivative under the cotangent `dy`, in `f64`.
///
/// # Panics
/// If the operation returns an error, or has no such output.
pub fn evaluate<L: Layer<f64>>(op: &L, call: &Call, dy: &ArrayD<f64>) -> Answer {
    let state = |spec: &&ArgSpec| spec.kind == ArgKind::State;
    let mut states: BTreeMap<String, ArrayD<f64>> =
        L::ARGS.iter().filter(state).map(|spec| (spec.name.to_string(), call.tensors[spec.name].clone())).collect();
    let labels: BTreeMap<&str, ArrayD<i64>> =
        call.tensors.iter().map(|(name, value)| (*name, value.mapv(|v| v as i64))).collect();

    let mut args = arguments::<L>(call, &labels);
    let mut slots: BTreeMap<&str, _> = states.iter_mut().map(|(name, value)| (name.as_str(), value.view_mut())).collect();
    for (arg, spec) in args.iter_mut().zip(L::ARGS) {
        if let Some(slot) = slots.remove(spec.name) {
            *arg = Arg::State(slot);
        }
    }
    let forward = op.forward(&mut args).unwrap_or_else(|e| panic!("{}: {e}", L::NAME));
    let Some(Output::Float(output)) = forward.outputs.first() else { panic!("{} has no output of numbers", L::NAME) };

    let args = arguments::<L>(call, &labels);
    let differentiable: Vec<(&ArgSpec, bool)> = L::ARGS
        .iter()
        .zip(&args)
        .filter(|(spec, _)| spec.kind.is_differentiable())
        .map(|(spec, arg)| (spec, !matches!(arg, Arg::Absent)))
        .collect();
    let shape = |name: &str| call.tensors.get(name).map_or(vec![], |value| value.shape().to_vec());
    // NaN: what is not overwritten shows.
    let mut buffers: Vec<ArrayD<f64>> =
        differentiable.iter().map(|(spec, _)| ArrayD::from_elem(shape(spec.name), f64::NAN)).collect();
    let mut wanted: Vec<Option<GradD<'_, f64>>> = differentiable
        .iter()
        .zip(&mut buffers)
        .map(|((_, present), buffer)| present.then(|| GradD { buffer: Buffer::Tensor(buffer.view_mut()), add: false }))
        .collect();
    op.backward(&[dy.view()], &args, &forward.outputs, &forward.saved, &mut wanted)
        .unwrap_or_else(|e| panic!("{}: {e}", L::NAME));
    drop(wanted);
    let named = differentiable.iter().zip(buffers).filter(|((_, present), _)| *present);
    let grads = named.map(|((spec, _), buffer)| (spec.name.to_string(), buffer)).collect();
    let output = output.clone();
    drop(args);
    Answer { outputs: vec![output], states, grads }
}

/// The arguments in order, states absent.
fn arguments<'a, L: Layer<f64>>(call: &'a Call, labels: &'a BTreeMap<&str, ArrayD<i64>>) -> Vec<Arg<'a, f64>> {
    let argument = |spec: &ArgSpec| match (spec.kind, call.tensors.get(spec.name)) {
        (ArgKind::State, _) | (_, None) => Arg::Absent,
        (ArgKind::Labels { .. }, Some(_)) => Arg::Labels(labels[spec.name].view()),
        (ArgKind::Diff, Some(value)) => Arg::Scalar(value.sum()),
        (_, Some(value)) => Arg::Tensor(value.view()),
    };
    L::ARGS.iter().map(argument).collect()
}

/// A constant that is a window, as operations take it.
///
/// # Panics
/// If it is none.
pub fn window(call: &Call, name: &str) -> Window<2> {
    let Some(Constant::Window(k)) = call.constants.get(name) else { panic!("{name} is no window") };
    let window = Window::new(k.kernel).stride(k.stride).padding(k.padding).dilation(k.dilation);
    window.ceil_mode(k.ceil_mode).count_padding(k.count_padding).divisor(k.divisor)
}
