use std::collections::VecDeque;

use bytes::Bytes;
use edge_ai_core::{ChatFrame, Error, Result};
use futures_util::stream::{self, BoxStream, Stream, StreamExt};

/// Turns the bytes of a vendor's stream into frames.
pub(crate) trait FrameDecoder: Send + 'static {
    /// Takes the next bytes and returns the frames that they complete. An error is the last item, and nothing comes after it.
    fn push(&mut self, chunk: Bytes) -> Vec<Result<ChatFrame>>;

    /// Takes the end of the bytes and returns the frames that are left, or an error when the answer was not complete.
    fn finish(&mut self) -> Vec<Result<ChatFrame>>;
}

/// A decoder whose errors wait until the frames before them are given.
#[derive(Debug, Default)]
pub(crate) struct Held<D> {
    decoder: D,
    failed: Option<Error>,
}

impl<D: FrameDecoder> Held<D> {
    pub(crate) const fn new(decoder: D) -> Self {
        Self {
            decoder,
            failed: None,
        }
    }

    pub(crate) fn push(&mut self, chunk: Bytes) -> Result<Vec<ChatFrame>> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => {
                let items = self.decoder.push(chunk);
                self.hold(items)
            }
        }
    }

    /// The same at the end, where no call follows that could bring an error: it comes at once then.
    pub(crate) fn finish(&mut self) -> Result<Vec<ChatFrame>> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.decoder.finish().into_iter().collect(),
        }
    }

    fn hold(&mut self, items: Vec<Result<ChatFrame>>) -> Result<Vec<ChatFrame>> {
        let mut frames = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Ok(frame) => frames.push(frame),
                Err(error) if frames.is_empty() => return Err(error),
                Err(error) => self.failed = Some(error),
            }
        }
        Ok(frames)
    }
}

/// The frames of a step that may fail after some of them.
pub(crate) fn items(step: impl FnOnce(&mut Vec<ChatFrame>) -> Result<()>) -> Vec<Result<ChatFrame>> {
    let mut frames = Vec::new();
    let outcome = step(&mut frames);
    frames.into_iter().map(Ok).chain(outcome.err().map(Err)).collect()
}

/// The frames of a body as they arrive, up to the first error.
pub(crate) fn frames(
    body: BoxStream<'static, Result<Bytes>>,
    decoder: impl FrameDecoder,
) -> impl Stream<Item = Result<ChatFrame>> + Send + 'static {
    let reader = Reader {
        body: Some(body),
        decoder,
        ready: VecDeque::new(),
    };
    stream::unfold(reader, |mut reader| async move {
        reader.next().await.map(|frame| (frame, reader))
    })
}

struct Reader<D> {
    /// `None` once it has ended, which lets the server go.
    body: Option<BoxStream<'static, Result<Bytes>>>,
    decoder: D,
    ready: VecDeque<Result<ChatFrame>>,
}

impl<D: FrameDecoder> Reader<D> {
    async fn next(&mut self) -> Option<Result<ChatFrame>> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some(frame);
            }
            let items = match self.body.as_mut()?.next().await {
                Some(Ok(chunk)) => self.decoder.push(chunk),
                Some(Err(error)) => vec![Err(error)],
                None => {
                    self.body = None;
                    self.decoder.finish()
                }
            };
            if items.last().is_some_and(Result::is_err) {
                self.body = None;
            }
            self.ready.extend(items);
        }
    }
}
