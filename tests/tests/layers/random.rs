//! Generated kernels against the hand-written references over random shapes, windows, values and memory orders.

use super::{Answer, Call, flat, kept_by_generator, kernel, vector};
use approx::relative_eq;
use pullback::ndarray::{ArrayD, Ix2};
use pullback::reference::{self as hand, Invalid, Window2d};
use pullback_tests::Rng;

fn window(draw: &mut Rng) -> Window2d {
    let mut pair = |lo, hi| [draw.between(lo, hi), draw.between(lo, hi)];
    let (kernel, stride, dilation, padding) = (pair(1, 3), pair(1, 3), pair(1, 2), pair(0, 1));
    let padding = [0, 1].map(|a| padding[a].min((dilation[a] * (kernel[a] - 1)).div_ceil(2)));
    let divisor = (draw.below(4) == 0).then(|| draw.between(1, 7) as i64 * if draw.below(2) == 0 { -1 } else { 1 });
    let (ceil_mode, count_padding) = (draw.below(2) == 0, draw.below(2) == 0);
    Window2d { kernel, stride, padding, dilation, ceil_mode, count_padding, divisor }
}

/// Deviations are a hundredth, and their last digit that of numbers of ten thousand.
const TOLERANCE: f64 = 1e-9;

/// Equal to rounding beside the largest number of its kind; NaN and infinities at the same places.
#[track_caller]
fn same(what: &str, found: &ArrayD<f64>, expected: &ArrayD<f64>) {
    assert_eq!(found.shape(), expected.shape(), "{what}");
    let scale = expected.iter().filter(|v| v.is_finite()).fold(1.0f64, |m, v| m.max(v.abs()));
    for (at, expected) in expected.indexed_iter() {
        let found = found[&at];
        let close = relative_eq!(found, *expected, epsilon = TOLERANCE * scale, max_relative = TOLERANCE);
        assert!(close || found.is_nan() && expected.is_nan(), "{what} at {at:?} is {found}, by hand {expected}");
    }
}

#[track_caller]
fn same_grads(what: &str, answer: &Answer, expected: &[(&str, ArrayD<f64>)]) {
    assert_eq!(answer.grads.len(), expected.len(), "{what}: arguments with a gradient");
    for (name, expected) in expected {
        same(&format!("{what}: d{name}"), &answer.grads[*name], expected);
    }
}

/// Goes through cases; one that the reference refuses is no case.
#[track_caller]
fn over_cases(case: impl Fn(&mut Rng, &str) -> Result<(), Invalid>) {
    const CASES: usize = 150;
    let taken = (0..CASES).filter(|i| case(&mut Rng(*i as u64 * 0x9E37_79B9 + 1), &format!("case {i}")).is_ok()).count();
    assert!(taken > CASES / 2, "only {taken} cases");
}

#[test]
fn activations() {
    type Forward = fn(&ArrayD<f64>) -> ArrayD<f64>;
    type Backward = fn(&ArrayD<f64>, &ArrayD<f64>) -> Result<ArrayD<f64>, Invalid>;
    let layers: [(&str, Forward, Backward); 3] = [
        ("relu", hand::relu_forward, hand::relu_backward),
        ("gelu", hand::gelu_forward, hand::gelu_backward),
        ("gelu_tanh", hand::gelu_tanh_forward, hand::gelu_tanh_backward),
    ];
    over_cases(|draw, what| {
        let (name, forward, backward) = layers[draw.below(3)];
        let shape = draw.shape(&[(0, 3), (1, 40)]);
        let (x, dy) = (draw.numbers(&shape), draw.plain(&shape));
        let answer = kernel(name, &Call::default().tensor("x", x.clone()), &dy);
        let what = format!("{what}: {name} of {x}");
        same(&what, &answer.outputs[0], &forward(&x));
        same_grads(&what, &answer, &[("x", backward(&dy, &x)?)]);
        Ok(())
    });
}

