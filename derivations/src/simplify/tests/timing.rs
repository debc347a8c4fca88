#[test]
#[ignore]
fn time() {
    for case in super::corpus::all() {
        let mut best = f64::MAX;
        for _ in 0..3 {
            let t = std::time::Instant::now();
            let _ = case.simplified();
            best = best.min(t.elapsed().as_secs_f64() * 1e3);
        }
        println!("{:20} {best:.1} ms", case.name);
    }
}

#[test]
#[ignore]
fn time_random() {
    for seed in 0..150 {
        let case = super::random::random_case(1000 + seed, 4 + seed as usize % 12);
        let t = std::time::Instant::now();
        let s = case.simplified();
        let t = t.elapsed().as_secs_f64() * 1e3;
        if t > 100.0 {
            println!(
                "seed {seed} ops {} joint {} {t:.0} ms {:?} {} nodes {} classes {:?}",
                4 + seed % 12,
                case.graph.len(),
                s.report.stop,
                s.report.nodes,
                s.report.classes,
                s.report.fired
            );
        }
    }
}

#[test]
#[ignore]
fn show_random() {
    let case = super::random::random_case(1144, 4);
    for id in case.grads.iter().chain(&case.outputs) {
        println!("{}", super::forms::show(&case.graph, *id));
    }
    let mut facts = crate::simplify::analysis::Facts::new(&case.graph, &[]);
    let _ = &mut facts;
    let mut built = crate::simplify::build::build(facts, &case.grads).unwrap();
    let mut fired = Default::default();
    crate::simplify::saturate::saturate(&mut built.egraph, &mut fired);
}

#[test]
#[ignore]
fn repeat_norm() {
    let cases = super::corpus::all();
    for _ in 0..10 {
        let _ = cases[0].simplified();
    }
}

#[test]
#[ignore]
fn derivations() {
    for case in super::corpus::all() {
        let s = case.simplified();
        println!("{}: {} steps", case.name, s.report.steps.len());
        if s.report.steps.len() < 40 {
            for step in &s.report.steps {
                println!("   {:12} {:.200}  =>  {:.200}", step.rule, step.before, step.after);
            }
        }
    }
}

#[test]
#[ignore]
fn attention() {
    let case = super::corpus::all().into_iter().find(|c| c.name == "attention").unwrap();
    for id in case.graph.ids() {
        println!("{id:?} {:?} {:?}", case.graph.op(id), case.graph.axes_of(id));
    }
    let s = case.simplified();
    println!("{:?} {:?} {:?}", s.saved, s.grads, s.report.cost);
    for id in s.graph.ids() {
        println!("{id:?} {:?} {:?}", s.graph.op(id), s.graph.axes_of(id));
    }
}
