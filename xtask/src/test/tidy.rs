//! Format, lints, documentation, architecture.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{Context, architecture};
use crate::process;
use crate::workspace::Package;

const DENY: [&str; 3] = ["--", "-D", "warnings"];

pub(super) fn run(context: &Context) -> Result<()> {
    architecture::check(&context.workspace)?;

    let cargo = |arguments: &[&str]| {
        println!("cargo {}", arguments.join(" "));
        let mut cargo = process::cargo();
        cargo
            .current_dir(context.workspace.root())
            .args(arguments)
            .env("RUSTDOCFLAGS", "-D warnings");
        process::run(&mut cargo)
    };
    cargo(&["fmt", "--all", "--check"])?;
    cargo(
        &[
            &["clippy", "--workspace", "--all-targets", "--all-features"],
            &DENY[..],
        ]
        .concat(),
    )?;
    for package in in_a_worker(context.workspace.packages()) {
        // One at a time: in one build Cargo would unite their features, and hide a missing one.
        let features: &[&str] = if package.features.iter().any(|feature| feature == "worker") {
            &["--features", "worker"]
        } else {
            &[]
        };
        let clippy = [
            "clippy",
            "--target",
            "wasm32-unknown-unknown",
            "--package",
            &package.name,
        ];
        cargo(&[&clippy, features, &DENY[..]].concat())?;
    }
    cargo(&["doc", "--workspace", "--no-deps", "--all-features"])
}

/// The Workers of the workspace and what they are made of, and whatever has a feature for them.
fn in_a_worker(packages: &[Package]) -> Vec<&Package> {
    let has_feature = |package: &&Package| package.features.iter().any(|feature| feature == "worker");
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&Package> = packages
        .iter()
        .filter(|package| package.wasm.is_some() || has_feature(package))
        .collect();
    while let Some(package) = open.pop() {
        if names.insert(&package.name) {
            open.extend(
                packages
                    .iter()
                    .filter(|other| package.depends_on.contains(&other.name)),
            );
        }
    }
    packages
        .iter()
        .filter(|package| names.contains(package.name.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, depends_on: &[&str], features: &[&str], wasm: Option<&str>) -> Package {
        Package {
            name: name.into(),
            directory: name.into(),
            depends_on: depends_on.iter().map(ToString::to_string).collect(),
            features: features.iter().map(ToString::to_string).collect(),
            has_doctests: false,
            wasm: wasm.map(Into::into),
        }
    }

    #[test]
    fn follows_dependencies_from_the_workers_down() {
        let packages = [
            package("core", &[], &[], None),
            package("cache", &["core"], &["worker"], None),
            package("facade", &["core"], &[], None),
            package("gateway", &["facade"], &[], Some("gateway.wasm")),
            package("local", &["core"], &[], None),
        ];
        let names: Vec<&str> = in_a_worker(&packages)
            .into_iter()
            .map(|package| package.name.as_str())
            .collect();
        assert_eq!(names, ["core", "cache", "facade", "gateway"]);
    }
}