#[test]
fn softmaxes() {
    over_cases(|draw, what| {
        let shape = draw.shape(&[(0, 3), (1, 3), (1, 40)]);
        let (x, dy) = (draw.numbers(&shape), draw.plain(&shape));
        let call = Call::default().tensor("x", x.clone());
        let what = format!("{what}: of {x}");
        let (answer, y) = (kernel("softmax", &call, &dy), hand::softmax_forward(&x)?);
        same(&what, &answer.outputs[0], &y);
        same_grads(&what, &answer, &[("x", hand::softmax_backward(&dy, &y)?)]);
        let (answer, y) = (kernel("log_softmax", &call, &dy), hand::log_softmax_forward(&x)?);
        same(&what, &answer.outputs[0], &y);
        same_grads(&what, &answer, &[("x", hand::log_softmax_backward(&dy, &y)?)]);
        Ok(())
    });
}

#[test]
fn cross_entropy() {
    over_cases(|draw, what| {
        let shape = draw.shape(&[(1, 9), (1, 20)]);
        let logits = draw.numbers(&shape);
        let labels: Vec<i64> = (0..shape[0]).map(|_| draw.below(shape[1]) as i64).collect();
        let label = ArrayD::from_shape_vec(vec![shape[0]], labels.iter().map(|l| *l as f64).collect()).expect("a vector");
        let call = Call::default().tensor("logits", logits.clone()).tensor("label", label);
        let dy = draw.unit();
        let answer = kernel("cross_entropy", &call, &ArrayD::from_elem(vec![], dy));
        let what = format!("{what}: of {logits}, {labels:?}");
        same(&what, &answer.outputs[0], &ArrayD::from_elem(vec![], hand::cross_entropy_forward(&logits, &labels)?));
        same_grads(&what, &answer, &[("logits", hand::cross_entropy_backward(dy, &logits, &labels)?)]);
        Ok(())
    });
}

#[test]
fn linear() {
    over_cases(|draw, what| {
        let [n, m, i, o] = [(0, 3), (1, 4), (1, 20), (1, 9)].map(|(lo, hi)| draw.between(lo, hi));
        let (x, dy, weight, bias) = (draw.plain(&[n, m, i]), draw.plain(&[n, m, o]), draw.plain(&[o, i]), draw.plain(&[o]));
        let square = weight.clone().into_dimensionality::<Ix2>().expect("a matrix");
        let call = Call::default().tensor("x", x.clone()).tensor("weight", weight);
        let by_hand = hand::linear_backward(&dy, &x, &square)?;
        let mut grads = vec![("x", by_hand.x), ("weight", by_hand.weight.into_dyn())];
        let with_bias = draw.below(2) == 0;
        let answer = kernel("linear", &if with_bias { call.tensor("bias", bias.clone()) } else { call }, &dy);
        let bias = flat(&bias);
        same(what, &answer.outputs[0], &hand::linear_forward(&x, &square, with_bias.then_some(&bias))?);
        if with_bias {
            grads.push(("bias", vector(&by_hand.bias)));
        }
        same_grads(what, &answer, &grads);
        Ok(())
    });
}

#[test]
fn norms_of_rows() {
    over_cases(|draw, what| {
        let shape = draw.shape(&[(0, 3), (1, 4), (1, 40)]);
        let (x, dy, gamma, beta) = (draw.numbers(&shape), draw.plain(&shape), draw.plain(&shape[2..]), draw.plain(&shape[2..]));
        let (eps, weights, biases) = (1e-3, flat(&gamma), flat(&beta));
        let call = Call::default().tensor("x", x.clone()).tensor("gamma", gamma).constant("eps", eps);
        let what = format!("{what}: of {x}");

        let answer = kernel("rms_norm", &call, &dy);
        same(&what, &answer.outputs[0], &hand::rms_norm_forward(&x, &weights, eps)?);
        let grads = hand::rms_norm_backward(&dy, &x, &weights, eps)?;
        same_grads(&what, &answer, &[("x", grads.x), ("gamma", vector(&grads.gamma))]);

        let answer = kernel("layer_norm", &call.tensor("beta", beta), &dy);
        same(&what, &answer.outputs[0], &hand::layer_norm_forward(&x, &weights, &biases, eps)?);
        let grads = hand::layer_norm_backward(&dy, &x, &weights, eps)?;
        same_grads(&what, &answer, &[("x", grads.x), ("gamma", vector(&grads.gamma)), ("beta", vector(&grads.beta))]);
        Ok(())
    });
}

