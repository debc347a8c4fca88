//! Parameters, stochastic gradient descent with momentum, accuracy.

use crate::data::{CLASSES, Digits, Random};
use crate::network::{Network, NetworkInto, logits};
use pullback::ndarray::{Array, Array1, Array2, Array4, ArrayViewMutD, Dimension, ShapeBuilder};
use pullback::prelude::*;
use pullback::{Error, ndarray};

/// Output channels of the convolutions.
const CHANNELS: [usize; 2] = [16, 32];
/// What the linear layer sees: the second convolution's channels on a 4×4 image.
const FEATURES: usize = CHANNELS[1] * 4 * 4;

/// What is learned; a gradient has the same shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    pub conv1: Array4<f32>,
    pub gamma1: Array1<f32>,
    pub beta1: Array1<f32>,
    pub conv2: Array4<f32>,
    pub gamma2: Array1<f32>,
    pub beta2: Array1<f32>,
    pub weight: Array2<f32>,
    pub bias: Array1<f32>,
}

impl Parameters {
    /// Uniform weights with a variance of 2/inputs: K. He et al., "Delving Deep into Rectifiers", 2015, equation 10.
    pub fn new(random: &mut Random) -> Self {
        let [a, b] = CHANNELS;
        Self {
            conv1: uniform(random, (a, 1, 3, 3), 9),
            gamma1: Array1::ones(a),
            beta1: Array1::zeros(a),
            conv2: uniform(random, (b, a, 3, 3), 9 * a),
            gamma2: Array1::ones(b),
            beta2: Array1::zeros(b),
            // All classes equally likely at first.
            weight: Array2::zeros((CLASSES, FEATURES)),
            bias: Array1::zeros(CLASSES),
        }
    }

    pub fn zeros() -> Self {
        let mut zeros = Self::new(&mut Random(0));
        for mut tensor in zeros.tensors_mut() {
            tensor.fill(0.0);
        }
        zeros
    }

    pub fn count(&mut self) -> usize {
        self.tensors_mut().iter().map(|tensor| tensor.len()).sum()
    }

    fn tensors_mut(&mut self) -> [ArrayViewMutD<'_, f32>; 8] {
        [
            self.conv1.view_mut().into_dyn(),
            self.gamma1.view_mut().into_dyn(),
            self.beta1.view_mut().into_dyn(),
            self.conv2.view_mut().into_dyn(),
            self.gamma2.view_mut().into_dyn(),
            self.beta2.view_mut().into_dyn(),
            self.weight.view_mut().into_dyn(),
            self.bias.view_mut().into_dyn(),
        ]
    }

    /// Where the derived backward writes the gradient.
    fn as_gradient(&mut self) -> NetworkInto<'_, f32> {
        NetworkInto {
            conv1: Some(Grad::Write(&mut self.conv1)),
            gamma1: Some(Grad::Write(&mut self.gamma1)),
            beta1: Some(Grad::Write(&mut self.beta1)),
            conv2: Some(Grad::Write(&mut self.conv2)),
            gamma2: Some(Grad::Write(&mut self.gamma2)),
            beta2: Some(Grad::Write(&mut self.beta2)),
            weight: Some(Grad::Write(&mut self.weight)),
            bias: Some(Grad::Write(&mut self.bias)),
        }
    }
}

fn uniform<Sh>(random: &mut Random, shape: Sh, inputs: usize) -> Array<f32, Sh::Dim>
where
    Sh: ShapeBuilder,
    Sh::Dim: Dimension,
{
    let bound = (6.0 / inputs as f32).sqrt();
    Array::from_shape_simple_fn(shape, || bound * random.symmetric())
}

/// Running statistics of the two batch normalisations.
#[derive(Clone, Debug)]
pub struct Statistics {
    pub mean1: Array1<f32>,
    pub var1: Array1<f32>,
    pub mean2: Array1<f32>,
    pub var2: Array1<f32>,
}

impl Statistics {
    pub fn new() -> Self {
        let [a, b] = CHANNELS;
        Self { mean1: Array1::zeros(a), var1: Array1::ones(a), mean2: Array1::zeros(b), var2: Array1::ones(b) }
    }
}

pub struct Model {
    pub parameters: Parameters,
    pub statistics: Statistics,
    gradient: Parameters,
    velocity: Parameters,
}

impl Model {
    pub fn new(random: &mut Random) -> Self {
        Self {
            parameters: Parameters::new(random),
            statistics: Statistics::new(),
            gradient: Parameters::zeros(),
            velocity: Parameters::zeros(),
        }
    }

    /// One step of gradient descent on a batch; its loss before the step.
    pub fn step(&mut self, batch: &Digits, seed: Seed, rate: f32, momentum: f32) -> Result<f32, Error> {
        let loss = self.backpropagate(batch, seed)?;
        let tensors = self.parameters.tensors_mut().into_iter();
        let tensors = tensors.zip(self.velocity.tensors_mut()).zip(self.gradient.tensors_mut());
        for ((mut parameter, mut velocity), gradient) in tensors {
            velocity.zip_mut_with(&gradient, |v, &g| *v = momentum * *v + g);
            parameter.zip_mut_with(&velocity, |p, &v| *p -= rate * v);
        }
        Ok(loss)
    }

    /// Forward and backward: writes the gradient and moves the running statistics.
    fn backpropagate(&mut self, batch: &Digits, seed: Seed) -> Result<f32, Error> {
        let op = Network { seed };
        let (p, s) = (&self.parameters, &mut self.statistics);
        let (loss, saved) = op.forward(
            &batch.images,
            &batch.labels,
            &p.conv1,
            &p.gamma1,
            &p.beta1,
            &p.conv2,
            &p.gamma2,
            &p.beta2,
            &p.weight,
            &p.bias,
            &mut s.mean1,
            &mut s.var1,
            &mut s.mean2,
            &mut s.var2,
        )?;
        op.backward_into(
            1.0,
            &batch.images,
            &batch.labels,
            &p.conv1,
            &p.gamma1,
            &p.beta1,
            &p.conv2,
            &p.gamma2,
            &p.beta2,
            &p.weight,
            &p.bias,
            loss,
            &saved,
            self.gradient.as_gradient(),
        )?;
        Ok(loss)
    }

    /// The share of digits whose largest logit is that of their class.
    pub fn accuracy(&self, digits: &Digits) -> Result<f64, Error> {
        let (p, s) = (&self.parameters, &self.statistics);
        let logits = logits(
            &digits.images,
            &p.conv1,
            &p.gamma1,
            &p.beta1,
            &p.conv2,
            &p.gamma2,
            &p.beta2,
            &p.weight,
            &p.bias,
            &s.mean1,
            &s.var1,
            &s.mean2,
            &s.var2,
        )?;
        let right = logits.rows().into_iter().zip(&digits.labels).filter(|(row, label)| largest(row) == **label).count();
        Ok(right as f64 / digits.len() as f64)
    }
}

fn largest(row: &ndarray::ArrayView1<'_, f32>) -> i64 {
    let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(-1, |(class, _)| class as i64)
}
