//! Calls of the vocabulary.

use super::kind::{Kind, Out};
use super::{Unsupported, Writer, Written};
use crate::syntax::{axis_name, elements};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Expr;

/// What an argument of a word is.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    /// A tensor, or a number that becomes one.
    Value,
    /// Axes of the value.
    Axes,
    /// One axis of the value.
    Axis,
    /// An axis that the word may introduce.
    New,
    /// Several.
    News,
    /// Two.
    NewPair,
    /// A number of the call.
    Number,
    /// Several.
    Numbers,
    Seed,
    Window,
    Range,
    Closure,
}

/// The arguments of a word of one form; `None`: it has a form of its own, or none here.
fn roles(word: &str) -> Option<&'static [Role]> {
    use Role::*;
    Some(match word {
        "sq" | "sqrt" | "rsqrt" | "recip" | "exp" | "exp2" | "exp_m1" | "log" | "log2" | "log1p" | "abs" | "sign" | "floor"
        | "ceil" | "round" | "sin" | "cos" | "tan" | "sinh" | "cosh" | "tanh" | "asinh" | "atan" | "sigmoid" | "softplus"
        | "erf" | "erfc" | "stop_gradient" => &[Value],
        "powi" => &[Value, Number],
        "powf" | "max2" | "min2" | "atan2" | "hypot" | "gt" | "ge" | "lt" | "le" | "eq" | "ne" | "fill" => &[Value, Value],
        "clamp" | "select" => &[Value, Value, Value],
        "map" => &[Value, Closure],
        "sum" | "mean" | "prod" | "max" | "min" | "argmax" | "argmin" | "any" | "all" | "var" | "logsumexp" => &[Value, Axes],
        "cumsum" | "flip" => &[Value, Axis],
        "scan" => &[Value, Axis, Value, Closure],
        "dot" => &[Value, Value, Axes],
        "window" => &[Value, Axes, News, News, Window],
        "adaptive_window" => &[Value, Axes, News, News, Numbers],
        "rename" => &[Value, Axis, New],
        "split" => &[Value, Axis, NewPair, Number],
        "merge" => &[Value, Axes, New],
        "slice" => &[Value, Axis, New, Range],
        "shift" | "roll" => &[Value, Axis, Number],
        "pad" => &[Value, Axis, New, Number, Number, Number],
        "pad_reflect" | "pad_edge" | "pad_circular" => &[Value, Axis, New, Number, Number],
        "repeat" => &[Value, Axis, New, Number],
        "pick" => &[Value, Axes, Value],
        "bernoulli_like" => &[Value, Seed, Number],
        "uniform_like" | "normal_like" => &[Value, Seed],
        "index" | "len" => &[Axes],
        "bernoulli" => &[Axes, Seed, Number],
        "uniform" | "normal" => &[Axes, Seed],
        _ => return None,
    })
}

/// How many arguments a word of one form takes.
#[cfg(test)]
pub(super) fn arguments(word: &str) -> Option<usize> {
    roles(word).map(<[Role]>::len)
}

/// Which arguments of a word of one form name axes that it may introduce.
#[cfg(test)]
pub(super) fn new_axes(word: &str) -> Option<Vec<usize>> {
    let is_new = |role: &Role| matches!(role, Role::New | Role::News | Role::NewPair);
    Some(roles(word)?.iter().enumerate().filter(|(_, r)| is_new(r)).map(|(at, _)| at).collect())
}

