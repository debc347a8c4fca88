//! Which constructs have stood inside which.

use super::{Program, Source};
use std::collections::BTreeMap;
use std::fmt;

/// Pairs of constructs, outer and inner, and how often each was drawn.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    pairs: BTreeMap<(&'static str, &'static str), usize>,
}

impl Coverage {
    /// How often `inner` has stood inside `outer`.
    pub fn count(&self, outer: &'static str, inner: &'static str) -> usize {
        self.pairs.get(&(outer, inner)).copied().unwrap_or(0)
    }

    /// Counts the pairs of a program.
    pub fn add(&mut self, program: &Program) {
        for value in program.values.iter().filter(|v| matches!(v.source, Source::Term { .. })) {
            for inner in &value.args {
                *self.pairs.entry((value.class, program.values[*inner].class)).or_default() += 1;
            }
        }
    }

    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// The constructs that were drawn around others.
    pub fn classes(&self) -> Vec<&'static str> {
        let mut classes: Vec<&str> = self.pairs.keys().map(|(outer, _)| *outer).collect();
        classes.dedup();
        classes
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = self.classes();
        let all = classes.len() * classes.len();
        let inside = self.pairs.keys().filter(|(_, inner)| classes.contains(inner)).count();
        writeln!(f, "{} constructs; {inside} of {all} pairs of them, one inside the other", classes.len())?;
        for outer in classes {
            let of: Vec<(&(&str, &str), &usize)> = self.pairs.iter().filter(|(p, _)| p.0 == outer).collect();
            let uses: usize = of.iter().map(|(_, n)| **n).sum();
            writeln!(f, "  {outer:12} around {:2} others, {uses} times", of.len())?;
        }
        Ok(())
    }
}
