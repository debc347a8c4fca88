//! Mean and variance of a population, from batches of any sizes.

use crate::{Error, Float};
use ndarray::{Array1, ArrayRef, Axis, Dimension, RemoveAxis};

/// The mean and variance of each channel over all batches seen: exactly those of the whole data set, however it is cut,
/// unlike a moving average. For the statistics of a batch norm in evaluation.
///
/// Two passes over each batch, then batches are joined: `f64` throughout. Source: T. Chan, G. Golub, R. LeVeque,
/// "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979.
///
/// ```
/// use pullback::ndarray::array;
/// use pullback::statistics::Population;
///
/// let mut population = Population::new(2);
/// population.update(&array![[1.0f32, 10.0], [3.0, 10.0]])?;
/// population.update(&array![[5.0f32, 40.0]])?;
/// assert_eq!(population.mean(), array![3.0, 20.0]);
/// assert_eq!(population.unbiased_variance(), array![4.0, 300.0]);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    count: f64,
    mean: Array1<f64>,
    /// Σ (x − mean)²
    squares: Array1<f64>,
}

impl Population {
    /// Nothing seen yet, of so many channels.
    pub fn new(channels: usize) -> Population {
        Population { count: 0.0, mean: Array1::zeros(channels), squares: Array1::zeros(channels) }
    }

    /// Takes in a batch `(N, C, ...)`; an empty one changes nothing.
    ///
    /// # Errors
    /// Where the array has no second axis, or that is not the channels.
    pub fn update<T: Float, D: Dimension + RemoveAxis>(&mut self, x: &ArrayRef<T, D>) -> Result<(), Error> {
        let (function, argument) = ("population", "x");
        if x.ndim() < 2 {
            return Err(Error::Rank { function, argument, found: x.ndim(), expected: 2, at_least: true });
        }
        let channels = x.shape()[1];
        if channels != self.mean.len() {
            let (found, expected) = (channels, self.mean.len());
            return Err(Error::Shape { function, argument, axis: "C", found, expected, source: "new" });
        }
        let count = (x.len() / channels.max(1)) as f64;
        if count == 0.0 {
            return Ok(());
        }
        let total = self.count + count;
        for (c, channel) in x.axis_iter(Axis(1)).enumerate() {
            let mean = channel.iter().map(|x| x.f64()).sum::<f64>() / count;
            let squares: f64 = channel.iter().map(|x| (x.f64() - mean).powi(2)).sum();
            let away = mean - self.mean[c];
            self.mean[c] += away * (count / total);
            self.squares[c] += squares + away * away * (self.count / total * count);
        }
        self.count = total;
        Ok(())
    }

    /// How many values a channel were seen.
    pub fn count(&self) -> f64 {
        self.count
    }

    /// The mean of each channel; zeros before anything was seen.
    pub fn mean(&self) -> Array1<f64> {
        self.mean.clone()
    }

    /// The variance of each channel, over the number of values; NaN before anything was seen.
    pub fn variance(&self) -> Array1<f64> {
        self.squares.mapv(|s| s / self.count)
    }

    /// The variance of each channel, over one less: PyTorch's running variance is of this kind.
    pub fn unbiased_variance(&self) -> Array1<f64> {
        self.squares.mapv(|s| s / (self.count - 1.0))
    }
}