impl Writer<'_> {
    /// A word with its arguments; the first may be written already, as a receiver.
    pub(super) fn word(&mut self, name: &str, first: Option<Out>, args: &[&Expr]) -> Written {
        let (f, run) = (self.f.clone(), self.run.clone());
        let name = match name {
            "ln" => "log",
            "ln_1p" => "log1p",
            "maximum" => "max2",
            "minimum" => "min2",
            "max" if !self.is_axes(args[1]) => "max2",
            "min" if !self.is_axes(args[1]) => "min2",
            name => name,
        };
        match name {
            "ensure" => return Ok(Out::unit(quote!(()))),
            "stack" => return self.stack(args),
            "concat" => return self.concat(args),
            "constant" => return self.constant(args),
            _ => {}
        }
        let roles = roles(name).filter(|r| r.len() == args.len()).ok_or(Unsupported)?;
        let word = Ident::new(name, Span::mixed_site());
        let mut first = first;
        if let [Role::Value] = roles {
            let out = match first.take() {
                Some(out) => out,
                None => self.expr(args[0])?,
            };
            return match host_function(name, &out.kind) {
                Some(method) => {
                    let (method, value) = (Ident::new(method, Span::mixed_site()), out.tokens);
                    Ok(Out::host(quote!(((#value) as f64).#method())))
                }
                None => {
                    let value = self.coerce(out, &Kind::Tensor)?;
                    Ok(Out::tensor(quote!(#f::#word(#value))))
                }
            };
        }
        let mut written = vec![];
        for (role, arg) in roles.iter().zip(args) {
            written.push(match first.take() {
                Some(out) if *role == Role::Value => self.coerce(out, &Kind::Tensor)?,
                _ => self.role(*role, arg)?,
            });
        }
        Ok(match (name, roles[0]) {
            ("len", _) => Out::host(quote!(#run.len(#(#written),*))),
            (_, Role::Axes) => Out::tensor(quote!(#run.#word(#(#written),*))),
            _ => Out::tensor(quote!(#f::#word(#(#written),*))),
        })
    }

    fn role(&mut self, role: Role, arg: &Expr) -> Written<TokenStream> {
        Ok(match role {
            Role::Value => {
                let out = self.expr(arg)?;
                self.coerce(out, &Kind::Tensor)?
            }
            Role::Axes | Role::News => {
                let names: Vec<TokenStream> = elements(arg).into_iter().map(|e| self.axis_argument(e)).collect::<Written<_>>()?;
                quote!(&[#(#names),*])
            }
            Role::Axis | Role::New => self.axis_argument(arg)?,
            Role::NewPair => {
                let [outer, inner] = elements(arg)[..] else { return Err(Unsupported) };
                let (outer, inner) = (self.axis_argument(outer)?, self.axis_argument(inner)?);
                quote!((#outer, #inner))
            }
            Role::Number | Role::Seed => self.host(arg)?,
            Role::Numbers => {
                let f = self.f.clone();
                let numbers: Vec<TokenStream> = elements(arg).into_iter().map(|e| self.host(e)).collect::<Written<_>>()?;
                quote!(&[#(#f::whole(#numbers)),*])
            }
            Role::Window => {
                let k = self.host(arg)?;
                quote!(&(#k))
            }
            Role::Range => self.range(arg)?,
            Role::Closure => self.closure(arg)?,
        })
    }

    /// An axis by name: an argument of a helper, or one that this function knows or introduces.
    fn axis_argument(&mut self, e: &Expr) -> Written<TokenStream> {
        let name = axis_name(e).ok_or(Unsupported)?;
        let text = name.to_string();
        if matches!(self.find(&text), Some(binding) if matches!(binding.kind, Kind::Axes)) {
            return Ok(quote!(&#name));
        }
        let axis = self.axis(&text);
        if self.knows_axis(&text) { Ok(quote!(&#axis)) } else { Err(Unsupported) }
    }

    /// Whether an argument names axes.
    fn is_axes(&mut self, arg: &Expr) -> bool {
        let parts = elements(arg);
        parts.iter().all(|e| {
            let Some(name) = axis_name(e).map(ToString::to_string) else { return false };
            match self.find(&name) {
                Some(binding) => matches!(binding.kind, Kind::Axes),
                None => self.knows_axis(&name),
            }
        })
    }

    fn range(&mut self, arg: &Expr) -> Written<TokenStream> {
        let Expr::Range(range) = arg else { return Err(Unsupported) };
        let f = self.f.clone();
        let mut bound = |e: &Option<Box<Expr>>| match e {
            Some(e) => self.host(e).map(|n| Some(quote!(#f::whole(#n)))),
            None => Ok(None),
        };
        let (start, end) = (bound(&range.start)?.unwrap_or(quote!(0)), bound(&range.end)?);
        let last = matches!(range.limits, syn::RangeLimits::Closed(_)).then(|| quote!(+ 1));
        let end = match end {
            Some(end) => quote!(::core::option::Option::Some(#end #last)),
            None => quote!(::core::option::Option::None),
        };
        Ok(quote!(#start, #end))
    }

    fn stack(&mut self, args: &[&Expr]) -> Written {
        let [axis, parts] = args else { return Err(Unsupported) };
        let (f, axis) = (self.f.clone(), self.axis_argument(axis)?);
        let parts: Vec<TokenStream> = elements(parts).into_iter().map(|e| self.role(Role::Value, e)).collect::<Written<_>>()?;
        Ok(Out::tensor(quote!(#f::stack(#axis, &[#(#parts),*]))))
    }

    fn concat(&mut self, args: &[&Expr]) -> Written {
        let (axis, parts) = args.split_first().ok_or(Unsupported)?;
        let (f, axis) = (self.f.clone(), self.axis_argument(axis)?);
        let mut written = vec![];
        for part in parts {
            let [value, own] = elements(part)[..] else { return Err(Unsupported) };
            let (value, own) = (self.role(Role::Value, value)?, self.axis_argument(own)?);
            written.push(quote!((#value, #own)));
        }
        Ok(Out::tensor(quote!(#f::concat(#axis, &[#(#written),*]))))
    }

    fn constant(&mut self, args: &[&Expr]) -> Written {
        // in a nested function the axis may be the formula's: the words alone do not tell
        if args.get(1).and_then(|e| axis_name(e)).is_some_and(|name| self.frame().items.axes.contains(&name.to_string())) {
            return Err(Unsupported);
        }
        let [Expr::Array(array), axis] = args else { return Err(Unsupported) };
        let (f, run, axis) = (self.f.clone(), self.run.clone(), self.axis_argument(axis)?);
        let numbers: Vec<TokenStream> = array.elems.iter().map(|e| self.host(e)).collect::<Written<_>>()?;
        Ok(Out::tensor(quote!(#run.constant(&[#(#f::real(#numbers)),*], #axis))))
    }
}

/// The method of `f64` that a word is for a constant.
fn host_function(word: &str, kind: &Kind) -> Option<&'static str> {
    if !kind.is_host() {
        return None;
    }
    Some(match word {
        "sqrt" => "sqrt",
        "recip" => "recip",
        "exp" => "exp",
        "exp2" => "exp2",
        "exp_m1" => "exp_m1",
        "log" => "ln",
        "log2" => "log2",
        "log1p" => "ln_1p",
        "abs" => "abs",
        "floor" => "floor",
        "ceil" => "ceil",
        "sin" => "sin",
        "cos" => "cos",
        "tan" => "tan",
        "sinh" => "sinh",
        "cosh" => "cosh",
        "tanh" => "tanh",
        "asinh" => "asinh",
        "atan" => "atan",
        _ => return None,
    })
}
