//! Crates of users, made for one test and built as they would build them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs, io};

/// A crate on disk that depends on `pullback`.
pub struct Scratch {
    folder: PathBuf,
    target: PathBuf,
}

impl Scratch {
    /// A crate in a folder of its own under `parent`, with `src/lib.rs`; builds go to `target`. `manifest` is what its
    /// `Cargo.toml` has beside the package; it may name this workspace's folder `{root}`.
    ///
    /// # Errors
    /// If files cannot be written.
    pub fn new(parent: &Path, target: &Path, name: &str, manifest: &str, source: &str) -> io::Result<Scratch> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let folder = parent.join(name);
        fs::create_dir_all(folder.join("src"))?;
        let manifest = manifest.replace("{root}", &root.display().to_string());
        let package = format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n");
        write(&folder.join("Cargo.toml"), &(package + &manifest))?;
        write(&folder.join("src/lib.rs"), source)?;
        // the versions of this workspace, so that nothing is fetched
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        Ok(Scratch { folder, target: target.to_path_buf() })
    }

    /// Another source file of the crate.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn file(&self, path: &str, text: &str) -> io::Result<()> {
        let path = self.folder.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        write(&path, text)
    }

    /// Where builds go.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Runs cargo in the crate, as from a clean shell.
    ///
    /// # Errors
    /// If cargo cannot be started.
    pub fn cargo(&self, args: &[&str]) -> io::Result<Output> {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // what the cargo that runs us tells its children, `CARGO_BUILD_*` among it, is not for another build
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG") || text.starts_with("CARGO_PROFILE") || text.ends_with("RUSTFLAGS") {
                command.env_remove(&name);
            }
        }
        command
            .args(args)
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_NET_OFFLINE", "true")
            .output()
    }

    /// Runs cargo, which must succeed; gives its standard output.
    ///
    /// # Panics
    /// If it does not.
    pub fn must(&self, args: &[&str]) -> String {
        let output = self.cargo(args).unwrap_or_else(|e| panic!("cargo {args:?}: {e}"));
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "cargo {args:?}: {out}{err}");
        out.into_owned()
    }
}

/// Writes a file unless it is as it should be: then builds stay fresh.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|found| found == text) { Ok(()) } else { fs::write(path, text) }
}
