//! Cases drawn from a number: extents, and arrays of any memory order.

use crate::programs::fill::mixed;
use pullback::ndarray::{ArrayD, Axis, Slice};

/// A stream of numbers, the same everywhere.
#[derive(Debug)]
pub struct Rng(pub u64);

impl Rng {
    /// One of `0..n`; 0 where that is empty.
    pub fn below(&mut self, n: usize) -> usize {
        (mixed(&mut self.0) % n.max(1) as u64) as usize
    }

    /// Once in so many times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of several.
    pub fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// One of several, as likely as its weight.
    pub fn weighted(&mut self, weights: &[usize]) -> Option<usize> {
        let all: usize = weights.iter().sum();
        let mut at = if all == 0 { return None } else { self.below(all) };
        weights.iter().position(|w| {
            let found = at < *w;
            at = at.wrapping_sub(*w);
            found
        })
    }

    /// One of `lo..=hi`.
    pub fn between(&mut self, lo: usize, hi: usize) -> usize {
        lo + self.below(hi + 1 - lo)
    }

    /// Between 0 and 1.
    pub fn unit(&mut self) -> f64 {
        (mixed(&mut self.0) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// An extent from each range, both ends included.
    pub fn shape(&mut self, ranges: &[(usize, usize)]) -> Vec<usize> {
        ranges.iter().map(|(lo, hi)| self.between(*lo, *hi)).collect()
    }

    /// Numbers of one kind: plain, with ties, all the same in places, far from zero, or with NaN and infinities.
    pub fn numbers(&mut self, shape: &[usize]) -> ArrayD<f64> {
        let kind = self.below(5);
        let constant = self.unit();
        let values = ArrayD::from_shape_simple_fn(shape, || {
            let value = 4.0 * self.unit() - 2.0;
            match (kind, self.below(6)) {
                (1, _) => value.round(),
                (2, _) => constant,
                (3, _) => 1e4 + 1e-2 * value,
                (4, 0) => [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][self.below(3)],
                _ => value,
            }
        });
        self.laid_out(&values)
    }

    /// Numbers between −2 and 2, row-major.
    pub fn uniform(&mut self, shape: &[usize]) -> ArrayD<f64> {
        ArrayD::from_shape_simple_fn(shape, || 4.0 * self.unit() - 2.0)
    }

    /// Numbers between −2 and 2.
    pub fn plain(&mut self, shape: &[usize]) -> ArrayD<f64> {
        let values = self.uniform(shape);
        self.laid_out(&values)
    }

    /// The same array in row-major order, with the second axis innermost (channels last), with gaps, or turned round.
    fn laid_out(&mut self, values: &ArrayD<f64>) -> ArrayD<f64> {
        let rank = values.ndim();
        match self.below(4) {
            1 if rank > 2 => {
                let outer_first: Vec<usize> = std::iter::once(0).chain(2..rank).chain([1]).collect();
                let mut back = vec![0; rank];
                outer_first.iter().enumerate().for_each(|(to, from)| back[*from] = to);
                let stored = values.view().permuted_axes(outer_first).as_standard_layout().into_owned();
                stored.permuted_axes(back)
            }
            2 if rank > 0 => {
                let axis = Axis(self.below(rank));
                let mut shape = values.shape().to_vec();
                shape[axis.0] *= 2;
                let mut wide = ArrayD::from_elem(shape, f64::NAN);
                wide.slice_axis_inplace(axis, Slice::new(0, None, 2));
                wide.assign(values);
                wide
            }
            3 if rank > 0 => {
                let axis = Axis(self.below(rank));
                let mut turned = values.clone();
                turned.invert_axis(axis);
                turned.assign(values);
                turned
            }
            _ => values.clone(),
        }
    }
}
