use edge_ai_core::{Context, Error, Message, Result, Usage};
use serde::Serialize;

use super::{Passage, RetrievalOptions};
use crate::{Namespace, StoredChunk};

/// What to find, and where.
///
/// ```
/// use edge_ai_rag::{Namespace, Retrieval, RetrievalOptions};
///
/// let namespace = Namespace::of(Some("acme"), Some("handbook"));
/// let retrieval = Retrieval::new(namespace, "how many days of leave?").with_options(RetrievalOptions::new(3));
/// assert_eq!(retrieval.options.top_k, 3);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Retrieval {
    /// Where to look, and nowhere else.
    pub namespace: Namespace,
    /// The question.
    pub query: String,
    /// The conversation before it, oldest first, for [rewriting](super::QueryWork::rewrite).
    pub history: Vec<Message>,
    /// How to search.
    pub options: RetrievalOptions,
    /// Whose question it is; its trail is told of what went wrong without failing.
    pub context: Context,
}

impl Retrieval {
    /// The longest question, in bytes.
    pub const MAX_QUERY_BYTES: usize = 32 * 1024;

    /// A question by itself, with the options unless set.
    pub fn new(namespace: Namespace, query: impl Into<String>) -> Self {
        Self {
            namespace,
            query: query.into(),
            history: Vec::new(),
            options: RetrievalOptions::default(),
            context: Context::default(),
        }
    }

    /// Sets [`options`](Self::options).
    #[must_use]
    pub fn with_options(mut self, options: RetrievalOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets [`history`](Self::history).
    #[must_use]
    pub fn with_history(mut self, history: Vec<Message>) -> Self {
        self.history = history;
        self
    }

    /// Sets [`context`](Self::context).
    #[must_use]
    pub fn with_context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.query.trim().is_empty() {
            return Err(Error::invalid("query", "the question is empty"));
        }
        if self.query.len() > Self::MAX_QUERY_BYTES {
            let message = format!(
                "a question has at most {} bytes, not {}",
                Self::MAX_QUERY_BYTES,
                self.query.len()
            );
            return Err(Error::invalid("query", message));
        }
        self.options.check()
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Retrieved {
    /// Best first, at most `top_k`.
    pub chunks: Vec<RetrievedChunk>,
    /// What was searched for: the question, rewritten where that was asked, then its other wordings and the invented answer.
    pub queries: Vec<String>,
    /// What went wrong without failing the search, such as one of two searches; empty for a whole result.
    pub warnings: Vec<String>,
    /// What the chat model took for the question's sake.
    pub usage: Usage,
}

/// A chunk that was found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetrievedChunk {
    /// The chunk.
    pub chunk: StoredChunk,
    /// The text to answer from: the chunk's own, or what it was [expanded](super::Expand) to.
    pub passage: Passage,
    /// What it is ranked by, higher is better: the reranker's score, else the fused one, after decay and boosts. With
    /// [variety](super::Mmr) the order is another.
    pub score: f32,
    /// What the parts of the search said.
    pub scores: Scores,
}

impl RetrievedChunk {
    /// A chunk with its own text, ranked by a score: for searches of one's own.
    pub fn of_chunk(chunk: StoredChunk, score: f32) -> Self {
        Self {
            passage: Passage::of_chunk(&chunk),
            chunk,
            score,
            scores: Scores::default(),
        }
    }
}

/// What the parts of a search said of a chunk; each is `None` where that part did not find it or was not asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Scores {
    /// The vector store's, on the scale of its metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dense: Option<f32>,
    /// BM25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyword: Option<f32>,
    /// Of all searches together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fused: Option<f32>,
    /// The reranker's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rerank: Option<f32>,
}
