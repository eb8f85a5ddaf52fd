//! `POST /model/{model}/invoke`: embeddings of Titan and Cohere, rerankers of Cohere and Amazon.

use serde_json::{Map, Value, json};

use super::error::Error;
use crate::fault::directive::strip;
use crate::generate::embedding::embed;
use crate::generate::{relevance, tokens};
use crate::reply::Reply;

/// Texts in one call of Cohere's embeddings.
const TEXTS: usize = 96;

pub(super) fn answer(model: &str, body: &Map<String, Value>) -> Result<Reply, Error> {
    let (reply, read) = if model.contains("titan-embed-text") {
        titan(model, body)?
    } else if model.contains("cohere.embed") {
        cohere(model, body)?
    } else if model.contains("cohere.rerank") || model.contains("amazon.rerank") {
        rerank(model, body)?
    } else {
        return Err(Error::invalid("The provided model identifier is invalid."));
    };
    Ok(Reply::json(&reply).with_header("x-amzn-bedrock-input-token-count", read.to_string()))
}

fn malformed(problem: &str) -> Error {
    let message = format!("Malformed input request: {problem}, please reformat your input and try again.");
    Error::invalid(message)
}

fn titan(model: &str, body: &Map<String, Value>) -> Result<(Value, usize), Error> {
    let text = body
        .get("inputText")
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| malformed("#/inputText: expected minLength: 1, actual: 0"))?;
    let dimensions = match body.get("dimensions").map(Value::as_u64) {
        None => 1024,
        Some(Some(wanted @ (256 | 512 | 1024))) => wanted,
        Some(_) => return Err(malformed("#/dimensions: not one of 256, 512, 1024")),
    };
    let vector = embed(&strip(text), model, usize::try_from(dimensions).unwrap_or(1024));
    let read = tokens::count(text);
    Ok((json!({ "embedding": vector, "inputTextTokenCount": read }), read))
}

fn cohere(model: &str, body: &Map<String, Value>) -> Result<(Value, usize), Error> {
    let texts = texts(body, "texts")?;
    if texts.len() > TEXTS {
        return Err(malformed(&format!(
            "#/texts: expected maximum item count: {TEXTS}, found: {}",
            texts.len()
        )));
    }
    let purpose = body.get("input_type").and_then(Value::as_str);
    if !matches!(
        purpose,
        Some("search_query" | "search_document" | "classification" | "clustering")
    ) {
        return Err(malformed("#: required key [input_type] not found"));
    }
    let dimensions = body.get("output_dimension").and_then(Value::as_u64);
    let dimensions = dimensions.map_or(1024, |wanted| usize::try_from(wanted).unwrap_or(1024));
    let vectors: Vec<Vec<f32>> = texts
        .iter()
        .map(|text| embed(&strip(text), model, dimensions))
        .collect();
    let read = texts.iter().map(|text| tokens::count(text)).sum();
    let by_type = body.contains_key("embedding_types");
    let (embeddings, kind) = if by_type {
        (json!({ "float": vectors }), "embeddings_by_type")
    } else {
        (json!(vectors), "embeddings_floats")
    };
    Ok((
        json!({ "embeddings": embeddings, "response_type": kind, "texts": texts }),
        read,
    ))
}

fn rerank(model: &str, body: &Map<String, Value>) -> Result<(Value, usize), Error> {
    let version = body.get("api_version").and_then(Value::as_u64).unwrap_or(1);
    if model.contains("cohere") && version < 2 {
        return Err(malformed(&format!(
            "#/api_version: {version} is not greater or equal to 2"
        )));
    }
    let query = body
        .get("query")
        .and_then(Value::as_str)
        .filter(|query| !query.is_empty());
    let query = query.ok_or_else(|| malformed("#: required key [query] not found"))?;
    let documents = texts(body, "documents")?;
    let query = strip(query);
    let mut ranked: Vec<(usize, f32)> = documents
        .iter()
        .map(|text| relevance(&query, text))
        .enumerate()
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let top = match body.get("top_n").map(Value::as_u64) {
        None => documents.len(),
        Some(Some(top)) if (1..=documents.len() as u64).contains(&top) => {
            usize::try_from(top).unwrap_or_default()
        }
        Some(_) => {
            return Err(malformed(
                "#/top_n: must be between 1 and the number of documents",
            ));
        }
    };
    ranked.truncate(top);
    let results: Vec<Value> = ranked
        .into_iter()
        .map(|(index, score)| json!({ "index": index, "relevance_score": score }))
        .collect();
    let read = documents.iter().map(|text| tokens::count(text)).sum();
    Ok((json!({ "results": results }), read))
}

fn texts<'b>(body: &'b Map<String, Value>, name: &str) -> Result<Vec<&'b str>, Error> {
    let list = body
        .get(name)
        .and_then(Value::as_array)
        .filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| malformed(&format!("#: required key [{name}] not found")))?;
    let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
    texts.ok_or_else(|| malformed(&format!("#/{name}: expected type: String")))
}
