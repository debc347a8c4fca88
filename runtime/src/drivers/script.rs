//! What a generated kernel says: its arrays and its sweeps, in order.

use super::array::{Elem, IndexTarget, IndexView, Mode, Raw, Target, View};
use super::math::Element;
use super::space::{Axis, Condition, Index, Space};
use super::tile::{Out, Tile, TileJob};
use super::vector::{At, Vector, Wide};
use super::{gemm::GemmStep, in_place, nest, scan::ScanStep, scatter::ScatterStep};
use std::marker::PhantomData;

/// An array of a script: an input, a result, or a temporary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Array(pub(crate) u32);

/// What stands behind an [`Array`].
#[derive(Clone, Debug)]
pub(crate) struct ArrayInfo {
    pub elem: Elem,
    pub axes: Vec<Axis>,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Input(Raw),
    /// What the result held before that overwrites it; before the script runs it becomes an `Input`.
    Overwritten,
    /// `None`: not wanted.
    Root(Option<(Raw, Mode)>),
    Temp,
}

/// Where an index comes from.
#[derive(Clone, Debug)]
pub enum Place {
    Affine(Index),
    /// The value of another operand, as an integer.
    Load(Box<Operand>),
}
impl From<Index> for Place {
    fn from(index: Index) -> Place {
        Place::Affine(index)
    }
}
impl From<Axis> for Place {
    fn from(axis: Axis) -> Place {
        Place::Affine(axis.into())
    }
}
impl From<Operand> for Place {
    fn from(operand: Operand) -> Place {
        Place::Load(Box::new(operand))
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Leaf {
    Array(Array),
    /// The row-major index within some axes.
    Index(Vec<Axis>),
    Test,
    Random(Draw),
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Draw {
    pub seed: u64,
    pub number: u32,
    pub axes: Vec<Axis>,
    pub distribution: Distribution,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Distribution {
    /// 1 with this probability, else 0.
    Bernoulli(f64),
    Uniform,
    Normal,
}

/// A value that a body reads at each position.
#[derive(Clone, Debug)]
pub struct Operand {
    pub(crate) leaf: Leaf,
    pub(crate) map: Vec<(Axis, Place)>,
    pub(crate) valid: Vec<Condition>,
    pub(crate) fill: f64,
}

impl Array {
    /// Read at the position itself.
    pub fn here(self) -> Operand {
        Operand::leaf(Leaf::Array(self))
    }
}

impl Operand {
    fn leaf(leaf: Leaf) -> Operand {
        Operand { leaf, map: vec![], valid: vec![], fill: 0.0 }
    }
    /// The row-major index of the position within some axes.
    pub fn index<const N: usize>(axes: [Axis; N]) -> Operand {
        Operand::leaf(Leaf::Index(axes.to_vec()))
    }
    /// 1 where all conditions hold, else 0.
    pub fn test<const N: usize>(conditions: [Condition; N]) -> Operand {
        Operand { valid: conditions.to_vec(), ..Operand::leaf(Leaf::Test) }
    }
    fn random<const N: usize>(seed: u64, number: u32, axes: [Axis; N], distribution: Distribution) -> Operand {
        Operand::leaf(Leaf::Random(Draw { seed, number, axes: axes.to_vec(), distribution }))
    }
    /// 1 with probability `keep`, else 0.
    pub fn bernoulli<const N: usize>(seed: u64, number: u32, axes: [Axis; N], keep: f64) -> Operand {
        Operand::random(seed, number, axes, Distribution::Bernoulli(keep))
    }
    /// Uniform on [0, 1).
    pub fn uniform<const N: usize>(seed: u64, number: u32, axes: [Axis; N]) -> Operand {
        Operand::random(seed, number, axes, Distribution::Uniform)
    }
    /// Standard normal.
    pub fn normal<const N: usize>(seed: u64, number: u32, axes: [Axis; N]) -> Operand {
        Operand::random(seed, number, axes, Distribution::Normal)
    }
    /// Read at another index along one of the leaf's axes.
    pub fn at(mut self, axis: Axis, place: impl Into<Place>) -> Operand {
        self.map.push((axis, place.into()));
        self
    }
    /// Read only where the conditions hold; `fill` elsewhere.
    pub fn valid<const N: usize>(mut self, conditions: [Condition; N], fill: f64) -> Operand {
        self.valid.extend(conditions);
        self.fill = fill;
        self
    }
}

/// How a fold combines values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FoldOp {
    Sum,
    Max,
    Arg,
    Prod,
}

#[derive(Clone, Debug)]
pub(crate) struct Fold {
    pub op: FoldOp,
    /// The body gives the negated value: a minimum.
    pub negate: bool,
    pub axes: Vec<Axis>,
    pub value: Option<Array>,
    pub index: Option<Array>,
}

/// A sweep whose body is compiled.
pub(crate) struct Step<'a> {
    pub domain: Vec<Axis>,
    /// The type of the body's lanes.
    pub lane: Elem,
    /// Lanes of a vector.
    pub lanes: usize,
    /// The last `wide` of them are wide.
    pub operands: Vec<Operand>,
    pub wide: usize,
    pub guard: Vec<Condition>,
    pub stores: Vec<Array>,
    pub folds: Vec<Fold>,
    pub body: TileBody<'a>,
}

/// Runs a body on a tile.
type TileBody<'a> = Box<dyn Fn(&Tile) + Send + Sync + 'a>;

impl Step<'_> {
    /// Every array that is written.
    pub fn writes(&self) -> impl Iterator<Item = Array> + '_ {
        self.stores.iter().copied().chain(self.folds.iter().flat_map(|f| f.value.into_iter().chain(f.index)))
    }
    /// Every array that is read.
    pub fn reads(&self) -> Vec<Array> {
        let mut found = vec![];
        self.operands.iter().for_each(|o| reads(o, &mut found));
        found
    }
}

