//! Variants, context windows, refusals and a client's wishes, seen through a router and through the gateway.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    ChatModel, ChatOutput, ChatRequest, Clock, Context, Error, ErrorKind, FinishReason, Inline, ManualClock,
    Provider, SeededEntropy, Timestamp,
};
use edge_ai_gateway::{
    Affinity, Caller, Condition, FallbackOn, Gateway, RetryPolicy, Route, RouteTable, Router,
};
use edge_ai_testkit::memory::MemoryUsageSink;
use edge_ai_testkit::scripted::{ScriptedChatModel, ScriptedProvider};
use futures_executor::block_on;

const START: Timestamp = Timestamp::from_millis(1_000);

fn script() -> ScriptedChatModel {
    ScriptedChatModel::new()
}

fn router(vendors: Vec<(&str, ScriptedChatModel)>, route: Route) -> (Router, ManualClock) {
    let clock = ManualClock::jumping(START);
    let providers = vendors.into_iter().map(|(name, model)| {
        Arc::new(ScriptedProvider::new(name, model.with_clock(clock.clone()))) as Arc<dyn Provider>
    });
    let table = RouteTable::new(providers.collect(), vec![("r".to_owned(), route)]).unwrap();
    let router = Router::new(
        Arc::new(table),
        Arc::new(clock.clone()),
        Arc::new(SeededEntropy::new(7)),
    );
    (router, clock)
}

fn ask(router: &Router, words: usize, context: Context) -> (Result<String, Error>, Vec<String>) {
    let trail = context.trail.clone();
    let request = ChatRequest::new("r")
        .user("word ".repeat(words))
        .with_context(context);
    let answer = block_on(router.chat(request)).map(|answer| answer.text());
    let asked = trail.attempts().into_iter();
    (answer, asked.map(|attempt| attempt.provider).collect())
}

fn asked(router: &Router, words: usize) -> Vec<String> {
    ask(router, words, Context::default()).1
}

fn too_long() -> Error {
    Error::new(ErrorKind::ContextLength, "too long")
}

/// By the catalog: 128,000, 272,000 and 1,047,576 tokens; nobody knows `own/model`.
const WINDOWS: [&str; 4] = ["openai/gpt-4o", "openai/gpt-5", "openai/gpt-4.1", "own/model"];

#[test]
fn a_window_that_is_too_small_is_passed_over() {
    let vendors = || {
        vec![
            ("openai", script().otherwise("a")),
            ("own", script().otherwise("b")),
        ]
    };
    let (router, _) = router(vendors(), Route::fallback(WINDOWS));
    let model = |words| {
        let context = Context::default();
        let trail = context.trail.clone();
        ask(&router, words, context).0.unwrap();
        trail.attempts().pop().unwrap().model
    };
    assert_eq!(model(10), "gpt-4o");
    assert_eq!(model(200_000), "gpt-5");
    assert_eq!(model(600_000), "gpt-4.1");
    assert_eq!(model(2_000_000), "model", "nobody knows that it is too small");
}

#[test]
fn with_nobody_else_the_small_window_is_asked() {
    let (router, _) = router(
        vec![("openai", script().fail(too_long()))],
        Route::fallback(["openai/gpt-4o"]),
    );
    let (answer, asked) = ask(&router, 200_000, Context::default());
    assert_eq!(
        (answer.unwrap_err().kind(), asked.len()),
        (ErrorKind::ContextLength, 1)
    );
}

#[test]
fn after_too_long_a_prompt_only_larger_windows_are_asked() {
    let openai = script().fail(too_long()).answer("large");
    let context = Context::default();
    let trail = context.trail.clone();
    let route = Route::fallback([
        "openai/gpt-5",
        "openai/gpt-5-mini",
        "openai/gpt-4o",
        "openai/gpt-4.1",
    ]);
    let (router, _) = router(vec![("openai", openai)], route);
    assert_eq!(ask(&router, 10, context).0.unwrap(), "large");
    let models: Vec<_> = trail
        .attempts()
        .into_iter()
        .map(|attempt| attempt.model)
        .collect();
    assert_eq!(models, ["gpt-5", "gpt-4.1"]);
}

