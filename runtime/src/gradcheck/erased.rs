//! A layer behind a pointer: the checks are compiled once an element type, and not once a layer.

use ndarray::ArrayViewD;

use crate::formula::Value;
use crate::layer::{Arg, ArgSpec, Forward, GradD, Output, OutputSpec, Reads};
use crate::{Error, Float, Layer};

/// What a layer says of itself.
#[derive(Clone, Copy)]
pub(super) struct Spec {
    pub name: &'static str,
    pub axes: &'static [&'static str],
    pub args: &'static [ArgSpec],
    pub outputs: &'static [OutputSpec],
    pub reads: Reads,
}

/// The outputs of a forward call, and the way back.
pub(super) type Run<'a, T> = (Vec<Output<T>>, Box<dyn Backward<T> + 'a>);

/// A layer of any type.
pub(super) trait Erased<T: Float> {
    fn spec(&self) -> Spec;
    fn forward<'a>(&'a self, args: &mut [Arg<'_, T>]) -> Result<Run<'a, T>, Error>;
    fn reference(&self, args: &[Option<Value>]) -> Result<Vec<Value>, Error>;
}

/// The way back of one forward call, with what that saved.
pub(super) trait Backward<T: Float> {
    fn backward(
        &self,
        cotangents: &[ArrayViewD<'_, T>],
        args: &[Arg<'_, T>],
        outputs: &[Output<T>],
        wanted: &mut [Option<GradD<'_, T>>],
    ) -> Result<(), Error>;
}

struct Kept<'a, T: Float, L: Layer<T>> {
    op: &'a L,
    saved: L::Saved,
}

impl<T: Float, L: Layer<T>> Erased<T> for L {
    fn spec(&self) -> Spec {
        Spec { name: L::NAME, axes: L::AXES, args: L::ARGS, outputs: L::OUTPUTS, reads: L::BACKWARD_READS }
    }

    fn forward<'a>(&'a self, args: &mut [Arg<'_, T>]) -> Result<Run<'a, T>, Error> {
        let Forward { outputs, saved } = Layer::forward(self, args)?;
        Ok((outputs, Box::new(Kept { op: self, saved })))
    }

    fn reference(&self, args: &[Option<Value>]) -> Result<Vec<Value>, Error> {
        Layer::reference(self, args)
    }
}

impl<T: Float, L: Layer<T>> Backward<T> for Kept<'_, T, L> {
    fn backward(
        &self,
        cotangents: &[ArrayViewD<'_, T>],
        args: &[Arg<'_, T>],
        outputs: &[Output<T>],
        wanted: &mut [Option<GradD<'_, T>>],
    ) -> Result<(), Error> {
        self.op.backward(cotangents, args, outputs, &self.saved, wanted)
    }
}
