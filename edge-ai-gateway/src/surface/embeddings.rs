use edge_ai_core::{Body, Result};
use edge_ai_providers::openai;
use http::{Response, StatusCode};

use super::call::{Call, refusal};
use super::response::{json, tell};
use crate::usage::failed;

/// `POST /v1/embeddings`
pub(crate) async fn embeddings(mut call: Call<'_>) -> Result<Response<Body>> {
    let read = openai::decode_embedding_request(&call.body);
    let asked = call.asked(read, |asked| (&asked.request.model, false))?;
    call.admit(&asked.request.model, |router| {
        router.estimate_embedding(&asked.request)
    })
    .await?;
    let Call {
        gateway,
        client,
        context,
        meter,
        ..
    } = call;
    let model = asked.request.model.clone();
    let answer = match gateway
        .embeddings
        .embed(asked.request.with_context(context.clone()))
        .await
    {
        Ok(answer) => answer,
        Err(error) => return Ok(refusal(client, &context, &failed(&meter, error))),
    };
    meter.settle(&answer.model, answer.usage);
    let body = openai::encode_embedding_response(&answer, asked.encoding, &model);
    let mut response = json(StatusCode::OK, body);
    tell(&context, response.headers_mut());
    Ok(response)
}
