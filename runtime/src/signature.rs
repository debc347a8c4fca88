//! The types of formula parameters. Only `#[derive_backward]` reads them: no value has one of these types.

use std::marker::PhantomData;

/// An array of `T` over named axes, in memory order: `Tensor<f32, (N, C)>`, `Tensor<f32, C>`; `Tensor<f32, ()>` is a
/// number. A helper's `Tensor<f32>` leaves the axes open.
pub struct Tensor<T, A = ()>(PhantomData<(T, A)>);

/// Indices (`i64`) over named axes.
pub struct Labels<A>(PhantomData<A>);

/// An axis that stands for any number of dimensions, none included.
pub struct Many<A>(PhantomData<A>);

/// One axis or several, as a parameter of a helper: `a: impl Axes`.
pub trait Axes {}
