//! Losses.

use crate::harness::{Constants, Row, row};
use pullback::prelude::*;

#[derive_backward]
fn mse(x: Tensor<f32, Many<S>>, t: Tensor<f32, Many<S>>) -> Tensor<f32, ()> {
    mean(sq(x - t), S)
}

#[derive_backward]
fn mae(x: Tensor<f32, Many<S>>, t: Tensor<f32, Many<S>>) -> Tensor<f32, ()> {
    (x - t).abs().mean(S)
}

#[derive_backward]
fn smooth_l1(x: Tensor<f32, Many<S>>, t: Tensor<f32, Many<S>>, beta: f64) -> Tensor<f32, ()> {
    let d = abs(x - t);
    mean(select(d.lt(beta), 0.5 * d.sq() / beta, d - 0.5 * beta), S)
}

#[derive_backward]
fn huber(x: Tensor<f32, Many<S>>, t: Tensor<f32, Many<S>>, delta: f64) -> Tensor<f32, ()> {
    let d = x - t;
    mean(map(d, |e| if e.abs() <= delta { 0.5 * e * e } else { delta * (e.abs() - 0.5 * delta) }), S)
}

#[derive_backward]
fn log_cosh(x: Tensor<f32, (N, C)>, t: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    let d = x - t;
    mean(d + softplus(-2.0 * d) - 2.0_f64.ln(), (N, C))
}

#[derive_backward]
fn quantile(x: Tensor<f32, (N, C)>, t: Tensor<f32, (N, C)>, q: f64) -> Tensor<f32, ()> {
    let e = t - x;
    mean(select(ge(e, 0.0), q * e, (q - 1.0) * e), (N, C))
}

#[derive_backward]
fn pinball_many(x: Tensor<f32, (N, Q)>, t: Tensor<f32, N>) -> Tensor<f32, ()> {
    let q = constant([0.1, 0.5, 0.9], Q);
    let e = t - x;
    select(gt(e, 0), q * e, (q - 1) * e).sum(Q).mean(N)
}

#[derive_backward]
fn charbonnier(x: Tensor<f32, (N, C)>, t: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    sqrt(sq(x - t) + 1e-6).mean((N, C))
}

#[derive_backward]
fn wing(x: Tensor<f32, (N, C)>, t: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    let w = 0.5;
    let c = w - w * (1.0_f64 + 0.5 / 2.0).ln();
    let d = abs(x - t);
    mean(select(lt(d, w), w * log1p(d / 2.0), d - c), (N, C))
}

#[derive_backward]
fn msle(x: Tensor<f32, (N, C)>, t: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    mean((x.abs().ln_1p() - t.ln_1p()).powi(2), (N, C))
}

#[derive_backward]
fn cross_entropy(x: Tensor<f32, (N, C)>, label: Labels<N>, smoothing: f64) -> Tensor<f32, ()> {
    let logp = x - logsumexp(x, C);
    let nll = -pick(logp, C, label);
    if smoothing == 0.0 { mean(nll, N) } else { mean((1.0 - smoothing) * nll - smoothing * mean(logp, C), N) }
}

#[derive_backward]
fn cross_entropy_weighted(
    x: Tensor<f32, (N, C)>,
    label: Labels<N>,
    #[constant] w: Tensor<f32, C>,
    ignore: i64,
) -> Tensor<f32, ()> {
    let z = x - max(x, C);
    let logp = z - log(sum(exp(z), C));
    let hot = eq(index(C), label) & ne(label, ignore);
    let weight = sum(select(hot, w, 0.0), C);
    let nll = -sum(select(hot, logp, 0.0), C);
    sum(weight * nll, N) / sum(weight, N)
}

#[derive_backward]
fn cross_entropy_2d(x: Tensor<f32, (N, C, H, W)>, label: Labels<(N, H, W)>) -> Tensor<f32, ()> {
    (logsumexp(x, C) - x.pick(C, label)).sum((N, H, W))
}

#[derive_backward]
fn cross_entropy_soft(x: Tensor<f32, (N, C)>, t: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    -sum(t * (x - logsumexp(x, C)), C).mean(N)
}

