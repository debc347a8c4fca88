//! Lines in the first-level cache: what is copied into them before a tile runs, and out of them after.

use super::array::{Elem, Mode};
use super::half::{BF16, F16, Half, to_odd};

#[cfg(target_arch = "x86_64")]
mod half;
#[cfg(target_arch = "x86_64")]
mod x86;

trait Number: Copy {
    fn get(self) -> f64;
    fn get_f32(self) -> f32;
}
macro_rules! number {
    ($($t:ident)*) => { $( impl Number for $t {
        #[inline(always)]
        fn get(self) -> f64 {
            self as f64
        }
        #[inline(always)]
        fn get_f32(self) -> f32 {
            self as f32
        }
    } )* };
}
number!(f32 f64 u8 u32 i64);
macro_rules! half {
    ($($t:ident)*) => { $( impl Number for $t {
        #[inline(always)]
        fn get(self) -> f64 {
            f64::from(self.wide())
        }
        #[inline(always)]
        fn get_f32(self) -> f32 {
            self.wide()
        }
    } )* };
}
half!(F16 BF16);

/// Calls the function for the element type.
macro_rules! by_elem {
    ($elem:expr, $f:ident ( $($arg:expr),* )) => {
        match $elem {
            Elem::F16 => $f::<F16>($($arg),*),
            Elem::BF16 => $f::<BF16>($($arg),*),
            Elem::F32 => $f::<f32>($($arg),*),
            Elem::F64 => $f::<f64>($($arg),*),
            Elem::U8 => $f::<u8>($($arg),*),
            Elem::U32 => $f::<u32>($($arg),*),
            Elem::I64 => $f::<i64>($($arg),*),
        }
    };
}

/// One element, as `f64`.
///
/// # Safety
/// `p` points to an element of that type.
pub(crate) unsafe fn get(elem: Elem, p: *const u8) -> f64 {
    unsafe fn typed<S: Number>(p: *const u8) -> f64 {
        unsafe { (p as *const S).read_unaligned().get() }
    }
    unsafe { by_elem!(elem, typed(p)) }
}

/// Copies `n` elements, `step` bytes apart, into a line of the given lanes.
///
/// # Safety
/// All `n` elements lie in one array; the line has room.
pub(crate) unsafe fn stage(line: *mut u8, lane: Elem, elem: Elem, p: *const u8, step: i64, n: usize) {
    unsafe {
        #[cfg(target_arch = "x86_64")]
        {
            let is_half = matches!(elem, Elem::F16 | Elem::BF16) && lane == Elem::F32 && step == 2;
            if is_half && half::stage(line as *mut f32, elem, p as *const u16, n) {
                return;
            }
            match super::isa::detected() {
                super::isa::Isa::V4 if (elem, lane, step) == (Elem::F32, Elem::F32, 8) => {
                    return x86::every_other(line as *mut f32, p as *const f32, n);
                }
                super::isa::Isa::V3 | super::isa::Isa::V4 => return x86::stage(line, lane, elem, p, step, n),
                super::isa::Isa::V1 => {}
            }
        }
        stage_with(line, lane, elem, p, step, n);
    }
}

/// [`stage`], compiled for the caller's instructions.
#[inline(always)]
unsafe fn stage_with(line: *mut u8, lane: Elem, elem: Elem, p: *const u8, step: i64, n: usize) {
    #[inline(always)]
    unsafe fn typed<S: Number>(line: *mut u8, lane: Elem, p: *const u8, step: i64, n: usize) {
        unsafe {
            match lane {
                Elem::F32 => each::<S, f32>(line, p, step, n, |x| x.get_f32()),
                _ => each::<S, f64>(line, p, step, n, |x| x.get()),
            }
        }
    }
    unsafe {
        match (elem, lane) {
            // no conversion at all
            (Elem::F32, Elem::F32) => each::<f32, f32>(line, p, step, n, |x| x),
            _ => by_elem!(elem, typed(line, lane, p, step, n)),
        }
    }
}