#[test]
fn batch_norms() {
    over_cases(|draw, what| {
        let (rank, eps, momentum) = (draw.between(2, 5), 1e-3, 0.3);
        let shape = draw.shape(&[(0, 4), (1, 4), (1, 4), (1, 4), (1, 4)][..rank]);
        let c = [shape[1]];
        let (x, dy, gamma, beta) = (draw.numbers(&shape), draw.plain(&shape), draw.plain(&c), draw.plain(&c));
        let (mean, var) = (draw.plain(&c), draw.plain(&c).mapv(f64::abs));
        let [weights, biases, mut m, mut v] = [&gamma, &beta, &mean, &var].map(flat);
        let call = Call::default().tensor("x", x.clone()).tensor("gamma", gamma).tensor("beta", beta);
        let call = call.tensor("running_mean", mean).tensor("running_var", var).constant("eps", eps);
        let what = format!("{what}: of {x}");

        let answer = kernel("batch_norm_eval", &call, &dy);
        same(&what, &answer.outputs[0], &hand::batch_norm_eval_forward(&x, &weights, &biases, &m, &v, eps)?);
        let grads = hand::batch_norm_eval_backward(&dy, &x, &weights, &m, &v, eps)?;
        same_grads(&what, &answer, &[("x", grads.x), ("gamma", vector(&grads.gamma)), ("beta", vector(&grads.beta))]);

        let y = hand::batch_norm_forward(&x, &weights, &biases, &mut m, &mut v, momentum, eps)?;
        let answer = kernel("batch_norm", &call.constant("momentum", momentum), &dy);
        same(&what, &answer.outputs[0], &y);
        same(&format!("{what}: the running mean"), &answer.states["running_mean"], &vector(&m));
        same(&format!("{what}: the running variance"), &answer.states["running_var"], &vector(&v));
        let grads = hand::batch_norm_backward(&dy, &x, &weights, eps)?;
        same_grads(&what, &answer, &[("x", grads.x), ("gamma", vector(&grads.gamma)), ("beta", vector(&grads.beta))]);
        Ok(())
    });
}

/// What is absent is 1 or 0, and has no gradient.
#[test]
fn batch_norms_without_a_weight_or_a_bias() {
    over_cases(|draw, what| {
        let (eps, momentum) = (1e-3, 0.3);
        let shape = draw.shape(&[(0, 4), (1, 4), (1, 5)]);
        let c = [shape[1]];
        let (x, dy, gamma, beta) = (draw.numbers(&shape), draw.plain(&shape), draw.plain(&c), draw.plain(&c));
        let (mean, var) = (draw.plain(&c), draw.plain(&c).mapv(f64::abs));
        let [m, v] = [&mean, &var].map(flat);
        let (scales, shifts) = (draw.below(2) == 0, draw.below(2) == 0);
        let weights = if scales { flat(&gamma) } else { vec![1.0; c[0]] };
        let biases = if shifts { flat(&beta) } else { vec![0.0; c[0]] };
        let call = Call::default().tensor("x", x.clone()).constant("eps", eps).constant("momentum", momentum);
        let call = if scales { call.tensor("gamma", gamma) } else { call };
        let call = if shifts { call.tensor("beta", beta) } else { call };
        let with_statistics = call.clone().tensor("running_mean", mean).tensor("running_var", var);
        let what = format!("{what}: of {x}, weight {scales}, bias {shifts}");
        let judge = |answer: &Answer, grads: hand::NormGrads| {
            let mut expected = vec![("x", grads.x)];
            expected.extend(scales.then(|| ("gamma", vector(&grads.gamma))));
            expected.extend(shifts.then(|| ("beta", vector(&grads.beta))));
            same_grads(&what, answer, &expected);
        };

        let answer = kernel("batch_norm_eval_optional", &with_statistics, &dy);
        same(&what, &answer.outputs[0], &hand::batch_norm_eval_forward(&x, &weights, &biases, &m, &v, eps)?);
        judge(&answer, hand::batch_norm_eval_backward(&dy, &x, &weights, &m, &v, eps)?);

        let (mut new_mean, mut new_var) = (m, v);
        let y = hand::batch_norm_forward(&x, &weights, &biases, &mut new_mean, &mut new_var, momentum, eps)?;
        let answer = kernel("batch_norm_optional", &with_statistics, &dy);
        same(&what, &answer.outputs[0], &y);
        same(&what, &answer.states["running_mean"], &vector(&new_mean));
        same(&what, &answer.states["running_var"], &vector(&new_var));
        judge(&answer, hand::batch_norm_backward(&dy, &x, &weights, eps)?);

        let answer = kernel("batch_norm_untracked", &call, &dy);
        same(&what, &answer.outputs[0], &y);
        judge(&answer, hand::batch_norm_backward(&dy, &x, &weights, eps)?);
        Ok(())
    });
}

