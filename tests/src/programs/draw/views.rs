//! Windows and re-indexing.

use super::{Axis, Draw, Form, Kind, Make};
use crate::programs::{Given, Options};

pub(super) const TABLE: &[(&str, Make, usize)] = &[
    ("windows", window, 4),
    ("adaptive", adaptive, 2),
    ("fills", fill, 1),
    ("renames", rename, 2),
    ("splits", split, 1),
    ("merges", merge, 1),
    ("slices", slice, 2),
    ("shifts", shift, 1),
    ("rolls", roll, 1),
    ("flips", flip, 1),
    ("pads", pad, 1),
    ("reflections", reflect, 1),
    ("edges", edge, 1),
    ("circles", circle, 1),
    ("repeats", repeat, 1),
    ("stacks", stack, 1),
    ("concats", concat, 1),
];

fn with(axes: &[Axis], without: &[Axis], new: &[Axis]) -> Vec<Axis> {
    axes.iter().copied().filter(|a| !without.contains(a)).chain(new.iter().copied()).collect()
}

impl Draw<'_> {
    /// The value with an axis replaced by others; now and then times a factor.
    fn moved(&mut self, x: usize, text: &str, without: &[Axis], new: &[Axis], zero: bool) -> Option<usize> {
        let moved = self.moved_alone(x, text, without, new, zero)?;
        Some(self.weighted(moved))
    }

    fn moved_alone(&mut self, x: usize, text: &str, without: &[Axis], new: &[Axis], zero: bool) -> Option<usize> {
        let axes = with(&self.value(x).axes, without, new);
        let (lo, hi) = self.ranges[x];
        let range = if zero { (lo.min(0.0), hi.max(0.0)) } else { (lo, hi) };
        self.term(Form::Call, text, &[x], axes, range)
    }

    /// An axis of this extent that the value lacks, or a new one.
    fn target(&mut self, x: usize, letter: &str, extent: usize) -> Axis {
        let defs = self.program.axes.iter().enumerate();
        let has = &self.program.values[x].axes;
        let fit: Vec<Axis> =
            defs.filter(|(_, a)| a.extent == extent && !a.many).map(|(i, _)| Axis(i)).filter(|a| !has.contains(a)).collect();
        if !fit.is_empty() && self.rng.one_in(2) { self.rng.of(&fit) } else { self.new_axis(letter, extent) }
    }

    fn options(&mut self, lens: &[usize]) -> Option<Options> {
        let n = lens.len();
        let each = |d: &mut Self, of: &[usize]| -> Vec<usize> { (0..n).map(|_| d.rng.of(of)).collect() };
        let kernel = each(self, &[1, 2, 2, 3, 3, 4]);
        let stride = if self.rng.one_in(4) { None } else { Some(each(self, &[1, 1, 2, 3])) };
        let dilation = if self.rng.one_in(3) { each(self, &[1, 2, 2, 3]) } else { vec![1; n] };
        let padding = (0..n).map(|i| self.rng.below(((kernel[i] - 1) * dilation[i]).div_ceil(2) + 1)).collect();
        let (ceil_mode, count_padding) = (self.rng.one_in(3), self.rng.one_in(3));
        let divisor = if self.rng.one_in(5) { Some(self.rng.of(&[2, 3, -2])) } else { None };
        let options = Options { kernel, stride, padding, dilation, ceil_mode, count_padding, divisor };
        let all = [0, 1, 2].map(|i| lens.get(i).copied().unwrap_or(1));
        let k = options.window();
        let good = k.check("w", ["A", "B", "C"], all).is_ok() && k.check_filled("w", ["A", "B", "C"], all).is_ok();
        good.then_some(options)
    }

    /// One or two of a value's axes, and what they are called as a list.
    fn sources(&mut self, x: usize, first: Axis) -> Vec<Axis> {
        let others: Vec<Axis> =
            self.value(x).axes.iter().copied().filter(|a| *a != first && !self.program.axes[a.0].many).collect();
        let mut sources = vec![first];
        if !others.is_empty() && self.rng.one_in(2) {
            sources.push(self.rng.of(&others));
        }
        sources
    }

    /// Reduces what may have holes at once, more often than not.
    fn settle(&mut self, windows: usize) -> Option<usize> {
        if self.rng.one_in(4) {
            return Some(windows);
        }
        let taps = self.value(windows).holes.clone();
        let classes = [
            ("winners", "max"),
            ("means", "mean"),
            ("sums", "sum"),
            ("products", "prod"),
            ("winners", "min"),
            ("variances", "var"),
        ];
        let (class, word) = self.rng.of(&classes);
        self.class = class;
        let axes = with(&self.value(windows).axes, &taps, &[]);
        let (list, (lo, hi)) = (self.list(&taps), self.ranges[windows]);
        let most = lo.abs().max(hi.abs()).max(1.0);
        let n = self.elements(&taps) as i32;
        let most = if word == "prod" { most.powi(n) } else { most * f64::from(n) };
        let reduced = self.term(Form::Call, &format!("{word}({{0}}, {list})"), &[windows], axes, (-most, most))?;
        self.program.values[reduced].holes.clear();
        Some(reduced)
    }
}

