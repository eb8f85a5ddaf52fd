use bytes::Bytes;
use edge_ai_core::{Body, Context, Result};
use http::{HeaderValue, Response, StatusCode};

use super::call::{check_model, refusal};
use super::client::Client;
use super::response::{json, tell};
use crate::access::Principal;
use crate::gateway::Gateway;

/// Says whether a count is the vendor's own or our estimate.
const COUNTED_BY: &str = "x-edge-ai-token-count";

/// `POST /v1/messages/count_tokens`, `POST /v1/responses/input_tokens`: the vendor's count where it has one, else an estimate.
///
/// It opens no usage record: a count costs nothing.
pub(crate) async fn count_tokens(
    gateway: &Gateway,
    client: Client,
    body: &Bytes,
    context: Context,
    principal: &Principal,
) -> Result<Response<Body>> {
    let asked = client.decode_count(body)?;
    check_model(&asked.request.model)?;
    gateway.permit(principal, &asked.request.model)?;
    if let Some(error) = asked.bound
        && !gateway
            .router
            .reaches_alone(&asked.request.model, &client.dialect())
    {
        return Err(error);
    }
    let request = asked.request.with_context(context.clone());
    let (count, exact) = match gateway.router.count_tokens(request).await {
        Ok(counted) => counted,
        Err(error) => return Ok(refusal(client, &context, &error)),
    };
    let mut response = json(StatusCode::OK, client.encode_count(&count));
    let counted_by = if exact { "exact" } else { "estimate" };
    response
        .headers_mut()
        .insert(COUNTED_BY, HeaderValue::from_static(counted_by));
    tell(&context, response.headers_mut());
    Ok(response)
}
