//! The page as data: prose, and examples of a formula with the messages it gives.

use proc_macro2::{Delimiter, Group, LineColumn, Span, TokenStream, TokenTree};
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// A message, and the tokens it is about.
#[derive(Debug)]
pub struct Complaint {
    pub message: String,
    start: LineColumn,
    end: LineColumn,
}

/// A formula, and the lines under its lines that mark tokens with `^` and say what is wrong with them.
pub struct Example {
    code: Vec<String>,
    /// Each after the line of code with this number, from 0.
    marks: Vec<(usize, String)>,
}

enum Part {
    Prose(String),
    Example(Example),
}

pub struct Page(Vec<Part>);

impl Page {
    /// Examples are the blocks fenced as `text`.
    pub fn read(text: &str) -> Page {
        let mut parts = vec![];
        let mut example: Option<Example> = None;
        for line in text.lines() {
            match (&mut example, line) {
                (None, "```text") => example = Some(Example { code: vec![], marks: vec![] }),
                (None, _) => parts.push(Part::Prose(line.to_string())),
                (Some(_), "```") => parts.extend(example.take().map(Part::Example)),
                (Some(example), _) if line.trim_start().starts_with('^') => {
                    example.marks.push((example.code.len() - 1, line.to_string()));
                }
                (Some(example), _) => example.code.push(line.to_string()),
            }
        }
        Page(parts)
    }

    pub fn examples(&self) -> impl Iterator<Item = &Example> {
        self.0.iter().filter_map(|part| match part {
            Part::Example(example) => Some(example),
            Part::Prose(_) => None,
        })
    }

    /// The page as it should be.
    pub fn with_messages_of_the_engine(&self) -> Page {
        let part = |part: &Part| match part {
            Part::Prose(line) => Part::Prose(line.clone()),
            Part::Example(example) => Part::Example(example.with_messages_of_the_engine()),
        };
        Page(self.0.iter().map(part).collect())
    }
}

impl Example {
    pub fn has_messages(&self) -> bool {
        !self.marks.is_empty()
    }

    fn with_messages_of_the_engine(&self) -> Example {
        let mark = |complaint: &Complaint| {
            let (start, end) = (complaint.start, complaint.end);
            let line = &self.code[start.line - 1];
            let end = if end.line == start.line { end.column } else { line.chars().count() };
            let width = end.saturating_sub(start.column).max(1);
            (start.line - 1, format!("{}{} {}", " ".repeat(start.column), "^".repeat(width), complaint.message))
        };
        Example { code: self.code.clone(), marks: complaints(&self.code.join("\n")).iter().map(mark).collect() }
    }
}

/// What the macro says to an item, which may stand under an attribute with options of its own; in textual order.
pub fn complaints(source: &str) -> Vec<Complaint> {
    let tokens = TokenStream::from_str(source).unwrap_or_else(|e| panic!("{e}: {source}"));
    let (options, item) = without_attribute(tokens);
    let out = pullback_derivations::derive_backward(options, item, "errors");
    let mut found = vec![];
    collect(out, &mut found);
    found.sort_by_key(|c| (c.start.line, c.start.column));
    found
}

/// The options of `#[derive_backward(..)]`, if the item begins with it, and the item.
fn without_attribute(tokens: TokenStream) -> (TokenStream, TokenStream) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Punct(hash), TokenTree::Group(attribute), item @ ..] if hash.as_char() == '#' => {
            let options = attribute.stream().into_iter().find_map(|t| match t {
                TokenTree::Group(options) => Some(options.stream()),
                _ => None,
            });
            (options.unwrap_or_default(), item.iter().cloned().collect())
        }
        _ => (TokenStream::new(), trees.into_iter().collect()),
    }
}

/// Every `compile_error! { "message" }`, and every warning: the text of a deprecated function, at its use.
fn collect(tokens: TokenStream, found: &mut Vec<Complaint>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut text = None;
    for (i, tree) in trees.iter().enumerate() {
        match tree {
            TokenTree::Ident(name) if name == "compile_error" => {
                let Some(TokenTree::Group(group)) = trees.get(i + 2) else { panic!("no message in {trees:?}") };
                found.push(complaint(literal(group), name.span(), group.span()));
            }
            TokenTree::Group(group) => {
                text = deprecated(group).or(text);
                collect(group.stream(), found);
            }
            TokenTree::Ident(name) if name == "warning" && !matches!(&trees[i - 1], TokenTree::Ident(f) if f == "fn") => {
                found.push(complaint(format!("warning: {}", text.take().expect("a text before")), name.span(), name.span()));
            }
            _ => {}
        }
    }
}

fn complaint(message: String, from: Span, to: Span) -> Complaint {
    Complaint { message, start: from.start(), end: to.end() }
}

fn literal(group: &Group) -> String {
    syn::parse2::<syn::LitStr>(group.stream()).expect("one literal").value()
}

/// The text in `[deprecated(note = "text")]`.
fn deprecated(attribute: &Group) -> Option<String> {
    let trees: Vec<TokenTree> = attribute.stream().into_iter().collect();
    let [TokenTree::Ident(name), TokenTree::Group(note)] = trees.as_slice() else { return None };
    let is_note = name == "deprecated" && attribute.delimiter() == Delimiter::Bracket;
    let text = note.stream().into_iter().last().filter(|_| is_note)?;
    syn::parse2::<syn::LitStr>(text.into()).ok().map(|text| text.value())
}

impl Display for Example {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, line) in self.code.iter().enumerate() {
            writeln!(f, "{line}")?;
            for (_, mark) in self.marks.iter().filter(|(at, _)| *at == i) {
                writeln!(f, "{mark}")?;
            }
        }
        Ok(())
    }
}

impl Display for Page {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                Part::Prose(line) => writeln!(f, "{line}")?,
                Part::Example(example) => write!(f, "```text\n{example}```\n")?,
            }
        }
        Ok(())
    }
}
