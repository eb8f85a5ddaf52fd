//! What the model does: calls by steps, then a last answer.

use edge_ai_agent::Repeat;
use edge_ai_core::{ChatEvent, ChatInput, FinishReason, Message, Role, ToolCallDelta, Usage};

#[derive(Clone, Debug)]
pub(crate) struct Script(pub(crate) Vec<Vec<Call>>);

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) repeat: Repeat,
    pub(crate) asks: bool,
    pub(crate) fails: bool,
}

impl Call {
    pub(crate) const fn new(repeat: Repeat) -> Self {
        Self {
            repeat,
            asks: false,
            fails: false,
        }
    }

    pub(crate) const fn asking(mut self) -> Self {
        self.asks = true;
        self
    }

    pub(crate) fn tool(&self) -> String {
        let repeat = match self.repeat {
            Repeat::Once => "once",
            Repeat::WithKey => "with_key",
            _ => "read_only",
        };
        format!("{repeat}{}", if self.asks { "_asking" } else { "" })
    }
}

impl Script {
    /// Every call with its id.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (String, &Call)> {
        self.0.iter().enumerate().flat_map(|(step, calls)| {
            calls
                .iter()
                .enumerate()
                .map(move |(at, call)| (id(step, at), call))
        })
    }

    /// How many answers the conversation has already.
    pub(crate) fn answers(input: &ChatInput) -> usize {
        let assistant = |message: &&Message| message.role == Role::Assistant;
        input.messages.iter().filter(assistant).count()
    }

    /// The model's answer to a step, from 0.
    pub(crate) fn answer(&self, step: usize) -> Vec<ChatEvent> {
        let mut events: Vec<_> = (0..40)
            .map(|word| ChatEvent::Text(format!("{step}:{word} ")))
            .collect();
        let calls = self.0.get(step);
        for (at, call) in calls.into_iter().flatten().enumerate() {
            let index = u32::try_from(at).unwrap();
            events.push(ChatEvent::ToolCall(ToolCallDelta::start(
                index,
                id(step, at),
                call.tool(),
            )));
            let arguments = format!("{{\"fails\": {}}}", call.fails);
            events.push(ChatEvent::ToolCall(ToolCallDelta::arguments(index, arguments)));
        }
        let reason = if calls.is_some() {
            FinishReason::ToolCalls
        } else {
            FinishReason::Stop
        };
        events.extend([
            ChatEvent::Finish(reason),
            ChatEvent::Usage(Usage::new(100, 50)),
            ChatEvent::Done,
        ]);
        events
    }
}

fn id(step: usize, at: usize) -> String {
    format!("call-{step}-{at}")
}
