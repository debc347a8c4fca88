//! Spellings that the language allows and few would choose.

use pullback::prelude::*;

#[derive_backward]
pub fn methods_all_the_way(x: Tensor<f32, (N, C)>, b: Tensor<f32, C>) -> Tensor<f32, N> {
    x.maximum(0.0).minimum(6.0).powi(2).exp_m1().ln_1p().sum(C) - 2.0.max(x).mean(C) + x.clamp(-1.0, 1.0).hypot(b).max(C)
}
gradient_test!(MethodsAllTheWay);

#[derive_backward]
pub fn words_as_names(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    let max = max(x, C);
    let exp = exp(x - max);
    let sum = exp.sum(C);
    let run = exp / sum;
    let call = run * 1;
    call
}
gradient_test!(WordsAsNames);

#[derive_backward]
pub fn nested_tuples(x: Tensor<f32, (N, C)>) -> (Tensor<f32, (N, C)>, Tensor<f32, N>) {
    let ((a, b), c) = ((x.sin(), x.cos()), x);
    let (a, b) = (b, a);
    (a * b + c, sum(a, C))
}
gradient_test!(NestedTuples);

#[derive_backward]
pub fn moments(x: Tensor<f32, (N, H, W)>, eps: f64) -> Tensor<f32, (N, H, W)> {
    fn stats(t: Tensor<f32>, over: impl Axes) -> (Tensor<f32>, Tensor<f32>) {
        let m = mean(t, over);
        (m, mean(sq(t - m), over))
    }
    let (m, v) = stats(x, (H, W));
    let over = (H, W);
    (x - m) / sqrt(v + eps) + x.sum(over) / len(over)
}
gradient_test!(Moments { eps: 1e-3 });

#[derive_backward]
pub fn many_first(x: Tensor<f32, (Many<B>, I)>, w: Tensor<f32, (O, I)>, b: Option<Tensor<f32, O>>) -> Tensor<f32, (Many<B>, O)> {
    let y = dot(x, w, I);
    match b {
        None => y,
        Some(bias) => y + bias,
    }
}
gradient_test!(ManyFirst);

#[derive_backward]
pub fn many_in_the_middle(x: Tensor<f32, (N, Many<S>, C)>, g: Tensor<f32, C>) -> Tensor<f32, (C, N)> {
    mean(x * g, S) - x.max(S)
}
gradient_test!(ManyInTheMiddle);

#[derive_backward]
pub fn top(x: Tensor<f32, (N, C)>) -> (Tensor<f32, N>, Tensor<i64, N>) {
    let i = argmax(x, C);
    (pick(x, C, i), i)
}
gradient_test!(Top);

#[derive_backward]
pub fn two_options(
    x: Tensor<f32, (N, C)>,
    a: Option<Tensor<f32, C>>,
    b: Option<Tensor<f32, C>>,
    flag: bool,
) -> Tensor<f32, (N, C)> {
    let y = a.map_or(x, |a| x * a);
    let y = if let Some(a) = a { y + a } else { y - 1.0 };
    if b.is_some() && flag { y * b.unwrap_or(1.0) } else { b.map_or(y, |t| y - t) }
}
gradient_test!(two_options_flag, TwoOptions { flag: true });
gradient_test!(two_options_no_flag, TwoOptions { flag: false });

#[derive_backward]
pub fn read_after_write(x: Tensor<f32, (N, C)>, r: &mut Tensor<f32, C>, momentum: f64, training: bool) -> Tensor<f32, (N, C)> {
    if training {
        let m = mean(x, N);
        *r = momentum * *r + (1.0 - momentum) * m;
        *r += 1.0;
        x - m + stop_gradient(*r)
    } else {
        x - *r
    }
}
gradient_test!(read_after_write_training, ReadAfterWrite { momentum: 0.9, training: true });
gradient_test!(read_after_write_evaluation, ReadAfterWrite { momentum: 0.9, training: false });

#[derive_backward]
pub fn token_nll(logits: Tensor<f32, (N, L, V)>, label: Labels<(N, L)>, #[constant] weight: Tensor<f32, V>) -> Tensor<f32, ()> {
    let each = logsumexp(logits, V) - pick(logits, V, label);
    let w = weight.pick(V, label);
    sum(w * each, (N, L)) / sum(w, (N, L))
}
gradient_test!(TokenNll);

#[derive_backward]
pub fn learned_slope(x: Tensor<f32, Many<S>>, #[diff] s: f64, #[diff] t: f64) -> Tensor<f32, Many<S>> {
    map(x, |v| {
        let u = v * t;
        if u > 1.0 && v > 0.0 {
            u
        } else if u < -1.0 || v == 0.0 {
            s * u
        } else {
            (u + s).sin()
        }
    })
}
gradient_test!(LearnedSlope);

