//! `POST /v1/embeddings`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value};

use super::check;
use super::error::Error;
use crate::embedder::Embedder;
use crate::generate::tokens;
use crate::reply::Reply;

/// Texts in one request.
const INPUTS: usize = 2048;
/// Tokens in one text.
const INPUT_TOKENS: usize = 8192;

#[derive(Debug, Serialize)]
struct Answer<'a> {
    object: &'static str,
    data: Vec<Item>,
    model: &'a str,
    usage: Usage,
}

#[derive(Debug, Serialize)]
struct Item {
    object: &'static str,
    index: usize,
    embedding: Vector,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Vector {
    Floats(Vec<f32>),
    Base64(String),
}

#[derive(Debug, Serialize)]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

pub(super) fn answer(embedder: &Embedder, body: &Map<String, Value>) -> Result<Reply, Error> {
    let model = check::model(body)?;
    let inputs = inputs(body.get("input"))?;
    let dimensions = dimensions(embedder, model, body.get("dimensions"))?;
    let base64 = match body.get("encoding_format") {
        None | Some(Value::Null) => false,
        Some(format) if format == "float" => false,
        Some(format) if format == "base64" => true,
        Some(other) => {
            let message = format!("Invalid value: {other}. Supported values are: 'float' and 'base64'.");
            return Err(Error::invalid(&message)
                .param("encoding_format")
                .code("invalid_value"));
        }
    };
    let read: usize = inputs.iter().map(|input| input.tokens).sum();
    let texts: Vec<&str> = inputs.iter().map(|input| input.text.as_str()).collect();
    let vectors = embedder
        .embed(&texts, model, dimensions)
        .map_err(|problem| Error::internal(&problem))?;
    let data = vectors
        .into_iter()
        .enumerate()
        .map(|(index, vector)| {
            let vector = shortened(vector, dimensions);
            let embedding = if base64 {
                Vector::Base64(
                    STANDARD.encode(vector.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>()),
                )
            } else {
                Vector::Floats(vector)
            };
            Item {
                object: "embedding",
                index,
                embedding,
            }
        })
        .collect();
    let usage = Usage {
        prompt_tokens: read,
        total_tokens: read,
    };
    Ok(Reply::json(&Answer {
        object: "list",
        data,
        model,
        usage,
    }))
}

#[derive(Debug)]
struct Input {
    text: String,
    tokens: usize,
}

fn inputs(input: Option<&Value>) -> Result<Vec<Input>, Error> {
    let inputs: Vec<Input> = match input {
        None | Some(Value::Null) => return Err(Error::missing("input")),
        Some(Value::String(text)) => vec![of_text(text, 0)?],
        Some(Value::Array(list)) if !list.is_empty() && list.iter().all(Value::is_u64) => {
            vec![of_tokens(list)]
        }
        Some(Value::Array(list)) => list
            .iter()
            .enumerate()
            .map(|(at, item)| match item {
                Value::String(text) => of_text(text, at),
                Value::Array(tokens) if !tokens.is_empty() && tokens.iter().all(Value::is_u64) => {
                    Ok(of_tokens(tokens))
                }
                _ => Err(refused()),
            })
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(refused()),
    };
    if inputs.is_empty() {
        return Err(refused());
    }
    if inputs.len() > INPUTS {
        let message = format!(
            "Invalid 'input': array too long. Expected an array with maximum length {INPUTS}, but got an array with \
             length {} instead.",
            inputs.len()
        );
        return Err(Error::invalid(&message)
            .param("input")
            .code("array_above_max_length"));
    }
    if let Some(long) = inputs.iter().find(|input| input.tokens > INPUT_TOKENS) {
        let message = format!(
            "This model's maximum context length is {INPUT_TOKENS} tokens, however you requested {} tokens. Please \
             reduce your prompt.",
            long.tokens
        );
        return Err(Error::invalid(&message));
    }
    Ok(inputs)
}

fn of_text(text: &str, at: usize) -> Result<Input, Error> {
    if text.is_empty() {
        let message = format!(
            "Invalid 'input[{at}]': string too short. Expected a string with minimum length 1, but got an empty string \
             instead."
        );
        return Err(Error::invalid(&message)
            .param(&format!("input[{at}]"))
            .code("string_below_min_length"));
    }
    Ok(Input {
        text: crate::fault::directive::strip(text),
        tokens: tokens::count(text),
    })
}

/// Token ids have no text here: each stands for a word of its own.
fn of_tokens(list: &[Value]) -> Input {
    let words: Vec<String> = list.iter().map(|token| format!("token{token}")).collect();
    Input {
        text: words.join(" "),
        tokens: list.len(),
    }
}

fn refused() -> Error {
    Error::invalid("'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.")
        .param("input")
}

/// The beginning of a vector, of unit length again.
fn shortened(mut vector: Vec<f32>, dimensions: usize) -> Vec<f32> {
    if vector.len() > dimensions {
        vector.truncate(dimensions);
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        vector
            .iter_mut()
            .for_each(|x| *x /= length.max(f32::MIN_POSITIVE));
    }
    vector
}

fn dimensions(embedder: &Embedder, model: &str, asked: Option<&Value>) -> Result<usize, Error> {
    let own = if model.contains("3-large") { 3072 } else { 1536 };
    let most = embedder.dimensions().unwrap_or(own);
    let Some(asked) = asked.filter(|asked| !asked.is_null()) else {
        return Ok(most);
    };
    if model.contains("ada-002") {
        return Err(Error::invalid("This model does not support specifying dimensions.").param("dimensions"));
    }
    let asked = asked
        .as_u64()
        .ok_or_else(|| Error::wrong_type("dimensions", "an integer", asked))? as usize;
    if (1..=most).contains(&asked) {
        return Ok(asked);
    }
    let message = format!("Invalid value for 'dimensions' = {asked}. Must be between 1 and {most}.");
    Err(Error::invalid(&message).param("dimensions"))
}
