//! Draws programs: values one after the other, each a construct over values that are there.

mod again;
mod control;
mod gather;
mod pointwise;
mod reduce;
mod views;

use super::{Axis, AxisDef, Coverage, Form, Given, Kind, Output, Param, ParamKind, Program, Setting, Source, Value, fill};
use crate::Rng;

/// No value has more elements.
const LARGEST: usize = 500;
/// No value has more axes.
const MOST_AXES: usize = 5;

/// Draws programs from a seed, favouring pairs of constructs not drawn yet.
pub struct Drawer {
    rng: Rng,
    pub coverage: Coverage,
    /// Programs that others may call.
    callable: Vec<Program>,
    drawn: usize,
}

impl Drawer {
    pub fn new(seed: u64) -> Drawer {
        Drawer { rng: Rng(seed), coverage: Coverage::default(), callable: vec![], drawn: 0 }
    }

    /// The next program.
    pub fn draw(&mut self) -> Program {
        let name = format!("p{}", self.drawn);
        self.drawn += 1;
        let program = Draw::new(self, name).program();
        self.coverage.add(&program);
        if program.is_callable() {
            self.callable.push(program.clone());
            if self.callable.len() > 40 {
                self.callable.remove(0);
            }
        }
        program
    }
}

/// A range that a value lies in, roughly.
type Range = (f64, f64);

fn size((lo, hi): Range) -> f64 {
    lo.abs().max(hi.abs())
}

/// A program while it is drawn.
struct Draw<'a> {
    rng: &'a mut Rng,
    coverage: &'a Coverage,
    callable: &'a [Program],
    program: Program,
    ranges: Vec<Range>,
    /// The construct that is drawn.
    class: &'static str,
    /// Arguments of functions may lie outside of their domains.
    hostile: bool,
    /// Branches of the call so far.
    branches: usize,
}

