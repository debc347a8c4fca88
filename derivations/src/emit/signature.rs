//! The typed face of a formula: what each argument and output is in Rust.

use crate::graph::AxisId;
use crate::syntax::{AxisList, ElemType, Formula, Options, Output, Param, ParamKind};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

/// Everything about a formula's signature that the emitted items need.
pub struct Face<'a> {
    pub formula: &'a Formula,
    /// The runtime crate.
    pub krate: TokenStream,
    /// Its module for generated code.
    pub rt: TokenStream,
    /// `BatchNorm`
    pub stem: Ident,
    /// Names of the formula's signature axes, by id: these come first in every specialisation.
    pub axes: Vec<String>,
    /// The lists that contain `Many`, each with its dimension parameter.
    many: Vec<(String, Ident)>,
}

/// How an array's rank appears in types.
#[derive(Clone)]
pub enum Rank {
    /// A plain number.
    Scalar,
    /// `Ix1` to `Ix6`, `IxDyn`, or a parameter.
    Array(TokenStream),
}

impl<'a> Face<'a> {
    pub fn new(formula: &'a Formula, options: &Options, axes: Vec<String>) -> Face<'a> {
        let krate = options.krate.clone();
        let stem = stem(options, formula).unwrap_or_else(|| Ident::new("Formula", Span::mixed_site()));
        let rt = quote!(#krate::__private);
        let mut face = Face { formula, krate, rt, stem, axes, many: vec![] };
        for param in &formula.params {
            if let Some(list) = list_of(&param.kind) {
                face.note_many(list);
            }
        }
        face
    }

    fn note_many(&mut self, list: &AxisList) {
        let key = key(list);
        if list.entries.iter().any(|e| e.many) && !self.many.iter().any(|(k, _)| *k == key) {
            let mut ident = if self.many.is_empty() { format_ident!("D") } else { format_ident!("D{}", self.many.len() + 1) };
            while self.formula.elems.iter().any(|e| matches!(e, ElemType::Generic(t) if *t == ident)) {
                ident = format_ident!("{ident}im");
            }
            self.many.push((key, ident));
        }
    }

    /// The names derived from the stem: `BatchNormSaved`.
    pub fn named(&self, suffix: &str) -> Ident {
        format_ident!("{}{}", self.stem, suffix, span = self.stem.span())
    }

    /// The function's name, seen by the user and not by lints.
    pub fn function(&self) -> Ident {
        visible(&self.formula.name)
    }

    pub fn function_text(&self) -> String {
        self.formula.name.to_string()
    }

    pub fn rank(&self, list: &AxisList) -> Rank {
        let krate = &self.krate;
        if list.entries.is_empty() {
            return Rank::Scalar;
        }
        if list.entries.iter().any(|e| e.many) {
            let key = key(list);
            return Rank::Array(match self.many.iter().find(|(k, _)| *k == key) {
                Some((_, ident)) => quote!(#ident),
                None => quote!(#krate::ndarray::IxDyn),
            });
        }
        match list.entries.len() {
            n @ 1..=6 => {
                let ix = format_ident!("Ix{n}");
                Rank::Array(quote!(#krate::ndarray::#ix))
            }
            _ => Rank::Array(quote!(#krate::ndarray::IxDyn)),
        }
    }

    /// The dimension parameters that some lists use.
    pub fn dims_of<'l>(&self, lists: impl Iterator<Item = &'l AxisList>) -> Vec<Ident> {
        let keys: Vec<String> = lists.map(key).collect();
        self.many.iter().filter(|(k, _)| keys.contains(k)).map(|(_, ident)| ident.clone()).collect()
    }

    /// `<T: Float, D: Dimension>` for functions; empty where there is neither.
    pub fn generics(&self) -> TokenStream {
        let krate = &self.krate;
        let elems = self.formula.elems.iter().filter_map(|e| match e {
            ElemType::Generic(t) => Some(quote!(#t: #krate::Float)),
            _ => None,
        });
        let dims = self.many.iter().map(|(_, d)| quote!(#d: #krate::ndarray::Dimension));
        let all: Vec<TokenStream> = elems.chain(dims).collect();
        if all.is_empty() { quote!() } else { quote!(<#(#all),*>) }
    }

    /// An element type as the user knows it.
    pub fn elem(&self, elem: &ElemType) -> TokenStream {
        let krate = &self.krate;
        match elem {
            ElemType::F16 => quote!(#krate::f16),
            ElemType::BF16 => quote!(#krate::bf16),
            ElemType::F32 => quote!(f32),
            ElemType::F64 => quote!(f64),
            ElemType::Generic(t) => quote!(#t),
        }
    }

    /// All of them.
    pub fn elems(&self) -> Vec<TokenStream> {
        self.formula.elems.iter().map(|e| self.elem(e)).collect()
    }

    /// The type parameter that stands for an element type where any will do: `T`, `T2`, ..
    pub fn parameter(&self, elem: &ElemType) -> Ident {
        let at = self.formula.elems.iter().position(|e| e == elem).unwrap_or(0);
        if at == 0 { format_ident!("T") } else { format_ident!("T{}", at + 1) }
    }

    /// All of them.
    pub fn parameters(&self) -> Vec<Ident> {
        self.formula.elems.iter().map(|e| self.parameter(e)).collect()
    }

    /// What a formula with these element types is computed in.
    pub fn lane_of(&self, elems: &[TokenStream]) -> TokenStream {
        let (krate, rt) = (&self.krate, &self.rt);
        match elems {
            [one] => quote!(<#one as #krate::Float>::Lane),
            [.., last] => {
                let before = elems[..elems.len() - 1].iter().rev();
                let nested = before.fold(quote!(#last), |rest, elem| quote!((#elem, #rest)));
                quote!(<#nested as #rt::Floats>::Lane)
            }
            [] => quote!(f32),
        }
    }

    /// What the typed functions compute in.
    pub fn lane(&self) -> TokenStream {
        let is = |what: fn(&ElemType) -> bool| self.formula.elems.iter().any(what);
        match () {
            () if is(|e| *e == ElemType::F64) => quote!(f64),
            () if is(|e| matches!(e, ElemType::Generic(_))) => self.lane_of(&self.elems()),
            () => quote!(f32),
        }
    }

    /// The same for any element types.
    pub fn parameters_lane(&self) -> TokenStream {
        let parameters: Vec<TokenStream> = self.parameters().iter().map(|t| quote!(#t)).collect();
        self.lane_of(&parameters)
    }

    /// The arguments that are no constants, with their positions.
    pub fn args(&self) -> impl Iterator<Item = (usize, &'a Param)> + use<'a> {
        let is_arg =
            |p: &Param| !matches!(p.kind, ParamKind::Scalar(_) | ParamKind::Window(_) | ParamKind::Seed | ParamKind::Axes);
        self.formula.params.iter().enumerate().filter(move |(_, p)| is_arg(p))
    }

    /// The arguments that `backward` takes: all but state.
    pub fn backward_args(&self) -> impl Iterator<Item = (usize, &'a Param)> + use<'a> {
        self.args().filter(|(_, p)| !matches!(p.kind, ParamKind::State { .. }))
    }

    /// The constants: fields of the operation.
    pub fn constants(&self) -> impl Iterator<Item = &'a Param> + use<'a> {
        let is_constant = |p: &&Param| matches!(p.kind, ParamKind::Scalar(_) | ParamKind::Window(_) | ParamKind::Seed);
        self.formula.params.iter().filter(is_constant)
    }

    pub fn constant_type(&self, param: &Param) -> TokenStream {
        let krate = &self.krate;
        match &param.kind {
            ParamKind::Window(d) => quote!(#krate::Window<#d>),
            ParamKind::Seed => quote!(#krate::Seed),
            ParamKind::Scalar(ty) => quote!(#ty),
            _ => quote!(()),
        }
    }

    /// The arguments with a gradient, with their positions.
    pub fn differentiable(&self) -> impl Iterator<Item = (usize, &'a Param)> + use<'a> {
        self.args().filter(|(_, p)| matches!(p.kind, ParamKind::Tensor { constant: false, .. } | ParamKind::Diff))
    }

    /// The outputs with a cotangent.
    pub fn float_outputs(&self) -> impl Iterator<Item = (usize, &'a Output)> + use<'a> {
        self.formula.outputs.iter().enumerate().filter(|(_, o)| !o.integer)
    }

    /// The Rust type of an argument of `forward`.
    pub fn arg_type(&self, param: &Param) -> TokenStream {
        let krate = &self.krate;
        let array = |list: &AxisList, elem: &TokenStream| match self.rank(list) {
            Rank::Scalar => quote!(#elem),
            Rank::Array(dim) => quote!(&#krate::ndarray::ArrayRef<#elem, #dim>),
        };
        match &param.kind {
            ParamKind::Tensor { axes, elem, optional, .. } => {
                let ty = array(axes, &self.elem(elem));
                if *optional { quote!(::core::option::Option<#ty>) } else { ty }
            }
            ParamKind::Labels { axes } => array(axes, &quote!(i64)),
            ParamKind::State { axes, elem } => {
                let elem = self.elem(elem);
                match self.rank(axes) {
                    Rank::Scalar => quote!(&mut #elem),
                    Rank::Array(dim) => quote!(&mut #krate::ndarray::ArrayRef<#elem, #dim>),
                }
            }
            ParamKind::Diff => quote!(f64),
            ParamKind::Unknown => quote!(impl ::core::marker::Sized),
            _ => self.constant_type(param),
        }
    }

    pub fn output_elem(&self, output: &Output) -> TokenStream {
        if output.integer { quote!(i64) } else { self.elem(&output.elem) }
    }

    /// The owned type of an output.
    pub fn output_type(&self, output: &Output) -> TokenStream {
        let (krate, elem) = (&self.krate, self.output_elem(output));
        match self.rank(&output.axes) {
            Rank::Scalar => elem,
            Rank::Array(dim) => quote!(#krate::ndarray::Array<#elem, #dim>),
        }
    }

    /// The type of an output, or its cotangent, as an argument.
    pub fn output_arg_type(&self, output: &Output, mutable: bool) -> TokenStream {
        let (krate, elem) = (&self.krate, self.output_elem(output));
        match (self.rank(&output.axes), mutable) {
            (Rank::Scalar, false) => elem,
            (Rank::Scalar, true) => quote!(&mut #elem),
            (Rank::Array(dim), false) => quote!(&#krate::ndarray::ArrayRef<#elem, #dim>),
            (Rank::Array(dim), true) => quote!(&mut #krate::ndarray::ArrayRef<#elem, #dim>),
        }
    }

    /// All outputs together: one type, or a tuple.
    pub fn outputs_type(&self) -> TokenStream {
        let types: Vec<TokenStream> = self.formula.outputs.iter().map(|o| self.output_type(o)).collect();
        self.tuple(&types)
    }

    /// One value as it is, several as a tuple; a one-tuple where the user wrote one.
    pub fn tuple(&self, items: &[TokenStream]) -> TokenStream {
        match items {
            [one] if !self.formula.tuple => quote!(#one),
            items => quote!((#(#items,)*)),
        }
    }

    /// `y`, or `y`, `y2`, .. for several.
    pub fn output_name(&self, index: usize) -> Ident {
        self.free(&if index == 0 { "y".into() } else { format!("y{}", index + 1) })
    }

    /// `dy`, `dy2`, ..
    pub fn cotangent_name(&self, index: usize) -> Ident {
        self.free(&if index == 0 { "dy".into() } else { format!("dy{}", index + 1) })
    }

    /// A name that is no argument's.
    pub fn free(&self, name: &str) -> Ident {
        let mut name = name.to_string();
        while self.formula.params.iter().any(|p| p.name == name) {
            name.push('_');
        }
        Ident::new(&name, Span::mixed_site())
    }

    /// The ids of the axes of a signature list.
    pub fn axis_ids(&self, list: &AxisList) -> Vec<AxisId> {
        let id = |name: String| self.axes.iter().position(|a| *a == name).map(|i| AxisId(i as u8));
        list.entries.iter().filter_map(|e| id(e.name.to_string())).collect()
    }
}

/// The list of axes of an argument that has one.
pub fn list_of(kind: &ParamKind) -> Option<&AxisList> {
    match kind {
        ParamKind::Tensor { axes, .. } | ParamKind::State { axes, .. } | ParamKind::Labels { axes } => Some(axes),
        _ => None,
    }
}

/// The element type of an argument that is a tensor.
pub fn elem_of(kind: &ParamKind) -> Option<&ElemType> {
    match kind {
        ParamKind::Tensor { elem, .. } | ParamKind::State { elem, .. } => Some(elem),
        _ => None,
    }
}

fn key(list: &AxisList) -> String {
    let names: Vec<String> = list.entries.iter().map(|e| e.name.to_string()).collect();
    names.join(",")
}

/// The same place, but the macro's own: users see it, lints about their code do not, and a local variable of this name
/// is another than one that a template spells out.
fn resolved(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

/// A name of the user's as the macro's own.
pub fn visible(ident: &Ident) -> Ident {
    let mut ident = ident.clone();
    ident.set_span(resolved(ident.span()));
    ident
}

/// The stem of the generated types: as given, or the function's name in camel case. `None`: it makes no name.
pub fn stem(options: &Options, formula: &Formula) -> Option<Ident> {
    options.name.clone().or_else(|| {
        let stem = camel_case(&formula.name.to_string());
        let mut ident = syn::parse_str::<Ident>(&stem).ok()?;
        ident.set_span(resolved(formula.name.span()));
        Some(ident)
    })
}

fn camel_case(name: &str) -> String {
    let words = name.trim_start_matches("r#").split('_').filter(|w| !w.is_empty());
    words
        .map(|word| {
            let mut chars = word.chars();
            chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
        })
        .collect()
}
