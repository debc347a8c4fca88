//! A formula as its author wrote it, running: what `reference` is made of.
//!
//! The body of a formula runs here as ordinary Rust. A tensor is a [`Var`], a handle that is copied as numbers are, so
//! that the author's own expressions, bindings, branches and loops stand as they are. An axis is a [`Name`], which
//! learns its meaning when the body first uses it. All that a run allocates is freed with its [`Run`].

use std::cell::{Cell, RefCell};
use std::ops;

use super::value::{Axis, Value};
use crate::constants::HostNumber;
use crate::{Seed, Window};

/// One run of a formula: its values, the extents of its axes, and how many draws it has made.
#[derive(Debug)]
pub struct Run {
    values: RefCell<Vec<Entry>>,
    /// By axis.
    extents: RefCell<Vec<usize>>,
    draws: Cell<u32>,
}

#[derive(Debug)]
struct Entry {
    value: Value,
    /// The axes in the order of a declared list, where there is one.
    order: Option<Vec<Axis>>,
}

/// A tensor, a mask, indices or a number of a [`Run`].
#[derive(Clone, Copy, Debug)]
pub struct Var<'r> {
    run: &'r Run,
    at: usize,
}

/// What an axis is called in one function. It stands for an axis, for `Many<S>` for any number of them, or for nothing
/// until an operation introduces it.
#[derive(Debug, Default)]
pub struct Name(RefCell<Option<Vec<Axis>>>);

impl Name {
    /// A name that stands for nothing yet.
    pub fn new() -> Name {
        Name::default()
    }

    /// The axis with this number in the signature.
    pub fn of(axis: u32) -> Name {
        Name(RefCell::new(Some(vec![Axis(axis)])))
    }

    /// Several names together.
    pub fn joined(names: &[&Name]) -> Name {
        Name(RefCell::new(Some(axes(names))))
    }

    fn known(&self) -> Option<Vec<Axis>> {
        self.0.borrow().clone()
    }

    fn one(&self) -> Axis {
        match axes(&[self])[..] {
            [axis] => axis,
            _ => panic!("the name of one axis"),
        }
    }

    fn set(&self, axes: &[Axis]) {
        *self.0.borrow_mut() = Some(axes.to_vec());
    }

    /// The axis, a new one of this extent where the name stands for nothing yet.
    fn introduce(&self, run: &Run, len: usize) -> Axis {
        if let Some(known) = self.known() {
            return known[0];
        }
        let axis = run.fresh(len);
        self.set(&[axis]);
        axis
    }
}

/// The axes that a list of names stands for.
fn axes(names: &[&Name]) -> Vec<Axis> {
    names.iter().flat_map(|name| name.known().expect("a name is introduced before it is used")).collect()
}

impl Run {
    /// A run whose signature has axes of these extents.
    pub fn new(extents: &[usize]) -> Run {
        Run { values: RefCell::default(), extents: RefCell::new(extents.to_vec()), draws: Cell::new(0) }
    }

    fn fresh(&self, len: usize) -> Axis {
        let mut extents = self.extents.borrow_mut();
        extents.push(len);
        Axis(extents.len() as u32 - 1)
    }

