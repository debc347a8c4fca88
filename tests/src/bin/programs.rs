//! Random programs: `programs -- --seed S --count N [--compiled]`. What fails is made small and printed.

use pullback_tests::programs::compiled::Workshop;
use pullback_tests::programs::interpreted::{Groups, check};
use pullback_tests::programs::{Drawer, Program, shrink};
use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |name: &str, or: u64| {
        let at = args.iter().position(|a| a == name);
        at.and_then(|i| args.get(i + 1)).and_then(|n| n.parse().ok()).unwrap_or(or)
    };
    let flag = |name: &str| args.iter().any(|a| a == name);
    let (seed, count) = (number("--seed", 0), number("--count", 500));
    if flag("--compiled") {
        return compiled(seed, count, number("--skip", 0), number("--batch", 25) as usize);
    }
    interpreted(seed, count, number("--skip", 0), (flag("--print"), flag("--first")));
}

fn interpreted(seed: u64, count: u64, skip: u64, (print, first): (bool, bool)) {
    let start = Instant::now();
    let mut drawer = Drawer::new(seed);
    let (mut refused, mut judged, mut unjudged, mut failures) = (0, 0, 0, 0);
    std::panic::set_hook(Box::new(|_| {}));
    for i in 0..count {
        let program = drawer.draw();
        if print {
            println!("{}", program.source());
        }
        if i < skip {
            continue;
        }
        if std::env::var_os("TRACE").is_some() {
            eprintln!("{i} {}", program.source());
        }
        let groups = Groups::Turn(i as usize);
        match check(&program, groups) {
            Ok(passed) => {
                refused += usize::from(passed.refused);
                judged += passed.slopes.judged;
                unjudged += passed.slopes.unjudged;
            }
            Err(failure) => {
                failures += 1;
                let small = shrink(&program, &mut |p| check(p, groups).is_err_and(|f| f.check == failure.check));
                let message = check(&small, groups).err().map(|f| f.message).unwrap_or_default();
                println!("program {i} of seed {seed} fails ({}): {message}\n{}", failure.check, small.report());
                if first {
                    return;
                }
            }
        }
    }
    println!("{}", drawer.coverage);
    println!(
        "{count} programs, {failures} fail, {refused} refused; {judged} slopes judged, {unjudged} not; {:?}",
        start.elapsed()
    );
}

fn compiled(seed: u64, count: u64, skip: u64, size: usize) {
    let start = Instant::now();
    let mut drawer = Drawer::new(seed);
    let workshop = Workshop::new("command").expect("a folder to build in");
    let programs: Vec<Program> = (0..skip + count).map(|_| drawer.draw()).skip(skip as usize).collect();
    let (mut judged, mut unjudged, mut failures) = (0, 0, 0);
    for batch in programs.chunks(size) {
        let outcomes = workshop.run(batch).expect("cargo");
        for (program, outcome) in batch.iter().zip(outcomes) {
            match outcome {
                Ok((a, b)) => (judged, unjudged) = (judged + a, unjudged + b),
                Err(failure) => {
                    failures += 1;
                    println!(
                        "{} of seed {seed} fails ({}): {}\n{}",
                        program.name,
                        failure.check,
                        failure.message,
                        program.report()
                    );
                }
            }
        }
        println!("{} programs, {:?}", batch.last().map_or("", |p| &p.name), start.elapsed());
    }
    println!("{count} compiled, {failures} fail; {judged} numbers judged, {unjudged} not; {:?}", start.elapsed());
}
