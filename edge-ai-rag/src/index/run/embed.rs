use std::collections::HashMap;

use edge_ai_core::{
    EmbeddingPurpose, EmbeddingRequest, ErrorKind, JsonObject, KeywordRecord, VectorRecord, estimate_tokens,
};
use serde_json::Value;

use super::{Index, failure};
use crate::index::job::JobRow;
use crate::index::manifest::{Fence, Progress, Stop, Unwritten};

/// The field of a record's metadata that has its document's id.
pub(in crate::index) const DOCUMENT_FIELD: &str = "document";

impl Index {
    /// Writes to the stores what they do not have, batch by batch. False when that is more than one run may do.
    pub(super) async fn embed(&self, fence: &Fence, job: &JobRow, batches: &mut usize) -> Result<bool, Stop> {
        let record = job.record.as_deref().unwrap_or_default();
        let metadata: JsonObject = serde_json::from_str(&job.metadata).unwrap_or_default();
        let mut along = self.filterable(&metadata);
        along.insert(DOCUMENT_FIELD.to_owned(), fence.document.as_str().into());
        loop {
            let most = self.parts.options.batch_texts;
            let times = self.times();
            let mut chunks = self.manifest.unwritten(fence, times, record, most).await?;
            if chunks.is_empty() {
                return Ok(true);
            }
            if *batches == 0 {
                return Ok(false);
            }
            *batches -= 1;
            chunks.truncate(fitting(&chunks, self.parts.options.batch_tokens));
            let (vectors, embedded) = self.vectors(&chunks).await?;
            // Two writes are to come, and as long as one may take again for each to come to pass.
            let now = self.parts.clock.now();
            if times.1.since(now) < self.parts.options.call * 3 {
                self.manifest
                    .hold(fence, now, now + self.parts.options.lease)
                    .await?;
            }
            let namespace = fence.namespace.as_str();
            let records = chunks.iter().zip(vectors).map(|(chunk, values)| {
                let mut record = VectorRecord::new(chunk.id.as_str(), values).namespace(namespace);
                record.metadata.clone_from(&along);
                record
            });
            let mutation = self.write(self.parts.vectors.upsert(records.collect())).await?;
            if let Some(keywords) = &self.parts.keywords {
                let records = chunks.iter().map(|chunk| {
                    let mut record =
                        KeywordRecord::new(chunk.id.as_str(), chunk.embedded_text()).namespace(namespace);
                    record.title.clone_from(&job.title);
                    record.metadata.clone_from(&along);
                    record
                });
                self.write(keywords.upsert(records.collect())).await?;
            }
            let ids: Vec<_> = chunks.into_iter().map(|chunk| chunk.id).collect();
            let progress = Progress {
                ids: &ids,
                record,
                embedded,
                mutation: mutation.id.as_deref(),
            };
            self.manifest.written(fence, self.times(), progress).await?;
        }
    }

    /// A vector for each chunk: those that the store has, of chunks whose metadata alone is new, and the model's for the others, with their number.
    async fn vectors(&self, chunks: &[Unwritten]) -> Result<(Vec<Vec<f32>>, u64), Stop> {
        let kept: Vec<String> = chunks
            .iter()
            .filter(|chunk| chunk.written.is_some())
            .map(|chunk| chunk.id.clone())
            .collect();
        let mut known: HashMap<String, Vec<f32>> = HashMap::new();
        if !kept.is_empty() {
            let records = self.call(self.parts.vectors.get(&kept)).await?;
            known.extend(records.into_iter().map(|record| (record.id, record.values)));
        }
        let unknown: Vec<&Unwritten> = chunks
            .iter()
            .filter(|chunk| !known.contains_key(&chunk.id))
            .collect();
        let texts: Vec<&str> = unknown.iter().map(|chunk| chunk.embedded_text()).collect();
        let count = texts.len() as u64;
        if !texts.is_empty() {
            let pipeline = &self.parts.pipeline;
            let mut request =
                EmbeddingRequest::new(pipeline.model.as_str(), texts).purpose(EmbeddingPurpose::Document);
            if let Some(dimensions) = pipeline.dimensions {
                request = request.dimensions(dimensions);
            }
            let answer = self.call(pipeline.embedder.embed(request)).await?;
            self.check_vectors(&answer.embeddings, unknown.len())?;
            let ids = unknown.iter().map(|chunk| chunk.id.clone());
            known.extend(ids.zip(answer.embeddings.iter().cloned()).collect::<Vec<_>>());
        }
        let vectors = chunks
            .iter()
            .filter_map(|chunk| known.remove(&chunk.id))
            .collect();
        Ok((vectors, count))
    }

    /// Whether a model's answer is one vector for each text, all as the store takes them.
    fn check_vectors(&self, vectors: &[Vec<f32>], texts: usize) -> Result<(), Stop> {
        let model = &self.parts.pipeline.model;
        if vectors.len() != texts {
            let message = format!("`{model}` answered {} vectors for {texts} texts", vectors.len());
            return Err(failure(ErrorKind::BadUpstream, message));
        }
        let length = vectors.first().map_or(0, Vec::len);
        let sound =
            |vector: &Vec<f32>| vector.len() == length && vector.iter().all(|value| value.is_finite());
        if length == 0 || !vectors.iter().all(sound) {
            let message = format!(
                "`{model}` answered vectors of different lengths, or with values that are no numbers"
            );
            return Err(failure(ErrorKind::BadUpstream, message));
        }
        match self.parts.vectors.capabilities().dimensions {
            Some(takes) if takes != length => {
                let message = format!(
                    "`{model}` makes vectors of {length} dimensions, and the vector store takes {takes}: use an index of {length} dimensions, or another model"
                );
                Err(failure(ErrorKind::Configuration, message))
            }
            _ => Ok(()),
        }
    }

    /// The fields of a document's metadata that go along with its chunks into the stores.
    pub(in crate::index) fn filterable(&self, metadata: &JsonObject) -> JsonObject {
        let chosen = |name: &String| match &self.parts.options.filterable {
            None => true,
            Some(names) => names.contains(name),
        };
        let simple = |value: &Value| match value {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => true,
            Value::Array(values) => values.iter().all(Value::is_string),
            _ => false,
        };
        metadata
            .iter()
            .filter(|(name, value)| chosen(name) && simple(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

/// How many of the first chunks have at most so many tokens together; at least one.
fn fitting(chunks: &[Unwritten], most: u64) -> usize {
    let mut tokens = 0_u64;
    let fits = chunks.iter().take_while(|chunk| {
        tokens = tokens.saturating_add(estimate_tokens(chunk.embedded_text()));
        tokens <= most
    });
    fits.count().max(1)
}
