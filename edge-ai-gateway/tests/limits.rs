//! Limits over the whole of the gateway: what counts, what is given back, and what a client is told.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    Body, ChatEvent, Error, ErrorKind, Inline, LimitRule, ManualClock, SeededEntropy, Timestamp, Usage,
};
use edge_ai_gateway::{Caller, Gateway, Limits, RetryPolicy, Route};
use edge_ai_testkit::scripted::{ScriptedChatModel, ScriptedProvider, StreamStep};
use futures_executor::block_on;
use futures_util::StreamExt;
use http::{Request, Response};

struct Bench {
    clock: ManualClock,
    limits: Limits,
    first: ScriptedChatModel,
    second: ScriptedChatModel,
    gateway: Gateway,
}

/// Two providers that answer "one two three", for 10 tokens in and 5 out, and one that never ends it; the route `r` goes to the first, then
/// the second, and `s` to the slow one, then the second.
fn bench(rules: &str) -> Bench {
    let clock = ManualClock::new(Timestamp::from_millis(1_798_761_500_000));
    let limits = Limits::new(Arc::new(clock.clone()));
    limits.replace(serde_json::from_str(rules).unwrap()).unwrap();
    let model = || {
        let stream = [
            StreamStep::text("one two three"),
            StreamStep::event(ChatEvent::Usage(Usage::new(10, 5))),
            StreamStep::event(ChatEvent::Done),
        ];
        (0..50).fold(ScriptedChatModel::new().with_clock(clock.clone()), |model, _| {
            model.stream(stream.clone())
        })
    };
    let (first, second) = (model(), model());
    let slow = (0..9).fold(ScriptedChatModel::new(), |model, _| {
        model.stream([StreamStep::text("one two three"), StreamStep::Hang])
    });
    let gateway = Gateway::builder(clock.clone(), SeededEntropy::new(1))
        .provider(ScriptedProvider::new("openai", first.clone()))
        .provider(ScriptedProvider::new("other", second.clone()))
        .provider(ScriptedProvider::new("slow", slow))
        .route("r", Route::fallback(["openai/gpt-4o-mini", "other/b"]))
        .route("s", Route::fallback(["slow/a", "other/b"]))
        .retry(RetryPolicy::NEVER)
        .limits(limits.clone())
        .build()
        .unwrap();
    Bench {
        clock,
        limits,
        first,
        second,
        gateway,
    }
}

impl Bench {
    fn ask(&self, path: &str, body: &str) -> Response<Body> {
        let request = Request::post(path).body(body.to_owned().into()).unwrap();
        block_on(self.gateway.handle(request, Caller::new(Arc::new(Inline))))
    }

    fn chat(&self, model: &str, more: &str) -> Response<Body> {
        let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"hi"}}]{more}}}"#);
        self.ask("/v1/chat/completions", &body)
    }

    fn calls(&self) -> (usize, usize) {
        (self.first.requests().len(), self.second.requests().len())
    }
}

fn text(response: Response<Body>) -> String {
    String::from_utf8(block_on(response.into_body().bytes(1 << 20)).unwrap().to_vec()).unwrap()
}

fn left(response: &Response<Body>, name: &str) -> u64 {
    response.headers()[name].to_str().unwrap().parse().unwrap()
}

