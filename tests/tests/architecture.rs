//! What the sources may not do: read a later stage, reach for a tool that belongs to another stage, grow without end.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use syn::spanned::Spanned;
use syn::visit::Visit;

/// What each part of the engine may name of the others. A stage reads what comes before it; `error`, `graph` and the
/// output types of earlier stages are read by many.
const MAY_READ: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("graph", &[]),
    ("syntax", &["error"]),
    ("elaborate", &["error", "graph", "syntax"]),
    ("build", &["elaborate", "error", "graph", "syntax"]),
    ("differentiate", &["graph"]),
    ("simplify", &["graph"]),
    ("plan", &["graph"]),
    ("written", &["elaborate", "error", "syntax"]),
    ("emit", &["elaborate", "graph", "plan", "syntax", "written"]),
];

/// The drivers of the pipeline, which name every stage.
const DRIVERS: &[&str] = &["lib", "derive"];

/// Which parts may name these crates.
const TOOLS: &[(&str, &[&str])] = &[
    ("egg", &["simplify"]),
    ("syn", &["elaborate", "emit", "error", "lib", "syntax", "written"]),
    ("quote", &["elaborate", "emit", "error", "lib", "syntax", "written"]),
    // `build` has spans for its errors
    ("proc_macro2", &["build", "elaborate", "emit", "error", "lib", "syntax", "written"]),
];

/// Which crates each crate does not know: dependencies point one way.
const CRATES: &[(&str, &[&str])] = &[
    ("derivations", &["pullback", "pullback_macros"]),
    ("macros", &["pullback", "egg", "syn"]),
    ("runtime", &["pullback_derivations", "egg", "syn", "quote"]),
];

/// About 600 and 60, as the style has it.
const LONGEST_FILE: usize = 620;
const LONGEST_FUNCTION: usize = 64;

/// Longer, for a reason.
const LONG_FILES: &[(&str, &str)] = &[];
const LONG_FUNCTIONS: &[(&str, &str)] = &[
    ("derivations/src/elaborate/call.rs: argument", "a table: one arm a kind of parameter"),
    ("derivations/src/emit/reference.rs: term", "a table: one arm an operation"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A source file: its path within the workspace, its text, and its syntax.
struct Source {
    path: String,
    text: String,
    file: syn::File,
}

impl Source {
    /// The module below `src` that it belongs to.
    fn part(&self) -> &str {
        let below = self.path.split_once("src/").map_or(self.path.as_str(), |(_, rest)| rest);
        below.split(['/', '.']).next().unwrap_or(below)
    }
    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }
}

/// The sources below a folder, sorted.
fn sources(folder: &str) -> Vec<Source> {
    let mut open = vec![root().join(folder)];
    let mut found = vec![];
    while let Some(place) = open.pop() {
        if place.is_dir() {
            open.extend(fs::read_dir(&place).expect("a folder").map(|e| e.expect("an entry").path()));
        } else if place.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&place).expect("a source");
            let file = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", place.display()));
            let path = place.strip_prefix(root()).expect("below the root").display().to_string();
            found.push(Source { path, text, file });
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The paths that code names, `use` trees spelled out. What is inside `#[cfg(test)]` is not looked at.
#[derive(Default)]
struct Paths {
    found: Vec<Vec<String>>,
}

impl Paths {
    fn of(file: &syn::File) -> Vec<Vec<String>> {
        let mut paths = Paths::default();
        paths.visit_file(file);
        paths.found
    }
    fn tree(&mut self, tree: &syn::UseTree, prefix: &[String]) {
        let with = |name: String| [prefix, &[name]].concat();
        match tree {
            syn::UseTree::Path(p) => self.tree(&p.tree, &with(p.ident.to_string())),
            syn::UseTree::Group(g) => g.items.iter().for_each(|t| self.tree(t, prefix)),
            syn::UseTree::Name(n) => self.found.push(with(n.ident.to_string())),
            syn::UseTree::Rename(r) => self.found.push(with(r.ident.to_string())),
            syn::UseTree::Glob(_) => self.found.push(prefix.to_vec()),
        }
    }
}

fn is_test(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|a| a.path().is_ident("cfg") && a.parse_args::<syn::Ident>().is_ok_and(|i| i == "test"))
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.tree(&item.tree, &[]);
        }
    }
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.found.push(path.segments.iter().map(|s| s.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
    }
}

