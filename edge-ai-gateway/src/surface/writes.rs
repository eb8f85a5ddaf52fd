use bytes::{Bytes, BytesMut};
use edge_ai_core::{Body, ChatStream};
use futures_util::stream::{self, StreamExt};

use super::client::StreamEncoder;
use super::response::for_client;
use crate::patience::Patience;

/// How many frames that have arrived together go out together: each write is a crossing into the runtime.
const MAX_TOGETHER: usize = 32;

/// The stream in the client's words, its failure included.
///
/// While the provider is silent, `ping` goes out now and then: proxies on the way do not close the connection, and a client that has left is
/// noticed.
pub(super) fn written(
    stream: ChatStream,
    mut encoder: Box<dyn StreamEncoder>,
    ping: Bytes,
    patience: Patience,
) -> Body {
    let dialect = stream.dialect().cloned();
    let writes = stream.ready_chunks(MAX_TOGETHER).map(move |items| {
        let mut write = Pieces::default();
        for item in items {
            write.push(match item {
                Ok(frame) => encoder.frame(&frame, dialect.as_ref()),
                Err(error) => encoder.failure(&for_client(&error)),
            });
        }
        write.join()
    });
    let writes = writes
        .filter(|write| std::future::ready(!write.is_empty()))
        .boxed();
    Body::from_stream(stream::unfold(
        (writes, patience),
        move |(mut writes, mut patience)| {
            let ping = ping.clone();
            async move {
                let write = patience.wait(writes.next()).await.unwrap_or(Some(ping))?;
                Some((Ok(write), (writes, patience)))
            }
        },
    ))
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

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{ChatEvent, ManualClock, Timestamp};
    use edge_ai_providers::openai::{ChatStreamEncoder, Head};
    use edge_ai_testkit::scripted::{ScriptedChatModel, StreamStep};
    use futures_executor::block_on;
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn a_silent_stream_is_kept_alive() {
        let clock = ManualClock::jumping(Timestamp::from_millis(1));
        let silent = StreamStep::Wait(Duration::from_secs(40));
        let steps = [
            StreamStep::text("a"),
            silent,
            StreamStep::text("b"),
            StreamStep::event(ChatEvent::Done),
        ];
        let model = ScriptedChatModel::new().with_clock(clock.clone()).stream(steps);
        let written: Vec<String> = block_on(async {
            let request = edge_ai_core::ChatRequest::new("m").user("hi");
            let stream = edge_ai_core::ChatModel::chat_stream(&model, request)
                .await
                .unwrap();
            let encoder = Box::new(ChatStreamEncoder::new(Head::default(), false));
            let patience = Patience::new(Arc::new(clock), Duration::from_secs(15));
            let body = written(stream, encoder, Bytes::from_static(b": ping\n\n"), patience);
            body.into_stream()
                .map(|write| String::from_utf8(write.unwrap().to_vec()).unwrap())
                .collect()
                .await
        });
        assert_eq!(
            written.iter().filter(|write| *write == ": ping\n\n").count(),
            2,
            "{written:?}"
        );
        assert!(written.last().unwrap().ends_with("data: [DONE]\n\n"));
    }
}
