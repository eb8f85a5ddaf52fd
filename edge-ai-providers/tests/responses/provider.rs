use std::sync::Arc;

use bytes::Bytes;
use edge_ai_core::{ChatRequest, Provider, Secret};
use edge_ai_providers::OpenAi;
use edge_ai_providers::anthropic::MESSAGES;
use edge_ai_providers::openai::responses::{RESPONSES, decode_responses_request};
use edge_ai_providers::openai::{CHAT, ChatApi, OpenAiBuilder};
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use futures_executor::block_on;

use crate::fixture;

fn answer() -> ScriptedResponse {
    ScriptedResponse::new(200)
        .header("content-type", "application/json")
        .body(fixture!("text.json"))
}

fn builder(http: &ScriptedHttpClient) -> OpenAiBuilder {
    OpenAi::builder(Arc::new(http.clone()), Secret::new("sk-secret"))
}

fn path(http: &ScriptedHttpClient) -> String {
    http.requests().last().unwrap().uri().path().to_owned()
}

#[test]
fn a_client_of_the_dialect_reaches_it_as_it_wrote() {
    let http = ScriptedHttpClient::new().respond(answer());
    let openai = builder(&http).build().unwrap();
    let body = Bytes::from_static(br#"{ "model":"gpt-6-luna","input":"Hi",  "x":1 }"#);
    let request = decode_responses_request(&body).unwrap().request;
    let answer = block_on(openai.chat_model().unwrap().chat(request)).unwrap();
    assert_eq!(path(&http), "/v1/responses");
    assert_eq!(http.requests()[0].body(), &body);
    assert_eq!(answer.native_in(&RESPONSES), Some(&fixture!("text.json")));
}

#[test]
fn the_api_is_chosen_by_provider_and_by_model() {
    for (api, model, expect) in [
        (Some(ChatApi::Responses), "gpt-4.1", true),
        (Some(ChatApi::Completions), "gpt-4.1", false),
        (None, "gpt-4.1", false),
        (None, "gpt-5-pro", true),
        (None, "mine", true),
    ] {
        let http = ScriptedHttpClient::new().respond(answer());
        let mut builder = builder(&http).responses_models(["mine"]);
        if let Some(api) = api {
            builder = builder.chat_api(api);
        }
        let openai = builder.build().unwrap();
        // What the scripted server says reads as an answer of one of the two APIs alone.
        let outcome = block_on(
            openai
                .chat_model()
                .unwrap()
                .chat(ChatRequest::new(model).user("Hi")),
        );
        assert_eq!(path(&http) == "/v1/responses", expect, "{model}");
        assert_eq!(outcome.is_ok(), expect);
        assert_eq!(
            openai.speaks(model, &RESPONSES),
            api != Some(ChatApi::Completions)
        );
        assert_eq!(openai.speaks(model, &CHAT), !expect);
        assert!(!openai.speaks(model, &MESSAGES));
    }
}

#[test]
fn another_server_is_asked_by_completions() {
    let http = ScriptedHttpClient::new();
    let groq = OpenAi::compatible(
        "groq",
        "https://api.groq.com/openai/v1",
        Arc::new(http),
        Secret::new("k"),
    )
    .unwrap();
    assert!(!groq.speaks("m", &RESPONSES));
    assert!(groq.token_counter().is_none());
}

#[test]
fn a_stream_is_read_as_it_arrives() {
    let http = ScriptedHttpClient::new().respond(ScriptedResponse::sse(fixture!("text.sse")).cut_every(7));
    let openai = builder(&http).chat_api(ChatApi::Responses).build().unwrap();
    let stream = block_on(
        openai
            .chat_model()
            .unwrap()
            .chat_stream(ChatRequest::new("m").user("Hi")),
    )
    .unwrap();
    assert_eq!(stream.dialect(), Some(&RESPONSES));
    assert_eq!(block_on(stream.collect()).unwrap().text(), "Grüße 🐱\n");
    assert_eq!(http.last_json()["stream"], true);
}

#[test]
fn errors_name_the_provider() {
    for stream in [fixture!("failed.sse"), fixture!("cut.sse")] {
        let http = ScriptedHttpClient::new().respond(ScriptedResponse::sse(stream));
        let openai = builder(&http).chat_api(ChatApi::Responses).build().unwrap();
        let stream = block_on(
            openai
                .chat_model()
                .unwrap()
                .chat_stream(ChatRequest::new("m").user("Hi")),
        )
        .unwrap();
        assert_eq!(block_on(stream.collect()).unwrap_err().provider(), Some("openai"));
    }
}

#[test]
fn tokens_are_counted_by_the_vendor() {
    let counted = ScriptedResponse::new(200)
        .header("content-type", "application/json")
        .body(r#"{"object":"response.input_tokens","input_tokens":11}"#);
    let http = ScriptedHttpClient::new().respond(counted);
    let openai = builder(&http).build().unwrap();
    let counter = openai.token_counter().unwrap();
    let count = block_on(counter.count_tokens(ChatRequest::new("gpt-4.1").user("Hi"))).unwrap();
    assert_eq!(
        (path(&http).as_str(), count.input_tokens),
        ("/v1/responses/input_tokens", 11)
    );
}
