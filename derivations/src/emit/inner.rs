//! `forward` and `backward` on arrays of any rank and element type: what every public function, and `Layer`, comes to.

use super::kernel::{ArrayAxes, Kernel, KernelArg, kernel};
use super::prepare::int_tokens;
use super::signature::{Face, elem_of, list_of};
use super::{Saved, Variant};
use crate::elaborate::{Binding, Check};
use crate::graph::{AxisId, Graph, InputKind, IntId};
use crate::plan::{Elem, Plan};
use crate::syntax::ParamKind;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};

/// Both functions, and the kernels they run.
pub fn inner(face: &Face<'_>, variants: &[Variant]) -> TokenStream {
    let forward = forward(face, variants);
    let backward = backward(face, variants);
    quote!(#forward #backward)
}

/// The type of an argument of the inner functions.
fn arg_type(face: &Face<'_>, kind: &ParamKind) -> TokenStream {
    let (krate, rt) = (&face.krate, &face.rt);
    match kind {
        ParamKind::Tensor { optional: true, .. } => quote!(::core::option::Option<#rt::View<'_>>),
        ParamKind::Tensor { .. } => quote!(#rt::View<'_>),
        ParamKind::Labels { .. } => quote!(#krate::ndarray::ArrayViewD<'_, i64>),
        ParamKind::State { elem, .. } => {
            let elem = face.parameter(elem);
            quote!(#krate::ndarray::ArrayViewMutD<'_, #elem>)
        }
        _ => quote!(#rt::View<'_>),
    }
}

fn forward(face: &Face<'_>, variants: &[Variant]) -> TokenStream {
    let (krate, rt) = (&face.krate, &face.rt);
    let args = grouped(face.args().map(|(_, p)| {
        let name = local(&p.name);
        let pattern = if matches!(p.kind, ParamKind::State { .. }) { quote!(mut #name) } else { quote!(#name) };
        (pattern, arg_type(face, &p.kind))
    }));
    let outputs = grouped(face.formula.outputs.iter().enumerate().map(|(i, o)| {
        let ty = if o.integer { quote!(#rt::IndexTarget<'_>) } else { quote!(#rt::Target<'_>) };
        (face.output_name(i).to_token_stream(), ty)
    }));
    let arms: Vec<(TokenStream, TokenStream)> =
        variants.iter().enumerate().map(|(i, v)| forward_arm(face, v, i, variants.len())).collect();
    let kernels = arms.iter().map(|a| &a.0);
    let body = dispatch(arms.iter().map(|a| &a.1).collect());
    let (parameters, lane) = (face.parameters(), face.parameters_lane());
    quote! {
        #(#kernels)*
        #[inline]
        fn forward<#(#parameters: #krate::Float),*>(
            call: &#rt::Call, #args, #outputs
        ) -> ::core::result::Result<#rt::Saved<#lane>, #krate::Error> {
            #body
        }
    }
}

/// Arguments as one tuple, so that no function has too many.
fn grouped(args: impl Iterator<Item = (TokenStream, TokenStream)>) -> TokenStream {
    let (patterns, types): (Vec<TokenStream>, Vec<TokenStream>) = args.unzip();
    quote!((#(#patterns,)*): (#(#types,)*))
}

/// One arm a specialisation; the last takes what is left.
fn dispatch(mut arms: Vec<&TokenStream>) -> TokenStream {
    let Some(last) = arms.pop() else { return quote!() };
    if arms.is_empty() {
        return quote!(#last);
    }
    let indices = 0..arms.len();
    quote!(match call.variant() { #(#indices => { #arms })* _ => { #last } })
}

fn forward_arm(face: &Face<'_>, variant: &Variant, index: usize, count: usize) -> (TokenStream, TokenStream) {
    let (krate, rt) = (&face.krate, &face.rt);
    let roots = forward_roots(face, variant);
    let name = kernel_name(face, "Forward", index, count);
    let k = kernel(&variant.graph, &variant.forward.ints, &variant.forward, name, krate, "", &roots, &[]);
    let checks = label_checks(face, variant);
    let state_lets = variant.states.iter().map(|p| {
        let param = &face.formula.params[*p];
        let (new, list) = (new_state(&param.name), list_of(&param.kind));
        let axes = list.map(|l| face.axis_ids(l)).unwrap_or_default().into_iter().map(|a| a.0 as usize);
        let elem = elem_of(&param.kind).map(|e| face.parameter(e));
        quote!(let mut #new = call.zeros::<#elem>(&[#(#axes),*])?;)
    });
    let saved_lets = variant.saved.iter().enumerate().map(|(i, s)| saved_let(face, &variant.graph, s, i));
    let outputs = face.formula.outputs.len();
    let call = k.call(krate, &face.parameters_lane(), &mut |arg| match arg {
        KernelArg::Root(r) => {
            let r = *r as usize;
            if r < outputs {
                let y = face.output_name(r);
                return quote!(#y);
            }
            if let Some(p) = variant.states.get(r - outputs) {
                let new = new_state(&face.formula.params[*p].name);
                return quote!(#rt::Target::write(&mut #new));
            }
            let i = r - outputs - variant.states.len();
            let ident = saved_ident(i);
            match variant.saved[i].elem {
                Elem::Index => quote!(#ident.target()),
                _ => quote!(#rt::Target::write(&mut #ident)),
            }
        }
        arg => value(face, variant, &variant.forward, arg),
    });
    let writes = variant.states.iter().map(|p| {
        let (state, new) = (local(&face.formula.params[*p].name), new_state(&face.formula.params[*p].name));
        quote!(#state.assign(&#new);)
    });
    let arrays = variant.saved.iter().enumerate().map(|(i, s)| {
        let (ident, name) = (saved_ident(i), &s.name);
        match s.elem {
            Elem::Data => quote!(#rt::SavedArray::Data(#name, #ident)),
            Elem::Wide => quote!(#rt::SavedArray::Wide(#name, #ident)),
            Elem::Index => quote!(#rt::SavedArray::Index(#name, #ident)),
        }
    });
    let arm = quote! {
        #(#checks)*
        #(#state_lets)*
        #(#saved_lets)*
        #call;
        #(#writes)*
        ::core::result::Result::Ok(#rt::Saved::new(call, ::std::vec![#(#arrays),*]))
    };
    (k.tokens, arm)
}

fn kernel_name(face: &Face<'_>, which: &str, index: usize, count: usize) -> Ident {
    let number = if count > 1 { (index + 1).to_string() } else { String::new() };
    format_ident!("{}{}{}", face.stem, which, number, span = Span::mixed_site())
}

fn new_state(name: &Ident) -> Ident {
    format_ident!("new_{}", name, span = Span::call_site())
}

/// A user's name as a variable of our own. Those that a template spells out, and those made from a user's name
/// (`grad_x`), are resolved at the call and so never the same.
pub fn local(name: &Ident) -> Ident {
    // a copy, so that a raw name stays one
    let mut local = name.clone();
    local.set_span(Span::mixed_site());
    local
}

fn saved_ident(index: usize) -> Ident {
    format_ident!("saved{}", index, span = Span::call_site())
}

fn saved_let(face: &Face<'_>, graph: &Graph, saved: &Saved, index: usize) -> TokenStream {
    let rt = &face.rt;
    let ident = saved_ident(index);
    let axes: Vec<usize> = graph.axes_of(saved.node).iter().map(|a| a.0 as usize).collect();
    match saved.elem {
        Elem::Data => {
            let lane = face.parameters_lane();
            quote!(let mut #ident = call.zeros::<#lane>(&[#(#axes),*])?;)
        }
        Elem::Wide => quote!(let mut #ident = call.zeros::<f64>(&[#(#axes),*])?;),
        Elem::Index => {
            let over = match graph.op(saved.node) {
                crate::graph::Op::Reduce { axes, .. } => axes.iter().map(|a| a.0 as usize).collect(),
                _ => vec![],
            };
            quote!(let mut #ident = #rt::IndexBuf::new(&call.shape(&[#(#axes),*]), call.positions(&[#(#over),*]));)
        }
    }
}

/// The arrays that the forward kernel writes: outputs, states, what is saved.
fn forward_roots(face: &Face<'_>, variant: &Variant) -> Vec<ArrayAxes> {
    let outputs = face
        .formula
        .outputs
        .iter()
        .zip(&variant.typed.output_axes)
        .map(|(o, axes)| ArrayAxes { axes: axes.clone(), elem: if o.integer { Elem::Index } else { Elem::Data } });
    let states = variant.states.iter().map(|p| ArrayAxes {
        axes: list_of(&face.formula.params[*p].kind).map(|l| face.axis_ids(l)).unwrap_or_default(),
        elem: Elem::Data,
    });
    outputs.chain(states).chain(saved_arrays(variant)).collect()
}

fn saved_arrays(variant: &Variant) -> impl Iterator<Item = ArrayAxes> + '_ {
    variant.saved.iter().map(|s| ArrayAxes { axes: variant.graph.axes_of(s.node).iter().collect(), elem: s.elem })
}

fn label_checks(face: &Face<'_>, variant: &Variant) -> Vec<TokenStream> {
    let rt = &face.rt;
    let bindings = variant.typed.bindings.iter().filter_map(|b| match b {
        Binding::Check(Check::Labels { param, axes }) => Some((*param, axes)),
        _ => None,
    });
    bindings
        .map(|(param, axes)| {
            let name = &face.formula.params[param].name;
            let (ident, text) = (local(name), name.to_string());
            let axes = axes.iter().map(|a| a.0 as usize);
            quote!(#rt::check_labels(call, #text, &#ident, &[#(#axes),*])?;)
        })
        .collect()
}

/// The value of a kernel's argument that is the same in both directions.
fn value(face: &Face<'_>, variant: &Variant, plan: &Plan, arg: &KernelArg) -> TokenStream {
    let rt = &face.rt;
    match arg {
        KernelArg::Space => quote!(call.space()),
        KernelArg::Host(id) => {
            let id = id.0 as usize;
            quote!(call.number(#id))
        }
        KernelArg::Seed(id) => {
            let id = id.0 as usize;
            quote!(call.seed(#id))
        }
        KernelArg::Int(id) => call_int(plan, *id),
        KernelArg::Input(id) => {
            let input = &variant.graph.inputs[id.0 as usize];
            let param = face.formula.params.iter().find(|p| p.name == input.name.as_str());
            match (&input.kind, param) {
                (InputKind::Cotangent(k), _) => {
                    let dy = face.cotangent_name(*k as usize);
                    quote!(#dy)
                }
                (_, Some(p)) => {
                    let name = local(&p.name);
                    match &p.kind {
                        ParamKind::Tensor { optional: true, .. } => {
                            let text = p.name.to_string();
                            quote!(#rt::present(call, #text, #name)?)
                        }
                        ParamKind::Labels { .. } | ParamKind::State { .. } => quote!(#rt::View::of(&#name)),
                        _ => quote!(#name),
                    }
                }
                (_, None) => quote!(),
            }
        }
        KernelArg::Given(_) | KernelArg::Root(_) => quote!(),
    }
}

/// A symbolic integer, from the call.
fn call_int(plan: &Plan, id: IntId) -> TokenStream {
    int_tokens(
        &plan.ints,
        id,
        &|axis: AxisId| {
            let axis = axis.0 as usize;
            quote!((call.len(#axis) as i64))
        },
        &|host| {
            let host = host.0 as usize;
            quote!(call.integer(#host))
        },
    )
}

fn backward(face: &Face<'_>, variants: &[Variant]) -> TokenStream {
    let (krate, rt) = (&face.krate, &face.rt);
    let cotangents =
        grouped(face.float_outputs().map(|(i, _)| (face.cotangent_name(i).to_token_stream(), quote!(#rt::View<'_>))));
    let args = grouped(face.backward_args().map(|(_, p)| (local(&p.name).to_token_stream(), arg_type(face, &p.kind))));
    let outputs = grouped(face.formula.outputs.iter().enumerate().map(|(i, o)| {
        let ty = if o.integer { quote!(#rt::IndexView<'_>) } else { quote!(#rt::View<'_>) };
        (face.output_name(i).to_token_stream(), ty)
    }));
    let grads = grouped(face.differentiable().map(|(_, p)| (grad_ident(&p.name).to_token_stream(), quote!(#rt::Target<'_>))));
    let arms: Vec<(TokenStream, TokenStream)> =
        variants.iter().enumerate().map(|(i, v)| backward_arm(face, v, i, variants.len())).collect();
    let kernels = arms.iter().map(|a| &a.0);
    let body = dispatch(arms.iter().map(|a| &a.1).collect());
    let (parameters, lane) = (face.parameters(), face.parameters_lane());
    let clears = face.differentiable().map(|(_, p)| {
        let grad = grad_ident(&p.name);
        quote!(#grad.clear();)
    });
    quote! {
        #(#kernels)*
        #[inline]
        fn backward<#(#parameters: #krate::Float),*>(
            call: &#rt::Call, #cotangents, #args, #outputs, saved: &#rt::Saved<#lane>, #grads
        ) -> ::core::result::Result<(), #krate::Error> {
            saved.check(call)?;
            if call.is_empty() {
                #(#clears)*
                return ::core::result::Result::Ok(());
            }
            #body
        }
    }
}

fn backward_arm(face: &Face<'_>, variant: &Variant, index: usize, count: usize) -> (TokenStream, TokenStream) {
    let (krate, rt) = (&face.krate, &face.rt);
    let k = backward_kernel(face, variant, index, count);
    let checks = label_checks(face, variant);
    let call = k.call(krate, &face.parameters_lane(), &mut |arg| match arg {
        KernelArg::Root(r) => {
            let grad = face.differentiable().nth(*r as usize).map(|(_, p)| grad_ident(&p.name));
            quote!(#grad)
        }
        KernelArg::Given(g) => {
            let g = *g as usize;
            match variant.saved.get(g).map(|s| s.elem) {
                Some(Elem::Data) => quote!(#rt::View::of(saved.data(#g)?)),
                Some(Elem::Wide) => quote!(#rt::View::of(saved.wide(#g)?)),
                Some(Elem::Index) => quote!(saved.index(#g)?.view()),
                None => {
                    let y = face.output_name(variant.readable[g - variant.saved.len()]);
                    quote!(#y)
                }
            }
        }
        arg => value(face, variant, &variant.backward, arg),
    });
    (k.tokens, quote!(#(#checks)* #call; ::core::result::Result::Ok(())))
}

/// The backward kernel of a specialisation.
pub fn backward_kernel(face: &Face<'_>, variant: &Variant, index: usize, count: usize) -> Kernel {
    let roots: Vec<ArrayAxes> = face
        .differentiable()
        .map(|(_, p)| ArrayAxes {
            axes: list_of(&p.kind).map(|l| face.axis_ids(l)).unwrap_or_default(),
            elem: if matches!(p.kind, ParamKind::Diff) { Elem::Wide } else { Elem::Data },
        })
        .collect();
    let outputs = variant.readable.iter().map(|k| ArrayAxes {
        axes: variant.typed.output_axes[*k].clone(),
        elem: if face.formula.outputs[*k].integer { Elem::Index } else { Elem::Data },
    });
    let given: Vec<ArrayAxes> = saved_arrays(variant).chain(outputs).collect();
    let name = kernel_name(face, "Backward", index, count);
    kernel(&variant.graph, &variant.backward.ints, &variant.backward, name, &face.krate, "", &roots, &given)
}

/// `dx`
pub fn grad_ident(name: &Ident) -> Ident {
    format_ident!("grad_{}", name, span = Span::call_site())
}
