//! The macros of pullback.

mod gradient_test;

use proc_macro::TokenStream;

/// Names a gradient test after its operation: the part of `gradient_test!` that declarative macros cannot do.
#[doc(hidden)]
#[proc_macro]
pub fn __named_gradient_test(tokens: TokenStream) -> TokenStream {
    gradient_test::named(tokens)
}
