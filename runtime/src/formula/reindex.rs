//! Functions that only move elements: windows, renames, splits, slices, shifts, pads, stacks.

use super::value::{Ancestry, Axis, Divisor, Elements, Value, each_position, joint_dims, offset, size};
use crate::Window;
use crate::window::Tap;

/// Where an element of a result comes from.
pub(super) enum From {
    /// The element at this offset.
    Element(usize),
    Number(f64),
    Hole,
}

/// The value over `dims` whose element at each position is the one of `x` that `f` tells.
pub(super) fn gather(x: &Value, dims: Vec<(Axis, usize)>, mut f: impl FnMut(&[usize]) -> From) -> Value {
    let mut out = Elements::default();
    each_position(&dims, |at| {
        let (value, source, hole) = match f(at) {
            From::Element(o) => (x.elements.values[o], Some(o), x.is_hole(o)),
            From::Number(v) => (v, None, false),
            From::Hole => (0.0, None, true),
        };
        out.values.push(value);
        out.holes.push(hole);
        out.tangents.extend((0..x.from.width).map(|k| source.map_or(0.0, |o| x.tangent(o, k))));
    });
    Value::of(dims, out, x.from)
}

/// Replaces axis `from` by `to` of extent `len`, whose index `i` reads index `f(i)` of `from`.
fn along(x: &Value, from: Axis, to: Axis, len: usize, f: impl Fn(usize) -> Along) -> Value {
    let p = x.position(from);
    let strides = x.strides_in(&x.dims);
    let mut dims = x.dims.clone();
    dims[p] = (to, len);
    let mut y = gather(x, dims, |at| match f(at[p]) {
        Along::Index(i) => From::Element(offset(at, &strides) - at[p] * strides[p] + i * strides[p]),
        Along::Number(v) => From::Number(v),
    });
    y.divisor = x.divisor.clone().filter(|d| !d.taps.contains(&from));
    y
}

/// What an index along one axis reads.
enum Along {
    Index(usize),
    Number(f64),
}

/// What tap `tap` of window `output` finds along the `i`-th axis, of extent `len`: `(i, len, output, tap)`.
type Taps<'a> = &'a dyn Fn(usize, usize, usize, usize) -> Tap;

fn windowed(x: &Value, [src, out, taps]: [&[Axis]; 3], outputs: &[usize], kernel: &[usize], find: Taps) -> Value {
    let p: Vec<usize> = src.iter().map(|a| x.position(*a)).collect();
    let strides = x.strides_in(&x.dims);
    let kept: Vec<(Axis, usize)> = x.dims.iter().filter(|(a, _)| !src.contains(a)).copied().collect();
    let kept_strides = x.strides_in(&kept);
    let n = kept.len();
    let new = |axes: &[Axis], lens: &[usize]| axes.iter().copied().zip(lens.iter().copied()).collect::<Vec<_>>();
    let dims = [kept, new(out, outputs), new(taps, kernel)].concat();
    gather(x, dims, |at| {
        let mut o = offset(&at[..n], &kept_strides);
        let mut padding = false;
        for (i, p) in p.iter().enumerate() {
            match find(i, x.dims[*p].1, at[n + i], at[n + src.len() + i]) {
                Tap::Element(index) => o += index * strides[*p],
                Tap::Padding => padding = true,
                Tap::Hole => return From::Hole,
            }
        }
        if padding { From::Number(0.0) } else { From::Element(o) }
    })
}

/// The windows over axes `src`: which window along `out`, which of its elements along `taps`. What lies outside the
/// array is a hole, or a zero where padding counts.
pub fn window<const D: usize>(x: &Value, src: &[Axis], out: &[Axis], taps: &[Axis], k: &Window<D>) -> Value {
    let outputs: Vec<usize> = src.iter().enumerate().map(|(i, a)| k.output_len(i, x.dims[x.position(*a)].1)).collect();
    let kernel: Vec<usize> = (0..D).map(|i| k.kernel(i)).collect();
    let mut y = windowed(x, [src, out, taps], &outputs, &kernel, &|i, len, o, t| k.source(i, len, o, t));
    y.divisor = k.divides_by().map(|by| Divisor { taps: taps.to_vec(), by: by as f64 });
    y
}

