//! Arrays as kernels see them: a pointer and strides, of any rank.

use ndarray::{ArrayRef, Dimension};
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// What an array's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elem {
    /// Of half precision, `f16`: lanes are `f32`.
    F16,
    /// `bf16`; lanes are `f32`.
    BF16,
    F32,
    F64,
    U8,
    U32,
    I64,
}

impl Elem {
    pub(crate) fn size(self) -> usize {
        match self {
            Elem::U8 => 1,
            Elem::F16 | Elem::BF16 => 2,
            Elem::F32 | Elem::U32 => 4,
            Elem::F64 | Elem::I64 => 8,
        }
    }
}

/// A pointer to the first element, and each dimension's length and stride in bytes.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub elem: Elem,
    pub ptr: *mut u8,
    pub dims: Vec<(usize, isize)>,
}

// SAFETY: a `Raw` comes from a reference whose lifetime its owner carries; what is written is written by one task only.
unsafe impl Send for Raw {}
unsafe impl Sync for Raw {}

impl Raw {
    /// Sets all elements from dimension `dim` on to zero, `offset` bytes from the first.
    fn clear(&self, dim: usize, offset: isize) {
        match self.dims.get(dim) {
            // SAFETY: every index is below its dimension's length, so the address is an element's of the array that the
            // target borrows; all bits zero is the number 0 in every element type.
            None => unsafe { self.ptr.offset(offset).write_bytes(0, self.elem.size()) },
            Some((len, stride)) => (0..*len).for_each(|i| self.clear(dim + 1, offset + i as isize * stride)),
        }
    }
    fn of<T, D: Dimension>(elem: Elem, array: &ArrayRef<T, D>, ptr: *mut u8) -> Raw {
        let strides = array.strides().iter().map(|s| s * size_of::<T>() as isize);
        Raw { elem, ptr, dims: array.shape().iter().copied().zip(strides).collect() }
    }
}

mod sealed {
    pub trait Stored {
        const ELEM: super::Elem;
    }
}
use sealed::Stored as Sealed;

/// Types that arrays given to kernels hold.
pub trait Stored: Sealed + Copy + 'static {}
impl<T: Sealed + Copy + 'static> Stored for T {}

macro_rules! stored {
    ($($t:ty: $elem:ident)*) => { $(
        impl Sealed for $t {
            const ELEM: Elem = Elem::$elem;
        }
    )* };
}
stored! { f32: F32 f64: F64 i64: I64 }
#[cfg(feature = "half")]
stored! { half::f16: F16 half::bf16: BF16 }

pub(crate) fn elem_of<T: Stored>() -> Elem {
    T::ELEM
}

/// An array that a kernel reads.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// `None`: the memory that the kernel's result overwrites, as it was.
    pub(crate) raw: Option<Raw>,
    life: PhantomData<&'a u8>,
}

impl<'a> View<'a> {
    /// Any rank, any strides.
    pub fn of<T: Stored, D: Dimension>(array: &'a ArrayRef<T, D>) -> View<'a> {
        View { raw: Some(Raw::of(elem_of::<T>(), array, array.as_ptr() as *mut u8)), life: PhantomData }
    }
    /// One number, without axes.
    pub fn scalar<T: Stored>(x: &'a T) -> View<'a> {
        let raw = Raw { elem: elem_of::<T>(), ptr: (&raw const *x) as *mut u8, dims: vec![] };
        View { raw: Some(raw), life: PhantomData }
    }
    /// What [`Target::overwriting`] had before: of a kernel that has one.
    pub fn overwritten() -> View<'a> {
        View { raw: None, life: PhantomData }
    }
}

/// What becomes of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Add,
}

/// An array that a kernel writes or adds to; or nothing, where a result is not wanted.
#[derive(Debug)]
pub struct Target<'a> {
    pub(crate) raw: Option<(Raw, Mode)>,
    /// The kernel may read what was there before.
    pub(crate) overwrites: bool,
    life: PhantomData<&'a mut u8>,
}