/// # Safety
/// As for [`stage`].
#[inline(always)]
unsafe fn each<S: Copy, L>(line: *mut u8, p: *const u8, step: i64, n: usize, f: impl Fn(S) -> L) {
    let (line, size) = (line as *mut L, size_of::<S>() as i64);
    unsafe {
        // the common steps as constants, so that the loops become vectors
        if step == size {
            let p = p as *const S;
            (0..n).for_each(|i| *line.add(i) = f(*p.add(i)));
        } else if step == 2 * size {
            let p = p as *const S;
            // eight from sixteen: of the last one the neighbour need not exist
            let whole = n.saturating_sub(1) / 8 * 8;
            for i in (0..whole).step_by(8) {
                let x: [S; 16] = std::array::from_fn(|j| *p.add(2 * i + j));
                (0..8).for_each(|j| *line.add(i + j) = f(x[2 * j]));
            }
            (whole..n).for_each(|i| *line.add(i) = f(*p.add(2 * i)));
        } else {
            (0..n).for_each(|i| *line.add(i) = f((p.offset(i as isize * step as isize) as *const S).read()));
        }
    }
}

/// Fills lanes with one number.
///
/// # Safety
/// The line has room for `n` lanes.
pub(crate) unsafe fn fill(line: *mut u8, lane: Elem, x: f64, n: usize) {
    unsafe {
        match lane {
            Elem::F32 => (0..n).for_each(|i| *(line as *mut f32).add(i) = x as f32),
            _ => (0..n).for_each(|i| *(line as *mut f64).add(i) = x),
        }
    }
}

/// Sets one lane.
///
/// # Safety
/// Lane `i` exists.
pub(crate) unsafe fn set(line: *mut u8, lane: Elem, i: usize, x: f64) {
    unsafe { fill(line.add(i * lane.size()), lane, x, 1) }
}

/// Copies a line out to elements `step` bytes apart.
///
/// # Safety
/// All `n` elements lie in one array, which nothing else reads or writes meanwhile.
pub(crate) unsafe fn unstage(
    line: *const u8,
    lane: Elem,
    (elem, mode, negate): (Elem, Mode, bool),
    p: *mut u8,
    step: i64,
    n: usize,
) {
    unsafe {
        #[cfg(target_arch = "x86_64")]
        if lane == Elem::F64
            && elem == Elem::F32
            && mode == Mode::Write
            && !negate
            && step == 4
            && super::isa::detected() != super::isa::Isa::V1
        {
            return x86::narrow(line as *const f64, p as *mut f32, n);
        }
        match (lane, elem) {
            (Elem::F32, Elem::F32) => out::<f32, f32>(line, p, step, n, mode, negate, |x| x),
            (Elem::F32, Elem::F64) => out::<f32, f64>(line, p, step, n, mode, negate, f64::from),
            (Elem::F64, Elem::F32) => out::<f64, f32>(line, p, step, n, mode, negate, |x| x as f32),
            (Elem::F64, Elem::F64) => out::<f64, f64>(line, p, step, n, mode, negate, |x| x),
            (_, Elem::F16) => halve::<F16>(line, lane, (mode, negate), p, step, n),
            (_, Elem::BF16) => halve::<BF16>(line, lane, (mode, negate), p, step, n),
            // stored values that count positions
            (Elem::F32, _) => {
                (0..n).for_each(|i| put_index(p.offset(i as isize * step as isize), elem, *(line as *const f32).add(i) as u32))
            }
            (_, _) => {
                (0..n).for_each(|i| put_index(p.offset(i as isize * step as isize), elem, *(line as *const f64).add(i) as u32))
            }
        }
    }
}

/// As [`unstage`], past the cache where elements of half precision lie side by side; others go through it. Those that fit
/// their lanes are stored by the body.
///
/// # Safety
/// As for [`unstage`].
pub(crate) unsafe fn stream(line: *const u8, lane: Elem, elem: Elem, p: *mut u8, step: i64, n: usize) {
    unsafe {
        #[cfg(target_arch = "x86_64")]
        if lane == Elem::F32
            && matches!(elem, Elem::F16 | Elem::BF16)
            && step == 2
            && half::unstage(line as *const f32, elem, p as *mut u16, n, true)
        {
            return;
        }
        unstage(line, lane, (elem, Mode::Write, false), p, step, n);
    }
}

