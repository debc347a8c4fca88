//! Losses.

use pullback::prelude::*;

#[derive_backward]
pub fn mse_loss(x: Tensor<f32, Many<S>>, target: Tensor<f32, Many<S>>) -> Tensor<f32, ()> {
    mean(sq(x - target), S)
}
gradient_test!(MseLoss);

#[derive_backward]
pub fn l1_loss(x: Tensor<f32, Many<S>>, #[constant] target: Tensor<f32, Many<S>>) -> Tensor<f32, ()> {
    mean(abs(x - target), S)
}
gradient_test!(L1Loss);

#[derive_backward]
pub fn smooth_l1_loss(x: Tensor<f32, Many<S>>, #[constant] target: Tensor<f32, Many<S>>, beta: f64) -> Tensor<f32, ()> {
    let d = abs(x - target);
    if beta == 0.0 { mean(d, S) } else { mean(select(lt(d, beta), 0.5 * d * d / beta, d - 0.5 * beta), S) }
}
gradient_test!(SmoothL1Loss { beta: 1.0 });
gradient_test!(smooth_l1_of_zero, SmoothL1Loss { beta: 0.0 });

#[derive_backward]
pub fn huber_loss(x: Tensor<f32, Many<S>>, target: Tensor<f32, Many<S>>, delta: f64) -> Tensor<f32, ()> {
    ensure(delta > 0.0, "delta must be positive");
    let each = map(x - target, |d| if d.abs() > delta { delta * (d.abs() - 0.5 * delta) } else { 0.5 * d * d });
    each.mean(S)
}
gradient_test!(HuberLoss { delta: 0.5 });

#[derive_backward]
pub fn bce_with_logits(
    x: Tensor<f32, (N, C)>,
    #[constant] target: Tensor<f32, (N, C)>,
    #[constant] weight: Option<Tensor<f32, C>>,
) -> Tensor<f32, ()> {
    let each = softplus(x) - x * target;
    let each = weight.map_or(each, |w| w * each);
    mean(each, (N, C))
}
gradient_test!(BceWithLogits);

#[derive_backward]
pub fn bce(p: Tensor<f32, Many<S>>, #[constant] target: Tensor<f32, Many<S>>) -> Tensor<f32, ()> {
    -mean(target * max(log(p), -100.0) + (1.0 - target) * max(log1p(-p), -100.0), S)
}
gradient_test!(Bce);

#[derive_backward]
pub fn nll_loss(logp: Tensor<f32, (N, C)>, label: Labels<N>, #[constant] weight: Tensor<f32, C>) -> Tensor<f32, ()> {
    let w = pick(weight, C, label);
    -sum(w * pick(logp, C, label), N) / sum(w, N)
}
gradient_test!(NllLoss);

/// With label smoothing, over any number of positions.
#[derive_backward]
pub fn cross_entropy_smooth(logits: Tensor<f32, (N, C, L)>, label: Labels<(N, L)>, smoothing: f64) -> Tensor<f32, ()> {
    let logp = logits - logsumexp(logits, C);
    let nll = -pick(logp, C, label);
    let uniform = -mean(logp, C);
    mean((1.0 - smoothing) * nll + smoothing * uniform, (N, L))
}
gradient_test!(CrossEntropySmooth { smoothing: 0.1 });

/// One label stands for "not counted".
#[derive_backward]
pub fn cross_entropy_ignoring(logits: Tensor<f32, (N, C)>, label: Labels<N>, ignore: i64) -> Tensor<f32, ()> {
    let counted = ne(label, ignore);
    let logp = logits - logsumexp(logits, C);
    let nll = select(counted, -pick(logp, C, label), 0.0);
    sum(nll, N) / sum(counted, N)
}
gradient_test!(CrossEntropyIgnoring { ignore: 1 });

/// Probabilities as the target.
#[derive_backward]
pub fn cross_entropy_probabilities(logits: Tensor<f32, (N, C)>, target: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    -sum(target * (logits - logsumexp(logits, C)), (N, C)) / len(N)
}
gradient_test!(CrossEntropyProbabilities);

#[derive_backward]
pub fn kl_div(x: Tensor<f32, (N, C)>, target: Tensor<f32, (N, C)>, log_target: bool) -> Tensor<f32, ()> {
    let each =
        if log_target { exp(target) * (target - x) } else { select(gt(target, 0.0), target * log(target), 0.0) - target * x };
    sum(each, (N, C)) / len(N) as f64
}
gradient_test!(kl_div_plain, KlDiv { log_target: false });
gradient_test!(kl_div_of_logs, KlDiv { log_target: true });

#[derive_backward]
pub fn hinge_embedding(x: Tensor<f32, N>, #[constant] y: Tensor<f32, N>, margin: f64) -> Tensor<f32, ()> {
    mean(select(eq(y, 1.0), x, select(eq(y, -1.0), max(margin - x, 0.0), 0.0)), N)
}
gradient_test!(HingeEmbedding { margin: 1.0 });