#[test]
fn tokens_are_reserved_then_settled() {
    let bench = bench(r#"["1000 tokens per day"]"#);
    let first = bench.chat("openai/gpt-4o-mini", r#","max_tokens":900"#);
    assert_eq!(first.status(), 200);
    assert!(left(&first, "x-ratelimit-remaining-tokens") < 100);
    // 15 of them were used.
    let second = bench.chat("openai/gpt-4o-mini", r#","max_tokens":100"#);
    assert!((860..885).contains(&left(&second, "x-ratelimit-remaining-tokens")));
    let denied = bench.chat("openai/gpt-4o-mini", r#","max_tokens":990"#);
    assert_eq!(denied.status(), 429);
    assert!(denied.headers().contains_key("retry-after"));
    let body = text(denied);
    assert!(
        body.contains("rate_limit_exceeded") && body.contains("1000 tokens in each day"),
        "{body}"
    );
    assert_eq!(bench.calls().0, 2, "what is refused costs the vendor nothing");
}

#[test]
fn a_stream_holds_until_its_end_and_no_longer() {
    let bench = bench(r#"["1 concurrency per key"]"#);
    let stream = bench.chat("openai/gpt-4o-mini", r#","stream":true"#);
    assert_eq!(stream.status(), 200);
    assert_eq!(bench.chat("openai/gpt-4o-mini", "").status(), 429);
    assert!(text(stream).ends_with("data: [DONE]\n\n"));
    assert_eq!(bench.chat("openai/gpt-4o-mini", "").status(), 200);
    // A client that leaves after the first piece.
    let mut left = bench
        .chat("slow/a", r#","stream":true"#)
        .into_body()
        .into_stream();
    assert!(block_on(left.next()).is_some());
    assert_eq!(bench.chat("openai/gpt-4o-mini", "").status(), 429);
    drop(left);
    assert_eq!(bench.chat("openai/gpt-4o-mini", "").status(), 200);
}

#[test]
fn who_leaves_pays_for_what_came() {
    let bench = bench(r#"["1000 tokens per day"]"#);
    let mut left_early = bench
        .chat("slow/a", r#","stream":true,"max_tokens":800"#)
        .into_body()
        .into_stream();
    assert!(block_on(left_early.next()).is_some());
    drop(left_early);
    let next = bench.chat("openai/gpt-4o-mini", r#","max_tokens":1"#);
    let remaining = left(&next, "x-ratelimit-remaining-tokens");
    assert!((950..990).contains(&remaining), "{remaining}");
}

#[test]
fn what_nobody_answered_costs_a_request_and_no_token() {
    let bench = bench(r#"["1000 tokens per day", "5 requests per day"]"#);
    let failing = ScriptedChatModel::new().fail(Error::new(ErrorKind::Unavailable, "down"));
    let gateway = Gateway::builder(bench.clock.clone(), SeededEntropy::new(1))
        .provider(ScriptedProvider::new("down", failing))
        .retry(RetryPolicy::NEVER)
        .limits(bench.limits.clone())
        .build()
        .unwrap();
    let body = r#"{"model":"down/x","max_tokens":900,"messages":[{"role":"user","content":"hi"}]}"#;
    let request = Request::post("/v1/chat/completions").body(body.into()).unwrap();
    assert_eq!(
        block_on(gateway.handle(request, Caller::new(Arc::new(Inline)))).status(),
        503
    );
    assert_eq!(bench.ask("/v1/chat/completions", "{").status(), 400);
    let next = bench.chat("openai/gpt-4o-mini", r#","max_tokens":900"#);
    assert_eq!(next.status(), 200);
    assert_eq!(left(&next, "x-ratelimit-remaining-requests"), 2);
}

#[test]
fn a_provider_over_its_limit_is_passed_over() {
    let bench = bench(r#"["1 requests per minute per provider"]"#);
    for provider in ["openai", "other"] {
        let answer = bench.chat("r", "");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-edge-ai-provider"], provider);
    }
    let denied = bench.chat("r", "");
    assert_eq!(denied.status(), 429);
    assert!(text(denied).contains("the gateway's limit `requests-minute-provider`"));
    assert_eq!(bench.calls(), (1, 1));
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!(bench.chat("r", "").headers()["x-edge-ai-provider"], "openai");
}

#[test]
fn a_provider_s_permit_ends_with_its_stream() {
    let bench = bench(r#"["1 concurrency per routed_model"]"#);
    let stream = |bench: &Bench| bench.chat("s", r#","stream":true"#);
    let first = stream(&bench);
    assert_eq!(first.headers()["x-edge-ai-provider"], "slow");
    let mut first = first.into_body().into_stream();
    assert!(block_on(first.next()).is_some());
    assert_eq!(stream(&bench).headers()["x-edge-ai-provider"], "other");
    drop(first);
    assert_eq!(stream(&bench).headers()["x-edge-ai-provider"], "slow");
}

#[test]
fn spend_is_by_price_and_ends_with_the_month() {
    // 10 in at $0.15 and 5 out at $0.60 for a million: 4,500 nano-dollars.
    let bench = bench(r#"[{"name": "budget", "measure": "spend", "amount": "$0.00001", "window": "month"}]"#);
    for _ in 0..2 {
        assert_eq!(
            bench.chat("openai/gpt-4o-mini", r#","max_tokens":1"#).status(),
            200
        );
    }
    let denied = bench.chat("openai/gpt-4o-mini", r#","max_tokens":1"#);
    assert_eq!(denied.status(), 429);
    assert_eq!(denied.headers()["x-should-retry"], "false");
    // 100 seconds before the year's end.
    assert_eq!(denied.headers()["retry-after"], "100");
    let body = text(denied);
    assert!(
        body.contains("insufficient_quota") && body.contains("budget"),
        "{body}"
    );
    bench.clock.advance(Duration::from_secs(100));
    assert_eq!(
        bench.chat("openai/gpt-4o-mini", r#","max_tokens":1"#).status(),
        200
    );
}

#[test]
fn anthropics_clients_are_told_in_their_words() {
    let bench = bench(r#"["2 requests per minute", "5000 input_tokens per minute"]"#);
    let body = r#"{"model":"other/b","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}"#;
    let answer = bench.ask("/v1/messages", body);
    assert_eq!(answer.headers()["anthropic-ratelimit-requests-remaining"], "1");
    assert_eq!(answer.headers()["anthropic-ratelimit-input-tokens-limit"], "5000");
    bench.ask("/v1/messages", body);
    let denied = bench.ask("/v1/messages", body);
    assert_eq!(denied.status(), 429);
    assert!(text(denied).contains("rate_limit_error"));
}

#[test]
fn an_exchange_keeps_what_was_counted() {
    let bench = bench(r#"["2 requests per day", "9 requests per day per ip"]"#);
    bench.chat("other/b", "");
    let rules: Vec<LimitRule> = vec!["3 requests per day".parse().unwrap()];
    bench.limits.replace(rules).unwrap();
    assert_eq!(
        left(&bench.chat("other/b", ""), "x-ratelimit-remaining-requests"),
        1
    );
}
