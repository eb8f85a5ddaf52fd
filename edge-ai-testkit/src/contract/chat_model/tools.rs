use std::collections::HashSet;

use edge_ai_core::{
    ChatOutput, ChatRequest, ContentPart, ErrorKind, FinishReason, FunctionTool, Message, Role, ToolCall,
    ToolChoice, ToolResult,
};
use serde::Deserialize;

use super::ChatModelSubject;
use super::subject::weather_tool;
use crate::case::{describe, ensure, require};
use crate::{Check, Must, Stop};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WeatherArguments {
    city: String,
}

/// The one call of an answer, with arguments that fit the schema.
fn weather_call(output: &ChatOutput) -> Result<ToolCall, Stop> {
    let call = output.tool_calls().next().cloned();
    let call = call.must("a question that a declared tool answers leads to a call of it")?;
    ensure!(
        call.name == "get_weather",
        "the tool that was declared is called, not `{}`",
        call.name
    );
    ensure!(!call.id.is_empty(), "a call has an id that ties the result to it");
    let arguments: WeatherArguments = call
        .parse_arguments()
        .must("the arguments of a call fit the tool's schema")?;
    ensure!(!arguments.city.is_empty(), "a required argument is given");
    Ok(call)
}

fn ask(subject: &ChatModelSubject) -> Result<ChatRequest, Stop> {
    require!(subject.capabilities.tools, "the model calls no tools");
    Ok(subject.ask(subject.tool_question.clone()).tool(weather_tool()?))
}

pub(super) async fn a_tool_makes_a_round_trip(subject: ChatModelSubject) -> Check {
    let request = ask(&subject)?;
    let output = subject.answer(request.clone()).await?;
    let call = weather_call(&output)?;
    let reason = output.finish_reason.clone();
    ensure!(
        reason == FinishReason::ToolCalls,
        "a model that waits for results stops with `ToolCalls`, not {reason:?}"
    );
    let result = ToolResult::from_text(call.id, "18 degrees and sunny");
    let next = request
        .message(output.to_message())
        .message(Message::new(Role::Tool, vec![ContentPart::ToolResult(result)]));
    for answer in [subject.answer(next.clone()).await?, subject.streamed(next).await?] {
        ensure!(
            !answer.text().trim().is_empty(),
            "the model answers in text once it has the tool's result"
        );
        ensure!(
            answer.tool_calls().next().is_none(),
            "a tool is not called again for the same question"
        );
    }
    Ok(())
}

pub(super) async fn a_required_tool_is_called(subject: ChatModelSubject) -> Check {
    forced(&subject, ask(&subject)?.tool_choice(ToolChoice::Required)).await
}

pub(super) async fn a_named_tool_is_called(subject: ChatModelSubject) -> Check {
    let mut other = FunctionTool::named("get_time");
    other.description = Some("Tells the time.".into());
    let request = ask(&subject)?.tool(other);
    forced(
        &subject,
        request.tool_choice(ToolChoice::Function("get_weather".into())),
    )
    .await
}

/// A model that must call a tool does so; one that cannot be told to says so.
async fn forced(subject: &ChatModelSubject, request: ChatRequest) -> Check {
    match subject.chat.chat(request).await {
        Ok(output) => weather_call(&output).map(drop),
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            Err(Stop::skipped(format!("the model refuses to be told so: {error}")))
        }
        Err(error) => Err(Stop::failed(format!(
            "a model that must call a tool does, but it failed: {}",
            describe(&error)
        ))),
    }
}

pub(super) async fn no_tool_is_called_when_none_may_be(subject: ChatModelSubject) -> Check {
    let output = subject
        .answer(ask(&subject)?.tool_choice(ToolChoice::None))
        .await?;
    ensure!(
        output.tool_calls().next().is_none(),
        "no tool is called when the request says `None`"
    );
    Ok(())
}

pub(super) async fn a_streamed_call_accumulates_to_the_same_call(subject: ChatModelSubject) -> Check {
    let whole = weather_call(&subject.answer(ask(&subject)?).await?)?;
    let output = subject.streamed(ask(&subject)?).await?;
    let streamed = weather_call(&output)?;
    let reason = output.finish_reason;
    ensure!(
        reason == FinishReason::ToolCalls,
        "a stream that ends with a call says `ToolCalls`, not {reason:?}"
    );
    if subject.deterministic {
        let arguments = |call: &ToolCall| call.parse_arguments::<serde_json::Value>().ok();
        let same = arguments(&whole) == arguments(&streamed);
        ensure!(
            same,
            "a streamed call has the arguments of the same call in `chat`: {streamed:?} is not {whole:?}"
        );
    }
    Ok(())
}

pub(super) async fn a_call_has_an_id_of_its_own(subject: ChatModelSubject) -> Check {
    require!(subject.capabilities.tools, "the model calls no tools");
    let both =
        "What is the weather in Paris and in Berlin? Call the tool for each of both cities in parallel.";
    for output in [
        subject.answer(subject.ask(both).tool(weather_tool()?)).await?,
        subject.streamed(subject.ask(both).tool(weather_tool()?)).await?,
    ] {
        weather_call(&output)?;
        let ids: Vec<&str> = output.tool_calls().map(|call| call.id.as_str()).collect();
        let apart: HashSet<&str> = ids.iter().copied().collect();
        ensure!(
            apart.len() == ids.len(),
            "each call of an answer has its own id, not {ids:?}"
        );
    }
    Ok(())
}
