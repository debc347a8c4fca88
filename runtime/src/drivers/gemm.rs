//! Contractions as matrix products: blocks of both factors are packed as their accesses say, a window's positions
//! among them, so that no view is ever built; then `matrixmultiply` runs on the packed blocks.

use super::array::{Elem, Mode};
use super::exec::Worker;
use super::group::{Group, Stretches};
use super::lines;
use super::lower::{Access, Context, Lowering, Source, Spot, Track};
use super::nest::{Memory, SMALL, TASKS, in_parallel};
use super::pack::Packer;
use super::script::{Array, Kind, Leaf, Operand, Step};
use super::space::{Axis, Condition, Space};

/// `out[batch, m, n] = Σ_k a[batch, m, k] · b[batch, k, n]`
pub(crate) struct GemmStep<'a> {
    /// The same as a sweep: operands a and b, and one sum, over k.
    pub sweep: Step<'a>,
    pub m: Vec<Axis>,
    pub n: Vec<Axis>,
    pub batch: Vec<Axis>,
}

/// The most positions in a block of the result.
const BLOCK_M: usize = 256;
const BLOCK_N: usize = 512;
/// The most terms that are summed before sums go on in `f64`.
const BLOCK_K: usize = 1024;
/// What one packed block may take, in bytes.
const BUFFER: usize = 1 << 20;
/// Blocks are halved until there are so many to share, as long as each is worth a task.
const SHARES: usize = 8;
const SHARE: usize = 1 << 20;

impl GemmStep<'_> {
    fn k(&self) -> &[Axis] {
        &self.sweep.folds[0].axes
    }
    /// Computes the product; `false` if it has to run as a sweep: where a hole of one factor could meet an infinity or
    /// NaN of the other, or where a condition on both decides what counts.
    pub(crate) fn run(&self, memory: &mut Memory) -> bool {
        let Some(target) = self.sweep.folds[0].value else { return true };
        let Some(operands) = self.with_holes(&memory.space) else { return false };
        let axes = |a: Array| memory.arrays[a.0 as usize].axes.clone();
        let mut lowering = Lowering::new(Context { space: &memory.space, axes: &axes, laid: &memory.laid }, &self.sweep.domain);
        let mut accesses = vec![];
        for operand in &operands {
            let mut access = lowering.access(operand, &[]);
            let checks = lowering.take_checks();
            if !checks.is_empty() && has_fill(operand) {
                return false;
            }
            access.valid.extend(checks);
            accesses.push(access);
        }
        let meets = |x: usize, y: usize| has_holes(&accesses[x]) && !is_finite(memory, &accesses[y], self.sweep.lane);
        if meets(0, 1) || meets(1, 0) {
            return false;
        }
        let domain: Vec<usize> = self.sweep.domain.iter().flat_map(|a| memory.space.of(*a)).collect();
        let mut order = lowering.order(&domain, &accesses);
        let tracks = lowering.tracks;
        if matches!(memory.arrays[target.0 as usize].kind, Kind::Temp) && memory.laid[target.0 as usize].is_none() {
            let own: Vec<usize> = axes(target).iter().flat_map(|a| memory.space.of(*a)).collect();
            let len = |g: &usize| (*g, memory.space.dims()[*g].len);
            let dims: Vec<(usize, usize)> = order.iter().filter(|g| own.contains(g)).map(len).collect();
            memory.own_temp(target, &dims);
        }
        let Some(mode) = memory.mode(target) else { return true };
        let axes = |a: Array| memory.arrays[a.0 as usize].axes.clone();
        let context = Context { space: &memory.space, axes: &axes, laid: &memory.laid };
        let mut lowering = Lowering::resume(context, &self.sweep.domain, tracks);
        let out = lowering.place(target, mode);
        let tracks = lowering.tracks;
        // as the result lies in memory; what is summed over, as the largest factor does
        order.sort_by_key(|g| std::cmp::Reverse(tracks[out.track].canonical[*g].abs()));
        Product::new(self, memory, &order, &tracks, [&accesses[0], &accesses[1]], out).run(memory);
        true
    }

    /// The operands, with the guard's conditions on one of them as holes of it; `None` if one is on both.
    fn with_holes(&self, space: &Space) -> Option<[Operand; 2]> {
        let mut operands = [self.sweep.operands[0].clone(), self.sweep.operands[1].clone()];
        let alone = [&self.n, &self.m];
        for condition in &self.sweep.guard {
            let (Condition::Range { e, .. } | Condition::Divides { e, .. }) = condition;
            let is_said = |o: &Operand| !has_fill(o) && o.valid.contains(condition);
            if operands.iter().any(is_said) {
                continue;
            }
            let varies = |axis: &Axis| e.terms.iter().any(|(a, k)| a == axis && *k != 0) && space.extent(*axis) > 1;
            let side = (0..2).find(|&side| !alone[side].iter().any(varies) && !has_fill(&operands[side]))?;
            operands[side].valid.push(condition.clone());
            operands[side].fill = 0.0;
        }
        Some(operands)
    }
}

