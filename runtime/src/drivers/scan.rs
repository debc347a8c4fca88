//! Linear recurrences along an axis.

use super::lines;
use super::nest::{Memory, each};
use super::script::{Array, Kind};
use super::space::Axis;

/// `target[t] = factor[t]·target[t−1] + term[t]` along `axis`, or from its end.
pub(crate) struct ScanStep {
    pub target: Array,
    pub axis: Axis,
    pub factor: Array,
    pub term: Array,
    pub reverse: bool,
}

impl ScanStep {
    /// Line after line, each in `f64`.
    pub(crate) fn run(&self, memory: &mut Memory) {
        let dims = memory.dims(self.target);
        if matches!(memory.arrays[self.target.0 as usize].kind, Kind::Temp) {
            memory.own_temp(self.target, &dims);
        }
        let Some(mode) = memory.mode(self.target) else { return };
        let along = memory.space.of(self.axis);
        let (inner, outer): (Vec<_>, Vec<_>) = dims.into_iter().partition(|(g, _)| along.contains(g));
        let stride = |a: Array, g: usize| memory.stride(a, g);
        // factor and term, then the target, visited in the same order
        let offsets = |dims: &[(usize, usize)]| {
            let reads: Vec<_> = dims.iter().map(|&(g, len)| (len, stride(self.factor, g), stride(self.term, g))).collect();
            let writes: Vec<_> = dims.iter().map(|&(g, len)| (len, stride(self.target, g), 0)).collect();
            let (mut from, mut to) = (vec![], vec![]);
            each(&reads, &mut |factor, term| from.push((factor, term)));
            each(&writes, &mut |at, _| to.push(at));
            from.into_iter().zip(to).map(|((factor, term), to)| [factor, term, to]).collect::<Vec<_>>()
        };
        let (lines, mut steps) = (offsets(&outer), offsets(&inner));
        if self.reverse {
            steps.reverse();
        }
        let place =
            |a: Array, at: i64| (memory.arrays[a.0 as usize].elem, memory.bases[a.0 as usize].wrapping_offset(at as isize));
        for line in &lines {
            let mut state = None;
            for step in &steps {
                let at = |i: usize| line[i] + step[i];
                let ((factor_elem, factor), (term_elem, term)) = (place(self.factor, at(0)), place(self.term, at(1)));
                let (elem, to) = place(self.target, at(2));
                // SAFETY: the offsets are those of positions within the arrays
                unsafe {
                    let term = lines::get(term_elem, term);
                    let next = state.map_or(term, |before: f64| lines::get(factor_elem, factor) * before + term);
                    lines::put(to, elem, mode, next);
                    state = Some(next);
                }
            }
        }
    }
}
