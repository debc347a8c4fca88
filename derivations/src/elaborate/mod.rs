//! Stage 2: names, axes and branches. A [`Formula`] becomes straight-line [`Typed`] terms.
//!
//! In: a parsed formula and the formulas it may call. Out: one [`Typed`] for each combination of branches, with every
//! call inlined, loops unrolled, and every value's axes known; or errors; or the paths of formulas still to be fetched.
//! Invariants of the result: a term's arguments come before it; axes are numbered in order of first appearance.

mod adaptive;
mod advice;
mod arms;
mod call;
mod callees;
mod control;
mod expr;
mod frame;
mod host;
mod pad;
mod reduce;
mod reindex;
mod rust_types;
mod scan;
mod scatter;
pub mod typed;
mod value;
mod whole;
mod words;

pub use advice::unused;
pub use call::{Library, misspelt, recursion};
pub use callees::{callees, own_call};
pub use host::len_ident;
pub use typed::{Binding, Check, Decision, HostKind, Padding, Reduction, Term, TermFill, TermId, TermOp, Typed};

use crate::error::Errors;
use crate::graph::AxisId;
use crate::syntax::{AxisList, Formula, Output, ParamKind};
use frame::Frame;
use proc_macro2::{Span, TokenStream, TokenTree};
use std::collections::HashMap;
use typed::AxisDef;
use value::{Optional, Tensor, Value};

/// The most specialisations of one formula.
const MAX_VARIANTS: usize = 16;

/// What elaboration came to.
pub enum Outcome {
    /// One formula a combination of branches.
    Typed(Vec<Typed>),
    /// Formulas that are called and not in the library. None: one that is called has errors, reported where it stands.
    Needs(Vec<syn::Path>),
}

/// Elaborates every specialisation of a formula.
pub fn elaborate(errors: &mut Errors, formula: &Formula, library: &Library) -> Outcome {
    let mut done = Vec::new();
    let mut needs: Vec<syn::Path> = Vec::new();
    let mut open: Vec<Vec<Decision>> = vec![vec![]];
    let mut blocked = false;
    while let Some(decisions) = open.pop() {
        let mut e = Elaborator::new(errors, library, decisions);
        e.formula(formula);
        blocked |= e.blocked;
        match e.undecided.take() {
            Some((tokens, code)) => {
                for value in [false, true] {
                    let decision = Decision { tokens: tokens.clone(), code: code.clone(), value };
                    open.push(e.typed.decisions.iter().cloned().chain([decision]).collect());
                }
            }
            None => {
                needs.append(&mut e.needs);
                done.push(e.typed);
            }
        }
        if done.len() + open.len() > MAX_VARIANTS {
            errors.at(
                &formula.name,
                format!("the branches of this formula combine to more than {MAX_VARIANTS} kernels: split it into formulas, or `select` between values"),
            );
            break;
        }
    }
    if needs.is_empty() && !blocked { Outcome::Typed(done) } else { Outcome::Needs(needs) }
}

fn count_names(tokens: TokenStream, counts: &mut HashMap<String, usize>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => *counts.entry(ident.to_string()).or_insert(0) += 1,
            TokenTree::Group(group) => count_names(group.stream(), counts),
            _ => {}
        }
    }
}

/// The state of one elaboration.
struct Elaborator<'a> {
    errors: &'a mut Errors,
    typed: Typed,
    frames: Vec<Frame>,
    needs: Vec<syn::Path>,
    /// The first branch that no decision covers: the elaboration is void and begins again with it decided.
    undecided: Option<(TokenStream, String)>,
    /// Numbers the draws in textual order.
    draws: u32,
    /// The value of each state argument now.
    states: Vec<(usize, TermId, bool)>,
    /// The axes of each state argument, as declared.
    state_orders: Vec<(usize, Vec<AxisId>)>,
    /// Reads of state whose value has a gradient, which ends there.
    cuts: Vec<TermId>,
    /// The receiver of the method call at hand, and its value.
    receiver: Option<(*const syn::Expr, Value)>,
    /// Calls, by their first argument, and the axes that their values are promised to have.
    promises: Vec<(*const syn::Expr, Vec<String>)>,
    /// The arguments of the outermost formula that are constants of the call, and what they are.
    constants: Vec<(String, ParamKind)>,
    /// An argument's type is an error, so its axes are not known.
    unknown_axes: bool,
    /// Something that may introduce axes is an error, or not known yet, so neither are they.
    pending_axes: bool,
    /// How often the formula mentions each name.
    mentions: HashMap<String, usize>,
    /// A formula that is called has errors of its own.
    blocked: bool,
    /// How deep the expression at hand lies, and how many there were.
    depth: usize,
    steps: usize,
}

