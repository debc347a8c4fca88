//! The attribute's arguments: `helper`, `name = Other`, `crate = path`.

use crate::error::Errors;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
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
    Helper(Ident),
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
            "helper" => Ok(OptionItem::Helper(word)),
            "name" => {
                input.parse::<Token![=]>()?;
                if input.peek(syn::Lit) {
                    return Err(input.error("the name stands without quotes: `name = BatchNorm`"));
                }
                let name = input.call(Ident::parse_any)?;
                match name == "Self" || name == "_" || name.to_string().starts_with(char::is_lowercase) {
                    false => Ok(OptionItem::Name(name)),
                    true => Err(syn::Error::new(name.span(), "the name of a type is wanted here, such as `name = BatchNorm`")),
                }
            }
            _ => Err(syn::Error::new(
                word.span(),
                format!("there is no option `{word}`: there are `helper`, `name = TypeName` and `crate = path`"),
            )),
        }
    }
}

impl Options {
    pub fn parse(errors: &mut Errors, tokens: TokenStream) -> Options {
        let mut options = Options::default();
        let items = syn::parse::Parser::parse2(Punctuated::<OptionItem, Token![,]>::parse_terminated, tokens);
        let mut seen: Vec<&'static str> = vec![];
        for item in items.unwrap_or_else(|error| {
            errors.span(error.span(), error);
            Punctuated::new()
        }) {
            let (word, token) = match item {
                OptionItem::Helper(word) => {
                    options.helper = true;
                    ("helper", quote!(#word))
                }
                OptionItem::Name(name) => {
                    let token = quote!(#name);
                    options.name = Some(name);
                    ("name", token)
                }
                OptionItem::Crate(path) => {
                    options.krate = quote!(#path);
                    ("crate", quote!(#path))
                }
            };
            if seen.contains(&word) {
                errors.at(&token, format!("the option `{word}` is given twice: remove one"));
            }
            seen.push(word);
        }
        options
    }
}
