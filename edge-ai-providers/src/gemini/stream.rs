use bytes::Bytes;
use edge_ai_core::{Body, ChatEvent, ChatFrame, ChatStream, Error, ErrorKind, Result, SseDecoder};
use futures_util::stream::Stream;

use super::GENERATE;
use super::response::AnswerReader;
use crate::wire::{FrameDecoder, Held, frames, items};

/// The answer to `:streamGenerateContent?alt=sse`, as it arrives.
pub fn generate_stream(body: Body) -> ChatStream {
    ChatStream::in_dialect(GENERATE, generate_frames(body))
}

/// The frames of a body.
pub(crate) fn generate_frames(body: Body) -> impl Stream<Item = Result<ChatFrame>> + Send + 'static {
    frames(body.into_stream(), ChunkReader::default())
}

/// Turns the bytes of a streamed answer into frames, however they were cut on the way.
///
/// Gemini's streams have no end mark: an answer is complete when its bytes end after a `finishReason`.
///
/// ```
/// use edge_ai_core::ChatEvent;
/// use edge_ai_providers::gemini::GenerateStreamDecoder;
///
/// let mut decoder = GenerateStreamDecoder::new();
/// let chunk = r#"{"candidates":[{"content":{"parts":[{"text":"Paris"}]},"finishReason":"STOP"}]}"#;
/// let frames = decoder.push(format!("data: {chunk}\r\n\r\n").into())?;
/// assert!(frames[0].events.contains(&ChatEvent::Text("Paris".into())));
/// assert_eq!(decoder.finish()?[0].events, [ChatEvent::Done]);
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct GenerateStreamDecoder(Held<ChunkReader>);

impl GenerateStreamDecoder {
    /// A decoder at a stream's beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and returns the frames that they complete. An error that follows complete frames comes with the
    /// next call.
    ///
    /// # Errors
    /// The vendor's error, [`ErrorKind::ContentFiltered`] for a blocked prompt, or [`ErrorKind::BadUpstream`] for what is no chunk. Nothing
    /// comes after it.
    pub fn push(&mut self, chunk: Bytes) -> Result<Vec<ChatFrame>> {
        self.0.push(chunk)
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] unless a `finishReason` was there.
    pub fn finish(&mut self) -> Result<Vec<ChatFrame>> {
        self.0.finish()
    }
}

#[derive(Debug, Default)]
struct ChunkReader {
    sse: SseDecoder,
    answer: AnswerReader,
}

impl FrameDecoder for ChunkReader {
    fn push(&mut self, chunk: Bytes) -> Vec<Result<ChatFrame>> {
        items(|frames| {
            for event in self.sse.push(chunk)? {
                let events = if event.data.is_empty() {
                    Vec::new()
                } else {
                    self.answer.read(&event.data)?
                };
                frames.push(ChatFrame::with_native(events, event.raw));
            }
            Ok(())
        })
    }

    fn finish(&mut self) -> Vec<Result<ChatFrame>> {
        // A frame that the end cuts short was to say more.
        let whole = self.sse.rest().iter().all(u8::is_ascii_whitespace);
        vec![if whole && self.answer.is_finished() {
            Ok(ChatFrame::new(vec![ChatEvent::Done]))
        } else {
            Err(Error::new(
                ErrorKind::Interrupted,
                "the stream ended before a `finishReason`",
            ))
        }]
    }
}
