use std::sync::Arc;

use bytes::Bytes;
use edge_ai_core::{Body, Context, EmbeddingModel, Operation, Result, Timestamp};
use edge_ai_providers::openai;
use http::{Response, StatusCode};

use super::chat::refusal;
use super::response::{json, tell};
use crate::gateway::Gateway;
use crate::usage::{Meter, failed};

/// `POST /v1/embeddings`
pub(crate) async fn embeddings(
    gateway: &Gateway,
    body: &Bytes,
    context: Context,
    arrived: Timestamp,
) -> Result<Response<Body>> {
    let meter = Meter::start(
        Arc::clone(&gateway.books),
        context.clone(),
        Operation::Embeddings,
        arrived,
    );
    let call = openai::decode_embedding_request(body).map_err(|error| failed(&meter, error))?;
    let model = call.request.model.clone();
    meter.asked(&model, false);
    let answer = match gateway
        .router
        .embed(call.request.with_context(context.clone()))
        .await
    {
        Ok(answer) => answer,
        Err(error) => return Ok(refusal(&context, &failed(&meter, error))),
    };
    meter.settle(&answer.model, answer.usage);
    let body = openai::encode_embedding_response(&answer, call.encoding, &model);
    let mut response = json(StatusCode::OK, body);
    tell(&context, response.headers_mut());
    Ok(response)
}
