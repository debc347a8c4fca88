//! The one seam between generated operations and what works on all of them: gradient checks, benchmarks, adapters to
//! other frameworks.
//!
//! Everything here has dynamic rank. An implementation converts ([`Arg::view`], [`Output::view`], [`slot`]), calls the
//! typed functions, and wraps what they return:
//!
//! ```
//! use pullback::ndarray::{ArrayViewD, Ix1};
//! use pullback::formula::{self, Axis, Value};
//! use pullback::layer::*;
//! use pullback::{Error, Float, Grad, Layer};
//!
//! /// y = a·x for a learned number a.
//! #[derive(Debug)]
//! struct Scale;
//!
//! impl<T: Float> Layer<T> for Scale {
//!     const NAME: &'static str = "scale";
//!     const AXES: &'static [&'static str] = &["N"];
//!     const ARGS: &'static [ArgSpec] = &[ArgSpec::new("x", &["N"], ArgKind::Tensor), ArgSpec::new("a", &[], ArgKind::Diff)];
//!     const OUTPUTS: &'static [OutputSpec] = &[OutputSpec::new(&["N"])];
//!     const BACKWARD_READS: Reads = Reads { args: &[0, 1], outputs: &[] };
//!     type Saved = ();
//!
//!     fn forward(&self, args: &mut [Arg<'_, T>]) -> Result<Forward<T, ()>, Error> {
//!         let [x, a] = exactly_mut(args, "scale", "arguments")?;
//!         let (x, a) = (x.view::<Ix1>("scale", "x")?, a.scalar("scale", "a")?);
//!         let y = x.mapv(|x| T::of(a * x.f64()));
//!         Ok(Forward { outputs: vec![Output::Float(y.into_dyn())], saved: () })
//!     }
//!
//!     fn backward(
//!         &self,
//!         cotangents: &[ArrayViewD<'_, T>],
//!         args: &[Arg<'_, T>],
//!         _outputs: &[Output<T>],
//!         _saved: &(),
//!         wanted: &mut [Option<GradD<'_, T>>],
//!     ) -> Result<(), Error> {
//!         let ([dy], [x, a]) = (exactly(cotangents, "scale", "cotangents")?, exactly(args, "scale", "arguments")?);
//!         let (dy, x) = (fixed::<T, Ix1>(dy, "scale", "dy")?, x.view::<Ix1>("scale", "x")?);
//!         let [dx, da] = exactly_mut(wanted, "scale", "gradients")?;
//!         let (mut dx, mut da) = (slot::<T, Ix1>(dx, "scale", "x")?, scalar_slot(da, "scale", "a")?);
//!         let a = a.scalar("scale", "a")?;
//!         if let Some(slot) = &mut dx {
//!             let gradient = dy.mapv(|dy| T::of(a * dy.f64()));
//!             match slot.grad() {
//!                 Grad::Write(to) => to.assign(&gradient),
//!                 Grad::Add(to) => to.zip_mut_with(&gradient, |to, g| *to = T::of(to.f64() + g.f64())),
//!             }
//!         }
//!         if let Some(slot) = &mut da {
//!             let gradient: f64 = dy.iter().zip(&x).map(|(dy, x)| dy.f64() * x.f64()).sum();
//!             match slot.grad() {
//!                 Grad::Write(to) => to.fill(gradient),
//!                 Grad::Add(to) => *to += gradient,
//!             }
//!         }
//!         Ok(())
//!     }
//!
//!     fn reference(&self, args: &[Option<Value>]) -> Result<Vec<Value>, Error> {
//!         let [Some(x), Some(a)] = args else { unreachable!("neither is optional") };
//!         Ok(vec![formula::mul(a, x)])
//!     }
//! }
//!
//! let x = pullback::ndarray::array![1.0, -2.0, 0.5];
//! pullback::gradcheck(&Scale, &[Arg::tensor(&x), Arg::Scalar(3.0)]).unwrap();
//! ```

use ndarray::{ArrayD, ArrayRef, ArrayView, ArrayViewD, ArrayViewMut, ArrayViewMut0, ArrayViewMutD, Dimension, Ix0};

use crate::formula::Value;
use crate::{Error, Float};

/// Where a gradient goes, and whether it replaces or joins what is there.
pub enum Grad<'a, T, D> {
    /// Overwrites the array, whatever it holds.
    Write(&'a mut ArrayRef<T, D>),
    /// Adds to the array.
    Add(&'a mut ArrayRef<T, D>),
}

/// What an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    /// A differentiable tensor.
    Tensor,
    /// A tensor without a gradient.
    Constant,
    /// Indices into an axis, or row-major into several; into none where the bound is no axis of an argument.
    Labels {
        /// The axes, by name.
        within: &'static [&'static str],
    },
    /// A learned scalar.
    Diff,
    /// A tensor that the call reads and writes.
    State,
}

