use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::{ChatRequest, ChatResponse, ChatStream};
use crate::Result;

/// Answers chats: a vendor's model, or anything around one.
#[async_trait]
#[diagnostic::on_unimplemented(
    note = "everything that answers a chat implements `ChatModel`: providers, routers, caches, pipelines"
)]
pub trait ChatModel: fmt::Debug + Send + Sync + 'static {
    /// Answers with everything at once.
    ///
    /// - The request's [`model`](ChatRequest::model) says which of its models answers; one that has a single model ignores it.
    /// - Nothing in the request is dropped silently: what the model cannot do is an [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported)
    ///   or the vendor's error, except sampling hints, which are hints.
    /// - Dropping the future gives up the call, at the vendor too.
    ///
    /// # Errors
    /// By their [kind](crate::ErrorKind), with the vendor's code, status, retry-after and body where there are some.
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse>;

    /// Answers piece by piece.
    ///
    /// - The call returns once the vendor has accepted the request; errors that come later are items of the stream.
    /// - The events, [accumulated](super::ChatAccumulator), are what [`chat`](Self::chat) would have answered.
    /// - The last event of a complete stream is [`ChatEvent::Done`](super::ChatEvent::Done). A stream that ends otherwise ends with an
    ///   error, and nothing follows an error.
    /// - Dropping the stream gives up the call.
    ///
    /// # Errors
    /// As [`chat`](Self::chat).
    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream>;
}

#[async_trait]
impl<T: ChatModel + ?Sized> ChatModel for Arc<T> {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        (**self).chat(request).await
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        (**self).chat_stream(request).await
    }
}