#[test]
fn dropouts() {
    over_cases(|draw, what| {
        let (p, shape) = ([0.0, 0.3, 0.9, 1.0][draw.below(4)], draw.shape(&[(0, 3), (1, 5), (1, 20)]));
        let (x, dy) = (draw.numbers(&shape), draw.plain(&shape));
        let call = Call::default().tensor("x", x.clone()).constant("seed", 0.0).constant("p", p);
        let what = format!("{what}: {p} of {x}");

        let (answer, kept) = (kernel("dropout", &call, &dy), kept_by_generator(x.len(), p));
        same(&what, &answer.outputs[0], &hand::dropout_forward(&x, &kept, p)?);
        same_grads(&what, &answer, &[("x", hand::dropout_backward(&dy, &kept, p)?)]);

        let (answer, kept) = (kernel("channel_dropout", &call, &dy), kept_by_generator(shape[0] * shape[1], p));
        same(&what, &answer.outputs[0], &hand::channel_dropout_forward(&x, &kept, p)?);
        same_grads(&what, &answer, &[("x", hand::channel_dropout_backward(&dy, &kept, p)?)]);
        Ok(())
    });
}

#[test]
fn pools() {
    over_cases(|draw, what| {
        let (k, shape) = (window(draw), draw.shape(&[(0, 2), (1, 3), (4, 9), (4, 20)]));
        let x = draw.numbers(&shape);
        let call = Call::default().tensor("x", x.clone()).constant("k", k);
        let what = format!("{what}: {k:?} of {x}");

        let y = hand::mean_pool2d_forward(&x, &k)?;
        let dy = draw.plain(y.shape());
        let answer = kernel("mean_pool2d", &call, &dy);
        same(&what, &answer.outputs[0], &y);
        same_grads(&what, &answer, &[("x", hand::mean_pool2d_backward(&dy, &shape, &k)?)]);

        let (y, indices) = hand::max_pool2d_forward(&x, &k)?;
        let answer = kernel("max_pool2d", &call, &dy);
        same(&what, &answer.outputs[0], &y);
        same_grads(&what, &answer, &[("x", hand::max_pool2d_backward(&dy, &indices, &shape)?)]);
        Ok(())
    });
}

#[test]
fn conv2d() {
    over_cases(|draw, what| {
        let k = Window2d { ceil_mode: false, count_padding: false, divisor: None, ..window(draw) };
        let [n, c, o, h, w] = [(0, 2), (1, 3), (1, 4), (5, 9), (5, 12)].map(|(lo, hi)| draw.between(lo, hi));
        let (x, weight, bias) = (draw.plain(&[n, c, h, w]), draw.plain(&[o, c, k.kernel[0], k.kernel[1]]), draw.plain(&[o]));
        let y = hand::conv2d_forward(&x, &weight, Some(&flat(&bias)), &k)?;
        let dy = draw.plain(y.shape());
        let call = Call::default().tensor("x", x.clone()).tensor("weight", weight.clone()).tensor("bias", bias).constant("k", k);
        let answer = kernel("conv2d", &call, &dy);
        let what = format!("{what}: {k:?} of {:?}", x.shape());
        same(&what, &answer.outputs[0], &y);
        let grads = hand::conv2d_backward(&dy, &x, &weight, &k)?;
        same_grads(&what, &answer, &[("x", grads.x), ("weight", grads.weight), ("bias", vector(&grads.bias))]);
        Ok(())
    });
}
