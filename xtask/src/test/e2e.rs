//! The official clients, unmodified, and a browser, against the gateway as it is deployed.

use std::process::Command;

use anyhow::Result;

use super::Context;
use crate::process;
use crate::setup;
use crate::stack::{Options, Stack};
use crate::worker;

const TESTS: &str = "tests/e2e";

pub(super) fn run(context: &Context) -> Result<()> {
    let Context { workspace, tools } = context;
    let gateway = workspace.example("gateway")?;
    let python = setup::python_environment(workspace, "e2e", "tests/e2e/requirements.txt")?;
    let node_tests = workspace.files(TESTS, "", ".test.mjs")?;
    let python_tests = workspace.files(TESTS, "test_", ".py")?;
    // The command that the tests manage keys with.
    let mut cargo = process::cargo();
    let build = cargo.current_dir(workspace.root());
    process::run(build.args(["build", "--package", "edge-ai-cli"]))?;
    worker::build(workspace, tools, &gateway)?;
    let logs = workspace.scratch("e2e")?;
    let stack = Stack::start(workspace, tools, Options::isolated(gateway, logs.clone()))?;

    let mut node = tools.node_itself()?;
    // A connection that a client forgot must not hold up the rest.
    node.args([
        "--test",
        "--test-force-exit",
        "--test-timeout=300000",
        "--test-reporter=spec",
    ])
    .args(node_tests);
    // For what only Python has parsers of.
    node.env("PYTHON", &python);
    if let Some(browser) = setup::browser() {
        node.env("CHROMIUM", browser);
    }
    let mut pytest = Command::new(python);
    pytest
        .args(["-m", "pytest", "-p", "no:cacheprovider"])
        .args(python_tests)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    for command in [&mut node, &mut pytest] {
        command.current_dir(workspace.root());
        command
            .env("GATEWAY_URL", &stack.worker_url)
            .env("LOCAL_URL", &stack.local_url);
        // What the tests may read to see what the gateway logged.
        command.env("GATEWAY_LOG", logs.join("worker.log"));
        process::run(command).inspect_err(|_| println!("the servers' logs are in {}", logs.display()))?;
    }
    Ok(())
}
