//! Pools, convolutions, resampling and re-indexing.

use crate::harness::{Constants, Row, row};
use pullback::prelude::*;
use pullback_tests::opinfo::Sample;

#[derive_backward]
fn max_pool(x: Tensor<f32, (N, C, H, W)>, k: Window<2>) -> (Tensor<f32, (N, C, OH, OW)>, Tensor<i64, (N, C, OH, OW)>) {
    let w = window(x, (H, W), (OH, OW), (KH, KW), k);
    let at = window(index(H) * len(W) + index(W), (H, W), (OH, OW), (KH, KW), k);
    let best = argmax(w, (KH, KW));
    (max(w, (KH, KW)), pick(fill(at, 0.0), (KH, KW), best))
}

#[derive_backward]
fn mean_pool(x: Tensor<f32, (N, C, H, W)>, k: Window<2>) -> Tensor<f32, (N, C, OH, OW)> {
    x.window((H, W), (OH, OW), (KH, KW), k).mean((KH, KW))
}

#[derive_backward]
fn lp_pool(x: Tensor<f32, (N, C, H, W)>, p: f64) -> Tensor<f32, (N, C, OH, OW)> {
    let w = window(powf(x, p), (H, W), (OH, OW), (KH, KW), Window::new([2, 2]));
    w.sum((KH, KW)).powf(1.0 / p)
}

#[derive_backward]
fn max_minus_mean(x: Tensor<f32, (N, C, L)>, k: Window<1>) -> Tensor<f32, (N, C, O)> {
    let w = window(x, L, O, K, k);
    max(w, K) - mean(w, K)
}

#[derive_backward]
fn adaptive(x: Tensor<f32, (N, C, H, W)>, oh: usize, ow: usize) -> (Tensor<f32, (N, C, OH, OW)>, Tensor<f32, (N, C, OH, OW)>) {
    let w = adaptive_window(x, (H, W), (OH, OW), (KH, KW), (oh, ow));
    (mean(w, (KH, KW)), max(w, (KH, KW)))
}

#[derive_backward]
fn global_pools(x: Tensor<f32, (N, C, Many<S>)>) -> Tensor<f32, (N, D)> {
    concat(D, (mean(x, S), C), (max(x, S), C))
}

#[derive_backward]
fn conv(
    x: Tensor<f32, (N, C, H, W)>,
    w: Tensor<f32, (O, C, KH, KW)>,
    b: Tensor<f32, O>,
    k: Window<2>,
) -> Tensor<f32, (N, O, OH, OW)> {
    let patches = window(x, (H, W), (OH, OW), (KH, KW), k);
    dot(patches, w, (C, KH, KW)) + b
}

#[derive_backward]
fn grouped_conv(x: Tensor<f32, (N, C, H, W)>, w: Tensor<f32, (O, D, KH, KW)>) -> Tensor<f32, (N, O, OH, OW)> {
    let k = Window::new([3, 3]).stride([1, 1]).padding([1, 1]);
    let x = split(x, C, (G, D), 2);
    let w = split(w, O, (G, P), 2);
    let y = dot(window(x, (H, W), (OH, OW), (KH, KW), k), w, (D, KH, KW));
    merge(y, (G, P), O)
}

#[derive_backward]
fn depthwise(x: Tensor<f32, (N, C, H, W)>, w: Tensor<f32, (C, KH, KW)>) -> Tensor<f32, (N, C, OH, OW)> {
    let k = Window::new([3, 3]).stride([1, 1]).padding([1, 1]);
    sum(window(x, (H, W), (OH, OW), (KH, KW), k) * w, (KH, KW))
}

#[derive_backward]
fn causal_conv(x: Tensor<f32, (N, C, L)>, w: Tensor<f32, (O, C, K)>, b: Tensor<f32, O>) -> Tensor<f32, (N, O, M)> {
    let p = pad(x, L, P, 4, 0, 0.0);
    let taps = window(p, P, M, K, Window::new([3]).stride([1]).dilation([2]));
    dot(taps, w, (C, K)) + b
}

#[derive_backward]
fn transposed_conv(x: Tensor<f32, (N, C, L)>, w: Tensor<f32, (C, O, K)>) -> Tensor<f32, (N, O, M)> {
    // zeros between the elements, then a convolution with the kernel turned round
    let spread = merge(stack(Z, (x, 0.0)), (L, Z), U);
    let spread = slice(spread, U, V, ..2 * len(L) - 1);
    let taps = window(pad(spread, V, P, 1, 1, 0.0), P, M, K, Window::new([3]).stride([1]));
    dot(taps, flip(w, K), (C, K))
}

