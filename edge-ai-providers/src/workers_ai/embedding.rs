use bytes::Bytes;
use edge_ai_core::{EmbeddingInput, EmbeddingPurpose, EmbeddingText, Error, ErrorKind, Result, Usage};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{error, usage};
use crate::wire::write_object;

/// The most texts of one call.
pub const MAX_TEXTS: usize = 100;

/// How the `bge-*-en-v1.5` models make one vector of a text's tokens.
///
/// Vectors of different poolings do not compare: an index keeps the pooling it was filled with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pooling {
    /// The vector of the first token, as the models were trained: more accurate, and our default.
    #[default]
    Cls,
    /// The mean of all tokens: what Workers AI does when it is not told, and what older indexes hold.
    Mean,
}

impl Pooling {
    /// The name in Workers AI's dialect.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cls => "cls",
            Self::Mean => "mean",
        }
    }
}

/// Writes the inputs of an embedding model for at most [`MAX_TEXTS`] texts.
///
/// Models of the Qwen3 family are told whether the texts are queries or documents; `bge-*-en-v1.5` are told the pooling.
pub fn encode_embedding_inputs(
    model: &str,
    texts: &[&str],
    purpose: Option<EmbeddingPurpose>,
    pooling: Pooling,
) -> Result<Bytes> {
    let field = match purpose {
        Some(EmbeddingPurpose::Query) if model.contains("/qwen3-embedding") => "queries",
        Some(EmbeddingPurpose::Document) if model.contains("/qwen3-embedding") => "documents",
        _ => "text",
    };
    let pooled = model.contains("/bge-") && model.contains("-en-v1.5");
    let body = write_object(|body| {
        body.field(field, texts);
        body.optional("pooling", pooled.then_some(pooling.as_str()));
        Ok(())
    })?;
    Ok(body.into())
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(alias = "response")]
    data: Vec<Vec<f32>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

/// Reads the answer to `count` texts.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] unless it is one vector for each text, all of one length; Workers AI's error when it is one.
pub fn decode_embedding_answer(body: &[u8], count: usize) -> Result<(Vec<Vec<f32>>, Option<Usage>)> {
    let bad = |message: String| Error::new(ErrorKind::BadUpstream, message);
    let text = std::str::from_utf8(body)
        .map_err(|error| bad("the answer is not UTF-8".into()).with_source(error))?;
    error::check(text)?;
    let Answer { data, usage } = serde_json::from_str(text)
        .map_err(|error| bad(format!("the answer is not embeddings: {error}")).with_source(error))?;
    if data.len() != count {
        return Err(bad(format!("{} vectors came for {count} texts", data.len())));
    }
    let length = data.first().map_or(0, Vec::len);
    if length == 0 || data.iter().any(|vector| vector.len() != length) {
        return Err(bad("the vectors are not of one length".into()));
    }
    Ok((data, usage.and_then(|text| usage::read(text.get()))))
}

/// The texts of a request, checked.
pub(super) fn texts(input: &EmbeddingInput) -> Result<Vec<&str>> {
    if input.texts.is_empty() {
        return Err(Error::invalid("input", "at least one text is needed"));
    }
    if input.dimensions.is_some() {
        let message = "the models of Workers AI have one length of vectors";
        return Err(Error::new(ErrorKind::Unsupported, message).with_param("dimensions"));
    }
    input
        .texts
        .iter()
        .enumerate()
        .map(|(index, text)| check(index, text))
        .collect()
}

fn check(index: usize, text: &EmbeddingText) -> Result<&str> {
    match text {
        EmbeddingText::Text(text) if text.is_empty() => {
            Err(Error::invalid(format!("input[{index}]"), "a text is empty"))
        }
        EmbeddingText::Text(text) => Ok(text),
        _ => Err(Error::new(
            ErrorKind::Unsupported,
            "Workers AI embeds texts, not token numbers",
        )
        .with_param(format!("input[{index}]"))),
    }
}
