use bytes::Bytes;
use edge_ai_core::{
    Background, Body, Error, ErrorKind, OnUpgrade, Result, WebSocket, WebSocketClose, WebSocketMessage,
    async_trait,
};
use js_sys::futures::JsFuture;
use wasm_bindgen::JsValue;
use web_sys::Response;
use worker::WebSocketPair;
use worker::send::SendFuture;

use crate::error::{Thrown, js_error};
use crate::{bridge, worker_error};

/// What may wait to be read at one end. The runtime itself takes a message of at most
/// [32 MiB](https://developers.cloudflare.com/workers/platform/limits/#websocket-limits).
const MAX_HELD: f64 = (16_u32 << 20) as f64;

/// Gives an answer that [switches protocols](OnUpgrade) its WebSocket: one end for the client, the other for what is to be done with it,
/// which runs in the background. Other answers stay as they are.
///
/// The request's context lives as long as the WebSocket is open, and up to 30 seconds longer.
///
/// # Errors
/// [`ErrorKind::Internal`] when the runtime makes none.
pub fn upgrade(response: &mut http::Response<Body>, background: &dyn Background) -> Result<()> {
    let Some(session) = OnUpgrade::take(response) else {
        return Ok(());
    };
    let pair = WebSocketPair::new().map_err(|error| worker_error(ErrorKind::Internal, error))?;
    let socket = bridge::Socket::of(pair.server.as_ref(), MAX_HELD)
        .map_err(|thrown| js_error(ErrorKind::Internal, &thrown))?;
    response.extensions_mut().insert(pair.client);
    background.run(Box::pin(session.run(Box::new(JsWebSocket(socket)))));
    Ok(())
}

/// An end of a WebSocket that the runtime holds.
#[derive(Debug)]
pub(crate) struct JsWebSocket(bridge::Socket);

impl JsWebSocket {
    /// The WebSocket that an answer has opened, if it has.
    pub(crate) fn of(response: &Response) -> Result<Option<Self>> {
        let socket = bridge::socket_of(response, MAX_HELD);
        let socket = socket.map_err(|thrown| js_error(ErrorKind::BadUpstream, &thrown))?;
        Ok(socket.map(Self))
    }
}

#[async_trait]
impl WebSocket for JsWebSocket {
    async fn receive(&self) -> Result<WebSocketMessage> {
        let kind = SendFuture::new(JsFuture::from(self.0.ready())).await;
        let kind = kind.map_err(|thrown| js_error(ErrorKind::Interrupted, &thrown))?;
        let code = self.0.code();
        let data = self.0.take();
        let text = |data| String::from_utf8(data).unwrap_or_default();
        match kind.as_f64().map(|kind| kind as u8) {
            Some(TEXT) => Ok(WebSocketMessage::Text(text(data))),
            Some(BINARY) => Ok(WebSocketMessage::Binary(Bytes::from(data))),
            Some(CLOSE) if code != ABNORMAL => {
                Ok(WebSocketMessage::Close(WebSocketClose::new(code, text(data))))
            }
            Some(CLOSE) => Err(Error::new(ErrorKind::Interrupted, "the connection broke off")),
            _ if code == TOO_BIG => Err(Error::new(ErrorKind::TooLarge, text(data))),
            _ => Err(Error::new(ErrorKind::Interrupted, text(data))),
        }
    }

    async fn send(&self, message: WebSocketMessage) -> Result<()> {
        let sent = match message {
            WebSocketMessage::Text(text) => self.0.send_text(&text),
            WebSocketMessage::Binary(bytes) => self.0.send_bytes(&bytes),
            WebSocketMessage::Close(close) => {
                let close = close.sendable();
                self.0.close(close.code.unwrap_or(NO_CODE), &close.reason);
                Ok(())
            }
            _ => Ok(()),
        };
        sent.map_err(|thrown: JsValue| Thrown::of(&thrown).into_error(ErrorKind::Interrupted))
    }
}

impl Drop for JsWebSocket {
    fn drop(&mut self) {
        self.0.close(GOING_AWAY, "");
    }
}

// The kinds of `bridge.js`.
const TEXT: u8 = 0;
const BINARY: u8 = 1;
const CLOSE: u8 = 2;

/// [Codes](https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1) of a close.
const NO_CODE: u16 = 0;
const GOING_AWAY: u16 = 1001;
const ABNORMAL: u16 = 1006;
const TOO_BIG: u16 = 1009;
