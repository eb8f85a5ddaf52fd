use bytes::Bytes;
use edge_ai_core::{EmbeddingOutput, EmbeddingResponse, Error, ErrorKind, Result, Usage, Verbatim};
use serde::Deserialize;

use super::EmbeddingEncoding;
use super::vector::{Vector, to_base64};
use crate::openai::EMBEDDINGS;
use crate::openai::error::error_in_body;
use crate::openai::usage::{Count, UsageFields};
use crate::wire::write_object;

#[derive(Deserialize)]
struct List {
    data: Vec<Item>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    usage: Option<UsageFields>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    index: Option<Count>,
    embedding: Vector,
}

/// Reads an answer, with vectors in either encoding, in the order of their indexes.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] for a body that is no such answer; the error in it, for one that is an error.
pub fn decode_embedding_response(body: Bytes) -> Result<EmbeddingResponse> {
    let list: List = serde_json::from_slice(&body).map_err(|error| {
        let reported = std::str::from_utf8(&body).ok().and_then(error_in_body);
        reported.unwrap_or_else(|| junk(&error).with_source(error))
    })?;
    let mut output = EmbeddingOutput::new(list.model.unwrap_or_default(), in_order(list.data)?);
    output.usage = list.usage.map(Usage::from);
    let mut lengths = output.embeddings.iter().map(Vec::len);
    let first = lengths.next();
    if lengths.any(|length| Some(length) != first) {
        return Err(junk(&"the vectors are not of one length"));
    }
    Ok(Verbatim::new(output).with_native(EMBEDDINGS, body))
}

fn junk(problem: &dyn std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::BadUpstream,
        format!("the answer is not a list of embeddings: {problem}"),
    )
}

/// The vectors by index, or as they come where there are none.
fn in_order(items: Vec<Item>) -> Result<Vec<Vec<f32>>> {
    if items.iter().any(|item| item.index.is_none()) {
        return Ok(items.into_iter().map(|item| item.embedding.0).collect());
    }
    let mut vectors = vec![None; items.len()];
    for Item { index, embedding } in items {
        let index = index.and_then(|index| usize::try_from(index.0).ok());
        match index.and_then(|index| vectors.get_mut(index)) {
            Some(place @ None) => *place = Some(embedding.0),
            Some(Some(_)) => return Err(junk(&"an index comes twice")),
            None => return Err(junk(&"an index is out of range")),
        }
    }
    Ok(vectors.into_iter().flatten().collect())
}

/// Writes an answer for a client of OpenAI's dialect. One that came in this dialect and the wished encoding goes out as it is; `model`
/// stands in where the answer does not name its own.
pub fn encode_embedding_response(
    response: &EmbeddingResponse,
    encoding: EmbeddingEncoding,
    model: &str,
) -> Bytes {
    if let Some(body) = response
        .native_in(&EMBEDDINGS)
        .filter(|body| encoding_of(body) == Some(encoding))
    {
        return body.clone();
    }
    let written = write_object(|object| {
        object.field("object", "list");
        object.array("data", |array| {
            for (index, vector) in response.embeddings.iter().enumerate() {
                array.object(|item| {
                    item.field("object", "embedding");
                    item.field("index", index);
                    match encoding {
                        EmbeddingEncoding::Float => item.field("embedding", vector),
                        EmbeddingEncoding::Base64 => item.field("embedding", to_base64(vector)),
                    }
                    Ok(())
                })?;
            }
            Ok(())
        })?;
        object.field(
            "model",
            if response.model.is_empty() {
                model
            } else {
                &response.model
            },
        );
        // The official clients take it for granted.
        let usage = response.usage.unwrap_or_default();
        object.object("usage", |object| {
            object.field("prompt_tokens", usage.input_tokens);
            object.field("total_tokens", usage.total_tokens());
            Ok(())
        })
    });
    // Nothing that is written here fails.
    written.unwrap_or_default().into()
}

/// How the vectors of an answer are written: what the first `embedding` begins with.
fn encoding_of(body: &[u8]) -> Option<EmbeddingEncoding> {
    const NAME: &[u8] = b"\"embedding\"";
    let mut rest = body;
    while let Some(at) = rest.windows(NAME.len()).position(|window| window == NAME) {
        rest = rest.get(at + NAME.len()..)?;
        // `"object": "embedding"` has no colon behind it.
        if let Some(value) = rest.trim_ascii_start().strip_prefix(b":") {
            return match value.trim_ascii_start().first()? {
                b'[' => Some(EmbeddingEncoding::Float),
                b'"' => Some(EmbeddingEncoding::Base64),
                _ => None,
            };
        }
    }
    None
}