fn filtered() -> Error {
    Error::new(ErrorKind::ContentFiltered, "no")
}

#[test]
fn a_refusal_goes_on_where_the_route_says_so() {
    let vendors = || vec![("a", script().fail(filtered())), ("b", script().otherwise("b"))];
    let (strict, _) = router(vendors(), Route::fallback(["a/x", "b/x"]));
    assert_eq!(asked(&strict, 1), ["a"]);
    let on = [FallbackOn::Default, FallbackOn::ContentPolicy];
    let (lenient, _) = router(vendors(), Route::fallback_on(on, ["a/x", "b/x"]));
    assert_eq!(asked(&lenient, 1), ["a", "b"]);
}

#[test]
fn an_empty_answer_of_a_filter_is_a_refusal_there() {
    let mut empty = ChatOutput::from_text("");
    empty.content.clear();
    empty.finish_reason = FinishReason::ContentFilter;
    let mut cut = ChatOutput::from_text("half");
    cut.finish_reason = FinishReason::ContentFilter;
    let a = || script().output(empty.clone()).output(cut.clone());
    let vendors = || vec![("a", a()), ("b", script().otherwise("b"))];
    let (strict, _) = router(vendors(), Route::fallback(["a/x", "b/x"]));
    assert_eq!(ask(&strict, 1, Context::default()).0.unwrap(), "");
    let route = Route::fallback_on([FallbackOn::ContentPolicy], ["a/x", "b/x"]);
    let (lenient, _) = router(vendors(), route);
    assert_eq!(ask(&lenient, 1, Context::default()).0.unwrap(), "b");
    assert_eq!(ask(&lenient, 1, Context::default()).0.unwrap(), "half");
    let stream = |router: &Router| {
        let context = Context::default();
        let trail = context.trail.clone();
        let request = ChatRequest::new("r").user("hi").with_context(context);
        block_on(router.chat_stream(request)).unwrap();
        trail.attempts().len()
    };
    let route = Route::fallback_on([FallbackOn::ContentPolicy], ["a/x", "b/x"]);
    let (lenient, _) = self::router(vendors(), route);
    assert_eq!(stream(&lenient), 2);
}

#[test]
fn a_failure_that_is_not_named_stays_with_its_target() {
    let limited = || Error::new(ErrorKind::RateLimited, "slow down");
    let a = script().fail(limited()).answer("a");
    let b = script().otherwise("b");
    let route = Route::fallback_on([FallbackOn::ContextLength], ["a/x", "b/x"]);
    let (router, _) = router(vec![("a", a), ("b", b)], route);
    let (answer, asked) = ask(&router, 1, Context::default());
    assert_eq!(answer.unwrap(), "a");
    assert_eq!(asked, ["a", "a"]);
}

#[test]
fn the_drawn_variant_is_told_also_when_another_answers() {
    let down = || Error::new(ErrorKind::NotFound, "gone");
    let canary = (0..50).fold(script(), |model, _| model.fail(down()));
    let vendors = vec![("a", script().otherwise("a")), ("b", canary)];
    let inner = Route::experiment(None, [("b1", "b/x", 1)]);
    let by = Some(Affinity::metadata("session"));
    let route = Route::experiment(by, [("stable", Route::from("a/x"), 1), ("canary", inner, 1)]);
    let (router, _) = router(vendors, route);
    let variant = |session: usize| {
        let mut context = Context::default();
        context.metadata.insert("session".into(), session.to_string());
        let trail = context.trail.clone();
        ask(&router, 1, context).0.unwrap();
        trail.variant().unwrap().to_string()
    };
    let first: Vec<_> = (0..20).map(variant).collect();
    assert!(
        first.iter().any(|variant| variant == "canary/b1") && first.iter().any(|variant| variant == "stable"),
        "{first:?}"
    );
    assert_eq!((0..20).map(variant).collect::<Vec<_>>(), first);
}

