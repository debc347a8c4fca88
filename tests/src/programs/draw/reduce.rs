//! Reductions, contractions and what runs along an axis.

use super::{Axis, Draw, Form, Kind, Make, Range, size};

pub(super) const TABLE: &[(&str, Make, usize)] = &[
    ("sums", sum, 2),
    ("means", mean, 2),
    ("products", product, 1),
    ("winners", winner, 2),
    ("places", place, 1),
    ("quantifiers", quantifier, 1),
    ("variances", variance, 1),
    ("logsumexps", logsumexp, 1),
    ("contractions", contraction, 2),
    ("cumsums", cumsum, 1),
    ("scans", scan, 1),
];

impl Draw<'_> {
    /// Axes of a value to reduce over: all taps where it may have holes, unless a reduction over some will do.
    fn over(&mut self, x: usize) -> Option<Vec<Axis>> {
        let axes = self.value(x).axes.clone();
        let taps = self.value(x).holes.clone();
        let mut over: Vec<Axis> = taps.clone();
        if taps.len() > 1 && self.rng.one_in(4) {
            let at = self.rng.below(over.len());
            over.remove(at);
        }
        for axis in &axes {
            if !taps.contains(axis) && (taps.is_empty() || self.rng.one_in(3)) && self.rng.one_in(2) {
                over.push(*axis);
            }
        }
        if over.is_empty() {
            over.push(*axes.first()?);
        }
        if self.rng.one_in(3) {
            over.rotate_left(1);
        }
        Some(over)
    }

    fn reduction(&mut self, word: &str, x: usize, over: &[Axis], range: Range, kind: Kind) -> Option<usize> {
        let axes: Vec<Axis> = self.value(x).axes.iter().copied().filter(|a| !over.contains(a)).collect();
        let list = self.list(over);
        let (form, text) = match self.rng.below(3) {
            0 => (Form::Method, format!("{{0}}.{word}({list})")),
            _ => (Form::Call, format!("{word}({{0}}, {list})")),
        };
        let reduced = self.of_kind(kind, form, &text, &[x], axes, range)?;
        let holes = &mut self.program.values[reduced].holes;
        if matches!(word, "sum" | "any" | "all") {
            holes.clear();
        }
        holes.retain(|tap| !over.contains(tap));
        Some(reduced)
    }
}

fn operand(d: &mut Draw<'_>) -> Option<(usize, Vec<Axis>)> {
    let x = d.choose(|v| v.kind == Kind::Float && !v.axes.is_empty())?;
    let x = d.weighted(x);
    let over = d.over(x)?;
    Some((x, over))
}

fn sum(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.choose(|v| matches!(v.kind, Kind::Float | Kind::Mask) && !v.axes.is_empty())?;
    let x = if d.value(x).kind == Kind::Float { d.weighted(x) } else { x };
    let over = d.over(x)?;
    let (n, (lo, hi)) = (d.elements(&over) as f64, d.ranges[x]);
    d.reduction("sum", x, &over, (n * lo.min(0.0), n * hi.max(0.0)), Kind::Float)
}

fn mean(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.choose(|v| matches!(v.kind, Kind::Float | Kind::Mask) && !v.axes.is_empty())?;
    let over = d.over(x)?;
    let range = d.ranges[x];
    // a window's divisor scales it
    d.reduction("mean", x, &over, if d.value(x).holes.is_empty() { range } else { (2.0 * range.0, 2.0 * range.1) }, Kind::Float)
}

fn product(d: &mut Draw<'_>) -> Option<usize> {
    let (x, over) = operand(d)?;
    let x = d.tame(x, 1.5)?;
    let most = size(d.ranges[x]).max(1.0).powf(d.elements(&over) as f64).min(1e6);
    d.reduction("prod", x, &over, (-most, most), Kind::Float)
}

fn winner(d: &mut Draw<'_>) -> Option<usize> {
    let (x, over) = operand(d)?;
    let (word, range) = (d.rng.of(&["max", "min"]), d.ranges[x]);
    d.reduction(word, x, &over, range, Kind::Float)
}

