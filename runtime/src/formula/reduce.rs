//! Reductions over named axes. Holes are skipped.

use super::pointwise::{add, mul, opaque};
use super::reindex::{at_index, stack};
use super::value::{Act, Ancestry, Axis, Divisor, Elements, Value, each_position, joint_dims, offset, offsets};

/// The elements that one result is made of, in row-major order of the axes as named, holes left out.
struct Group {
    values: Vec<f64>,
    /// Row-major indices within the named axes.
    indices: Vec<usize>,
    /// The factor of each element's tangent in the result's; 0 to begin with.
    weights: Vec<f64>,
}

impl Group {
    fn weigh_all(&mut self, weight: f64) {
        self.weights.fill(weight);
    }
}

/// What a reduction gives over holes alone.
#[derive(Clone, Copy, PartialEq)]
enum Empty {
    /// Its value over nothing.
    Value,
    Hole,
}

/// Reduces `x` over `axes`: `f` computes a result and weighs the tangents.
fn reduce(x: &Value, axes: &[Axis], act: Act, empty: Empty, f: impl Fn(&mut Group) -> f64) -> Value {
    let kept: Vec<(Axis, usize)> = x.dims.iter().filter(|(a, _)| !axes.contains(a)).copied().collect();
    let over: Vec<(Axis, usize)> = axes.iter().map(|a| x.dims[x.position(*a)]).collect();
    let (outer, inner) = (x.strides_in(&kept), offsets(&over, &x.strides_in(&over)));
    let round = act.rounding(&x.from);
    let mut out = Elements::default();
    each_position(&kept, |at| {
        let base = offset(at, &outer);
        let found = inner.iter().enumerate().map(|(index, o)| (index, base + o)).filter(|(_, o)| !x.is_hole(*o));
        let (indices, offsets): (Vec<usize>, Vec<usize>) = found.unzip();
        let values = offsets.iter().map(|o| round.round(x.elements.values[*o])).collect();
        let mut group = Group { values, indices, weights: vec![0.0; offsets.len()] };
        out.values.push(round.round_value(f(&mut group)));
        out.holes.push(empty == Empty::Hole && offsets.is_empty() && !inner.is_empty());
        for k in 0..x.from.width {
            let terms = offsets
                .iter()
                .zip(&group.weights)
                .map(|(o, w)| round.round(act.scale(x.from.rounding.slope(*w), x.tangent(*o, k))));
            out.tangents.push(Act::total(terms));
        }
    });
    let mut y = Value::of(kept, out, x.from);
    y.divisor = x.divisor.clone().filter(|d| !d.taps.iter().any(|tap| axes.contains(tap)));
    y
}

/// The sum. Over nothing, or holes alone, it is 0.
pub fn sum(x: &Value, axes: &[Axis]) -> Value {
    reduce(x, axes, Act::Computes, Empty::Value, |group| {
        group.weigh_all(1.0);
        group.values.iter().sum()
    })
}

/// The mean of what is no hole. Over nothing it is NaN.
///
/// Over all taps of a window with a divisor, the sum is divided by that instead.
pub fn mean(x: &Value, axes: &[Axis]) -> Value {
    let divisor = x.divisor.as_ref().filter(|d| d.taps.iter().all(|tap| axes.contains(tap)));
    // Axes beside the window's taps count as ever.
    let count = |d: &Divisor| {
        let others = x.dims.iter().filter(|(a, _)| axes.contains(a) && !d.taps.contains(a));
        d.by * others.map(|(_, len)| *len as f64).product::<f64>()
    };
    let fixed = divisor.map(count);
    reduce(x, axes, Act::Computes, Empty::Hole, |group| {
        let n = fixed.unwrap_or(group.values.len() as f64);
        group.weigh_all(1.0 / n);
        group.values.iter().sum::<f64>() / n
    })
}

/// The biased variance.
pub fn var(x: &Value, axes: &[Axis]) -> Value {
    reduce(x, axes, Act::Computes, Empty::Hole, |group| {
        let n = group.values.len() as f64;
        let mean = group.values.iter().sum::<f64>() / n;
        for (w, x) in group.weights.iter_mut().zip(&group.values) {
            *w = 2.0 * (x - mean) / n;
        }
        group.values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n
    })
}

/// The product. Over nothing it is 1.
pub fn prod(x: &Value, axes: &[Axis]) -> Value {
    reduce(x, axes, Act::Computes, Empty::Hole, |group| {
        // The product of all others: of those before times those after, so that a zero divides nothing.
        let mut before = 1.0;
        for (w, x) in group.weights.iter_mut().zip(&group.values) {
            *w = before;
            before *= x;
        }
        let mut after = 1.0;
        for (w, x) in group.weights.iter_mut().zip(&group.values).rev() {
            *w *= after;
            after *= x;
        }
        before
    })
}

/// Where the extreme lies: the first of equals, but the last NaN.
fn winner(values: &[f64], better: impl Fn(f64, f64) -> bool) -> Option<usize> {
    (0..values.len()).reduce(|best, i| if better(values[i], values[best]) || values[i].is_nan() { i } else { best })
}

fn extreme(x: &Value, axes: &[Axis], better: impl Fn(f64, f64) -> bool) -> Value {
    reduce(x, axes, Act::Chooses, Empty::Hole, |group| match winner(&group.values, &better) {
        Some(i) => {
            group.weights[i] = 1.0;
            group.values[i]
        }
        None => f64::NAN,
    })
}

fn arg_extreme(x: &Value, axes: &[Axis], better: impl Fn(f64, f64) -> bool) -> Value {
    reduce(&opaque(x.clone()), axes, Act::Chooses, Empty::Hole, |group| match winner(&group.values, &better) {
        Some(i) => group.indices[i] as f64,
        None => f64::NAN,
    })
}

