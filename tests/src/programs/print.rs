//! Programs as Rust.

use super::{Axis, Form, Given, Kind, Options, Param, ParamKind, Program, Source};
use std::fmt::Write;

impl Options {
    pub(super) fn rust(&self) -> String {
        let mut text = format!("Window::new({:?})", self.kernel);
        if let Some(stride) = &self.stride {
            write!(text, ".stride({stride:?})").expect("text");
        }
        if self.padding.iter().any(|p| *p > 0) {
            write!(text, ".padding({:?})", self.padding).expect("text");
        }
        if self.dilation.iter().any(|d| *d > 1) {
            write!(text, ".dilation({:?})", self.dilation).expect("text");
        }
        for (option, on) in [("ceil_mode", self.ceil_mode), ("count_padding", self.count_padding)] {
            if on {
                write!(text, ".{option}(true)").expect("text");
            }
        }
        if let Some(divisor) = self.divisor {
            write!(text, ".divisor({divisor})").expect("text");
        }
        text
    }
}

impl Given {
    /// The value as Rust.
    pub fn rust(&self) -> String {
        match self {
            Given::Float(x) => format!("{x:?}"),
            Given::Count(n) => n.to_string(),
            Given::Flag(b) => b.to_string(),
            Given::Seed(s) => format!("Seed({s})"),
            Given::Window(options) => options.rust(),
        }
    }
    fn ty(&self) -> String {
        match self {
            Given::Float(_) => "f64".into(),
            Given::Count(_) => "usize".into(),
            Given::Flag(_) => "bool".into(),
            Given::Seed(_) => "Seed".into(),
            Given::Window(options) => format!("Window<{}>", options.kernel.len()),
        }
    }
}

impl Program {
    /// The function, without the attribute.
    pub fn function(&self) -> String {
        let mut text = format!("pub fn {}({}) -> {} {{\n", self.name, self.signature(), self.promise());
        for (_, helper) in &self.helpers {
            writeln!(text, "    {helper}").expect("text");
        }
        let names = Names::of(self);
        for (i, value) in self.values.iter().enumerate() {
            let Source::Term { .. } = &value.source else { continue };
            let term = || names.term(self, i);
            if value.kind == Kind::Effect {
                writeln!(text, "    {};", term()).expect("text");
            } else if !names.inlined[i] {
                let ty = value.listed.as_ref().map(|axes| format!(": {}", self.tensor("f32", axes)));
                writeln!(text, "    let {}{} = {};", names.name[i], ty.unwrap_or_default(), term()).expect("text");
            }
        }
        let results: Vec<String> = self.outputs.iter().map(|o| names.place(self, o.value, false)).collect();
        match results.as_slice() {
            [one] => writeln!(text, "    {one}\n}}").expect("text"),
            several => writeln!(text, "    ({})\n}}", several.join(", ")).expect("text"),
        }
        text
    }

    /// The formula and those that it calls, with their attributes.
    pub fn source(&self) -> String {
        let callees: String = self.callees.iter().map(Program::source).collect();
        format!("{callees}#[derive_backward]\n{}", self.function())
    }

    /// The formula, and the call of it that is wrong.
    pub fn report(&self) -> String {
        let one = |(at, p): (usize, &Param)| {
            let value = self.argument(at, p, super::fill::Style::Ordinary);
            value.map_or(format!("// {}: absent\n", p.name), |x| {
                let numbers: Vec<String> = x.iter().map(|v| format!("{v:?}")).collect();
                format!("// {}: {:?} [{}]\n", p.name, x.shape(), numbers.join(", "))
            })
        };
        let arguments: String = self.params().enumerate().map(one).collect();
        let constants: String = self.settings.iter().map(|s| format!("// {} = {}\n", s.name, s.value.rust())).collect();
        format!("{}{arguments}{constants}", self.source())
    }

    /// The operation with the call's constants.
    pub fn operation(&self) -> String {
        let words = self.name.split('_').map(|w| w[..1].to_uppercase() + &w[1..]);
        let stem: String = words.collect();
        if self.settings.is_empty() {
            return stem;
        }
        let fields: Vec<String> = self.settings.iter().map(|s| format!("{}: {}", s.name, s.value.rust())).collect();
        format!("{stem} {{ {} }}", fields.join(", "))
    }

    fn list(&self, axes: &[Axis]) -> String {
        let one = |a: &Axis| {
            let def = &self.axes[a.0];
            if def.many { format!("Many<{}>", def.name) } else { def.name.clone() }
        };
        match axes {
            [only] => one(only),
            several => format!("({})", several.iter().map(one).collect::<Vec<_>>().join(", ")),
        }
    }

