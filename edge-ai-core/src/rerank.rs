use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Context, Result, Usage};

/// Orders documents by how well they answer a query, reading both together.
#[async_trait]
pub trait Reranker: fmt::Debug + Send + Sync + 'static {
    /// Scores every document and returns the best [`top_n`](RerankRequest::top_n), best first, ties in the given order.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) without documents, and the vendor's errors.
    async fn rerank(&self, request: RerankRequest) -> Result<RerankResponse>;
}

#[async_trait]
impl<T: Reranker + ?Sized> Reranker for Arc<T> {
    async fn rerank(&self, request: RerankRequest) -> Result<RerankResponse> {
        (**self).rerank(request).await
    }
}

/// A query with the documents to order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RerankRequest {
    /// The model asked for.
    pub model: String,
    /// What the documents should answer.
    pub query: String,
    /// The candidates.
    pub documents: Vec<String>,
    /// How many to return; `None` for all.
    pub top_n: Option<usize>,
    /// What belongs to the request but not to its content.
    pub context: Context,
}

impl RerankRequest {
    /// Orders all of `documents` for `query`.
    pub fn new(model: impl Into<String>, query: impl Into<String>, documents: Vec<String>) -> Self {
        Self {
            model: model.into(),
            query: query.into(),
            documents,
            top_n: None,
            context: Context::default(),
        }
    }

    /// Returns only the best `n`.
    #[must_use]
    pub fn top_n(mut self, n: usize) -> Self {
        self.top_n = Some(n);
        self
    }

    /// Sets the context.
    #[must_use]
    pub fn with_context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }
}

/// The documents' order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RerankResponse {
    /// Best first.
    pub results: Vec<RerankResult>,
    /// What it took, where the vendor says so.
    pub usage: Option<Usage>,
}

impl RerankResponse {
    /// Sorts `results` best first (ties by index) and keeps `top_n` of them.
    pub fn ranked(mut results: Vec<RerankResult>, top_n: Option<usize>) -> Self {
        results.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.index.cmp(&b.index)));
        results.truncate(top_n.unwrap_or(usize::MAX));
        Self { results, usage: None }
    }
}

/// One document's place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RerankResult {
    /// Where the document stood in the request.
    pub index: usize,
    /// Higher answers better; the scale is the model's.
    pub score: f32,
}

impl RerankResult {
    /// A document's score.
    pub const fn new(index: usize, score: f32) -> Self {
        Self { index, score }
    }
}
