use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    ChatModel, ChatRequest, EmbeddingModel, EmbeddingPurpose, EmbeddingRequest, EmbeddingText, ErrorKind,
    FinishReason, Provider, TokenCounter,
};
use edge_ai_providers::Gemini;
use edge_ai_providers::gemini::GENERATE;
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use futures_executor::block_on;
use serde_json::{Value, json};

use crate::fixture;

fn gemini(http: &ScriptedHttpClient) -> Gemini {
    Gemini::builder(Arc::new(http.clone()), "AIza-secret")
        .build()
        .unwrap()
}

fn json_answer(status: u16, body: impl Into<bytes::Bytes>) -> ScriptedResponse {
    ScriptedResponse::new(status)
        .header("content-type", "application/json")
        .body(body.into())
}

fn request() -> ChatRequest {
    ChatRequest::new("gemini-3.8-flash").user("hi")
}

#[test]
fn a_chat_is_one_request_with_the_key_in_a_header() {
    let http = ScriptedHttpClient::new().respond(json_answer(200, fixture!("text.response.json")));
    let answer = block_on(gemini(&http).chat(request())).unwrap();
    assert_eq!(answer.finish_reason, FinishReason::Stop);
    let sent = http.requests().remove(0);
    assert_eq!(
        sent.uri(),
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash:generateContent"
    );
    assert_eq!(sent.headers()["x-goog-api-key"], "AIza-secret");
    assert!(!sent.headers().contains_key("authorization"));
    assert_eq!(
        http.last_json(),
        json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]})
    );
    assert!(!format!("{:?}", gemini(&http)).contains("secret"));
}

#[test]
fn a_stream_arrives_and_names_its_provider_when_it_breaks() {
    let stream = fixture!("text.stream.sse");
    let http = ScriptedHttpClient::new()
        .respond(ScriptedResponse::sse(stream.clone()).cut_every(7))
        .respond(ScriptedResponse::sse(stream).end_after(300));
    let gemini = gemini(&http);
    let stream = block_on(gemini.chat_stream(request())).unwrap();
    assert_eq!(stream.dialect(), Some(&GENERATE));
    assert_eq!(block_on(stream.collect()).unwrap().text(), "Paris is é.");
    assert!(
        http.requests()[0]
            .uri()
            .to_string()
            .ends_with("/models/gemini-3.8-flash:streamGenerateContent?alt=sse")
    );
    let error = block_on(async { gemini.chat_stream(request()).await?.collect().await }).unwrap_err();
    assert_eq!(
        (error.kind(), error.provider()),
        (ErrorKind::Interrupted, Some("gemini"))
    );
}

#[test]
fn a_quota_tells_when_to_come_back() {
    let http = ScriptedHttpClient::new().respond(json_answer(429, fixture!("exhausted.error.json")));
    let error = block_on(gemini(&http).chat(request())).unwrap_err();
    assert_eq!(
        (error.kind(), error.code(), error.provider()),
        (ErrorKind::RateLimited, Some("RESOURCE_EXHAUSTED"), Some("gemini"))
    );
    assert_eq!(
        error.retry_after().map(|wait| wait.as_secs()),
        Some(Duration::from_secs(34).as_secs())
    );
}

#[test]
fn a_models_name_leads_nowhere_else() {
    let http = ScriptedHttpClient::new();
    for model in ["../v1/files", "gemini:batchGenerateContent", "a?key=b", ""] {
        let error = block_on(gemini(&http).chat(ChatRequest::new(model).user("hi"))).unwrap_err();
        assert_eq!(
            (error.kind(), error.param()),
            (ErrorKind::InvalidRequest, Some("model")),
            "{model}"
        );
    }
    assert!(http.requests().is_empty());
}

fn vectors(count: usize) -> Value {
    json!({"embeddings": vec![json!({"values": [3.0, 4.0]}); count], "usageMetadata": {"promptTokenCount": count}})
}

#[test]
fn embeddings_are_asked_for_in_batches_and_scaled() {
    let http = ScriptedHttpClient::new()
        .respond(json_answer(200, vectors(100).to_string()))
        .respond(json_answer(200, vectors(1).to_string()));
    let texts = (0..101).map(|number| number.to_string());
    let request = EmbeddingRequest::new("gemini-embedding-001", texts)
        .purpose(EmbeddingPurpose::Query)
        .dimensions(256);
    let output = block_on(gemini(&http).embed(request)).unwrap();
    assert_eq!(
        (output.embeddings.len(), output.embeddings[100].as_slice()),
        (101, &[0.6, 0.8][..])
    );
    assert_eq!(output.usage.unwrap().input_tokens, 101);
    assert_eq!(
        http.last_json(),
        json!({"requests": [{"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "100"}]},
            "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 256}]})
    );
}

#[test]
fn the_newer_model_has_the_purpose_in_words() {
    let http = ScriptedHttpClient::new().respond(json_answer(200, vectors(1).to_string()));
    let request = EmbeddingRequest::new("gemini-embedding-2", ["bears"]).purpose(EmbeddingPurpose::Document);
    block_on(gemini(&http).embed(request)).unwrap();
    let sent = http.last_json()["requests"][0].clone();
    assert_eq!(sent["content"]["parts"][0]["text"], "title: none | text: bears");
    assert_eq!(sent.get("taskType"), None);
}

#[test]
fn embeddings_that_cannot_be_are_refused_before_they_are_asked_for() {
    let http = ScriptedHttpClient::new();
    let mut tokens = EmbeddingRequest::new("gemini-embedding-001", ["x"]);
    tokens.input.edit().texts = vec![EmbeddingText::Tokens(vec![1])];
    let none: [&str; 0] = [];
    for (request, param) in [
        (tokens, "input[0]"),
        (EmbeddingRequest::new("gemini-embedding-001", none), "input"),
        (
            EmbeddingRequest::new("gemini-embedding-001", ["a", ""]),
            "input[1]",
        ),
    ] {
        assert_eq!(
            block_on(gemini(&http).embed(request)).unwrap_err().param(),
            Some(param)
        );
    }
    assert!(http.requests().is_empty());
}

#[test]
fn the_settings_are_checked() {
    let http = ScriptedHttpClient::new();
    let builder = || Gemini::builder(Arc::new(http.clone()), "AIza");
    let error = Gemini::builder(Arc::new(http.clone()), " ").build().unwrap_err();
    assert!(error.message().contains("GEMINI_API_KEY"));
    let error = builder().base_url("ftp://x").build().unwrap_err();
    assert!(error.message().contains("GEMINI_BASE_URL"));
    let gemini = builder().name("gemini-eu").build().unwrap();
    assert_eq!(gemini.name(), "gemini-eu");
    assert!(gemini.owns("gemini-4") && !gemini.owns("gpt-5"));
    assert!(gemini.models().iter().any(|model| model.capabilities.embeddings));
}

#[test]
fn a_prompt_is_counted_as_it_would_be_sent() {
    let http = ScriptedHttpClient::new().respond(json_answer(200, r#"{"totalTokens":7}"#));
    let count = block_on(gemini(&http).count_tokens(request())).unwrap();
    assert_eq!(count.input_tokens, 7);
    let path = http.requests()[0].uri().path().to_owned();
    assert!(path.ends_with("/models/gemini-3.8-flash:countTokens"), "{path}");
    let sent = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "model": "models/gemini-3.8-flash"});
    assert_eq!(http.last_json(), json!({"generateContentRequest": sent}));
}
