//! A program in the engine's interpreters: its plans against its graph as built, with groups of rewrite rules off, and its
//! raw adjoint against differences.

use super::Program;
use super::fill::{self, Style};
use crate::formulas::{Answer, Call, Evaluation, Formulas};
use crate::pipeline::{Expected, Slopes, run_plans};
use pullback::ndarray::ArrayD;
use pullback_derivations::build::{Built, build};
use pullback_derivations::elaborate::{Outcome, Typed, elaborate};
use pullback_derivations::error::Errors;
use pullback_derivations::graph::AxisId;
use pullback_derivations::simplify::{self, rules};
use pullback_derivations::syntax::{self, Formula};
use pullback_derivations::variant;
use quote::quote;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is wrong with a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Which check failed: a smaller program that fails another check has another fault.
    pub check: &'static str,
    pub message: String,
}

/// How a check went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Passed {
    pub slopes: Slopes,
    /// The call would be refused: nothing was compared.
    pub refused: bool,
    pub derivations: usize,
}

/// Which ways of simplifying are tried besides the plain one.
#[derive(Clone, Copy, Debug)]
pub enum Groups {
    All,
    /// Two of them.
    Turn(usize),
}

/// Checks a program; a panic is a failure like others.
///
/// # Errors
/// What disagrees first.
pub fn check(program: &Program, groups: Groups) -> Result<Passed, Failure> {
    check_call(&Case::of(program)?, groups)
}

/// Formulas, the last of which is called so.
pub struct Case {
    functions: Vec<syn::ItemFn>,
    call: Call,
    /// Whether differences see what the adjoint says: no gradient is stopped.
    slopes: bool,
    /// Whether functions may be called outside of their domains: gradients that are not finite say nothing.
    hostile: bool,
}

impl Case {
    fn of(program: &Program) -> Result<Case, Failure> {
        let parse = |text: &str| {
            syn::parse_str::<syn::ItemFn>(text).map_err(|e| Failure { check: "printing", message: format!("{e}: {text}") })
        };
        let mut functions = program.callees.iter().map(|c| parse(&c.function())).collect::<Result<Vec<_>, _>>()?;
        functions.push(parse(&program.function())?);
        let slopes = !program.has("stops") && !program.has("states");
        Ok(Case { functions, call: program.call(Style::Ordinary), slopes, hostile: program.hostile })
    }

    /// The formulas of a text, with the extents of the axes that the last one's arguments have, its constants, and for
    /// labels the bound below which they lie.
    ///
    /// # Panics
    /// If the text is no formula, or something has no extent.
    pub fn read(text: &str, extents: &[(&str, usize)], given: &[(&'static str, super::Given)]) -> Case {
        let file = syn::parse_file(text).expect("formulas");
        let functions: Vec<syn::ItemFn> =
            file.items.into_iter().filter_map(|i| if let syn::Item::Fn(f) = i { Some(f) } else { None }).collect();
        let functions: Vec<syn::ItemFn> = functions.into_iter().map(|f| syn::ItemFn { attrs: vec![], ..f }).collect();
        let item = functions.last().expect("a formula");
        let formula = syntax::parse(&mut Errors::default(), &syntax::Options::default(), quote!(#item)).expect("a formula");
        let mut call = super::given_constants(given);
        for (at, param) in formula.params.iter().enumerate() {
            let name: &'static str = String::leak(param.name.to_string());
            use syntax::ParamKind as P;
            let axes = match &param.kind {
                P::Tensor { axes, .. } | P::State { axes } | P::Labels { axes } => {
                    axes.entries.iter().map(|e| e.name.to_string()).collect()
                }
                P::Diff => vec![],
                _ => continue,
            };
            let extent =
                |axis: &String| extents.iter().find(|(a, _)| a == axis).unwrap_or_else(|| panic!("the extent of {axis}")).1;
            let shape: Vec<usize> = axes.iter().map(extent).collect();
            let values = match (&param.kind, given.iter().find(|g| g.0 == name)) {
                (P::Labels { .. }, Some((_, super::Given::Count(below)))) => {
                    fill::labels(&shape, *below, at as u64 + 9).into_iter().map(|i| i as f64).collect()
                }
                (P::Tensor { optional: true, .. }, Some((_, super::Given::Flag(false)))) => continue,
                _ => fill::numbers(&shape, Style::Ordinary, at as u64 + 9),
            };
            call = call.tensor(name, ArrayD::from_shape_vec(shape, values).expect("as many as the shape says"));
        }
        Case { functions, call, slopes: !text.contains("stop_gradient"), hostile: false }
    }
}

/// Checks a call.
///
/// # Errors
/// As [`check`].
pub fn check_call(case: &Case, groups: Groups) -> Result<Passed, Failure> {
    let run = AssertUnwindSafe(|| checked(case, groups));
    catch_unwind(run).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_string()));
        Err(Failure { check: "panic", message: text.unwrap_or_default() })
    })
}

