use edge_ai_core::{JsonObject, SqlValue, Statement, Timestamp, read_row};
use serde::Deserialize;
use serde_json::{Value, json};

use super::fence::HELD;
use super::{Fence, Manifest, Stop, bump, list};
use crate::Chunk;
use crate::index::JobStep;

/// The most bytes of one value: D1 takes 2 MB (<https://developers.cloudflare.com/d1/platform/limits/>).
pub(in crate::index) const VALUE_BYTES: usize = 1 << 20;

/// A chunk with its name, ready to be written down.
#[derive(Clone, Debug)]
pub(in crate::index) struct PlannedChunk {
    pub(in crate::index) id: String,
    pub(in crate::index) chunk: Chunk,
}

/// A chunk that the stores do not have, or not as it is now.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::index) struct Unwritten {
    pub(in crate::index) id: String,
    pub(in crate::index) text: String,
    pub(in crate::index) embedded: Option<String>,
    /// What the stores may have of it.
    pub(in crate::index) written: Option<String>,
}

impl Unwritten {
    pub(in crate::index) fn embedded_text(&self) -> &str {
        self.embedded.as_deref().unwrap_or(&self.text)
    }
}

/// The bytes of a document as they were found.
#[derive(Clone, Debug)]
pub(in crate::index) struct Content<'a> {
    pub(in crate::index) hash: &'a str,
    pub(in crate::index) etag: Option<&'a str>,
    pub(in crate::index) media_type: String,
    pub(in crate::index) bytes: u64,
}

/// What a document turned out to be.
#[derive(Clone, Debug)]
pub(in crate::index) struct Plan<'a> {
    pub(in crate::index) content: Content<'a>,
    pub(in crate::index) fingerprint: &'a str,
    pub(in crate::index) record: &'a str,
    pub(in crate::index) title: Option<&'a str>,
    pub(in crate::index) merged: &'a JsonObject,
    pub(in crate::index) text_bytes: u64,
    pub(in crate::index) warnings: &'a [String],
    pub(in crate::index) chunks: u64,
}

/// What a batch has come to.
#[derive(Clone, Debug)]
pub(in crate::index) struct Progress<'a> {
    pub(in crate::index) ids: &'a [String],
    pub(in crate::index) record: &'a str,
    pub(in crate::index) embedded: u64,
    pub(in crate::index) mutation: Option<&'a str>,
}

impl Manifest {
    /// Notes what a consumer does now.
    pub(in crate::index) async fn note_step(
        &self,
        fence: &Fence,
        times: (Timestamp, Timestamp),
        step: JobStep,
    ) -> Result<(), Stop> {
        let job = fence.statement(
            format!(
                "UPDATE rag_jobs SET state = 'running', step = ?5, updated = ?6 WHERE namespace = ?1 AND document = ?2 AND generation = ?4 AND {HELD}"
            ),
            [step.as_str().into(), times.0.as_millis().into()],
        );
        self.held(fence, times.0, times.1, [job]).await.map(drop)
    }

    /// Notes what the bytes of a document are.
    pub(in crate::index) async fn note_content(
        &self,
        fence: &Fence,
        times: (Timestamp, Timestamp),
        content: Content<'_>,
    ) -> Result<(), Stop> {
        let job = fence.statement(
            format!(
                "UPDATE rag_jobs SET hash = ?5, etag = ?6, media_type = ?7, bytes = ?8 WHERE namespace = ?1 AND document = ?2 AND generation = ?4 AND {HELD}"
            ),
            [
                content.hash.into(),
                content.etag.map(str::to_owned).into(),
                content.media_type.into(),
                content.bytes.into(),
            ],
        );
        self.held(fence, times.0, times.1, [job]).await.map(drop)
    }

