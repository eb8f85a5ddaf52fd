//! Tools that come as crates, kept in `<tools>/<crate>-<version>`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process;
use crate::progress::Step;

/// Installs tools; what they have in common is compiled once.
pub(super) struct Installer {
    tools: PathBuf,
    target: PathBuf,
}

impl Installer {
    pub(super) fn new(tools: &Path) -> Self {
        // The process id keeps two checkouts that set up at once apart.
        let target = tools.join(format!(".build-{}", std::process::id()));
        Self {
            tools: tools.to_path_buf(),
            target,
        }
    }

    /// The path of `program` from exactly this version of `krate`.
    pub(super) fn tool(&mut self, krate: &str, program: &str, version: &str) -> Result<PathBuf> {
        let folder = self.tools.join(format!("{krate}-{version}"));
        let path = folder
            .join("bin")
            .join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
        if path.is_file() {
            return Ok(path);
        }
        let mut step = Step::start(format!("installing {krate} {version} (once, a few minutes)"));
        fs::create_dir_all(&self.tools).with_context(|| format!("cannot make {}", self.tools.display()))?;
        let fresh = self
            .tools
            .join(format!(".{krate}-{version}-{}", std::process::id()));
        let mut cargo = process::cargo();
        cargo
            .current_dir(&self.tools)
            .env("CARGO_TARGET_DIR", &self.target);
        // A debug build: compiled in half the time, and what it does takes a second or two either way.
        cargo
            .args([
                "install",
                krate,
                "--version",
                &format!("={version}"),
                "--debug",
                "--root",
            ])
            .arg(&fresh);
        process::run_quiet(&mut step, &mut cargo)?;
        // In place by a rename, so that a folder that exists is whole. If it exists by now, another setup was faster.
        if fs::rename(&fresh, &folder).is_err() && !path.is_file() {
            fs::remove_dir_all(&folder)?;
            fs::rename(&fresh, &folder)?;
        }
        remove(&fresh);
        step.done();
        Ok(path)
    }
}

impl Drop for Installer {
    fn drop(&mut self) {
        remove(&self.target);
    }
}

fn remove(folder: &Path) {
    // Left behind at worst: room on a disk, in a cache.
    let _left = fs::remove_dir_all(folder);
}
