//! The ready-made layers against the hand-written references, twice: through the engine's first stages (parsing,
//! elaboration, graph, raw derivative) by its interpreter, and by the generated kernels.

mod random;

use approx::relative_eq;
use pullback::ndarray::{Array1, ArrayD, Ix2};
use pullback::reference::{self as hand, Window2d};
use pullback_derivations::graph::eval::draw;
use pullback_derivations::graph::{Distribution, Draw, HostId};
use pullback_tests::Rng;
use pullback_tests::formulas::{Answer, Call, Formulas};

fn layers() -> Formulas {
    Formulas::read(&["runtime/src/layers"])
}

/// What a layer says, by everyone who can be asked: the interpreter first.
fn answers(name: &str, call: &Call, dy: &ArrayD<f64>) -> Vec<Answer> {
    vec![layers().evaluate(name, call, dy), kernel(name, call, dy)]
}

fn kernel(name: &str, call: &Call, dy: &ArrayD<f64>) -> Answer {
    use pullback::{Seed, layers::*};
    use pullback_tests::kernels::{evaluate, window};
    let number = |name| call.number(name);
    let seed = Seed(0);
    match name {
        "relu" => evaluate(&Relu, call, dy),
        "gelu" => evaluate(&Gelu, call, dy),
        "gelu_tanh" => evaluate(&GeluTanh, call, dy),
        "softmax" => evaluate(&Softmax, call, dy),
        "log_softmax" => evaluate(&LogSoftmax, call, dy),
        "cross_entropy" => evaluate(&CrossEntropy, call, dy),
        "linear" => evaluate(&Linear, call, dy),
        "layer_norm" => evaluate(&LayerNorm { eps: number("eps") }, call, dy),
        "rms_norm" => evaluate(&RmsNorm { eps: number("eps") }, call, dy),
        "batch_norm" => evaluate(&BatchNorm { momentum: number("momentum"), eps: number("eps") }, call, dy),
        "batch_norm_optional" => evaluate(&BatchNormOptional { momentum: number("momentum"), eps: number("eps") }, call, dy),
        "batch_norm_untracked" => evaluate(&BatchNormUntracked { eps: number("eps") }, call, dy),
        "batch_norm_eval_optional" => evaluate(&BatchNormEvalOptional { eps: number("eps") }, call, dy),
        "batch_norm_eval" => evaluate(&BatchNormEval { eps: number("eps") }, call, dy),
        "dropout" => evaluate(&Dropout { seed, p: number("p") }, call, dy),
        "channel_dropout" => evaluate(&ChannelDropout { seed, p: number("p") }, call, dy),
        "mean_pool2d" => evaluate(&MeanPool2d { k: window(call, "k") }, call, dy),
        "max_pool2d" => evaluate(&MaxPool2d { k: window(call, "k") }, call, dy),
        "conv2d" => evaluate(&Conv2d { k: window(call, "k") }, call, dy),
        other => panic!("no layer `{other}`"),
    }
}

/// Repeatable values between −2 and 2.
fn array(shape: &[usize], seed: u64) -> ArrayD<f64> {
    Rng(seed).uniform(shape)
}

fn vector(values: &[f64]) -> ArrayD<f64> {
    Array1::from(values.to_vec()).into_dyn()
}

fn flat(a: &ArrayD<f64>) -> Vec<f64> {
    a.iter().copied().collect()
}

#[track_caller]
fn assert_close(what: &str, found: &ArrayD<f64>, expected: &ArrayD<f64>) {
    assert_eq!(found.len(), expected.len(), "elements of {what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let close = relative_eq!(*found, *expected, epsilon = 1e-10, max_relative = 1e-10) || found.is_nan() && expected.is_nan();
        assert!(close, "{what}[{i}]: {found}, by hand {expected}");
    }
}

