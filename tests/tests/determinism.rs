//! The same tokens for the same formula: in every run, after whatever else was expanded, and in another process.

use pullback_tests::expansion::Sources;
use std::collections::BTreeMap;
use std::process::Command;
use std::{env, fs, path::Path};

/// Names the file to which a child process writes what it expands.
const CHILD: &str = "PULLBACK_DETERMINISM_FILE";

/// The ready-made layers, a chain of them, and one that branches.
fn sources() -> Sources {
    let mut sources = Sources::layers();
    sources.add(CHAIN);
    sources
}

const CHAIN: &str = "
    #[derive_backward]
    pub fn chain(
        x: Tensor<f32, (N, C, H, W)>,
        gamma: Tensor<f32, C>,
        beta: Tensor<f32, C>,
        scale: Option<Tensor<f32, W>>,
        residual: Tensor<f32, (N, C, H, W)>,
        seed: Seed,
        p: f64,
        eps: f64,
    ) -> Tensor<f32, (N, C, H, W)> {
        let mu = mean(x, (N, H, W));
        let normal = gamma * (x - mu) / sqrt(mean(sq(x - mu), (N, H, W)) + eps) + beta;
        let dropped = dropout(relu(normal), seed, p) + residual;
        let y = softmax(dropped);
        scale.map_or(y, |s| rms_norm(y, s, eps))
    }
";

/// All expansions, in this order.
fn expand<'a>(sources: &'a Sources, names: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    names.map(|name| (name.to_string(), sources.expand(name).to_string())).collect()
}

fn assert_same(what: &str, found: &BTreeMap<String, String>, expected: &BTreeMap<String, String>) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, expected) in expected {
        let found = &found[name];
        let at = found.bytes().zip(expected.bytes()).position(|(a, b)| a != b).unwrap_or(found.len().min(expected.len()));
        let near = |text: &str| text.get(at.saturating_sub(80)..(at + 80).min(text.len())).unwrap_or_default().to_string();
        assert!(found == expected, "{name}, {what}:\n{}\n{}", near(found), near(expected));
    }
}

fn text(expansions: &BTreeMap<String, String>) -> String {
    expansions.iter().map(|(name, tokens)| format!("{name}: {tokens}\n")).collect()
}

#[test]
fn every_formula_expands() {
    let sources = sources();
    let expansions = expand(&sources, sources.names());
    assert!(expansions.len() >= 17);
    for (name, tokens) in &expansions {
        assert!(!tokens.contains("compile_error"), "{name}: {tokens}");
        let helper = ["normalized", "scaled", "self_normalizing"].contains(&name.as_str());
        assert_eq!(tokens.contains("fn backward"), !helper, "{name}: {tokens}");
    }
}

#[test]
fn twenty_runs() {
    let sources = sources();
    for name in ["batch_norm", "softmax", "chain"] {
        let first = expand(&sources, [name].into_iter());
        for run in 1..20 {
            assert_same(&format!("run {run}"), &expand(&sources, [name].into_iter()), &first);
        }
    }
}

#[test]
fn another_order() {
    let sources = sources();
    let forwards = expand(&sources, sources.names());
    let backwards = expand(&sources, sources.names().rev());
    assert_same("after others", &backwards, &forwards);
}

#[test]
fn another_thread() {
    let sources = sources();
    let here = expand(&sources, sources.names());
    // tokens do not cross threads, texts do
    let there = std::thread::spawn(|| {
        let sources = self::sources();
        expand(&sources, sources.names())
    });
    assert_same("in another thread", &there.join().expect("expansions"), &here);
}

#[test]
fn another_process() {
    let sources = sources();
    let here = text(&expand(&sources, sources.names()));
    let binary = env::current_exe().expect("this test");
    for run in 0..2 {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("determinism-{}-{run}", std::process::id()));
        let status = Command::new(&binary)
            .args(["--exact", "child", "--ignored", "--quiet"])
            .env(CHILD, &file)
            .status()
            .expect("this test, started again");
        assert!(status.success(), "{status}");
        let there = fs::read_to_string(&file).expect("what the child has written");
        fs::remove_file(&file).expect("the child's file");
        assert!(there == here, "another process, run {run}, expands otherwise");
    }
}

/// No test: what [`another_process`] starts. It expands from the last formula to the first.
#[test]
#[ignore = "started by another test"]
fn child() {
    if let Some(file) = env::var_os(CHILD) {
        let sources = sources();
        fs::write(file, text(&expand(&sources, sources.names().rev()))).expect("a file to write to");
    }
}
