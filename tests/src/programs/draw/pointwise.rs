//! Element by element.

use super::{Draw, Form, Kind, Make, Range, size};
use crate::programs::ParamKind;

pub(super) const TABLE: &[(&str, Make, usize)] = &[
    ("arithmetic", arithmetic, 3),
    ("quotients", quotient, 1),
    ("numbers", with_number, 2),
    ("powers", power, 2),
    ("roots", root, 1),
    ("exponentials", exponential, 1),
    ("logs", logarithm, 1),
    ("waves", wave, 1),
    ("activations", activation, 1),
    ("steps", step, 1),
    ("extremes", extreme, 1),
    ("compares", compare, 2),
    ("logic", logic, 1),
    ("selects", select, 2),
    ("maps", map, 1),
];

fn span(ends: &[f64]) -> Range {
    (ends.iter().copied().fold(f64::INFINITY, f64::min), ends.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

fn products(a: Range, b: Range) -> Range {
    span(&[a.0 * b.0, a.0 * b.1, a.1 * b.0, a.1 * b.1])
}

fn arithmetic(d: &mut Draw<'_>) -> Option<usize> {
    let a = d.any_float()?;
    let b = d.float_beside(a)?;
    let (a, b) = (d.tame(a, 1e4)?, d.tame(b, 1e4)?);
    let (ra, rb, axes) = (d.ranges[a], d.ranges[b], d.union(&[a, b]));
    let (op, range) = match d.rng.below(4) {
        0 => ("+", (ra.0 + rb.0, ra.1 + rb.1)),
        1 => ("-", (ra.0 - rb.1, ra.1 - rb.0)),
        _ => ("*", products(ra, rb)),
    };
    d.term(Form::Infix, &format!("{{0}} {op} {{1}}"), &[a, b], axes, range)
}

fn quotient(d: &mut Draw<'_>) -> Option<usize> {
    let a = d.any_float()?;
    let b = d.float_beside(a)?;
    let b = d.positive(b)?;
    let axes = d.union(&[a, b]);
    let most = size(d.ranges[a]) / d.ranges[b].0.max(0.2);
    d.term(Form::Infix, "{0} / {1}", &[a, b], axes, (-most, most))
}

fn with_number(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.any_float()?;
    let (axes, (lo, hi)) = (d.value(x).axes.clone(), d.ranges[x]);
    let (text, v) = d.number();
    let (text, range) = match d.rng.below(7) {
        0 => (format!("{{0}} + {text}"), (lo + v, hi + v)),
        1 => (format!("{text} - {{0}}"), (v - hi, v - lo)),
        2 => (format!("{text} * {{0}}"), span(&[v * lo, v * hi])),
        3 => (format!("{{0}} / {}", d.rng.of(&[2, 3, 5])), (lo, hi)),
        4 => ("-{0}".into(), (-hi, -lo)),
        5 => {
            let all = axes.clone();
            let Some(axis) = all.first() else { return d.term(Form::Infix, "{0} * 3", &[x], axes, (3.0 * lo, 3.0 * hi)) };
            let n = d.extent(*axis) as f64;
            let cast = d.rng.of(&["", " as f64"]);
            (format!("{{0}} * (len({}){cast}) / 7", d.name(*axis)), (lo * n, hi * n))
        }
        _ => (format!("{{0}} * {text} - 0.1"), span(&[v * lo - 0.1, v * hi - 0.1])),
    };
    d.term(Form::Infix, &text, &[x], axes, range)
}

fn power(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.any_float()?;
    let x = d.tame(x, 6.0)?;
    let most = size(d.ranges[x]);
    match d.rng.below(4) {
        0 => d.pointwise("sq", &[x], "", (0.0, most * most)),
        1 => {
            let n = d.rng.of(&[1, 2, 3, 4]);
            d.pointwise("powi", &[x], &format!(", {n}"), (-most.powi(n), most.powi(n)))
        }
        2 => {
            let x = d.positive(x)?;
            let most = size(d.ranges[x]).max(5.0);
            let (e, v) = d.rng.of(&[("0.7", 0.7), ("-1.5", -1.5), ("2.5", 2.5), ("1.0", 1.0)]);
            let most = f64::powf(most, f64::abs(v));
            d.pointwise("powf", &[x], &format!(", {e}"), (0.0, most))
        }
        _ => {
            let x = d.positive(x)?;
            let y = d.any_float()?;
            let y = d.tame(y, 2.0)?;
            let most = size(d.ranges[x]).max(5.0).powf(size(d.ranges[y]));
            d.pointwise("powf", &[x, y], "", (0.0, most))
        }
    }
}

fn root(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.any_float()?;
    let x = d.positive(x)?;
    let (lo, hi) = (d.ranges[x].0.max(0.1), d.ranges[x].1.max(0.1));
    match d.rng.below(3) {
        0 => d.pointwise("sqrt", &[x], "", (lo.sqrt(), hi.sqrt())),
        1 => d.pointwise("rsqrt", &[x], "", (hi.sqrt().recip(), lo.sqrt().recip())),
        _ => d.pointwise("recip", &[x], "", (hi.recip(), lo.recip())),
    }
}

fn exponential(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.any_float()?;
    let x = d.tame(x, 3.0)?;
    let (lo, hi) = d.ranges[x];
    match d.rng.below(4) {
        0 => d.pointwise("exp", &[x], "", (lo.exp(), hi.exp())),
        1 => d.pointwise("exp2", &[x], "", (lo.exp2(), hi.exp2())),
        2 => d.pointwise("exp_m1", &[x], "", (lo.exp_m1(), hi.exp_m1())),
        _ => d.pointwise("softplus", &[x], "", (lo.exp().ln_1p(), hi.exp().ln_1p())),
    }
}

fn logarithm(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.any_float()?;
    let x = d.positive(x)?;
    let (lo, hi) = (d.ranges[x].0.max(0.1), d.ranges[x].1.max(0.1));
    let (word, f): (_, fn(f64) -> f64) = match d.rng.below(5) {
        0 => ("log", f64::ln),
        1 => ("ln", f64::ln),
        2 => ("log2", f64::log2),
        3 => ("log1p", f64::ln_1p),
        _ => ("ln_1p", f64::ln_1p),
    };
    d.pointwise(word, &[x], "", (f(lo), f(hi)))
}

fn wave(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.any_float()?;
    match d.rng.below(8) {
        0 => d.pointwise("sin", &[x], "", (-1.0, 1.0)),
        1 => d.pointwise("cos", &[x], "", (-1.0, 1.0)),
        2 => {
            let x = d.tame(x, 1.0)?;
            d.pointwise("tan", &[x], "", (-1.6, 1.6))
        }
        3 => d.pointwise("atan", &[x], "", (-1.6, 1.6)),
        4 => {
            let x = d.tame(x, 4.0)?;
            let most = size(d.ranges[x]).cosh();
            let word = d.rng.of(&["sinh", "cosh"]);
            d.pointwise(word, &[x], "", (-most, most))
        }
        5 => {
            let y = d.float_beside(x)?;
            let y = d.positive(y)?;
            d.pointwise("atan2", &[x, y], "", (-1.6, 1.6))
        }
        6 => {
            let y = d.float_beside(x)?;
            let y = d.positive(y)?;
            let most = size(d.ranges[x]) + size(d.ranges[y]);
            d.pointwise("hypot", &[x, y], "", (d.ranges[y].0, most))
        }
        _ => {
            let most = size(d.ranges[x]);
            d.pointwise("asinh", &[x], "", (-most, most))
        }
    }
}

fn activation(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.any_float()?;
    let word = d.rng.of(&["tanh", "sigmoid", "erf", "erfc", "softplus"]);
    let most = if word == "softplus" { size(d.ranges[x]) + 1.0 } else { 2.0 };
    d.pointwise(word, &[x], "", (-most, most))
}

fn step(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.any_float()?;
    let most = size(d.ranges[x]) + 1.0;
    let word = d.rng.of(&["abs", "sign", "floor", "ceil", "round"]);
    d.pointwise(word, &[x], "", (if word == "abs" { 0.0 } else { -most }, most))
}

fn extreme(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.any_float()?;
    let most = size(d.ranges[x]).max(2.0);
    match d.rng.below(4) {
        0 => d.pointwise("clamp", &[x], ", -0.4, 1.52", (-0.4, 1.52)),
        1 => {
            let (word, y) = (d.rng.of(&["max", "min", "maximum", "minimum"]), d.float_beside(x)?);
            let most = most.max(size(d.ranges[y]));
            d.pointwise(word, &[x, y], "", (-most, most))
        }
        _ => {
            let (number, _) = d.number();
            let word = d.rng.of(&["max", "min", "maximum", "minimum"]);
            d.pointwise(word, &[x], &format!(", {number}"), (-most, most))
        }
    }
}

fn compare(d: &mut Draw<'_>) -> Option<usize> {
    let word = d.rng.of(&["gt", "ge", "lt", "le", "eq", "ne"]);
    let x = d.choose(|v| matches!(v.kind, Kind::Float | Kind::Index(_)))?;
    if d.rng.one_in(2) {
        let y = d.choose(|v| matches!(v.kind, Kind::Float | Kind::Index(_)))?;
        let axes = d.union(&[x, y]);
        return d.of_kind(Kind::Mask, Form::Call, &format!("{word}({{0}}, {{1}})"), &[x, y], axes, (0.0, 1.0));
    }
    let axes = d.value(x).axes.clone();
    let number = if matches!(d.value(x).kind, Kind::Index(_)) { "1".into() } else { d.number().0 };
    d.of_kind(Kind::Mask, Form::Call, &format!("{word}({{0}}, {number})"), &[x], axes, (0.0, 1.0))
}

fn logic(d: &mut Draw<'_>) -> Option<usize> {
    let a = d.choose(|v| v.kind == Kind::Mask)?;
    if d.rng.one_in(3) {
        let axes = d.value(a).axes.clone();
        return d.of_kind(Kind::Mask, Form::Infix, "!{0}", &[a], axes, (0.0, 1.0));
    }
    let b = d.choose(|v| v.kind == Kind::Mask)?;
    let (axes, op) = (d.union(&[a, b]), d.rng.of(&["&", "|"]));
    d.of_kind(Kind::Mask, Form::Infix, &format!("{{0}} {op} {{1}}"), &[a, b], axes, (0.0, 1.0))
}

fn select(d: &mut Draw<'_>) -> Option<usize> {
    let a = d.any_float()?;
    let m = match d.beside(a, |v| v.kind == Kind::Mask) {
        Some(mask) => mask,
        None => compare(d)?,
    };
    match d.rng.below(4) {
        0 => {
            let axes = d.union(&[m, a]);
            let range = span(&[d.ranges[a].0, d.ranges[a].1, 0.2]);
            let text = d.rng.of(&["select({0}, {1}, 0.2)", "select({0}, 0.2, {1})"]);
            d.term(Form::Call, text, &[m, a], axes, range)
        }
        1 => {
            let axes = d.union(&[m, a]);
            let range = span(&[d.ranges[a].0, d.ranges[a].1, 0.0]);
            d.term(Form::Infix, "{0} * {1}", &[m, a], axes, range)
        }
        _ => {
            let b = d.float_beside(a)?;
            let axes = d.union(&[m, a, b]);
            let range = span(&[d.ranges[a].0, d.ranges[a].1, d.ranges[b].0, d.ranges[b].1]);
            d.term(Form::Call, "select({0}, {1}, {2})", &[m, a, b], axes, range)
        }
    }
}

fn map(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.any_float()?;
    let (axes, most) = (d.value(x).axes.clone(), size(d.ranges[x]) + 1.0);
    let range = (-2.0 * most, 2.0 * most);
    match d.rng.below(5) {
        0 => {
            let (s, _) = d.number();
            d.term(Form::Call, &format!("map({{0}}, |v| if v > 0.03 {{ v }} else {{ {s} * v }})"), &[x], axes, range)
        }
        1 => {
            let text = "map({0}, |v| if v > 0.5 && v < 3.0 { v.sq() / (1.0 + v) } else if v < -0.5 { sin(v) } else { 0.1 })";
            d.term(Form::Call, text, &[x], axes, range)
        }
        2 => d.term(Form::Method, "{0}.map(|v| { let u = tanh(v); u * v - max(u, 0.2) })", &[x], axes, range),
        _ => {
            let found = d.choose(|v| v.class == "scalar");
            let t = found.unwrap_or_else(|| d.argument(ParamKind::Diff, vec![]));
            if d.value(t).class != "scalar" {
                return None;
            }
            d.term(Form::Call, "map({0}, |v| if v > 0.0 { v } else { {1} * exp_m1(v.max(-3.0)) })", &[x, t], axes, range)
        }
    }
}
