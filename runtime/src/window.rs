//! Sliding windows: sizes, and which positions a window covers.

use crate::Error;

/// A sliding window over `D` axes: kernel size, stride, padding, dilation and what pooling layers add to them.
///
/// Everything after the kernel is optional; the stride is the kernel's size by default.
///
/// ```
/// use pullback::Window;
///
/// let k = Window::new([3, 3]).stride([2, 2]).padding([1, 1]).ceil_mode(true);
/// assert_eq!(k.output_len(0, 8), 5);
/// assert_eq!(Window::new([2]).output_len(0, 5), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window<const D: usize> {
    kernel: [usize; D],
    stride: [usize; D],
    padding: [usize; D],
    dilation: [usize; D],
    ceil_mode: bool,
    count_padding: bool,
    divisor: Option<i64>,
}

impl<const D: usize> Window<D> {
    /// A window of `kernel` elements along each axis, moved by its own size.
    pub const fn new(kernel: [usize; D]) -> Self {
        let (padding, dilation) = ([0; D], [1; D]);
        Window { kernel, stride: kernel, padding, dilation, ceil_mode: false, count_padding: false, divisor: None }
    }

    /// How far the window moves along each axis.
    #[must_use]
    pub const fn stride(mut self, stride: [usize; D]) -> Self {
        self.stride = stride;
        self
    }

    /// How far the window may hang over at both ends of each axis. Under a mean, maximum, minimum or product: at most half
    /// of what it covers.
    #[must_use]
    pub const fn padding(mut self, padding: [usize; D]) -> Self {
        self.padding = padding;
        self
    }

    /// The distance between neighbours in the window.
    #[must_use]
    pub const fn dilation(mut self, dilation: [usize; D]) -> Self {
        self.dilation = dilation;
        self
    }

    /// Whether the last window may hang over the padded end, as long as it begins within the array or its left padding.
    #[must_use]
    pub const fn ceil_mode(mut self, ceil_mode: bool) -> Self {
        self.ceil_mode = ceil_mode;
        self
    }

    /// Whether padding counts as zeros, rather than as no elements at all.
    #[must_use]
    pub const fn count_padding(mut self, count_padding: bool) -> Self {
        self.count_padding = count_padding;
        self
    }

    /// What a mean over the window divides by, instead of the number of its elements.
    #[must_use]
    pub fn divisor(mut self, divisor: impl Into<Option<i64>>) -> Self {
        self.divisor = divisor.into();
        self
    }
}

/// No setting of a window is larger: positions are computed in `i64`.
const LARGEST: usize = 1 << 30;

/// What generated code asks of a window.
impl<const D: usize> Window<D> {
    /// The number of elements along axis `i` of the window.
    pub const fn kernel(&self, i: usize) -> usize {
        self.kernel[i]
    }

    /// The stride along axis `i`.
    pub const fn step(&self, i: usize) -> usize {
        self.stride[i]
    }

    /// The padding at each end of axis `i`.
    pub const fn pad(&self, i: usize) -> usize {
        self.padding[i]
    }

    /// The dilation along axis `i`.
    pub const fn dilate(&self, i: usize) -> usize {
        self.dilation[i]
    }

    /// Whether padding counts as zeros.
    pub const fn counts_padding(&self) -> bool {
        self.count_padding
    }

    /// What a mean divides by, if not by the number of elements.
    pub const fn divides_by(&self) -> Option<i64> {
        self.divisor
    }

    /// What the window covers along axis `i`, dilation included.
    pub const fn extent(&self, i: usize) -> usize {
        match self.kernel[i].checked_sub(1) {
            Some(gaps) => gaps.saturating_mul(self.dilation[i]).saturating_add(1),
            None => 0,
        }
    }

