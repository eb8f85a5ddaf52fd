//! `edge-ai config`, as its user runs it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// Runs the command with a document on stdin; no gateway is told of.
fn edge_ai(args: &[&str], document: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_edge-ai"))
        .args(args)
        .env_remove("EDGE_AI_ADMIN_TOKEN")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that takes no input may be over before it came.
    let _ = child.stdin.take().unwrap().write_all(document.as_bytes());
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn refused(document: &str) -> String {
    let (code, out, error) = edge_ai(&["config", "check", "-"], document);
    assert_eq!((code, out.as_str()), (1, ""), "{error}");
    error
}

#[test]
fn the_example_is_good() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/gateway/gateway.toml");
    let (code, out, error) = edge_ai(&["config", "check", file], "");
    assert_eq!(code, 0, "{error}");
    assert_eq!(out, format!("{file}: good: 2 routes, 1 limit, a cache\n"));
    let (code, out, _) = edge_ai(&["config", "check", "-"], "{}");
    assert_eq!((code, out.as_str()), (0, "-: good, and empty\n"));
}

#[test]
fn a_slip_is_told_with_its_line_in_both_forms() {
    assert_eq!(
        refused("[routes]\nsmart = { falback = [\"openai/gpt-5\"] }\n")
            .lines()
            .next()
            .unwrap()
            .split(": ")
            .take(3)
            .collect::<Vec<_>>(),
        ["error", "-", "line 2, column 11"],
    );
    assert!(
        refused("{\n  \"rotues\": {}\n}").starts_with("error: -: line 2, column 10: unknown field `rotues`")
    );
    assert!(refused("[prices.\"gpt-5\"]\ninput = 1\noutput = 2\n").contains("line 1, column "));
}

#[test]
fn a_name_that_leads_nowhere_is_found() {
    let error = refused("[routes]\nsmart = { fallback = [\"opanai/gpt-5\"] }\n");
    assert!(
        error.contains("line 2, column 9: `routes.smart`") && error.contains("opanai/gpt-5"),
        "{error}"
    );
    let error = refused("[cache.routes.smrat]\nttl_seconds = 1\n\n[routes]\nsmart = \"claude-haiku-4-5\"\n");
    assert!(error.contains("`cache.routes.smrat`"), "{error}");
    let own = "[routes]\nsmart = { fallback = [\"own/x\", \"house/y\"] }\n[providers.house]\nbase_url = \"https://llm.example.com/v1\"\n";
    assert!(refused(own).contains("own/x"));
    let (code, out, error) = edge_ai(&["config", "check", "-", "--provider", "own"], own);
    assert_eq!(
        (code, out.as_str()),
        (0, "-: good: 1 route, 1 server of your own\n"),
        "{error}"
    );
}

#[test]
fn scripts_read_json_and_exit_codes() {
    let (code, out, _) = edge_ai(&["config", "check", "-", "--json"], "limits = [\"many\"]\n");
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["valid"]), (1, &false.into()));
    assert!(
        told["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("line 1, column "),
        "{told}"
    );
    let (code, out, _) = edge_ai(&["config", "check", "-", "--json"], "");
    assert_eq!((code, out.as_str()), (0, "{\"valid\":true}\n"));
    let (code, _, error) = edge_ai(&["config", "check", "no-such-file.toml"], "");
    assert_eq!(code, 1);
    assert!(error.contains("no-such-file.toml cannot be read"), "{error}");
    assert_eq!(edge_ai(&["config", "check"], "").0, 2);
    let (code, _, error) = edge_ai(&["keys", "list"], "");
    assert_eq!(code, 1);
    assert!(error.contains("EDGE_AI_ADMIN_TOKEN"), "{error}");
}

#[test]
fn the_schema_is_the_published_one() {
    let (code, out, _) = edge_ai(&["config", "schema"], "");
    assert_eq!(code, 0);
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/config.schema.json");
    assert_eq!(out, std::fs::read_to_string(published).unwrap());
}
