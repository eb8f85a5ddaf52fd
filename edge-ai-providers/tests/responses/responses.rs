use edge_ai_core::{ChatOutput, ContentPart, ErrorKind, FinishReason, ReasoningPart, ToolCall, Usage};
use edge_ai_providers::anthropic::encode_messages_response;
use edge_ai_providers::openai::encode_chat_response;
use edge_ai_providers::openai::responses::{
    Echo, decode_responses_request, decode_responses_response, encode_responses_response,
};
use serde_json::json;

use crate::{fixture, head, json as read};

#[test]
fn an_answer_is_read() {
    let answer = decode_responses_response(fixture!("text.json")).unwrap();
    assert_eq!(
        (&*answer.id, &*answer.model),
        ("resp_68af", "gpt-6-luna-2026-09-01")
    );
    assert_eq!(answer.text(), "Grüße 🐱\n");
    let thought = ReasoningPart::new(
        "Looking.\n\nFound.",
        Some("openai.responses:rs_68af:gAAAAABo".into()),
    );
    assert_eq!(answer.content[0], ContentPart::Reasoning(thought));
    let mut usage = Usage::new(36, 87);
    usage.cache_read_tokens = 16;
    usage.reasoning_tokens = 64;
    assert_eq!(answer.usage, Some(usage));
    assert_eq!(answer.finish_reason, FinishReason::Stop);
    let calls = decode_responses_response(fixture!("tools.json")).unwrap();
    assert_eq!(calls.finish_reason, FinishReason::ToolCalls);
    assert_eq!(
        calls.tool_calls().map(|call| &*call.id).collect::<Vec<_>>(),
        ["call_a", "call_b"]
    );
}

#[test]
fn an_answer_goes_out_as_it_came() {
    let body = fixture!("text.json");
    let answer = decode_responses_response(body.clone()).unwrap();
    assert_eq!(
        encode_responses_response(&answer, &head(), &Echo::default()),
        body
    );
}

#[test]
fn failures_are_errors() {
    let error = decode_responses_response(fixture!("failed.json")).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Unavailable, Some("server_error"))
    );
    for junk in ["", "[]", "{}", "{\"output\":5}", "{\"object\":\"response\"}"] {
        assert_eq!(
            decode_responses_response(junk.into()).unwrap_err().kind(),
            ErrorKind::BadUpstream,
            "{junk}"
        );
    }
}

#[test]
fn an_answer_is_written_with_what_was_asked() {
    let mut output = ChatOutput::default();
    output.id = "msg_01ABC".into();
    output.model = "claude".into();
    output.content = vec![
        ContentPart::Reasoning(ReasoningPart::new("Hm", Some("EqoB".into()))),
        ContentPart::Reasoning(ReasoningPart::redacted("Emwc")),
        ContentPart::text("Paris"),
        ContentPart::Refusal("No.".into()),
        ContentPart::ToolCall(ToolCall::new("", "f", "")),
    ];
    output.finish_reason = FinishReason::ToolCalls;
    output.usage = Some(Usage::new(3, 4));
    let asked =
        json!({"model": "m", "input": "x", "temperature": 0.5, "metadata": {"a": "b"}, "store": true});
    let echo = decode_responses_request(&asked.to_string().into()).unwrap().echo;
    let written = read(&encode_responses_response(&output.clone().into(), &head(), &echo));
    assert_eq!(
        (
            &written["id"],
            &written["status"],
            &written["temperature"],
            &written["metadata"],
            &written["store"]
        ),
        (
            &json!("resp_01ABC"),
            &json!("completed"),
            &json!(0.5),
            &json!({"a": "b"}),
            &json!(false)
        )
    );
    assert_eq!(
        written["output"],
        json!([
            {"type": "reasoning", "id": "rs_01ABC_0", "summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": "signature:EqoB"},
            {"type": "reasoning", "id": "rs_01ABC_1", "summary": [], "encrypted_content": "redacted:Emwc"},
            {"type": "message", "id": "msg_01ABC_2", "status": "completed", "role": "assistant", "content": [
                {"type": "output_text", "text": "Paris", "annotations": [], "logprobs": []}, {"type": "refusal", "refusal": "No."}]},
            {"type": "function_call", "id": "fc_01ABC_3", "status": "completed", "call_id": "call_01ABC_3", "name": "f", "arguments": "{}"}
        ])
    );
    output.finish_reason = FinishReason::Length;
    let cut = read(&encode_responses_response(&output.into(), &head(), &echo));
    assert_eq!(
        (&cut["status"], &cut["incomplete_details"]["reason"]),
        (&json!("incomplete"), &json!("max_output_tokens"))
    );
}

#[test]
fn thoughts_reach_other_clients_with_their_seal() {
    let answer = decode_responses_response(fixture!("text.json")).unwrap();
    let message = read(&encode_messages_response(&answer, &head()));
    assert_eq!(message["id"], "msg_68af");
    assert_eq!(
        message["content"][0]["signature"],
        "openai.responses:rs_68af:gAAAAABo"
    );
    let chat = read(&encode_chat_response(&answer, &head()));
    assert_eq!(chat["id"], "chatcmpl-68af");
    let block = &chat["choices"][0]["message"]["thinking_blocks"][0];
    assert_eq!(block["signature"], "openai.responses:rs_68af:gAAAAABo");
}
