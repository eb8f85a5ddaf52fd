use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, RerankRequest, RerankResponse, RerankResult, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{error, usage};
use crate::wire::write_object;

/// Writes the inputs of a reranker such as `@cf/baai/bge-reranker-base`.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`] without a query or documents.
pub fn encode_rerank_inputs(request: &RerankRequest) -> Result<Bytes> {
    if request.query.is_empty() {
        return Err(Error::invalid("query", "the query is empty"));
    }
    if request.documents.is_empty() {
        return Err(Error::invalid("documents", "at least one document is needed"));
    }
    let body = write_object(|body| {
        body.field("query", &request.query);
        body.array("contexts", |contexts| {
            request.documents.iter().try_for_each(|document| {
                contexts.object(|object| {
                    object.field("text", document);
                    Ok(())
                })
            })
        })?;
        body.field(
            "top_k",
            request.top_n.unwrap_or(usize::MAX).min(request.documents.len()),
        );
        Ok(())
    })?;
    Ok(body.into())
}

#[derive(Deserialize)]
struct Answer<'a> {
    response: Vec<Scored>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Scored {
    id: usize,
    score: f32,
}

/// Reads a reranker's answer to `count` documents, best first.
///
/// The scores are the model's, as the service gives them. They order the documents of one query. A negative one shows that
/// they are logits, which the logistic function turns into 0 to 1; in either case they are not probabilities, and a threshold
/// has to be found by trying.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when it is no such answer; Workers AI's error when it is one.
pub fn decode_rerank_answer(body: &[u8], count: usize, top_n: Option<usize>) -> Result<RerankResponse> {
    let bad = |message: String| Error::new(ErrorKind::BadUpstream, message);
    let text = std::str::from_utf8(body)
        .map_err(|error| bad("the answer is not UTF-8".into()).with_source(error))?;
    error::check(text)?;
    let Answer { response, usage } = serde_json::from_str(text)
        .map_err(|error| bad(format!("the answer is not a ranking: {error}")).with_source(error))?;
    let mut seen = vec![false; count];
    for Scored { id, .. } in &response {
        match seen.get_mut(*id) {
            Some(seen) if !*seen => *seen = true,
            _ => return Err(bad(format!("document {id} is ranked twice or was never sent"))),
        }
    }
    let results = response
        .iter()
        .map(|scored| RerankResult::new(scored.id, scored.score))
        .collect();
    let mut ranked = RerankResponse::ranked(results, top_n);
    ranked.usage = usage.and_then(|text| usage::read(text.get()));
    Ok(ranked)
}