#[derive_backward]
pub fn generic_layer<T: Float>(x: Tensor<T, (N, C)>, g: Tensor<T, C>, n: usize) -> Tensor<T, (N, C)> {
    let y = x * n / len(C) + g / 2 - 1;
    1 / (1 + y.abs())
}
gradient_test!(GenericLayer { n: 3 });

#[derive_backward]
pub fn doubles(x: Tensor<f64, (N, C)>, p: f32, n: i32, m: i64) -> Tensor<f64, (N, C)> {
    x.powi(n) * p + x * m - x.powi(0) + p.sqrt() * x
}
gradient_test!(Doubles { p: 0.5, n: 3, m: -2 });

#[derive_backward]
pub fn polynomial(x: Tensor<f32, Many<S>>, #[constant] c: Tensor<f32, K>) -> Tensor<f32, Many<S>> {
    ensure(len(K) == 4, "four coefficients");
    let mut acc = 0.0;
    let mut power = 1;
    for i in 0..=3 {
        acc += c.pick(K, i) * x.powi(i);
        power *= 2;
    }
    acc / power + x
}
gradient_test!(Polynomial);

#[derive_backward]
pub fn accumulated(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    let (mut a, mut b) = (1.0, 0.0);
    for _ in 0..3 {
        let next = a * x + b;
        b = a;
        a = next;
    }
    a - b
}
gradient_test!(Accumulated);

#[derive_backward]
pub fn modes(x: Tensor<f32, (N, C)>, mode: usize, deep: bool) -> Tensor<f32, (N, C)> {
    const SCALE: f64 = 0.5;
    let scale = match mode {
        0 => 2.0,
        1 | 2 => sum(x, C),
        _ => 1.0,
    };
    let y = match deep {
        true => x * SCALE,
        false => x,
    };
    y * scale
}
gradient_test!(modes_0, Modes { mode: 0, deep: true });
gradient_test!(modes_2, Modes { mode: 2, deep: false });
gradient_test!(modes_7, Modes { mode: 7, deep: true });

#[derive_backward]
pub fn norms(x: Tensor<f32, (N, C)>, p: f64) -> Tensor<f32, N> {
    if p == f64::INFINITY {
        abs(x).max(C)
    } else if p == 0.0 {
        sum(ne(x, 0.0), C) + 0.0 * sum(x, C)
    } else if p == 1.0 {
        sum(abs(x), C)
    } else {
        powf(sum(powf(abs(x) + 1e-3, p), C), 1.0 / p)
    }
}
gradient_test!(norms_inf, Norms { p: f64::INFINITY });
gradient_test!(norms_0, Norms { p: 0.0 });
gradient_test!(norms_1, Norms { p: 1.0 });
gradient_test!(norms_3, Norms { p: 3.0 });

#[derive_backward]
pub fn masks_as_numbers(x: Tensor<f32, (N, C)>, y: Tensor<f32, (N, C)>) -> Tensor<f32, N> {
    let inside = gt(x, -1.0) & !ge(x, 1.0) | eq(y, 0.0);
    let share = mean(inside, C);
    share * x.sum(C) + sum(inside * y, C) - (inside * 2.0 - 1.0).sum(C) * mean(y, C)
}
gradient_test!(MasksAsNumbers);

#[derive_backward]
pub fn long_names(x: Tensor<f32, (Batch, Feature)>, w: Tensor<f32, (Unit, Feature)>) -> Tensor<f32, (Unit, Batch)> {
    max(dot(x, w, Feature), 0.0) + max(x, Feature) - min(w, Feature)
}
gradient_test!(LongNames);

#[derive_backward]
pub fn lower_case_axes(x: Tensor<f32, (batch, feature)>, n: usize) -> Tensor<f32, batch> {
    let y = sum(x, feature) * n;
    y / len(feature) + max(x, feature)
}
gradient_test!(LowerCaseAxes { n: 2 });

#[derive_backward]
pub fn scalar_tensors(
    x: Tensor<f32, (N, C)>,
    t: Tensor<f32, ()>,
    #[constant] u: Tensor<f32, ()>,
) -> (Tensor<f32, ()>, Tensor<f32, (N, C)>) {
    let y = x / (1.0 + t.sq()) - u;
    (mean(y, (N, C)) * t, y)
}
gradient_test!(ScalarTensors);

#[derive_backward]
pub fn positions(x: Tensor<f32, (N, L, D)>) -> Tensor<f32, (N, L, D)> {
    let i = index(D);
    let rate = exp(-(i - i / 2 * 0) * (10000.0_f64.ln() / len(D) as f64));
    let angle = index(L) * rate;
    x + select(eq(index(D), 0), sin(angle), cos(angle)) + index(L) / len(L)
}
gradient_test!(Positions);

