//! What generated code does before and around its kernels: extents, checks, buffers, what is saved.

use ndarray::{Array, ArrayD, ArrayViewD, ArrayViewMut, ArrayViewMutD, Dimension, IxDyn};

use crate::drivers::{IndexBuf, IndexView, Space, Stored, Target, View};
use crate::layer::{Arg, Buffer, GradD, Output};
use crate::{Error, Grad, Seed};

/// The extents of a call's axes, read off its arguments.
#[derive(Clone, Debug)]
pub struct Shapes {
    function: &'static str,
    axes: Vec<Known>,
}

/// No axis is longer, so that sums of a few extents can be computed.
const LONGEST: i64 = isize::MAX as i64 / 16;

/// What is known of an axis.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    name: &'static str,
    /// One extent, or those of a `Many` axis; `None`: no argument has told.
    dims: Option<Vec<usize>>,
    /// The argument that told.
    source: &'static str,
}

impl Shapes {
    /// Axes of these names, with nothing known.
    pub fn new(function: &'static str, names: &[&'static str]) -> Shapes {
        let axes = names.iter().map(|name| Known { name, dims: None, source: "" }).collect();
        Shapes { function, axes }
    }

    /// Reads an argument's shape: axis `many` of the list stands for any number of dimensions.
    ///
    /// # Errors
    /// Where the rank is wrong, or an extent disagrees with an earlier argument's.
    pub fn array(
        &mut self,
        argument: &'static str,
        shape: Option<&[usize]>,
        axes: &[usize],
        many: Option<usize>,
    ) -> Result<(), Error> {
        let Some(shape) = shape else { return Ok(()) };
        let function = self.function;
        let fixed = axes.len() - usize::from(many.is_some());
        if shape.len() < fixed || (many.is_none() && shape.len() > fixed) {
            return Err(Error::Rank { function, argument, found: shape.len(), expected: fixed, at_least: many.is_some() });
        }
        let mut rest = shape;
        for (place, &axis) in axes.iter().enumerate() {
            let width = if many == Some(place) { shape.len() - fixed } else { 1 };
            let (mine, after) = rest.split_at(width);
            rest = after;
            self.learn(argument, axis, mine)?;
        }
        let elements = shape.iter().try_fold(1usize, |n, len| n.checked_mul(*len));
        if elements.is_none_or(|n| n > isize::MAX as usize / 16) {
            return Err(Error::TooLarge { function, argument });
        }
        Ok(())
    }

    fn learn(&mut self, argument: &'static str, axis: usize, dims: &[usize]) -> Result<(), Error> {
        let function = self.function;
        let known = &mut self.axes[axis];
        let Some(expected) = &known.dims else {
            (known.dims, known.source) = (Some(dims.to_vec()), argument);
            return Ok(());
        };
        if expected.len() != dims.len() {
            return Err(Error::Rank { function, argument, found: dims.len(), expected: expected.len(), at_least: false });
        }
        match expected.iter().zip(dims).find(|(e, d)| e != d) {
            Some((expected, found)) => Err(Error::Shape {
                function,
                argument,
                axis: known.name,
                found: *found,
                expected: *expected,
                source: known.source,
            }),
            None => Ok(()),
        }
    }

    /// The extent of an axis; 0 where nothing told.
    pub fn len(&self, axis: usize) -> usize {
        self.axes[axis].dims.as_ref().map_or(0, |dims| dims.iter().product())
    }

    /// A new axis of a computed extent.
    ///
    /// # Errors
    /// Where it is negative or too large.
    pub fn define(&mut self, name: &'static str, extent: i64) -> Result<usize, Error> {
        let found = usize::try_from(extent).ok().filter(|_| extent <= LONGEST);
        let found = found.ok_or(Error::TooLarge { function: self.function, argument: name })?;
        self.axes.push(Known { name, dims: Some(vec![found]), source: "the formula" });
        Ok(found)
    }

    /// Checks that an axis has the extent that an operation gives.
    ///
    /// # Errors
    /// Where it has another.
    pub fn agree(&self, axis: usize, extent: i64) -> Result<(), Error> {
        let (known, found) = (&self.axes[axis], self.len(axis));
        if known.dims.is_some() && found as i64 != extent {
            let expected = usize::try_from(extent).unwrap_or(0);
            return Err(Error::Shape {
                function: self.function,
                argument: known.source,
                axis: known.name,
                found,
                expected,
                source: "the formula",
            });
        }
        Ok(())
    }

    /// Checks that an axis splits into groups.
    ///
    /// # Errors
    /// Where it does not.
    pub fn divisible(&self, axis: usize, groups: i64) -> Result<(), Error> {
        let found = self.len(axis);
        let groups = usize::try_from(groups).unwrap_or(0);
        if found.checked_rem(groups) != Some(0) {
            return Err(Error::Indivisible { function: self.function, axis: self.axes[axis].name, found, groups });
        }
        Ok(())
    }

    /// Checks a range of positions.
    ///
    /// # Errors
    /// Where it does not lie within the axis.
    pub fn range(&self, axis: usize, start: i64, end: i64) -> Result<(), Error> {
        let len = self.len(axis);
        if start < 0 || start > end || end > len as i64 {
            let position = |at: i64| usize::try_from(at).unwrap_or(0);
            return Err(Error::Range {
                function: self.function,
                axis: self.axes[axis].name,
                start: position(start),
                end: position(end),
                len,
            });
        }
        Ok(())
    }

    /// Checks that so many positions lie within some axes, in row-major order.
    ///
    /// # Errors
    /// Where there are more.
    pub fn reach(&self, axes: &[usize], reach: i64) -> Result<(), Error> {
        let len = axes.iter().fold(1usize, |len, axis| len.saturating_mul(self.len(*axis)));
        match (usize::try_from(reach), axes) {
            (Ok(end), [axis, ..]) if end > len => {
                Err(Error::Range { function: self.function, axis: self.axes[*axis].name, start: 0, end, len })
            }
            _ => Ok(()),
        }
    }

    /// Checks the widths by which an axis is padded; `word` is what the formula says.
    ///
    /// # Errors
    /// Where one is negative, or more than there are elements to go on with.
    pub fn padding(&self, axis: usize, lo: i64, hi: i64, word: &'static str) -> Result<(), Error> {
        let len = self.len(axis) as i64;
        let most = match word {
            "pad_reflect" => (len - 1).max(0),
            "pad_circular" => len,
            _ => LONGEST,
        };
        match [lo, hi].into_iter().find(|width| !(0..=most).contains(width)) {
            Some(found) => Err(Error::Padding { function: self.function, axis: self.axes[axis].name, found, most }),
            None => Ok(()),
        }
    }

    /// Checks among how many windows an axis is shared.
    ///
    /// # Errors
    /// Where there is none, or more than an axis can have.
    pub fn outputs(&self, axis: usize, count: i64) -> Result<(), Error> {
        let (function, name) = (self.function, self.axes[axis].name);
        match count {
            ..=0 => Err(Error::WindowZero { function, axis: name, setting: "number of outputs" }),
            1..=LONGEST => Ok(()),
            _ => Err(Error::TooLarge { function, argument: name }),
        }
    }

    /// Checks how often an axis is repeated.
    ///
    /// # Errors
    /// Where it is negative, or the result longer than an axis can be.
    pub fn copies(&self, axis: usize, times: i64) -> Result<(), Error> {
        let whole = (self.len(axis).max(1) as i64).checked_mul(times);
        match whole.filter(|n| (0..=LONGEST).contains(n)) {
            Some(_) => Ok(()),
            None => Err(Error::TooLarge { function: self.function, argument: self.axes[axis].name }),
        }
    }

    /// Checks that a maximum or minimum is not over nothing.
    ///
    /// # Errors
    /// Where it is.
    pub fn not_empty(&self, axes: &[usize], reduction: &'static str) -> Result<(), Error> {
        match axes.iter().find(|a| self.len(**a) == 0) {
            Some(axis) => Err(Error::EmptyReduction { function: self.function, reduction, axis: self.axes[*axis].name }),
            None => Ok(()),
        }
    }

    fn shape(&self, axes: &[usize]) -> Vec<usize> {
        axes.iter().flat_map(|a| self.axes[*a].dims.clone().unwrap_or_else(|| vec![0])).collect()
    }
}

