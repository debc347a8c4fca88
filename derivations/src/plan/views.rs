//! Views move through pointwise operations to the leaves: where a value lies, seen from the domain of a sweep.

use super::affine::{Arith, map_axes};
use super::{Affine, Place};
use crate::graph::{AxisId, AxisSet, Condition, Reindex, Source};

/// Where a value is read, from a position of the sweep's domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Access {
    /// Axes of the value whose index is not the position's own. Sorted by axis.
    pub map: Vec<(AxisId, Place)>,
    /// Where these do not hold the value is not used, and the map may lead outside.
    pub safe: Vec<Condition>,
}

impl Access {
    pub fn is_identity(&self) -> bool {
        self.map.is_empty() && self.safe.is_empty()
    }
    /// The same access of a value that has only these axes.
    pub fn on(&self, axes: AxisSet) -> Access {
        let map: Vec<_> = self.map.iter().filter(|(a, _)| axes.contains(*a)).cloned().collect();
        let read = map_axes(&map);
        // of an index with a part that is the same everywhere, a condition may be too
        let needed = |c: &&Condition| c.axes().intersects(read) || !map.is_empty() && c.axes().is_empty();
        let safe = self.safe.iter().filter(needed).cloned().collect();
        Access { map, safe }
    }
    /// The same, used only where `conditions` hold too.
    pub fn guarded(mut self, conditions: &[Condition]) -> Access {
        self.safe.extend(conditions.iter().cloned());
        self.safe.sort();
        self.safe.dedup();
        self
    }
}

/// Where the source (with `axes`) of a view is read if its result is read at `at`, and the view's conditions there.
/// `loads` are the places of the axes that the view loads; `holds` is known of the position. `None`: no map says it.
pub(super) fn compose(
    arith: &mut Arith,
    at: &Access,
    view: &Reindex,
    axes: AxisSet,
    loads: &[(AxisId, Place)],
    holds: &[Condition],
) -> Option<(Access, Vec<Condition>)> {
    let mut map = vec![];
    for axis in axes.iter() {
        let place = match view.map.iter().find(|(a, _)| *a == axis) {
            None => match at.map.iter().find(|(a, _)| *a == axis) {
                None => continue,
                Some((_, place)) => place.clone(),
            },
            Some((_, Source::Affine(e))) => arith.substitute(e, &at.map, holds)?,
            Some((_, Source::Load(_))) => loads.iter().find(|(a, _)| *a == axis)?.1.clone(),
        };
        if !matches!(&place, Place::Affine(e) if arith.is_identity(axis, e)) {
            map.push((axis, place));
        }
    }
    let valid = arith.conditions(&view.valid, &at.map, holds)?;
    Some((Access { map, safe: at.safe.clone() }, valid))
}

/// The index of `axis` itself.
pub(super) fn identity(arith: &mut Arith, axis: AxisId) -> Affine {
    Affine { terms: vec![(axis, arith.ints.constant(1))], offset: arith.ints.constant(0), div: None, modulo: None }
}
