//! Guardrails around the whole stack, as a client of the gateway meets them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use edge_ai::EdgeAi;
use edge_ai::cache::MemoryCache;
use edge_ai::core::{ChatOutput, Inline, ManualClock, SeededEntropy};
use edge_ai::gateway::{Caller, Route};
use edge_ai::guard::GuardConfig;
use edge_ai_testkit::scripted::{ScriptedChatModel, ScriptedProvider};
use futures_executor::block_on;
use http::Response;

const CONFIG: &str = r#"{
    "pii": {"types": ["email"], "action": "redact"},
    "secrets": {"action": "block"},
    "deny": [
        {"name": "watched", "terms": ["zurich"], "action": "flag", "on": "request"},
        {"name": "rival", "terms": ["acme"], "action": "block", "on": "answer"}
    ]
}"#;

/// A gateway over a model that says what it was told.
fn edge() -> (EdgeAi, ScriptedChatModel) {
    let echo = ScriptedChatModel::from_fn(|request| {
        let said = request
            .messages
            .last()
            .map(|message| message.text())
            .unwrap_or_default();
        Ok(ChatOutput::from_text(said))
    });
    let clock = ManualClock::default();
    let edge = EdgeAi::builder_with(clock.clone(), SeededEntropy::new(1))
        .provider(ScriptedProvider::new("scripted", echo.clone()))
        .route("echo", Route::alias("scripted/any"))
        .cache(MemoryCache::new(clock), Duration::from_secs(60))
        .guard(GuardConfig::from_json(CONFIG).unwrap().build().unwrap())
        .build()
        .unwrap();
    (edge, echo)
}

/// Asks, and reads all of the answer.
fn ask(edge: &EdgeAi, path: &str, text: &str, stream: bool) -> Response<String> {
    let body = serde_json::json!({
        "model": "echo", "max_tokens": 50, "stream": stream, "messages": [{"role": "user", "content": text}],
    });
    let request = http::Request::post(path)
        .header("content-type", "application/json")
        .body(body.to_string().into())
        .unwrap();
    block_on(async {
        let response = edge
            .gateway()
            .handle(request, Caller::new(Arc::new(Inline)))
            .await;
        let (head, body) = response.into_parts();
        let bytes = body.bytes(1 << 20).await.unwrap();
        Response::from_parts(head, String::from_utf8(bytes.to_vec()).unwrap())
    })
}

const OPENAI: &str = "/v1/chat/completions";
const ANTHROPIC: &str = "/v1/messages";

#[test]
fn an_address_is_seen_by_no_provider_and_comes_back_in_every_dialect() {
    for path in [OPENAI, ANTHROPIC] {
        for stream in [false, true] {
            let (edge, model) = edge();
            let response = ask(&edge, path, "I am ada@example.com", stream);
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["x-edge-ai-guardrails"], "redact pii");
            assert!(response.body().contains("ada@example.com"), "{}", response.body());
            assert!(!response.body().contains("EMAIL"), "{}", response.body());
            assert_eq!(model.last_request().unwrap().messages[0].text(), "I am [EMAIL_1]");
        }
    }
}

#[test]
fn a_kept_answer_is_put_back_for_each_who_asks() {
    let (edge, model) = edge();
    assert!(
        ask(&edge, OPENAI, "I am ada@example.com", false)
            .body()
            .contains("ada@example.com")
    );
    let again = ask(&edge, OPENAI, "I am bob@example.org", false);
    assert_eq!(again.headers()["x-edge-ai-cache"], "hit");
    assert!(again.body().contains("bob@example.org") && !again.body().contains("ada@"));
    assert_eq!(model.requests().len(), 1);
}

#[test]
fn a_block_is_a_400_in_the_clients_words_and_never_says_the_secret() {
    let (edge, model) = edge();
    let key = format!("ghp_{}", "aB3".repeat(12));
    let refused = ask(&edge, OPENAI, &key, false);
    assert_eq!(refused.status(), 400);
    let error: serde_json::Value = serde_json::from_str(refused.body()).unwrap();
    assert_eq!(error["error"]["code"], "guardrail_blocked");
    assert_eq!(error["error"]["param"], "messages[0].content[0]");
    assert_eq!(refused.headers()["x-edge-ai-guardrails"], "block secrets");
    assert!(!refused.body().contains(&key));
    let refused = ask(&edge, ANTHROPIC, &key, true);
    assert_eq!(refused.status(), 400);
    assert!(refused.body().contains("github_token"), "{}", refused.body());
    assert!(model.requests().is_empty());
}

#[test]
fn a_block_within_a_stream_takes_the_place_of_its_end() {
    for path in [OPENAI, ANTHROPIC] {
        let (edge, _) = edge();
        let body = ask(&edge, path, "buy at ACME now", true).into_body();
        assert!(body.contains("`deny`: rival"), "{body}");
        assert!(
            !body.contains("ACME") && !body.contains("[DONE]") && !body.contains("message_stop"),
            "{body}"
        );
    }
}

#[test]
fn a_flag_lets_through() {
    let (edge, _) = edge();
    let response = ask(&edge, OPENAI, "Where is Zürich?", false);
    assert_eq!(
        (
            response.status().as_u16(),
            &response.headers()["x-edge-ai-guardrails"]
        ),
        (200, &"flag deny".parse().unwrap())
    );
}
