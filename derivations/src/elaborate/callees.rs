//! The formulas that a helper calls, found without elaborating it: its axes are its caller's.

use super::Library;
use crate::syntax::{Formula, imports, vocabulary};
use quote::quote;
use syn::visit::{self, Visit};

/// The paths of formulas that are called and not in the library, in order of appearance.
pub fn callees(formula: &Formula, library: &Library) -> Vec<syn::Path> {
    let mut finder = Finder { library, local: vec![], imports: Default::default(), found: vec![] };
    finder.visit_block(&formula.body);
    finder.found
}

/// Where a helper calls itself.
pub fn own_call(formula: &Formula) -> Option<syn::Path> {
    let name = formula.name.to_string();
    callees(formula, &Library::default()).into_iter().find(|path| super::call::is_itself(path, &name))
}

struct Finder<'a> {
    library: &'a Library,
    /// Functions nested in the body.
    local: Vec<String>,
    /// What `use` items of the body bring in.
    imports: std::collections::HashMap<String, syn::Path>,
    found: Vec<syn::Path>,
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_block(&mut self, block: &'ast syn::Block) {
        for stmt in &block.stmts {
            match stmt {
                syn::Stmt::Item(syn::Item::Fn(f)) => self.local.push(f.sig.ident.to_string()),
                syn::Stmt::Item(syn::Item::Use(item)) => self.imports.extend(imports(item)),
                _ => {}
            }
        }
        visit::visit_block(self, block);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(path) = &*call.func {
            let imported = path.path.get_ident().and_then(|name| self.imports.get(&name.to_string()));
            let meant = imported.unwrap_or(&path.path).clone();
            let key = quote!(#meant).to_string();
            if !self.is_known(&path.path)
                && !self.library.contains(&key)
                && !self.found.iter().any(|p| quote!(#p).to_string() == key)
            {
                self.found.push(meant);
            }
        }
        visit::visit_expr_call(self, call);
    }
}

impl Finder<'_> {
    /// The vocabulary, nested functions, types that are functions (`Seed`), and functions of types (`Window::new`,
    /// `f64::from`).
    fn is_known(&self, path: &syn::Path) -> bool {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        match names.as_slice() {
            [one] => vocabulary::word(one).is_some() || one.starts_with(char::is_uppercase) || self.local.contains(one),
            [.., owner, _] => {
                let primitive = ["f32", "f64", "usize", "i32", "i64", "bool"].contains(&owner.as_str());
                primitive || owner.chars().next().is_some_and(char::is_uppercase)
            }
            [] => true,
        }
    }
}
