//! Names of axes among the arguments of calls, by the words alone.

use super::{tensor_axes, vocabulary};
use crate::error::Errors;
use proc_macro2::Ident;
use std::collections::BTreeSet;
use syn::Expr;
use syn::visit::{self, Visit};

/// The parts of a tuple, or the one expression.
pub fn elements(e: &Expr) -> Vec<&Expr> {
    match e {
        Expr::Paren(p) => elements(&p.expr),
        Expr::Group(p) => elements(&p.expr),
        Expr::Tuple(t) => t.elems.iter().collect(),
        one => vec![one],
    }
}

/// The name that an expression is, if it is nothing else.
pub fn axis_name(e: &Expr) -> Option<&Ident> {
    match e {
        Expr::Path(p) => p.path.get_ident(),
        Expr::Paren(p) => axis_name(&p.expr),
        Expr::Group(p) => axis_name(&p.expr),
        _ => None,
    }
}

/// Finds the axes that a body or an expression introduces, but not those of functions nested in it.
#[derive(Debug, Default)]
pub struct NewAxes(pub BTreeSet<String>);

impl NewAxes {
    fn call(&mut self, word: &str, args: &[&Expr]) {
        let named = vocabulary::new_axes(word).iter().filter_map(|at| args.get(*at)).flat_map(|e| elements(e));
        self.0.extend(named.filter_map(axis_name).map(ToString::to_string));
    }
}

impl<'ast> Visit<'ast> for NewAxes {
    fn visit_item_fn(&mut self, _: &'ast syn::ItemFn) {}

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Some(word) = axis_name(&call.func) {
            self.call(&word.to_string(), &call.args.iter().collect::<Vec<_>>());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let args: Vec<&Expr> = std::iter::once(&*call.receiver).chain(&call.args).collect();
        self.call(&call.method.to_string(), &args);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_pat_type(&mut self, pat: &'ast syn::PatType) {
        if let Some(list) = tensor_axes(&mut Errors::default(), &pat.ty) {
            self.0.extend(list.entries.iter().map(|e| e.name.to_string()));
        }
    }
}
