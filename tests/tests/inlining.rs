//! What rustc makes of generated code in a user's release build: no body stays outside of the functions that have the
//! vector instructions, and who only declares a formula compiles no kernel.

use pullback_tests::scratch::Scratch;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

const MANIFEST: &str = "[dependencies]\npullback = { path = \"{root}/runtime\" }\n";

/// Formulas of every kind of sweep. In `f64`, `erf`, `log` and `tanh` are one number at a time, and so not here.
const FORMULAS: &str = r#"
    use pullback::prelude::*;

    #[derive_backward]
    pub fn norm(
        x: Tensor<f32, (N, C, Many<S>)>,
        gamma: Tensor<f32, C>,
        beta: Tensor<f32, C>,
        eps: f64,
    ) -> Tensor<f32, (N, C, Many<S>)> {
        let mu = mean(x, (N, S));
        gamma * (x - mu) / sqrt(mean(sq(x - mu), (N, S)) + eps) + beta
    }

    #[derive_backward]
    pub fn pool(x: Tensor<f32, (N, C, H, W)>, k: Window<2>) -> Tensor<f32, (N, C, OH, OW)> {
        max(window(x, (H, W), (OH, OW), (KH, KW), k), (KH, KW))
    }

    #[derive_backward]
    pub fn attend(q: Tensor<f32, (L, D)>, k: Tensor<f32, (M, D)>, seed: Seed, p: f64) -> Tensor<f32, (L, M)> {
        let scores = tanh(erf(dot(q, k, D) / sqrt(len(D) as f64)));
        let e = exp(scores - max(scores, M));
        bernoulli_like(e, seed, 1.0 - p) * e / sum(e, M)
    }

    #[inline(never)]
    pub fn plain(x: f64) -> f64 {
        x.sqrt()
    }

    #[derive_backward]
    pub fn swish<T: Float>(x: Tensor<T, Many<S>>, #[diff] b: f64) -> Tensor<T, Many<S>> {
        select(gt(x, 0), x * sigmoid(b * x), exp(x) / x)
    }
"#;

/// A program that calls them all, forward and backward.
const MAIN: &str = r#"
    use formulas::*;
    use pullback::ndarray::{Array1, Array2, Array4};
    use pullback::{Seed, Window};
    use std::hint::black_box;

    fn main() -> Result<(), pullback::Error> {
        let x = black_box(Array4::from_elem((2, 3, 8, 8), 0.5f32));
        let c = black_box(Array1::from_elem(3, 0.5f32));
        let op = Norm { eps: 1e-5 };
        let (y, saved) = op.forward(&x, &c, &c)?;
        black_box(op.backward(&y, &x, &c, &c, &y, &saved)?.x.sum());

        let op = Pool { k: black_box(Window::new([3, 3])) };
        let (y, saved) = op.forward(&x)?;
        black_box(op.backward(&y, &x, &y, &saved)?.x.sum());

        let m = black_box(Array2::from_elem((4, 5), 0.5f32));
        let op = Attend { seed: Seed(black_box(1)), p: 0.5 };
        let (y, saved) = op.forward(&m, &m)?;
        black_box(op.backward(&y, &m, &m, &y, &saved)?.q.sum());

        let v = black_box(Array1::from_elem(9, 0.5f64));
        let (y, saved) = Swish.forward(&v, 2.0)?;
        black_box(Swish.backward(&y, &v, 2.0, &y, &saved)?.x.sum());
        Ok(())
    }
"#;

/// The crate and its program, built.
fn built() -> Scratch {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let scratch = Scratch::new(&temporary.join("inlining"), &temporary.join("release"), "formulas", MANIFEST, FORMULAS);
    let scratch = scratch.expect("a crate on disk");
    scratch.file("src/main.rs", MAIN).expect("a file");
    scratch.must(&["build", "--release"]);
    scratch
}

/// What a call in the vector functions may lead to: copies of memory and the end of the program.
const ALLOWED: [&str; 10] = [
    "memcpy",
    "memset",
    "memmove",
    "memcmp",
    "9panicking",
    "panic_fmt",
    "panic_bounds_check",
    "slice_index_fail",
    "unwrap_failed",
    "expect_failed",
];

