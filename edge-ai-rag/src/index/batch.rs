use std::pin::pin;

use edge_ai_core::{Bytes, Error, ErrorKind, JsonObject, Result};
use futures_util::stream::{self, StreamExt as _};
use serde::{Deserialize, Serialize};

use super::{Accepted, Index, JobError};
use crate::{Document, DocumentId, MediaType, Namespace};

/// A line of a batch: a document whose body is text.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BatchLine {
    /// Its name.
    pub id: DocumentId,
    /// Its body.
    pub text: String,
    /// What is known about it.
    #[serde(default)]
    pub metadata: JsonObject,
    /// What the text is; plain text when nobody says.
    #[serde(default)]
    pub media_type: Option<MediaType>,
    /// Where it came from.
    #[serde(default)]
    pub source: Option<String>,
}

/// What came of a line.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BatchOutcome {
    /// The line, from 1.
    pub line: usize,
    /// The document's name, when the line could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<DocumentId>,
    /// The job, when the document was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Whether there was anything to do.
    pub changed: bool,
    /// Why it was not accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<JobError>,
}

/// How many lines are taken up at a time.
const AT_ONCE: usize = 6;

impl Index {
    /// The most lines of a batch: each takes about four subrequests, of the
    /// [1,000](https://developers.cloudflare.com/workers/platform/limits/#subrequests) of an invocation.
    pub const MAX_LINES: usize = 200;

    /// Takes up the documents of a text in NDJSON, `{"id": …, "text": …, "metadata": {…}}` on each line. A line that is wrong keeps none of the others back.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] for more than [`MAX_LINES`](Self::MAX_LINES) lines: nothing is taken up then.
    pub async fn put_all(&self, namespace: &Namespace, lines: &Bytes) -> Result<Vec<BatchOutcome>> {
        let lines: Vec<_> = (1..)
            .zip(lines.split(|byte| *byte == b'\n'))
            .filter(|(_, line)| !line.trim_ascii().is_empty())
            .collect();
        if lines.len() > Self::MAX_LINES {
            let message = format!(
                "the batch has {} lines, over the {} of one request: send several",
                lines.len(),
                Self::MAX_LINES
            );
            return Err(Error::new(ErrorKind::TooLarge, message).with_param("body"));
        }
        // Of lines about one document the last counts, as if they had come one after the other.
        let mut outcomes = Vec::with_capacity(lines.len());
        let mut ready = Vec::new();
        for (line, text) in lines {
            match serde_json::from_slice::<BatchLine>(text) {
                Ok(read) => ready.push((line, read)),
                Err(error) => {
                    let message = format!("line {line} is no document: {error}");
                    let error = Error::invalid(format!("line {line}"), message);
                    outcomes.push(outcome(line, None, Err(error)));
                }
            }
        }
        let mut groups: Vec<Vec<(usize, BatchLine)>> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for (line, read) in ready {
            let place = *places.entry(read.id.clone()).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.push((line, read)),
                None => groups.push(vec![(line, read)]),
            }
        }
        let work = stream::iter(groups.into_iter().map(|group| self.put_lines(namespace, group)));
        let mut done = pin!(work.buffer_unordered(AT_ONCE));
        while let Some(group) = done.next().await {
            outcomes.extend(group);
        }
        outcomes.sort_by_key(|outcome| outcome.line);
        Ok(outcomes)
    }

    async fn put_lines(&self, namespace: &Namespace, lines: Vec<(usize, BatchLine)>) -> Vec<BatchOutcome> {
        let mut outcomes = Vec::new();
        for (line, read) in lines {
            let id = read.id.clone();
            let mut document = Document::new(read.id, read.media_type.unwrap_or(MediaType::PLAIN), read.text);
            document.metadata = read.metadata;
            document.source = read.source;
            outcomes.push(outcome(line, Some(id), self.put(namespace, document).await));
        }
        outcomes
    }
}

fn outcome(line: usize, id: Option<DocumentId>, result: Result<Accepted>) -> BatchOutcome {
    let (job, changed, error) = match result {
        Ok(accepted) => (Some(accepted.job.id), accepted.changed, None),
        Err(error) => (None, false, Some(JobError::from(&error))),
    };
    BatchOutcome {
        line,
        id,
        job,
        changed,
        error,
    }
}