    /// Writes down which chunks a generation has, before any store hears of them.
    pub(in crate::index) async fn write_plan(
        &self,
        fence: &Fence,
        times: (Timestamp, Timestamp),
        chunks: &[PlannedChunk],
        plan: Plan<'_>,
    ) -> Result<(), Stop> {
        let (now, until) = times;
        // What an attempt that broke off has left: nothing of it went further than this table.
        let forget = |table: &str| {
            fence.statement(
                format!("DELETE FROM {table} WHERE namespace = ?1 AND document = ?2 AND generation = ?4 AND {HELD}"),
                [],
            )
        };
        let begun = [forget("rag_chunks"), forget("rag_passages")];
        self.held(fence, now, until, begun).await?;
        let rows = portions(chunks.iter().map(chunk_row))
            .into_iter()
            .map(|rows| insert_chunks(fence, rows));
        let passages = portions(passages(chunks))
            .into_iter()
            .map(|rows| insert_passages(fence, rows));
        for statement in rows.chain(passages) {
            self.held(fence, now, until, [statement]).await?;
        }
        self.held(fence, now, until, [finish_plan(fence, now, plan)])
            .await?;
        Ok(())
    }

    /// The next chunks, at most `most`, of which the stores do not have this record. From here on nobody is sure what the stores have of them.
    pub(in crate::index) async fn unwritten(
        &self,
        fence: &Fence,
        times: (Timestamp, Timestamp),
        record: &str,
        most: usize,
    ) -> Result<Vec<Unwritten>, Stop> {
        let values = || [record.into(), SqlValue::from(most as u64)];
        let next = "SELECT id FROM rag_chunks WHERE namespace = ?1 AND document = ?2 AND generation = ?4 AND written IS NOT ?5 ORDER BY ordinal LIMIT ?6";
        let unsure = fence.statement(
            format!(
                "UPDATE rag_chunks SET written = '?' WHERE namespace = ?1 AND document = ?2 AND written IS NOT NULL AND id IN ({next}) AND {HELD}"
            ),
            values(),
        );
        let select = fence.statement(
            "SELECT id, text, embedded, written FROM rag_chunks WHERE namespace = ?1 AND document = ?2 AND generation = ?4 AND written IS NOT ?5 \
             ORDER BY ordinal LIMIT ?6",
            values(),
        );
        let mut rows = self.held(fence, times.0, times.1, [unsure, select]).await?;
        let rows = rows.pop().unwrap_or_default();
        Ok(rows
            .into_iter()
            .map(read_row)
            .collect::<edge_ai_core::Result<_>>()?)
    }

    /// Notes that the stores have a batch.
    pub(in crate::index) async fn written(
        &self,
        fence: &Fence,
        times: (Timestamp, Timestamp),
        progress: Progress<'_>,
    ) -> Result<(), Stop> {
        let ids = list(progress.ids);
        let chunks = fence.statement(
            format!(
                "UPDATE rag_chunks SET written = ?5 WHERE namespace = ?1 AND document = ?2 AND id IN (SELECT value FROM json_each(?6)) AND {HELD}"
            ),
            [progress.record.into(), ids.clone()],
        );
        let job = fence.statement(
            format!(
                "UPDATE rag_jobs SET done = done + ?5, embedded = embedded + ?6, mutation = coalesce(?7, mutation), probe = ?8, updated = ?9, attempts = 0, \
                 error = NULL, state = 'running', step = 'embed' WHERE namespace = ?1 AND document = ?2 AND generation = ?4 AND {HELD}"
            ),
            [
                (progress.ids.len() as u64).into(),
                progress.embedded.into(),
                progress.mutation.map(str::to_owned).into(),
                list(probe(progress.ids)),
                times.0.as_millis().into(),
            ],
        );
        self.held(fence, times.0, times.1, [chunks, job]).await.map(drop)
    }

