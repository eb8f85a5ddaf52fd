//! The Responses API and the counts of tokens, over HTTP.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use edge_ai_core::{
    CacheMode, ChatEvent, ChatModel, ChatRequest, Dialect, Error, ErrorKind, Inline, ManualClock, Provider,
    Result, SeededEntropy, TokenCount, TokenCounter, ToolCallDelta, Verbatim, async_trait,
};
use edge_ai_gateway::{Caller, Gateway, Route};
use edge_ai_providers::openai::responses::RESPONSES;
use edge_ai_testkit::scripted::{ScriptedChatModel, StreamStep};
use futures_executor::block_on;
use serde_json::{Value, json};

/// A vendor that may speak the dialect and count.
#[derive(Debug)]
struct Vendor {
    name: &'static str,
    chat: ScriptedChatModel,
    speaks: bool,
}

impl Provider for Vendor {
    fn name(&self) -> &str {
        self.name
    }

    fn chat_model(&self) -> Option<Arc<dyn ChatModel>> {
        Some(Arc::new(self.chat.clone()))
    }

    fn token_counter(&self) -> Option<Arc<dyn TokenCounter>> {
        self.speaks.then(|| Arc::new(Seven) as Arc<dyn TokenCounter>)
    }

    fn speaks(&self, _: &str, dialect: &Dialect) -> bool {
        self.speaks && *dialect == RESPONSES
    }
}

#[derive(Debug)]
struct Seven;

#[async_trait]
impl TokenCounter for Seven {
    async fn count_tokens(&self, _: ChatRequest) -> Result<Verbatim<TokenCount>> {
        Ok(TokenCount::new(7).into())
    }
}

fn gateway(speaking: &ScriptedChatModel, other: &ScriptedChatModel) -> Gateway {
    let vendor = |name, chat: &ScriptedChatModel, speaks| Vendor {
        name,
        chat: chat.clone(),
        speaks,
    };
    Gateway::builder(ManualClock::default(), SeededEntropy::new(1))
        .provider(vendor("speaking", speaking, true))
        .provider(vendor("other", other, false))
        .route("one", Route::fallback(["speaking/m"]))
        .route("both", Route::fallback(["speaking/m", "other/m"]))
        .build()
        .unwrap()
}

fn post(gateway: &Gateway, path: &str, body: &Value) -> (u16, http::HeaderMap, String) {
    let request = http::Request::post(path).body(body.to_string().into()).unwrap();
    block_on(async {
        let response = gateway.handle(request, Caller::new(Arc::new(Inline))).await;
        let (head, body) = response.into_parts();
        let body = body.bytes(1 << 20).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        (head.status.as_u16(), head.headers, body)
    })
}

fn read(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

#[test]
fn an_answer_is_a_response() {
    let model = ScriptedChatModel::new().answer("Paris");
    let gateway = gateway(&ScriptedChatModel::new(), &model);
    let asked = json!({"model": "other/m", "instructions": "Be brief.", "input": "Capital of France?", "store": true});
    let (status, headers, body) = post(&gateway, "/v1/responses", &asked);
    let body = read(&body);
    assert_eq!(
        (status, &headers["x-edge-ai-provider"]),
        (200, &"other".parse().unwrap())
    );
    assert_eq!(body["output"][0]["content"][0]["text"], "Paris");
    assert_eq!(
        (&body["object"], &body["status"]),
        (&json!("response"), &json!("completed"))
    );
    assert!(body["id"].as_str().unwrap().starts_with("resp_"));
    // Nothing is kept here, whatever was asked.
    assert_eq!(body["store"], false);
}

#[test]
fn a_stream_is_events_and_a_failure_ends_it() {
    let call = |index, id: &str| StreamStep::event(ChatEvent::ToolCall(ToolCallDelta::start(index, id, "f")));
    let steps = [
        StreamStep::text("Hm"),
        call(0, "a"),
        call(1, "b"),
        StreamStep::Item(Err(Error::new(ErrorKind::Interrupted, "the connection was lost"))),
    ];
    let model = ScriptedChatModel::new().stream(steps);
    let gateway = gateway(&ScriptedChatModel::new(), &model);
    let asked = json!({"model": "other/m", "input": "x", "stream": true});
    let (status, headers, body) = post(&gateway, "/v1/responses", &asked);
    assert_eq!(
        (status, &headers["content-type"]),
        (200, &"text/event-stream".parse().unwrap())
    );
    let last = body.trim_end().rsplit("\n\n").next().unwrap();
    assert!(
        last.starts_with("event: error\ndata: {\"type\":\"error\","),
        "{last}"
    );
    assert!(body.starts_with("event: response.created\n") && !body.contains("response.completed"));
}

#[test]
fn what_a_vendor_keeps_goes_to_it_alone() {
    let asked = |model: &str| json!({"model": model, "input": "x", "previous_response_id": "resp_1"});
    for model in ["speaking/m", "one"] {
        let speaking = ScriptedChatModel::new().answer("yes");
        let gateway = gateway(&speaking, &ScriptedChatModel::new());
        let (status, _, body) = post(&gateway, "/v1/responses", &asked(model));
        assert_eq!(status, 200, "{body}");
        assert_eq!(speaking.requests()[0].context.cache.mode, CacheMode::Bypass);
    }
    for model in ["other/m", "both"] {
        let gateway = gateway(&ScriptedChatModel::new(), &ScriptedChatModel::new());
        let (status, _, body) = post(&gateway, "/v1/responses", &asked(model));
        let error = &read(&body)["error"];
        assert_eq!((status, &error["param"]), (400, &json!("previous_response_id")));
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .contains("send the conversation so far as `input`")
        );
    }
}

#[test]
fn kept_responses_are_not_here() {
    let gateway = gateway(&ScriptedChatModel::new(), &ScriptedChatModel::new());
    for path in [
        "/v1/responses/resp_1",
        "/v1/responses/resp_1/input_items",
        "/v1/responses/resp_1/cancel",
    ] {
        let (status, _, body) = post(&gateway, path, &json!({}));
        assert_eq!(
            (status, &read(&body)["error"]["code"]),
            (404, &json!("response_not_found"))
        );
    }
}

#[test]
fn tokens_are_counted_or_estimated() {
    let gateway = gateway(&ScriptedChatModel::new(), &ScriptedChatModel::new());
    let messages = |model: &str| json!({"model": model, "messages": [{"role": "user", "content": "What is the capital of France?"}]});
    let (status, headers, body) = post(&gateway, "/v1/messages/count_tokens", &messages("other/m"));
    assert_eq!((status, body.as_str()), (200, r#"{"input_tokens":13}"#));
    assert_eq!(headers["x-edge-ai-token-count"], "estimate");
    let (_, headers, body) = post(&gateway, "/v1/messages/count_tokens", &messages("both"));
    assert_eq!(
        (body.as_str(), &headers["x-edge-ai-token-count"]),
        (r#"{"input_tokens":7}"#, &"exact".parse().unwrap())
    );
    let asked = json!({"model": "other/m", "input": "What is the capital of France?"});
    let (_, headers, body) = post(&gateway, "/v1/responses/input_tokens", &asked);
    assert_eq!(
        read(&body),
        json!({"object": "response.input_tokens", "input_tokens": 13})
    );
    assert_eq!(headers["x-edge-ai-token-count"], "estimate");
    let (status, _, body) = post(
        &gateway,
        "/v1/messages/count_tokens",
        &json!({"model": "nobody/m", "messages": [{"role": "user", "content": "x"}]}),
    );
    assert_eq!((status, &read(&body)["type"]), (404, &json!("error")));
}
