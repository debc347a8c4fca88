//! Makes a failing program small: whatever can be left out or made plainer, as long as it fails.

use super::{Form, Kind, Output, Param, ParamKind, Program, Source, Value};

/// Tries, at most.
const TRIES: usize = 3000;

/// The smallest program found for which `fails` holds, as it holds for this one.
pub fn shrink(program: &Program, fails: &mut dyn FnMut(&Program) -> bool) -> Program {
    let mut best = program.clone();
    let mut tries = 0;
    'again: loop {
        for candidate in candidates(&best) {
            tries += 1;
            if tries > TRIES {
                return best;
            }
            if fails(&candidate) {
                best = candidate;
                continue 'again;
            }
        }
        return best;
    }
}

/// Smaller programs, the smallest first; some may be wrong, and then do not fail as this one does.
fn candidates(program: &Program) -> Vec<Program> {
    let mut all = vec![];
    outputs(program, &mut all);
    replaced(program, &mut all);
    arguments(program, &mut all);
    extents(program, &mut all);
    texts(program, &mut all);
    plainer(program, &mut all);
    all
}

fn changed(program: &Program, change: impl FnOnce(&mut Program)) -> Program {
    let mut smaller = program.clone();
    change(&mut smaller);
    smaller.prune();
    smaller
}

/// Fewer outputs, fewer assignments; an operand of an output in its place.
fn outputs(program: &Program, all: &mut Vec<Program>) {
    for k in 0..program.outputs.len() {
        if program.outputs.len() > 1 {
            all.push(changed(program, |p| {
                p.outputs.remove(k);
            }));
        }
    }
    for (i, value) in program.values.iter().enumerate() {
        if value.kind == Kind::Effect {
            all.push(changed(program, |p| {
                p.values[i].kind = Kind::Held;
            }));
        }
    }
    for k in 0..program.outputs.len() {
        for operand in &program.values[program.outputs[k].value].args {
            let value = &program.values[*operand];
            let number = value.kind == Kind::Float && value.holes.is_empty();
            if number {
                let output = Output { value: *operand, axes: value.axes.clone() };
                all.push(changed(program, |p| p.outputs[k] = output));
            }
        }
    }
}

/// One value for another that is like it, the earliest first.
fn replaced(program: &Program, all: &mut Vec<Program>) {
    let alike = |a: &Value, b: &Value| a.axes == b.axes && a.kind == b.kind && b.holes.iter().all(|h| a.holes.contains(h));
    for i in (0..program.values.len()).rev() {
        let value = &program.values[i];
        if !matches!(value.source, Source::Term { .. }) {
            continue;
        }
        for j in (0..i).filter(|j| alike(value, &program.values[*j])) {
            all.push(changed(program, |p| {
                p.values.iter_mut().flat_map(|v| &mut v.args).filter(|a| **a == i).for_each(|a| *a = j);
                p.outputs.iter_mut().filter(|o| o.value == i).for_each(|o| o.value = j);
            }));
        }
    }
}

/// An argument in place of a term.
fn arguments(program: &Program, all: &mut Vec<Program>) {
    let free = ["x", "y", "z", "w", "a", "b"].into_iter().find(|n| !program.params().any(|p| p.name == *n));
    let Some(name) = free else { return };
    for (i, value) in program.values.iter().enumerate() {
        let term = matches!(value.source, Source::Term { .. });
        if term && value.kind == Kind::Float && value.holes.is_empty() && !program.outputs.iter().any(|o| o.value == i) {
            let param = Param { name, kind: ParamKind::Tensor, axes: value.axes.clone() };
            all.push(changed(program, |p| {
                let argument =
                    Value { class: "tensor", source: Source::Param(param), args: vec![], listed: None, ..value.clone() };
                p.values[i] = argument;
            }));
        }
    }
}

fn extents(program: &Program, all: &mut Vec<Program>) {
    for i in 0..program.axes.len() {
        let extent = program.axes[i].extent;
        for smaller in [1, 2, 3, extent.saturating_sub(1)] {
            if smaller > 0 && smaller < extent {
                all.push(changed(program, |p| p.axes[i].extent = smaller));
            }
        }
    }
}

/// Options of windows left out; a plain function for a term of one operand over the same axes.
fn texts(program: &Program, all: &mut Vec<Program>) {
    for (i, value) in program.values.iter().enumerate() {
        let Source::Term { text, .. } = &value.source else { continue };
        let same = value.args.len() == 1 && value.args.iter().all(|a| program.values[*a].axes == value.axes);
        if same && value.kind == Kind::Float && text != "{0} * 0.5" && program.values[value.args[0]].kind == Kind::Float {
            all.push(changed(program, |p| {
                p.values[i].source = Source::Term { text: "{0} * 0.5".into(), form: Form::Infix };
                p.values[i].class = "numbers";
            }));
        }
    }
    for (i, setting) in program.settings.iter().enumerate() {
        let super::Given::Window(options) = &setting.value else { continue };
        let n = options.kernel.len();
        let plainer = [
            super::Options { divisor: None, ..options.clone() },
            super::Options { count_padding: false, ..options.clone() },
            super::Options { ceil_mode: false, ..options.clone() },
            super::Options { dilation: vec![1; n], ..options.clone() },
            super::Options { padding: vec![0; n], ..options.clone() },
        ];
        for options in plainer.into_iter().filter(|o| o != options) {
            all.push(changed(program, |p| p.settings[i].value = super::Given::Window(options)));
        }
    }
}

/// What is written in another way alone.
fn plainer(program: &Program, all: &mut Vec<Program>) {
    for i in 0..program.values.len() {
        let value = &program.values[i];
        if value.shadow {
            all.push(changed(program, |p| p.values[i].shadow = false));
        }
    }
    for k in 0..program.outputs.len() {
        let sorted = program.values[program.outputs[k].value].axes.clone();
        if program.outputs[k].axes != sorted {
            all.push(changed(program, |p| p.outputs[k].axes = sorted));
        }
    }
}
