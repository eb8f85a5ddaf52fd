//! The browser of the end-to-end tests: any Chromium that is there, else the system's package where it can be installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;
use crate::progress::Step;

const NAMES: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// The path of a Chromium, or `None` where there is none and none can be installed: the tests that need one say so, and fail only in continuous
/// integration.
///
/// `CHROMIUM` names another. It is installed by `apt-get`, which only root may; npm has no package of it that installs without a download of its own.
pub(crate) fn find() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    let found = || NAMES.into_iter().find_map(|name| in_path(Path::new(name)));
    found().or_else(|| {
        install().ok()?;
        found()
    })
}

fn in_path(name: &Path) -> Option<PathBuf> {
    if name.is_absolute() {
        return name.is_file().then(|| name.to_path_buf());
    }
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}

fn install() -> anyhow::Result<()> {
    let is_root = process::output_of(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !is_root || in_path(Path::new("apt-get")).is_none() {
        anyhow::bail!("only root installs packages, and only where there is apt-get");
    }
    let mut step = Step::start("installing Chromium by apt-get");
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        apt
    };
    process::run_quiet(&mut step, &mut apt(&["update"]))?;
    let install = ["install", "--yes", "--no-install-recommends", "chromium"];
    process::run_quiet(&mut step, &mut apt(&install))?;
    step.done();
    Ok(())
}