#[track_caller]
fn assert_grads(answer: &Answer, expected: &[(&str, &ArrayD<f64>)]) {
    let names: Vec<&str> = answer.grads.keys().map(String::as_str).collect();
    let mut wanted: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    wanted.sort_unstable();
    assert_eq!(names, wanted, "the arguments that have a gradient");
    for (name, expected) in expected {
        assert_close(&format!("d{name}"), &answer.grads[*name], expected);
    }
}

#[test]
fn every_formula_builds() {
    let layers = layers();
    let branching = ["alpha_dropout", "channel_dropout", "conv2d", "dropout", "feature_alpha_dropout", "linear"];
    let names: Vec<&str> = layers.names().collect();
    assert!(names.len() >= 16);
    for name in names {
        let expected = match name {
            "batch_norm_optional" | "batch_norm_eval_optional" | "batch_norm_untracked" => 4,
            name => 1 + usize::from(branching.contains(&name)),
        };
        assert_eq!(layers.variants(name), expected, "{name}");
    }
    // A network has no optional arguments and constant probabilities: one kernel each way.
    let network = Formulas::read(&["runtime/src/layers", "runtime/examples/digits/network.rs"]);
    assert_eq!(network.variants("network"), 1);
    assert_eq!(network.variants("logits"), 1);
}

#[test]
fn activations() {
    type Forward = fn(&ArrayD<f64>) -> ArrayD<f64>;
    type Backward = fn(&ArrayD<f64>, &ArrayD<f64>) -> Result<ArrayD<f64>, hand::Invalid>;
    let cases: [(&str, Forward, Backward); 3] = [
        ("relu", hand::relu_forward, hand::relu_backward),
        ("gelu", hand::gelu_forward, hand::gelu_backward),
        ("gelu_tanh", hand::gelu_tanh_forward, hand::gelu_tanh_backward),
    ];
    let mut x = array(&[3, 5], 1);
    x[[0, 0]] = 0.0;
    let dy = array(&[3, 5], 2);
    for (name, forward, backward) in cases {
        for answer in answers(name, &Call::default().tensor("x", x.clone()), &dy) {
            assert_close(name, &answer.outputs[0], &forward(&x));
            assert_grads(&answer, &[("x", &backward(&dy, &x).unwrap())]);
        }
    }
}

#[test]
fn batch_norm_in_training() {
    let (eps, momentum) = (0.01, 0.3);
    for shape in [vec![3, 2, 4], vec![4, 3], vec![2, 2, 2, 3]] {
        let channels = shape[1];
        let per_channel = |seed| array(&[channels], seed);
        let (x, dy, gamma, beta) = (array(&shape, 1), array(&shape, 2), per_channel(3), per_channel(4));
        let (mean, var) = (per_channel(5), per_channel(6).mapv(f64::abs));
        let call = Call::default()
            .tensor("x", x.clone())
            .tensor("gamma", gamma.clone())
            .tensor("beta", beta.clone())
            .tensor("running_mean", mean.clone())
            .tensor("running_var", var.clone())
            .constant("momentum", momentum)
            .constant("eps", eps);
        for answer in answers("batch_norm", &call, &dy) {
            let (gamma, beta, mut mean, mut var) = (flat(&gamma), flat(&beta), flat(&mean), flat(&var));
            let y = hand::batch_norm_forward(&x, &gamma, &beta, &mut mean, &mut var, momentum, eps).unwrap();
            let grads = hand::batch_norm_backward(&dy, &x, &gamma, eps).unwrap();
            assert_close("y", &answer.outputs[0], &y);
            assert_close("running mean", &answer.states["running_mean"], &vector(&mean));
            assert_close("running variance", &answer.states["running_var"], &vector(&var));
            let [dgamma, dbeta] = [vector(&grads.gamma), vector(&grads.beta)];
            assert_grads(&answer, &[("x", &grads.x), ("gamma", &dgamma), ("beta", &dbeta)]);
        }
    }
}

