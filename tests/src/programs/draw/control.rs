//! Branches, optional arguments, state, helpers, calls of other formulas.

use super::{Axis, Draw, Form, Given, Kind, Make, size};
use crate::programs::{Param, ParamKind, Program, Source};

pub(super) const TABLE: &[(&str, Make, usize)] = &[
    ("branches", branch, 1),
    ("options", option, 2),
    ("states", state, 1),
    ("state_reads", state_read, 1),
    ("stops", stop, 1),
    ("helpers", helper, 2),
    ("calls", call, 3),
    ("arguments", argument, 2),
    ("scalars", scalar, 1),
];

/// Branches of one program; each doubles its kernels.
const MOST_BRANCHES: usize = 2;

fn branch(d: &mut Draw<'_>) -> Option<usize> {
    if d.branches >= MOST_BRANCHES {
        return None;
    }
    let a = d.float(|_| true)?;
    let axes = d.value(a).axes.clone();
    let b = d.float(|v| v.axes.iter().all(|x| axes.contains(x)))?;
    let range = (d.ranges[a].0.min(d.ranges[b].0) - 1.0, d.ranges[a].1.max(d.ranges[b].1) + 1.0);
    let (flag, count) = (Given::Flag(d.rng.one_in(2)), Given::Count(d.rng.below(4)));
    let text = match d.rng.below(3) {
        0 => format!("if {} {{ {{0}} * 0.7 + 0.1 }} else {{ {{0}} + {{1}} }}", d.setting(&["flag", "on"], flag)?),
        1 => format!("match {} {{ 0 => {{0}}, 1 | 2 => {{0}} - {{1}}, _ => {{0}} * 0.5 }}", d.setting(&["mode"], count)?),
        _ => format!("if {} > 1 {{ {{0}} }} else {{ {{1}} - {{0}} }}", d.setting(&["mode", "level"], count)?),
    };
    d.branches += 1;
    let made = d.term(Form::Infix, &text, &[a, b], axes, range)?;
    d.program.values[made].inline = false;
    Some(made)
}

fn option(d: &mut Draw<'_>) -> Option<usize> {
    if d.branches >= MOST_BRANCHES {
        return None;
    }
    let x = d.float(|_| true)?;
    let axes = d.value(x).axes.clone();
    let list: Vec<Axis> = axes.iter().copied().filter(|a| d.named(*a) && d.rng.one_in(2)).collect();
    let present = !d.rng.one_in(3);
    let o = d.argument(ParamKind::Optional { present }, list);
    let Source::Param(Param { name, kind: ParamKind::Optional { .. }, .. }) = d.value(o).source else { return None };
    d.branches += 1;
    let most = 4.0 * size(d.ranges[x]) + 2.0;
    let text = match d.rng.below(3) {
        0 => format!("if let Some({name}) = {{1}} {{ {{0}} * {name} + 0.2 }} else {{ {{0}} }}"),
        1 => "match {1} { Some(bias) => {0} - bias * {0}, None => {0} + 1.0 }".into(),
        _ => format!("{{1}}.map_or({{0}}, |{name}| {{0}} + sq({name}))"),
    };
    let made = d.term(Form::Infix, &text, &[x, o], axes, (-most, most))?;
    d.program.values[made].inline = false;
    Some(made)
}

fn state(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.float(|_| true)?;
    let of = d.value(x).axes.clone();
    if of.iter().any(|a| !d.named(*a)) {
        return None;
    }
    let found = d.choose(|v| v.class == "state" && of.iter().all(|a| v.axes.contains(a)));
    let r = found.unwrap_or_else(|| d.argument(ParamKind::State, of));
    if d.value(r).class != "state" {
        return None;
    }
    let text = d.rng.of(&[
        "*{1} = stop_gradient(0.9 * *{1} + 0.1 * {0})",
        "*{1} = stop_gradient({0})",
        "*{1} += stop_gradient({0} * 0.5)",
    ]);
    d.of_kind(Kind::Effect, Form::Infix, text, &[x, r], vec![], (0.0, 0.0))
}

