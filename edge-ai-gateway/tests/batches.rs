//! OpenAI's files and batches, over objects and files in memory.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{Body, Error, ErrorKind, Inline, ManualClock, SeededEntropy};
use edge_ai_gateway::{ApiKeys, Caller, Gateway, LocalJobs, LongWork, MemoryFiles, RetryPolicy};
use edge_ai_testkit::scripted::{ScriptedChatModel, ScriptedProvider};
use futures_executor::block_on;
use http::{Request, Response};
use serde_json::{Value, json};

struct Bench {
    gateway: Gateway,
    jobs: LocalJobs,
    clock: ManualClock,
}

fn bench() -> Bench {
    let clock = ManualClock::default();
    clock.advance(Duration::from_secs(1_000_000));
    let jobs = LocalJobs::new(clock.clone());
    let refused = Error::new(ErrorKind::ContentFiltered, "refused");
    let model = ScriptedChatModel::new().fail(refused).otherwise("yes");
    let gateway = Gateway::builder(clock.clone(), SeededEntropy::new(7))
        .provider(ScriptedProvider::new("vendor", model))
        .retry(RetryPolicy::NEVER)
        .access(ApiKeys::parse("acme:sk-acme-0001,globex:sk-globex-1").unwrap())
        .long_work(LongWork::new(jobs.clone()).batches(MemoryFiles::default()))
        .build()
        .unwrap();
    Bench { gateway, jobs, clock }
}

impl Bench {
    fn send(&self, key: &str, method: &str, path: &str, kind: &str, body: String) -> Response<Body> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", kind)
            .body(Body::from(body))
            .unwrap();
        block_on(self.gateway.handle(request, Caller::new(Arc::new(Inline))))
    }

    fn get(&self, key: &str, path: &str) -> Response<Body> {
        self.send(key, "GET", path, "", String::new())
    }

    fn json(&self, method: &str, path: &str, body: &Value) -> Value {
        read(self.send(ACME, method, path, "application/json", body.to_string()))
    }

    fn upload(&self, lines: &[String]) -> String {
        let form = format!(
            "--b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; \
             filename=\"in.jsonl\"\r\n\r\n{}\r\n--b--\r\n",
            lines.join("\n")
        );
        let file = read(self.send(ACME, "POST", "/v1/files", "multipart/form-data; boundary=b", form));
        text(&file, "id")
    }

    fn create(&self, file: &str) -> String {
        let asked =
            json!({ "input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h" });
        text(&self.json("POST", "/v1/batches", &asked), "id")
    }

    fn batch(&self, id: &str) -> Value {
        self.json("GET", &format!("/v1/batches/{id}"), &Value::Null)
    }

    /// Works on every message, and does what is due, until there is nothing.
    fn work(&self) {
        for _ in 0..20 {
            while let Some(message) = self.jobs.next_message() {
                block_on(self.gateway.work(&message, Arc::new(Inline))).unwrap();
            }
            self.clock.advance(Duration::from_secs(2));
            block_on(self.jobs.wake()).unwrap();
        }
    }
}

const ACME: &str = "sk-acme-0001";

fn line(id: usize) -> String {
    let body = json!({ "model": "vendor/any", "messages": [{ "role": "user", "content": "hi" }] });
    json!({ "custom_id": format!("{id}"), "method": "POST", "url": "/v1/chat/completions", "body": body })
        .to_string()
}

fn text(value: &Value, name: &str) -> String {
    value
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{name} of {value}"))
        .to_owned()
}

fn bytes(response: Response<Body>) -> Vec<u8> {
    block_on(response.into_body().bytes(1 << 20)).unwrap().to_vec()
}

fn read(response: Response<Body>) -> Value {
    serde_json::from_slice(&bytes(response)).unwrap()
}

#[test]
fn every_line_has_its_answer_or_its_error() {
    let bench = bench();
    let lines: Vec<String> = (0..25).map(line).collect();
    let id = bench.create(&bench.upload(&lines));
    assert_eq!(bench.batch(&id)["status"], "validating");
    bench.work();
    let batch = bench.batch(&id);
    assert_eq!(batch["status"], "completed", "{batch}");
    assert_eq!(
        batch["request_counts"],
        json!({ "total": 25, "completed": 24, "failed": 1 })
    );
    let file = |name: &str| {
        let id = text(&batch, name);
        let content = String::from_utf8(bytes(bench.get(ACME, &format!("/v1/files/{id}/content")))).unwrap();
        let lines: Vec<Value> = content
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        lines
    };
    let (answers, errors) = (file("output_file_id"), file("error_file_id"));
    assert_eq!((answers.len(), errors.len()), (24, 1));
    assert_eq!(
        answers[0]["response"]["body"]["choices"][0]["message"]["content"],
        "yes"
    );
    assert_eq!(errors[0]["response"]["status_code"], 400);
}

#[test]
fn nobody_sees_anothers() {
    let bench = bench();
    let file = bench.upload(&[line(0)]);
    let id = bench.create(&file);
    let other = "sk-globex-1";
    for path in [
        format!("/v1/files/{file}"),
        format!("/v1/files/{file}/content"),
        format!("/v1/batches/{id}"),
    ] {
        assert_eq!(bench.get(other, &path).status(), 404, "{path}");
        assert_eq!(bench.get("nobody-knows", &path).status(), 401, "{path}");
        assert_eq!(bench.get(ACME, &path).status(), 200, "{path}");
    }
    for path in ["/v1/files", "/v1/batches"] {
        assert_eq!(read(bench.get(other, path))["data"], json!([]));
        assert_eq!(read(bench.get(ACME, path))["data"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn a_cancelled_batch_works_no_more() {
    let bench = bench();
    let id = bench.create(&bench.upload(&[line(0)]));
    let cancelled = bench.json("POST", &format!("/v1/batches/{id}/cancel"), &Value::Null);
    assert_eq!(cancelled["status"], "cancelling");
    bench.work();
    let batch = bench.batch(&id);
    assert_eq!(
        (&batch["status"], &batch["output_file_id"]),
        (&json!("cancelled"), &Value::Null)
    );
}

#[test]
fn what_is_wrong_with_lines_is_told() {
    let bench = bench();
    let id = bench.create(&bench.upload(&[line(0), line(0), "nonsense".to_owned()]));
    bench.work();
    let batch = bench.batch(&id);
    assert_eq!(batch["status"], "failed");
    assert_eq!(batch["errors"]["data"][0]["code"], "duplicate_custom_id");
    assert_eq!(batch["errors"]["data"][1]["line"], 3);
}