#[test]
fn an_empty_batch_leaves_the_running_statistics() {
    let empty = ArrayD::zeros(vec![0, 2, 3]);
    let (mean, var) = (vector(&[0.5, -1.0]), vector(&[2.0, 3.0]));
    let call = Call::default()
        .tensor("x", empty.clone())
        .tensor("gamma", vector(&[1.0, 2.0]))
        .tensor("beta", vector(&[0.0, 1.0]))
        .tensor("running_mean", mean.clone())
        .tensor("running_var", var.clone())
        .constant("momentum", 0.1)
        .constant("eps", 1e-5);
    for answer in answers("batch_norm", &call, &empty) {
        assert_eq!(answer.states["running_mean"], mean);
        assert_eq!(answer.states["running_var"], var);
        assert_eq!(answer.grads["gamma"], vector(&[0.0, 0.0]));
    }
}

#[test]
fn batch_norm_in_evaluation() {
    let (x, dy, gamma, beta) = (array(&[3, 2, 4], 1), array(&[3, 2, 4], 2), array(&[2], 3), array(&[2], 4));
    let (mean, var) = (array(&[2], 5), array(&[2], 6).mapv(f64::abs));
    let call = Call::default()
        .tensor("x", x.clone())
        .tensor("gamma", gamma.clone())
        .tensor("beta", beta.clone())
        .tensor("running_mean", mean.clone())
        .tensor("running_var", var.clone())
        .constant("eps", 0.01);
    for answer in answers("batch_norm_eval", &call, &dy) {
        let [gamma, beta, mean, var] = [&gamma, &beta, &mean, &var].map(flat);
        assert_close("y", &answer.outputs[0], &hand::batch_norm_eval_forward(&x, &gamma, &beta, &mean, &var, 0.01).unwrap());
        let grads = hand::batch_norm_eval_backward(&dy, &x, &gamma, &mean, &var, 0.01).unwrap();
        let [dgamma, dbeta] = [vector(&grads.gamma), vector(&grads.beta)];
        assert_grads(&answer, &[("x", &grads.x), ("gamma", &dgamma), ("beta", &dbeta)]);
    }
}

#[test]
fn norms_over_the_last_axis() {
    let (x, dy, gamma, beta) = (array(&[2, 3, 5], 1), array(&[2, 3, 5], 2), array(&[5], 3), array(&[5], 4));
    let (gamma_values, beta_values) = (flat(&gamma), flat(&beta));
    let call = Call::default().tensor("x", x.clone()).tensor("gamma", gamma).constant("eps", 0.01);

    for answer in answers("rms_norm", &call, &dy) {
        assert_close("y", &answer.outputs[0], &hand::rms_norm_forward(&x, &gamma_values, 0.01).unwrap());
        let grads = hand::rms_norm_backward(&dy, &x, &gamma_values, 0.01).unwrap();
        assert_grads(&answer, &[("x", &grads.x), ("gamma", &vector(&grads.gamma))]);
    }

    for answer in answers("layer_norm", &call.tensor("beta", beta), &dy) {
        assert_close("y", &answer.outputs[0], &hand::layer_norm_forward(&x, &gamma_values, &beta_values, 0.01).unwrap());
        let grads = hand::layer_norm_backward(&dy, &x, &gamma_values, 0.01).unwrap();
        let [dgamma, dbeta] = [vector(&grads.gamma), vector(&grads.beta)];
        assert_grads(&answer, &[("x", &grads.x), ("gamma", &dgamma), ("beta", &dbeta)]);
    }
}

