//! Formulas from source files through the engine's first stages, and evaluated by its interpreter.

use proc_macro2::{TokenStream, TokenTree};
use pullback::ndarray::ArrayD;
use pullback_derivations::build::{Built, build};
use pullback_derivations::differentiate::reverse;
use pullback_derivations::elaborate::{Binding, Library, Outcome, Typed, elaborate};
use pullback_derivations::error::Errors;
use pullback_derivations::graph::eval::Env;
use pullback_derivations::graph::{AxisId, AxisSet, Graph, Input, InputKind, NodeId};
use pullback_derivations::syntax::{self, Formula, ParamKind};
use quote::{ToTokens, quote};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::expansion::arguments;
pub use crate::host::Constant;

/// The formulas of some source files.
pub struct Formulas {
    items: BTreeMap<String, syn::ItemFn>,
    library: Library,
}

/// What a formula says to one call. Arrays are in the declared order of axes, `Many` axes as one.
#[derive(Debug)]
pub struct Answer {
    pub outputs: Vec<ArrayD<f64>>,
    /// The new values of the states, by name.
    pub states: BTreeMap<String, ArrayD<f64>>,
    /// The gradient of each differentiable argument, by name.
    pub grads: BTreeMap<String, ArrayD<f64>>,
}

/// The arguments of a call, by name. An optional tensor that is not there is absent.
#[derive(Clone, Default)]
pub struct Call {
    pub tensors: BTreeMap<&'static str, ArrayD<f64>>,
    pub constants: BTreeMap<&'static str, Constant>,
}

impl Call {
    #[must_use]
    pub fn tensor(mut self, name: &'static str, value: ArrayD<f64>) -> Self {
        self.tensors.insert(name, value);
        self
    }
    #[must_use]
    pub fn constant(mut self, name: &'static str, value: impl Into<Constant>) -> Self {
        self.constants.insert(name, value.into());
        self
    }
}

/// The formulas of a file, by name.
fn items(file: syn::File) -> BTreeMap<String, syn::ItemFn> {
    let is_formula = |a: &syn::Attribute| a.path().is_ident("derive_backward");
    let function = |item| match item {
        syn::Item::Fn(function) if function.attrs.iter().any(is_formula) => Some(function),
        _ => None,
    };
    let named = |mut function: syn::ItemFn| {
        function.attrs.retain(is_formula);
        (function.sig.ident.to_string(), function)
    };
    file.items.into_iter().filter_map(function).map(named).collect()
}

/// The formulas that one of them calls, or all, each with those that it calls.
fn library(items: &BTreeMap<String, syn::ItemFn>, caller: Option<&syn::ItemFn>) -> Library {
    let mut called = BTreeSet::new();
    match caller {
        Some(function) => calls(function.block.to_token_stream(), &mut called),
        None => called.extend(items.keys().cloned()),
    }
    let (mut library_of_these, mut errors) = (Library::default(), Errors::default());
    for (name, item) in items.iter().filter(|(name, _)| called.contains(*name)) {
        library_of_these.add(&mut errors, name, library(items, Some(item)).bundle(item));
    }
    assert!(errors.is_empty(), "{:?}", errors.messages());
    library_of_these
}

/// The names before parentheses.
fn calls(tokens: TokenStream, found: &mut BTreeSet<String>) {
    let mut name = None;
    for token in tokens {
        if let TokenTree::Group(group) = &token {
            found.extend(name.take());
            calls(group.stream(), found);
        }
        name = match token {
            TokenTree::Ident(ident) => Some(ident.to_string()),
            _ => None,
        };
    }
}

impl Formulas {
    /// The formulas in these files or folders, relative to the workspace. They may call each other.
    ///
    /// # Panics
    /// If a file cannot be read.
    pub fn read(places: &[&str]) -> Formulas {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut files = Vec::new();
        for place in places {
            let path = root.join(place);
            match fs::read_dir(&path) {
                Ok(folder) => files.extend(folder.map(|entry| entry.expect("an entry").path())),
                Err(_) => files.push(path),
            }
        }
        let mut formulas = Formulas::none();
        for file in files {
            let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            formulas.items.extend(items(syn::parse_file(&text).expect("a Rust file")));
        }
        formulas.library = library(&formulas.items, None);
        formulas
    }

