use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{Body, Bytes, Clock, Error, ErrorKind};
use futures_util::stream;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::bytes::{cut_at, cut_every};
use crate::in_flight::InFlightGuard;

/// An answer for a [`ScriptedHttpClient`](super::ScriptedHttpClient) to give: a head, and a body in pieces with what happens in between.
///
/// ```
/// use edge_ai_testkit::scripted::ScriptedResponse;
///
/// // An event stream that arrives byte by byte and breaks off before its end mark.
/// let response = ScriptedResponse::sse("data: {\"choices\":[]}\n\ndata: [DONE]\n\n").cut_every(1).break_after(30);
/// ```
#[derive(Clone, Debug)]
pub struct ScriptedResponse {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    delay: Duration,
    pace: Duration,
    pieces: Vec<Bytes>,
    end: End,
}

#[derive(Clone, Debug)]
enum End {
    Close,
    Error(Error),
    Hang,
}

impl ScriptedResponse {
    /// An answer without a body. A number that is no status is taken as 500.
    pub fn new(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: Vec::new(),
            delay: Duration::ZERO,
            pace: Duration::ZERO,
            pieces: Vec::new(),
            end: End::Close,
        }
    }

    /// An answer of JSON. Text that is JSON already goes through [`body`](Self::body).
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_else(|error| error.to_string().into_bytes());
        Self::new(status)
            .header("content-type", "application/json")
            .body(body)
    }

    /// An event stream, whole in one piece.
    pub fn sse(text: impl Into<Bytes>) -> Self {
        Self::new(200)
            .header("content-type", "text/event-stream")
            .body(text)
    }

    /// Adds a header. One that is not allowed in HTTP is left out.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            self.headers.push((name, value));
        }
        self
    }

    /// Sets the body, in one piece.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        Self {
            pieces: vec![body.into()],
            ..self
        }
    }

    /// Sets the body in the pieces in which it arrives.
    #[must_use]
    pub fn pieces(self, pieces: impl IntoIterator<Item = Bytes>) -> Self {
        Self {
            pieces: pieces.into_iter().collect(),
            ..self
        }
    }

    /// Cuts the body into pieces of `length` bytes.
    #[must_use]
    pub fn cut_every(self, length: usize) -> Self {
        Self {
            pieces: cut_every(self.pieces.concat(), length),
            ..self
        }
    }

    /// Cuts the body at these positions.
    #[must_use]
    pub fn cut_at(self, positions: &[usize]) -> Self {
        Self {
            pieces: cut_at(self.pieces.concat(), positions),
            ..self
        }
    }

    /// The connection breaks after so many bytes of the body.
    #[must_use]
    pub fn break_after(self, bytes: usize) -> Self {
        let error = Error::new(
            ErrorKind::Interrupted,
            "the connection was closed before the body was complete",
        );
        Self {
            end: End::Error(error),
            ..self.truncate(bytes)
        }
    }

    /// The body ends, as if complete, after so many bytes.
    #[must_use]
    pub fn end_after(self, bytes: usize) -> Self {
        self.truncate(bytes)
    }

    /// Nothing comes any more after so many bytes of the body.
    #[must_use]
    pub fn hang_after(self, bytes: usize) -> Self {
        Self {
            end: End::Hang,
            ..self.truncate(bytes)
        }
    }

    /// The head comes after `delay`, by the client's clock.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Each piece of the body comes after `pace`, by the client's clock.
    #[must_use]
    pub fn paced(self, pace: Duration) -> Self {
        Self { pace, ..self }
    }

    fn truncate(mut self, bytes: usize) -> Self {
        let mut left = bytes;
        for piece in &mut self.pieces {
            piece.truncate(left);
            left -= piece.len();
        }
        self.pieces.retain(|piece| !piece.is_empty());
        self
    }

    /// As a response, for a test's own server. Waits go by this clock.
    pub async fn into_response(self, clock: Arc<dyn Clock>) -> http::Response<Body> {
        self.play(clock, None).await
    }

    pub(super) async fn play(
        self,
        clock: Arc<dyn Clock>,
        guard: Option<InFlightGuard>,
    ) -> http::Response<Body> {
        if !self.delay.is_zero() {
            clock.sleep(self.delay).await;
        }
        let mut response = http::Response::new(Body::empty());
        *response.status_mut() = self.status;
        let length: usize = self.pieces.iter().map(Bytes::len).sum();
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        if matches!(self.end, End::Close)
            && !response.headers().contains_key(header::CONTENT_TYPE)
            && length == 0
        {
            return response;
        }
        let state = (self.pieces.into_iter(), Some(self.end), guard);
        let pace = self.pace;
        let pieces = stream::unfold(state, move |(mut pieces, mut end, guard)| {
            let clock = Arc::clone(&clock);
            async move {
                if let Some(piece) = pieces.next() {
                    if !pace.is_zero() {
                        clock.sleep(pace).await;
                    }
                    return Some((Ok(piece), (pieces, end, guard)));
                }
                match end.take()? {
                    End::Close => None,
                    End::Error(error) => Some((Err(error), (pieces, end, guard))),
                    End::Hang => std::future::pending().await,
                }
            }
        });
        *response.body_mut() = Body::from_stream(pieces);
        response
    }
}
