//! An open conversation: messages both ways, and one record at its end.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    Clock, Context, Error, ErrorKind, Result, Usage, WebSocket, WebSocketClose, WebSocketMessage, timeout,
};
use edge_ai_providers::tap::UsageTap;
use futures_util::future::{Either, select};

use crate::limit::Permit;
use crate::usage::Meter;

/// How long a vendor has to close in its turn: what it had said by then still counts.
const CLOSING: Duration = Duration::from_secs(2);

/// [Codes](https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1) that the gateway closes with of itself.
const GOING_AWAY: u16 = 1001;
const TOO_BIG: u16 = 1009;
const INTERNAL_ERROR: u16 = 1011;

/// A conversation between a client and a vendor.
pub(super) struct Session {
    pub(super) vendor: Box<dyn WebSocket>,
    pub(super) tap: UsageTap,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) context: Context,
    pub(super) meter: Meter,
    pub(super) permit: Permit,
    /// The model that was asked for.
    pub(super) model: String,
    /// Whether the client understands OpenAI's `error` event.
    pub(super) tells_errors: bool,
}

/// What ends a conversation.
enum End {
    /// The client closed, or its connection broke off.
    Client(Result<WebSocketClose>),
    /// The vendor did.
    Vendor(Result<WebSocketClose>),
}

/// Why a relay stops.
enum Stop {
    /// The side that it reads from is at its end.
    Source(Result<WebSocketClose>),
    /// The other side takes no more.
    Sink(Error),
}

impl Session {
    /// Passes messages on until one side ends, then ends the other in the same way, and closes the record.
    pub(super) async fn run(mut self, client: Box<dyn WebSocket>) {
        let end = self.talk(&*client).await;
        let outcome = match end {
            End::Client(end) => self.client_left(&*client, end).await,
            End::Vendor(end) => self.vendor_left(&*client, end).await,
        };
        let usage = self.account();
        self.permit.answered(Some(usage.unwrap_or_default()));
        match outcome {
            Ok(()) => self.meter.settle(self.tap.model().unwrap_or(&self.model), usage),
            Err(error) => self.meter.fail(&error),
        }
    }

    async fn talk(&mut self, client: &dyn WebSocket) -> End {
        let vendor = &*self.vendor;
        let tap = &mut self.tap;
        let stop = {
            let to_vendor = pin!(relay(client, vendor, |_| {}));
            let to_client = pin!(relay(vendor, client, |text| tap.event(text.as_bytes())));
            match select(to_vendor, to_client).await {
                Either::Left((stop, _)) => Either::Left(stop),
                Either::Right((stop, _)) => Either::Right(stop),
            }
        };
        match stop {
            Either::Left(Stop::Source(end)) => End::Client(end),
            Either::Right(Stop::Source(end)) => End::Vendor(end),
            // Who takes no more has closed: its own word says why.
            Either::Left(Stop::Sink(error)) => End::Vendor(self.last_words(error).await),
            Either::Right(Stop::Sink(error)) => {
                End::Client(last_words(&*self.clock, client, error, |_| {}).await)
            }
        }
    }

    async fn last_words(&mut self, error: Error) -> Result<WebSocketClose> {
        let tap = &mut self.tap;
        last_words(&*self.clock, &*self.vendor, error, |text| {
            tap.event(text.as_bytes());
        })
        .await
    }

    async fn client_left(&mut self, client: &dyn WebSocket, end: Result<WebSocketClose>) -> Result<()> {
        let (close, outcome) = match end {
            Ok(close) => {
                // The handshake of a close is answered.
                let _ = client.send(WebSocketMessage::Close(close.clone())).await;
                (close, Ok(()))
            }
            Err(error) if error.kind() == ErrorKind::TooLarge => {
                let close = WebSocketClose::new(TOO_BIG, "too much at once");
                let _ = client.send(WebSocketMessage::Close(close)).await;
                (WebSocketClose::new(GOING_AWAY, ""), Err(error))
            }
            Err(_) => {
                let error = Error::new(ErrorKind::Cancelled, "the client's connection broke off");
                (WebSocketClose::new(GOING_AWAY, ""), Err(error))
            }
        };
        if self.vendor.send(WebSocketMessage::Close(close)).await.is_ok() {
            let nothing = Error::new(ErrorKind::Timeout, "");
            let _ = self.last_words(nothing).await;
        }
        outcome
    }

