//! The text of the generated documentation.

use super::Variant;
use super::signature::Face;
use crate::plan::{self, Elem, Plan};

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
            operation: format!("The operation of [`{name}`](fn@{name}) with its constants."),
            backward: format!("The gradients, from the cotangent of the output.\n\n{summary}"),
        }
    }
}

impl Docs {
    /// Of the method that overwrites an argument with the output.
    pub fn in_place(argument: &str, output: &str) -> String {
        format!(
            "Computes the formula, as `forward` does, and overwrites `{argument}` with the result.\n\nThe gradients do not depend on \
             what it held: `backward` takes the overwritten array for both `{argument}` and `{output}`.\n\n# Errors\nWhere shapes \
             disagree, or a condition of the formula does not hold. Nothing is written then."
        )
    }
}

/// How often memory is passed over, in one direction.
fn passes(variant: &Variant, direction: &str, plan: &Plan) -> String {
    let cost = plan::cost(&variant.graph, plan);
    let many = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let (reads, writes) = (cost.full_reads, cost.full_writes);
    let mut text =
        format!("{direction}: {} ({} read, {writes} written)", many(cost.sweeps, "sweep"), many(reads, "large tensor"));
    if cost.gemms > 0 {
        text += &format!(", {}", many(cost.gemms, "matrix product"));
    }
    text
}

/// The gradient as mathematics, what is saved, and how often memory is passed over.
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
    let [forward, backward] =
        [("Forward", &variant.forward), ("backward", &variant.backward)].map(|(name, plan)| passes(variant, name, plan));
    format!("{when}```text\n{}\n```\n\nSaved for the gradient: {saved}.\n{forward}; {backward}.", mathematics.join("\n"))
}