    /// The number of windows along axis `i` of an array of extent `len`; 0 where the window is not valid there.
    ///
    /// The last window of ceil mode must begin within the array or its left padding, as in PyTorch.
    pub const fn output_len(&self, i: usize, len: usize) -> usize {
        let (stride, extent) = (self.stride[i], self.extent(i));
        if stride == 0 || extent == 0 {
            return 0;
        }
        let padded = len.saturating_add(self.padding[i].saturating_mul(2));
        let overhang = if self.ceil_mode { stride - 1 } else { 0 };
        let Some(room) = padded.saturating_add(overhang).checked_sub(extent) else { return 0 };
        let last = room / stride;
        let begins_beyond = last.saturating_mul(stride) >= len.saturating_add(self.padding[i]);
        if self.ceil_mode && begins_beyond { last } else { last + 1 }
    }

    /// Checks that the window is valid along every axis, and gives the number of windows along each.
    ///
    /// # Errors
    /// [`Error::WindowZero`], [`Error::WindowDivisor`] or [`Error::WindowTooLarge`], naming the axis.
    pub fn check(&self, function: &'static str, axes: [&'static str; D], lens: [usize; D]) -> Result<[usize; D], Error> {
        if self.divisor == Some(0) {
            return Err(Error::WindowDivisor { function });
        }
        let mut outputs = [0; D];
        for (i, axis) in axes.into_iter().enumerate() {
            let settings = [("kernel", self.kernel[i]), ("stride", self.stride[i]), ("dilation", self.dilation[i])];
            if let Some((setting, _)) = settings.into_iter().find(|(_, value)| *value == 0) {
                return Err(Error::WindowZero { function, axis, setting });
            }
            if settings.into_iter().any(|(_, value)| value > LARGEST) || self.padding[i] > LARGEST {
                return Err(Error::TooLarge { function, argument: axis });
            }
            outputs[i] = self.output_len(i, lens[i]);
            if outputs[i] == 0 {
                let (window, padded) = (self.extent(i), lens[i].saturating_add(self.padding[i].saturating_mul(2)));
                return Err(Error::WindowTooLarge { function, axis, window, padded });
            }
        }
        Ok(outputs)
    }

    /// Checks that every window holds an element: what a mean, maximum, minimum or product over it needs. A sum of
    /// products, such as a convolution, does not.
    ///
    /// Padding is at most half of what the window covers, as in PyTorch's pools (its convolutions know no such limit).
    /// Then only a dilated window can miss the array, between two of its elements. Padding that counts is an element.
    ///
    /// # Errors
    /// [`Error::WindowPadding`]; or [`Error::WindowEmpty`], naming the axis and the first empty window.
    pub fn check_filled(&self, function: &'static str, axes: [&'static str; D], lens: [usize; D]) -> Result<(), Error> {
        for (i, axis) in axes.into_iter().enumerate() {
            let (found, most) = (self.padding[i], self.extent(i) / 2);
            if found > most {
                return Err(Error::WindowPadding { function, axis, found, most });
            }
            let holds = |o: usize| (0..self.kernel[i]).any(|t| self.source(i, lens[i], o, t) != Tap::Hole);
            if let Some(position) = (0..self.output_len(i, lens[i])).find(|o| !holds(*o)) {
                return Err(Error::WindowEmpty { function, axis, position });
            }
        }
        Ok(())
    }

    /// Where tap `tap` of window `output` lies along axis `i` of extent `len`.
    pub(crate) fn source(&self, i: usize, len: usize, output: usize, tap: usize) -> Tap {
        let at = output * self.stride[i] + tap * self.dilation[i];
        match at.checked_sub(self.padding[i]) {
            Some(index) if index < len => Tap::Element(index),
            _ if self.count_padding && at < len + 2 * self.padding[i] => Tap::Padding,
            _ => Tap::Hole,
        }
    }
}

