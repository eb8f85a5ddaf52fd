use bytes::Bytes;
use edge_ai_core::{Body, Context, Error, Operation, Result, Timestamp};
use edge_ai_providers::openai;
use http::{HeaderMap, Response};

use super::client::Client;
use super::response::{error_response, tell, tell_not_to_retry};
use std::sync::Arc;

use crate::access::Principal;
use crate::gateway::Gateway;
use crate::limit::{Asking, Estimate, Holds, Stage};
use crate::route::Router;
use crate::usage::Meter;

/// The longest name of a model: it goes into records and headers.
const MAX_MODEL: usize = 256;

/// A request whose body has been read, with the record that was opened for it.
pub(crate) struct Call<'a> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) client: Client,
    pub(crate) body: Bytes,
    pub(crate) context: Context,
    pub(crate) principal: Arc<Principal>,
    pub(crate) arrived: Timestamp,
    pub(crate) meter: Meter,
    /// Whether the client lets the content be kept.
    pub(crate) collects: bool,
    pub(crate) holds: Holds,
    /// Headers that go with the answer, whatever it is.
    pub(crate) told: &'a mut HeaderMap,
}

impl Call<'_> {
    /// Notes what the request asks for, or that it cannot be read.
    ///
    /// # Errors
    /// What reading it returned, and for a name that no model can have or that the caller may not ask for.
    pub(crate) fn asked<T>(&self, read: Result<T>, asks: impl Fn(&T) -> (&str, bool)) -> Result<T> {
        let checked = read.and_then(|request| {
            let model = asks(&request).0;
            check_model(model)?;
            // The record names the model that was refused.
            self.meter.asked(model, asks(&request).1);
            self.gateway.permit(&self.principal, model)?;
            Ok(request)
        });
        match checked {
            Ok(request) => Ok(request),
            Err(error) => {
                self.meter.fail(&error);
                Err(error)
            }
        }
    }
}

impl Call<'_> {
    /// Holds the request to the limits on what it asks for, reserves what it is `estimated` to take, and leaves it to the meter to settle that.
    ///
    /// # Errors
    /// What a limit refuses with.
    pub(crate) async fn admit(
        &mut self,
        model: &str,
        estimated: impl FnOnce(&Router) -> Estimate,
    ) -> Result<()> {
        let Some(gate) = &self.gateway.gate else {
            return Ok(());
        };
        let mut holds = std::mem::take(&mut self.holds);
        let context = &self.context;
        let is_asked = gate.has(Stage::Asked, context);
        if is_asked || !holds.is_empty() {
            // It reads the whole prompt: not for rules that have been applied before.
            let estimate = if is_asked {
                estimated(&self.gateway.router)
            } else {
                Estimate::default()
            };
            let asking = Asking {
                model,
                estimate,
                ..Asking::early(Stage::Asked, context)
            };
            let admitted = self.gateway.admit(&asking, &mut holds, self.client, self.told);
            if let Err(error) = admitted.await {
                self.meter.fail(&error);
                return Err(error);
            }
            self.meter.hold(holds);
        }
        Ok(())
    }
}

/// The model that a request asks for, if the request reads.
///
/// # Errors
/// What the request would be refused with.
pub(crate) fn asked_model(client: Client, operation: Operation, body: &Bytes) -> Result<String> {
    let model = match operation {
        Operation::Embeddings => openai::decode_embedding_request(body)?.request.model,
        Operation::Rerank if cfg!(feature = "rerank") => super::rerank::asked_model(body)?,
        _ => client.decode(body)?.request.model,
    };
    check_model(&model)?;
    Ok(model)
}

/// A failure after the models were asked.
pub(crate) fn refusal(client: Client, context: &Context, error: &Error) -> Response<Body> {
    let mut response = error_response(client, error);
    tell(context, response.headers_mut());
    if context.trail.attempts().len() > 1 {
        tell_not_to_retry(response.headers_mut());
    }
    response
}

pub(crate) fn check_model(model: &str) -> Result<()> {
    if model.len() > MAX_MODEL {
        return Err(Error::invalid(
            "model",
            format!("a model's name has at most {MAX_MODEL} bytes"),
        ));
    }
    if model.chars().any(char::is_control) {
        return Err(Error::invalid(
            "model",
            "a model's name has no control characters",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_model_can_have_are_refused() {
        assert!(check_model("workers-ai/@cf/zai-org/glm-4.7-flash").is_ok());
        assert_eq!(check_model(&"x".repeat(300)).unwrap_err().param(), Some("model"));
        assert_eq!(check_model("a\r\nb: c").unwrap_err().param(), Some("model"));
    }
}
