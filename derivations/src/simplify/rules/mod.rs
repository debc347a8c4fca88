//! The rules. Each is one entry of a table, named, with its mathematics in the formula language; `README.md` beside this
//! file has the laws for writing one.

mod products;
mod reductions;
mod reindex;
mod select;
pub(super) mod shape;
mod sums;

use super::analysis::EGraph;
use super::language::Expr;
use egg::Id;

/// What a set of rules assumes of floating-point numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// True in IEEE arithmetic, NaN and −0 included.
    Exact,
    /// True of real numbers: rounding is reordered, `0·f` is 0, and a factor may move across a mask or a sum. What the
    /// user wrote as a sum or difference is never taken apart, so nothing cancels that did not cancel before.
    Real,
}

/// How a rule is applied.
#[derive(Clone, Copy)]
pub(super) enum Apply {
    /// To each node, until nothing changes: the expressions that the node equals.
    Saturate(fn(&mut EGraph, Id, &Expr) -> Found),
    /// By the constructors of [`views`](super::views), wherever they flatten.
    Construct,
    /// Once, after saturation: results must not be flattened again.
    Shape,
}

/// The classes that a node equals; `None`: the rule does not apply (or a coefficient would overflow).
type Found = Option<Vec<Id>>;

/// A rewrite rule.
#[derive(Clone, Copy)]
pub struct Rule {
    pub name: &'static str,
    /// `left => right`, in the formula language.
    pub mathematics: &'static str,
    /// The variables of `mathematics` and the axes they vary over; capitals are axes. `> 0`: positive.
    pub variables: &'static str,
    /// When it applies.
    pub condition: &'static str,
    pub set: Set,
    pub(super) apply: Apply,
}

/// The rules in groups that can be switched off together: a gradient may get dearer without one, and never another.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("terms", &["collect_sum", "cancel_frozen"]),
    ("factors", &["collect_prod", "abs"]),
    ("hoisting", &["hoist", "red_const", "red_split"]),
    ("sums of sums", &["red_red", "red_reuse"]),
    ("linear sums", &["red_linear", "distribute", "centred"]),
    ("choices", &["sel_same", "sel_linear", "sel_nested"]),
    ("views", &["view_linear"]),
    ("shape", &["factor", "common_denominator", "coef_in", "refold", "refold_red"]),
];

macro_rules! rules {
    ($($name:ident: $math:literal, where $variables:literal, if $condition:literal, $set:ident $how:ident $(($function:path))?;)*) => {
        /// Every rule, in the order of application.
        pub const TABLE: &[Rule] = &[$(Rule {
            name: stringify!($name),
            mathematics: $math,
            variables: $variables,
            condition: $condition,
            set: Set::$set,
            apply: Apply::$how $(($function))?,
        }),*];
    };
}

rules! {
    collect_sum: "2 * f + (3 * f + g) + 0 * h => 5 * f + g", where "f: A, g: A, h: A",
        if "no sum that the user wrote is opened", Real Saturate(sums::collect);
    cancel_frozen: "(f + g) - f => g", where "f: A, g: A",
        if "f + g is the user's, and one of its terms cancels exactly", Real Construct;
    collect_prod: "(f * g) * f / (f * f * f) => g / f", where "f: A > 0, g: A",
        if "to cancel powers of opposite signs, f > 0 is proved; to take a root of a product, that its factors are >= 0",
        Real Saturate(products::collect);
    abs: "x * sign(x) => abs(x)", where "x: A", if "", Exact Construct;
    hoist: "sum(k * f, A) => k * sum(f, A)", where "k: B, f: (A, B)",
        if "k has no axis of A", Real Saturate(reductions::hoist);
    red_const: "sum(k, A) => len(A) * k", where "k: B",
        if "k has no axis of A, and no position is skipped", Real Saturate(reductions::constant);
    red_red: "sum(sum(f, B), A) => sum(f, (A, B))", where "f: (A, B, C)",
        if "A and B are disjoint, and no position is skipped", Real Saturate(reductions::merge);
    red_linear: "sum(2 * f - g, A) => 2 * sum(f, A) - sum(g, A)", where "f: (A, B), g: (A, B)",
        if "f - g is not the user's; at most one of the sums is new", Real Saturate(reductions::linear);
    red_split: "sum(k * f, (A, B)) => sum(k * sum(f, B), A)", where "k: A, f: (A, B, C)",
        if "k has no axis of B", Real Saturate(reductions::split);
    distribute: "sum(k * (f + g), A) => sum(k * f, A) + sum(k * g, A)", where "k: (A, B), f: A, g: (A, B)",
        if "f + g is not the user's; at most one of the sums is new", Real Saturate(reductions::distribute);
    red_reuse: "sum(f, (A, B)) => sum(sum(f, B), A)", where "f: (A, B, C)",
        if "sum(f, B) exists", Real Saturate(reductions::reuse);
    centred: "sum(x - sum(x, A) / len(A), A) => 0", where "x: (A, B)",
        if "the mean is looked up, never built", Real Saturate(reductions::centred);
    sel_same: "select(c > 0, f, f) => f", where "c: A, f: A", if "", Exact Saturate(select::same);
    sel_linear: "select(c > 0, k * f, 0) => k * select(c > 0, f, 0)", where "c: (A, B), k: B, f: (A, B)",
        if "k has fewer axes than the result, and the mask an axis that k has not", Real Saturate(select::linear);
    sel_nested: "select(c > 0, select(c > 0, f, g), h) => select(c > 0, f, h)", where "c: A, f: A, g: A, h: A",
        if "", Exact Saturate(select::nested);
    view_linear: "shift(k * f, A, 1) => k * shift(f, A, 1)", where "k: B, f: (A, B)",
        if "k has none of the axes whose index changes, and what is read outside is 0", Real Saturate(reindex::linear);
    factor: "k * f + k * g => k * (f + g)", where "k: B, f: A, g: (A, B)",
        if "f + g is not the user's", Real Shape;
    common_denominator: "f / (1 + g) - f * g / (1 + g) / (1 + g) => f / ((1 + g) * (1 + g))", where "f: A, g: A > 0",
        if "the denominator is the user's sum, and a term cancels", Real Shape;
    coef_in: "2 * (f * k) => f * (2 * k)", where "k: B, f: (A, B)", if "k is the smallest factor", Exact Shape;
    refold: "g * e / z => g * (e / z)", where "g: A, e: (A, B), z: B > 0", if "the user has written e / z", Real Shape;
    refold_red: "sum(g * e, A) / z => sum(g * (e / z), A)", where "g: (A, B), e: (A, B), z: B > 0",
        if "the user has written e / z", Real Shape;
}
