//! Wrong formulas: what rustc shows of each, to the letter. `TRYBUILD=overwrite` writes the expectations anew.

use std::path::Path;

#[test]
fn wrong_formulas_get_errors_at_their_tokens() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}

/// Each file says how many errors it has: what is reported beside them is noise.
#[test]
fn nothing_else_is_reported() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("the folder of wrong formulas") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|e| e == "rs") {
            let (source, stderr) = (read(&path), read(&path.with_extension("stderr")));
            let said = source.lines().next().and_then(|line| line.strip_prefix("//! errors: ")).expect("`//! errors: n`");
            let reports = |kind: &str| stderr.lines().filter(|l| l.starts_with(kind)).count();
            let said: usize = said.parse().expect("a number");
            assert_eq!(reports("error"), said, "{}", path.display());
            assert_eq!(reports("warning"), 0, "{}", path.display());
            files += 1;
        }
    }
    assert!(files >= 10, "the wrong formulas are found");
}
