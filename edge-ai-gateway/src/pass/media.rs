use std::sync::Arc;

use bytes::Bytes;
use edge_ai_core::{Body, Error, ErrorKind, Result};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, Request, Response, Uri};
use serde::Deserialize;

use super::answer::{Extent, answer as answered};
use super::filter;
use super::form::Form;
use super::subject::Subject;
use super::way::Media;
use crate::route::Passing;
use crate::surface::{Call, refusal};
use crate::usage::failed;

/// `POST /v1/images/*`, `POST /v1/audio/*`, `POST /v1/moderations`
pub(super) async fn answer(mut call: Call<'_>, head: &Parts, media: Media) -> Result<Response<Body>> {
    let read = read(&call, head, media);
    let (name, subject, content) = call.asked(read, |(name, subject, _)| (name, subject.stream))?;
    let context = call.context.clone();
    let passing = Passing {
        name: &name,
        context: &context,
        bytes: if content.is_text() { call.body.len() } else { 0 },
        stream: subject.stream,
        operation: media.operation(),
    };
    call.admit(&name, |router| router.estimate_passed(&passing))
        .await?;
    let Call {
        gateway,
        client,
        meter,
        ..
    } = call;
    let request = |model: &str| {
        let mut request = Request::new(content.asking(model)?);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(media.path());
        *request.headers_mut() = filter::to_vendor(&head.headers);
        Ok(request)
    };
    match gateway
        .router
        .pass_by_name(&media.dialect(), &passing, &request)
        .await
    {
        Ok(passed) => {
            let clock = Arc::clone(&gateway.books.clock);
            answered(passed, &context, meter, Extent::of(&subject), clock)
                .or_else(|error| Ok(refusal(client, &context, &error)))
        }
        Err(error) => Ok(refusal(client, &context, &failed(&meter, error))),
    }
}

fn read(call: &Call<'_>, head: &Parts, media: Media) -> Result<(String, Subject, Content)> {
    let subject = Subject::read(media.path(), &head.headers, &call.body)?;
    let content = Content::read(&head.headers, &call.body)?;
    let named = subject.model.as_deref().or_else(|| media.usual_model());
    let name = named
        .ok_or_else(|| Error::invalid("model", "`model` is missing"))?
        .to_owned();
    Ok((name, subject, content))
}

/// A body in which a model can be named.
enum Content {
    Form(Form),
    Json(Bytes),
}

impl Content {
    fn read(headers: &http::HeaderMap, body: &Bytes) -> Result<Self> {
        let media_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        Ok(match Form::read(media_type, body)? {
            Some(form) => Self::Form(form),
            None => Self::Json(body.clone()),
        })
    }

    /// Whether its length is that of a text.
    const fn is_text(&self) -> bool {
        matches!(self, Self::Json(_))
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
    let named: Named<'_> = serde_json::from_slice(body).map_err(|error| {
        Error::new(
            ErrorKind::InvalidRequest,
            format!("the body is not the JSON that is wanted: {error}"),
        )
    })?;
    let Some(old) = named.model else {
        // The vendor's usual model.
        return Ok(body.clone());
    };
    let old = old.get();
    let at = old.as_ptr() as usize - body.as_ptr() as usize;
    let quoted = serde_json::Value::from(model).to_string();
    let (before, after) = (body.get(..at), body.get(at + old.len()..));
    Ok([
        before.unwrap_or_default(),
        quoted.as_bytes(),
        after.unwrap_or_default(),
    ]
    .concat()
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_name_alone_is_rewritten() {
        let body =
            Bytes::from_static(br#"{ "n": 1.0, "model" : "openai/dall-e-3" , "big": 12345678901234567890 }"#);
        assert_eq!(
            renamed(&body, "dall-e-3").unwrap(),
            r#"{ "n": 1.0, "model" : "dall-e-3" , "big": 12345678901234567890 }"#
        );
        assert_eq!(
            renamed(&Bytes::from_static(br#"{"input":"x"}"#), "m").unwrap(),
            r#"{"input":"x"}"#
        );
        assert!(renamed(&Bytes::from_static(b"[]"), "m").is_err());
    }
}
