//! An answer before it is put on the wire: what a surface makes and what faults bend.

use bytes::Bytes;
use edge_ai_providers::bedrock::eventstream::{self, Message};
use serde::Serialize;

pub(crate) mod script;
pub(crate) mod send;

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) payload: Payload,
}

/// Body of an answer.
#[derive(Debug)]
pub(crate) enum Payload {
    Whole {
        content_type: &'static str,
        bytes: Bytes,
    },
    /// The events of a stream.
    Frames(Vec<Frame>),
}

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) event: Option<&'static str>,
    pub(crate) data: String,
    framing: Framing,
}

/// How events are put on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    ServerSent,
    /// A message of AWS's event streams, and whether it is an exception.
    Aws {
        exception: bool,
    },
    /// The same with a bit that is not as it was sent.
    AwsBroken,
}

impl Frame {
    pub(crate) fn data(data: impl ToString) -> Self {
        Self {
            event: None,
            data: data.to_string(),
            framing: Framing::ServerSent,
        }
    }

    pub(crate) fn event(event: &'static str, data: impl ToString) -> Self {
        Self {
            event: Some(event),
            data: data.to_string(),
            framing: Framing::ServerSent,
        }
    }

    /// An event of AWS's.
    pub(crate) fn aws(event: &'static str, data: impl ToString) -> Self {
        Self {
            framing: Framing::Aws { exception: false },
            ..Self::event(event, data)
        }
    }

    /// An exception in a stream of AWS's.
    pub(crate) fn aws_exception(exception: &'static str, data: impl ToString) -> Self {
        Self {
            framing: Framing::Aws { exception: true },
            ..Self::event(exception, data)
        }
    }

    /// Whether it is not text, so that a connection may break within it.
    pub(crate) fn is_binary(&self) -> bool {
        self.framing != Framing::ServerSent
    }

    /// The media type of a stream of such frames.
    pub(crate) fn media_type(&self) -> &'static str {
        if self.is_binary() {
            eventstream::MEDIA_TYPE
        } else {
            "text/event-stream"
        }
    }

    pub(crate) fn done() -> Self {
        Self::data("[DONE]")
    }

    pub(crate) fn encode(&self) -> Bytes {
        let name = self.event.unwrap_or_default();
        match self.framing {
            Framing::ServerSent => {}
            Framing::Aws { exception: false } => return Message::event(name, self.data.clone()).encode(),
            Framing::Aws { exception: true } => return Message::exception(name, self.data.clone()).encode(),
            Framing::AwsBroken => {
                let mut bytes = Message::event(name, self.data.clone()).encode().to_vec();
                if let Some(last) = bytes.last_mut() {
                    *last ^= 1;
                }
                return bytes.into();
            }
        }
        match self.event {
            Some(event) => format!("event: {event}\ndata: {}\n\n", self.data),
            None => format!("data: {}\n\n", self.data),
        }
        .into()
    }

    /// The same event with data that is no longer JSON, or with a checksum that is wrong.
    pub(crate) fn malformed(&self) -> Self {
        if self.is_binary() {
            return Self {
                framing: Framing::AwsBroken,
                ..self.clone()
            };
        }
        let cut: String = self
            .data
            .chars()
            .take(self.data.chars().count() * 2 / 3)
            .collect();
        Self {
            event: self.event,
            data: format!("{cut}\u{fffd}"),
            framing: self.framing,
        }
    }
}

impl Reply {
    /// JSON with status 200.
    ///
    /// The content type is exactly `application/json`: the Workers AI binding takes any other, even with a
    /// charset, for a stream.
    pub(crate) fn json(value: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(value).unwrap_or_default().into();
        Self {
            status: 200,
            headers: Vec::new(),
            payload: Payload::Whole {
                content_type: "application/json",
                bytes,
            },
        }
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        let bytes = text.into().into();
        let content_type = "text/plain; charset=utf-8";
        Self {
            status: 200,
            headers: Vec::new(),
            payload: Payload::Whole { content_type, bytes },
        }
    }

    pub(crate) fn frames(frames: Vec<Frame>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            payload: Payload::Frames(frames),
        }
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_server_sent_events() {
        assert_eq!(Frame::done().encode(), "data: [DONE]\n\n");
        assert_eq!(Frame::event("ping", "{}").encode(), "event: ping\ndata: {}\n\n");
    }

    #[test]
    fn a_malformed_frame_is_not_json() {
        for data in ["{\"a\":1}", "[DONE]", "7", "{}"] {
            let broken = Frame::data(data).malformed();
            assert!(
                serde_json::from_str::<serde_json::Value>(&broken.data).is_err(),
                "{}",
                broken.data
            );
            assert_ne!(broken.data, "[DONE]");
        }
    }
}
