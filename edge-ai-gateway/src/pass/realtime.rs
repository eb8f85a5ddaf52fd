//! WebSockets that are passed on to vendors: OpenAI's realtime conversations by the model's name, and those of vendors' own APIs.

use std::sync::Arc;

use edge_ai_core::{Body, Error, ErrorKind, OnUpgrade, Operation, Provider, Result};
use edge_ai_providers::openai::REALTIME;
use edge_ai_providers::tap::UsageTap;
use http::header::{SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::answer::{Extent, answer as answered};
use super::native::address;
use super::subject::Subject;
use super::{filter, protocols, session::Session};
use crate::route::{Connected, Dialed, Passing};
use crate::surface::{self, Call, refusal};
use crate::usage::failed;

/// Whether a request asks for a WebSocket.
pub(super) fn is_asked(headers: &HeaderMap) -> bool {
    headers
        .get(UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// `GET /v1/realtime`: to the model's provider, or to a route's next one while none has opened.
pub(super) async fn by_name(call: Call<'_>, head: &Parts) -> Result<Response<Body>> {
    if !is_asked(&head.headers) {
        let message =
            "`/v1/realtime` is a WebSocket: ask with `upgrade: websocket`, as OpenAI's realtime clients do";
        let error = Error::new(ErrorKind::InvalidRequest, message)
            .with_status(StatusCode::UPGRADE_REQUIRED.as_u16())
            .with_code("upgrade_required");
        return Err(failed(&call.meter, error));
    }
    let name = call.asked(named(head.uri.query()), |name| (name.as_str(), true))?;
    open(call, head, &name, Operation::Realtime, None).await
}

/// A WebSocket of a provider's own API, whose model may be permitted already.
pub(super) async fn of_provider(
    call: Call<'_>,
    head: &Parts,
    provider: &Arc<dyn Provider>,
    path: &str,
    (name, subject): (&str, &Subject),
) -> Result<Response<Body>> {
    let model = subject.model.as_deref().unwrap_or_default();
    open(call, head, name, subject.operation, Some((provider, model, path))).await
}

/// The model that a query names, once and no more: what is permitted is what the vendor reads.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`] when it is named twice.
pub(super) fn model_in_query(query: Option<&str>) -> Result<Option<String>> {
    let mut model = None;
    for pair in query.unwrap_or_default().split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // Azure names its deployment.
        if !matches!(&*decoded(name), "model" | "deployment") {
            continue;
        }
        if model.is_some() {
            return Err(Error::invalid("model", "the query names more than one model"));
        }
        model = Some(decoded(value)).filter(|model| !model.is_empty());
    }
    Ok(model)
}

fn named(query: Option<&str>) -> Result<String> {
    model_in_query(query)?.ok_or_else(|| {
        let message = "`model` is missing: ask for `/v1/realtime?model=…`; a transcription session or a call, which name no model, are \
                       reached at their provider, as `/openai/v1/realtime?intent=transcription`";
        Error::invalid("model", message)
    })
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

/// Everything but what a query may have as it is.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

async fn open(
    mut call: Call<'_>,
    head: &Parts,
    name: &str,
    operation: Operation,
    native: Option<(&Arc<dyn Provider>, &str, &str)>,
) -> Result<Response<Body>> {
    let context = call.context.clone();
    let passing = Passing {
        name,
        context: &context,
        bytes: 0,
        stream: true,
        operation,
    };
    call.admit(name, |router| router.estimate_passed(&passing))
        .await?;
    let Call {
        gateway,
        client,
        meter,
        ..
    } = call;
    let offered = protocols::offered(&head.headers);
    let mut headers = filter::to_vendor(&head.headers);
    protocols::tell(&offered, operation == Operation::Realtime, &mut headers);
    let request = |path: &str, query: Option<&str>| {
        let mut request = Request::new(());
        *request.uri_mut() = address(path, query)?;
        request.headers_mut().clone_from(&headers);
        Ok(request)
    };
    let router = &gateway.router;
    let dialed = match native {
        Some((provider, model, path)) => {
            let request = |_: &str| request(path, head.uri.query());
            router.connect_to(provider, model, &request, &passing).await
        }
        None => {
            let request = |model: &str| {
                let query = format!("model={}", utf8_percent_encode(model, VALUE));
                request("/v1/realtime", Some(&query))
            };
            router.connect_by_name(&REALTIME, &passing, &request).await
        }
    };
    let clock = Arc::clone(&gateway.books.clock);
    let connected = match dialed {
        Ok(Dialed::Open(connected)) => connected,
        Ok(Dialed::Refused(passed)) => {
            let extent = Extent::default();
            return answered(passed, &context, meter, extent, clock)
                .or_else(|error| Ok(refusal(client, &context, &error)));
        }
        Err(error) => return Ok(refusal(client, &context, &failed(&meter, error))),
    };
    let Connected {
        socket,
        headers,
        model,
        permit,
    } = connected;
    let session = Session {
        vendor: socket,
        tap: UsageTap::of_events(),
        clock,
        context: context.clone(),
        meter,
        permit,
        model,
        tells_errors: operation == Operation::Realtime,
    };
    let mut response = Response::new(Body::empty());
    *response.headers_mut() = filter::to_client(&headers);
    let theirs = response.headers_mut().remove(SEC_WEBSOCKET_PROTOCOL);
    response.headers_mut().remove("sec-websocket-accept");
    response.headers_mut().remove("sec-websocket-extensions");
    if let Some(chosen) = theirs.or_else(|| protocols::chosen(&offered)) {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, chosen);
    }
    surface::tell(&context, response.headers_mut());
    OnUpgrade::new(|client| Box::pin(session.run(client))).attach(&mut response);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_one_model() {
        let model = |query| model_in_query(Some(query));
        assert_eq!(
            model("a=b&model=openai%2Fgpt-realtime").unwrap().as_deref(),
            Some("openai/gpt-realtime")
        );
        assert_eq!(model("deployment=voice").unwrap().as_deref(), Some("voice"));
        for query in ["", "intent=transcription", "model="] {
            assert_eq!(model(query).unwrap(), None, "{query}");
        }
        for query in [
            "model=cheap&model=dear",
            "model=cheap&m%6Fdel=dear",
            "deployment=a&model=b",
        ] {
            assert_eq!(model(query).unwrap_err().param(), Some("model"), "{query}");
        }
        assert_eq!(named(None).unwrap_err().param(), Some("model"));
    }
}
