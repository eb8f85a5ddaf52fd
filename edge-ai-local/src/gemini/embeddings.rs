//! `:embedContent` and `:batchEmbedContents`.

use serde_json::{Map, Value, json};

use super::decode::{field, list};
use super::error::Error;
use crate::generate::{embedding::embed, tokens};
use crate::reply::Reply;

/// Texts in one batch.
const INPUTS: usize = 100;
/// Length of the vectors, of which a shorter one is the beginning.
const DIMENSIONS: usize = 3072;
const TASKS: &[&str] = &[
    "TASK_TYPE_UNSPECIFIED",
    "RETRIEVAL_QUERY",
    "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",
    "CLASSIFICATION",
    "CLUSTERING",
    "QUESTION_ANSWERING",
    "FACT_VERIFICATION",
    "CODE_RETRIEVAL_QUERY",
];

pub(super) fn one(model: &str, body: &Map<String, Value>) -> Result<Reply, Error> {
    let (values, read) = vector(model, body)?;
    Ok(Reply::json(&json!({
        "embedding": { "values": values }, "usageMetadata": { "promptTokenCount": read } })))
}

pub(super) fn batch(model: &str, body: &Map<String, Value>) -> Result<Reply, Error> {
    let requests = list(field(body, "requests"));
    if !(1..=INPUTS).contains(&requests.len()) {
        let message = format!(
            "BatchEmbedContentsRequest.requests: at most {INPUTS} requests can be in one batch, at least one must"
        );
        return Err(Error::invalid(&message));
    }
    let mut embeddings = Vec::with_capacity(requests.len());
    let mut total = 0;
    for (at, request) in requests.iter().enumerate() {
        let path = format!("requests[{at}]");
        let request = request
            .as_object()
            .ok_or_else(|| Error::field(&path, "must be an object"))?;
        if field(request, "model") != Some(&format!("models/{model}").into()) {
            let message = format!("BatchEmbedContentsRequest.{path}.model: must be `models/{model}`");
            return Err(Error::field(&format!("{path}.model"), &message));
        }
        let (values, read) = vector(model, request)?;
        embeddings.push(json!({ "values": values }));
        total += read;
    }
    Ok(Reply::json(&json!({
        "embeddings": embeddings, "usageMetadata": { "promptTokenCount": total } })))
}

fn vector(model: &str, request: &Map<String, Value>) -> Result<(Vec<f32>, usize), Error> {
    let parts = list(field(request, "content").and_then(|content| content.get("parts")));
    let texts: Vec<_> = parts
        .iter()
        .filter_map(|part| part.get("text").and_then(Value::as_str))
        .collect();
    let text = texts.join("\n");
    if text.is_empty() {
        return Err(Error::invalid(
            "EmbedContentRequest.content contains an empty Part.",
        ));
    }
    if let Some(task) = field(request, "taskType")
        && !task.as_str().is_some_and(|task| TASKS.contains(&task))
    {
        let message = format!(
            "Invalid value at 'task_type' (type.googleapis.com/google.ai.generativelanguage.v1beta.TaskType), {task}"
        );
        return Err(Error::field("task_type", &message));
    }
    let dimensions = match field(request, "outputDimensionality") {
        None => DIMENSIONS,
        Some(asked) => asked
            .as_u64()
            .map(|asked| asked as usize)
            .filter(|asked| (1..=DIMENSIONS).contains(asked))
            .ok_or_else(|| {
                Error::field(
                    "output_dimensionality",
                    "output_dimensionality must be from 1 to 3072",
                )
            })?,
    };
    let mut values = embed(&crate::fault::directive::strip(&text), model, DIMENSIONS);
    values.truncate(dimensions);
    Ok((values, tokens::count(&text)))
}
