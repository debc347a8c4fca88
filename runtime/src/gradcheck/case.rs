//! The arguments of one checked call, in any layout.

use ndarray::{ArrayD, Axis, IxDyn, Slice, Zip};

use crate::Float;
use crate::layer::{Arg, ArgSpec};

/// How an array lies in memory. The elements are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    RowMajor,
    /// The first axis runs fastest.
    ColumnMajor,
    /// The second axis runs fastest, as in NHWC.
    ChannelsLast,
    /// Every stride is negative.
    Flipped,
    /// Every other element along each axis.
    Spaced,
}

impl Layout {
    pub const ALL: [Layout; 5] = [Layout::RowMajor, Layout::ColumnMajor, Layout::ChannelsLast, Layout::Flipped, Layout::Spaced];

    /// A copy of `x` that lies so.
    pub fn of<A: Copy>(self, x: &ArrayD<A>) -> ArrayD<A> {
        let n = x.ndim();
        match self {
            Layout::ColumnMajor => permuted(x, &(0..n).rev().collect::<Vec<_>>()),
            Layout::ChannelsLast if n > 2 => permuted(x, &[&[0], &(2..n).collect::<Vec<_>>()[..], &[1]].concat()),
            Layout::RowMajor | Layout::ChannelsLast => permuted(x, &(0..n).collect::<Vec<_>>()),
            Layout::Flipped => {
                let mut y = x.clone();
                (0..n).for_each(|i| y.invert_axis(Axis(i)));
                let mut y = permuted(&y, &(0..n).collect::<Vec<_>>());
                (0..n).for_each(|i| y.invert_axis(Axis(i)));
                y
            }
            Layout::Spaced => {
                let double: Vec<usize> = x.shape().iter().map(|len| 2 * len).collect();
                let mut y = ArrayD::from_shape_fn(IxDyn(&double), |at| {
                    let half: Vec<usize> = (0..n).map(|i| at[i] / 2).collect();
                    x[&half[..]]
                });
                (0..n).for_each(|i| y.slice_axis_inplace(Axis(i), Slice::new(0, None, 2)));
                y
            }
        }
    }
}

/// A copy of `x` whose memory holds the axes in this order, slowest first.
fn permuted<A: Copy>(x: &ArrayD<A>, order: &[usize]) -> ArrayD<A> {
    let view = x.view().permuted_axes(order);
    let values: Vec<A> = view.iter().copied().collect();
    let copy = ArrayD::from_shape_vec(view.raw_dim(), values).expect("as many elements as the view has");
    let mut back = vec![0; order.len()];
    order.iter().enumerate().for_each(|(i, axis)| back[*axis] = i);
    copy.permuted_axes(back)
}

/// An argument that the check owns.
#[derive(Clone, Debug)]
pub(crate) enum Owned<T> {
    Tensor(ArrayD<T>),
    Labels(ArrayD<i64>),
    Scalar(f64),
    State(ArrayD<T>),
    Absent,
}

/// The arguments of a call.
#[derive(Clone, Debug)]
pub(crate) struct Case<T>(pub Vec<Owned<T>>);

impl<T: Float> Case<T> {
    pub fn copy(args: &[Arg<'_, T>]) -> Case<T> {
        let copy = |arg: &Arg<'_, T>| match arg {
            Arg::Tensor(x) => Owned::Tensor(x.to_owned()),
            Arg::Labels(label) => Owned::Labels(label.to_owned()),
            Arg::Scalar(x) => Owned::Scalar(*x),
            Arg::State(r) => Owned::State(r.to_owned()),
            Arg::Absent => Owned::Absent,
        };
        Case(args.iter().map(copy).collect())
    }

    pub fn laid_out(&self, layout: Layout) -> Case<T> {
        let copy = |arg: &Owned<T>| match arg {
            Owned::Tensor(x) => Owned::Tensor(layout.of(x)),
            Owned::Labels(label) => Owned::Labels(layout.of(label)),
            Owned::Scalar(x) => Owned::Scalar(*x),
            Owned::State(r) => Owned::State(layout.of(r)),
            Owned::Absent => Owned::Absent,
        };
        Case(self.0.iter().map(copy).collect())
    }

