use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, RerankRequest, RerankResponse, RerankResult, Result, Usage};
use serde::Deserialize;

use crate::wire::write_object;

/// How a vendor has the dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RerankApi {
    /// The path under the vendor's base URL.
    pub path: &'static str,
    /// What the vendor's base URL ends with for its other services and not for this one.
    pub not_under: &'static str,
    /// The field for how many results are wanted.
    pub top: &'static str,
    /// Whether it is told not to repeat the documents, which it does unasked.
    pub return_documents: bool,
}

impl RerankApi {
    /// An API as most have it: `{base_url}/rerank` with `top_n`.
    pub const COMMON: Self = Self {
        path: "/rerank",
        not_under: "",
        top: "top_n",
        return_documents: false,
    };
}

/// [Cohere's second version](https://docs.cohere.com/reference/rerank), which is not under the address of its compatibility endpoint.
pub const COHERE_RERANK: RerankApi = RerankApi {
    path: "/v2/rerank",
    not_under: "/compatibility/v1",
    ..RerankApi::COMMON
};

/// [Jina's](https://jina.ai/reranker/), which repeats the documents unless told not to.
pub const JINA_RERANK: RerankApi = RerankApi {
    return_documents: true,
    ..RerankApi::COMMON
};

/// [Voyage's](https://docs.voyageai.com/reference/reranker-api).
pub const VOYAGE_RERANK: RerankApi = RerankApi {
    top: "top_k",
    ..RerankApi::COMMON
};

/// Writes a request.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`] without a query or documents.
pub fn encode_rerank_request(request: &RerankRequest, api: &RerankApi) -> Result<Bytes> {
    check(request)?;
    let body = write_object(|body| {
        body.field("model", &request.model);
        body.field("query", &request.query);
        body.field("documents", &request.documents);
        // Some refuse more than there are.
        body.optional(api.top, request.top_n.map(|top| top.min(request.documents.len())));
        body.optional("return_documents", api.return_documents.then_some(false));
        Ok(())
    })?;
    Ok(body.into())
}

/// Refuses what no vendor takes.
pub(crate) fn check(request: &RerankRequest) -> Result<()> {
    if request.query.is_empty() {
        return Err(Error::invalid("query", "the query is empty"));
    }
    if request.documents.is_empty() {
        return Err(Error::invalid("documents", "at least one document is needed"));
    }
    Ok(())
}

#[derive(Deserialize)]
struct Answer {
    // Voyage's is `data`.
    #[serde(alias = "data")]
    results: Vec<Scored>,
    #[serde(default)]
    usage: Option<Spent>,
}

#[derive(Deserialize)]
struct Scored {
    index: usize,
    #[serde(alias = "score")]
    relevance_score: f32,
}

#[derive(Deserialize)]
struct Spent {
    #[serde(default)]
    total_tokens: Option<u64>,
}

/// Reads the answer to `count` documents, best first.
///
/// The scores are the model's; they order the documents of one query. Tokens are told by Jina and Voyage; Cohere counts searches.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when it is no such answer.
pub fn decode_rerank_answer(body: &[u8], count: usize, top_n: Option<usize>) -> Result<RerankResponse> {
    let bad = |message: String| Error::new(ErrorKind::BadUpstream, message);
    let Answer { results, usage } = serde_json::from_slice(body)
        .map_err(|error| bad(format!("the answer is not a ranking: {error}")).with_source(error))?;
    let mut seen = vec![false; count];
    for Scored { index, .. } in &results {
        match seen.get_mut(*index) {
            Some(seen) if !*seen => *seen = true,
            _ => return Err(bad(format!("document {index} is ranked twice or was never sent"))),
        }
    }
    let wanted = top_n.unwrap_or(count).min(count);
    if results.len() < wanted {
        return Err(bad(format!("{} of {wanted} documents are ranked", results.len())));
    }
    let results = results
        .iter()
        .map(|scored| RerankResult::new(scored.index, scored.relevance_score))
        .collect();
    let mut ranked = RerankResponse::ranked(results, top_n);
    ranked.usage = usage
        .and_then(|usage| usage.total_tokens)
        .map(|tokens| Usage::new(tokens, 0));
    Ok(ranked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn written(api: &RerankApi) -> Value {
        let request = RerankRequest::new("m", "q", vec!["a".into(), "b".into()]).top_n(9);
        serde_json::from_slice(&encode_rerank_request(&request, api).unwrap()).unwrap()
    }

    #[test]
    fn each_vendor_has_its_words() {
        let common = json!({"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 2});
        assert_eq!(written(&COHERE_RERANK), common);
        let mut jina = common.clone();
        jina["return_documents"] = json!(false);
        assert_eq!(written(&JINA_RERANK), jina);
        assert_eq!(
            written(&VOYAGE_RERANK),
            json!({"model": "m", "query": "q", "documents": ["a", "b"], "top_k": 2})
        );
    }

    #[test]
    fn each_vendors_answer_is_read() {
        let ranked = |body: &str| decode_rerank_answer(body.as_bytes(), 2, None).unwrap();
        let cohere = r#"{"id":"1","results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.1}],
            "meta":{"api_version":{"version":"2"},"billed_units":{"search_units":1}}}"#;
        let jina = r#"{"model":"jina-reranker-v2-base-multilingual","object":"list","usage":{"total_tokens":38},
            "results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.1}]}"#;
        let voyage = r#"{"object":"list","data":[{"relevance_score":0.9,"index":1},{"relevance_score":0.1,"index":0}],
            "model":"rerank-2.5","usage":{"total_tokens":38}}"#;
        for (body, tokens) in [(cohere, None), (jina, Some(38)), (voyage, Some(38))] {
            let ranked = ranked(body);
            assert_eq!(
                ranked.results,
                [RerankResult::new(1, 0.9), RerankResult::new(0, 0.1)]
            );
            assert_eq!(ranked.usage.map(|usage| usage.input_tokens), tokens);
        }
    }

    #[test]
    fn what_is_no_ranking_is_refused() {
        for body in [
            "",
            "{}",
            r#"{"results":[{"index":2,"relevance_score":1}]}"#,
            r#"{"results":[{"index":0,"relevance_score":1},{"index":0,"relevance_score":1}]}"#,
            r#"{"results":[{"index":0,"relevance_score":1}]}"#,
        ] {
            let error = decode_rerank_answer(body.as_bytes(), 2, None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadUpstream, "{body}");
        }
    }
}
