//! The macros of pullback. Everything they do is in `pullback-derivations`.

mod gradient_test;

use proc_macro::{Span, TokenStream};

/// Derives fused forward and backward functions from a layer's formula. What may stand in one, and what is generated, is in the
/// documentation of `pullback::language`.
///
/// Options: `#[derive_backward(name = Stem)]` names the generated types, `crate = path` is the runtime crate's path,
/// `helper` makes a function that only other formulas call.
#[proc_macro_attribute]
pub fn derive_backward(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let here = Span::call_site();
    let location = format!("{}:{}:{}", here.file(), here.line(), here.column());
    pullback_derivations::derive_backward(attribute.into(), item.into(), &location).into()
}

/// Goes on with an expansion once a callee's formula is known.
#[doc(hidden)]
#[proc_macro]
pub fn __derive(tokens: TokenStream) -> TokenStream {
    pullback_derivations::resume(tokens.into()).into()
}

/// Names a gradient test after its operation: the part of `gradient_test!` that declarative macros cannot do.
#[doc(hidden)]
#[proc_macro]
pub fn __named_gradient_test(tokens: TokenStream) -> TokenStream {
    gradient_test::named(tokens)
}
