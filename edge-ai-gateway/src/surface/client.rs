use bytes::Bytes;
use edge_ai_core::{ChatFrame, ChatRequest, ChatResponse, Dialect, Error, Result, TokenCount, Verbatim};
use edge_ai_providers::anthropic::{self, MessagesStreamEncoder};
use edge_ai_providers::openai::responses::{self, Echo, ResponsesStreamEncoder};
use edge_ai_providers::openai::{self, ChatStreamEncoder, Head};

/// Whose words a client speaks: what it sends is read, and what it gets is written, in its dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// Chat completions.
    OpenAi,
    /// Responses.
    Responses,
    /// Messages.
    Anthropic,
}

/// A chat request as a client put it.
pub(super) struct Asked {
    pub(super) request: ChatRequest,
    pub(super) stream: bool,
    /// Whether a stream shows what it took.
    include_usage: bool,
    /// What the answer repeats of the request.
    echo: Echo,
    /// Why nobody but a provider that speaks the client's dialect can answer.
    pub(super) bound: Option<Error>,
}

impl Asked {
    fn of_messages(call: anthropic::MessagesCall) -> Self {
        Self {
            request: call.request,
            stream: call.stream,
            include_usage: true,
            echo: Echo::default(),
            bound: None,
        }
    }
}

impl Client {
    /// Who asks at a path; whoever asks elsewhere is told in OpenAI's words.
    pub(crate) fn at(path: &str) -> Self {
        if path.starts_with("/v1/messages") || path.starts_with("/anthropic/") {
            Self::Anthropic
        } else if cfg!(feature = "responses") && path.starts_with("/v1/responses") {
            Self::Responses
        } else {
            Self::OpenAi
        }
    }

    pub(super) fn decode(self, body: &Bytes) -> Result<Asked> {
        match self {
            Self::Responses if cfg!(feature = "responses") => {
                responses::decode_responses_request(body).map(|call| Asked {
                    request: call.request,
                    stream: call.stream,
                    include_usage: true,
                    echo: call.echo,
                    bound: call.bound,
                })
            }
            Self::OpenAi | Self::Responses => openai::decode_chat_request(body).map(|call| Asked {
                request: call.request,
                stream: call.stream,
                include_usage: call.include_usage,
                echo: Echo::default(),
                bound: None,
            }),
            Self::Anthropic => anthropic::decode_messages_request(body).map(Asked::of_messages),
        }
    }

    /// Reads a request for the tokens of a prompt.
    pub(super) fn decode_count(self, body: &Bytes) -> Result<Asked> {
        match self {
            Self::Anthropic => anthropic::decode_count_tokens_request(body).map(Asked::of_messages),
            _ => self.decode(body),
        }
    }

    pub(super) fn encode_count(self, count: &Verbatim<TokenCount>) -> Bytes {
        match self {
            Self::Anthropic => anthropic::encode_count_tokens(count),
            _ => responses::encode_input_tokens(count),
        }
    }

    /// The dialect of its requests.
    pub(super) const fn dialect(self) -> Dialect {
        match self {
            Self::OpenAi => openai::CHAT,
            Self::Responses => responses::RESPONSES,
            Self::Anthropic => anthropic::MESSAGES,
        }
    }

    /// What an answer says about itself where its vendor does not.
    pub(super) fn head(self, request_id: &str, created: u64, model: &str) -> Head {
        let prefix = match self {
            Self::OpenAi => "chatcmpl-",
            Self::Responses => "resp_",
            Self::Anthropic => "msg_",
        };
        Head {
            id: format!("{prefix}{request_id}"),
            created,
            model: model.to_owned(),
        }
    }

    pub(super) fn encode(self, answer: &ChatResponse, head: &Head, asked: &Asked) -> Bytes {
        match self {
            Self::Responses if cfg!(feature = "responses") => {
                responses::encode_responses_response(answer, head, &asked.echo)
            }
            Self::OpenAi | Self::Responses => openai::encode_chat_response(answer, head),
            Self::Anthropic => anthropic::encode_messages_response(answer, head),
        }
    }

    pub(super) fn stream_encoder(self, head: Head, asked: &Asked) -> Box<dyn StreamEncoder> {
        match self {
            Self::Responses if cfg!(feature = "responses") => {
                Box::new(ResponsesStreamEncoder::new(head, asked.echo.clone()))
            }
            Self::OpenAi | Self::Responses => Box::new(ChatStreamEncoder::new(head, asked.include_usage)),
            Self::Anthropic => Box::new(MessagesStreamEncoder::new(head)),
        }
    }

    pub(super) fn encode_error(self, error: &Error) -> Bytes {
        match self {
            Self::OpenAi | Self::Responses => openai::encode_error(error),
            Self::Anthropic => anthropic::encode_error(error),
        }
    }

    /// What keeps a silent stream alive: every client passes it over.
    pub(super) const fn ping(self) -> Bytes {
        Bytes::from_static(match self {
            Self::OpenAi | Self::Responses => b": keep-alive\n\n",
            Self::Anthropic => b"event: ping\ndata: {\"type\":\"ping\"}\n\n",
        })
    }
}

/// Writes a stream in a client's dialect.
pub(super) trait StreamEncoder: Send {
    fn frame(&mut self, frame: &ChatFrame, dialect: Option<&Dialect>) -> Bytes;

    fn failure(&mut self, error: &Error) -> Bytes;
}

macro_rules! encodes {
    ($($encoder:ty),+) => {$(
        impl StreamEncoder for $encoder {
            fn frame(&mut self, frame: &ChatFrame, dialect: Option<&Dialect>) -> Bytes {
                self.encode(frame, dialect)
            }

            fn failure(&mut self, error: &Error) -> Bytes {
                self.error(error)
            }
        }
    )+};
}

encodes!(ChatStreamEncoder, ResponsesStreamEncoder, MessagesStreamEncoder);
