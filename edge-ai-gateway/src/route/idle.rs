use edge_ai_core::{ChatEvent, ChatFrame, ChatStream, Error, ErrorKind, Result};
use futures_util::stream::{self, StreamExt};

use crate::patience::Patience;

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
pub(super) fn guarded(stream: ChatStream, ahead: Vec<ChatFrame>, patience: Patience) -> ChatStream {
    stream.wrap(|stream| {
        let rest = stream::unfold((stream, patience), |(mut stream, mut patience)| async move {
            let frame = patience.wait(stream.next()).await.unwrap_or_else(|| {
                let message = format!("the stream was silent for {} ms", patience.limit().as_millis());
                Some(Err(Error::new(ErrorKind::Timeout, message)))
            })?;
            Some((frame, (stream, patience)))
        });
        stream::iter(ahead.into_iter().map(Ok)).chain(rest)
    })
}
