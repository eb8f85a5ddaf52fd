//! The Python environment of the end-to-end tests.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::progress::Step;
use crate::workspace::Workspace;

const REQUIREMENTS: &str = "tests/e2e/requirements.txt";

/// The `python` of an environment that has exactly the packages of the requirements file.
pub(crate) fn environment(workspace: &Workspace) -> Result<PathBuf> {
    let requirements = workspace.read(REQUIREMENTS)?;
    let folder = super::directory()?.join("python-e2e");
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
        bail!(
            "python3 was not found: the end-to-end tests run the official Python client. Install Python 3.9 or newer."
        );
    }
    let mut step = Step::start(format!("installing the Python packages of {REQUIREMENTS}"));
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
    process::run_quiet(&mut step, pip.arg(workspace.join(REQUIREMENTS)))?;
    fs::write(stamp, requirements)?;
    step.done();
    Ok(python)
}