/// # Safety
/// As for [`unstage`].
#[inline(always)]
unsafe fn out<L, S>(line: *const u8, p: *mut u8, step: i64, n: usize, mode: Mode, negate: bool, f: impl Fn(L) -> S)
where
    L: Copy,
    S: Copy + std::ops::Add<Output = S> + std::ops::Neg<Output = S>,
{
    let line = line as *const L;
    unsafe {
        let at = |i: usize| p.offset(i as isize * step as isize) as *mut S;
        match (mode, negate) {
            (Mode::Write, false) if step == size_of::<S>() as i64 => (0..n).for_each(|i| *(p as *mut S).add(i) = f(*line.add(i))),
            (Mode::Write, false) => (0..n).for_each(|i| *at(i) = f(*line.add(i))),
            (Mode::Write, true) => (0..n).for_each(|i| *at(i) = -f(*line.add(i))),
            (Mode::Add, false) => (0..n).for_each(|i| *at(i) = *at(i) + f(*line.add(i))),
            (Mode::Add, true) => (0..n).for_each(|i| *at(i) = *at(i) + -f(*line.add(i))),
        }
    }
}

/// Copies a line out to elements of half precision, each rounded once.
///
/// # Safety
/// As for [`unstage`].
unsafe fn halve<S: Half>(line: *const u8, lane: Elem, (mode, negate): (Mode, bool), p: *mut u8, step: i64, n: usize) {
    let sign = if negate { -1.0 } else { 1.0 };
    unsafe {
        let at = |i: usize| p.offset(i as isize * step as isize) as *mut S;
        let narrow = |i: usize| *(line as *const f32).add(i);
        let wide = |i: usize| *(line as *const f64).add(i);
        match (lane, mode) {
            #[cfg(target_arch = "x86_64")]
            (Elem::F32, Mode::Write)
                if !negate && step == 2 && half::unstage(line as *const f32, S::ELEM, p as *mut u16, n, false) => {}
            (Elem::F32, Mode::Write) => (0..n).for_each(|i| *at(i) = S::nearest(narrow(i) * sign as f32)),
            (Elem::F32, Mode::Add) => (0..n).for_each(|i| *at(i) = S::nearest((*at(i)).wide() + narrow(i) * sign as f32)),
            (_, Mode::Write) => (0..n).for_each(|i| *at(i) = S::nearest(to_odd(wide(i) * sign))),
            (_, Mode::Add) => (0..n).for_each(|i| *at(i) = S::nearest(to_odd(f64::from((*at(i)).wide()) + wide(i) * sign))),
        }
    }
}

/// Lines below each other.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    pub line: *const u8,
    /// From line to line, in bytes.
    pub pitch: usize,
    pub rows: usize,
}

/// Copies lines out: to a place, with the steps from row to row and along a row.
///
/// # Safety
/// As for [`unstage`], for every row.
pub(crate) unsafe fn unstage_rows(
    from: Rows,
    lane: Elem,
    how: (Elem, Mode, bool),
    (p, row_step, step): (*mut u8, i64, i64),
    n: usize,
) {
    for row in 0..from.rows {
        let to = p.wrapping_offset(row as isize * row_step as isize);
        unsafe { unstage(from.line.wrapping_add(row * from.pitch), lane, how, to, step, n) };
    }
}

/// Copies indices out, of lanes of `width` bytes; "none" becomes 0.
///
/// # Safety
/// As for [`unstage_rows`].
pub(crate) unsafe fn unstage_indices(from: Rows, width: usize, elem: Elem, (p, row_step, step): (*mut u8, i64, i64), n: usize) {
    for row in 0..from.rows {
        let to = p.wrapping_offset(row as isize * row_step as isize);
        // of lanes of f64 the low half counts
        let get = |i: usize| unsafe { *(from.line.add(row * from.pitch + i * width) as *const u32) };
        unsafe {
            if elem == Elem::U8 && step == 1 && width == 4 {
                let line = from.line.add(row * from.pitch) as *const u32;
                #[cfg(target_arch = "x86_64")]
                if super::isa::detected() != super::isa::Isa::V1 {
                    x86::bytes(line, to, n);
                    continue;
                }
                bytes_with(line, to, n);
            } else {
                (0..n).for_each(|i| put_index(to.offset(i as isize * step as isize), elem, known(get(i))));
            }
        }
    }
}

