use std::collections::HashMap;
use std::ops::Range;

use edge_ai_core::{JsonObject, Result, Row, Statement, Timestamp, async_trait, read_row};
use serde::Deserialize;

use super::{Manifest, list};
use crate::{ChunkSource, DocumentId, Namespace, ParentChunk, StoredChunk};

/// Chunks that searches see, with what they need of their documents.
const SELECT: &str = "SELECT c.id, c.document, c.ordinal, c.text, c.heading, c.range_start, c.range_end, c.metadata, d.title, d.source, d.metadata AS of_document, \
    d.updated, p.ordinal AS passage, p.text AS passage_text, p.range_start AS passage_start, p.range_end AS passage_end \
    FROM rag_chunks c JOIN rag_documents d ON d.namespace = c.namespace AND d.id = c.document AND d.live = c.generation \
    LEFT JOIN rag_passages p ON p.namespace = c.namespace AND p.document = c.document AND p.generation = c.generation AND p.ordinal = c.passage ";

/// The most chunks of one read.
const AT_ONCE: usize = 500;

#[async_trait]
impl ChunkSource for Manifest {
    async fn chunks(&self, namespace: &Namespace, ids: &[String]) -> Result<Vec<StoredChunk>> {
        let mut found = HashMap::new();
        for ids in ids.chunks(AT_ONCE) {
            let statement = Statement::new(
                format!("{SELECT} WHERE c.namespace = ?1 AND c.id IN (SELECT value FROM json_each(?2))"),
                [namespace.as_str().into(), list(ids)],
            );
            for row in self.database.query(statement).await? {
                let chunk = read(row)?;
                found.insert(chunk.id.clone(), chunk);
            }
        }
        Ok(ids.iter().filter_map(|id| found.get(id).cloned()).collect())
    }

    async fn range(
        &self,
        namespace: &Namespace,
        document: &DocumentId,
        ordinals: Range<u32>,
    ) -> Result<Vec<StoredChunk>> {
        let statement = Statement::new(
            format!(
                "{SELECT} WHERE c.namespace = ?1 AND c.document = ?2 AND c.ordinal >= ?3 AND c.ordinal < ?4 ORDER BY c.ordinal LIMIT {AT_ONCE}"
            ),
            [
                namespace.as_str().into(),
                document.as_str().into(),
                u64::from(ordinals.start).into(),
                u64::from(ordinals.end).into(),
            ],
        );
        let rows = self.database.query(statement).await?;
        rows.into_iter().map(read).collect()
    }

    async fn version(&self, namespace: &Namespace) -> Result<u64> {
        #[derive(Deserialize)]
        struct Version {
            version: u64,
        }
        let statement = Statement::new(
            "SELECT version FROM rag_namespaces WHERE namespace = ?1",
            [namespace.as_str().into()],
        );
        let row = self.database.query(statement).await?.pop();
        row.map_or(Ok(0), |row| read_row::<Version>(row).map(|row| row.version))
    }
}

#[derive(Deserialize)]
struct ChunkRow {
    id: String,
    document: DocumentId,
    ordinal: u32,
    text: String,
    heading: String,
    range_start: u64,
    range_end: u64,
    metadata: String,
    title: Option<String>,
    source: Option<String>,
    of_document: String,
    updated: Option<u64>,
    passage: Option<u32>,
    passage_text: Option<String>,
    passage_start: Option<usize>,
    passage_end: Option<usize>,
}

fn read(row: Row) -> Result<StoredChunk> {
    let row: ChunkRow = read_row(row)?;
    let object = |text: &str| serde_json::from_str::<JsonObject>(text).unwrap_or_default();
    let mut metadata = object(&row.of_document);
    metadata.extend(object(&row.metadata));
    let parent = row.passage.zip(row.passage_text).map(|(ordinal, text)| {
        let range = row.passage_start.unwrap_or_default()..row.passage_end.unwrap_or_default();
        ParentChunk::new(ordinal, text, range)
    });
    Ok(StoredChunk {
        heading: serde_json::from_str(&row.heading).unwrap_or_default(),
        parent,
        title: row.title,
        source: row.source,
        metadata,
        updated: Timestamp::from_millis(row.updated.unwrap_or_default()),
        ..StoredChunk::new(
            row.id,
            row.document,
            row.ordinal,
            row.text,
            row.range_start..row.range_end,
        )
    })
}
