use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use edge_ai_core::{Body, ChatStream, Context, Error, Operation, Result, Timestamp};
use edge_ai_providers::openai::{self, ChatStreamEncoder, Head};
use futures_util::StreamExt;
use http::{Response, StatusCode};

use super::response::{error_response, event_stream, for_client, json, tell, tell_retried};
use crate::gateway::Gateway;
use crate::usage::{Meter, failed, metered};

/// How many frames that have arrived together go out together: each write is a crossing into the runtime.
const MAX_TOGETHER: usize = 32;

/// `POST /v1/chat/completions`
pub(crate) async fn chat_completions(
    gateway: &Gateway,
    body: &Bytes,
    context: Context,
    arrived: Timestamp,
) -> Result<Response<Body>> {
    let meter = Meter::start(
        Arc::clone(&gateway.books),
        context.clone(),
        Operation::Chat,
        arrived,
    );
    let call = openai::decode_chat_request(body).map_err(|error| failed(&meter, error))?;
    meter.asked(&call.request.model, call.stream);
    let head = Head {
        id: format!("chatcmpl-{}", context.request_id.as_deref().unwrap_or_default()),
        created: arrived.as_secs(),
        model: call.request.model.clone(),
    };
    let request = call.request.with_context(context.clone());
    let mut response = if call.stream {
        let stream = match gateway.chat.chat_stream(request).await {
            Ok(stream) => metered(stream, meter),
            Err(error) => return Ok(refusal(&context, &failed(&meter, error))),
        };
        event_stream(encoded(stream, ChatStreamEncoder::new(head, call.include_usage)))
    } else {
        match gateway.chat.chat(request).await {
            Ok(answer) => {
                meter.settle(&answer.model, answer.usage);
                json(StatusCode::OK, openai::encode_chat_response(&answer, &head))
            }
            Err(error) => return Ok(refusal(&context, &failed(&meter, error))),
        }
    };
    tell(&context, response.headers_mut());
    Ok(response)
}

/// A failure after the models were asked.
pub(super) fn refusal(context: &Context, error: &Error) -> Response<Body> {
    let mut response = error_response(error);
    tell(context, response.headers_mut());
    tell_retried(context, error, response.headers_mut());
    response
}

/// The stream in OpenAI's words, its failure included.
fn encoded(stream: ChatStream, mut encoder: ChatStreamEncoder) -> Body {
    let dialect = stream.dialect().cloned();
    let writes = stream.ready_chunks(MAX_TOGETHER).map(move |items| {
        let mut write = Pieces::default();
        for item in items {
            write.push(match item {
                Ok(frame) => encoder.encode(&frame, dialect.as_ref()),
                Err(error) => encoder.error(&for_client(&error)),
            });
        }
        write.join()
    });
    Body::from_stream(
        writes
            .filter(|write| std::future::ready(!write.is_empty()))
            .map(Ok),
    )
}

/// Bytes that go out together; a single piece is not copied.
#[derive(Default)]
struct Pieces {
    first: Bytes,
    rest: BytesMut,
}

impl Pieces {
    fn push(&mut self, piece: Bytes) {
        if self.first.is_empty() && self.rest.is_empty() {
            self.first = piece;
            return;
        }
        if self.rest.is_empty() {
            self.rest.extend_from_slice(&self.first);
        }
        self.rest.extend_from_slice(&piece);
    }

    fn join(self) -> Bytes {
        if self.rest.is_empty() {
            self.first
        } else {
            self.rest.freeze()
        }
    }
}
