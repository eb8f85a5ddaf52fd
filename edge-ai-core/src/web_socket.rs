use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use crate::{Body, Result};

/// One end of an open WebSocket ([RFC 6455](https://www.rfc-editor.org/rfc/rfc6455)): a Worker's, or any library's natively.
///
/// Dropping it closes the connection.
#[async_trait]
pub trait WebSocket: fmt::Debug + Send + Sync + 'static {
    /// The next message of the other end, for one reader at a time. A [close](WebSocketMessage::Close) is the last one.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted) when the connection broke off;
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) when more waits to be read than this end holds. Nothing comes after either.
    async fn receive(&self) -> Result<WebSocketMessage>;

    /// Sends a message to the other end; nothing may be sent after a close.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted) when the connection is not open any more.
    async fn send(&self, message: WebSocketMessage) -> Result<()>;
}

/// A message of a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebSocketMessage {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(bytes::Bytes),
    /// The end.
    Close(WebSocketClose),
}

/// How a WebSocket is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebSocketClose {
    /// The [status code](https://www.rfc-editor.org/rfc/rfc6455#section-7.4); `None` when there was none.
    pub code: Option<u16>,
    /// Why, for people; at most 123 bytes.
    pub reason: String,
}

impl WebSocketClose {
    /// The longest reason, in bytes: a control frame holds 125, two of them the code
    /// ([RFC 6455 §5.5](https://www.rfc-editor.org/rfc/rfc6455#section-5.5)).
    pub const MAX_REASON: usize = 123;

    /// A close with a status code. A reason that is too long is cut.
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        let mut end = reason.len().min(Self::MAX_REASON);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        reason.truncate(end);
        Self {
            code: Some(code),
            reason,
        }
    }

    /// The same as it may be sent: codes that only tell that there was none (1005, 1006, 1015), or that mean nothing, are left out, and a
    /// reason without a code as well.
    #[must_use]
    pub fn sendable(&self) -> Self {
        match self.code {
            Some(code) if matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) => {
                Self::new(code, self.reason.as_str())
            }
            _ => Self::default(),
        }
    }

    /// Whether it ends a conversation that went well: done, going away, or without a code.
    pub const fn is_normal(&self) -> bool {
        matches!(self.code, None | Some(1000 | 1001 | 1005))
    }
}

impl fmt::Display for WebSocketClose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) if self.reason.is_empty() => write!(f, "code {code}"),
            Some(code) => write!(f, "code {code}: {}", self.reason),
            None => f.write_str("no code"),
        }
    }
}

/// What came of asking a server for a WebSocket.
#[derive(Debug)]
#[non_exhaustive]
pub enum Handshake {
    /// It is open. The head has the subprotocol that the server chose.
    Open(http::Response<Box<dyn WebSocket>>),
    /// The server answered with something else.
    Refused(http::Response<Body>),
}

/// What is done with a client's end once its connection is a WebSocket: an extension of an answer of status 101.
///
/// Whoever serves the answer takes it, makes the connection a WebSocket, and runs it. One that is never run is dropped with all that it
/// holds.
///
/// ```
/// use edge_ai_core::{Body, OnUpgrade};
///
/// let mut response = http::Response::new(Body::empty());
/// OnUpgrade::new(|_socket| Box::pin(async {})).attach(&mut response);
/// assert_eq!(response.status(), 101);
/// assert!(OnUpgrade::take(&mut response).is_some());
/// assert!(OnUpgrade::take(&mut response).is_none());
/// ```
#[derive(Clone)]
pub struct OnUpgrade(Arc<Mutex<Option<Session>>>);

type Session = Box<dyn FnOnce(Box<dyn WebSocket>) -> BoxFuture<'static, ()> + Send>;

impl OnUpgrade {
    /// What is done with the client's end.
    pub fn new(session: impl FnOnce(Box<dyn WebSocket>) -> BoxFuture<'static, ()> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(session)))))
    }

    /// Makes an answer one that switches protocols.
    pub fn attach(self, response: &mut http::Response<Body>) {
        *response.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
        response.extensions_mut().insert(self);
    }

    /// Takes it from an answer that switches protocols; `None` from any other.
    pub fn take(response: &mut http::Response<Body>) -> Option<Self> {
        response.extensions_mut().remove()
    }

    /// Does it, once.
    pub async fn run(self, socket: Box<dyn WebSocket>) {
        let session = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(session) = session {
            session(socket).await;
        }
    }
}

impl fmt::Debug for OnUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnUpgrade")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_that_say_nothing_are_not_sent() {
        for (code, sent) in [
            (1000, Some(1000)),
            (1005, None),
            (1006, None),
            (1011, Some(1011)),
            (1015, None),
            (999, None),
            (2000, None),
            (4001, Some(4001)),
            (5000, None),
        ] {
            let close = WebSocketClose::new(code, "why").sendable();
            assert_eq!(close.code, sent, "{code}");
            assert_eq!(close.reason.is_empty(), sent.is_none(), "{code}");
        }
    }

    proptest! {
        #[test]
        fn any_reason_fits(reason in "\\PC{0,200}") {
            let close = WebSocketClose::new(1000, reason.clone());
            prop_assert!(close.reason.len() <= WebSocketClose::MAX_REASON);
            prop_assert!(reason.starts_with(&close.reason));
        }
    }
}
