use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, RerankRequest, Result};

use crate::rerank::check;
use crate::wire::write_object;

/// Writes the body of `POST /model/{model}/invoke` for a reranker, [Cohere's](https://docs.aws.amazon.com/bedrock/latest/userguide/model-card-cohere-rerank-3-5.html)
/// or [Amazon's](https://docs.aws.amazon.com/bedrock/latest/userguide/rerank-supported.html). The answer is the [common one](crate::rerank::decode_rerank_answer).
///
/// # Errors
/// [`ErrorKind::NotFound`] for a model that is not known to rerank, and [`ErrorKind::InvalidRequest`] without a query or documents.
pub fn encode_rerank_request(request: &RerankRequest) -> Result<Bytes> {
    let model = &request.model;
    let is = |part: &str| model.contains(part);
    if !is("cohere.rerank") && !is("amazon.rerank") {
        let message =
            format!("`{model}` is not known to rerank; there are cohere.rerank-* and amazon.rerank-*");
        return Err(Error::new(ErrorKind::NotFound, message).with_param("model"));
    }
    check(request)?;
    let body = write_object(|body| {
        // Cohere's want the second version of its API.
        body.optional("api_version", is("cohere.rerank").then_some(2));
        body.field("query", &request.query);
        body.field("documents", &request.documents);
        let count = request.documents.len();
        body.field("top_n", request.top_n.unwrap_or(count).min(count));
        Ok(())
    })?;
    Ok(body.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn each_model_has_its_body() {
        let request = |model: &str| RerankRequest::new(model, "q", vec!["a".into(), "b".into()]);
        let written = |model: &str| -> Value {
            serde_json::from_slice(&encode_rerank_request(&request(model)).unwrap()).unwrap()
        };
        let common = json!({"query": "q", "documents": ["a", "b"], "top_n": 2});
        assert_eq!(written("amazon.rerank-v1:0"), common);
        let mut cohere = common;
        cohere["api_version"] = json!(2);
        assert_eq!(written("cohere.rerank-v3-5:0"), cohere);
        let error = encode_rerank_request(&request("amazon.nova-lite-v1:0")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