impl ArgKind {
    /// Whether it has a gradient.
    pub const fn is_differentiable(self) -> bool {
        matches!(self, ArgKind::Tensor | ArgKind::Diff)
    }
}

/// One argument of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgSpec {
    /// As the formula calls it.
    pub name: &'static str,
    /// The names of its axes, in order.
    pub axes: &'static [&'static str],
    /// Which of them stands for any number of dimensions.
    pub many: Option<usize>,
    /// What it is.
    pub kind: ArgKind,
    /// Whether it may be absent.
    pub optional: bool,
}

impl ArgSpec {
    /// An argument that must be there, every axis one dimension.
    pub const fn new(name: &'static str, axes: &'static [&'static str], kind: ArgKind) -> ArgSpec {
        ArgSpec { name, axes, many: None, kind, optional: false }
    }

    /// The same, with axis `at` standing for any number of dimensions.
    #[must_use]
    pub const fn many(mut self, at: usize) -> ArgSpec {
        self.many = Some(at);
        self
    }

    /// The same, which may be absent.
    #[must_use]
    pub const fn optional(mut self) -> ArgSpec {
        self.optional = true;
        self
    }
}

/// One output of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputSpec {
    /// The names of its axes, in order.
    pub axes: &'static [&'static str],
    /// Which of them stands for any number of dimensions.
    pub many: Option<usize>,
    /// Whether it holds indices, and so has no cotangent.
    pub integer: bool,
}

impl OutputSpec {
    /// An output of numbers, every axis one dimension.
    pub const fn new(axes: &'static [&'static str]) -> OutputSpec {
        OutputSpec { axes, many: None, integer: false }
    }

    /// The same, with axis `at` standing for any number of dimensions.
    #[must_use]
    pub const fn many(mut self, at: usize) -> OutputSpec {
        self.many = Some(at);
        self
    }

    /// The same, holding indices.
    #[must_use]
    pub const fn integer(mut self) -> OutputSpec {
        self.integer = true;
        self
    }
}

/// Which values, not only shapes, the backward pass looks at: positions in [`Layer::ARGS`] and [`Layer::OUTPUTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reads {
    /// Of the arguments.
    pub args: &'static [usize],
    /// Of the outputs.
    pub outputs: &'static [usize],
}

/// An argument of a call. A `Tensor` or `Constant` over no axes is an array of rank 0.
pub enum Arg<'a, T> {
    /// For [`ArgKind::Tensor`] and [`ArgKind::Constant`].
    Tensor(ArrayViewD<'a, T>),
    /// For [`ArgKind::Labels`].
    Labels(ArrayViewD<'a, i64>),
    /// For [`ArgKind::Diff`].
    Scalar(f64),
    /// For [`ArgKind::State`].
    State(ArrayViewMutD<'a, T>),
    /// For an optional argument; in `backward` also for a state, which it does not look at.
    Absent,
}

impl<'a, T> Arg<'a, T> {
    /// A tensor of any rank.
    pub fn tensor<D: Dimension>(x: &'a ArrayRef<T, D>) -> Arg<'a, T> {
        Arg::Tensor(x.view().into_dyn())
    }

    /// Labels of any rank.
    pub fn labels<D: Dimension>(label: &'a ArrayRef<i64, D>) -> Arg<'a, T> {
        Arg::Labels(label.view().into_dyn())
    }

    /// State of any rank.
    pub fn state<D: Dimension>(r: &'a mut ArrayRef<T, D>) -> Arg<'a, T> {
        Arg::State(r.view_mut().into_dyn())
    }

    /// What it is, in words.
    fn kind(&self) -> &'static str {
        match self {
            Arg::Tensor(_) => "a tensor",
            Arg::Labels(_) => "labels",
            Arg::Scalar(_) => "a scalar",
            Arg::State(_) => "state",
            Arg::Absent => "absent",
        }
    }

    fn wrong(&self, function: &'static str, argument: &'static str, expected: &'static str) -> Error {
        Error::Kind { function, argument, found: self.kind(), expected }
    }

    /// The tensor, in the rank of `D`.
    ///
    /// # Errors
    /// Where it is none, or of another rank.
    pub fn view<D: Dimension>(&self, function: &'static str, argument: &'static str) -> Result<ArrayView<'_, T, D>, Error> {
        match self {
            Arg::Tensor(x) => fixed(x, function, argument),
            other => Err(other.wrong(function, argument, "a tensor")),
        }
    }

    /// The tensor of an optional argument, in the rank of `D`.
    ///
    /// # Errors
    /// As [`Arg::view`].
    pub fn optional<D: Dimension>(
        &self,
        function: &'static str,
        argument: &'static str,
    ) -> Result<Option<ArrayView<'_, T, D>>, Error> {
        match self {
            Arg::Absent => Ok(None),
            present => present.view(function, argument).map(Some),
        }
    }

    /// The labels, in the rank of `D`.
    ///
    /// # Errors
    /// Where it is none, or of another rank.
    pub fn indices<D: Dimension>(&self, function: &'static str, argument: &'static str) -> Result<ArrayView<'_, i64, D>, Error> {
        match self {
            Arg::Labels(label) => fixed(label, function, argument),
            other => Err(other.wrong(function, argument, "labels")),
        }
    }

    /// The scalar.
    ///
    /// # Errors
    /// Where it is none.
    pub fn scalar(&self, function: &'static str, argument: &'static str) -> Result<f64, Error> {
        match self {
            Arg::Scalar(x) => Ok(*x),
            other => Err(other.wrong(function, argument, "a scalar")),
        }
    }

    /// The state, in the rank of `D`.
    ///
    /// # Errors
    /// Where it is none, or of another rank.
    pub fn state_mut<D: Dimension>(
        &mut self,
        function: &'static str,
        argument: &'static str,
    ) -> Result<ArrayViewMut<'_, T, D>, Error> {
        match self {
            Arg::State(r) => fixed_mut(r, function, argument),
            other => Err(other.wrong(function, argument, "state")),
        }
    }
}

