//! Which terms are whole numbers, and so may be an output of `i64`.

use super::Elaborator;
use super::host::len_ident;
use super::typed::{Reduction, Term, TermFill, TermId, TermOp, Typed};
use crate::graph::{AxisId, BinaryOp, UnaryOp};
use crate::syntax::{ParamKind, tidy};
use proc_macro2::{Ident, TokenStream, TokenTree};

impl Elaborator<'_> {
    /// Whether a term's elements are whole numbers by construction: positions, extents, labels, whole constants, arg
    /// forms, and what is made of these without division.
    pub(super) fn is_whole(&self, id: TermId) -> bool {
        let is_integer = |kind: &ParamKind| matches!(kind, ParamKind::Scalar(ty) if is_integer(&tidy(ty)));
        let whole = self.constants.iter().filter(|(_, kind)| is_integer(kind)).map(|(name, _)| name.as_str());
        let constants: Vec<&str> = whole.collect();
        let mut known: Vec<bool> = Vec::with_capacity(self.typed.terms.len());
        for term in &self.typed.terms[..=id.0 as usize] {
            let whole = of_term(&self.typed, term, &known, &constants);
            known.push(whole);
        }
        known[id.0 as usize]
    }
}

fn is_integer(ty: &str) -> bool {
    matches!(ty, "usize" | "i32" | "i64")
}

fn of_term(typed: &Typed, term: &Term, known: &[bool], constants: &[&str]) -> bool {
    use BinaryOp::{Add, Max, Min, Mul, Sub};
    let all = |args: &[TermId]| args.iter().all(|a| known[a.0 as usize]);
    match &term.op {
        _ if term.integer || term.mask => true,
        TermOp::Index(_) => true,
        TermOp::Num(x) => x.fract() == 0.0,
        TermOp::Host(id) => is_extent(typed, &typed.hosts[id.0 as usize].tokens, constants),
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

/// Whether tokens are lengths of axes, whole constants and numbers, and sums and products of these.
fn is_extent(typed: &Typed, tokens: &TokenStream, constants: &[&str]) -> bool {
    let is_len = |ident: &Ident| (0..typed.axes.len()).any(|i| len_ident(&typed.axes, AxisId(i as u8)) == *ident);
    let is_whole = |ident: &Ident| is_len(ident) || constants.iter().any(|name| ident == name) || is_integer(&ident.to_string());
    tokens.clone().into_iter().all(|token| match token {
        TokenTree::Group(group) => is_extent(typed, &group.stream(), constants),
        TokenTree::Ident(ident) => is_whole(&ident) || ident == "as",
        TokenTree::Punct(punct) => matches!(punct.as_char(), '+' | '-' | '*'),
        TokenTree::Literal(literal) => literal.to_string().chars().all(|c| c.is_ascii_digit() || c == '_'),
    })
}
