//! Stage 7: the emitted items. One function an item, one `quote!` each.
//!
//! In: a formula and its specialisations, planned. Out: tokens. Emission cannot fail. Names are decided in `signature`;
//! paths are absolute; the user's spans are on what the user wrote, the macro's on everything else.

mod api;
mod bundle;
mod constants;
mod docs;
mod inner;
mod inplace;
pub mod kernel;
mod layer;
mod prepare;
mod reference;
mod signature;
mod stub;
mod warnings;

pub use bundle::{export, export_broken, fetch, is_std_macro};
pub use signature::stem;
pub use stub::stub;
pub use warnings::warnings;

use crate::elaborate::{Check, Library, Typed};
use crate::graph::{Graph, NodeId};
use crate::plan::{Elem, Plan};
use crate::syntax::{Formula, Options};
use proc_macro2::TokenStream;
use quote::quote;
use signature::Face;

/// One specialisation, ready to be emitted.
pub struct Variant {
    pub typed: Typed,
    pub graph: Graph,
    /// What a call checks besides the formula's own bindings.
    pub checks: Vec<Check>,
    /// The states that are written: the argument's position.
    pub states: Vec<usize>,
    pub saved: Vec<Saved>,
    /// The outputs that the backward call may read.
    pub readable: Vec<usize>,
    /// Computes the outputs, then the states, then what is saved.
    pub forward: Plan,
    /// Computes the gradients, given what was saved, then the readable outputs.
    pub backward: Plan,
    /// The gradients as mathematics, one line an argument.
    pub mathematics: Vec<String>,
    /// Each argument's node in the graph, where it is read.
    pub params: Vec<Option<NodeId>>,
}

/// A value kept from forward to backward.
#[derive(Clone, Debug)]
pub struct Saved {
    pub node: NodeId,
    pub name: String,
    pub elem: Elem,
}

/// Every item of a derived formula.
pub fn emit(options: &Options, formula: &Formula, variants: &[Variant], library: &Library) -> TokenStream {
    let axes = variants.first().map(|v| v.typed.axes.iter().map(|a| a.name.clone()).collect()).unwrap_or_default();
    let face = Face::new(formula, options, axes);
    let docs = docs::Docs::new(&face, variants);
    let types = api::types(&face, &docs);
    let function = api::function(&face, &docs);
    let methods = api::methods(&face, &docs, variants);
    let prepare = prepare::prepare(&face, variants);
    let inner = inner::inner(&face, variants);
    let layer = layer::layer(&face, variants, library);
    quote! {
        #function
        #types
        const _: () = {
            #prepare
            #inner
            #methods
            #layer
        };
    }
}