    fn put(&self, value: Value) -> Var<'_> {
        self.put_ordered(value, None)
    }

    fn put_ordered(&self, value: Value, order: Option<Vec<Axis>>) -> Var<'_> {
        let mut values = self.values.borrow_mut();
        values.push(Entry { value, order });
        Var { run: self, at: values.len() - 1 }
    }

    /// An argument over these axes.
    pub fn argument(&self, value: Value, names: &[&Name]) -> Var<'_> {
        self.put_ordered(value, Some(axes(names)))
    }

    /// A number.
    pub fn num<N: HostNumber>(&self, x: N) -> Var<'_> {
        self.put(Value::number(x.number()))
    }

    /// How many positions these axes have together.
    pub fn len(&self, names: &[&Name]) -> usize {
        self.dims(names).iter().map(|(_, len)| *len).product()
    }

    /// Row-major positions along the axes.
    pub fn index(&self, names: &[&Name]) -> Var<'_> {
        let positions = (0..self.len(names)).map(|i| i as f64).collect();
        self.put(Value::constant(&self.dims(names), positions))
    }

    /// The given numbers along an axis.
    pub fn constant(&self, values: &[f64], axis: &Name) -> Var<'_> {
        let axis = axis.introduce(self, values.len());
        self.put(super::constant(values, axis))
    }

    fn dims(&self, names: &[&Name]) -> Vec<(Axis, usize)> {
        let extents = self.extents.borrow();
        axes(names).into_iter().map(|axis| (axis, extents[axis.0 as usize])).collect()
    }

    fn draw(&self, dims: &[(Axis, usize)], f: impl Fn(&[(Axis, usize)], u32) -> Value) -> Var<'_> {
        let number = self.draws.replace(self.draws.get() + 1);
        self.put(f(dims, number))
    }

    /// 1 with probability `keep`, else 0.
    pub fn bernoulli<N: HostNumber>(&self, names: &[&Name], seed: Seed, keep: N) -> Var<'_> {
        let keep = keep.number();
        self.draw(&self.dims(names), |dims, number| super::bernoulli(dims, seed, number, keep))
    }

    /// Uniform in [0, 1).
    pub fn uniform(&self, names: &[&Name], seed: Seed) -> Var<'_> {
        self.draw(&self.dims(names), |dims, number| super::uniform(dims, seed, number))
    }

    /// Standard normal.
    pub fn normal(&self, names: &[&Name], seed: Seed) -> Var<'_> {
        self.draw(&self.dims(names), |dims, number| super::normal(dims, seed, number))
    }
}

impl<'r> Var<'r> {
    fn value(self) -> Value {
        self.run.values.borrow()[self.at].value.clone()
    }

    /// The axes: as declared, else in order of first appearance.
    fn order(self) -> Vec<Axis> {
        let values = self.run.values.borrow();
        let entry = &values[self.at];
        entry.order.clone().unwrap_or_else(|| {
            let mut axes: Vec<Axis> = entry.value.dims.iter().map(|(axis, _)| *axis).collect();
            axes.sort();
            axes
        })
    }

    fn with(self, f: impl FnOnce(&Value) -> Value) -> Var<'r> {
        self.run.put(f(&self.value()))
    }

    fn and_with(self, other: Var<'r>, f: impl FnOnce(&Value, &Value) -> Value) -> Var<'r> {
        self.run.put(f(&self.value(), &other.value()))
    }

    /// Binds the axes by position to the names of a callee's list; one of them, the `Many`, takes what is left over.
    pub fn bind(self, names: &[&Name], many: Option<usize>) {
        let order = self.order();
        let mut rest = &order[..];
        for (i, name) in names.iter().enumerate() {
            let take = if many == Some(i) { rest.len() + i + 1 - names.len() } else { 1 };
            let (mine, after) = rest.split_at(take);
            rest = after;
            match name.known() {
                Some(bound) => assert_eq!(bound, mine, "all arguments agree on the axes"),
                None => name.set(mine),
            }
        }
    }

    /// Gives the names that stand for nothing yet to the axes, by position.
    pub fn name_axes(self, names: &[&Name]) {
        let order = self.order();
        if names.len() == order.len() {
            names.iter().zip(order).filter(|(name, _)| name.known().is_none()).for_each(|(name, axis)| name.set(&[axis]));
        }
    }

    /// A call's result: its axes are those of the promised list, in its order.
    #[must_use]
    pub fn promised(self, names: &[&Name]) -> Var<'r> {
        self.name_axes(names);
        self.run.put_ordered(self.value(), Some(axes(names)))
    }

    /// The value of an output or a state: its axes by their places in the layer's list of all.
    pub fn finished(self, names: &[(&Name, u32)]) -> Value {
        self.name_axes(&names.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        let mut value = self.value();
        for (axis, _) in &mut value.dims {
            let place = names.iter().find(|(name, _)| name.known().is_some_and(|known| known.contains(axis)));
            axis.0 = place.expect("an output has the promised axes").1;
        }
        value
    }
}

/// An argument that the call reads and writes.
#[derive(Debug)]
pub struct State<'r> {
    value: Cell<Var<'r>>,
    written: Cell<bool>,
}

