//! Formulas written from the language's description, beside what PyTorch says to the same mathematics: outputs, states and
//! gradients, at ordinary points and at hostile ones (ties, zeros, infinities, NaN, huge and tiny numbers, empty arrays,
//! extents of one), in `f64` to 10⁻¹⁰. `data/torch/make.py` has PyTorch's side of each.

mod activations;
mod attention;
mod harness;
mod losses;
mod networks;
mod norms;
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

themes! { words activations norms losses spatial attention networks }
