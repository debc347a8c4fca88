//! `reference`: the formula as written, un-fused, on the opaque scalar of the runtime's vocabulary. It is the author's own
//! body, see [`crate::written`]; of what that stage does not rewrite, the terms.

use super::Variant;
use super::layer::axis_names;
use super::prepare::int_tokens;
use super::signature::Face;
use crate::elaborate::typed::{AdaptiveAxis, HostKind};
use crate::elaborate::{Library, Padding, TermFill, TermId, TermOp, Typed};
use crate::graph::{AxisId, BinaryOp, Distribution, IntId};
use crate::written;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// `fn reference(&self, args) -> Result<Vec<Value>, Error>`
pub fn reference(face: &Face<'_>, variants: &[Variant], library: &Library) -> TokenStream {
    let (krate, rt) = (&face.krate, &face.rt);
    let function = face.function_text();
    let (call, shapes) = (face.free("call"), face.free("shapes"));
    let names: Vec<Ident> = face.args().map(|(i, _)| arg_ident(face, i)).collect();
    let lens = names.iter().map(|n| quote!(#n.as_ref().map(#rt::value_shape)));
    let axes = axis_names(face, variants);
    let declared = variants.first().map_or(0, |v| v.typed.axes.iter().take_while(|a| a.extent.is_none()).count());
    let place = |index| arg_ident(face, index);
    let around = written::Names { krate, call: &call, args: &place };
    let written = written::body(face.formula, library, &around, &axes, declared);
    let by_terms = written.is_none();
    let body = written.unwrap_or_else(|| of_terms(face, variants, &call));
    let op = face.free("op");
    let unpack = super::prepare::unpack(face, &quote!(#op), &body);
    let constants = face.constants().map(|p| p.name.to_string()).collect();
    let unpack = if by_terms { unpack } else { written::located(unpack, &constants) };
    quote! {
        fn reference(
            &self,
            args: &[::core::option::Option<#krate::formula::Value>],
        ) -> ::core::result::Result<::std::vec::Vec<#krate::formula::Value>, #krate::Error> {
            let [#(#names),*] = #krate::layer::exactly(args, #function, "arguments")?;
            let #shapes = [#(#lens),*];
            let #op = self;
            let #call = prepare(#op, #shapes.each_ref().map(|s| s.as_deref()))?;
            #unpack
            #body
        }
    }
}

/// The specialisation that serves the call.
fn of_terms(face: &Face<'_>, variants: &[Variant], call: &Ident) -> TokenStream {
    let mut arms: Vec<TokenStream> = variants.iter().map(|v| arm(face, variants, v)).collect();
    let last = arms.pop();
    let indices = 0..arms.len();
    if arms.is_empty() { quote!(#last) } else { quote!(match #call.variant() { #(#indices => { #arms })* _ => { #last } }) }
}

fn arg_ident(face: &Face<'_>, index: usize) -> Ident {
    face.free(&format!("arg{index}"))
}

fn term_ident(face: &Face<'_>, id: TermId) -> Ident {
    face.free(&format!("t{}", id.0))
}

/// One specialisation: a `let` a term.
fn arm(face: &Face<'_>, variants: &[Variant], variant: &Variant) -> TokenStream {
    let typed = &variant.typed;
    let names = axis_names(face, variants);
    let live = typed.live();
    let printer = Printer { face, typed, names, call: face.free("call") };
    let lets = typed.terms.iter().enumerate().filter(|(i, _)| live[*i]).map(|(i, term)| {
        let ident = term_ident(face, TermId(i as u32));
        let args: Vec<Ident> = term.args.iter().map(|a| term_ident(face, *a)).collect();
        let value = printer.term(&term.op, &args);
        quote!(let #ident = #value;)
    });
    let outputs = typed.outputs.iter().map(|id| {
        let ident = term_ident(face, *id);
        quote!(#ident.clone())
    });
    let states =
        face.args().filter(|(_, p)| matches!(p.kind, crate::syntax::ParamKind::State { .. })).map(|(i, _)| {
            match typed.states.iter().find(|s| s.0 == i) {
                Some((_, id)) => {
                    let ident = term_ident(face, *id);
                    quote!(#ident.clone())
                }
                None => {
                    let arg = printer.param(i);
                    quote!(#arg)
                }
            }
        });
    quote! {
        #(#lets)*
        ::core::result::Result::Ok(::std::vec![#(#outputs,)* #(#states,)*])
    }
}

struct Printer<'a> {
    face: &'a Face<'a>,
    typed: &'a Typed,
    names: Vec<String>,
    /// The variable that holds what the call found out.
    call: Ident,
}

impl Printer<'_> {
    fn param(&self, index: usize) -> TokenStream {
        let (rt, ident) = (&self.face.rt, arg_ident(self.face, index));
        let call = &self.call;
        let text = self.face.formula.params[index].name.to_string();
        quote!(#rt::given(&#call, #text, #ident)?)
    }

    /// Axes of the signature and of outputs by their place in `Layer::AXES`, others after them.
    fn axis(&self, axis: AxisId) -> TokenStream {
        let krate = &self.face.krate;
        let name = &self.typed.axes[axis.0 as usize].name;
        let first_of_name = self.typed.axes.iter().position(|a| a.name == *name) == Some(axis.0 as usize);
        let place = self.names.iter().position(|n| n == name).filter(|_| first_of_name || self.is_output(axis));
        let number = place.map_or(axis.0 as u32 + 100, |p| p as u32);
        quote!(#krate::formula::Axis(#number))
    }

    fn is_output(&self, axis: AxisId) -> bool {
        self.typed.output_axes.iter().flatten().any(|a| *a == axis)
    }

    fn axes(&self, axes: &[AxisId]) -> TokenStream {
        let axes = axes.iter().map(|a| self.axis(*a));
        quote!(&[#(#axes),*])
    }

    fn int(&self, id: IntId) -> TokenStream {
        let call = &self.call;
        int_tokens(
            &self.typed.ints,
            id,
            &|axis| {
                let axis = axis.0 as usize;
                quote!((#call.len(#axis) as i64))
            },
            &|host| {
                let host = host.0 as usize;
                quote!(#call.integer(#host))
            },
        )
    }

    fn filler(&self, fill: TermFill) -> TokenStream {
        match fill {
            TermFill::Num(value) => super::kernel::number(value),
            TermFill::Host(id) => {
                let (call, id) = (&self.call, id.0 as usize);
                quote!(#call.number(#id))
            }
        }
    }

    fn term(&self, op: &TermOp, args: &[Ident]) -> TokenStream {
        let (krate, rt, call) = (&self.face.krate, &self.face.rt, &self.call);
        let f = quote!(#krate::formula);
        let word = |name: &str| {
            let ident = Ident::new(name, Span::mixed_site());
            quote!(#f::#ident)
        };
        match op {
            TermOp::Param(index) | TermOp::State(index) => self.param(*index),
            TermOp::Num(value) => {
                let value = super::kernel::number(*value);
                quote!(#f::num(#value))
            }
            TermOp::Host(id) => {
                let id = id.0 as usize;
                debug_assert!(self.typed.hosts[id].kind == HostKind::Number);
                quote!(#f::num(#call.number(#id)))
            }
            TermOp::Index(axis) => {
                let (index, axis) = (axis.0 as usize, self.axis(*axis));
                quote!(#f::index(#axis, #call.len(#index)))
            }
            TermOp::Unary(op) => {
                let word = word(op.name());
                quote!(#word(#(&#args),*))
            }
            TermOp::Binary(op) => {
                let word = word(match op {
                    BinaryOp::Max => "max2",
                    BinaryOp::Min => "min2",
                    op => op.name(),
                });
                quote!(#word(#(&#args),*))
            }
            TermOp::Powi(n) => quote!(#f::powi(#(&#args),*, #n)),
            TermOp::Select => quote!(#f::select(#(&#args),*)),
            TermOp::Reduce { kind, axes } => {
                let (word, axes) = (word(kind.name()), self.axes(axes));
                quote!(#word(#(&#args),*, #axes))
            }
            TermOp::Window { window, axes, .. } => {
                let list = |f: &dyn Fn(&crate::elaborate::typed::WindowAxis) -> AxisId| {
                    self.axes(&axes.iter().map(f).collect::<Vec<_>>())
                };
                let (sources, outs, taps) = (list(&|w| w.source), list(&|w| w.out), list(&|w| w.tap));
                quote!(#f::window(#(&#args),*, #sources, #outs, #taps, &(#window)))
            }
            TermOp::AdaptiveWindow { axes } => {
                let list = |f: &dyn Fn(&AdaptiveAxis) -> AxisId| self.axes(&axes.iter().map(f).collect::<Vec<_>>());
                let (sources, outs, taps) = (list(&|w| w.source), list(&|w| w.out), list(&|w| w.tap));
                let counts = axes.iter().map(|w| w.out.0 as usize);
                quote!(#f::adaptive_window(#(&#args),*, #sources, #outs, #taps, &[#(#call.len(#counts)),*]))
            }
            TermOp::Rename { from, to } => {
                let (from, to) = (self.axis(*from), self.axis(*to));
                quote!(#f::rename(#(&#args),*, #from, #to))
            }
            TermOp::Split { axis, outer, inner, .. } => {
                let len = outer.0 as usize;
                let (axis, outer, inner) = (self.axis(*axis), self.axis(*outer), self.axis(*inner));
                quote!(#f::split(#(&#args),*, #axis, (#outer, #inner), #call.len(#len)))
            }
            TermOp::Merge { outer, inner, axis, .. } => {
                let (axis, outer, inner) = (self.axis(*axis), self.axis(*outer), self.axis(*inner));
                quote!(#f::merge(#(&#args),*, (#outer, #inner), #axis))
            }
            TermOp::Slice { axis, out, start } => {
                let (len, start) = (out.0 as usize, self.int(*start));
                let (axis, out) = (self.axis(*axis), self.axis(*out));
                quote!(#f::slice(#(&#args),*, #axis, #out, #start as usize, #start as usize + #call.len(#len)))
            }
            TermOp::Shift { axis, by } => {
                let (axis, by) = (self.axis(*axis), self.int(*by));
                quote!(#f::shift(#(&#args),*, #axis, #by))
            }
            TermOp::Roll { axis, by } => {
                let (axis, by) = (self.axis(*axis), self.int(*by));
                quote!(#f::roll(#(&#args),*, #axis, #by))
            }
            TermOp::Flip { axis } => {
                let axis = self.axis(*axis);
                quote!(#f::flip(#(&#args),*, #axis))
            }
            TermOp::Pad { axis, out, lo, hi, kind } => {
                let (axis, out, lo, hi) = (self.axis(*axis), self.axis(*out), self.int(*lo), self.int(*hi));
                let value = match kind {
                    Padding::Number(fill) => {
                        let value = self.filler(*fill);
                        quote!(, #value)
                    }
                    _ => quote!(),
                };
                let word = word(kind.word());
                quote!(#word(#(&#args),*, #axis, #out, #lo as usize, #hi as usize #value))
            }
            TermOp::Repeat { axis, out, copies, .. } => {
                let (axis, out, copies) = (self.axis(*axis), self.axis(*out), copies.0 as usize);
                quote!(#f::repeat(#(&#args),*, #axis, #out, #call.len(#copies)))
            }
            TermOp::Stack { axis } => {
                let axis = self.axis(*axis);
                quote!(#f::stack(#axis, &[#(&#args),*]))
            }
            TermOp::Concat { axis, parts } => {
                let axis = self.axis(*axis);
                let parts = args.iter().zip(parts).map(|(arg, (own, _))| {
                    let own = self.axis(*own);
                    quote!((&#arg, #own))
                });
                quote!(#f::concat(#axis, &[#(#parts),*]))
            }
            TermOp::Pick { axis } => {
                let axis = self.axis(*axis);
                let (x, index) = (&args[0], &args[1]);
                quote!(#f::pick(&#x, &[#axis], &#index))
            }
            TermOp::Cumsum { axis } => {
                let axis = self.axis(*axis);
                quote!(#f::cumsum(#(&#args),*, #axis))
            }
            TermOp::Scan { axis } => {
                let (len, axis) = (axis.0 as usize, self.axis(*axis));
                quote!(#f::recurrence(#(&#args),*, #axis, #call.len(#len)))
            }
            TermOp::Before => unreachable!("a stand-in that no value keeps"),
            TermOp::Scatter { axis, over, .. } => {
                let (len, axis, over, word) = (axis.0 as usize, self.axis(*axis), self.axes(over), word(op.word()));
                quote!(#word(#(&#args),*, #axis, #call.len(#len), #over))
            }
            TermOp::PickAt { axis, at } => {
                let (axis, at) = (self.axis(*axis), self.int(*at));
                quote!(#f::pick(#(&#args),*, &[#axis], &#f::num(#at as f64)))
            }
            TermOp::Constant { axis, values } => {
                let axis = self.axis(*axis);
                quote!(#f::constant(&[#(#values),*], #axis))
            }
            TermOp::Random { distribution, seed, param, number, axes } => {
                let dims = axes.iter().map(|a| {
                    let (index, axis) = (a.0 as usize, self.axis(*a));
                    quote!((#axis, #call.len(#index)))
                });
                let seed = seed.0 as usize;
                let word = word(match distribution {
                    Distribution::Bernoulli => "bernoulli",
                    Distribution::Uniform => "uniform",
                    Distribution::Normal => "normal",
                });
                let param = param.map(|p| {
                    let p = p.0 as usize;
                    quote!(, #call.number(#p))
                });
                quote!(#word(&[#(#dims),*], #rt::Seed(#call.seed(#seed)), #number #param))
            }
            TermOp::Fill(fill) => {
                let value = self.filler(*fill);
                quote!(#f::fill(#(&#args),*, &#f::num(#value)))
            }
        }
    }
}
