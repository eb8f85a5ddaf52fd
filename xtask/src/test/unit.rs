//! Unit, property and documentation tests on this machine, and those of the local runtime.

use std::process::Command;

use anyhow::Result;

use super::Context;
use crate::process;

pub(super) fn run(context: &Context) -> Result<()> {
    let Context { workspace, tools } = context;
    let cargo = |arguments: &[&str]| {
        println!("cargo {}", arguments.join(" "));
        let mut cargo = process::cargo();
        process::run(cargo.current_dir(workspace.root()).args(arguments))
    };
    if has_nextest() {
        cargo(&["nextest", "run", "--workspace", "--all-features"])?;
        // nextest runs no documentation tests.
        let documented = workspace.packages().iter().filter(|package| package.has_doctests);
        let packages: Vec<&str> = documented
            .flat_map(|package| ["--package", &package.name])
            .collect();
        cargo(&[&["test", "--all-features", "--doc"], &packages[..]].concat())?;
    } else {
        cargo(&["test", "--workspace", "--all-features"])?;
    }
    let mut node = tools.node_itself()?;
    node.args(["--test", "--test-reporter=spec"])
        .args(workspace.files("runtime", "", ".test.mjs")?);
    process::run(node.current_dir(workspace.root()))
}

fn has_nextest() -> bool {
    let output = Command::new("cargo").args(["nextest", "--version"]).output();
    output.is_ok_and(|output| output.status.success())
}
