//! Reading and writing at positions that a tensor of indices tells.

use super::reindex::{From, gather};
use super::value::{Axis, Elements, Value, each_position, joint_dims, offset, size, strides_over};

/// `x` at the indices that `label` holds: row-major within `axes`. Axes that both have are aligned. NaN where an index is
/// out of range, which only computed ones can be.
pub fn pick(x: &Value, axes: &[Axis], label: &Value) -> Value {
    let picked: Vec<(Axis, usize)> = axes.iter().map(|a| x.dims[x.position(*a)]).collect();
    let picked_strides = x.strides_in(&picked);
    let kept: Vec<(Axis, usize)> = x.dims.iter().filter(|(a, _)| !axes.contains(a)).copied().collect();
    let mut dims = kept.clone();
    dims.extend(label.dims.iter().filter(|d| !kept.contains(d)));
    let (mut strides, label_strides) = (x.strides_in(&dims), label.strides_in(&dims));
    // where the labels vary over an axis that is picked from, its position is theirs alone
    for (stride, (axis, _)) in strides.iter_mut().zip(&dims) {
        if axes.contains(axis) {
            *stride = 0;
        }
    }
    gather(x, dims, |at| {
        let index = label.elements.values[offset(at, &label_strides)];
        let total: usize = picked.iter().map(|(_, len)| len).product();
        if !(0.0..total as f64).contains(&index) {
            return From::Number(f64::NAN);
        }
        let (mut index, mut o) = (index as usize, offset(at, &strides));
        for ((_, len), stride) in picked.iter().zip(&picked_strides).rev() {
            o += index % len * stride;
            index /= len;
        }
        From::Element(o)
    })
}

/// The transpose of [`pick`]: `y[.., c, ..] = Σ x[..]` over the positions along `over` whose label is `c`. `y` has
/// `axis`, of extent `len`, in place of `over`.
///
/// # Panics
/// Where a label is out of range.
pub fn scatter_add(x: &Value, label: &Value, axis: Axis, len: usize, over: &[Axis]) -> Value {
    scattered(x, label, (axis, len), over, |slot, new| *slot += new)
}

/// As [`scatter_add`], but of several elements for one place the last in row-major order is put there.
///
/// # Panics
/// Where a label is out of range.
pub fn scatter(x: &Value, label: &Value, axis: Axis, len: usize, over: &[Axis]) -> Value {
    scattered(x, label, (axis, len), over, |slot, new| *slot = new)
}

fn scattered(x: &Value, label: &Value, to: (Axis, usize), over: &[Axis], put: impl Fn(&mut f64, f64)) -> Value {
    let joint = joint_dims(&[x, label]);
    let kept: Vec<(Axis, usize)> = joint.iter().filter(|(a, _)| !over.contains(a)).copied().collect();
    // the last in row-major order of the axes as they are named
    let named = over.iter().filter_map(|a| joint.iter().find(|(b, _)| a == b)).copied();
    let joint: Vec<(Axis, usize)> = kept.iter().copied().chain(named).collect();
    let dims = [kept, vec![to]].concat();
    let (x_strides, label_strides, to_strides) = (x.strides_in(&joint), label.strides_in(&joint), strides_over(&dims, &joint));
    let (total, width) = (size(&dims), x.from.width);
    let mut out = Elements { values: vec![0.0; total], tangents: vec![0.0; total * width], holes: vec![] };
    each_position(&joint, |at| {
        let index = label.elements.values[offset(at, &label_strides)] as usize;
        assert!(index < to.1, "labels are in range");
        // The new axis is the last, so its stride is 1.
        let (o, i) = (offset(at, &to_strides) + index, offset(at, &x_strides));
        if x.is_hole(i) {
            return;
        }
        put(&mut out.values[o], x.elements.values[i]);
        for k in 0..width {
            put(&mut out.tangents[o * width + k], x.tangent(i, k));
        }
    });
    for v in out.values.iter_mut().chain(&mut out.tangents) {
        *v = x.from.rounding.round(*v);
    }
    Value::of(dims, out, x.from)
}
