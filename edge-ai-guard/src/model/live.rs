//! A stream behind guards.

use std::collections::VecDeque;
use std::sync::Arc;

use edge_ai_core::{
    ChatAccumulator, ChatFrame, ChatRequest, ChatResponse, ChatStream, Error, ErrorKind, Result,
};
use futures_util::stream::{self, StreamExt};

use super::bench::holds;
use super::window::Window;
use super::{GuardedChatModel, Inner};
use crate::guard::Phase;
use crate::placeholder::Placeholders;

/// The stream as the client may see it.
pub(super) fn guarded(
    inner: Arc<Inner>,
    request: ChatRequest,
    names: Arc<Placeholders>,
    stream: ChatStream,
) -> ChatStream {
    let held = inner.bench.holds(&request.input);
    let live = Live::new(inner, request, names);
    stream.wrap(|stream| {
        let source = if held {
            Source::Held(stream)
        } else {
            Source::Live(stream)
        };
        stream::unfold((source, live), |(source, mut live)| async move {
            let (item, source) = live.next(source).await?;
            Some((item, (source, live)))
        })
    })
}

/// Where frames come from.
enum Source {
    /// As they arrive.
    Live(ChatStream),
    /// All of them are to be there first.
    Held(ChatStream),
    /// They are there, and the end with them.
    There(VecDeque<ChatFrame>),
}

struct Live {
    inner: Arc<Inner>,
    request: ChatRequest,
    window: Window,
    /// What may go out.
    out: VecDeque<ChatFrame>,
    /// What comes after that.
    failed: Option<Error>,
    /// The answer in the model's own words, if guards look at it at its end.
    said: Option<ChatAccumulator>,
}

impl Live {
    fn new(inner: Arc<Inner>, request: ChatRequest, names: Arc<Placeholders>) -> Self {
        let said = inner
            .bench
            .checks_at_end(&request.input)
            .then(ChatAccumulator::default);
        let lanes = |source| inner.bench.lanes(Phase::Answer, source, Some(&names));
        let window = Window::new(lanes, Arc::clone(&names), request.context.clone());
        Self {
            window,
            inner,
            request,
            out: VecDeque::new(),
            failed: None,
            said,
        }
    }

    async fn next(&mut self, mut source: Source) -> Option<(Result<ChatFrame>, Source)> {
        loop {
            if let Some(frame) = self.out.pop_front() {
                if frame.is_last()
                    && let Err(error) = self.check_end().await
                {
                    return Some((Err(error), source));
                }
                return Some((Ok(frame), source));
            }
            if let Some(error) = self.failed.take() {
                return Some((Err(error), source));
            }
            let frame = match source {
                Source::Held(stream) => match self.hold(stream).await {
                    Ok(frames) => {
                        source = Source::There(frames);
                        continue;
                    }
                    Err(error) => return Some((Err(error), Source::There(VecDeque::new()))),
                },
                Source::Live(ref mut stream) => match stream.next().await? {
                    Ok(frame) => frame,
                    Err(error) => {
                        // What has arrived is the client's, as far as it may be.
                        self.failed = self.window.finish(&mut self.out).err().or(Some(error));
                        continue;
                    }
                },
                Source::There(ref mut frames) => frames.pop_front()?,
            };
            if let Some(said) = &mut self.said {
                frame.events.iter().for_each(|event| said.push_ref(event));
                if said.size() > GuardedChatModel::MAX_HELD {
                    self.failed = Some(too_large());
                    continue;
                }
            }
            self.failed = self.window.push(frame, &mut self.out).err();
        }
    }

    /// Guards that need all of an answer whose end they only hold.
    async fn check_end(&mut self) -> Result<()> {
        let Some(said) = self.said.take() else {
            return Ok(());
        };
        self.inner
            .judge(&self.request, &said.finish(), |rule| !holds(rule))
            .await
            .map(drop)
    }

    /// Waits for all of an answer, and for one that is accepted.
    async fn hold(&mut self, mut stream: ChatStream) -> Result<VecDeque<ChatFrame>> {
        let mut frames = VecDeque::new();
        let mut accumulator = ChatAccumulator::default();
        while let Some(frame) = stream.next().await {
            let frame = frame?;
            frame.events.iter().for_each(|event| accumulator.push_ref(event));
            if accumulator.size() > GuardedChatModel::MAX_HELD {
                return Err(too_large());
            }
            frames.push_back(frame);
        }
        let response = ChatResponse::from(accumulator.finish());
        let accepted = self
            .inner
            .accepted(self.request.clone(), response.clone(), holds)
            .await?;
        if *accepted == *response {
            return Ok(frames);
        }
        let mut frames = VecDeque::new();
        let mut stream = ChatStream::from_response(accepted);
        while let Some(frame) = stream.next().await {
            frames.push_back(frame?);
        }
        Ok(frames)
    }
}

fn too_large() -> Error {
    let message = "the answer is too large to be checked as a whole: ask for a shorter one";
    Error::new(ErrorKind::TooLarge, message)
}