#[test]
fn a_stage_reads_only_what_comes_before_it() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_READ.iter().copied().collect();
    let mut wrong = vec![];
    let mut edges = 0;
    for source in sources("derivations/src").iter().filter(|s| !s.is_test() && !DRIVERS.contains(&s.part())) {
        let part = source.part();
        let may = allowed.get(part).unwrap_or_else(|| panic!("{} is no stage that this test knows", source.path));
        for path in Paths::of(&source.file).into_iter().filter(|p| p.len() > 1 && p[0] == "crate") {
            edges += 1;
            if path[1] != part && !may.contains(&path[1].as_str()) {
                wrong.push(format!("{} names {}", source.path, path.join("::")));
            }
        }
    }
    assert!(edges > 50, "the scan finds what the sources name");
    assert!(wrong.is_empty(), "edges that the direction of the pipeline forbids:\n{}", wrong.join("\n"));
}

#[test]
fn each_tool_stays_where_it_belongs() {
    let mut wrong = vec![];
    for source in sources("derivations/src").iter().filter(|s| !s.is_test()) {
        for path in Paths::of(&source.file) {
            let tool = TOOLS.iter().find(|(tool, _)| path.first().is_some_and(|first| first == tool));
            if let Some((tool, parts)) = tool
                && !parts.contains(&source.part())
            {
                wrong.push(format!("{} touches {tool}: {}", source.path, path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crates_depend_one_way() {
    let mut wrong = vec![];
    for (krate, forbidden) in CRATES {
        for source in sources(&format!("{krate}/src")) {
            let named = Paths::of(&source.file).into_iter().filter(|p| p.len() > 1 && forbidden.contains(&p[0].as_str()));
            wrong.extend(named.map(|p| format!("{} names {}", source.path, p.join("::"))));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short() {
    let all = ["derivations", "macros", "runtime", "tests"].iter().flat_map(|f| sources(&format!("{f}/src")));
    let long: Vec<(String, usize)> =
        all.map(|s| (s.path.clone(), s.text.lines().count())).filter(|(_, lines)| *lines > LONGEST_FILE).collect();
    let unexpected: Vec<_> = long.iter().filter(|(path, _)| !LONG_FILES.iter().any(|(p, _)| p == path)).collect();
    assert!(unexpected.is_empty(), "longer than {LONGEST_FILE} lines: {unexpected:#?}");
    for (path, _) in LONG_FILES {
        assert!(long.iter().any(|(p, _)| p == path), "{path} is short now: take it off the list");
    }
}

/// Functions with more lines than allowed: name and lines.
#[derive(Default)]
struct Functions {
    long: Vec<(String, usize)>,
}

impl Functions {
    fn function(&mut self, name: &syn::Ident, block: &syn::Block) {
        let lines = block.span().end().line - block.span().start().line + 1;
        if lines > LONGEST_FUNCTION {
            self.long.push((name.to_string(), lines));
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig.ident, &item.block);
        syn::visit::visit_item_fn(self, item);
    }
    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig.ident, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }
}

#[test]
fn functions_are_short() {
    let mut long = vec![];
    let all = ["derivations", "macros", "runtime", "tests"].iter().flat_map(|f| sources(&format!("{f}/src")));
    for source in all.filter(|s| !s.is_test()) {
        let mut functions = Functions::default();
        functions.visit_file(&source.file);
        long.extend(functions.long.into_iter().map(|(name, lines)| (format!("{}: {name}", source.path), lines)));
    }
    let unexpected: Vec<_> = long.iter().filter(|(name, _)| !LONG_FUNCTIONS.iter().any(|(n, _)| n == name)).collect();
    assert!(unexpected.is_empty(), "longer than {LONGEST_FUNCTION} lines: {unexpected:#?}");
    for (name, _) in LONG_FUNCTIONS {
        assert!(long.iter().any(|(n, _)| n == name), "{name} is short now: take it off the list");
    }
}
