//! The text of the generated documentation.

use super::Variant;
use super::signature::Face;
use crate::plan::Elem;

/// Documentation of one formula's items.
pub struct Docs {
    pub function: String,
    pub operation: String,
    pub backward: String,
}

impl Docs {
    /// For stubs.
    pub fn empty(_: &Face<'_>) -> Docs {
        Docs { function: String::new(), operation: String::new(), backward: String::new() }
    }

    pub fn new(face: &Face<'_>, variants: &[Variant]) -> Docs {
        let (name, stem) = (face.function_text(), &face.stem);
        let summary = variants.iter().map(summary).collect::<Vec<_>>().join("\n");
        let errors = "# Errors\nWhere shapes disagree, or a condition of the formula does not hold.";
        Docs {
            function: format!("\nThe formula's value; [`{stem}`] has its gradient.\n\n{summary}\n\n{errors}"),
            operation: format!("The operation of [`{name}`](fn@{name}) with its constants.\n\n{summary}"),
            backward: format!("The gradients, from the cotangent of the output.\n\n{summary}"),
        }
    }
}

/// The gradient as mathematics, and what is saved.
fn summary(variant: &Variant) -> String {
    let mathematics: Vec<String> = variant.mathematics.iter().map(|line| format!("    {line}")).collect();
    let saved: Vec<String> = variant
        .saved
        .iter()
        .map(|s| {
            let kind = match s.elem {
                Elem::Data => "",
                Elem::Wide => " (`f64`)",
                Elem::Index => " (one byte an element)",
            };
            format!("`{}`{kind}", s.name)
        })
        .collect();
    let saved = if saved.is_empty() { "nothing".to_string() } else { saved.join(", ") };
    let mut conditions: Vec<String> = Vec::new();
    for d in &variant.typed.decisions {
        let code = crate::syntax::tidy(&d.tokens);
        conditions.push(if d.value { format!("`{code}`") } else { format!("not `{code}`") });
    }
    let when = if conditions.is_empty() { String::new() } else { format!("Where {}:\n\n", conditions.join(", ")) };
    format!("{when}```text\n{}\n```\n\nSaved for the gradient: {saved}.", mathematics.join("\n"))
}