/// The arrays that an operand reads.
pub(crate) fn reads(operand: &Operand, found: &mut Vec<Array>) {
    if let Leaf::Array(array) = operand.leaf {
        found.push(array);
    }
    for (_, place) in &operand.map {
        if let Place::Load(index) = place {
            reads(index, found);
        }
    }
}

pub(crate) enum Phase<'a> {
    Nest { outer: Vec<Axis>, steps: Vec<Step<'a>>, after: Vec<Step<'a>> },
    Gemm(GemmStep<'a>),
    Scatter(ScatterStep),
    Scan(ScanStep),
}

/// The arrays and sweeps of one kernel.
pub struct Script<'a, V> {
    pub(crate) space: Space,
    pub(crate) arrays: Vec<ArrayInfo>,
    pub(crate) phases: Vec<Phase<'a>>,
    /// The result that overwrites what is read.
    overwriting: Option<Array>,
    in_after: bool,
    at: At<V>,
}

impl<V: Vector> At<V> {
    /// An empty script.
    pub fn script<'a>(self, space: Space) -> Script<'a, V> {
        Script { space, arrays: vec![], phases: vec![], overwriting: None, in_after: false, at: self }
    }
}

impl<'a, V: Vector> Script<'a, V> {
    fn array(&mut self, elem: Elem, axes: &[Axis], kind: Kind) -> Array {
        if let Kind::Input(raw) | Kind::Root(Some((raw, _))) = &kind {
            let lens = axes.iter().flat_map(|a| self.space.of(*a)).map(|g| self.space.dims()[g].len);
            assert!(raw.dims.iter().map(|d| d.0).eq(lens), "an array's shape disagrees with the extents of its axes");
        }
        self.arrays.push(ArrayInfo { elem, axes: axes.to_vec(), kind });
        Array(self.arrays.len() as u32 - 1)
    }
    /// An array that is read.
    pub fn input<const N: usize>(&mut self, view: View<'a>, axes: [Axis; N]) -> Array {
        match view.raw {
            Some(raw) => self.array(raw.elem, &axes, Kind::Input(raw)),
            None => self.array(V::Elem::LANE, &axes, Kind::Overwritten),
        }
    }
    /// Indices that are read.
    pub fn input_index<const N: usize>(&mut self, view: IndexView<'a>, axes: [Axis; N]) -> Array {
        self.array(view.raw.elem, &axes, Kind::Input(view.raw))
    }
    /// A result. It may be read by later sweeps.
    pub fn root<const N: usize>(&mut self, target: Target<'a>, axes: [Axis; N]) -> Array {
        // one that is not wanted, but read, is a temporary
        let elem = target.raw.as_ref().map_or(V::Elem::LANE, |(raw, _)| raw.elem);
        let array = self.array(elem, &axes, Kind::Root(target.raw));
        if target.overwrites {
            assert!(self.overwriting.is_none(), "one result overwrites an input");
            self.overwriting = Some(array);
        }
        array
    }
    /// A result of indices.
    pub fn root_index<const N: usize>(&mut self, target: IndexTarget<'a>, axes: [Axis; N]) -> Array {
        let elem = target.raw.as_ref().map_or(Elem::U32, |raw| raw.elem);
        self.array(elem, &axes, Kind::Root(target.raw.map(|raw| (raw, Mode::Write))))
    }
    /// A temporary of the layer's type.
    pub fn data<const N: usize>(&mut self, axes: [Axis; N]) -> Array {
        self.array(V::Elem::LANE, &axes, Kind::Temp)
    }
    /// A temporary of `f64`.
    pub fn wide<const N: usize>(&mut self, axes: [Axis; N]) -> Array {
        self.array(Elem::F64, &axes, Kind::Temp)
    }
    /// A temporary of indices.
    pub fn indices<const N: usize>(&mut self, axes: [Axis; N]) -> Array {
        self.array(Elem::U32, &axes, Kind::Temp)
    }
    /// Begins a nest: for each block of the outer axes, the sweeps that follow.
    pub fn nest<const N: usize>(&mut self, outer: [Axis; N]) {
        self.in_after = false;
        self.phases.push(Phase::Nest { outer: outer.to_vec(), steps: vec![], after: vec![] });
    }
    /// The sweeps that follow run once, after the nest's last block.
    pub fn after(&mut self) {
        self.in_after = true;
    }
    fn push(&mut self, step: Step<'a>) {
        match self.phases.last_mut() {
            Some(Phase::Nest { steps, after, .. }) => (if self.in_after { after } else { steps }).push(step),
            _ => unreachable!("sweeps belong to a nest"),
        }
    }
    /// A sweep over a domain, with operands of the layer's type and wide ones.
    pub fn sweep<'s, const D: usize, const I: usize, const W: usize>(
        &'s mut self,
        domain: [Axis; D],
        data: [Operand; I],
        wide: [Operand; W],
    ) -> Sweep<'s, 'a, V, V, I, W> {
        let lane = V::Elem::LANE;
        Sweep::new(self, lane, &domain, data.into_iter().chain(wide).collect())
    }
    /// A sweep over a small domain, in `f64`.
    pub fn each<'s, const D: usize, const I: usize>(
        &'s mut self,
        domain: [Axis; D],
        operands: [Operand; I],
    ) -> Sweep<'s, 'a, V, V::One, I, 0> {
        Sweep::new(self, Elem::F64, &domain, operands.into())
    }
    /// `out[batch, m, n] = Σ_k a[batch, m, k] · b[batch, k, n]` over the positions where the guard holds; each factor with
    /// the axes that it has alone.
    pub fn gemm<const B: usize, const M: usize, const N: usize, const K: usize, const G: usize>(
        &mut self,
        out: Array,
        (a, m): (Operand, [Axis; M]),
        (b, n): (Operand, [Axis; N]),
        k: [Axis; K],
        batch: [Axis; B],
        guard: [Condition; G],
    ) {
        let (batch, m, n) = (batch.to_vec(), m.to_vec(), n.to_vec());
        let mut domain = [&batch[..], &m, &n, &k].concat();
        domain.sort();
        let sweep: Sweep<V, V, 2, 0> = Sweep::new(self, V::Elem::LANE, &domain, vec![a, b]);
        let (sweep, _) = sweep.guard(guard).sum(out, k).step({
            #[inline(always)]
            move |[a, b]: [V; 2], []: [Wide<V>; 0]| Out::store([]).sum([a * b])
        });
        self.phases.push(Phase::Gemm(GemmStep { sweep, m, n, batch }));
    }
    /// `target[.., c, ..] = Σ value` over the positions whose `index` is `c`, along `axis`.
    pub fn scatter_add(&mut self, target: Array, axis: Axis, value: Array, index: Array) {
        self.phases.push(Phase::Scatter(ScatterStep { max: false, target, axis, value, index }));
    }
    /// The largest of these values, and of 0.
    pub fn scatter_max(&mut self, target: Array, axis: Axis, value: Array, index: Array) {
        self.phases.push(Phase::Scatter(ScatterStep { max: true, target, axis, value, index }));
    }
    /// `target[t] = factor[t]·target[t−1] + term[t]` along `axis`, or from its end.
    pub fn scan(&mut self, target: Array, axis: Axis, factor: Array, term: Array, reverse: bool) {
        self.phases.push(Phase::Scan(ScanStep { target, axis, factor, term, reverse }));
    }
    /// Runs everything that a wanted result needs.
    pub fn run(self) {
        let _ = self.at;
        let mut arrays = self.arrays;
        in_place::resolve(&mut arrays, &self.phases, self.overwriting);
        nest::run(self.space, arrays, self.phases);
    }
}

