//! Sums by destination, and the largest for it.

use super::lines;
use super::nest::{Memory, each};
use super::script::{Array, Kind};
use super::space::Axis;

/// `target[.., c, ..] = Σ value` over the positions whose `index` is `c`; or the largest of them and 0.
pub(crate) struct ScatterStep {
    pub max: bool,
    pub target: Array,
    pub axis: Axis,
    pub value: Array,
    pub index: Array,
}

impl ScatterStep {
    /// Sources in order, on one thread: deterministic.
    pub(crate) fn run(&self, memory: &mut Memory) {
        let axes = |memory: &Memory, a: Array| memory.arrays[a.0 as usize].axes.clone();
        let dims = memory.dims(self.target);
        if matches!(memory.arrays[self.target.0 as usize].kind, Kind::Temp) {
            memory.own_temp(self.target, &dims);
        }
        let Some(mode) = memory.mode(self.target) else { return };
        // sums in f64, row-major over the target's dimensions
        let mut strides = vec![0; memory.space.dims().len()];
        let mut size = 1;
        for &(g, len) in dims.iter().rev() {
            strides[g] = size;
            size *= len as i64;
        }
        let mut sums = vec![0.0f64; size as usize];
        let extent = memory.space.extent(self.axis) as i64;
        let along = memory.space.of(self.axis).last().map_or(0, |g| strides[g]);
        let stride = |a: Array, g: usize| memory.stride(a, g);
        let mut domain = axes(memory, self.value);
        domain.extend(axes(memory, self.index));
        domain.sort();
        domain.dedup();
        let domain: Vec<usize> = domain.iter().flat_map(|a| memory.space.of(*a)).collect();
        let kept = |g: usize| if memory.space.of(self.axis).contains(&g) { 0 } else { strides[g] };
        // two pairs of offsets, visited in the same order: value and index, then the target
        let reads: Vec<_> =
            domain.iter().map(|&g| (memory.space.dims()[g].len, stride(self.value, g), stride(self.index, g))).collect();
        let writes: Vec<_> = domain.iter().map(|&g| (memory.space.dims()[g].len, kept(g), 0)).collect();
        let mut to = vec![];
        each(&writes, &mut |at, _| to.push(at));
        let mut to = to.into_iter();
        let get = |a: Array, at: i64| {
            let info = &memory.arrays[a.0 as usize];
            // SAFETY: the offset is one of the array's
            unsafe { lines::get(info.elem, memory.bases[a.0 as usize].wrapping_offset(at as isize)) }
        };
        each(&reads, &mut |value, index| {
            let index = get(self.index, index) as i64;
            if let Some(at) = to.next()
                && (0..extent).contains(&index)
            {
                let (slot, value) = (&mut sums[(at + index * along) as usize], get(self.value, value));
                *slot = if self.max { f64::max(*slot, value) } else { *slot + value };
            }
        });
        let loops: Vec<_> = dims.iter().map(|&(g, len)| (len, strides[g], stride(self.target, g))).collect();
        let (elem, base) = (memory.arrays[self.target.0 as usize].elem, memory.bases[self.target.0 as usize]);
        each(&loops, &mut |from, at| {
            // SAFETY: the offset is one of the target's
            unsafe { lines::put(base.wrapping_offset(at as isize), elem, mode, sums[from as usize]) }
        });
    }
}
