//! Windows, renaming, splitting, slicing, stacking and gathering.

use super::typed::{Binding, Check, HostKind, TermId, TermOp, WindowAxis};
use super::value::{Host, Value};
use super::words::axis_ident;
use super::{Elaborator, host};
use crate::graph::{AxisId, AxisSet, IntId};
use crate::syntax::tidy;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Expr;
use syn::spanned::Spanned;

impl Elaborator<'_> {
    pub(super) fn reindex_word(&mut self, name: &str, args: &[&Expr], span: Span) -> Value {
        let term = match name {
            "window" => self.window(args, span),
            "adaptive_window" => self.adaptive_window(args, span),
            "rename" => self.rename(args, span),
            "split" => self.split(args, span),
            "merge" => self.merge(args, span),
            "slice" => self.slice(args, span),
            "shift" => self.shift(args, span),
            "stack" => self.stack(args, span),
            "concat" => self.concat(args, span),
            "pick" => self.pick(args, span),
            "cumsum" => self.cumsum(args, span),
            "scan" => self.scan(args, span),
            "scatter" | "scatter_add" => self.scatter(name, args, span),
            "roll" => self.roll(args, span),
            "flip" => self.flip(args, span),
            "pad" | "pad_reflect" | "pad_edge" | "pad_circular" => self.pad(name, args, span),
            "repeat" => self.repeat(args, span),
            _ => unreachable!("`{name}` is in the vocabulary and has no meaning"),
        };
        // the axes it would have introduced are not known, which is no error of those who name them
        self.pending_axes |= term.is_none();
        term.map_or(Value::Poison, Value::from)
    }

    /// A new axis of this name and extent.
    pub(super) fn declare_axis(&mut self, name: &Ident, extent: IntId, canonical: u64) -> Option<AxisId> {
        let axis = self.new_axis(&name.to_string(), Some(extent), false, name.span())?;
        self.typed.axes[axis.0 as usize].canonical = canonical.max(1);
        self.typed.bindings.push(Binding::Axis(axis));
        self.frame().axes.insert(name.to_string(), vec![axis]);
        Some(axis)
    }

    /// A new axis that the formula cannot name.
    pub(super) fn hidden_axis(&mut self, name: &str, extent: IntId, canonical: u64, span: Span) -> Option<AxisId> {
        let axis = self.new_axis(name, Some(extent), false, span)?;
        self.typed.axes[axis.0 as usize].canonical = canonical.max(1);
        self.typed.bindings.push(Binding::Axis(axis));
        Some(axis)
    }

    pub(super) fn canonical(&self, axis: AxisId) -> u64 {
        self.typed.axes[axis.0 as usize].canonical
    }

    /// The axis of this name if it exists (then the extents must agree), else a new one.
    pub(super) fn target_axis(&mut self, arg: &Expr, extent: IntId, canonical: u64, x: TermId) -> Option<AxisId> {
        let Some(name) = axis_ident(arg) else {
            self.errors.at(arg, format!("the name of an axis is wanted here, and this is `{}`", tidy(arg)));
            return None;
        };
        let known = self.named_axes(&name.to_string());
        match known.as_deref() {
            None => self.declare_axis(&name, extent, canonical),
            Some([axis]) => {
                if self.axes_of(x).contains(*axis) {
                    self.errors.at(&name, format!("the value has axis `{name}` already: choose another name"));
                    return None;
                }
                self.check_extent(*axis, extent);
                Some(*axis)
            }
            Some(_) => {
                self.errors.at(&name, format!("`{name}` stands for several axes here: choose another name"));
                None
            }
        }
    }

    fn check_extent(&mut self, axis: AxisId, extent: IntId) {
        self.check(Check::Extent { axis, extent });
    }

    /// One axis that the value has.
    pub(super) fn one_axis(&mut self, arg: &Expr, x: TermId, value: &Expr) -> Option<AxisId> {
        let axes = self.axes_arg(arg)?;
        match axes.as_slice() {
            [axis] => self.has_axes(x, value, &axes, arg).then_some(*axis),
            _ => {
                self.errors.at(arg, format!("one axis is wanted here, and this is {}", axes.len()));
                None
            }
        }
    }

    /// Whether a value has these axes; reports the first that it lacks, at its name in the list `at`.
    pub(super) fn has_axes(&mut self, x: TermId, value: &Expr, axes: &[AxisId], at: &Expr) -> bool {
        let has = self.axes_of(x);
        let Some(axis) = axes.iter().find(|a| !has.contains(**a)) else { return true };
        let (name, list) = (self.axis_name(*axis), self.list(has));
        let token = self.axis_token(at, *axis);
        self.errors.span(token, format!("`{}` has no axis `{name}`: its axes are {list}", tidy(value)));
        false
    }

    /// Whether new axes have different names; reports the first that does not.
    pub(super) fn distinct<'i>(&mut self, names: impl Iterator<Item = &'i Option<Ident>>) -> bool {
        let mut seen: Vec<&Ident> = vec![];
        for name in names.flatten() {
            if seen.contains(&name) {
                self.errors.at(name, format!("axis `{name}` stands twice here: give each new axis a name of its own"));
                return false;
            }
            seen.push(name);
        }
        true
    }

    /// A whole number of the call.
    pub(super) fn int_arg(&mut self, arg: &Expr) -> Option<IntId> {
        let value = self.expr(arg);
        self.whole_number(value, arg)
    }

    /// The value of `arg` as a whole number of the call.
    pub(super) fn whole_number(&mut self, value: Value, arg: &Expr) -> Option<IntId> {
        match value {
            Value::Host(Host { literal: Some(super::value::Literal::Float(_) | super::value::Literal::Bool(_)), .. }) => {
                self.errors.at(arg, format!("a whole number is wanted here, and this is `{}`", tidy(arg)));
                None
            }
            Value::Host(h) => Some(self.host_int(&h)),
            Value::Poison => None,
            other => {
                self.errors.at(arg, format!("a whole number is wanted here, and this is {}", other.kind()));
                None
            }
        }
    }

    // ---- windows

    fn window(&mut self, args: &[&Expr], span: Span) -> Option<TermId> {
        let x = self.tensor_arg(args[0])?;
        let sources = self.axes_arg(args[1])?;
        let (outs, taps) = (names(args[2]), names(args[3]));
        let k = match self.expr(args[4]) {
            Value::Host(h) => match self.no_window(&h, sources.len()) {
                None => h.tokens,
                Some(found) => {
                    let rank = sources.len();
                    self.errors.at(
                        args[4],
                        format!(
                            "a window over {rank} axes is wanted here (an argument `k: Window<{rank}>`), and this is {found}"
                        ),
                    );
                    return None;
                }
            },
            Value::Poison => return None,
            other => {
                self.errors.at(
                    args[4],
                    format!("a window is wanted here (an argument `k: Window<{}>`), and this is {}", sources.len(), other.kind()),
                );
                return None;
            }
        };
        if sources.len() != outs.len() || sources.len() != taps.len() {
            self.errors
                .span(span, "a window names as many positions and taps as axes: `window(x, (H, W), (OH, OW), (KH, KW), k)`");
            return None;
        }
        if !self.has_axes(x, args[0], &sources, args[1]) || !self.distinct(outs.iter().chain(&taps)) {
            return None;
        }
        self.check(Check::Window { window: k.clone(), axes: sources.clone() });
        let mut axes = Vec::new();
        for (dim, ((source, out), tap)) in sources.iter().zip(&outs).zip(&taps).enumerate() {
            axes.push(self.window_axis(&k, dim, *source, out.as_ref(), tap.as_ref(), x, args)?);
        }
        let divisor = self.host(HostKind::Number, quote!((#k).divides_by().unwrap_or(0)));
        let has_divisor = self.host(HostKind::Number, quote!((#k).divides_by().is_some()));
        let mapped: AxisSet = sources.iter().copied().collect();
        let new: AxisSet = axes.iter().flat_map(|a| [a.out, a.tap]).collect();
        let set = (self.axes_of(x) - mapped) | new;
        Some(self.term(TermOp::Window { window: k, axes, divisor, has_divisor }, vec![x], set, span))
    }

    #[allow(clippy::too_many_arguments)]
    fn window_axis(
        &mut self,
        k: &TokenStream,
        dim: usize,
        source: AxisId,
        out: Option<&Ident>,
        tap: Option<&Ident>,
        x: TermId,
        args: &[&Expr],
    ) -> Option<WindowAxis> {
        let (Some(out), Some(tap)) = (out, tap) else {
            self.errors.at(if out.is_none() { args[2] } else { args[3] }, "the names of the window's new axes are wanted here");
            return None;
        };
        let int = |e: &mut Self, tokens: TokenStream| {
            let id = e.host(HostKind::Integer, tokens);
            e.typed.ints.host(id)
        };
        let len = host::len_ident(&self.typed.axes, source);
        let out_len = int(self, quote!((#k).output_len(#dim, #len)));
        let tap_len = int(self, quote!((#k).kernel(#dim)));
        let stride = int(self, quote!((#k).step(#dim)));
        let dilation = int(self, quote!((#k).dilate(#dim)));
        let padding = int(self, quote!((#k).pad(#dim)));
        let counted = int(self, quote!(if (#k).counts_padding() { (#k).pad(#dim) } else { 0 }));
        let canonical_out = self.canonical(source).div_ceil(2);
        let out = self.target_ident(out, out_len, canonical_out, x)?;
        let tap = self.target_ident(tap, tap_len, 3, x)?;
        Some(WindowAxis { dim, source, out, tap, stride, dilation, padding, counted })
    }

    pub(super) fn target_ident(&mut self, name: &Ident, extent: IntId, canonical: u64, x: TermId) -> Option<AxisId> {
        let path: Expr = syn::parse_quote!(#name);
        self.target_axis(&path, extent, canonical, x)
    }

    // ---- affine maps

    fn rename(&mut self, args: &[&Expr], span: Span) -> Option<TermId> {
        let x = self.tensor_arg(args[0])?;
        let from = self.one_axis(args[1], x, args[0])?;
        let extent = self.typed.ints.axis_len(from);
        let canonical = self.canonical(from);
        let to = self.target_axis(args[2], extent, canonical, x)?;
        let set = (self.axes_of(x) - from.into()) | to.into();
        Some(self.term(TermOp::Rename { from, to }, vec![x], set, span))
    }

    fn pair(&mut self, arg: &Expr) -> Option<(Expr, Expr)> {
        match arg {
            Expr::Tuple(t) if t.elems.len() == 2 => Some((t.elems[0].clone(), t.elems[1].clone())),
            Expr::Paren(p) => self.pair(&p.expr),
            _ => {
                self.errors.at(arg, "two axes are wanted here, the outer and the inner: `(G, D)`");
                None
            }
        }
    }

    fn split(&mut self, args: &[&Expr], span: Span) -> Option<TermId> {
        let x = self.tensor_arg(args[0])?;
        let axis = self.one_axis(args[1], x, args[0])?;
        let (outer, inner) = self.pair(args[2])?;
        let groups = self.int_arg(args[3])?;
        if !self.distinct([axis_ident(&outer), axis_ident(&inner)].iter()) {
            return None;
        }
        self.check(Check::Divisible { axis, by: groups });
        let len = self.typed.ints.axis_len(axis);
        let inner_len = self.typed.ints.floor_div(len, groups);
        let canonical = self.canonical(axis);
        let outer = self.target_axis(&outer, groups, 8.min(canonical), x)?;
        let inner = self.target_axis(&inner, inner_len, canonical / 8, x)?;
        let set = (self.axes_of(x) - axis.into()) | outer.into() | inner.into();
        Some(self.term(TermOp::Split { axis, outer, inner, inner_len }, vec![x], set, span))
    }

    fn merge(&mut self, args: &[&Expr], span: Span) -> Option<TermId> {
        let x = self.tensor_arg(args[0])?;
        let axes = self.axes_arg(args[1])?;
        let [outer, inner] = axes[..] else {
            self.errors.at(args[1], "two axes are merged at a time: `merge(x, (G, D), C)`");
            return None;
        };
        if !self.has_axes(x, args[0], &axes, args[1]) {
            return None;
        }
        let set = self.axes_of(x);
        let (outer_len, inner_len) = (self.typed.ints.axis_len(outer), self.typed.ints.axis_len(inner));
        let extent = self.typed.ints.mul(outer_len, inner_len);
        let canonical = self.canonical(outer) * self.canonical(inner);
        let axis = self.target_axis(args[2], extent, canonical, x)?;
        let set = (set - outer.into() - inner.into()) | axis.into();
        Some(self.term(TermOp::Merge { outer, inner, axis, inner_len }, vec![x], set, span))
    }

    fn slice(&mut self, args: &[&Expr], span: Span) -> Option<TermId> {
        let x = self.tensor_arg(args[0])?;
        let axis = self.one_axis(args[1], x, args[0])?;
        let Expr::Range(range) = args[3] else {
            self.errors.at(args[3], "a range is wanted here: `a..b`, `a..` or `..b`");
            return None;
        };
        let start = match &range.start {
            Some(e) => self.int_arg(e)?,
            None => self.typed.ints.constant(0),
        };
        let end = match &range.end {
            Some(e) => self.int_arg(e)?,
            None => self.typed.ints.axis_len(axis),
        };
        let one = self.typed.ints.constant(1);
        let end = if matches!(range.limits, syn::RangeLimits::Closed(_)) { self.typed.ints.add(end, one) } else { end };
        self.check(Check::Slice { axis, start, end });
        let extent = self.typed.ints.sub(end, start);
        let canonical = self.typed.ints.as_const(extent).map_or(self.canonical(axis), |n| n.max(1) as u64);
        let out = self.target_axis(args[2], extent, canonical, x)?;
        let set = (self.axes_of(x) - axis.into()) | out.into();
        Some(self.term(TermOp::Slice { axis, out, start }, vec![x], set, span))
    }

    fn shift(&mut self, args: &[&Expr], span: Span) -> Option<TermId> {
        let x = self.tensor_arg(args[0])?;
        let axis = self.one_axis(args[1], x, args[0])?;
        let by = self.distance(args[2], axis, |by, len| quote!(#by.clamp(-(#len as i128), #len as i128)))?;
        let set = self.axes_of(x);
        Some(self.term(TermOp::Shift { axis, by }, vec![x], set, span))
    }

    fn stack(&mut self, args: &[&Expr], span: Span) -> Option<TermId> {
        let Expr::Tuple(tuple) = args[1] else {
            self.errors.at(args[1], "the tensors to stack are a tuple: `stack(S, (a, b))`");
            return None;
        };
        let parts: Option<Vec<TermId>> = tuple.elems.iter().map(|e| self.tensor_arg(e)).collect();
        let parts = parts?;
        let first = *parts.first()?;
        let extent = self.typed.ints.constant(parts.len() as i64);
        let axis = self.target_axis(args[0], extent, parts.len() as u64, first)?;
        let set = parts.iter().fold(AxisSet::one(axis), |set, p| set | self.axes_of(*p));
        Some(self.term(TermOp::Stack { axis }, parts, set, span))
    }

    fn concat(&mut self, args: &[&Expr], span: Span) -> Option<TermId> {
        let mut values = Vec::new();
        let mut parts: Vec<(AxisId, IntId)> = Vec::new();
        let mut start = self.typed.ints.constant(0);
        let mut canonical = 0;
        for arg in &args[1..] {
            let Expr::Tuple(pair) = arg else {
                self.errors.at(arg, "each part says which of its axes is joined: `concat(C, (a, A), (b, B))`");
                return None;
            };
            let [value, axis] = [&pair.elems.first(), &pair.elems.get(1)].map(|e| e.cloned());
            let (Some(value), Some(axis)) = (value, axis) else {
                self.errors.at(arg, "each part says which of its axes is joined: `concat(C, (a, A), (b, B))`");
                return None;
            };
            let x = self.tensor_arg(&value)?;
            let axis = self.one_axis(&axis, x, &value)?;
            values.push(x);
            parts.push((axis, start));
            canonical += self.canonical(axis);
            let len = self.typed.ints.axis_len(axis);
            start = self.typed.ints.add(start, len);
        }
        let axis = self.target_axis(args[0], start, canonical, values[0])?;
        let joined: AxisSet = parts.iter().map(|p| p.0).collect();
        let set = values.iter().zip(&parts).fold(AxisSet::one(axis), |set, (v, p)| set | (self.axes_of(*v) - p.0.into()));
        if (set - axis.into()).intersects(joined) {
            self.errors.span(span, "a part's own axis appears in another part: rename one of them first");
            return None;
        }
        Some(self.term(TermOp::Concat { axis, parts }, values, set, span))
    }

    // ---- gather

    fn pick(&mut self, args: &[&Expr], span: Span) -> Option<TermId> {
        let mut x = self.tensor_arg(args[0])?;
        let axes = self.axes_arg(args[1])?;
        if !self.has_axes(x, args[0], &axes, args[1]) {
            return None;
        }
        let index = self.expr(args[2]);
        if let Value::Host(h) = &index {
            if matches!(h.literal, Some(super::value::Literal::Float(_) | super::value::Literal::Bool(_))) {
                self.errors.at(args[2], format!("a whole number is wanted here, and this is `{}`", tidy(args[2])));
                return None;
            }
            return self.pick_at(x, &axes, h, args[1], span);
        }
        let index = self.tensor(&index, args[2].span())?;
        let computed = !self.typed.terms[index.0 as usize].integer;
        if computed && !self.is_whole(index) {
            self.errors.at(args[2], "an index is wanted here: labels, `argmax`, `argmin`, `index(A)`, a constant, or whole numbers made of these (`floor(..)` makes others whole)");
            return None;
        }
        if !computed {
            self.check_labels(index, &axes);
        }
        let len = self.len_host(&axes, span);
        let mut axis = self.merged(&mut x, &axes, span)?;
        if self.axes_of(index).contains(axis) {
            // what is picked from and what the index varies over are two axes of one name
            let extent = self.typed.ints.axis_len(axis);
            let from = axis;
            axis = self.hidden_axis(&format!("{}_picked", self.axis_name(from)), extent, self.canonical(from), span)?;
            let set = (self.axes_of(x) - from.into()) | axis.into();
            x = self.term(TermOp::Rename { from, to: axis }, vec![x], set, span);
        }
        let set = (self.axes_of(x) - axis.into()) | self.axes_of(index);
        if !computed {
            return Some(self.term(TermOp::Pick { axis }, vec![x, index], set, span));
        }
        self.check(Check::NotEmpty { axes, what: "pick" });
        let (inside, place) = self.place_inside(index, &len, span);
        let picked = self.term(TermOp::Pick { axis }, vec![x, place], set, span);
        let nothing = self.host_term(&Host { tokens: quote!(::core::primitive::f64::NAN), literal: None, span });
        Some(self.pointwise(TermOp::Select, &[inside, picked, nothing], span))
    }

    /// Whether a computed index is one of `len` positions, and itself or else the nearest of them. No call can check it
    /// before it computes, so that what it finds outside is NaN.
    fn place_inside(&mut self, index: TermId, len: &Host, span: Span) -> (TermId, TermId) {
        use crate::graph::BinaryOp::{And, Ge, Lt, Max, Min, Sub};
        let number = |e: &mut Self, x: f64| e.term(TermOp::Num(x), vec![], AxisSet::EMPTY, span);
        let (zero, one, len) = (number(self, 0.0), number(self, 1.0), self.host_term(len));
        let mut of = |op, a, b| self.pointwise(TermOp::Binary(op), &[a, b], span);
        let (below, above) = (of(Ge, index, zero), of(Lt, index, len));
        let (inside, last, positive) = (of(And, below, above), of(Sub, len, one), of(Max, index, zero));
        (inside, of(Min, positive, last))
    }

    fn pick_at(&mut self, x: TermId, axes: &[AxisId], at: &Host, arg: &Expr, span: Span) -> Option<TermId> {
        let [axis] = axes[..] else {
            self.errors.at(arg, "a fixed position is picked from one axis at a time");
            return None;
        };
        let start = self.host_int(at);
        let one = self.typed.ints.constant(1);
        let end = self.typed.ints.add(start, one);
        self.check(Check::Slice { axis, start, end });
        let set = self.axes_of(x) - axis.into();
        Some(self.term(TermOp::PickAt { axis, at: start }, vec![x], set, span))
    }

    /// Labels that come from an argument are checked against what they index, and positions along other axes by how
    /// many there are.
    pub(super) fn check_labels(&mut self, index: TermId, axes: &[AxisId]) {
        use super::typed::Reduction::{ArgMax, ArgMin};
        let mut at = index;
        loop {
            let term = &self.typed.terms[at.0 as usize];
            let along = match (&term.op, term.args.first()) {
                (TermOp::Param(param), _) => {
                    let param = *param;
                    return self.check(Check::Labels { param, axes: axes.to_vec() });
                }
                (TermOp::Reduce { kind: ArgMax | ArgMin, axes }, _) => axes.clone(),
                (op, Some(inner)) if op.only_moves() => {
                    at = *inner;
                    continue;
                }
                // of one axis or of several
                _ => term.axes.iter().collect(),
            };
            return self.check_reach(&along, axes);
        }
    }

    /// Positions along some axes index others: there are as many at most.
    fn check_reach(&mut self, along: &[AxisId], axes: &[AxisId]) {
        let size = |e: &mut Self, axes: &[AxisId]| {
            let one = e.typed.ints.constant(1);
            axes.iter().fold(one, |size, axis| {
                let len = e.typed.ints.axis_len(*axis);
                e.typed.ints.mul(size, len)
            })
        };
        let (reach, bound) = (size(self, along), size(self, axes));
        if reach != bound {
            self.check(Check::Reach { reach, axes: axes.to_vec() });
        }
    }

    /// Joins several axes into one, for a flat index.
    fn merged(&mut self, x: &mut TermId, axes: &[AxisId], span: Span) -> Option<AxisId> {
        let (&first, rest) = axes.split_first()?;
        let mut whole = first;
        for &inner in rest {
            let (outer_len, inner_len) = (self.typed.ints.axis_len(whole), self.typed.ints.axis_len(inner));
            let extent = self.typed.ints.mul(outer_len, inner_len);
            let name = format!("{}{}", self.axis_name(whole), self.axis_name(inner));
            let axis = self.hidden_axis(&name, extent, self.canonical(whole) * self.canonical(inner), span)?;
            let set = (self.axes_of(*x) - whole.into() - inner.into()) | axis.into();
            *x = self.term(TermOp::Merge { outer: whole, inner, axis, inner_len }, vec![*x], set, span);
            whole = axis;
        }
        Some(whole)
    }
}

/// The names in `(OH, OW)` or `O`.
pub(super) fn names(arg: &Expr) -> Vec<Option<Ident>> {
    match arg {
        Expr::Tuple(t) => t.elems.iter().map(axis_ident).collect(),
        one => vec![axis_ident(one)],
    }
}
