//! What is emitted beside errors: the signatures alone, so that nothing else is reported.

use super::api;
use super::docs::Docs;
use super::signature::Face;
use crate::syntax::{Formula, Options};
use proc_macro2::TokenStream;
use quote::quote;

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
    let face = Face::new(formula, options, axes);
    let docs = Docs::empty(&face);
    let function = api::function(&face, &docs);
    let types = api::types(&face, &docs);
    let methods = api::stub_methods(&face);
    quote!(#function #types #methods)
}
