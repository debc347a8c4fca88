//! Warnings at the user's tokens. Stable macros have no diagnostics: the use of something deprecated says the text.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

/// One item a warning.
pub fn warnings(warnings: &[(Span, String)]) -> TokenStream {
    let items = warnings.iter().map(|(span, text)| {
        let used = quote_spanned!(*span=> warning());
        quote! {
            const _: () = {
                #[deprecated(note = #text)]
                const fn warning() {}
                #used
            };
        }
    });
    quote!(#(#items)*)
}