#[derive_backward]
pub fn own_window(x: Tensor<f32, (N, H, W)>) -> Tensor<f32, (N, OH, OW)> {
    let k = Window::new([2, 2]).stride([1, 2]);
    let w = window(x, (H, W), (OH, OW), (KH, KW), k);
    mean(w, (KH, KW)) + w.max((KW, KH))
}
gradient_test!(OwnWindow);

#[derive_backward]
pub fn dropped_twice(x: Tensor<f32, (N, C)>, p: f64, seed: Seed) -> Tensor<f32, (N, C)> {
    let keep = 1.0 - p;
    let a = bernoulli_like(x, seed, keep) * x / keep;
    let b = bernoulli((C, N), seed.fold_in(1), keep);
    a * b
}
gradient_test!(DroppedTwice { p: 0.3, seed: Seed(5) });

#[derive_backward]
pub fn stacked(a: Tensor<f32, (N, C)>, b: Tensor<f32, C>) -> Tensor<f32, (N, D)> {
    let s = stack(S, (a, b, 1.0));
    let t = sum(s * constant([1.0, -2.0, 0.5], S), S);
    concat(D, (t, C), (rename(a, C, E), E))
}
gradient_test!(Stacked);

#[derive_backward]
pub fn blocks_as_values(x: Tensor<f32, (N, C)>, flag: bool) -> Tensor<f32, (N, C)> {
    let y = {
        let x = x * 2.0;
        let z = if flag { x + 1.0 } else { 0.0 };
        z * x
    };
    let s = { if flag { 3 } else { 4 } };
    -x.powi(2) - -y * s
}
gradient_test!(blocks_flag, BlocksAsValues { flag: true });
gradient_test!(blocks_no_flag, BlocksAsValues { flag: false });

mod other {
    use pullback::prelude::*;

    pub const GAIN: f64 = 1.5;

    #[derive_backward]
    pub fn affine(x: Tensor<f32, (N, I)>, w: Tensor<f32, (O, I)>, b: Option<Tensor<f32, O>>) -> Tensor<f32, (N, O)> {
        let y = dot(x, w, I) * crate::unusual::other::GAIN;
        if let Some(b) = b { y + b } else { y }
    }

    #[derive_backward(helper)]
    pub fn centred(x: Tensor<f32>, a: impl Axes) -> Tensor<f32> {
        x - mean(x, a)
    }

    #[derive_backward]
    pub fn pair(x: Tensor<f32, (N, C)>) -> (Tensor<f32, (C, N)>, Tensor<f32, N>) {
        (centred(x, N), sum(x, C))
    }

    #[derive_backward]
    pub fn taps(x: Tensor<f32, (N, L)>, k: Window<1>) -> Tensor<f32, (N, O)> {
        mean(window(x, L, O, K, k), K)
    }
}

#[derive_backward]
pub fn composed(
    x: Tensor<f32, (B, T, C)>,
    w: Tensor<f32, (C, F)>,
    v: Tensor<f32, (F, C)>,
    b: Tensor<f32, F>,
    k: Window<1>,
) -> Tensor<f32, (B, T, C)> {
    fn along(x: Tensor<f32, (Q, R)>) -> Tensor<f32, (Q, R)> {
        x - sum(x, R)
    }
    // a merged axis is the newest: a helper's promise puts it first
    fn rows(x: Tensor<f32, (I, R)>) -> Tensor<f32, (R, I)> {
        x
    }
    let flat = rows(merge(x, (B, T), M));
    let h: Tensor<f32, (M, F)> = other::affine(flat, v, Some(b));
    let h = other::affine(rows(max(h, 0.0)), w, None);
    let (p, q) = other::pair(along(h));
    let pooled: Tensor<f32, (M, P)> = other::taps(h, k);
    let y = sum(rename(p, C, E), E) + q + sum(pooled, P);
    x + split(y, M, (B, T), len(B)) * other::centred(x, (B, C)) + h.split(M, (B, T), len(B))
}
gradient_test!(Composed { k: Window::new([1]) });

#[derive_backward]
pub fn items_inside(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    use other::centred;
    use std::f64::consts::{PI, SQRT_2 as ROOT};
    const HALF: f64 = 0.5;
    const THIRD: f64 = HALF / 1.5;
    const POWER: i32 = 3;
    fn scaled(t: Tensor<f32>) -> Tensor<f32> {
        t * THIRD + PI
    }
    centred(scaled(x) * ROOT, N) + x.powi(POWER)
}
gradient_test!(ItemsInside);
