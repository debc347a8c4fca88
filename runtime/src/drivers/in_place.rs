//! A result that overwrites an input: one memory, under two names in one script.
//!
//! Why that is no race. The only pointer to the memory is the target's, from the caller's `&mut`: the input that it
//! overwrites is a mark without one, which gets it here, and nowhere if it breaks a rule:
//!
//! - One sweep stores the result, an element at each position. Phases before its own have ended when it begins, and may
//!   read the input as they like.
//! - The sweeps before it in its nest read the input within their block: at the position's own indices along the nest's
//!   outer axes, which result and input have. So no block reads an element that another one writes, and within a block a
//!   sweep ends before the next begins.
//! - The storing sweep, whose domain has the result's axes, reads an element only where it computes the value that goes
//!   there, once. A tile fills its lines before its body runs, and the body loads a vector before it stores one to the same
//!   place, both by pointers that come from the one above.
//! - Nothing later reads the input.

use super::array::Mode;
use super::script::{Array, ArrayInfo, Kind, Leaf, Operand, Phase, Place, Step};
use super::space::Axis;

/// Gives the inputs that a result overwrites its memory.
///
/// # Panics
/// Where the script is not one that may do so.
pub(crate) fn resolve(arrays: &mut [ArrayInfo], phases: &[Phase], overwriting: Option<Array>) {
    let is_mark = |i: &usize| matches!(arrays[*i].kind, Kind::Overwritten);
    let marks: Vec<usize> = (0..arrays.len()).filter(is_mark).collect();
    for input in marks {
        let result = overwriting.expect("a script that reads what it overwrites has a result that does");
        let root = &arrays[result.0 as usize];
        let Kind::Root(Some((raw, Mode::Write))) = &root.kind else { panic!("what overwrites an input is written") };
        let input = Array(input as u32);
        let info = &arrays[input.0 as usize];
        assert!(info.axes == root.axes, "a result overwrites an input of its own axes");
        assert!(is_sound(phases, root, input, result), "a result overwrites an input before it was read");
        let raw = raw.clone();
        arrays[input.0 as usize].elem = raw.elem;
        arrays[input.0 as usize].kind = Kind::Input(raw);
    }
}

fn is_sound(phases: &[Phase], root: &ArrayInfo, input: Array, result: Array) -> bool {
    let writes = |s: &Step| s.writes().any(|a| a == result);
    let reads = |s: &Step| s.reads().contains(&input);
    let mut written = false;
    phases.iter().all(|phase| match phase {
        Phase::Nest { outer, steps, after } if steps.iter().any(writes) => {
            let first = !std::mem::replace(&mut written, true);
            let at = steps.iter().position(writes).unwrap_or(0);
            let step = &steps[at];
            let same = |axes: &[Axis]| axes.len() == root.axes.len() && axes.iter().all(|a| root.axes.contains(a));
            first
                && same(&step.domain)
                && outer.iter().all(|a| root.axes.contains(a))
                && step.stores.iter().filter(|a| **a == result).count() == 1
                && step.writes().filter(|a| *a == result).count() == 1
                && steps[..at].iter().all(|s| s.operands.iter().all(|o| stays(o, input, &|axis| outer.contains(&axis))))
                && step.operands.iter().all(|o| stays(o, input, &|_| true))
                && !steps[at + 1..].iter().chain(after).any(|s| writes(s) || reads(s))
        }
        Phase::Nest { steps, after, .. } => !(after.iter().any(writes) || written && steps.iter().chain(after).any(reads)),
        Phase::Gemm(gemm) => !(writes(&gemm.sweep) || written && reads(&gemm.sweep)),
        Phase::Scatter(s) => s.target != result && !(written && [s.value, s.index].contains(&input)),
        Phase::Scan(s) => s.target != result && !(written && [s.factor, s.term].contains(&input)),
    })
}

/// Whether an operand reads the array, if at all, at the position's own index along the fixed axes.
fn stays(operand: &Operand, array: Array, fixed: &dyn Fn(Axis) -> bool) -> bool {
    let is_leaf = matches!(operand.leaf, Leaf::Array(leaf) if leaf == array);
    let inside = |place: &Place| match place {
        Place::Load(inner) => stays(inner, array, fixed),
        Place::Affine(_) => true,
    };
    operand.map.iter().all(|(axis, place)| !(is_leaf && fixed(*axis)) && inside(place))
}
