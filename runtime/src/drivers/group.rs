//! Axes of a contraction that play one role, flattened.

use super::lower::Track;

/// A flattened list of dimensions, outermost first; neighbours are one where all tracks allow.
pub(crate) struct Group {
    /// The length, and how far each track moves by one step.
    dims: Vec<(usize, Vec<i64>)>,
    pub len: usize,
    tracks: usize,
}

/// Pieces of a range of a [`Group`], along each of which every track moves by equal steps.
pub(crate) struct Stretches {
    /// Where in the range they begin, and their lengths.
    pub spans: Vec<(usize, usize)>,
    at: Vec<i64>,
    tracks: usize,
}

impl Stretches {
    /// How far the tracks are from the group's start.
    pub(crate) fn at(&self, piece: usize) -> &[i64] {
        &self.at[piece * self.tracks..][..self.tracks]
    }
}

impl Group {
    /// Of dimensions of the space and their lengths.
    pub(crate) fn new(list: impl Iterator<Item = (usize, usize)>, tracks: &[Track]) -> Group {
        let (mut dims, mut total): (Vec<(usize, Vec<i64>)>, usize) = (vec![], 1);
        for (g, len) in list {
            total *= len;
            let steps: Vec<i64> = tracks.iter().map(|t| t.strides[g]).collect();
            match dims.last_mut() {
                _ if len == 1 => {}
                Some((outer, over)) if over.iter().zip(&steps).all(|(o, i)| *o == i * len as i64) => {
                    *outer *= len;
                    *over = steps;
                }
                _ => dims.push((len, steps)),
            }
        }
        Group { dims, len: total, tracks: tracks.len() }
    }
    /// One position.
    pub(crate) fn is_single(&self) -> bool {
        self.dims.is_empty()
    }
    /// A track's step along the innermost dimension.
    pub(crate) fn innermost(&self, track: usize) -> i64 {
        self.dims.last().map_or(0, |d| d.1[track])
    }
    /// The innermost dimension's length, at least 1.
    pub(crate) fn run(&self) -> usize {
        self.dims.last().map_or(1, |d| d.0.max(1))
    }
    /// A track's step along the flattened group, if it is the same all along.
    pub(crate) fn step(&self, track: usize) -> Option<i64> {
        self.dims.windows(2).all(|w| w[0].1[track] == w[1].1[track] * w[1].0 as i64).then(|| self.innermost(track))
    }
    /// Moves tracks from the group's start to a position.
    pub(crate) fn advance(&self, index: usize, at: &mut [i64]) {
        let mut rest = index;
        for (len, steps) in self.dims.iter().rev() {
            let i = (rest % len) as i64;
            rest /= len;
            at.iter_mut().zip(steps).for_each(|(a, s)| *a += i * s);
        }
    }
    /// The pieces of a range: along the innermost dimension, or single positions.
    pub(crate) fn stretches(&self, (from, to): (usize, usize), whole: bool) -> Stretches {
        let run = if whole { self.run() } else { 1 };
        let (mut spans, mut at) = (vec![], vec![]);
        let mut i = from;
        while i < to {
            let n = (run - i % run).min(to - i);
            spans.push((i - from, n));
            at.resize(at.len() + self.tracks, 0);
            let start = at.len() - self.tracks;
            self.advance(i, &mut at[start..]);
            i += n;
        }
        Stretches { spans, at, tracks: self.tracks }
    }
}
