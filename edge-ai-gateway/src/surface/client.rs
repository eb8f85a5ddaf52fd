use bytes::Bytes;
use edge_ai_core::{ChatFrame, ChatRequest, ChatResponse, Dialect, Error, Result};
use edge_ai_providers::anthropic::{self, MessagesStreamEncoder};
use edge_ai_providers::openai::{self, ChatStreamEncoder, Head};

/// Whose words a client speaks: what it sends is read, and what it gets is written, in its dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// Chat completions.
    OpenAi,
    /// Messages.
    Anthropic,
}

/// A chat request as a client put it.
pub(super) struct Asked {
    pub(super) request: ChatRequest,
    pub(super) stream: bool,
    /// Whether a stream shows what it took.
    include_usage: bool,
}

impl Client {
    /// Who asks at a path; whoever asks elsewhere is told in OpenAI's words.
    pub(crate) fn at(path: &str) -> Self {
        if path.starts_with("/v1/messages") {
            Self::Anthropic
        } else {
            Self::OpenAi
        }
    }

    pub(super) fn decode(self, body: &Bytes) -> Result<Asked> {
        match self {
            Self::OpenAi => openai::decode_chat_request(body).map(|call| Asked {
                request: call.request,
                stream: call.stream,
                include_usage: call.include_usage,
            }),
            Self::Anthropic => anthropic::decode_messages_request(body).map(|call| Asked {
                request: call.request,
                stream: call.stream,
                include_usage: true,
            }),
        }
    }

    /// What an answer says about itself where its vendor does not.
    pub(super) fn head(self, request_id: &str, created: u64, model: &str) -> Head {
        let prefix = match self {
            Self::OpenAi => "chatcmpl-",
            Self::Anthropic => "msg_",
        };
        Head {
            id: format!("{prefix}{request_id}"),
            created,
            model: model.to_owned(),
        }
    }

    pub(super) fn encode(self, answer: &ChatResponse, head: &Head) -> Bytes {
        match self {
            Self::OpenAi => openai::encode_chat_response(answer, head),
            Self::Anthropic => anthropic::encode_messages_response(answer, head),
        }
    }

    pub(super) fn stream_encoder(self, head: Head, asked: &Asked) -> StreamEncoder {
        match self {
            Self::OpenAi => StreamEncoder::OpenAi(ChatStreamEncoder::new(head, asked.include_usage)),
            Self::Anthropic => StreamEncoder::Anthropic(MessagesStreamEncoder::new(head)),
        }
    }

    pub(super) fn encode_error(self, error: &Error) -> Bytes {
        match self {
            Self::OpenAi => openai::encode_error(error),
            Self::Anthropic => anthropic::encode_error(error),
        }
    }

    /// What keeps a silent stream alive: every client passes it over.
    pub(super) const fn ping(self) -> Bytes {
        Bytes::from_static(match self {
            Self::OpenAi => b": keep-alive\n\n",
            Self::Anthropic => b"event: ping\ndata: {\"type\":\"ping\"}\n\n",
        })
    }
}

/// Writes a stream in a client's dialect.
pub(super) enum StreamEncoder {
    OpenAi(ChatStreamEncoder),
    Anthropic(MessagesStreamEncoder),
}

impl StreamEncoder {
    pub(super) fn encode(&mut self, frame: &ChatFrame, dialect: Option<&Dialect>) -> Bytes {
        match self {
            Self::OpenAi(encoder) => encoder.encode(frame, dialect),
            Self::Anthropic(encoder) => encoder.encode(frame, dialect),
        }
    }

    pub(super) fn error(&mut self, error: &Error) -> Bytes {
        match self {
            Self::OpenAi(encoder) => encoder.error(error),
            Self::Anthropic(encoder) => encoder.error(error),
        }
    }
}
