//! The types of constants, as far as they show. What does not fit is said here, once and with what to write instead: Rust
//! would say it of the kernels and of the reference.

use super::Elaborator;
use super::host::{self, len_ident};
use super::value::Host;
use crate::graph::AxisId;
use crate::syntax::{ParamKind, tidy};
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{BinOp, Expr, UnOp};

/// A constant of more tokens is not looked into.
const MAX_TOKENS: usize = 64;

/// What the methods of `f64` are that whole numbers lack.
const REAL_METHODS: &[&str] = &[
    "sqrt", "cbrt", "exp", "exp2", "exp_m1", "ln", "ln_1p", "log2", "log10", "powf", "powi", "sin", "cos", "tan", "sinh", "cosh",
    "tanh", "asinh", "atan", "floor", "ceil", "round", "recip", "hypot",
];

/// Those of them that take an argument.
const TAKE_ONE: &[&str] = &["powf", "powi", "hypot"];

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Bool,
    Whole,
    Real,
}

/// The type of a constant; a number that is written out has no name for it yet.
struct Type {
    class: Class,
    name: Option<String>,
}

impl Type {
    fn named(name: &str) -> Option<Type> {
        let class = match name {
            "bool" => Class::Bool,
            "f32" | "f64" => Class::Real,
            "usize" | "i32" | "i64" | "u32" | "u64" => Class::Whole,
            _ => return None,
        };
        Some(Type { class, name: Some(name.into()) })
    }
    fn written(class: Class) -> Option<Type> {
        Some(Type { class, name: None })
    }
}