impl<'a> Target<'a> {
    fn new<U, D: Dimension>(elem: Elem, array: &'a mut ArrayRef<U, D>, mode: Mode) -> Target<'a> {
        let ptr = array.as_mut_ptr() as *mut u8;
        Target { raw: Some((Raw::of(elem, array, ptr), mode)), overwrites: false, life: PhantomData }
    }
    /// Overwrites every element.
    pub fn write<T: Stored, D: Dimension>(array: &'a mut ArrayRef<T, D>) -> Target<'a> {
        Target::new(elem_of::<T>(), array, Mode::Write)
    }
    /// Overwrites every element of what the kernel reads as [`View::overwritten`].
    pub fn overwriting<T: Stored, D: Dimension>(array: &'a mut ArrayRef<T, D>) -> Target<'a> {
        Target { overwrites: true, ..Target::write(array) }
    }
    /// Writes every element; none is read.
    pub fn uninit<T: Stored, D: Dimension>(array: &'a mut ArrayRef<MaybeUninit<T>, D>) -> Target<'a> {
        Target::new(elem_of::<T>(), array, Mode::Write)
    }
    /// Adds to every element.
    pub fn add<T: Stored, D: Dimension>(array: &'a mut ArrayRef<T, D>) -> Target<'a> {
        Target::new(elem_of::<T>(), array, Mode::Add)
    }
    /// Overwrites one number.
    pub fn scalar<T: Stored>(x: &'a mut T) -> Target<'a> {
        let raw = Raw { elem: elem_of::<T>(), ptr: (&raw mut *x) as *mut u8, dims: vec![] };
        Target { raw: Some((raw, Mode::Write)), overwrites: false, life: PhantomData }
    }
    /// Adds to one number.
    pub fn add_scalar<T: Stored>(x: &'a mut T) -> Target<'a> {
        let mut target = Target::scalar(x);
        if let Some((_, mode)) = &mut target.raw {
            *mode = Mode::Add;
        }
        target
    }
    /// The gradient of nothing: zero where the target is written, no change where it is added to.
    pub fn clear(self) {
        if let Some((raw, Mode::Write)) = self.raw {
            raw.clear(0, 0);
        }
    }
    /// Not wanted.
    pub fn none() -> Target<'a> {
        Target { raw: None, overwrites: false, life: PhantomData }
    }
}

/// Whole numbers smaller than a bound: the results of arg forms, in one byte each where 256 positions are all.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexBuf {
    shape: Vec<usize>,
    data: Indices,
}

#[derive(Clone, Debug, PartialEq)]
enum Indices {
    Bytes(Vec<u8>),
    Words(Vec<u32>),
}

impl IndexBuf {
    /// For indices below `positions`.
    pub fn new(shape: &[usize], positions: usize) -> IndexBuf {
        let len = shape.iter().product();
        let data = if positions <= 256 { Indices::Bytes(vec![0; len]) } else { Indices::Words(vec![0; len]) };
        IndexBuf { shape: shape.to_vec(), data }
    }
    /// The memory it takes.
    pub fn bytes(&self) -> usize {
        match &self.data {
            Indices::Bytes(data) => data.len(),
            Indices::Words(data) => 4 * data.len(),
        }
    }
    fn raw(&self, ptr: *mut u8) -> Raw {
        let elem = if matches!(self.data, Indices::Bytes(_)) { Elem::U8 } else { Elem::U32 };
        let mut stride = elem.size() as isize;
        let mut dims: Vec<(usize, isize)> = vec![];
        for &len in self.shape.iter().rev() {
            dims.insert(0, (len, stride));
            stride *= len as isize;
        }
        Raw { elem, ptr, dims }
    }
    /// To be read.
    pub fn view(&self) -> IndexView<'_> {
        let ptr = match &self.data {
            Indices::Bytes(data) => data.as_ptr().cast_mut(),
            Indices::Words(data) => data.as_ptr().cast_mut().cast(),
        };
        IndexView { raw: self.raw(ptr), life: PhantomData }
    }
    /// To be written.
    pub fn target(&mut self) -> IndexTarget<'_> {
        let ptr = match &mut self.data {
            Indices::Bytes(data) => data.as_mut_ptr(),
            Indices::Words(data) => data.as_mut_ptr().cast(),
        };
        IndexTarget { raw: Some(self.raw(ptr)), life: PhantomData }
    }
}

/// Indices that a kernel reads.
#[derive(Clone, Debug)]
pub struct IndexView<'a> {
    pub(crate) raw: Raw,
    life: PhantomData<&'a u8>,
}

impl<'a> IndexView<'a> {
    /// Of integers.
    pub fn of<D: Dimension>(array: &'a ArrayRef<i64, D>) -> IndexView<'a> {
        IndexView { raw: Raw::of(Elem::I64, array, array.as_ptr() as *mut u8), life: PhantomData }
    }
}

/// Indices that a kernel writes.
#[derive(Debug)]
pub struct IndexTarget<'a> {
    pub(crate) raw: Option<Raw>,
    life: PhantomData<&'a mut u8>,
}

impl<'a> IndexTarget<'a> {
    /// Of integers.
    pub fn of<D: Dimension>(array: &'a mut ArrayRef<i64, D>) -> IndexTarget<'a> {
        IndexTarget { raw: Target::write(array).raw.map(|(raw, _)| raw), life: PhantomData }
    }
    /// Of integers, every element of which is written.
    pub fn uninit<D: Dimension>(array: &'a mut ArrayRef<MaybeUninit<i64>, D>) -> IndexTarget<'a> {
        IndexTarget { raw: Target::uninit(array).raw.map(|(raw, _)| raw), life: PhantomData }
    }
    /// Not wanted.
    pub fn none() -> IndexTarget<'a> {
        IndexTarget { raw: None, life: PhantomData }
    }
}