#[derive_backward]
fn focal(x: Tensor<f32, (N, C)>, label: Labels<N>, gamma: f64, alpha: f64) -> Tensor<f32, ()> {
    let logp = pick(x - logsumexp(x, C), C, label);
    let p = exp(logp);
    mean(-alpha * powf(1.0 - p, gamma) * logp, N)
}

#[derive_backward]
fn bce_logits(x: Tensor<f32, Many<S>>, #[constant] t: Tensor<f32, Many<S>>) -> Tensor<f32, ()> {
    mean(softplus(x) - x * t, S)
}

#[derive_backward]
fn bce_logits_weighted(
    x: Tensor<f32, (N, C)>,
    #[constant] t: Tensor<f32, (N, C)>,
    #[constant] pw: Tensor<f32, C>,
) -> Tensor<f32, (N, C)> {
    let w = 1.0 + (pw - 1.0) * t;
    (1.0 - t) * x + w * (log1p(exp(-abs(x))) + max(-x, 0.0))
}

#[derive_backward]
fn bce(x: Tensor<f32, (N, C)>, #[constant] t: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    -mean(t * max(log(x), -100.0) + (1.0 - t) * max(log1p(-x), -100.0), (N, C))
}

#[derive_backward]
fn focal_binary(x: Tensor<f32, (N, C)>, #[constant] t: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    let p = sigmoid(x);
    let ce = softplus(x) - x * t;
    let pt = p * t + (1.0 - p) * (1.0 - t);
    mean((0.25 * t + 0.75 * (1.0 - t)) * ce * sq(1.0 - pt), (N, C))
}

#[derive_backward]
fn dice(x: Tensor<f32, (N, C, H, W)>, #[constant] t: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, ()> {
    let p = x.sigmoid();
    let i = sum(p * t, (H, W));
    mean(1.0 - (2.0 * i + 1.0) / (sum(p, (H, W)) + sum(t, (H, W)) + 1.0), (N, C))
}

#[derive_backward]
fn soft_dice_multiclass(x: Tensor<f32, (N, C)>, label: Labels<N>) -> Tensor<f32, ()> {
    let e = exp(x - max(x, C));
    let p = e / sum(e, C);
    let t = eq(index(C), label);
    let (i, u) = (sum(select(t, p, 0.0), N), p.sum(N) + sum(t, N));
    1.0 - mean((2.0 * i + 1e-5) / (u + 1e-5), C)
}

#[derive_backward]
fn tversky(x: Tensor<f32, (N, C)>, #[constant] t: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    let p = sigmoid(x);
    let tp = dot(p, t, C);
    let fp = dot(p, 1.0 - t, C);
    let missed = dot(1.0 - p, t, C);
    let score = (tp + 1.0) / (tp + 0.3 * fp + 0.7 * missed + 1.0);
    (1.0 - score).powf(0.75).mean(N)
}

#[derive_backward]
fn kl(x: Tensor<f32, (N, C)>, t: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    let logp = x - logsumexp(x, C);
    sum(t * (log(t) - logp), (N, C)) / len(N)
}

#[derive_backward]
fn distillation(x: Tensor<f32, (N, C)>, t: Tensor<f32, (N, C)>, temperature: f64) -> Tensor<f32, ()> {
    fn log_softmax(z: Tensor<f32>, a: impl Axes) -> Tensor<f32> {
        z - logsumexp(z, a)
    }
    let a = log_softmax(x / temperature, C);
    let b = log_softmax(t / temperature, C);
    (b.exp() * (b - a)).sum(C).mean(N) * temperature.powi(2)
}

#[derive_backward]
fn jensen_shannon(x: Tensor<f32, (N, C)>, t: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    fn softmax(z: Tensor<f32>) -> Tensor<f32> {
        let e = exp(z - max(z, C));
        e / sum(e, C)
    }
    let (p, q) = (softmax(x), softmax(t));
    let m = (p + q) / 2.0;
    mean(sum(p * log(p / m), C) / 2.0 + sum(q * log(q / m), C) / 2.0, N)
}