/// A scalar of a call.
#[derive(Clone, Debug)]
pub enum Host {
    Number(f64),
    Integer(i64),
    Seed(Seed),
}

/// A call that has been checked: its extents, its scalars, and the specialisation that serves it.
#[derive(Clone, Debug)]
pub struct Call {
    shapes: Shapes,
    variant: usize,
    hosts: Vec<Host>,
    outputs: &'static [&'static [usize]],
}

impl Call {
    pub fn new(shapes: Shapes, variant: usize, hosts: Vec<Host>, outputs: &'static [&'static [usize]]) -> Call {
        Call { shapes, variant, hosts, outputs }
    }
    pub fn function(&self) -> &'static str {
        self.shapes.function
    }
    pub fn variant(&self) -> usize {
        self.variant
    }
    pub fn len(&self, axis: usize) -> usize {
        self.shapes.len(axis)
    }
    pub fn number(&self, host: usize) -> f64 {
        match &self.hosts[host] {
            Host::Number(x) => *x,
            Host::Integer(x) => *x as f64,
            Host::Seed(seed) => seed.0 as f64,
        }
    }
    pub fn integer(&self, host: usize) -> i64 {
        match &self.hosts[host] {
            Host::Integer(x) => *x,
            Host::Number(x) => *x as i64,
            Host::Seed(seed) => seed.0 as i64,
        }
    }
    pub fn seed(&self, host: usize) -> u64 {
        match &self.hosts[host] {
            Host::Seed(seed) => seed.0,
            other => unreachable!("a seed, not {other:?}"),
        }
    }
    /// The axes of an output, in its order.
    pub fn output_axes(&self, output: usize) -> &'static [usize] {
        self.outputs[output]
    }
    /// Whether no output has an element, so that every gradient is zero.
    pub fn is_empty(&self) -> bool {
        self.outputs.iter().all(|axes| self.positions(axes) == 0)
    }
    /// The dimensions over some axes.
    pub fn shape(&self, axes: &[usize]) -> Vec<usize> {
        self.shapes.shape(axes)
    }
    /// The number of positions over some axes.
    pub fn positions(&self, axes: &[usize]) -> usize {
        axes.iter().map(|a| self.len(*a)).product()
    }
    /// The extents, for kernels.
    pub fn space(&self) -> Space {
        let dims: Vec<&[usize]> = self.shapes.axes.iter().map(|known| known.dims.as_deref().unwrap_or(&[0])).collect();
        Space::new(&dims)
    }
    /// Zeros over some axes.
    ///
    /// # Errors
    /// Where that is too large.
    pub fn zeros<A: Clone + Default>(&self, axes: &[usize]) -> Result<ArrayD<A>, Error> {
        let shape = self.shape(axes);
        let elements = shape.iter().try_fold(1usize, |n, len| n.checked_mul(*len));
        if elements.is_none_or(|n| n > isize::MAX as usize / 16) {
            return Err(Error::TooLarge { function: self.function(), argument: "the result" });
        }
        Ok(ArrayD::default(IxDyn(&shape)))
    }
    /// Zeros over some axes, in the rank of `D`.
    ///
    /// # Errors
    /// Where that is too large.
    pub fn array<A: Clone + Default, D: Dimension>(&self, axes: &[usize]) -> Result<Array<A, D>, Error> {
        let array = self.zeros::<A>(axes)?;
        let (found, expected) = (array.ndim(), D::NDIM.unwrap_or(0));
        array.into_dimensionality::<D>().map_err(|_| Error::Rank {
            function: self.function(),
            argument: "the result",
            found,
            expected,
            at_least: false,
        })
    }
    /// Checks the shape of memory that the caller provides.
    ///
    /// # Errors
    /// Where it is another.
    pub fn buffer(&self, argument: &'static str, found: &[usize], axes: &[usize]) -> Result<(), Error> {
        let expected = self.shape(axes);
        if found != expected {
            return Err(Error::Buffer { function: self.function(), argument, found: found.to_vec(), expected });
        }
        Ok(())
    }
}

