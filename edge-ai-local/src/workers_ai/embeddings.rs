//! Text embeddings, in each of the forms that the models take.

use serde::Serialize;
use serde_json::{Map, Value};

use super::catalog::{Family, Model};
use super::error::Error;
use super::rerank;
use crate::embedder::Embedder;
use crate::fault::directive::strip;
use crate::generate::tokens;
use crate::reply::Reply;

/// Texts in one call.
const TEXTS: usize = 100;

#[derive(Debug, Serialize)]
struct Answer {
    shape: [usize; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Vec<Vec<f32>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Vec<Vec<f32>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pooling: Option<&'static str>,
}

pub(super) fn answer(
    embedder: &Embedder,
    model: &Model,
    family: Family,
    dimensions: usize,
    inputs: &Map<String, Value>,
) -> Result<Reply, Error> {
    match family {
        Family::Bge => {
            let texts = texts(inputs, "text")?.ok_or_else(|| missing(&["text", "requests"]))?;
            let pooling = match inputs
                .get("pooling")
                .map(|pooling| pooling.as_str().unwrap_or_default())
            {
                None | Some("mean") => "mean",
                Some("cls") => "cls",
                Some(_) => return Err(Error::input("'/pooling' must be one of 'mean', 'cls'")),
            };
            // Vectors of the two poolings cannot be compared: each has a space of its own.
            let space = format!("{} {pooling}", model.id);
            data(embedder, &texts, model, &space, dimensions, Some(pooling))
        }
        Family::BgeM3 => m3(embedder, model, dimensions, inputs),
        Family::Qwen => {
            let mut all = Vec::new();
            for key in ["queries", "documents", "text"] {
                all.extend(texts(inputs, key)?.unwrap_or_default());
            }
            if all.is_empty() {
                return Err(missing(&["queries", "documents", "text"]));
            }
            data(embedder, &all, model, model.id, dimensions, None)
        }
    }
}

fn m3(
    embedder: &Embedder,
    model: &Model,
    dimensions: usize,
    inputs: &Map<String, Value>,
) -> Result<Reply, Error> {
    let truncate = inputs.get("truncate_inputs") == Some(&Value::Bool(true));
    let fits = |texts: &[String]| match texts.iter().map(|text| tokens::count(text)).max() {
        Some(most) if most > model.context && !truncate => Err(Error::context(most, model.context)),
        _ => Ok(()),
    };
    if let Some(texts) = texts(inputs, "text")? {
        fits(&texts)?;
        return data(embedder, &texts, model, model.id, dimensions, None);
    }
    let Some(contexts) = inputs.get("contexts") else {
        return Err(missing(&["text", "contexts", "requests"]));
    };
    let contexts = rerank::contexts(contexts)?;
    fits(&contexts)?;
    match inputs.get("query").and_then(Value::as_str) {
        Some(query) => Ok(rerank::ranked(query, &contexts, None)),
        None => {
            let vectors = vectors(embedder, &contexts, model, model.id, dimensions)?;
            let shape = shape(&vectors);
            Ok(Reply::json(&Answer {
                shape,
                data: None,
                response: Some(vectors),
                pooling: None,
            }))
        }
    }
}

fn data(
    embedder: &Embedder,
    texts: &[String],
    model: &Model,
    space: &str,
    dimensions: usize,
    pooling: Option<&'static str>,
) -> Result<Reply, Error> {
    let vectors = vectors(embedder, texts, model, space, dimensions)?;
    Ok(Reply::json(&Answer {
        shape: shape(&vectors),
        data: Some(vectors),
        response: None,
        pooling,
    }))
}

fn shape(vectors: &[Vec<f32>]) -> [usize; 2] {
    [vectors.len(), vectors.first().map_or(0, Vec::len)]
}

/// Texts beyond the model's context are read up to it, without a word, as the service does.
fn vectors(
    embedder: &Embedder,
    texts: &[String],
    model: &Model,
    space: &str,
    dimensions: usize,
) -> Result<Vec<Vec<f32>>, Error> {
    let read: Vec<String> = texts
        .iter()
        .map(|text| tokens::pieces(text).into_iter().take(model.context).collect())
        .collect();
    embedder
        .embed(&read, space, dimensions)
        .map_err(|problem| Error::internal(&problem))
}

fn texts(inputs: &Map<String, Value>, key: &str) -> Result<Option<Vec<String>>, Error> {
    let texts: Vec<String> = match inputs.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => list
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| {
                Error::input(format!(
                    "Type mismatch of '/{key}', expected 'string' or 'array' of 'string'"
                ))
            })?,
        Some(_) => {
            return Err(Error::input(format!(
                "Type mismatch of '/{key}', expected 'string','array'"
            )));
        }
    };
    if texts.is_empty() || texts.iter().any(String::is_empty) {
        return Err(Error::input(format!("Length of '/{key}' must be >= 1")));
    }
    if texts.len() > TEXTS {
        return Err(Error::input(format!(
            "Length of '/{key}' must be <= {TEXTS}, got {}",
            texts.len()
        )));
    }
    Ok(Some(texts.iter().map(|text| strip(text)).collect()))
}

