//! The services stood in for.

use serde_json::Value;

use crate::call::Call;
use crate::reply::{Frame, Reply};
use crate::{anthropic, bedrock, gemini, openai, rerank, vectorize, workers_ai};

/// A service that this program stands in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    OpenAi,
    Anthropic,
    Gemini,
    WorkersAi,
    Vectorize,
    Rerank,
    Bedrock,
}

impl Surface {
    pub(crate) const ALL: [Self; 7] = [
        Self::OpenAi,
        Self::Anthropic,
        Self::Gemini,
        Self::WorkersAi,
        Self::Vectorize,
        Self::Rerank,
        Self::Bedrock,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::WorkersAi => "workers-ai",
            Self::Vectorize => "vectorize",
            Self::Rerank => "rerank",
            Self::Bedrock => "bedrock",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|surface| surface.name() == name)
    }

    /// Answers a call.
    pub(crate) fn answer(self, call: &Call<'_>) -> Reply {
        match self {
            Self::OpenAi => openai::answer(call),
            Self::Anthropic => anthropic::answer(call),
            Self::Gemini => gemini::answer(call),
            Self::WorkersAi => workers_ai::answer(call),
            Self::Vectorize => vectorize::answer(call),
            Self::Rerank => rerank::answer(call),
            Self::Bedrock => bedrock::answer(call),
        }
    }

    /// The error that the service gives with this status, in its own shape; with another code where one is given.
    pub(crate) fn error(self, status: u16, code: Option<&str>) -> Reply {
        match self {
            Self::OpenAi => openai::error::of_status(status, code),
            Self::Anthropic => anthropic::error::of_status(status, code),
            Self::Gemini => gemini::error::of_status(status, code),
            Self::WorkersAi => workers_ai::error::of_status(status, code),
            Self::Vectorize => vectorize::error::of_status(status, code),
            Self::Rerank => rerank::of_status(status),
            Self::Bedrock => bedrock::error::of_status(status, code),
        }
    }

    /// An invalid-request error with this text.
    pub(crate) fn refusal(self, status: u16, message: &str) -> Reply {
        match self {
            Self::OpenAi => openai::error::Error::invalid(message).status(status).into(),
            Self::Anthropic => anthropic::error::Error::of(status, message).into(),
            Self::Gemini => gemini::error::Error::of(status, message).into(),
            Self::WorkersAi => workers_ai::error::Error::of(status, message).into(),
            Self::Vectorize => vectorize::error::Error::of(status, message).into(),
            Self::Rerank => rerank::Error::of(status, message).into(),
            Self::Bedrock => bedrock::error::Error::of(status, message).into(),
        }
    }

    /// The error that the service puts into a stream that has begun.
    pub(crate) fn error_frame(self, sent: &[Frame]) -> Frame {
        let numbered = |frame: &Frame| frame.event.is_some_and(|event| event.starts_with("response."));
        match self {
            Self::OpenAi if sent.iter().any(numbered) => openai::responses::error_frame(sent.len()),
            Self::OpenAi | Self::Rerank => openai::error::frame(),
            Self::Anthropic => anthropic::error::frame(),
            Self::Gemini => gemini::error::frame(),
            Self::WorkersAi | Self::Vectorize => workers_ai::error::frame(),
            Self::Bedrock => bedrock::error::frame(),
        }
    }

    /// Headers that the service sends with every answer.
    pub(crate) fn headers(self, call: u64, now_ms: u64) -> Vec<(&'static str, String)> {
        match self {
            Self::OpenAi => openai::headers(call),
            Self::Anthropic => anthropic::headers(call, now_ms),
            Self::Gemini => gemini::headers(call),
            Self::WorkersAi => workers_ai::headers(call),
            Self::Vectorize | Self::Rerank => Vec::new(),
            Self::Bedrock => bedrock::headers(call),
        }
    }

    /// The error with the wait before the next try, where the service has a place of its own for it.
    pub(crate) fn with_retry(self, reply: Reply, seconds: u64) -> Reply {
        match self {
            Self::Gemini => gemini::error::with_retry(reply, seconds),
            _ => reply,
        }
    }

    /// The model that a request is for, as far as its address, body and headers tell.
    pub(crate) fn model_of(
        self,
        path: &str,
        body: &Value,
        headers: &axum::http::HeaderMap,
    ) -> Option<String> {
        match self {
            Self::Gemini => gemini::model_of(path),
            Self::WorkersAi => headers
                .get("cf-consn-model-id")
                .and_then(|v| v.to_str().ok())
                .map(str::to_owned),
            _ => body
                .get("model")
                .and_then(Value::as_str)
                .or_else(|| anthropic::vertex::model_of(path))
                .map(str::to_owned),
        }
    }
}
