//! The expansions that are kept as files (see `expand.rs`), compiled and gradient-checked.

use pullback::prelude::*;

/// Compiled as text: to the compiler it is code like any other, and not all of it is used here.
macro_rules! blessed {
    ($($name:ident)*) => {$(
        #[allow(warnings, clippy::all, clippy::pedantic)]
        mod $name {
            include!(concat!("../expand/", stringify!($name), ".rs"));
        }
    )*};
}
blessed!(batch_norm softmax max_pool2d chain);

gradient_test!(blessed_batch_norm, batch_norm::BatchNorm { eps: 1e-5 });
gradient_test!(blessed_softmax, softmax::Softmax);
gradient_test!(blessed_max_pool2d, max_pool2d::MaxPool2d { k: Window::new([3, 2]).stride([2, 1]).padding([1, 1]) });
gradient_test!(blessed_chain, chain::Chain { seed: Seed(3), p: 0.3, eps: 1e-3 });