    /// No formulas.
    pub(crate) fn none() -> Formulas {
        Formulas { items: BTreeMap::new(), library: Library::default() }
    }

    /// One formula more, which may call those that are there.
    pub(crate) fn learn(&mut self, function: &syn::ItemFn) {
        let bundle = self.library.bundle(function);
        self.library.add(&mut Errors::default(), &function.sig.ident.to_string(), bundle);
    }

    /// The formulas in the modules of a file, called by their paths (`module::function`), and each with its module.
    ///
    /// # Panics
    /// If the file cannot be read.
    pub fn modules(place: &str) -> (Formulas, Vec<(String, syn::ItemFn)>) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(place);
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut formulas = Formulas { items: BTreeMap::new(), library: Library::default() };
        let mut found = vec![];
        let mut errors = Errors::default();
        for item in syn::parse_file(&text).expect("a Rust file").items {
            let syn::Item::Mod(module) = item else { continue };
            let items = module.content.map(|(_, items)| items).unwrap_or_default();
            for item in items {
                let syn::Item::Fn(mut function) = item else { continue };
                function.attrs.clear();
                let (outer, name) = (&module.ident, &function.sig.ident);
                formulas.library.add(&mut errors, &quote!(#outer::#name).to_string(), Library::default().bundle(&function));
                found.push((outer.to_string(), function));
            }
        }
        assert!(errors.is_empty(), "{:?}", errors.messages());
        (formulas, found)
    }

    /// The formulas that have kernels of their own, which helpers have not.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let own = |item| !syntax::Options::parse(&mut Errors::default(), arguments(item)).helper;
        self.items.iter().filter(move |(_, item)| own(item)).map(|(name, _)| name.as_str())
    }

    /// How many kernels a formula has: one a combination of its branches.
    ///
    /// # Panics
    /// If the formula is wrong.
    pub fn variants(&self, name: &str) -> usize {
        let (formula, variants) = self.typed(name);
        let mut errors = Errors::default();
        for typed in &variants {
            build(&mut errors, &formula, typed);
        }
        assert!(errors.is_empty(), "{name}: {:?}", errors.messages());
        variants.len()
    }

    pub(crate) fn library(&self) -> &Library {
        &self.library
    }

