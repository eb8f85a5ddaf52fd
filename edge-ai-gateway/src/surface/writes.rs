use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use edge_ai_core::{Body, ChatStream, Clock};
use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::{self, BoxStream, StreamExt};

use super::client::StreamEncoder;
use super::response::for_client;

/// How many frames that have arrived together go out together: each write is a crossing into the runtime.
const MAX_TOGETHER: usize = 32;

/// How often a silent stream is kept alive, by which clock.
pub(crate) struct KeepAlive {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) every: Duration,
}

/// The stream in the client's words, its failure included.
///
/// While the provider is silent, `ping` goes out now and then: proxies on the way do not close the connection, and a client that has left is
/// noticed.
pub(super) fn written(
    stream: ChatStream,
    mut encoder: StreamEncoder,
    ping: Bytes,
    keep_alive: KeepAlive,
) -> Body {
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
    let writes = writes
        .filter(|write| std::future::ready(!write.is_empty()))
        .boxed();
    let alive = Alive {
        writes,
        timer: None,
        ping,
        keep_alive,
    };
    Body::from_stream(stream::unfold(alive, |mut alive| async move {
        alive.next().await.map(|write| (Ok(write), alive))
    }))
}

/// One timer serves many writes: it is set anew only when it has run out.
struct Alive {
    writes: BoxStream<'static, Bytes>,
    timer: Option<BoxFuture<'static, ()>>,
    ping: Bytes,
    keep_alive: KeepAlive,
}

impl Alive {
    async fn next(&mut self) -> Option<Bytes> {
        let KeepAlive { clock, every } = &self.keep_alive;
        let since = clock.now();
        loop {
            let waiting = Arc::clone(clock);
            let left = every.saturating_sub(clock.now().since(since));
            let timer = self
                .timer
                .take()
                .unwrap_or_else(|| Box::pin(async move { waiting.sleep(left).await }));
            match select(self.writes.next(), timer).await {
                Either::Left((write, timer)) => {
                    self.timer = Some(timer);
                    return write;
                }
                Either::Right(_) if clock.now().since(since) >= *every => return Some(self.ping.clone()),
                Either::Right(_) => {}
            }
        }
    }
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
            let encoder = StreamEncoder::OpenAi(ChatStreamEncoder::new(Head::default(), false));
            let keep_alive = KeepAlive {
                clock: Arc::new(clock),
                every: Duration::from_secs(15),
            };
            let body = written(stream, encoder, Bytes::from_static(b": ping\n\n"), keep_alive);
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
