use bytes::Bytes;
use edge_ai_core::{Body, Reranker, Result};
use edge_ai_providers::rerank::{decode_rerank_request, encode_rerank_response};
use http::{Response, StatusCode};

use super::call::{Call, refusal};
use super::response::{json, tell};
use crate::usage::failed;

/// The model that a request asks for.
pub(super) fn asked_model(body: &Bytes) -> Result<String> {
    Ok(decode_rerank_request(body)?.request.model)
}

/// `POST /v1/rerank`
pub(crate) async fn rerank(mut call: Call<'_>) -> Result<Response<Body>> {
    let read = decode_rerank_request(&call.body);
    let asked = call.asked(read, |asked| (&asked.request.model, false))?;
    call.admit(&asked.request.model, |router| {
        router.estimate_rerank(&asked.request)
    })
    .await?;
    let Call {
        gateway,
        client,
        context,
        meter,
        ..
    } = call;
    let request = asked.request.clone().with_context(context.clone());
    let answer = match gateway.router.rerank(request).await {
        Ok(answer) => answer,
        Err(error) => return Ok(refusal(client, &context, &failed(&meter, error))),
    };
    let attempts = context.trail.attempts();
    meter.settle(
        attempts.last().map_or("", |attempt| attempt.model.as_str()),
        answer.usage,
    );
    let id = context.request_id.as_deref().unwrap_or_default();
    let body = encode_rerank_response(&answer, &asked, &format!("rerank-{id}"));
    let mut response = json(StatusCode::OK, body);
    tell(&context, response.headers_mut());
    Ok(response)
}
