//! What is there, used again: the same mask in an operand and around it, one subterm on both sides of an operator,
//! factors that vary along a part of the axes. Rewrite rules match what stands in a formula more than once, or beside
//! something of fewer axes; independent draws meet that too rarely.

use super::{Axis, Draw, Form, Kind, Value, size};
use std::collections::BTreeSet;

impl Draw<'_> {
    /// What a value is made of, itself included.
    fn made_of(&self, value: usize) -> BTreeSet<usize> {
        let mut all = BTreeSet::from([value]);
        let mut open = vec![value];
        while let Some(id) = open.pop() {
            open.extend(self.value(id).args.iter().copied().filter(|arg| all.insert(*arg)));
        }
        all
    }

    /// A second operand beside `first`: often something that `first` is made of, or that has a part in common with it.
    pub(super) fn beside(&mut self, first: usize, suits: impl Fn(&Value) -> bool) -> Option<usize> {
        if self.rng.one_in(2) {
            let parts = self.made_of(first);
            let related = |id: usize| parts.contains(&id) || self.value(id).args.iter().any(|a| parts.contains(a));
            let all = 0..self.program.values.len();
            let fit: Vec<usize> = all.filter(|id| suits(self.value(*id)) && related(*id)).collect();
            if !fit.is_empty() {
                return Some(self.rng.of(&fit));
            }
        }
        self.choose(suits)
    }

    /// A number beside another; it may be a hole.
    pub(super) fn float_beside(&mut self, first: usize) -> Option<usize> {
        self.beside(first, |v| v.kind == Kind::Float)
    }

    /// The value, now and then times a factor that varies along some of its axes: one that is there, or a table.
    pub(super) fn weighted(&mut self, x: usize) -> usize {
        if !self.rng.one_in(3) || size(self.ranges[x]) > 1e4 {
            return x;
        }
        let (axes, range) = (self.value(x).axes.clone(), self.ranges[x]);
        let class = std::mem::replace(&mut self.class, "weights");
        let fewer = |v: &Value| v.axes.len() < axes.len() && v.axes.iter().all(|a| axes.contains(a));
        let factor = self.float(|v| fewer(v) && !v.axes.is_empty());
        let made = match factor.filter(|f| size(self.ranges[*f]) < 1e4 && !self.rng.one_in(3)) {
            Some(factor) => {
                let most = size(range) * size(self.ranges[factor]);
                self.term(Form::Infix, "{0} * {1}", &[x, factor], axes, (-most, most))
            }
            None => self.table(x, axes.clone()),
        };
        self.class = class;
        made.unwrap_or(x)
    }

    /// The value times a table along one of its axes.
    fn table(&mut self, x: usize, axes: Vec<Axis>) -> Option<usize> {
        let along: Vec<Axis> = axes.iter().copied().filter(|a| !self.program.axes[a.0].many).collect();
        if along.is_empty() {
            return None;
        }
        let axis = self.rng.of(&along);
        let most = 1.5 * size(self.ranges[x]);
        let table: Vec<&str> = (0..self.extent(axis)).map(|_| self.rng.of(&["0.25", "0.5", "-1.5", "1.0"])).collect();
        let text = format!("{{0}} * constant([{}], {})", table.join(", "), self.name(axis));
        self.term(Form::Infix, &text, &[x], axes, (-most, most))
    }
}
