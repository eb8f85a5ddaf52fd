use bytes::{Bytes, BytesMut};
use edge_ai_core::{Body, ChatStream, Result};
use edge_ai_providers::openai::{self, ChatStreamEncoder, Head};
use futures_util::StreamExt;
use http::{Response, StatusCode};

use super::call::{Call, refusal};
use super::response::{event_stream, for_client, json, tell};
use crate::usage::{failed, metered};

/// How many frames that have arrived together go out together: each write is a crossing into the runtime.
const MAX_TOGETHER: usize = 32;

/// `POST /v1/chat/completions`
pub(crate) async fn chat_completions(call: Call<'_>) -> Result<Response<Body>> {
    let read = openai::decode_chat_request(&call.body);
    let asked = call.asked(read, |asked| (&asked.request.model, asked.stream))?;
    let Call {
        gateway,
        context,
        arrived,
        meter,
        ..
    } = call;
    let head = Head {
        id: format!("chatcmpl-{}", context.request_id.as_deref().unwrap_or_default()),
        created: arrived.as_secs(),
        model: asked.request.model.clone(),
    };
    let request = asked.request.with_context(context.clone());
    let mut response = if asked.stream {
        let stream = match gateway.chat.chat_stream(request).await {
            Ok(stream) => metered(stream, meter),
            Err(error) => return Ok(refusal(&context, &failed(&meter, error))),
        };
        event_stream(encoded(stream, ChatStreamEncoder::new(head, asked.include_usage)))
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
