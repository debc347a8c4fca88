//! `match` and `if let`: which arm a call takes.

use super::Elaborator;
use super::value::{Host, Literal, Value};
use crate::syntax::tidy;
use quote::{ToTokens, quote};
use syn::Pat;

/// What a pattern binds.
type Bound<'p> = Vec<(&'p Pat, Value)>;

/// The construct that a pattern stands in.
#[derive(Clone, Copy)]
enum Of {
    Match,
    IfLet,
}

impl Elaborator<'_> {
    pub(super) fn if_let(&mut self, branch: &syn::ExprIf, l: &syn::ExprLet) -> Value {
        let value = self.expr(&l.expr);
        match &value {
            Value::Poison => return Value::Poison,
            Value::Optional(_) | Value::Tuple(_) => {}
            other => {
                self.errors.at(&l.expr, format!("`if let` opens an optional tensor, and this is {}", other.kind()));
                return Value::Poison;
            }
        }
        let mut bound = vec![];
        match self.fits(&l.pat, &value, Of::IfLet, true, &mut bound) {
            None => Value::Poison,
            Some(false) => self.otherwise(branch),
            Some(true) => self.with(bound, |e| e.block(&branch.then_branch, false)),
        }
    }

    pub(super) fn match_(&mut self, m: &syn::ExprMatch) -> Value {
        let value = self.expr(&m.expr);
        for arm in &m.arms {
            if let Some((_, guard)) = &arm.guard {
                self.errors.at(guard, "a guard cannot stand in a formula's `match`: write `if` inside the arm");
                return Value::Poison;
            }
        }
        match &value {
            Value::Poison => return Value::Poison,
            Value::Optional(_) | Value::Host(_) | Value::Tuple(_) => {}
            other => {
                self.no_choice(&m.expr, other);
                return Value::Poison;
            }
        }
        if matches!(value, Value::Host(_)) && !m.arms.is_empty() && !covers(m) {
            let text = tidy(&m.expr);
            self.errors.at(
                &m.expr,
                format!("this `match` does not say what happens for other values of `{text}`: end it with `_ => ..`"),
            );
            return Value::Poison;
        }
        if m.arms.is_empty() {
            self.errors.at(m, "this `match` has no arm");
            return Value::Poison;
        }
        // where no arm holds the last does that could: rustc checks, where the condition is evaluated, that the arms
        // cover every constant between them
        let all = m.arms.iter().map(|arm| (arm, true)).chain(m.arms.iter().rev().map(|arm| (arm, false)));
        for (arm, constants) in all {
            let mut bound = vec![];
            match self.fits(&arm.pat, &value, Of::Match, constants, &mut bound) {
                None => return Value::Poison,
                Some(false) => {}
                Some(true) => return self.with(bound, |e| e.expr(&arm.body)),
            }
        }
        self.errors.at(m, "this `match` does not say what happens otherwise");
        Value::Poison
    }

    /// What is read with a pattern's names bound.
    fn with(&mut self, bound: Bound<'_>, read: impl FnOnce(&mut Self) -> Value) -> Value {
        self.frame().open();
        for (pat, value) in bound {
            self.pattern(pat, value);
        }
        let result = read(self);
        self.frame().close();
        result
    }

    /// Whether a value fits a pattern in this specialisation, and what that binds; `None`: not decided yet, or an error.
    /// `constants`: whether it matters what they are.
    fn fits<'p>(&mut self, pat: &'p Pat, value: &Value, of: Of, constants: bool, bound: &mut Bound<'p>) -> Option<bool> {
        match (pat, value) {
            (_, Value::Poison) => None,
            (Pat::Paren(inner), _) => self.fits(&inner.pat, value, of, constants, bound),
            (Pat::Wild(_), _) => Some(true),
            (Pat::Tuple(parts), Value::Tuple(values)) if parts.elems.len() == values.len() => {
                for (pat, value) in parts.elems.iter().zip(values) {
                    if !self.fits(pat, value, of, constants, bound)? {
                        return Some(false);
                    }
                }
                Some(true)
            }
            (pat, Value::Host(h)) => {
                if constants {
                    self.constant_fits(pat, h)
                } else {
                    Some(true)
                }
            }
            (Pat::Or(or), _) => {
                let before = bound.len();
                for case in &or.cases {
                    if self.fits(case, value, of, constants, bound)? {
                        return Some(true);
                    }
                    bound.truncate(before);
                }
                Some(false)
            }
            (pat, Value::Optional(optional)) => {
                let presence = self.presence(optional)?;
                match (option_pattern(pat), presence, of) {
                    (Some(Some(pat)), Some(value), _) => {
                        bound.push((pat, value));
                        Some(true)
                    }
                    (Some(None), None, _) => Some(true),
                    (Some(_), ..) => Some(false),
                    (None, _, Of::Match) => {
                        self.errors.at(pat, "an optional tensor is matched with `Some(name)` and `None`");
                        None
                    }
                    (None, _, Of::IfLet) => {
                        self.errors.at(pat, "an optional tensor is opened with `Some(name)` or `None`");
                        None
                    }
                }
            }
            (Pat::Ident(_), value) => {
                bound.push((pat, value.clone()));
                Some(true)
            }
            (pat, value) => {
                self.no_choice(pat, value);
                None
            }
        }
    }

    fn no_choice(&mut self, at: &dyn ToTokens, value: &Value) {
        let kind = value.kind();
        self.errors.at(at, format!("`match` chooses once a call, on a constant or an optional tensor, and this is {kind}: element by element write `select(mask, a, b)`"));
    }

    fn constant_fits(&mut self, pat: &Pat, h: &Host) -> Option<bool> {
        let tokens = &h.tokens;
        let same = h.literal.and_then(|value| matches_literal(pat, value));
        same.or_else(|| self.decide(quote!(::core::matches!(#tokens, #pat))))
    }
}

/// Whether some arm takes what the others leave: any value, or both of a `bool`.
fn covers(m: &syn::ExprMatch) -> bool {
    let mut cases: Vec<&Pat> = m.arms.iter().map(|arm| &arm.pat).collect();
    let mut bools = [false, false];
    while let Some(case) = cases.pop() {
        match case {
            Pat::Paren(inner) => cases.push(&inner.pat),
            Pat::Or(or) => cases.extend(&or.cases),
            Pat::Lit(syn::ExprLit { lit: syn::Lit::Bool(b), .. }) => bools[usize::from(b.value)] = true,
            Pat::Lit(_) => {}
            // a range may leave nothing, and of what else there is Rust says it
            Pat::Range(range) if range.start.is_some() && range.end.is_some() => {}
            _ => return true,
        }
    }
    bools == [true, true]
}

/// Whether a known value fits a pattern of literals.
fn matches_literal(pat: &Pat, value: Literal) -> Option<bool> {
    match pat {
        Pat::Or(or) => or.cases.iter().try_fold(false, |any, case| Some(any | matches_literal(case, value)?)),
        Pat::Paren(inner) => matches_literal(&inner.pat, value),
        pat => Some(literal_of(pat)? == value),
    }
}

fn literal_of(pat: &Pat) -> Option<Literal> {
    match pat {
        Pat::Lit(syn::ExprLit { lit: syn::Lit::Bool(b), .. }) => Some(Literal::Bool(b.value)),
        Pat::Lit(syn::ExprLit { lit: syn::Lit::Int(n), .. }) => n.base10_parse().ok().map(Literal::Int),
        _ => None,
    }
}

/// `Some(pat)` → `Some(Some(pat))`, `None` → `Some(None)`.
fn option_pattern(pat: &Pat) -> Option<Option<&Pat>> {
    match pat {
        Pat::TupleStruct(t) if t.path.segments.last().is_some_and(|s| s.ident == "Some") && t.elems.len() == 1 => {
            Some(t.elems.first())
        }
        Pat::Ident(p) if p.ident == "None" => Some(None),
        Pat::Path(p) if tidy(p).ends_with("None") => Some(None),
        Pat::Paren(p) => option_pattern(&p.pat),
        _ => None,
    }
}
