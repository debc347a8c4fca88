//! How a sweep goes over blocks of one size: decided once, and the tiles that were prepared on the way.

use super::array::{Elem, Mode};
use super::lower::{Access, Cond, Extra, ExtraIndex, Lowered, LoweredFold, Source, Spot, Test};
use super::read::Reader;
use super::script::{Array, FoldOp};
use super::template::Program;
use super::walk::{Loop, Walk};

/// The bytes of a cell, one number for every lane: as many as the lanes of a vector take as `f64`.
pub(crate) const CELL: usize = 128;
/// Elements that the lines of a tile's rows may take: less than a first-level cache holds.
const ROWS: usize = 6144;

/// How an operand is given to tiles.
#[derive(Clone, Copy)]
pub(crate) struct Class {
    /// One value all along the run.
    pub cell: bool,
    /// An array whose elements are lanes along the run, wherever the tile is.
    pub direct: bool,
    /// The same for every entry of a tile.
    pub invariant: bool,
    /// The same for every row of a tile.
    pub row_invariant: bool,
    /// Depends on nothing but its track.
    pub simple: bool,
    /// The same whenever a prepared tile runs.
    pub constant: bool,
    /// How far its elements move from row to row and along the run, if by equal steps that do not depend on values.
    pub steps: Option<(i64, i64)>,
}

/// What is the same for all blocks of one size.
pub(crate) struct Plan {
    pub walk: Walk,
    pub classes: Vec<Class>,
    /// By fold: one tile sees all that is folded.
    pub complete: Vec<bool>,
    /// The most rows of one tile.
    pub most_rows: usize,
    /// No conditions, one loop of taps at most, and every operand and store direct or the same for all of them.
    pub plain: bool,
    /// What decides how tiles look, beside the position itself.
    pub keys: Vec<Key>,
    /// Results past the cache.
    pub stream: bool,
    /// What the next block will read, with the layout of the first result, and how far on, in bytes.
    pub ahead: Vec<(Array, i64)>,
    pub programs: Vec<Program>,
}

impl Plan {
    pub(crate) fn new(step: &Lowered, lens: &[usize], stream: bool, ahead: Vec<(Array, i64)>) -> Plan {
        let walk = Walk::new(step, lens);
        let reader = Reader { bases: &[], walk: &walk };
        let classes: Vec<Class> = (0..step.operands.len()).map(|i| class(step, &reader, i)).collect();
        let complete: Vec<bool> = step.folds.iter().enumerate().map(|(f, fold)| completes(&walk, f, fold)).collect();
        let direct = |s: &Option<Spot>| s.is_some_and(|s| is_direct(&s, step.lane, &walk));
        let plain = walk.taps.len() <= 1
            && step.guard.is_empty()
            && walk.ragged.is_none()
            && step.folds.iter().all(|f| f.op != FoldOp::Arg)
            && classes.iter().all(|c| c.direct || c.simple && c.invariant)
            && step.stores.iter().all(direct);
        let stream = stream && (0..step.folds.len()).all(|f| !walk.run[0].reduces(f));
        let keys = keys(step, &walk, &classes);
        let most_rows = most_rows(step, &walk, &classes, &complete);
        Plan { walk, classes, complete, most_rows, plain, keys, stream, ahead, programs: vec![] }
    }
}

/// What of a track's value decides how tiles look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Key {
    Value(usize),
    /// Nothing, within these bounds: there a condition holds for the whole tile.
    Within(usize, i64, i64),
    Remainder(usize, i64),
}

impl Key {
    pub(crate) fn of(self, values: &[i64]) -> i64 {
        match self {
            Key::Value(track) => values[track],
            Key::Within(track, lo, hi) if lo <= values[track] && values[track] < hi => i64::MAX,
            Key::Within(track, ..) => values[track],
            Key::Remainder(track, by) => values[track].rem_euclid(by),
        }
    }
}

fn keys(step: &Lowered, walk: &Walk, classes: &[Class]) -> Vec<Key> {
    let condition = |c: &Cond| match c.test {
        Test::Range { lo, hi } => {
            // how far the track moves within the program
            let loops = walk.taps.iter().chain(&walk.run).chain([&walk.rows]);
            let (mut least, mut most) = (0, 0);
            for far in loops.map(|l| l.steps[c.track] * (l.len as i64 - 1)) {
                (least, most) = (least + far.min(0), most + far.max(0));
            }
            Key::Within(c.track, lo - least, hi - most)
        }
        Test::Divides { by } => Key::Remainder(c.track, by),
        Test::Modular { .. } => Key::Value(c.track),
    };
    let mut keys: Vec<Key> = step.guard.iter().chain(&walk.ragged).map(condition).collect();
    for (access, class) in step.operands.iter().zip(classes) {
        keys.extend(access.valid.iter().map(condition));
        for extra in &access.extras {
            match extra.index {
                ExtraIndex::Divided { track, div, .. } if is_anchored(extra) && !class.constant => {
                    keys.push(Key::Remainder(track, div))
                }
                ExtraIndex::Divided { track, .. } => keys.push(Key::Value(track)),
                ExtraIndex::Load(_) => {}
            }
        }
        if class.constant {
            keys.push(Key::Value(access.track));
        }
    }
    keys.sort_by_key(|k| format!("{k:?}"));
    keys.dedup();
    keys
}

