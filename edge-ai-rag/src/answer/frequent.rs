use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    Cache, CacheKey, CacheMode, CacheStatus, ChatOutput, ChatRequest, ContentPart, Context, FinishReason,
    Result, Role, SemanticIndex, SemanticLesson, SemanticQuestion, Timestamp,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Keeps answers to questions that come again.
///
/// An entry's name has everything that the answer depends on: the namespace and with it the tenant, the corpus' version, the models, the prompt, the
/// options, and the request but for the question's spacing, its first letter's case and its last marks. The version rises with every change of a
/// document, so that an answer ends with any of them: not only a document that it cites may change, a new one may answer better, which a
/// purge by the cited documents could not know.
#[derive(Clone, Debug)]
pub(super) struct Frequent {
    pub(super) cache: Option<Arc<dyn Cache>>,
    pub(super) semantic: Option<Arc<dyn SemanticIndex>>,
    pub(super) ttl: Duration,
}

/// A question that may be kept.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    key: CacheKey,
    question: SemanticQuestion,
    mode: CacheMode,
    ttl: Duration,
    max_age: Option<Duration>,
    asked_at: Timestamp,
    /// Names under which the caller may have it purged.
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    at: u64,
    answer: ChatOutput,
}

impl Asked {
    /// The question of a request: one turn of text, without tools. `depends` is all that the answer depends on beside the request.
    pub(super) fn new(request: &ChatRequest, depends: &[u8], ttl: Duration, now: Timestamp) -> Option<Self> {
        let policy = &request.context.cache;
        let (last, before) = request.messages.split_last()?;
        let single = last.role == Role::User && before.iter().all(|message| message.role.is_instruction());
        let plain = last
            .content
            .iter()
            .all(|part| matches!(part, ContentPart::Text(text) if text.extra.is_empty()));
        if !single || !plain || !request.tools.is_empty() || policy.mode == CacheMode::Bypass {
            return None;
        }
        let text = normalized(&last.text());
        let mut rest = (*request.input).clone();
        rest.messages.last_mut()?.content.clear();
        let rest = serde_json::to_vec(&rest).ok()?;
        let mut hash = Sha256::new();
        for part in [depends, request.model.as_bytes(), &rest] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let scope = CacheKey::from_digest("rag-scope", &hash.clone().finalize());
        hash.update(text.as_bytes());
        let tenant = request.context.tenant.clone();
        Some(Self {
            key: CacheKey::from_digest("rag", &hash.finalize()),
            question: SemanticQuestion::new(scope, tenant, request.model.as_str(), text),
            mode: policy.mode,
            ttl: policy.ttl.map_or(ttl, |wished| wished.min(ttl)),
            max_age: policy.max_age,
            asked_at: now,
            tags: policy.tags.iter().map(|tag| tag.to_string()).collect(),
        })
    }
}

impl Frequent {
    /// The kept answer. A cache that fails has none.
    pub(super) async fn find(&self, asked: &Asked, context: &Context) -> Option<ChatOutput> {
        if asked.mode != CacheMode::Use {
            return None;
        }
        let trail = &context.trail;
        let fresh = |age: Duration| asked.max_age.is_none_or(|most| age <= most);
        if let Some(cache) = &self.cache
            && let Some(bytes) = told(cache.get(&asked.key).await, context)?
            && let Ok(kept) = serde_json::from_slice::<Kept>(&bytes)
        {
            let age = asked.asked_at.since(Timestamp::from_millis(kept.at));
            if fresh(age) {
                trail.set_cache(CacheStatus::Hit);
                trail.set_cache_age(age);
                return Some(kept.answer);
            }
        }
        if let Some(index) = &self.semantic
            && let Some(found) = told(index.find(&asked.question).await, context)?
            && fresh(found.age)
        {
            trail.set_cache(CacheStatus::Semantic);
            trail.set_cache_age(found.age);
            return Some(found.lesson.answer.into_inner());
        }
        trail.set_cache(CacheStatus::Miss);
        None
    }

    /// Keeps a complete answer, behind the client's back.
    pub(super) async fn keep(&self, asked: Asked, answer: ChatOutput, context: &Context) {
        if answer.finish_reason != FinishReason::Stop || asked.ttl.is_zero() {
            return;
        }
        let this = self.clone();
        let within = context.clone();
        context
            .defer(async move {
                if let Some(cache) = &this.cache {
                    let kept = Kept {
                        at: asked.asked_at.as_millis(),
                        answer: answer.clone(),
                    };
                    if let Ok(bytes) = serde_json::to_vec(&kept) {
                        told(cache.put(&asked.key, bytes.into(), asked.ttl).await, &within);
                    }
                }
                if let Some(index) = &this.semantic {
                    let lesson = SemanticLesson::new(answer.into(), asked.asked_at, asked.tags);
                    told(index.learn(&asked.question, &lesson, asked.ttl).await, &within);
                }
            })
            .await;
    }
}

/// What went well; what did not is told.
fn told<T>(outcome: Result<T>, context: &Context) -> Option<T> {
    outcome
        .map_err(|error| {
            context
                .trail
                .warn(format!("the cache of frequent questions failed: {error}"))
        })
        .ok()
}

/// A question without what makes no other: runs of spaces, the case of its first letter, the marks at its end.
fn normalized(question: &str) -> String {
    let words = question.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = words.trim_end_matches(['?', '!', '.', ' ']);
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        // An abbreviation such as `US` is a name.
        (Some(first), second) if !second.is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_makes_no_other_question_is_left_out() {
        let same = normalized("How many days of leave");
        for question in [
            " how  many days of leave?",
            "How many days of leave ?!",
            "how many days\nof leave.",
        ] {
            assert_eq!(normalized(question), same);
        }
        for question in [
            "how many days of Leave",
            "how many days of leave not",
            "how many 30 days of leave",
        ] {
            assert_ne!(normalized(question), same);
        }
        assert_ne!(normalized("US leave?"), normalized("us leave?"));
    }
}
