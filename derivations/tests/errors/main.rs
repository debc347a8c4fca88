//! `ERRORS.md` tells the truth: each of its formulas gives the messages under it, at the tokens marked, and no others; and
//! no message of the engine is missing there. `BLESS=1` writes the messages anew.

mod messages;
mod page;

use page::Page;
use std::collections::BTreeSet;
use std::path::Path;

fn page_path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ERRORS.md")
}

fn page() -> Page {
    Page::read(&std::fs::read_to_string(page_path()).expect("the page"))
}

#[test]
fn each_formula_gives_what_the_page_says() {
    let page = page();
    let found = page.with_messages_of_the_engine();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(page_path(), found.to_string()).expect("the page can be written");
        return;
    }
    assert!(page.examples().count() > 200);
    for (said, found) in page.examples().zip(found.examples()) {
        assert!(found.has_messages(), "nothing is wrong with\n{said}");
        assert_eq!(said.to_string(), found.to_string(), "(left: the page, right: the engine; `BLESS=1` writes it anew)");
    }
}

/// What is too large to be shown is quoted on the page and provoked here.
#[test]
fn what_is_too_much() {
    let text = page().to_string();
    for (what, source) in too_much() {
        let found = page::complaints(&source);
        assert_eq!(found.len(), 1, "{what}: {found:?}");
        let message = &found[0].message;
        // a chain of calls is cut short on the page
        let said = message.split(" → h38").next().expect("a beginning");
        assert!(text.contains(said), "{what}: the page lacks `{message}`");
    }
}

fn exps(depth: usize, inner: &str) -> String {
    format!("{}{inner}{}", "exp(".repeat(depth), ")".repeat(depth))
}

fn too_much() -> Vec<(&'static str, String)> {
    let formula = |body: &str| format!("fn f(x: Tensor<f32, N>, eps: f64) -> Tensor<f32, N> {{ {body} }}");
    let branches: String = (0..5).map(|i| format!("let y = if eps > {i}.0 {{ y + 1.0 }} else {{ y }};")).collect();
    let helpers: String = (1..40).map(|i| format!("fn h{i}(v: Tensor<f32>) -> Tensor<f32> {{ h{}(v) }}", i - 1)).collect();
    let deep: String = (1..30)
        .map(|i| format!("fn h{i}(v: Tensor<f32>) -> Tensor<f32> {{ {} }}", exps(20, &format!("h{}(v)", i - 1))))
        .collect();
    let axes = |n: usize| (0..n).map(|i| format!("A{i}, ")).collect::<String>();
    vec![
        ("axes", format!("fn f(x: Tensor<f32, ({})>) -> Tensor<f32, ()> {{ sum(x, ({})) }}", axes(65), axes(64))),
        ("deep calls", formula(&format!("fn h0(v: Tensor<f32>) -> Tensor<f32> {{ v }} {deep} h29(x)"))),
        ("parentheses", formula(&format!("{}x{}", "(".repeat(100), ")".repeat(100)))),
        ("signs", formula(&format!("{}x", "-".repeat(1000)))),
        ("tokens", formula(&format!("{}x", "let y = x + x;".repeat(4000)))),
        ("rounds", formula("let mut y = x; for i in 0..60 { for j in 0..60 { for h in 0..60 { y = y + 1.0; } } } y")),
        ("constant", formula("let mut e = eps; for i in 0..40 { e = e + e; } x * e")),
        ("branches", formula(&format!("let y = x; {branches} y"))),
        ("calls", formula(&format!("fn h0(v: Tensor<f32>) -> Tensor<f32> {{ v }} {helpers} h39(x)"))),
    ]
}

#[test]
fn no_message_is_missing() {
    let text = page().to_string();
    let missing: BTreeSet<String> =
        messages::of_the_engine().into_iter().filter(|m| !m.is_in(&text)).map(|m| m.to_string()).collect();
    assert!(
        missing.is_empty(),
        "{} messages are not on the page:\n{}",
        missing.len(),
        missing.into_iter().collect::<Vec<_>>().join("\n")
    );
}