// ---- what is saved

/// One saved array, and its name.
#[derive(Clone, Debug)]
pub enum SavedArray<T> {
    Data(&'static str, ArrayD<T>),
    Wide(&'static str, ArrayD<f64>),
    Index(&'static str, IndexBuf),
}

/// Everything that a forward call keeps.
#[derive(Clone, Debug)]
pub struct Saved<T> {
    function: &'static str,
    variant: usize,
    axes: Vec<Known>,
    arrays: Vec<SavedArray<T>>,
}

impl<T> Saved<T> {
    pub fn new(call: &Call, arrays: Vec<SavedArray<T>>) -> Saved<T> {
        Saved { function: call.function(), variant: call.variant, axes: call.shapes.axes.clone(), arrays }
    }
    /// How many bytes are kept.
    pub fn bytes(&self) -> usize {
        let of = |a: &SavedArray<T>| match a {
            SavedArray::Data(_, x) => x.len() * size_of::<T>(),
            SavedArray::Wide(_, x) => x.len() * size_of::<f64>(),
            SavedArray::Index(_, x) => x.bytes(),
        };
        self.arrays.iter().map(of).sum()
    }
    /// Checks that a backward call belongs to the forward call that kept this.
    ///
    /// # Errors
    /// Where the extents or the branches taken are others.
    pub fn check(&self, call: &Call) -> Result<(), Error> {
        let same = |(kept, now): (&Known, &Known)| now.dims.is_none() || kept.dims == now.dims;
        if self.variant != call.variant || !self.axes.iter().zip(&call.shapes.axes).all(same) {
            let message = "`saved` comes from a forward call with other shapes or constants".into();
            return Err(Error::Saved { function: self.function, message });
        }
        Ok(())
    }
    fn missing(&self) -> Error {
        Error::Saved { function: self.function, message: "`saved` comes from another operation".into() }
    }
    pub fn data(&self, index: usize) -> Result<&ArrayD<T>, Error> {
        match self.arrays.get(index) {
            Some(SavedArray::Data(_, x)) => Ok(x),
            _ => Err(self.missing()),
        }
    }
    pub fn wide(&self, index: usize) -> Result<&ArrayD<f64>, Error> {
        match self.arrays.get(index) {
            Some(SavedArray::Wide(_, x)) => Ok(x),
            _ => Err(self.missing()),
        }
    }
    pub fn index(&self, index: usize) -> Result<&IndexBuf, Error> {
        match self.arrays.get(index) {
            Some(SavedArray::Index(_, x)) => Ok(x),
            _ => Err(self.missing()),
        }
    }
}

// ---- arguments

/// An optional argument that this specialisation reads.
pub fn present<V>(call: &Call, argument: &'static str, value: Option<V>) -> Result<V, Error> {
    value.ok_or(Error::Kind { function: call.function(), argument, found: "absent", expected: "a tensor" })
}

/// Checks that labels index within the positions over some axes.
pub fn check_labels(call: &Call, argument: &'static str, labels: &ArrayViewD<'_, i64>, within: &[usize]) -> Result<(), Error> {
    let bound = call.positions(within);
    match labels.indexed_iter().find(|(_, v)| **v < 0 || **v >= bound as i64) {
        Some((position, value)) => {
            let position = (0..labels.ndim()).map(|i| position[i]).collect();
            Err(Error::Label { function: call.function(), argument, position, value: *value, bound })
        }
        None => Ok(()),
    }
}

pub fn scalar_view<A>(x: &A) -> ArrayViewD<'_, A> {
    ndarray::aview0(x).into_dyn()
}

pub fn scalar_view_mut<A>(x: &mut A) -> ArrayViewMutD<'_, A> {
    ArrayViewMut::from(std::slice::from_mut(x))
        .into_shape_with_order(())
        .map(ArrayViewMut::into_dyn)
        .unwrap_or_else(|_| unreachable!("one element"))
}

/// Where a gradient goes, for the kernels.
pub fn target<T: Stored, D: Dimension>(grad: Option<Grad<'_, T, D>>) -> Target<'_> {
    match grad {
        None => Target::none(),
        Some(Grad::Write(to)) => Target::write(to),
        Some(Grad::Add(to)) => Target::add(to),
    }
}

/// Checks the shape of a gradient's buffer.
pub fn check_grad<T, D: Dimension>(
    call: &Call,
    argument: &'static str,
    grad: &Option<Grad<'_, T, D>>,
    axes: &[usize],
) -> Result<(), Error> {
    match grad {
        None => Ok(()),
        Some(Grad::Write(to) | Grad::Add(to)) => call.buffer(argument, to.shape(), axes),
    }
}

// ---- dynamic rank

/// The shape of an argument; `None` where it is absent.
pub fn arg_shape<'a, T>(arg: &'a Arg<'_, T>) -> Option<&'a [usize]> {
    match arg {
        Arg::Tensor(x) => Some(x.shape()),
        Arg::Labels(x) => Some(x.shape()),
        Arg::Scalar(_) => Some(&[]),
        Arg::State(x) => Some(x.shape()),
        Arg::Absent => None,
    }
}

pub fn arg_view<'a, T: Stored>(function: &'static str, argument: &'static str, arg: &'a Arg<'_, T>) -> Result<View<'a>, Error> {
    match arg {
        Arg::Tensor(x) => Ok(View::of(x)),
        _ => Err(Error::Kind { function, argument, found: "another kind of argument", expected: "a tensor" }),
    }
}

pub fn arg_optional<'a, T: Stored>(
    function: &'static str,
    argument: &'static str,
    arg: &'a Arg<'_, T>,
) -> Result<Option<View<'a>>, Error> {
    match arg {
        Arg::Absent => Ok(None),
        arg => arg_view(function, argument, arg).map(Some),
    }
}

