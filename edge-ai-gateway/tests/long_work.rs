//! Requests that are queued instead of awaited: from the first answer to the last, over objects in memory.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{Body, Clock, Error, ErrorKind, Inline, ManualClock, Secret, SeededEntropy};
use edge_ai_gateway::{ApiKeys, Caller, Gateway, LocalJobs, LongWork};
use edge_ai_testkit::memory::MemoryUsageSink;
use edge_ai_testkit::scripted::{ScriptedChatModel, ScriptedHttpClient, ScriptedProvider, ScriptedResponse};
use futures_executor::block_on;
use http::{Request, Response};
use serde_json::{Value, json};

struct Bench {
    gateway: Gateway,
    jobs: LocalJobs,
    clock: ManualClock,
    model: ScriptedChatModel,
    http: ScriptedHttpClient,
    sink: MemoryUsageSink,
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn bench(model: ScriptedChatModel) -> Bench {
    let clock = ManualClock::default();
    let http = ScriptedHttpClient::new()
        .respond(ScriptedResponse::new(500))
        .respond(ScriptedResponse::new(204));
    let jobs = LocalJobs::with_webhooks(clock.clone(), http.clone(), Secret::from(SECRET));
    let sink = MemoryUsageSink::default();
    let gateway = Gateway::builder(clock.clone(), SeededEntropy::new(7))
        .provider(ScriptedProvider::new("vendor", model.clone()))
        .retry(edge_ai_gateway::RetryPolicy::NEVER)
        .access(ApiKeys::parse("acme:sk-acme-0001,globex:sk-globex-1").unwrap())
        .usage(sink.clone())
        .long_work(
            LongWork::new(jobs.clone())
                .max_attempts(3)
                .webhooks(Secret::from(SECRET))
                .unwrap(),
        )
        .build()
        .unwrap();
    Bench {
        gateway,
        jobs,
        clock,
        model,
        http,
        sink,
    }
}

impl Bench {
    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", "Bearer sk-acme-0001");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = request.body(Body::from(body)).unwrap();
        block_on(self.gateway.handle(request, Caller::new(Arc::new(Inline))))
    }

    fn queue(&self, headers: &[(&str, &str)]) -> String {
        let mut all = vec![("prefer", "respond-async")];
        all.extend(headers);
        let response = self.send("POST", "/v1/chat/completions", &all, &ask());
        assert_eq!(response.status(), 202);
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        let told = read(response);
        assert_eq!(told.get("status"), Some(&json!("queued")));
        assert_eq!(
            location,
            format!("/v1/jobs/{}", told.get("id").and_then(Value::as_str).unwrap())
        );
        location
    }

    fn show(&self, location: &str) -> Value {
        read(self.send("GET", location, &[], &Value::Null))
    }

    /// Works on every message that there is.
    fn work(&self) -> usize {
        let mut worked = 0;
        while let Some(message) = self.jobs.next_message() {
            block_on(self.gateway.work(&message, Arc::new(Inline))).unwrap();
            worked += 1;
        }
        worked
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        block_on(self.jobs.wake()).unwrap();
    }
}

fn ask() -> Value {
    json!({ "model": "vendor/any", "messages": [{ "role": "user", "content": "hi" }] })
}

fn read(response: Response<Body>) -> Value {
    serde_json::from_slice(&block_on(response.into_body().bytes(1 << 20)).unwrap()).unwrap()
}

fn down() -> Error {
    Error::new(ErrorKind::Unavailable, "down")
}

