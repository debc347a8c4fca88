//! The public items: the function, the operation, what it saves, its gradients.

use super::Variant;
use super::docs::Docs;
use super::inner::grad_ident;
use super::inplace;
use super::signature::{Face, Rank, elem_of, list_of, visible};
use crate::syntax::{AxisList, ElemType, Output, Param, ParamKind};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};

/// The most arguments that clippy takes.
const CLIPPY_ARGUMENTS: usize = 7;

/// Silences clippy where the API has many arguments. Only clippy sees it, so that no `forbid` of the user's meets it.
pub(super) fn many_arguments(count: usize) -> TokenStream {
    if count > CLIPPY_ARGUMENTS { quote!(#[cfg_attr(clippy, allow(clippy::too_many_arguments))]) } else { quote!() }
}

/// `pub fn batch_norm(..) -> Result<Array<f32, D>, Error>`
pub fn function(face: &Face<'_>, docs: &Docs) -> TokenStream {
    let (krate, stem, vis, name) = (&face.krate, &face.stem, &face.formula.vis, face.function());
    let generics = face.generics();
    let attrs = &face.formula.attrs;
    let doc = &docs.function;
    let params = face.formula.params.iter().map(|p| {
        let (ident, ty) = (visible(&p.name), face.arg_type(p));
        quote!(#ident: #ty)
    });
    let constants: Vec<Ident> = face.constants().map(|p| visible(&p.name)).collect();
    let args = face.args().map(|(_, p)| visible(&p.name));
    let outputs = face.outputs_type();
    let many = many_arguments(face.formula.params.len());
    let op = if constants.is_empty() { quote!(#stem) } else { quote!(#stem { #(#constants),* }) };
    quote! {
        #(#attrs)*
        #[doc = #doc]
        #many
        #[inline]
        #vis fn #name #generics(#(#params),*) -> ::core::result::Result<#outputs, #krate::Error> {
            ::core::result::Result::map(#op.forward(#(#args),*), |(y, _)| y)
        }
    }
}

/// The operation's struct, `Saved`, `Grads` and `Into`.
pub fn types(face: &Face<'_>, docs: &Docs) -> TokenStream {
    let operation = operation(face, docs);
    let saved = saved(face);
    let grads = grads(face);
    let into = into(face);
    quote!(#operation #saved #grads #into)
}

fn operation(face: &Face<'_>, docs: &Docs) -> TokenStream {
    let (stem, vis) = (&face.stem, &face.formula.vis);
    let doc = &docs.operation;
    let fields: Vec<TokenStream> = face
        .constants()
        .map(|p| {
            let (name, ty) = (visible(&p.name), face.constant_type(p));
            let doc = format!("The constant `{}` of the formula.", p.name);
            quote!(#[doc = #doc] pub #name: #ty)
        })
        .collect();
    let body = if fields.is_empty() { quote!(;) } else { quote!({ #(#fields),* }) };
    quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
        #vis struct #stem #body
    }
}

fn saved(face: &Face<'_>) -> TokenStream {
    let (rt, vis, name) = (&face.rt, &face.formula.vis, face.named("Saved"));
    let doc = format!("What [`{}::forward`] keeps for [`{}::backward`].", face.stem, face.stem);
    quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #vis struct #name<T> { arrays: #rt::Saved<T> }
    }
}

/// The element types that a struct of gradients has parameters for; in `Into` a rank-0 gradient is an array too.
fn grads_elems<'f>(face: &Face<'f>, into: bool) -> Vec<&'f ElemType> {
    let uses = |elem: &ElemType| {
        face.differentiable().any(|(_, p)| match &p.kind {
            ParamKind::Tensor { axes, elem: own, .. } if own == elem => {
                into || matches!(elem, ElemType::Generic(_)) || matches!(face.rank(axes), Rank::Array(_))
            }
            _ => false,
        })
    };
    face.formula.elems.iter().filter(|e| uses(e)).collect()
}

/// The generics of a struct of gradients, with the lifetime if it has one: `<'a, T, D>`; `elem` names element types.
fn grads_list(face: &Face<'_>, lifetime: Option<TokenStream>, elem: impl Fn(&ElemType) -> TokenStream) -> TokenStream {
    let elems = grads_elems(face, lifetime.is_some()).into_iter().map(elem);
    let lists: Vec<&AxisList> = face.differentiable().filter_map(|(_, p)| list_of(&p.kind)).collect();
    let dims = face.dims_of(lists.into_iter());
    let lifetime = lifetime.filter(|_| face.differentiable().next().is_some());
    let all: Vec<TokenStream> = lifetime.into_iter().chain(elems).chain(dims.iter().map(|d| quote!(#d))).collect();
    if all.is_empty() { quote!() } else { quote!(<#(#all),*>) }
}

fn grads_generics(face: &Face<'_>, lifetime: bool) -> TokenStream {
    grads_list(face, lifetime.then(|| quote!('a)), |e| face.parameter(e).into_token_stream())
}

/// The same, applied to the formula's own element types.
fn grads_arguments(face: &Face<'_>, lifetime: Option<TokenStream>) -> TokenStream {
    grads_list(face, lifetime, |e| face.elem(e))
}

fn grads(face: &Face<'_>) -> TokenStream {
    let (krate, vis, name) = (&face.krate, &face.formula.vis, face.named("Grads"));
    let generics = grads_generics(face, false);
    let doc = format!("The gradients that [`{}::backward`] gives.", face.stem);
    let fields: Vec<TokenStream> = face
        .differentiable()
        .map(|(_, p)| {
            let ident = visible(&p.name);
            let doc = format!("The gradient with respect to `{}`.", p.name);
            let ty = match (elem_of(&p.kind), list_of(&p.kind).map(|l| face.rank(l))) {
                (Some(elem), Some(Rank::Array(dim))) => {
                    let elem = face.parameter(elem);
                    quote!(#krate::ndarray::Array<#elem, #dim>)
                }
                (Some(elem), _) => scalar_grad(face, elem),
                _ => quote!(f64),
            };
            let ty = if is_optional(p) { quote!(::core::option::Option<#ty>) } else { ty };
            quote!(#[doc = #doc] pub #ident: #ty)
        })
        .collect();
    let body = if fields.is_empty() { quote!(;) } else { quote!({ #(#fields),* }) };
    let debug = grads_debug(face, &name, &generics);
    quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone)]
        #vis struct #name #generics #body
        #debug
    }
}

/// `Debug` by hand: an array of rank `D` asks more of `D` than a derived implementation would.
fn grads_debug(face: &Face<'_>, name: &Ident, generics: &TokenStream) -> TokenStream {
    let krate = &face.krate;
    let lists: Vec<&AxisList> = face.differentiable().filter_map(|(_, p)| list_of(&p.kind)).collect();
    let elems = grads_elems(face, false).into_iter().map(|e| face.parameter(e));
    let elems = elems.map(|t| quote!(#t: ::core::fmt::Debug));
    let dims = face.dims_of(lists.into_iter());
    let dims = dims.iter().map(|d| quote!(#d: #krate::ndarray::Dimension));
    let bounds: Vec<TokenStream> = elems.chain(dims).collect();
    let bounds = if bounds.is_empty() { quote!() } else { quote!(<#(#bounds),*>) };
    let text = name.to_string();
    let fields = face.differentiable().map(|(_, p)| {
        let (ident, text) = (visible(&p.name), p.name.to_string());
        quote!(.field(#text, &self.#ident))
    });
    quote! {
        impl #bounds ::core::fmt::Debug for #name #generics {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(#text) #(#fields)* .finish()
            }
        }
    }
}

/// The type of the gradient of a tensor without axes.
fn scalar_grad(face: &Face<'_>, elem: &ElemType) -> TokenStream {
    match elem {
        ElemType::Generic(_) => face.parameter(elem).into_token_stream(),
        elem => face.elem(elem),
    }
}

fn is_optional(p: &Param) -> bool {
    matches!(p.kind, ParamKind::Tensor { optional: true, .. })
}

fn into(face: &Face<'_>) -> TokenStream {
    let (krate, vis, name) = (&face.krate, &face.formula.vis, face.named("Into"));
    let generics = grads_generics(face, true);
    let doc = format!(
        "Where [`{}::backward_into`] puts the gradients. `None`: not wanted, and not computed. By default none is.",
        face.stem
    );
    let slot = |p: &Param| {
        let ix0 = quote!(#krate::ndarray::Ix0);
        let elem = elem_of(&p.kind).map_or(quote!(f64), |e| face.parameter(e).into_token_stream());
        match list_of(&p.kind).map(|l| face.rank(l)) {
            Some(Rank::Array(dim)) => quote!(#krate::Grad<'a, #elem, #dim>),
            _ => quote!(#krate::Grad<'a, #elem, #ix0>),
        }
    };
    let fields: Vec<TokenStream> = face
        .differentiable()
        .map(|(_, p)| {
            let (ident, ty) = (visible(&p.name), slot(p));
            let doc = format!("For the gradient with respect to `{}`.", p.name);
            quote!(#[doc = #doc] pub #ident: ::core::option::Option<#ty>)
        })
        .collect();
    let names: Vec<Ident> = face.differentiable().map(|(_, p)| visible(&p.name)).collect();
    let body = if fields.is_empty() { quote!(;) } else { quote!({ #(#fields),* }) };
    let none = if fields.is_empty() { quote!(#name) } else { quote!(#name { #(#names: ::core::option::Option::None),* }) };
    quote! {
        #[doc = #doc]
        #vis struct #name #generics #body
        impl #generics ::core::default::Default for #name #generics {
            #[inline]
            fn default() -> Self { #none }
        }
    }
}

/// `impl BatchNorm { forward, forward_into, forward_inplace, backward, backward_into }` and `Saved::bytes`.
pub fn methods(face: &Face<'_>, docs: &Docs, variants: &[Variant]) -> TokenStream {
    let stem = &face.stem;
    let (forward, forward_into, in_place) = (forward(face), forward_into(face), inplace::method(face, variants));
    let (backward, backward_into) = (backward(face, docs), backward_into(face));
    let saved = face.named("Saved");
    quote! {
        impl #stem { #forward #forward_into #in_place #backward #backward_into }
        impl<T> #saved<T> {
            /// How many bytes are kept.
            #[inline]
            pub fn bytes(&self) -> usize { self.arrays.bytes() }
        }
    }
}

/// `prepare(self, [Some(x.shape()), ..])`
pub(super) fn prepare_call(face: &Face<'_>, with_state: bool) -> TokenStream {
    let shapes = face.args().map(|(_, p)| {
        let name = visible(&p.name);
        let scalar = list_of(&p.kind).is_none_or(|l| matches!(face.rank(l), Rank::Scalar));
        match &p.kind {
            ParamKind::State { .. } if !with_state => quote!(::core::option::Option::None),
            ParamKind::Tensor { optional: true, .. } if scalar => quote!(#name.map(|_| -> &[usize] { &[] })),
            ParamKind::Tensor { optional: true, .. } => quote!(#name.map(|x| x.shape())),
            _ if scalar => quote!(::core::option::Option::Some(&[])),
            _ => quote!(::core::option::Option::Some(#name.shape())),
        }
    });
    quote!(let call = prepare(self, [#(#shapes),*])?;)
}

/// An argument, as the inner functions take it.
pub(super) fn passed(face: &Face<'_>, p: &Param) -> TokenStream {
    let rt = &face.rt;
    let name = visible(&p.name);
    let scalar = list_of(&p.kind).is_none_or(|l| matches!(face.rank(l), Rank::Scalar));
    match (&p.kind, scalar) {
        (ParamKind::Tensor { optional: true, .. }, true) => quote!(#name.as_ref().map(#rt::View::scalar)),
        (ParamKind::Tensor { optional: true, .. }, false) => quote!(#name.map(#rt::View::of)),
        (ParamKind::Tensor { .. }, false) => quote!(#rt::View::of(#name)),
        (ParamKind::Labels { .. }, true) => quote!(#rt::scalar_view(&#name)),
        (ParamKind::Labels { .. }, false) => quote!(#name.view().into_dyn()),
        (ParamKind::State { .. }, true) => quote!(#rt::scalar_view_mut(#name)),
        (ParamKind::State { .. }, false) => quote!(#name.view_mut().into_dyn()),
        _ => quote!(#rt::View::scalar(&#name)),
    }
}

fn forward(face: &Face<'_>) -> TokenStream {
    let many = many_arguments(1 + face.args().count());
    let (krate, rt, saved) = (&face.krate, &face.rt, face.named("Saved"));
    let (generics, elems, lane, outputs) = (face.generics(), face.elems(), face.lane(), face.outputs_type());
    let params = face.args().map(|(_, p)| {
        let (name, ty) = (visible(&p.name), face.arg_type(p));
        quote!(#name: #ty)
    });
    let prepare = prepare_call(face, true);
    let args = face.args().map(|(_, p)| passed(face, p));
    let news = face.formula.outputs.iter().enumerate().map(|(i, o)| new_output(face, i, o));
    let targets = face.formula.outputs.iter().enumerate().map(|(i, o)| {
        let y = face.output_name(i);
        match (face.rank(&o.axes), o.integer) {
            (Rank::Scalar, false) => quote!(#rt::Target::scalar(&mut #y)),
            (Rank::Scalar, true) => quote!(#rt::IndexTarget::of(&mut #rt::scalar_view_mut(&mut #y))),
            (Rank::Array(_), false) => quote!(#rt::Target::write(&mut #y)),
            (Rank::Array(_), true) => quote!(#rt::IndexTarget::of(&mut #y)),
        }
    });
    let names: Vec<TokenStream> = (0..face.formula.outputs.len())
        .map(|i| {
            let y = face.output_name(i);
            quote!(#y)
        })
        .collect();
    let result = face.tuple(&names);
    quote! {
        /// Computes the formula, and keeps what `backward` needs.
        ///
        /// # Errors
        /// Where shapes disagree, or a condition of the formula does not hold. Nothing is written then.
        #many
        #[inline]
        pub fn forward #generics(&self, #(#params),*) -> ::core::result::Result<(#outputs, #saved<#lane>), #krate::Error> {
            #prepare
            #(#news)*
            let arrays = forward::<#(#elems),*>(&call, (#(#args,)*), (#(#targets,)*))?;
            ::core::result::Result::Ok((#result, #saved { arrays }))
        }
    }
}

fn output_axes(index: usize) -> TokenStream {
    quote!(call.output_axes(#index))
}

fn new_output(face: &Face<'_>, index: usize, output: &Output) -> TokenStream {
    let y = face.output_name(index);
    let elem = face.output_elem(output);
    match face.rank(&output.axes) {
        Rank::Scalar => quote!(let mut #y: #elem = ::core::default::Default::default();),
        Rank::Array(dim) => {
            let axes = output_axes(index);
            quote!(let mut #y = call.array::<#elem, #dim>(#axes)?;)
        }
    }
}

fn forward_into(face: &Face<'_>) -> TokenStream {
    let many = many_arguments(1 + face.args().count() + face.formula.outputs.len());
    let (krate, rt, saved) = (&face.krate, &face.rt, face.named("Saved"));
    let (generics, elems, lane) = (face.generics(), face.elems(), face.lane());
    let params = face.args().map(|(_, p)| {
        let (name, ty) = (visible(&p.name), face.arg_type(p));
        quote!(#name: #ty)
    });
    let prepare = prepare_call(face, true);
    let args = face.args().map(|(_, p)| passed(face, p));
    let outs = face.formula.outputs.iter().enumerate().map(|(i, o)| {
        let (y, ty) = (face.output_name(i), face.output_arg_type(o, true));
        quote!(#y: #ty)
    });
    let checks =
        face.formula.outputs.iter().enumerate().filter(|(_, o)| matches!(face.rank(&o.axes), Rank::Array(_))).map(|(i, _)| {
            let (y, axes) = (face.output_name(i), output_axes(i));
            let text = y.to_string();
            quote!(call.buffer(#text, #y.shape(), #axes)?;)
        });
    let targets = face.formula.outputs.iter().enumerate().map(|(i, o)| {
        let y = face.output_name(i);
        match (face.rank(&o.axes), o.integer) {
            (Rank::Scalar, false) => quote!(#rt::Target::scalar(#y)),
            (Rank::Scalar, true) => quote!(#rt::IndexTarget::of(&mut #rt::scalar_view_mut(#y))),
            (Rank::Array(_), false) => quote!(#rt::Target::write(#y)),
            (Rank::Array(_), true) => quote!(#rt::IndexTarget::of(#y)),
        }
    });
    quote! {
        /// Computes the formula into memory of the caller, and keeps what `backward` needs.
        ///
        /// # Errors
        /// Where shapes disagree, or a condition of the formula does not hold. Nothing is written then.
        #many
        #[inline]
        pub fn forward_into #generics(&self, #(#params,)* #(#outs),*) -> ::core::result::Result<#saved<#lane>, #krate::Error> {
            #prepare
            #(#checks)*
            let arrays = forward::<#(#elems),*>(&call, (#(#args,)*), (#(#targets,)*))?;
            ::core::result::Result::Ok(#saved { arrays })
        }
    }
}

/// The arguments of `backward` before `into`: cotangents, arguments, outputs, what was saved.
fn backward_params(face: &Face<'_>) -> TokenStream {
    let (lane, saved) = (face.lane(), face.named("Saved"));
    let kept = face.free("saved");
    let cotangents = face.float_outputs().map(|(i, o)| {
        let (dy, ty) = (face.cotangent_name(i), face.output_arg_type(o, false));
        quote!(#dy: #ty)
    });
    let args = face.backward_args().map(|(_, p)| {
        let (name, ty) = (visible(&p.name), face.arg_type(p));
        quote!(#name: #ty)
    });
    let outputs = face.formula.outputs.iter().enumerate().map(|(i, o)| {
        let (y, ty) = (face.output_name(i), face.output_arg_type(o, false));
        quote!(#y: #ty)
    });
    quote!(#(#cotangents,)* #(#args,)* #(#outputs,)* #kept: &#saved<#lane>)
}

/// The checks and the call of the inner `backward`, with these targets for the gradients.
fn backward_body(face: &Face<'_>, targets: &[TokenStream]) -> TokenStream {
    let rt = &face.rt;
    let (elems, saved) = (face.elems(), face.free("saved"));
    let arrays = face.formula.outputs.iter().enumerate().filter(|(_, o)| matches!(face.rank(&o.axes), Rank::Array(_)));
    let checks = arrays.map(|(i, o)| {
        let (y, axes) = (face.output_name(i), output_axes(i));
        let text = y.to_string();
        let y_check = quote!(call.buffer(#text, #y.shape(), #axes)?;);
        if o.integer {
            return y_check;
        }
        let dy = face.cotangent_name(i);
        let text = dy.to_string();
        quote!(call.buffer(#text, #dy.shape(), #axes)?; #y_check)
    });
    let pass = |o: &Output, ident: Ident| match (face.rank(&o.axes), o.integer) {
        (Rank::Scalar, false) => quote!(#rt::View::scalar(&#ident)),
        (Rank::Scalar, true) => quote!(#rt::IndexView::of(&#rt::scalar_view(&#ident))),
        (Rank::Array(_), false) => quote!(#rt::View::of(#ident)),
        (Rank::Array(_), true) => quote!(#rt::IndexView::of(#ident)),
    };
    let cotangents = face.float_outputs().map(|(i, o)| pass(o, face.cotangent_name(i)));
    let args = face.backward_args().map(|(_, p)| passed(face, p));
    let outputs = face.formula.outputs.iter().enumerate().map(|(i, o)| pass(o, face.output_name(i)));
    quote! {
        #(#checks)*
        backward::<#(#elems),*>(&call, (#(#cotangents,)*), (#(#args,)*), (#(#outputs,)*), &#saved.arrays, (#(#targets,)*))?;
    }
}

/// How many arguments `backward` takes, `self` and `saved` among them.
fn backward_arguments(face: &Face<'_>) -> usize {
    2 + face.float_outputs().count() + face.backward_args().count() + face.formula.outputs.len()
}

fn backward(face: &Face<'_>, docs: &Docs) -> TokenStream {
    let many = many_arguments(backward_arguments(face));
    let (krate, rt, grads) = (&face.krate, &face.rt, face.named("Grads"));
    let generics = face.generics();
    let result = grads_arguments(face, None);
    let params = backward_params(face);
    let prepare = prepare_call(face, false);
    let doc = &docs.backward;
    let mut news = vec![];
    let mut targets = vec![];
    let mut fields = vec![];
    for (_, p) in face.differentiable() {
        let (field, grad) = (visible(&p.name), grad_ident(&p.name));
        let arg = visible(&p.name);
        let array = list_of(&p.kind).and_then(|l| match face.rank(l) {
            Rank::Array(dim) => Some((face.axis_ids(l), dim)),
            Rank::Scalar => None,
        });
        let elem = elem_of(&p.kind).map_or(quote!(f64), |e| face.elem(e));
        match (array, is_optional(p)) {
            (Some((axes, dim)), optional) => {
                let axes = axes.iter().map(|a| a.0 as usize);
                let new = quote!(call.array::<#elem, #dim>(&[#(#axes),*])?);
                if optional {
                    news.push(quote!(let mut #grad = match #arg { ::core::option::Option::Some(_) => ::core::option::Option::Some(#new), ::core::option::Option::None => ::core::option::Option::None };));
                    targets.push(quote!(#grad.as_mut().map_or(#rt::Target::none(), |g| #rt::Target::write(g))));
                } else {
                    news.push(quote!(let mut #grad = #new;));
                    targets.push(quote!(#rt::Target::write(&mut #grad)));
                }
            }
            (None, false) => {
                news.push(quote!(let mut #grad: #elem = ::core::default::Default::default();));
                targets.push(quote!(#rt::Target::scalar(&mut #grad)));
            }
            (None, true) => {
                news.push(
                    quote!(let mut #grad: ::core::option::Option<#elem> = #arg.map(|_| ::core::default::Default::default());),
                );
                targets.push(quote!(#grad.as_mut().map_or(#rt::Target::none(), |g| #rt::Target::scalar(g))));
            }
        }
        fields.push(quote!(#field: #grad));
    }
    let body = backward_body(face, &targets);
    let value = if fields.is_empty() { quote!(#grads) } else { quote!(#grads { #(#fields),* }) };
    quote! {
        #[doc = #doc]
        ///
        /// # Errors
        /// Where shapes disagree, or `saved` comes from another call.
        #many
        #[inline]
        pub fn backward #generics(&self, #params) -> ::core::result::Result<#grads #result, #krate::Error> {
            #prepare
            #(#news)*
            #body
            ::core::result::Result::Ok(#value)
        }
    }
}

fn backward_into(face: &Face<'_>) -> TokenStream {
    let many = many_arguments(1 + backward_arguments(face));
    let (krate, rt, type_) = (&face.krate, &face.rt, face.named("Into"));
    let into = face.free("into");
    let generics = face.generics();
    let result = grads_arguments(face, Some(quote!('_)));
    let params = backward_params(face);
    let prepare = prepare_call(face, false);
    let mut checks = vec![];
    let mut targets = vec![];
    for (_, p) in face.differentiable() {
        let (field, text) = (visible(&p.name), format!("into.{}", p.name));
        if let Some(list) = list_of(&p.kind) {
            let axes = face.axis_ids(list).into_iter().map(|a| a.0 as usize);
            checks.push(quote!(#rt::check_grad(&call, #text, &#into.#field, &[#(#axes),*])?;));
        }
        targets.push(quote!(#rt::target(#into.#field)));
    }
    let body = backward_body(face, &targets);
    quote! {
        /// Computes the wanted gradients into memory of the caller.
        ///
        /// # Errors
        /// Where shapes disagree, or `saved` comes from another call. Nothing is written then.
        #many
        #[inline]
        pub fn backward_into #generics(&self, #params, #into: #type_ #result) -> ::core::result::Result<(), #krate::Error> {
            #prepare
            #(#checks)*
            #body
            ::core::result::Result::Ok(())
        }
    }
}

/// The methods' signatures, for when there is nothing behind them.
pub fn stub_methods(face: &Face<'_>) -> TokenStream {
    let (krate, stem, saved) = (&face.krate, &face.stem, face.named("Saved"));
    let (generics, lane, outputs) = (face.generics(), face.lane(), face.outputs_type());
    let (grads, into) = (face.named("Grads"), face.named("Into"));
    let (result, into_result) = (grads_arguments(face, None), grads_arguments(face, Some(quote!('_))));
    let args: Vec<TokenStream> = face
        .args()
        .map(|(_, p)| {
            let ty = face.arg_type(p);
            quote!(_: #ty)
        })
        .collect();
    let outs = face.formula.outputs.iter().map(|o| {
        let ty = face.output_arg_type(o, true);
        quote!(_: #ty)
    });
    let cotangents: Vec<TokenStream> = face.float_outputs().map(|(_, o)| face.output_arg_type(o, false)).collect();
    let backward_args: Vec<TokenStream> = face.backward_args().map(|(_, p)| face.arg_type(p)).collect();
    let ys: Vec<TokenStream> = face.formula.outputs.iter().map(|o| face.output_arg_type(o, false)).collect();
    let in_place = inplace::stub(face);
    let before = quote!(#(_: #cotangents,)* #(_: #backward_args,)* #(_: #ys,)* _: &#saved<#lane>);
    quote! {
        impl #stem {
            #[doc(hidden)]
            pub fn forward #generics(&self, #(#args),*) -> ::core::result::Result<(#outputs, #saved<#lane>), #krate::Error> { ::core::unreachable!() }
            #[doc(hidden)]
            pub fn forward_into #generics(&self, #(#args,)* #(#outs),*) -> ::core::result::Result<#saved<#lane>, #krate::Error> { ::core::unreachable!() }
            #in_place
            #[doc(hidden)]
            pub fn backward #generics(&self, #before) -> ::core::result::Result<#grads #result, #krate::Error> { ::core::unreachable!() }
            #[doc(hidden)]
            pub fn backward_into #generics(&self, #before, _: #into #into_result) -> ::core::result::Result<(), #krate::Error> { ::core::unreachable!() }
        }
    }
}
