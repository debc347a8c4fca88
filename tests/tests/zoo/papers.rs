//! Layers as they are written from papers, in spellings of their own.

use pullback::prelude::*;

#[derive_backward]
pub fn lstm_cell(
    x: Tensor<f32, (N, I)>,
    h: Tensor<f32, (N, H)>,
    c: Tensor<f32, (N, H)>,
    wx: Tensor<f32, (G, I)>,
    wh: Tensor<f32, (G, H)>,
    b: Option<Tensor<f32, G>>,
) -> (Tensor<f32, (N, H)>, Tensor<f32, (N, H)>) {
    ensure(len(G) == 4 * len(H), "four gates");
    let z = dot(x, wx, I) + dot(h, wh, H);
    let z = b.map_or(z, |b| z + b);
    let gates = split(z, G, (Q, J), 4);
    let (i, f) = (sigmoid(pick(gates, Q, 0)), sigmoid(pick(gates, Q, 1)));
    let (g, o) = (pick(gates, Q, 2).tanh(), gates.pick(Q, 3).sigmoid());
    let c = f * rename(c, H, J) + i * g;
    (rename(o * tanh(c), J, H), rename(c, J, H))
}

#[test]
fn lstm_cell_gradient() {
    use pullback::layer::Arg;
    let grid =
        |n: usize, m: usize| pullback::ndarray::Array2::from_shape_fn((n, m), |(i, j)| (1.7 * i as f64 + 0.9 * j as f64).sin());
    let [x, h, c, wx, wh] = [grid(2, 3), grid(2, 2), grid(2, 2), grid(8, 3), grid(8, 2)];
    let args = [Arg::tensor(&x), Arg::tensor(&h), Arg::tensor(&c), Arg::tensor(&wx), Arg::tensor(&wh), Arg::Absent];
    pullback::gradcheck(&LstmCell, &args).expect("a right gradient");
}

#[derive_backward]
pub fn glu(x: Tensor<f32, (Many<S>, C)>) -> Tensor<f32, (Many<S>, D)> {
    let n = len(C) / 2;
    let (a, b) = (x.slice(C, D, 0..n), x.slice(C, D, n..2 * n));
    a * b.sigmoid()
}
gradient_test!(Glu);

#[derive_backward]
pub fn maxout(x: Tensor<f32, (N, C)>, pieces: usize) -> Tensor<f32, (N, D)> {
    x.split(C, (D, K), len(C) / pieces).max(K)
}
gradient_test!(Maxout { pieces: 1 });

#[derive_backward]
pub fn local_response(x: Tensor<f32, (N, C, Many<S>)>, k: Window<1>, alpha: f64, beta: f64) -> Tensor<f32, (N, C, Many<S>)> {
    let near = window(sq(x), C, D, K, k);
    let scale = 1.0 + alpha * rename(fill(sum(near, K), 0.0), D, C);
    x / scale.powf(beta)
}
gradient_test!(LocalResponse { k: Window::new([3]).stride([1]).padding([1]), alpha: 0.1, beta: 0.75 });

#[derive_backward]
pub fn squeeze_excite(
    x: Tensor<f32, (N, C, H, W)>,
    w1: Tensor<f32, (R, C)>,
    w2: Tensor<f32, (D, R)>,
) -> Tensor<f32, (N, C, H, W)> {
    let s = mean(x, (H, W));
    let e = max(dot(s, w1, C), 0.0);
    x * rename(sigmoid(dot(e, w2, R)), D, E).sum(E)
}
gradient_test!(SqueezeExcite);

#[derive_backward]
pub fn focal(logits: Tensor<f32, (N, C)>, label: Labels<N>, gamma: f64, smoothing: f64) -> Tensor<f32, ()> {
    let logp = logits - logsumexp(logits, C);
    let target = eq(index(C), label) * (1.0 - smoothing) + smoothing / len(C) as f64;
    let each = -(1.0 - exp(logp)).powf(gamma) * target * logp;
    each.sum(C).mean(N)
}
gradient_test!(Focal { gamma: 2.0, smoothing: 0.1 });

#[derive_backward]
pub fn dice(p: Tensor<f32, (N, Many<S>)>, #[constant] t: Tensor<f32, (N, Many<S>)>, eps: f32) -> Tensor<f32, ()> {
    let hit = sum(p * t, S);
    1.0 - mean((2.0 * hit + eps) / (sum(p, S) + sum(t, S) + eps), N)
}
gradient_test!(Dice { eps: 1.0 });

#[derive_backward]
pub fn bilinear(
    x: Tensor<f32, (N, I)>,
    w: Tensor<f32, (O, I, J)>,
    y: Tensor<f32, (N, J)>,
    b: Tensor<f32, O>,
) -> Tensor<f32, (N, O)> {
    (x * dot(w, y, J)).sum(I) + b
}
gradient_test!(Bilinear);

#[derive_backward]
pub fn margin(x: Tensor<f32, (N, C)>, label: Labels<N>, m: f64) -> Tensor<f32, ()> {
    let own = pick(x, C, label);
    let each = max(m - own + x, 0.0);
    let others = select(eq(index(C), label), 0, each);
    mean(sum(others, C), N) / len(C)
}
gradient_test!(Margin { m: 1.0 });

#[derive_backward]
pub fn swish_beta(x: Tensor<f32, Many<S>>, #[diff] beta: f64) -> Tensor<f32, Many<S>> {
    fn gate(t: Tensor<f32>, #[diff] b: f64) -> Tensor<f32> {
        sigmoid(b * t)
    }
    map(x, |v| v * gate(v, beta))
}
gradient_test!(SwishBeta);