    /// Lets searches see a generation in place of the one before, in one step. `live` is the generation whose chunks they are.
    pub(in crate::index) async fn commit(
        &self,
        fence: &Fence,
        times: (Timestamp, Timestamp),
        live: u64,
        fingerprint: &str,
    ) -> Result<(), Stop> {
        let now = times.0.as_millis();
        let document = fence.statement(
            "UPDATE rag_documents SET live = ?5, fingerprint = ?6, updated = CASE WHEN live IS ?5 THEN updated ELSE ?7 END, \
             chunks = (SELECT count(*) FROM rag_chunks c WHERE c.namespace = ?1 AND c.document = ?2 AND c.generation = ?5), \
             (bucket, body, hash, given, etag, media_type, source, bytes) = (SELECT j.bucket, j.body, j.hash, j.given, j.etag, j.media_type, j.source, j.bytes \
             FROM rag_jobs j WHERE j.namespace = ?1 AND j.document = ?2 AND j.generation = ?4) \
             WHERE namespace = ?1 AND id = ?2 AND lease = ?3 AND generation = ?4",
            [live.into(), fingerprint.into(), now.into()],
        );
        // Of a generation whose chunks are searched already, all this is there.
        let described = fence.statement(
            "UPDATE rag_documents SET (title, metadata, text_bytes) = (SELECT j.title, j.merged, j.text_bytes \
             FROM rag_jobs j WHERE j.namespace = ?1 AND j.document = ?2 AND j.generation = ?4) \
             WHERE namespace = ?1 AND id = ?2 AND lease = ?3 AND generation = ?4 AND ?5 = ?4",
            [live.into()],
        );
        let job = fence.statement(
            format!(
                "UPDATE rag_jobs SET state = 'running', step = 'clean', updated = ?5 WHERE namespace = ?1 AND document = ?2 AND generation = ?4 AND {HELD}"
            ),
            [now.into()],
        );
        let statements = [document, described, job, bump(&fence.namespace)];
        self.held(fence, times.0, times.1, statements).await.map(drop)
    }

    /// Names of chunks that are nobody's any more, at most `most`. Whoever plans from here on does not count on the stores having them.
    pub(in crate::index) async fn garbage(
        &self,
        fence: &Fence,
        times: (Timestamp, Timestamp),
        live: Option<u64>,
        most: usize,
    ) -> Result<Vec<String>, Stop> {
        let of_live =
            "SELECT l.id FROM rag_chunks l WHERE l.namespace = ?1 AND l.document = ?2 AND l.generation = ?5";
        let garbage =
            format!("namespace = ?1 AND document = ?2 AND generation IS NOT ?5 AND id NOT IN ({of_live})");
        let unsure = fence.statement(
            format!("UPDATE rag_chunks SET written = NULL WHERE {garbage} AND {HELD}"),
            [live.into()],
        );
        let select = fence.statement(
            format!("SELECT DISTINCT id FROM rag_chunks WHERE {garbage} AND {HELD} ORDER BY id LIMIT ?6"),
            [live.into(), (most as u64).into()],
        );
        let mut rows = self.held(fence, times.0, times.1, [unsure, select]).await?;
        #[derive(Deserialize)]
        struct Named {
            id: String,
        }
        let rows = rows.pop().unwrap_or_default().into_iter();
        Ok(rows
            .map(|row| read_row(row).map(|Named { id }| id))
            .collect::<edge_ai_core::Result<_>>()?)
    }

    /// Forgets chunks that the stores do not have any more.
    pub(in crate::index) async fn forget(
        &self,
        fence: &Fence,
        times: (Timestamp, Timestamp),
        live: Option<u64>,
        ids: &[String],
        mutation: Option<&str>,
    ) -> Result<(), Stop> {
        let chunks = fence.statement(
            format!(
                "DELETE FROM rag_chunks WHERE namespace = ?1 AND document = ?2 AND generation IS NOT ?5 AND id IN (SELECT value FROM json_each(?6)) AND {HELD}"
            ),
            [live.into(), list(ids)],
        );
        let job = fence.statement(
            format!(
                "UPDATE rag_jobs SET mutation = coalesce(?5, mutation), probe = CASE WHEN action = 'delete' THEN ?7 ELSE probe END, updated = ?6, attempts = CASE WHEN state = 'failed' THEN attempts ELSE 0 END \
                 WHERE namespace = ?1 AND document = ?2 AND generation = ?4 AND {HELD}"
            ),
            [
                mutation.map(str::to_owned).into(),
                times.0.as_millis().into(),
                list(probe(ids)),
            ],
        );
        self.held(fence, times.0, times.1, [chunks, job]).await.map(drop)
    }

