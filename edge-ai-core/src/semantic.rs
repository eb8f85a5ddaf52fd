use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{CacheKey, ChatResponse, Result, Timestamp};

/// Finds kept answers to questions that mean the same.
///
/// A cache asks it after it found nothing under the exact key, and before the model. What is found is answered as it is, so an
/// implementation must be surer than similar: a negation, a number or a name that differs is another question.
#[async_trait]
pub trait SemanticIndex: fmt::Debug + Send + Sync + 'static {
    /// The answer to a question of the same [scope](SemanticQuestion::scope) that means the same as this one.
    ///
    /// # Errors
    /// When the index fails. Callers treat that as nothing found.
    async fn find(&self, question: &SemanticQuestion) -> Result<Option<SemanticMatch>>;

    /// Learns an answer, to be found for `ttl` at most.
    ///
    /// # Errors
    /// When the index fails. The answer is given all the same.
    async fn learn(&self, question: &SemanticQuestion, lesson: &SemanticLesson, ttl: Duration) -> Result<()>;
}

#[async_trait]
impl<T: SemanticIndex + ?Sized> SemanticIndex for Arc<T> {
    async fn find(&self, question: &SemanticQuestion) -> Result<Option<SemanticMatch>> {
        (**self).find(question).await
    }

    async fn learn(&self, question: &SemanticQuestion, lesson: &SemanticLesson, ttl: Duration) -> Result<()> {
        (**self).learn(question, lesson, ttl).await
    }
}

/// A question, and all that must be the same for two questions to be comparable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SemanticQuestion {
    /// A digest of everything but the text: the tenant, the model, the system prompt, the turns before, tools and parameters, and the
    /// routes. Answers never cross scopes.
    pub scope: CacheKey,
    /// Whose question it is.
    pub tenant: Option<Arc<str>>,
    /// The model asked for.
    pub model: String,
    /// The last user's turn.
    pub text: String,
}

impl SemanticQuestion {
    /// A question within a scope.
    pub fn new(
        scope: CacheKey,
        tenant: Option<Arc<str>>,
        model: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            scope,
            tenant,
            model: model.into(),
            text: text.into(),
        }
    }
}

/// An answer to learn, and what it stands and falls with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SemanticLesson {
    /// The answer.
    pub answer: ChatResponse,
    /// When the model was asked: a [purge](crate::CachePurge) from then on counts.
    pub asked: Timestamp,
    /// What it was made from or belongs to: a purge of one of these takes it.
    pub tags: Vec<String>,
}

impl SemanticLesson {
    /// An answer that was asked for at a time.
    pub const fn new(answer: ChatResponse, asked: Timestamp, tags: Vec<String>) -> Self {
        Self { answer, asked, tags }
    }
}

/// A kept answer to a question that means the same.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SemanticMatch {
    /// What was learned.
    pub lesson: SemanticLesson,
    /// The index's own name for it.
    pub entry: String,
    /// How near the two questions are, up to 1.
    pub similarity: f32,
    /// How old the answer is.
    pub age: Duration,
}

impl SemanticMatch {
    /// An answer that was found.
    pub fn new(entry: impl Into<String>, lesson: SemanticLesson, similarity: f32, age: Duration) -> Self {
        Self {
            lesson,
            entry: entry.into(),
            similarity,
            age,
        }
    }
}
