use edge_ai_core::{
    ChatEvent, ChatFrame, ChatModel, ChatOutput, ChatRequest, ChatResponse, ChatStart, ChatStream, Error,
    ErrorKind, FinishReason, ReasoningDelta, Result, async_trait,
};
use futures_util::stream::{self, StreamExt};

use super::stateless::StatelessDriver;
use crate::{ModelSettings, RunEvent, RunOutcome, ToolContext};

/// An agent as a chat model: whatever asks one, a gateway as well as another agent, may ask it, under whatever name it is served.
///
/// It answers the conversation that it is sent, calls its own tools on the way, and keeps nothing. Its instructions come first, then those of the request; the
/// request's limit of tokens, stop texts, temperature and reasoning hold for each of its steps.
#[derive(Clone, Debug)]
pub struct AgentModel(StatelessDriver);

impl AgentModel {
    /// The agent that a driver drives, as a model.
    pub const fn new(driver: StatelessDriver) -> Self {
        Self(driver)
    }
}

#[async_trait]
impl ChatModel for AgentModel {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        let model = request.model.clone();
        let mut output = self.chat_stream(request).await?.collect().await?;
        output.model = model;
        Ok(ChatOutput::into(output))
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        if !request.tools.is_empty() {
            let message = "an agent has its own tools: send the request without `tools`";
            return Err(Error::new(ErrorKind::Unsupported, message).with_param("tools"));
        }
        if request.response_format.is_some() {
            let message = "an agent has its own form of answers: send the request without a response format";
            return Err(Error::new(ErrorKind::Unsupported, message).with_param("response_format"));
        }
        if request.choices.is_some_and(|choices| choices > 1) {
            let message = "an agent gives one answer: send the request without `n`";
            return Err(Error::new(ErrorKind::Unsupported, message).with_param("n"));
        }
        let mut plan = self.0.agent().plan();
        for agent in &mut plan.agents {
            adopt(&mut agent.settings, &request);
        }
        let tenant = request.context.tenant.clone();
        let context = ToolContext::new(tenant, self.0.agent().name(), "");
        let messages = request.input.messages.clone();
        let head = ChatStart::new("", request.model);
        let mut events = self.0.stream_by(plan, messages, context)?;
        // A question that the agent's model refuses is refused here, not within the stream.
        let mut first = Vec::new();
        while let Some(event) = events.next().await.transpose()? {
            let accepted = !matches!(event, RunEvent::Started { .. } | RunEvent::StepStarted { .. });
            first.push(Ok(event));
            if accepted {
                break;
            }
        }
        if let Some(Ok(RunEvent::Ended { outcome, .. })) = first.last() {
            finish(outcome.clone())?;
        }
        let events = stream::iter(first).chain(events);
        let frames = events.filter_map(move |event| {
            let frame = match event {
                Ok(event) => told(event, &head),
                Err(error) => Some(Err(error)),
            };
            async { frame }
        });
        Ok(ChatStream::new(frames))
    }
}

/// What the request says of how the model works goes before what the agent says.
fn adopt(settings: &mut ModelSettings, request: &ChatRequest) {
    let asked = &request.input;
    settings.temperature = asked.temperature.or(settings.temperature);
    settings.max_output_tokens = asked.max_output_tokens.or(settings.max_output_tokens);
    settings.reasoning = asked.reasoning.clone().or_else(|| settings.reasoning.take());
    if !asked.stop.is_empty() {
        settings.stop.clone_from(&asked.stop);
    }
}

/// What a client that asks a model hears of an event.
fn told(event: RunEvent, head: &ChatStart) -> Option<Result<ChatFrame>> {
    let events = match event {
        RunEvent::Started { run, .. } => vec![ChatEvent::Start(ChatStart::new(run, head.model.clone()))],
        RunEvent::Text { delta, .. } => vec![ChatEvent::Text(delta)],
        RunEvent::Reasoning { delta, .. } => vec![ChatEvent::Reasoning(ReasoningDelta::text(delta))],
        RunEvent::Ended { outcome, usage } => match finish(outcome) {
            Ok(reason) => vec![
                ChatEvent::Finish(reason),
                ChatEvent::Usage(usage),
                ChatEvent::Done,
            ],
            Err(error) => return Some(Err(error)),
        },
        _ => return None,
    };
    Some(Ok(ChatFrame::new(events)))
}

fn finish(outcome: RunOutcome) -> Result<FinishReason> {
    match outcome {
        RunOutcome::Finished {
            reason: FinishReason::ToolCalls,
        } => Ok(FinishReason::Stop),
        RunOutcome::Finished { reason } => Ok(reason),
        RunOutcome::Stopped { .. } => Ok(FinishReason::Length),
        RunOutcome::Blocked { reason } => Err(Error::new(ErrorKind::ContentFiltered, reason)),
        RunOutcome::Failed { error } => Err(error.into_error()),
        RunOutcome::Canceled => Err(Error::new(ErrorKind::Cancelled, "the run was canceled")),
        RunOutcome::Waiting { .. } => {
            let message = "the agent waits for a person's approval, which a chat completion cannot ask for: use the agent's own endpoint";
            Err(Error::new(ErrorKind::Unsupported, message).with_code("approval_needed"))
        }
    }
}
