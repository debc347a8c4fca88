use crate::prelude::*;

/// Cross-entropy of logits against integer labels, averaged over the batch:
/// `−mean_n ln softmax(logits)[n, label n] = mean_n (ln Σ_c exp s[n,c] − s[n, label n])` with `s = logits − max_c logits`.
///
/// Shapes: logits `(N, C)`, label `N` with values in `0..C`; the loss is a number. Source: I. Goodfellow, Y. Bengio,
/// A. Courville, "Deep Learning", 2016, equation 6.31; PyTorch's `CrossEntropyLoss`.
#[derive_backward]
pub fn cross_entropy<T: Float>(logits: Tensor<T, (N, C)>, label: Labels<N>) -> Tensor<T, ()> {
    let shifted = logits - max(logits, C);
    mean(log(sum(exp(shifted), C)) - pick(shifted, C, label), N)
}
