use std::sync::Arc;

use edge_ai_agent::{
    Agent, AgentBuilder, Run, RunEvent, StatelessDriver, ToolContext, ToolInvocation, ToolSet, TypedTool,
};
use edge_ai_core::{
    ChatOutput, ContentPart, FinishReason, ManualClock, Message, Role, SeededEntropy, Timestamp, ToolCall,
    Usage,
};
use edge_ai_testkit::scripted::ScriptedChatModel;
use futures_executor::block_on;
use futures_util::StreamExt;

/// An answer with calls: `(id, tool, arguments)`.
pub(crate) fn calls(calls: &[(&str, &str, &str)]) -> ChatOutput {
    let mut output = ChatOutput::default();
    let calls = calls
        .iter()
        .map(|(id, tool, arguments)| ContentPart::ToolCall(ToolCall::new(*id, *tool, *arguments)));
    output.content = calls.collect();
    output.finish_reason = FinishReason::ToolCalls;
    output.usage = Some(Usage::new(100, 10));
    output
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct City {
    city: String,
}

pub(crate) fn tools() -> ToolSet {
    let weather = TypedTool::new(
        "weather",
        "Tells the weather.",
        |at: City, _: ToolInvocation| async move { Ok(format!("rain in {}", at.city)) },
    );
    let send = TypedTool::new("send", "Sends.", |to: City, _: ToolInvocation| async move {
        Ok(format!("sent to {}", to.city))
    });
    ToolSet::new()
        .with(weather.read_only())
        .unwrap()
        .with(send.needs_approval())
        .unwrap()
}

pub(crate) fn agent(model: &ScriptedChatModel) -> AgentBuilder {
    Agent::builder("clerk")
        .model(Arc::new(model.clone()), "m")
        .instructions("Be brief.")
        .tools(tools())
}

pub(crate) fn driver(agent: AgentBuilder) -> StatelessDriver {
    let clock = ManualClock::jumping(Timestamp::from_millis(1_000));
    StatelessDriver::new(
        agent.build().unwrap(),
        Arc::new(clock),
        Arc::new(SeededEntropy::new(1)),
    )
}

pub(crate) fn question() -> Vec<Message> {
    vec![Message::from_text(Role::User, "Well?")]
}

pub(crate) fn run(agent: AgentBuilder) -> Run {
    block_on(driver(agent).run(question(), ToolContext::default())).unwrap()
}

pub(crate) fn events(agent: AgentBuilder) -> Vec<RunEvent> {
    let stream = driver(agent).stream(question(), ToolContext::default()).unwrap();
    block_on(stream.map(Result::unwrap).collect())
}

/// The results of calls, as the model reads them.
pub(crate) fn results(messages: &[Message]) -> Vec<String> {
    let parts = messages.iter().flat_map(|message| &message.content);
    let results = parts.filter_map(|part| match part {
        ContentPart::ToolResult(result) => Some(result.text()),
        _ => None,
    });
    results.collect()
}