fn window(d: &mut Draw<'_>) -> Option<usize> {
    let (x, first) = d.float_and_axis()?;
    let sources = d.sources(x, first);
    let lens: Vec<usize> = sources.iter().map(|a| d.extent(*a)).collect();
    let options = (0..8).find_map(|_| d.options(&lens))?;
    let k = options.window();
    let (mut outs, mut taps) = (vec![], vec![]);
    for (i, len) in lens.iter().enumerate() {
        let (out, tap) = (k.output_len(i, *len), k.kernel(i));
        let known = d.target(x, "O", out);
        let taken = outs.contains(&known) || taps.contains(&known);
        outs.push(if taken || d.rng.one_in(2) { d.new_axis("O", out) } else { known });
        taps.push(d.new_axis("K", tap));
    }
    if outs.len() == 2 && outs[0] == outs[1] {
        return None;
    }
    let new = [outs.clone(), taps.clone()].concat();
    let axes = with(&d.value(x).axes, &sources, &new);
    if !d.fits(&axes) {
        return None;
    }
    let k = match d.rng.below(3) {
        0 => options.rust(),
        _ => d.setting(&["k", "k2", "k3"], Given::Window(options))?.to_string(),
    };
    let text = format!("window({{0}}, {}, {}, {}, {k})", d.list(&sources), d.list(&outs), d.list(&taps));
    let windows = d.moved_alone(x, &text, &sources, &new, true)?;
    d.program.values[windows].holes.extend(taps);
    let windows = d.weighted(windows);
    d.settle(windows)
}

fn adaptive(d: &mut Draw<'_>) -> Option<usize> {
    let (x, first) = d.float_and_axis()?;
    let sources = d.sources(x, first);
    let (mut outs, mut taps, mut counts) = (vec![], vec![], vec![]);
    for axis in &sources {
        let len = d.extent(*axis);
        let count = 1 + d.rng.below(len + 1);
        // the longest stretch that a position shares
        let longest = (0..count).map(|i| ((i + 1) * len).div_ceil(count) - i * len / count).max()?;
        outs.push(d.new_axis("O", count));
        taps.push(d.new_axis("K", longest));
        counts.push(count.to_string());
    }
    let new = [outs.clone(), taps.clone()].concat();
    let counts = if counts.len() == 1 { counts[0].clone() } else { format!("({})", counts.join(", ")) };
    let text = format!("adaptive_window({{0}}, {}, {}, {}, {counts})", d.list(&sources), d.list(&outs), d.list(&taps));
    let windows = d.moved_alone(x, &text, &sources, &new, false)?;
    d.program.values[windows].holes.extend(taps);
    let windows = d.weighted(windows);
    d.settle(windows)
}

fn fill(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.choose(|v| v.kind == Kind::Float && !v.holes.is_empty())?;
    let (number, v) = d.number();
    let (axes, range) = (d.value(x).axes.clone(), d.ranges[x]);
    let filled = d.term(Form::Call, &format!("fill({{0}}, {number})"), &[x], axes, (range.0.min(v), range.1.max(v)))?;
    d.program.values[filled].holes.clear();
    Some(filled)
}

fn rename(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.choose(|v| v.kind != Kind::Held && v.kind != Kind::Effect && v.holes.is_empty() && !v.axes.is_empty())?;
    let axes = d.value(x).axes.clone();
    let axis = d.rng.of(&axes);
    if d.program.axes[axis.0].many {
        return None;
    }
    let to = d.target(x, "R", d.extent(axis));
    let text = format!("rename({{0}}, {}, {})", d.name(axis), d.name(to));
    let (kind, range) = (d.value(x).kind, d.ranges[x]);
    d.of_kind(kind, Form::Call, &text, &[x], with(&axes, &[axis], &[to]), range)
}

fn split(d: &mut Draw<'_>) -> Option<usize> {
    let (x, axis) = d.float_and_axis()?;
    let len = d.extent(axis);
    let divisors: Vec<usize> = (1..=len).filter(|g| len.is_multiple_of(*g)).collect();
    let groups = d.rng.of(&divisors);
    let (outer, inner) = (d.new_axis("G", groups), d.new_axis("D", len / groups));
    let text = format!("split({{0}}, {}, {}, {groups})", d.name(axis), d.list(&[outer, inner]));
    d.moved(x, &text, &[axis], &[outer, inner], false)
}

fn merge(d: &mut Draw<'_>) -> Option<usize> {
    let (x, outer) = d.float_and_axis()?;
    let others: Vec<Axis> = d.value(x).axes.iter().copied().filter(|a| *a != outer && !d.program.axes[a.0].many).collect();
    if others.is_empty() {
        return None;
    }
    let inner = d.rng.of(&others);
    let to = d.target(x, "M", d.elements(&[outer, inner]));
    let text = format!("merge({{0}}, {}, {})", d.list(&[outer, inner]), d.name(to));
    d.moved(x, &text, &[outer, inner], &[to], false)
}

