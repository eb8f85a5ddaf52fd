use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{ChatEvent, ChatFrame, ChatStream, Clock, Error, ErrorKind, Result, Timestamp};
use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::{self, StreamExt};

/// How many frames without content are read ahead at most: more of them is a stream that lives.
const MAX_AHEAD: usize = 64;

/// Reads a stream up to its first content, so that a failure before it can still be answered by another provider.
///
/// # Errors
/// The stream's error, if it comes before any content.
pub(super) async fn preamble(stream: &mut ChatStream) -> Result<Vec<ChatFrame>> {
    let mut frames = Vec::new();
    while frames.len() < MAX_AHEAD
        && let Some(frame) = stream.next().await
    {
        let frame = frame?;
        let content = frame
            .events
            .iter()
            .any(|event| !matches!(event, ChatEvent::Start(_) | ChatEvent::Usage(_)));
        frames.push(frame);
        if content {
            break;
        }
    }
    Ok(frames)
}

/// Puts frames that were read ahead back before the rest, and ends the stream with an error when it is silent for `limit`.
///
/// Only the time that somebody waits for the stream counts: a client that reads slowly is not the provider's silence.
pub(super) fn guarded(
    stream: ChatStream,
    ahead: Vec<ChatFrame>,
    clock: Arc<dyn Clock>,
    limit: Duration,
) -> ChatStream {
    let dialect = stream.dialect().cloned();
    let watch = Watch {
        stream,
        timer: None,
        clock,
        limit,
    };
    let rest = stream::unfold(watch, |mut watch| async move {
        watch.next().await.map(|frame| (frame, watch))
    });
    let frames = stream::iter(ahead.into_iter().map(Ok)).chain(rest);
    match dialect {
        Some(dialect) => ChatStream::in_dialect(dialect, frames),
        None => ChatStream::new(frames),
    }
}

/// One timer serves many frames: it is set anew only when it has run out before the wait for a frame was long enough.
struct Watch {
    stream: ChatStream,
    timer: Option<BoxFuture<'static, ()>>,
    clock: Arc<dyn Clock>,
    limit: Duration,
}

impl Watch {
    async fn next(&mut self) -> Option<Result<ChatFrame>> {
        let since: Timestamp = self.clock.now();
        loop {
            let clock = Arc::clone(&self.clock);
            let left = self.limit.saturating_sub(clock.now().since(since));
            let timer = self
                .timer
                .take()
                .unwrap_or_else(|| Box::pin(async move { clock.sleep(left).await }));
            match select(self.stream.next(), timer).await {
                Either::Left((frame, timer)) => {
                    self.timer = Some(timer);
                    return frame;
                }
                Either::Right(_) if self.clock.now().since(since) >= self.limit => {
                    let message = format!("the stream was silent for {} ms", self.limit.as_millis());
                    return Some(Err(Error::new(ErrorKind::Timeout, message)));
                }
                Either::Right(_) => {}
            }
        }
    }
}
