//! What generated code names. Nothing here is for people.

pub use crate::call::*;
pub use crate::constants::*;
pub use crate::drivers::{IndexBuf, IndexTarget, IndexView, Kernel, Space, Target, View};
pub use crate::float::{Floats, Lane};
pub use crate::rng::Seed;
pub use pullback_macros::__derive as derive;