pub fn arg_scalar<'a, T>(function: &'static str, argument: &'static str, arg: &'a Arg<'_, T>) -> Result<View<'a>, Error> {
    match arg {
        Arg::Scalar(x) => Ok(View::scalar(x)),
        _ => Err(Error::Kind { function, argument, found: "another kind of argument", expected: "a scalar" }),
    }
}

pub fn output_view<'a, T: Stored>(
    call: &Call,
    argument: &'static str,
    y: &'a Output<T>,
    axes: &[usize],
) -> Result<View<'a>, Error> {
    match y {
        Output::Float(y) => call.buffer(argument, y.shape(), axes).map(|()| View::of(y)),
        Output::Int(_) => Err(Error::Kind { function: call.function(), argument, found: "indices", expected: "a tensor" }),
    }
}

pub fn output_index<'a, T>(
    call: &Call,
    argument: &'static str,
    y: &'a Output<T>,
    axes: &[usize],
) -> Result<IndexView<'a>, Error> {
    match y {
        Output::Int(y) => call.buffer(argument, y.shape(), axes).map(|()| IndexView::of(y)),
        Output::Float(_) => Err(Error::Kind { function: call.function(), argument, found: "a tensor", expected: "indices" }),
    }
}

/// Checks the shape of a gradient's buffer.
pub fn check_slot<T>(call: &Call, argument: &'static str, slot: &Option<GradD<'_, T>>, axes: &[usize]) -> Result<(), Error> {
    match slot {
        Some(GradD { buffer: Buffer::Tensor(to), .. }) => call.buffer(argument, to.shape(), axes),
        _ => Ok(()),
    }
}