fn state_read(d: &mut Draw<'_>) -> Option<usize> {
    let r = d.choose(|v| v.class == "state")?;
    let (axes, most) = (d.value(r).axes.clone(), 20.0);
    d.term(Form::Infix, "stop_gradient(*{0}) * 0.5", &[r], axes, (-most, most))
}

fn stop(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.any_float()?;
    let range = d.ranges[x];
    d.pointwise("stop_gradient", &[x], "", range)
}

/// Functions that take any axes: declaration, call, and how it changes the range.
const HELPERS: &[(&str, &str, f64)] = &[
    ("fn swish(v: Tensor<f32>, beta: f64) -> Tensor<f32> { v * sigmoid(beta * v) }", "swish({0}, 1.3)", 1.0),
    ("fn twice(v: Tensor<f32>) -> Tensor<f32> { let v = v + 0.1; v + v }", "twice({0})", 3.0),
    ("fn centred(v: Tensor<f32>, over: impl Axes) -> Tensor<f32> { v - mean(v, over) }", "centred({0}, AXES)", 2.0),
    (
        "fn unit(v: Tensor<f32>, over: impl Axes) -> Tensor<f32> { let m = v.mean(over); (v - m) * rsqrt(mean(sq(v - m), over) + 0.1) }",
        "unit({0}, AXES)",
        3.0,
    ),
    (
        "fn soft(v: Tensor<f32>, over: impl Axes) -> Tensor<f32> { let e = exp(v - max(v, over)); e / e.sum(over) }",
        "soft({0}, AXES)",
        1.0,
    ),
    (
        "fn series(v: Tensor<f32>) -> Tensor<f32> { let mut y = v; let mut power = v; for i in 1..4 { power *= 0.3 * v; y += power / i as f64; } y }",
        "series({0})",
        8.0,
    ),
    (
        "fn both(v: Tensor<f32>) -> (Tensor<f32>, Tensor<f32>) { (sin(v), cos(v)) } fn turned(v: Tensor<f32>) -> Tensor<f32> { let (s, c) = both(v); s - c * v }",
        "turned({0})",
        2.0,
    ),
];

fn helper(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.float(|_| true)?;
    let x = d.tame(x, 4.0)?;
    let axes = d.value(x).axes.clone();
    let (declaration, call, factor) = d.rng.of(HELPERS);
    let name = call.split('(').next()?;
    let mut text = call.to_string();
    if text.contains("AXES") {
        let mut over: Vec<Axis> = axes.iter().copied().filter(|_| d.rng.one_in(2)).collect();
        over.extend(if over.is_empty() { Some(*axes.first()?) } else { None });
        text = text.replace("AXES", &d.list(&over));
    }
    if !d.program.helpers.iter().any(|(known, _)| known == name) {
        d.program.helpers.push((name.into(), declaration.into()));
    }
    let most = factor * size(d.ranges[x]) + 1.0;
    d.term(Form::Call, &text, &[x], axes, (-most, most))
}

impl Program {
    /// Whether others may call it: tensors and constants in, one tensor out.
    pub(super) fn is_callable(&self) -> bool {
        let plain = |p: &Param| matches!(p.kind, ParamKind::Tensor);
        let seedless = |s: &crate::programs::Setting| !matches!(s.value, Given::Seed(_));
        let no_many = self.axes.iter().all(|a| !a.many);
        let result = self.outputs.len() == 1 && self.outputs.iter().all(|o| self.values[o.value].kind == Kind::Float);
        let small = self.values.len() < 12 && self.callees.iter().all(|c| c.callees.is_empty());
        result && small && no_many && self.params().all(plain) && self.settings.iter().all(seedless)
    }
}

