//! Warnings for what is legal and loses digits: forms that cancel or overflow, with the stable one to write.

use super::Elaborator;
use super::typed::{Reduction, Term, TermId, TermOp};
use crate::graph::{BinaryOp, UnaryOp};
use crate::syntax::Formula;
use proc_macro2::{Span, TokenTree};
use quote::quote;
use std::collections::BTreeSet;

impl Elaborator<'_> {
    /// Looks at a new term. Formulas that are called were looked at where they are written.
    pub(super) fn advise(&mut self, id: TermId) {
        if self.frames.last().map(|f| f.stack.len()) != self.frames.first().map(|f| f.stack.len()) {
            return;
        }
        if let Some(text) = self.advice(id) {
            let span = self.at(id).span;
            self.typed.warnings.push((span, text.into()));
        }
    }

    fn advice(&self, id: TermId) -> Option<&'static str> {
        match self.at(id).op {
            TermOp::Unary(UnaryOp::Log) => self.of_a_logarithm(self.at(id).args[0]),
            TermOp::Binary(BinaryOp::Sub) => {
                let [a, b] = self.at(id).args[..] else { return None };
                self.of_a_difference(a, b)
            }
            _ => None,
        }
    }

    fn of_a_logarithm(&self, x: TermId) -> Option<&'static str> {
        if let Some(e) = self.sum_of_exp(x) {
            let stable = self.is_shifted(self.at(e).args[0]);
            return (!stable).then_some(
                "`log(sum(exp(x), ..))` overflows where `x` is large, and is -inf where all of it is very negative: write `logsumexp(x, ..)`",
            );
        }
        if self.is_softmax(x) {
            return Some("the logarithm of a softmax is -inf where the softmax underflows: write `x - logsumexp(x, ..)`");
        }
        let other = self.one_plus(x)?;
        Some(if matches!(self.at(other).op, TermOp::Unary(UnaryOp::Exp)) {
            "`log(1 + exp(x))` overflows where `x` is large: write `softplus(x)`"
        } else {
            "`log(1 + x)` has no digits left where `x` is small: write `log1p(x)`"
        })
    }

    fn of_a_difference(&self, a: TermId, b: TermId) -> Option<&'static str> {
        if self.is_one(b) && matches!(self.at(a).op, TermOp::Unary(UnaryOp::Exp)) {
            return Some("`exp(x) - 1` has no digits left where `x` is small: write `exp_m1(x)`");
        }
        if self.is_one(a) && self.is_softmax(b) {
            return Some("`1 - softmax` has no digits left where the softmax is near 1: write `-exp_m1(x - logsumexp(x, ..))`");
        }
        let mean = |id: TermId| match self.at(id).op {
            TermOp::Reduce { kind: Reduction::Mean, .. } => Some(self.at(id).args[0]),
            _ => None,
        };
        let x = self.square_of(mean(a)?)?;
        let same = mean(self.square_of(b)?)? == x;
        same.then_some(
            "`mean(sq(x), ..) - sq(mean(x, ..))` cancels where the mean is large beside the deviation: write `var(x, ..)`",
        )
    }

    fn at(&self, id: TermId) -> &Term {
        &self.typed.terms[id.0 as usize]
    }
    fn is_one(&self, id: TermId) -> bool {
        matches!(self.at(id).op, TermOp::Num(x) if x == 1.0)
    }
    /// `x` of `1 + x`.
    fn one_plus(&self, id: TermId) -> Option<TermId> {
        let (TermOp::Binary(BinaryOp::Add), [a, b]) = (&self.at(id).op, &self.at(id).args[..]) else { return None };
        if self.is_one(*a) { Some(*b) } else { self.is_one(*b).then_some(*a) }
    }
    /// `exp(x)` of a sum of it.
    fn sum_of_exp(&self, id: TermId) -> Option<TermId> {
        let TermOp::Reduce { kind: Reduction::Sum, .. } = self.at(id).op else { return None };
        let x = self.at(id).args[0];
        matches!(self.at(x).op, TermOp::Unary(UnaryOp::Exp)).then_some(x)
    }
    /// A difference to a maximum.
    fn is_shifted(&self, id: TermId) -> bool {
        let (TermOp::Binary(BinaryOp::Sub), [_, max]) = (&self.at(id).op, &self.at(id).args[..]) else { return false };
        let max = match self.at(*max).op {
            TermOp::Unary(UnaryOp::Stop) => self.at(*max).args[0],
            _ => *max,
        };
        matches!(self.at(max).op, TermOp::Reduce { kind: Reduction::Max, .. })
    }
    /// `exp(x) / sum(exp(x), ..)`
    fn is_softmax(&self, id: TermId) -> bool {
        let (TermOp::Binary(BinaryOp::Div), [a, b]) = (&self.at(id).op, &self.at(id).args[..]) else { return false };
        self.sum_of_exp(*b) == Some(*a)
    }
    fn square_of(&self, id: TermId) -> Option<TermId> {
        match (&self.at(id).op, &self.at(id).args[..]) {
            (TermOp::Powi(2), [x]) => Some(*x),
            (TermOp::Binary(BinaryOp::Mul), [x, y]) if x == y => Some(*x),
            _ => None,
        }
    }
}

/// Parameters whose names the body does not have. One that begins with `_` is meant so.
pub fn unused(formula: &Formula) -> Vec<(Span, String)> {
    let body = &formula.body;
    let mut open = vec![quote!(#body)];
    let mut words = BTreeSet::new();
    while let Some(tokens) = open.pop() {
        for token in tokens {
            match token {
                TokenTree::Group(group) => open.push(group.stream()),
                TokenTree::Ident(ident) => drop(words.insert(ident.to_string())),
                _ => {}
            }
        }
    }
    let names = formula.params.iter().map(|p| &p.name);
    let unused = names.filter(|name| !name.to_string().starts_with('_') && !words.contains(&name.to_string()));
    unused.map(|name| (name.span(), format!("`{name}` is not used: leave it out, or call it `_{name}`"))).collect()
}