/// The ways: the raw adjoint, and each group of rules off.
fn ways(groups: Groups) -> Vec<(&'static str, simplify::Options)> {
    let raw = ("no rules", simplify::Options { enabled: false, ..simplify::Options::default() });
    let without = |(name, off): &(&'static str, &[&'static str])| {
        (*name, simplify::Options { rules_off: off.to_vec(), ..simplify::Options::default() })
    };
    let mut ways: Vec<_> = std::iter::once(raw).chain(rules::GROUPS.iter().map(without)).collect();
    if let Groups::Turn(turn) = groups {
        let n = ways.len();
        ways.rotate_left(2 * turn % n);
        ways.truncate(2);
    }
    ways
}

/// A formula that the front end has accepted, with its call.
struct Accepted<'a> {
    formula: &'a Formula,
    typed: &'a Typed,
    built: &'a Built,
    dys: Vec<ArrayD<f64>>,
}

impl Accepted<'_> {
    fn answer(&self, call: &Call) -> Answer {
        let Built { graph, outputs, states, params, checks } = self.built;
        let built = Built {
            graph: graph.clone(),
            outputs: outputs.clone(),
            states: states.clone(),
            params: params.clone(),
            checks: checks.clone(),
        };
        Evaluation::bare(self.formula, self.typed, call).run(built, &self.dys)
    }

    fn loss(&self, call: &Call) -> f64 {
        let outputs = Evaluation::bare(self.formula, self.typed, call).outputs(self.built);
        outputs.iter().zip(&self.dys).map(|(y, dy)| (y * dy).sum()).sum()
    }
}

