//! Makes the machine ready: what is missing is installed, what is there is left alone.

mod browser;
mod cargo_tool;
mod lockfile;
mod model;
mod node;
mod python;
mod target;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

pub(crate) use browser::find as browser;
pub(crate) use model::ready as embedding_model;
pub(crate) use python::environment as python_environment;

use crate::workspace::Workspace;

/// The tools that build and serve Workers.
pub(crate) struct Tools {
    worker_build: PathBuf,
    wasm_bindgen: PathBuf,
    node: PathBuf,
    node_modules: PathBuf,
    versions: String,
}

impl Tools {
    /// Finds every tool, and installs those that are missing at the versions the lock files name.
    pub(crate) fn ready(workspace: &Workspace) -> Result<Self> {
        // What only the developer can install comes first: better to hear of it before the long steps.
        node::require_npm()?;
        target::ensure(workspace)?;
        let lock = workspace.read("Cargo.lock")?;
        let worker = lockfile::version(&lock, "worker")?;
        let bindgen = lockfile::version(&lock, "wasm-bindgen")?;
        let mut install = cargo_tool::Installer::new(&directory()?);
        // Tools of the same version as the library: worker-build generates the JavaScript that `worker` expects.
        let worker_build = install.tool("worker-build", "worker-build", &worker)?;
        let wasm_bindgen = install.tool("wasm-bindgen-cli", "wasm-bindgen", &bindgen)?;
        drop(install);
        node::install_packages(workspace)?;
        let node_modules = workspace.join("node_modules");
        let node = node::find(&node_modules)?;
        let versions = format!(
            "worker-build {worker}\nwasm-bindgen {bindgen}\n{}",
            workspace.read("package.json")?
        );
        Ok(Self {
            worker_build,
            wasm_bindgen,
            node,
            node_modules,
            versions,
        })
    }

    /// `worker-build`, told where its helpers are, so that it downloads none.
    pub(crate) fn worker_build(&self) -> Result<Command> {
        let mut command = Command::new(&self.worker_build);
        self.environment(&mut command)?;
        Ok(command)
    }

    /// `wasm-opt`.
    pub(crate) fn wasm_opt(&self) -> Result<Command> {
        self.node(&self.node_modules.join("binaryen/bin/wasm-opt"))
    }

    /// A Node program of the repository.
    pub(crate) fn node(&self, script: &Path) -> Result<Command> {
        let mut command = Command::new(&self.node);
        command.arg(script);
        self.environment(&mut command)?;
        Ok(command)
    }

    /// Node itself, for its own options (`node --test`).
    pub(crate) fn node_itself(&self) -> Result<Command> {
        let mut command = Command::new(&self.node);
        self.environment(&mut command)?;
        Ok(command)
    }

    /// `wrangler`, offline: no account, no telemetry.
    pub(crate) fn wrangler(&self) -> Result<Command> {
        let mut command = self.node(&self.node_modules.join("wrangler/bin/wrangler.js"))?;
        command
            .env("WRANGLER_SEND_METRICS", "false")
            .env("NO_COLOR", "1")
            .env("CI", "true");
        Ok(command)
    }

    /// Names the tools' versions: what they made is stale when this changes.
    pub(crate) fn versions(&self) -> &str {
        &self.versions
    }

    fn environment(&self, command: &mut Command) -> Result<()> {
        // wasm-opt is a script with `env node` in its first line, and a wrangler build command calls worker-build.
        let first = [
            Some(self.node_modules.join(".bin")),
            self.worker_build.parent().map(Path::to_path_buf),
        ];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path: OsString =
            std::env::join_paths(first.into_iter().flatten().chain(std::env::split_paths(&path)))
                .context("a directory in PATH has a separator in its name")?;
        command
            .env("PATH", path)
            .env("WASM_BINDGEN_BIN", &self.wasm_bindgen)
            .env("WASM_OPT_BIN", self.node_modules.join("binaryen/bin/wasm-opt"))
            .env("ESBUILD_BIN", self.node_modules.join("esbuild/bin/esbuild"));
        Ok(())
    }
}

/// Where tools are kept between checkouts: `$EDGE_AI_TOOLS`, or `edge-ai/tools` in the user's cache directory.
pub(crate) fn directory() -> Result<PathBuf> {
    if let Some(tools) = std::env::var_os("EDGE_AI_TOOLS") {
        return Ok(tools.into());
    }
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => std::env::home_dir()
            .context("no home directory; say where to keep tools: EDGE_AI_TOOLS=…")?
            .join(".cache"),
    };
    Ok(cache.join("edge-ai/tools"))
}
