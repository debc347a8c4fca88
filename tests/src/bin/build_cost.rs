//! What pullback costs its users in building, measured and printed: `cargo run -p pullback-tests --bin build_cost`.
//!
//! Three questions: how long our crates take from scratch in the dev profile, how long one derivation takes in a default
//! dev build, and how long rustc takes in release over one layer, forward and backward, for each element type. Arguments
//! `scratch`, `derivation` and `layers` ask for one of them. Builds run in a temporary folder, offline, with as many jobs as
//! `CARGO_BUILD_JOBS` says. Times are wall clock: leave the machine alone meanwhile.

use pullback_tests::scratch::Scratch;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs, io, process};

/// One thing to measure.
type Part = fn(&Path) -> io::Result<()>;

fn main() -> io::Result<()> {
    let folder = env::temp_dir().join(format!("pullback-build-cost-{}", process::id()));
    fs::create_dir_all(&folder)?;
    let asked: Vec<String> = env::args().skip(1).collect();
    let parts: [(&str, Part); 3] = [("scratch", from_scratch), ("derivation", derivation), ("layers", layers)];
    let mut wanted = parts.iter().filter(|(name, _)| asked.is_empty() || asked.iter().any(|a| a == name));
    let done = wanted.try_for_each(|(_, part)| part(&folder));
    fs::remove_dir_all(&folder)?;
    done
}

const RUNTIME: &str = "[dependencies]\npullback = { path = \"{root}/runtime\" }\n";

/// What the README proposes to users.
const PROFILE: &str = "[profile.dev.build-override]\nopt-level = 1\n[profile.dev.package.pullback]\nopt-level = 2\n";

fn timed(scratch: &Scratch, args: &[&str]) -> Duration {
    let start = Instant::now();
    scratch.must(args);
    start.elapsed()
}

fn from_scratch(folder: &Path) -> io::Result<()> {
    println!("dev build from scratch, s (goal: our crates < 40 on two cores)");
    let settings = [("default profile", RUNTIME.to_string()), ("this workspace's profile", format!("{RUNTIME}{PROFILE}"))];
    for (at, (name, manifest)) in settings.iter().enumerate() {
        let scratch = Scratch::new(folder, &folder.join(format!("target{at}")), &format!("user{at}"), manifest, "")?;
        let all = timed(&scratch, &["build"]);
        scratch.must(&["clean", "-p", "pullback", "-p", "pullback-macros", "-p", "pullback-derivations"]);
        let ours = timed(&scratch, &["build"]);
        println!("  {name:26} ours {:5.1}, with dependencies {:5.1}", ours.as_secs_f64(), all.as_secs_f64());
    }
    Ok(())
}

