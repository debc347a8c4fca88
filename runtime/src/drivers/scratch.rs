//! Memory of lines: what a tile's operands are staged in, and where its results lie until they are brought away.

use std::ops::{Deref, DerefMut};

/// Words of a cache line.
const LINE: usize = 8;

/// Zeros, the first of which begins a cache line: a vector that lies across two is loaded in twice the time, and waits long
/// for one that was just stored.
#[derive(Debug, Default)]
pub(crate) struct Aligned {
    words: Vec<f64>,
    first: usize,
    len: usize,
}

impl Aligned {
    pub(crate) fn new(len: usize) -> Aligned {
        let words = vec![0.0; len + LINE];
        let first = words.as_ptr().align_offset(64).min(LINE);
        Aligned { words, first, len }
    }
}

impl Deref for Aligned {
    type Target = [f64];
    fn deref(&self) -> &[f64] {
        &self.words[self.first..self.first + self.len]
    }
}
impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f64] {
        &mut self.words[self.first..self.first + self.len]
    }
}

/// Memory that is used again holds what nobody may read: in debug builds it is NaN, in every type.
pub(crate) fn poison(memory: &mut [f64]) {
    if cfg!(debug_assertions) {
        memory.fill(f64::from_bits(u64::MAX));
    }
}

/// Words of the memory that all tiles of a thread share: about what a first-level cache holds.
const SHARED: usize = 8 << 10;

/// Memory shared by tiles that run one after the other.
pub(crate) struct Scratch {
    words: Aligned,
}

impl Scratch {
    pub(crate) fn new() -> Scratch {
        Scratch { words: Aligned::new(SHARED) }
    }
    /// Makes sure that a tile reads nothing of another one's.
    pub(crate) fn poison(&mut self, used: usize) {
        poison(&mut self.words[..used]);
    }
}

/// The lines of one tile.
#[derive(Default)]
pub(crate) struct Lines {
    /// Words of the shared memory that are taken.
    pub shared: usize,
    own: Vec<Aligned>,
}

/// Words around `bytes` of a line: room for a vector before and two behind.
fn room(bytes: usize) -> usize {
    bytes.div_ceil(64) * 8 + 24
}

impl Lines {
    /// A line that other tiles use too.
    pub(crate) fn shared(&mut self, scratch: &mut Scratch, bytes: usize) -> *mut u8 {
        let words = room(bytes);
        if self.shared + words > scratch.words.len() {
            return self.own(bytes);
        }
        let p = scratch.words.as_mut_ptr().wrapping_add(self.shared + 8) as *mut u8;
        self.shared += words;
        p
    }
    /// A line that keeps what it holds.
    pub(crate) fn own(&mut self, bytes: usize) -> *mut u8 {
        let mut more = Aligned::new(room(bytes));
        poison(&mut more);
        let p = more.as_mut_ptr().wrapping_add(8) as *mut u8;
        self.own.push(more);
        p
    }
}
