//! The classes, read from their source, and their pairs as formulas.

use pullback_tests::formulas::Formulas;
use quote::{format_ident, quote};
use syn::{FnArg, Ident, ItemFn, PatType};

/// A formula of a class.
pub struct Member {
    pub class: String,
    pub function: ItemFn,
}

impl Member {
    pub fn path(&self) -> String {
        format!("{}::{}", self.class, self.function.sig.ident)
    }
    fn tokens(&self) -> syn::Path {
        syn::parse_str(&self.path()).expect("a path")
    }
    fn params(&self) -> Vec<&PatType> {
        fn typed(arg: &FnArg) -> Option<&PatType> {
            match arg {
                FnArg::Typed(param) => Some(param),
                FnArg::Receiver(_) => None,
            }
        }
        self.function.sig.inputs.iter().filter_map(typed).collect()
    }
    /// The arguments beside `x`.
    fn extra(&self) -> Vec<Ident> {
        self.params().iter().map(|p| name(p)).filter(|n| n != "x").collect()
    }
}

fn name(param: &PatType) -> Ident {
    let syn::Pat::Ident(pat) = &*param.pat else { panic!("an argument is a name") };
    pat.ident.clone()
}

/// The members of each class, in the order of the file.
pub fn read() -> (Formulas, Vec<Vec<Member>>) {
    let (formulas, found) = Formulas::modules("tests/tests/matrix/classes.rs");
    let mut classes: Vec<Vec<Member>> = vec![];
    for (class, function) in found {
        let member = Member { class, function };
        match classes.last_mut().filter(|c| c[0].class == member.class) {
            Some(last) => last.push(member),
            None => classes.push(vec![member]),
        }
    }
    (formulas, classes)
}

/// `outer(inner(x))`, with the arguments of both.
pub fn pair(outer: &Member, inner: &Member) -> ItemFn {
    let mut params: Vec<&PatType> = vec![];
    for param in inner.params().into_iter().chain(outer.params()) {
        if !params.iter().any(|p| name(p) == name(param)) {
            params.push(param);
        }
    }
    let ident = format_ident!("{}_around_{}", outer.class, inner.class);
    let (outer, inner, around, within) = (outer.tokens(), inner.tokens(), outer.extra(), inner.extra());
    syn::parse_quote! {
        pub fn #ident(#(#params),*) -> Tensor<f32, (N, C)> {
            #outer(#inner(x, #(#within),*), #(#around),*)
        }
    }
}

/// How far in the list of classes the one inside is from the one around it, for the pairs that are compiled.
const DISTANCES: [usize; 2] = [1, 9];

/// The source of the compiled pairs.
pub fn compiled(classes: &[Vec<Member>]) -> String {
    let mut items = quote! {
        //! Each class of construct inside and around some others. Written by the test of the matrix: `BLESS=1` writes it anew.
        use super::{check_compiled, classes::*};
        use pullback::prelude::*;
    };
    for (turn, distance) in DISTANCES.into_iter().enumerate() {
        for (i, outer) in classes.iter().enumerate() {
            let inner = &classes[(i + distance) % classes.len()];
            let function = pair(&outer[turn % outer.len()], &inner[(turn + 1) % inner.len()]);
            let operation = operation(&function);
            let test = format_ident!("{}_has_its_gradient", function.sig.ident);
            items.extend(quote! {
                #[derive_backward]
                #function
                #[test]
                fn #test() {
                    check_compiled(&#operation);
                }
            });
        }
    }
    prettyplease::unparse(&syn::parse2(items).expect("a file"))
}

/// The operation of a formula with the constants of the matrix.
fn operation(function: &ItemFn) -> proc_macro2::TokenStream {
    let camel = function.sig.ident.to_string().split('_').map(|w| w[..1].to_uppercase() + &w[1..]).collect::<String>();
    let camel = format_ident!("{camel}");
    let constants = function.sig.inputs.iter().filter_map(|arg| {
        let FnArg::Typed(param) = arg else { return None };
        match name(param).to_string().as_str() {
            "s" => Some(quote!(s: 0.3)),
            "flag" => Some(quote!(flag: true)),
            "seed" => Some(quote!(seed: Seed(5))),
            "k" => Some(quote!(k: Window::new([3]).stride([1]).padding([1]))),
            _ => None,
        }
    });
    let constants: Vec<_> = constants.collect();
    if constants.is_empty() { quote!(#camel) } else { quote!(#camel { #(#constants),* }) }
}
