//! What generated kernels run on: vectors, and the loops over memory. All `unsafe` code of this crate lives here.
//!
//! A kernel is a [`Script`]: arrays, and sweeps over named axes whose bodies are closures over [`Vector`]s. The script
//! decides at run time, from extents and strides, how each sweep walks memory; a closure is compiled only into the
//! small loop of `tile`.

#![allow(
    clippy::needless_range_loop,
    clippy::excessive_precision,
    clippy::approx_constant,
    reason = "lanes are walked by index, and coefficients of polynomials are as published"
)]

mod array;
mod exec;
mod finish;
mod gather;
mod gemm;
mod group;
pub(crate) mod half;
mod in_place;
pub(crate) mod isa;
mod lines;
mod lower;
mod math;
mod nest;
mod pack;
mod panel;
mod partial;
mod philox;
mod plan;
mod read;
mod reg;
mod scan;
mod scatter;
mod scratch;
mod script;
mod space;
mod template;
#[cfg(test)]
mod tests;
mod tile;
mod unnest;
mod vector;
mod walk;

pub use array::{IndexBuf, IndexTarget, IndexView, Stored, Target, View};
pub use math::Element;
pub use script::{Array, Operand, Place, Script, Sweep};
pub use space::{Axis, Condition, Index, Space};
pub use tile::Out;
pub use vector::{At, Kernel, One, Vector, Wide};

pub use crate::float::Lane;

pub(crate) mod vectors {
    pub(crate) use super::vector::*;
}

/// Orders stores past the cache before what comes next.
fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of x86-64
    unsafe {
        std::arch::x86_64::_mm_sfence()
    }
}
