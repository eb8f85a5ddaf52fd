use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    CacheKey, CacheMode, CacheStatus, ChatRequest, ChatResponse, Error, ErrorKind, Result, SemanticQuestion,
};

use super::entry::{Entry, Use};
use super::keep::Keeper;
use super::{CachedChatModel, chat_key, semantic};
use crate::CacheRule;

/// What a look into the cache comes to.
pub(super) enum Looked {
    Found(ChatResponse),
    Miss(Box<Miss>),
    Bypass,
}

/// Nothing that may be given now.
pub(super) struct Miss {
    /// Where the answer to come is kept.
    pub(super) keeper: Keeper,
    /// An old answer, and its age, should there be no new one.
    pub(super) spare: Option<(ChatResponse, Duration)>,
    /// Whether to meet equal requests.
    pub(super) coalesce: bool,
}

impl CachedChatModel {
    /// The answer that is kept for a request, or what to do with the one to come.
    ///
    /// # Errors
    /// Status 504 where the caller wants a kept answer or none, and there is none
    /// ([RFC 9111 §5.2.1.7](https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1.7)).
    pub(super) async fn look_up(&self, request: &ChatRequest, stream: bool) -> Result<Looked> {
        let (policy, trail) = (&request.context.cache, &request.context.trail);
        let rule = self.rules.of(&request.model);
        let bypass = || {
            trail.set_cache(CacheStatus::Bypass);
            if policy.only_if_cached {
                return Err(not_kept());
            }
            Ok(Looked::Bypass)
        };
        let several = request.choices.is_some_and(|choices| choices > 1);
        if policy.mode == CacheMode::Bypass || several || !rule.enabled {
            return bypass();
        }
        let salt = self.salt_for(&request.context, stream);
        let key = match chat_key(request, &salt) {
            Ok(key) => key,
            Err(error) => {
                trail.warn(format!("cache: {error}"));
                return bypass();
            }
        };
        let mut spare = None;
        if let Some(entry) = self.entry(request, &key).await {
            let now = self.clock.now();
            let age = entry.age(now);
            let mut usage = entry.use_for(now, rule, policy);
            if policy.mode == CacheMode::Refresh {
                // A new answer is wanted; an old one only where the caller says so, and the model fails.
                let rescued = policy.stale_if_error.is_some() && usage != Use::Nothing;
                usage = if rescued { Use::Spare } else { Use::Nothing };
            }
            match usage {
                Use::Fresh => return Ok(found(request, entry.answer, CacheStatus::Hit, age)),
                Use::Stale { refresh } if !refresh || self.refresh(request, &key, &salt, stream) => {
                    return Ok(found(request, entry.answer, CacheStatus::Stale, age));
                }
                Use::Stale { .. } | Use::Spare => spare = Some((entry.answer, age)),
                Use::Nothing => {}
            }
        }
        let question = self.question(request, rule, &salt);
        if policy.mode == CacheMode::Use
            && let Some(question) = &question
            && let Some(answer) = self.find(request, question).await
        {
            return Ok(answer);
        }
        trail.set_cache(CacheStatus::Miss);
        if policy.only_if_cached {
            return Err(not_kept());
        }
        Ok(Looked::Miss(Box::new(Miss {
            keeper: self.keeper(request, rule, key, question),
            spare,
            coalesce: rule.coalesce && policy.mode == CacheMode::Use,
        })))
    }

    /// What is kept under a key and has not been purged.
    async fn entry(&self, request: &ChatRequest, key: &CacheKey) -> Option<Entry> {
        let context = &request.context;
        let kept = match self.cache.get(key).await {
            Ok(kept) => kept?,
            Err(error) => {
                context.trail.warn(format!("cache: {error}"));
                return None;
            }
        };
        let entry = match Entry::read(&kept) {
            Ok(entry) => entry,
            Err(error) => {
                context
                    .trail
                    .warn(format!("cache: a kept answer does not read: {error}"));
                return None;
            }
        };
        if let Some(log) = &self.purges
            && log
                .has_purged(context, &request.model, &entry.tags, entry.asked())
                .await
        {
            return None;
        }
        Some(entry)
    }

    pub(super) fn keeper(
        &self,
        request: &ChatRequest,
        rule: &CacheRule,
        key: CacheKey,
        question: Option<SemanticQuestion>,
    ) -> Keeper {
        Keeper {
            cache: Arc::clone(&self.cache),
            clock: Arc::clone(&self.clock),
            key,
            asked: self.clock.now(),
            good: rule.ttl_for(request.context.cache.ttl),
            spare: rule.spare(),
            filtered: rule.filtered,
            lesson: self.semantic.clone().zip(question),
            context: request.context.clone(),
        }
    }

    fn question(&self, request: &ChatRequest, rule: &CacheRule, salt: &[u8]) -> Option<SemanticQuestion> {
        self.semantic.as_ref().filter(|_| rule.semantic)?;
        match semantic::question(request, salt) {
            Ok(question) => question,
            Err(error) => {
                request.context.trail.warn(format!("cache: {error}"));
                None
            }
        }
    }

    /// Asks the index for an answer of the same meaning.
    async fn find(&self, request: &ChatRequest, question: &SemanticQuestion) -> Option<Looked> {
        let (policy, context) = (&request.context.cache, &request.context);
        let found_ = match self.semantic.as_ref()?.find(question).await {
            Ok(found) => found?,
            Err(error) => {
                context.trail.warn(format!("cache: by meaning: {error}"));
                return None;
            }
        };
        if policy.max_age.is_some_and(|oldest| found_.age > oldest) {
            return None;
        }
        let lesson = found_.lesson;
        if let Some(log) = &self.purges
            && log
                .has_purged(context, &request.model, &lesson.tags, lesson.asked)
                .await
        {
            return None;
        }
        Some(found(request, lesson.answer, CacheStatus::Semantic, found_.age))
    }
}

fn found(request: &ChatRequest, answer: ChatResponse, status: CacheStatus, age: Duration) -> Looked {
    let trail = &request.context.trail;
    trail.set_cache(status);
    trail.set_cache_age(age);
    Looked::Found(answer)
}

fn not_kept() -> Error {
    let message = "no answer to this is kept, and the request asks for a kept one alone (`only-if-cached`)";
    Error::new(ErrorKind::NotFound, message)
        .with_status(504)
        .with_code("only_if_cached")
}
