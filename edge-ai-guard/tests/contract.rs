//! A guarded model is still a model.

use std::sync::Arc;

use edge_ai_core::{
    Capabilities, ChatModel, ChatOutput, ChatRequest, ContentPart, Error, ErrorKind, FinishReason,
    ResponseFormat, Result, ToolCall, ToolChoice, Usage,
};
use edge_ai_guard::{AnswerSchema, DenyList, GuardedChatModel, Guardrails, Injection, Pii, Rule, Secrets};
use edge_ai_testkit::contract::chat_model::{self, ChatModelSubject};
use edge_ai_testkit::run;
use edge_ai_testkit::scripted::ScriptedChatModel;
use futures_executor::block_on;

/// Answers whatever the suite asks.
fn answer(request: &ChatRequest) -> Result<ChatOutput> {
    if request.model == "none" {
        return Err(Error::new(ErrorKind::NotFound, "no such model"));
    }
    let Some(last) = request.messages.last() else {
        return Err(Error::invalid("messages", "there are none"));
    };
    if request.any_part(|part| matches!(part, ContentPart::Image(_))) {
        return Err(Error::new(ErrorKind::Unsupported, "no pictures"));
    }
    let answers_a_tool = last
        .content
        .iter()
        .any(|part| matches!(part, ContentPart::ToolResult(_)));
    let may_call =
        !request.tools.is_empty() && request.tool_choice != Some(ToolChoice::None) && !answers_a_tool;
    let mut output = if may_call {
        let mut output = ChatOutput::default();
        let id = format!("call_{}", request.messages.len());
        output.content.push(ContentPart::ToolCall(ToolCall::new(
            id,
            "get_weather",
            "{\"city\":\"Paris\"}",
        )));
        output.finish_reason = FinishReason::ToolCalls;
        output
    } else if matches!(request.response_format, Some(ResponseFormat::JsonSchema { .. })) {
        ChatOutput::from_text(r#"{"city":"Paris","population":2100000}"#)
    } else if last.text().contains("Seine") {
        ChatOutput::from_text("Paris lies on the Seine.")
    } else {
        ChatOutput::from_text(format!("You said: {}", last.text()))
    };
    output.model = request.model.clone();
    let words = |text: &str| text.split_whitespace().count() as u64;
    let said: u64 = request
        .messages
        .iter()
        .map(|message| words(&message.text()))
        .sum();
    let most = request
        .max_output_tokens
        .map_or(usize::MAX, |tokens| tokens as usize);
    if let Some(ContentPart::Text(part)) = output.content.first_mut() {
        if let Some(at) = request.stop.iter().filter_map(|stop| part.text.find(stop)).min() {
            part.text.truncate(at);
            output.finish_reason = FinishReason::StopSequence;
        }
        if part.text.split_whitespace().count() > most {
            let kept: Vec<&str> = part.text.split_whitespace().take(most).collect();
            part.text = kept.join(" ");
            output.finish_reason = FinishReason::Length;
        }
    }
    output.usage = Some(Usage::new(said + 1, words(&output.text()).max(1)));
    Ok(output)
}

fn subject(rails: Guardrails) -> ChatModelSubject {
    let model = ScriptedChatModel::from_fn(answer);
    ChatModelSubject::new(
        GuardedChatModel::new(Arc::new(model.clone()) as Arc<dyn ChatModel>, rails),
        "m",
    )
    .with_capabilities(Capabilities::CHAT.tools().json_schema())
    .with_unknown_model("none")
    .with_in_flight(model.in_flight())
}

#[test]
fn with_guards_that_work_as_the_text_arrives() {
    let rails = || {
        Guardrails::new()
            .with(Rule::block(Secrets::all()))
            .with(Rule::redact(Pii::all()))
            .with(Rule::flag(Injection::default()))
            .with(Rule::block(DenyList::new("x", ["forbidden"]).unwrap()))
    };
    block_on(run(chat_model::cases(), || subject(rails()))).assert_passed();
}

#[test]
fn with_guards_that_hold_the_answer() {
    let rails = || {
        Guardrails::new()
            .with(Rule::retry(AnswerSchema, 2))
            .with(Rule::retry(Secrets::all(), 1))
    };
    block_on(run(chat_model::cases(), || subject(rails()))).assert_passed();
}
