//! Contractions: linear, bilinear, convolutions, embeddings.

use pullback::prelude::*;

#[derive_backward]
pub fn conv1d(
    x: Tensor<f32, (N, I, L)>,
    weight: Tensor<f32, (O, I, K)>,
    bias: Option<Tensor<f32, O>>,
    k: Window<1>,
) -> Tensor<f32, (N, O, M)> {
    let y = dot(window(x, L, M, K, k), weight, (I, K));
    if let Some(b) = bias { y + b } else { y }
}
gradient_test!(Conv1d { k: Window::new([2]).stride([1]) });
gradient_test!(conv1d_padded, Conv1d { k: Window::new([3]).stride([2]).padding([1]) });

#[derive_backward]
pub fn causal_conv1d(x: Tensor<f32, (N, C, L)>, weight: Tensor<f32, (C, K)>) -> Tensor<f32, (N, C, L)> {
    let taps = len(K);
    ensure(taps == 3, "three taps");
    let mut y = 0.0 * x;
    for t in 0..3 {
        let w = sum(slice(weight, K, J, t..t + 1), J);
        y += w * shift(x, L, 2 - t);
    }
    y
}
gradient_test!(CausalConv1d);

#[derive_backward]
pub fn depthwise_conv2d(
    x: Tensor<f32, (N, C, H, W)>,
    weight: Tensor<f32, (C, KH, KW)>,
    k: Window<2>,
) -> Tensor<f32, (N, C, OH, OW)> {
    dot(window(x, (H, W), (OH, OW), (KH, KW), k), weight, (KH, KW))
}
gradient_test!(DepthwiseConv2d { k: Window::new([2, 3]).stride([1, 1]).padding([0, 1]) });

#[derive_backward]
pub fn grouped_conv2d(
    x: Tensor<f32, (N, C, H, W)>,
    weight: Tensor<f32, (F, I, KH, KW)>,
    groups: usize,
    k: Window<2>,
) -> Tensor<f32, (N, F, OH, OW)> {
    let xs = split(x, C, (G, I), groups);
    let ws = split(weight, F, (G, O), groups);
    let y = dot(window(xs, (H, W), (OH, OW), (KH, KW), k), ws, (I, KH, KW));
    merge(y, (G, O), F)
}
gradient_test!(GroupedConv2d { groups: 1, k: Window::new([2, 2]).stride([1, 1]) });

#[derive_backward]
pub fn conv3d_of_one_channel(
    x: Tensor<f32, (N, D, H, W)>,
    weight: Tensor<f32, (O, KD, KH, KW)>,
    k: Window<3>,
) -> Tensor<f32, (N, O, OD, OH, OW)> {
    dot(window(x, (D, H, W), (OD, OH, OW), (KD, KH, KW), k), weight, (KD, KH, KW))
}
gradient_test!(Conv3dOfOneChannel { k: Window::new([1, 2, 2]).stride([1, 1, 1]) });

#[derive_backward]
pub fn linear_relu(x: Tensor<f32, (Many<N>, I)>, weight: Tensor<f32, (O, I)>, bias: Tensor<f32, O>) -> Tensor<f32, (Many<N>, O)> {
    max(dot(x, weight, I) + bias, 0.0)
}
gradient_test!(LinearRelu);

#[derive_backward]
pub fn bilinear(
    a: Tensor<f32, (N, I)>,
    b: Tensor<f32, (N, J)>,
    weight: Tensor<f32, (O, I, J)>,
    bias: Option<Tensor<f32, O>>,
) -> Tensor<f32, (N, O)> {
    let y = dot(dot(weight, b, J), a, I);
    bias.map_or(y, |b| y + b)
}
gradient_test!(Bilinear);

#[derive_backward]
pub fn embedding(weight: Tensor<f32, (V, D)>, token: Labels<(B, T)>) -> Tensor<f32, (B, T, D)> {
    pick(weight, V, token)
}
gradient_test!(Embedding);

#[derive_backward]
pub fn embedding_bag(weight: Tensor<f32, (V, D)>, token: Labels<(B, T)>, position: Tensor<f32, (T, D)>) -> Tensor<f32, (B, D)> {
    mean(weight.pick(V, token) + position, T)
}
gradient_test!(EmbeddingBag);

#[derive_backward]
pub fn two_layers(x: Tensor<f32, (N, I)>, w1: Tensor<f32, (H, I)>, w2: Tensor<f32, (O, H)>) -> Tensor<f32, (N, O)> {
    dot(tanh(dot(x, w1, I)), w2, H)
}
gradient_test!(TwoLayers);

#[derive_backward]
pub fn squeeze_excite(
    x: Tensor<f32, (N, C, H, W)>,
    down: Tensor<f32, (R, C)>,
    up: Tensor<f32, (C, R)>,
) -> Tensor<f32, (N, C, H, W)> {
    let squeezed = mean(x, (H, W));
    let hidden = max(dot(squeezed, down, C), 0.0);
    x * sigmoid(dot(hidden, up, R))
}
gradient_test!(SqueezeExcite);

#[derive_backward]
pub fn gru_cell(
    x: Tensor<f32, (N, I)>,
    h: Tensor<f32, (N, H)>,
    wx: Tensor<f32, (G, I)>,
    wh: Tensor<f32, (G, J)>,
) -> Tensor<f32, (N, H)> {
    let from_x = split(dot(x, wx, I), G, (K, H), 3);
    let from_h = split(dot(rename(h, H, J), wh, J), G, (K, H), 3);
    let (mut r, mut z, mut n) = (0.0 * h, 0.0 * h, 0.0 * h);
    r += sum(select(eq(index(K), 0), from_x + from_h, 0.0), K);
    z += sum(select(eq(index(K), 1), from_x + from_h, 0.0), K);
    r = sigmoid(r);
    z = sigmoid(z);
    n += sum(select(eq(index(K), 2), from_x + r * from_h, 0.0), K);
    let n = tanh(n);
    (1.0 - z) * n + z * h
}
gradient_test!(GruCell);

#[derive_backward]
pub fn matmul(a: Tensor<f32, (Many<B>, M, K)>, b: Tensor<f32, (Many<B>, K, N)>) -> Tensor<f32, (Many<B>, M, N)> {
    dot(a, b, K)
}
gradient_test!(Matmul);

#[derive_backward]
pub fn gram(x: Tensor<f32, (N, C, Many<S>)>) -> Tensor<f32, (N, C, D)> {
    dot(x, rename(x, C, D), S) / (len(C) * len(S))
}
gradient_test!(Gram);
