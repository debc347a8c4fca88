//! Views: renamed, split, sliced, shifted, stacked.

use pullback::prelude::*;

#[derive_backward]
pub fn transpose(x: Tensor<f32, (A, B)>) -> Tensor<f32, (B, A)> {
    x
}
gradient_test!(Transpose);

#[derive_backward]
pub fn differences(x: Tensor<f32, (N, L)>) -> Tensor<f32, (N, M)> {
    let n = len(L) - 1;
    slice(x, L, M, 1..) - slice(x, L, M, ..n)
}
gradient_test!(Differences);

#[derive_backward]
pub fn shifted_sum(x: Tensor<f32, (N, L)>, by: i64) -> Tensor<f32, (N, L)> {
    x * shift(x, L, by) + shift(x, L, -1)
}
gradient_test!(ShiftedSum { by: 2 });

#[derive_backward]
pub fn outer_difference(x: Tensor<f32, N>) -> Tensor<f32, (N, M)> {
    sq(x - rename(x, N, M))
}
gradient_test!(OuterDifference);

#[derive_backward]
pub fn pixel_shuffle(x: Tensor<f32, (N, C, H, W)>, r: usize) -> Tensor<f32, (N, O, HO, WO)> {
    let y = split(x, C, (O, RR), len(C) / (r * r));
    let y = split(y, RR, (RH, RW), r);
    merge(merge(y, (H, RH), HO), (W, RW), WO)
}
gradient_test!(PixelShuffle { r: 1 });

#[derive_backward]
pub fn channel_shuffle(x: Tensor<f32, (N, C, Many<S>)>, groups: usize) -> Tensor<f32, (N, C, Many<S>)> {
    merge(split(x, C, (G, D), groups), (D, G), C)
}
gradient_test!(ChannelShuffle { groups: 1 });
gradient_test!(channel_shuffle_of_two, ChannelShuffle { groups: 2 });

#[derive_backward]
pub fn stacked(a: Tensor<f32, (N, C)>, b: Tensor<f32, C>) -> Tensor<f32, (N, S, C)> {
    stack(S, (a, a * b, exp(b)))
}
gradient_test!(Stacked);

#[derive_backward]
pub fn concatenated(a: Tensor<f32, (N, A)>, b: Tensor<f32, (N, B)>) -> Tensor<f32, (N, C)> {
    concat(C, (a, A), (sq(b), B))
}
gradient_test!(Concatenated);

#[derive_backward]
pub fn dense_block(x: Tensor<f32, (N, C)>, w: Tensor<f32, (D, C)>) -> Tensor<f32, (N, E)> {
    let fresh = max(dot(x, w, C), 0.0);
    concat(E, (x, C), (fresh, D))
}
gradient_test!(DenseBlock);

#[derive_backward]
pub fn picked_pixel(x: Tensor<f32, (N, H, W)>, at: Labels<N>) -> Tensor<f32, N> {
    pick(x, (H, W), at)
}
gradient_test!(PickedPixel);

#[derive_backward]
pub fn largest_of_all(x: Tensor<f32, (N, C)>) -> (Tensor<i64, N>, Tensor<f32, N>, Tensor<i64, N>) {
    (argmax(x, C), max(x, C) - min(x, C), argmin(x, C))
}
gradient_test!(LargestOfAll);

/// What another tensor has at the place of the largest.
#[derive_backward]
pub fn taken_along(x: Tensor<f32, (N, C)>, score: Tensor<f32, (N, C)>) -> Tensor<f32, N> {
    pick(x, C, argmax(score, C)) + max(score, C)
}
gradient_test!(TakenAlong);

#[derive_backward]
pub fn lower_triangle(x: Tensor<f32, (N, R, C)>) -> Tensor<f32, (N, R, C)> {
    select(ge(index(R), index(C)), x, 0.0)
}
gradient_test!(LowerTriangle);

#[derive_backward]
pub fn trace(x: Tensor<f32, (I, J)>) -> Tensor<f32, ()> {
    sum(x * eq(index(I), index(J)), (I, J))
}
gradient_test!(Trace);

#[derive_backward]
pub fn positional(x: Tensor<f32, (B, T, D)>) -> Tensor<f32, (B, T, D)> {
    let rate = exp(index(D) * (-(10000.0f64.ln()) / len(D) as f64));
    x + sin(index(T) * rate)
}
gradient_test!(Positional);

#[derive_backward]
pub fn centre_of_mass(x: Tensor<f32, (N, H, W)>) -> Tensor<f32, (N, A)> {
    let p = exp(x - logsumexp(x, (H, W)));
    stack(A, (sum(p * index(H), (H, W)), sum(p * index(W), (H, W))))
}
gradient_test!(CentreOfMass);

#[derive_backward]
pub fn unfold(x: Tensor<f32, (N, L)>, size: usize, step: usize) -> Tensor<f32, (N, O, K)> {
    fill(window(x, L, O, K, Window::new([size]).stride([step])), 0.0)
}
gradient_test!(Unfold { size: 2, step: 1 });

#[derive_backward]
pub fn total_variation(x: Tensor<f32, (N, C, H, W)>) -> Tensor<f32, ()> {
    let h = len(H) - 1;
    let w = len(W) - 1;
    let dy = slice(x, H, P, 1..) - slice(x, H, P, ..h);
    let dx = slice(x, W, Q, 1..) - slice(x, W, Q, ..w);
    sum(abs(dy), (N, C, P, W)) + sum(abs(dx), (N, C, H, Q))
}
gradient_test!(TotalVariation);