fn call(d: &mut Draw<'_>) -> Option<usize> {
    if d.callable.is_empty() || d.program.callees.len() > 1 {
        return None;
    }
    let callee = d.callable[d.rng.below(d.callable.len())].clone();
    // the callee's axes, each bound to one of the signature's of the same extent
    let mut bound: Vec<Option<Axis>> = vec![None; callee.axes.len()];
    for axis in callee.signature_axes() {
        let extent = callee.axes[axis.0].extent;
        let all: Vec<Axis> = (0..d.program.axes.len()).map(Axis).collect();
        let free = |a: &Axis| d.named(*a) && !d.program.axes[a.0].many && d.extent(*a) == extent && !bound.contains(&Some(*a));
        let fit: Vec<Axis> = all.into_iter().filter(free).collect();
        bound[axis.0] = Some(if fit.is_empty() { letter(d, extent)? } else { d.rng.of(&fit) });
    }
    let mut args = vec![];
    for param in callee.params() {
        let axes: Vec<Axis> = param.axes.iter().map(|a| bound[a.0]).collect::<Option<_>>()?;
        args.push(passed(d, &axes)?);
    }
    let mut listed = vec![];
    for axis in &callee.outputs[0].axes {
        let known = bound[axis.0];
        listed.push(known.unwrap_or_else(|| d.new_axis("Z", callee.axes[axis.0].extent)));
    }
    let mut inside: Vec<String> = (0..args.len()).map(|k| format!("{{{k}}}")).collect();
    inside.extend(callee.settings.iter().map(|s| s.value.rust()));
    let text = format!("{}({})", callee.name, inside.join(", "));
    let made = d.term(Form::Call, &text, &args, listed.clone(), (-20.0, 20.0))?;
    d.program.values[made].listed = Some(listed);
    d.program.hostile |= callee.hostile;
    for formula in callee.callees.iter().chain([&callee]) {
        if !d.program.callees.iter().any(|c| c.name == formula.name) {
            d.program.callees.push(Program { callees: vec![], ..formula.clone() });
        }
    }
    Some(made)
}

/// Another axis for the signature.
fn letter(d: &mut Draw<'_>, extent: usize) -> Option<Axis> {
    let taken = |name: &&str| d.program.axes.iter().any(|a| a.name == **name);
    let name = ["N", "C", "L", "H", "W", "E", "F", "I", "U", "V"].into_iter().find(|n| !taken(n))?;
    Some(d.axis(name, extent, false))
}

/// A value with axes in exactly this order: an argument, or a value whose axes stand so in the signature.
fn passed(d: &mut Draw<'_>, axes: &[Axis]) -> Option<usize> {
    let order = d.program.signature_axes();
    let places: Vec<Option<usize>> = axes.iter().map(|a| order.iter().position(|o| o == a)).collect();
    let in_order = places.iter().all(Option::is_some) && places.is_sorted();
    let mut sorted = axes.to_vec();
    sorted.sort();
    let suits = |v: &crate::programs::Value| match &v.source {
        Source::Param(p) => p.axes == axes,
        Source::Term { .. } => v.listed.is_none() && (in_order || axes.len() < 2) && v.axes == sorted,
    };
    let found = d.float(suits);
    if let Some(found) = found {
        return Some(found);
    }
    let made = d.argument(ParamKind::Tensor, axes.to_vec());
    matches!(&d.value(made).source, Source::Param(p) if p.axes == axes).then_some(made)
}

/// One more argument: a tensor, one without a gradient, a number.
fn argument(d: &mut Draw<'_>) -> Option<usize> {
    let axes = d.some_axes();
    let kind = if d.rng.one_in(3) { ParamKind::Constant } else { ParamKind::Tensor };
    let x = d.argument(kind, axes);
    let y = d.float(|_| true)?;
    let (axes, most) = (d.union(&[x, y]), size(d.ranges[x]) * size(d.ranges[y]));
    d.term(Form::Infix, "{0} * {1}", &[x, y], axes, (-most, most))
}

fn scalar(d: &mut Draw<'_>) -> Option<usize> {
    let found = d.choose(|v| v.class == "scalar");
    let t = found.unwrap_or_else(|| d.argument(ParamKind::Diff, vec![]));
    if d.value(t).class != "scalar" {
        return None;
    }
    let x = d.any_float()?;
    let (axes, most) = (d.value(x).axes.clone(), 2.0 * size(d.ranges[x]) + 2.0);
    let text = d.rng.of(&["{0} * {1}", "{1} - {0}", "tanh({0}) * {1} + {0}"]);
    d.term(Form::Infix, text, &[t, x], axes, (-most, most))
}
