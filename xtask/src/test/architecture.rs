//! The rules of docs/architecture.md that a program can check.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process;
use crate::workspace::{Package, Workspace};

/// What runs anywhere names nothing that runs somewhere.
const CORE: &str = "edge-ai-core";
const NEVER_IN_CORE: [&str; 5] = ["worker", "wasm-bindgen", "js-sys", "tokio", "reqwest"];

/// What each layer may depend on, within the workspace. Packages that are not here may depend on any.
const LAYERS: [(&str, &[&str]); 9] = [
    (CORE, &[]),
    ("edge-ai-worker", &[CORE]),
    ("edge-ai-testkit", &[CORE]),
    ("edge-ai-providers", &[CORE, "edge-ai-worker"]),
    ("edge-ai-cache", &[CORE, "edge-ai-worker"]),
    ("edge-ai-guard", &[CORE]),
    ("edge-ai-rag", &[CORE, "edge-ai-worker"]),
    ("edge-ai-agent", &[CORE, "edge-ai-worker"]),
    ("edge-ai-gateway", &[CORE, "edge-ai-worker", "edge-ai-providers"]),
];

pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let mut wrong = layering(workspace.packages());
    wrong.extend(core_dependencies(workspace)?);
    wrong.extend(machine_paths(workspace)?);
    if wrong.is_empty() {
        println!("architecture: as docs/architecture.md says");
        return Ok(());
    }
    bail!("against the architecture:\n  {}", wrong.join("\n  "))
}

fn layering(packages: &[Package]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (layer, allowed) in LAYERS {
        let package = packages.iter().find(|package| package.name == layer);
        for dependency in package.into_iter().flat_map(|package| &package.depends_on) {
            if !allowed.contains(&dependency.as_str()) {
                wrong.push(format!("{layer} depends on {dependency}"));
            }
        }
    }
    wrong
}

fn core_dependencies(workspace: &Workspace) -> Result<Vec<String>> {
    let mut cargo = process::cargo();
    cargo.current_dir(workspace.root());
    cargo.args([
        "tree",
        "--package",
        CORE,
        "--edges",
        "normal",
        "--target",
        "all",
        "--all-features",
    ]);
    cargo.args(["--prefix", "none", "--format", "{p}"]);
    Ok(forbidden_in_core(&process::output_of(&mut cargo)?))
}

fn forbidden_in_core(tree: &str) -> Vec<String> {
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    let mut found: Vec<&str> = names.filter(|name| NEVER_IN_CORE.contains(name)).collect();
    found.sort_unstable();
    found.dedup();
    found
        .into_iter()
        .map(|name| format!("{CORE} names {name}, if only through another crate"))
        .collect()
}

/// A path of the machine something was made on says nothing to a reader elsewhere.
fn machine_paths(workspace: &Workspace) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.current_dir(workspace.root())
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let files = process::output_of(&mut git)?;
    let home = std::env::home_dir();
    let machine: Vec<String> = [Some(workspace.root()), home.as_deref()]
        .into_iter()
        .flatten()
        .map(prefix)
        .collect();
    let mut wrong = Vec::new();
    for file in files.split('\0').filter(|file| !file.is_empty()) {
        // A file that is gone from the work tree, or is not text, has nothing to say.
        let Ok(text) = std::fs::read_to_string(workspace.join(file)) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            if let Some(path) = machine.iter().find(|path| line.contains(path.as_str())) {
                wrong.push(format!(
                    "{file}:{} names a path of this machine, {path}",
                    number + 1
                ));
            }
        }
    }
    Ok(wrong)
}

fn prefix(path: &Path) -> String {
    format!("{}/", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, depends_on: &[&str]) -> Package {
        Package {
            name: name.into(),
            directory: name.into(),
            depends_on: depends_on.iter().map(ToString::to_string).collect(),
            features: Vec::new(),
            has_doctests: false,
            wasm: None,
        }
    }

    #[test]
    fn the_gateway_stands_on_the_providers_and_nobody_else_crosses() {
        let good = [
            package("edge-ai-gateway", &[CORE, "edge-ai-providers"]),
            package("edge-ai", &["edge-ai-rag"]),
        ];
        assert_eq!(layering(&good), Vec::<String>::new());
        let bad = [
            package("edge-ai-rag", &[CORE, "edge-ai-cache"]),
            package("edge-ai-guard", &[CORE, "edge-ai-worker"]),
            package(CORE, &["edge-ai-worker"]),
        ];
        assert_eq!(
            layering(&bad),
            [
                "edge-ai-core depends on edge-ai-worker",
                "edge-ai-guard depends on edge-ai-worker",
                "edge-ai-rag depends on edge-ai-cache"
            ]
        );
    }

    #[test]
    fn a_forbidden_crate_is_found_by_its_whole_name() {
        let tree = "edge-ai-core v0.1.0 (path)\nworker-macros v0.8.7 (proc-macro)\ntokio v1.54.1\nserde v1.0.1\ntokio v1.54.1 (*)\n";
        assert_eq!(
            forbidden_in_core(tree),
            ["edge-ai-core names tokio, if only through another crate"]
        );
    }
}
