//! Versions out of `Cargo.lock`.

use anyhow::{Result, bail};

/// The one version of `package` in the lock file.
pub(super) fn version(lock: &str, package: &str) -> Result<String> {
    let mut versions = lock
        .split("[[package]]")
        .filter(|entry| value(entry, "name") == Some(package));
    let Some(version) = versions.next().and_then(|entry| value(entry, "version")) else {
        bail!("Cargo.lock has no `{package}`: no crate of this workspace is a Worker yet");
    };
    if versions.next().is_some() {
        bail!("Cargo.lock has several versions of `{package}`: `cargo update -p {package}` may leave one");
    }
    Ok(version.to_owned())
}

fn value<'a>(entry: &'a str, key: &str) -> Option<&'a str> {
    entry.lines().find_map(|line| {
        let value = line.strip_prefix(key)?.strip_prefix(" = ")?;
        value.strip_prefix('"')?.strip_suffix('"')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "syn"
version = "1.0.109"

[[package]]
name = "syn"
version = "2.0.101"

[[package]]
name = "worker"
version = "0.8.7"
dependencies = [
 "wasm-bindgen",
 "worker-macros",
]

[[package]]
name = "worker-macros"
version = "0.8.8"
"#;

    #[test]
    fn finds_the_package_and_not_its_namesakes() {
        assert_eq!(version(LOCK, "worker").unwrap(), "0.8.7");
        assert_eq!(version(LOCK, "worker-macros").unwrap(), "0.8.8");
    }

    #[test]
    fn says_what_is_missing_or_ambiguous() {
        assert!(
            version(LOCK, "wasm-bindgen")
                .unwrap_err()
                .to_string()
                .contains("no `wasm-bindgen`")
        );
        assert!(
            version(LOCK, "syn")
                .unwrap_err()
                .to_string()
                .contains("several versions of `syn`")
        );
    }
}
