//! Which vector instructions the processor has, and how code that uses them is entered.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// An instruction set, named as the x86-64 levels are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Isa {
    /// SSE2.
    #[cfg(target_arch = "x86_64")]
    V1 = 1,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    V3 = 3,
    /// AVX-512 F, BW, DQ, VL.
    #[cfg(target_arch = "x86_64")]
    V4 = 4,
    /// Arrays of lanes, left to the compiler.
    #[cfg(not(target_arch = "x86_64"))]
    Portable = 9,
}

/// 0: not looked yet.
static BEST: AtomicU8 = AtomicU8::new(0);

/// The best instruction set present, looked up once.
#[cfg(target_arch = "x86_64")]
pub(crate) fn detected() -> Isa {
    match BEST.load(Relaxed) {
        1 => Isa::V1,
        3 => Isa::V3,
        4 => Isa::V4,
        _ => {
            let isa = look();
            BEST.store(isa as u8, Relaxed);
            isa
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn detected() -> Isa {
    let _ = BEST.load(Relaxed);
    Isa::Portable
}

#[cfg(target_arch = "x86_64")]
fn look() -> Isa {
    use std::arch::is_x86_feature_detected as has;
    if cfg!(miri) {
        return Isa::V1;
    }
    // all that `enter` enables
    let bits = has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt");
    let v3 = bits && has!("avx2") && has!("fma");
    // tests that compile many formulas do so for one instruction set
    if v3
        && cfg!(not(pullback_one_isa))
        && has!("avx512f")
        && has!("avx512bw")
        && has!("avx512cd")
        && has!("avx512dq")
        && has!("avx512vl")
    {
        Isa::V4
    } else if v3 {
        Isa::V3
    } else {
        Isa::V1
    }
}

/// Restricts later calls to an instruction set that is present. For tests and measurements of this crate.
#[cfg(all(test, target_arch = "x86_64"))]
pub(crate) fn force(isa: Isa) {
    assert!(isa as u8 <= look() as u8, "the processor lacks {isa:?}");
    BEST.store(isa as u8, Relaxed);
}

/// Code to run with an instruction set.
pub trait Job {
    fn go(self);
}

/// Runs a job compiled for one instruction set.
///
/// Closures reach the features only if inlined, so every body is marked `#[inline(always)]`.
#[cfg(target_arch = "x86_64")]
pub(crate) mod enter {
    use super::Job;

    /// # Safety
    /// The processor has [`Isa::V4`](super::Isa::V4).
    #[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    #[inline(never)]
    pub(crate) unsafe fn v4<J: Job>(job: J) {
        job.go()
    }
    /// # Safety
    /// The processor has [`Isa::V3`](super::Isa::V3).
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    #[inline(never)]
    pub(crate) unsafe fn v3<J: Job>(job: J) {
        job.go()
    }
    /// # Safety
    /// None: every x86-64 processor has SSE2.
    #[inline(never)]
    pub(crate) unsafe fn v1<J: Job>(job: J) {
        job.go()
    }
}
