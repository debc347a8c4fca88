//! Sums of products whose factors are not 0 where the sum skips them: what is skipped must be said.

use super::check;
use super::spatial::windowed;
use crate::graph::*;
use crate::plan::Phase;

fn contractions(plan: &crate::plan::Plan) -> usize {
    plan.phases.iter().filter(|p| matches!(p, Phase::Gemm(_))).count()
}

#[test]
fn skipped_terms_of_a_contraction_are_not_zero() {
    let (mut f, view, valid) = windowed(1, 1, 3, true);
    f.axis("O", 2, 64);
    let w = f.input("w", "O C KH KW");
    let e = f.exp(view);
    let product = f.mul(e, w);
    let y = f.reduce_holes(ReduceOp::Sum, product, "C KH KW", &valid);
    let plans = check(f, &[y]);
    assert!(contractions(&plans.forward) + contractions(&plans.backward) > 0, "nothing to see");
}

/// A mask over an axis that no factor has, and one over the axis that is summed.
#[test]
fn masks_over_other_axes_than_the_factors() {
    for axis in ["P", "N"] {
        let mut f = super::Formula::default();
        for (name, len, canonical) in [("N", 4, 256), ("I", 3, 256), ("O", 5, 256), ("P", 2, 8)] {
            f.axis(name, len, canonical);
        }
        let (x, z) = (f.input("x", "N I"), f.input("z", "N O"));
        let product = f.mul(x, z);
        // n + 2·p < 4
        let (n, other) = (f.one("N"), f.one(axis));
        let terms = if n == other { vec![(n, 2)] } else { vec![(n, 1), (other, 2)] };
        let e = f.affine(&terms, 0);
        let (lo, hi) = (f.int(0), f.int(4));
        let mask = f.graph.test(vec![Condition::Range { e, lo, hi }]);
        let zero = f.num(0.0);
        let masked = f.graph.select(mask, product, zero);
        let y = f.sum(masked, "N");
        check(f, &[y]);
    }
}
