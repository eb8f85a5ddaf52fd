use bytes::Bytes;
use edge_ai_core::{
    EmbeddingInput, EmbeddingOutput, EmbeddingPurpose, EmbeddingText, Error, ErrorKind, Result,
};
use serde::Deserialize;

use super::GENERATE;
use super::path::model_path;
use super::usage::UsageMetadata;
use crate::wire::{ObjectWriter, write_object};

/// The most inputs of one call (<https://ai.google.dev/api/embeddings#method:-models.batchembedcontents>).
pub(super) const MAX_INPUTS: usize = 100;

/// Writes the body of `models/{model}:batchEmbedContents`, of at most 100 inputs.
///
/// The purpose becomes `taskType`, or for `gemini-embedding-2`, which has none, the
/// [words before the text](https://ai.google.dev/gemini-api/docs/embeddings#task-types) that take its place.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`] without inputs, with an empty one or with too many, and [`ErrorKind::Unsupported`] for token
/// numbers; both name the field.
pub fn encode_embed_request(model: &str, input: &EmbeddingInput) -> Result<Bytes> {
    let count = input.texts.len();
    if !(1..=MAX_INPUTS).contains(&count) {
        let message = format!("must have 1 to {MAX_INPUTS} inputs, has {count}");
        return Err(Error::invalid("input", message));
    }
    let name = format!("models/{}", model_path(model)?);
    let body = write_object(|body| {
        body.array("requests", |requests| {
            for (index, text) in input.texts.iter().enumerate() {
                let text = text_of(text, index)?;
                requests.object(|request| {
                    request.field("model", &name);
                    write(request, model, text, input)
                })?;
            }
            Ok(())
        })
    })?;
    Ok(body.into())
}

fn text_of(text: &EmbeddingText, index: usize) -> Result<&str> {
    match text {
        EmbeddingText::Text(text) if text.is_empty() => {
            Err(Error::invalid(format!("input[{index}]"), "must not be empty"))
        }
        EmbeddingText::Text(text) => Ok(text),
        _ => Err(
            Error::new(ErrorKind::Unsupported, "Gemini embeds texts, not token numbers")
                .with_param(format!("input[{index}]")),
        ),
    }
}

fn write(request: &mut ObjectWriter<'_>, model: &str, text: &str, input: &EmbeddingInput) -> Result<()> {
    let by_words = model.contains("gemini-embedding-2");
    let (task, before) = match input.purpose {
        Some(EmbeddingPurpose::Query) => ("RETRIEVAL_QUERY", "task: search result | query: "),
        Some(EmbeddingPurpose::Document) => ("RETRIEVAL_DOCUMENT", "title: none | text: "),
        _ => ("", ""),
    };
    request.object("content", |content| {
        content.array("parts", |parts| {
            parts.object(|part| {
                if by_words && !before.is_empty() {
                    part.field("text", format!("{before}{text}"));
                } else {
                    part.field("text", text);
                }
                Ok(())
            })
        })
    })?;
    request.optional(
        "taskType",
        Some(task).filter(|task| !by_words && !task.is_empty()),
    );
    request.optional("outputDimensionality", input.dimensions);
    request.extra(&input.extra, &GENERATE);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    embeddings: Vec<Vector>,
    #[serde(default)]
    usage_metadata: Option<UsageMetadata>,
}

#[derive(Deserialize)]
struct Vector {
    values: Vec<f32>,
}

/// Reads the answer to `:batchEmbedContents`, which does not name the model that gave it.
///
/// Vectors are of length one: `gemini-embedding-001` gives others where shorter ones were asked for, and
/// [leaves it to its callers](https://ai.google.dev/gemini-api/docs/embeddings#quality-for-smaller-dimensions) to scale them.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] for what is no such answer.
pub fn decode_embed_response(model: &str, body: &[u8]) -> Result<EmbeddingOutput> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| {
        Error::new(
            ErrorKind::BadUpstream,
            format!("the answer has no embeddings: {error}"),
        )
        .with_source(error)
    })?;
    let vectors = answer.embeddings.into_iter().map(|vector| unit(vector.values));
    let mut output = EmbeddingOutput::new(model, vectors.collect());
    output.usage = answer.usage_metadata.map(UsageMetadata::usage);
    Ok(output)
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let square: f64 = vector.iter().map(|value| f64::from(*value).powi(2)).sum();
    let length = square.sqrt();
    // One that is of length one already stays as it is to the last digit.
    if length > 0.0 && length.is_finite() && (length - 1.0).abs() > 1e-3 {
        for value in &mut vector {
            *value = (f64::from(*value) / length) as f32;
        }
    }
    vector
}