#[test]
fn softmax_and_cross_entropy() {
    let (x, dy) = (array(&[2, 3, 4], 1), array(&[2, 3, 4], 2));
    let call = Call::default().tensor("x", x.clone());
    for answer in answers("softmax", &call, &dy) {
        let y = hand::softmax_forward(&x).unwrap();
        assert_close("softmax", &answer.outputs[0], &y);
        assert_grads(&answer, &[("x", &hand::softmax_backward(&dy, &y).unwrap())]);
    }
    for answer in answers("log_softmax", &call, &dy) {
        let y = hand::log_softmax_forward(&x).unwrap();
        assert_close("log-softmax", &answer.outputs[0], &y);
        assert_grads(&answer, &[("x", &hand::log_softmax_backward(&dy, &y).unwrap())]);
    }

    let (logits, labels) = (array(&[3, 4], 3), [3, 0, 3]);
    let call = Call::default().tensor("logits", logits.clone()).tensor("label", vector(&[3.0, 0.0, 3.0]));
    for answer in answers("cross_entropy", &call, &ArrayD::from_elem(vec![], 0.7)) {
        let loss = hand::cross_entropy_forward(&logits, &labels).unwrap();
        assert_close("loss", &answer.outputs[0], &ArrayD::from_elem(vec![], loss));
        assert_grads(&answer, &[("logits", &hand::cross_entropy_backward(0.7, &logits, &labels).unwrap())]);
    }
}

/// What the interpreter keeps: its draws stand in for the generator's.
fn kept(count: usize, p: f64) -> Vec<bool> {
    let stream = Draw { distribution: Distribution::Bernoulli, seed: HostId(0), number: 0, axes: vec![], param: None };
    (0..count).map(|element| draw(&stream, element, 1.0 - p) != 0.0).collect()
}

/// What a kernel keeps.
fn kept_by_generator(count: usize, p: f64) -> Vec<bool> {
    hand::keep_mask(count, 1.0 - p, |element| pullback::rng::bits(0, 0, element))
}

#[test]
fn dropout_of_elements_and_channels() {
    let (x, dy) = (array(&[3, 4, 5], 1), array(&[3, 4, 5], 2));
    for p in [0.0, 0.3, 1.0] {
        let call = Call::default().tensor("x", x.clone()).constant("seed", 0.0).constant("p", p);
        for (answer, kept) in answers("dropout", &call, &dy).iter().zip([kept, kept_by_generator]) {
            let kept = kept(60, p);
            assert_close("y", &answer.outputs[0], &hand::dropout_forward(&x, &kept, p).unwrap());
            assert_grads(answer, &[("x", &hand::dropout_backward(&dy, &kept, p).unwrap())]);
        }
        for (answer, kept) in answers("channel_dropout", &call, &dy).iter().zip([kept, kept_by_generator]) {
            let kept = kept(12, p);
            assert_close("y", &answer.outputs[0], &hand::channel_dropout_forward(&x, &kept, p).unwrap());
            assert_grads(answer, &[("x", &hand::channel_dropout_backward(&dy, &kept, p).unwrap())]);
        }
    }
}

#[test]
fn pools_with_every_option() {
    let base = Window2d::new([3, 2]);
    let windows = [
        base,
        Window2d { stride: [1, 2], padding: [1, 1], ..base },
        Window2d { stride: [2, 1], dilation: [2, 3], ceil_mode: true, ..base },
        Window2d { stride: [2, 3], padding: [1, 1], count_padding: true, ceil_mode: true, ..base },
        Window2d { stride: [1, 1], padding: [1, 0], divisor: Some(-3), ..base },
    ];
    for k in windows {
        let x = array(&[2, 2, 6, 5], 1);
        let call = Call::default().tensor("x", x.clone()).constant("k", k);
        let y = hand::mean_pool2d_forward(&x, &k).unwrap();
        let dy = array(y.shape(), 2);
        for answer in answers("mean_pool2d", &call, &dy) {
            assert_close(&format!("mean of {k:?}"), &answer.outputs[0], &y);
            assert_grads(&answer, &[("x", &hand::mean_pool2d_backward(&dy, x.shape(), &k).unwrap())]);
        }
        let (y, indices) = hand::max_pool2d_forward(&x, &k).unwrap();
        for answer in answers("max_pool2d", &call, &dy) {
            assert_close(&format!("max of {k:?}"), &answer.outputs[0], &y);
            assert_grads(&answer, &[("x", &hand::max_pool2d_backward(&dy, &indices, x.shape()).unwrap())]);
        }
    }
}