#[derive_backward]
fn kl_gaussian(mu: Tensor<f32, (N, C)>, lv: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    -0.5 * (1.0 + lv - mu.sq() - lv.exp()).sum(C).mean(N)
}

#[derive_backward]
fn gaussian_nll(x: Tensor<f32, (N, C)>, t: Tensor<f32, (N, C)>, v: Tensor<f32, (N, C)>, full: bool) -> Tensor<f32, ()> {
    let floor = stop_gradient(max(v, 1e-6)) - stop_gradient(v);
    let v = v + floor;
    let loss = 0.5 * (log(v) + sq(x - t) / v);
    let loss = if full { loss + 0.5 * (2.0 * std::f64::consts::PI).ln() } else { loss };
    mean(loss, (N, C))
}

#[derive_backward]
fn poisson_nll(x: Tensor<f32, (N, C)>, #[constant] t: Tensor<f32, (N, C)>, log_input: bool) -> Tensor<f32, ()> {
    let loss = if log_input {
        exp(x) - t * x
    } else {
        let x = abs(x);
        x - t * log(x + 1e-8)
    };
    mean(loss, (N, C))
}

#[derive_backward]
fn triplet(a: Tensor<f32, (N, C)>, p: Tensor<f32, (N, C)>, n: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    #[derive_backward(helper)]
    fn distance(a: Tensor<f32>, b: Tensor<f32>, over: impl Axes) -> Tensor<f32> {
        sqrt(sum(sq(a - b + 1e-6), over))
    }
    mean(max(distance(a, p, C) - distance(a, n, C) + 0.8, 0.0), N)
}

#[derive_backward]
fn margin_ranking(a: Tensor<f32, N>, b: Tensor<f32, N>, #[constant] y: Tensor<f32, N>) -> Tensor<f32, ()> {
    mean(max(0.0, -y.sign() * (a - b) + 0.3), N)
}

#[derive_backward]
fn hinge_embedding(x: Tensor<f32, N>, #[constant] y: Tensor<f32, N>) -> Tensor<f32, ()> {
    mean(select(gt(y, 0.0), x, max(1.0 - x, 0.0)), N)
}

#[derive_backward]
fn cosine_embedding(a: Tensor<f32, (N, C)>, b: Tensor<f32, (N, C)>, #[constant] y: Tensor<f32, N>) -> Tensor<f32, ()> {
    let c = sum(a * b, C) * rsqrt((sum(a * a, C) + 1e-12) * (sum(b * b, C) + 1e-12));
    mean(select(gt(y, 0.0), 1.0 - c, max(c - 0.1, 0.0)), N)
}

#[derive_backward]
fn multi_margin(x: Tensor<f32, (N, C)>, label: Labels<N>, p: i32) -> Tensor<f32, ()> {
    let m = max(1.0 - pick(x, C, label) + x, 0.0);
    let m = select(eq(index(C), label), 0.0, m.powi(p));
    mean(sum(m, C) / len(C), N)
}

#[derive_backward]
fn multilabel_soft_margin(x: Tensor<f32, (N, C)>, #[constant] t: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    let each = t * -softplus(-x) + (1.0 - t) * -softplus(x);
    -each.mean(C).mean(N)
}

#[derive_backward]
fn soft_margin(x: Tensor<f32, Many<S>>, #[constant] t: Tensor<f32, Many<S>>) -> Tensor<f32, ()> {
    mean(softplus(-sign(t) * x), S)
}

#[derive_backward]
fn squared_hinge(x: Tensor<f32, N>, #[constant] t: Tensor<f32, N>) -> Tensor<f32, ()> {
    max(1.0 - sign(t) * x, 0.0).powi(2).mean(N)
}

#[derive_backward(helper)]
fn unit(x: Tensor<f32>, a: impl Axes) -> Tensor<f32> {
    x / max(sqrt(sum(sq(x), a)), 1e-12)
}

