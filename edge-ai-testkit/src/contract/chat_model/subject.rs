use std::fmt;
use std::sync::Arc;

use edge_ai_core::{Capabilities, ChatModel, ChatOutput, ChatRequest, FunctionTool, RawJson};

use crate::{InFlight, Must, Stop, Subject};

/// A chat model under test: the implementation, the model to ask for, what it can do, and what to ask it.
///
/// ```
/// use edge_ai_core::Capabilities;
/// use edge_ai_testkit::contract::chat_model::{ChatModelSubject, Fault};
/// use edge_ai_testkit::scripted::ScriptedChatModel;
///
/// let subject = ChatModelSubject::new(ScriptedChatModel::new().otherwise("Paris"), "gpt-6-luna")
///     .with_capabilities(Capabilities::CHAT.tools().json_schema())
///     .with_unknown_model("no-such-model")
///     .with_faults(Fault::directive);
/// ```
#[derive(Clone)]
pub struct ChatModelSubject {
    pub(super) chat: Arc<dyn ChatModel>,
    pub(super) model: String,
    pub(super) capabilities: Capabilities,
    pub(super) unknown_model: Option<String>,
    pub(super) question: String,
    pub(super) tool_question: String,
    pub(super) schema_question: String,
    pub(super) reports_usage: bool,
    pub(super) deterministic: bool,
    pub(super) has_key: bool,
    pub(super) faults: Option<fn(Fault) -> String>,
    pub(super) in_flight: Option<InFlight>,
}

/// A failure that the vendor behind the model can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// 429 with `retry-after: 2`.
    RateLimited,
    /// 401.
    Unauthorized,
    /// 500.
    ServerError,
    /// The connection breaks after the first frames of a stream.
    Cut,
    /// A stream ends as if complete, but without its end mark.
    EndWithoutMark,
    /// The vendor's error event comes within a stream.
    ErrorEvent,
    /// A frame of a stream is not JSON.
    MalformedFrame,
    /// 200 with a page of HTML.
    NotAnAnswer,
}

impl Fault {
    /// The fault as a directive in a prompt, as `edge-ai-local` understands it.
    pub fn directive(self) -> String {
        let fault = match self {
            Self::RateLimited => "status=429, retry-after=2",
            Self::Unauthorized => "status=401",
            Self::ServerError => "status=500",
            Self::Cut => "cut=2",
            Self::EndWithoutMark => "end=2",
            Self::ErrorEvent => "error-event=2",
            Self::MalformedFrame => "malformed=2",
            Self::NotAnAnswer => "wrong-type",
        };
        format!("[[fault: {fault}]]")
    }
}

impl ChatModelSubject {
    /// A model that only chats, is the only one of its implementation, reports usage, and answers the same question the same way.
    pub fn new(chat: impl ChatModel, model: impl Into<String>) -> Self {
        Self {
            chat: Arc::new(chat),
            model: model.into(),
            capabilities: Capabilities::CHAT,
            unknown_model: None,
            question: "The capital of France is Paris. It lies on the Seine. What is the capital of France?"
                .into(),
            tool_question: "What is the weather in Paris?".into(),
            schema_question: "Paris has 2100000 inhabitants. Give the city and its population.".into(),
            reports_usage: true,
            deterministic: true,
            has_key: true,
            faults: None,
            in_flight: None,
        }
    }

    /// What the model can do: what it cannot, it must refuse.
    #[must_use]
    pub fn with_capabilities(self, capabilities: Capabilities) -> Self {
        Self { capabilities, ..self }
    }

    /// A name that no model has, for an implementation that serves several.
    #[must_use]
    pub fn with_unknown_model(self, model: impl Into<String>) -> Self {
        Self {
            unknown_model: Some(model.into()),
            ..self
        }
    }

    /// A question that is answered with a few words of text.
    #[must_use]
    pub fn with_question(self, question: impl Into<String>) -> Self {
        Self {
            question: question.into(),
            ..self
        }
    }

    /// A question for which the model calls the tool `get_weather` with a `city`.
    #[must_use]
    pub fn with_tool_question(self, question: impl Into<String>) -> Self {
        Self {
            tool_question: question.into(),
            ..self
        }
    }

    /// A question that is answered with a `city` and its `population`.
    #[must_use]
    pub fn with_schema_question(self, question: impl Into<String>) -> Self {
        Self {
            schema_question: question.into(),
            ..self
        }
    }

    /// The vendor does not say what an answer took.
    #[must_use]
    pub fn without_usage(self) -> Self {
        Self {
            reports_usage: false,
            ..self
        }
    }

    /// The same question may be answered in other words.
    #[must_use]
    pub fn nondeterministic(self) -> Self {
        Self {
            deterministic: false,
            ..self
        }
    }

    /// The vendor is reached without a key, as through a binding.
    #[must_use]
    pub fn without_key(self) -> Self {
        Self {
            has_key: false,
            ..self
        }
    }

    /// What to put into a prompt so that the vendor behind the model fails; [`Fault::directive`] for `edge-ai-local`.
    #[must_use]
    pub fn with_faults(self, prompt: fn(Fault) -> String) -> Self {
        Self {
            faults: Some(prompt),
            ..self
        }
    }

    /// The exchanges with the vendor that are open, where a double counts them.
    #[must_use]
    pub fn with_in_flight(self, in_flight: InFlight) -> Self {
        Self {
            in_flight: Some(in_flight),
            ..self
        }
    }

    pub(super) fn ask(&self, text: impl Into<String>) -> ChatRequest {
        ChatRequest::new(self.model.clone())
            .user(text)
            .max_output_tokens(512)
            .temperature(0.0)
    }

    pub(super) fn ask_question(&self) -> ChatRequest {
        self.ask(self.question.clone())
    }

    /// A question that brings on a fault.
    pub(super) fn ask_for(&self, fault: Fault) -> Result<ChatRequest, Stop> {
        let prompt = self
            .faults
            .ok_or_else(|| Stop::skipped("the vendor cannot be asked to fail"))?;
        Ok(self.ask(format!("{} {}", self.question, prompt(fault))))
    }

    pub(super) async fn answer(&self, request: ChatRequest) -> Result<ChatOutput, Stop> {
        Ok(self
            .chat
            .chat(request)
            .await
            .must("`chat` answers a valid request")?
            .into_inner())
    }

    pub(super) async fn streamed(&self, request: ChatRequest) -> Result<ChatOutput, Stop> {
        let stream = self
            .chat
            .chat_stream(request)
            .await
            .must("`chat_stream` accepts a valid request")?;
        stream.collect().await.must("a stream comes to its end")
    }
}

/// The tool of the suite.
pub(super) fn weather_tool() -> Result<FunctionTool, Stop> {
    let schema = r#"{"type":"object","properties":{"city":{"type":"string","description":"The city's name."}},"required":["city"],"additionalProperties":false}"#;
    let schema = RawJson::parse(schema).must("the schema is JSON")?;
    Ok(FunctionTool::new(
        "get_weather",
        "Tells the current weather in a city.",
        schema,
    ))
}

impl Subject for ChatModelSubject {
    fn enter(&mut self, _: &'static str) {}
}

impl fmt::Debug for ChatModelSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatModelSubject")
            .field("chat", &self.chat)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}
