use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use serde_json::Value;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_edge-ai-local"))
}

#[tokio::test]
async fn it_tells_when_it_is_ready_and_stops_with_its_input() {
    let mut child = program()
        .args(["--port", "0", "--index", "docs:3:cosine", "--stop-on-stdin-eof"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let url = serde_json::from_str::<Value>(&line).unwrap()["ready"]
        .as_str()
        .unwrap()
        .to_owned();
    let health: Value = reqwest::get(format!("{url}/_local/health"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(health["stand_in"], true);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    let (mut rest, mut banner) = (String::new(), String::new());
    stdout.read_to_string(&mut rest).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut banner).unwrap();
    assert_eq!(rest, "", "one line only");
    assert!(
        banner.contains("STAND-IN") && banner.contains("index docs: 3 dimensions, cosine"),
        "{banner}"
    );
}

#[test]
fn a_taken_port_is_said_so() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = program()
        .args(["--port", &port])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains(&format!("port {port} is taken"))
    );
}
