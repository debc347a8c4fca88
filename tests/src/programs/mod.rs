//! Random programs: well-typed formulas over the whole language, each checked against what it means.
//!
//! A [`Program`] is data: a signature, values made of values before them, outputs. [`Drawer`] draws them from a seed,
//! the same every time, and favours constructs that have not stood inside one another yet ([`Coverage`]);
//! [`interpreted`] checks one in the engine's interpreters, [`compiled`] a batch through the macro and rustc;
//! [`shrink`] makes a failing one small.

pub mod compiled;
mod cover;
mod draw;
#[path = "fill.rs"]
pub mod fill;
pub mod interpreted;
mod print;
mod shrink;

pub use cover::Coverage;
pub use draw::Drawer;
pub use shrink::shrink;

use crate::formulas::Call;
use crate::host::Constant;
use fill::Style;
use pullback::Window;
use pullback::ndarray::ArrayD;

/// An axis of a program, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Axis(pub usize);

/// What an axis is called, and how long it is in the program's own call.
#[derive(Clone, Debug)]
pub struct AxisDef {
    pub name: String,
    pub extent: usize,
    pub many: bool,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Float,
    Mask,
    /// Whole numbers below this.
    Index(usize),
    /// An optional tensor, or a state: only its own constructs read it.
    Held,
    /// No value: an assignment to a state.
    Effect,
}

/// How a term binds: where parentheses are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Call,
    Infix,
    Method,
}

/// An argument of the formula.
#[derive(Clone, Debug)]
pub struct Param {
    pub name: &'static str,
    pub kind: ParamKind,
    /// In the order of its list.
    pub axes: Vec<Axis>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParamKind {
    Tensor,
    Constant,
    Optional { present: bool },
    State,
    Labels { below: usize },
    Diff,
}

/// A constant of the call.
#[derive(Clone, Debug)]
pub struct Setting {
    pub name: &'static str,
    pub value: Given,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    Float(f64),
    Count(usize),
    Flag(bool),
    Seed(u64),
    Window(Options),
}

/// The options of a window, one entry an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    pub kernel: Vec<usize>,
    pub stride: Option<Vec<usize>>,
    pub padding: Vec<usize>,
    pub dilation: Vec<usize>,
    pub ceil_mode: bool,
    pub count_padding: bool,
    pub divisor: Option<i64>,
}

impl Options {
    /// The same over three axes, the added ones of extent one.
    pub fn window(&self) -> Window<3> {
        let of = |v: &[usize], or: usize| [0, 1, 2].map(|i| v.get(i).copied().unwrap_or(or));
        let k = Window::new(of(&self.kernel, 1));
        let k = self.stride.as_ref().map_or(k, |s| k.stride(of(s, 1)));
        let k = k.padding(of(&self.padding, 0)).dilation(of(&self.dilation, 1));
        k.ceil_mode(self.ceil_mode).count_padding(self.count_padding).divisor(self.divisor)
    }
}

/// Where a value comes from.
#[derive(Clone, Debug)]
pub enum Source {
    Param(Param),
    /// A term: `{0}`, `{1}`, … are its operands.
    Term {
        text: String,
        form: Form,
    },
}

/// A value of a program.
#[derive(Clone, Debug)]
pub struct Value {
    /// The construct, for the coverage of pairs.
    pub class: &'static str,
    pub source: Source,
    /// Operands, by number.
    pub args: Vec<usize>,
    /// Sorted.
    pub axes: Vec<Axis>,
    pub kind: Kind,
    /// Taps of windows where it may have holes.
    pub holes: Vec<Axis>,
    /// Written where it is used, if that is one place.
    pub inline: bool,
    /// Takes the name of an operand that is not needed any more.
    pub shadow: bool,
    /// The axes as its `let` lists them: names for those that a formula brings in.
    pub listed: Option<Vec<Axis>>,
}

/// An output: a value, and its axes in the promised order.
#[derive(Clone, Debug)]
pub struct Output {
    pub value: usize,
    pub axes: Vec<Axis>,
}

/// A formula, with one call of it.
#[derive(Clone, Debug)]
pub struct Program {
    pub name: String,
    pub axes: Vec<AxisDef>,
    pub settings: Vec<Setting>,
    /// Functions in the body: name and text.
    pub helpers: Vec<(String, String)>,
    /// The formulas that it calls.
    pub callees: Vec<Program>,
    pub values: Vec<Value>,
    pub outputs: Vec<Output>,
    /// Draws the arguments.
    pub seed: u64,
    /// Functions may be called outside of their domains.
    pub hostile: bool,
}

