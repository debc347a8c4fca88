//! What an expression is: a tensor, or Rust's own.

use super::{Unsupported, Writer, Written, part};
use crate::syntax::ParamKind;
use proc_macro2::TokenStream;
use quote::quote;

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Also a mask, indices, an element inside `map`.
    Tensor,
    /// A constant of the call, in Rust's own types.
    Host,
    /// A number that is written out: its type is settled wherever it is used.
    Literal {
        tokens: TokenStream,
        float: bool,
    },
    Axes,
    Tuple(Vec<Kind>),
    Optional,
    State,
    Unit,
}

/// An expression, written.
pub(super) struct Out {
    pub tokens: TokenStream,
    pub kind: Kind,
}

impl Out {
    pub fn tensor(tokens: TokenStream) -> Out {
        Out { tokens, kind: Kind::Tensor }
    }
    pub fn host(tokens: TokenStream) -> Out {
        Out { tokens, kind: Kind::Host }
    }
    pub fn unit(tokens: TokenStream) -> Out {
        Out { tokens, kind: Kind::Unit }
    }
    pub fn literal(tokens: TokenStream, float: bool) -> Out {
        Out { kind: Kind::Literal { tokens: tokens.clone(), float }, tokens }
    }
}

impl Kind {
    pub fn of_param(kind: &ParamKind) -> Kind {
        match kind {
            ParamKind::Tensor { optional: true, .. } => Kind::Optional,
            ParamKind::Tensor { .. } | ParamKind::Labels { .. } | ParamKind::Diff => Kind::Tensor,
            ParamKind::State { .. } => Kind::State,
            ParamKind::Axes => Kind::Axes,
            ParamKind::Scalar(_) | ParamKind::Window(_) | ParamKind::Seed | ParamKind::Unknown => Kind::Host,
        }
    }
    pub fn is_tensor(&self) -> bool {
        matches!(self, Kind::Tensor | Kind::State)
    }
    pub fn is_host(&self) -> bool {
        matches!(self, Kind::Host | Kind::Literal { .. })
    }
    /// What both can become: the value of a branch.
    pub fn join(&self, other: &Kind) -> Written<Kind> {
        Ok(match (self, other) {
            (Kind::Tuple(a), Kind::Tuple(b)) if a.len() == b.len() => {
                Kind::Tuple(a.iter().zip(b).map(|(a, b)| a.join(b)).collect::<Written<_>>()?)
            }
            (a, b) if a.is_host() && b.is_host() => Kind::Host,
            (a, b) if (a.is_tensor() || a.is_host()) && (b.is_tensor() || b.is_host()) => Kind::Tensor,
            (Kind::Optional, Kind::Optional) => Kind::Optional,
            (Kind::Unit, Kind::Unit) => Kind::Unit,
            (Kind::Axes, Kind::Axes) => Kind::Axes,
            _ => return Err(Unsupported),
        })
    }
}

impl Writer<'_> {
    /// The expression as a value of another kind.
    pub(super) fn coerce(&self, out: Out, to: &Kind) -> Written<TokenStream> {
        let (run, tokens) = (&self.run, out.tokens);
        Ok(match (out.kind, to) {
            (Kind::Tensor, Kind::Tensor) => tokens,
            (Kind::State, Kind::Tensor) => quote!(#tokens.read()),
            (Kind::Host | Kind::Literal { .. }, Kind::Tensor) => {
                let number = wide(tokens);
                quote!(#run.num(#number))
            }
            (Kind::Tuple(from), Kind::Tuple(to)) if from.len() == to.len() => {
                if from.iter().zip(to).all(|(a, b)| a.is_tensor() == b.is_tensor()) {
                    return Ok(tokens);
                }
                let names: Vec<_> = (0..from.len()).map(|i| part("part", i)).collect();
                let parts = names.iter().zip(from).zip(to);
                let parts: Vec<TokenStream> =
                    parts.map(|((n, kind), to)| self.coerce(Out { tokens: quote!(#n), kind }, to)).collect::<Written<_>>()?;
                quote!({ let (#(#names,)*) = #tokens; (#(#parts,)*) })
            }
            (a, b) if a.is_host() && b.is_host() => tokens,
            (Kind::Optional, Kind::Optional)
            | (Kind::State, Kind::State)
            | (Kind::Unit, Kind::Unit)
            | (Kind::Axes, Kind::Axes) => tokens,
            _ => return Err(Unsupported),
        })
    }
}

/// A whole number that is written out and too long for `i32`, to which Rust takes it without further word.
fn wide(tokens: TokenStream) -> TokenStream {
    match syn::parse2::<syn::LitInt>(tokens.clone()) {
        Ok(n) if n.suffix().is_empty() && n.base10_parse::<i32>().is_err() => {
            let n = syn::LitInt::new(&format!("{}i64", n.base10_digits()), n.span());
            quote!(#n)
        }
        _ => tokens,
    }
}
