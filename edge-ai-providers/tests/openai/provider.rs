use std::sync::Arc;

use edge_ai_core::{
    Capabilities, ChatRequest, Context, EmbeddingRequest, Error, ErrorKind, HttpClient, ModelInfo, Provider,
    Secret, TraceContext, Usage,
};
use edge_ai_providers::OpenAi;
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use futures_executor::block_on;
use futures_util::StreamExt;

use crate::fixture::fixture;

fn openai(http: &ScriptedHttpClient) -> OpenAi {
    OpenAi::builder(Arc::new(http.clone()), Secret::new("sk-secret"))
        .organization("org-1")
        .project("proj_1")
        .build()
        .unwrap()
}

fn body(body: bytes::Bytes) -> ScriptedResponse {
    ScriptedResponse::new(200)
        .header("content-type", "application/json")
        .body(body)
}

#[test]
fn a_chat_goes_to_its_address_with_its_credentials() {
    let http = ScriptedHttpClient::new().respond(body(fixture!("responses/text.json")));
    let chat = openai(&http).chat_model().unwrap();
    let answer = block_on(chat.chat(ChatRequest::new("gpt-4.1").user("Hello!"))).unwrap();
    assert_eq!(answer.text(), "Hello! How can I assist you today?");
    let request = &http.requests()[0];
    assert_eq!(
        (request.method().as_str(), request.uri().to_string().as_str()),
        ("POST", "https://api.openai.com/v1/chat/completions")
    );
    for (name, value) in [
        ("authorization", "Bearer sk-secret"),
        ("content-type", "application/json"),
        ("openai-organization", "org-1"),
        ("openai-project", "proj_1"),
    ] {
        assert_eq!(request.headers()[name], value);
    }
    let sent = serde_json::json!({"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hello!"}]});
    assert_eq!(http.last_json(), sent);
}

#[test]
fn a_server_is_told_of_the_trace_only_where_the_request_says_so() {
    let http = ScriptedHttpClient::from_fn(|_| Ok(body(fixture!("responses/text.json"))));
    let chat = openai(&http).chat_model().unwrap();
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for told in [true, false] {
        let mut context =
            Context::default().with_trace(TraceContext::parse(parent).unwrap().with_state("a=1"));
        context.tell_trace = told;
        let request = ChatRequest::new("gpt-4.1").user("Hello!").with_context(context);
        block_on(chat.chat(request)).unwrap();
    }
    let [told, untold] = &http.requests()[..] else {
        panic!()
    };
    assert_eq!(
        (&told.headers()["traceparent"], &told.headers()["tracestate"]),
        (&parent.parse().unwrap(), &"a=1".parse().unwrap())
    );
    assert!(!untold.headers().contains_key("traceparent") && !untold.headers().contains_key("tracestate"));
}

#[test]
fn a_stream_is_read_as_it_arrives() {
    let response = ScriptedResponse::sse(fixture!("streams/text.sse")).cut_every(7);
    let http = ScriptedHttpClient::new().respond(response);
    let chat = openai(&http).chat_model().unwrap();
    let stream = block_on(chat.chat_stream(ChatRequest::new("gpt-4o-mini").user("Hello!"))).unwrap();
    let output = block_on(stream.collect()).unwrap();
    assert_eq!(output.text(), "Grüße 🐱\n");
    assert_eq!(
        http.last_json()["stream_options"],
        serde_json::json!({"include_usage": true})
    );
    assert_eq!(http.in_flight().count(), 0);
}

#[test]
fn a_dropped_stream_lets_the_server_go() {
    let response = ScriptedResponse::sse(fixture!("streams/text.sse")).cut_every(200);
    let http = ScriptedHttpClient::new().respond(response);
    let chat = openai(&http).chat_model().unwrap();
    let mut stream = block_on(chat.chat_stream(ChatRequest::new("m").user("Hello!"))).unwrap();
    block_on(stream.next()).unwrap().unwrap();
    assert_eq!(http.in_flight().count(), 1);
    drop(stream);
    assert_eq!(http.in_flight().count(), 0);
}