    /// For `forward`.
    pub fn args_mut(&mut self) -> Vec<Arg<'_, T>> {
        fn lend<T>(arg: &mut Owned<T>) -> Arg<'_, T> {
            match arg {
                Owned::Tensor(x) => Arg::tensor(x),
                Owned::Labels(label) => Arg::labels(label),
                Owned::Scalar(x) => Arg::Scalar(*x),
                Owned::State(r) => Arg::state(r),
                Owned::Absent => Arg::Absent,
            }
        }
        self.0.iter_mut().map(lend).collect()
    }

    /// For `backward`: without state.
    pub fn args(&self) -> Vec<Arg<'_, T>> {
        fn lend<T>(arg: &Owned<T>) -> Arg<'_, T> {
            match arg {
                Owned::Tensor(x) => Arg::tensor(x),
                Owned::Labels(label) => Arg::labels(label),
                Owned::Scalar(x) => Arg::Scalar(*x),
                Owned::State(_) | Owned::Absent => Arg::Absent,
            }
        }
        self.0.iter().map(lend).collect()
    }

    pub fn states(&self) -> impl Iterator<Item = &ArrayD<T>> {
        self.0.iter().filter_map(|arg| match arg {
            Owned::State(r) => Some(r),
            _ => None,
        })
    }

    /// The argument's elements in `f64`, row-major, where it has any.
    pub fn numbers(&self, arg: usize) -> Option<Vec<f64>> {
        match &self.0[arg] {
            Owned::Tensor(x) | Owned::State(x) => Some(x.iter().map(|x| x.f64()).collect()),
            Owned::Labels(label) => Some(label.iter().map(|i| *i as f64).collect()),
            Owned::Scalar(x) => Some(vec![*x]),
            Owned::Absent => None,
        }
    }

    pub fn shape(&self, arg: usize) -> &[usize] {
        match &self.0[arg] {
            Owned::Tensor(x) | Owned::State(x) => x.shape(),
            Owned::Labels(label) => label.shape(),
            Owned::Scalar(_) | Owned::Absent => &[],
        }
    }

    pub fn is_absent(&self, arg: usize) -> bool {
        matches!(self.0[arg], Owned::Absent)
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        (0..self.0.len()).all(|i| self.numbers(i).is_none_or(|xs| xs.iter().all(|x| x.is_finite())))
    }

    /// The same shapes with nothing in those tensors that are not in `read`.
    pub fn blanked(&self, read: &[usize]) -> Case<T> {
        let mut blank = self.clone();
        for (_, arg) in blank.0.iter_mut().enumerate().filter(|(i, _)| !read.contains(i)) {
            if let Owned::Tensor(x) = arg {
                x.fill(T::of(f64::NAN));
            }
        }
        blank
    }

    /// The element type, and what each argument is.
    pub fn describe(&self, specs: &[ArgSpec]) -> String {
        let one = |(i, spec): (usize, &ArgSpec)| match &self.0[i] {
            Owned::Scalar(x) => format!("{} = {x}", spec.name),
            Owned::Absent => format!("{} absent", spec.name),
            _ => format!("{} {:?}", spec.name, self.shape(i)),
        };
        let args: Vec<String> = specs.iter().enumerate().map(one).collect();
        format!("{}, {}", std::any::type_name::<T>(), args.join(", "))
    }
}

/// Whether two arrays hold the same bits, any NaN being one.
pub(crate) fn same_bits(a: &ArrayD<f64>, b: &ArrayD<f64>) -> bool {
    let bits = |x: f64| if x.is_nan() { None } else { Some(x.to_bits()) };
    a.shape() == b.shape() && Zip::from(a).and(b).all(|a, b| bits(*a) == bits(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_move_memory_and_not_elements() {
        let x = ArrayD::from_shape_fn(IxDyn(&[2, 3, 4]), |at| (at[0] * 100 + at[1] * 10 + at[2]) as f64);
        let strides = [[12, 4, 1], [1, 2, 6], [12, 1, 3], [-12, -4, -1], [96, 16, 2]];
        for (layout, strides) in Layout::ALL.into_iter().zip(strides) {
            let y = layout.of(&x);
            assert_eq!((&y, y.strides()), (&x, &strides[..]), "{layout:?}");
        }
    }

    #[test]
    fn bits_tell_zeros_apart_but_not_nans() {
        let array = |x: f64| ArrayD::from_elem(IxDyn(&[1]), x);
        assert!(!same_bits(&array(0.0), &array(-0.0)));
        assert!(same_bits(&array(f64::NAN), &array(-f64::NAN)));
    }
}
