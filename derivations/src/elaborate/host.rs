//! Scalars of the call: the user's own Rust, kept as tokens and evaluated when the formula is called.

use super::Elaborator;
use super::typed::{AxisDef, Binding, HostDef, HostKind, TermId, TermOp};
use super::value::{Host, Literal};
use crate::graph::{AxisId, AxisSet, HostId, IntId};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};

/// A scalar argument.
pub(super) fn of_ident(name: &Ident) -> Host {
    Host { tokens: quote!(#name), literal: None, span: name.span() }
}

/// A number that is known now.
pub(super) fn of_literal(literal: Literal, span: Span) -> Host {
    let tokens = match literal {
        Literal::Int(n) => {
            let mut lit = proc_macro2::Literal::u64_unsuffixed(n.unsigned_abs());
            lit.set_span(span);
            if n < 0 { quote_spanned!(span=> (-#lit)) } else { quote!(#lit) }
        }
        Literal::Float(x) => {
            let mut lit = proc_macro2::Literal::f64_unsuffixed(x.abs());
            lit.set_span(span);
            if x.is_sign_negative() { quote_spanned!(span=> (-#lit)) } else { quote!(#lit) }
        }
        Literal::Bool(b) => quote_spanned!(span=> #b),
    };
    Host { tokens, literal: Some(literal), span }
}

/// The variable that holds an axis's extent in the generated code.
pub fn len_ident(axes: &[AxisDef], axis: AxisId) -> Ident {
    let lower: String =
        axes[axis.0 as usize].first_name.trim_start_matches("r#").chars().map(|c| c.to_ascii_lowercase()).collect();
    format_ident!("len_{}_{}", lower, axis.0, span = Span::mixed_site())
}

impl Elaborator<'_> {
    /// A host scalar of these tokens: equal texts are one.
    pub(super) fn host(&mut self, kind: HostKind, tokens: TokenStream) -> HostId {
        let code = format!("{kind:?} {tokens}");
        if let Some(at) = self.typed.hosts.iter().position(|h| h.code == code) {
            return HostId(at as u32);
        }
        self.typed.hosts.push(HostDef { kind, tokens, code });
        let id = HostId(self.typed.hosts.len() as u32 - 1);
        self.typed.bindings.push(Binding::Host(id));
        id
    }

    /// A host value as a term without axes.
    pub(super) fn host_term(&mut self, host: &Host) -> TermId {
        match host.literal {
            Some(literal) => self.term(TermOp::Num(literal.number()), vec![], AxisSet::EMPTY, host.span),
            None => {
                let id = self.host(HostKind::Number, host.tokens.clone());
                self.term(TermOp::Host(id), vec![], AxisSet::EMPTY, host.span)
            }
        }
    }

    /// A host value as a symbolic integer.
    pub(super) fn host_int(&mut self, host: &Host) -> IntId {
        match host.literal {
            Some(Literal::Int(n)) => self.typed.ints.constant(n),
            _ => {
                let id = self.host(HostKind::Integer, host.tokens.clone());
                self.typed.ints.host(id)
            }
        }
    }

    /// The extent of some axes, as a host value.
    pub(super) fn len_host(&mut self, axes: &[AxisId], span: Span) -> Host {
        let idents: Vec<Ident> = axes.iter().map(|a| len_ident(&self.typed.axes, *a)).collect();
        match idents.as_slice() {
            [] => Host { tokens: quote!(1usize), literal: None, span },
            [one] => Host { tokens: quote!(#one), literal: None, span },
            [first, rest @ ..] => {
                let product = rest.iter().fold(quote!(#first), |product, len| quote!(#product * #len));
                Host { tokens: quote!((#product)), literal: None, span }
            }
        }
    }
}

/// Whether there are more tokens than this.
pub(super) fn is_longer(tokens: &TokenStream, most: usize) -> bool {
    let mut open: Vec<_> = vec![tokens.clone().into_iter()];
    let mut count = 0;
    while let Some(iter) = open.last_mut() {
        match iter.next() {
            None => drop(open.pop()),
            Some(TokenTree::Group(group)) => open.push(group.stream().into_iter()),
            Some(_) => count += 1,
        }
        if count > most {
            return true;
        }
    }
    false
}

/// Whether this is a literal of text.
pub(super) fn is_text(tokens: &TokenStream) -> bool {
    let mut tokens = tokens.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Literal(l)), None) => l.to_string().contains(['"', '\'']),
        _ => false,
    }
}

/// Arithmetic and comparison of literals; `None` where there is no finite result.
pub(super) fn fold(op: &syn::BinOp, a: Literal, b: Literal) -> Option<Literal> {
    exact(op, a, b).filter(|l| !matches!(l, Literal::Float(x) if !x.is_finite()))
}

fn exact(op: &syn::BinOp, a: Literal, b: Literal) -> Option<Literal> {
    use Literal::{Bool, Float, Int};
    use syn::BinOp::*;
    Some(match (op, a, b) {
        (Add(_), Int(x), Int(y)) => Int(x.checked_add(y)?),
        (Sub(_), Int(x), Int(y)) => Int(x.checked_sub(y)?),
        (Mul(_), Int(x), Int(y)) => Int(x.checked_mul(y)?),
        (Div(_), Int(x), Int(y)) => Int(x.checked_div(y)?),
        (Rem(_), Int(x), Int(y)) => Int(x.checked_rem(y)?),
        (Add(_), Float(x), Float(y)) => Float(x + y),
        (Sub(_), Float(x), Float(y)) => Float(x - y),
        (Mul(_), Float(x), Float(y)) => Float(x * y),
        (Div(_), Float(x), Float(y)) => Float(x / y),
        (And(_), Bool(x), Bool(y)) => Bool(x && y),
        (Or(_), Bool(x), Bool(y)) => Bool(x || y),
        (Eq(_), Bool(x), Bool(y)) => Bool(x == y),
        (Ne(_), Bool(x), Bool(y)) => Bool(x != y),
        (Eq(_), Int(x), Int(y)) => Bool(x == y),
        (Ne(_), Int(x), Int(y)) => Bool(x != y),
        (Lt(_), Int(x), Int(y)) => Bool(x < y),
        (Le(_), Int(x), Int(y)) => Bool(x <= y),
        (Gt(_), Int(x), Int(y)) => Bool(x > y),
        (Ge(_), Int(x), Int(y)) => Bool(x >= y),
        (Eq(_), Float(x), Float(y)) => Bool(x == y),
        (Ne(_), Float(x), Float(y)) => Bool(x != y),
        (Lt(_), Float(x), Float(y)) => Bool(x < y),
        (Le(_), Float(x), Float(y)) => Bool(x <= y),
        (Gt(_), Float(x), Float(y)) => Bool(x > y),
        (Ge(_), Float(x), Float(y)) => Bool(x >= y),
        _ => return None,
    })
}
