//! The kernel of one generated function: a struct that holds its arguments, and what it does with them.
//!
//! What is emitted is the plan, as a script of the runtime's drivers: arrays over named axes, then sweeps whose bodies
//! are the mathematics. The struct's fields, in order, are [`Kernel::args`]; the caller gives their values to
//! [`Kernel::call`]. Every loop, address, instruction set and thread is the runtime's.

mod body;
pub(super) use body::number;
mod places;
#[cfg(test)]
mod tests;
mod wide;

use crate::graph::{AxisId, AxisSet, Distribution, Graph, HostId, InputId, InputKind, IntId, Ints, ReduceOp};
use crate::plan::{Elem, Gemm, Leaf, Nest, Phase, Plan, Scan, Scatter, Scope, Sweep, TempId};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use std::collections::{BTreeMap, BTreeSet};

/// One generated function's kernel.
pub struct Kernel {
    pub ident: Ident,
    /// The struct and its implementation: private items.
    pub tokens: TokenStream,
    /// The struct's fields, in order.
    pub args: Vec<KernelArg>,
    /// Their names.
    pub fields: Vec<Ident>,
}

/// An argument of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KernelArg {
    /// `Space`: the extent of every axis. Always first.
    Space,
    /// A `View`.
    Input(InputId),
    /// A `View` or an `IndexView`.
    Given(u32),
    /// `f64`
    Host(HostId),
    /// The bits of a seed, `u64`.
    Seed(HostId),
    /// `i64`
    Int(IntId),
    /// A `Target` or an `IndexTarget`.
    Root(u32),
}

/// An array as the caller has it.
#[derive(Clone, Debug)]
pub struct ArrayAxes {
    /// In the order of its dimensions.
    pub axes: Vec<AxisId>,
    pub elem: Elem,
}

impl Kernel {
    /// The call, computed in `lane`; `value` gives each field's.
    pub fn call(&self, krate: &TokenStream, lane: &TokenStream, value: &mut dyn FnMut(&KernelArg) -> TokenStream) -> TokenStream {
        let (ident, fields) = (&self.ident, &self.fields);
        let values = self.args.iter().map(value);
        quote!(<#lane as #krate::__private::Lane>::dispatch(#ident { #(#fields: #values),* }))
    }
}

/// The kernel of a plan. `roots` and `given` say how the arrays lie that the plan counts.
#[expect(clippy::too_many_arguments, reason = "what a kernel is made from")]
pub fn kernel(
    graph: &Graph,
    ints: &Ints,
    plan: &Plan,
    name: Ident,
    krate: &TokenStream,
    doc: &str,
    roots: &[ArrayAxes],
    given: &[ArrayAxes],
) -> Kernel {
    let mut emitter = Emitter {
        graph,
        ints,
        plan,
        krate,
        roots,
        given,
        names: Names::new(&["at", "k", "space"]),
        axes: BTreeMap::new(),
        args: BTreeMap::new(),
        temps: BTreeMap::new(),
        lens: BTreeMap::new(),
    };
    emitter.name_everything();
    let phases: Vec<TokenStream> = plan.phases.iter().map(|p| emitter.phase(p)).collect();
    emitter.finish(name, doc, &phases)
}

/// Names that are taken in one scope.
#[derive(Clone, Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    fn new(taken: &[&str]) -> Names {
        Names { taken: taken.iter().map(ToString::to_string).collect() }
    }
    /// A name like the wanted one that nothing else has.
    pub(super) fn fresh(&mut self, wanted: &str) -> Ident {
        let clean: String = wanted.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' }).collect();
        let clean = match clean.chars().next() {
            None => "value".to_string(),
            Some(c) if c.is_numeric() => format!("v{clean}"),
            Some(_) => clean,
        };
        let mut name = clean.clone();
        let mut count = 1;
        while self.taken.contains(&name) || syn::parse_str::<Ident>(&name).is_err() {
            count += 1;
            name = if count == 2 && syn::parse_str::<Ident>(&clean).is_err() {
                format!("{clean}_")
            } else {
                format!("{clean}{count}")
            };
        }
        self.taken.insert(name.clone());
        Ident::new(&name, Span::mixed_site())
    }
}