    async fn vendor_left(&mut self, client: &dyn WebSocket, end: Result<WebSocketClose>) -> Result<()> {
        let (close, outcome) = match end {
            Ok(close) => {
                let _ = self.vendor.send(WebSocketMessage::Close(close.clone())).await;
                let outcome = match close.is_normal() {
                    true => Ok(()),
                    false => {
                        Err(self.interrupted(format!("the vendor closed the conversation with {close}")))
                    }
                };
                (close, outcome)
            }
            Err(error) => {
                let error = self.interrupted(format!(
                    "the vendor's end of the conversation is gone: {}",
                    error.message()
                ));
                if self.tells_errors {
                    let _ = client.send(WebSocketMessage::Text(error_event(&error))).await;
                }
                (WebSocketClose::new(INTERNAL_ERROR, error.message()), Err(error))
            }
        };
        let _ = client.send(WebSocketMessage::Close(close)).await;
        outcome
    }

    fn interrupted(&self, message: String) -> Error {
        let error = Error::new(ErrorKind::Interrupted, message);
        match self.context.trail.attempts().last() {
            Some(attempt) => error.with_provider(attempt.provider.as_str()),
            None => error,
        }
    }

    /// What the conversation took, into its record; what cannot be told is a warning of it.
    fn account(&self) -> Option<Usage> {
        let usage = self.tap.usage();
        self.meter.took(self.tap.model().unwrap_or(&self.model), usage);
        let trail = &self.context.trail;
        let unfinished = self.tap.unfinished();
        if unfinished > 0 {
            trail.warn(format!(
                "{unfinished} answers had begun when the conversation ended; what they took is not known"
            ));
        }
        if let Some(other) = self.tap.transcriptions() {
            trail.warn(format!(
                "another model wrote down what was said for {} tokens or {} ms of sound, which are not in the cost",
                other.total_tokens(),
                other.audio_ms
            ));
        }
        usage
    }
}

/// Passes messages of one side on to the other, and shows their texts.
async fn relay(from: &dyn WebSocket, to: &dyn WebSocket, mut see: impl FnMut(&str)) -> Stop {
    loop {
        let message = match from.receive().await {
            Ok(WebSocketMessage::Close(close)) => return Stop::Source(Ok(close)),
            Ok(message) => message,
            Err(error) => return Stop::Source(Err(error)),
        };
        if let WebSocketMessage::Text(text) = &message {
            see(text);
        }
        if let Err(error) = to.send(message).await {
            return Stop::Sink(error);
        }
    }
}

/// What a side still says until it closes; `error` where it does not.
async fn last_words(
    clock: &dyn Clock,
    of: &dyn WebSocket,
    error: Error,
    mut see: impl FnMut(&str),
) -> Result<WebSocketClose> {
    let closing = async {
        loop {
            match of.receive().await? {
                WebSocketMessage::Close(close) => return Ok(close),
                WebSocketMessage::Text(text) => see(&text),
                _ => {}
            }
        }
    };
    timeout(clock, CLOSING, closing).await.map_err(|_| error)
}

/// OpenAI's [`error` event](https://platform.openai.com/docs/api-reference/realtime-server-events/error).
fn error_event(error: &Error) -> String {
    serde_json::json!({
        "type": "error",
        "event_id": "event_gateway",
        "error": {
            "type": "server_error",
            "code": "upstream_disconnected",
            "message": error.message(),
            "param": null,
            "event_id": null,
        },
    })
    .to_string()
}

#[cfg(test)]
mod tests;
