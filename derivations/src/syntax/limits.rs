//! Tokens and nesting are counted before anything recursive sees them, so that no input overflows the stack.

use crate::error::Errors;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// More tokens than any formula needs.
const MAX_TOKENS: usize = 20_000;
/// How much stack the parser may use, in KiB of a build without optimisation; threads have 2 MiB or more.
const MAX_DEPTH: usize = 1200;
/// What a group costs: the parser passes through many functions to reach its inside.
const GROUP: usize = 20;

/// What the parser's recursion costs at most, in one open group: each token may be a level of the syntax tree.
#[derive(Default)]
struct Chain {
    /// Since the last `,` or `;`.
    plain: usize,
    /// `<` and `|` since the last `;`: generic arguments and closures go on across commas.
    across: usize,
    /// The last token was a block.
    after_block: bool,
}

/// Words that begin a statement when they follow a block.
const STATEMENTS: &[&str] = &["const", "fn", "for", "if", "let", "match", "use"];

impl Chain {
    fn push(&mut self, token: &TokenTree, outermost: bool) {
        let after_block = std::mem::replace(&mut self.after_block, is_block(token));
        match token {
            TokenTree::Ident(name) if after_block && STATEMENTS.iter().any(|word| name == word) => *self = Chain::default(),
            TokenTree::Punct(p) => match p.as_char() {
                ';' => *self = Chain::default(),
                ',' => self.plain = 0,
                // attributes of the item, such as lines of documentation, lie side by side
                '#' if outermost => *self = Chain::default(),
                '<' => self.across += 40,
                '|' => self.across += 8,
                '&' => self.plain += 24,
                '=' | '-' | '!' | '*' => self.plain += 7,
                '.' => self.plain += 4,
                _ => self.plain += 2,
            },
            TokenTree::Ident(name) if name == "return" || name == "break" || name == "fn" => self.plain += 10,
            TokenTree::Ident(_) => self.plain += 1,
            // calls of calls, one after the other
            TokenTree::Group(_) => self.plain += 4,
            TokenTree::Literal(_) => {}
        }
    }

    fn depth(&self) -> usize {
        self.plain + self.across
    }
}

fn is_block(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// Whether a formula is small enough to parse; reports it if not.
pub fn check_limits(errors: &mut Errors, tokens: &TokenStream) -> bool {
    let mut count = 0;
    let mut enclosing = 0;
    let mut open = vec![(tokens.clone().into_iter(), Chain::default())];
    while let Some((iter, chain)) = open.last_mut() {
        let Some(token) = iter.next() else {
            open.pop();
            enclosing -= open.last().map_or(0, |(_, chain)| chain.depth() + GROUP);
            continue;
        };
        count += 1;
        let outermost = enclosing == 0;
        chain.push(&token, outermost);
        let depth = enclosing + chain.depth();
        let span = token.span();
        if let TokenTree::Group(group) = token {
            enclosing = depth + GROUP;
            open.push((group.stream().into_iter(), Chain::default()));
        }
        if depth > MAX_DEPTH {
            errors.span(span, "this formula is nested too deeply: name parts of it with `let`, or write a helper function");
            return false;
        }
        if count > MAX_TOKENS {
            errors.span(
                span,
                format!("this formula has more than {MAX_TOKENS} tokens: split it into formulas that call each other"),
            );
            return false;
        }
    }
    true
}
