//! Formulas through every stage of the engine, each answer against one that shares none of its code.

use crate::formulas::{Answer, Call, Evaluation, Formulas};
use approx::relative_eq;
use pullback::ndarray::ArrayD;
use pullback_derivations::elaborate::{Outcome, elaborate};
use pullback_derivations::emit::Variant;
use pullback_derivations::error::Errors;
use pullback_derivations::graph::{AxisId, AxisSet, Graph};
use pullback_derivations::plan::interpret;
use pullback_derivations::syntax::{self, Formula, ParamKind};
use pullback_derivations::{simplify, variant};
use quote::quote;

/// How many slopes were compared, and how many could not be: the formula has a kink there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slopes {
    pub judged: usize,
    pub unjudged: usize,
}

impl Formulas {
    /// Derives `item`, which may call these formulas, and runs its plans. The forward plan is compared with the graph as
    /// it was built, the backward plan with the raw adjoint.
    ///
    /// # Errors
    /// What disagrees, or the messages of a formula that is wrong.
    pub fn check_plans(&self, item: &syn::ItemFn, call: &Call, dy: &ArrayD<f64>) -> Result<(), String> {
        let dys = std::slice::from_ref(dy);
        let raw = self.answer(item, call, dys)?;
        let (formula, variant) = self.derive(item, call)?;
        let evaluation = Evaluation::new(&formula, &variant.typed, call, &variant.graph, dys);
        run_plans(&variant, &evaluation, &Expected::of(&raw))
    }