/// Whether an operand reads as something else than nothing where its conditions fail.
fn has_fill(operand: &Operand) -> bool {
    !operand.valid.is_empty() && operand.fill != 0.0 || matches!(operand.leaf, Leaf::Test)
}
fn has_holes(access: &Access) -> bool {
    !access.valid.is_empty() && access.fill == 0.0
}

/// Whether all that an operand can read is finite.
fn is_finite(memory: &Memory, access: &Access, lane: Elem) -> bool {
    if !access.fill.is_finite() {
        return false;
    }
    let Source::Array(array) = access.source else { return true };
    let Some(laid) = &memory.laid[array.0 as usize] else { return true };
    let len = |g: usize| memory.space.dims()[g].len;
    let mut dims: Vec<(usize, i64)> = laid.dims.iter().map(|d| (len(d.0), d.1)).collect();
    dims.sort_by_key(|d| std::cmp::Reverse(d.1.abs()));
    let (n, step) = dims.pop().unwrap_or((1, 0));
    let mut finite = true;
    let base = memory.bases[array.0 as usize];
    let loops: Vec<(usize, i64, i64)> = dims.iter().map(|d| (d.0, d.1, 0)).collect();
    super::nest::each(&loops, &mut |at, _| {
        // SAFETY: the line's elements are the array's
        finite &= unsafe { lines::is_finite(laid.elem, lane, base.wrapping_offset(at as isize), step, n) };
    });
    finite
}

/// A product, ready to run.
struct Product<'p> {
    lane: Elem,
    batch: Group,
    m: Group,
    n: Group,
    k: Group,
    /// The lengths of blocks along m, n and k.
    block: [usize; 3],
    a: Packer<'p>,
    b: Packer<'p>,
    out: Spot,
    /// The lines of the result go along m.
    flipped: bool,
    /// All tracks where every index is 0.
    origin: Vec<i64>,
}

/// One task's memory.
struct Buffers {
    worker: Box<Worker>,
    a: *mut u8,
    b: *mut u8,
    c: *mut u8,
    /// Sums over blocks of k, in `f64`.
    total: *mut f64,
    /// Which blocks lie in `a` and `b`: the batch, and the blocks along m or n, and k.
    packed: [Option<[usize; 3]>; 2],
}

/// A matrix in memory: its first element, and how far rows and columns are apart, in elements.
#[derive(Clone, Copy)]
struct Matrix {
    ptr: *mut u8,
    row: isize,
    column: isize,
}

impl<'p> Product<'p> {
    fn new(
        step: &GemmStep,
        memory: &'p Memory,
        order: &[usize],
        tracks: &[Track],
        [a, b]: [&'p Access; 2],
        out: Spot,
    ) -> Product<'p> {
        let space = &memory.space;
        let group = |axes: &[Axis]| {
            let own = |g: &usize| axes.iter().any(|a| space.of(*a).contains(g));
            let dims = order.iter().copied().filter(own).map(|g| (g, space.dims()[g].len));
            Group::new(dims, tracks)
        };
        let (batch, m, n, k) = (group(&step.batch), group(&step.m), group(&step.n), group(step.k()));
        let lane = step.sweep.lane;
        let block = blocks([m.len, n.len, k.len], batch.len, lane.size());
        let inner = |g: &Group| g.innermost(out.track).abs();
        let flipped = n.is_single() || !m.is_single() && inner(&m) < inner(&n);
        let packer = |access, own: &Group| Packer::new(access, lane, own, &k, tracks.len(), &memory.bases);
        let (a, b) = (packer(a, &m), packer(b, &n));
        Product { lane, batch, a, b, m, n, k, block, out, flipped, origin: tracks.iter().map(|t| t.offset).collect() }
    }

