//! Which terms are whole numbers, and so may be an output of `i64`.

use super::host::len_ident;
use super::typed::{Reduction, Term, TermFill, TermId, TermOp, Typed};
use crate::graph::{AxisId, BinaryOp, UnaryOp};
use proc_macro2::{Ident, TokenStream, TokenTree};

/// Whether a term's elements are whole numbers by construction: positions, extents, labels, arg forms, and what is made of
/// these without division.
pub(super) fn is_whole(typed: &Typed, id: TermId) -> bool {
    let mut known: Vec<bool> = Vec::with_capacity(typed.terms.len());
    for term in &typed.terms[..=id.0 as usize] {
        let whole = of_term(typed, term, &known);
        known.push(whole);
    }
    known[id.0 as usize]
}

fn of_term(typed: &Typed, term: &Term, known: &[bool]) -> bool {
    use BinaryOp::{Add, Max, Min, Mul, Sub};
    let all = |args: &[TermId]| args.iter().all(|a| known[a.0 as usize]);
    match &term.op {
        _ if term.integer || term.mask => true,
        TermOp::Index(_) => true,
        TermOp::Num(x) => x.fract() == 0.0,
        TermOp::Host(id) => is_extent(typed, &typed.hosts[id.0 as usize].tokens),
        TermOp::Constant { values, .. } => values.iter().all(|x| x.fract() == 0.0),
        TermOp::Param(_) | TermOp::State(_) | TermOp::Random { .. } => false,
        TermOp::Unary(UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Round | UnaryOp::Sign) => true,
        TermOp::Unary(UnaryOp::Neg | UnaryOp::Abs | UnaryOp::Stop) => all(&term.args),
        TermOp::Unary(_) => false,
        TermOp::Binary(op) => matches!(op, Add | Sub | Mul | Max | Min) && all(&term.args),
        TermOp::Powi(n) => *n >= 0 && all(&term.args),
        TermOp::Select => all(&term.args[1..]),
        TermOp::Reduce { kind, .. } => {
            matches!(kind, Reduction::Sum | Reduction::Prod | Reduction::Max | Reduction::Min) && all(&term.args)
        }
        TermOp::Fill(TermFill::Num(x)) => x.fract() == 0.0 && all(&term.args),
        TermOp::Fill(TermFill::Host(_)) => false,
        // the last argument says where, not what
        TermOp::Pick { .. } => all(&term.args[..1]),
        _ => all(&term.args),
    }
}

/// Whether tokens are lengths of axes, whole numbers, and sums and products of these.
fn is_extent(typed: &Typed, tokens: &TokenStream) -> bool {
    let is_len = |ident: &Ident| (0..typed.axes.len()).any(|i| len_ident(&typed.axes, AxisId(i as u8)) == *ident);
    tokens.clone().into_iter().all(|token| match token {
        TokenTree::Group(group) => is_extent(typed, &group.stream()),
        TokenTree::Ident(ident) => is_len(&ident),
        TokenTree::Punct(punct) => matches!(punct.as_char(), '+' | '-' | '*'),
        TokenTree::Literal(literal) => literal.to_string().chars().all(|c| c.is_ascii_digit() || c == '_'),
    })
}