#[test]
fn an_answer_is_kept_for_its_owner() {
    let bench = bench(ScriptedChatModel::new().answer("Paris"));
    let job = bench.queue(&[("cf-aig-metadata", r#"{"team":"maps"}"#)]);
    assert_eq!(bench.model.requests().len(), 0);
    let early = bench.send("GET", &format!("{job}/result"), &[], &Value::Null);
    assert_eq!(
        (early.status().as_u16(), read(early)["error"]["code"].as_str()),
        (409, Some("job_not_finished"))
    );

    assert_eq!(bench.work(), 1);
    let shown = bench.show(&job);
    assert_eq!(shown["status"], "completed");
    assert_eq!(shown["progress"]["attempts"], 1);
    let answer = bench.send("GET", &format!("{job}/result"), &[], &Value::Null);
    assert_eq!(answer.status(), 200);
    assert_eq!(read(answer)["choices"][0]["message"]["content"], "Paris");

    let records = bench.sink.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].metadata["job_id"], shown["id"].as_str().unwrap());
    assert_eq!(records[0].metadata["team"], "maps");
    assert_eq!(records[0].tenant.as_deref(), Some("acme"));
    let name = bench.model.requests()[0].context.idempotency_key.clone().unwrap();
    assert_eq!(&*name, format!("{}-0", shown["id"].as_str().unwrap()));
}

#[test]
fn nobody_else_learns_that_there_is_a_job() {
    let bench = bench(ScriptedChatModel::new().answer("Paris"));
    let job = bench.queue(&[]);
    bench.work();
    let other = ("authorization", "Bearer sk-globex-1");
    for (method, rest) in [
        ("GET", ""),
        ("GET", "/result"),
        ("GET", "/events"),
        ("POST", "/cancel"),
        ("DELETE", ""),
    ] {
        let refused = bench.send(method, &format!("{job}{rest}"), &[other], &Value::Null);
        assert_eq!(refused.status(), 404, "{method} {rest}");
        let unknown = format!("/v1/jobs/job_{:032x}{rest}", 1);
        assert_eq!(bench.send(method, &unknown, &[], &Value::Null).status(), 404);
    }
    assert_eq!(
        bench
            .send("GET", &job, &[("authorization", "Bearer nobody")], &Value::Null)
            .status(),
        401
    );
    assert_eq!(bench.show(&job)["status"], "completed");
}

#[test]
fn a_message_too_many_pays_nothing() {
    let bench = bench(ScriptedChatModel::new().answer("once"));
    let job = bench.queue(&[]);
    let message = bench.jobs.next_message().unwrap();
    for _ in 0..3 {
        block_on(bench.gateway.work(&message, Arc::new(Inline))).unwrap();
    }
    assert_eq!(bench.model.requests().len(), 1);
    assert_eq!(bench.show(&job)["progress"]["attempts"], 1);
}

#[test]
fn a_fault_is_tried_again_and_in_the_end_kept_with_its_reason() {
    let bench = bench(
        ScriptedChatModel::new()
            .fail(down())
            .fail(down())
            .answer("at last"),
    );
    let job = bench.queue(&[]);
    bench.work();
    let shown = bench.show(&job);
    assert_eq!(
        (&shown["status"], &shown["error"]),
        (&json!("queued"), &Value::Null)
    );
    assert_eq!(shown["progress"]["last_error"]["retryable"], true);
    assert_eq!(bench.work(), 0, "it waits");
    bench.pass(2);
    assert_eq!(bench.work(), 1);
    bench.pass(4);
    assert_eq!(bench.work(), 1);
    assert_eq!(bench.show(&job)["status"], "completed");
    // Failures that were told are other calls for the vendor.
    let names: Vec<_> = bench
        .model
        .requests()
        .iter()
        .map(|request| request.context.idempotency_key.clone().unwrap())
        .collect();
    assert!(names[0] != names[1] && names[1] != names[2], "{names:?}");

    let bench = self::bench(ScriptedChatModel::new().fail(down()).fail(down()).fail(down()));
    let job = bench.queue(&[]);
    for wait in [0, 2, 4, 8, 16] {
        bench.pass(wait);
        bench.work();
    }
    let shown = bench.show(&job);
    assert_eq!(
        (&shown["status"], &shown["dead_letter"]),
        (&json!("failed"), &json!(true))
    );
    assert_eq!(shown["progress"]["attempts"], 3);
    assert!(
        shown["error"]["message"].as_str().unwrap().contains("down"),
        "{shown}"
    );
    assert_eq!(
        bench
            .send("GET", &format!("{job}/result"), &[], &Value::Null)
            .status(),
        503
    );
}

#[test]
fn a_final_refusal_is_not_tried_again() {
    let bench = bench(ScriptedChatModel::new().fail(Error::invalid("temperature", "too hot")));
    let job = bench.queue(&[]);
    bench.work();
    let shown = bench.show(&job);
    assert_eq!(
        (&shown["status"], &shown["dead_letter"]),
        (&json!("failed"), &json!(false))
    );
    let answer = bench.send("GET", &format!("{job}/result"), &[], &Value::Null);
    assert_eq!(
        (answer.status().as_u16(), read(answer)["error"]["param"].as_str()),
        (400, Some("temperature"))
    );
}

#[test]
fn what_cannot_be_answered_is_refused_at_once() {
    let bench = bench(ScriptedChatModel::new());
    let at_once = |headers: &[(&str, &str)], body: &Value| {
        let mut all = vec![("x-edge-ai-async", "true")];
        all.extend(headers);
        bench
            .send("POST", "/v1/chat/completions", &all, body)
            .status()
            .as_u16()
    };
    assert_eq!(at_once(&[], &json!({ "model": "vendor/any" })), 400);
    assert_eq!(
        at_once(
            &[],
            &json!({ "model": "nothing", "messages": [{ "role": "user", "content": "x" }] })
        ),
        404
    );
    assert_eq!(at_once(&[("authorization", "Bearer nobody")], &ask()), 401);
    assert_eq!(
        at_once(&[("x-edge-ai-webhook", "https://169.254.169.254/")], &ask()),
        400
    );
    assert_eq!(
        bench
            .send(
                "POST",
                "/v1/chat/completions",
                &[("x-edge-ai-async", "later")],
                &ask()
            )
            .status(),
        400
    );
    assert!(bench.jobs.next_message().is_none());
}

#[test]
fn a_cancelled_job_is_not_worked_on() {
    let bench = bench(ScriptedChatModel::new());
    let job = bench.queue(&[]);
    let cancelled = bench.send("POST", &format!("{job}/cancel"), &[], &Value::Null);
    assert_eq!(read(cancelled)["status"], "cancelled");
    bench.work();
    assert_eq!(bench.model.requests().len(), 0);
    assert_eq!(
        read(bench.send("GET", &format!("{job}/result"), &[], &Value::Null))["error"]["code"],
        "job_cancelled"
    );
    assert_eq!(bench.send("DELETE", &job, &[], &Value::Null).status(), 200);
    assert_eq!(bench.send("GET", &job, &[], &Value::Null).status(), 404);
}

#[test]
fn what_has_ended_is_forgotten_after_its_time() {
    let bench = bench(ScriptedChatModel::new().answer("x"));
    let job = bench.queue(&[]);
    bench.work();
    bench.pass(86_399);
    assert_eq!(bench.show(&job)["status"], "completed");
    bench.pass(2);
    assert_eq!(bench.send("GET", &job, &[], &Value::Null).status(), 404);
}

#[test]
fn the_owner_is_told_by_a_signed_webhook() {
    let bench = bench(ScriptedChatModel::new().answer("x"));
    let job = bench.queue(&[("x-edge-ai-webhook", "https://example.com/hook")]);
    bench.work();
    bench.pass(0);
    assert_eq!(bench.show(&job)["webhook"]["error"], "it answered 500");
    bench.pass(5);
    let shown = bench.show(&job);
    assert_eq!(
        (&shown["webhook"]["attempts"], &shown["webhook"]["error"]),
        (&json!(2), &Value::Null)
    );
    let requests = bench.http.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        requests[0].headers()["webhook-id"],
        requests[1].headers()["webhook-id"]
    );
    assert!(
        requests[0].headers()["webhook-signature"]
            .to_str()
            .unwrap()
            .starts_with("v1,")
    );
    let event: Value = serde_json::from_slice(requests[1].body()).unwrap();
    assert_eq!(event["type"], "job.completed");
    assert_eq!(event["data"]["status"], "completed");

    let secret = |key: &str| {
        let key = format!("Bearer {key}");
        let headers = [("authorization", key.as_str())];
        read(bench.send("GET", "/v1/jobs/webhook-secret", &headers, &Value::Null))["secret"].clone()
    };
    assert!(secret("sk-acme-0001").as_str().unwrap().starts_with("whsec_"));
    assert_ne!(
        secret("sk-acme-0001"),
        secret("sk-globex-1"),
        "no tenant can sign for another"
    );
    assert!(bench.clock.now().as_secs() > 0);
}