    fn derive(&self, item: &syn::ItemFn, call: &Call) -> Result<(Formula, Variant), String> {
        let mut errors = Errors::default();
        let formula = syntax::parse(&mut errors, &syntax::Options::default(), quote!(#item));
        let formula = formula.ok_or_else(|| format!("{:?}", errors.messages()))?;
        let outcome = elaborate(&mut errors, &formula, self.library());
        let Outcome::Typed(variants) = outcome else { return Err("calls something unknown".into()) };
        let taken = variants.into_iter().find(|t| call.takes(t)).ok_or_else(|| format!("{:?}", errors.messages()))?;
        let variant = variant(&mut errors, &formula, taken, &simplify::Options::default());
        if errors.is_empty() { Ok((formula, variant)) } else { Err(format!("{:?}", errors.messages())) }
    }

    /// The raw adjoint against differences of the formula, along one direction of each argument.
    ///
    /// # Errors
    /// As [`Formulas::check_plans`].
    pub fn check_slopes(&self, item: &syn::ItemFn, call: &Call, dy: &ArrayD<f64>) -> Result<Slopes, String> {
        let dys = std::slice::from_ref(dy);
        let raw = self.answer(item, call, dys)?;
        let mut slopes = Slopes::default();
        for (name, grad) in &raw.grads {
            let Some((name, x)) = call.tensors.iter().find(|(n, _)| *n == name) else { continue };
            let direction = ArrayD::from_shape_vec(x.shape(), (0..x.len()).map(|i| (1.7 * i as f64 + 0.4).cos()).collect());
            let direction = direction.expect("as many as the shape says");
            let loss = |h: f64| -> Result<f64, String> {
                let moved = call.clone().tensor(name, x + &(&direction * h));
                Ok((&self.answer(item, &moved, dys)?.outputs[0] * dy).sum())
            };
            let slope = |h: f64| Ok::<f64, String>((loss(h)? - loss(-h)?) / (2.0 * h));
            let (wide, narrow) = (slope(2e-4)?, slope(1e-4)?);
            let expected = (4.0 * narrow - wide) / 3.0;
            let found = (grad * &direction).sum();
            if !relative_eq!(wide, narrow, epsilon = 1e-5, max_relative = 1e-5) {
                slopes.unjudged += 1;
            } else if relative_eq!(found, expected, epsilon = 1e-6, max_relative = 1e-6) {
                slopes.judged += 1;
            } else {
                return Err(format!("the slope along `{name}` is {found}, by differences {expected}"));
            }
        }
        Ok(slopes)
    }
}

/// An answer, and how far each number of it may be off.
pub(crate) struct Expected<'a> {
    answer: &'a Answer,
    /// Another answer to nearly the same call: what is far apart in the two is as far from being known.
    beside: &'a Answer,
    /// Gradients that are not finite say nothing.
    lenient: bool,
}

impl<'a> Expected<'a> {
    pub(crate) fn of(answer: &'a Answer) -> Self {
        Expected { answer, beside: answer, lenient: false }
    }
    pub(crate) fn with(answer: &'a Answer, beside: &'a Answer, lenient: bool) -> Self {
        Expected { answer, beside, lenient }
    }
}

/// Runs the plans of a formula and compares all that they compute.
pub(crate) fn run_plans(variant: &Variant, evaluation: &Evaluation<'_>, expected: &Expected<'_>) -> Result<(), String> {
    let (graph, env, formula) = (&variant.graph, &evaluation.env, evaluation.formula);
    let Expected { answer, beside, lenient } = expected;
    let roots = interpret::run(graph, &variant.forward, env, &[]).map_err(|e| format!("forward: {e}"))?;
    for (k, promised) in variant.typed.output_axes.iter().enumerate() {
        let set: AxisSet = promised.iter().copied().collect();
        let found = evaluation.spread(&roots[k], set, promised);
        compare(&format!("output {k}"), &found, &answer.outputs[k], &beside.outputs[k], true)?;
    }
    for (k, param) in variant.states.iter().enumerate() {
        let name = formula.params[*param].name.to_string();
        let axes = axes_of(graph, &name);
        let found = evaluation.spread(&roots[answer.outputs.len() + k], axes.iter().copied().collect(), axes);
        compare(&format!("the state `{name}`"), &found, &answer.states[&name], &beside.states[&name], true)?;
    }
    let kept = &roots[roots.len() - variant.saved.len()..];
    let given: Vec<Vec<f64>> = kept.iter().cloned().chain(variant.readable.iter().map(|k| roots[*k].clone())).collect();
    let grads = interpret::run(graph, &variant.backward, env, &given).map_err(|e| format!("backward: {e}"))?;
    let differentiable = formula
        .params
        .iter()
        .filter(|p| matches!(p.kind, ParamKind::Tensor { constant: false, .. } | ParamKind::Diff))
        .map(|p| p.name.to_string());
    for (name, grad) in differentiable.zip(&grads) {
        let Some(expected) = answer.grads.get(&name) else { continue };
        let axes = axes_of(graph, &name);
        let found = evaluation.spread(grad, axes.iter().copied().collect(), axes);
        let finite = |x: &ArrayD<f64>| x.iter().all(|v| v.is_finite());
        if !*lenient || finite(&found) {
            compare(&format!("the gradient of `{name}`"), &found, expected, &beside.grads[&name], false)?;
        }
    }
    Ok(())
}

fn axes_of<'g>(graph: &'g Graph, input: &str) -> &'g [AxisId] {
    &graph.inputs.iter().find(|i| i.name == input).expect("an argument of the graph").axes
}

/// Numbers that are not finite must be the same only where they are `exact`: another spelling of a derivative may be finite.
fn compare(what: &str, found: &ArrayD<f64>, expected: &ArrayD<f64>, beside: &ArrayD<f64>, exact: bool) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{what} has {} elements, not {}", found.len(), expected.len()));
    }
    let scale = expected.iter().filter(|v| v.is_finite()).fold(1.0f64, |m, v| m.max(v.abs()));
    for (at, ((a, b), c)) in found.iter().zip(expected).zip(beside).enumerate() {
        let unknown = !b.is_finite() || !c.is_finite();
        let epsilon = 1e-10 * scale + if unknown { 0.0 } else { 1e4 * (b - c).abs() };
        let same = a == b || a.is_nan() && b.is_nan() || relative_eq!(*a, *b, epsilon = epsilon, max_relative = 1e-9);
        if !same && (exact || !unknown) {
            return Err(format!("{what} is {a} at {at}, as written {b}"));
        }
    }
    Ok(())
}