/// Whether an index moves its source by equal steps for every whole multiple of its divisor.
pub(crate) fn is_anchored(extra: &Extra) -> bool {
    matches!(extra.index, ExtraIndex::Divided { modulo: 0, .. }) && extra.dims.len() == 1
}

fn class(step: &Lowered, reader: &Reader, i: usize) -> Class {
    let (access, walk, lane) = (&step.operands[i], reader.walk, step.lane_of(i));
    let simple = access.extras.is_empty() && access.valid.is_empty();
    let is_array = matches!(access.source, Source::Array(_));
    let loads = access.extras.iter().any(|e| matches!(e.index, ExtraIndex::Load(_)));
    let along = walk.along[access.track];
    let row_invariant = reader.is_invariant(access, std::slice::from_ref(&walk.rows));
    let drawn = matches!(access.source, Source::Random { .. });
    Class {
        cell: reader.is_cell(access),
        direct: simple && is_array && access.elem == lane && along == Some(lane.size() as i64),
        invariant: reader.is_invariant(access, &walk.taps),
        row_invariant,
        simple,
        constant: !is_array && !drawn && !loads && row_invariant && reader.is_invariant(access, &walk.outer),
        steps: reader.row_step(access).zip(linear(reader, access)).filter(|_| is_array && !loads),
    }
}

/// How far the elements move along the run.
fn linear(reader: &Reader, access: &Access) -> Option<i64> {
    access.extras.iter().try_fold(reader.walk.along[access.track]?, |step, e| Some(step + reader.extra_step(e)?))
}

fn most_rows(step: &Lowered, walk: &Walk, classes: &[Class], complete: &[bool]) -> usize {
    let entries = walk.tap_chunk.min(walk.tap_len).max(1);
    // what one row of a tile takes, in elements
    let staged = |(i, c): (usize, &Class)| match c {
        c if c.direct || c.row_invariant => 0,
        c if c.cell => 32 * entries,
        // lines that the taps share
        Class { steps: Some(_), .. } if step.operands[i].valid.is_empty() => 2 * walk.run_chunk + 32,
        _ => (walk.run_chunk + 24) * entries,
    };
    let lines: usize = classes.iter().enumerate().map(staged).sum();
    let direct = |s: &Option<Spot>| s.is_some_and(|s| is_direct(&s, step.lane, walk));
    let stores = step.stores.iter().filter(|s| !direct(s)).count() * (walk.run_chunk + 24) * entries;
    let result = |(f, fold): (usize, &LoweredFold)| match fold.op {
        _ if walk.run[0].reduces(f) => 32,
        _ if !walk.rows.reduces(f) && complete[f] && fold.index.is_none() && writes_lanes(fold, step.lane, walk) => 0,
        // one line for all rows
        _ if walk.rows.reduces(f) => 0,
        _ => 2 * walk.run_chunk + 80,
    };
    let results: usize = step.folds.iter().enumerate().map(result).sum();
    ROWS.checked_div(lines + stores + results).map_or(256, |rows| rows.clamp(1, 256))
}

/// Whether a store can write lanes where they belong.
pub(crate) fn is_direct(spot: &Spot, lane: Elem, walk: &Walk) -> bool {
    spot.elem == lane && spot.mode == Mode::Write && walk.along[spot.track] == Some(lane.size() as i64)
}

/// Whether the values of a fold by columns can be written where they belong.
pub(crate) fn writes_lanes(fold: &LoweredFold, lane: Elem, walk: &Walk) -> bool {
    let fits = |s: Spot| is_direct(&s, lane, walk) || walk.pair || fold.op == FoldOp::Sum && is_direct(&s, Elem::F64, walk);
    walk.columns && !fold.negate && fold.op != FoldOp::Prod && fold.value.is_some_and(fits)
}

/// Whether one tile sees all that the fold reduces over, so that its result is final.
pub(crate) fn completes(walk: &Walk, f: usize, fold: &LoweredFold) -> bool {
    let inside = walk.tap_len <= walk.tap_chunk && (!walk.run[0].reduces(f) || walk.run_len <= walk.run_chunk);
    let rows = walk.rows.len == 1 || !walk.rows.reduces(f);
    inside && rows && !fold.carried && walk.outer.iter().all(|l: &Loop| !l.reduces(f))
}
