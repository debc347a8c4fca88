//! A program in the engine's interpreters: its plans against its graph as built, with groups of rewrite rules off, and its
//! raw adjoint against differences.

use super::fill::{self, Style};
use super::{Kind, Param, ParamKind, Program};
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
    let run = AssertUnwindSafe(|| checked(program, groups));
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

fn checked(program: &Program, groups: Groups) -> Result<Passed, Failure> {
    let failed = |check: &'static str| move |message: String| Failure { check, message };
    let mut formulas = Formulas::none();
    let parse = |text: &str| syn::parse_str::<syn::ItemFn>(text).map_err(|e| format!("{e}: {text}"));
    for callee in &program.callees {
        formulas.learn(&parse(&callee.function()).map_err(failed("printing"))?);
    }
    let item = parse(&program.function()).map_err(failed("printing"))?;
    let mut errors = Errors::default();
    let formula = syntax::parse(&mut errors, &syntax::Options::default(), quote!(#item));
    let wrong = |errors: &Errors| Failure { check: "front end", message: errors.messages().join("; ") };
    let Some(formula) = formula else { return Err(wrong(&errors)) };
    let Outcome::Typed(variants) = elaborate(&mut errors, &formula, formulas.library()) else {
        return Err(Failure { check: "front end", message: "calls something unknown".into() });
    };
    let call = program.call(Style::Ordinary);
    let Some(typed) = variants.into_iter().find(|t| errors.is_empty() && call.takes(t)) else { return Err(wrong(&errors)) };
    let built = build(&mut errors, &formula, &typed);
    if !errors.is_empty() {
        return Err(wrong(&errors));
    }
    let mut sizes = Evaluation::bare(&formula, &typed, &call);
    sizes.sizes(&built.graph);
    if sizes.refusal(&built.graph, &built.checks).is_some() {
        return Ok(Passed { refused: true, ..Passed::default() });
    }
    let lens = |axes: &Vec<AxisId>| axes.iter().map(|a| sizes.env.lens[a.0 as usize]).collect::<Vec<_>>();
    let dys = typed.output_axes.iter().enumerate().map(|(k, axes)| cotangent(program, k, &lens(axes))).collect();
    let accepted = Accepted { formula: &formula, typed: &typed, built: &built, dys };
    let answer = accepted.answer(&call);
    let beside = accepted.answer(&nudged(program, &call));
    let expected = Expected::with(&answer, &beside);
    let mut passed = Passed::default();
    for (name, options) in std::iter::once(("all rules", simplify::Options::default())).chain(ways(groups)) {
        let variant = variant(&mut errors, &formula, typed.clone(), &options);
        let evaluation = Evaluation::new(&formula, &variant.typed, &call, &variant.graph, &accepted.dys);
        let check = if name == "all rules" { "plans" } else { "rules" };
        run_plans(&variant, &evaluation, &expected).map_err(|e| Failure { check, message: format!("with {name}: {e}") })?;
        passed.derivations += 1;
    }
    if !program.has("stops") {
        passed.slopes = slopes(program, &accepted, &call, &answer).map_err(failed("slopes"))?;
    }
    Ok(passed)
}

/// A repeatable cotangent of an output; one of indices has zeros, that nothing reads.
fn cotangent(program: &Program, k: usize, shape: &[usize]) -> ArrayD<f64> {
    let float = program.values[program.outputs[k].value].kind == Kind::Float;
    let numbers = fill::numbers(shape, Style::Ordinary, program.seed ^ (k as u64 + 77));
    let numbers = if float { numbers } else { vec![0.0; numbers.len()] };
    ArrayD::from_shape_vec(shape, numbers).expect("as many as the shape says")
}

/// The arguments that can be moved: their names.
fn movable(program: &Program) -> Vec<&'static str> {
    let real = |p: &&Param| matches!(p.kind, ParamKind::Tensor | ParamKind::Diff | ParamKind::Optional { present: true });
    program.params().filter(real).map(|p| p.name).collect()
}

/// The call with its arguments moved by about a thousand roundings.
fn nudged(program: &Program, call: &Call) -> Call {
    movable(program).into_iter().fold(call.clone(), |moved, name| {
        let x = call.tensors[name].mapv(|v| v * (1.0 + 3e-14) + 1e-15);
        moved.tensor(name, x)
    })
}

/// The raw adjoint against differences of the formula, along one direction of each argument.
fn slopes(program: &Program, accepted: &Accepted<'_>, call: &Call, raw: &Answer) -> Result<Slopes, String> {
    let mut slopes = Slopes::default();
    for name in movable(program) {
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
