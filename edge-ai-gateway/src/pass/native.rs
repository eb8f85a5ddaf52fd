use std::sync::Arc;

use edge_ai_core::{Body, Dialect, Error, ErrorKind, Operation, Provider, Result};
use edge_ai_providers::openai::responses::RESPONSES;
use http::{HeaderValue, Method, Request, Response, Uri};

use super::answer::{Extent, answer as answered};
use super::subject::Subject;
use super::{Passing, filter};
use crate::surface::{check_model, refusal};
use crate::usage::{Meter, failed};

/// `/{provider}/*`
pub(super) async fn answer(
    passing: &Passing<'_>,
    provider: &str,
    path: &str,
    models_only: bool,
) -> Result<Response<Body>> {
    let providers = passing.gateway.routes().providers();
    let provider = providers.iter().find(|known| known.name() == provider);
    let provider = provider.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such provider"))?;
    let subject = Subject::read(path, &passing.head.headers, &passing.body)?;
    if models_only && (subject.model.is_none() || passing.head.method == Method::DELETE) {
        let message = "this gateway passes on requests that ask a model, and this one names none";
        return Err(Error::new(ErrorKind::PermissionDenied, message).with_code("pass_through_refused"));
    }
    pass(passing, provider, path, &subject).await
}

/// `/v1/responses/{id}`, and what is below it: to the only provider that speaks Responses.
pub(super) async fn stored_response(passing: &Passing<'_>) -> Result<Response<Body>> {
    let providers = passing.gateway.routes().providers();
    let mut keepers = providers.iter().filter(|provider| speaks(provider, &RESPONSES));
    let (Some(provider), None) = (keepers.next(), keepers.next()) else {
        let message = "a kept response is with the provider that made it, and here it cannot be told which that is; ask for \
                       `/{provider}/v1/responses/…`, such as `/openai/v1/responses/…`";
        return Err(Error::new(ErrorKind::NotFound, message).with_code("response_not_found"));
    };
    let path = passing.head.uri.path();
    let subject = Subject {
        model: None,
        stream: passing.head.uri.query().is_some_and(|query| query.contains("stream=true")),
        operation: Operation::Other,
        count: None,
        characters: None,
    };
    pass(passing, provider, path, &subject).await
}

/// Whether a provider takes requests in a dialect for some model that it lists.
fn speaks(provider: &Arc<dyn Provider>, dialect: &Dialect) -> bool {
    let listed = provider.models();
    listed.iter().any(|model| provider.speaks(&model.id, dialect)) || (listed.is_empty() && provider.speaks("", dialect))
}

async fn pass(
    passing: &Passing<'_>,
    provider: &Arc<dyn Provider>,
    path: &str,
    subject: &Subject,
) -> Result<Response<Body>> {
    let Passing {
        gateway,
        client,
        head,
        body,
        context,
        principal,
        caller,
        arrived,
        ..
    } = passing;
    let name = match &subject.model {
        Some(model) => format!("{}/{model}", provider.name()),
        None => format!("{}/*", provider.name()),
    };
    check_model(&name)?;
    let books = Arc::clone(&gateway.books);
    let background = Arc::clone(&caller.background);
    let meter = Meter::start(books, background, context.clone(), subject.operation, *arrived);
    meter.asked(&name, subject.stream);
    meter.expect(body.len() as u64 / 4);
    let permitted = match subject.model {
        Some(_) => gateway.permit(principal, &name),
        None => principal.models.permit_all_of(provider.name()),
    };
    let request = permitted.and_then(|()| {
        let mut request = Request::new(body.clone());
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = address(path, head.uri.query())?;
        *request.headers_mut() = filter::to_vendor(&head.headers);
        // The tap reads what is not packed.
        request.headers_mut().insert("accept-encoding", HeaderValue::from_static("identity"));
        Ok(request)
    });
    let request = request.map_err(|error| failed(&meter, error))?;
    let model = subject.model.as_deref().unwrap_or_default();
    match gateway.router.pass_to(provider, model, request, context, subject.stream).await {
        Ok(passed) => {
            let clock = Arc::clone(&gateway.books.clock);
            answered(passed, context, meter, Extent::of(subject), clock).or_else(|error| Ok(refusal(*client, context, &error)))
        }
        Err(error) => Ok(refusal(*client, context, &failed(&meter, error))),
    }
}

fn address(path: &str, query: Option<&str>) -> Result<Uri> {
    let address = match filter::query(query) {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    address
        .parse()
        .map_err(|_| Error::new(ErrorKind::InvalidRequest, "the path is not one of a URL").with_code("invalid_path"))
}
