//! What a compiled batch runs: each operation against its formula run as written, at several points, in several layouts,
//! and on several threads. Stands in a crate of its own, compiled once; knows nothing of its neighbours but `fill`.

pub mod fill;

use fill::Style;
use pullback::layer::{Arg, ArgSpec, Buffer, GradD, Output};
use pullback::ndarray::{ArrayD, ArrayViewD};
use pullback::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An argument of a call, with its shape.
pub enum Given {
    Tensor(&'static [usize]),
    State(&'static [usize]),
    /// Below a bound.
    Labels(&'static [usize], usize),
    Scalar,
    Absent,
}

/// The elements of an argument.
#[derive(Clone)]
enum Owned {
    Tensor(ArrayD<f64>),
    State(ArrayD<f64>),
    Labels(ArrayD<i64>),
    Scalar(f64),
    Absent,
}

impl Owned {
    fn of(given: &Given, style: Style, seed: u64) -> Owned {
        let numbers = |shape: &[usize]| {
            ArrayD::from_shape_vec(shape, fill::numbers(shape, style, seed)).expect("as many as the shape says")
        };
        match given {
            Given::Tensor(shape) => Owned::Tensor(numbers(shape)),
            Given::State(shape) => Owned::State(numbers(shape)),
            Given::Labels(shape, below) => {
                let labels = fill::labels(shape, *below, seed);
                Owned::Labels(ArrayD::from_shape_vec(*shape, labels).expect("as many as the shape says"))
            }
            Given::Scalar => Owned::Scalar(fill::numbers(&[1], style, seed)[0]),
            Given::Absent => Owned::Absent,
        }
    }
    fn arg(&mut self) -> Arg<'_, f64> {
        match self {
            Owned::Tensor(x) => Arg::tensor(x),
            Owned::State(r) => Arg::state(r),
            Owned::Labels(label) => Arg::labels(label),
            Owned::Scalar(x) => Arg::Scalar(*x),
            Owned::Absent => Arg::Absent,
        }
    }
}

/// An operation of any type: all that is checked goes through here, so that a program adds little to compile.
trait Operation: Sync {
    fn args(&self) -> &'static [ArgSpec];
    fn gradcheck(&self, args: &[Arg<'_, f64>]) -> Result<(usize, usize), String>;
    /// Calls forward, and hands the outputs and the way back on.
    fn call(&self, args: &mut [Arg<'_, f64>], then: &mut Then<'_>) -> Result<(), String>;
}

/// A backward call: the cotangents, the arguments, and where gradients go.
type Backward<'a> = dyn Fn(&[ArrayViewD<'_, f64>], &[Arg<'_, f64>], &mut [Option<GradD<'_, f64>>]) -> Result<(), String> + 'a;
type Then<'a> = dyn FnMut(&[Output<f64>], &Backward<'_>) -> Result<(), String> + 'a;

impl<L: Layer<f64> + Sync> Operation for L {
    fn args(&self) -> &'static [ArgSpec] {
        L::ARGS
    }

    fn gradcheck(&self, args: &[Arg<'_, f64>]) -> Result<(usize, usize), String> {
        gradcheck(self, args).map(|r| (r.judged, r.unjudged)).map_err(|failure| failure.to_string())
    }

    fn call(&self, args: &mut [Arg<'_, f64>], then: &mut Then<'_>) -> Result<(), String> {
        let forward = self.forward(args).map_err(|e| e.to_string())?;
        then(&forward.outputs, &|dys, args, wanted| {
            self.backward(dys, args, &forward.outputs, &forward.saved, wanted).map_err(|e| e.to_string())
        })
    }
}

#[derive_backward]
fn anything(x: Tensor<f64, N>) -> Tensor<f64, N> {
    x
}

/// Has the checks compiled with this crate, and not with every batch.
pub fn compiled_here() -> bool {
    gradcheck(&Anything, &[Arg::<f64>::Absent]).is_ok()
}

/// The bits of all that a call writes: outputs, states, gradients of tensors.
fn bits(operation: &dyn Operation, given: &[Owned]) -> Result<Vec<u64>, String> {
    let mut bits = vec![];
    let mut add = |x: &ArrayD<f64>| bits.extend(x.iter().map(|v| if v.is_nan() { u64::MAX } else { v.to_bits() }));
    let mut states = given.to_vec();
    let mut args: Vec<Arg<'_, f64>> = states.iter_mut().map(Owned::arg).collect();
    operation.call(&mut args, &mut |outputs, backward| {
        let mut cotangents = vec![];
        for output in outputs {
            match output {
                Output::Float(y) => {
                    add(y);
                    let dy = fill::numbers(y.shape(), Style::Ordinary, cotangents.len() as u64);
                    cotangents.push(ArrayD::from_shape_vec(y.shape(), dy).expect("as many as the shape says"));
                }
                Output::Int(y) => add(&y.mapv(|i| i as f64)),
            }
        }
        gradients(operation, given, &cotangents, backward)?.iter().for_each(&mut add);
        Ok(())
    })?;
    drop(args);
    for state in &states {
        if let Owned::State(r) = state {
            add(r);
        }
    }
    Ok(bits)
}

/// The gradients of tensors.
fn gradients(
    operation: &dyn Operation,
    given: &[Owned],
    cotangents: &[ArrayD<f64>],
    backward: &Backward<'_>,
) -> Result<Vec<ArrayD<f64>>, String> {
    let mut given = given.to_vec();
    let differentiable = operation.args().iter().zip(&given).filter(|(spec, _)| spec.kind.is_differentiable());
    let mut buffers: Vec<Option<ArrayD<f64>>> = differentiable
        .map(|(_, value)| match value {
            Owned::Tensor(x) => Some(ArrayD::from_elem(x.shape(), f64::NAN)),
            _ => None,
        })
        .collect();
    let dys: Vec<_> = cotangents.iter().map(|dy| dy.view()).collect();
    given.iter_mut().filter(|v| matches!(v, Owned::State(_))).for_each(|v| *v = Owned::Absent);
    let args: Vec<Arg<'_, f64>> = given.iter_mut().map(Owned::arg).collect();
    let mut wanted: Vec<Option<GradD<'_, f64>>> = vec![];
    for buffer in &mut buffers {
        wanted.push(buffer.as_mut().map(|b| GradD { buffer: Buffer::Tensor(b.view_mut()), add: false }));
    }
    backward(&dys, &args, &mut wanted)?;
    drop(wanted);
    Ok(buffers.into_iter().flatten().collect())
}

/// A program of a batch.
pub struct Program {
    operation: Box<dyn Operation>,
    name: &'static str,
    given: &'static [Given],
    seed: u64,
    /// Points that say nothing of it.
    without: &'static [Style],
}

impl Program {
    pub fn new<L: Layer<f64> + Sync + 'static>(
        name: &'static str,
        operation: L,
        given: &'static [Given],
        seed: u64,
        without: &'static [Style],
    ) -> Program {
        Program { operation: Box::new(operation), name, given, seed, without }
    }

    fn arguments(&self, style: Style) -> Vec<Owned> {
        let one = |(at, given): (usize, &Given)| Owned::of(given, style, self.seed.wrapping_mul(31).wrapping_add(at as u64));
        self.given.iter().enumerate().map(one).collect()
    }

    /// How many numbers were judged, and how many say nothing.
    fn check(&self) -> Result<(usize, usize), String> {
        let mut all = (0, 0);
        for style in Style::ALL.into_iter().filter(|s| !self.without.contains(s)) {
            let mut given = self.arguments(style);
            let args: Vec<Arg<'_, f64>> = given.iter_mut().map(Owned::arg).collect();
            let (judged, unjudged) = self.operation.gradcheck(&args).map_err(|e| format!("{style:?}: {e}"))?;
            all = (all.0 + judged, all.1 + unjudged);
        }
        let given = self.arguments(Style::Ordinary);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
            pool.install(|| bits(&*self.operation, &given))
        };
        if on(1)? == on(2)? { Ok(all) } else { Err("two threads give other bits than one".into()) }
    }
}

/// Checks programs, and prints a line for each: `ok name judged unjudged` or `fails name message`.
pub fn main(programs: &[Program]) {
    std::panic::set_hook(Box::new(|_| {}));
    for program in programs {
        let checked = catch_unwind(AssertUnwindSafe(|| program.check())).unwrap_or_else(|payload| {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_string()));
            Err(format!("panics: {}", text.unwrap_or_default()))
        });
        match checked {
            Ok((judged, unjudged)) => println!("ok {} {judged} {unjudged}", program.name),
            Err(message) => println!("fails {} {}", program.name, message.replace('\n', "; ")),
        }
    }
}
