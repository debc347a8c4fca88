//! Writing at positions that a tensor of indices tells.

use super::Elaborator;
use super::typed::{TermId, TermOp};
use super::value::Value;
use crate::graph::{AxisId, AxisSet};
use crate::syntax::AxisList;
use proc_macro2::Span;
use syn::Expr;
use syn::spanned::Spanned;

impl Elaborator<'_> {
    pub(super) fn scatter(&mut self, word: &str, args: &[&Expr], span: Span) -> Option<TermId> {
        let promised = self.promise_of(args[0]);
        let x = self.tensor_arg(args[0])?;
        let value = self.expr(args[1]);
        let index = self.tensor(&value, args[1].span())?;
        if !self.typed.terms[index.0 as usize].integer {
            self.errors.at(args[1], "an index is wanted here: labels, `argmax`, `argmin` or `index(A)`");
            return None;
        }
        let order = match &value {
            Value::Tensor(t) => self.order_of(t),
            _ => vec![],
        };
        let over = match args.get(4) {
            Some(list) => {
                let over = self.axes_arg(list)?;
                if !self.has_axes(index, args[1], &over, list) {
                    return None;
                }
                over
            }
            None => order.into_iter().filter(|axis| !promised.contains(*axis)).collect(),
        };
        let extent = self.int_arg(args[3])?;
        let canonical = self.typed.ints.as_const(extent).map_or(64, |n| n.max(1) as u64);
        let axis = self.target_axis(args[2], extent, canonical, x)?;
        self.check_labels(index, &[axis]);
        let set = ((self.axes_of(x) | self.axes_of(index)) - over.iter().copied().collect()) | axis.into();
        let last = word == "scatter";
        Some(self.term(TermOp::Scatter { axis, over, last }, vec![x, index], set, span))
    }

    /// Remembers the axes that the value of a call is promised to have, by the call's first argument.
    pub(super) fn promise(&mut self, value: &Expr, list: &AxisList) {
        let first = match value {
            Expr::Paren(p) => return self.promise(&p.expr, list),
            Expr::Group(g) => return self.promise(&g.expr, list),
            Expr::Call(c) => c.args.first(),
            Expr::MethodCall(m) => Some(&*m.receiver),
            _ => None,
        };
        if let Some(first) = first {
            let names = list.entries.iter().map(|e| e.name.to_string()).collect();
            self.promises.push((std::ptr::from_ref(first), names));
        }
    }

    /// The axes that are promised of the call with this first argument.
    fn promise_of(&mut self, first: &Expr) -> AxisSet {
        let names = self.promises.iter().rev().find(|p| std::ptr::eq(p.0, first)).map(|p| p.1.clone());
        let axes: Vec<AxisId> =
            names.into_iter().flatten().filter_map(|name| self.frame().axes_named(&name).cloned()).flatten().collect();
        axes.into_iter().collect()
    }
}
