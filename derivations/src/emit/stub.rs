//! What is emitted beside errors: the signatures alone, so that nothing else is reported.

use super::api;
use super::docs::Docs;
use super::signature::Face;
use crate::syntax::{AxisEntry, AxisList, Formula, Options, Output};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

/// The public items without bodies.
pub fn stub(options: &Options, formula: &Formula) -> TokenStream {
    let mut axes: Vec<String> = vec![];
    for param in &formula.params {
        for entry in super::signature::list_of(&param.kind).into_iter().flat_map(|l| &l.entries) {
            let name = entry.name.to_string();
            if !axes.contains(&name) {
                axes.push(name);
            }
        }
    }
    let formula = repaired(formula);
    let face = Face::new(&formula, options, axes);
    let docs = Docs::empty(&face);
    let function = api::function(&face, &docs);
    let types = api::types(&face, &docs);
    let methods = api::stub_methods(&face);
    let layer = layer(&face);
    quote!(#function #types #methods #layer)
}

/// So that `gradient_test!` and what is generic over layers have nothing to add.
fn layer(face: &Face<'_>) -> TokenStream {
    let (krate, stem, name) = (&face.krate, &face.stem, face.function_text());
    let layer = quote!(#krate::layer);
    quote! {
        impl<T: #krate::Float> #krate::Layer<T> for #stem {
            const NAME: &'static str = #name;
            const AXES: &'static [&'static str] = &[];
            const ARGS: &'static [#layer::ArgSpec] = &[];
            const OUTPUTS: &'static [#layer::OutputSpec] = &[];
            const BACKWARD_READS: #layer::Reads = #layer::Reads { args: &[], outputs: &[] };
            type Saved = ();
            fn forward(&self, _: &mut [#layer::Arg<'_, T>]) -> ::core::result::Result<#layer::Forward<T, ()>, #krate::Error> {
                ::core::unreachable!()
            }
            fn backward(
                &self,
                _: &[#krate::ndarray::ArrayViewD<'_, T>],
                _: &[#layer::Arg<'_, T>],
                _: &[#layer::Output<T>],
                (): &(),
                _: &mut [::core::option::Option<#layer::GradD<'_, T>>],
            ) -> ::core::result::Result<(), #krate::Error> {
                ::core::unreachable!()
            }
            fn reference(
                &self,
                _: &[::core::option::Option<#krate::formula::Value>],
            ) -> ::core::result::Result<::std::vec::Vec<#krate::formula::Value>, #krate::Error> {
                ::core::unreachable!()
            }
        }
    }
}

/// The formula with what would make its stubs wrong put right: each argument a name of its own, and a result.
fn repaired(formula: &Formula) -> Formula {
    let mut formula = formula.clone();
    for i in 1..formula.params.len() {
        let name = formula.params[i].name.clone();
        if formula.params[..i].iter().any(|p| p.name == name) {
            formula.params[i].name = format_ident!("{name}_{i}");
        }
    }
    if formula.outputs.is_empty() {
        let span = Span::call_site();
        let rank = AxisEntry { name: Ident::new("Rank", span), many: true };
        let axes = AxisList { entries: vec![rank], open: false, span };
        formula.outputs.push(Output { axes, elem: formula.elems[0].clone(), integer: false });
    }
    formula
}
