//! The messages in the engine's sources: every string of some words that is no documentation and no panic.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};

/// A message or a part of one, between its placeholders.
pub struct Message(Vec<String>);

/// The stages that say something to authors.
const STAGES: [&str; 4] = ["syntax", "elaborate", "build", "lib.rs"];

pub fn of_the_engine() -> Vec<Message> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<PathBuf> = STAGES.iter().flat_map(|stage| sources(&src.join(stage))).collect();
    files.sort();
    let mut found = Strings::default();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source of the engine");
        found.visit_file(&syn::parse_file(&text).expect("Rust"));
    }
    assert!(found.0.len() > 150, "{} messages", found.0.len());
    found.0
}

fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        let is_source = path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs");
        return if is_source { vec![path.into()] } else { vec![] };
    }
    let entries = fs::read_dir(path).expect("a folder of the engine");
    entries.flat_map(|entry| sources(&entry.expect("an entry").path())).collect()
}

#[derive(Default)]
struct Strings(Vec<Message>);

impl Strings {
    fn take(&mut self, text: &str) {
        if text.split_whitespace().count() >= 4 {
            self.0.push(Message(pieces(text)));
        }
    }
}

impl<'ast> Visit<'ast> for Strings {
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.take(&text.value());
    }
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.method == "expect" {
            self.visit_expr(&call.receiver);
        } else {
            visit::visit_expr_method_call(self, call);
        }
    }
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if !call.path.is_ident("format") {
            return;
        }
        let parser = syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
        for argument in call.parse_body_with(parser).expect("arguments of `format!`").iter() {
            self.visit_expr(argument);
        }
    }
}

/// The text between placeholders, `{{` and `}}` as they print.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' | '}' if chars.peek() == Some(&c) => pieces.last_mut().expect("one").extend(chars.next()),
            '{' => {
                while chars.next().is_some_and(|c| c != '}') {}
                pieces.push(String::new());
            }
            _ => pieces.last_mut().expect("one").push(c),
        }
    }
    pieces
}

impl Message {
    /// Whether some line holds the pieces, one after another.
    pub fn is_in(&self, page: &str) -> bool {
        page.lines().any(|line| {
            let mut rest = Some(line);
            for piece in &self.0 {
                rest = rest.and_then(|r| r.find(piece.as_str()).map(|at| &r[at + piece.len()..]));
            }
            rest.is_some()
        })
    }
}

impl Display for Message {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("{}"))
    }
}
