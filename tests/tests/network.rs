//! The digits' network as one formula, in evaluation: a large batch against its parts.

#[path = "../../runtime/examples/digits/network.rs"]
#[allow(dead_code)]
mod network;

use pullback::ndarray::{Array1, Array2, Array4, s};

fn filled(n: usize, k: f32) -> Vec<f32> {
    (0..n).map(|i| (i as f32 * k).sin()).collect()
}

#[test]
fn logits_of_a_large_batch() {
    let n = 1438;
    let x = Array4::from_shape_vec((n, 1, 8, 8), filled(n * 64, 0.37)).unwrap();
    let a4 = |a, b, k| Array4::from_shape_vec((a, b, 3, 3), filled(a * b * 9, k)).unwrap();
    let a1 = |n, k| Array1::from_vec(filled(n, k));
    let (c1, c2) = (a4(16, 1, 0.71), a4(32, 16, 0.53));
    let (g1, b1, m1, v1) = (a1(16, 0.3), a1(16, 0.2), a1(16, 0.1), a1(16, 0.7).mapv(|v| v * v + 0.5));
    let (g2, b2, m2, v2) = (a1(32, 0.3), a1(32, 0.2), a1(32, 0.1), a1(32, 0.7).mapv(|v| v * v + 0.5));
    let w = Array2::from_shape_vec((10, 512), filled(5120, 0.11)).unwrap();
    let bias = a1(10, 0.4);
    let run = |x: &pullback::ndarray::ArrayRef<f32, pullback::ndarray::Ix4>| {
        network::logits(x, &c1, &g1, &b1, &c2, &g2, &b2, &w, &bias, &m1, &v1, &m2, &v2).unwrap()
    };
    let whole = run(&x);
    let mut bad = 0;
    for i in (0..n).step_by(211) {
        let part = run(&x.slice(s![i..i + 1, .., .., ..]));
        for c in 0..10 {
            if (part[[0, c]] - whole[[i, c]]).abs() > 1e-3 * (1.0 + part[[0, c]].abs()) {
                bad += 1;
                if bad < 10 {
                    println!("image {i} class {c}: {} alone, {} in the batch", part[[0, c]], whole[[i, c]]);
                }
            }
        }
    }
    assert_eq!(bad, 0);
}
