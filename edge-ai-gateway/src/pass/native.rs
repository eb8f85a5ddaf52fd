use std::sync::Arc;

use edge_ai_core::{Body, Dialect, Error, ErrorKind, Provider, Result};
use edge_ai_providers::openai::responses::RESPONSES;
use http::request::Parts;
use http::{Method, Request, Response, Uri};

use super::answer::{Extent, answer as answered};
use super::subject::Subject;
use super::{MODELS_ONLY, filter, realtime, refused};
use crate::route::Passing;
use crate::surface::{Call, refusal};
use crate::usage::{Expected, failed};

/// `/{provider}/*`
pub(super) async fn answer(
    call: Call<'_>,
    head: &Parts,
    provider: &str,
    path: &str,
    models_only: bool,
) -> Result<Response<Body>> {
    let providers = call.gateway.routes().providers();
    let provider = providers.iter().find(|known| known.name() == provider);
    let mut subject =
        Subject::read(path, &head.headers, &call.body).map_err(|error| failed(&call.meter, error))?;
    if realtime::is_asked(&head.headers) {
        let named = realtime::model_in_query(head.uri.query()).map_err(|error| failed(&call.meter, error))?;
        subject.model = subject.model.or(named);
        subject.stream = true;
    }
    let asks = subject.model.is_some() && head.method != Method::DELETE;
    match provider {
        _ if models_only && !asks => Err(failed(&call.meter, refused(MODELS_ONLY))),
        Some(provider) => pass(call, head, provider, path, &subject).await,
        None => Err(failed(
            &call.meter,
            Error::new(ErrorKind::NotFound, "there is no such provider"),
        )),
    }
}

/// `/v1/responses/{id}`, and what is below it: to the only provider that speaks Responses.
pub(super) async fn stored_response(call: Call<'_>, head: &Parts) -> Result<Response<Body>> {
    let providers = call.gateway.routes().providers();
    let mut keepers = providers.iter().filter(|provider| speaks(provider, &RESPONSES));
    let (Some(provider), None) = (keepers.next(), keepers.next()) else {
        let message = "a kept response is with the provider that made it, and here it cannot be told which that is; ask for \
                       `/{provider}/v1/responses/…`, such as `/openai/v1/responses/…`";
        let error = Error::new(ErrorKind::NotFound, message).with_code("response_not_found");
        return Err(failed(&call.meter, error));
    };
    let path = head.uri.path();
    let mut subject =
        Subject::read(path, &head.headers, &call.body).map_err(|error| failed(&call.meter, error))?;
    subject.stream |= head
        .uri
        .query()
        .is_some_and(|query| query.contains("stream=true"));
    pass(call, head, provider, path, &subject).await
}

/// Whether a provider takes requests in a dialect for some model that it lists.
fn speaks(provider: &Arc<dyn Provider>, dialect: &Dialect) -> bool {
    let listed = provider.models();
    listed.iter().any(|model| provider.speaks(&model.id, dialect))
        || (listed.is_empty() && provider.speaks("", dialect))
}

async fn pass(
    mut call: Call<'_>,
    head: &Parts,
    provider: &Arc<dyn Provider>,
    path: &str,
    subject: &Subject,
) -> Result<Response<Body>> {
    let name = format!("{}/{}", provider.name(), subject.model.as_deref().unwrap_or("*"));
    if subject.model.is_some() {
        call.asked(Ok(&name), |name| (name.as_str(), subject.stream))?;
    } else {
        call.meter.asked(&name, subject.stream);
        if !call.principal.models.permit_all_of(provider.name()) {
            return Err(failed(&call.meter, not_all(&call, provider.name())));
        }
    }
    if realtime::is_asked(&head.headers) {
        return realtime::of_provider(call, head, provider, path, (&name, subject)).await;
    }
    call.meter.expect(Expected::Tokens(call.body.len() as u64 / 4));
    let context = call.context.clone();
    let passing = Passing {
        name: &name,
        context: &context,
        bytes: call.body.len(),
        stream: subject.stream,
        operation: subject.operation,
    };
    call.admit(&name, |router| router.estimate_passed(&passing))
        .await?;
    let Call {
        gateway,
        client,
        body,
        meter,
        ..
    } = call;
    let mut request = Request::new(body);
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = address(path, head.uri.query()).map_err(|error| failed(&meter, error))?;
    *request.headers_mut() = filter::to_vendor(&head.headers);
    let model = subject.model.as_deref().unwrap_or_default();
    match gateway.router.pass_to(provider, model, request, &passing).await {
        Ok(passed) => {
            let clock = Arc::clone(&gateway.books.clock);
            answered(passed, &context, meter, Extent::of(subject), clock)
                .or_else(|error| Ok(refusal(client, &context, &error)))
        }
        Err(error) => Ok(refusal(client, &context, &failed(&meter, error))),
    }
}

fn not_all(call: &Call<'_>, provider: &str) -> Error {
    let message = format!(
        "this request names no model, so its key has to be allowed everything of the provider (`{provider}/*`); it may ask for {}",
        call.principal.models.describe()
    );
    Error::new(ErrorKind::PermissionDenied, message).with_code("model_not_allowed")
}

pub(super) fn address(path: &str, query: Option<&str>) -> Result<Uri> {
    let address = match filter::query(query) {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    address.parse().map_err(|_| {
        Error::new(ErrorKind::InvalidRequest, "the path is not one of a URL").with_code("invalid_path")
    })
}
