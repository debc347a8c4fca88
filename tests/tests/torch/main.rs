//! Formulas written from the language's description, beside what PyTorch says to the same mathematics: outputs, states and
//! gradients, at ordinary points and at hostile ones (ties, zeros, infinities, NaN, huge and tiny numbers, empty arrays,
//! extents of one), in `f64` to 10⁻¹⁰. `data/torch/make.py` has PyTorch's side of each.
//!
//! Words and norms always; the other themes, which take minutes to compile, with the feature `zoo`.

#[cfg(feature = "zoo")]
mod activations;
#[cfg(feature = "zoo")]
mod attention;
mod harness;
#[cfg(feature = "zoo")]
mod losses;
#[cfg(feature = "zoo")]
mod networks;
mod norms;
#[cfg(feature = "zoo")]
mod spatial;
mod words;

/// A test a theme: its samples, and its table of formulas.
macro_rules! themes {
    ($($theme:ident)*) => { $(
        #[test]
        fn $theme() {
            harness::examine(stringify!($theme), &$theme::rows());
        }
    )* };
}

themes! { words norms }
#[cfg(feature = "zoo")]
themes! { activations attention losses networks spatial }