    fn tensor(&self, element: &str, axes: &[Axis]) -> String {
        format!("Tensor<{element}, {}>", self.list(axes))
    }

    fn signature(&self) -> String {
        let param = |p: &Param| {
            let (name, tensor) = (p.name, self.tensor("f32", &p.axes));
            match p.kind {
                ParamKind::Tensor => format!("{name}: {tensor}"),
                ParamKind::Constant => format!("#[constant] {name}: {tensor}"),
                ParamKind::Optional { .. } => format!("{name}: Option<{tensor}>"),
                ParamKind::State => format!("{name}: &mut {tensor}"),
                ParamKind::Labels { .. } => format!("{name}: Labels<{}>", self.list(&p.axes)),
                ParamKind::Diff => format!("#[diff] {name}: f64"),
            }
        };
        let settings = self.settings.iter().map(|s| format!("{}: {}", s.name, s.value.ty()));
        self.params().map(param).chain(settings).collect::<Vec<_>>().join(", ")
    }

    fn promise(&self) -> String {
        let one = |o: &super::Output| {
            let element = if matches!(self.values[o.value].kind, Kind::Index(_)) { "i64" } else { "f32" };
            self.tensor(element, &o.axes)
        };
        match self.outputs.as_slice() {
            [only] => one(only),
            several => format!("({})", several.iter().map(one).collect::<Vec<_>>().join(", ")),
        }
    }

    /// The axes of arguments, in the order in which the signature names them.
    pub(super) fn signature_axes(&self) -> Vec<Axis> {
        let mut axes: Vec<Axis> = vec![];
        for axis in self.params().flat_map(|p| &p.axes) {
            if !axes.contains(axis) {
                axes.push(*axis);
            }
        }
        axes
    }
}

/// What values are called, and which are written where they are used.
struct Names {
    name: Vec<String>,
    inlined: Vec<bool>,
}

impl Names {
    fn of(program: &Program) -> Names {
        let values = &program.values;
        let mut uses = vec![0; values.len()];
        for value in values {
            if let Source::Term { text, .. } = &value.source {
                for (k, arg) in value.args.iter().enumerate() {
                    uses[*arg] += text.matches(&format!("{{{k}}}")).count();
                }
            }
        }
        program.outputs.iter().for_each(|o| uses[o.value] += 1);
        let inlined = |i: usize| {
            let v = &values[i];
            uses[i] == 1 && v.inline && v.kind != Kind::Effect && v.listed.is_none() && matches!(v.source, Source::Term { .. })
        };
        let inlined: Vec<bool> = (0..values.len()).map(inlined).collect();
        // where the text of each value ends up, from the last to the first: a statement, or the result
        let mut at: Vec<usize> = (0..values.len()).collect();
        let mut last = vec![0; values.len()];
        program.outputs.iter().for_each(|o| last[o.value] = values.len());
        for i in (0..values.len()).rev() {
            if inlined[i] {
                at[i] = last[i];
            }
            for arg in &values[i].args {
                last[*arg] = last[*arg].max(at[i]);
            }
        }
        let mut name: Vec<String> = Vec::with_capacity(values.len());
        for (i, value) in values.iter().enumerate() {
            let own = match &value.source {
                Source::Param(p) => p.name.to_string(),
                Source::Term { .. } => format!("v{i}"),
            };
            let free = |a: &&usize| last[**a] == i && !inlined[**a] && values[**a].kind != Kind::Held;
            let taken = if value.shadow && !inlined[i] { value.args.iter().find(free) } else { None };
            name.push(taken.map_or(own, |a| name[*a].clone()));
        }
        Names { name, inlined }
    }

    fn place(&self, program: &Program, value: usize, tight: bool) -> String {
        match &program.values[value].source {
            Source::Term { form, .. } if self.inlined[value] => {
                let term = self.term(program, value);
                if tight && *form == Form::Infix { format!("({term})") } else { term }
            }
            _ => self.name[value].clone(),
        }
    }

    fn term(&self, program: &Program, value: usize) -> String {
        let Source::Term { text, form } = &program.values[value].source else { return self.name[value].clone() };
        let tight = *form != Form::Call;
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find('{') {
            let inside = &rest[at + 1..];
            let end = inside.find('}').unwrap_or(0);
            match inside[..end].parse::<usize>() {
                Ok(k) => {
                    out += &rest[..at];
                    out += &self.place(program, program.values[value].args[k], tight);
                    rest = &inside[end + 1..];
                }
                Err(_) => {
                    out += &rest[..=at];
                    rest = inside;
                }
            }
        }
        out + rest
    }
}
