//! `forward_inplace`: the result overwrites an argument.
//!
//! Offered where the one output has an argument's axes, the backward call does not read that argument, and every
//! specialisation's forward plan may overwrite it. Not with several outputs: which of them goes where would be a guess.
//! State is no obstacle, as it is memory of its own, and written after the outputs.

use super::Variant;
use super::api::{many_arguments, passed, prepare_call};
use super::docs::Docs;
use super::signature::{Face, Rank, elem_of, list_of, visible};
use crate::graph::InputId;
use crate::syntax::{AxisList, Param, ParamKind};
use proc_macro2::TokenStream;
use quote::quote;

/// The arguments that have the output's type.
fn candidates<'a>(face: &Face<'a>) -> impl Iterator<Item = &'a Param> + use<'a> {
    let output = match face.formula.outputs.as_slice() {
        [one] if !one.integer && matches!(face.rank(&one.axes), Rank::Array(_)) => Some(one),
        _ => None,
    };
    let same = |list: &AxisList, other: &AxisList| {
        let entries = |list: &AxisList| list.entries.iter().map(|e| (e.name.to_string(), e.many)).collect::<Vec<_>>();
        entries(list) == entries(other)
    };
    face.differentiable().map(|(_, p)| p).filter(move |p| match &p.kind {
        ParamKind::Tensor { axes, elem, optional: false, .. } => output.is_some_and(|y| same(axes, &y.axes) && *elem == y.elem),
        _ => false,
    })
}

/// The argument that the output may overwrite: the first that qualifies.
fn overwritten<'a>(face: &Face<'a>, variants: &[Variant]) -> Option<&'a Param> {
    candidates(face).find(|p| {
        variants.iter().all(|v| {
            let input = v.graph.inputs.iter().position(|i| p.name == i.name.as_str());
            input.map(|i| InputId(i as u32)).is_none_or(|i| !v.backward.reads(i) && v.forward.may_overwrite(i, 0))
        })
    })
}

/// The method, where the formula has it.
pub fn method(face: &Face<'_>, variants: &[Variant]) -> Option<TokenStream> {
    let x = overwritten(face, variants)?;
    let (krate, rt, saved) = (&face.krate, &face.rt, face.named("Saved"));
    let (elems, lane, name) = (face.elems(), face.lane(), visible(&x.name));
    let prepare = prepare_call(face, true);
    let args = face.args().map(|(_, p)| if p.name == x.name { quote!(#rt::View::overwritten()) } else { passed(face, p) });
    let doc = Docs::in_place(&x.name.to_string(), &face.output_name(0).to_string());
    let (signature, many) = (signature(face, x), many_arguments(1 + face.args().count()));
    Some(quote! {
        #[doc = #doc]
        #many
        #[inline]
        #signature -> ::core::result::Result<#saved<#lane>, #krate::Error> {
            #prepare
            let arrays = forward::<#(#elems),*>(&call, (#(#args,)*), (#rt::Target::overwriting(#name),))?;
            ::core::result::Result::Ok(#saved { arrays })
        }
    })
}

fn signature(face: &Face<'_>, x: &Param) -> TokenStream {
    let (krate, generics) = (&face.krate, face.generics());
    let params = face.args().map(|(_, p)| {
        let (name, ty) = (visible(&p.name), face.arg_type(p));
        match list_of(&p.kind).map(|l| face.rank(l)) {
            Some(Rank::Array(dim)) if p.name == x.name => {
                let elem = elem_of(&p.kind).map(|e| face.elem(e));
                quote!(#name: &mut #krate::ndarray::ArrayRef<#elem, #dim>)
            }
            _ => quote!(#name: #ty),
        }
    });
    quote!(pub fn forward_inplace #generics(&self, #(#params),*))
}

/// The method without a body, where the signature allows for it.
pub fn stub(face: &Face<'_>) -> Option<TokenStream> {
    let x = candidates(face).next()?;
    let (krate, saved, lane, signature) = (&face.krate, face.named("Saved"), face.lane(), signature(face, x));
    let unread = face.args().map(|(_, p)| visible(&p.name));
    Some(quote! {
        #[doc(hidden)]
        #signature -> ::core::result::Result<#saved<#lane>, #krate::Error> { let _ = (#(#unread,)*); ::core::unreachable!() }
    })
}
