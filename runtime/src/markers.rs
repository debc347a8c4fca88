//! The types of a formula's signature. They are read by the macro, and never made.

use std::marker::PhantomData;

/// An array over named axes: `Tensor<f32, (N, C, H, W)>`; `Tensor<f32, ()>` is a scalar.
#[derive(Debug)]
pub struct Tensor<T, A = ()>(PhantomData<(T, A)>);

/// Integer indices over named axes: `Labels<N>`.
#[derive(Debug)]
pub struct Labels<A>(PhantomData<A>);

/// Any number of dimensions, as one axis: `Tensor<f32, (N, C, Many<S>)>`.
#[derive(Debug)]
pub struct Many<A>(PhantomData<A>);

/// An argument of a helper that names axes: `a: impl Axes`.
pub trait Axes {}
