//! Python environments: of the end-to-end tests, of a benchmark.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::progress::Step;
use crate::workspace::Workspace;

/// The `python` of an environment, by its name, that has exactly the packages of a requirements file.
pub(crate) fn environment(workspace: &Workspace, name: &str, path: &str) -> Result<PathBuf> {
    let requirements = workspace.read(path)?;
    let folder = super::directory()?.join(format!("python-{name}"));
    let python = folder.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let stamp = folder.join(".requirements");
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == requirements) {
        return Ok(python);
    }
    if process::version_of("python3").is_none() {
        bail!("python3 was not found: it runs the packages of {path}. Install Python 3.9 or newer.");
    }
    let mut step = Step::start(format!("installing the Python packages of {path}"));
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(&folder);
    process::run_quiet(&mut step, &mut venv)
        .context("cannot make a Python environment (on Debian and Ubuntu: apt-get install python3-venv)")?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
    ]);
    process::run_quiet(&mut step, pip.arg(workspace.join(path)))?;
    fs::write(stamp, requirements)?;
    step.done();
    Ok(python)
}
