//! `impl Layer<T> for BatchNorm`: the operation on arrays of dynamic rank.

use super::Variant;
use super::inner::{backward_kernel, grad_ident, local};
use super::kernel::KernelArg;
use super::reference::reference;
use super::signature::{Face, list_of};
use crate::elaborate::{Binding, Check, Library};
use crate::syntax::{AxisList, Param, ParamKind};
use proc_macro2::TokenStream;
use quote::quote;

/// The implementation, and the reference functions behind it.
pub fn layer(face: &Face<'_>, variants: &[Variant], library: &Library) -> TokenStream {
    let (krate, stem, saved) = (&face.krate, &face.stem, face.named("Saved"));
    let name = face.function_text();
    let axes = axis_names(face, variants);
    let args = face.args().map(|(i, p)| arg_spec(face, variants, i, p));
    let outputs = face.formula.outputs.iter().map(|o| {
        let (names, many) = names(&o.axes);
        let many = many.map(|m| quote!(.many(#m)));
        let integer = o.integer.then(|| quote!(.integer()));
        quote!(#krate::layer::OutputSpec::new(&[#(#names),*]) #many #integer)
    });
    let reads = reads(face, variants);
    let lane = face.lane_of(&one_type(face));
    let (forward, backward, reference) = (forward(face), backward(face), reference(face, variants, library));
    quote! {
        impl<T: #krate::Float> #krate::Layer<T> for #stem {
            const NAME: &'static str = #name;
            const AXES: &'static [&'static str] = &[#(#axes),*];
            const ARGS: &'static [#krate::layer::ArgSpec] = &[#(#args),*];
            const OUTPUTS: &'static [#krate::layer::OutputSpec] = &[#(#outputs),*];
            const BACKWARD_READS: #krate::layer::Reads = #reads;
            type Saved = #saved<#lane>;
            #forward
            #backward
            #reference
        }
    }
}

/// `T` for every element type.
fn one_type(face: &Face<'_>) -> Vec<TokenStream> {
    face.formula.elems.iter().map(|_| quote!(T)).collect()
}

/// The signature's axes, then those that only outputs have.
pub fn axis_names(face: &Face<'_>, variants: &[Variant]) -> Vec<String> {
    let mut names: Vec<String> = variants
        .first()
        .map(|v| v.typed.axes.iter().take_while(|a| a.extent.is_none()).map(|a| a.name.clone()).collect())
        .unwrap_or_default();
    for output in &face.formula.outputs {
        for entry in &output.axes.entries {
            let name = entry.name.to_string();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

fn names(list: &AxisList) -> (Vec<String>, Option<usize>) {
    (list.entries.iter().map(|e| e.name.to_string()).collect(), list.entries.iter().position(|e| e.many))
}

fn arg_spec(face: &Face<'_>, variants: &[Variant], index: usize, p: &Param) -> TokenStream {
    let krate = &face.krate;
    let kind = match &p.kind {
        ParamKind::Tensor { constant: true, .. } => quote!(Constant),
        ParamKind::Tensor { .. } => quote!(Tensor),
        ParamKind::State { .. } => quote!(State),
        ParamKind::Labels { .. } => {
            let within = labels_within(variants, index);
            quote!(Labels { within: &[#(#within),*] })
        }
        _ => quote!(Diff),
    };
    let (names, many) = list_of(&p.kind).map(names).unwrap_or_default();
    let name = p.name.to_string();
    let many = many.map(|m| quote!(.many(#m)));
    let optional = matches!(p.kind, ParamKind::Tensor { optional: true, .. }).then(|| quote!(.optional()));
    quote!(#krate::layer::ArgSpec::new(#name, &[#(#names),*], #krate::layer::ArgKind::#kind) #many #optional)
}

/// The axes that labels index.
fn labels_within(variants: &[Variant], index: usize) -> Vec<String> {
    let found = variants.iter().find_map(|v| {
        v.typed.bindings.iter().find_map(|b| match b {
            Binding::Check(Check::Labels { param, axes }) if *param == index => {
                Some(axes.iter().map(|a| v.typed.axes[a.0 as usize].name.clone()).collect())
            }
            _ => None,
        })
    });
    found.unwrap_or_default()
}

/// Which arguments and outputs the backward kernels read.
fn reads(face: &Face<'_>, variants: &[Variant]) -> TokenStream {
    let krate = &face.krate;
    let (mut args, mut outputs) = (vec![], vec![]);
    for variant in variants {
        let kernel = backward_kernel(face, variant, 0, 1);
        for arg in &kernel.args {
            match arg {
                KernelArg::Input(id) => {
                    let name = &variant.graph.inputs[id.0 as usize].name;
                    args.extend(face.args().map(|(_, p)| p).position(|p| p.name == name.as_str()));
                }
                KernelArg::Given(g) => {
                    outputs.extend((*g as usize).checked_sub(variant.saved.len()).map(|k| variant.readable[k]))
                }
                _ => {}
            }
        }
    }
    for list in [&mut args, &mut outputs] {
        list.sort_unstable();
        list.dedup();
    }
    quote!(#krate::layer::Reads { args: &[#(#args),*], outputs: &[#(#outputs),*] })
}

/// The shape of each argument of dynamic rank.
fn shapes(face: &Face<'_>) -> TokenStream {
    let rt = &face.rt;
    let shapes = face.args().map(|(_, p)| {
        let name = local(&p.name);
        quote!(#rt::arg_shape(&#name))
    });
    quote!(let call = prepare(self, [#(#shapes),*])?;)
}

/// An argument of dynamic rank, as the inner functions take it.
fn passed(face: &Face<'_>, p: &Param) -> TokenStream {
    let rt = &face.rt;
    let (name, text) = (local(&p.name), p.name.to_string());
    match &p.kind {
        ParamKind::Tensor { optional: true, .. } => quote!(#rt::arg_optional(call.function(), #text, #name)?),
        ParamKind::Tensor { .. } => quote!(#rt::arg_view(call.function(), #text, #name)?),
        ParamKind::Labels { .. } => quote!(#name.indices(call.function(), #text)?),
        ParamKind::State { .. } => quote!(#name.state_mut(call.function(), #text)?),
        _ => quote!(#rt::arg_scalar(call.function(), #text, #name)?),
    }
}

fn forward(face: &Face<'_>) -> TokenStream {
    let (krate, rt, saved) = (&face.krate, &face.rt, face.named("Saved"));
    let function = face.function_text();
    let names = face.args().map(|(_, p)| local(&p.name));
    let shapes = shapes(face);
    let args = face.args().map(|(_, p)| passed(face, p));
    let ys: Vec<_> = (0..face.formula.outputs.len()).map(|i| face.output_name(i)).collect();
    let news = face.formula.outputs.iter().enumerate().map(|(i, o)| {
        let y = &ys[i];
        let elem = if o.integer { quote!(i64) } else { quote!(T) };
        quote!(let mut #y = call.array::<#elem, #krate::ndarray::IxDyn>(call.output_axes(#i))?;)
    });
    let targets = face
        .formula
        .outputs
        .iter()
        .zip(&ys)
        .map(|(o, y)| if o.integer { quote!(#rt::IndexTarget::of(&mut #y)) } else { quote!(#rt::Target::write(&mut #y)) });
    let outputs =
        face.formula.outputs.iter().zip(&ys).map(|(o, y)| {
            if o.integer { quote!(#krate::layer::Output::Int(#y)) } else { quote!(#krate::layer::Output::Float(#y)) }
        });
    let elems = one_type(face);
    quote! {
        fn forward(&self, args: &mut [#krate::layer::Arg<'_, T>]) -> ::core::result::Result<#krate::layer::Forward<T, Self::Saved>, #krate::Error> {
            let [#(#names),*] = #krate::layer::exactly_mut(args, #function, "arguments")?;
            #shapes
            #(#news)*
            let arrays = forward::<#(#elems),*>(&call, (#(#args,)*), (#(#targets,)*))?;
            ::core::result::Result::Ok(#krate::layer::Forward { outputs: ::std::vec![#(#outputs),*], saved: #saved { arrays } })
        }
    }
}

fn backward(face: &Face<'_>) -> TokenStream {
    let (krate, rt) = (&face.krate, &face.rt);
    let function = face.function_text();
    let names = face.args().map(|(_, p)| local(&p.name));
    let shapes = shapes(face);
    let dys: Vec<_> = face.float_outputs().map(|(i, _)| face.cotangent_name(i)).collect();
    let ys: Vec<_> = (0..face.formula.outputs.len()).map(|i| face.output_name(i)).collect();
    let grads: Vec<_> = face.differentiable().map(|(_, p)| grad_ident(&p.name)).collect();
    let checks = face.float_outputs().map(|(i, _)| {
        let (dy, text) = (face.cotangent_name(i), face.cotangent_name(i).to_string());
        quote!(call.buffer(#text, #dy.shape(), call.output_axes(#i))?;)
    });
    let grad_checks = face.differentiable().map(|(_, p)| {
        let (grad, text) = (grad_ident(&p.name), p.name.to_string());
        let axes = list_of(&p.kind).map(|l| face.axis_ids(l)).unwrap_or_default().into_iter().map(|a| a.0 as usize);
        quote!(#rt::check_slot(&call, #text, &#grad, &[#(#axes),*])?;)
    });
    let args = face.backward_args().map(|(_, p)| passed(face, p));
    let outputs = face.formula.outputs.iter().enumerate().map(|(i, o)| {
        let (y, text) = (&ys[i], ys[i].to_string());
        if o.integer {
            quote!(#rt::output_index(&call, #text, #y, call.output_axes(#i))?)
        } else {
            quote!(#rt::output_view(&call, #text, #y, call.output_axes(#i))?)
        }
    });
    let targets = face.differentiable().map(|(_, p)| {
        let (grad, text) = (grad_ident(&p.name), p.name.to_string());
        match p.kind {
            ParamKind::Diff => quote!(#rt::slot_scalar(call.function(), #text, #grad)?),
            _ => quote!(#rt::slot_target(call.function(), #text, #grad)?),
        }
    });
    let elems = one_type(face);
    quote! {
        fn backward(
            &self,
            cotangents: &[#krate::ndarray::ArrayViewD<'_, T>],
            args: &[#krate::layer::Arg<'_, T>],
            outputs: &[#krate::layer::Output<T>],
            saved: &Self::Saved,
            wanted: &mut [::core::option::Option<#krate::layer::GradD<'_, T>>],
        ) -> ::core::result::Result<(), #krate::Error> {
            let [#(#dys),*] = #krate::layer::exactly(cotangents, #function, "cotangents")?;
            let [#(#names),*] = #krate::layer::exactly(args, #function, "arguments")?;
            let [#(#ys),*] = #krate::layer::exactly(outputs, #function, "outputs")?;
            let [#(#grads),*] = #krate::layer::exactly_mut(wanted, #function, "gradients")?;
            #shapes
            #(#checks)*
            #(#grad_checks)*
            backward::<#(#elems),*>(&call, (#(#rt::View::of(#dys),)*), (#(#args,)*), (#(#outputs,)*), &saved.arrays, (#(#targets,)*))
        }
    }
}
