//! Blocks, bindings, branches and loops.

use super::kind::{Kind, Out};
use super::{Unsupported, Writer, Written};
use crate::error::Errors;
use crate::syntax::{imports, tensor_axes};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;
use syn::{Expr, Pat, Stmt};

/// A block before its braces are closed: what it becomes may depend on another branch.
pub(super) struct Block {
    statements: TokenStream,
    tail: Option<Out>,
}

impl Block {
    pub fn kind(&self) -> Kind {
        self.tail.as_ref().map_or(Kind::Unit, |t| t.kind.clone())
    }
}

/// A pattern, and the statements that follow its binding.
type Pattern = (TokenStream, TokenStream);

impl Writer<'_> {
    /// The outermost block of a function shares its scope with the arguments.
    pub(super) fn block(&mut self, block: &syn::Block, outermost: bool) -> Written<Block> {
        if !outermost {
            self.frame().scopes.push(Default::default());
        }
        for stmt in &block.stmts {
            match stmt {
                Stmt::Item(syn::Item::Fn(f)) => drop(self.frame().items.functions.insert(f.sig.ident.to_string(), f.clone())),
                Stmt::Item(syn::Item::Use(item)) => self.frame().items.imports.extend(imports(item)),
                _ => {}
            }
        }
        let mut statements = TokenStream::new();
        let mut tail = None;
        let last = block.stmts.len().saturating_sub(1);
        for (i, stmt) in block.stmts.iter().enumerate() {
            match stmt {
                Stmt::Local(local) => statements.extend(self.let_(local)?),
                Stmt::Item(syn::Item::Fn(_) | syn::Item::Use(_)) => {}
                Stmt::Item(item) => {
                    if let syn::Item::Const(c) = item {
                        self.bound.insert(c.ident.to_string());
                    }
                    statements.extend(quote!(#item));
                }
                Stmt::Expr(e, None) if i == last => tail = Some(self.expr(e)?),
                Stmt::Expr(e, _) => {
                    let value = operand(self.expr(e)?.tokens);
                    statements.extend(quote!(#value;));
                }
                Stmt::Macro(_) => return Err(Unsupported),
            }
        }
        if !outermost {
            self.frame().scopes.pop();
        }
        Ok(Block { statements, tail })
    }

    pub(super) fn finish_block(&mut self, block: Block, kind: &Kind) -> Written<TokenStream> {
        let statements = block.statements;
        let tail = match block.tail {
            Some(tail) => Some(operand(self.coerce(tail, kind)?)),
            None if matches!(kind, Kind::Unit) => None,
            None => return Err(Unsupported),
        };
        Ok(quote!({ #statements #tail }))
    }

    fn let_(&mut self, local: &syn::Local) -> Written<TokenStream> {
        let Some(init) = &local.init else { return Err(Unsupported) };
        let value = self.expr(&init.expr)?;
        // what a tensor may become is for axes and literals to say; Rust's own keep their type
        let ty = match (&local.pat, &value.kind) {
            (Pat::Type(typed), kind) if kind.is_host() => {
                let ty = &typed.ty;
                Some(quote!(: #ty))
            }
            _ => None,
        };
        let (pattern, after) = self.pattern(&local.pat, value.kind)?;
        let value = value.tokens;
        Ok(quote!(let #pattern #ty = #value; #after))
    }

    pub(super) fn pattern(&mut self, pat: &Pat, kind: Kind) -> Written<Pattern> {
        match (pat, kind) {
            (Pat::Wild(_), _) => Ok((quote!(_), quote!())),
            (Pat::Paren(inner), kind) => self.pattern(&inner.pat, kind),
            (Pat::Ident(p), kind) => Ok(self.bind_name(p, kind)),
            (Pat::Type(typed), kind) => {
                let list = match kind {
                    Kind::Tensor => tensor_axes(&mut Errors::default(), &typed.ty),
                    _ => None,
                };
                let (pattern, after) = self.pattern(&typed.pat, kind)?;
                let named = match (&*typed.pat, list) {
                    (Pat::Ident(p), Some(list)) if !list.open => {
                        let (name, list) = (&p.ident, self.list(&list));
                        quote!(#name.name_axes(#list);)
                    }
                    _ => quote!(),
                };
                Ok((pattern, quote!(#after #named)))
            }
            (Pat::Tuple(tuple), Kind::Tuple(kinds)) if tuple.elems.len() == kinds.len() => {
                let parts: Vec<Pattern> =
                    tuple.elems.iter().zip(kinds).map(|(p, k)| self.pattern(p, k)).collect::<Written<_>>()?;
                let (patterns, after): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
                Ok((quote!((#(#patterns,)*)), quote!(#(#after)*)))
            }
            _ => Err(Unsupported),
        }
    }

    fn bind_name(&mut self, p: &syn::PatIdent, kind: Kind) -> Pattern {
        let (name, run) = (&p.ident, self.run.clone());
        if p.mutability.is_none() {
            self.bind(&name.to_string(), kind, None);
            return (quote!(#name), quote!());
        }
        let number = self.mutables;
        self.mutables += 1;
        if kind.is_host() && self.promoted.contains(&number) {
            self.bind(&name.to_string(), Kind::Tensor, Some(number));
            return (quote!(#name), quote!(let mut #name = #run.num(#name);));
        }
        // one that changes is no literal any more
        let kind = if kind.is_host() { Kind::Host } else { kind };
        self.bind(&name.to_string(), kind, Some(number));
        (quote!(mut #name), quote!())
    }

    /// `place = value`
    pub(super) fn assign(&mut self, place: &Expr, value: Out) -> Written {
        match place {
            Expr::Unary(u) if matches!(u.op, syn::UnOp::Deref(_)) => {
                let state = self.expr(&u.expr)?;
                let (Kind::State, state) = (state.kind, state.tokens) else { return Err(Unsupported) };
                let value = self.coerce(value, &Kind::Tensor)?;
                Ok(Out::unit(quote!(#state.write(#value))))
            }
            Expr::Path(p) => {
                let name = p.path.get_ident().ok_or(Unsupported)?;
                let Some(binding) = self.find(&name.to_string()) else { return Err(Unsupported) };
                if binding.kind.is_host() && value.kind.is_tensor() {
                    self.promoted.extend(binding.mutable);
                    return Ok(Out::unit(quote!()));
                }
                let value = self.coerce(value, &binding.kind)?;
                Ok(Out::unit(quote!(#name = #value)))
            }
            _ => Err(Unsupported),
        }
    }

    // ---- branches

    pub(super) fn branch(&mut self, branch: &syn::ExprIf) -> Written {
        let f = self.f.clone();
        let opened = matches!(&*branch.cond, Expr::Let(_));
        self.frame().scopes.push(Default::default());
        let (condition, after) = match &*branch.cond {
            Expr::Let(l) => {
                let Out { tokens, kind } = self.expr(&l.expr)?;
                let (pattern, after) = self.choice(&l.pat, &kind)?;
                (quote!(let #pattern = #tokens), after)
            }
            condition => match self.expr(condition)? {
                Out { tokens, kind: Kind::Tensor } => (quote!(#f::holds(#tokens)), quote!()),
                Out { tokens, .. } => (tokens, quote!()),
            },
        };
        let mut then = self.block(&branch.then_branch, false)?;
        if opened {
            let statements = &then.statements;
            then.statements = quote!(#after #statements);
        }
        self.frame().scopes.pop();
        let Some((_, otherwise)) = &branch.else_branch else {
            let then = self.finish_block(then, &Kind::Unit)?;
            return Ok(Out::unit(quote!(if #condition #then)));
        };
        let otherwise = match &**otherwise {
            Expr::Block(b) => self.block(&b.block, false)?,
            e => Block { statements: quote!(), tail: Some(self.expr(e)?) },
        };
        let kind = then.kind().join(&otherwise.kind())?;
        let (then, otherwise) = (self.finish_block(then, &kind)?, self.finish_block(otherwise, &kind)?);
        Ok(Out { tokens: quote!(if #condition #then else #otherwise), kind })
    }

    /// The pattern of an arm.
    fn choice(&mut self, pat: &Pat, kind: &Kind) -> Written<Pattern> {
        match (pat, kind) {
            (pat, Kind::Optional) => self.option_pattern(pat),
            (Pat::Paren(inner), Kind::Tuple(_)) => self.choice(&inner.pat, kind),
            (Pat::Tuple(parts), Kind::Tuple(kinds)) if parts.elems.len() == kinds.len() => {
                let parts: Vec<Pattern> =
                    parts.elems.iter().zip(kinds).map(|(p, k)| self.choice(p, k)).collect::<Written<_>>()?;
                let (patterns, after): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
                Ok((quote!((#(#patterns,)*)), quote!(#(#after)*)))
            }
            (Pat::Ident(_), Kind::Tensor) => self.pattern(pat, kind.clone()),
            (Pat::Or(_), Kind::Tuple(_)) => Err(Unsupported),
            (pat, _) => Ok((quote!(#pat), quote!())),
        }
    }

    /// `Some(name)` or `None`.
    fn option_pattern(&mut self, pat: &Pat) -> Written<Pattern> {
        let ends_with = |path: &syn::Path, name: &str| path.segments.last().is_some_and(|s| s.ident == name);
        match pat {
            Pat::Paren(p) => self.option_pattern(&p.pat),
            Pat::TupleStruct(t) if ends_with(&t.path, "Some") && t.elems.len() == 1 => {
                let (inner, after) = self.pattern(&t.elems[0], Kind::Tensor)?;
                Ok((quote!(::core::option::Option::Some(#inner)), after))
            }
            Pat::Ident(p) if p.ident == "None" => Ok((quote!(::core::option::Option::None), quote!())),
            Pat::Path(p) if ends_with(&p.path, "None") => Ok((quote!(::core::option::Option::None), quote!())),
            Pat::Wild(_) => Ok((quote!(_), quote!())),
            _ => Err(Unsupported),
        }
    }

    pub(super) fn match_(&mut self, m: &syn::ExprMatch) -> Written {
        let value = self.expr(&m.expr)?;
        let mut arms = vec![];
        for arm in &m.arms {
            self.frame().scopes.push(Default::default());
            let (pattern, after) = self.choice(&arm.pat, &value.kind)?;
            let body = self.expr(&arm.body)?;
            self.frame().scopes.pop();
            arms.push((pattern, Block { statements: after, tail: Some(body) }));
        }
        let (first, rest) = arms.split_first().ok_or(Unsupported)?;
        let kind = rest.iter().try_fold(first.1.kind(), |kind, (_, b)| kind.join(&b.kind()))?;
        let mut written = vec![];
        for (pattern, block) in arms {
            let block = self.finish_block(block, &kind)?;
            written.push(quote!(#pattern => #block));
        }
        let value = value.tokens;
        Ok(Out { tokens: quote!(match #value { #(#written)* }), kind })
    }

    /// `map_or(default, closure)` and `unwrap_or(default)`: the default is computed only where it is wanted.
    pub(super) fn unwrapped(&mut self, value: TokenStream, default: &Expr, closure: Option<&Expr>) -> Written {
        let default = self.expr(default)?;
        let (pattern, some) = match closure {
            Some(Expr::Closure(c)) if c.inputs.len() == 1 => {
                self.frame().scopes.push(Default::default());
                let (pattern, after) = self.pattern(&c.inputs[0], Kind::Tensor)?;
                let body = self.expr(&c.body)?;
                self.frame().scopes.pop();
                (pattern, Block { statements: after, tail: Some(body) })
            }
            Some(_) => return Err(Unsupported),
            None => (quote!(v), Block { statements: quote!(), tail: Some(Out::tensor(quote!(v))) }),
        };
        let kind = default.kind.join(&some.kind())?;
        let (default, some) = (self.coerce(default, &kind)?, self.finish_block(some, &kind)?);
        let tokens = quote!(match #value {
            ::core::option::Option::Some(#pattern) => #some
            ::core::option::Option::None => #default,
        });
        Ok(Out { tokens, kind })
    }

    pub(super) fn for_loop(&mut self, l: &syn::ExprForLoop) -> Written {
        let Expr::Range(range) = &*l.expr else { return Err(Unsupported) };
        let (Some(start), Some(end)) = (&range.start, &range.end) else { return Err(Unsupported) };
        let (start, end) = (self.host(start)?, self.host(end)?);
        let dots = &range.limits;
        self.frame().scopes.push(Default::default());
        let (pattern, after) = self.pattern(&l.pat, Kind::Host)?;
        let mut body = self.block(&l.body, false)?;
        self.frame().scopes.pop();
        let statements = &body.statements;
        body.statements = quote!(#after #statements);
        let body = self.finish_block(body, &Kind::Unit)?;
        Ok(Out::unit(quote!(for #pattern in #start #dots #end #body)))
    }

    /// A closure whose arguments are tensors and whose result is one.
    pub(super) fn closure(&mut self, e: &Expr) -> Written<TokenStream> {
        let Expr::Closure(c) = e else { return Err(Unsupported) };
        self.frame().scopes.push(Default::default());
        let parts: Vec<Pattern> = c.inputs.iter().map(|p| self.pattern(p, Kind::Tensor)).collect::<Written<_>>()?;
        let (patterns, after): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let body = self.expr(&c.body)?;
        let body = operand(self.coerce(body, &Kind::Tensor)?);
        self.frame().scopes.pop();
        Ok(quote!(|#(#patterns),*| { #(#after)* #body }))
    }
}

/// At the beginning of a statement a block, an `if` or a `match` ends there, whatever follows: it goes into parentheses.
fn operand(tokens: TokenStream) -> TokenStream {
    let mut rest = tokens.clone().into_iter();
    let ends = match (rest.next(), rest.next()) {
        (Some(TokenTree::Group(group)), Some(_)) => group.delimiter() == Delimiter::Brace,
        (Some(TokenTree::Ident(word)), _) => {
            (word == "if" || word == "match") && syn::parse2::<WholeStatement>(tokens.clone()).is_err()
        }
        _ => false,
    };
    if ends { quote!((#tokens)) } else { tokens }
}

/// An `if` or a `match` and nothing after it.
struct WholeStatement;

impl syn::parse::Parse for WholeStatement {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<WholeStatement> {
        Expr::parse_with_earlier_boundary_rule(input)?;
        if input.is_empty() { Ok(WholeStatement) } else { Err(input.error("more")) }
    }
}