    fn run(&self, memory: &Memory) {
        let counts = [self.m.len.div_ceil(self.block[0]), self.n.len.div_ceil(self.block[1])];
        let tasks = self.batch.len * counts[0] * counts[1];
        let terms = [self.m.len, self.n.len, self.k.len].iter().fold(self.batch.len, |p, n| p.saturating_mul(*n));
        let serial = terms < SMALL;
        let parts = if serial { 1 } else { TASKS }.min(tasks);
        in_parallel(parts, serial, |part| {
            let mut buffers = self.buffers();
            for task in tasks * part / parts..tasks * (part + 1) / parts {
                let (row, column) = (task / counts[1] % counts[0], task % counts[1]);
                self.block(memory, &mut buffers, [task / (counts[0] * counts[1]), row, column]);
            }
            buffers.worker.put_back();
        });
    }

    fn is_one_block(&self) -> bool {
        self.k.len <= self.block[2]
    }

    fn buffers(&self) -> Buffers {
        let [m, n, k] = self.block;
        let words = |elements: usize, size: usize| (elements * size).div_ceil(64) * 8 + 8;
        let size = self.lane.size();
        let sizes = [words(m * k, size), words(k * n, size), words(m * n, size), words(m * n, 8)];
        let mut worker = Worker::take();
        let a = worker.temps(sizes.iter().sum());
        let b = a.wrapping_add(8 * sizes[0]);
        let c = b.wrapping_add(8 * sizes[1]);
        let total = c.wrapping_add(8 * sizes[2]) as *mut f64;
        Buffers { worker, a, b, c, total, packed: [None; 2] }
    }

    /// One block of the result.
    fn block(&self, memory: &Memory, buffers: &mut Buffers, [batch, row, column]: [usize; 3]) {
        let range = |group: &Group, number: usize, size: usize| (number * size, ((number + 1) * size).min(group.len));
        let (rows, columns) = (range(&self.m, row, self.block[0]), range(&self.n, column, self.block[1]));
        let (m, n) = (rows.1 - rows.0, columns.1 - columns.0);
        let mut origin = self.origin.clone();
        self.batch.advance(batch, &mut origin);
        let direct = self.in_place(memory, &origin, rows.0, columns.0);
        let (row_step, column_step) = if self.flipped { (1, m) } else { (n, 1) };
        let buffer = Matrix { ptr: buffers.c, row: row_step as isize, column: column_step as isize };
        let c = direct.unwrap_or(buffer);
        let wide = self.lane == Elem::F32 && !self.is_one_block();
        let total = buffers.total;
        for at in 0..self.k.len.div_ceil(self.block[2]) {
            let terms = range(&self.k, at, self.block[2]);
            let keys = [[batch, row, at], [batch, column, at]];
            let fresh = [0, 1].map(|side| buffers.packed[side].replace(keys[side]) != Some(keys[side]));
            let a = self.factor(&self.a, &self.m, &origin, rows, terms, buffers.a, fresh[0]);
            let b = self.factor(&self.b, &self.n, &origin, columns, terms, buffers.b, fresh[1]);
            let b = Matrix { row: b.column, column: b.row, ..b };
            // SAFETY: the factors' elements are those of packed blocks or of arrays, the result's this task's alone
            unsafe {
                multiply(self.lane, [m, terms.1 - terms.0, n], a, b, at > 0 && !wide, c);
                if wide {
                    lines::accumulate(total, buffers.c as *const f32, m * n, at > 0);
                }
            }
        }
        if self.k.len == 0 {
            // SAFETY: the buffer has room for a block of the result; all bits zero is the number 0
            unsafe { buffers.c.write_bytes(0, m * n * self.lane.size()) }
        }
        if direct.is_none() || self.k.len == 0 {
            let (line, lane) = if wide { (total as *const u8, Elem::F64) } else { (buffers.c.cast_const(), self.lane) };
            self.put(memory, &origin, rows, columns, line, lane);
        }
    }

    /// The result itself, if it is a matrix that the products can be written to.
    fn in_place(&self, memory: &Memory, origin: &[i64], row: usize, column: usize) -> Option<Matrix> {
        let t = self.out.track;
        if self.out.mode != Mode::Write || self.out.elem != self.lane || !self.is_one_block() || self.k.len == 0 {
            return None;
        }
        let (rows, columns) = (self.m.step(t)?, self.n.step(t)?);
        let at = origin[t] + rows * row as i64 + columns * column as i64;
        let ptr = memory.bases[self.out.array.0 as usize].wrapping_offset(at as isize);
        let size = self.lane.size() as i64;
        Some(Matrix { ptr, row: (rows / size) as isize, column: (columns / size) as isize })
    }