#[test]
fn errors_name_the_provider() {
    let limited = || {
        let head = ScriptedResponse::new(429)
            .header("content-type", "application/json")
            .header("retry-after", "7");
        head.body(fixture!("errors/rate_limit.json"))
    };
    let http = ScriptedHttpClient::new()
        .respond(limited())
        .respond(limited())
        .respond(ScriptedResponse::sse(fixture!("streams/cut.sse")))
        .respond(body(fixture!("streams/cut.sse")))
        .respond(body(fixture!("streams/cut.sse")))
        .fail(Error::new(ErrorKind::Unavailable, "connection refused"));
    let chat = OpenAi::compatible(
        "groq",
        "https://api.groq.com/openai/v1",
        Arc::new(http),
        Secret::new("k"),
    )
    .unwrap()
    .chat_model()
    .unwrap();
    let ask = || ChatRequest::new("m").user("Hello!");
    let check = |error: Error, kind: ErrorKind| {
        assert_eq!(
            (error.kind(), error.provider()),
            (kind, Some("groq")),
            "{error:?}"
        );
        assert!(!format!("{error} {error:?}").contains("Bearer"));
        error
    };
    let error = check(block_on(chat.chat(ask())).unwrap_err(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after().unwrap().as_secs(), 7);
    check(
        block_on(chat.chat_stream(ask())).unwrap_err(),
        ErrorKind::RateLimited,
    );
    let cut = block_on(chat.chat_stream(ask())).unwrap();
    check(block_on(cut.collect()).unwrap_err(), ErrorKind::Interrupted);
    check(block_on(chat.chat(ask())).unwrap_err(), ErrorKind::BadUpstream);
    check(
        block_on(chat.chat_stream(ask())).unwrap_err(),
        ErrorKind::BadUpstream,
    );
    check(block_on(chat.chat(ask())).unwrap_err(), ErrorKind::Unavailable);
    check(
        block_on(chat.chat(ChatRequest::new("m"))).unwrap_err(),
        ErrorKind::InvalidRequest,
    );
}

#[test]
fn many_inputs_are_sent_in_several_calls() {
    let http = ScriptedHttpClient::from_fn(|request| {
        let sent: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        let inputs = sent["input"].as_array().unwrap();
        // Each vector tells its text.
        let number = |text: &serde_json::Value| text.as_str().unwrap().parse::<f32>().unwrap();
        let data: Vec<_> = inputs
            .iter()
            .enumerate()
            .map(|(index, text)| serde_json::json!({"index": index, "embedding": [number(text)]}))
            .collect();
        let usage = serde_json::json!({"prompt_tokens": inputs.len(), "total_tokens": inputs.len()});
        Ok(ScriptedResponse::json(
            200,
            &serde_json::json!({"data": data, "model": "m", "usage": usage}),
        ))
    });
    let embeddings = openai(&http).embedding_model().unwrap();
    let texts: Vec<_> = (0..5_000).map(|number| number.to_string()).collect();
    let answer = block_on(embeddings.embed(EmbeddingRequest::new("m", texts))).unwrap();
    assert_eq!(http.requests().len(), 3);
    assert_eq!(answer.usage, Some(Usage::new(5_000, 0)));
    assert!(
        answer
            .embeddings
            .iter()
            .enumerate()
            .all(|(index, vector)| *vector == [index as f32])
    );
}

#[test]
fn too_few_vectors_are_a_bad_upstream() {
    let http = ScriptedHttpClient::new().respond(body(fixture!("embeddings/base64.json")));
    let embeddings = openai(&http).embedding_model().unwrap();
    let error = block_on(embeddings.embed(EmbeddingRequest::new("m", ["a", "b"]))).unwrap_err();
    assert_eq!(
        (error.kind(), error.provider()),
        (ErrorKind::BadUpstream, Some("openai"))
    );
}

#[test]
fn what_cannot_be_is_a_configuration_error() {
    let http: Arc<dyn HttpClient> = Arc::new(ScriptedHttpClient::new());
    let builder = || OpenAi::builder(Arc::clone(&http), Secret::new("sk-secret"));
    for wrong in [
        builder().base_url("api.example.com").build(),
        builder().name("Open/AI").build(),
        builder().name("").build(),
        builder().organization("a\nb").build(),
        OpenAi::builder(Arc::clone(&http), Secret::new("sk-\nsecret")).build(),
    ] {
        let error = wrong.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}

#[test]
fn the_key_does_not_show() {
    let http = ScriptedHttpClient::new();
    let builder = OpenAi::builder(Arc::new(http.clone()), Secret::new("sk-secret"));
    assert!(!format!("{builder:?} {:?}", openai(&http)).contains("sk-secret"));
}

#[test]
fn models_are_listed_and_recognised() {
    let http = ScriptedHttpClient::new();
    let openai = openai(&http);
    assert!(openai.models().iter().any(|model| model.capabilities.embeddings));
    assert!(openai.owns("gpt-5") && openai.owns("o3") && !openai.owns("claude-opus-4"));
    let local = OpenAi::builder(Arc::new(http), Secret::new(""))
        .name("ollama")
        .base_url("http://127.0.0.1:11434/v1")
        .models([ModelInfo::new("llama3.2", Capabilities::CHAT)])
        .build()
        .unwrap();
    assert_eq!(local.name(), "ollama");
    assert!(local.owns("llama3.2") && !local.owns("gpt-5"));
}
