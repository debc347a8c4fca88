//! From a described sweep to numbers: every address, index and condition as a linear function of the position (a
//! [`Track`]), over the dimensions of the space.

use super::array::{Elem, Mode};
use super::script::{Array, Distribution, Fold, FoldOp, Leaf, Operand, Place, Step};
use super::space::{Axis, Condition, Index, Space};

/// `offset + Σ stride·index`, over all dimensions of the space.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    pub strides: Vec<i64>,
    /// The strides if the array were contiguous, in the same memory order: what decides how a sweep is walked, so that
    /// a strided view gives the same bits as its copy.
    pub canonical: Vec<i64>,
    pub offset: i64,
}

/// A condition on the value of a track.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cond {
    pub track: usize,
    pub test: Test,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Test {
    /// `lo ≤ v < hi`
    Range { lo: i64, hi: i64 },
    /// `lo ≤ ⌊v/div⌋ mod modulo < hi`
    Modular { div: i64, modulo: i64, lo: i64, hi: i64 },
    /// `v ≡ 0 (mod by)`
    Divides { by: i64 },
}

impl Test {
    pub(crate) fn holds(self, v: i64) -> bool {
        match self {
            Test::Range { lo, hi } => lo <= v && v < hi,
            Test::Modular { div, modulo, lo, hi } => (lo..hi).contains(&v.div_euclid(div).rem_euclid(modulo)),
            Test::Divides { by } => v.rem_euclid(by) == 0,
        }
    }
    /// Whether a step of this size never changes the outcome.
    pub(crate) fn is_periodic(self, step: i64) -> bool {
        match self {
            Test::Range { .. } => step == 0,
            Test::Modular { div, modulo, .. } => step % (div * modulo) == 0,
            Test::Divides { by } => step % by == 0,
        }
    }
}

/// An index of a source that is no linear function of the position.
#[derive(Clone, Debug)]
pub(crate) struct Extra {
    pub index: ExtraIndex,
    /// The source's extent along the axis, and its dimensions' lengths and strides.
    pub extent: i64,
    pub dims: Vec<(i64, i64)>,
}

#[derive(Clone, Debug)]
pub(crate) enum ExtraIndex {
    /// `⌊v/div⌋`, then its remainder by `modulo` if that is not 0.
    Divided {
        track: usize,
        div: i64,
        modulo: i64,
    },
    Load(Box<Access>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// Bytes from the array's first element.
    Array(Array),
    /// The track's own value.
    Iota,
    One,
    /// The track counts elements.
    Random {
        seed: u64,
        number: u32,
        distribution: Distribution,
    },
}

/// How an operand is read.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub source: Source,
    pub elem: Elem,
    pub track: usize,
    pub extras: Vec<Extra>,
    pub valid: Vec<Cond>,
    pub fill: f64,
}

/// A store, or one result of a fold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pub array: Array,
    pub elem: Elem,
    pub mode: Mode,
    pub track: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct LoweredFold {
    pub op: FoldOp,
    pub negate: bool,
    /// By dimension of the space: reduced over.
    pub reduced: Vec<bool>,
    pub value: Option<Spot>,
    pub index: Option<Spot>,
    /// The row-major index within the reduced axes.
    pub arg: usize,
    /// The partial result's place, in elements.
    pub partial: usize,
    /// Reduces over axes of the nest's outer set: finished after the nest.
    pub carried: bool,
}

/// A step in numbers.
pub(crate) struct Lowered {
    /// Dimensions of the space that the domain consists of.
    pub domain: Vec<usize>,
    pub lane: Elem,
    /// Lanes of a vector.
    pub lanes: usize,
    pub operands: Vec<Access>,
    pub wide: usize,
    pub tracks: Vec<Track>,
    pub guard: Vec<Cond>,
    pub stores: Vec<Option<Spot>>,
    pub folds: Vec<LoweredFold>,
}

impl Lowered {
    /// The lanes that an operand is given to the body in.
    pub(crate) fn lane_of(&self, operand: usize) -> Elem {
        if operand + self.wide >= self.operands.len() { Elem::F64 } else { self.lane }
    }
}