/// A program's functions, and what each calls or jumps to that is not its own.
fn calls(binary: &Path) -> Option<BTreeMap<String, BTreeSet<String>>> {
    let objdump = |args: &[&str]| {
        let output = Command::new("objdump").args(args).arg(binary).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, relocations) = (objdump(&["-d", "--no-show-raw-insn"])?, objdump(&["-R"])?);
    let starts: BTreeMap<&str, &str> = code
        .lines()
        .filter_map(|line| line.strip_suffix(">:")?.split_once(" <"))
        .map(|(address, name)| (address.trim_start_matches('0'), name))
        .collect();
    // what the global offset table leads to, by the entry's address
    let table: BTreeMap<u64, &str> = relocations
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let address = u64::from_str_radix(words.next()?, 16).ok()?;
            let symbol = words.nth(1)?;
            let inside = symbol.strip_prefix("*ABS*+0x").and_then(|a| starts.get(a.trim_start_matches('0')));
            Some((address, inside.copied().unwrap_or(symbol)))
        })
        .collect();
    let mut functions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut function = String::new();
    // entries of the table that a register holds
    let mut loaded: BTreeMap<String, String> = BTreeMap::new();
    for line in code.lines() {
        if let Some(name) = line.strip_suffix(">:").and_then(|l| l.split_once('<')) {
            function = name.1.to_string();
            functions.entry(function.clone()).or_default();
            loaded.clear();
            continue;
        }
        let Some((_, instruction)) = line.split_once('\t') else { continue };
        let words: Vec<&str> = instruction.split_whitespace().collect();
        if let ["mov", operands, "#", entry, ..] = words.as_slice()
            && let Some((_, register)) = operands.split_once(',')
            && let Some(symbol) = u64::from_str_radix(entry, 16).ok().and_then(|a| table.get(&a))
        {
            loaded.insert(format!("*{register}"), symbol.to_string());
        }
        let Some(at) = words.iter().position(|w| w.starts_with("call") || w.starts_with('j')) else { continue };
        let target = target(&words[at..], &table);
        let target = loaded.get(&target).cloned().unwrap_or(target);
        let jump = words[at].starts_with('j');
        // a jump by a register is a table's
        if jump && (target.starts_with('*') || target == function) {
            continue;
        }
        functions.entry(function.clone()).or_default().insert(target);
    }
    Some(functions)
}

/// `call 5af0 <name+0x10>`, `call *0x3c5(%rip)  # 7fe0 <name>`, `call *%rax`
fn target(words: &[&str], table: &BTreeMap<u64, &str>) -> String {
    let indirect = words.get(1).is_some_and(|w| w.starts_with('*'));
    if indirect {
        let entry = words.iter().position(|w| *w == "#").and_then(|at| words.get(at + 1));
        let address = entry.and_then(|w| u64::from_str_radix(w, 16).ok());
        return address.and_then(|a| table.get(&a)).map_or(words[1..].join(" "), ToString::to_string);
    }
    let name = words.last().copied().unwrap_or_default().trim_matches(['<', '>']);
    name.split("+0x").next().unwrap_or_default().to_string()
}

/// The function of an instruction set that enters a body, by its mangled name.
fn set(function: &str) -> Option<&str> {
    ["v1", "v3", "v4"].into_iter().find(|v| function.contains(&format!("5enter2{v}")))
}

#[test]
fn bodies_are_inlined() {
    if !cfg!(target_arch = "x86_64") || Command::new("objdump").arg("--version").output().is_err() {
        eprintln!("SKIPPED: this test reads x86-64 code with objdump, of binutils");
        return;
    }
    let scratch = built();
    let functions = calls(&scratch.target().join("release/formulas")).expect("what objdump reads");
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = vec![];
    for (function, calls) in &functions {
        let Some(set) = set(function) else { continue };
        *met.entry(set).or_default() += 1;
        let bad = calls.iter().filter(|c| !ALLOWED.iter().any(|a| c.contains(a)));
        wrong.extend(bad.map(|c| format!("{function} calls {c}")));
    }
    println!("functions of each instruction set: {met:?}");
    assert!(met.len() == 3 && met.values().all(|n| *n >= 8), "{met:?} vector functions");
    assert!(wrong.is_empty(), "{} calls out of vector functions:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn who_only_declares_compiles_no_kernel() {
    let scratch = built();
    let library = scratch.target().join("release/libformulas.rlib");
    let Ok(output) = Command::new("objdump").arg("-t").arg(&library).output() else {
        eprintln!("SKIPPED: this test reads symbols with objdump, of binutils");
        return;
    };
    let table = String::from_utf8_lossy(&output.stdout);
    let functions: Vec<&str> = table.lines().filter(|l| l.contains(" F .text") || l.contains("\tF ")).collect();
    assert!(functions.iter().any(|f| f.contains("plain")), "no code at all: {table}");
    let kernels: Vec<&&str> =
        functions.iter().filter(|f| ["drivers", "dispatch", "forward", "backward"].iter().any(|w| f.contains(w))).collect();
    assert!(kernels.is_empty(), "{kernels:#?}");
}
