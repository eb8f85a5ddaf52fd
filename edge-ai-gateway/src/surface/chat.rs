use edge_ai_core::{Body, CacheMode, Result};
use http::{Response, StatusCode};

use super::call::{Call, refusal};
use super::response::{event_stream, json, tell};
use super::writes::written;
use crate::usage::{Expected, failed, metered};

/// `POST /v1/chat/completions`, `POST /v1/responses`, `POST /v1/messages`
pub(crate) async fn chat(mut call: Call<'_>) -> Result<Response<Body>> {
    let client = call.client;
    let asked = call.asked(client.decode(&call.body), |asked| {
        (&asked.request.model, asked.stream)
    })?;
    if let Some(capture) = call.gateway.capture.as_ref().filter(|_| call.collects) {
        call.meter.capture(capture, &call.body);
    }
    call.meter
        .expect(Expected::of(&asked.request.input, call.body.len()));
    call.admit(&asked.request.model, |router| {
        router.estimate_chat(&asked.request)
    })
    .await?;
    let Call {
        gateway,
        mut context,
        arrived,
        meter,
        ..
    } = call;
    if let Some(error) = &asked.bound {
        let model = &asked.request.model;
        if !gateway.router.reaches_alone(model, &client.dialect()) {
            return Err(failed(&meter, error.clone()));
        }
        // What the vendor keeps changes what the same words ask.
        context.cache.mode = CacheMode::Bypass;
    }
    let id = context.request_id.as_deref().unwrap_or_default();
    let head = client.head(id, arrived.as_secs(), &asked.request.model);
    let request = asked.request.clone().with_context(context.clone());
    let mut response = if asked.stream {
        let stream = match gateway.chat.chat_stream(request).await {
            Ok(stream) => metered(stream, meter),
            Err(error) => return Ok(refusal(client, &context, &failed(&meter, error))),
        };
        let encoder = client.stream_encoder(head, &asked);
        event_stream(written(stream, encoder, client.ping(), gateway.patience()))
    } else {
        match gateway.chat.chat(request).await {
            Ok(answer) => {
                meter.finished(&answer.finish_reason);
                let body = client.encode(&answer, &head, &asked);
                meter.answered(&body);
                meter.settle(&answer.model, answer.usage);
                json(StatusCode::OK, body)
            }
            Err(error) => return Ok(refusal(client, &context, &failed(&meter, error))),
        }
    };
    tell(&context, response.headers_mut());
    Ok(response)
}