/// An array with its memory, as far as known.
#[derive(Clone, Debug)]
pub(crate) struct Laid {
    pub elem: Elem,
    /// By dimension of the space that the array has: stride and canonical stride, in bytes.
    pub dims: Vec<(usize, i64, i64)>,
}

impl Laid {
    /// The stride along a dimension, in bytes; 0 where it has none such.
    pub(crate) fn stride(&self, g: usize) -> i64 {
        self.dims.iter().find(|d| d.0 == g).map_or(0, |d| d.1)
    }
}

/// What lowering needs to know about the call.
pub(crate) struct Context<'c> {
    pub space: &'c Space,
    pub axes: &'c dyn Fn(Array) -> Vec<Axis>,
    pub laid: &'c [Option<Laid>],
}

pub(crate) struct Lowering<'c> {
    pub context: Context<'c>,
    pub tracks: Vec<Track>,
    /// Extents of the domain's dimensions, 1 elsewhere.
    lens: Vec<usize>,
    /// What must hold so that nothing out of bounds is read, where it does not follow.
    checks: Vec<Cond>,
}

impl<'c> Lowering<'c> {
    pub(crate) fn new(context: Context<'c>, domain: &[Axis]) -> Lowering<'c> {
        let mut lens = vec![1; context.space.dims().len()];
        for g in domain.iter().flat_map(|a| context.space.of(*a)) {
            lens[g] = context.space.dims()[g].len;
        }
        Lowering { context, tracks: vec![], lens, checks: vec![] }
    }
    fn track(&mut self, strides: Vec<i64>, canonical: Option<Vec<i64>>, offset: i64) -> usize {
        let canonical = canonical.unwrap_or_else(|| strides.clone());
        self.tracks.push(Track { strides, canonical, offset });
        self.tracks.len() - 1
    }
    /// The linear part of an index: by dimension, and the offset.
    fn linear(&self, e: &Index) -> (Vec<i64>, i64) {
        let mut strides = vec![0; self.lens.len()];
        for (axis, k) in &e.terms {
            for g in self.context.space.of(*axis) {
                strides[g] += k * self.context.space.dims()[g].flat;
            }
        }
        (strides, e.offset)
    }
    /// The least and greatest value over the domain.
    fn interval(&self, strides: &[i64], offset: i64) -> (i64, i64) {
        strides.iter().zip(&self.lens).fold((offset, offset), |(lo, hi), (s, n)| {
            let far = s * (*n as i64 - 1).max(0);
            (lo + far.min(0), hi + far.max(0))
        })
    }
    /// The same where conditions hold that bound one dimension each.
    fn interval_where(&self, strides: &[i64], offset: i64, conditions: &[&[Condition]]) -> (i64, i64) {
        let mut ranges: Vec<(i64, i64)> = self.lens.iter().map(|n| (0, (*n as i64 - 1).max(0))).collect();
        for c in conditions.iter().copied().flatten() {
            let Condition::Range { e, lo, hi } = c else { continue };
            let (along, start) = self.linear(e);
            let mut moving = (0..along.len()).filter(|g| along[*g] != 0);
            let (Some(g), None, 0) = (moving.next(), moving.next(), e.modulo) else { continue };
            // from ≤ k·i ≤ to
            let (k, from, to) = (along[g], lo.saturating_mul(e.div) - start, hi.saturating_mul(e.div) - 1 - start);
            let (k, from, to) = if k > 0 { (k, from, to) } else { (-k, -to, -from) };
            ranges[g].0 = ranges[g].0.max(-(-from).div_euclid(k));
            ranges[g].1 = ranges[g].1.min(to.div_euclid(k)).max(ranges[g].0);
        }
        strides.iter().zip(ranges).fold((offset, offset), |(least, most), (s, (from, to))| {
            (least + (s * from).min(s * to), most + (s * from).max(s * to))
        })
    }
    pub(crate) fn condition(&mut self, c: &Condition) -> Option<Cond> {
        let (e, test) = match c {
            Condition::Divides { e, by } => (e, Test::Divides { by: *by }),
            Condition::Range { e, lo, hi } if e.modulo == 0 => {
                (e, Test::Range { lo: lo.saturating_mul(e.div), hi: hi.saturating_mul(e.div) })
            }
            Condition::Range { e, lo, hi } => (e, Test::Modular { div: e.div, modulo: e.modulo, lo: *lo, hi: *hi }),
        };
        let (strides, offset) = self.linear(e);
        if let Test::Range { lo, hi } = test {
            let (least, most) = self.interval(&strides, offset);
            if lo <= least && most < hi {
                return None;
            }
        }
        if matches!(test, Test::Divides { by: 1 }) {
            return None;
        }
        Some(Cond { track: self.track(strides, None, offset), test })
    }
    pub(crate) fn conditions(&mut self, list: &[Condition]) -> Vec<Cond> {
        list.iter().filter_map(|c| self.condition(c)).collect()
    }

    pub(crate) fn access(&mut self, operand: &Operand, guard: &[Condition]) -> Access {
        let mut access =
            Access { source: Source::One, elem: Elem::F64, track: 0, extras: vec![], valid: vec![], fill: operand.fill };
        let n = self.lens.len();
        match &operand.leaf {
            Leaf::Test => access.track = self.track(vec![0; n], None, 0),
            Leaf::Index(axes) => {
                access.source = Source::Iota;
                let row_major = axes.iter().fold(Index::constant(0), |index, axis| {
                    let len = self.context.space.extent(*axis) as i64;
                    Index { terms: index.terms.into_iter().map(|(a, k)| (a, k * len)).collect(), ..index } + *axis
                });
                let (strides, offset) = self.linear(&row_major);
                let (strides, offset) = match operand.map.iter().find(|(a, _)| axes == &[*a]) {
                    Some((_, Place::Affine(e))) if e.div == 1 && e.modulo == 0 => self.linear(e),
                    Some((_, Place::Affine(e))) => {
                        // the whole value comes from the division
                        let (linear, start) = self.linear(e);
                        let track = self.track(linear, None, start);
                        let index = ExtraIndex::Divided { track, div: e.div, modulo: e.modulo };
                        access.extras.push(Extra { index, extent: i64::MAX, dims: vec![(i64::MAX, 1)] });
                        (vec![0; n], 0)
                    }
                    _ => (strides, offset),
                };
                access.track = self.track(strides, None, offset);
            }
            Leaf::Random(draw) => {
                access.source = Source::Random { seed: draw.seed, number: draw.number, distribution: draw.distribution };
                let mut size: i64 = draw.axes.iter().map(|a| self.context.space.extent(*a) as i64).product();
                let (mut strides, mut offset) = (vec![0; n], 0);
                for axis in &draw.axes {
                    let len = self.context.space.extent(*axis) as i64;
                    size = if len == 0 { 0 } else { size / len };
                    self.along(operand, *axis, &[(len, size)], len, &mut strides, &mut offset, &mut access, guard);
                }
                access.track = self.track(strides, None, offset);
            }
            Leaf::Array(array) => self.array(*array, operand, guard, &mut access),
        }
        // what the guard says already need not be asked again
        let asked: Vec<&Condition> = operand.valid.iter().filter(|c| !self.said(c, guard)).collect();
        for c in asked {
            let c = self.condition(c);
            access.valid.extend(c);
        }
        access
    }

    fn array(&mut self, array: Array, operand: &Operand, guard: &[Condition], access: &mut Access) {
        let laid = self.context.laid[array.0 as usize].clone().expect("an array is written before it is read");
        let n = self.lens.len();
        access.source = Source::Array(array);
        access.elem = laid.elem;
        let (mut strides, mut canonical, mut offset) = (vec![0; n], vec![0; n], 0);
        for axis in (self.context.axes)(array) {
            let dims = self.context.space.of(axis);
            let of = |g: usize| laid.dims.iter().find(|d| d.0 == g).map_or((0, 0), |d| (d.1, d.2));
            if !operand.map.iter().any(|(a, _)| *a == axis) {
                for g in dims {
                    strides[g] += of(g).0;
                    canonical[g] += of(g).1;
                }
                continue;
            }
            let extent = self.context.space.extent(axis) as i64;
            let lens = |g: usize| self.context.space.dims()[g].len as i64;
            let actual: Vec<(i64, i64)> = dims.clone().map(|g| (lens(g), of(g).0)).collect();
            let ideal: Vec<(i64, i64)> = dims.clone().map(|g| (lens(g), of(g).1)).collect();
            let before = strides.clone();
            self.along(operand, axis, &actual, extent, &mut strides, &mut offset, access, guard);
            // the same map on the contiguous array
            let mut scratch = Access { extras: vec![], valid: vec![], ..access.clone() };
            let (mut ideal_strides, mut ignored) = (vec![0; n], 0);
            let checks = self.checks.len();
            let tracks = self.tracks.len();
            self.along(operand, axis, &ideal, extent, &mut ideal_strides, &mut ignored, &mut scratch, guard);
            self.checks.truncate(checks);
            self.tracks.truncate(tracks);
            if scratch.extras.is_empty() {
                canonical.iter_mut().zip(&ideal_strides).for_each(|(c, s)| *c += s);
            } else {
                canonical.iter_mut().zip(strides.iter().zip(&before)).for_each(|(c, (s, b))| *c += s - b);
            }
        }
        access.track = self.track(strides, Some(canonical), offset);
    }

    /// Adds the index along one axis of a source, whose dimensions' lengths and strides are given.
    #[expect(clippy::too_many_arguments, reason = "one step of `access`, which owns all of it")]
    fn along(
        &mut self,
        operand: &Operand,
        axis: Axis,
        dims: &[(i64, i64)],
        extent: i64,
        strides: &mut [i64],
        offset: &mut i64,
        access: &mut Access,
        guard: &[Condition],
    ) {
        let own = Place::Affine(axis.into());
        let place = operand.map.iter().find(|(a, _)| *a == axis).map_or(&own, |(_, p)| p);
        let e = match place {
            Place::Load(index) => {
                let index = ExtraIndex::Load(Box::new(self.access(index, guard)));
                access.extras.push(Extra { index, extent, dims: dims.to_vec() });
                return;
            }
            Place::Affine(e) => e,
        };
        self.bound(e, extent, guard, &operand.valid);
        // dimensions that could be one: the flattened index has one stride
        let mergeable = dims.windows(2).all(|w| w[0].1 == w[1].1 * w[1].0);
        let whole = e.terms.len() == 1 && e.terms[0].1 == 1 && e.offset == 0;
        let same = |g: std::ops::Range<usize>| {
            g.len() == dims.len() && g.zip(dims).all(|(g, d)| self.context.space.dims()[g].len as i64 == d.0)
        };
        if e.div == 1 && e.modulo == 0 && whole && same(self.context.space.of(e.terms[0].0)) {
            for (g, d) in self.context.space.of(e.terms[0].0).zip(dims) {
                strides[g] += d.1;
            }
        } else if e.div == 1 && e.modulo == 0 && (mergeable || extent <= 1) {
            let stride = dims.last().map_or(0, |d| d.1);
            let (linear, start) = self.linear(e);
            strides.iter_mut().zip(&linear).for_each(|(s, k)| *s += k * stride);
            *offset += start * stride;
        } else {
            let (linear, start) = self.linear(e);
            let track = self.track(linear, None, start);
            let index = ExtraIndex::Divided { track, div: e.div, modulo: e.modulo };
            let dims = if mergeable { vec![(extent, dims.last().map_or(0, |d| d.1))] } else { dims.to_vec() };
            access.extras.push(Extra { index, extent, dims });
        }
    }

    /// Makes sure that an index stays below the extent: by its interval, by a condition that says so, or by a check.
    fn bound(&mut self, e: &Index, extent: i64, guard: &[Condition], valid: &[Condition]) {
        if e.modulo != 0 && e.modulo <= extent {
            return;
        }
        let (strides, offset) = self.linear(e);
        let (least, most) = self.interval_where(&strides, offset, &[guard, valid]);
        if e.modulo == 0 && least.div_euclid(e.div) >= 0 && most.div_euclid(e.div) < extent {
            return;
        }
        let within = e.clone().within(0, extent);
        let said = self.said(&within, guard) || self.said(&within, valid);
        if !said {
            let check = self.condition(&within);
            self.checks.extend(check);
        }
    }
    /// Whether a condition follows from one of those given.
    fn said(&self, condition: &Condition, given: &[Condition]) -> bool {
        given.iter().any(|g| g == condition || matches!((condition, g), (Condition::Range { e, lo, hi }, Condition::Range { e: f, lo: from, hi: to }) if self.implies((f, *from, *to), (e, *lo, *hi))))
    }
    /// Whether `from ≤ f < to` says that `lo ≤ e < hi`.
    fn implies(&self, (f, from, to): (&Index, i64, i64), (e, lo, hi): (&Index, i64, i64)) -> bool {
        if f.modulo != 0 || e.modulo != 0 {
            return f == e && from >= lo && to <= hi;
        }
        let ((a, start), (b, offset)) = (self.linear(f), self.linear(e));
        // both as bounds on the same linear form
        let shift = offset - start;
        a == b && from * f.div + shift >= lo * e.div && to * f.div + shift <= hi * e.div
    }
    /// Conditions without those that others imply.
    pub(crate) fn distinct(&self, list: &[Condition]) -> Vec<Condition> {
        let mut kept: Vec<Condition> = vec![];
        for (i, c) in list.iter().enumerate() {
            if !self.said(c, &kept) && !self.said(c, &list[i + 1..]) {
                kept.push(c.clone());
            }
        }
        kept
    }

    /// The checks so far, which nothing else asks for.
    pub(crate) fn take_checks(&mut self) -> Vec<Cond> {
        std::mem::take(&mut self.checks)
    }

    pub(crate) fn place(&mut self, array: Array, mode: Mode) -> Spot {
        let laid = self.context.laid[array.0 as usize].clone().expect("laid out before");
        let n = self.lens.len();
        let (mut strides, mut canonical) = (vec![0; n], vec![0; n]);
        for (g, stride, ideal) in laid.dims {
            (strides[g], canonical[g]) = (stride, ideal);
        }
        Spot { array, elem: laid.elem, mode, track: self.track(strides, Some(canonical), 0) }
    }

    /// The domain's dimensions in memory order of the largest operand, outermost first.
    pub(crate) fn order(&self, domain: &[usize], operands: &[Access]) -> Vec<usize> {
        let at: Vec<usize> = operands.iter().filter(|o| matches!(o.source, Source::Array(_))).map(|o| o.track).collect();
        let mut order = domain.to_vec();
        order.sort_by_key(|g| std::cmp::Reverse(super::walk::order_key(&self.tracks, &at, domain, &self.lens, *g)));
        order
    }

    /// The fold's tracks; `kept` is the order in which partial results are laid out, with their lengths.
    pub(crate) fn fold(&mut self, fold: &Fold, kept: &[(usize, usize)], carried: bool) -> LoweredFold {
        let n = self.lens.len();
        let mut reduced = vec![false; n];
        let mut arg = vec![0; n];
        let mut size = 1;
        for axis in fold.axes.iter().rev() {
            for g in self.context.space.of(*axis) {
                reduced[g] = true;
                arg[g] = if fold.op == FoldOp::Arg { size * self.context.space.dims()[g].flat } else { 0 };
            }
            size *= self.context.space.extent(*axis) as i64;
        }
        let mut partial = vec![0; n];
        let mut stride = 1;
        for &(g, len) in kept.iter().rev().filter(|(g, _)| !reduced[*g]) {
            partial[g] = stride;
            stride *= len as i64;
        }
        LoweredFold {
            op: fold.op,
            negate: fold.negate,
            carried,
            reduced,
            value: None,
            index: None,
            arg: self.track(arg, None, 0),
            partial: self.track(partial, None, 0),
        }
    }
    /// The step so far: what it reads.
    pub(crate) fn finish(self, guard: Vec<Cond>, step: &Step, operands: Vec<Access>) -> Lowered {
        let domain = step.domain.iter().flat_map(|a| self.context.space.of(*a)).collect();
        let (lane, lanes, wide) = (step.lane, step.lanes, step.wide);
        Lowered { domain, lane, lanes, operands, wide, tracks: self.tracks, guard, stores: vec![], folds: vec![] }
    }
    /// Goes on where a lowering ended.
    pub(crate) fn resume(context: Context<'c>, domain: &[Axis], tracks: Vec<Track>) -> Lowering<'c> {
        Lowering { tracks, ..Lowering::new(context, domain) }
    }
}
