use edge_ai_core::{ContentPart, ErrorKind, FinishReason, ToolCall, Usage};
use edge_ai_providers::compatible::{AZURE, DEEPSEEK, GENERIC, MISTRAL, OPENROUTER, PERPLEXITY, XAI};
use edge_ai_providers::openai::{CHAT, encode_chat_response, encode_error};

use crate::exchange::{answer, fixture};

#[test]
fn deepseeks_thoughts_and_cached_tokens_are_read() {
    let output = answer(&DEEPSEEK, 200, fixture!("deepseek.response.json")).unwrap();
    assert!(
        matches!(&output.content[0], ContentPart::Reasoning(thought) if thought.text == "The forecast is needed.")
    );
    let mut usage = Usage::new(210, 40);
    usage.cache_read_tokens = 128;
    usage.reasoning_tokens = 18;
    assert_eq!(output.usage, Some(usage));
}

#[test]
fn xais_thoughts_are_counted_with_the_answer() {
    let output = answer(&XAI, 200, fixture!("xai.response.json")).unwrap();
    let mut usage = Usage::new(41, 209);
    usage.cache_read_tokens = 32;
    usage.reasoning_tokens = 200;
    assert_eq!(output.usage, Some(usage));
    assert_eq!(output.text(), "Paris");
}

#[test]
fn perplexitys_sources_are_kept() {
    let output = answer(&PERPLEXITY, 200, fixture!("perplexity.response.json")).unwrap();
    let citations: Vec<String> = output.extra.get(&CHAT, "citations").unwrap().to().unwrap();
    assert_eq!(citations, ["https://example.com/a", "https://example.com/b"]);
    assert!(output.extra.get(&CHAT, "search_results").is_some());
    // And written, where the answer is made anew.
    let body = encode_chat_response(&output.into(), &Default::default());
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["citations"][1], "https://example.com/b");
}

#[test]
fn geminis_calls_wait_for_results_and_keep_their_signatures() {
    let output = answer(&GENERIC, 200, fixture!("gemini.response.json")).unwrap();
    assert_eq!(output.finish_reason, FinishReason::ToolCalls);
    let calls: Vec<&ToolCall> = output.tool_calls().collect();
    assert!(calls[0].extra.get(&CHAT, "extra_content").is_some());
}

#[test]
fn geminis_errors_are_in_an_array() {
    let error = answer(&GENERIC, 400, fixture!("gemini.error.json")).unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::InvalidRequest, 400));
    assert!(error.message().starts_with("Invalid JSON payload"), "{error}");
    // A client of OpenAI's dialect gets an error of OpenAI's shape.
    let body: serde_json::Value = serde_json::from_slice(&encode_error(&error)).unwrap();
    assert!(body["error"]["message"].is_string());
}

#[test]
fn mistrals_refusal_of_a_field_names_it() {
    let error = answer(&MISTRAL, 422, fixture!("mistral.error.json")).unwrap_err();
    assert_eq!(
        (error.kind(), error.provider()),
        (ErrorKind::InvalidRequest, Some("mistral"))
    );
    assert!(error.message().contains("logprobs"), "{error}");
    assert!(!error.is_retryable());
}

#[test]
fn openrouters_error_in_the_place_of_an_answer_is_an_error() {
    let error = answer(&OPENROUTER, 200, fixture!("openrouter.error.json")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.message(), "Provider returned error");
    assert!(error.is_retryable());
}

#[test]
fn azures_filter_is_told_from_other_refusals() {
    let body = br#"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        "type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#;
    let error = crate::exchange::azure_answer(400, bytes::Bytes::from_static(body)).unwrap_err();
    assert_eq!(
        (error.kind(), error.provider()),
        (ErrorKind::ContentFiltered, Some(AZURE.name))
    );
}
