use std::sync::Arc;

use bytes::Bytes;
use edge_ai_core::{Body, Error, ErrorKind, Result};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use serde::Deserialize;

use super::answer::{Extent, answer as answered};
use super::form::Form;
use super::subject::Subject;
use super::way::Media;
use super::{Passing, filter};
use crate::surface::{check_model, refusal};
use crate::usage::{Meter, failed};

/// `POST /v1/images/*`, `POST /v1/audio/*`, `POST /v1/moderations`
pub(super) async fn answer(passing: &Passing<'_>, media: Media) -> Result<Response<Body>> {
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
    let books = Arc::clone(&gateway.books);
    let background = Arc::clone(&caller.background);
    let meter = Meter::start(books, background, context.clone(), media.operation(), *arrived);
    let fail = |error| failed(&meter, error);
    let subject = Subject::read(media.path(), &head.headers, body).map_err(fail)?;
    let content = Content::read(&head.headers, body).map_err(fail)?;
    let named = subject.model.as_deref().or_else(|| media.usual_model());
    let name = named.ok_or_else(|| fail(Error::invalid("model", "`model` is missing")))?;
    check_model(name).map_err(fail)?;
    meter.asked(name, subject.stream);
    gateway.permit(principal, name).map_err(fail)?;
    let request = |model: &str| {
        let mut request = Request::post(media.path()).body(content.asking(model)?).map_err(|error| {
            Error::new(ErrorKind::Internal, "the request cannot be written").with_source(error)
        })?;
        *request.headers_mut() = filter::to_vendor(&head.headers);
        request.headers_mut().insert("accept-encoding", HeaderValue::from_static("identity"));
        Ok(request)
    };
    let outcome = gateway.router.pass_by_name(name, &media.dialect(), context, subject.stream, &request);
    match outcome.await {
        Ok(passed) => {
            let clock = Arc::clone(&gateway.books.clock);
            answered(passed, context, meter, Extent::of(&subject), clock).or_else(|error| Ok(refusal(*client, context, &error)))
        }
        Err(error) => Ok(refusal(*client, context, &failed(&meter, error))),
    }
}

/// A body in which a model can be named.
enum Content {
    Form(Form),
    Json(Bytes),
}

impl Content {
    fn read(headers: &http::HeaderMap, body: &Bytes) -> Result<Self> {
        let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Ok(match Form::read(media_type, body)? {
            Some(form) => Self::Form(form),
            None => Self::Json(body.clone()),
        })
    }

    /// The body, asking for `model`.
    fn asking(&self, model: &str) -> Result<Bytes> {
        match self {
            Self::Form(form) => Ok(form.with("model", model)),
            Self::Json(body) => renamed(body, model),
        }
    }
}

/// A JSON object with another `model`; everything else keeps its bytes.
fn renamed(body: &Bytes, model: &str) -> Result<Bytes> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        model: Option<&'a serde_json::value::RawValue>,
    }
    let named: Named<'_> = serde_json::from_slice(body)
        .map_err(|error| Error::new(ErrorKind::InvalidRequest, format!("the body is not the JSON that is wanted: {error}")))?;
    let Some(old) = named.model else {
        // The vendor's usual model.
        return Ok(body.clone());
    };
    let old = old.get();
    let at = old.as_ptr() as usize - body.as_ptr() as usize;
    let quoted = serde_json::Value::from(model).to_string();
    let (before, after) = (body.get(..at), body.get(at + old.len()..));
    Ok([before.unwrap_or_default(), quoted.as_bytes(), after.unwrap_or_default()].concat().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_name_alone_is_rewritten() {
        let body = Bytes::from_static(br#"{ "n": 1.0, "model" : "openai/dall-e-3" , "big": 12345678901234567890 }"#);
        assert_eq!(
            renamed(&body, "dall-e-3").unwrap(),
            r#"{ "n": 1.0, "model" : "dall-e-3" , "big": 12345678901234567890 }"#
        );
        assert_eq!(renamed(&Bytes::from_static(br#"{"input":"x"}"#), "m").unwrap(), r#"{"input":"x"}"#);
        assert!(renamed(&Bytes::from_static(b"[]"), "m").is_err());
    }
}
