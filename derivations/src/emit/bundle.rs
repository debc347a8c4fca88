//! The macro that hands a formula on to those who call it, and the chain that fetches callees.

use crate::elaborate::Library;
use crate::syntax::Formula;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use std::hash::{Hash, Hasher};
use syn::Visibility;

/// `macro_rules! __pullback_batch_norm_<hash>`, under the formula's own name and visibility. Called as
/// `name!([path::of::macro] state..)` it calls that macro with the state and the formula's bundle.
pub fn export(formula: &Formula, library: &Library, location: &str) -> TokenStream {
    exported(formula, &library.bundle(&formula.item), location)
}

/// The macro of a formula with errors: who calls it learns no more than that.
pub fn export_broken(formula: &Formula, location: &str) -> TokenStream {
    exported(formula, &Library::broken_bundle(), location)
}

fn exported(formula: &Formula, bundle: &TokenStream, location: &str) -> TokenStream {
    let name = super::signature::visible(&formula.name);
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    (formula.name.to_string(), bundle.to_string(), location).hash(&mut hasher);
    let hidden = format_ident!("__pullback_{}_{:016x}", formula.name, hasher.finish(), span = Span::call_site());
    let (attribute, vis) = match &formula.vis {
        Visibility::Public(vis) => (quote!(#[macro_export]), quote!(#vis)),
        Visibility::Restricted(vis) => (quote!(), quote!(#vis)),
        Visibility::Inherited => (quote!(), quote!()),
    };
    quote! {
        #[doc(hidden)]
        #attribute
        macro_rules! #hidden {
            () => {};
            ([$($target:tt)*] $($state:tt)*) => { $($target)* ! { $($state)* { #bundle } } };
        }
        #[doc(hidden)]
        #vis use #hidden as #name;
        #hidden! {}
    }
}

/// A call of a callee's macro, which comes back to `target` with its bundle after `state`.
pub fn fetch(path: &syn::Path, target: &TokenStream, state: &TokenStream) -> TokenStream {
    quote!(#path ! { [#target] #state })
}

/// Names of macros in scope everywhere, which a formula's own would clash with; of attributes, which share the
/// namespace, those that the generated code carries itself.
const STD_MACROS: &str = "assert assert_eq assert_ne cfg column compile_error concat concat_bytes concat_idents dbg \
    debug_assert debug_assert_eq debug_assert_ne env eprint eprintln file format format_args global_asm include \
    include_bytes include_str is_x86_feature_detected line log_syntax matches module_path option_env panic print println \
    stringify thread_local todo trace_macros try unimplemented unreachable vec write writeln \
    allow cfg_attr derive doc inline macro_export test";

/// Whether a formula of this name would hide one of Rust's macros.
pub fn is_std_macro(name: &Ident) -> bool {
    STD_MACROS.split_ascii_whitespace().any(|m| name == m)
}

/// FNV-1a: the same hash in every process and version of Rust.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
