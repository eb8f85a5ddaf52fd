//! The Rust target Workers are compiled for.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process;
use crate::progress::Step;
use crate::workspace::Workspace;

pub(super) const TARGET: &str = "wasm32-unknown-unknown";

pub(super) fn ensure(workspace: &Workspace) -> Result<()> {
    let mut rustc = Command::new("rustc");
    rustc
        .current_dir(workspace.root())
        .args(["--print", "target-libdir", "--target", TARGET]);
    if Path::new(process::output_of(&mut rustc)?.trim()).is_dir() {
        return Ok(());
    }
    if process::version_of("rustup").is_none() {
        bail!(
            "the Rust target {TARGET} is missing, and there is no rustup to add it.\n\
             Install rustup (https://rustup.rs), or add the target the way this Rust was installed."
        );
    }
    let mut step = Step::start(format!("adding the Rust target {TARGET}"));
    let mut rustup = Command::new("rustup");
    process::run_quiet(
        &mut step,
        rustup
            .current_dir(workspace.root())
            .args(["target", "add", TARGET]),
    )?;
    step.done();
    Ok(())
}
