//! Gathers, scatters, indices, tables and random draws.

use super::{Axis, Draw, Form, Kind, Make};
use crate::programs::{Given, ParamKind, Source};

pub(super) const TABLE: &[(&str, Make, usize)] = &[
    ("picks", pick, 2),
    ("places_of", pick_at, 1),
    ("scatters", scatter, 2),
    ("indices", index, 1),
    ("index_terms", index_term, 1),
    ("constants", constant, 1),
    ("draws", random, 2),
];

/// An index below `extent`: one that is there, or labels.
fn index_below(d: &mut Draw<'_>, extent: usize, suits: impl Fn(&[Axis]) -> bool) -> Option<usize> {
    let found = d.choose(|v| matches!(v.kind, Kind::Index(below) if below <= extent) && v.holes.is_empty() && suits(&v.axes));
    if let Some(found) = found
        && !d.rng.one_in(4)
    {
        return Some(found);
    }
    let axes = (0..6).map(|_| d.some_axes()).find(|axes| suits(axes) && !axes.is_empty())?;
    let label = d.argument(ParamKind::Labels { below: extent }, axes);
    matches!(d.value(label).kind, Kind::Index(_)).then_some(label)
}

fn pick(d: &mut Draw<'_>) -> Option<usize> {
    let (x, axis) = d.float_and_axis()?;
    let others: Vec<Axis> = d.value(x).axes.iter().copied().filter(|a| *a != axis && !d.program.axes[a.0].many).collect();
    let mut over = vec![axis];
    if !others.is_empty() && d.rng.one_in(3) {
        over.push(d.rng.of(&others));
    }
    let index = index_below(d, d.elements(&over), |_| true)?;
    let kept: Vec<Axis> = d.value(x).axes.iter().copied().filter(|a| !over.contains(a)).collect();
    let axes = [kept, d.value(index).axes.clone()].concat();
    let (list, range) = (d.list(&over), d.ranges[x]);
    d.term(Form::Call, &format!("pick({{0}}, {list}, {{1}})"), &[x, index], axes, range)
}

fn pick_at(d: &mut Draw<'_>) -> Option<usize> {
    let (x, axis) = d.float_and_axis()?;
    let (at, range) = (d.rng.below(d.extent(axis)), d.ranges[x]);
    let axes = d.value(x).axes.iter().copied().filter(|a| *a != axis).collect();
    d.term(Form::Call, &format!("pick({{0}}, {}, {at})", d.name(axis)), &[x], axes, range)
}

fn scatter(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.float(|v| !v.axes.is_empty())?;
    let extent = 1 + d.rng.below(4);
    let of = d.value(x).axes.clone();
    let plain = of.iter().all(|a| !d.program.axes[a.0].many);
    if !plain {
        return None;
    }
    let index = index_below(d, extent, |axes| !axes.is_empty() && axes.iter().all(|a| of.contains(a)))?;
    let over = d.value(index).axes.clone();
    let to = d.new_axis("Q", extent);
    let axes: Vec<Axis> = of.iter().copied().filter(|a| !over.contains(a)).chain([to]).collect();
    let (word, most) = (d.rng.of(&["scatter", "scatter_add"]), d.ranges[x].0.abs().max(d.ranges[x].1.abs()));
    let most = most * d.elements(&over) as f64;
    let mut text = format!("{word}({{0}}, {{1}}, {}, {extent}", d.name(to));
    if over.len() > 1 || d.rng.one_in(3) {
        text += &format!(", {}", d.list(&over));
    }
    d.term(Form::Call, &(text + ")"), &[x, index], axes, (-most, most))
}

fn some_axis(d: &mut Draw<'_>) -> Option<Axis> {
    // one that a value has: others may not be declared yet
    let axes: Vec<Axis> = d.program.values.iter().flat_map(|v| v.axes.clone()).filter(|a| !d.program.axes[a.0].many).collect();
    if axes.is_empty() { None } else { Some(d.rng.of(&axes)) }
}

fn index(d: &mut Draw<'_>) -> Option<usize> {
    let axis = signature_axis(d)?;
    let below = d.extent(axis);
    let text = format!("index({})", d.name(axis));
    // what declares the axis stays as long as this does
    let declares = d.program.values.iter().position(|v| matches!(&v.source, Source::Param(p) if p.axes.contains(&axis)))?;
    d.of_kind(Kind::Index(below), Form::Call, &text, &[declares], vec![axis], (0.0, below as f64))
}

/// An axis that an argument declares: it is there wherever the text stands.
fn signature_axis(d: &mut Draw<'_>) -> Option<Axis> {
    let axes: Vec<Axis> = d.program.signature_axes().into_iter().filter(|a| !d.program.axes[a.0].many).collect();
    if axes.is_empty() { None } else { Some(d.rng.of(&axes)) }
}

/// A value and an index in one sum.
fn index_term(d: &mut Draw<'_>) -> Option<usize> {
    let index = d.choose(|v| matches!(v.kind, Kind::Index(_)))?;
    let x = d.any_float()?;
    let (axes, range) = (d.union(&[index, x]), d.ranges[x]);
    let most = d.ranges[index].1 + 1.0;
    let (text, range) = d.rng.of(&[
        ("{0} * 0.3 + {1}", (range.0, range.1 + most)),
        ("{1} * ({0} + 1) / 4", (range.0.min(0.0) * most, range.1.max(0.0) * most)),
        ("{1} - {0} / 2", (range.0 - most, range.1)),
    ]);
    d.term(Form::Infix, text, &[index, x], axes, range)
}

fn constant(d: &mut Draw<'_>) -> Option<usize> {
    let axis = some_axis(d)?;
    let x = d.choose(|v| v.kind == Kind::Float && v.axes.contains(&axis))?;
    let table: Vec<String> = (0..d.extent(axis)).map(|_| d.rng.of(&["0.25", "0.5", "-1.5", "1.0"]).to_string()).collect();
    let (axes, name) = (d.value(x).axes.clone(), d.name(axis).to_string());
    let most = 1.5 * d.ranges[x].0.abs().max(d.ranges[x].1.abs());
    d.term(Form::Infix, &format!("{{0}} * constant([{}], {name})", table.join(", ")), &[x], axes, (-most, most))
}

fn random(d: &mut Draw<'_>) -> Option<usize> {
    let seed = d.setting(&["seed"], Given::Seed(7))?;
    let x = d.float(|_| true)?;
    let (axes, most) = (d.value(x).axes.clone(), 3.0 * d.ranges[x].0.abs().max(d.ranges[x].1.abs()));
    let subset: Vec<Axis> = axes.iter().copied().filter(|_| d.rng.one_in(2)).collect();
    let list = d.list(&subset);
    let text = match d.rng.below(7) {
        0 => format!("{{0}} * bernoulli_like({{0}}, {seed}, 0.6) / 0.6"),
        1 => format!("{{0}} * uniform_like({{0}}, {seed})"),
        2 => format!("{{0}} + 0.1 * normal_like({{0}}, {seed})"),
        3 if !subset.is_empty() => format!("{{0}} * bernoulli({list}, {seed}, 0.5)"),
        4 if !subset.is_empty() => format!("{{0}} * uniform({list}, {seed}.fold_in(3))"),
        5 if !subset.is_empty() => format!("{{0}} - 0.2 * normal({list}, {seed})"),
        _ => format!("select(gt(uniform_like({{0}}, {seed}), 0.5), {{0}}, 0.1)"),
    };
    d.term(Form::Infix, &text, &[x], axes, (-most, most))
}