    /// Closes a generation: nothing is left to do for it. `gone` when nothing is left of the document either.
    pub(in crate::index) async fn settle(
        &self,
        fence: &Fence,
        now: Timestamp,
        live: Option<u64>,
        gone: bool,
    ) -> Result<(), Stop> {
        let leftover = |table: &str| {
            fence.statement(
                format!("DELETE FROM {table} WHERE namespace = ?1 AND document = ?2 AND generation IS NOT ?5 AND {HELD}"),
                [live.into()],
            )
        };
        let job = fence.statement(
            format!(
                "UPDATE rag_jobs SET state = CASE WHEN state = 'failed' THEN state WHEN mutation IS NULL THEN 'searchable' ELSE 'indexed' END, step = NULL, \
                 error = CASE WHEN state = 'failed' THEN error END, done = total, updated = ?5 \
                 WHERE namespace = ?1 AND document = ?2 AND generation = ?4 AND {HELD}"
            ),
            [now.as_millis().into()],
        );
        let blank = "bucket = NULL, body = NULL, hash = NULL, given = NULL, etag = NULL, title = NULL, source = NULL, metadata = '{}'";
        let document = fence.statement(
            format!(
                "UPDATE rag_documents SET settled = ?4, lease = NULL, lease_until = 0, retry_at = 0{} \
                 WHERE namespace = ?1 AND id = ?2 AND lease = ?3 AND generation = ?4",
                if gone { format!(", {blank}") } else { String::new() },
            ),
            [],
        );
        // Of a document that is gone its jobs keep no more than that they were.
        let forgotten = gone.then(|| {
            fence.statement(
                format!(
                    "UPDATE rag_jobs SET {blank}, merged = '{{}}' WHERE namespace = ?1 AND document = ?2 AND {HELD}"
                ),
                [],
            )
        });
        let statements = [leftover("rag_chunks"), leftover("rag_passages"), job]
            .into_iter()
            .chain(forgotten)
            .chain([bump(&fence.namespace), document]);
        self.held(fence, now, now, statements).await.map(drop)
    }

    /// Notes that an object that was to be taken up is gone, so that its document goes, too.
    pub(in crate::index) async fn turn_into_delete(
        &self,
        fence: &Fence,
        times: (Timestamp, Timestamp),
    ) -> Result<(), Stop> {
        let job = fence.statement(
            format!(
                "UPDATE rag_jobs SET action = 'delete' WHERE namespace = ?1 AND document = ?2 AND generation = ?4 AND {HELD}"
            ),
            [],
        );
        let document = fence.statement(
            "UPDATE rag_documents SET live = NULL WHERE namespace = ?1 AND id = ?2 AND lease = ?3 AND generation = ?4",
            [],
        );
        let statements = [job, document, bump(&fence.namespace)];
        self.held(fence, times.0, times.1, statements).await.map(drop)
    }
}

/// By which it is told whether a write is visible: as many as Vectorize gives in one call.
fn probe(ids: &[String]) -> &[String] {
    ids.get(..20).unwrap_or(ids)
}

fn chunk_row(planned: &PlannedChunk) -> Value {
    let chunk = &planned.chunk;
    json!([
        planned.id,
        chunk.ordinal,
        chunk.text,
        chunk
            .embedded
            .as_deref()
            .filter(|embedded| *embedded != chunk.text),
        chunk.heading,
        chunk.range.start,
        chunk.range.end,
        chunk.parent.as_ref().map(|parent| parent.ordinal),
        chunk.metadata,
    ])
}

