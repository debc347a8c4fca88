//! `gradient_test!(BatchNorm { eps: 1e-5 })` becomes `gradient_test!(batch_norm_gradient, BatchNorm { eps: 1e-5 })`.

use proc_macro::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};

/// Gets the path of the runtime crate in brackets, then the operation.
pub fn named(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter();
    let Some(TokenTree::Group(krate)) = tokens.next() else { return TokenStream::new() };
    let op: TokenStream = tokens.collect();
    let name = Ident::new(&format!("{}_gradient", snake_case(&last_of_path(&op))), Span::call_site());
    let comma = TokenTree::Punct(Punct::new(',', Spacing::Alone));
    let arguments = [TokenTree::Ident(name), comma].into_iter().chain(op).collect();
    let separator = [Punct::new(':', Spacing::Joint), Punct::new(':', Spacing::Alone)].map(TokenTree::Punct);
    let mut call = krate.stream();
    call.extend(separator);
    call.extend([TokenTree::Ident(Ident::new("gradient_test", Span::call_site()))]);
    call.extend([TokenTree::Punct(Punct::new('!', Spacing::Alone))]);
    call.extend([TokenTree::Group(Group::new(Delimiter::Brace, arguments))]);
    call
}

/// The type's name in `module::Type { .. }`, `Type` or `Type::new(..)`: the last capitalised identifier of the path.
fn last_of_path(op: &TokenStream) -> String {
    let path = op.clone().into_iter().take_while(|t| match t {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(p) => p.as_char() == ':',
        _ => false,
    });
    let names: Vec<String> = path.filter(|t| matches!(t, TokenTree::Ident(_))).map(|t| t.to_string()).collect();
    let last_type = names.iter().rfind(|name| name.starts_with(char::is_uppercase));
    last_type.or(names.last()).cloned().unwrap_or_else(|| "layer".into())
}

/// `MaxPool2d` → `max_pool2d`
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut before_capital = false;
    for c in name.trim_start_matches("r#").chars() {
        if c.is_uppercase() && before_capital {
            snake.push('_');
        }
        before_capital = !c.is_uppercase() && c != '_';
        snake.extend(c.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn names_are_those_of_the_formulas() {
        for (stem, function) in [("BatchNorm", "batch_norm"), ("MaxPool2d", "max_pool2d"), ("Relu", "relu"), ("r#Gelu", "gelu")] {
            assert_eq!(snake_case(stem), function);
        }
    }
}
