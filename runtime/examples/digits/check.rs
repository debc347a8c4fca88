//! The gradient check, before anything is learned.

use crate::data::Random;
use crate::network::Network;
use pullback::layer::Arg;
use pullback::ndarray::{ArrayD, arr1};
use pullback::prelude::*;

/// Compares the network's derived gradient with what its formula, run as written, says: in `f64`, on a small problem
/// with random values. (On the digits themselves most maxima would be ties between equal background pixels.)
pub fn gradient() -> Result<String, Box<dyn std::error::Error>> {
    let mut random = Random(1);
    let mut draw = |shape: &[usize]| ArrayD::from_shape_simple_fn(shape, || f64::from(random.symmetric()));
    let image = draw(&[3, 1, 4, 4]);
    let label = arr1(&[2, 0, 3]).into_dyn();
    let shapes: [&[usize]; 8] = [&[2, 1, 3, 3], &[2], &[2], &[3, 2, 3, 3], &[3], &[3], &[4, 12], &[4]];
    let parameters = shapes.map(&mut draw);
    let mut statistics = [2, 2, 3, 3].map(|channels| ArrayD::ones(vec![channels]));

    let mut args = vec![Arg::Tensor(image.view()), Arg::Labels(label.view())];
    args.extend(parameters.iter().map(|tensor| Arg::Tensor(tensor.view())));
    args.extend(statistics.iter_mut().map(|tensor| Arg::State(tensor.view_mut())));
    let report = gradcheck(&Network { seed: Seed(1) }, &args)?;
    Ok(format!("gradient check: {} numbers agree with the formula's own derivative", report.judged))
}
