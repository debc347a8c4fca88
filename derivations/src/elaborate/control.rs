//! Blocks, bindings, branches and loops.

use super::typed::{Decision, TermOp};
use super::value::{Host, Literal, Optional, Tensor, Value};
use super::{Elaborator, host};
use crate::graph::UnaryOp;
use crate::syntax::{AxisList, ParamKind, imports, tensor_axes, tidy};
use quote::quote;
use syn::spanned::Spanned;
use syn::{BinOp, Expr, Pat, Stmt};

/// The most iterations of an unrolled loop.
const MAX_UNROLL: i64 = 64;

impl Elaborator<'_> {
    /// The value of a block. The outermost block of a function shares its scope with the arguments.
    pub(super) fn block(&mut self, block: &syn::Block, outermost: bool) -> Value {
        if !outermost {
            self.frame().open();
        }
        for stmt in &block.stmts {
            if let Stmt::Item(item) = stmt {
                self.item(item);
            }
        }
        let mut result = Value::Unit;
        let last = block.stmts.len().saturating_sub(1);
        for (i, stmt) in block.stmts.iter().enumerate() {
            if self.undecided.is_some() {
                // what follows is read once the branch is taken
                result = Value::Poison;
                break;
            }
            match stmt {
                Stmt::Local(local) => self.let_(local),
                Stmt::Item(syn::Item::Fn(_) | syn::Item::Use(_) | syn::Item::Const(_)) => {}
                Stmt::Item(item) => self.errors.at(item, "only functions, constants and `use` may stand inside a formula"),
                Stmt::Expr(e, semi) => {
                    let value = self.expr(e);
                    if semi.is_none() && i == last {
                        result = value;
                    } else if i == last && matches!(value, Value::Poison) {
                        result = Value::Poison;
                    } else if matches!(value, Value::Tensor(_)) && !is_statement(e) {
                        if outermost && i == last {
                            self.errors.at(e, "the last expression of a formula is its result: remove the `;` after it");
                            result = value;
                        } else {
                            self.errors.at(e, "this value is not used: bind it with `let`, or remove it");
                        }
                    }
                }
                Stmt::Macro(m) => {
                    self.errors.at(m, "a macro call cannot stand in a formula: write the expression it stands for");
                }
            }
        }
        if !outermost {
            self.frame().close();
        }
        result
    }

    /// Items are known from the beginning of their block.
    fn item(&mut self, item: &syn::Item) {
        match item {
            syn::Item::Fn(f) => drop(self.frame().items.functions.insert(f.sig.ident.to_string(), f.clone())),
            syn::Item::Use(item) => self.frame().items.imports.extend(imports(item)),
            syn::Item::Const(c) => {
                let value = match self.expr(&c.expr) {
                    Value::Host(h) => {
                        let (name, ty, value) = (&c.ident, &c.ty, h.tokens);
                        // whole, so that it has its type wherever it goes
                        Value::Host(Host { tokens: quote!({ const #name: #ty = #value; #name }), ..h })
                    }
                    Value::Poison => Value::Poison,
                    other => {
                        self.errors.at(&c.expr, format!("a `const` is a constant of Rust's, and this is {}", other.kind()));
                        Value::Poison
                    }
                };
                self.frame().items.constants.insert(c.ident.to_string(), value);
            }
            _ => {}
        }
    }

    fn let_(&mut self, local: &syn::Local) {
        let Some(init) = &local.init else {
            self.errors
                .at(local, "a `let` of a formula has a value: write `let name = ..`, or `let name = if .. { .. } else { .. }`");
            return self.pattern(&local.pat, Value::Poison);
        };
        if let Some((_, diverge)) = &init.diverge {
            self.errors.at(diverge, "`let .. else` cannot stand in a formula: write `if let Some(b) = b { .. } else { .. }`");
            return poison_names(&mut |name| self.frame().bind(name, Value::Poison, true), &local.pat);
        }
        // wrong types are reported with the pattern
        if let Pat::Type(typed) = &local.pat
            && let Some(list) = tensor_axes(&mut crate::error::Errors::default(), &typed.ty)
        {
            self.promise(&init.expr, &list);
        }
        let value = self.expr(&init.expr);
        self.pattern(&local.pat, value);
    }

    pub(super) fn pattern(&mut self, pat: &Pat, value: Value) {
        match pat {
            Pat::Wild(_) => {}
            Pat::Paren(inner) => self.pattern(&inner.pat, value),
            Pat::Ident(p) if p.by_ref.is_none() && p.subpat.is_none() => {
                let name = p.ident.to_string();
                if let Value::Tensor(t) = &value {
                    let term = &mut self.typed.terms[t.term.0 as usize];
                    if term.name.is_none() && !matches!(term.op, TermOp::Param(_) | TermOp::Num(_) | TermOp::Host(_)) {
                        term.name = Some(name.clone());
                    }
                }
                self.frame().bind(&name, value, p.mutability.is_some());
            }
            Pat::Type(typed) => {
                let is_tensor = matches!(value, Value::Tensor(_)) && !matches!(*typed.ty, syn::Type::Infer(_));
                match (&value, tensor_axes(self.errors, &typed.ty)) {
                    (Value::Tensor(t), Some(list)) => self.name_axes(&list, t),
                    (_, None) if is_tensor && !is_tensor_type(&typed.ty) => {
                        let ty = tidy(&typed.ty);
                        self.errors.at(
                            &typed.ty,
                            format!(
                                "this value is a tensor, and `{ty}` is none: write `Tensor<f32, (N, C)>`, or leave the type out"
                            ),
                        );
                    }
                    _ => {}
                }
                self.pattern(&typed.pat, value);
            }
            Pat::Tuple(tuple) => match value {
                Value::Tuple(values) if values.len() == tuple.elems.len() => {
                    for (pat, value) in tuple.elems.iter().zip(values) {
                        self.pattern(pat, value);
                    }
                }
                Value::Poison => {
                    for pat in &tuple.elems {
                        self.pattern(pat, Value::Poison);
                    }
                }
                other => {
                    let found = match &other {
                        Value::Tuple(values) => format!("a tuple of {}", values.len()),
                        other => other.kind().into(),
                    };
                    self.errors
                        .at(pat, format!("this pattern takes apart a tuple of {}, and the value is {found}", tuple.elems.len()));
                    for pat in &tuple.elems {
                        self.pattern(pat, Value::Poison);
                    }
                }
            },
            other => {
                self.errors.at(other, "a formula binds plain names and tuples of names: write `let (a, b) = ..`");
                poison_names(&mut |name| self.frame().bind(name, Value::Poison, true), other);
            }
        }
    }

    /// Names, by position, the axes of a call's result that have no name here yet.
    pub(super) fn name_axes(&mut self, list: &AxisList, tensor: &Tensor) {
        let order = self.order_of(tensor);
        if list.open || list.entries.len() != order.len() {
            return;
        }
        for (entry, axis) in list.entries.iter().zip(order) {
            let name = entry.name.to_string();
            let axis_has_name = self.frame().axes.values().any(|axes| axes.contains(&axis));
            if self.frame().axes_named(&name).is_none() && !axis_has_name {
                self.typed.axes[axis.0 as usize].name = name.clone();
                self.frame().axes.insert(name, vec![axis]);
            }
        }
    }

    pub(super) fn assign(&mut self, assign: &syn::ExprAssign) -> Value {
        let value = self.expr(&assign.right);
        match &*assign.left {
            Expr::Unary(u) if matches!(u.op, syn::UnOp::Deref(_)) => self.assign_state(&u.expr, value, &assign.right),
            Expr::Path(p) if p.path.get_ident().is_some() => {
                let name = p.path.get_ident().map(ToString::to_string).unwrap_or_default();
                self.assign_name(&name, value, &assign.left);
            }
            other => self.errors.at(other, "assign to a `let mut` name, or to state: `*running = ..`"),
        }
        Value::Unit
    }

    pub(super) fn compound_assign(&mut self, b: &syn::ExprBinary, op: BinOp) -> Value {
        let right = self.expr(&b.right);
        let left = self.expr(&b.left);
        let value = self.binary_values(&op, left, right, &b.left, &b.right, b.span());
        match &*b.left {
            Expr::Unary(u) if matches!(u.op, syn::UnOp::Deref(_)) => self.assign_state(&u.expr, value, &b.right),
            Expr::Path(p) if p.path.get_ident().is_some() => {
                let name = p.path.get_ident().map(ToString::to_string).unwrap_or_default();
                self.assign_name(&name, value, &b.left);
            }
            other => self.errors.at(other, "assign to a `let mut` name, or to state: `*running += ..`"),
        }
        Value::Unit
    }

    fn assign_name(&mut self, name: &str, value: Value, at: &Expr) {
        match self.frame().assign(name, value) {
            Some(true) => {}
            Some(false) if matches!(self.frame().find(name), Some((Value::State(_), _))) => {
                self.errors.at(at, format!("`{name}` is state, which is assigned through `*`: write `*{name} = ..`"));
            }
            Some(false) => self.errors.at(at, format!("`{name}` is not mutable: write `let mut {name}`")),
            None => self.errors.at(at, format!("there is no `{name}` to assign to")),
        }
    }

    fn assign_state(&mut self, place: &Expr, value: Value, right: &Expr) {
        let target = self.expr(place);
        let Value::State(index) = target else {
            if !matches!(target, Value::Poison) {
                self.errors.at(place, "only state is assigned through `*`: declare the argument as `r: &mut Tensor<..>`");
            }
            return;
        };
        let Some(term) = self.tensor(&value, right.span()) else { return };
        let declared = self.states.iter().find(|s| s.0 == index).map(|s| self.state_axes(s.1));
        let extra = self.axes_of(term) - declared.unwrap_or_default();
        if let Some(axis) = extra.iter().next() {
            let (name, origin) = (self.axis_name(axis), self.origin(term, axis));
            self.errors.at(
                right,
                format!("this value has axis `{name}`, brought in by {origin}, which the state lacks: reduce over it, as in `mean(.., {name})`"),
            );
            return;
        }
        if let Some(state) = self.states.iter_mut().find(|s| s.0 == index) {
            (state.1, state.2) = (term, true);
        }
    }

    fn state_axes(&self, term: super::TermId) -> crate::graph::AxisSet {
        let index = match self.typed.terms[term.0 as usize].op {
            TermOp::State(_) => return self.axes_of(term),
            _ => self.states.iter().find(|s| s.1 == term).map(|s| s.0),
        };
        let start = self.typed.terms.iter().find(|t| matches!(t.op, TermOp::State(i) if Some(i) == index));
        start.map_or(crate::graph::AxisSet::EMPTY, |t| t.axes)
    }

    /// The value of state now. A value that was assigned and has a gradient is cut off here; [`Self::check_cuts`] asks
    /// the user to say so where an output depends on it.
    pub(super) fn read_state(&mut self, index: usize, span: proc_macro2::Span) -> Value {
        let Some(&(_, term, written)) = self.states.iter().find(|s| s.0 == index) else { return Value::Poison };
        if !written || !self.typed.terms[term.0 as usize].differentiable {
            return self.as_state(index, term);
        }
        let cut = self.pointwise(TermOp::Unary(UnaryOp::Stop), &[term], span);
        // so that what depends on it is found, unless a `stop_gradient` of the user's lies between
        self.typed.terms[cut.0 as usize].differentiable = true;
        self.cuts.push(cut);
        self.as_state(index, cut)
    }

    /// A value of state, its axes in the order of the argument's list.
    pub(super) fn as_state(&self, index: usize, term: super::TermId) -> Value {
        let order = self.state_orders.iter().find(|s| s.0 == index).map(|s| s.1.clone());
        Tensor { term, order }.into()
    }

    /// Reports gradients that end at state without the user having asked for it.
    pub(super) fn check_cuts(&mut self) {
        let mut open = self.typed.outputs.clone();
        let mut seen = std::collections::BTreeSet::new();
        while let Some(id) = open.pop() {
            let term = &self.typed.terms[id.0 as usize];
            if !term.differentiable || !seen.insert(id) {
                continue;
            }
            if self.cuts.contains(&id) {
                let span = term.span;
                self.errors.span(
                    span,
                    "state carries no gradient, and this reads a value that depends on one: write `stop_gradient(*r)`, or use the value itself",
                );
            } else {
                open.extend(&term.args);
            }
        }
    }

    // ---- branches

    /// Whether a condition of the call holds in this specialisation; `None`: not decided yet, or an error.
    pub(super) fn decide(&mut self, tokens: proc_macro2::TokenStream) -> Option<bool> {
        let code = tokens.to_string();
        if let Some(Decision { value, .. }) = self.typed.decisions.iter().find(|d| d.code == code) {
            return Some(*value);
        }
        self.undecided = Some((tokens, code));
        None
    }

    /// Whether an optional tensor is there, and what it is then.
    pub(super) fn presence(&mut self, optional: &Optional) -> Option<Option<Value>> {
        match optional {
            Optional::None => Some(None),
            Optional::Some(value) => Some(Some((**value).clone())),
            Optional::Param { index, present } => {
                let there = self.decide(present.clone())?;
                let value = self.frames.iter().find_map(|f| f.optionals.get(index)).cloned();
                Some(if there { value } else { None })
            }
        }
    }

    pub(super) fn branch(&mut self, branch: &syn::ExprIf) -> Value {
        if let Expr::Let(l) = &*branch.cond {
            return self.if_let(branch, l);
        }
        self.frame().condition = Some(short_branches(branch));
        let condition = self.expr(&branch.cond);
        self.frame().condition = None;
        match condition {
            Value::Poison => self.both_branches(branch),
            Value::Host(h) if self.is_no_condition(&h) => {
                let condition = tidy(&branch.cond);
                self.errors.at(&branch.cond, format!("a condition is wanted here, such as `{condition} > 0`"));
                Value::Poison
            }
            Value::Host(h) => {
                let holds = match h.literal {
                    Some(Literal::Bool(b)) => Some(b),
                    _ => self.decide(h.tokens),
                };
                match holds {
                    Some(true) => self.block(&branch.then_branch, false),
                    Some(false) => self.otherwise(branch),
                    None => Value::Poison,
                }
            }
            condition @ Value::Tensor(_) if self.frame().map_scope.is_some() => self.select_branch(branch, &condition),
            other => {
                let (kind, mask, (a, b)) = (other.kind(), tidy(&branch.cond), short_branches(branch));
                self.errors.at(
                    &branch.cond,
                    format!("`if` chooses once a call, and this condition is {kind}: element by element write `select({mask}, {a}, {b})`"),
                );
                self.both_branches(branch)
            }
        }
    }

    /// Whether a constant is known to be something else than `true` or `false`.
    fn is_no_condition(&self, h: &super::value::Host) -> bool {
        let number = match self.constant_kind(h) {
            Some(ParamKind::Scalar(ty)) => tidy(ty) != "bool",
            Some(_) => true,
            None => false,
        };
        number || matches!(h.literal, Some(Literal::Int(_) | Literal::Float(_)))
    }

    /// After an error in the condition: what else is wrong.
    fn both_branches(&mut self, branch: &syn::ExprIf) -> Value {
        if self.undecided.is_none() {
            self.block(&branch.then_branch, false);
            self.otherwise(branch);
        }
        Value::Poison
    }

    pub(super) fn otherwise(&mut self, branch: &syn::ExprIf) -> Value {
        match &branch.else_branch {
            Some((_, e)) => self.expr(e),
            None => Value::Unit,
        }
    }

    /// `if` on an element, inside `map`.
    fn select_branch(&mut self, branch: &syn::ExprIf, condition: &Value) -> Value {
        let Some(mask) = self.mask(condition, branch.cond.span()) else { return Value::Poison };
        let Some((_, otherwise)) = &branch.else_branch else {
            self.errors.at(branch, "an `if` on an element gives a value on both sides: add `else { .. }`");
            return Value::Poison;
        };
        let a = self.block(&branch.then_branch, false);
        let b = self.expr(otherwise);
        match (self.tensor(&a, branch.then_branch.span()), self.tensor(&b, otherwise.span())) {
            (Some(a), Some(b)) => self.pointwise(TermOp::Select, &[mask, a, b], branch.span()).into(),
            _ => Value::Poison,
        }
    }

    // ---- loops

    pub(super) fn for_loop(&mut self, l: &syn::ExprForLoop) -> Value {
        let Some((start, end)) = self.literal_range(&l.expr) else {
            self.errors.at(&l.expr, "a loop is unrolled, so its range must be known: write `for i in 0..3`");
            return Value::Poison;
        };
        if end.saturating_sub(start) > MAX_UNROLL {
            self.errors
                .at(&l.expr, format!("a loop of more than {MAX_UNROLL} rounds is not unrolled: reduce over an axis instead"));
            return Value::Poison;
        }
        for i in start..end {
            self.frame().open();
            self.pattern(&l.pat, Value::Host(host::of_literal(Literal::Int(i), l.pat.span())));
            self.block(&l.body, false);
            self.frame().close();
        }
        Value::Unit
    }

    fn literal_range(&mut self, e: &Expr) -> Option<(i64, i64)> {
        let Expr::Range(r) = e else { return None };
        let mut bound = |e: &Expr| match self.expr(e) {
            Value::Host(h) => match h.literal {
                Some(Literal::Int(n)) => Some(n),
                _ => None,
            },
            _ => None,
        };
        let start = bound(r.start.as_deref()?)?;
        let end = bound(r.end.as_deref()?)?;
        Some((start, if matches!(r.limits, syn::RangeLimits::Closed(_)) { end.checked_add(1)? } else { end }))
    }
}

fn is_tensor_type(ty: &syn::Type) -> bool {
    matches!(ty, syn::Type::Path(p) if p.path.segments.last().is_some_and(|s| s.ident == "Tensor"))
}

fn is_statement(e: &Expr) -> bool {
    matches!(e, Expr::Assign(_) | Expr::ForLoop(_) | Expr::If(_) | Expr::Match(_) | Expr::Block(_))
}

/// The two values of an `if` as text: `a` and `b` where they are long.
fn short_branches(branch: &syn::ExprIf) -> (String, String) {
    let value = |block: &syn::Block| match block.stmts.as_slice() {
        [Stmt::Expr(e, None)] => Some(tidy(e)),
        _ => None,
    };
    let otherwise = branch.else_branch.as_ref().and_then(|(_, e)| if let Expr::Block(b) = &**e { value(&b.block) } else { None });
    let short = |text: Option<String>, name: &str| text.filter(|t| t.len() <= 30).unwrap_or_else(|| name.into());
    (short(value(&branch.then_branch), "a"), short(otherwise, "b"))
}

/// Binds the names of a pattern that is an error, so that their uses are none.
fn poison_names(bind: &mut dyn FnMut(&str), pat: &Pat) {
    struct Names<'a>(&'a mut dyn FnMut(&str));
    impl<'ast> syn::visit::Visit<'ast> for Names<'_> {
        fn visit_pat_ident(&mut self, p: &'ast syn::PatIdent) {
            (self.0)(&p.ident.to_string());
            syn::visit::visit_pat_ident(self, p);
        }
    }
    syn::visit::Visit::visit_pat(&mut Names(bind), pat);
}