#[derive_backward]
fn conv_3d(x: Tensor<f32, (N, C, D, H, W)>, w: Tensor<f32, (O, C, KD, KH, KW)>) -> Tensor<f32, (N, O, OD, OH, OW)> {
    let patches = window(x, (D, H, W), (OD, OH, OW), (KD, KH, KW), Window::new([2, 2, 2]).stride([1, 1, 1]));
    patches.dot(w, (C, KD, KH, KW))
}

#[derive_backward]
fn unfold(x: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, (N, C, K, O)> {
    let k = Window::new([2, 3]).padding([1, 0]).stride([1, 2]);
    let patches = fill(window(x, (H, W), (OH, OW), (KH, KW), k), 0.0);
    merge(merge(patches, (KH, KW), K), (OH, OW), O)
}

#[derive_backward]
fn fold_1d(x: Tensor<f32, (N, C, T, K)>) -> Tensor<f32, (N, C, L)> {
    let frames = merge(x, (T, K), F);
    let place = index(T) * 2 + index(K);
    let place = merge(place, (T, K), F);
    let nowhere = constant([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], L);
    let hit = eq(place, index(L));
    sum(select(hit, frames + nowhere, 0.0), F)
}

#[derive_backward]
fn pixel_shuffle(x: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, (N, D, OH, OW)> {
    let z = split(x, C, (D, Q), len(C) / 4);
    let z = split(z, Q, (A, B), 2);
    merge(merge(z, (H, A), OH), (W, B), OW)
}

#[derive_backward]
fn pixel_unshuffle(x: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, (N, D, OH, OW)> {
    let z = x.split(H, (OH, A), len(H) / 2).split(W, (OW, B), len(W) / 2);
    z.merge((C, A), E).merge((E, B), D)
}

#[derive_backward]
fn channel_shuffle(x: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, (N, D, H, W)> {
    merge(split(x, C, (G, P), 3), (P, G), D)
}

#[derive_backward]
fn upsample_nearest(x: Tensor<f32, (N, C, L)>) -> Tensor<f32, (N, C, M)> {
    merge(stack(R, (x, x, x)), (L, R), M)
}

#[derive_backward]
fn tiled(x: Tensor<f32, (N, C, L)>) -> Tensor<f32, (N, C, M)> {
    repeat(x, L, M, 3)
}

#[derive_backward]
fn upsample_bilinear(x: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, (N, C, OH, OW)> {
    let rows = pad_edge(x, H, P, 1, 1);
    let up = slice(rows, P, H, ..len(P) - 2);
    let mid = slice(rows, P, H, 1..len(P) - 1);
    let down = slice(rows, P, H, 2..);
    let tall = merge(stack(A, (0.25 * up + 0.75 * mid, 0.75 * mid + 0.25 * down)), (H, A), OH);
    let columns = pad_edge(tall, W, Q, 1, 1);
    let left = slice(columns, Q, W, ..len(Q) - 2);
    let centre = slice(columns, Q, W, 1..len(Q) - 1);
    let right = slice(columns, Q, W, 2..);
    merge(stack(B, (0.25 * left + 0.75 * centre, 0.75 * centre + 0.25 * right)), (W, B), OW)
}

#[derive_backward]
fn padded(x: Tensor<f32, (N, C, H, W)>, mode: usize) -> Tensor<f32, (N, C, P, Q)> {
    let y = match mode {
        0 => pad_reflect(pad_reflect(x, H, P, 2, 1), W, Q, 1, 2),
        1 => pad_edge(pad_edge(x, H, P, 2, 1), W, Q, 1, 2),
        2 => pad_circular(pad_circular(x, H, P, 2, 1), W, Q, 1, 2),
        _ => pad(pad(x, H, P, 2, 1, 0.5), W, Q, 1, 2, 0.5),
    };
    sq(y)
}

#[derive_backward]
fn sobel(x: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, (N, C, OH, OW)> {
    let p = pad_edge(pad_edge(x, H, P, 1, 1), W, Q, 1, 1);
    let w = window(p, (P, Q), (OH, OW), (KH, KW), Window::new([3, 3]).stride([1, 1]));
    let (smooth_h, diff_w) = (constant([1.0, 2.0, 1.0], KH), constant([-1.0, 0.0, 1.0], KW));
    let (diff_h, smooth_w) = (constant([-1.0, 0.0, 1.0], KH), constant([1.0, 2.0, 1.0], KW));
    let gx = dot(w, smooth_h * diff_w, (KH, KW));
    let gy = dot(w, diff_h * smooth_w, (KH, KW));
    sqrt(gx * gx + gy * gy + 1e-6)
}

#[derive_backward]
fn ssim(x: Tensor<f32, (N, C, H, W)>, y: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, ()> {
    let k = Window::new([3, 3]).stride([1, 1]);
    let xw = window(x, (H, W), (OH, OW), (KH, KW), k);
    let yw = window(y, (H, W), (OH, OW), (KH, KW), k);
    let (mx, my) = (mean(xw, (KH, KW)), mean(yw, (KH, KW)));
    let sx = var(xw, (KH, KW));
    let sy = var(yw, (KH, KW));
    let sxy = mean((xw - mx) * (yw - my), (KH, KW));
    let (c1, c2) = (0.01_f64.powi(2), 0.03_f64.powi(2));
    let score = (2.0 * mx * my + c1) * (2.0 * sxy + c2) / ((sq(mx) + sq(my) + c1) * (sx + sy + c2));
    mean(score, (N, C, OH, OW))
}

#[derive_backward]
fn blur_pool(x: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, (N, C, OH, OW)> {
    let p = x.pad_reflect(H, P, 1, 1).pad_reflect(W, Q, 1, 1);
    let w = window(p, (P, Q), (OH, OW), (KH, KW), Window::new([3, 3]).stride([2, 2]));
    w.dot(constant([0.25, 0.5, 0.25], KH) * constant([0.25, 0.5, 0.25], KW), (KH, KW))
}

#[derive_backward]
fn stochastic_free_pool(x: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, (N, C, OH, OW)> {
    let w = window(x, (H, W), (OH, OW), (KH, KW), Window::new([2, 2]));
    mean(w * w, (KH, KW)) / (mean(abs(w), (KH, KW)) + 1e-8)
}

#[derive_backward]
fn soft_pool(x: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, (N, C, OH, OW)> {
    let w = window(x, (H, W), (OH, OW), (KH, KW), Window::new([2, 2]));
    let e = exp(w - max(w, (KH, KW)));
    sum(w * e, (KH, KW)) / sum(e, (KH, KW))
}

#[derive_backward]
fn log_sum_exp_pool(x: Tensor<f32, (N, C, L)>) -> Tensor<f32, (N, C, O)> {
    window(x, L, O, K, Window::new([3]).stride([2])).logsumexp(K)
}

#[derive_backward]
fn moving_variance(x: Tensor<f32, (N, C, L)>) -> (Tensor<f32, (N, C, O)>, Tensor<f32, (N, C, O)>, Tensor<f32, (N, C, O)>) {
    let w = window(x, L, O, K, Window::new([3]).stride([1]));
    (var(w, K), prod(w, K), min(w, K))
}

#[derive_backward]
fn max_unpool(x: Tensor<f32, (N, C, H, W)>, y: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, (N, C, H, W)> {
    let p = split(split(x, H, (OH, KH), len(H) / 2), W, (OW, KW), len(W) / 2);
    let best = argmax(p, (KH, KW));
    let here = eq(index(KH) * len(KW) + index(KW), best);
    let spread = select(here, max(p, (KH, KW)), 0.0);
    merge(merge(spread, (OH, KH), H), (OW, KW), W) + y
}

#[derive_backward]
fn pyramid(x: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, (N, F)> {
    let one = merge(max(adaptive_window(x, (H, W), (A, B), (K, L), (1, 1)), (K, L)), (A, B), P);
    let two = merge(max(adaptive_window(x, (H, W), (A2, B2), (K2, L2), (2, 2)), (K2, L2)), (A2, B2), P2);
    let four = merge(max(adaptive_window(x, (H, W), (A4, B4), (K4, L4), (4, 4)), (K4, L4)), (A4, B4), P4);
    concat(F, (merge(one, (C, P), E1), E1), (merge(two, (C, P2), E2), E2), (merge(four, (C, P4), E4), E4))
}

#[derive_backward]
fn time_shift(x: Tensor<f32, (N, L, C)>, by: i64) -> Tensor<f32, (N, L, C)> {
    roll(x, L, by) * x + shift(x, L, by) - flip(x, L)
}

#[derive_backward]
fn embedded(w: Tensor<f32, (V, D)>, label: Labels<(N, L)>, p: Tensor<f32, (L, D)>) -> Tensor<f32, (N, L, D)> {
    pick(w, V, label) + p
}

#[derive_backward]
fn segment_sums(x: Tensor<f32, (N, D)>, label: Labels<N>) -> (Tensor<f32, (K, D)>, Tensor<f32, (K, D)>) {
    let s = scatter_add(x, label, K, 4);
    let n = sum(eq(index(K), label), N);
    (s / max(n, 1.0), s)
}

#[derive_backward]
fn haar(x: Tensor<f32, (N, C, L)>) -> (Tensor<f32, (N, C, M)>, Tensor<f32, (N, C, M)>) {
    let pairs = split(x, L, (M, K), len(L) / 2);
    let r = std::f64::consts::FRAC_1_SQRT_2;
    (dot(pairs, constant([1.0, 1.0], K), K) * r, dot(pairs, constant([1.0, -1.0], K), K) * r)
}

#[derive_backward]
fn involution(x: Tensor<f32, (N, C, H, W)>, g: Tensor<f32, (N, H, W)>) -> Tensor<f32, (N, C, H, W)> {
    let w = window(x, (H, W), (OH, OW), (KH, KW), Window::new([3, 3]).stride([1, 1]).padding([1, 1]));
    let sums = sum(w, (KH, KW));
    rename(rename(sums, OH, H), OW, W) * g
}

fn plane(s: &Sample) -> Window<2> {
    let [k, stride, padding, dilation] = ["k", "s", "p", "d"].map(|name| s.list::<2>(name));
    Window::new(k).stride(stride).padding(padding).dilation(dilation).ceil_mode(s.flag("ceil"))
}

fn taps(s: &Sample) -> Window<2> {
    let [stride, padding, dilation] = ["s", "p", "d"].map(|name| s.list::<2>(name));
    Window::new([3, 3]).stride(stride).padding(padding).dilation(dilation)
}

fn mode(s: &Sample) -> usize {
    let name = s.kwarg("mode").and_then(|m| m.as_str()).expect("a mode");
    ["reflect", "replicate", "circular", "constant"].iter().position(|m| *m == name).expect("one of four")
}

const LAST: &str = "of several NaN the last counts, as in PyTorch's pools; in its `max` the first";
const ZERO: &str = "PyTorch multiplies what it does not need by 0";

pub fn rows() -> Vec<Row> {
    vec![
        row!("max_pool", |s| MaxPool { k: plane(s) }),
        row!("mean_pool", |s| MeanPool { k: plane(s).count_padding(s.flag("count")) }),
        row!("lp_pool", |s| LpPool { p: s.f("p") }),
        row!("max_minus_mean", |s| MaxMinusMean { k: Window::new([s.n("k")]).stride([s.n("s")]).padding([s.n("p")]) }),
        row!("adaptive", |s| Adaptive { oh: s.list::<2>("size")[0], ow: s.list::<2>("size")[1] }),
        row!("global_pools", GlobalPools).differs(&[("nans", "gradient of x", LAST)]),
        row!(single "conv", |s| Conv { k: taps(s) }),
        row!("grouped_conv", GroupedConv),
        row!("depthwise", Depthwise),
        row!("causal_conv", CausalConv),
        row!("transposed_conv", TransposedConv),
        row!("conv_3d", Conv3d),
        row!("unfold", Unfold),
        row!("fold_1d", Fold1d),
        row!("pixel_shuffle", PixelShuffle),
        row!("pixel_unshuffle", PixelUnshuffle),
        row!("channel_shuffle", ChannelShuffle),
        row!("upsample_nearest", UpsampleNearest),
        row!("tiled", Tiled),
        row!("upsample_bilinear", UpsampleBilinear).differs(&[("nan", "output 0", ZERO)]),
        row!("padded", |s| Padded { mode: mode(s) }),
        row!("sobel", Sobel),
        row!("ssim", Ssim),
        row!("blur_pool", BlurPool),
        row!("stochastic_free_pool", StochasticFreePool),
        row!("soft_pool", SoftPool),
        row!("log_sum_exp_pool", LogSumExpPool),
        row!("moving_variance", MovingVariance),
        row!("max_unpool", MaxUnpool),
        row!("pyramid", Pyramid),
        row!("time_shift", |s| TimeShift { by: s.f("by") as i64 }),
        row!("embedded", Embedded),
        row!("segment_sums", SegmentSums),
        row!("haar", Haar),
        row!("involution", Involution),
    ]
}
