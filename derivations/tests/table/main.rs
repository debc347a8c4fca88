//! What the plans of known layers cost, beside the best hand-written forms.
//!
//! `cargo test -p pullback-derivations --test table -- --nocapture show` prints the table; with `PLANS=name` also the
//! plans of the rows of that name.

mod rows;

use expect_test::expect_file;
use pullback_derivations::elaborate::{Library, Outcome, elaborate};
use pullback_derivations::emit::{Saved, Variant};
use pullback_derivations::error::Errors;
use pullback_derivations::graph::Graph;
use pullback_derivations::plan::{self, Elem, Plan};
use pullback_derivations::simplify::Options;
use pullback_derivations::syntax::{self, parse};
use pullback_derivations::variant;
use rows::{Moves, ROWS, Row};
use std::fmt;

/// What one layer costs: what the hand-written form is given as, and what the engine's own is measured as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Costs {
    forward: Moves,
    backward: Moves,
    /// Bytes kept from forward to backward beside arguments and outputs, at canonical extents.
    saved: u64,
}

impl Costs {
    /// The numbers, to be compared one by one.
    fn numbers(&self) -> [(&'static str, u64); 11] {
        let [f, b] = [&self.forward, &self.backward].map(Moves::numbers);
        [
            ("forward sweeps", f[0]),
            ("forward reads", f[1]),
            ("forward writes", f[2]),
            ("forward reductions", f[3]),
            ("forward contractions", f[4]),
            ("backward sweeps", b[0]),
            ("backward reads", b[1]),
            ("backward writes", b[2]),
            ("backward reductions", b[3]),
            ("backward contractions", b[4]),
            ("saved bytes", self.saved),
        ]
    }
    /// The numbers in which it is worse than another.
    fn worse_than(&self, other: &Costs) -> Vec<&'static str> {
        let pairs = self.numbers().into_iter().zip(other.numbers());
        pairs.filter(|(a, b)| a.1 > b.1).map(|(a, _)| a.0).collect()
    }
}

impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {} | {:>8}", self.forward, self.backward, self.saved)
    }
}

fn derive(source: &str, simplifier: &Options) -> Variant {
    let mut errors = Errors::default();
    let tokens = source.parse().expect("tokens");
    let formula = parse(&mut errors, &syntax::Options::default(), tokens).unwrap_or_else(|| panic!("{:#?}", errors.messages()));
    let Outcome::Typed(typed) = elaborate(&mut errors, &formula, &Library::default()) else { panic!("{source} calls nothing") };
    let typed = typed.into_iter().next().unwrap_or_else(|| panic!("{:#?}", errors.messages()));
    let variant = variant(&mut errors, &formula, typed, simplifier);
    assert!(errors.is_empty(), "{source}: {:#?}", errors.messages());
    variant
}

fn moves(graph: &Graph, plan: &Plan) -> Moves {
    let c = plan::cost(graph, plan);
    assert_eq!(c.scatters, 0, "no row of the table scatters");
    Moves { sweeps: c.sweeps, reads: c.full_reads, writes: c.full_writes, reductions: c.full_reductions, contractions: c.gemms }
}

/// A layer in `f32`.
fn bytes(graph: &Graph, saved: &Saved) -> u64 {
    let element = match saved.elem {
        Elem::Data => 4,
        Elem::Wide => 8,
        Elem::Index => 1,
    };
    element * graph.canonical_size(graph.axes_of(saved.node))
}

fn costs(variant: &Variant) -> Costs {
    Costs {
        forward: moves(&variant.graph, &variant.forward),
        backward: moves(&variant.graph, &variant.backward),
        saved: variant.saved.iter().map(|s| bytes(&variant.graph, s)).sum(),
    }
}

fn measure(source: &str, simplifier: &Options) -> Costs {
    costs(&derive(source, simplifier))
}

/// The best hand-written form of a row; what it saves is measured with the row's own canonical extents.
fn by_hand(row: &Row, variant: &Variant) -> Costs {
    let size = |axes: &str| -> u64 {
        let canonical = |name: &str| variant.graph.axes.iter().find(|a| a.name == name).expect("an axis of the row").canonical;
        axes.split_whitespace().map(canonical).product()
    };
    let saved = row.saved.iter().map(|(axes, bytes)| bytes * size(axes)).sum();
    Costs { forward: row.forward, backward: row.backward, saved }
}

