//! Node.js and the npm packages of the lock file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::progress::Step;
use crate::workspace::Workspace;

// What wrangler and miniflare ask for.
const OLDEST: (u32, u32) = (22, 12);

/// npm installs everything else that is of JavaScript, a newer Node included.
pub(super) fn require_npm() -> Result<()> {
    if process::version_of("node").is_none() || process::version_of("npm").is_none() {
        bail!(
            "Node.js was not found: `node` and `npm` have to be in PATH.\n\
             Install it (https://nodejs.org, or your system's package manager; any version from 20 on)."
        );
    }
    Ok(())
}

/// `npm ci`, when the lock file is not the one that was installed.
pub(super) fn install_packages(workspace: &Workspace) -> Result<()> {
    let lock = workspace.read("package-lock.json")?;
    let stamp = workspace.join("node_modules/.edge-ai-lock");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let mut step = Step::start("installing the npm packages of package-lock.json");
    let mut npm = Command::new("npm");
    // No package needs its install script: each ships its binary in a package of its own per platform.
    npm.current_dir(workspace.root())
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    process::run_quiet(&mut step, &mut npm)?;
    fs::write(&stamp, lock).context("cannot write to node_modules")?;
    step.done();
    Ok(())
}

/// The Node that npm installed for this platform, or the system's if that is new enough.
pub(super) fn find(node_modules: &Path) -> Result<PathBuf> {
    let packaged = node_modules.join(".bin/node");
    if packaged.exists() {
        return Ok(packaged);
    }
    let system = process::version_of("node").unwrap_or_default();
    if parse(&system).is_some_and(|version| version >= OLDEST) {
        return Ok("node".into());
    }
    let (major, minor) = OLDEST;
    bail!(
        "Node.js {major}.{minor} or newer is needed: `node --version` says {system}, and npm has none for this platform"
    )
}

/// Major and minor of `v22.23.2`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_versions_as_numbers() {
        assert!(parse("v22.12.0").unwrap() >= OLDEST);
        assert!(parse("v22.9.0").unwrap() < OLDEST);
        assert!(parse("v100.0.0").unwrap() >= OLDEST);
        assert_eq!(parse("nonsense"), None);
    }
}
