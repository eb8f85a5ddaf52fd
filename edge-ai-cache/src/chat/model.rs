use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{
    Cache, CacheStatus, ChatModel, ChatRequest, ChatResponse, ChatStream, Clock, Context, Error, ErrorKind,
    Result, SemanticIndex,
};

use super::keep::kept;
use super::look_up::{Looked, Miss};
use super::refresh::Refreshes;
use crate::apart::write_context;
use crate::coalesce::{Joined, Meeting, Meets};
use crate::{CacheRules, CoalescingRooms, PurgeLog};

/// A chat model before which a cache stands.
///
/// In this order, as far as the request's [`CachePolicy`](edge_ai_core::CachePolicy) and the [rule](crate::CacheRule) of its model allow:
///
/// 1. an answer under the exact [key](crate::chat_key): good, or past its time while a new one is asked for behind it;
/// 2. an answer to a question that [means the same](Self::semantic);
/// 3. the answer that an equal request is [getting](Self::coalesce) right now;
/// 4. the model's, which is kept;
/// 5. when the model fails, an answer past its time.
///
/// What it did is noted in the request's [`Trail`](edge_ai_core::Trail). A cache that fails is passed by with a warning there, never an error; a
/// write that was [deferred](Context::defer) may warn after the answer is out. A stream whose client leaves is given up and not kept: nothing
/// is generated for nobody, unless others wait for the same answer.
#[derive(Clone, Debug)]
pub struct CachedChatModel {
    pub(super) model: Arc<dyn ChatModel>,
    pub(super) cache: Arc<dyn Cache>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rules: Arc<CacheRules>,
    pub(super) purges: Option<Arc<PurgeLog>>,
    pub(super) semantic: Option<Arc<dyn SemanticIndex>>,
    pub(super) refreshes: Refreshes,
    rooms: Option<Arc<dyn Meets>>,
    salt: Arc<[u8]>,
    labels: Arc<[String]>,
    keys_apart: bool,
    streams_apart: bool,
}

impl CachedChatModel {
    /// How much of an answer is collected to be kept, by the [size](edge_ai_core::ChatAccumulator::size) of a stream's: 2 MiB, as much as a
    /// [`MemoryCache`](crate::MemoryCache) of the default capacity takes, and several hundred pages.
    pub const MAX_KEPT: usize = 2 << 20;

    /// Keeps the answers of `model` in `cache` by `rules`, such as one [`CacheRule`](crate::CacheRule) or a mere time to live.
    pub fn new(
        model: Arc<dyn ChatModel>,
        cache: Arc<dyn Cache>,
        clock: impl Clock,
        rules: impl Into<CacheRules>,
    ) -> Self {
        Self {
            model,
            cache,
            clock: Arc::new(clock),
            rules: Arc::new(rules.into()),
            purges: None,
            semantic: None,
            refreshes: Refreshes::default(),
            rooms: None,
            salt: Arc::default(),
            labels: Arc::default(),
            keys_apart: false,
            streams_apart: false,
        }
    }

    /// Passes over what `log` says was purged.
    #[must_use]
    pub fn purges(self, log: Arc<PurgeLog>) -> Self {
        Self {
            purges: Some(log),
            ..self
        }
    }

    /// Asks `index` before the model, where a rule [says so](crate::CacheRule::semantic), and lets it learn what is kept.
    #[must_use]
    pub fn semantic(self, index: Arc<dyn SemanticIndex>) -> Self {
        Self {
            semantic: Some(index),
            ..self
        }
    }

    /// Lets equal requests meet in `rooms` and share one call, where a rule [says so](crate::CacheRule::coalesce). It needs a
    /// [background](Context::background).
    #[must_use]
    pub fn coalesce(self, rooms: Arc<dyn CoalescingRooms>) -> Self {
        Self {
            rooms: Some(Arc::new(Meeting(rooms))),
            ..self
        }
    }

    /// What the answers depend on beside the request, mixed into every [key](crate::chat_key): a digest of the routes, for example, so
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

