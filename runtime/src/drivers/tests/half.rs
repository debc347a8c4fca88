//! Half precision into lines and out of them, with every instruction set, against one by one.

use super::array::{Elem, Mode};
use super::*;
use crate::drivers::half::*;

/// Every number of a type.
fn all() -> Vec<u16> {
    (0..=u16::MAX).collect()
}

fn staged(elem: Elem, x: &[u16], n: usize) -> Vec<f32> {
    // one more, which is to be left alone
    let mut line = vec![7.0f32; n + 1];
    unsafe { lines::stage(line.as_mut_ptr().cast(), Elem::F32, elem, x.as_ptr().cast(), 2, n) };
    line
}

fn unstaged(elem: Elem, line: &[f32], n: usize) -> Vec<u16> {
    let mut x = vec![7u16; n + 1];
    let how = (elem, Mode::Write, false);
    unsafe { lines::unstage(line.as_ptr().cast(), Elem::F32, how, x.as_mut_ptr().cast(), 2, n) };
    x
}

#[track_caller]
fn assert_same(found: f32, expected: f32) {
    assert!(found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan(), "{found} for {expected}");
}

#[test]
fn vectors_convert_as_scalars_do() {
    type Way = (Elem, fn(u16) -> f32, fn(f32) -> u16);
    let ways: [Way; 2] = [(Elem::F16, from_f16, to_f16), (Elem::BF16, from_bf16, to_bf16)];
    every_isa(|| {
        for (elem, widen, narrow) in ways {
            let x = all();
            let line = staged(elem, &x, x.len());
            x.iter().zip(&line).for_each(|(x, found)| assert_same(*found, widen(*x)));
            // each, and what lies around the middle to the next
            let between = line[..x.len()].windows(2).flat_map(|w| {
                let middle = w[0] / 2.0 + w[1] / 2.0;
                [w[0], middle.next_down(), middle, middle.next_up(), -middle]
            });
            let many: Vec<f32> =
                between.chain([f32::MAX, f32::MIN, 1e-40, -1e-45, f32::NAN, -f32::NAN, 65519.9, 65520.0]).collect();
            for (x, found) in many.iter().zip(unstaged(elem, &many, many.len())) {
                assert_same(widen(found), widen(narrow(*x)));
            }
            for n in 0..40 {
                let line = staged(elem, &x[15_000..], n);
                (0..n).for_each(|i| assert_same(line[i], widen(x[15_000 + i])));
                assert_eq!(line[n], 7.0);
                let back = unstaged(elem, &line, n);
                assert_eq!((&back[..n], back[n]), (&x[15_000..15_000 + n], 7));
            }
        }
    });
}

/// Sums of `f64` are rounded once: not to `f32`, and then a number that lies between two again.
#[test]
fn doubles_are_rounded_once() {
    type Way = (Elem, fn(u16) -> f32, u16);
    let ways: [Way; 2] = [(Elem::F16, from_f16, 0x7bff), (Elem::BF16, from_bf16, 0x7f7f)];
    every_isa(|| {
        for (elem, widen, last) in ways {
            let (mut line, mut expected) = (vec![], vec![]);
            for bits in 0..last {
                let (x, next) = (f64::from(widen(bits)), f64::from(widen(bits + 1)));
                let (middle, little) = (x / 2.0 + next / 2.0, (next - x) * 1e-9);
                let even = bits + bits % 2;
                for (y, nearest) in [(middle - little, bits), (middle, even), (middle + little, bits + 1)] {
                    line.extend([y, -y]);
                    expected.extend([nearest, nearest | 0x8000]);
                }
            }
            let mut found = vec![0u16; line.len()];
            let how = (elem, Mode::Write, false);
            unsafe { lines::unstage(line.as_ptr().cast(), Elem::F64, how, found.as_mut_ptr().cast(), 2, line.len()) };
            let wrong = line.iter().zip(found.iter().zip(&expected)).find(|(_, (found, expected))| found != expected);
            assert!(wrong.is_none(), "{elem:?}: {wrong:?}");
        }
    });
}
