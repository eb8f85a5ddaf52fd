//! An answer before it is put on the wire: what a surface makes and what faults bend.

use bytes::Bytes;
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
    /// Server-sent events.
    Frames(Vec<Frame>),
}

/// One server-sent event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) event: Option<&'static str>,
    pub(crate) data: String,
}

impl Frame {
    pub(crate) fn data(data: impl ToString) -> Self {
        Self {
            event: None,
            data: data.to_string(),
        }
    }

    pub(crate) fn event(event: &'static str, data: impl ToString) -> Self {
        Self {
            event: Some(event),
            data: data.to_string(),
        }
    }

    pub(crate) fn done() -> Self {
        Self::data("[DONE]")
    }

    pub(crate) fn encode(&self) -> Bytes {
        match self.event {
            Some(event) => format!("event: {event}\ndata: {}\n\n", self.data),
            None => format!("data: {}\n\n", self.data),
        }
        .into()
    }

    /// The same event with data that is no longer JSON.
    pub(crate) fn malformed(&self) -> Self {
        let cut: String = self
            .data
            .chars()
            .take(self.data.chars().count() * 2 / 3)
            .collect();
        Self {
            event: self.event,
            data: format!("{cut}\u{fffd}"),
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