#[derive_backward]
fn info_nce(a: Tensor<f32, (N, C)>, b: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    let logits = dot(unit(a, C), rename(unit(b, C), N, M), C) / 0.1;
    let same = eq(index(N), index(M));
    let diagonal = sum(select(same, logits, 0.0), M);
    let rows = mean(logsumexp(logits, M) - diagonal, N);
    let columns = mean(logsumexp(logits, N), M) - mean(diagonal, N);
    (rows + columns) / 2.0
}

#[derive_backward]
fn nt_xent(z: Tensor<f32, (B, C)>) -> Tensor<f32, ()> {
    let z = unit(z, C);
    let s = dot(z, rename(z, B, B2), C) / 0.5;
    let masked = select(eq(index(B), index(B2)), f64::NEG_INFINITY, s);
    let partner = roll(rename(index(B2), B2, B), B, len(B) as i64 / 2);
    let positive = sum(select(eq(index(B2), partner), s, 0.0), B2);
    mean(logsumexp(masked, B2) - positive, B)
}

#[derive_backward]
fn barlow(a: Tensor<f32, (N, C)>, b: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    fn standard(x: Tensor<f32>) -> Tensor<f32> {
        (x - mean(x, N)) / sqrt(var(x, N) + 1e-5)
    }
    let c = dot(standard(a), rename(standard(b), C, E), N) / len(N);
    let eye = eq(index(C), index(E));
    sum(sq(c - eye) * select(eye, 1.0, 0.005), (C, E))
}

#[derive_backward]
fn vicreg(a: Tensor<f32, (N, C)>, b: Tensor<f32, (N, C)>) -> Tensor<f32, ()> {
    fn spread(x: Tensor<f32>) -> Tensor<f32> {
        let v = var(x, N) * len(N) / (len(N) as f64 - 1.0);
        mean(max(1.0 - sqrt(v + 1e-4), 0.0), C)
    }
    fn off_diagonal(x: Tensor<f32>) -> Tensor<f32> {
        let d = x - mean(x, N);
        let c = dot(d, rename(d, C, E), N) / (len(N) as f64 - 1.0);
        sum(select(ne(index(C), index(E)), sq(c), 0.0), (C, E)) / len(C)
    }
    25.0 * mean(sq(a - b), (N, C)) + 25.0 * (spread(a) + spread(b)) / 2.0 + off_diagonal(a) + off_diagonal(b)
}

#[derive_backward]
fn sup_con(z: Tensor<f32, (N, C)>, #[constant] label: Tensor<f32, N>) -> Tensor<f32, ()> {
    let z = unit(z, C);
    let s = dot(z, rename(z, N, M), C) / 0.3;
    let itself = eq(index(N), index(M));
    let kind = gt(label, 0.0);
    let kind2 = gt(rename(label, N, M), 0.0);
    let same = ((kind & kind2) | (!kind & !kind2)) & !itself;
    let logp = s - logsumexp(select(itself, f64::NEG_INFINITY, s), M);
    -mean(sum(select(same, logp, 0.0), M) / max(sum(same, M), 1.0), N)
}

#[derive_backward]
fn arc_face(x: Tensor<f32, (N, D)>, w: Tensor<f32, (C, D)>, label: Labels<N>) -> Tensor<f32, ()> {
    let c = dot(unit(x, D), unit(w, D), D);
    let sine = sqrt(clamp(1.0 - c * c, 1e-9, 1.0));
    let m = 0.5_f64;
    let phi = c * m.cos() - sine * m.sin();
    let turn = std::f64::consts::PI - m;
    let phi = select(gt(c, turn.cos()), phi, c - turn.sin() * m);
    let logits = 16.0 * select(eq(index(C), label), phi, c);
    mean(logsumexp(logits, C) - pick(logits, C, label), N)
}

#[derive_backward]
fn cos_face(x: Tensor<f32, (N, D)>, w: Tensor<f32, (C, D)>, label: Labels<N>) -> Tensor<f32, ()> {
    let c = dot(unit(x, D), unit(w, D), D);
    let logits = 8.0 * (c - 0.35 * eq(label, index(C)));
    cross_entropy(logits, label, 0.0)
}