fn missing(names: &[&str]) -> Error {
    let parts: Vec<String> = names
        .iter()
        .map(|name| format!("required properties at '/' are '{name}'"))
        .collect();
    Error::input(format!("oneOf at '/' not met, 0 matches: {}", parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::catalog::{self, Task};
    use super::*;
    use crate::reply::Payload;

    fn run(id: &str, inputs: Value) -> Result<Value, Error> {
        let model = catalog::find(id).unwrap();
        let Task::Embedding { dimensions, family } = model.task else {
            panic!("{id}")
        };
        let reply = answer(
            &Embedder::Hashed,
            model,
            family,
            dimensions,
            inputs.as_object().unwrap(),
        )?;
        let Payload::Whole { bytes, .. } = reply.payload else {
            panic!("a stream")
        };
        Ok(serde_json::from_slice(&bytes).unwrap())
    }

    #[test]
    fn every_input_form_has_its_shape() {
        let one = run("@cf/baai/bge-small-en-v1.5", json!({ "text": "one" })).unwrap();
        assert_eq!(
            (&one["shape"], &one["pooling"]),
            (&json!([1, 384]), &json!("mean"))
        );
        let two = run(
            "@cf/baai/bge-base-en-v1.5",
            json!({ "text": ["one", "two"], "pooling": "cls" }),
        )
        .unwrap();
        assert_eq!(
            (&two["shape"], two["data"][1].as_array().unwrap().len()),
            (&json!([2, 768]), 768)
        );
        let contexts = json!([{ "text": "a cat" }, { "text": "a reset of the password" }]);
        let scored = run(
            "@cf/baai/bge-m3",
            json!({ "query": "reset password", "contexts": contexts }),
        )
        .unwrap();
        assert_eq!(scored["response"][0]["id"], 1);
        let embedded = run("@cf/baai/bge-m3", json!({ "contexts": contexts })).unwrap();
        assert_eq!(
            (
                &embedded["shape"],
                embedded["response"][0].as_array().unwrap().len()
            ),
            (&json!([2, 1024]), 1024)
        );
        let qwen = run(
            "@cf/qwen/qwen3-embedding-0.6b",
            json!({ "queries": "q", "documents": ["d"] }),
        )
        .unwrap();
        assert_eq!(qwen["shape"], json!([2, 1024]));
    }

    #[test]
    fn wrong_inputs_are_refused() {
        let small = "@cf/baai/bge-small-en-v1.5";
        for bad in [
            json!({}),
            json!({ "text": [] }),
            json!({ "text": "" }),
            json!({ "text": 7 }),
            json!({ "text": [7] }),
            json!({ "text": vec!["x"; 101] }),
            json!({ "text": "x", "pooling": "max" }),
        ] {
            assert_eq!(run(small, bad.clone()).unwrap_err().code(), 5006, "{bad}");
        }
        assert!(run(small, json!({ "text": vec!["x"; 100] })).is_ok());
    }

    #[test]
    fn bge_reads_512_tokens_only() {
        let long = format!("{}{}", "word ".repeat(511), "tail");
        let vector = |text: &str| {
            run("@cf/baai/bge-small-en-v1.5", json!({ "text": text })).unwrap()["data"][0].clone()
        };
        assert_eq!(vector(&format!("{long} beyond")), vector(&long));
    }
}
