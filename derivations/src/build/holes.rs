//! Where a value has holes: positions of a window outside the array.

use crate::graph::{Affine, AxisId, AxisSet, Condition, Graph, HostId, IntId, NodeId, condition_axes};
use proc_macro2::TokenStream;

/// A value is a hole where one of the conditions fails, or one of the masks.
#[derive(Clone, Debug, Default)]
pub(super) struct Holes {
    /// Sorted, each once.
    pub conditions: Vec<Condition>,
    pub windows: Vec<WindowHoles>,
    /// What no conjunction of conditions says: nodes that are 0 at holes, with their axes.
    pub masks: Vec<(NodeId, AxisSet)>,
}

/// A window whose taps may be holes.
#[derive(Clone, Debug)]
pub(super) struct WindowHoles {
    pub window: TokenStream,
    pub sources: Vec<AxisId>,
    pub taps: AxisSet,
    /// What a mean over all taps divides by, where `has_divisor` is not 0.
    pub divisor: HostId,
    pub has_divisor: HostId,
}

impl Holes {
    pub fn union(&self, other: &Holes) -> Holes {
        let mut conditions: Vec<Condition> = self.conditions.iter().chain(&other.conditions).cloned().collect();
        conditions.sort();
        conditions.dedup();
        let mut windows = self.windows.clone();
        for w in &other.windows {
            if !windows.iter().any(|v| v.taps == w.taps) {
                windows.push(w.clone());
            }
        }
        let mut masks: Vec<(NodeId, AxisSet)> = self.masks.iter().chain(&other.masks).copied().collect();
        masks.sort();
        masks.dedup();
        Holes { conditions, windows, masks }
    }

    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty() && self.masks.is_empty()
    }

    pub fn axes(&self) -> AxisSet {
        self.masks.iter().fold(condition_axes(&self.conditions), |set, m| set | m.1)
    }

    /// The holes that a reduction over `axes` settles, and those that stay.
    pub fn split(&self, axes: AxisSet) -> (Holes, Holes) {
        let (settled, stay): (Vec<Condition>, Vec<Condition>) =
            self.conditions.iter().cloned().partition(|c| c.axes().intersects(axes));
        let (masks, open) = self.masks.iter().copied().partition(|m: &(NodeId, AxisSet)| m.1.intersects(axes));
        let windows = if stay.is_empty() { vec![] } else { self.windows.clone() };
        (Holes { conditions: settled, windows: vec![], masks }, Holes { conditions: stay, windows, masks: open })
    }
}

/// `e` with indices replaced by affine expressions; `None` where the result is not affine.
pub(super) fn substitute(graph: &mut Graph, e: &Affine, map: &[(AxisId, Affine)]) -> Option<Affine> {
    let mut terms: Vec<(AxisId, IntId)> = Vec::new();
    let mut offset = e.offset;
    for (axis, coefficient) in &e.terms {
        let Some((_, inner)) = map.iter().find(|(a, _)| a == axis) else {
            terms.push((*axis, *coefficient));
            continue;
        };
        if inner.div.is_some() || inner.modulo.is_some() {
            return None;
        }
        for (a, c) in &inner.terms {
            terms.push((*a, graph.ints.mul(*coefficient, *c)));
        }
        let shifted = graph.ints.mul(*coefficient, inner.offset);
        offset = graph.ints.add(offset, shifted);
    }
    Some(Affine { terms: gather(graph, terms), offset, div: e.div, modulo: e.modulo })
}

/// Sorted by axis, each axis once.
fn gather(graph: &mut Graph, mut terms: Vec<(AxisId, IntId)>) -> Vec<(AxisId, IntId)> {
    terms.sort();
    let mut out: Vec<(AxisId, IntId)> = Vec::new();
    for (axis, c) in terms {
        match out.last_mut() {
            Some((last, sum)) if *last == axis => *sum = graph.ints.add(*sum, c),
            _ => out.push((axis, c)),
        }
    }
    out
}

/// The conditions with indices replaced; `None` where one cannot be expressed.
pub(super) fn substitute_all(graph: &mut Graph, conditions: &[Condition], map: &[(AxisId, Affine)]) -> Option<Vec<Condition>> {
    let one = |graph: &mut Graph, c: &Condition| {
        Some(match c {
            Condition::Range { e, lo, hi } => Condition::Range { e: substitute(graph, e, map)?, lo: *lo, hi: *hi },
            Condition::Divides { e, by } => Condition::Divides { e: substitute(graph, e, map)?, by: *by },
        })
    };
    conditions.iter().map(|c| one(graph, c)).collect()
}
