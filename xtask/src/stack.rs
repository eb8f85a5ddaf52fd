//! The local stack: the stand-in services, and a Worker on workerd with its bindings attached to them.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::dev::vars::{self, Var};
use crate::process::{self, Logs, Server};
use crate::progress::Step;
use crate::setup::Tools;
use crate::workspace::{CONFIG, Workspace};

const LOCAL_PORT: u16 = 9900;

/// What to serve, and how.
pub(crate) struct Options {
    /// The Worker's directory, built already.
    pub(crate) worker: PathBuf,
    /// Its port; any free one if there is none.
    pub(crate) port: Option<u16>,
    /// Text bindings that override those of the configuration.
    pub(crate) vars: Vec<Var>,
    /// Where KV, D1 and the rest keep their data; nowhere if there is none.
    pub(crate) state: Option<PathBuf>,
    /// Whether what the developer configured for this machine (`.dev.vars`) is left out.
    pub(crate) isolated: bool,
    /// Where log lines go: a directory with a file for each server, or the terminal.
    pub(crate) logs: Option<PathBuf>,
}

impl Options {
    /// For tests: any port, no state kept, logs in files of a directory.
    pub(crate) fn isolated(worker: PathBuf, logs: PathBuf) -> Self {
        Self {
            worker,
            port: None,
            vars: Vec::new(),
            state: None,
            isolated: true,
            logs: Some(logs),
        }
    }
}

/// A running stack. Dropping it stops both servers.
pub(crate) struct Stack {
    // Fields are dropped in order: the Worker goes before the services it calls.
    worker: Server,
    local: Server,
    pub(crate) worker_url: String,
    pub(crate) local_url: String,
}

impl Stack {
    pub(crate) fn start(workspace: &Workspace, tools: &Tools, options: Options) -> Result<Self> {
        let logs = |name: &str| match &options.logs {
            Some(directory) => Logs::File(directory.join(format!("{name}.log"))),
            None => Logs::Terminal,
        };
        let mut step = Step::start("building edge-ai-local");
        let mut cargo = process::cargo();
        process::run_quiet(
            &mut step,
            cargo
                .current_dir(workspace.root())
                .args(["build", "--package", "edge-ai-local"]),
        )?;
        step.done();

        let step = Step::start("starting edge-ai-local and workerd");
        let mut local = Command::new(workspace.target().join("debug/edge-ai-local"));
        // Its usual port if it is free, so that commands in the documentation work as they are.
        let port = if !options.isolated && process::is_free(LOCAL_PORT) {
            LOCAL_PORT
        } else {
            0
        };
        local.args(["--stop-on-stdin-eof", "--port", &port.to_string()]);
        let (local, local_url) = start("edge-ai-local", &mut local, &logs("local"))?;

        let mut serve = tools.node(&workspace.join("runtime/serve.mjs"))?;
        serve.arg("--config").arg(options.worker.join(CONFIG));
        serve.args([
            "--standin",
            &local_url,
            "--port",
            &options.port.unwrap_or(0).to_string(),
        ]);
        if let Some(state) = &options.state {
            serve.arg("--persist").arg(state);
        }
        let configured = if options.isolated {
            serve.arg("--isolated");
            Vec::new()
        } else {
            vars::configured(&options.worker)
        };
        let vars = vars::with_local_upstreams(options.vars, &configured, &local_url);
        // Keys are among them: other users of the machine see a program's arguments, and not its environment.
        let vars: serde_json::Map<_, _> = vars.into_iter().map(|var| (var.key, var.value.into())).collect();
        serve.env("SERVE_VARS", serde_json::Value::Object(vars).to_string());
        let (worker, worker_url) = start("the Worker", &mut serve, &logs("worker"))?;
        step.done();
        Ok(Self {
            worker_url,
            worker,
            local,
            local_url,
        })
    }

    /// Fails when a server ended that should be serving.
    pub(crate) fn check(&mut self) -> Result<()> {
        for server in [&mut self.worker, &mut self.local] {
            if let Some(ended) = server.ended()? {
                bail!("{ended}");
            }
        }
        Ok(())
    }
}

/// Starts a server that prints its address in its first line.
fn start(name: &'static str, command: &mut Command, logs: &Logs) -> Result<(Server, String)> {
    let (server, line) = Server::start(name, command, logs)?;
    let address = address(&line).with_context(|| format!("{name} said `{line}` in place of its address"))?;
    Ok((server, address))
}

/// The address in `{"ready":"http://127.0.0.1:8787"}`.
fn address(line: &str) -> Option<String> {
    let ready: serde_json::Value = serde_json::from_str(line).ok()?;
    Some(ready.get("ready")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_server_is_its_address() {
        assert_eq!(
            address(r#"{"ready":"http://127.0.0.1:1"}"#).as_deref(),
            Some("http://127.0.0.1:1")
        );
        assert_eq!(address("listening on http://127.0.0.1:1"), None);
    }
}
