//! `prepare`: everything that a call finds out before it computes. Extents, the user's constants, checks, and which
//! specialisation serves it.

use super::Variant;
use super::signature::{Face, list_of};
use crate::elaborate::typed::HostKind;
use crate::elaborate::{Binding, Check, Decision, Typed, len_ident};
use crate::graph::{AxisId, Int, IntId, Ints};
use crate::syntax::Param;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};

/// `fn prepare(op, shapes) -> Result<Call, Error>`
pub fn prepare(face: &Face<'_>, variants: &[Variant]) -> TokenStream {
    let (krate, rt, stem) = (&face.krate, &face.rt, &face.stem);
    let (function, shapes, op) = (face.free("function"), face.free("shapes"), face.free("op"));
    let text = face.function_text();
    let args: Vec<TokenStream> = face.args().map(|(_, p)| shape_pattern(p)).collect();
    let count = args.len();
    let signature = signature_axes(variants);
    let arrays = face.args().filter_map(|(_, p)| {
        let list = list_of(&p.kind)?;
        let (name, text) = (&p.name, p.name.to_string());
        let axes = face.axis_ids(list).into_iter().map(|a| a.0 as usize);
        let many = match list.entries.iter().position(|e| e.many) {
            Some(at) => quote!(::core::option::Option::Some(#at)),
            None => quote!(::core::option::Option::None),
        };
        Some(quote!(#shapes.array(#text, #name, &[#(#axes),*], #many)?;))
    });
    let lens = variants.first().map(|v| signature_lens(face, &v.typed, signature.len()));
    let choices: Vec<(usize, &[Decision])> =
        variants.iter().enumerate().map(|(i, v)| (i, v.typed.decisions.as_slice())).collect();
    let body = choose(face, variants, &choices, signature.len());
    let unpack = unpack(face, &quote!(#op), &body);
    quote! {
        #[inline]
        fn prepare(#op: &#stem, [#(#args),*]: [::core::option::Option<&[usize]>; #count]) -> ::core::result::Result<#rt::Call, #krate::Error> {
            let #function = #text;
            #unpack
            let mut #shapes = #rt::Shapes::new(#function, &[#(#signature),*]);
            #(#arrays)*
            #lens
            #body
        }
    }
}

/// Binds the shape of an argument; a number has none.
fn shape_pattern(param: &Param) -> TokenStream {
    let name = &param.name;
    if list_of(&param.kind).is_some() { quote!(#name) } else { quote!(_) }
}

/// Binds the constants that `body` names.
pub fn unpack(face: &Face<'_>, op: &TokenStream, body: &TokenStream) -> TokenStream {
    let stem = &face.stem;
    let used: Vec<&Ident> = face.constants().map(|p| &p.name).filter(|name| mentions(body, name)).collect();
    if used.is_empty() { quote!() } else { quote!(let #stem { #(#used,)* .. } = ::core::clone::Clone::clone(#op);) }
}

/// Whether a variable of this name is read.
fn mentions(tokens: &TokenStream, name: &Ident) -> bool {
    let mut after_dot = false;
    for token in tokens.clone() {
        let found = match &token {
            proc_macro2::TokenTree::Ident(ident) => ident == name && !after_dot,
            proc_macro2::TokenTree::Group(group) => mentions(&group.stream(), name),
            _ => false,
        };
        if found {
            return true;
        }
        after_dot = matches!(&token, proc_macro2::TokenTree::Punct(p) if p.as_char() == '.');
    }
    false
}

/// The names of the axes that the signature declares: the same in every specialisation.
fn signature_axes(variants: &[Variant]) -> Vec<String> {
    let Some(first) = variants.first() else { return vec![] };
    let declared = first.typed.axes.iter().take_while(|a| a.extent.is_none());
    declared.map(|a| a.name.clone()).collect()
}

fn len_of(typed: &Typed, axis: AxisId) -> Ident {
    len_ident(&typed.axes, axis)
}

fn signature_lens(face: &Face<'_>, typed: &Typed, count: usize) -> TokenStream {
    let shapes = face.free("shapes");
    let lets = (0..count).map(|i| {
        let ident = len_of(typed, AxisId(i as u8));
        quote!(let #ident = #shapes.len(#i);)
    });
    quote!(#(#lets)*)
}

/// The tree of decisions, with a specialisation's own bindings at each leaf.
fn choose(face: &Face<'_>, variants: &[Variant], open: &[(usize, &[Decision])], declared: usize) -> TokenStream {
    let Some((index, first)) = open.first() else { return quote!() };
    let Some((decision, _)) = first.split_first() else {
        return leaf(face, &variants[*index], *index, declared);
    };
    let side = |value: bool| -> Vec<(usize, &[Decision])> {
        let mine = open.iter().filter(|(_, d)| d.first().is_some_and(|d| d.value == value));
        mine.map(|(i, d)| (*i, &d[1..])).collect()
    };
    let condition = constant(face, &decision.tokens);
    let yes = choose(face, variants, &side(true), declared);
    let no = choose(face, variants, &side(false), declared);
    quote!(if #condition { #yes } else { #no })
}

fn leaf(face: &Face<'_>, variant: &Variant, index: usize, declared: usize) -> TokenStream {
    let rt = &face.rt;
    let shapes = face.free("shapes");
    let typed = &variant.typed;
    let bindings = typed.bindings.iter().map(|b| binding(face, typed, b, declared));
    let checks = variant.checks.iter().map(|c| check(face, typed, c));
    let hosts = (0..typed.hosts.len()).map(|i| host_ident(face, i)).zip(&typed.hosts).map(|(ident, host)| match host.kind {
        HostKind::Number => quote!(#rt::Host::Number(#ident)),
        HostKind::Integer => quote!(#rt::Host::Integer(#ident)),
        HostKind::Seed => quote!(#rt::Host::Seed(#ident)),
    });
    let outputs = typed.output_axes.iter().map(|axes| {
        let axes = axes.iter().map(|a| a.0 as usize);
        quote!(&[#(#axes),*])
    });
    quote! {
        #(#bindings)*
        #(#checks)*
        ::core::result::Result::Ok(#rt::Call::new(#shapes, #index, ::std::vec![#(#hosts),*], &[#(#outputs),*]))
    }
}

/// A constant of the call.
fn constant(face: &Face<'_>, tokens: &TokenStream) -> TokenStream {
    super::constants::checked(tokens, &face.rt, &face.free("function").into_token_stream())
}

fn host_ident(face: &Face<'_>, index: usize) -> Ident {
    face.free(&format!("c{index}"))
}

fn binding(face: &Face<'_>, typed: &Typed, binding: &Binding, declared: usize) -> TokenStream {
    let (rt, shapes) = (&face.rt, face.free("shapes"));
    match binding {
        Binding::Axis(axis) if (axis.0 as usize) < declared => quote!(),
        Binding::Axis(axis) => {
            let def = &typed.axes[axis.0 as usize];
            let (name, ident) = (&def.name, len_of(typed, *axis));
            let extent = def.extent.map_or(quote!(0), |e| local_int(face, typed, e));
            quote!(let #ident = #shapes.define(#name, #extent)?;)
        }
        Binding::Host(id) => {
            let ident = host_ident(face, id.0 as usize);
            let host = &typed.hosts[id.0 as usize];
            let tokens = constant(face, &host.tokens);
            match host.kind {
                HostKind::Number => quote!(let #ident = #rt::number(#tokens);),
                HostKind::Integer => quote!(let #ident = #rt::integer(#tokens);),
                HostKind::Seed => quote!(let #ident: #rt::Seed = #tokens;),
            }
        }
        Binding::Check(c) => check(face, typed, c),
    }
}

/// A symbolic integer where the call's variables are in scope.
fn local_int(face: &Face<'_>, typed: &Typed, id: IntId) -> TokenStream {
    int_tokens(
        &typed.ints,
        id,
        &|axis| {
            let ident = len_of(typed, axis);
            quote!((#ident as i64))
        },
        &|host| {
            let ident = host_ident(face, host.0 as usize);
            quote!(#ident)
        },
    )
}

/// A symbolic integer as an expression of `i64`.
pub fn int_tokens(
    ints: &Ints,
    id: IntId,
    len: &dyn Fn(AxisId) -> TokenStream,
    host: &dyn Fn(crate::graph::HostId) -> TokenStream,
) -> TokenStream {
    let at = |id| int_tokens(ints, id, len, host);
    match ints.get(id) {
        Int::Const(value) => quote!(#value),
        Int::Len(axis) => len(axis),
        Int::Host(id) => host(id),
        Int::Add(a, b) => {
            let (a, b) = (at(a), at(b));
            quote!((#a + #b))
        }
        Int::Sub(a, b) => {
            let (a, b) = (at(a), at(b));
            quote!((#a - #b))
        }
        Int::Mul(a, b) => {
            let (a, b) = (at(a), at(b));
            quote!((#a * #b))
        }
        Int::FloorDiv(a, b) => {
            let (a, b) = (at(a), at(b));
            quote!(#a.div_euclid(#b))
        }
        Int::Gcd(a, b) => {
            let (a, b) = (at(a), at(b));
            quote!({
                let (mut a, mut b) = (#a, #b);
                while b != 0 {
                    (a, b) = (b, a.rem_euclid(b));
                }
                a
            })
        }
    }
}

fn check(face: &Face<'_>, typed: &Typed, check: &Check) -> TokenStream {
    let krate = &face.krate;
    let (function, shapes) = (face.free("function"), face.free("shapes"));
    let name = |a: &AxisId| typed.axes[a.0 as usize].name.clone();
    let index = |a: &AxisId| a.0 as usize;
    match check {
        Check::Ensure { condition, message } => {
            let condition = constant(face, condition);
            quote! {
                if !(#condition) {
                    return ::core::result::Result::Err(#krate::Error::Ensure { function: #function, message: ::core::convert::From::from(#message) });
                }
            }
        }
        Check::Extent { axis, extent } => {
            let (axis, extent) = (index(axis), local_int(face, typed, *extent));
            quote!(#shapes.agree(#axis, #extent)?;)
        }
        Check::Divisible { axis, by } => {
            let (axis, by) = (index(axis), local_int(face, typed, *by));
            quote!(#shapes.divisible(#axis, #by)?;)
        }
        Check::Slice { axis, start, end } => {
            let (axis, start, end) = (index(axis), local_int(face, typed, *start), local_int(face, typed, *end));
            quote!(#shapes.range(#axis, #start, #end)?;)
        }
        Check::Window { window, axes } => {
            let names = axes.iter().map(name);
            let lens = axes.iter().map(|a| len_of(typed, *a));
            quote!((#window).check(#function, [#(#names),*], [#(#lens),*])?;)
        }
        Check::WindowFilled { window, axes } => {
            let names = axes.iter().map(name);
            let lens = axes.iter().map(|a| len_of(typed, *a));
            quote!((#window).check_filled(#function, [#(#names),*], [#(#lens),*])?;)
        }
        Check::NotEmpty { axes, what } => {
            let axes = axes.iter().map(index);
            quote!(#shapes.not_empty(&[#(#axes),*], #what)?;)
        }
        Check::Reach { reach, axes } => {
            let (axes, reach) = (axes.iter().map(index), local_int(face, typed, *reach));
            quote!(#shapes.reach(&[#(#axes),*], #reach)?;)
        }
        Check::Padding { axis, lo, hi, kind } => {
            let (axis, lo, hi, word) = (index(axis), local_int(face, typed, *lo), local_int(face, typed, *hi), kind.word());
            quote!(#shapes.padding(#axis, #lo, #hi, #word)?;)
        }
        Check::Outputs { axis, count } => {
            let (axis, count) = (index(axis), local_int(face, typed, *count));
            quote!(#shapes.outputs(#axis, #count)?;)
        }
        Check::Copies { axis, times } => {
            let (axis, times) = (index(axis), local_int(face, typed, *times));
            quote!(#shapes.copies(#axis, #times)?;)
        }
        Check::ConstantLen { axis, len } => {
            let (axis, len) = (index(axis), *len as i64);
            quote!(#shapes.agree(#axis, #len)?;)
        }
        // needs the values, not only the shapes: see `inner`
        Check::Labels { .. } => quote!(),
    }
}