impl<T: Copy> Arg<'_, T> {
    /// The number of a tensor over no axes.
    ///
    /// # Errors
    /// Where it is no tensor, or has axes.
    pub fn number(&self, function: &'static str, argument: &'static str) -> Result<T, Error> {
        self.view::<Ix0>(function, argument).map(|x| *x.into_scalar())
    }
}

/// An output of a call. One over no axes is an array of rank 0.
#[derive(Clone, Debug)]
pub enum Output<T> {
    /// Numbers.
    Float(ArrayD<T>),
    /// Indices.
    Int(ArrayD<i64>),
}

impl<T> Output<T> {
    /// The numbers, in the rank of `D`.
    ///
    /// # Errors
    /// Where it holds indices, or is of another rank.
    pub fn view<D: Dimension>(&self, function: &'static str, argument: &'static str) -> Result<ArrayView<'_, T, D>, Error> {
        match self {
            Output::Float(y) => in_rank(y.view(), function, argument),
            Output::Int(_) => Err(Error::Kind { function, argument, found: "indices", expected: "a tensor" }),
        }
    }
}

/// What `forward` gives.
#[derive(Clone, Debug)]
pub struct Forward<T, S> {
    /// One an output of the formula.
    pub outputs: Vec<Output<T>>,
    /// What `backward` needs beside arguments and outputs.
    pub saved: S,
}

/// The memory that a gradient of dynamic rank goes to.
pub enum Buffer<'a, T> {
    /// For a tensor.
    Tensor(ArrayViewMutD<'a, T>),
    /// For a learned scalar.
    Scalar(ArrayViewMut0<'a, f64>),
}

/// Where a gradient of dynamic rank goes.
pub struct GradD<'a, T> {
    /// The memory.
    pub buffer: Buffer<'a, T>,
    /// Whether it is added to what is there.
    pub add: bool,
}

/// A [`GradD`] in the rank of its formula.
pub struct Slot<'a, T, D> {
    view: ArrayViewMut<'a, T, D>,
    add: bool,
}

impl<T, D: Dimension> Slot<'_, T, D> {
    /// As the typed functions take it.
    pub fn grad(&mut self) -> Grad<'_, T, D> {
        if self.add { Grad::Add(&mut self.view) } else { Grad::Write(&mut self.view) }
    }
}

/// The slot of a tensor's gradient in the rank of `D`; `None` where it is not wanted.
///
/// # Errors
/// Where the buffer is of another kind or rank.
pub fn slot<'b, T, D: Dimension>(
    wanted: &'b mut Option<GradD<'_, T>>,
    function: &'static str,
    argument: &'static str,
) -> Result<Option<Slot<'b, T, D>>, Error> {
    match wanted {
        None => Ok(None),
        Some(GradD { buffer: Buffer::Tensor(view), add }) => {
            Ok(Some(Slot { view: fixed_mut(view, function, argument)?, add: *add }))
        }
        Some(_) => Err(Error::Kind { function, argument, found: "a scalar", expected: "a tensor" }),
    }
}