/// "None" becomes 0.
#[inline(always)]
fn known(x: u32) -> u32 {
    if x == u32::MAX { 0 } else { x }
}

/// Indices as bytes.
#[inline(always)]
unsafe fn bytes_with(line: *const u32, p: *mut u8, n: usize) {
    unsafe { (0..n).for_each(|i| *p.add(i) = known(*line.add(i)) as u8) }
}

/// Whether `n` elements, `step` bytes apart, are finite numbers in lanes of the given type.
///
/// # Safety
/// All `n` elements lie in one array.
pub(crate) unsafe fn is_finite(elem: Elem, lane: Elem, p: *const u8, step: i64, n: usize) -> bool {
    #[inline(always)]
    unsafe fn all<S: Copy>(p: *const u8, step: i64, n: usize, finite: impl Fn(S) -> bool) -> bool {
        unsafe {
            if step == size_of::<S>() as i64 {
                // without a way out, so that it becomes vectors
                let p = p as *const S;
                (0..n).fold(true, |all, i| all & finite(*p.add(i)))
            } else {
                (0..n).all(|i| finite(*(p.offset(i as isize * step as isize) as *const S)))
            }
        }
    }
    unsafe {
        match (elem, lane) {
            (Elem::F32, _) => all(p, step, n, f32::is_finite),
            (Elem::F16, _) => all(p, step, n, |x: F16| x.wide().is_finite()),
            (Elem::BF16, _) => all(p, step, n, |x: BF16| x.wide().is_finite()),
            (Elem::F64, Elem::F32) => all(p, step, n, |x: f64| (x as f32).is_finite()),
            (Elem::F64, _) => all(p, step, n, f64::is_finite),
            _ => true,
        }
    }
}

/// Adds `n` lanes to sums, or begins these with them.
///
/// # Safety
/// Both have `n` elements.
pub(crate) unsafe fn accumulate(sums: *mut f64, line: *const f32, n: usize, add: bool) {
    unsafe {
        if add {
            (0..n).for_each(|i| *sums.add(i) += f64::from(*line.add(i)));
        } else {
            (0..n).for_each(|i| *sums.add(i) = f64::from(*line.add(i)));
        }
    }
}

/// Copies `n` lanes to every `step`-th lane of a line.
///
/// # Safety
/// The line has room.
pub(crate) unsafe fn spread(line: *mut u8, from: *const u8, lane: Elem, step: usize, n: usize) {
    unsafe {
        match lane {
            Elem::F32 => (0..n).for_each(|i| *(line as *mut f32).add(i * step) = *(from as *const f32).add(i)),
            _ => (0..n).for_each(|i| *(line as *mut f64).add(i * step) = *(from as *const f64).add(i)),
        }
    }
}

/// Writes one index.
///
/// # Safety
/// `p` points to an element of that type.
pub(crate) unsafe fn put_index(p: *mut u8, elem: Elem, x: u32) {
    unsafe {
        match elem {
            Elem::U8 => *p = x as u8,
            Elem::U32 => *(p as *mut u32) = x,
            Elem::I64 => *(p as *mut i64) = x.into(),
            Elem::F32 => *(p as *mut f32) = x as f32,
            Elem::F64 => *(p as *mut f64) = x.into(),
            Elem::F16 | Elem::BF16 => put(p, elem, Mode::Write, x.into()),
        }
    }
}

/// Writes one number, or adds it.
///
/// # Safety
/// `p` points to an element of that type.
pub(crate) unsafe fn put(p: *mut u8, elem: Elem, mode: Mode, x: f64) {
    unsafe { unstage((&raw const x) as *const u8, Elem::F64, (elem, mode, false), p, 0, 1) }
}
