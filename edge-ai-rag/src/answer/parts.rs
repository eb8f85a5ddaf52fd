//! Sources and citations as parts of a chat's answer.

use edge_ai_core::{ContentPart, Dialect, Extra, RawJson};
use serde_json::{Value, json};

use super::{Citation, Source};

/// OpenAI's chat completions: their clients read `annotations`, and the other dialects' writers take from there what has an address.
const CHAT: Dialect = Dialect::new("openai.chat");

/// The field `sources`.
pub(super) fn sources(sources: &[Source]) -> Option<ContentPart> {
    let shown = sources.iter().map(|source| {
        json!({
            "number": source.number,
            "document_id": source.document_id.as_str(),
            "chunk_id": source.chunk_id,
            "title": source.title,
            "heading": source.heading,
            "range": {"start": source.range.start, "end": source.range.end},
            "source": source.source,
            "score": source.score,
        })
    });
    part(vec![("sources", shown.collect())])
}

/// The fields `annotations` and `invented_citations`.
pub(super) fn citations(citations: &[Citation], sources: &[Source], invented: &[u32]) -> Option<ContentPart> {
    let url = |cited: &Citation| {
        let source = sources.iter().find(|source| source.number == cited.number)?;
        source.url().map(str::to_owned)
    };
    let annotations = citations.iter().map(|cited| annotation(cited, url(cited)));
    let invented = invented.iter().map(|number| Value::from(*number));
    part(vec![
        ("annotations", annotations.collect()),
        ("invented_citations", invented.collect()),
    ])
}

fn annotation(cited: &Citation, url: Option<String>) -> Value {
    let name = cited.title.as_deref().unwrap_or(cited.document_id.as_str());
    let document = json!({
        "number": cited.number,
        "id": cited.document_id.as_str(),
        "chunk_id": cited.chunk_id,
        "heading": cited.heading,
        "range": {"start": cited.range.start, "end": cited.range.end},
        "source": cited.source,
    });
    match url {
        Some(url) => json!({
            "type": "url_citation",
            "url_citation": {"url": url, "title": name, "start_index": cited.at.start, "end_index": cited.at.end},
            "document": document,
        }),
        None => json!({
            "type": "file_citation",
            "file_citation": {
                "file_id": cited.document_id.as_str(),
                "filename": name,
                "start_index": cited.at.start,
                "end_index": cited.at.end,
            },
            "document": document,
        }),
    }
}

/// A part of the fields that say something.
fn part(fields: Vec<(&str, Vec<Value>)>) -> Option<ContentPart> {
    let fields: Vec<(String, RawJson)> = fields
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .filter_map(|(name, values)| Some((name.to_owned(), RawJson::from_serialize(&values).ok()?)))
        .collect();
    (!fields.is_empty()).then(|| ContentPart::Other(Extra::new(CHAT, fields)))
}
