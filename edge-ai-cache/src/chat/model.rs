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
/// [`Trail`](edge_ai_core::Trail). A cache that fails is passed by with a warning there, never an error.
#[derive(Debug)]
pub struct CachedChatModel {
    model: Arc<dyn ChatModel>,
    cache: Arc<dyn Cache>,
    ttl: Duration,
}

impl CachedChatModel {
    /// Keeps the answers of `model` in `cache` for `ttl`, unless a request says otherwise.
    pub fn new(model: Arc<dyn ChatModel>, cache: Arc<dyn Cache>, ttl: Duration) -> Self {
        Self { model, cache, ttl }
    }

    /// The answer that is kept for a request, or where to keep the one to come.
    async fn look_up(&self, request: &ChatRequest) -> Looked {
        let Context {
            cache: policy, trail, ..
        } = &request.context;
        if policy.mode == CacheMode::Bypass || request.choices.is_some_and(|choices| choices > 1) {
            trail.set_cache(CacheStatus::Bypass);
            return Looked::Bypass;
        }
        let key = match chat_key(request) {
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
        let ttl = policy.ttl.unwrap_or(self.ttl);
        Looked::Miss(Keeper {
            cache,
            key,
            ttl,
            context: request.context.clone(),
        })
    }
}

enum Looked {
    Hit(Box<ChatResponse>),
    Miss(Keeper),
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
        let Ok(value) = serde_json::to_vec(response).map(Bytes::from) else {
            return;
        };
        let Self {
            cache,
            key,
            ttl,
            context,
        } = self;
        let trail = context.trail.clone();
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
        match self.look_up(&request).await {
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
        match self.look_up(&request).await {
            Looked::Hit(response) => Ok(ChatStream::from_response(*response)),
            Looked::Bypass => self.model.chat_stream(request).await,
            Looked::Miss(keeper) => Ok(kept(self.model.chat_stream(request).await?, keeper)),
        }
    }
}

/// The same stream; when it has come to its end, what it added up to is kept.
fn kept(stream: ChatStream, keeper: Keeper) -> ChatStream {
    let dialect = stream.dialect().cloned();
    let state = (stream, ChatAccumulator::default(), Some(keeper));
    let frames = stream::unfold(state, |(mut stream, mut accumulator, mut keeper)| async move {
        let frame = stream.next().await?;
        if let Ok(frame) = &frame {
            frame
                .events
                .iter()
                .cloned()
                .for_each(|event| accumulator.push(event));
            if frame.events.last() == Some(&ChatEvent::Done)
                && let Some(keeper) = keeper.take()
            {
                let output: ChatOutput = std::mem::take(&mut accumulator).finish();
                keeper.keep(&output.into()).await;
            }
        }
        Some((frame, (stream, accumulator, keeper)))
    });
    match dialect {
        Some(dialect) => ChatStream::in_dialect(dialect, frames),
        None => ChatStream::new(frames),
    }
}
