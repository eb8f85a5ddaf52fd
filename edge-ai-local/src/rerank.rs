//! Vendors of rerankers: `/cohere/v2/rerank`, `/jina/v1/rerank`, `/voyage/v1/rerank`, and what they have in OpenAI's dialect.

mod error;

pub(crate) use error::{Error, of_status};

use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::fault::directive::strip;
use crate::generate::{relevance, tokens};
use crate::id;
use crate::openai;
use crate::reply::Reply;

/// Documents in one request: what Voyage takes, the least of the three.
const DOCUMENTS: usize = 1_000;

/// Answers a request below `/cohere`, `/jina` or `/voyage`.
pub(crate) fn answer(call: &Call<'_>) -> Reply {
    let (vendor, path) = parts(call.path);
    match (vendor, path.trim_end_matches('/')) {
        ("cohere", "/v2/rerank") | ("jina" | "voyage", "/v1/rerank") => {
            rank(call, vendor).unwrap_or_else(|error| error.told_by(vendor))
        }
        (_, path) => {
            // The rest is OpenAI's dialect.
            let path = path.strip_prefix("/compatibility").unwrap_or(path);
            openai::answer(&Call { path, ..*call })
        }
    }
}

fn parts(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.find('/').map_or((path, "/"), |at| path.split_at(at))
}

fn rank(call: &Call<'_>, vendor: &str) -> Result<Reply, Error> {
    authorize(call)?;
    if call.method != "POST" {
        return Err(Error::of(405, "method not allowed"));
    }
    let body = call
        .json
        .and_then(Value::as_object)
        .ok_or_else(|| Error::of(400, "the body is not a JSON object"))?;
    let model = text(body, "model")?;
    if model.starts_with("missing") {
        return Err(Error::of(404, &format!("model '{model}' not found")));
    }
    let query = strip(text(body, "query")?);
    let documents = documents(body)?;
    let top = top(body, if vendor == "voyage" { "top_k" } else { "top_n" })?;
    let mut ranked: Vec<(usize, f32)> = documents
        .iter()
        .map(|text| relevance(&query, text))
        .enumerate()
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked.truncate(top.unwrap_or(usize::MAX));
    // Jina repeats the documents unless told not to, Cohere's second version never does.
    let repeats = match body.get("return_documents") {
        _ if vendor == "cohere" => false,
        Some(Value::Bool(wanted)) => *wanted,
        _ => vendor == "jina",
    };
    let results: Vec<Value> = ranked
        .into_iter()
        .map(|(index, score)| {
            let mut result = json!({ "index": index, "relevance_score": score });
            if let (true, Some(text), Value::Object(result)) = (repeats, documents.get(index), &mut result) {
                let document = if vendor == "jina" {
                    json!({ "text": text })
                } else {
                    json!(text)
                };
                result.insert("document".to_owned(), document);
            }
            result
        })
        .collect();
    let pairs: usize = documents.iter().map(|text| tokens::count(text)).sum();
    let spent = pairs + tokens::count(&query) * documents.len();
    let id = id::uuid(call.number, "rerank");
    Ok(Reply::json(&match vendor {
        "cohere" => json!({ "id": id, "results": results,
            "meta": { "api_version": { "version": "2" }, "billed_units": { "search_units": documents.len().div_ceil(100) } } }),
        "jina" => {
            json!({ "model": model, "object": "list", "usage": { "total_tokens": spent }, "results": results })
        }
        _ => json!({ "object": "list", "data": results, "model": model, "usage": { "total_tokens": spent } }),
    }))
}

fn authorize(call: &Call<'_>) -> Result<(), Error> {
    let key = call
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer ").or(value.strip_prefix("bearer ")));
    match key.map(str::trim) {
        None | Some("") => Err(Error::of(401, "no api key supplied")),
        Some(key) if key.starts_with("invalid") => Err(Error::of(401, "invalid api token")),
        Some(_) => Ok(()),
    }
}

fn text<'b>(body: &'b Map<String, Value>, name: &str) -> Result<&'b str, Error> {
    match body.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(Error::of(
            400,
            &format!("{name} must be a string that is not empty"),
        )),
    }
}

fn documents(body: &Map<String, Value>) -> Result<Vec<&str>, Error> {
    let list = body.get("documents").and_then(Value::as_array);
    let list = list.filter(|list| !list.is_empty() && list.len() <= DOCUMENTS);
    let list = list.ok_or_else(|| {
        Error::of(
            400,
            &format!("documents must be an array of 1 to {DOCUMENTS} texts"),
        )
    })?;
    if let Some(at) = list.iter().position(|document| !document.is_string()) {
        return Err(Error::of(400, &format!("documents[{at}] must be a string")));
    }
    Ok(list.iter().filter_map(Value::as_str).collect())
}

fn top(body: &Map<String, Value>, name: &str) -> Result<Option<usize>, Error> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64() {
            Some(top @ 1..) => Ok(Some(usize::try_from(top).unwrap_or(usize::MAX))),
            _ => Err(Error::of(
                400,
                &format!("{name} must be a whole number of at least 1"),
            )),
        },
    }
}