#[derive_backward]
fn center_loss(x: Tensor<f32, (N, D)>, c: Tensor<f32, (K, D)>, label: Labels<N>) -> Tensor<f32, ()> {
    0.5 * mean(sum(sq(x - pick(c, K, label)), D), N)
}

#[derive_backward]
fn total_variation(x: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, ()> {
    let rows = slice(x, H, I, 1..) - slice(x, H, I, ..len(H) - 1);
    let columns = slice(x, W, J, 1..) - slice(x, W, J, ..len(W) - 1);
    sum(abs(rows), (N, C, I, W)) + sum(abs(columns), (N, C, H, J))
}

#[derive_backward]
fn giou(b: Tensor<f32, (N, Q)>, t: Tensor<f32, (N, Q)>) -> Tensor<f32, ()> {
    fn corners(c: Tensor<f32>, s: Tensor<f32>) -> (Tensor<f32>, Tensor<f32>) {
        (c - s / 2.0, c + s / 2.0)
    }
    let (b0, b1) = corners(slice(b, Q, P, ..2), slice(b, Q, P, 2..));
    let (t0, t1) = corners(slice(t, Q, P, ..2), slice(t, Q, P, 2..));
    let inter = prod(max(min(b1, t1) - max(b0, t0), 0.0), P);
    let union = prod(b1 - b0, P) + prod(t1 - t0, P) - inter;
    let hull = prod(max(b1, t1) - min(b0, t0), P);
    mean(1.0 - inter / union + (hull - union) / hull, N)
}

#[derive_backward]
fn concordance(x: Tensor<f32, (N, S)>, y: Tensor<f32, (N, S)>) -> Tensor<f32, N> {
    let (mx, my) = (mean(x, S), mean(y, S));
    let cov = mean((x - mx) * (y - my), S);
    1.0 - 2.0 * cov / (var(x, S) + var(y, S) + sq(mx - my) + 1e-9)
}

#[derive_backward]
fn ppo(r: Tensor<f32, (N, S)>, #[constant] old: Tensor<f32, (N, S)>, #[constant] adv: Tensor<f32, (N, S)>) -> Tensor<f32, ()> {
    let ratio = exp(r - old);
    -mean(min(ratio * adv, clamp(ratio, 0.8, 1.2) * adv), (N, S))
}

#[derive_backward]
fn dpo(c: Tensor<f32, N>, rj: Tensor<f32, N>) -> Tensor<f32, ()> {
    softplus(-0.1 * (c - rj)).mean(N)
}

#[derive_backward]
fn list_mle(x: Tensor<f32, (N, L)>, t: Tensor<f32, (N, L)>) -> Tensor<f32, ()> {
    let m = stop_gradient(max(x, L));
    let lse = m + log(flip(cumsum(flip(exp(x - m), L), L), L));
    mean(sum((lse - x) * sigmoid(t), L), N)
}

#[derive_backward]
fn entropy(x: Tensor<f32, (N, C)>) -> Tensor<f32, N> {
    let logp = x - logsumexp(x, C);
    -sum(exp(logp) * logp, C)
}

#[derive_backward]
fn earth_movers(p: Tensor<f32, (N, S)>, t: Tensor<f32, (N, S)>) -> Tensor<f32, ()> {
    let (p, t) = (p / p.sum(S), t / t.sum(S));
    (((p.cumsum(S) - t.cumsum(S)).sq().mean(S)) + 1e-12).sqrt().mean(N)
}

#[derive_backward]
fn token_loss(
    x: Tensor<f32, (N, L, V)>,
    label: Labels<(N, L)>,
    #[constant] m: Tensor<f32, (N, L)>,
) -> (Tensor<f32, ()>, Tensor<f32, ()>) {
    let z = logsumexp(x, V);
    let nll = z - pick(x, V, label);
    let live = gt(m, 0.0);
    let loss = sum((nll + 1e-2 * z.sq()) * live, (N, L)) / max(sum(live, (N, L)), 1.0);
    (loss, mean(eq(argmax(x, V), label), (N, L)))
}

const SIGN: &str = "the sign of NaN is NaN; PyTorch's is 0";
const CLAMP: &str = "PyTorch stops a gradient where a clamp meets NaN; here it goes on";
const INFINITE: &str = "x − logsumexp(x) is −∞ beside +∞; PyTorch's kernel has NaN";

pub fn rows() -> Vec<Row> {
    vec![
        row!("mse", Mse),
        row!("mae", Mae).differs(&[("nan", "gradient of x", SIGN), ("nan", "gradient of t", SIGN)]),
        row!("smooth_l1", |s| SmoothL1 { beta: s.f("beta") }),
        row!("huber", |s| Huber { delta: s.f("delta") }),
        row!("log_cosh", LogCosh),
        row!("quantile", |s| Quantile { q: s.f("q") }),
        row!("pinball_many", PinballMany),
        row!("charbonnier", Charbonnier),
        row!("wing", Wing),
        row!("msle", Msle),
        row!(single "cross_entropy", |s| CrossEntropy { smoothing: s.f("smoothing") })
            .differs(&[("infs", "output 0", INFINITE), ("infs", "gradient of x", INFINITE)]),
        row!("cross_entropy_weighted", |s| CrossEntropyWeighted { ignore: s.f("ignore") as i64 }),
        row!("cross_entropy_2d", CrossEntropy2d).differs(&[("infs", "output 0", INFINITE), ("infs", "gradient of x", INFINITE)]),
        row!("cross_entropy_soft", CrossEntropySoft)
            .differs(&[("infs", "gradient of t", INFINITE), ("infs", "gradient of x", INFINITE)]),
        row!("focal", |s| Focal { gamma: s.f("gamma"), alpha: s.f("alpha") }).differs(&[("infs", "output 0", INFINITE)]),
        row!("bce_logits", BceLogits),
        row!("bce_logits_weighted", BceLogitsWeighted),
        row!("bce", Bce),
        row!("focal_binary", FocalBinary),
        row!("dice", Dice),
        row!("soft_dice_multiclass", SoftDiceMulticlass),
        row!("tversky", Tversky),
        row!("kl", Kl),
        row!("distillation", |s| Distillation { temperature: s.f("temperature") }),
        row!("jensen_shannon", JensenShannon),
        row!("kl_gaussian", KlGaussian),
        row!("gaussian_nll", |s| GaussianNll { full: s.flag("full") }),
        row!("poisson_nll", |s| PoissonNll { log_input: s.flag("log_input") }),
        row!("triplet", Triplet),
        row!("margin_ranking", MarginRanking).differs(&[
            ("nan", "gradient of a", CLAMP),
            ("nan", "gradient of b", CLAMP),
            ("infs", "gradient of a", CLAMP),
            ("infs", "gradient of b", CLAMP),
        ]),
        row!("hinge_embedding", HingeEmbedding),
        row!("cosine_embedding", CosineEmbedding),
        row!("multi_margin", |s| MultiMargin { p: s.n("p") as i32 }),
        row!("multilabel_soft_margin", MultilabelSoftMargin),
        row!("soft_margin", SoftMargin),
        row!("squared_hinge", SquaredHinge).differs(&[("nan", "gradient of x", CLAMP)]),
        row!(single "info_nce", InfoNce),
        row!("nt_xent", NtXent),
        row!("barlow", Barlow),
        row!("vicreg", Vicreg),
        row!("sup_con", SupCon),
        row!("arc_face", ArcFace),
        row!("cos_face", CosFace),
        row!("center_loss", CenterLoss),
        row!("total_variation", TotalVariation).differs(&[("nan", "gradient of x", SIGN)]),
        row!("giou", Giou),
        row!("concordance", Concordance),
        row!("ppo", Ppo),
        row!("dpo", Dpo),
        row!("list_mle", ListMle).differs(&[(
            "nan",
            "gradient of t",
            "NaN reaches the maximum that is taken off; PyTorch takes off a maximum so far",
        )]),
        row!("entropy", Entropy).differs(&[("tiny", "gradient of x", "what is left of rounding log C, which is not tiny")]),
        row!("earth_movers", EarthMovers),
        row!("token_loss", TokenLoss),
    ]
}
