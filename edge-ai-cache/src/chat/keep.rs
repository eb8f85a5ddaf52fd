use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    Cache, CacheKey, ChatAccumulator, ChatEvent, ChatOutput, ChatResponse, ChatStream, Clock, Context,
    FinishReason, SemanticIndex, SemanticLesson, SemanticQuestion, Timestamp,
};
use futures_util::stream::{self, StreamExt};

use super::CachedChatModel;
use super::entry::Entry;

/// Keeps one answer.
#[derive(Clone)]
pub(super) struct Keeper {
    pub(super) cache: Arc<dyn Cache>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) key: CacheKey,
    /// When the model was asked.
    pub(super) asked: Timestamp,
    /// How long the answer is good, and how long it may be of use after.
    pub(super) good: Duration,
    pub(super) spare: Duration,
    /// Whether filtered answers are kept.
    pub(super) filtered: bool,
    /// Who learns the answer as one to a question.
    pub(super) lesson: Option<(Arc<dyn SemanticIndex>, SemanticQuestion)>,
    pub(super) context: Context,
}

impl Keeper {
    /// Keeps an answer that may be kept, after the request's own is out.
    pub(super) async fn keep(self, answer: &ChatResponse) {
        if self.good.is_zero() || !may_be_kept(&answer.finish_reason, self.filtered) {
            return;
        }
        let trail = self.context.trail.clone();
        let now = self.clock.now();
        let tags = self.tags();
        let written = Entry::write(self.asked, now, self.good, &tags, answer);
        let value = match written {
            Ok(value) => value,
            Err(error) => return trail.warn(format!("cache: an answer does not write: {error}")),
        };
        let context = self.context.clone();
        let lesson = self.lesson.clone();
        let lesson = lesson.map(|taught| (taught, SemanticLesson::new(answer.clone(), self.asked, tags)));
        let work = async move {
            let put = self
                .cache
                .put(&self.key, value, self.good.saturating_add(self.spare));
            if let Err(error) = put.await {
                trail.warn(format!("cache: {error}"));
            }
            if let Some(((index, question), lesson)) = lesson
                && let Err(error) = index.learn(&question, &lesson, self.good).await
            {
                trail.warn(format!("cache: by meaning: {error}"));
            }
        };
        context.defer(work).await;
    }

    /// The client's tags, and what the answer is made from.
    fn tags(&self) -> Vec<String> {
        let own = self.context.cache.tags.iter().map(|tag| tag.to_string());
        own.chain(self.context.trail.sources()).collect()
    }
}

/// An unknown end may be different next time, and so may a filtered one.
fn may_be_kept(reason: &FinishReason, filtered: bool) -> bool {
    match reason {
        FinishReason::Stop | FinishReason::StopSequence | FinishReason::Length | FinishReason::ToolCalls => {
            true
        }
        FinishReason::ContentFilter | FinishReason::Refusal => filtered,
        _ => false,
    }
}

/// Collects one stream to keep it.
struct Collector {
    keeper: Keeper,
    accumulator: ChatAccumulator,
}

impl Collector {
    /// Takes the next events; at the end, or when they become too many, it is done.
    async fn collect(mut self, events: &[ChatEvent]) -> Option<Self> {
        for event in events {
            self.accumulator.push_ref(event);
            if self.accumulator.size() > CachedChatModel::MAX_KEPT {
                let warning = "cache: the answer is too large to keep";
                self.keeper.context.trail.warn(warning);
                return None;
            }
        }
        if !self.accumulator.is_complete() {
            return Some(self);
        }
        let output: ChatOutput = self.accumulator.finish();
        self.keeper.keep(&output.into()).await;
        None
    }
}

/// The same stream; when it has come to its end, what it added up to is kept.
pub(super) fn kept(stream: ChatStream, keeper: Keeper) -> ChatStream {
    let collector = Collector {
        keeper,
        accumulator: ChatAccumulator::default(),
    };
    stream.wrap(|stream| {
        stream::unfold(
            (stream, Some(collector)),
            |(mut stream, mut collector)| async move {
                let frame = stream.next().await?;
                collector = match (&frame, collector) {
                    (Ok(frame), Some(collector)) => collector.collect(&frame.events).await,
                    _ => None,
                };
                Some((frame, (stream, collector)))
            },
        )
    })
}
