//! Expressions.

use super::kind::{Kind, Out};
use super::{Unsupported, Writer, Written};
use crate::syntax::{self, vocabulary};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{BinOp, Expr, UnOp};

impl Writer<'_> {
    pub(super) fn expr(&mut self, e: &Expr) -> Written {
        match e {
            Expr::Lit(lit) => Ok(literal(lit)),
            Expr::Path(path) => Ok(self.path(path)),
            Expr::Paren(inner) => {
                let out = self.expr(&inner.expr)?;
                let tokens = out.tokens;
                Ok(Out { tokens: quote!((#tokens)), kind: out.kind })
            }
            Expr::Group(inner) => self.expr(&inner.expr).map(|out| Out { tokens: grouped(out.tokens), kind: out.kind }),
            Expr::Reference(r) if r.mutability.is_none() => self.expr(&r.expr),
            Expr::Unary(u) => self.unary(u),
            Expr::Binary(b) => self.binary(b),
            Expr::Call(call) => self.call(call),
            Expr::MethodCall(call) => self.method(call),
            Expr::Block(block) if block.label.is_none() => {
                let block = self.block(&block.block, false)?;
                let kind = block.kind();
                let tokens = self.finish_block(block, &kind)?;
                Ok(Out { tokens, kind })
            }
            Expr::If(branch) => self.branch(branch),
            Expr::Match(m) => self.match_(m),
            Expr::Tuple(tuple) if tuple.elems.is_empty() => Ok(Out::unit(quote!(()))),
            Expr::Tuple(tuple) => self.tuple(tuple),
            Expr::Cast(cast) => self.cast(cast),
            Expr::Assign(assign) => {
                let value = self.expr(&assign.right)?;
                self.assign(&assign.left, value)
            }
            Expr::ForLoop(l) => self.for_loop(l),
            Expr::Array(array) => {
                let elements: Vec<TokenStream> = array.elems.iter().map(|e| self.host(e)).collect::<Written<_>>()?;
                Ok(Out::host(quote_spanned!(array.bracket_token.span.join()=> [#(#elements),*])))
            }
            Expr::Repeat(repeat) => {
                let (one, times) = (self.host(&repeat.expr)?, self.host(&repeat.len)?);
                Ok(Out::host(quote_spanned!(repeat.bracket_token.span.join()=> [#one; #times])))
            }
            Expr::Struct(_) => Ok(Out::host(quote!(#e))),
            _ => Err(Unsupported),
        }
    }

    fn path(&mut self, e: &syn::ExprPath) -> Out {
        if let Some(name) = e.path.get_ident() {
            let text = name.to_string();
            if let Some(binding) = self.find(&text) {
                return match &binding.kind {
                    Kind::Literal { tokens, float } => Out::literal(tokens.clone(), *float),
                    Kind::Axes => {
                        let f = &self.f;
                        Out { tokens: quote!(#f::Name::joined(&[&#name])), kind: Kind::Axes }
                    }
                    _ => Out { tokens: quote!(#name), kind: binding.kind },
                };
            }
            if self.knows_axis(&text) {
                let (f, axis) = (self.f.clone(), self.axis(&text));
                return Out { tokens: quote!(#f::Name::joined(&[&#axis])), kind: Kind::Axes };
            }
            if let Some(path) = self.frame().items.imports.get(&text) {
                return Out::host(quote!(#path));
            }
            if text == "None" {
                let f = &self.f;
                return Out { tokens: quote!(::core::option::Option::None::<#f::Var<'_>>), kind: Kind::Optional };
            }
        }
        Out::host(quote!(#e))
    }

    fn tuple(&mut self, tuple: &syn::ExprTuple) -> Written {
        let outs: Vec<Out> = tuple.elems.iter().map(|e| self.expr(e)).collect::<Written<_>>()?;
        let (values, kinds): (Vec<TokenStream>, Vec<Kind>) = outs.into_iter().map(|o| (o.tokens, o.kind)).unzip();
        if kinds.iter().all(|k| matches!(k, Kind::Axes)) {
            let f = &self.f;
            return Ok(Out { tokens: quote!(#f::Name::joined(&[#(&#values),*])), kind: Kind::Axes });
        }
        Ok(Out { tokens: quote!((#(#values,)*)), kind: Kind::Tuple(kinds) })
    }

    fn unary(&mut self, u: &syn::ExprUnary) -> Written {
        let out = self.expr(&u.expr)?;
        let (op, inner) = (&u.op, &out.tokens);
        Ok(match (op, &out.kind) {
            (UnOp::Deref(_), Kind::State) => Out::tensor(self.coerce(out, &Kind::Tensor)?),
            (UnOp::Deref(_), _) => out,
            (UnOp::Neg(_), Kind::Literal { float, .. }) => Out::literal(quote!((-#inner)), *float),
            (_, kind) if kind.is_host() => Out::host(quote!(#op #inner)),
            _ => {
                let value = self.coerce(out, &Kind::Tensor)?;
                Out::tensor(quote!(#op #value))
            }
        })
    }

    fn binary(&mut self, b: &syn::ExprBinary) -> Written {
        if let Some(op) = compound(&b.op) {
            let right = self.expr(&b.right)?;
            let left = self.expr(&b.left)?;
            let whole = right.tokens;
            // what stands on the right is one operand, however it is written
            let right = Out { tokens: quote!((#whole)), kind: right.kind };
            let value = self.operator(&op, left, right)?;
            return self.assign(&b.left, value);
        }
        let (left, right) = (self.expr(&b.left)?, self.expr(&b.right)?);
        self.operator(&b.op, left, right)
    }

    fn operator(&mut self, op: &BinOp, left: Out, right: Out) -> Written {
        if left.kind.is_host() && right.kind.is_host() {
            let (a, b) = (&left.tokens, &right.tokens);
            let arithmetic = matches!(op, BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_) | BinOp::Div(_) | BinOp::Rem(_));
            return Ok(match (&left.kind, &right.kind) {
                (Kind::Literal { float: x, .. }, Kind::Literal { float: y, .. }) if arithmetic && x == y => {
                    Out::literal(quote!((#a #op #b)), *x)
                }
                _ => Out::host(quote!(#a #op #b)),
            });
        }
        let f = self.f.clone();
        let (a, b) = (self.coerce(left, &Kind::Tensor)?, self.coerce(right, &Kind::Tensor)?);
        let word = match op {
            BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_) | BinOp::Div(_) | BinOp::BitAnd(_) | BinOp::BitOr(_) => {
                return Ok(Out::tensor(quote!(#a #op #b)));
            }
            // masks have no shortcut
            BinOp::And(_) => return Ok(Out::tensor(quote!(#a & #b))),
            BinOp::Or(_) => return Ok(Out::tensor(quote!(#a | #b))),
            BinOp::Gt(_) => quote!(gt),
            BinOp::Ge(_) => quote!(ge),
            BinOp::Lt(_) => quote!(lt),
            BinOp::Le(_) => quote!(le),
            BinOp::Eq(_) => quote!(eq),
            BinOp::Ne(_) => quote!(ne),
            _ => return Err(Unsupported),
        };
        Ok(Out::tensor(quote!(#f::#word(#a, #b))))
    }

    fn cast(&mut self, cast: &syn::ExprCast) -> Written {
        let out = self.expr(&cast.expr)?;
        let (inner, ty) = (&out.tokens, &cast.ty);
        let tokens = quote!((#inner as #ty));
        let float = matches!(quote!(#ty).to_string().as_str(), "f64" | "f32");
        Ok(match out.kind {
            Kind::Literal { .. } if float => Out::literal(tokens, true),
            kind if kind.is_host() => Out::host(tokens),
            _ => return Err(Unsupported),
        })
    }

    // ---- calls

    fn call(&mut self, call: &syn::ExprCall) -> Written {
        let Expr::Path(path) = &*call.func else { return Err(Unsupported) };
        let args: Vec<&Expr> = call.args.iter().collect();
        if let Some(name) = path.path.get_ident() {
            let text = name.to_string();
            if let Some(function) = self.frame().items.functions.get(&text).cloned() {
                return self.call_nested(&function, &args);
            }
            if text == "Some" && args.len() == 1 {
                let value = self.expr(args[0])?;
                let value = self.coerce(value, &Kind::Tensor)?;
                return Ok(Out { tokens: quote!(::core::option::Option::Some(#value)), kind: Kind::Optional });
            }
            if vocabulary::word(&text).is_some() {
                return self.word(&text, None, &args);
            }
        }
        let library = self.frame().library.clone();
        let imported = path.path.get_ident().and_then(|name| self.frame().items.imports.get(&name.to_string()).cloned());
        let path = imported.as_ref().unwrap_or(&path.path);
        if let Some((formula, library)) = library.formula(&quote!(#path).to_string()) {
            return self.inline(&formula, library, Default::default(), &args);
        }
        let args: Vec<TokenStream> = args.into_iter().map(|a| self.setting(a)).collect::<Written<_>>()?;
        Ok(Out::host(quote!(#path(#(#args),*))))
    }

    /// What goes to a function of constants: a constant, or an optional one written out.
    fn setting(&mut self, e: &Expr) -> Written<TokenStream> {
        match optional_constant(e) {
            Some(None) => Ok(quote!(::core::option::Option::None)),
            Some(Some(inner)) => self.host(inner).map(|inner| quote!(::core::option::Option::Some(#inner))),
            None => self.host(e),
        }
    }

    /// A constant of the call, as it stands in Rust.
    pub(super) fn host(&mut self, e: &Expr) -> Written<TokenStream> {
        let out = self.expr(e)?;
        if out.kind.is_host() { Ok(out.tokens) } else { Err(Unsupported) }
    }

    fn method(&mut self, call: &syn::ExprMethodCall) -> Written {
        if let Some((range, x)) = syntax::range_contains(call) {
            let (x, dots) = (self.host(x)?, &range.limits);
            let mut bound = |e: &Option<Box<Expr>>| e.as_deref().map(|e| self.host(e)).transpose();
            let (start, end) = (bound(&range.start)?, bound(&range.end)?);
            return Ok(Out::host(quote!((#start #dots #end).contains(&(#x)))));
        }
        let receiver = self.expr(&call.receiver)?;
        let name = call.method.to_string();
        let args: Vec<&Expr> = call.args.iter().collect();
        let value = &receiver.tokens;
        match (&receiver.kind, name.as_str(), args.as_slice()) {
            (Kind::Optional, "map_or", [default, closure]) => self.unwrapped(quote!(#value), default, Some(closure)),
            (Kind::Optional, "unwrap_or", [default]) => self.unwrapped(quote!(#value), default, None),
            (Kind::Optional, "is_some" | "is_none", []) => {
                let method = &call.method;
                Ok(Out::host(quote!(#value.#method())))
            }
            (kind, ..) if kind.is_host() => self.host_method(call, receiver),
            _ => {
                let all: Vec<&Expr> = std::iter::once(&*call.receiver).chain(args).collect();
                self.word(&name, Some(receiver), &all)
            }
        }
    }

    /// A method of a constant is Rust's own, unless a tensor goes to it.
    fn host_method(&mut self, call: &syn::ExprMethodCall, receiver: Out) -> Written {
        let mut args = vec![];
        for arg in &call.args {
            if optional_constant(arg).is_some() {
                args.push(self.setting(arg)?);
                continue;
            }
            match self.expr(arg)? {
                out if out.kind.is_host() => args.push(out.tokens),
                _ => {
                    let all: Vec<&Expr> = std::iter::once(&*call.receiver).chain(&call.args).collect();
                    return self.word(&call.method.to_string(), Some(receiver), &all);
                }
            }
        }
        let (value, method, turbofish) = (&receiver.tokens, &call.method, &call.turbofish);
        let value = match receiver.kind {
            // Rust asks for the type of a number that is written out
            Kind::Literal { float: true, .. } => quote!((#value as f64)),
            _ => quote!(#value),
        };
        Ok(Out::host(quote!(#value.#method #turbofish(#(#args),*))))
    }
}

fn literal(e: &syn::ExprLit) -> Out {
    let lit = &e.lit;
    match lit {
        syn::Lit::Int(n) => Out::literal(quote!(#lit), matches!(n.suffix(), "f32" | "f64")),
        syn::Lit::Float(_) => Out::literal(quote!(#lit), true),
        _ => Out::host(quote!(#lit)),
    }
}

/// The argument of `Some(..)`, or of `None` none.
fn optional_constant(e: &Expr) -> Option<Option<&Expr>> {
    match e {
        Expr::Path(path) if path.path.is_ident("None") => Some(None),
        Expr::Call(call) if call.args.len() == 1 => match &*call.func {
            Expr::Path(path) if path.path.is_ident("Some") => Some(call.args.first()),
            _ => None,
        },
        Expr::Paren(inner) => optional_constant(&inner.expr),
        Expr::Group(inner) => optional_constant(&inner.expr),
        _ => None,
    }
}

/// What a macro's invisible delimiters keep together.
fn grouped(tokens: TokenStream) -> TokenStream {
    quote!((#tokens))
}

/// The operator of `+=` and its kin.
fn compound(op: &BinOp) -> Option<BinOp> {
    Some(match op {
        BinOp::AddAssign(_) => BinOp::Add(Default::default()),
        BinOp::SubAssign(_) => BinOp::Sub(Default::default()),
        BinOp::MulAssign(_) => BinOp::Mul(Default::default()),
        BinOp::DivAssign(_) => BinOp::Div(Default::default()),
        _ => return None,
    })
}