#[derive_backward]
pub fn margin_ranking(a: Tensor<f32, N>, b: Tensor<f32, N>, #[constant] y: Tensor<f32, N>, margin: f64) -> Tensor<f32, ()> {
    mean(max(-y * (a - b) + margin, 0.0), N)
}
gradient_test!(MarginRanking { margin: 0.25 });

#[derive_backward]
pub fn triplet_margin(
    anchor: Tensor<f32, (N, D)>,
    positive: Tensor<f32, (N, D)>,
    negative: Tensor<f32, (N, D)>,
    margin: f64,
    swap: bool,
) -> Tensor<f32, ()> {
    fn distance(a: Tensor<f32, (N, D)>, b: Tensor<f32, (N, D)>) -> Tensor<f32, N> {
        sqrt(sum(sq(a - b + 1e-6), D))
    }
    let near = distance(anchor, positive);
    let far = distance(anchor, negative);
    let far = if swap { min(far, distance(positive, negative)) } else { far };
    mean(max(near - far + margin, 0.0), N)
}
gradient_test!(triplet, TripletMargin { margin: 1.0, swap: false });
gradient_test!(triplet_swapped, TripletMargin { margin: 1.0, swap: true });

#[derive_backward]
pub fn cosine_embedding(
    a: Tensor<f32, (N, D)>,
    b: Tensor<f32, (N, D)>,
    #[constant] y: Tensor<f32, N>,
    margin: f64,
) -> Tensor<f32, ()> {
    let eps = 1e-3;
    let cos = dot(a, b, D) / sqrt((sum(sq(a), D) + eps) * (sum(sq(b), D) + eps));
    mean(select(gt(y, 0.0), 1.0 - cos, max(cos - margin, 0.0)), N)
}
gradient_test!(CosineEmbedding { margin: 0.1 });

#[derive_backward]
pub fn poisson_nll(x: Tensor<f32, Many<S>>, #[constant] target: Tensor<f32, Many<S>>, full: bool) -> Tensor<f32, ()> {
    let each = exp(x) - target * x;
    let each = if full {
        let stirling = target * log(target) - target + 0.5 * log(2.0 * std::f64::consts::PI * target);
        each + select(gt(target, 1.0), stirling, 0.0)
    } else {
        each
    };
    mean(each, S)
}
gradient_test!(poisson_nll_short, PoissonNll { full: false });
gradient_test!(poisson_nll_full, PoissonNll { full: true });

#[derive_backward]
pub fn gaussian_nll(x: Tensor<f32, (N, D)>, target: Tensor<f32, (N, D)>, var: Tensor<f32, (N, D)>, eps: f64) -> Tensor<f32, ()> {
    let v = max(var, eps);
    mean(0.5 * (log(v) + sq(x - target) / v), (N, D))
}
gradient_test!(GaussianNll { eps: 1e-3 });

#[derive_backward]
pub fn focal(x: Tensor<f32, (N, C)>, label: Labels<N>, gamma: f64, alpha: f64) -> Tensor<f32, ()> {
    let logp = pick(x - logsumexp(x, C), C, label);
    let p = exp(logp);
    -mean(alpha * powf(1.0 - p, gamma) * logp, N)
}
gradient_test!(Focal { gamma: 2.0, alpha: 0.25 });

/// Of several margins, against the label's.
#[derive_backward]
pub fn multi_margin(x: Tensor<f32, (N, C)>, label: Labels<N>, margin: f64) -> Tensor<f32, ()> {
    let own = pick(x, C, label);
    let hinge = max(margin - own + x, 0.0);
    let other = ne(index(C), label);
    mean(sum(select(other, hinge, 0.0), C) / len(C), N)
}
gradient_test!(MultiMargin { margin: 1.0 });

#[derive_backward]
pub fn soft_margin(x: Tensor<f32, Many<S>>, #[constant] y: Tensor<f32, Many<S>>) -> Tensor<f32, ()> {
    mean(softplus(-y * x), S)
}
gradient_test!(SoftMargin);

/// The overlap of two masks.
#[derive_backward]
pub fn dice(x: Tensor<f32, (N, C, Many<S>)>, #[constant] target: Tensor<f32, (N, C, Many<S>)>) -> Tensor<f32, ()> {
    let p = sigmoid(x);
    let both = sum(p * target, S);
    let all_of_them = sum(p, S) + sum(target, S);
    mean(1.0 - (2.0 * both + 1.0) / (all_of_them + 1.0), (N, C))
}
gradient_test!(Dice);

/// Contrastive: each row's partner is on the diagonal.
#[derive_backward]
pub fn contrastive(a: Tensor<f32, (N, D)>, b: Tensor<f32, (N, D)>, #[diff] t: f64) -> Tensor<f32, ()> {
    let partner = rename(b, N, M);
    let logits = t * dot(a, partner, D);
    let own = sum(select(eq(index(N), index(M)), logits, 0.0), M);
    0.5 * mean(logsumexp(logits, M) - own, N) + 0.5 * (mean(logsumexp(logits, N), M) - mean(own, N))
}
gradient_test!(Contrastive);