impl<'r> State<'r> {
    /// As the call found it.
    pub fn new(value: Var<'r>) -> State<'r> {
        State { value: Cell::new(value), written: Cell::new(false) }
    }

    /// Its value now. What was written carries no gradient.
    pub fn read(&self) -> Var<'r> {
        let value = self.value.get();
        if self.written.get() && value.value().is_differentiable() { stop_gradient(value) } else { value }
    }

    /// Gives it a value.
    pub fn write(&self, value: Var<'r>) {
        let order = self.value.get().order();
        self.value.set(value.run.put_ordered(value.value(), Some(order)));
        self.written.set(true);
    }

    /// What was written last.
    pub fn last(&self) -> Var<'r> {
        self.value.get()
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $function:ident)*) => { $(
        impl<'r> ops::$trait for Var<'r> {
            type Output = Var<'r>;
            fn $method(self, other: Var<'r>) -> Var<'r> {
                self.and_with(other, super::$function)
            }
        }
    )* };
}
operators! { Add add add  Sub sub sub  Mul mul mul  Div div div  BitAnd bitand and  BitOr bitor or }

impl<'r> ops::Neg for Var<'r> {
    type Output = Var<'r>;
    fn neg(self) -> Var<'r> {
        self.with(super::neg)
    }
}

impl<'r> ops::Not for Var<'r> {
    type Output = Var<'r>;
    fn not(self) -> Var<'r> {
        self.with(super::not)
    }
}

macro_rules! words {
    ($($name:ident ($($x:ident),*))*) => { $(
        #[doc = concat!("[`", stringify!($name), "`](super::", stringify!($name), ")")]
        pub fn $name<'r>($($x: Var<'r>),*) -> Var<'r> {
            words!(@first $($x),*).run.put(super::$name($(&$x.value()),*))
        }
    )* };
    (@first $x:ident $(, $rest:ident)*) => { $x };
}
words! {
    sq(x) sqrt(x) rsqrt(x) recip(x) exp(x) exp2(x) exp_m1(x) log(x) log2(x) log1p(x) abs(x) sign(x) floor(x) ceil(x) round(x)
    sin(x) cos(x) tan(x) sinh(x) cosh(x) tanh(x) asinh(x) atan(x) sigmoid(x) softplus(x) erf(x) erfc(x) stop_gradient(x)
    max2(a, b) min2(a, b) atan2(a, b) hypot(a, b) powf(a, b) gt(a, b) ge(a, b) lt(a, b) le(a, b) eq(a, b) ne(a, b) fill(x, v)
    clamp(x, lo, hi) select(mask, a, b)
}

macro_rules! reductions {
    ($($name:ident)*) => { $(
        #[doc = concat!("[`", stringify!($name), "`](super::", stringify!($name), ")")]
        pub fn $name<'r>(x: Var<'r>, names: &[&Name]) -> Var<'r> {
            x.with(|x| super::$name(x, &axes(names)))
        }
    )* };
}
reductions! { sum mean prod max min argmax argmin any all var logsumexp }

/// xⁿ for a whole n, else as [`powf`].
pub fn powi<N: HostNumber>(x: Var<'_>, n: N) -> Var<'_> {
    let n = n.number();
    if n == f64::from(n as i32) { x.with(|x| super::powi(x, n as i32)) } else { powf(x, x.run.num(n)) }
}

/// Σ a·b
pub fn dot<'r>(a: Var<'r>, b: Var<'r>, names: &[&Name]) -> Var<'r> {
    a.and_with(b, |a, b| super::dot(a, b, &axes(names)))
}

/// `f` of every element on its own.
pub fn map<'r>(x: Var<'r>, f: impl Fn(Var<'r>) -> Var<'r>) -> Var<'r> {
    let run = x.run;
    x.with(|x| {
        super::map(x, |element| {
            // nothing outlives the closure but its result
            let mark = run.values.borrow().len();
            let result = f(run.put(element.clone())).value();
            run.values.borrow_mut().truncate(mark);
            result
        })
    })
}

/// Whether a mask of one element is set.
pub fn holds(mask: Var<'_>) -> bool {
    super::holds(&mask.value())
}

/// [`cumsum`](super::cumsum)
pub fn cumsum<'r>(x: Var<'r>, axis: &Name) -> Var<'r> {
    x.with(|x| super::cumsum(x, axis.one()))
}

