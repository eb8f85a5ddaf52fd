use bytes::Bytes;
use edge_ai_core::{EmbeddingInput, EmbeddingPurpose, EmbeddingText, Error, ErrorKind, Result};
use serde::Deserialize;

use crate::wire::write_object;

/// How a model embeds, by its name: each of them has a body of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// [Titan](https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html): one text a call. The first
    /// version has one length of vectors.
    Titan { lengths: bool },
    /// [Cohere](https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html): at most 96 texts a call. The fourth version
    /// has several lengths.
    Cohere { lengths: bool },
}

impl Shape {
    /// # Errors
    /// [`ErrorKind::NotFound`] for a model of which no shape is known.
    pub(super) fn of(model: &str) -> Result<Self> {
        if model.contains("amazon.titan-embed-text") {
            return Ok(Self::Titan {
                lengths: !model.contains("titan-embed-text-v1"),
            });
        }
        if model.contains("cohere.embed") {
            return Ok(Self::Cohere {
                lengths: !model.contains("-v3"),
            });
        }
        let message = format!(
            "`{model}` is not known to embed texts; there are amazon.titan-embed-text-* and cohere.embed-*"
        );
        Err(Error::new(ErrorKind::NotFound, message).with_param("model"))
    }

    /// The most texts of one call.
    pub(super) const fn batch(self) -> usize {
        match self {
            Self::Titan { .. } => 1,
            Self::Cohere { .. } => 96,
        }
    }

    const fn has_lengths(self) -> bool {
        match self {
            Self::Titan { lengths } | Self::Cohere { lengths } => lengths,
        }
    }
}

/// The texts of a request, checked.
pub(super) fn texts(input: &EmbeddingInput) -> Result<Vec<&str>> {
    if input.texts.is_empty() {
        return Err(Error::invalid("input", "at least one text is needed"));
    }
    input.texts.iter().enumerate().map(checked).collect()
}

fn checked((index, text): (usize, &EmbeddingText)) -> Result<&str> {
    match text {
        EmbeddingText::Text(text) if text.is_empty() => {
            Err(Error::invalid(format!("input[{index}]"), "a text is empty"))
        }
        EmbeddingText::Text(text) => Ok(text.as_str()),
        _ => Err(
            Error::new(ErrorKind::Unsupported, "Bedrock embeds texts, not token numbers")
                .with_param(format!("input[{index}]")),
        ),
    }
}

/// Writes the body of `POST /model/{model}/invoke` for as many texts as the model takes at once: one for Titan, 96 for Cohere's.
///
/// Without a purpose Cohere's models, which want one, embed documents.
///
/// # Errors
/// [`ErrorKind::NotFound`] for a model that is not known to embed, and [`ErrorKind::Unsupported`] for a length of vectors where there is one
/// alone, or for several texts where one is taken.
pub fn encode_embedding_request(
    model: &str,
    texts: &[&str],
    purpose: Option<EmbeddingPurpose>,
    dimensions: Option<u32>,
) -> Result<Bytes> {
    let shape = Shape::of(model)?;
    if dimensions.is_some() && !shape.has_lengths() {
        let message = "this model has one length of vectors";
        return Err(Error::new(ErrorKind::Unsupported, message).with_param("dimensions"));
    }
    if texts.len() > shape.batch() {
        let message = format!("this model takes at most {} texts at once", shape.batch());
        return Err(Error::new(ErrorKind::Unsupported, message).with_param("input"));
    }
    let body = write_object(|body| {
        match shape {
            Shape::Titan { .. } => {
                body.optional("inputText", texts.first());
                body.optional("dimensions", dimensions);
            }
            Shape::Cohere { .. } => {
                body.field("texts", texts);
                let query = purpose == Some(EmbeddingPurpose::Query);
                body.field(
                    "input_type",
                    if query { "search_query" } else { "search_document" },
                );
                body.field("embedding_types", ["float"]);
                body.optional("output_dimension", dimensions);
            }
        }
        Ok(())
    })?;
    Ok(body.into())
}

#[derive(Deserialize)]
struct Titan {
    embedding: Vec<f32>,
    #[serde(default, rename = "inputTextTokenCount")]
    tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Cohere {
    embeddings: Vectors,
}

/// By type where types are asked for; older models answer with the vectors alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Vectors {
    ByType { float: Vec<Vec<f32>> },
    Plain(Vec<Vec<f32>>),
}

