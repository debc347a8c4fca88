//! Expands formulas as the compiler would, in this process: the attribute, then callee after callee.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use pullback_derivations::elaborate::{Library, callees};
use pullback_derivations::error::Errors;
use pullback_derivations::syntax::{Options, parse};
use pullback_derivations::{derive_backward, resume};
use quote::{ToTokens, quote};
use std::collections::BTreeMap;
use std::{fs, path::Path};

/// Formulas that may call each other.
#[derive(Default)]
pub struct Sources {
    items: BTreeMap<String, syn::ItemFn>,
}

impl Sources {
    /// The ready-made layers.
    ///
    /// # Panics
    /// If they cannot be read.
    pub fn layers() -> Sources {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/src/layers");
        let mut sources = Sources::default();
        for file in fs::read_dir(folder).expect("the layers' folder") {
            let text = fs::read_to_string(file.expect("an entry").path()).expect("a source file");
            sources.add(&text);
        }
        sources
    }

    /// Adds the formulas of a source text.
    ///
    /// # Panics
    /// If it is not Rust.
    pub fn add(&mut self, text: &str) {
        for item in syn::parse_file(text).expect("Rust").items {
            if let syn::Item::Fn(item) = item
                && item.attrs.iter().any(|a| a.path().is_ident("derive_backward"))
            {
                self.items.insert(item.sig.ident.to_string(), item);
            }
        }
    }

    /// Their names, in alphabetic order.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.items.keys().map(String::as_str)
    }

    /// What the attribute becomes on a formula.
    ///
    /// # Panics
    /// If there is no such formula, or it calls one that is not there.
    pub fn expand(&self, name: &str) -> TokenStream {
        let mut item = self.items[name].clone();
        let arguments = arguments(&item);
        item.attrs.retain(|a| !a.path().is_ident("derive_backward"));
        let mut tokens = derive_backward(arguments, item.into_token_stream(), "src/layers.rs:1:1");
        while let Some((callee, state)) = fetched(&tokens) {
            let bundle = self.bundle(&callee);
            tokens = resume(quote!(#state { #bundle }));
        }
        tokens
    }

    /// What a formula hands to those who call it.
    fn bundle(&self, name: &str) -> TokenStream {
        let item = self.items.get(name).unwrap_or_else(|| panic!("no formula `{name}`"));
        let mut errors = Errors::default();
        let options = Options::parse(&mut errors, arguments(item));
        let formula = parse(&mut errors, &options, item.to_token_stream()).expect("a formula");
        let mut library = Library::default();
        while let Some(path) = callees(&formula, &library).into_iter().next() {
            let callee = path.segments.last().expect("a name").ident.to_string();
            library.add(&mut errors, &quote!(#path).to_string(), self.bundle(&callee));
        }
        assert!(errors.is_empty(), "{name}: {:?}", errors.messages());
        library.bundle(&formula.item)
    }
}

/// The arguments of `#[derive_backward(..)]`.
pub(crate) fn arguments(item: &syn::ItemFn) -> TokenStream {
    let attribute = item.attrs.iter().find(|a| a.path().is_ident("derive_backward"));
    let list = attribute.and_then(|a| a.meta.require_list().ok());
    list.map_or_else(TokenStream::new, |list| list.tokens.clone())
}

/// The callee that an expansion asks for, and the state that goes back with it: `path!{ [target] state }`.
fn fetched(tokens: &TokenStream) -> Option<(String, TokenStream)> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let [.., TokenTree::Ident(name), TokenTree::Punct(bang), TokenTree::Group(call)] = trees.as_slice() else { return None };
    let is_call = bang.as_char() == '!' && name != "macro_rules" && call.delimiter() == Delimiter::Brace;
    let mut parts = call.stream().into_iter();
    let target = |tree: &TokenTree| matches!(tree, TokenTree::Group(g) if g.delimiter() == Delimiter::Bracket);
    (is_call && parts.next().as_ref().is_some_and(target)).then(|| (name.to_string(), parts.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fetch_is_one() {
        let call = quote!(layers::relu! { [a::b] { x } "here" });
        let (name, rest) = fetched(&call).expect("a fetch");
        assert_eq!((name.as_str(), rest.to_string()), ("relu", quote!({ x } "here").to_string()));
        assert!(fetched(&quote!(fn f() {}, hidden! {})).is_none());
    }
}