/// [`scan`](super::scan)
pub fn scan<'r>(x: Var<'r>, axis: &Name, start: Var<'r>, f: impl Fn(Var<'r>, Var<'r>) -> Var<'r>) -> Var<'r> {
    let run = x.run;
    x.and_with(start, |x, start| super::scan(x, axis.one(), start, |h, v| f(run.put(h.clone()), run.put(v.clone())).value()))
}

/// [`window`](super::window)
pub fn window<'r, const D: usize>(x: Var<'r>, src: &[&Name], out: &[&Name], taps: &[&Name], k: &Window<D>) -> Var<'r> {
    let run = x.run;
    let lens = src.iter().map(|name| run.len(&[name]));
    let outs: Vec<Axis> = out.iter().zip(lens).enumerate().map(|(i, (o, len))| o.introduce(run, k.output_len(i, len))).collect();
    let taps: Vec<Axis> = taps.iter().enumerate().map(|(i, tap)| tap.introduce(run, k.kernel(i))).collect();
    x.with(|x| super::window(x, &axes(src), &outs, &taps, k))
}

/// [`adaptive_window`](super::adaptive_window)
pub fn adaptive_window<'r>(x: Var<'r>, src: &[&Name], out: &[&Name], taps: &[&Name], counts: &[i64]) -> Var<'r> {
    let run = x.run;
    let lens: Vec<usize> = src.iter().map(|name| run.len(&[name])).collect();
    let counts: Vec<usize> = counts.iter().map(|n| *n as usize).collect();
    let widest = |len: usize, n: usize| (0..n).map(|o| ((o + 1) * len).div_ceil(n) - o * len / n).max().unwrap_or(0);
    let outs: Vec<Axis> = out.iter().zip(&counts).map(|(out, n)| out.introduce(run, *n)).collect();
    let widths = lens.iter().zip(&counts).map(|(len, n)| widest(*len, *n));
    let taps: Vec<Axis> = taps.iter().zip(widths).map(|(tap, width)| tap.introduce(run, width)).collect();
    x.with(|x| super::adaptive_window(x, &axes(src), &outs, &taps, &counts))
}

/// [`rename`](super::rename)
pub fn rename<'r>(x: Var<'r>, from: &Name, to: &Name) -> Var<'r> {
    let to = to.introduce(x.run, x.run.len(&[from]));
    x.with(|x| super::rename(x, from.one(), to))
}

/// [`split`](super::split)
pub fn split<'r, N: HostNumber>(x: Var<'r>, axis: &Name, (outer, inner): (&Name, &Name), groups: N) -> Var<'r> {
    let groups = groups.integer() as usize;
    let inner_len = x.run.len(&[axis]).checked_div(groups).unwrap_or(0);
    let pair = (outer.introduce(x.run, groups), inner.introduce(x.run, inner_len));
    x.with(|x| super::split(x, axis.one(), pair, groups))
}

/// [`merge`](super::merge)
pub fn merge<'r>(x: Var<'r>, pair: &[&Name], to: &Name) -> Var<'r> {
    let to = to.introduce(x.run, x.run.len(pair));
    let [outer, inner] = axes(pair)[..] else { panic!("two axes are merged") };
    x.with(|x| super::merge(x, (outer, inner), to))
}

/// [`slice`](super::slice), to the end of the axis where none is given.
pub fn slice<'r>(x: Var<'r>, from: &Name, to: &Name, start: i64, end: Option<i64>) -> Var<'r> {
    let (start, end) = (start as usize, end.map_or(x.run.len(&[from]), |end| end as usize));
    let to = to.introduce(x.run, end - start);
    x.with(|x| super::slice(x, from.one(), to, start, end))
}

/// [`shift`](super::shift)
pub fn shift<'r, N: HostNumber>(x: Var<'r>, axis: &Name, by: N) -> Var<'r> {
    x.with(|x| super::shift(x, axis.one(), by.integer()))
}

/// [`roll`](super::roll)
pub fn roll<'r, N: HostNumber>(x: Var<'r>, axis: &Name, by: N) -> Var<'r> {
    x.with(|x| super::roll(x, axis.one(), by.integer()))
}

/// [`flip`](super::flip)
pub fn flip<'r>(x: Var<'r>, axis: &Name) -> Var<'r> {
    x.with(|x| super::flip(x, axis.one()))
}

