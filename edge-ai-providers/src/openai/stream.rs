use edge_ai_core::{Body, ChatFrame, ChatStream, Result};
use futures_util::stream::Stream;

use super::CHAT;
use super::stream_decode::FrameReader;
use crate::wire;

/// Reads a stream as it arrives.
///
/// The frames keep their bytes. The stream ends with an error when the body breaks off, reports an error of the server, or ends before
/// the answer is complete.
pub fn chat_stream(body: Body) -> ChatStream {
    ChatStream::in_dialect(CHAT, frames(body))
}

/// The frames of a body.
pub(super) fn frames(body: Body) -> impl Stream<Item = Result<ChatFrame>> + Send + 'static {
    wire::frames(body.into_stream(), FrameReader::default())
}
