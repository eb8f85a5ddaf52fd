//! The contract suites inside workerd: a Worker that holds them, asked for one case after another.

use anyhow::Result;

use super::Context;
use crate::process;
use crate::stack::{Options, Stack};
use crate::worker;

const WORKER: &str = "tests/contract-worker";

pub(super) fn run(context: &Context) -> Result<()> {
    let Context { workspace, tools } = context;
    let directory = workspace.join(WORKER);
    worker::build(workspace, tools, &directory)?;
    let logs = workspace.scratch("workers")?;
    let stack = Stack::start(workspace, tools, Options::isolated(directory, logs.clone()))?;
    let mut node = tools.node_itself()?;
    node.current_dir(workspace.root())
        .args(["--test", "--test-reporter=spec", "runtime/contract.mjs"]);
    node.env("WORKER_URL", &stack.worker_url)
        .env("LOCAL_URL", &stack.local_url);
    process::run(&mut node).inspect_err(|_| println!("the servers' logs are in {}", logs.display()))
}
