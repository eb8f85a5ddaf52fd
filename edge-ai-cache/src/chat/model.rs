use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{
    Cache, CacheKey, CacheMode, CacheStatus, ChatAccumulator, ChatEvent, ChatModel, ChatOutput, ChatRequest,
    ChatResponse, ChatStream, Context, FinishReason, Result,
};
use futures_util::stream::{self, StreamExt};

use super::chat_key;

/// A chat model before which a cache stands.
///
/// The request's [`CachePolicy`](edge_ai_core::CachePolicy) says whether it is read and written; what it did is noted in the request's
/// [`Trail`](edge_ai_core::Trail). A cache that fails is passed by with a warning there, never an error; a write that was
/// [deferred](Context::defer) may warn after the answer is out.
#[derive(Debug)]
pub struct CachedChatModel {
    model: Arc<dyn ChatModel>,
    cache: Arc<dyn Cache>,
    ttl: Duration,
    max_ttl: Duration,
    salt: Box<[u8]>,
    labels: Vec<String>,
    streams_apart: bool,
}

impl CachedChatModel {
    /// How much of a stream is collected to be kept, by the [size](ChatAccumulator::size) of its answer: 2 MiB, as much as a
    /// [`MemoryCache`](crate::MemoryCache) of the default capacity takes, and several hundred pages.
    pub const MAX_KEPT: usize = 2 << 20;

    /// Keeps the answers of `model` in `cache` for `ttl`, or for as long as a request wishes, up to [`max_ttl`](Self::max_ttl).
    pub fn new(model: Arc<dyn ChatModel>, cache: Arc<dyn Cache>, ttl: Duration) -> Self {
        Self {
            model,
            cache,
            ttl,
            max_ttl: ttl,
            salt: Box::default(),
            labels: Vec::new(),
            streams_apart: false,
        }
    }

    /// The longest that a request may wish its answer kept; unless set, what [`new`](Self::new) was given. A request may always
    /// wish for less.
    #[must_use]
    pub fn max_ttl(self, max_ttl: Duration) -> Self {
        Self { max_ttl, ..self }
    }

    /// What the answers depend on beside the request, mixed into every [key](chat_key): a digest of the routes, for example, so
    /// that a name that leads to another model than before does not get that one's answers.
    #[must_use]
    pub fn salt(self, salt: impl AsRef<[u8]>) -> Self {
        Self {
            salt: salt.as_ref().into(),
            ..self
        }
    }

    /// The labels among a request's [metadata](edge_ai_core::Context::metadata) that the answer depends on, as where a route is chosen
    /// by them: requests that differ in one of them share nothing. All other labels do not matter.
    #[must_use]
    pub fn labels(self, labels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            labels: labels.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// Sets whether it matters that an answer is streamed, as where a route is chosen by it: then streams and whole answers share
    /// nothing. Unless set, they serve each other.
    #[must_use]
    pub fn streams_apart(self, streams_apart: bool) -> Self {
        Self {
            streams_apart,
            ..self
        }
    }

    /// What the answer to a request depends on beside its content.
    fn salt_for(&self, context: &Context, stream: bool) -> Vec<u8> {
        let mut salt = self.salt.to_vec();
        salt.push(u8::from(self.streams_apart && stream));
        for label in &self.labels {
            let value = context.metadata.get(label);
            // Before the value, so that none reads as the next label.
            salt.push(u8::from(value.is_some()));
            for text in [Some(label), value].into_iter().flatten() {
                salt.extend_from_slice(&(text.len() as u64).to_le_bytes());
                salt.extend_from_slice(text.as_bytes());
            }
        }
        salt
    }

    /// The answer that is kept for a request, or where to keep the one to come.
    async fn look_up(&self, request: &ChatRequest, stream: bool) -> Looked {
        let Context {
            cache: policy, trail, ..
        } = &request.context;
        if policy.mode == CacheMode::Bypass || request.choices.is_some_and(|choices| choices > 1) {
            trail.set_cache(CacheStatus::Bypass);
            return Looked::Bypass;
        }
        let key = match chat_key(request, &self.salt_for(&request.context, stream)) {
            Ok(key) => key,
            Err(error) => {
                trail.warn(format!("cache: {error}"));
                trail.set_cache(CacheStatus::Bypass);
                return Looked::Bypass;
            }
        };
        if policy.mode == CacheMode::Use {
            match self.cache.get(&key).await {
                Ok(Some(kept)) => match serde_json::from_slice(&kept) {
                    Ok(response) => {
                        trail.set_cache(CacheStatus::Hit);
                        return Looked::Hit(Box::new(response));
                    }
                    Err(error) => trail.warn(format!("cache: a kept answer does not read: {error}")),
                },
                Ok(None) => {}
                Err(error) => trail.warn(format!("cache: {error}")),
            }
        }
        trail.set_cache(CacheStatus::Miss);
        let cache = Arc::clone(&self.cache);
        let ttl = policy.ttl.map_or(self.ttl, |wish| wish.min(self.max_ttl));
        Looked::Miss(Box::new(Keeper {
            cache,
            key,
            ttl,
            context: request.context.clone(),
        }))
    }
}

enum Looked {
    Hit(Box<ChatResponse>),
    Miss(Box<Keeper>),
    Bypass,
}

/// Keeps one answer.
struct Keeper {
    cache: Arc<dyn Cache>,
    key: CacheKey,
    ttl: Duration,
    context: Context,
}

impl Keeper {
    async fn keep(self, response: &ChatResponse) {
        if !may_be_kept(&response.finish_reason) {
            return;
        }
        let Self {
            cache,
            key,
            ttl,
            context,
        } = self;
        let trail = context.trail.clone();
        let value = match serde_json::to_vec(response) {
            Ok(value) => Bytes::from(value),
            Err(error) => return trail.warn(format!("cache: an answer does not write: {error}")),
        };
        let put = async move {
            if let Err(error) = cache.put(&key, value, ttl).await {
                trail.warn(format!("cache: {error}"));
            }
        };
        context.defer(put).await;
    }
}

/// A filtered or unknown end may be different next time.
fn may_be_kept(reason: &FinishReason) -> bool {
    matches!(
        reason,
        FinishReason::Stop | FinishReason::StopSequence | FinishReason::Length | FinishReason::ToolCalls
    )
}

#[async_trait]
impl ChatModel for CachedChatModel {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        match self.look_up(&request, false).await {
            Looked::Hit(response) => Ok(*response),
            Looked::Bypass => self.model.chat(request).await,
            Looked::Miss(keeper) => {
                let response = self.model.chat(request).await?;
                keeper.keep(&response).await;
                Ok(response)
            }
        }
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        match self.look_up(&request, true).await {
            Looked::Hit(response) => Ok(ChatStream::from_response(*response)),
            Looked::Bypass => self.model.chat_stream(request).await,
            Looked::Miss(keeper) => Ok(kept(self.model.chat_stream(request).await?, *keeper)),
        }
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
fn kept(stream: ChatStream, keeper: Keeper) -> ChatStream {
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
