//! Tokens and nesting are counted before anything recursive sees them, so that no input overflows the stack.

use crate::error::Errors;
use proc_macro2::{TokenStream, TokenTree};

/// More tokens than any formula needs.
const MAX_TOKENS: usize = 20_000;
/// Deeper nesting than any formula needs; far less than a stack holds.
const MAX_DEPTH: usize = 64;
/// The longest chain of operators without a group: the parser recurses over it.
const MAX_CHAIN: usize = 400;

/// Whether a formula is small enough to parse; reports it if not.
pub fn check_limits(errors: &mut Errors, tokens: &TokenStream) -> bool {
    let mut count = 0;
    let mut open = vec![(tokens.clone().into_iter(), 0usize)];
    while let Some((iter, chain)) = open.last_mut() {
        let Some(token) = iter.next() else {
            open.pop();
            continue;
        };
        count += 1;
        *chain = match &token {
            TokenTree::Punct(p) if p.as_char() == ';' || p.as_char() == ',' => 0,
            TokenTree::Punct(_) | TokenTree::Ident(_) => *chain + 1,
            _ => *chain,
        };
        let too_long = *chain > MAX_CHAIN;
        let span = token.span();
        if let TokenTree::Group(group) = token {
            open.push((group.stream().into_iter(), 0));
        }
        if open.len() > MAX_DEPTH || too_long {
            errors.span(span, "this formula is nested too deeply: name parts of it with `let`, or write a helper function");
            return false;
        }
        if count > MAX_TOKENS {
            errors.span(
                span,
                format!("this formula has more than {MAX_TOKENS} tokens: split it into formulas that call each other"),
            );
            return false;
        }
    }
    true
}
