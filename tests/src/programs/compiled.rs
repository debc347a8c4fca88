//! Programs through the macro and rustc: a batch is one crate, which checks each program and prints a line for it.

use super::interpreted::Failure;
use super::{Param, ParamKind, Program};
use crate::scratch::Scratch;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

/// Where batches are built: below the workspace's target directory, so that what they depend on is built once.
pub struct Workshop {
    folder: PathBuf,
    harness: Scratch,
    /// The batches' crate: one a user of the workshop, so that several may be at work.
    name: String,
}

/// How one program of a batch went.
pub type Outcome = Result<(usize, usize), Failure>;

impl Workshop {
    /// # Errors
    /// If files cannot be written.
    pub fn new(name: &str) -> io::Result<Workshop> {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/programs");
        std::fs::create_dir_all(&target)?;
        let folder = target.canonicalize()?;
        let manifest = "[dependencies]\npullback = { path = \"{root}/runtime\", features = [\"testing\"] }\nrayon = \"1.12.0\"\n\n\
            [profile.dev]\ndebug = 0\n";
        let harness = Scratch::new(&folder, &folder.join("target"), "harness", manifest, include_str!("harness.rs"))?;
        harness.file("src/fill.rs", include_str!("fill.rs"))?;
        // kernels for one instruction set take a third of the time to compile
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            let flags = "[build]\nrustflags = [\"--cfg\", \"pullback_one_isa\"]\n";
            harness.file("../.cargo/config.toml", flags)?;
        }
        Ok(Workshop { folder, harness, name: format!("batch_{name}") })
    }

    /// Compiles and runs programs; an outcome for each. Where rustc refuses the batch, each is tried by itself.
    ///
    /// # Errors
    /// If files cannot be written or cargo cannot be started.
    pub fn run(&self, programs: &[Program]) -> io::Result<Vec<Outcome>> {
        let name = &self.name;
        let manifest = "[dependencies]\npullback = { path = \"{root}/runtime\", features = [\"testing\"] }\n\
            harness = { path = \"../harness\" }\n\n\
            [profile.dev]\ndebug = 0\nincremental = false\n[profile.dev.build-override]\nopt-level = 1\n\
            [profile.dev.package.pullback]\nopt-level = 2\n[profile.dev.package.harness]\nopt-level = 1\n";
        let batch = Scratch::new(&self.folder, self.harness.target(), name, manifest, "")?;
        batch.file("src/main.rs", &source(programs))?;
        // without the optimiser's passes nothing is inlined into every kernel: a third of the code, in half the time
        let built = batch.cargo(&["rustc", "--quiet", "--bin", name, "--", "-C", "no-prepopulate-passes"])?;
        if !built.status.success() {
            let text = String::from_utf8_lossy(&built.stderr);
            let message = text.find("\nerror").map_or(&*text, |at| &text[at..]).trim().to_string();
            if !message.contains(&format!("could not compile `{name}`")) {
                return Err(io::Error::other(format!("what programs depend on does not compile: {message}")));
            }
            if programs.len() < 2 {
                return Ok(programs.iter().map(|_| Err(Failure { check: "rustc", message: message.clone() })).collect());
            }
            let (some, others) = programs.split_at(programs.len() / 2);
            return Ok([self.run(some)?, self.run(others)?].concat());
        }
        let output = std::process::Command::new(batch.target().join("debug").join(name)).output()?;
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let outcome = |program: &Program| {
            let line = lines.lines().find(|line| line.split(' ').nth(1) == Some(&program.name));
            let words: Vec<&str> = line.unwrap_or("").splitn(3, ' ').collect();
            match words[..] {
                ["ok", _, counts] => {
                    let (judged, unjudged) = counts.split_once(' ').unwrap_or(("0", "0"));
                    Ok((judged.parse().unwrap_or(0), unjudged.parse().unwrap_or(0)))
                }
                ["fails", _, message] => Err(Failure { check: "compiled", message: message.into() }),
                _ => Err(Failure { check: "died", message: String::from_utf8_lossy(&output.stderr).into_owned() }),
            }
        };
        Ok(programs.iter().map(outcome).collect())
    }
}

/// The crate of a batch.
fn source(programs: &[Program]) -> String {
    let mut text = String::from(
        "#![allow(warnings)]\nuse harness::Given::*;\nuse harness::{Given, Program};\nuse pullback::prelude::*;\n\n",
    );
    let mut there = BTreeSet::new();
    for formula in programs.iter().flat_map(|p| p.callees.iter().chain([p])) {
        if there.insert(&formula.name) {
            write!(text, "#[derive_backward]\n{}\n", formula.function()).expect("text");
        }
    }
    text += "fn main() {\n    harness::main(&[\n";
    for program in programs {
        let given: Vec<String> = program.params().map(|p| given(program, p)).collect();
        let (name, operation, seed) = (&program.name, program.operation(), program.seed);
        writeln!(text, "        Program::new({name:?}, {operation}, &[{}], {seed}, &[{}]),", given.join(", "), without(program))
            .expect("text");
    }
    text + "    ]);\n}\n"
}

/// The points that say nothing of a program.
fn without(program: &Program) -> String {
    let mut styles = vec![];
    // large numbers through steps look like slopes to differences; exp(x − logsumexp(x)) of them is what rounding leaves
    if program.has("steps") || program.has("logsumexps") {
        styles.push("Huge");
    }
    // a scan is a·h + b: what a choice leaves out of it is multiplied by 0, which does not stop NaN
    if program.has("scans") {
        styles.push("Special");
    }
    styles.iter().map(|s| format!("harness::fill::Style::{s}")).collect::<Vec<_>>().join(", ")
}

fn given(program: &Program, param: &Param) -> String {
    let shape = program.shape(&param.axes);
    match param.kind {
        ParamKind::Tensor | ParamKind::Constant | ParamKind::Optional { present: true } => format!("Tensor(&{shape:?})"),
        ParamKind::Optional { present: false } => "Absent".into(),
        ParamKind::State => format!("State(&{shape:?})"),
        ParamKind::Labels { below } => format!("Labels(&{shape:?}, {below})"),
        ParamKind::Diff => "Scalar".into(),
    }
}
