use std::borrow::Cow;

use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, RerankRequest, RerankResponse, Result};

use crate::openai::{invalid, model, positive, text_of};
use crate::wire::{Fields, Path, elements, read, write_object};

/// A client's request to `/v1/rerank`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RerankCall {
    /// What is to be ordered.
    pub request: RerankRequest,
    /// Whether the answer repeats the documents.
    pub return_documents: bool,
}

/// Reads a client's request: `model`, `query`, `documents` of texts or objects with a `text`, and what is wanted of the answer by `top_n` (or
/// Voyage's `top_k`) and `return_documents`.
///
/// How a vendor shortens long documents (`max_tokens_per_doc`, `truncation`) is left to the vendor.
///
/// ```
/// use edge_ai_providers::rerank::decode_rerank_request;
///
/// let call = decode_rerank_request(&br#"{"model":"rerank-v3.5","query":"q","documents":["a",{"text":"b"}],"top_n":1}"#[..].into())?;
/// assert_eq!(call.request.documents, ["a", "b"]);
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::InvalidRequest`] for a body that is no such request and [`ErrorKind::Unsupported`] for `rank_fields`, naming the field at fault.
pub fn decode_rerank_request(body: &Bytes) -> Result<RerankCall> {
    let mut fields = Fields::parse(text_of(body)?, Path::ROOT)?;
    let model = model(&mut fields)?;
    let query: String = fields.require("query")?;
    if query.trim().is_empty() {
        return Err(invalid(&fields, "query", "the query is empty"));
    }
    let list = fields.require_raw("documents")?;
    let documents = documents(list, &fields.path().field("documents"))?;
    if fields.take_raw("rank_fields").is_some() {
        let message = "documents are ranked by their `text`; put what is to be ranked there";
        return Err(Error::new(ErrorKind::Unsupported, message).with_param("rank_fields"));
    }
    let mut request = RerankRequest::new(model, query, documents);
    let top = match positive(&mut fields, "top_n", u32::MAX)? {
        None => positive(&mut fields, "top_k", u32::MAX)?,
        top => top,
    };
    request.top_n = top.map(|top| usize::try_from(top).unwrap_or(usize::MAX));
    Ok(RerankCall {
        request,
        return_documents: fields.take("return_documents")?.unwrap_or(false),
    })
}

fn documents(list: &str, path: &Path<'_>) -> Result<Vec<String>> {
    let texts = elements(list, path).map_err(|error| {
        Error::invalid(path.to_string(), "must be an array of documents").with_source(error)
    })?;
    if texts.is_empty() {
        return Err(Error::invalid(
            path.to_string(),
            "at least one document is needed",
        ));
    }
    let one = |(index, text)| document(text, path.index(index));
    texts.into_iter().enumerate().map(one).collect()
}

fn document(text: &str, path: Path<'_>) -> Result<String> {
    if text.starts_with('"') {
        return read::<Cow<'_, str>>(text, &path).map(Cow::into_owned);
    }
    if !text.starts_with('{') {
        return Err(Error::invalid(
            path.to_string(),
            "a document is a text, or an object with a `text`",
        ));
    }
    Fields::parse(text, path)?.require("text")
}

/// Writes the answer to a client's request, in the words of Cohere (`meta`) and Jina (`usage`) together.
pub fn encode_rerank_response(response: &RerankResponse, call: &RerankCall, id: &str) -> Bytes {
    let written = write_object(|body| {
        body.field("id", id);
        body.field("object", "list");
        body.field("model", &call.request.model);
        body.array("results", |results| {
            response.results.iter().try_for_each(|result| {
                results.object(|object| {
                    object.field("index", result.index);
                    object.field("relevance_score", result.score);
                    match call.request.documents.get(result.index) {
                        Some(text) if call.return_documents => object.object("document", |document| {
                            document.field("text", text);
                            Ok(())
                        }),
                        _ => Ok(()),
                    }
                })
            })
        })?;
        body.object("meta", |meta| {
            meta.object("api_version", |version| {
                version.field("version", "2");
                Ok(())
            })?;
            let Some(usage) = response.usage else {
                return Ok(());
            };
            meta.object("tokens", |tokens| {
                tokens.field("input_tokens", usage.input_tokens);
                tokens.field("output_tokens", usage.output_tokens);
                Ok(())
            })
        })?;
        let Some(usage) = response.usage else {
            return Ok(());
        };
        body.object("usage", |object| {
            object.field("prompt_tokens", usage.input_tokens);
            object.field("total_tokens", usage.total_tokens());
            Ok(())
        })
    });
    // Nothing in it can fail: every value is a text or a number.
    written.unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{RerankResult, Usage};
    use serde_json::{Value, json};

    fn decode(body: &Value) -> Result<RerankCall> {
        decode_rerank_request(&body.to_string().into())
    }

    #[test]
    fn every_form_of_a_request_is_read() {
        let call = decode(
            &json!({"model": "m", "query": "q", "documents": ["a", {"text": "b", "id": 7}],
            "top_n": 1, "return_documents": true, "max_tokens_per_doc": 100}),
        )
        .unwrap();
        assert_eq!(call.request.documents, ["a", "b"]);
        assert_eq!((call.request.top_n, call.return_documents), (Some(1), true));
        let call = decode(&json!({"model": "m", "query": "q", "documents": ["a"], "top_k": 3})).unwrap();
        assert_eq!((call.request.top_n, call.return_documents), (Some(3), false));
    }

    #[test]
    fn a_wrong_request_names_its_field() {
        for (change, param) in [
            (json!({"model": ""}), "model"),
            (json!({"query": null}), "query"),
            (json!({"query": " "}), "query"),
            (json!({"documents": "a"}), "documents"),
            (json!({"documents": []}), "documents"),
            (json!({"documents": ["a", 5]}), "documents[1]"),
            (json!({"documents": [{"title": "a"}]}), "documents[0].text"),
            (json!({"top_n": 0}), "top_n"),
            (json!({"top_n": "x"}), "top_n"),
            (json!({"return_documents": "x"}), "return_documents"),
            (json!({"rank_fields": ["title"]}), "rank_fields"),
        ] {
            let mut body = json!({"model": "m", "query": "q", "documents": ["a"]});
            body.as_object_mut()
                .unwrap()
                .extend(change.as_object().unwrap().clone());
            assert_eq!(decode(&body).unwrap_err().param(), Some(param), "{change}");
        }
        assert!(decode_rerank_request(&Bytes::from_static(b"\xff")).is_err());
    }

    #[test]
    fn an_answer_says_what_was_asked_for() {
        let mut call = decode(&json!({"model": "m", "query": "q", "documents": ["a", "b"]})).unwrap();
        let results = vec![RerankResult::new(1, 0.9), RerankResult::new(0, 0.25)];
        let mut response = RerankResponse::ranked(results, None);
        let written = |response: &RerankResponse, call: &RerankCall| -> Value {
            serde_json::from_slice(&encode_rerank_response(response, call, "rerank-1")).unwrap()
        };
        let expect = json!({"id": "rerank-1", "object": "list", "model": "m", "meta": {"api_version": {"version": "2"}},
            "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.25}]});
        assert_eq!(written(&response, &call), expect);
        call.return_documents = true;
        response.usage = Some(Usage::new(7, 0));
        let value = written(&response, &call);
        assert_eq!(value["results"][0]["document"]["text"], "b");
        assert_eq!(value["usage"], json!({"prompt_tokens": 7, "total_tokens": 7}));
        assert_eq!(
            value["meta"]["tokens"],
            json!({"input_tokens": 7, "output_tokens": 0})
        );
    }
}
