//! The repository: where it is and what is in it.

mod metadata;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

pub(crate) use metadata::Package;

use crate::process;

/// The checkout this program was built from.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    packages: Vec<Package>,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        // Set by `cargo run`: right even when the checkout was moved after the build.
        let xtask = std::env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask …`")?;
        let mut cargo = process::cargo();
        cargo
            .current_dir(xtask)
            .args(["metadata", "--format-version", "1", "--no-deps"]);
        metadata::workspace(&process::output_of(&mut cargo)?)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// Cargo's target directory.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The packages of the workspace.
    pub(crate) fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// A directory of this program's own below the target directory, made if need be.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf> {
        let path = self.target().join("xtask").join(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(path)
    }

    pub(crate) fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.join(path)).with_context(|| format!("cannot read {path}"))
    }

    /// The files of a directory whose names begin and end so, in order, relative to the root; none is an error.
    pub(crate) fn files(&self, directory: &str, start: &str, end: &str) -> Result<Vec<String>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.join(directory)).with_context(|| format!("cannot read {directory}"))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with(start) && name.ends_with(end) {
                files.push(format!("{directory}/{name}"));
            }
        }
        if files.is_empty() {
            bail!("{directory} has no {start}*{end}");
        }
        files.sort();
        Ok(files)
    }

    /// The examples that can be deployed, by name, in order.
    pub(crate) fn examples(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.join("examples")).context("cannot read examples/")? {
            let entry = entry?;
            if entry.path().join(CONFIG).is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The directory of an example; an unknown one is answered with those that exist.
    pub(crate) fn example(&self, name: &str) -> Result<PathBuf> {
        let examples = self.examples()?;
        if examples.iter().any(|example| example == name) {
            return Ok(self.join("examples").join(name));
        }
        let known = if examples.is_empty() {
            "there is none yet".to_owned()
        } else {
            examples.join(", ")
        };
        bail!("there is no example `{name}`; the examples are: {known}")
    }
}

/// The wrangler configuration in a Worker's directory.
pub(crate) const CONFIG: &str = "wrangler.jsonc";