/// What one tap of a window finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tap {
    /// The element of this index.
    Element(usize),
    /// Padding that counts: a zero.
    Padding,
    /// Nothing.
    Hole,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builder_has_defaults_and_takes_options() {
        let k = Window::new([2, 3]);
        assert_eq!(k, Window::new([2, 3]).stride([2, 3]).padding([0, 0]).dilation([1, 1]));
        assert_eq!(k, k.ceil_mode(false).count_padding(false).divisor(None));
        assert_eq!(k.divisor(4), k.divisor(Some(4)));
        assert_ne!(k.divisor(4), k);
    }

    /// Sizes counted from the definition: every window that begins early enough.
    #[test]
    fn output_lengths_follow_the_floor_and_ceil_rules() {
        for (kernel, stride, padding, dilation, len) in (1..5).flat_map(|k| {
            (1..5)
                .flat_map(move |s| (0..=k / 2).flat_map(move |p| (1..4).flat_map(move |d| (0..12).map(move |l| (k, s, p, d, l)))))
        }) {
            let k = Window::new([kernel]).stride([stride]).padding([padding]).dilation([dilation]);
            let extent = dilation * (kernel - 1) + 1;
            let padded = len + 2 * padding;
            let whole = (0..padded + 1).filter(|o| o * stride + extent <= padded).count();
            assert_eq!(k.output_len(0, len), whole, "{k:?} on {len}");
            // What overhangs is less than a stride; no window begins in the right padding.
            let ceil = (0..padded + 1).filter(|o| o * stride + extent < padded + stride && o * stride < len + padding).count();
            assert_eq!(k.ceil_mode(true).output_len(0, len), ceil, "ceil {k:?} on {len}");
        }
    }

    #[test]
    fn a_window_of_ceil_mode_may_be_larger_than_its_input() {
        // PyTorch's `pooling_output_shape`: ⌈(2 − 3) / 2⌉ + 1
        let k = Window::new([3]).stride([2]);
        assert!(k.check("pool", ["L"], [2]).is_err());
        assert_eq!(k.ceil_mode(true).check("pool", ["L"], [2]), Ok([1]));
        assert!(k.ceil_mode(true).check("pool", ["L"], [1]).is_err());
    }

    #[test]
    fn invalid_windows_are_named() {
        let check = |k: Window<2>| k.check("pool", ["H", "W"], [4, 5]).unwrap_err();
        let error = check(Window::new([2, 2]).stride([1, 0]));
        assert_eq!(error, Error::WindowZero { function: "pool", axis: "W", setting: "stride" });
        let wide = Window::new([2, 2]).padding([2, 0]);
        assert_eq!(wide.check("convolution", ["H", "W"], [4, 5]), Ok([4, 2]));
        let error = wide.check_filled("pool", ["H", "W"], [4, 5]).unwrap_err();
        assert_eq!(error, Error::WindowPadding { function: "pool", axis: "H", found: 2, most: 1 });
        let error = check(Window::new([3, 3]).dilation([1, 3]));
        assert_eq!(error, Error::WindowTooLarge { function: "pool", axis: "W", window: 7, padded: 5 });
        assert_eq!(check(Window::new([1, 1]).divisor(0)), Error::WindowDivisor { function: "pool" });
        assert_eq!(Window::new([2, 2]).check("pool", ["H", "W"], [4, 5]), Ok([2, 2]));
    }

    #[test]
    fn a_dilated_window_may_miss_a_short_array() {
        let k = Window::new([2]).dilation([2]).padding([1]);
        assert_eq!(k.check("pool", ["L"], [1]), Ok([1]));
        let error = k.check_filled("pool", ["L"], [1]).unwrap_err();
        assert_eq!(error, Error::WindowEmpty { function: "pool", axis: "L", position: 0 });
        assert_eq!(k.count_padding(true).check_filled("pool", ["L"], [1]), Ok(()));
        assert_eq!(k.check_filled("pool", ["L"], [4]), Ok(()));
    }

    #[test]
    fn huge_settings_do_not_overflow() {
        let k = Window::new([usize::MAX]).dilation([usize::MAX]).stride([1]);
        assert!(k.check("pool", ["L"], [4]).is_err());
        let k = Window::new([1]).stride([usize::MAX]).ceil_mode(true);
        assert!(k.check("pool", ["L"], [4]).is_err());
    }
}