fn checked(case: &Case, groups: Groups) -> Result<Passed, Failure> {
    let failed = |check: &'static str| move |message: String| Failure { check, message };
    let mut formulas = Formulas::none();
    let Some((item, callees)) = case.functions.split_last() else { return Err(failed("printing")(String::new())) };
    callees.iter().for_each(|callee| formulas.learn(callee));
    let mut errors = Errors::default();
    let formula = syntax::parse(&mut errors, &syntax::Options::default(), quote!(#item));
    let wrong = |errors: &Errors| Failure { check: "front end", message: errors.messages().join("; ") };
    let Some(formula) = formula else { return Err(wrong(&errors)) };
    let Outcome::Typed(variants) = elaborate(&mut errors, &formula, formulas.library()) else {
        return Err(Failure { check: "front end", message: "calls something unknown".into() });
    };
    let call = &case.call;
    let Some(typed) = variants.into_iter().find(|t| errors.is_empty() && call.takes(t)) else { return Err(wrong(&errors)) };
    let built = build(&mut errors, &formula, &typed);
    if !errors.is_empty() {
        return Err(wrong(&errors));
    }
    let mut sizes = Evaluation::bare(&formula, &typed, call);
    sizes.sizes(&built.graph);
    if sizes.refusal(&built.graph, &built.checks).is_some() {
        return Ok(Passed { refused: true, ..Passed::default() });
    }
    let lens = |axes: &Vec<AxisId>| axes.iter().map(|a| sizes.env.lens[a.0 as usize]).collect::<Vec<_>>();
    let dys =
        typed.output_axes.iter().enumerate().map(|(k, axes)| cotangent(formula.outputs[k].integer, k, &lens(axes))).collect();
    let accepted = Accepted { formula: &formula, typed: &typed, built: &built, dys };
    let answer = accepted.answer(call);
    let movable: Vec<&'static str> =
        answer.grads.keys().filter_map(|n| call.tensors.keys().copied().find(|name| *name == n.as_str())).collect();
    let beside = accepted.answer(&nudged(&movable, call));
    let expected = Expected::with(&answer, &beside, case.hostile);
    let mut passed = Passed::default();
    for (name, options) in std::iter::once(("all rules", simplify::Options::default())).chain(ways(groups)) {
        let variant = variant(&mut errors, &formula, typed.clone(), &options);
        let evaluation = Evaluation::new(&formula, &variant.typed, call, &variant.graph, &accepted.dys);
        let check = if name == "all rules" { "plans" } else { "rules" };
        run_plans(&variant, &evaluation, &expected).map_err(|e| Failure { check, message: format!("with {name}: {e}") })?;
        passed.derivations += 1;
    }
    if case.slopes {
        passed.slopes = slopes(&movable, &accepted, call, &answer).map_err(failed("slopes"))?;
    }
    Ok(passed)
}

/// A repeatable cotangent of an output; one of indices has zeros, that nothing reads.
fn cotangent(integer: bool, k: usize, shape: &[usize]) -> ArrayD<f64> {
    let numbers = fill::numbers(shape, Style::Ordinary, k as u64 + 77);
    let numbers = if integer { vec![0.0; numbers.len()] } else { numbers };
    ArrayD::from_shape_vec(shape.to_vec(), numbers).expect("as many as the shape says")
}

/// The call with its arguments moved by about a thousand roundings.
fn nudged(movable: &[&'static str], call: &Call) -> Call {
    movable.iter().fold(call.clone(), |moved, name| {
        let x = call.tensors[*name].mapv(|v| v * (1.0 + 3e-14) + 1e-15);
        moved.tensor(name, x)
    })
}

/// The raw adjoint against differences of the formula, along one direction of each argument.
fn slopes(movable: &[&'static str], accepted: &Accepted<'_>, call: &Call, raw: &Answer) -> Result<Slopes, String> {
    let mut slopes = Slopes::default();
    for name in movable.iter().copied() {
        let (Some(grad), x) = (raw.grads.get(name), &call.tensors[name]) else { continue };
        let direction = ArrayD::from_shape_vec(x.shape(), (0..x.len()).map(|i| (1.7 * i as f64 + 0.4).cos()).collect());
        let direction = direction.expect("as many as the shape says");
        let loss = |h: f64| accepted.loss(&call.clone().tensor(name, x + &(&direction * h)));
        let step = 2e-4;
        let [below, here, above] = [-step, 0.0, step].map(loss);
        let (wide, narrow) = ((above - below) / (2.0 * step), (loss(step / 2.0) - loss(-step / 2.0)) / step);
        let (left, right) = ((here - below) / step, (above - here) / step);
        let value = (4.0 * narrow - wide) / 3.0;
        // a gradient over merged dimensions has one axis for them
        let found: f64 = grad.iter().zip(&direction).map(|(g, d)| g * d).sum();
        let bend = (wide - narrow).abs();
        let scale = 1.0 + value.abs();
        let smooth = bend < 1e-4 * scale && (right - left).abs() < 0.02 * scale && found.is_finite();
        let noise = 1e-15 * here.abs() / step * 64.0;
        if !smooth || noise > 1e-4 * scale {
            slopes.unjudged += 1;
        } else if (found - value).abs() < 1e-6 * scale + 4.0 * bend + noise {
            slopes.judged += 1;
        } else {
            return Err(format!("the slope along `{name}` is {found}, by differences {value}"));
        }
    }
    Ok(slopes)
}