/// Windows that share the array among `outputs` results along each axis: the `i`-th covers ⌊i·n/outputs⌋ to
/// ⌈(i+1)·n/outputs⌉, the shorter ones ending in holes.
pub fn adaptive_window(x: &Value, src: &[Axis], out: &[Axis], taps: &[Axis], outputs: &[usize]) -> Value {
    let bounds = |i: usize, len: usize, o: usize| (o * len / outputs[i], ((o + 1) * len).div_ceil(outputs[i]));
    let widest = |(i, a): (usize, &Axis)| {
        let len = x.dims[x.position(*a)].1;
        let width = |o| bounds(i, len, o).1 - bounds(i, len, o).0;
        (0..outputs[i]).map(width).max().unwrap_or(0)
    };
    let kernel: Vec<usize> = src.iter().enumerate().map(widest).collect();
    windowed(x, [src, out, taps], outputs, &kernel, &|i, len, o, t| {
        let (start, end) = bounds(i, len, o);
        if start + t < end { Tap::Element(start + t) } else { Tap::Hole }
    })
}

/// Axis `from` under the name `to`.
pub fn rename(x: &Value, from: Axis, to: Axis) -> Value {
    let mut y = x.clone();
    let p = y.position(from);
    y.dims[p].0 = to;
    if let Some(tap) = y.divisor.as_mut().and_then(|d| d.taps.iter_mut().find(|tap| **tap == from)) {
        *tap = to;
    }
    y
}

/// Axis `axis` as two: `groups` of `outer`, and what is left along `inner`.
///
/// # Panics
/// Where the extent is no multiple of `groups`.
pub fn split(x: &Value, axis: Axis, (outer, inner): (Axis, Axis), groups: usize) -> Value {
    let p = x.position(axis);
    let len = x.dims[p].1;
    let each = len.checked_div(groups).unwrap_or(0);
    assert_eq!(groups * each, len, "the groups are equal");
    let mut y = x.clone();
    y.dims.splice(p..=p, [(outer, groups), (inner, each)]);
    y.divisor = None;
    y
}

/// Axes `outer` and `inner` as one, `inner` running faster.
pub fn merge(x: &Value, (outer, inner): (Axis, Axis), axis: Axis) -> Value {
    let (p, q) = (x.position(outer), x.position(inner));
    let (groups, each) = (x.dims[p].1, x.dims[q].1);
    let strides = x.strides_in(&x.dims);
    let kept: Vec<(Axis, usize)> = x.dims.iter().filter(|(a, _)| *a != outer && *a != inner).copied().collect();
    let kept_strides = x.strides_in(&kept);
    let n = kept.len();
    gather(x, [kept, vec![(axis, groups * each)]].concat(), |at| {
        let (g, i) = (at[n] / each, at[n] % each);
        From::Element(offset(&at[..n], &kept_strides) + g * strides[p] + i * strides[q])
    })
}

/// The elements `start..end` of axis `from`, along `to`.
///
/// # Panics
/// Where the range is not within the axis.
pub fn slice(x: &Value, from: Axis, to: Axis, start: usize, end: usize) -> Value {
    assert!(start <= end && end <= x.dims[x.position(from)].1, "the slice lies within the axis");
    along(x, from, to, end - start, |i| Along::Index(start + i))
}

/// `y[i] = x[i − by]`; zeros enter.
pub fn shift(x: &Value, axis: Axis, by: i64) -> Value {
    let len = x.dims[x.position(axis)].1;
    along(x, axis, axis, len, |i| match (i as i64).checked_sub(by) {
        Some(from) if 0 <= from && from < len as i64 => Along::Index(from as usize),
        _ => Along::Number(0.0),
    })
}

/// `y[i] = x[(i − by) mod len]`
pub fn roll(x: &Value, axis: Axis, by: i64) -> Value {
    let len = x.dims[x.position(axis)].1;
    along(x, axis, axis, len, |i| {
        let len = len as i64;
        Along::Index((i as i64 - by.rem_euclid(len)).rem_euclid(len) as usize)
    })
}

/// `y[i] = x[len − 1 − i]`
pub fn flip(x: &Value, axis: Axis) -> Value {
    let len = x.dims[x.position(axis)].1;
    along(x, axis, axis, len, |i| Along::Index(len - 1 - i))
}

/// `lo` elements before axis `from` and `hi` after it, all `v`; the result runs along `to`.
pub fn pad(x: &Value, from: Axis, to: Axis, lo: usize, hi: usize, v: f64) -> Value {
    padded(x, from, to, (lo, hi), |i, len| match usize::try_from(i) {
        Ok(i) if i < len => Along::Index(i),
        _ => Along::Number(v),
    })
}

