//! The attribute's arguments: `helper`, `name = Other`, `crate = path`.

use crate::error::Errors;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Token, punctuated::Punctuated};

/// What was written in `#[derive_backward(..)]`.
#[derive(Clone, Debug)]
pub struct Options {
    /// No kernels of its own: only for other formulas to call.
    pub helper: bool,
    /// The stem of the generated types.
    pub name: Option<Ident>,
    /// The path of the runtime crate.
    pub krate: TokenStream,
}

impl Default for Options {
    fn default() -> Options {
        Options { helper: false, name: None, krate: quote!(::pullback) }
    }
}

enum OptionItem {
    Helper,
    Name(Ident),
    Crate(syn::Path),
}

impl Parse for OptionItem {
    fn parse(input: ParseStream<'_>) -> syn::Result<OptionItem> {
        if input.peek(Token![crate]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            return Ok(OptionItem::Crate(input.call(syn::Path::parse_mod_style)?));
        }
        let word: Ident = input.parse()?;
        match word.to_string().as_str() {
            "helper" => Ok(OptionItem::Helper),
            "name" => {
                input.parse::<Token![=]>()?;
                Ok(OptionItem::Name(input.parse()?))
            }
            _ => Err(syn::Error::new(word.span(), "unknown option: there are `helper`, `name = TypeName` and `crate = path`")),
        }
    }
}

impl Options {
    pub fn parse(errors: &mut Errors, tokens: TokenStream) -> Options {
        let mut options = Options::default();
        let items = syn::parse::Parser::parse2(Punctuated::<OptionItem, Token![,]>::parse_terminated, tokens);
        match items {
            Err(error) => errors.syntax(error),
            Ok(items) => {
                for item in items {
                    match item {
                        OptionItem::Helper => options.helper = true,
                        OptionItem::Name(name) => options.name = Some(name),
                        OptionItem::Crate(path) => options.krate = quote!(#path),
                    }
                }
            }
        }
        options
    }
}
