//! Random programs over the whole language: a fixed number of each kind, the same in every run, and those that once failed.
//!
//! `cargo run --release -p pullback-tests --bin programs -- --seed S --count N [--compiled]` for more.

mod found;

use pullback_tests::programs::compiled::Workshop;
use pullback_tests::programs::interpreted::{Groups, check};
use pullback_tests::programs::{Drawer, Program};
use std::collections::BTreeSet;

/// Programs in the interpreters.
const INTERPRETED: usize = 800;
/// Programs that are compiled, in batches.
const COMPILED: usize = 30;
/// Less than the threads have on which rustc runs macros.
const STACK: usize = 2 << 20;

fn drawn(seed: u64, count: usize) -> (Vec<Program>, Drawer) {
    let mut drawer = Drawer::new(seed);
    ((0..count).map(|_| drawer.draw()).collect(), drawer)
}

/// Every second program, on a thread with a small stack.
fn interpreted(part: usize) {
    let run = move || {
        let (programs, _) = drawn(1000, INTERPRETED);
        let (mut failures, mut judged, mut refused) = (vec![], 0, 0);
        for (i, program) in programs.iter().enumerate().filter(|(i, _)| i % 2 == part) {
            match check(program, Groups::Turn(i)) {
                Ok(passed) => {
                    judged += passed.slopes.judged;
                    refused += usize::from(passed.refused);
                }
                Err(failure) => failures.push(format!("{failure:?}\n{}", program.report())),
            }
        }
        assert!(failures.is_empty(), "{} programs fail:\n{}", failures.len(), failures.join("\n"));
        assert!(judged > INTERPRETED / 2 && refused < INTERPRETED / 20, "{judged} slopes judged, {refused} calls refused");
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(run).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

// two tests, for as many threads
#[test]
fn plans_rules_and_slopes_agree_1() {
    interpreted(0);
}
#[test]
fn plans_rules_and_slopes_agree_2() {
    interpreted(1);
}

#[test]
fn compiled_programs_agree_with_their_formulas() {
    let (programs, _) = drawn(2000, COMPILED);
    let workshop = Workshop::new("test").expect("a folder to build in");
    let mut judged = 0;
    for (program, outcome) in programs.iter().zip(workshop.run(&programs).expect("cargo")) {
        match outcome {
            Ok((numbers, _)) => judged += numbers,
            Err(failure) => panic!("{}: {}\n{}", failure.check, failure.message, program.report()),
        }
    }
    assert!(judged > 1000 * COMPILED, "{judged} numbers judged");
}

#[test]
fn the_same_seed_draws_the_same_programs() {
    let texts = |seed| drawn(seed, 50).0.iter().map(Program::report).collect::<Vec<_>>();
    assert_eq!(texts(3), texts(3));
    assert_ne!(texts(3), texts(4));
}

#[test]
fn every_word_and_most_pairs_of_constructs_are_drawn() {
    let (programs, drawer) = drawn(5, 3000);
    let text: BTreeSet<String> = programs
        .iter()
        .flat_map(|p| p.function().split(|c: char| !c.is_alphanumeric() && c != '_').map(String::from).collect::<Vec<_>>())
        .collect();
    let words = pullback_derivations::syntax::vocabulary::WORDS.iter().map(|w| w.name);
    // a check of the call is no value, and has tests of its own
    let missing: Vec<&str> = words.filter(|w| !text.contains(*w) && *w != "ensure").collect();
    assert!(missing.is_empty(), "never drawn: {missing:?}");
    let (classes, pairs) = (drawer.coverage.classes().len(), drawer.coverage.pairs());
    assert!(classes > 55 && pairs > 1800, "{classes} constructs, {pairs} pairs");
}