#[derive_backward]
pub fn hosts(x: Tensor<f32, (N, C)>, eps: f64, n: usize, k: i32, small: f32) -> Tensor<f32, (N, C)> {
    let two = 2.0;
    let three = 3;
    let eps = eps.max(1e-6).min(f64::MAX);
    let a = two.sqrt() + f64::from(three) + (n as f64).ln_1p() + 1e-5_f64.max(eps);
    let b = usize::pow(2, 3) + n / three as usize;
    let c = if k > 0 && n != 1 || !(small < 0.5) { 1 } else { 2 };
    x * a / b + powf(2.0, x / 10) * c + x.powf(three) * small + atan2(1.0, x) * -k + log(eps) * sqrt(4)
}
gradient_test!(Hosts { eps: 0.1, n: 3, k: 2, small: 0.25 });

#[derive_backward]
pub fn helpers_in_helpers(x: Tensor<f32, (N, C, Many<S>)>, g: Tensor<f32, C>) -> Tensor<f32, (N, C, Many<S>)> {
    fn centre(t: Tensor<f32>, a: impl Axes) -> Tensor<f32> {
        t - mean(t, a)
    }
    fn unit(t: Tensor<f32>, a: impl Axes, eps: f64) -> Tensor<f32> {
        let c = centre(t, a);
        c / (max(abs(c), a) + eps + 0.0 * len(a) as f64)
    }
    fn both(t: Tensor<f32>, a: impl Axes, b: impl Axes) -> Tensor<f32> {
        unit(t, (a, b), 1) + unit(centre(t, b), b, 1e-1)
    }
    g * both(x, N, S)
}
gradient_test!(HelpersInHelpers);

macro_rules! activation {
    ($name:ident, $v:ident => $body:expr) => {
        #[derive_backward]
        pub fn $name(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
            let $v = x;
            let run = $body;
            run * 1.0
        }
    };
}
activation!(hard_swish, t => t * clamp(t + 3.0, 0.0, 6.0) / 6.0);
activation!(soft_sign_ish, x => x / (1.0 + abs(x)));
gradient_test!(HardSwish);
gradient_test!(SoftSignIsh);

#[derive_backward]
pub fn two_states(
    x: Tensor<f32, (N, C)>,
    mean_of: &mut Tensor<f32, C>,
    count: &mut Tensor<f32, ()>,
    training: bool,
) -> Tensor<f32, (N, C)> {
    let m = if training {
        *count += 1.0;
        let m = x.mean(N);
        *mean_of = *mean_of + (m - *mean_of) / *count;
        m
    } else {
        *mean_of
    };
    x - m
}
gradient_test!(two_states_training, TwoStates { training: true });
gradient_test!(two_states_evaluation, TwoStates { training: false });

#[derive_backward]
pub fn windows_of_windows(x: Tensor<f32, (N, L)>, a: Window<1>, b: Window<1>) -> Tensor<f32, (N, P)> {
    let y = max(window(x, L, O, K, a), K);
    let w = window(y, O, P, J, b);
    mean(w * index(J), J) + sum(w, J) / len(J) - w.var(J)
}
gradient_test!(WindowsOfWindows { a: Window::new([2]).stride([1]), b: Window::new([2]).stride([1]).padding([1]) });

#[derive_backward]
pub fn constants_only(x: Tensor<f32, (N, C)>, p: f64) -> (Tensor<f32, (N, C)>, Tensor<f32, C>, Tensor<i64, N>) {
    (x, 2.0 * p + 0.0 * sum(x, N), argmin(x * -1, C))
}
gradient_test!(ConstantsOnly { p: 0.5 });

#[test]
fn inside_a_function() {
    #[derive_backward]
    fn local_layer(x: Tensor<f32, N>, b: Option<Tensor<f32, N>>) -> Tensor<f32, N> {
        let y = if b.is_none() { x.exp() } else { b.unwrap_or(0.0) * x };
        let _unused = y;
        y
    }
    let x = pullback::ndarray::array![0.5, -1.0, 2.0];
    pullback::gradcheck(&LocalLayer, &[pullback::layer::Arg::tensor(&x), pullback::layer::Arg::Absent])
        .expect("a right gradient");
}

#[derive_backward]
pub fn ssim(x: Tensor<f32, (N, H, W)>, y: Tensor<f32, (N, H, W)>, k: Window<2>, c1: f64, c2: f64) -> Tensor<f32, ()> {
    let (wx, wy) = (window(x, (H, W), (OH, OW), (KH, KW), k), window(y, (H, W), (OH, OW), (KH, KW), k));
    let taps = (KH, KW);
    let (mx, my) = (mean(wx, taps), mean(wy, taps));
    let (vx, vy) = (mean(sq(wx - mx), taps), mean(sq(wy - my), taps));
    let cov = mean((wx - mx) * (wy - my), taps);
    let s = (2.0 * mx * my + c1) * (2.0 * cov + c2) / ((sq(mx) + sq(my) + c1) * (vx + vy + c2));
    1.0 - mean(s, (N, OH, OW))
}
gradient_test!(Ssim { k: Window::new([2, 2]).stride([1, 1]), c1: 0.1, c2: 0.3 });

#[derive_backward]
pub fn shifted_windows(x: Tensor<f32, (N, T, C)>, s: i64) -> Tensor<f32, (N, T, C)> {
    let half = len(C) / 2;
    let moved = shift(x, T, s) + shift(x, T, -s);
    select(lt(index(C), half), moved, x) + merge(split(x, C, (G, D), 1), (G, D), C)
}
gradient_test!(ShiftedWindows { s: 1 });

#[derive_backward]
pub fn ranges_with_names(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    const ROUNDS: i32 = 3;
    ensure(ROUNDS > 2, "enough");
    let last = 2;
    let mut y = x;
    for i in 0..last {
        y = y * 0.5 + i;
    }
    y
}
gradient_test!(RangesWithNames);
