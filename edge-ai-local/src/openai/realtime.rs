//! `GET /v1/realtime`: a conversation over a WebSocket.

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;

use super::authorize;
use super::error::Error;
use crate::call::Call;
use crate::id;
use crate::journal::Ticket;
use conversation::{Conversation, Step};

mod conversation;
mod turn;

/// Whether a path is that of conversations.
pub(crate) fn is_at(path: &str) -> bool {
    path.strip_prefix("/v1").unwrap_or(path) == "/realtime"
}

/// What the handshake is refused with; else the model.
pub(crate) fn admit(call: &Call<'_>) -> Result<String, Error> {
    authorize(call)?;
    let model = call.parameter("model").filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| Error::missing("model"))?;
    if model.contains("realtime") {
        Ok(model)
    } else {
        Err(Error::invalid(&format!("Model \"{model}\" is not supported in realtime mode.")).param("model"))
    }
}

/// Opens the conversation.
pub(crate) fn open(upgrade: WebSocketUpgrade, number: u64, model: String, ticket: Ticket) -> Response {
    ticket.status(101);
    let conversation = Conversation::new(number, model);
    let mut response = upgrade
        .protocols(["realtime"])
        .on_upgrade(move |socket| talk(socket, conversation, ticket));
    let id = id::alphanumeric(number, "openai request", 32).to_lowercase();
    if let Ok(id) = format!("req_{id}").parse() {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

async fn talk(mut socket: WebSocket, mut conversation: Conversation, ticket: Ticket) {
    let mut steps = vec![conversation.greeting()];
    loop {
        for step in steps {
            let sent = match step {
                Step::Event(event) => socket.send(Message::Text(event.to_string().into())).await,
                Step::Close(code, reason) => {
                    let reason = reason.into();
                    let _ = socket
                        .send(Message::Close(Some(CloseFrame { code, reason })))
                        .await;
                    // The other side's answer to it.
                    while let Some(Ok(_)) = socket.recv().await {}
                    return ticket.settle();
                }
                Step::Cut => return ticket.broken(),
            };
            if sent.is_err() {
                return;
            }
            ticket.sent();
        }
        steps = match socket.recv().await {
            Some(Ok(Message::Text(text))) => conversation.hear(&text),
            Some(Ok(Message::Binary(_))) => conversation.refuse_binary(),
            Some(Ok(Message::Close(_))) | None => return ticket.settle(),
            Some(Ok(_)) => Vec::new(),
            Some(Err(_)) => return,
        };
    }
}
