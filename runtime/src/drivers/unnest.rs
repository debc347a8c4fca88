//! Which sweeps share their blocks, and which axes those that run by themselves are cut along.

use super::nest::{BLOCK, Memory, PARTS};
use super::script::{Array, Fold, Kind, Phase, Step};
use super::space::Axis;

/// Elements of a strip of memory that a block can be narrowed to: two cache lines of `f32`.
const STRIP: usize = 32;

/// Makes a nest of every sweep that has no outer axes to share.
pub(crate) fn unnest<'a>(memory: &Memory, phases: Vec<Phase<'a>>) -> Vec<Phase<'a>> {
    let mut nests = vec![];
    for phase in phases {
        match phase {
            Phase::Nest { outer, steps, after } => {
                let alone = |step: Step<'a>| {
                    let outer = own_axes(memory, &step);
                    Phase::Nest { outer, steps: vec![step], after: vec![] }
                };
                if outer.is_empty() || falls_apart(memory, &outer, &steps) {
                    nests.extend(steps.into_iter().map(alone));
                } else if !steps.is_empty() {
                    nests.push(Phase::Nest { outer, steps, after: vec![] });
                }
                nests.extend(after.into_iter().map(alone));
            }
            other => nests.push(other),
        }
    }
    nests
}

/// The outer axes of a sweep by itself: what all its folds keep if that is enough to share, else its domain.
pub(crate) fn own_axes(memory: &Memory, step: &Step) -> Vec<Axis> {
    let kept = step.domain.iter().copied().filter(|a| step.folds.iter().all(|f: &Fold| !f.axes.contains(a)));
    let kept: Vec<Axis> = kept.collect();
    let count: usize = kept.iter().map(|a| memory.space.extent(*a)).product();
    if count >= 4 * PARTS && !is_thin(memory, &kept, std::slice::from_ref(step)) { kept } else { step.domain.clone() }
}

/// Whether the sweeps of a nest run faster one by one, each along memory: blocks are thin, and nothing but values of the
/// outer axes goes from sweep to sweep.
fn falls_apart(memory: &Memory, outer: &[Axis], steps: &[Step]) -> bool {
    let small = |array: Array| {
        let info = &memory.arrays[array.0 as usize];
        !matches!(info.kind, Kind::Temp) || info.axes.iter().all(|a| outer.contains(a))
    };
    is_thin(memory, outer, steps) && steps.iter().flat_map(|s| s.writes()).all(small)
}

/// Whether blocks of the outer axes are strips of memory, a few elements wide, that no cache holds: these axes lie
/// innermost in the largest array, as channels do that come last.
fn is_thin(memory: &Memory, outer: &[Axis], steps: &[Step]) -> bool {
    let bytes = |a: &Array| memory.bytes(*a);
    let mut arrays: Vec<Array> = steps.iter().flat_map(|s| s.reads().into_iter().chain(s.writes())).collect();
    arrays.retain(|a| memory.laid[a.0 as usize].is_some());
    let Some(largest) = arrays.iter().max_by_key(|a| (bytes(a), u32::MAX - a.0)) else { return false };
    let is_outer = |g: usize| outer.iter().any(|a| memory.space.of(*a).contains(&g));
    let laid = memory.laid[largest.0 as usize].iter();
    let mut dims: Vec<(i64, usize)> = laid.flat_map(|l| &l.dims).map(|d| (d.2, d.0)).collect();
    dims.retain(|(_, g)| memory.space.dims()[*g].len > 1);
    dims.sort();
    let inner = dims.iter().take_while(|(_, g)| is_outer(*g)).map(|(_, g)| memory.space.dims()[*g].len);
    // where others lie between, blocks are as long as these
    let strip = inner.product::<usize>();
    let others = dims.iter().any(|(_, g)| !is_outer(*g));
    others && strip > 1 && bytes(largest) / strip * STRIP.min(strip) > BLOCK
}