/// The kinds of values kept, whatever the axes are called.
fn kept(variant: &Variant) -> Vec<(Elem, usize)> {
    let mut kept: Vec<_> = variant.saved.iter().map(|s| (s.elem, variant.graph.axes_of(s.node).len())).collect();
    kept.sort();
    kept
}

#[test]
fn no_row_is_worse_than_by_hand_but_where_it_says_so() {
    assert!(ROWS.len() >= 16);
    for row in ROWS {
        let variant = derive(row.source, &Options::default());
        let (ours, hand) = (costs(&variant), by_hand(row, &variant));
        for ((number, ours), (_, hand)) in ours.numbers().into_iter().zip(hand.numbers()) {
            let said = row.worse.iter().find(|w| w.0 == number);
            match said {
                Some((_, by, _)) => assert_eq!(ours, hand + by, "{}: the {number} are not as the table says", row.name),
                None => assert!(ours <= hand, "{}: {ours} {number}, by hand {hand}", row.name),
            }
        }
    }
}

#[test]
fn another_spelling_costs_the_same() {
    for row in ROWS {
        let variant = derive(row.source, &Options::default());
        let written = costs(&variant);
        for (name, source) in row.also {
            let other = derive(source, &Options::default());
            let found = costs(&other);
            let context = format!("{}, {name}:\n{found}, not\n{written}", row.name);
            assert_eq!((found.forward, found.backward), (written.forward, written.backward), "{context}");
            assert_eq!(kept(&other), kept(&variant), "{context}");
        }
    }
}

/// The rows that get worse with these options, and in which numbers.
fn losses(title: &str, options: &Options) -> String {
    let mut text = format!("{title}\n");
    for row in ROWS {
        let (full, less) = (measure(row.source, &Options::default()), measure(row.source, options));
        let worse = less.worse_than(&full);
        if !worse.is_empty() {
            text += &format!("    {}: {}\n", row.name, worse.join(", "));
        }
        let better = full.worse_than(&less);
        if !better.is_empty() {
            text += &format!("    {}: better in {}\n", row.name, better.join(", "));
        }
    }
    text
}

/// Rules without which rows of the table get worse.
const NEEDED: &[&str] = &["collect_sum", "collect_prod", "hoist", "distribute", "centred", "factor", "refold"];

#[test]
fn rows_get_worse_without_the_simplifier_and_without_each_needed_rule() {
    let off = |rule| losses(&format!("without {rule}"), &Options { rules_off: vec![rule], ..Options::default() });
    let disabled = losses("without the simplifier", &Options { enabled: false, ..Options::default() });
    let lists: Vec<String> = std::iter::once(disabled).chain(NEEDED.iter().map(|rule| off(rule))).collect();
    for list in &lists {
        assert!(list.lines().count() > 1, "no row needs it: {list}");
    }
    // UPDATE_EXPECT=1 rewrites the file
    expect_file!["losses.txt"].assert_eq(&lists.concat());
}

#[test]
fn show() {
    let wanted = std::env::var("PLANS").ok();
    println!("sweeps reads writes reductions contractions: forward | backward | saved bytes; then the hand-written form");
    for row in ROWS {
        let variant = derive(row.source, &Options::default());
        println!("{:<22} {}", row.name, costs(&variant));
        println!("{:<22} {}", "  by hand", by_hand(row, &variant));
        println!("{:<22} {}", "  not simplified", measure(row.source, &Options { enabled: false, ..Options::default() }));
        for (name, source) in row.also {
            println!("{:<22} {}", format!("  {name}"), measure(source, &Options::default()));
        }
        if wanted.as_deref().is_some_and(|w| row.name.contains(w)) {
            println!("{}", plan::describe(&variant.graph, &variant.forward));
            println!("saved {:?}", variant.saved.iter().map(|s| (&s.name, s.elem)).collect::<Vec<_>>());
            println!("{}{}", plan::describe(&variant.graph, &variant.backward), variant.mathematics.join("\n"));
        }
    }
}