/// The slot of a learned scalar's gradient; `None` where it is not wanted.
///
/// # Errors
/// Where the buffer is a tensor's.
pub fn scalar_slot<'b, T>(
    wanted: &'b mut Option<GradD<'_, T>>,
    function: &'static str,
    argument: &'static str,
) -> Result<Option<Slot<'b, f64, Ix0>>, Error> {
    match wanted {
        None => Ok(None),
        Some(GradD { buffer: Buffer::Scalar(view), add }) => Ok(Some(Slot { view: view.view_mut(), add: *add })),
        Some(_) => Err(Error::Kind { function, argument, found: "a tensor", expected: "a scalar" }),
    }
}

/// An operation with its constants, on arrays of dynamic rank.
pub trait Layer<T: Float> {
    /// The formula's name.
    const NAME: &'static str;
    /// The names of all axes; `Axis(i)` in [`Layer::reference`] is the `i`-th.
    const AXES: &'static [&'static str];
    /// The arguments, in the order of the signature.
    const ARGS: &'static [ArgSpec];
    /// The outputs, in order.
    const OUTPUTS: &'static [OutputSpec];
    /// What `backward` reads; of all else only the shape counts.
    const BACKWARD_READS: Reads;
    /// What `forward` saves for `backward`.
    type Saved;

    /// Computes the outputs, and writes the states, of one argument each in [`Layer::ARGS`].
    ///
    /// # Errors
    /// Where arguments do not fit. No state is written then.
    fn forward(&self, args: &mut [Arg<'_, T>]) -> Result<Forward<T, Self::Saved>, Error>;

    /// Computes the wanted gradients: one entry a differentiable argument, in order.
    ///
    /// `cotangents` has one array an output that holds numbers, in order; `args` as in `forward`, except that states are
    /// not looked at and may be [`Arg::Absent`]; the gradient of an absent argument is not written.
    ///
    /// # Errors
    /// Where arguments or buffers do not fit.
    fn backward(
        &self,
        cotangents: &[ArrayViewD<'_, T>],
        args: &[Arg<'_, T>],
        outputs: &[Output<T>],
        saved: &Self::Saved,
        wanted: &mut [Option<GradD<'_, T>>],
    ) -> Result<(), Error>;

    /// Runs the formula as written, in `f64`, on arguments that `forward` accepts; `None` where one is absent.
    /// A `Many` axis is a single one, of all its dimensions' elements. Gives the outputs, then the states as the call
    /// leaves them.
    ///
    /// # Errors
    /// Where the formula's own conditions fail.
    fn reference(&self, args: &[Option<Value>]) -> Result<Vec<Value>, Error>;
}

/// The items of a slice of known length.
///
/// # Errors
/// Where the length is another.
pub fn exactly<'a, A, const N: usize>(items: &'a [A], function: &'static str, what: &'static str) -> Result<&'a [A; N], Error> {
    items.try_into().map_err(|_| Error::Count { function, what, found: items.len(), expected: N })
}

/// The items of a slice of known length, to change.
///
/// # Errors
/// Where the length is another.
pub fn exactly_mut<'a, A, const N: usize>(
    items: &'a mut [A],
    function: &'static str,
    what: &'static str,
) -> Result<&'a mut [A; N], Error> {
    let found = items.len();
    items.try_into().map_err(|_| Error::Count { function, what, found, expected: N })
}

/// A view in the rank of `D`.
///
/// # Errors
/// Where it has another rank.
pub fn fixed<'b, T, D: Dimension>(
    view: &'b ArrayViewD<'_, T>,
    function: &'static str,
    argument: &'static str,
) -> Result<ArrayView<'b, T, D>, Error> {
    in_rank(view.view(), function, argument)
}

fn in_rank<'a, T, D: Dimension>(
    view: ArrayViewD<'a, T>,
    function: &'static str,
    argument: &'static str,
) -> Result<ArrayView<'a, T, D>, Error> {
    let rank = view.ndim();
    view.into_dimensionality().map_err(|_| wrong_rank::<D>(function, argument, rank))
}

fn fixed_mut<'b, T, D: Dimension>(
    view: &'b mut ArrayViewMutD<'_, T>,
    function: &'static str,
    argument: &'static str,
) -> Result<ArrayViewMut<'b, T, D>, Error> {
    let rank = view.ndim();
    view.view_mut().into_dimensionality().map_err(|_| wrong_rank::<D>(function, argument, rank))
}

fn wrong_rank<D: Dimension>(function: &'static str, argument: &'static str, found: usize) -> Error {
    Error::Rank { function, argument, found, expected: D::NDIM.unwrap_or(found), at_least: false }
}
