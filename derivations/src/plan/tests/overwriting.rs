//! Which inputs a result may lie over.

use super::formula::Formula;
use crate::graph::{InputId, NodeId};
use crate::plan::{Root, plan};

/// Whether the first output may overwrite `x`, the first input, over (N, C).
fn may_overwrite(f: &Formula, outputs: &[NodeId]) -> bool {
    let roots: Vec<Root> = outputs.iter().map(|y| Root::output(*y)).collect();
    plan(&f.graph, &roots, &[]).may_overwrite(InputId(0), 0)
}

fn formula() -> (Formula, NodeId) {
    let mut f = Formula::default();
    for (name, len, canonical) in [("N", 4, 512), ("C", 5, 512), ("D", 3, 512)] {
        f.axis(name, len, canonical);
    }
    let x = f.input("x", "N C");
    (f, x)
}

#[test]
fn at_the_position_itself_and_along_what_a_block_holds() {
    let (mut f, x) = formula();
    let y = f.exp(x);
    assert!(may_overwrite(&f, &[y]));
    // sums of a row, moved along it or not
    for by in [0, 1] {
        let (mut f, x) = formula();
        let moved = if by == 0 { x } else { f.shift(x, "C", by) };
        let sum = f.sum(moved, "C");
        let y = f.sub(x, sum);
        assert!(may_overwrite(&f, &[y]), "moved by {by}");
    }
}

#[test]
fn never_what_is_read_elsewhere() {
    for axis in ["N", "C"] {
        let (mut f, x) = formula();
        let moved = f.shift(x, axis, 1);
        let y = f.sub(x, moved);
        assert!(!may_overwrite(&f, &[y]), "a neighbour along {axis}");
    }
    // the row before this one, which may be another block's
    let (mut f, x) = formula();
    let moved = f.shift(x, "N", 1);
    let sum = f.sum(moved, "C");
    let y = f.sub(x, sum);
    assert!(!may_overwrite(&f, &[y]));
}

#[test]
fn never_what_is_read_later() {
    // in the same nest, once the result is summed
    let (mut f, x) = formula();
    let y = f.exp(x);
    let sum = f.sum(y, "C");
    let scaled = f.mul(x, sum);
    let scaled = f.un(crate::graph::UnaryOp::Tanh, scaled);
    let z = f.sum(scaled, "C");
    assert!(!may_overwrite(&f, &[y, z]));
    // by a contraction
    let (mut f, x) = formula();
    let w = f.input("w", "C D");
    let y = f.exp(x);
    let weighted = f.dot(y, w, "C");
    let total = f.sum(weighted, "N D");
    let shifted = f.mul(w, total);
    let z = f.dot(x, shifted, "C");
    assert!(!may_overwrite(&f, &[y, z]));
}