    fn typed(&self, name: &str) -> (Formula, Vec<Typed>) {
        let item = &self.items[name];
        let mut errors = Errors::default();
        let options = syntax::Options::parse(&mut errors, arguments(item));
        let formula = syntax::parse(&mut errors, &options, quote!(#item));
        let formula = formula.unwrap_or_else(|| panic!("{name}: {:?}", errors.messages()));
        let outcome = elaborate(&mut errors, &formula, &self.library);
        assert!(errors.is_empty(), "{name}: {:?}", errors.messages());
        let Outcome::Typed(variants) = outcome else { panic!("{name} calls something unknown") };
        (formula, variants)
    }

    /// Evaluates a formula with one output, and its raw derivative under the cotangent `dy`.
    ///
    /// # Panics
    /// If the formula is wrong, or does not fit the call.
    pub fn evaluate(&self, name: &str, call: &Call, dy: &ArrayD<f64>) -> Answer {
        let item = &self.items[name];
        self.answer(item, call, std::slice::from_ref(dy)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The same of a formula that may call these.
    ///
    /// # Errors
    /// The messages of a formula that is wrong.
    pub(crate) fn answer(&self, item: &syn::ItemFn, call: &Call, dys: &[ArrayD<f64>]) -> Result<Answer, String> {
        let mut errors = Errors::default();
        let options = syntax::Options::parse(&mut errors, arguments(item));
        let formula = syntax::parse(&mut errors, &options, quote!(#item));
        let formula = formula.ok_or_else(|| format!("{:?}", errors.messages()))?;
        let outcome = elaborate(&mut errors, &formula, &self.library);
        let Outcome::Typed(variants) = outcome else { return Err("calls something unknown".into()) };
        let typed = variants.iter().find(|t| call.takes(t)).ok_or_else(|| format!("{:?}", errors.messages()))?;
        let built = build(&mut errors, &formula, typed);
        if !errors.is_empty() {
            return Err(format!("{:?}", errors.messages()));
        }
        Ok(Evaluation { formula: &formula, typed, call, env: Env::default() }.run(built, dys))
    }
}

/// A call while it is evaluated.
pub(crate) struct Evaluation<'a> {
    pub(crate) formula: &'a Formula,
    pub(crate) typed: &'a Typed,
    pub(crate) call: &'a Call,
    pub(crate) env: Env,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn run(mut self, built: Built, dys: &[ArrayD<f64>]) -> Answer {
        let Built { mut graph, outputs, states, params, .. } = built;
        let promised = &self.typed.output_axes;
        let floats = (0..outputs.len()).filter(|k| !self.formula.outputs[*k].integer);
        let cotangents: Vec<(NodeId, NodeId)> = floats
            .map(|k| (outputs[k], graph.add_input(&format!("dy{k}"), &promised[k], InputKind::Cotangent(k as u32))))
            .collect();
        let differentiable: Vec<(usize, NodeId)> = (0..params.len())
            .filter(|i| matches!(self.formula.params[*i].kind, ParamKind::Tensor { constant: false, .. } | ParamKind::Diff))
            .filter_map(|i| Some((i, params[i]?)))
            .collect();
        let wrt: Vec<NodeId> = differentiable.iter().map(|(_, node)| *node).collect();
        let grads = reverse(&mut graph, &cotangents, &wrt);

        self.supply(&graph, dys);
        let values = graph.eval(&self.env);
        let array = |node: NodeId, order: &[AxisId]| self.in_order(&graph, &values, node, order);
        let param = |index: usize| self.formula.params[index].name.to_string();
        let order = |index: usize| {
            let name = param(index);
            graph.inputs.iter().find(|input| input.name == name).expect("an input that is read").axes.clone()
        };
        Answer {
            outputs: outputs.iter().zip(promised).map(|(node, axes)| array(*node, axes)).collect(),
            states: states.iter().map(|(i, node)| (param(*i), array(*node, &order(*i)))).collect(),
            grads: differentiable.iter().zip(&grads).map(|((i, _), node)| (param(*i), array(*node, &order(*i)))).collect(),
        }
    }

    /// The outputs alone.
    pub(crate) fn outputs(mut self, built: &Built) -> Vec<ArrayD<f64>> {
        self.supply(&built.graph, &[]);
        let values = built.graph.eval(&self.env);
        let promised = self.typed.output_axes.iter();
        built.outputs.iter().zip(promised).map(|(node, axes)| self.in_order(&built.graph, &values, *node, axes)).collect()
    }

    /// What a call supplies to a graph of the formula.
    pub(crate) fn new(formula: &'a Formula, typed: &'a Typed, call: &'a Call, graph: &Graph, dys: &[ArrayD<f64>]) -> Self {
        let mut evaluation = Evaluation::bare(formula, typed, call);
        evaluation.supply(graph, dys);
        evaluation
    }

    /// Before anything is supplied.
    pub(crate) fn bare(formula: &'a Formula, typed: &'a Typed, call: &'a Call) -> Self {
        Evaluation { formula, typed, call, env: Env::default() }
    }

    /// The call's cotangents are one an output, also where it has none.
    fn supply(&mut self, graph: &Graph, dys: &[ArrayD<f64>]) {
        self.sizes(graph);
        let value = |input: &Input| match input.kind {
            InputKind::Cotangent(k) => dys.get(k as usize),
            _ => self.call.tensors.get(input.name.as_str()),
        };
        // nothing reads an optional argument that is absent
        let zeros = |input: &Input| vec![0.0; self.env.size(input.axes.iter().copied().collect())];
        let values = graph.inputs.iter().map(|i| value(i).map_or_else(|| zeros(i), |value| self.by_id(value, &i.axes)));
        self.env.inputs = values.collect();
    }

    /// Extents and constants, in the order in which a call computes them.
    pub(crate) fn sizes(&mut self, graph: &Graph) {
        self.env.lens = vec![0; graph.axes.len()];
        self.env.hosts = vec![0.0; graph.hosts.len()];
        // those of arguments that nothing reads too
        for param in &self.formula.params {
            let (ParamKind::Tensor { axes, .. } | ParamKind::State { axes, .. } | ParamKind::Labels { axes }) = &param.kind
            else {
                continue;
            };
            let Some(value) = self.call.tensors.get(param.name.to_string().as_str()) else { continue };
            let spread = value.ndim() + 1 - axes.entries.len().min(value.ndim() + 1);
            let mut at = 0;
            for entry in &axes.entries {
                let dims = if entry.many { spread } else { 1 };
                let axis = self.typed.axes.iter().position(|a| entry.name == a.name);
                if let Some(axis) = axis.filter(|a| *a < self.env.lens.len()) {
                    self.env.lens[axis] = value.shape()[at..at + dims].iter().product();
                }
                at += dims;
            }
        }
        for binding in &self.typed.bindings {
            match binding {
                Binding::Axis(axis) => {
                    if let Some(extent) = self.typed.axes[axis.0 as usize].extent {
                        self.env.lens[axis.0 as usize] = self.env.int(&graph.ints, extent) as usize;
                    }
                }
                Binding::Host(host) => {
                    let lens = &self.env.lens;
                    self.env.hosts[host.0 as usize] = self.call.scalar(&self.typed.hosts[host.0 as usize].tokens, lens);
                }
                Binding::Check(_) => {}
            }
        }
    }

    /// An array over declared axes as the interpreter wants it: row-major in axis-id order.
    fn by_id(&self, value: &ArrayD<f64>, axes: &[AxisId]) -> Vec<f64> {
        let shape: Vec<usize> = axes.iter().map(|a| self.env.lens[a.0 as usize]).collect();
        let value = ArrayD::from_shape_vec(shape, value.iter().copied().collect()).expect("extents that agree");
        let mut order: Vec<usize> = (0..axes.len()).collect();
        order.sort_by_key(|i| axes[*i]);
        value.permuted_axes(order).iter().copied().collect()
    }

    /// A node's values as an array over the axes in this order, broadcast along those that it lacks.
    fn in_order(&self, graph: &Graph, values: &[Vec<f64>], node: NodeId, order: &[AxisId]) -> ArrayD<f64> {
        self.spread(&values[node.0 as usize], graph.axes_of(node), order)
    }

    /// Values over some axes, row-major in axis-id order, as an array over the axes in this order.
    pub(crate) fn spread(&self, values: &[f64], axes: AxisSet, order: &[AxisId]) -> ArrayD<f64> {
        let shape: Vec<usize> = order.iter().map(|a| self.env.lens[a.0 as usize]).collect();
        let mut at = [0; AxisSet::CAPACITY];
        let mut out = Vec::new();
        self.env.each_in(order, &mut at, &mut |at| out.push(values[self.env.offset(axes, at)]));
        ArrayD::from_shape_vec(shape, out).expect("as many as the extents say")
    }
}

impl Call {
    /// A constant that is a number.
    ///
    /// # Panics
    /// If it is none.
    pub fn number(&self, name: &str) -> f64 {
        match self.constants.get(name) {
            Some(Constant::Number(value)) => *value,
            other => panic!("{name} is {other:?}"),
        }
    }
    pub(crate) fn scalar(&self, tokens: &impl ToTokens, lens: &[usize]) -> f64 {
        crate::host::number(tokens, &|name| self.variable(name, lens))
    }
    /// Whether this specialisation serves the call.
    pub(crate) fn takes(&self, typed: &Typed) -> bool {
        typed.decisions.iter().all(|d| self.holds(&d.tokens) == d.value)
    }
    fn holds(&self, tokens: &impl ToTokens) -> bool {
        self.scalar(tokens, &[]) != 0.0
    }
    /// `len_n_0` is the extent of axis 0; other names are arguments.
    pub(crate) fn variable(&self, name: &str, lens: &[usize]) -> Constant {
        if let Some(axis) = name.strip_prefix("len_").and_then(|rest| rest.rsplit_once('_')).and_then(|(_, n)| n.parse().ok()) {
            let axis: usize = axis;
            return Constant::Number(lens[axis] as f64);
        }
        let present = self.tensors.contains_key(name);
        self.constants.get(name).cloned().unwrap_or(Constant::Present(present))
    }
}
