//! The engine of `pullback`: from a layer's forward formula to fused forward and backward functions.
//!
//! The pipeline, in order: [`syntax`] → [`elaborate`] → [`build`] ([`graph`]) → [`differentiate`] → [`simplify`] →
//! [`plan`] → [`emit`]. A library without knowledge of the runtime but the names it emits.

pub mod build;
mod derive;
pub mod differentiate;
pub mod elaborate;
pub mod emit;
pub mod error;
pub mod graph;
pub mod plan;
pub mod simplify;
pub mod syntax;
pub mod written;

pub use derive::variant;

use elaborate::{Library, Outcome};
use error::{Errors, Failed};
use proc_macro2::{Literal, TokenStream, TokenTree};
use quote::quote;
use syntax::{Formula, Options};

/// Expands `#[derive_backward(attribute)] item`. `location` tells apart formulas of one name and text.
pub fn derive_backward(attribute: TokenStream, item: TokenStream, location: &str) -> TokenStream {
    Expansion { attribute, item, location: location.into(), callees: vec![], shown: vec![] }.run()
}

/// Goes on with an expansion once a callee's formula has been fetched. The tokens are as [`Expansion::state`] wrote
/// them, with the callee's bundle at the end.
pub fn resume(state: TokenStream) -> TokenStream {
    let groups: Vec<TokenTree> = state.into_iter().collect();
    let [
        TokenTree::Group(attribute),
        TokenTree::Group(item),
        TokenTree::Literal(location),
        TokenTree::Group(known),
        TokenTree::Group(shown),
        TokenTree::Group(path),
        TokenTree::Group(bundle),
    ] = groups.as_slice()
    else {
        return quote!(::core::compile_error!("this macro is part of `#[derive_backward]`: it is not called by hand"););
    };
    let mut callees = Vec::new();
    let mut known = known.stream().into_iter();
    while let (Some(TokenTree::Group(path)), Some(TokenTree::Group(bundle))) = (known.next(), known.next()) {
        callees.push((path.stream(), bundle.stream()));
    }
    callees.push((path.stream(), bundle.stream()));
    let location = location.to_string().trim_matches('"').to_string();
    let shown = shown.stream().into_iter().filter_map(|t| syn::parse2::<syn::LitStr>(t.into()).ok()).map(|s| s.value()).collect();
    Expansion { attribute: attribute.stream(), item: item.stream(), location, callees, shown }.run()
}

/// One expansion of the attribute, with the callees fetched so far: each path as written, and its bundle.
struct Expansion {
    attribute: TokenStream,
    item: TokenStream,
    location: String,
    callees: Vec<(TokenStream, TokenStream)>,
    /// The messages of the errors reported so far.
    shown: Vec<String>,
}

impl Expansion {
    fn run(&self) -> TokenStream {
        let mut errors = Errors::after(self.shown.clone());
        let options = Options::parse(&mut errors, self.attribute.clone());
        let Some(formula) = syntax::parse(&mut errors, &options, self.item.clone()) else {
            // what is no function stays as it is, so that its uses are no errors too
            let small = syntax::check_limits(&mut Errors::default(), &self.item);
            let item = small.then(|| syn::parse2::<syn::Item>(self.item.clone()).ok()).flatten();
            let item = item.filter(|item| !matches!(item, syn::Item::Fn(_)));
            let errors = errors.to_compile_errors();
            return quote!(#errors #item);
        };
        let mut library = Library::default();
        for (path, bundle) in &self.callees {
            library.add(&mut errors, &path.to_string(), bundle.clone());
        }
        let tokens = self.derive(&mut errors, &options, &formula, &library);
        match tokens {
            Ok(Step::Done(tokens)) => {
                let export = emit::export(&formula, &library, &self.location);
                quote!(#tokens #export)
            }
            Ok(Step::Fetch(path)) => {
                // shown now, as the callee may not exist; what else is wrong is known when all callees are
                let fetch = self.fetch(&options, &path, &errors.messages());
                let errors = errors.to_compile_errors();
                quote!(#errors #fetch)
            }
            Err(Failed) => {
                let stub = if options.helper { TokenStream::new() } else { emit::stub(&options, &formula) };
                let export = match errors.is_empty() {
                    true => emit::export(&formula, &library, &self.location),
                    false if emit::is_std_macro(&formula.name) => TokenStream::new(),
                    false => emit::export_broken(&formula, &self.location),
                };
                let errors = errors.to_compile_errors();
                quote!(#errors #stub #export)
            }
        }
    }

    fn derive(&self, errors: &mut Errors, options: &Options, formula: &Formula, library: &Library) -> Result<Step, Failed> {
        let name = &formula.name;
        if emit::is_std_macro(name) {
            errors.at(
                name,
                format!("a formula leaves a macro of its name, and `{name}!` is Rust's own: choose another name, such as `{name}_layer`"),
            );
        }
        if options.helper {
            if let Some(path) = elaborate::own_call(formula) {
                errors.at(&path, elaborate::recursion(&[name.to_string()], &name.to_string()));
            }
            let callees = elaborate::callees(formula, library);
            for path in &callees {
                if let Some(message) = elaborate::misspelt(path) {
                    errors.at(path, message);
                }
            }
            errors.checkpoint()?;
            return Ok(match callees.into_iter().next() {
                Some(path) => Step::Fetch(path),
                None => Step::Done(TokenStream::new()),
            });
        }
        if emit::stem(options, formula).is_none() {
            errors
                .at(name, format!("`{name}` gives no name for the generated types: write `#[derive_backward(name = TypeName)]`"));
        }
        // also after errors in the signature, so that all are reported at once
        let typed = match elaborate::elaborate(errors, formula, library) {
            Outcome::Needs(paths) => return paths.into_iter().next().map(Step::Fetch).ok_or(Failed),
            Outcome::Typed(typed) => typed,
        };
        errors.checkpoint()?;
        let mut warnings: Vec<_> = typed.first().map(|t| t.warnings.clone()).unwrap_or_default();
        warnings.extend(elaborate::unused(formula));
        let simplifier = simplify::Options::default();
        let variants: Vec<emit::Variant> = typed.into_iter().map(|t| variant(errors, formula, t, &simplifier)).collect();
        errors.checkpoint()?;
        let items = emit::emit(options, formula, &variants, library);
        let warnings = emit::warnings(&warnings);
        Ok(Step::Done(quote!(#items #warnings)))
    }

    /// The call of a callee's macro, which comes back to [`resume`].
    fn fetch(&self, options: &Options, path: &syn::Path, shown: &[String]) -> TokenStream {
        let (attribute, item) = (&self.attribute, &self.item);
        let location = Literal::string(&self.location);
        let known = self.callees.iter().map(|(path, bundle)| quote!({ #path } { #bundle }));
        let krate = &options.krate;
        let target = quote!(#krate::__private::derive);
        let state = quote!({ #attribute } { #item } #location { #(#known)* } { #(#shown)* } { #path });
        emit::fetch(path, &target, &state)
    }
}

enum Step {
    Done(TokenStream),
    /// A formula that is called, and not known yet.
    Fetch(syn::Path),
}