pub fn slot_target<'a, T: Stored>(
    function: &'static str,
    argument: &'static str,
    slot: &'a mut Option<GradD<'_, T>>,
) -> Result<Target<'a>, Error> {
    match slot {
        None => Ok(Target::none()),
        Some(GradD { buffer: Buffer::Tensor(to), add }) => Ok(if *add { Target::add(to) } else { Target::write(to) }),
        Some(_) => Err(Error::Kind { function, argument, found: "a scalar", expected: "a tensor" }),
    }
}

pub fn slot_scalar<'a, T>(
    function: &'static str,
    argument: &'static str,
    slot: &'a mut Option<GradD<'_, T>>,
) -> Result<Target<'a>, Error> {
    match slot {
        None => Ok(Target::none()),
        Some(GradD { buffer: Buffer::Scalar(to), add }) => Ok(if *add { Target::add(to) } else { Target::write(to) }),
        Some(_) => Err(Error::Kind { function, argument, found: "a tensor", expected: "a scalar" }),
    }
}

/// The shape of a reference's value, in the order of its axes.
pub fn value_shape(value: &crate::formula::Value) -> Vec<usize> {
    value.dims().iter().map(|(_, len)| *len).collect()
}

/// An argument of a reference that this specialisation reads.
pub fn given(call: &Call, argument: &'static str, value: &Option<crate::formula::Value>) -> Result<crate::formula::Value, Error> {
    present(call, argument, value.clone())
}

#[cfg(test)]
mod tests;
