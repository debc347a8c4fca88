//! The errors of a formula: collected, so that all are reported at once, each at its own token.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The errors found so far.
#[derive(Debug, Default)]
pub struct Errors {
    distinct: Vec<syn::Error>,
    reports: usize,
    /// Messages that an earlier step of the same expansion has shown.
    shown: Vec<String>,
}

/// At least one error has been reported.
#[derive(Debug)]
pub struct Failed;

impl Errors {
    /// For a later step of an expansion, which finds the errors of the earlier ones again.
    pub fn after(shown: Vec<String>) -> Errors {
        Errors { shown, ..Errors::default() }
    }
    /// Reports an error at a token: what is wrong, and what to write instead.
    pub fn at(&mut self, token: &dyn ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(TokensOf(token), message));
    }
    /// Reports an error at a span.
    pub fn span(&mut self, span: Span, message: impl std::fmt::Display) {
        self.push(syn::Error::new(span, message));
    }
    /// Takes over an error of the parser.
    pub fn syntax(&mut self, error: syn::Error) {
        self.push(error);
    }
    /// Each message once a place: loops and specialisations meet the same error again.
    fn push(&mut self, error: syn::Error) {
        let same =
            |e: &syn::Error| e.to_string() == error.to_string() && format!("{:?}", e.span()) == format!("{:?}", error.span());
        if !self.distinct.iter().any(same) {
            self.distinct.push(error);
        }
        self.reports += 1;
    }
    /// How often something was reported, repetitions included.
    pub fn reports(&self) -> usize {
        self.reports
    }
    pub fn is_empty(&self) -> bool {
        self.distinct.is_empty()
    }
    /// Stops here if there was an error.
    pub fn checkpoint(&self) -> Result<(), Failed> {
        if self.distinct.is_empty() { Ok(()) } else { Err(Failed) }
    }
    /// The messages, for tests.
    pub fn messages(&self) -> Vec<String> {
        self.distinct.iter().map(|e| e.to_string()).collect()
    }
    /// `compile_error!` invocations at the errors' spans, of those not shown before.
    pub fn to_compile_errors(&self) -> TokenStream {
        let mut shown = self.shown.clone();
        let mut is_new = |e: &&syn::Error| match shown.iter().position(|s| *s == e.to_string()) {
            Some(at) => {
                shown.swap_remove(at);
                false
            }
            None => true,
        };
        self.distinct.iter().filter(|e| is_new(e)).map(syn::Error::to_compile_error).collect()
    }
}

struct TokensOf<'a>(&'a dyn ToTokens);

impl ToTokens for TokensOf<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}