fn slice(d: &mut Draw<'_>) -> Option<usize> {
    let (x, axis) = d.float_and_axis()?;
    let len = d.extent(axis);
    let start = d.rng.below(len);
    let end = start + 1 + d.rng.below(len - start);
    let (to, name) = (d.target(x, "B", end - start), d.name(axis).to_string());
    let range = match d.rng.below(4) {
        0 if end == len => format!("{start}.."),
        1 if start == 0 => format!("..{end}"),
        2 if end == len => format!("{start}..len({name})"),
        3 => format!("{start}..={}", end - 1),
        _ => format!("{start}..{end}"),
    };
    let text = format!("slice({{0}}, {name}, {}, {range})", d.name(to));
    d.moved(x, &text, &[axis], &[to], false)
}

fn step(d: &mut Draw<'_>, word: &str, zero: bool) -> Option<usize> {
    let (x, axis) = d.float_and_axis()?;
    let by = d.rng.of(&[1, -1, 2, -2, 0, 3]);
    let text = format!("{word}({{0}}, {}, {by})", d.name(axis));
    d.moved(x, &text, &[], &[], zero)
}

fn shift(d: &mut Draw<'_>) -> Option<usize> {
    step(d, "shift", true)
}

fn roll(d: &mut Draw<'_>) -> Option<usize> {
    step(d, "roll", false)
}

fn flip(d: &mut Draw<'_>) -> Option<usize> {
    let (x, axis) = d.float_and_axis()?;
    let text = format!("flip({{0}}, {})", d.name(axis));
    d.moved(x, &text, &[], &[], false)
}

/// Padding of at most `most` at each end.
fn padded(d: &mut Draw<'_>, word: &str, most: impl Fn(usize) -> usize, fill: &str) -> Option<usize> {
    let (x, axis) = d.float_and_axis()?;
    let most = most(d.extent(axis));
    let (lo, hi) = (d.rng.below(most + 1), d.rng.below(most + 1));
    let to = d.target(x, "P", d.extent(axis) + lo + hi);
    let text = format!("{word}({{0}}, {}, {}, {lo}, {hi}{fill})", d.name(axis), d.name(to));
    d.moved(x, &text, &[axis], &[to], true)
}

fn pad(d: &mut Draw<'_>) -> Option<usize> {
    let (number, _) = d.number();
    padded(d, "pad", |_| 3, &format!(", {number}"))
}

fn reflect(d: &mut Draw<'_>) -> Option<usize> {
    padded(d, "pad_reflect", |len| (len - 1).min(4), "")
}

fn edge(d: &mut Draw<'_>) -> Option<usize> {
    padded(d, "pad_edge", |_| 3, "")
}

fn circle(d: &mut Draw<'_>) -> Option<usize> {
    padded(d, "pad_circular", |len| len.min(4), "")
}

fn repeat(d: &mut Draw<'_>) -> Option<usize> {
    let (x, axis) = d.float_and_axis()?;
    let times = 1 + d.rng.below(3);
    let to = d.target(x, "R", d.extent(axis) * times);
    let text = format!("repeat({{0}}, {}, {}, {times})", d.name(axis), d.name(to));
    d.moved(x, &text, &[axis], &[to], false)
}

fn stack(d: &mut Draw<'_>) -> Option<usize> {
    let n = 2 + d.rng.below(2);
    let parts: Vec<usize> = (0..n).map(|_| d.float(|_| true)).collect::<Option<_>>()?;
    let axis = d.new_axis("S", n);
    let axes = with(&d.union(&parts), &[], &[axis]);
    let range = parts.iter().fold((0.0f64, 0.0f64), |r, p| (r.0.min(d.ranges[*p].0), r.1.max(d.ranges[*p].1)));
    let list: Vec<String> = (0..n).map(|k| format!("{{{k}}}")).collect();
    d.term(Form::Call, &format!("stack({}, ({}))", d.name(axis), list.join(", ")), &parts, axes, range)
}

fn concat(d: &mut Draw<'_>) -> Option<usize> {
    let (a, first) = d.float_and_axis()?;
    let (b, second) = d.float_and_axis()?;
    let own = |x: usize, axis: Axis, other: Axis| axis == other || !d.value(x).axes.contains(&other);
    if !own(a, first, second) || !own(b, second, first) {
        return None;
    }
    let rest = with(&d.union(&[a, b]), &[first, second], &[]);
    let joined = d.extent(first) + d.extent(second);
    let to = d.new_axis("J", joined);
    let (ra, rb) = (d.ranges[a], d.ranges[b]);
    let text = format!("concat({}, ({{0}}, {}), ({{1}}, {}))", d.name(to), d.name(first), d.name(second));
    d.term(Form::Call, &text, &[a, b], with(&rest, &[], &[to]), (ra.0.min(rb.0), ra.1.max(rb.1)))
}
