//! Formulas through every stage of the engine, each answer against one that shares none of its code.

use crate::formulas::{Answer, Call, Evaluation, Formulas};
use approx::relative_eq;
use pullback::ndarray::ArrayD;
use pullback_derivations::elaborate::{Outcome, elaborate};
use pullback_derivations::emit::Variant;
use pullback_derivations::error::Errors;
use pullback_derivations::graph::{AxisId, AxisSet};
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
        let raw = self.answer(item, call, dy)?;
        let (formula, variant) = self.derive(item, call)?;
        let evaluation = Evaluation::new(&formula, &variant.typed, call, &variant.graph, dy);
        run_plans(&formula, &variant, &evaluation, &raw)
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
        let raw = self.answer(item, call, dy)?;
        let mut slopes = Slopes::default();
        for (name, grad) in &raw.grads {
            let Some((name, x)) = call.tensors.iter().find(|(n, _)| *n == name) else { continue };
            let direction = ArrayD::from_shape_vec(x.shape(), (0..x.len()).map(|i| (1.7 * i as f64 + 0.4).cos()).collect());
            let direction = direction.expect("as many as the shape says");
            let loss = |h: f64| -> Result<f64, String> {
                let moved = call.clone().tensor(name, x + &(&direction * h));
                Ok((self.answer(item, &moved, dy)?.output * dy).sum())
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

fn run_plans(formula: &Formula, variant: &Variant, evaluation: &Evaluation<'_>, raw: &Answer) -> Result<(), String> {
    let (graph, env) = (&variant.graph, &evaluation.env);
    let roots = interpret::run(graph, &variant.forward, env, &[]).map_err(|e| format!("forward: {e}"))?;
    let promised: Vec<AxisId> = variant.typed.output_axes[0].clone();
    let set: AxisSet = promised.iter().copied().collect();
    compare("the output", &evaluation.spread(&roots[0], set, &promised), &raw.output)?;

    let kept = &roots[roots.len() - variant.saved.len()..];
    let given: Vec<Vec<f64>> = kept.iter().cloned().chain(variant.readable.iter().map(|k| roots[*k].clone())).collect();
    let grads = interpret::run(graph, &variant.backward, env, &given).map_err(|e| format!("backward: {e}"))?;
    let differentiable = formula
        .params
        .iter()
        .filter(|p| matches!(p.kind, ParamKind::Tensor { constant: false, .. } | ParamKind::Diff))
        .map(|p| p.name.to_string());
    for (name, grad) in differentiable.zip(&grads) {
        let Some(expected) = raw.grads.get(&name) else { continue };
        let axes = &graph.inputs.iter().find(|i| i.name == name).expect("an argument of the graph").axes;
        let found = evaluation.spread(grad, axes.iter().copied().collect(), axes);
        compare(&format!("the gradient of `{name}`"), &found, expected)?;
    }
    Ok(())
}

fn compare(what: &str, found: &ArrayD<f64>, expected: &ArrayD<f64>) -> Result<(), String> {
    let scale = expected.iter().fold(1.0f64, |m, v| m.max(v.abs()));
    for (at, (a, b)) in found.iter().zip(expected).enumerate() {
        if !relative_eq!(*a, *b, epsilon = 1e-10 * scale, max_relative = 1e-9) {
            return Err(format!("{what} is {a} at {at}, as written {b}"));
        }
    }
    if found.len() == expected.len() {
        Ok(())
    } else {
        Err(format!("{what} has {} elements, not {}", found.len(), expected.len()))
    }
}
