//! `use` items inside a body.

use proc_macro2::Ident;

/// The names that a `use` brings in, each with the path it stands for. Globs bring in nothing that could be told.
pub fn imports(item: &syn::ItemUse) -> Vec<(String, syn::Path)> {
    let mut found = vec![];
    walk(&item.tree, &mut vec![], &mut found);
    for (_, path) in &mut found {
        path.leading_colon = item.leading_colon;
    }
    found
}

fn walk(tree: &syn::UseTree, prefix: &mut Vec<Ident>, found: &mut Vec<(String, syn::Path)>) {
    let mut leaf = |last: &Ident, name: &Ident| {
        // `use a::b::{self}` is `a::b`
        let own = (last != "self").then(|| last.clone());
        let segments = prefix.iter().cloned().chain(own).map(syn::PathSegment::from).collect();
        let path = syn::Path { leading_colon: None, segments };
        let name = if name == "self" { path.segments.last().map(|s| s.ident.clone()) } else { Some(name.clone()) };
        found.extend(name.map(|n| (n.to_string(), path)));
    };
    match tree {
        syn::UseTree::Name(n) => leaf(&n.ident, &n.ident),
        syn::UseTree::Rename(r) => leaf(&r.ident, &r.rename),
        syn::UseTree::Path(p) => {
            prefix.push(p.ident.clone());
            walk(&p.tree, prefix, found);
            prefix.pop();
        }
        syn::UseTree::Group(g) => g.items.iter().for_each(|t| walk(t, prefix, found)),
        syn::UseTree::Glob(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens;

    #[test]
    fn each_name_has_its_path() {
        let item = syn::parse_quote!(
            use ::a::{
                b::C,
                d as e,
                f::{self},
                g::*,
            };
        );
        let found: Vec<String> = imports(&item)
            .into_iter()
            .map(|(n, p)| format!("{n} = {}", p.to_token_stream().to_string().replace(' ', "")))
            .collect();
        assert_eq!(found, ["C = ::a::b::C", "e = ::a::d", "f = ::a::f"]);
    }
}