#[test]
fn the_first_of_equal_maxima_gets_the_gradient() {
    let k = Window2d { stride: [1, 1], ..Window2d::new([2, 2]) };
    let x = array(&[2, 2, 4, 4], 1).mapv(|v| v.round().signum());
    let (y, indices) = hand::max_pool2d_forward(&x, &k).unwrap();
    let dy = array(y.shape(), 2);
    for answer in answers("max_pool2d", &Call::default().tensor("x", x.clone()).constant("k", k), &dy) {
        assert_close("y", &answer.outputs[0], &y);
        assert_grads(&answer, &[("x", &hand::max_pool2d_backward(&dy, &indices, x.shape()).unwrap())]);
    }
}

#[test]
fn linear_with_and_without_bias() {
    let (x, dy, weight, bias) = (array(&[2, 3, 4], 1), array(&[2, 3, 5], 2), array(&[5, 4], 3), array(&[5], 4));
    let square = weight.clone().into_dimensionality::<Ix2>().unwrap();
    let by_hand = hand::linear_backward(&dy, &x, &square).unwrap();
    let (dweight, dbias) = (by_hand.weight.into_dyn(), vector(&by_hand.bias));
    let call = Call::default().tensor("x", x.clone()).tensor("weight", weight);
    for answer in answers("linear", &call, &dy) {
        assert_close("y", &answer.outputs[0], &hand::linear_forward(&x, &square, None).unwrap());
        assert_grads(&answer, &[("x", &by_hand.x), ("weight", &dweight)]);
    }
    for answer in answers("linear", &call.tensor("bias", bias.clone()), &dy) {
        assert_close("y", &answer.outputs[0], &hand::linear_forward(&x, &square, Some(&flat(&bias))).unwrap());
        assert_grads(&answer, &[("x", &by_hand.x), ("weight", &dweight), ("bias", &dbias)]);
    }
}

#[test]
fn conv2d_with_every_option() {
    let base = Window2d { stride: [1, 1], ..Window2d::new([3, 2]) };
    let windows = [
        Window2d { padding: [1, 1], ..base },
        Window2d { stride: [2, 3], padding: [2, 0], ..base },
        Window2d { stride: [1, 2], padding: [1, 3], dilation: [2, 3], ..base },
    ];
    for k in windows {
        let (x, weight, bias) = (array(&[2, 2, 5, 5], 1), array(&[3, 2, 3, 2], 2), array(&[3], 3));
        let y = hand::conv2d_forward(&x, &weight, Some(&flat(&bias)), &k).unwrap();
        let dy = array(y.shape(), 4);
        let call = Call::default().tensor("x", x.clone()).tensor("weight", weight.clone()).constant("k", k);
        for answer in answers("conv2d", &call.tensor("bias", bias), &dy) {
            assert_close(&format!("{k:?}"), &answer.outputs[0], &y);
            let grads = hand::conv2d_backward(&dy, &x, &weight, &k).unwrap();
            assert_grads(&answer, &[("x", &grads.x), ("weight", &grads.weight), ("bias", &vector(&grads.bias))]);
        }
    }
}

/// A small problem for the digits network.
fn network_call() -> Call {
    let shapes: [(&str, &[usize]); 13] = [
        ("image", &[3, 1, 4, 4]),
        ("conv1", &[2, 1, 3, 3]),
        ("gamma1", &[2]),
        ("beta1", &[2]),
        ("conv2", &[3, 2, 3, 3]),
        ("gamma2", &[3]),
        ("beta2", &[3]),
        ("weight", &[4, 12]),
        ("bias", &[4]),
        ("mean1", &[2]),
        ("var1", &[2]),
        ("mean2", &[3]),
        ("var2", &[3]),
    ];
    let mut call = Call::default().tensor("label", vector(&[2.0, 0.0, 3.0])).constant("seed", 0.0);
    for (seed, (name, shape)) in (1..).zip(shapes) {
        call = call.tensor(name, array(shape, seed));
    }
    call
}