    /// A block of a factor: `own` are its rows, k its columns. Where it lies, or packed into the buffer.
    #[expect(clippy::too_many_arguments, reason = "one step of `block`")]
    fn factor(
        &self,
        packer: &Packer,
        own: &Group,
        origin: &[i64],
        rows: (usize, usize),
        terms: (usize, usize),
        buffer: *mut u8,
        fresh: bool,
    ) -> Matrix {
        let size = self.lane.size() as i64;
        if let Some((base, row, column)) = packer.in_place {
            let at = origin[packer.track()] + row * rows.0 as i64 + column * terms.0 as i64;
            let (row, column) = ((row / size) as isize, (column / size) as isize);
            return Matrix { ptr: base.wrapping_offset(at as isize), row, column };
        }
        let (m, k) = (rows.1 - rows.0, terms.1 - terms.0);
        let (runs, lines, width) = if packer.along_k {
            (self.k.stretches(terms, true), own.stretches(rows, false), k)
        } else {
            (own.stretches(rows, true), self.k.stretches(terms, false), m)
        };
        if fresh {
            // SAFETY: the ranges are the groups', and the buffer has room for a block
            unsafe { packer.pack(origin, &lines, &runs, width, buffer) };
        }
        let (row, column) = if packer.along_k { (k, 1) } else { (1, m) };
        Matrix { ptr: buffer, row: row as isize, column: column as isize }
    }

    /// Copies a block of the result to its place.
    fn put(&self, memory: &Memory, origin: &[i64], rows: (usize, usize), columns: (usize, usize), from: *const u8, lane: Elem) {
        let (run, line) =
            if self.flipped { ((&self.m, rows), (&self.n, columns)) } else { ((&self.n, columns), (&self.m, rows)) };
        let (runs, lines) = (run.0.stretches(run.1, true), line.0.stretches(line.1, false));
        let (t, width) = (self.out.track, run.1.1 - run.1.0);
        let step = run.0.innermost(t);
        let base = memory.bases[self.out.array.0 as usize].wrapping_offset(origin[t] as isize);
        let at = |s: &Stretches, i: usize| s.at(i)[t];
        for i in 0..lines.spans.len() {
            for (j, &(first, n)) in runs.spans.iter().enumerate() {
                let p = base.wrapping_offset((at(&lines, i) + at(&runs, j)) as isize);
                let line = from.wrapping_add((i * width + first) * lane.size());
                // SAFETY: the block is this task's alone, and `from` holds it line by line
                unsafe { lines::unstage(line, lane, (self.out.elem, self.out.mode, false), p, step, n) };
            }
        }
    }
}

/// The lengths of blocks, from extents only.
fn blocks([m, n, k]: [usize; 3], batch: usize, size: usize) -> [usize; 3] {
    // equal parts, whole tiles of any instruction set
    let part = |len: usize, most: usize| len.div_ceil(len.div_ceil(most).max(1)).next_multiple_of(16).max(16);
    let (mut most_m, mut most_n) = (BLOCK_M, BLOCK_N);
    loop {
        let (rows, columns) = (part(m, most_m).min(m.max(1)), part(n, most_n).min(n.max(1)));
        let tasks = batch * m.div_ceil(rows) * n.div_ceil(columns);
        if tasks >= SHARES || rows.max(columns) <= 64 || rows.saturating_mul(columns).saturating_mul(k) < 2 * SHARE {
            let terms = part(k, (BUFFER / size / rows.max(columns)).clamp(128, BLOCK_K));
            return [rows, columns, terms.min(k.max(1))];
        }
        *if rows > columns { &mut most_m } else { &mut most_n } = rows.max(columns) / 2;
    }
}

/// `c = a·b`, or `c += a·b`.
///
/// # Safety
/// All elements of the matrices exist; those of `c` are distinct and nobody else's; unless it is added to they may hold anything.
unsafe fn multiply(lane: Elem, [m, k, n]: [usize; 3], a: Matrix, b: Matrix, add: bool, c: Matrix) {
    let beta = f64::from(u8::from(add));
    unsafe {
        match lane {
            Elem::F32 => {
                let (x, y, z) = (a.ptr as *const f32, b.ptr as *const f32, c.ptr as *mut f32);
                matrixmultiply::sgemm(m, k, n, 1.0, x, a.row, a.column, y, b.row, b.column, beta as f32, z, c.row, c.column);
            }
            _ => {
                let (x, y, z) = (a.ptr as *const f64, b.ptr as *const f64, c.ptr as *mut f64);
                matrixmultiply::dgemm(m, k, n, 1.0, x, a.row, a.column, y, b.row, b.column, beta, z, c.row, c.column);
            }
        }
    }
}