/// As [`pad`], with the array mirrored at its first and last element.
pub fn pad_reflect(x: &Value, from: Axis, to: Axis, lo: usize, hi: usize) -> Value {
    padded(x, from, to, (lo, hi), |i, len| {
        let last = len as i64 - 1;
        let folded = i.rem_euclid((2 * last).max(1));
        Along::Index(if folded > last { 2 * last - folded } else { folded } as usize)
    })
}

/// As [`pad`], with the first and last element repeated.
pub fn pad_edge(x: &Value, from: Axis, to: Axis, lo: usize, hi: usize) -> Value {
    padded(x, from, to, (lo, hi), |i, len| Along::Index(i.clamp(0, len as i64 - 1) as usize))
}

/// As [`pad`], with the ends joined.
pub fn pad_circular(x: &Value, from: Axis, to: Axis, lo: usize, hi: usize) -> Value {
    padded(x, from, to, (lo, hi), |i, len| Along::Index(i.rem_euclid(len as i64) as usize))
}

/// `f` gets an index relative to the array, and its extent.
fn padded(x: &Value, from: Axis, to: Axis, (lo, hi): (usize, usize), f: impl Fn(i64, usize) -> Along) -> Value {
    let len = x.dims[x.position(from)].1;
    along(x, from, to, lo + len + hi, |i| f(i as i64 - lo as i64, len))
}

/// Axis `from` `times` over, end to end, along `to`.
pub fn repeat(x: &Value, from: Axis, to: Axis, times: usize) -> Value {
    let len = x.dims[x.position(from)].1;
    along(x, from, to, len * times, |i| Along::Index(i % len))
}

/// The values side by side along a new axis. They may lack axes of each other.
pub fn stack(axis: Axis, values: &[&Value]) -> Value {
    let joint = joint_dims(values);
    let blocks: Vec<(&Value, Vec<usize>)> = values.iter().map(|x| (*x, x.strides_in(&joint))).collect();
    let dims = [&[(axis, values.len())], &joint[..]].concat();
    joined(values, dims, |at| {
        let (x, strides) = &blocks[at[0]];
        (*x, offset(&at[1..], strides))
    })
}

/// The values end to end, each along its own axis, the result along `axis`. They may lack axes of each other.
pub fn concat(axis: Axis, parts: &[(&Value, Axis)]) -> Value {
    let renamed: Vec<Value> = parts.iter().map(|(x, own)| rename(x, *own, axis)).collect();
    let without = |x: &Value| Value { dims: x.dims.iter().filter(|(a, _)| *a != axis).copied().collect(), ..x.clone() };
    let rests: Vec<Value> = renamed.iter().map(without).collect();
    let rest = joint_dims(&rests.iter().collect::<Vec<_>>());
    let mut places = vec![];
    for x in &renamed {
        let len = x.dims[x.position(axis)].1;
        let strides = x.strides_in(&[&[(axis, len)], &rest[..]].concat());
        places.extend((0..len).map(|i| (x, strides.clone(), i)));
    }
    let dims = [&[(axis, places.len())], &rest[..]].concat();
    joined(&renamed.iter().collect::<Vec<_>>(), dims, |at| {
        let (x, strides, i) = &places[at[0]];
        (*x, i * strides[0] + offset(&at[1..], &strides[1..]))
    })
}

/// A value whose elements come from several.
fn joined<'a>(values: &[&Value], dims: Vec<(Axis, usize)>, f: impl Fn(&[usize]) -> (&'a Value, usize)) -> Value {
    let from = Ancestry::of(values);
    let mut out = Elements::default();
    out.values.reserve(size(&dims));
    each_position(&dims, |at| {
        let (x, o) = f(at);
        out.values.push(x.elements.values[o]);
        out.tangents.extend((0..from.width).map(|k| x.tangent(o, k)));
        out.holes.push(x.is_hole(o));
    });
    Value::of(dims, out, from)
}

/// The values at one index of an axis.
pub(super) fn at_index(x: &Value, axis: Axis, index: usize) -> Value {
    let p = x.position(axis);
    let rest: Vec<(Axis, usize)> = x.dims.iter().filter(|(a, _)| *a != axis).copied().collect();
    let (strides, stride) = (x.strides_in(&rest), x.strides_in(&x.dims)[p]);
    gather(x, rest, |at| From::Element(offset(at, &strides) + index * stride))
}
