//! What the macro writes, as files: compared with what it writes now, and read by people. `expanded.rs` compiles them.
//!
//! `BLESS=1 cargo test -p pullback-tests --test expand` rewrites the files; nobody edits them.

use std::path::Path;

const SNAPSHOTS: &[(&str, &str)] = &[
    (
        "batch_norm",
        "pub fn batch_norm(
            x: Tensor<f32, (N, C, Many<S>)>,
            gamma: Tensor<f32, C>,
            beta: Tensor<f32, C>,
            eps: f64,
        ) -> Tensor<f32, (N, C, Many<S>)> {
            let mu = mean(x, (N, S));
            let var = mean(sq(x - mu), (N, S));
            gamma * (x - mu) / sqrt(var + eps) + beta
        }",
    ),
    (
        "softmax",
        "pub fn softmax(x: Tensor<f32, (Many<N>, C)>) -> Tensor<f32, (Many<N>, C)> {
            let e = exp(x - max(x, C));
            e / sum(e, C)
        }",
    ),
    (
        "max_pool2d",
        "pub fn max_pool2d(x: Tensor<f32, (N, C, H, W)>, k: Window<2>) -> Tensor<f32, (N, C, OH, OW)> {
            max(window(x, (H, W), (OH, OW), (KH, KW), k), (KH, KW))
        }",
    ),
    (
        "chain",
        "pub fn chain(
            x: Tensor<f32, (N, C)>,
            skip: Tensor<f32, (N, C)>,
            scale: Tensor<f32, C>,
            shift: Tensor<f32, C>,
            gamma: Tensor<f32, C>,
            beta: Tensor<f32, C>,
            seed: Seed,
            p: f64,
            eps: f64,
        ) -> Tensor<f32, (N, C)> {
            fn norm(x: Tensor<f32, (N, C)>, over: impl Axes, eps: f64) -> Tensor<f32, (N, C)> {
                let mu = mean(x, over);
                let var = mean(sq(x - mu), over);
                (x - mu) / sqrt(var + eps)
            }
            let active = max(scale * norm(x, N, eps) + shift, 0.0);
            let kept = active * bernoulli_like(active, seed, 1.0 - p) / (1.0 - p);
            gamma * norm(kept + skip, C, eps) + beta
        }",
    ),
];

/// The macro's output for a formula, printed.
fn expansion(source: &str) -> String {
    let item = source.parse().expect("tokens");
    let tokens = pullback_derivations::derive_backward(proc_macro2::TokenStream::new(), item, "snapshot");
    prettyplease::unparse(&syn::parse2(tokens).expect("items"))
}

#[test]
fn expansions_are_as_blessed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("expand");
    let mut changed = vec![];
    for (name, source) in SNAPSHOTS {
        let path = folder.join(format!("{name}.rs"));
        let now = expansion(source);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &now).expect("a file that can be written");
        }
        if std::fs::read_to_string(&path).expect("a blessed file") != now {
            changed.push(path.display().to_string());
        }
    }
    assert!(changed.is_empty(), "changed; BLESS=1 accepts what is there now: {changed:?}");
}

#[test]
fn an_expansion_is_the_same_every_time() {
    let first: Vec<String> = SNAPSHOTS.iter().map(|(_, source)| expansion(source)).collect();
    let again: Vec<String> = SNAPSHOTS.iter().rev().map(|(_, source)| expansion(source)).collect();
    assert!(first.iter().eq(again.iter().rev()), "what was expanded before changes an expansion");
}
