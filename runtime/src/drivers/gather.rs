//! Results that a nest writes in pieces too small for the memory's taste: a block's part of them lies in the cache until
//! the block is done, and is then written past it in one go.

use super::array::Mode;
use super::lower::Laid;
use super::nest::Memory;
use super::script::{Array, Kind, Step};
use super::space::Axis;

/// What a block's arrays may take if results are gathered: these stay in a second-level cache, beside what is read.
pub(crate) const BLOCK: usize = 256 << 10;
/// The most bytes of one array that a block gathers.
const MOST: usize = BLOCK + (64 << 10);

/// The large results that one fold of the nest writes whole, block by block, and nothing reads.
pub(crate) fn gathered(memory: &Memory, outer: &[Axis], steps: &[Step], large: usize) -> Vec<Array> {
    let mut found = vec![];
    for step in steps {
        for array in step.folds.iter().filter_map(|f| f.value) {
            let info = &memory.arrays[array.0 as usize];
            let bytes = info.axes.iter().map(|a| memory.space.extent(*a)).product::<usize>() * info.elem.size();
            let writes = steps.iter().flat_map(|s| s.writes()).filter(|a| *a == array).count();
            let others = steps.iter().flat_map(|s| s.reads()).any(|a| a == array) || step.stores.contains(&array);
            let whole =
                outer.iter().all(|a| info.axes.contains(a)) && step.domain.iter().all(|a| fits(step, array, *a, &info.axes));
            let write = matches!(info.kind, Kind::Root(Some((_, Mode::Write))));
            if write && bytes >= large && writes == 1 && !others && whole {
                found.push(array);
            }
        }
    }
    found
}

/// Whether an axis of the domain is folded over, or one of the array's.
fn fits(step: &Step, array: Array, axis: Axis, axes: &[Axis]) -> bool {
    axes.contains(&axis) || step.folds.iter().any(|f| f.value == Some(array) && f.axes.contains(&axis))
}

/// A block's part of an array, if it is one stretch of memory: where it begins, and its bytes.
pub(crate) fn stretch(laid: &Laid, starts: &[usize], lens: &[usize]) -> Option<(i64, usize)> {
    let mut dims: Vec<(i64, usize)> = laid.dims.iter().map(|d| (d.1, lens[d.0])).filter(|d| d.1 > 1).collect();
    dims.sort();
    let mut bytes = laid.elem.size();
    for (stride, len) in dims {
        if stride != bytes as i64 {
            return None;
        }
        bytes *= len;
    }
    let begin = laid.dims.iter().map(|d| d.1 * starts[d.0] as i64).sum();
    (bytes <= MOST).then_some((begin, bytes))
}

/// Copies memory past the cache.
///
/// # Safety
/// Both have `bytes` bytes; nobody else touches them.
pub(crate) unsafe fn flush(from: *const u8, to: *mut u8, bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    unsafe {
        use std::arch::x86_64::*;
        let head = to.align_offset(64).min(bytes);
        std::ptr::copy_nonoverlapping(from, to, head);
        let whole = (bytes - head) / 64 * 64;
        for i in (head..head + whole).step_by(16) {
            _mm_stream_si128(to.add(i).cast(), _mm_loadu_si128(from.add(i).cast()));
        }
        let done = head + whole;
        std::ptr::copy_nonoverlapping(from.add(done), to.add(done), bytes - done);
    }
    #[cfg(not(target_arch = "x86_64"))]
    unsafe {
        std::ptr::copy_nonoverlapping(from, to, bytes);
    }
}