impl<'a> Elaborator<'a> {
    fn new(errors: &'a mut Errors, library: &Library, decisions: Vec<Decision>) -> Self {
        let typed = Typed { decisions, ..Typed::default() };
        Elaborator {
            errors,
            typed,
            frames: vec![Frame::root(library.clone())],
            needs: vec![],
            undecided: None,
            draws: 0,
            states: vec![],
            state_orders: vec![],
            cuts: vec![],
            receiver: None,
            promises: vec![],
            constants: vec![],
            unknown_axes: false,
            pending_axes: false,
            mentions: HashMap::new(),
            blocked: false,
            depth: 0,
            steps: 0,
        }
    }

    fn formula(&mut self, formula: &Formula) {
        self.frame().stack.push(formula.name.to_string());
        let item = &formula.item;
        count_names(quote::quote!(#item), &mut self.mentions);
        for (index, param) in formula.params.iter().enumerate() {
            match &param.kind {
                ParamKind::Axes => self
                    .errors
                    .at(&param.name, "only helpers take axes as arguments: mark the function `#[derive_backward(helper)]`"),
                ParamKind::Unknown => self.unknown_axes = true,
                kind => self.constants.push((param.name.to_string(), kind.clone())),
            }
            let value = self.param(index, param);
            self.frame().bind(&param.name.to_string(), value, false);
        }
        self.promise_results(formula);
        let result = self.block(&formula.body, true);
        if self.undecided.is_some() {
            return;
        }
        self.outputs(formula, result);
        self.check_cuts();
        let assigned = self.states.iter().filter(|s| s.2).map(|s| (s.0, s.1));
        self.typed.states = assigned.collect();
    }

    /// What a formula's last expression is promised to have.
    fn promise_results(&mut self, formula: &Formula) {
        let Some(syn::Stmt::Expr(result, None)) = formula.body.stmts.last() else { return };
        match (result, formula.outputs.as_slice()) {
            (syn::Expr::Tuple(t), outputs) if t.elems.len() == outputs.len() => {
                t.elems.iter().zip(outputs).for_each(|(e, output)| self.promise(e, &output.axes));
            }
            (result, [output]) => self.promise(result, &output.axes),
            _ => {}
        }
    }

    /// The value of an argument of the outermost formula.
    fn param(&mut self, index: usize, param: &crate::syntax::Param) -> Value {
        let span = param.name.span();
        let name = &param.name;
        match &param.kind {
            ParamKind::Tensor { axes, constant, optional, .. } => {
                let order = self.declare(axes);
                if *optional {
                    let present = quote::quote!(#name.is_some());
                    let value = self.param_term(index, &order, span, !constant, name);
                    let present = Optional::Param { index, present };
                    self.frame().optionals.insert(index, value);
                    return Value::Optional(present);
                }
                self.param_term(index, &order, span, !constant, name)
            }
            ParamKind::Labels { axes } => {
                let order = self.declare(axes);
                let value = self.param_term(index, &order, span, false, name);
                if let Value::Tensor(t) = &value {
                    self.typed.terms[t.term.0 as usize].integer = true;
                }
                value
            }
            ParamKind::State { axes, .. } => {
                let order = self.declare(axes);
                let axes = order.iter().copied().collect();
                let term = self.term_named(TermOp::State(index), vec![], axes, span, name);
                self.states.push((index, term, false));
                self.state_orders.push((index, order));
                Value::State(index)
            }
            ParamKind::Diff => self.param_term(index, &[], span, true, name),
            ParamKind::Scalar(_) | ParamKind::Window(_) | ParamKind::Seed => Value::Host(host::of_ident(name)),
            ParamKind::Axes | ParamKind::Unknown => Value::Poison,
        }
    }

    fn param_term(&mut self, index: usize, order: &[AxisId], span: Span, differentiable: bool, name: &syn::Ident) -> Value {
        let axes = order.iter().copied().collect();
        let term = self.term_named(TermOp::Param(index), vec![], axes, span, name);
        self.typed.terms[term.0 as usize].differentiable = differentiable;
        Value::Tensor(Tensor { term, order: Some(order.to_vec()) })
    }

    fn term_named(
        &mut self,
        op: TermOp,
        args: Vec<TermId>,
        axes: crate::graph::AxisSet,
        span: Span,
        name: &syn::Ident,
    ) -> TermId {
        let term = self.term(op, args, axes, span);
        self.typed.terms[term.0 as usize].name = Some(name.to_string());
        term
    }

    /// The axes of an argument's list; those not seen before are declared.
    fn declare(&mut self, list: &AxisList) -> Vec<AxisId> {
        let mut order = Vec::new();
        for entry in &list.entries {
            let name = entry.name.to_string();
            if let Some(known) = self.frame().axes.get(&name).cloned() {
                let many = known.iter().any(|a| self.typed.axes[a.0 as usize].many);
                if many != entry.many {
                    self.errors
                        .at(&entry.name, format!("axis `{name}` stands both as `{name}` and as `Many<{name}>`: choose one"));
                }
                order.extend(known);
                continue;
            }
            if let Some(axis) = self.new_axis(&name, None, entry.many, entry.name.span()) {
                self.typed.bindings.push(Binding::Axis(axis));
                self.frame().axes.insert(name, vec![axis]);
                order.push(axis);
            }
        }
        order
    }

    /// A new axis; `None` (and an error) if there are too many.
    fn new_axis(&mut self, name: &str, extent: Option<crate::graph::IntId>, many: bool, span: Span) -> Option<AxisId> {
        let index = self.typed.axes.len();
        if index >= crate::graph::AxisSet::CAPACITY {
            self.errors.span(span, "a formula has at most 64 axes: split it into formulas that call each other");
            return None;
        }
        // the cost model's idea of a batch, channels, rows and columns
        let canonical = match index {
            _ if many => 784,
            0 => 32,
            1 => 64,
            _ => 28,
        };
        self.typed.axes.push(AxisDef { name: name.into(), first_name: name.into(), extent, many, canonical });
        Some(AxisId(index as u8))
    }

    fn outputs(&mut self, formula: &Formula, result: Value) {
        let values = match result {
            Value::Poison => return,
            Value::Tuple(values) if formula.tuple || values.len() != 1 => values,
            value => vec![value],
        };
        if !formula.sound && (values.len() != formula.outputs.len() || formula.body.stmts.is_empty()) {
            return; // the promise itself is an error, or the body could not be read
        }
        let result: &dyn quote::ToTokens = match formula.body.stmts.last() {
            Some(syn::Stmt::Expr(e, None)) => e,
            Some(syn::Stmt::Expr(e, Some(_))) => e,
            Some(stmt) => stmt,
            None => {
                self.errors.at(&formula.name, "this formula has no result: its body is empty");
                return;
            }
        };
        if values.len() != formula.outputs.len() {
            let number = |n: usize| if n == 1 { "one output".into() } else { format!("{n} outputs") };
            let (found, promised) = (number(values.len()), number(formula.outputs.len()));
            self.errors.at(result, format!("the formula gives {found}, and its signature promises {promised}"));
            return;
        }
        let parts: Vec<&dyn quote::ToTokens> = match formula.body.stmts.last() {
            Some(syn::Stmt::Expr(syn::Expr::Tuple(t), None)) if formula.tuple => t.elems.iter().map(|e| e as _).collect(),
            _ => vec![result; values.len()],
        };
        for ((value, promised), at) in values.into_iter().zip(&formula.outputs).zip(parts) {
            if let Some(term) = self.output(value, promised, at) {
                self.typed.outputs.push(term);
            }
        }
    }

    /// The axes of a promised list, in its order; `None` (and an error) where one is not known.
    fn promised_order(&mut self, list: &AxisList) -> Option<Vec<AxisId>> {
        let mut order = Vec::new();
        for entry in &list.entries {
            match self.frame().axes_named(&entry.name.to_string()) {
                Some(axes) => order.extend(axes.clone()),
                None => {
                    self.unknown_axis(&entry.name);
                    return None;
                }
            }
        }
        Some(order)
    }

    fn output(&mut self, value: Value, promised: &Output, at: &dyn quote::ToTokens) -> Option<TermId> {
        if let Value::Tensor(t) = &value {
            self.name_axes(&promised.axes, t);
        }
        let span = syn::spanned::Spanned::span(&quote::quote!(#at));
        if matches!(value, Value::Unit) {
            self.errors.at(at, "a formula ends with its result: add the expression that the signature promises");
            return None;
        }
        let term = self.tensor(&value, span)?;
        let order = self.promised_order(&promised.axes)?;
        let promised_set: crate::graph::AxisSet = order.iter().copied().collect();
        let extra = self.typed.terms[term.0 as usize].axes - promised_set;
        if let Some(axis) = extra.iter().next() {
            let name = self.axis_name(axis);
            let origin = self.origin(term, axis);
            let promise = crate::syntax::list_text(&order.iter().map(|a| self.axis_name(*a)).collect::<Vec<_>>());
            let with = crate::syntax::list_text(&(order.iter().chain([&axis]).map(|a| self.axis_name(*a))).collect::<Vec<_>>());
            self.errors.at(
                at,
                format!("the result has axis `{name}`, brought in by {origin}, and `{promise}` is promised: reduce over it, as in `sum(.., {name})`, or promise `{with}`"),
            );
            return None;
        }
        if promised.integer && !self.is_whole(term) {
            self.errors.at(at, "an output of `i64` is made of whole numbers (`argmax`, labels, `index(..)`, sums and products of these), and this is not");
        }
        self.typed.output_axes.push(order);
        Some(term)
    }

    fn frame(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("the root frame is never left")
    }
}

#[cfg(test)]
mod tests;