/// A program that derives each formula several times and prints the median.
const DERIVE: &str = r#"
    use std::time::Instant;

    fn main() {
        for (name, source) in FORMULAS {
            let item: proc_macro2::TokenStream = source.parse().expect("tokens");
            let mut times: Vec<f64> = (0..7).map(|_| {
                let start = Instant::now();
                let tokens = pullback_derivations::derive_backward(Default::default(), item.clone(), "here");
                let time = start.elapsed().as_secs_f64() * 1e3;
                assert!(!tokens.to_string().contains("compile_error"), "{tokens}");
                time
            }).collect();
            // the first one reads the tables of rules
            let first = times[0];
            times.sort_by(f64::total_cmp);
            println!("  {name:26} first {first:6.1}, median {:6.1}", times[3]);
        }
    }

    const FORMULAS: &[(&str, &str)] = &[
        ("batch norm", "fn f(x: Tensor<f32, (N, C, Many<S>)>, gamma: Tensor<f32, C>, beta: Tensor<f32, C>, eps: f64)
            -> Tensor<f32, (N, C, Many<S>)> {
            let mu = mean(x, (N, S));
            gamma * (x - mu) / sqrt(mean(sq(x - mu), (N, S)) + eps) + beta }"),
        ("softmax", "fn f(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
            let e = exp(x - max(x, C));
            e / sum(e, C) }"),
        ("max pool", "fn f(x: Tensor<f32, (N, C, H, W)>, k: Window<2>) -> Tensor<f32, (N, C, OH, OW)> {
            max(window(x, (H, W), (OH, OW), (KH, KW), k), (KH, KW)) }"),
        ("attention", "fn f(q: Tensor<f32, (L, D)>, k: Tensor<f32, (M, D)>, v: Tensor<f32, (M, E)>) -> Tensor<f32, (L, E)> {
            let scores = dot(q, k, D) / sqrt(len(D) as f64);
            let e = exp(scores - max(scores, M));
            dot(e / sum(e, M), v, M) }"),
        ("chain of five", "fn f(x: Tensor<f32, (N, C)>, r: Tensor<f32, (N, C)>, a: Tensor<f32, C>, b: Tensor<f32, C>,
            g: Tensor<f32, C>, h: Tensor<f32, C>, seed: Seed, p: f64, eps: f64) -> Tensor<f32, (N, C)> {
            let mu = mean(x, N);
            let normal = a * (x - mu) / sqrt(mean(sq(x - mu), N) + eps) + b;
            let kept = max(normal, 0.0) * bernoulli_like(normal, seed, 1.0 - p) / (1.0 - p);
            let sum = kept + r;
            let m = mean(sum, C);
            g * (sum - m) / sqrt(mean(sq(sum - m), C) + eps) + h }"),
    ];
"#;

fn derivation(folder: &Path) -> io::Result<()> {
    println!("one derivation in a default dev build, ms (goal: < 100)");
    let manifest = "[dependencies]\nproc-macro2 = \"1\"\npullback-derivations = { path = \"{root}/derivations\" }\n";
    let scratch = Scratch::new(folder, &folder.join("target0"), "derive", manifest, "")?;
    scratch.file("src/main.rs", DERIVE)?;
    scratch.must(&["build"]);
    print!("{}", scratch.must(&["run", "--quiet"]));
    Ok(())
}

/// Formulas, and calls of them for the type `Elem`.
const LAYERS: [(&str, &str, &str); 5] = [
    (
        "batch norm",
        "fn tested<T: Float>(x: Tensor<T, (N, C, Many<S>)>, g: Tensor<T, C>, b: Tensor<T, C>, eps: f64) -> Tensor<T, (N, C, Many<S>)> {
            let mu = mean(x, (N, S));
            g * (x - mu) / sqrt(mean(sq(x - mu), (N, S)) + eps) + b
        }",
        "(x: &Array4<Elem>, c: &Array1<Elem>) -> Result<TestedGrads<Elem, Ix4>, Error> {
            let op = Tested { eps: 1e-5 };
            let (y, saved) = op.forward(x, c, c)?;
            op.backward(&y, x, c, c, &y, &saved)
        }",
    ),
    (
        "layer norm",
        "fn tested<T: Float>(x: Tensor<T, (N, C)>, g: Tensor<T, C>, b: Tensor<T, C>, eps: f64) -> Tensor<T, (N, C)> {
            let mu = mean(x, C);
            g * (x - mu) / sqrt(mean(sq(x - mu), C) + eps) + b
        }",
        "(x: &Array2<Elem>, c: &Array1<Elem>) -> Result<TestedGrads<Elem>, Error> {
            let op = Tested { eps: 1e-5 };
            let (y, saved) = op.forward(x, c, c)?;
            op.backward(&y, x, c, c, &y, &saved)
        }",
    ),
    (
        "softmax",
        "fn tested<T: Float>(x: Tensor<T, (N, C)>) -> Tensor<T, (N, C)> {
            let e = exp(x - max(x, C));
            e / sum(e, C)
        }",
        "(x: &Array2<Elem>) -> Result<TestedGrads<Elem>, Error> {
            let (y, saved) = Tested.forward(x)?;
            Tested.backward(&y, x, &y, &saved)
        }",
    ),
    (
        "GELU",
        "fn tested<T: Float>(x: Tensor<T, Many<S>>) -> Tensor<T, Many<S>> { 0.5 * x * (1.0 + erf(x * 0.7071067811865476)) }",
        "(x: &Array2<Elem>) -> Result<TestedGrads<Elem, Ix2>, Error> {
            let (y, saved) = Tested.forward(x)?;
            Tested.backward(&y, x, &y, &saved)
        }",
    ),
    (
        "max pool",
        "fn tested<T: Float>(x: Tensor<T, (N, C, H, W)>, k: Window<2>) -> Tensor<T, (N, C, OH, OW)> {
            max(window(x, (H, W), (OH, OW), (KH, KW), k), (KH, KW))
        }",
        "(x: &Array4<Elem>, k: Window<2>) -> Result<TestedGrads<Elem>, Error> {
            let op = Tested { k };
            let (y, saved) = op.forward(x)?;
            op.backward(&y, x, &y, &saved)
        }",
    ),
];

fn layers(folder: &Path) -> io::Result<()> {
    println!("rustc over one layer in release, forward and backward, s (goal: 1; declared only: no kernel)");
    for (name, formula, call) in LAYERS {
        let declared = format!("#![allow(unused)]\nuse pullback::prelude::*;\n#[derive_backward]\npub {formula}\n");
        let mut line = format!("  {name:26}");
        for (what, source) in
            [("declared", declared.clone()), ("f32", called(&declared, call, "f32")), ("f64", called(&declared, call, "f64"))]
        {
            let scratch = Scratch::new(folder, &folder.join("target0"), "layer", RUNTIME, &source)?;
            // all but this crate is there after the first build
            scratch.must(&["build", "--release"]);
            scratch.must(&["clean", "--release", "-p", "layer"]);
            line += &format!(" {what} {:5.2}", timed(&scratch, &["build", "--release"]).as_secs_f64());
        }
        println!("{line}");
    }
    Ok(())
}

/// The formula, and a function that calls it: what makes rustc compile its kernels.
fn called(declared: &str, call: &str, elem: &str) -> String {
    let imports = "use pullback::ndarray::*;\nuse pullback::Error;\n";
    declared.replacen('\n', &format!("\n{imports}"), 1) + &format!("pub fn call{}\n", call.replace("Elem", elem))
}
