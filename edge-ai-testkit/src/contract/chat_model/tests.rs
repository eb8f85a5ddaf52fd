use edge_ai_core::{
    Capabilities, ChatEvent, ChatFrame, ChatModel, ChatOutput, ChatRequest, ChatResponse, ChatStream,
    ContentPart, Error, ErrorKind, FinishReason, Message, Result, Role, ToolCall, ToolChoice, Usage,
    async_trait,
};
use futures_executor::block_on;
use futures_util::stream;
use std::time::Duration;

use super::{ChatModelSubject, Fault, cases};
use crate::{InFlight, run};

/// The smallest model that keeps every clause, with a switch for each way to break one.
#[derive(Clone, Debug, Default)]
struct Model {
    tools: bool,
    drops_tools: bool,
    stream_says_more: bool,
    ignores_faults: bool,
    keeps_streams: bool,
    in_flight: InFlight,
}

impl Model {
    fn output(&self, request: &ChatRequest) -> Result<ChatOutput> {
        let said: String = request
            .messages
            .iter()
            .map(Message::text)
            .collect::<Vec<_>>()
            .join(" ");
        if request.model != "m" {
            return Err(Error::new(ErrorKind::NotFound, "no such model"));
        }
        let Some(last) = request.messages.last() else {
            return Err(Error::invalid("messages", "there are no messages"));
        };
        if request.any_part(|part| matches!(part, ContentPart::Image(_))) {
            return Err(Error::new(ErrorKind::Unsupported, "no images"));
        }
        if !request.tools.is_empty() && !self.tools && !self.drops_tools {
            return Err(Error::new(ErrorKind::Unsupported, "no tools"));
        }
        let mut output = ChatOutput::default();
        output.model = "m".into();
        let calls = self.tools
            && !request.tools.is_empty()
            && request.tool_choice != Some(ToolChoice::None)
            && last.role != Role::Tool;
        let mut words: Vec<&str> = said.split_whitespace().collect();
        let read = words.len();
        if calls {
            let cities = if said.contains("both") {
                vec!["Paris", "Berlin"]
            } else {
                vec!["Paris"]
            };
            output.content = cities
                .iter()
                .map(|city| {
                    ContentPart::ToolCall(ToolCall::new(
                        *city,
                        "get_weather",
                        format!("{{\"city\":\"{city}\"}}"),
                    ))
                })
                .collect();
            output.finish_reason = FinishReason::ToolCalls;
        } else if request.response_format.is_some() {
            output.content = vec![ContentPart::text("{\"city\":\"Paris\",\"population\":2100000}")];
        } else {
            if let Some(limit) = request
                .max_output_tokens
                .filter(|limit| words.len() > *limit as usize)
            {
                words.truncate(limit as usize);
                output.finish_reason = FinishReason::Length;
            }
            let mut text = words.join(" ");
            if let Some(at) = request
                .stop
                .iter()
                .filter_map(|stop| text.find(stop.as_str()))
                .min()
            {
                text.truncate(at);
                output.finish_reason = FinishReason::StopSequence;
            }
            output.content = vec![ContentPart::text(if text.is_empty() {
                "So?".into()
            } else {
                text
            })];
        }
        output.usage = Some(Usage::new(read as u64, words.len().max(1) as u64));
        Ok(output)
    }

    fn asked(&self, request: &ChatRequest, fault: Fault) -> bool {
        let wanted = format!("{fault:?}");
        !self.ignores_faults
            && request
                .messages
                .iter()
                .any(|message| message.text().contains(&wanted))
    }

    fn failure(&self, request: &ChatRequest) -> Option<Error> {
        let limited =
            Error::new(ErrorKind::RateLimited, "slow down").with_retry_after(Duration::from_secs(2));
        [
            (Fault::RateLimited, limited.with_status(429)),
            (Fault::ServerError, Error::new(ErrorKind::Unavailable, "down")),
            (
                Fault::Unauthorized,
                Error::new(ErrorKind::Authentication, "wrong key"),
            ),
        ]
        .into_iter()
        .find_map(|(fault, error)| self.asked(request, fault).then_some(error))
    }
}

#[async_trait]
impl ChatModel for Model {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        if self.asked(&request, Fault::NotAnAnswer) {
            return Err(Error::new(ErrorKind::BadUpstream, "not JSON"));
        }
        self.failure(&request)
            .map_or_else(|| self.output(&request).map(Into::into), Err)
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        if let Some(error) = self.failure(&request) {
            return Err(error);
        }
        let broken = [
            (Fault::Cut, Some(ErrorKind::Interrupted)),
            (Fault::EndWithoutMark, None),
            (Fault::ErrorEvent, Some(ErrorKind::Unavailable)),
            (Fault::MalformedFrame, Some(ErrorKind::BadUpstream)),
        ]
        .into_iter()
        .find(|(fault, _)| self.asked(&request, *fault));
        if let Some((_, kind)) = broken {
            let first = Ok(ChatFrame::new(vec![ChatEvent::Text("Par".into())]));
            let rest = kind.map(|kind| Err(Error::new(kind, "broken")));
            return Ok(ChatStream::new(stream::iter([first].into_iter().chain(rest))));
        }
        let mut output = self.output(&request)?;
        if self.stream_says_more {
            output.content.push(ContentPart::text("and more"));
        }
        let guard = self.in_flight.enter();
        if self.keeps_streams {
            std::mem::forget(guard);
            return Ok(ChatStream::from_response(output.into()));
        }
        Ok(ChatStream::from_response(output.into()).inspect(move |_| {
            let _ = &guard;
        }))
    }
}

fn failed(model: Model, capabilities: Capabilities) -> Vec<&'static str> {
    let subject = || {
        ChatModelSubject::new(model.clone(), "m")
            .with_capabilities(capabilities)
            .with_unknown_model("no-such-model")
            .with_faults(|fault| format!("[{fault:?}]"))
            .with_in_flight(model.in_flight.clone())
    };
    block_on(run(cases(), subject))
        .failed()
        .map(|(name, _)| name)
        .collect()
}

const ALL: Capabilities = Capabilities::CHAT.tools().json_schema();

#[test]
fn a_model_that_keeps_every_clause_passes() {
    let model = Model {
        tools: true,
        ..Model::default()
    };
    assert_eq!(failed(model, ALL), [""; 0]);
}

#[test]
fn each_broken_clause_is_found() {
    let tools_dropped = Model {
        drops_tools: true,
        ..Model::default()
    };
    assert_eq!(
        failed(tools_dropped, Capabilities::CHAT.json_schema()),
        ["tools_are_refused_by_a_model_without_them"]
    );

    let stream_differs = Model {
        tools: true,
        stream_says_more: true,
        ..Model::default()
    };
    assert!(failed(stream_differs, ALL).contains(&"a_stream_accumulates_to_the_answer"));

    let kept = Model {
        tools: true,
        keeps_streams: true,
        ..Model::default()
    };
    assert!(failed(kept, ALL).contains(&"a_dropped_stream_is_given_up"));

    let deaf = failed(
        Model {
            tools: true,
            ignores_faults: true,
            ..Model::default()
        },
        ALL,
    );
    assert_eq!(deaf.len(), 9, "every fault must be noticed: {deaf:?}");
}