/// A sweep that is being described; ended by its body.
pub struct Sweep<'s, 'a, V, L, const I: usize, const W: usize> {
    script: &'s mut Script<'a, V>,
    domain: Vec<Axis>,
    lane: Elem,
    operands: Vec<Operand>,
    guard: Vec<Condition>,
    stores: Vec<Array>,
    folds: [Vec<Fold>; 4],
    lanes: PhantomData<L>,
}

impl<'s, 'a, V: Vector, L: Vector, const I: usize, const W: usize> Sweep<'s, 'a, V, L, I, W> {
    fn new(script: &'s mut Script<'a, V>, lane: Elem, domain: &[Axis], operands: Vec<Operand>) -> Self {
        let domain = domain.to_vec();
        Sweep { script, domain, lane, operands, guard: vec![], stores: vec![], folds: Default::default(), lanes: PhantomData }
    }
    /// Positions where a condition does not hold are skipped.
    pub fn guard<const N: usize>(mut self, conditions: [Condition; N]) -> Self {
        self.guard.extend(conditions);
        self
    }
    /// The next stored value goes here.
    pub fn store(mut self, target: Array) -> Self {
        self.stores.push(target);
        self
    }
    fn fold(mut self, op: FoldOp, negate: bool, value: Option<Array>, index: Option<Array>, axes: &[Axis]) -> Self {
        self.folds[op as usize].push(Fold { op, negate, axes: axes.to_vec(), value, index });
        self
    }
    /// The next sum goes here; over `axes`.
    pub fn sum<const N: usize>(self, target: Array, axes: [Axis; N]) -> Self {
        self.fold(FoldOp::Sum, false, Some(target), None, &axes)
    }
    /// The next maximum goes here.
    pub fn max<const N: usize>(self, target: Array, axes: [Axis; N]) -> Self {
        self.fold(FoldOp::Max, false, Some(target), None, &axes)
    }
    /// The next minimum goes here; the body gives the negated value.
    pub fn min<const N: usize>(self, target: Array, axes: [Axis; N]) -> Self {
        self.fold(FoldOp::Max, true, Some(target), None, &axes)
    }
    /// The place of the next maximum goes here: row-major within `axes`, the first of equals.
    pub fn argmax<const N: usize>(self, index: Array, axes: [Axis; N]) -> Self {
        self.fold(FoldOp::Arg, false, None, Some(index), &axes)
    }
    /// The place of the next minimum; the body gives the negated value.
    pub fn argmin<const N: usize>(self, index: Array, axes: [Axis; N]) -> Self {
        self.fold(FoldOp::Arg, true, None, Some(index), &axes)
    }
    /// The next maximum and its place.
    pub fn max_and_argmax<const N: usize>(self, value: Array, index: Array, axes: [Axis; N]) -> Self {
        self.fold(FoldOp::Arg, false, Some(value), Some(index), &axes)
    }
    /// The next minimum and its place; the body gives the negated value.
    pub fn min_and_argmin<const N: usize>(self, value: Array, index: Array, axes: [Axis; N]) -> Self {
        self.fold(FoldOp::Arg, true, Some(value), Some(index), &axes)
    }
    /// The next product goes here.
    pub fn prod<const N: usize>(self, target: Array, axes: [Axis; N]) -> Self {
        self.fold(FoldOp::Prod, false, Some(target), None, &axes)
    }
    /// What is computed at each position. It must be pure: it may run on lanes that do not count.
    pub fn body<F, const O: usize, const K: usize, const M: usize, const A: usize, const P: usize>(self, body: F)
    where
        F: Fn([L; I], [Wide<L>; W]) -> Out<L, O, K, M, A, P> + Copy + Send + Sync + 'a,
    {
        let (step, script) = self.step(body);
        script.push(step);
    }
    fn step<F, const O: usize, const K: usize, const M: usize, const A: usize, const P: usize>(
        self,
        body: F,
    ) -> (Step<'a>, &'s mut Script<'a, V>)
    where
        F: Fn([L; I], [Wide<L>; W]) -> Out<L, O, K, M, A, P> + Copy + Send + Sync + 'a,
    {
        let body = move |tile: &Tile| L::enter(TileJob { tile, body, marker: PhantomData });
        self.ended(O, [K, M, A, P], Box::new(body))
    }
    /// The sweep with its body. Apart, so that it is not compiled once a body.
    fn ended(self, stores: usize, folds: [usize; 4], body: TileBody<'a>) -> (Step<'a>, &'s mut Script<'a, V>) {
        let given = self.stores.len() == stores && self.folds.iter().map(Vec::len).eq(folds);
        assert!(given, "a body gives one value a target");
        let step = Step {
            domain: self.domain,
            lane: self.lane,
            lanes: L::LANES,
            operands: self.operands,
            wide: W,
            guard: self.guard,
            stores: self.stores,
            folds: self.folds.into_iter().flatten().collect(),
            body,
        };
        (step, self.script)
    }
}
