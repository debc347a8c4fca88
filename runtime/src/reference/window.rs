use super::{Invalid, check};

/// How a two-dimensional window walks over an image: the options of PyTorch's `MaxPool2d`, `AvgPool2d` and `Conv2d`.
///
/// Sizes follow PyTorch's `pooling_output_shape` (`aten/src/ATen/native/Pool.h`):
/// `(in + 2·padding − dilation·(kernel − 1) − 1) / stride + 1`, divided downwards, or upwards in ceil mode; there, a last
/// window that would start beyond `in + padding` is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window2d {
    /// Rows and columns of the window.
    pub kernel: [usize; 2],
    /// From one window to the next.
    pub stride: [usize; 2],
    /// Rows and columns of padding on either side.
    pub padding: [usize; 2],
    /// From one position within the window to the next.
    pub dilation: [usize; 2],
    /// Round the number of windows up.
    pub ceil_mode: bool,
    /// Padding counts as zeros, rather than as nothing.
    pub count_padding: bool,
    /// What a mean divides by, instead of its number of elements.
    pub divisor: Option<i64>,
}

/// What lies under one position of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tap {
    /// An element of the image.
    Element(usize, usize),
    /// A position of the padding.
    Padding,
    /// Beyond the padding: what the last window of ceil mode overhangs.
    Beyond,
}

impl Window2d {
    /// Windows side by side: stride as the kernel, no padding.
    pub fn new(kernel: [usize; 2]) -> Self {
        Self { kernel, stride: kernel, padding: [0, 0], dilation: [1, 1], ceil_mode: false, count_padding: false, divisor: None }
    }

    /// The number of windows along both axes of an image.
    pub fn output(&self, image: [usize; 2]) -> Result<[usize; 2], Invalid> {
        check(self.divisor != Some(0), "the divisor must not be 0")?;
        Ok([self.output_along(0, image[0])?, self.output_along(1, image[1])?])
    }

    /// As [`Self::output`], with pooling's limit on the padding: at most half the window.
    pub(super) fn pooled(&self, image: [usize; 2]) -> Result<[usize; 2], Invalid> {
        let output = self.output(image)?;
        for axis in 0..2 {
            let span = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
            check(self.padding[axis] <= span / 2, "the padding must be at most half the window")?;
        }
        Ok(output)
    }

    fn output_along(&self, axis: usize, image: usize) -> Result<usize, Invalid> {
        let (kernel, stride) = (self.kernel[axis], self.stride[axis]);
        let (padding, dilation) = (self.padding[axis], self.dilation[axis]);
        check(kernel > 0 && stride > 0 && dilation > 0, "kernel, stride and dilation must be positive")?;
        check(image > 0, "the image must not be empty")?;
        let largest = [image, kernel, stride, padding, dilation].into_iter().fold(0, usize::max);
        check(largest < 1 << 30, "too large")?;
        let span = dilation * (kernel - 1) + 1;
        let rounding = if self.ceil_mode { stride - 1 } else { 0 };
        check(image + 2 * padding + rounding >= span, "the window is larger than the padded image")?;
        let mut count = (image + 2 * padding + rounding - span) / stride + 1;
        if self.ceil_mode && (count - 1) * stride >= image + padding {
            count -= 1;
        }
        Ok(count)
    }

    /// What lies under position `tap` of window `out`.
    pub(super) fn tap(&self, image: [usize; 2], out: [usize; 2], tap: [usize; 2]) -> Tap {
        // Positions are counted from the first row and column of the padding.
        let at = [0, 1].map(|axis| out[axis] * self.stride[axis] + tap[axis] * self.dilation[axis]);
        let beyond = (0..2).any(|axis| at[axis] >= image[axis] + 2 * self.padding[axis]);
        let inside = (0..2).all(|axis| (self.padding[axis]..image[axis] + self.padding[axis]).contains(&at[axis]));
        match (inside, beyond) {
            (true, _) => Tap::Element(at[0] - self.padding[0], at[1] - self.padding[1]),
            (false, true) => Tap::Beyond,
            (false, false) => Tap::Padding,
        }
    }

    /// The positions within a window, row by row.
    pub(super) fn taps(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let [rows, columns] = self.kernel;
        (0..rows).flat_map(move |row| (0..columns).map(move |column| [row, column]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(image: usize, kernel: usize, stride: usize, padding: usize, dilation: usize, ceil_mode: bool) -> usize {
        let window = Window2d {
            kernel: [kernel, 1],
            stride: [stride, 1],
            padding: [padding, 0],
            dilation: [dilation, 1],
            ceil_mode,
            ..Window2d::new([1, 1])
        };
        window.output([image, 1]).unwrap()[0]
    }

    #[test]
    fn sizes_worked_out_by_hand() {
        assert_eq!(output(8, 2, 2, 0, 1, false), 4);
        assert_eq!(output(7, 2, 2, 0, 1, false), 3);
        assert_eq!(output(7, 2, 2, 0, 1, true), 4);
        assert_eq!(output(8, 3, 1, 1, 1, false), 8);
        assert_eq!(output(9, 3, 2, 0, 2, false), 3);
        // The fourth window would start at 6 − 1, where neither the image (5) nor left padding reaches: dropped.
        assert_eq!(output(5, 2, 2, 1, 1, true), 3);
        // Smaller than the window, but in ceil mode one window overhangs.
        assert_eq!(output(2, 3, 2, 0, 1, true), 1);
    }

    #[test]
    fn senseless_windows_are_refused() {
        let two = Window2d::new([2, 2]);
        assert!(Window2d { stride: [0, 1], ..two }.output([4, 4]).is_err());
        assert!(Window2d { dilation: [1, 0], ..two }.output([4, 4]).is_err());
        assert!(Window2d { divisor: Some(0), ..two }.output([4, 4]).is_err());
        assert!(two.output([1, 4]).is_err());
        assert!(two.output([0, 4]).is_err());
        assert!(Window2d { padding: [2, 0], ..two }.output([4, 4]).is_ok());
        assert!(Window2d { padding: [2, 0], ..two }.pooled([4, 4]).is_err());
        assert!(Window2d::new([0, 2]).output([4, 4]).is_err());
    }

    #[test]
    fn taps_tell_image_padding_and_overhang_apart() {
        let window = Window2d { padding: [1, 1], ceil_mode: true, ..Window2d::new([3, 3]) };
        assert_eq!(window.output([3, 3]).unwrap(), [2, 2]);
        assert_eq!(window.tap([3, 3], [0, 0], [0, 2]), Tap::Padding);
        assert_eq!(window.tap([3, 3], [0, 0], [1, 2]), Tap::Element(0, 1));
        assert_eq!(window.tap([3, 3], [1, 1], [0, 0]), Tap::Element(2, 2));
        assert_eq!(window.tap([3, 3], [1, 1], [1, 1]), Tap::Padding);
        assert_eq!(window.tap([3, 3], [1, 0], [2, 2]), Tap::Beyond);
    }
}