impl Elaborator<'_> {
    /// Reports an operator between constants that Rust does not have; whether it did.
    pub(super) fn misfit(&mut self, op: &BinOp, left: (&Host, &Expr), right: (&Host, &Expr)) -> bool {
        let (Some(a), Some(b)) = (self.type_of(left.0), self.type_of(right.0)) else { return false };
        let arithmetic = matches!(op, BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_) | BinOp::Div(_) | BinOp::Rem(_));
        if !arithmetic && !matches!(op, BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_)) {
            return false;
        }
        let sides = [(&a, left.1), (&b, right.1)];
        if let Some((_, e)) = sides.iter().find(|(t, _)| t.class == Class::Bool) {
            if a.class == b.class && !arithmetic {
                return false;
            }
            self.errors.at(e, format!("`{0}` is a `bool`, and no number: write `if {0} {{ 1.0 }} else {{ 0.0 }}`", tidy(e)));
            return true;
        }
        match (&a.name, &b.name) {
            _ if a.class == b.class && (a.name.is_none() || b.name.is_none() || a.name == b.name) => return false,
            // a number that is written out can be written otherwise
            (None, _) if a.class == Class::Whole && is_number(left.1) => self.not_real(left.1, right.1, &b),
            (_, None) if b.class == Class::Whole && is_number(right.1) => self.not_real(right.1, left.1, &a),
            _ => self.differ(op, sides),
        }
        true
    }

    fn not_real(&mut self, number: &Expr, other: &Expr, ty: &Type) {
        let (number_text, other) = (tidy(number), tidy(other));
        let what = ty.name.as_ref().map_or("not whole".into(), |name| format!("`{name}`"));
        self.errors.at(number, format!("`{other}` is {what}, and constants of one type go together: write `{number_text}.0`"));
    }

    fn differ(&mut self, op: &BinOp, sides: [(&Type, &Expr); 2]) {
        let said = |(ty, e): (&Type, &Expr)| match &ty.name {
            Some(name) => format!("`{}` is `{name}`", tidy(e)),
            None if ty.class == Class::Whole => format!("`{}` is whole", tidy(e)),
            None => format!("`{}` is not whole", tidy(e)),
        };
        // what has a name is converted, and to what has more values
        let rank = |ty: &Type| match ty.name.as_deref() {
            None => 3,
            Some("f64") => 2,
            Some("f32") => 1,
            _ => 0,
        };
        let [a, b] = sides;
        let (from, to) = if rank(a.0) <= rank(b.0) { (a, b) } else { (b, a) };
        let to = to.0.name.as_deref().unwrap_or(if to.0.class == Class::Real { "f64" } else { "usize" });
        let text = tidy(from.1);
        let text = if matches!(from.1, Expr::Binary(_)) { format!("({text})") } else { text };
        self.errors.at(op, format!("{}, and {}: write `{text} as {to}`", said(a), said(b)));
    }

    /// Reports a method of real numbers on a whole one; whether it did.
    pub(super) fn misfit_method(&mut self, method: &Ident, receiver: (&Host, &Expr)) -> bool {
        if !REAL_METHODS.iter().any(|known| method == known) {
            return false;
        }
        let Some(Type { class: Class::Whole, name }) = self.type_of(receiver.0) else { return false };
        let (text, call) = (tidy(receiver.1), if TAKE_ONE.iter().any(|known| method == known) { "(..)" } else { "()" });
        let message = match name {
            Some(name) => format!("`{text}` is `{name}`, which has no `{method}`: write `({text} as f64).{method}{call}`"),
            None => format!("`{text}` is a whole number, which has no `{method}`: write `{text}.0.{method}{call}`"),
        };
        self.errors.at(method, message);
        true
    }

    /// Reports a setting of a window that is written out, of more or fewer axes than it has; whether it did.
    pub(super) fn misfit_setting(&mut self, call: &syn::ExprMethodCall, receiver: &Host) -> bool {
        let is_setting = ["stride", "padding", "dilation"].iter().any(|name| call.method == name);
        let (true, Some(Expr::Array(array))) = (is_setting, call.args.first()) else { return false };
        let Some(rank) = written_rank(&receiver.tokens).filter(|rank| *rank != array.elems.len()) else { return false };
        let found = array.elems.len();
        self.errors.at(array, format!("the window has {rank} in its kernel, one an axis, and this has {found}"));
        true
    }

    /// What a constant is, if it is known to be no window over `rank` axes.
    pub(super) fn no_window(&self, h: &Host, rank: usize) -> Option<String> {
        match self.constant_kind(h) {
            Some(ParamKind::Window(found)) => (*found != rank).then(|| format!("`Window<{found}>`")),
            Some(ParamKind::Seed) => Some("a seed".into()),
            Some(_) => Some("a number".into()),
            None if h.literal.is_some() => Some("a number".into()),
            None => match written_rank(&h.tokens) {
                Some(found) => (found != rank).then(|| format!("`Window<{found}>`")),
                None => host::is_text(&h.tokens).then(|| "text".into()),
            },
        }
    }

    /// What a constant is, if it is known to be no seed.
    pub(super) fn no_seed(&self, h: &Host) -> Option<&'static str> {
        match self.constant_kind(h) {
            Some(ParamKind::Seed) => None,
            Some(ParamKind::Window(_)) => Some("a window"),
            Some(_) => Some("a number"),
            None if h.literal.is_some() => Some("a number"),
            None => host::is_text(&h.tokens).then_some("text"),
        }
    }

    fn type_of(&self, h: &Host) -> Option<Type> {
        if host::is_longer(&h.tokens, MAX_TOKENS) {
            return None;
        }
        self.type_of_expr(&syn::parse2(h.tokens.clone()).ok()?)
    }

    fn type_of_expr(&self, e: &Expr) -> Option<Type> {
        match e {
            Expr::Lit(lit) => match &lit.lit {
                syn::Lit::Bool(_) => Type::named("bool"),
                syn::Lit::Int(n) if n.suffix().is_empty() => Type::written(Class::Whole),
                syn::Lit::Int(n) => Type::named(n.suffix()),
                syn::Lit::Float(x) if x.suffix().is_empty() => Type::written(Class::Real),
                syn::Lit::Float(x) => Type::named(x.suffix()),
                _ => None,
            },
            Expr::Path(p) => self.type_of_name(p.path.get_ident()?),
            Expr::Paren(inner) => self.type_of_expr(&inner.expr),
            Expr::Group(inner) => self.type_of_expr(&inner.expr),
            Expr::Unary(u) if matches!(u.op, UnOp::Neg(_) | UnOp::Not(_)) => self.type_of_expr(&u.expr),
            Expr::Cast(cast) => Type::named(&tidy(&cast.ty)),
            Expr::Binary(b) => match b.op {
                BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_) | BinOp::Div(_) | BinOp::Rem(_) => {
                    let (a, b) = (self.type_of_expr(&b.left)?, self.type_of_expr(&b.right)?);
                    Some(if a.name.is_some() { a } else { b })
                }
                BinOp::BitAnd(_) | BinOp::BitOr(_) | BinOp::BitXor(_) | BinOp::Shl(_) | BinOp::Shr(_) => None,
                _ => Type::named("bool"),
            },
            _ => None,
        }
    }

    fn type_of_name(&self, name: &Ident) -> Option<Type> {
        let constant = self.constants.iter().find(|(known, _)| name == known);
        match constant {
            Some((_, ParamKind::Scalar(ty))) => Type::named(&tidy(ty)),
            Some(_) => None,
            None => {
                let is_len = (0..self.typed.axes.len()).any(|i| len_ident(&self.typed.axes, AxisId(i as u8)) == *name);
                if is_len { Type::named("usize") } else { None }
            }
        }
    }
}

/// Whether a whole number stands here as it is.
fn is_number(e: &Expr) -> bool {
    let tokens: TokenStream = e.to_token_stream();
    tokens.to_string().trim_start_matches('-').trim().chars().all(|c| c.is_ascii_digit() || c == '_')
}

/// How many axes a window has that is written out: `Window::new([2, 2]).stride([1, 1])`.
fn written_rank(tokens: &TokenStream) -> Option<usize> {
    let mut e: Expr = syn::parse2(tokens.clone()).ok()?;
    loop {
        e = match e {
            Expr::MethodCall(call) => *call.receiver,
            Expr::Paren(inner) => *inner.expr,
            Expr::Group(inner) => *inner.expr,
            Expr::Call(call) => {
                let is_new = matches!(&*call.func, Expr::Path(p) if tidy(p).ends_with("Window::new"));
                return match call.args.first()? {
                    Expr::Array(array) if is_new => Some(array.elems.len()),
                    _ => None,
                };
            }
            _ => return None,
        }
    }
}