fn place(d: &mut Draw<'_>) -> Option<usize> {
    let (x, over) = operand(d)?;
    let (word, below) = (d.rng.of(&["argmax", "argmin"]), d.elements(&over));
    d.reduction(word, x, &over, (0.0, below as f64), Kind::Index(below))
}

fn quantifier(d: &mut Draw<'_>) -> Option<usize> {
    let x = d.choose(|v| v.kind == Kind::Mask && !v.axes.is_empty())?;
    let (over, word) = (d.over(x)?, d.rng.of(&["any", "all"]));
    d.reduction(word, x, &over, (0.0, 1.0), Kind::Mask)
}

fn variance(d: &mut Draw<'_>) -> Option<usize> {
    let (x, over) = operand(d)?;
    let most = size(d.ranges[x]);
    d.reduction("var", x, &over, (0.0, most * most), Kind::Float)
}

fn logsumexp(d: &mut Draw<'_>) -> Option<usize> {
    let (x, over) = operand(d)?;
    let (lo, hi) = d.ranges[x];
    let more = (d.elements(&over) as f64).ln();
    d.reduction("logsumexp", x, &over, (lo, hi + more), Kind::Float)
}

fn contraction(d: &mut Draw<'_>) -> Option<usize> {
    let a = d.choose(|v| v.kind == Kind::Float && !v.axes.is_empty())?;
    let of = d.value(a).axes.clone();
    let b = d.beside(a, |v| v.kind == Kind::Float && v.axes.iter().any(|x| of.contains(x)))?;
    let shared: Vec<Axis> = d.value(b).axes.iter().copied().filter(|x| of.contains(x)).collect();
    let mut over: Vec<Axis> = shared.iter().copied().filter(|_| d.rng.one_in(2)).collect();
    if over.is_empty() {
        over.push(shared[0]);
    }
    let all = d.union(&[a, b]);
    if !d.fits(&all) {
        return None;
    }
    let axes: Vec<Axis> = all.into_iter().filter(|x| !over.contains(x)).collect();
    let most = size(d.ranges[a]) * size(d.ranges[b]) * d.elements(&over) as f64;
    let text = format!("dot({{0}}, {{1}}, {})", d.list(&over));
    let product = d.term(Form::Call, &text, &[a, b], axes, (-most, most))?;
    d.program.values[product].holes.clear();
    Some(product)
}

fn cumsum(d: &mut Draw<'_>) -> Option<usize> {
    let (x, axis) = d.float_and_axis()?;
    let (axes, n, (lo, hi)) = (d.value(x).axes.clone(), d.extent(axis) as f64, d.ranges[x]);
    let text = format!("cumsum({{0}}, {})", d.name(axis));
    d.term(Form::Call, &text, &[x], axes, (n * lo.min(0.0), n * hi.max(0.0)))
}

fn scan(d: &mut Draw<'_>) -> Option<usize> {
    let (x, axis) = d.float_and_axis()?;
    let x = d.tame(x, 4.0)?;
    let (axes, t) = (d.value(x).axes.clone(), d.name(axis).to_string());
    let most = 4.0 * size(d.ranges[x]) + 8.0;
    let closure = d.rng.of(&[
        "|h, v| 0.7 * h + v",
        "|h, v| sigmoid(v) * (h - 0.3 * v) + 0.2",
        "|h, v| 0.5 * (v - h / 3.0)",
        "|h, v| { let a = tanh(v); a * h + (1.0 - a) * v }",
        "|h, v| select(gt(v, 0.04), v - h / 3.0, 0.2)",
    ]);
    if d.rng.one_in(2) {
        return d.term(Form::Call, &format!("scan({{0}}, {t}, 0.3, {closure})"), &[x], axes, (-most, most));
    }
    let start = d.float(|v| !v.axes.contains(&axis))?;
    let start = d.tame(start, 4.0)?;
    let axes = d.union(&[x, start]);
    d.term(Form::Call, &format!("scan({{0}}, {t}, {{1}}, {closure})"), &[x, start], axes, (-most, most))
}