/// The passages of chunks, once each; chunks of one passage follow each other.
fn passages(chunks: &[PlannedChunk]) -> impl Iterator<Item = Value> {
    let mut known = std::collections::BTreeSet::new();
    let parents = chunks.iter().filter_map(|planned| planned.chunk.parent.as_ref());
    parents
        .filter(move |parent| known.insert(parent.ordinal))
        .map(|parent| {
            json!([
                parent.ordinal,
                &*parent.text,
                parent.range.start,
                parent.range.end
            ])
        })
}

/// Rows as JSON arrays, each of them short enough for one value.
fn portions(rows: impl Iterator<Item = Value>) -> Vec<String> {
    let mut portions = Vec::new();
    let mut portion = String::new();
    for row in rows {
        let row = row.to_string();
        if !portion.is_empty() && portion.len() + row.len() > VALUE_BYTES {
            portion.push(']');
            portions.push(std::mem::take(&mut portion));
        }
        portion.push(if portion.is_empty() { '[' } else { ',' });
        portion.push_str(&row);
    }
    if !portion.is_empty() {
        portion.push(']');
        portions.push(portion);
    }
    portions
}

fn insert_chunks(fence: &Fence, rows: String) -> Statement {
    // All rows of one chunk agree on what the stores have of it.
    fence.statement(
        format!(
            "INSERT INTO rag_chunks (namespace, document, generation, id, ordinal, text, embedded, heading, range_start, range_end, passage, metadata, written) \
             SELECT ?1, ?2, ?4, e.value ->> 0, e.value ->> 1, e.value ->> 2, e.value ->> 3, e.value -> 4, e.value ->> 5, e.value ->> 6, e.value ->> 7, \
             e.value -> 8, (SELECT p.written FROM rag_chunks p WHERE p.id = e.value ->> 0 AND p.generation <> ?4 LIMIT 1) \
             FROM json_each(?5) e WHERE {HELD}"
        ),
        [rows.into()],
    )
}

fn insert_passages(fence: &Fence, rows: String) -> Statement {
    fence.statement(
        format!(
            "INSERT INTO rag_passages (namespace, document, generation, ordinal, text, range_start, range_end) \
             SELECT ?1, ?2, ?4, e.value ->> 0, e.value ->> 1, e.value ->> 2, e.value ->> 3 FROM json_each(?5) e WHERE {HELD}"
        ),
        [rows.into()],
    )
}

fn finish_plan(fence: &Fence, now: Timestamp, plan: Plan<'_>) -> Statement {
    fence.statement(
        format!(
            "UPDATE rag_jobs SET planned = 1, state = 'running', step = 'embed', hash = ?5, etag = ?6, media_type = ?7, bytes = ?8, fingerprint = ?9, record = ?10, \
             title = ?11, merged = ?12, text_bytes = ?13, warnings = ?14, total = ?15, updated = ?16, done = (SELECT count(*) FROM rag_chunks c \
             WHERE c.namespace = ?1 AND c.document = ?2 AND c.generation = ?4 AND c.written = ?10) \
             WHERE namespace = ?1 AND document = ?2 AND generation = ?4 AND {HELD}"
        ),
        [
            plan.content.hash.into(),
            plan.content.etag.map(str::to_owned).into(),
            plan.content.media_type.into(),
            plan.content.bytes.into(),
            plan.fingerprint.into(),
            plan.record.into(),
            plan.title.map(str::to_owned).into(),
            Value::Object(plan.merged.clone()).to_string().into(),
            plan.text_bytes.into(),
            json!(plan.warnings).to_string().into(),
            plan.chunks.into(),
            now.as_millis().into(),
        ],
    )
}