/// The digits network by hand: each layer's reference after the other, and back.
#[test]
fn a_network_is_the_chain_of_its_layers() {
    let same = Window2d { stride: [1, 1], padding: [1, 1], ..Window2d::new([3, 3]) };
    let halve = Window2d::new([2, 2]);
    let call = network_call();
    let network = Formulas::read(&["runtime/src/layers", "runtime/examples/digits/network.rs"]);
    let answer = network.evaluate("network", &call, &ArrayD::from_elem(vec![], 1.0));

    let t = |name: &str| &call.tensors[name];
    let v = |name: &str| flat(t(name));
    let norm = |x: &ArrayD<f64>, i: &str| {
        let name = |what: &str| format!("{what}{i}");
        let (mut mean, mut var) = (v(&name("mean")), v(&name("var")));
        let (gamma, beta) = (v(&name("gamma")), v(&name("beta")));
        let y = hand::batch_norm_forward(x, &gamma, &beta, &mut mean, &mut var, 0.1, 1e-5).unwrap();
        assert_close(&name("mean"), &answer.states[&name("mean")], &vector(&mean));
        assert_close(&name("var"), &answer.states[&name("var")], &vector(&var));
        y
    };
    let c1 = hand::conv2d_forward(t("image"), t("conv1"), None, &same).unwrap();
    let n1 = norm(&c1, "1");
    let r1 = hand::relu_forward(&n1);
    let c2 = hand::conv2d_forward(&r1, t("conv2"), None, &same).unwrap();
    let n2 = norm(&c2, "2");
    let r2 = hand::relu_forward(&n2);
    let (pooled, indices) = hand::max_pool2d_forward(&r2, &halve).unwrap();
    let mask = kept(pooled.len(), 0.25);
    let dropped = hand::dropout_forward(&pooled, &mask, 0.25).unwrap();
    let features = dropped.into_shape_with_order(vec![3, 12]).unwrap();
    let weight = t("weight").clone().into_dimensionality::<Ix2>().unwrap();
    let logits = hand::linear_forward(&features, &weight, Some(&v("bias"))).unwrap();
    let loss = hand::cross_entropy_forward(&logits, &[2, 0, 3]).unwrap();
    assert_close("loss", &answer.outputs[0], &ArrayD::from_elem(vec![], loss));

    let d = hand::cross_entropy_backward(1.0, &logits, &[2, 0, 3]).unwrap();
    let linear = hand::linear_backward(&d, &features, &weight).unwrap();
    let d = linear.x.into_shape_with_order(pooled.raw_dim()).unwrap();
    let d = hand::dropout_backward(&d, &mask, 0.25).unwrap();
    let d = hand::max_pool2d_backward(&d, &indices, r2.shape()).unwrap();
    let d = hand::relu_backward(&d, &n2).unwrap();
    let norm2 = hand::batch_norm_backward(&d, &c2, &v("gamma2"), 1e-5).unwrap();
    let conv2 = hand::conv2d_backward(&norm2.x, &r1, t("conv2"), &same).unwrap();
    let d = hand::relu_backward(&conv2.x, &n1).unwrap();
    let norm1 = hand::batch_norm_backward(&d, &c1, &v("gamma1"), 1e-5).unwrap();
    let conv1 = hand::conv2d_backward(&norm1.x, t("image"), t("conv1"), &same).unwrap();
    assert_grads(
        &answer,
        &[
            ("conv1", &conv1.weight),
            ("gamma1", &vector(&norm1.gamma)),
            ("beta1", &vector(&norm1.beta)),
            ("conv2", &conv2.weight),
            ("gamma2", &vector(&norm2.gamma)),
            ("beta2", &vector(&norm2.beta)),
            ("weight", &linear.weight.into_dyn()),
            ("bias", &vector(&linear.bias)),
        ],
    );
}
