use std::collections::HashMap;

use edge_ai_core::{Bytes, ErrorKind, JsonObject, timeout};
use serde_json::Value;

use super::{Index, Step, failure};
use crate::digest::Digest;
use crate::index::JobStep;
use crate::index::chunk::chunk_id;
use crate::index::job::JobRow;
use crate::index::manifest::{Content, Entry, Fence, Plan, PlannedChunk, Stop, VALUE_BYTES};
use crate::index::put::content_hash;
use crate::{Chunk, Document, MediaType, ParsedDocument};

/// A document's bytes, and what they are.
struct Original {
    body: Bytes,
    media_type: MediaType,
    etag: Option<String>,
}

impl Index {
    /// Reads, parses and splits the document, and writes down its chunks.
    pub(super) async fn split(
        &self,
        fence: &Fence,
        entry: &Entry,
        fingerprint: &str,
        batches: &mut usize,
    ) -> Result<Step, Stop> {
        let Entry { document: row, job } = entry;
        self.manifest
            .note_step(fence, self.times(), JobStep::Split)
            .await?;
        let Some(original) = self.original(job).await? else {
            // What came from a bucket goes with its object.
            self.manifest.turn_into_delete(fence, self.times()).await?;
            return Ok(Step::Next);
        };
        let hash = content_hash(
            original.media_type.essence(),
            original.media_type.charset(),
            &original.body,
        );
        let content = Content {
            hash: &hash,
            etag: original.etag.as_deref(),
            media_type: original.media_type.to_string(),
            bytes: original.body.len() as u64,
        };
        let same = row.hash.as_deref() == Some(&hash)
            && row.given == job.given
            && row.fingerprint.as_deref() == Some(fingerprint);
        if let Some(live) = row.live.filter(|_| same) {
            self.manifest.note_content(fence, self.times(), content).await?;
            self.manifest
                .commit(fence, self.times(), live, fingerprint)
                .await?;
            return self.clean(fence, entry, Some(live), batches).await;
        }
        let metadata: JsonObject = serde_json::from_str(&job.metadata).unwrap_or_default();
        let mut document = Document::new(
            job.document.clone(),
            original.media_type.clone(),
            original.body.clone(),
        );
        document.metadata.clone_from(&metadata);
        document.source.clone_from(&job.source);
        // A parser may take its time, but not longer than nobody else begins with the same document.
        let parsing = self.parts.pipeline.parser.parse(&document);
        let mut parsed = timeout(&*self.parts.clock, self.parts.options.lease, parsing).await?;
        let chunks = self.named(fence, &parsed)?;
        if chunks.is_empty() {
            parsed.warnings.push("the document has no text".to_owned());
        }
        let mut merged = std::mem::take(&mut parsed.metadata);
        merged.extend(metadata.clone());
        let record = self.record(parsed.title.as_deref(), &metadata);
        let plan = Plan {
            content,
            fingerprint,
            record: &record,
            title: parsed.title.as_deref(),
            merged: &merged,
            text_bytes: parsed.text.len() as u64,
            warnings: &parsed.warnings,
            chunks: chunks.len() as u64,
        };
        self.manifest
            .write_plan(fence, self.times(), &chunks, plan)
            .await?;
        Ok(Step::Next)
    }

    async fn original(&self, job: &JobRow) -> Result<Option<Original>, Stop> {
        let most = self.parts.options.max_bytes;
        let key = job.body.as_deref().unwrap_or_default();
        let Some(bucket) = &job.bucket else {
            let found = self.call(self.parts.originals.get(key, most)).await?;
            let Some((_, body)) = found else {
                return Err(failure(
                    ErrorKind::NotFound,
                    "the document's bytes are not among the originals any more: put the document again",
                ));
            };
            let media_type = job
                .media_type
                .as_deref()
                .map_or(MediaType::UNKNOWN, MediaType::parse);
            return Ok(Some(Original {
                body,
                media_type,
                etag: None,
            }));
        };
        let Some(store) = self.parts.buckets.get(bucket) else {
            return Err(failure(
                ErrorKind::Configuration,
                format!("the index knows no bucket `{bucket}`: name it with `IndexBuilder::bucket`"),
            ));
        };
        let found = self.call(store.get(key, most)).await?;
        Ok(found.map(|(object, body)| Original {
            body,
            media_type: media_type_of(key, object.content_type.as_deref()),
            etag: Some(object.etag),
        }))
    }

    /// The chunks with their names.
    fn named(&self, fence: &Fence, parsed: &ParsedDocument) -> Result<Vec<PlannedChunk>, Stop> {
        let chunks = self.parts.pipeline.splitter.split(parsed);
        let most = self.parts.options.max_chunks;
        if chunks.len() > most {
            let message = format!(
                "the document has {} chunks, over the {most} that it may have: split it, make its chunks larger, or raise `max_chunks`",
                chunks.len()
            );
            return Err(failure(ErrorKind::TooLarge, message));
        }
        if let Some(chunk) = chunks.iter().find(|chunk| size(chunk) > VALUE_BYTES / 2) {
            let message = format!(
                "chunk {} has {} bytes with its passage, over the {} that a chunk may have: let the splitter make smaller ones",
                chunk.ordinal,
                size(chunk),
                VALUE_BYTES / 2
            );
            return Err(failure(ErrorKind::TooLarge, message));
        }
        let embedding = self.parts.pipeline.embedding();
        let mut occurrences: HashMap<(String, String), u32> = HashMap::new();
        let named = (0..).zip(chunks).map(|(ordinal, mut chunk)| {
            chunk.ordinal = ordinal;
            let key = (chunk.embedded_text().to_owned(), chunk.text.clone());
            let occurrence = occurrences.entry(key).or_default();
            let id = chunk_id(&fence.namespace, &fence.document, &embedding, &chunk, *occurrence);
            *occurrence += 1;
            PlannedChunk { id, chunk }
        });
        Ok(named.collect())
    }

    /// Names what goes along with each chunk's text into the stores.
    fn record(&self, title: Option<&str>, metadata: &JsonObject) -> String {
        Digest::new("record")
            .optional(title)
            .part(Value::Object(self.filterable(metadata)).to_string())
            .part([u8::from(self.parts.keywords.is_some())])
            .into_base64()
    }
}

/// What an object is: as its key says where the bucket does not know better.
fn media_type_of(key: &str, content_type: Option<&str>) -> MediaType {
    let given = content_type.map_or(MediaType::UNKNOWN, MediaType::parse);
    if given == MediaType::UNKNOWN {
        return MediaType::of_name(key).unwrap_or(given);
    }
    given
}

fn size(chunk: &Chunk) -> usize {
    let embedded = chunk.embedded.as_ref().map_or(0, String::len);
    let parent = chunk.parent.as_ref().map_or(0, |parent| parent.text.len());
    (chunk.text.len() + embedded).max(parent)
}
