use std::borrow::Cow;

use bytes::Bytes;
use edge_ai_core::{
    EmbeddingInput, EmbeddingPurpose, EmbeddingRequest, EmbeddingText, Error, ErrorKind, Result, Verbatim,
};

use super::{EmbeddingEncoding, MAX_INPUTS};
use crate::openai::Compatibility;
use crate::openai::EMBEDDINGS;
use crate::openai::chat_request::text_of;
use crate::openai::params::{invalid, model, positive};
use crate::wire::{Fields, ObjectWriter, Path, elements, read, splice, write_object};

/// A request to `/v1/embeddings`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EmbeddingCall {
    /// What is to be embedded. It keeps the body, for providers of the same dialect.
    pub request: EmbeddingRequest,
    /// How the client wants the vectors.
    pub encoding: EmbeddingEncoding,
}

/// Reads a client's request: a text, texts, token numbers or several arrays of them, at most 2,048, none empty.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for a body that is no such request, naming the field at fault.
pub fn decode_embedding_request(body: &Bytes) -> Result<EmbeddingCall> {
    let mut fields = Fields::parse(text_of(body)?, Path::ROOT)?;
    let model = model(&mut fields)?;
    let encoding = encoding(&mut fields)?;
    let mut input = EmbeddingInput::default();
    let text = fields.require_raw("input")?;
    input.texts = inputs(text, fields.path().field("input"))?;
    input.dimensions = positive(&mut fields, "dimensions", u32::MAX)?;
    input.extra = fields.rest(&EMBEDDINGS);
    let input = Verbatim::new(input).with_native(EMBEDDINGS, body.clone());
    Ok(EmbeddingCall {
        request: EmbeddingRequest::from_input(model, input),
        encoding,
    })
}

fn encoding(fields: &mut Fields<'_>) -> Result<EmbeddingEncoding> {
    let format: Option<Cow<'_, str>> = fields.take("encoding_format")?;
    match format.as_deref() {
        None | Some("float") => Ok(EmbeddingEncoding::Float),
        Some("base64") => Ok(EmbeddingEncoding::Base64),
        Some(other) => Err(invalid(
            fields,
            "encoding_format",
            format!("`{other}` is not one of float, base64"),
        )),
    }
}

fn inputs(text: &str, path: Path<'_>) -> Result<Vec<EmbeddingText>> {
    if text.starts_with('"') {
        return Ok(vec![one(text, path)?]);
    }
    if !text.starts_with('[') {
        return Err(wrong(path));
    }
    let texts = elements(text, &path)?;
    if texts
        .first()
        .is_some_and(|first| first.starts_with(|first: char| first.is_ascii_digit()))
    {
        return Ok(vec![one(text, path)?]);
    }
    if texts.is_empty() {
        return Err(Error::invalid(path.to_string(), "must have at least one input"));
    }
    if texts.len() > MAX_INPUTS {
        let message = format!("has {} inputs, at most {MAX_INPUTS} are allowed", texts.len());
        return Err(Error::invalid(path.to_string(), message));
    }
    texts
        .into_iter()
        .enumerate()
        .map(|(index, text)| one(text, path.index(index)))
        .collect()
}

fn one(text: &str, path: Path<'_>) -> Result<EmbeddingText> {
    let input = match text.as_bytes().first() {
        Some(b'"') => EmbeddingText::Text(read(text, &path)?),
        Some(b'[') => EmbeddingText::Tokens(read(text, &path).map_err(|error| {
            Error::invalid(path.to_string(), "must be an array of token numbers").with_source(error)
        })?),
        _ => return Err(wrong(path)),
    };
    match &input {
        EmbeddingText::Text(text) if text.is_empty() => {
            Err(Error::invalid(path.to_string(), "must not be empty"))
        }
        EmbeddingText::Tokens(tokens) if tokens.is_empty() => {
            Err(Error::invalid(path.to_string(), "must have at least one token"))
        }
        _ => Ok(input),
    }
}

fn wrong(path: Path<'_>) -> Error {
    Error::invalid(
        path.to_string(),
        "must be a string, an array of strings, or arrays of token numbers",
    )
}

/// Writes a request for OpenAI.
///
/// A body that came in this dialect goes out as it is, but for `model`. Otherwise vectors are asked for in base64, which is a third of the
/// bytes.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`] without inputs, with an empty one, or with more than 2,048.
pub fn encode_embedding_request(request: &EmbeddingRequest) -> Result<Bytes> {
    encode_embedding_request_with(request, &Compatibility::OPENAI)
}

/// The same for a server that differs from OpenAI.
pub(crate) fn encode_embedding_request_with(
    request: &EmbeddingRequest,
    server: &Compatibility,
) -> Result<Bytes> {
    if let Some(body) = request.input.native_in(&EMBEDDINGS) {
        return rewrite(body, request, server);
    }
    check(&request.texts)?;
    write_object(|object| write(object, request, server)).map(Bytes::from)
}

/// A client's own body as the server wants it.
fn rewrite(body: &Bytes, request: &EmbeddingRequest, server: &Compatibility) -> Result<Bytes> {
    let model = serde_json::Value::from(request.model.as_str()).to_string();
    let mut changes = vec![("model", Some(model.as_str()))];
    changes.extend(server.refused_hints.iter().map(|hint| (*hint, None)));
    let fields = Fields::parse(text_of(body)?, Path::ROOT)?;
    for (name, own) in server.renamed {
        if let Some(value) = fields.peek_raw(name) {
            changes.extend([(*name, None), (*own, Some(value))]);
        }
    }
    splice(body, &changes)
}

fn check(texts: &[EmbeddingText]) -> Result<()> {
    if texts.is_empty() || texts.len() > MAX_INPUTS {
        return Err(Error::invalid(
            "input",
            format!("must have 1 to {MAX_INPUTS} inputs, has {}", texts.len()),
        ));
    }
    let empty = texts.iter().position(|text| match text {
        EmbeddingText::Text(text) => text.is_empty(),
        EmbeddingText::Tokens(tokens) => tokens.is_empty(),
        _ => false,
    });
    match empty {
        Some(index) => Err(Error::invalid(format!("input[{index}]"), "must not be empty")),
        None => Ok(()),
    }
}

fn write(object: &mut ObjectWriter<'_>, request: &EmbeddingRequest, server: &Compatibility) -> Result<()> {
    object.field("model", &request.model);
    object.array("input", |array| {
        for text in &request.texts {
            match text {
                EmbeddingText::Text(text) => array.value(text),
                EmbeddingText::Tokens(tokens) => array.value(tokens),
                _ => {
                    return Err(
                        Error::new(ErrorKind::Unsupported, "an input of this kind").with_param("input")
                    );
                }
            }
        }
        Ok(())
    })?;
    if let Some(name) = server.field("dimensions") {
        object.optional(name, request.dimensions);
    }
    if let Some(field) = server.embedding_purpose {
        let purpose = request.purpose.and_then(|purpose| match purpose {
            EmbeddingPurpose::Query => Some(field.query),
            EmbeddingPurpose::Document => Some(field.document),
            _ => None,
        });
        object.optional(field.name, purpose);
    }
    if server.base64_embeddings {
        object.field("encoding_format", EmbeddingEncoding::Base64.as_str());
    }
    object.extra(&request.extra, &EMBEDDINGS);
    Ok(())
}
