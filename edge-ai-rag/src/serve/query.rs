use std::ops::Range;

use edge_ai_core::{Body, Context, JsonObject, Result};
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::{Access, Asked, RagService, filter, json};
use crate::{DocumentId, Retrieval, RetrievalOptions, RetrievedChunk, Scores, SearchMode};

/// A question.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    pub(super) query: String,
    top_k: Option<usize>,
    mode: Option<SearchMode>,
    rerank: Option<bool>,
    #[serde(default)]
    filter: JsonObject,
    pub(super) namespace: Option<String>,
    #[serde(default)]
    pub(super) stream: bool,
}

impl Question {
    /// How to search for it: as `usual`, but for what the question says.
    pub(super) fn options(&self, usual: &RetrievalOptions) -> Result<RetrievalOptions> {
        let mut options = usual.clone();
        if let Some(top_k) = self.top_k {
            options = options.top_k(top_k);
        }
        if let Some(mode) = self.mode {
            options = options.mode(mode);
        }
        options.rerank = self.rerank.unwrap_or(options.rerank);
        // What the operator has set holds, too.
        options
            .filter
            .conditions
            .extend(filter::read(&self.filter)?.conditions);
        Ok(options)
    }
}

#[derive(Serialize)]
struct Found<'a> {
    matches: Vec<Match<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Match<'a> {
    document_id: &'a DocumentId,
    chunk_id: &'a str,
    score: f32,
    scores: &'a Scores,
    text: &'a str,
    heading: &'a [String],
    range: &'a Range<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    metadata: &'a JsonObject,
}

impl<'a> From<&'a RetrievedChunk> for Match<'a> {
    fn from(found: &'a RetrievedChunk) -> Self {
        let chunk = &found.chunk;
        Self {
            document_id: &chunk.document,
            chunk_id: &chunk.id,
            score: found.score,
            scores: &found.scores,
            text: &found.passage.text,
            heading: &chunk.heading,
            range: &found.passage.range,
            title: chunk.title.as_deref(),
            source: chunk.source.as_deref(),
            metadata: &chunk.metadata,
        }
    }
}

impl<A: Access> RagService<A> {
    pub(super) async fn query(&self, asked: &Asked<'_>, body: Body) -> Result<Response<Body>> {
        let question: Question = self.read(body).await?;
        let namespace = asked.namespace_named(question.namespace.as_deref())?;
        let options = question.options(self.model.options())?;
        let retrieval = Retrieval::new(namespace, question.query)
            .with_options(options)
            .with_context(context(asked));
        let retrieved = self.model.retriever().retrieve(retrieval).await?;
        let found = Found {
            matches: retrieved.chunks.iter().map(Match::from).collect(),
            warnings: &retrieved.warnings,
        };
        json(StatusCode::OK, &found)
    }
}

/// Whose question it is.
pub(super) fn context(asked: &Asked<'_>) -> Context {
    match asked.tenant {
        Some(tenant) => Context::default().with_tenant(tenant),
        None => Context::default(),
    }
}