    /// Sets whether it matters by which [key](Context::key) a caller comes, as where a route is chosen by it: then the keys of a tenant share nothing.
    #[must_use]
    pub fn keys_apart(self, keys_apart: bool) -> Self {
        Self { keys_apart, ..self }
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
    pub(super) fn salt_for(&self, context: &Context, stream: bool) -> Vec<u8> {
        let mut salt = self.salt.to_vec();
        salt.push(u8::from(self.streams_apart && stream));
        write_context(&mut salt, context, &self.labels, self.keys_apart);
        salt
    }

    /// Meets equal requests, where they are to meet.
    async fn meet(&self, request: &ChatRequest, miss: &Miss) -> Result<Joined> {
        let Some(rooms) = self.rooms.as_ref().filter(|_| miss.coalesce) else {
            return Ok(Joined::Alone);
        };
        let joined = rooms
            .join(&miss.keeper.key, &self.clock, &request.context)
            .await?;
        if let Joined::Whole(_) | Joined::Stream(_) = joined {
            request.context.trail.set_cache(CacheStatus::Coalesced);
        }
        Ok(joined)
    }

    async fn ask(&self, request: ChatRequest, miss: &Miss) -> Result<ChatResponse> {
        match self.meet(&request, miss).await? {
            Joined::Whole(answer) => Ok(answer),
            Joined::Stream(stream) => stream.collect().await.map(Into::into),
            Joined::Alone => {
                let answer = self.model.chat(request).await?;
                miss.keeper.clone().keep(&answer).await;
                Ok(answer)
            }
            Joined::Lead(lead) => {
                let outcome = self.model.chat(request).await;
                lead.finish(&outcome);
                let answer = outcome?;
                miss.keeper.clone().keep(&answer).await;
                Ok(answer)
            }
        }
    }

    async fn ask_stream(&self, request: ChatRequest, miss: &Miss) -> Result<ChatStream> {
        let keeper = miss.keeper.clone();
        match self.meet(&request, miss).await? {
            Joined::Whole(answer) => Ok(ChatStream::from_response(answer)),
            Joined::Stream(stream) => Ok(stream),
            Joined::Alone => Ok(kept(self.model.chat_stream(request).await?, keeper)),
            Joined::Lead(lead) => match self.model.chat_stream(request).await {
                Ok(stream) => Ok(lead.share(kept(stream, keeper))),
                Err(error) => {
                    lead.finish(&Err(error.clone()));
                    Err(error)
                }
            },
        }
    }
}

/// An answer past its time where the model gave none.
fn or_spare<T>(
    outcome: Result<T>,
    miss: Miss,
    context: &Context,
    of: impl Fn(ChatResponse) -> T,
) -> Result<T> {
    match (outcome, miss.spare) {
        (Err(error), Some((answer, age))) if may_be_over_later(&error) => {
            context
                .trail
                .warn(format!("cache: an old answer in place of an error: {error}"));
            context.trail.set_cache(CacheStatus::Stale);
            context.trail.set_cache_age(age);
            Ok(of(answer))
        }
        (outcome, _) => outcome,
    }
}

/// Whether a failure is the other side's: what is wrong with the request stays an error.
fn may_be_over_later(error: &Error) -> bool {
    error.is_retryable() || error.status() >= 500 || error.kind() == ErrorKind::QuotaExceeded
}

#[async_trait]
impl ChatModel for CachedChatModel {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        match self.look_up(&request, false).await? {
            Looked::Found(answer) => Ok(answer),
            Looked::Bypass => self.model.chat(request).await,
            Looked::Miss(miss) => {
                let context = request.context.clone();
                let outcome = self.ask(request, &miss).await;
                or_spare(outcome, *miss, &context, |answer| answer)
            }
        }
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        match self.look_up(&request, true).await? {
            Looked::Found(answer) => Ok(ChatStream::from_response(answer)),
            Looked::Bypass => self.model.chat_stream(request).await,
            Looked::Miss(miss) => {
                let context = request.context.clone();
                let outcome = self.ask_stream(request, &miss).await;
                or_spare(outcome, *miss, &context, ChatStream::from_response)
            }
        }
    }
}