impl Program {
    pub fn params(&self) -> impl Iterator<Item = &Param> {
        self.values.iter().filter_map(|v| match &v.source {
            Source::Param(param) => Some(param),
            Source::Term { .. } => None,
        })
    }

    /// Whether a construct stands in it.
    pub fn has(&self, class: &str) -> bool {
        self.values.iter().any(|v| v.class == class) || self.callees.iter().any(|c| c.has(class))
    }

    /// The extents of axes, of a `Many` axis those of its dimensions.
    pub fn shape(&self, axes: &[Axis]) -> Vec<usize> {
        axes.iter().flat_map(|a| self.dimensions(*a)).collect()
    }

    /// A `Many` axis of even extent is two dimensions, and of extent one none.
    pub fn dimensions(&self, axis: Axis) -> Vec<usize> {
        let AxisDef { extent, many, .. } = self.axes[axis.0];
        match extent {
            1 if many => vec![],
            n if many && n % 2 == 0 => vec![2, n / 2],
            n => vec![n],
        }
    }

    /// The elements of an argument; `None` where it is absent. A `Many` axis is one dimension.
    pub fn argument(&self, at: usize, param: &Param, style: Style) -> Option<ArrayD<f64>> {
        let shape: Vec<usize> = param.axes.iter().map(|a| self.axes[a.0].extent).collect();
        let seed = self.seed.wrapping_mul(31).wrapping_add(at as u64);
        let values = match param.kind {
            ParamKind::Optional { present: false } => return None,
            ParamKind::Labels { below } => fill::labels(&shape, below, seed).into_iter().map(|i| i as f64).collect(),
            _ => fill::numbers(&shape, style, seed),
        };
        ArrayD::from_shape_vec(shape, values).ok()
    }

    /// The program's call, for the interpreters.
    pub fn call(&self, style: Style) -> Call {
        let mut call = Call::default();
        for (at, param) in self.params().enumerate() {
            if let Some(value) = self.argument(at, param, style) {
                call = call.tensor(param.name, value);
            }
        }
        let settings: Vec<(&'static str, Given)> = self.settings.iter().map(|s| (s.name, s.value.clone())).collect();
        call.constants = given_constants(&settings).constants;
        call
    }

    /// Drops values that no output and no state needs, then constants, helpers and formulas that nothing names.
    pub fn prune(&mut self) {
        let mut live = vec![false; self.values.len()];
        self.outputs.iter().for_each(|o| live[o.value] = true);
        for i in (0..self.values.len()).rev() {
            live[i] |= self.values[i].kind == Kind::Effect;
            if live[i] {
                self.values[i].args.iter().for_each(|a| live[*a] = true);
            }
        }
        let place: Vec<usize> = live.iter().scan(0, |n, l| Some(std::mem::replace(n, *n + usize::from(*l)))).collect();
        let mut kept = live.iter();
        self.values.retain(|_| *kept.next().expect("one a value"));
        self.values.iter_mut().flat_map(|v| &mut v.args).for_each(|a| *a = place[*a]);
        self.outputs.iter_mut().for_each(|o| o.value = place[o.value]);
        let text = self.values.iter().filter_map(|v| match &v.source {
            Source::Term { text, .. } => Some(text.as_str()),
            Source::Param(_) => None,
        });
        let text = text.collect::<Vec<_>>().join("\n");
        self.helpers.retain(|(name, _)| names(&text, name));
        self.settings.retain(|s| names(&text, s.name));
        let mut called = text;
        for callee in self.callees.iter().rev() {
            if names(&called, &callee.name) {
                called += &callee.function();
            }
        }
        self.callees.retain(|c| names(&called, &c.name));
    }
}

/// Whether a word stands in a text.
pub(crate) fn names(text: &str, word: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| !text[..at].ends_with(inside) && !text[at + word.len()..].starts_with(inside))
}

/// A call with these constants.
fn given_constants(given: &[(&'static str, Given)]) -> Call {
    given.iter().fold(Call::default(), |call, (name, value)| {
        let value = match value {
            Given::Float(x) => Constant::Number(*x),
            Given::Count(n) => Constant::Number(*n as f64),
            Given::Flag(b) => Constant::Number(f64::from(u8::from(*b))),
            Given::Seed(s) => Constant::Number(*s as f64),
            Given::Window(options) => Constant::Sliding(options.window()),
        };
        call.constant(name, value)
    })
}
