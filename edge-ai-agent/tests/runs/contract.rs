//! An agent that is served as a model is still a model.

use edge_ai_agent::{Agent, AgentModel, StatelessDriver};
use edge_ai_core::{
    ChatOutput, ChatRequest, ContentPart, Error, ErrorKind, FinishReason, ManualClock, Result, SeededEntropy,
    Timestamp, Usage,
};
use edge_ai_testkit::contract::chat_model::{ChatModelSubject, cases};
use edge_ai_testkit::scripted::ScriptedChatModel;
use futures_executor::block_on;
use std::sync::Arc;

#[test]
fn an_agent_keeps_the_contract_of_models() {
    let subject = || {
        let inner = ScriptedChatModel::from_fn(answer);
        let in_flight = inner.in_flight();
        let agent = Agent::builder("clerk")
            .model(Arc::new(inner), "m")
            .build()
            .unwrap();
        let clock = ManualClock::new(Timestamp::from_millis(1_000));
        let driver = StatelessDriver::new(agent, Arc::new(clock), Arc::new(SeededEntropy::new(1)));
        ChatModelSubject::new(AgentModel::new(driver), "agent/clerk").with_in_flight(in_flight)
    };
    // It has its own tools and its own form, and no vendor that could be told to fail.
    block_on(edge_ai_testkit::run(cases(), subject)).assert_passed_but(&[
        "a_tool_makes_a_round_trip",
        "a_required_tool_is_called",
        "a_named_tool_is_called",
        "no_tool_is_called_when_none_may_be",
        "a_streamed_call_accumulates_to_the_same_call",
        "a_call_has_an_id_of_its_own",
        "an_answer_fits_its_schema",
        "a_streamed_answer_fits_its_schema",
        "an_unknown_model_is_not_found",
        "a_rate_limit_tells_when_to_come_back",
        "a_rate_limited_stream_fails_at_the_call",
        "a_failing_vendor_may_be_retried",
        "a_wrong_key_is_an_authentication_error",
        "a_cut_stream_is_interrupted",
        "a_stream_without_its_end_mark_is_interrupted",
        "an_error_within_a_stream_ends_it",
        "a_malformed_frame_is_a_bad_upstream",
        "an_answer_that_is_none_is_a_bad_upstream",
    ]);
}

/// Repeats what it was asked, and refuses what it cannot.
fn answer(request: &ChatRequest) -> Result<ChatOutput> {
    if request.any_part(|part| matches!(part, ContentPart::Image(_))) {
        return Err(Error::new(ErrorKind::Unsupported, "only text"));
    }
    let said: String = request
        .messages
        .iter()
        .map(|message| message.text() + " ")
        .collect();
    let mut words: Vec<_> = said.split_whitespace().collect();
    let read = words.len() as u64;
    let mut output = ChatOutput::default();
    if let Some(most) = request
        .max_output_tokens
        .filter(|most| (*most as usize) < words.len())
    {
        words.truncate(most as usize);
        output.finish_reason = FinishReason::Length;
    }
    let mut text = words.join(" ");
    if let Some(at) = request.stop.iter().filter_map(|stop| text.find(stop)).min() {
        text.truncate(at);
        output.finish_reason = FinishReason::StopSequence;
    }
    output.usage = Some(Usage::new(read, text.split_whitespace().count() as u64));
    output.content.push(ContentPart::text(text));
    output.model.clone_from(&request.model);
    Ok(output)
}
