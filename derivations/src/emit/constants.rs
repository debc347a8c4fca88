//! The arithmetic of a call's constants: as written, but for what panics in Rust, which is an error of the call.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{BinOp, Expr, ExprLit, Lit, parse_quote};

/// Constants with `-`, `/` and `%` checked where both operands may be whole numbers. `?` must be possible where they stand.
pub fn checked(tokens: &TokenStream, rt: &TokenStream, function: &TokenStream) -> TokenStream {
    match syn::parse2::<Expr>(tokens.clone()) {
        Ok(mut e) => {
            Checked { rt, function }.visit_expr_mut(&mut e);
            e.into_token_stream()
        }
        Err(_) => tokens.clone(),
    }
}

struct Checked<'a> {
    rt: &'a TokenStream,
    function: &'a TokenStream,
}

impl VisitMut for Checked<'_> {
    fn visit_expr_mut(&mut self, e: &mut Expr) {
        if matches!(e, Expr::Closure(_) | Expr::Async(_)) {
            return;
        }
        visit_mut::visit_expr_mut(self, e);
        let Expr::Binary(b) = e else { return };
        let word = match b.op {
            BinOp::Sub(_) => quote!(difference),
            BinOp::Div(_) if !is_divisor(&b.right) => quote!(quotient),
            BinOp::Rem(_) if !is_divisor(&b.right) => quote!(remainder),
            _ => return,
        };
        if is_real(&b.left) || is_real(&b.right) {
            return;
        }
        let (rt, function, left, right) = (self.rt, self.function, &b.left, &b.right);
        *e = parse_quote!(#rt::#word(#function, #left, #right)?);
    }
}

fn literal(e: &Expr) -> Option<&Lit> {
    match e {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        Expr::Paren(inner) => literal(&inner.expr),
        _ => None,
    }
}

/// Whether this cannot be a whole number: a literal with a point, `n as f64`, or arithmetic with one.
fn is_real(e: &Expr) -> bool {
    match e {
        Expr::Lit(ExprLit { lit: Lit::Float(_), .. }) => true,
        Expr::Cast(cast) => matches!(&*cast.ty, syn::Type::Path(p) if p.path.is_ident("f64") || p.path.is_ident("f32")),
        Expr::Paren(inner) => is_real(&inner.expr),
        Expr::Unary(u) => is_real(&u.expr),
        Expr::Binary(b) => is_real(&b.left) || is_real(&b.right),
        _ => false,
    }
}

/// Whether this is a number that may always be divided by.
fn is_divisor(e: &Expr) -> bool {
    matches!(literal(e), Some(Lit::Int(n)) if n.base10_digits() != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn becomes(tokens: TokenStream, expected: TokenStream) {
        assert_eq!(checked(&tokens, &quote!(rt), &quote!(f)).to_string(), expected.to_string());
    }

    #[test]
    fn what_may_panic_is_checked() {
        becomes(quote!((len_n - 1)), quote!((rt::difference(f, len_n, 1)?)));
        becomes(quote!((a / (b - c)).max(1)), quote!((rt::quotient(f, a, (rt::difference(f, b, c)?))?).max(1)));
        becomes(quote!([a % b, 3]), quote!([rt::remainder(f, a, b)?, 3]));
    }

    #[test]
    fn what_cannot_panic_stands_as_it_is() {
        for tokens in [
            quote!((1.0 - p)),
            quote!((len_n as f64 - 1.0) / (len_n as f64)),
            quote!(len_n / 2),
            quote!((2.0 * p) - q),
            quote!(all(|x| x - 1)),
        ] {
            becomes(tokens.clone(), tokens);
        }
    }
}