#[test]
fn a_clients_haste_is_met_and_closes_nothing_to_others() {
    let hasty = (0..8).fold(script(), |model, _| model.hang());
    let (router, clock) = router(vec![("a", hasty.otherwise("a"))], Route::alias("a/x"));
    for _ in 0..8 {
        let mut context = Context::default();
        context.retry.timeout = Some(Duration::from_millis(5));
        let (answer, _) = ask(&router, 1, context);
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Timeout);
    }
    assert_eq!(clock.now().since(START), Duration::from_millis(40));
    assert_eq!(ask(&router, 1, Context::default()).0.unwrap(), "a");
}

#[test]
fn a_client_gets_as_many_tries_as_the_operator_lets_it() {
    let down = || Error::new(ErrorKind::Unavailable, "down");
    let tries = |policy: Option<RetryPolicy>, wish| {
        let a = ScriptedChatModel::from_fn(move |_| Err(down()));
        let (mut router, _) = router(vec![("a", a)], Route::alias("a/x"));
        if let Some(policy) = policy {
            router = router.retry(policy);
        }
        let mut context = Context::default();
        context.retry.attempts = wish;
        ask(&router, 1, context).1.len()
    };
    assert_eq!(
        [tries(None, None), tries(None, Some(1)), tries(None, Some(4))],
        [2, 1, 4]
    );
    assert_eq!(tries(Some(RetryPolicy::NEVER), Some(5)), 1);
    let mut thrifty = RetryPolicy::default();
    thrifty.retry_percent = 0;
    assert_eq!(tries(Some(thrifty), Some(5)), 1);
}

#[test]
fn an_outage_costs_a_share_of_retries_and_no_more() {
    let a = ScriptedChatModel::from_fn(|_| Err(Error::new(ErrorKind::RateLimited, "slow down")));
    let clock = ManualClock::new(START);
    let provider = Arc::new(ScriptedProvider::new("a", a.clone())) as Arc<dyn Provider>;
    let table = RouteTable::new(vec![provider], Vec::new()).unwrap();
    let mut policy = RetryPolicy::default();
    policy.backoff = Duration::ZERO;
    let entropy = Arc::new(SeededEntropy::new(7));
    let router = Router::new(Arc::new(table), Arc::new(clock.clone()), entropy).retry(policy);
    for _ in 0..1_000 {
        clock.advance(Duration::from_millis(1));
        let request = ChatRequest::new("a/x").user("hi");
        let _ = futures_util::FutureExt::now_or_never(router.chat(request));
    }
    // A fifth, and ten at once and ten in the second.
    let calls = a.requests().len();
    assert!((1_200..=1_221).contains(&calls), "{calls}");
}

#[test]
fn the_gateway_reads_headers_tells_the_variant_and_records_it() {
    let sink = Arc::new(MemoryUsageSink::default());
    let vendor = |name| ScriptedProvider::new(name, script().otherwise(name));
    let canary = Route::experiment(None, [("canary", "a/x", 1)]);
    let gateway = Gateway::builder(ManualClock::new(START), SeededEntropy::new(1))
        .provider(vendor("a"))
        .provider(vendor("b"))
        .route(
            "r",
            Route::when(Condition::header("x-beta", "yes"), canary, "b/x"),
        )
        .usage(Arc::clone(&sink))
        .build()
        .unwrap();
    let post = |headers: &[(&str, &str)]| {
        let body = r#"{"model": "r", "messages": [{"role": "user", "content": "hi"}]}"#;
        let mut request = http::Request::post("/v1/chat/completions");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        block_on(gateway.handle(request, Caller::new(Arc::new(Inline))))
    };
    let beta = post(&[("X-Beta", "yes")]);
    assert_eq!(beta.headers()["x-edge-ai-provider"], "a");
    assert_eq!(beta.headers()["x-edge-ai-variant"], "canary");
    let plain = post(&[("X-Beta", "no")]);
    assert_eq!(plain.headers()["x-edge-ai-provider"], "b");
    assert!(!plain.headers().contains_key("x-edge-ai-variant"));
    assert_eq!(post(&[("X-Beta", &"y".repeat(300))]).status(), 400);
    assert_eq!(post(&[("cf-aig-max-attempts", "many")]).status(), 400);
    let variants: Vec<_> = sink.records().into_iter().map(|record| record.variant).collect();
    assert_eq!(variants, [Some("canary".to_owned()), None]);
}
