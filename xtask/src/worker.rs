//! Builds a Worker with worker-build, and only when its wasm is not the one that was built last.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use anyhow::{Context, Result};

use crate::process;
use crate::progress::Step;
use crate::setup::Tools;
use crate::workspace::Workspace;

const STAMP: &str = "build/.stamp";

/// `cargo xtask build`
pub(crate) fn run(example: &str) -> Result<()> {
    let workspace = Workspace::find()?;
    let directory = workspace.example(example)?;
    let tools = Tools::ready(&workspace)?;
    build(&workspace, &tools, &directory)
}

/// Builds the Worker whose crate is in `directory`, in release.
///
/// Cargo alone knows in a moment that nothing changed; worker-build would run wasm-bindgen and wasm-opt again.
pub(crate) fn build(workspace: &Workspace, tools: &Tools, directory: &Path) -> Result<()> {
    let name = directory
        .strip_prefix(workspace.root())
        .unwrap_or(directory)
        .display()
        .to_string();
    let mut step = Step::start(format!("building {name} for workerd"));
    let mut cargo = process::cargo();
    // As worker-build calls it, so that its own call finds everything fresh.
    cargo.current_dir(directory).env("WASM_BINDGEN_USE_JS_SYS", "1");
    cargo.args([
        "build",
        "--lib",
        "--release",
        "--target",
        "wasm32-unknown-unknown",
    ]);
    process::run_quiet(&mut step, &mut cargo)?;

    let stamp = fingerprint(workspace, tools, directory)?;
    let path = directory.join(STAMP);
    if fs::read_to_string(&path).is_ok_and(|last| last == stamp) {
        step.done();
        return Ok(());
    }
    let mut worker_build = tools.worker_build()?;
    process::run_quiet(&mut step, worker_build.current_dir(directory).arg("--release"))?;
    // worker-build always keeps the names of functions, and they are much of what is uploaded. A panic still says where it was.
    let wasm = directory.join("build/index_bg.wasm");
    let mut strip = tools.wasm_opt()?;
    strip
        .args(["--all-features", "--strip-debug", "--strip-producers"])
        .arg(&wasm)
        .arg("--output")
        .arg(&wasm);
    process::run_quiet(&mut step, &mut strip)?;
    fs::write(&path, stamp).with_context(|| format!("cannot write {}", path.display()))?;
    step.done();
    Ok(())
}

fn fingerprint(workspace: &Workspace, tools: &Tools, directory: &Path) -> Result<String> {
    let package = workspace
        .packages()
        .iter()
        .find(|package| package.directory == directory);
    let wasm = package
        .and_then(|package| package.wasm.as_ref())
        .with_context(|| {
            format!(
                "{}: a Worker is a library with crate-type = [\"cdylib\"]",
                directory.display()
            )
        })?;
    let wasm = workspace
        .target()
        .join("wasm32-unknown-unknown/release")
        .join(wasm);
    let mut hasher = DefaultHasher::new();
    tools.versions().hash(&mut hasher);
    for input in [&directory.join("Cargo.toml"), &wasm] {
        fs::read(input)
            .with_context(|| format!("cannot read {}", input.display()))?
            .hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}