/// What draws a construct; `None` where nothing suits it.
type Make = fn(&mut Draw<'_>) -> Option<usize>;

const TENSORS: [&str; 9] = ["x", "y", "z", "w", "a", "b", "c", "d", "g"];

impl<'a> Draw<'a> {
    fn new(drawer: &'a mut Drawer, name: String) -> Draw<'a> {
        let seed = fill::mixed(&mut drawer.rng.0);
        let hostile = drawer.rng.one_in(10);
        let program = Program {
            name,
            axes: vec![],
            settings: vec![],
            helpers: vec![],
            callees: vec![],
            values: vec![],
            outputs: vec![],
            seed,
            hostile,
        };
        let Drawer { rng, coverage, callable, .. } = drawer;
        Draw { rng, coverage, callable, program, ranges: vec![], class: "", hostile, branches: 0 }
    }

    fn program(mut self) -> Program {
        let axes = 1 + self.rng.below(4);
        for i in 0..axes {
            let extent = self.rng.of(&[1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 9, 17]);
            let many = i == 1 && self.rng.one_in(6);
            self.axis(["N", "C", "L", "H"][i], extent, many);
        }
        for _ in 0..1 + self.rng.below(3) {
            let axes = self.some_axes();
            self.argument(ParamKind::Tensor, axes);
        }
        let terms = 2 + self.rng.below(10);
        for _ in 0..6 * terms {
            if self.program.values.iter().filter(|v| matches!(v.source, Source::Term { .. })).count() >= terms {
                break;
            }
            self.step();
        }
        self.finish();
        self.program
    }

    /// A construct, one that has stood around few of the values that are there.
    fn step(&mut self) {
        let inner: Vec<&'static str> = self.program.values.iter().map(|v| v.class).collect();
        let weight = |(class, _, weight): &(&'static str, Make, usize)| {
            let fresh = inner.iter().filter(|i| self.coverage.count(class, i) == 0).count();
            weight * (2 + fresh)
        };
        let table = constructs();
        let weights: Vec<usize> = table.iter().map(weight).collect();
        let Some(chosen) = self.rng.weighted(&weights) else { return };
        let (class, make, _) = table[chosen];
        self.class = class;
        let before = self.program.values.len();
        if make(self).is_none() {
            // what was prepared for it stays only if it is an argument
            let terms = |v: &Value| matches!(v.source, Source::Term { .. });
            if self.program.values[before..].iter().all(terms) {
                self.program.values.truncate(before);
                self.ranges.truncate(before);
            }
        }
    }

    // ---- what there is

    fn value(&self, id: usize) -> &Value {
        &self.program.values[id]
    }
    fn extent(&self, axis: Axis) -> usize {
        self.program.axes[axis.0].extent
    }
    fn name(&self, axis: Axis) -> &str {
        &self.program.axes[axis.0].name
    }
    fn elements(&self, axes: &[Axis]) -> usize {
        axes.iter().map(|a| self.extent(*a)).product()
    }
    fn fits(&self, axes: &[Axis]) -> bool {
        axes.len() <= MOST_AXES && self.elements(axes) <= LARGEST
    }
    /// Axes as the language writes them.
    fn list(&self, axes: &[Axis]) -> String {
        match axes {
            [one] => self.name(*one).to_string(),
            several => format!("({})", several.iter().map(|a| self.name(*a)).collect::<Vec<_>>().join(", ")),
        }
    }

    fn axis(&mut self, name: &str, extent: usize, many: bool) -> Axis {
        self.program.axes.push(AxisDef { name: name.into(), extent, many });
        Axis(self.program.axes.len() - 1)
    }
    fn new_axis(&mut self, letter: &str, extent: usize) -> Axis {
        let name = format!("{letter}{}", self.program.axes.len());
        self.axis(&name, extent, false)
    }

    /// Some of the axes, in any order.
    fn some_axes(&mut self) -> Vec<Axis> {
        let mut axes: Vec<Axis> = (0..self.program.axes.len()).map(Axis).filter(|a| self.named(*a)).collect();
        let kept = if self.rng.one_in(12) { 0 } else { 1 + self.rng.below(axes.len()) };
        while axes.len() > kept || !self.fits(&axes) {
            let at = self.rng.below(axes.len());
            axes.remove(at);
        }
        if self.rng.one_in(3) && axes.len() > 1 {
            axes.rotate_left(1);
        }
        axes
    }

    /// Whether the signature may name an axis: those of windows and other views are made in the body.
    fn named(&self, axis: Axis) -> bool {
        self.program.axes[axis.0].name.len() == 1
    }

    /// Another argument; its value.
    fn argument(&mut self, kind: ParamKind, axes: Vec<Axis>) -> usize {
        let taken = |name: &str| self.program.params().any(|p| p.name == name);
        let names: &[&'static str] = match kind {
            ParamKind::Labels { .. } => &["label", "place", "pos", "idx"],
            ParamKind::State => &["r", "q", "m"],
            ParamKind::Diff => &["t", "u", "k0"],
            ParamKind::Optional { .. } => &["o", "e", "f"],
            _ => &TENSORS,
        };
        let Some(name) = names.iter().copied().find(|n| !taken(n)) else { return 0 };
        let (class, value) = match kind {
            ParamKind::Tensor | ParamKind::Constant => ("tensor", Kind::Float),
            ParamKind::Diff => ("scalar", Kind::Float),
            ParamKind::Labels { below } => ("labels", Kind::Index(below)),
            ParamKind::Optional { .. } => ("optional", Kind::Held),
            ParamKind::State => ("state", Kind::Held),
        };
        let mut sorted = axes.clone();
        sorted.sort();
        let source = Source::Param(Param { name, kind, axes });
        self.push(Value {
            class,
            source,
            args: vec![],
            axes: sorted,
            kind: value,
            holes: vec![],
            inline: false,
            shadow: false,
            listed: None,
        });
        self.ranges.push((-2.0, 2.0));
        self.program.values.len() - 1
    }

    fn push(&mut self, value: Value) {
        self.program.values.push(value);
    }

    /// A constant of the call, named after the first free name.
    fn setting(&mut self, names: &[&'static str], value: Given) -> Option<&'static str> {
        let same = self.program.settings.iter().find(|s| s.value == value && names.contains(&s.name));
        if let Some(same) = same {
            return Some(same.name);
        }
        let name = names.iter().copied().find(|n| !self.program.settings.iter().any(|s| s.name == *n))?;
        self.program.settings.push(Setting { name, value });
        Some(name)
    }

    // ---- choosing operands

    /// A value that suits, rather one that nothing uses yet, or whose construct has not stood here.
    fn choose(&mut self, suits: impl Fn(&Value) -> bool) -> Option<usize> {
        let used = |id: usize| self.program.values.iter().any(|v| v.args.contains(&id));
        let weight = |(id, v): (usize, &Value)| {
            let fresh = self.coverage.count(self.class, v.class) == 0;
            let alone = !used(id);
            if suits(v) { 1 + 6 * usize::from(fresh) + 4 * usize::from(alone) } else { 0 }
        };
        let weights: Vec<usize> = self.program.values.iter().enumerate().map(weight).collect();
        self.rng.weighted(&weights)
    }

    /// A number without holes.
    fn float(&mut self, suits: impl Fn(&Value) -> bool) -> Option<usize> {
        self.choose(|v| v.kind == Kind::Float && v.holes.is_empty() && suits(v))
    }

    /// A number, sometimes one that may be a hole.
    fn any_float(&mut self) -> Option<usize> {
        self.choose(|v| v.kind == Kind::Float)
    }

    /// An operand and one of its axes that is no `Many` one.
    fn float_and_axis(&mut self) -> Option<(usize, Axis)> {
        let plain: Vec<bool> = self.program.axes.iter().map(|a| !a.many).collect();
        let x = self.float(|v| v.axes.iter().any(|a| plain[a.0]))?;
        let x = self.weighted(x);
        let axes: Vec<Axis> = self.value(x).axes.iter().copied().filter(|a| plain[a.0]).collect();
        Some((x, self.rng.of(&axes)))
    }

    fn union(&self, values: &[usize]) -> Vec<Axis> {
        let mut axes: Vec<Axis> = values.iter().flat_map(|v| self.value(*v).axes.clone()).collect();
        axes.sort();
        axes.dedup();
        axes
    }

    // ---- making values

    /// A number over these axes, if it is not too large.
    fn term(&mut self, form: Form, text: &str, args: &[usize], axes: Vec<Axis>, range: Range) -> Option<usize> {
        self.of_kind(Kind::Float, form, text, args, axes, range)
    }

    fn of_kind(
        &mut self,
        kind: Kind,
        form: Form,
        text: &str,
        args: &[usize],
        mut axes: Vec<Axis>,
        range: Range,
    ) -> Option<usize> {
        axes.sort();
        axes.dedup();
        if !self.fits(&axes) {
            return None;
        }
        let mut holes: Vec<Axis> = args.iter().flat_map(|a| self.value(*a).holes.clone()).collect();
        holes.sort();
        holes.dedup();
        let (inline, shadow) = (!self.rng.one_in(3), self.rng.one_in(4));
        let source = Source::Term { text: text.into(), form };
        self.push(Value { class: self.class, source, args: args.to_vec(), axes, kind, holes, inline, shadow, listed: None });
        let range = if range.0.is_finite() && range.1.is_finite() { range } else { (-1e6, 1e6) };
        self.ranges.push(range);
        Some(self.program.values.len() - 1)
    }

    /// A function of values, element by element, called or as a method.
    fn pointwise(&mut self, word: &str, args: &[usize], rest: &str, range: Range) -> Option<usize> {
        let axes = self.union(args);
        let others = (1..args.len()).map(|k| format!(", {{{k}}}")).collect::<String>();
        if self.rng.one_in(3) {
            let inside = format!("{others}{rest}");
            let inside = inside.strip_prefix(", ").unwrap_or("");
            self.term(Form::Method, &format!("{{0}}.{word}({inside})"), args, axes, range)
        } else {
            self.term(Form::Call, &format!("{word}({{0}}{others}{rest})"), args, axes, range)
        }
    }

    /// The value where it is small, else one made small.
    fn tame(&mut self, x: usize, most: f64) -> Option<usize> {
        if size(self.ranges[x]) <= most || self.hostile {
            return Some(x);
        }
        let class = std::mem::replace(&mut self.class, "activations");
        let word = self.rng.of(&["tanh", "sin", "sigmoid", "cos", "erf"]);
        let tamed = self.pointwise(word, &[x], "", (-1.0, 1.0));
        self.class = class;
        tamed
    }

    /// The value where it is large enough for a logarithm, say, else one made so.
    fn positive(&mut self, x: usize) -> Option<usize> {
        if self.ranges[x].0 >= 0.2 || self.hostile {
            return Some(x);
        }
        let x = self.tame(x, 10.0)?;
        let class = std::mem::replace(&mut self.class, "numbers");
        let axes = self.value(x).axes.clone();
        let most = size(self.ranges[x]);
        let (text, range) = self.rng.of(&[
            ("sq({0}) + 0.5", (0.5, most * most + 0.5)),
            ("abs({0}) + 0.3", (0.3, most + 0.3)),
            ("0.4 + softplus({0})", (0.4, most + 1.4)),
            ("1.2 + sin({0})", (0.2, 2.2)),
        ]);
        let made = self.term(Form::Infix, text, &[x], axes, range);
        self.class = class;
        made
    }

    /// A number as the language writes it, and what it is: in place, or a constant.
    fn number(&mut self) -> (String, f64) {
        let value = self.rng.of(&[0.5, 0.3, -0.7, 1.5, 0.1, 2.0, -0.2, 0.9, 1.1]);
        match self.rng.below(5) {
            0 => match self.setting(&["s", "eps", "alpha"], Given::Float(value)) {
                Some(name) => (name.into(), value),
                None => (format!("{value:?}"), value),
            },
            1 => match self.setting(&["n", "reps"], Given::Count(2)) {
                Some(name) => (name.into(), 2.0),
                None => ("2".into(), 2.0),
            },
            _ => (format!("{value:?}"), value),
        }
    }

    // ---- the end

    /// Outputs: what nothing else uses, without holes, added up where it is too much.
    fn finish(&mut self) {
        self.class = "result";
        let used = |v: usize| self.program.values.iter().any(|u| u.args.contains(&v));
        let term = |v: &Value| matches!(v.source, Source::Term { .. }) && !matches!(v.kind, Kind::Effect | Kind::Held);
        let mut ends: Vec<usize> = (0..self.program.values.len()).filter(|v| term(self.value(*v)) && !used(*v)).collect();
        if ends.is_empty() {
            ends = (0..self.program.values.len()).filter(|v| self.value(*v).kind == Kind::Float).take(1).collect();
        }
        let ends: Vec<usize> = ends.into_iter().filter_map(|v| self.closed(v)).collect();
        let (mut results, most) = (vec![], 1 + self.rng.below(3));
        for end in ends {
            match results.pop() {
                Some(last) if results.len() + 1 >= most => results.push(self.joined(last, end)),
                last => results.extend(last.into_iter().chain([end])),
            }
        }
        for value in results {
            let mut axes = self.value(value).axes.clone();
            if self.rng.one_in(3) && !axes.is_empty() {
                axes.rotate_left(1);
            }
            if self.rng.one_in(5) {
                axes.reverse();
            }
            self.program.outputs.push(Output { value, axes });
        }
        self.program.prune();
    }

    /// A value that may be an output.
    fn closed(&mut self, v: usize) -> Option<usize> {
        let v = if self.value(v).holes.is_empty() {
            v
        } else {
            let axes = self.value(v).axes.clone();
            let holey = std::mem::take(&mut self.program.values[v].holes);
            let text = if self.value(v).kind == Kind::Mask { "fill({0} * 1.0, 0.0)" } else { "fill({0}, 0.25)" };
            let closed = self.term(Form::Infix, text, &[v], axes, self.ranges[v]);
            self.program.values[v].holes = holey;
            closed?
        };
        let (kind, axes) = (self.value(v).kind, self.value(v).axes.clone());
        match kind {
            Kind::Mask => self.term(Form::Infix, "{0} * 0.5", &[v], axes, (0.0, 0.5)),
            Kind::Index(below) if self.rng.one_in(2) => self.term(Form::Infix, "{0} * 0.25", &[v], axes, (0.0, below as f64)),
            _ => Some(v),
        }
    }

    /// The sum of two results, of the second's total where they have too many axes together.
    fn joined(&mut self, a: usize, b: usize) -> usize {
        let (integer, axes) = (|v: &Value| v.kind != Kind::Float, self.union(&[a, b]));
        if integer(self.value(a)) || integer(self.value(b)) {
            return if integer(self.value(a)) { b } else { a };
        }
        let range = (self.ranges[a].0 + self.ranges[b].0, self.ranges[a].1 + self.ranges[b].1);
        if let Some(sum) = self.term(Form::Infix, "{0} + {1}", &[a, b], axes, range) {
            return sum;
        }
        let (axes, over) = (self.value(a).axes.clone(), self.list(&self.value(b).axes.clone()));
        self.term(Form::Infix, &format!("{{0}} + mean({{1}}, {over})"), &[a, b], axes, range).unwrap_or(a)
    }
}

/// The constructs, and how often each is drawn.
fn constructs() -> Vec<(&'static str, Make, usize)> {
    [pointwise::TABLE, reduce::TABLE, views::TABLE, gather::TABLE, control::TABLE].concat()
}
