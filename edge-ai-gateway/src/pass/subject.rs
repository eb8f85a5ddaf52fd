//! What a request to a vendor's own API is about, as far as its head and body tell.

use bytes::Bytes;
use edge_ai_core::{Operation, Result};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::form::Form;

/// A request, as far as it tells what it asks.
#[derive(Debug, PartialEq)]
pub(super) struct Subject {
    /// The model in the body or in the path.
    pub(super) model: Option<String>,
    pub(super) stream: bool,
    pub(super) operation: Operation,
    /// How many pictures are wanted.
    pub(super) count: Option<u64>,
    /// How many characters are to be spoken.
    pub(super) characters: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    model: Option<std::borrow::Cow<'a, str>>,
    stream: Option<bool>,
    n: Option<u64>,
    #[serde(borrow)]
    input: Option<&'a serde_json::value::RawValue>,
}

impl Subject {
    /// Reads a request to `path`, which begins with a slash.
    ///
    /// # Errors
    /// For a form that cannot be read; other bodies may be anything.
    pub(super) fn read(path: &str, headers: &HeaderMap, body: &Bytes) -> Result<Self> {
        let operation = operation(path);
        let mut subject = Self {
            model: model_in_path(path),
            stream: path.contains(":stream") || path.ends_with("-stream"),
            operation,
            count: None,
            characters: None,
        };
        let media_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if let Some(form) = Form::read(media_type, body)? {
            subject.model = form.text("model").map(str::to_owned).or(subject.model);
            subject.stream |= form.text("stream") == Some("true");
            subject.count = form.text("n").and_then(|n| n.parse().ok());
        } else if let Ok(fields) = serde_json::from_slice::<Fields<'_>>(body) {
            subject.model = subject
                .model
                .or_else(|| fields.model.map(std::borrow::Cow::into_owned));
            subject.stream |= fields.stream == Some(true);
            subject.count = fields.n;
            let text = fields.input.filter(|_| operation == Operation::Speech);
            let text = text.and_then(|text| serde_json::from_str::<String>(text.get()).ok());
            subject.characters = text.map(|text| u64::try_from(text.chars().count()).unwrap_or(u64::MAX));
        }
        Ok(subject)
    }
}

/// What is done at a path of the vendors' APIs.
pub(super) fn operation(path: &str) -> Operation {
    let ends = |ends: &[&str]| ends.iter().any(|end| path.ends_with(end));
    if ends(&[
        "/chat/completions",
        "/completions",
        "/responses",
        "/messages",
        "/chat",
        ":generateContent",
        ":streamGenerateContent",
    ]) || ends(&[
        "/converse",
        "/converse-stream",
        "/invoke",
        "/invoke-with-response-stream",
    ]) {
        Operation::Chat
    } else if ends(&["/embeddings", "/embed", ":embedContent", ":batchEmbedContents"]) {
        Operation::Embeddings
    } else if path.ends_with("/rerank") {
        Operation::Rerank
    } else if path.contains("/images/") {
        Operation::Image
    } else if path.ends_with("/audio/speech") {
        Operation::Speech
    } else if ends(&["/audio/transcriptions", "/audio/translations"]) {
        Operation::Transcription
    } else if path.ends_with("/moderations") {
        Operation::Moderation
    } else if path.ends_with("/realtime") {
        Operation::Realtime
    } else {
        Operation::Other
    }
}

/// The model that Gemini's, Bedrock's and Azure's paths name.
fn model_in_path(path: &str) -> Option<String> {
    let mut segments = path.split('/');
    segments.find(|segment| matches!(*segment, "models" | "model" | "deployments"))?;
    let name = segments.next()?;
    // Gemini has what is done after a colon; a name of Bedrock's may have colons of its own, and what is done in a segment.
    let name = match name.rsplit_once(':') {
        Some((model, action)) if action.starts_with(|first: char| first.is_ascii_alphabetic()) => model,
        _ => name,
    };
    let name = percent_decode_str(name).decode_utf8().ok()?;
    (!name.is_empty()).then(|| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, body: &'static str) -> Subject {
        Subject::read(path, &HeaderMap::new(), &Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn the_model_is_in_the_body_or_in_the_path() {
        for (path, body, model, operation) in [
            (
                "/v1/chat/completions",
                r#"{"model":"gpt-6","messages":[]}"#,
                Some("gpt-6"),
                Operation::Chat,
            ),
            (
                "/v1beta/models/gemini-3:generateContent",
                "{}",
                Some("gemini-3"),
                Operation::Chat,
            ),
            ("/v1beta/models/gemini-3", "", Some("gemini-3"), Operation::Other),
            (
                "/model/anthropic.claude-v1%3A0/converse",
                "{}",
                Some("anthropic.claude-v1:0"),
                Operation::Chat,
            ),
            (
                "/model/anthropic.claude-v1:0/invoke",
                "{}",
                Some("anthropic.claude-v1:0"),
                Operation::Chat,
            ),
            (
                "/openai/deployments/my-gpt/chat/completions",
                "{}",
                Some("my-gpt"),
                Operation::Chat,
            ),
            ("/v1/files", "", None, Operation::Other),
            ("/v1/files", "\u{0}\u{1}", None, Operation::Other),
            (
                "/v2/embed",
                r#"{"model":"embed-v4.0"}"#,
                Some("embed-v4.0"),
                Operation::Embeddings,
            ),
        ] {
            let subject = read(path, body);
            assert_eq!(
                (subject.model.as_deref(), subject.operation),
                (model, operation),
                "{path}"
            );
        }
    }

    #[test]
    fn a_path_cannot_hide_what_it_names_behind_a_body() {
        let subject = read("/v1beta/models/dear:generateContent", r#"{"model":"cheap"}"#);
        assert_eq!(subject.model.as_deref(), Some("dear"));
    }

    #[test]
    fn streams_pictures_and_characters() {
        assert!(read("/v1beta/models/m:streamGenerateContent", "").stream);
        assert!(read("/v1/messages", r#"{"model":"m","stream":true}"#).stream);
        assert_eq!(read("/v1/images/generations", r#"{"n":3}"#).count, Some(3));
        assert_eq!(
            read("/v1/audio/speech", r#"{"input":"héllo"}"#).characters,
            Some(5)
        );
        assert_eq!(read("/v1/embeddings", r#"{"input":["a"]}"#).characters, None);
    }
}