/// Reads the answer to `count` texts: the vectors, and the tokens where the answer tells them.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] unless it is one vector for each text, all of one length.
pub fn decode_embedding_answer(
    model: &str,
    body: &[u8],
    count: usize,
) -> Result<(Vec<Vec<f32>>, Option<u64>)> {
    let bad = |message: String| Error::new(ErrorKind::BadUpstream, message);
    let junk =
        |error: serde_json::Error| bad(format!("the answer is not embeddings: {error}")).with_source(error);
    let (vectors, tokens) = match Shape::of(model)? {
        Shape::Titan { .. } => {
            let Titan { embedding, tokens } = serde_json::from_slice(body).map_err(junk)?;
            (vec![embedding], tokens)
        }
        Shape::Cohere { .. } => {
            let Cohere { embeddings } = serde_json::from_slice(body).map_err(junk)?;
            match embeddings {
                Vectors::ByType { float } => (float, None),
                Vectors::Plain(vectors) => (vectors, None),
            }
        }
    };
    if vectors.len() != count {
        return Err(bad(format!("{} vectors came for {count} texts", vectors.len())));
    }
    let length = vectors.first().map_or(0, Vec::len);
    if length == 0 || vectors.iter().any(|vector| vector.len() != length) {
        return Err(bad("the vectors are not of one length".into()));
    }
    Ok((vectors, tokens))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn written(model: &str, purpose: Option<EmbeddingPurpose>, dimensions: Option<u32>) -> Value {
        let body = encode_embedding_request(model, &["a"], purpose, dimensions).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    #[test]
    fn each_model_has_its_body() {
        let query = Some(EmbeddingPurpose::Query);
        assert_eq!(
            written("amazon.titan-embed-text-v2:0", query, Some(256)),
            json!({"inputText": "a", "dimensions": 256})
        );
        assert_eq!(
            written("cohere.embed-multilingual-v3", query, None),
            json!({"texts": ["a"], "input_type": "search_query", "embedding_types": ["float"]})
        );
        assert_eq!(
            written("us.cohere.embed-v4:0", None, Some(512)),
            json!({"texts": ["a"], "input_type": "search_document", "embedding_types": ["float"], "output_dimension": 512})
        );
    }

    #[test]
    fn what_a_model_cannot_is_refused() {
        let encode = |model, texts: &[&str], dimensions| {
            encode_embedding_request(model, texts, None, dimensions).unwrap_err()
        };
        let error = encode("amazon.titan-embed-text-v1", &["a"], Some(8));
        assert_eq!(
            (error.kind(), error.param()),
            (ErrorKind::Unsupported, Some("dimensions"))
        );
        assert_eq!(
            encode("cohere.embed-english-v3", &["a"], Some(8)).param(),
            Some("dimensions")
        );
        assert_eq!(
            encode("amazon.titan-embed-text-v2:0", &["a", "b"], None).param(),
            Some("input")
        );
        assert_eq!(
            encode("amazon.nova-lite-v1:0", &["a"], None).kind(),
            ErrorKind::NotFound
        );
    }

    #[test]
    fn each_answer_is_read() {
        let read = |model, body: &str, count| decode_embedding_answer(model, body.as_bytes(), count);
        let titan = r#"{"embedding":[0.5,1],"embeddingsByType":{"float":[0.5,1]},"inputTextTokenCount":3}"#;
        let vectors = vec![vec![0.5, 1.0]];
        assert_eq!(
            read("amazon.titan-embed-text-v2:0", titan, 1).unwrap(),
            (vectors.clone(), Some(3))
        );
        for body in [
            r#"{"id":"1","response_type":"embeddings_by_type","embeddings":{"float":[[0.5,1]]},"texts":["a"]}"#,
            r#"{"id":"1","response_type":"embeddings_floats","embeddings":[[0.5,1]],"texts":["a"]}"#,
        ] {
            assert_eq!(
                read("cohere.embed-english-v3", body, 1).unwrap(),
                (vectors.clone(), None)
            );
            assert_eq!(
                read("cohere.embed-english-v3", body, 2).unwrap_err().kind(),
                ErrorKind::BadUpstream
            );
        }
        assert!(read("amazon.titan-embed-text-v2:0", "{}", 1).is_err());
    }
}
