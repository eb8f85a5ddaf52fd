//! The packages of the workspace, as `cargo metadata` tells of them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Workspace;

/// One package of the workspace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) directory: PathBuf,
    /// The packages of the workspace it depends on, development dependencies aside.
    pub(crate) depends_on: Vec<String>,
    pub(crate) features: Vec<String>,
    /// Whether its documentation may hold tests: a library that Rust code can use.
    pub(crate) has_doctests: bool,
    /// The name of the wasm file, for a package that is a Worker.
    pub(crate) wasm: Option<String>,
}

/// The workspace in the output of `cargo metadata --no-deps`.
pub(super) fn workspace(json: &str) -> Result<Workspace> {
    let metadata: Value = serde_json::from_str(json).context("cargo metadata did not print JSON")?;
    parse(&metadata).context("cargo metadata has a new shape")
}

fn parse(metadata: &Value) -> Option<Workspace> {
    Some(Workspace {
        root: text(metadata, "workspace_root")?.into(),
        target: text(metadata, "target_directory")?.into(),
        packages: array(metadata.get("packages"))
            .map(package)
            .collect::<Option<_>>()?,
    })
}

fn package(package: &Value) -> Option<Package> {
    let depends_on = array(package.get("dependencies"))
        .filter(|dependency| is_null(dependency, "kind") && text(dependency, "path").is_some())
        .filter_map(|dependency| Some(text(dependency, "name")?.to_owned()))
        .collect();
    let of_type = |wanted: &str| {
        array(package.get("targets"))
            .find(|target| array(target.get("crate_types")).any(|kind| kind == wanted))
    };
    Some(Package {
        name: text(package, "name")?.to_owned(),
        directory: Path::new(text(package, "manifest_path")?).parent()?.to_path_buf(),
        depends_on,
        features: package.get("features")?.as_object()?.keys().cloned().collect(),
        has_doctests: ["lib", "rlib"]
            .into_iter()
            .filter_map(of_type)
            .any(|target| target.get("doctest") == Some(&Value::Bool(true))),
        wasm: of_type("cdylib")
            .and_then(|target| Some(format!("{}.wasm", text(target, "name")?.replace('-', "_")))),
    })
}

fn array(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

fn is_null(value: &Value, key: &str) -> bool {
    value.get(key).is_none_or(Value::is_null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_cargo_prints() {
        let json = r#"{"workspace_root":"repo","target_directory":"elsewhere","packages":[{
            "name":"gateway-worker","manifest_path":"repo/examples/gateway/Cargo.toml",
            "dependencies":[
                {"name":"edge-ai","kind":null,"path":"repo/edge-ai"},
                {"name":"edge-ai-testkit","kind":"dev","path":"repo/edge-ai-testkit"},
                {"name":"worker","kind":null,"source":"registry"}],
            "features":{"default":[],"rag":["edge-ai/rag"]},
            "targets":[{"name":"gateway-worker","crate_types":["cdylib"]},{"name":"t","crate_types":["bin"]}]
        }]}"#;
        let expected = Package {
            name: "gateway-worker".into(),
            directory: "repo/examples/gateway".into(),
            depends_on: vec!["edge-ai".into()],
            features: vec!["default".into(), "rag".into()],
            has_doctests: false,
            wasm: Some("gateway_worker.wasm".into()),
        };
        let workspace = workspace(json).unwrap();
        assert_eq!(workspace.packages(), [expected]);
        assert_eq!(workspace.join("x"), Path::new("repo/x"));
        assert_eq!(workspace.target(), Path::new("elsewhere"));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(workspace("not JSON").is_err());
        assert!(
            workspace(r#"{"workspace_root":"a","target_directory":"b","packages":[{"name":"x"}]}"#).is_err()
        );
    }
}
