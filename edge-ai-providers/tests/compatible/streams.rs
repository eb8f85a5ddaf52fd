use edge_ai_core::{ContentPart, ErrorKind, FinishReason, Provider, ToolCall, Usage};
use edge_ai_providers::compatible::{GENERIC, GROQ, MISTRAL, OPENROUTER, PERPLEXITY};
use edge_ai_providers::openai::{CHAT, ChatStreamEncoder};
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use futures_executor::block_on;
use futures_util::StreamExt;

use crate::exchange::{azure, chat_model, fixture, stream};

#[test]
fn groqs_usage_is_in_its_own_field() {
    let output = stream(&GROQ, fixture!("groq.stream.sse")).unwrap();
    assert_eq!(output.text(), "Paris");
    let mut usage = Usage::new(72, 9);
    usage.cache_read_tokens = 64;
    usage.reasoning_tokens = 3;
    assert_eq!(output.usage, Some(usage));
    assert!(output.extra.get(&CHAT, "x_groq").is_none());
}

#[test]
fn groqs_error_in_a_stream_is_an_error() {
    let error = stream(&GROQ, fixture!("groq.error.sse")).unwrap_err();
    assert_eq!(
        (error.kind(), error.provider()),
        (ErrorKind::Unavailable, Some("groq"))
    );
    assert_eq!(error.message(), "the model ran out of capacity");
}

#[test]
fn openrouters_comments_go_through_and_mean_nothing() {
    let body = fixture!("openrouter.stream.sse");
    let output = stream(&OPENROUTER, body.clone()).unwrap();
    assert_eq!(output.text(), "Paris");
    assert!(matches!(&output.content[0], ContentPart::Reasoning(thought) if thought.text == "Easy."));
    assert_eq!(output.finish_reason, FinishReason::Stop);
    let mut usage = Usage::new(12, 4);
    usage.cache_write_tokens = 8;
    usage.reasoning_tokens = 2;
    assert_eq!(output.usage, Some(usage));

    // A client of the dialect gets every byte, the comments included.
    let http = ScriptedHttpClient::new().respond(ScriptedResponse::sse(body.clone()).cut_every(11));
    let request = edge_ai_core::ChatRequest::new("m").user("Hello!");
    let sent = block_on(async {
        let mut stream = chat_model(&OPENROUTER, &http).chat_stream(request).await.unwrap();
        let mut encoder = ChatStreamEncoder::new(Default::default(), true);
        let mut sent = Vec::new();
        let dialect = stream.dialect().cloned();
        while let Some(frame) = stream.next().await {
            sent.extend_from_slice(&encoder.encode(&frame.unwrap(), dialect.as_ref()));
        }
        sent
    });
    assert_eq!(sent, body);
}

#[test]
fn openrouters_errors_in_a_stream_are_errors() {
    let error = stream(&OPENROUTER, fixture!("openrouter.error.sse")).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::RateLimited, "Rate limit exceeded")
    );
    let error = stream(&OPENROUTER, fixture!("openrouter.choice_error.sse")).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Unavailable, "Provider disconnected unexpectedly")
    );
}

#[test]
fn perplexitys_sources_come_with_the_end_of_a_stream() {
    let output = stream(&PERPLEXITY, fixture!("perplexity.stream.sse")).unwrap();
    assert_eq!(output.text(), "Paris [1].");
    let citations: Vec<String> = output.extra.get(&CHAT, "citations").unwrap().to().unwrap();
    assert_eq!(citations, ["https://example.com/a"]);
    assert!(output.extra.get(&CHAT, "search_results").is_some());
    assert_eq!(output.usage, Some(Usage::new(8, 5)));
}

#[test]
fn sources_are_written_where_a_stream_is_made_anew() {
    let http = ScriptedHttpClient::new().respond(ScriptedResponse::sse(fixture!("perplexity.stream.sse")));
    let request = edge_ai_core::ChatRequest::new("m").user("Hello!");
    let sent = block_on(async {
        let mut stream = chat_model(&PERPLEXITY, &http).chat_stream(request).await.unwrap();
        let mut encoder = ChatStreamEncoder::new(Default::default(), false);
        let mut sent = Vec::new();
        while let Some(frame) = stream.next().await {
            // As from a vendor of another dialect.
            sent.extend_from_slice(&encoder.encode(&frame.unwrap(), None));
        }
        String::from_utf8(sent).unwrap()
    });
    let with = sent.lines().filter(|line| line.contains("citations")).count();
    assert_eq!(with, 1, "{sent}");
    assert!(sent.contains(r#""citations":["https://example.com/a"]"#));
}

#[test]
fn geminis_calls_have_no_index_and_may_have_no_id() {
    let output = stream(&GENERIC, fixture!("gemini.stream.sse")).unwrap();
    let calls: Vec<&ToolCall> = output.tool_calls().collect();
    let said: Vec<_> = calls
        .iter()
        .map(|call| (call.name.as_str(), call.arguments.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("weather", r#"{"city":"Paris"}"#),
            ("weather", r#"{"city":"Rome"}"#)
        ]
    );
    assert_eq!(output.finish_reason, FinishReason::ToolCalls);
    let signature: serde_json::Value = calls[0].extra.get(&CHAT, "extra_content").unwrap().to().unwrap();
    assert_eq!(signature["google"]["thought_signature"], "EjQKMgEMOdbH");
    assert!(calls[1].extra.is_empty());
}

#[test]
fn mistrals_usage_needs_no_asking() {
    let http = ScriptedHttpClient::new().respond(ScriptedResponse::sse(fixture!("mistral.stream.sse")));
    let request = edge_ai_core::ChatRequest::new("m").user("Hello!");
    let output = block_on(async {
        let stream = chat_model(&MISTRAL, &http).chat_stream(request).await.unwrap();
        stream.collect().await.unwrap()
    });
    assert_eq!(output.usage, Some(Usage::new(94, 30)));
    assert_eq!(output.tool_calls().next().unwrap().id, "D681PevKs");
    assert_eq!(http.last_json()["stream"], true);
    assert_eq!(http.last_json().get("stream_options"), None);
}

#[test]
fn azures_stream_begins_with_the_filters_results() {
    let http = ScriptedHttpClient::new().respond(ScriptedResponse::sse(fixture!("azure.stream.sse")));
    let request = edge_ai_core::ChatRequest::new("gpt-4.1").user("Hello!");
    let azure = azure(&http, &[]).chat_model().unwrap();
    let output = block_on(async { azure.chat_stream(request).await.unwrap().collect().await }).unwrap();
    assert_eq!(
        (output.id.as_str(), output.model.as_str()),
        ("chatcmpl-Az1", "gpt-4.1-2025-04-14")
    );
    assert_eq!(output.text(), "Paris");
    assert_eq!(output.usage, Some(Usage::new(13, 2)));
    assert!(output.extra.get(&CHAT, "prompt_filter_results").is_some());
    assert_eq!(output.extra.get(&CHAT, "created").unwrap().get(), "1763942400");
}