/// [`pad`](super::pad)
pub fn pad<'r, L, H, V>(x: Var<'r>, from: &Name, to: &Name, lo: L, hi: H, v: V) -> Var<'r>
where
    L: HostNumber,
    H: HostNumber,
    V: HostNumber,
{
    let v = v.number();
    padded(x, from, to, lo, hi, |x, from, to, lo, hi| super::pad(x, from, to, lo, hi, v))
}

macro_rules! pads {
    ($($name:ident)*) => { $(
        #[doc = concat!("[`", stringify!($name), "`](super::", stringify!($name), ")")]
        pub fn $name<'r, L: HostNumber, H: HostNumber>(x: Var<'r>, from: &Name, to: &Name, lo: L, hi: H) -> Var<'r> {
            padded(x, from, to, lo, hi, super::$name)
        }
    )* };
}
pads! { pad_reflect pad_edge pad_circular }

fn padded<'r>(
    x: Var<'r>,
    from: &Name,
    to: &Name,
    lo: impl HostNumber,
    hi: impl HostNumber,
    f: impl FnOnce(&Value, Axis, Axis, usize, usize) -> Value,
) -> Var<'r> {
    let (lo, hi) = (lo.integer() as usize, hi.integer() as usize);
    let to = to.introduce(x.run, lo + x.run.len(&[from]) + hi);
    x.with(|x| f(x, from.one(), to, lo, hi))
}

/// [`repeat`](super::repeat)
pub fn repeat<'r, N: HostNumber>(x: Var<'r>, from: &Name, to: &Name, times: N) -> Var<'r> {
    let times = times.integer() as usize;
    let to = to.introduce(x.run, x.run.len(&[from]) * times);
    x.with(|x| super::repeat(x, from.one(), to, times))
}

/// The values side by side along a new axis.
pub fn stack<'r>(axis: &Name, parts: &[Var<'r>]) -> Var<'r> {
    let run = parts[0].run;
    let axis = axis.introduce(run, parts.len());
    let values: Vec<Value> = parts.iter().map(|x| x.value()).collect();
    run.put(super::stack(axis, &values.iter().collect::<Vec<_>>()))
}

/// The values end to end, each along its own axis.
pub fn concat<'r>(axis: &Name, parts: &[(Var<'r>, &Name)]) -> Var<'r> {
    let run = parts[0].0.run;
    let axis = axis.introduce(run, parts.iter().map(|(_, own)| run.len(&[own])).sum());
    let values: Vec<(Value, Axis)> = parts.iter().map(|(x, own)| (x.value(), own.one())).collect();
    run.put(super::concat(axis, &values.iter().map(|(x, own)| (x, *own)).collect::<Vec<_>>()))
}

/// [`pick`](super::pick)
pub fn pick<'r>(x: Var<'r>, names: &[&Name], index: Var<'r>) -> Var<'r> {
    x.and_with(index, |x, index| super::pick(x, &axes(names), index))
}

/// [`bernoulli`](super::bernoulli) over the axes of `x`.
pub fn bernoulli_like<N: HostNumber>(x: Var<'_>, seed: Seed, keep: N) -> Var<'_> {
    let keep = keep.number();
    x.run.draw(&ordered_dims(x), |dims, number| super::bernoulli(dims, seed, number, keep))
}

/// [`uniform`](super::uniform) over the axes of `x`.
pub fn uniform_like(x: Var<'_>, seed: Seed) -> Var<'_> {
    x.run.draw(&ordered_dims(x), |dims, number| super::uniform(dims, seed, number))
}

/// [`normal`](super::normal) over the axes of `x`.
pub fn normal_like(x: Var<'_>, seed: Seed) -> Var<'_> {
    x.run.draw(&ordered_dims(x), |dims, number| super::normal(dims, seed, number))
}

fn ordered_dims(x: Var<'_>) -> Vec<(Axis, usize)> {
    let extents = x.run.extents.borrow();
    x.order().into_iter().map(|axis| (axis, extents[axis.0 as usize])).collect()
}

/// A constant of the call as a whole number.
pub fn whole<N: HostNumber>(x: N) -> i64 {
    x.integer()
}

/// A constant of the call as a real number.
pub fn real<N: HostNumber>(x: N) -> f64 {
    x.number()
}