pub(super) struct Emitter<'e> {
    pub graph: &'e Graph,
    pub ints: &'e Ints,
    pub plan: &'e Plan,
    krate: &'e TokenStream,
    roots: &'e [ArrayAxes],
    given: &'e [ArrayAxes],
    names: Names,
    /// The axes that are named in the code.
    axes: BTreeMap<AxisId, Ident>,
    /// The arguments met, and their names.
    args: BTreeMap<KernelArg, Ident>,
    temps: BTreeMap<TempId, Ident>,
    /// Axes whose extent is used as a number.
    lens: BTreeMap<AxisId, Ident>,
}

impl Emitter<'_> {
    /// Names arrays and temporaries first, so that they get the shortest names; then axes and scalars as they are met.
    fn name_everything(&mut self) {
        let plan = self.plan;
        for sweep in sweeps(plan) {
            for operand in &sweep.body.operands {
                self.name_leaf(&operand.leaf);
            }
        }
        for phase in &plan.phases {
            match phase {
                Phase::Gemm(gemm) => [&gemm.a, &gemm.b].iter().for_each(|o| self.name_leaf(&o.leaf)),
                Phase::Scatter(scatter) => scatter.body.operands.iter().for_each(|o| self.name_leaf(&o.leaf)),
                Phase::Scan(scan) => scan.body.operands.iter().for_each(|o| self.name_leaf(&o.leaf)),
                Phase::Nest(_) => {}
            }
        }
        for (i, temp) in plan.temps.iter().enumerate() {
            let id = TempId(i as u32);
            let ident = match temp.scope {
                Scope::Root(k) => match self.args.get(&KernelArg::Root(k)) {
                    Some(ident) => ident.clone(),
                    None => self.arg(KernelArg::Root(k), &temp.name),
                },
                _ => self.names.fresh(&temp.name),
            };
            self.temps.insert(id, ident);
        }
    }
    fn name_leaf(&mut self, leaf: &Leaf) {
        match leaf {
            Leaf::Input(id) => {
                let name = self.graph.inputs[id.0 as usize].name.clone();
                self.arg(KernelArg::Input(*id), &name);
            }
            Leaf::Given(k) => {
                let node = self.plan.given.get(*k as usize).map(|g| g.0);
                let name = node.and_then(|n| self.graph.names.get(&n).cloned()).unwrap_or_else(|| format!("saved{k}"));
                self.arg(KernelArg::Given(*k), &name);
            }
            _ => {}
        }
    }
    /// The name of an argument, which becomes one if it is not yet.
    pub(super) fn arg(&mut self, arg: KernelArg, wanted: &str) -> Ident {
        if let Some(ident) = self.args.get(&arg) {
            return ident.clone();
        }
        let ident = self.names.fresh(&wanted.to_lowercase());
        self.args.insert(arg, ident.clone());
        ident
    }
    pub(super) fn axis(&mut self, axis: AxisId) -> Ident {
        if let Some(ident) = self.axes.get(&axis) {
            return ident.clone();
        }
        let wanted = self.graph.axes[axis.0 as usize].name.to_lowercase();
        let wanted = if self.names.taken.contains(&wanted) { format!("{wanted}_axis") } else { wanted };
        let ident = self.names.fresh(&wanted);
        self.axes.insert(axis, ident.clone());
        ident
    }
    pub(super) fn axis_list(&mut self, axes: impl IntoIterator<Item = AxisId>) -> TokenStream {
        let axes: Vec<Ident> = axes.into_iter().map(|a| self.axis(a)).collect();
        quote!([#(#axes),*])
    }
    /// The variable of an axis' extent.
    pub(super) fn len(&mut self, axis: AxisId) -> Ident {
        if let Some(ident) = self.lens.get(&axis) {
            return ident.clone();
        }
        let wanted = format!("len_{}", self.axis(axis));
        let ident = self.names.fresh(&wanted);
        self.lens.insert(axis, ident.clone());
        ident
    }
    pub(super) fn host(&mut self, host: HostId) -> Ident {
        let name = self.graph.hosts[host.0 as usize].name.clone();
        self.arg(KernelArg::Host(host), &name)
    }
    pub(super) fn local(&mut self, wanted: &str) -> Ident {
        self.names.fresh(wanted)
    }
    /// The names that a body may not use.
    pub(super) fn taken(&self) -> Names {
        let mut names = self.names.clone();
        // arrays do not occur in bodies: their names are free for their elements
        let arrays =
            self.args.iter().filter(|(a, _)| matches!(a, KernelArg::Input(_) | KernelArg::Given(_) | KernelArg::Root(_)));
        arrays.map(|(_, ident)| ident).chain(self.temps.values()).for_each(|ident| {
            names.taken.remove(&ident.to_string());
        });
        names
    }
    /// Whether a leaf's elements are `f64` whatever the layer's type, and more exact than that.
    pub(super) fn is_wide(&self, leaf: &Leaf) -> bool {
        match leaf {
            Leaf::Temp(id) => self.plan.temps[id.0 as usize].elem == Elem::Wide && !self.is_extremum(*id),
            Leaf::Given(k) => self.given.get(*k as usize).is_some_and(|g| g.elem == Elem::Wide),
            Leaf::Input(id) => self.graph.inputs[id.0 as usize].kind == InputKind::DiffScalar,
            _ => false,
        }
    }
    /// The axes of a leaf that is an array of numbers.
    pub(super) fn tensor_axes(&self, leaf: &Leaf) -> Option<AxisSet> {
        match leaf {
            Leaf::Input(id) => {
                let input = &self.graph.inputs[id.0 as usize];
                (!matches!(input.kind, InputKind::Labels | InputKind::DiffScalar)).then(|| input.axes.iter().copied().collect())
            }
            Leaf::Given(k) => {
                let given = self.given.get(*k as usize).filter(|g| g.elem != Elem::Index)?;
                Some(given.axes.iter().copied().collect())
            }
            Leaf::Temp(id) => {
                let temp = &self.plan.temps[id.0 as usize];
                (temp.elem != Elem::Index).then(|| temp.axes.iter().copied().collect())
            }
            _ => None,
        }
    }
    /// Whether a temporary is the largest or smallest of values of the layer's type: one of these.
    fn is_extremum(&self, temp: TempId) -> bool {
        let nests = self.plan.phases.iter().filter_map(|p| if let Phase::Nest(nest) = p { Some(nest) } else { None });
        let sweeps = nests.flat_map(|n| n.steps.iter().chain(&n.after)).filter(|s| !s.wide);
        let mut folds = sweeps.flat_map(|s| &s.body.folds);
        folds.any(|f| f.temp == temp && matches!(f.op, ReduceOp::Max | ReduceOp::Min))
    }
    /// The array that a leaf is.
    fn array(&self, leaf: &Leaf) -> Option<&Ident> {
        match leaf {
            Leaf::Input(id) => self.args.get(&KernelArg::Input(*id)),
            Leaf::Given(k) => self.args.get(&KernelArg::Given(*k)),
            Leaf::Temp(id) => self.temps.get(id),
            _ => None,
        }
    }
    /// What an operand is called in a body.
    pub(super) fn leaf_name(&self, leaf: &Leaf) -> String {
        match leaf {
            Leaf::Index(axes) => {
                let names = axes.iter().map(|a| format!("_{}", self.graph.axes[a.0 as usize].name.to_lowercase()));
                format!("at{}", names.collect::<String>())
            }
            Leaf::Test(_) => "inside".into(),
            Leaf::Random(draw) => match draw.distribution {
                Distribution::Bernoulli => "keep".into(),
                Distribution::Uniform => "uniform".into(),
                Distribution::Normal => "normal".into(),
            },
            leaf => self.array(leaf).map_or("value".into(), ToString::to_string),
        }
    }

    fn phase(&mut self, phase: &Phase) -> TokenStream {
        match phase {
            Phase::Nest(nest) => self.nest(nest),
            Phase::Gemm(gemm) => self.gemm(gemm),
            Phase::Scatter(scatter) => self.scatter(scatter),
            Phase::Scan(scan) => self.scan(scan),
        }
    }
    fn nest(&mut self, nest: &Nest) -> TokenStream {
        let outer = self.axis_list(nest.outer.iter());
        let steps: Vec<TokenStream> = nest.steps.iter().map(|s| self.sweep(s)).collect();
        let after: Vec<TokenStream> = nest.after.iter().map(|s| self.sweep(s)).collect();
        let then = (!after.is_empty()).then(|| quote!(k.after();));
        quote!(k.nest(#outer); #(#steps)* #then #(#after)*)
    }
    fn sweep(&mut self, sweep: &Sweep) -> TokenStream {
        let domain = self.axis_list(sweep.domain.iter());
        let guard = self.guard(&sweep.guard);
        let body = if sweep.wide { self.small_body(&sweep.body, &[]) } else { self.body(&sweep.body, sweep.domain) };
        let (before, data, wide, targets, closure) = (body.before, body.data, body.wide, body.targets, body.closure);
        let open =
            if sweep.wide { quote!(k.each(#domain, [#(#data),*])) } else { quote!(k.sweep(#domain, [#(#data),*], [#(#wide),*])) };
        quote!(#(#before)* #open #guard #targets .body(#closure);)
    }
    fn gemm(&mut self, gemm: &Gemm) -> TokenStream {
        let (a, b) = (self.operand(&gemm.a, &[]), self.operand(&gemm.b, &[]));
        let guard = self.conditions(&gemm.guard);
        let [m, n, k, batch] = [gemm.m, gemm.n, gemm.k, gemm.batch].map(|axes| self.axis_list(axes.iter()));
        let out = &self.temps[&gemm.out];
        quote!(k.gemm(#out, (#a, #m), (#b, #n), #k, #batch, #guard);)
    }
    fn scatter(&mut self, scatter: &Scatter) -> TokenStream {
        let (values, indices) = (self.local("values"), self.local("indices"));
        let domain = self.axis_list(scatter.domain.iter());
        let stored = crate::plan::Body { stores: vec![], folds: vec![], ..scatter.body.clone() };
        let body = self.small_body(&stored, &[(values.clone(), scatter.value), (indices.clone(), scatter.index)]);
        let (before, data, targets, closure) = (body.before, body.data, body.targets, body.closure);
        let (out, axis) = (self.temps[&scatter.out].clone(), self.axis(scatter.axis));
        let word = if scatter.op == ReduceOp::Max { "scatter_max" } else { "scatter_add" };
        let word = Ident::new(word, Span::call_site());
        quote! {
            let (#values, #indices) = (k.wide(#domain), k.wide(#domain));
            k.nest([]);
            #(#before)*
            k.each(#domain, [#(#data),*]) #targets .body(#closure);
            k.#word(#out, #axis, #values, #indices);
        }
    }

    fn scan(&mut self, scan: &Scan) -> TokenStream {
        let (factors, terms) = (self.local("factors"), self.local("terms"));
        let domain = self.axis_list(scan.domain.iter());
        let body = self.small_body(&scan.body, &[(factors.clone(), scan.a), (terms.clone(), scan.b)]);
        let (before, data, targets, closure) = (body.before, body.data, body.targets, body.closure);
        let (out, axis, reverse) = (self.temps[&scan.out].clone(), self.axis(scan.axis), scan.reverse);
        quote! {
            let (#factors, #terms) = (k.wide(#domain), k.wide(#domain));
            k.nest([]);
            #(#before)*
            k.each(#domain, [#(#data),*]) #targets .body(#closure);
            k.scan(#out, #axis, #factors, #terms, #reverse);
        }
    }

    fn finish(mut self, ident: Ident, doc: &str, phases: &[TokenStream]) -> Kernel {
        let krate = self.krate;
        let arrays = self.arrays();
        let used: BTreeSet<String> = phases.iter().flat_map(|p| identifiers(p.clone())).collect();
        let imports = ["Index", "Operand", "Out"].into_iter().filter(|name| used.contains(*name));
        let imports = imports.map(|name| Ident::new(name, Span::call_site()));
        let lens: Vec<TokenStream> = self
            .lens
            .iter()
            .map(|(a, len)| {
                let axis = &self.axes[a];
                quote!(let #len = space.len(#axis);)
            })
            .collect();
        let axes = (0..self.graph.axes.len()).map(|i| match self.axes.get(&AxisId(i as u8)) {
            Some(ident) => quote!(#ident),
            None => quote!(_),
        });
        let axes = quote!(let [#(#axes),*] = space.axes(););
        let (mut args, mut fields) = (vec![KernelArg::Space], vec![Ident::new("space", Span::mixed_site())]);
        for (arg, ident) in &self.args {
            args.push(*arg);
            fields.push(ident.clone());
        }
        let types: Vec<TokenStream> = args.iter().map(|a| self.field_type(a)).collect();
        // without a gradient there is a backward pass that borrows nothing
        let borrows = args.iter().any(|a| matches!(a, KernelArg::Input(_) | KernelArg::Given(_) | KernelArg::Root(_)));
        let (lifetime, elided) = if borrows { (quote!(<'a>), quote!(<'_>)) } else { (quote!(), quote!()) };
        let doc = (!doc.is_empty()).then(|| quote!(#[doc = #doc]));
        let tokens = quote! {
            #doc
            struct #ident #lifetime { #(#fields: #types),* }
            const _: () = {
                use #krate::drivers::{At, Kernel, Lane, #(#imports,)* Vector};
                impl<T: Lane> Kernel<T> for #ident #elided {
                    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
                        let Self { #(#fields),* } = self;
                        #axes
                        #(#lens)*
                        let mut k = at.script(space);
                        #(#arrays)*
                        #(#phases)*
                        k.run();
                    }
                }
            };
        };
        Kernel { ident, tokens: ours(tokens), args, fields }
    }

    /// Declares the arrays: what is read, results, temporaries.
    fn arrays(&mut self) -> Vec<TokenStream> {
        let mut lets = vec![];
        for (arg, ident) in self.args.clone() {
            let (method, axes) = match arg {
                KernelArg::Input(id) => ("input", self.graph.inputs[id.0 as usize].axes.clone()),
                KernelArg::Given(k) => {
                    let given = &self.given[k as usize];
                    (if given.elem == Elem::Index { "input_index" } else { "input" }, given.axes.clone())
                }
                KernelArg::Root(k) => {
                    let root = &self.roots[k as usize];
                    (if root.elem == Elem::Index { "root_index" } else { "root" }, root.axes.clone())
                }
                _ => continue,
            };
            let (method, axes) = (Ident::new(method, Span::call_site()), self.axis_list(axes));
            lets.push(quote!(let #ident = k.#method(#ident, #axes);));
        }
        for (id, ident) in self.temps.clone() {
            let temp = &self.plan.temps[id.0 as usize];
            let method = match (temp.scope, temp.elem) {
                (Scope::Root(_), _) => continue,
                (_, Elem::Data) => "data",
                (_, Elem::Wide) => "wide",
                (_, Elem::Index) => "indices",
            };
            let (method, axes) = (Ident::new(method, Span::call_site()), self.axis_list(temp.axes.clone()));
            lets.push(quote!(let #ident = k.#method(#axes);));
        }
        lets
    }
    fn field_type(&self, arg: &KernelArg) -> TokenStream {
        let drivers = {
            let krate = self.krate;
            quote!(#krate::drivers)
        };
        match arg {
            KernelArg::Space => quote!(#drivers::Space),
            KernelArg::Input(_) => quote!(#drivers::View<'a>),
            KernelArg::Given(k) => match self.given[*k as usize].elem {
                Elem::Data | Elem::Wide => quote!(#drivers::View<'a>),
                Elem::Index => quote!(#drivers::IndexView<'a>),
            },
            KernelArg::Root(k) => match self.roots[*k as usize].elem {
                Elem::Data | Elem::Wide => quote!(#drivers::Target<'a>),
                Elem::Index => quote!(#drivers::IndexTarget<'a>),
            },
            KernelArg::Host(_) => quote!(f64),
            KernelArg::Seed(_) => quote!(u64),
            KernelArg::Int(_) => quote!(i64),
        }
    }
}

/// The tokens with variables that are nobody's but ours.
fn ours(tokens: TokenStream) -> TokenStream {
    let respan = |tree: proc_macro2::TokenTree| match tree {
        proc_macro2::TokenTree::Group(group) => {
            let mut inner = proc_macro2::Group::new(group.delimiter(), ours(group.stream()));
            inner.set_span(Span::mixed_site());
            inner.into()
        }
        mut other => {
            other.set_span(Span::mixed_site());
            other
        }
    };
    tokens.into_iter().map(respan).collect()
}

fn identifiers(tokens: TokenStream) -> Vec<String> {
    let mut found = vec![];
    for tree in tokens {
        match tree {
            proc_macro2::TokenTree::Group(group) => found.extend(identifiers(group.stream())),
            proc_macro2::TokenTree::Ident(ident) => found.push(ident.to_string()),
            _ => {}
        }
    }
    found
}

/// Every sweep of a plan, in order.
fn sweeps(plan: &Plan) -> impl Iterator<Item = &Sweep> {
    plan.phases.iter().flat_map(|p| match p {
        Phase::Nest(nest) => nest.steps.iter().chain(&nest.after),
        Phase::Gemm(_) | Phase::Scatter(_) | Phase::Scan(_) => [].iter().chain(&[]),
    })
}
