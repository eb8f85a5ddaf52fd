use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{CacheKey, ChatResponse, Result};

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
    async fn learn(&self, question: &SemanticQuestion, answer: &ChatResponse, ttl: Duration) -> Result<()>;
}

#[async_trait]
impl<T: SemanticIndex + ?Sized> SemanticIndex for Arc<T> {
    async fn find(&self, question: &SemanticQuestion) -> Result<Option<SemanticMatch>> {
        (**self).find(question).await
    }

    async fn learn(&self, question: &SemanticQuestion, answer: &ChatResponse, ttl: Duration) -> Result<()> {
        (**self).learn(question, answer, ttl).await
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

/// A kept answer to a question that means the same.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SemanticMatch {
    /// The answer.
    pub answer: ChatResponse,
    /// How near the two questions are, up to 1.
    pub similarity: f32,
    /// How old the answer is.
    pub age: Duration,
}

impl SemanticMatch {
    /// An answer that was found.
    pub const fn new(answer: ChatResponse, similarity: f32, age: Duration) -> Self {
        Self {
            answer,
            similarity,
            age,
        }
    }
}