/// The largest: of equals the first in row-major order of the axes as named gets the tangent. A NaN wins, the last one.
pub fn max(x: &Value, axes: &[Axis]) -> Value {
    extreme(x, axes, |v, best| v > best)
}

/// The smallest, with the rules of [`max`].
pub fn min(x: &Value, axes: &[Axis]) -> Value {
    extreme(x, axes, |v, best| v < best)
}

/// The row-major index, within the axes as named, of what [`max`] gives.
pub fn argmax(x: &Value, axes: &[Axis]) -> Value {
    arg_extreme(x, axes, |v, best| v > best)
}

/// The row-major index, within the axes as named, of what [`min`] gives.
pub fn argmin(x: &Value, axes: &[Axis]) -> Value {
    arg_extreme(x, axes, |v, best| v < best)
}

/// Whether a mask is set anywhere.
pub fn any(mask: &Value, axes: &[Axis]) -> Value {
    reduce(mask, axes, Act::Chooses, Empty::Value, |group| f64::from(u8::from(group.values.iter().any(|v| *v != 0.0))))
}

/// Whether a mask is set everywhere.
pub fn all(mask: &Value, axes: &[Axis]) -> Value {
    reduce(mask, axes, Act::Chooses, Empty::Value, |group| f64::from(u8::from(group.values.iter().all(|v| *v != 0.0))))
}

/// log Σ eˣ, without overflow. Over nothing it is −∞.
pub fn logsumexp(x: &Value, axes: &[Axis]) -> Value {
    reduce(x, axes, Act::Computes, Empty::Hole, |group| {
        let largest = winner(&group.values, |v, best| v > best).map_or(f64::NEG_INFINITY, |i| group.values[i]);
        let shift = if largest.is_infinite() { 0.0 } else { largest };
        let total: f64 = group.values.iter().map(|x| (x - shift).exp()).sum();
        let y = shift + total.ln();
        for (w, x) in group.weights.iter_mut().zip(&group.values) {
            *w = (x - y).exp();
        }
        y
    })
}

/// Σ a·b over the axes. Over nothing, or holes alone, it is 0.
///
/// The same as the sum of a product, which is never built: in a convolution it is large.
pub fn dot(a: &Value, b: &Value, axes: &[Axis]) -> Value {
    let joint = joint_dims(&[a, b]);
    let (over, kept): (Vec<_>, Vec<_>) = joint.into_iter().partition(|(axis, _)| axes.contains(axis));
    let outer = [a, b].map(|x| x.strides_in(&kept));
    let [inner_a, inner_b] = [a, b].map(|x| offsets(&over, &x.strides_in(&over)));
    let moving = [a, b].map(Value::moving);
    let from = Ancestry::of(&[a, b]);
    let round = |x: f64| from.rounding.round(x);
    let mut out = Elements::default();
    // In a convolution most elements depend on few variables: those without a tangent are passed over.
    let add = |sums: &mut [f64], x: &Value, at: usize, factor: f64| {
        for (k, sum) in sums.iter_mut().enumerate() {
            *sum = Act::total([*sum, round(Act::Computes.scale(from.rounding.slope(factor), x.tangent(at, k)))].into_iter());
        }
    };
    each_position(&kept, |at| {
        let (base_a, base_b) = (offset(at, &outer[0]), offset(at, &outer[1]));
        let (mut total, mut sums) = (0.0, vec![0.0; from.width]);
        for (i, j) in inner_a.iter().zip(&inner_b).map(|(i, j)| (base_a + i, base_b + j)) {
            if a.is_hole(i) || b.is_hole(j) {
                continue;
            }
            let (x, y) = (a.elements.values[i], b.elements.values[j]);
            total += round(x * y);
            if moving[0][i] {
                add(&mut sums, a, i, y);
            }
            if moving[1][j] {
                add(&mut sums, b, j, x);
            }
        }
        out.values.push(round(total));
        out.tangents.extend(&sums);
    });
    Value::of(kept, out, from)
}

/// The sums of the elements up to each position along an axis.
pub fn cumsum(x: &Value, axis: Axis) -> Value {
    scan(x, axis, &Value::number(0.0), add)
}

/// `h = a[t]·h + b[t]` for every `t` along an axis of extent `len`, beginning with `start`: the values of `h` along that
/// axis.
pub fn recurrence(a: &Value, b: &Value, start: &Value, axis: Axis, len: usize) -> Value {
    let at = |x: &Value, t: usize| if x.extent(axis).is_some() { at_index(x, axis, t) } else { x.clone() };
    let mut states: Vec<Value> = vec![];
    for t in 0..len {
        let carried = mul(&at(a, t), states.last().unwrap_or(start));
        states.push(add(&carried, &at(b, t)));
    }
    if states.is_empty() {
        let whole = add(&mul(a, start), b);
        return if whole.extent(axis).is_some() { whole } else { Value::constant(&[(axis, 0)], vec![]) };
    }
    stack(axis, &states.iter().collect::<Vec<_>>())
}

/// `h = f(h, x[t])` for every `t` along an axis, beginning with `start`: the values of `h` along that axis.
pub fn scan(x: &Value, axis: Axis, start: &Value, f: impl Fn(&Value, &Value) -> Value) -> Value {
    let steps = x.dims[x.position(axis)].1;
    let mut states: Vec<Value> = vec![];
    for t in 0..steps {
        let next = f(states.last().unwrap_or(start), &at_index(x, axis, t));
        states.push(next);
    }
    if states.is_empty() {
        return x.clone();
    }
    stack(axis, &states.iter().collect::<Vec<_>>())
}
