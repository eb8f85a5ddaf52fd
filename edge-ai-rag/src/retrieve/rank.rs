//! From fused ids to the chunks in their last order.

use std::collections::HashMap;
use std::sync::Arc;

use edge_ai_core::{JsonObject, RerankRequest, Reranker, Result, Timestamp, VectorStore};
use serde_json::Value;

use super::adjust::adjust;
use super::fusion::{Fused, Scale};
use super::mmr::choose;
use super::question::apart;
use super::{Mmr, Retrieval, RetrievedChunk};
use crate::StoredChunk;

/// The most chunks that a reranker reads: what a call of one takes grows with each.
pub(super) const RERANKED: usize = 50;

/// What puts candidates in order.
#[derive(Clone, Debug)]
pub(super) struct Rerank {
    pub(super) reranker: Arc<dyn Reranker>,
    pub(super) model: String,
}

/// The chunks of the fused list that are live and pass the filter, with their scores.
pub(super) fn join_rows(
    fused: Vec<Fused>,
    rows: Vec<StoredChunk>,
    retrieval: &Retrieval,
) -> Vec<RetrievedChunk> {
    let mut rows: HashMap<String, StoredChunk> = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
    fused
        .into_iter()
        .filter_map(|fused| {
            let chunk = rows.remove(&fused.id)?;
            // Vectorize compares the first 64 bytes of a text.
            let passes =
                retrieval.options.filter.is_empty() || retrieval.options.filter.matches(&fields(&chunk));
            let mut found = RetrievedChunk::of_chunk(chunk, fused.score);
            found.scores.dense = fused.dense;
            found.scores.keyword = fused.keyword;
            found.scores.fused = Some(fused.score);
            passes.then_some(found)
        })
        .collect()
}

/// What a filter may ask of a chunk: its metadata, and what is known of its document unless the metadata has a field of that name.
fn fields(chunk: &StoredChunk) -> JsonObject {
    let mut fields = chunk.metadata.clone();
    let known = [
        ("document", Some(Value::from(chunk.document.as_str()))),
        ("title", chunk.title.as_deref().map(Value::from)),
        ("source", chunk.source.as_deref().map(Value::from)),
        ("updated", Some(Value::from(chunk.updated.as_millis()))),
    ];
    for (name, value) in known {
        if let Some(value) = value {
            fields.entry(name).or_insert(value);
        }
    }
    fields
}

/// Scores the best candidates by the reranker; the others and those under the threshold are left out.
pub(super) async fn rerank(
    rerank: &Rerank,
    query: &str,
    retrieval: &Retrieval,
    found: &mut Vec<RetrievedChunk>,
) -> Result<()> {
    let read = RERANKED.max(retrieval.options.top_k).min(found.len());
    let texts = found.iter().take(read).map(text_to_rank).collect();
    let request =
        RerankRequest::new(rerank.model.as_str(), query, texts).with_context(apart(&retrieval.context));
    let answer = rerank.reranker.rerank(request).await?;
    for one in &answer.results {
        if let Some(chunk) = found.get_mut(one.index).filter(|_| one.index < read) {
            chunk.scores.rerank = Some(one.score);
            chunk.score = one.score;
        }
    }
    let least = retrieval.options.threshold.rerank.unwrap_or(f32::NEG_INFINITY);
    found.retain(|chunk| chunk.scores.rerank.is_some_and(|score| score >= least));
    Ok(())
}

/// A chunk as a reranker reads it: under its headings, since a paragraph often does not name what it is about.
fn text_to_rank(found: &RetrievedChunk) -> String {
    let chunk = &found.chunk;
    let mut text = String::new();
    for heading in chunk.title.iter().chain(
        chunk
            .heading
            .iter()
            .filter(|heading| chunk.title.as_ref() != Some(heading)),
    ) {
        text.push_str(heading);
        text.push_str(" > ");
    }
    if !text.is_empty() {
        text.truncate(text.len() - 3);
        text.push('\n');
    }
    text.push_str(&chunk.text);
    text
}

/// Applies decay and boosts and sorts, best first; ties by document and place.
pub(super) fn sort(found: &mut [RetrievedChunk], retrieval: &Retrieval, now: Timestamp) {
    for one in &mut *found {
        one.score = adjust(&retrieval.options, &one.chunk, one.score, now);
    }
    found.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| a.chunk.document.cmp(&b.chunk.document))
            .then_with(|| a.chunk.ordinal.cmp(&b.chunk.ordinal))
            .then_with(|| a.chunk.id.cmp(&b.chunk.id))
    });
}

/// Chooses for variety among the best.
pub(super) async fn diversify(
    store: &dyn VectorStore,
    mmr: Mmr,
    top_k: usize,
    found: Vec<RetrievedChunk>,
) -> Result<Vec<RetrievedChunk>> {
    let ids: Vec<String> = found.iter().map(|one| one.chunk.id.clone()).collect();
    let records = store.get(&ids).await?;
    let vectors: HashMap<&str, &[f32]> = records
        .iter()
        .map(|record| (record.id.as_str(), record.values.as_slice()))
        .collect();
    let vectors: Vec<Option<&[f32]>> = ids.iter().map(|id| vectors.get(id.as_str()).copied()).collect();
    let scale = Scale::over(found.iter().map(|one| one.score));
    let relevance: Vec<f32> = found.iter().map(|one| scale.apply(one.score)).collect();
    let order = choose(&relevance, &vectors, mmr.lambda, top_k);
    let mut found: Vec<Option<RetrievedChunk>> = found.into_iter().map(Some).collect();
    Ok(order
        .into_iter()
        .filter_map(|at| found.get_mut(at)?.take())
        .collect())
}
