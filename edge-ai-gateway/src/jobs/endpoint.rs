use edge_ai_core::{Error, ErrorKind, Result};
use http::Method;

use crate::surface::by_method;

/// What can be done with jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JobEndpoint<'a> {
    /// `GET /v1/jobs/webhook-secret`
    WebhookSecret,
    /// `GET /v1/jobs/{id}`
    Show(&'a str),
    /// `DELETE /v1/jobs/{id}`
    Delete(&'a str),
    /// `POST /v1/jobs/{id}/cancel`
    Cancel(&'a str),
    /// `GET /v1/jobs/{id}/result`
    Answer(&'a str),
    /// `GET /v1/jobs/{id}/events`
    Events(&'a str),
}

impl<'a> JobEndpoint<'a> {
    /// What all of their paths begin with.
    pub(super) const PREFIX: &'static str = "/v1/jobs/";

    /// Finds what a request asks for.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for another path or a name that no job has; status 405 for another method.
    pub(super) fn at(method: &Method, path: &'a str) -> Result<Self> {
        let path = path.strip_prefix(Self::PREFIX).unwrap_or_default();
        let path = path.strip_suffix('/').unwrap_or(path);
        let (id, rest) = path.split_once('/').unwrap_or((path, ""));
        let there: &[(&str, Self)] = match rest {
            "" if id == "webhook-secret" => &[("GET", Self::WebhookSecret)],
            "" => &[("GET", Self::Show(id)), ("DELETE", Self::Delete(id))],
            "cancel" => &[("POST", Self::Cancel(id))],
            "result" => &[("GET", Self::Answer(id))],
            "events" => &[("GET", Self::Events(id))],
            _ => return Err(no_job(path)),
        };
        if id != "webhook-secret" && !is_id(id, "job_") {
            return Err(no_job(id));
        }
        by_method(method, there)
    }
}

/// Whether something looks like an identifier: only then is there an object to ask.
pub(crate) fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        rest.len() == 32 && rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// There is no such job, or it is another tenant's, which is not told apart.
pub(super) fn no_job(id: &str) -> Error {
    let shown: String = id.chars().take(64).collect();
    let message = format!("there is no job `{shown}`; it may be past its time, or belong to another key");
    Error::new(ErrorKind::NotFound, message).with_code("job_not_found")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let id = "job_0123456789abcdef0123456789abcdef";
        let at = |method: Method, rest: &str| {
            let path = format!("/v1/jobs/{id}{rest}");
            JobEndpoint::at(&method, &path).map(|endpoint| format!("{endpoint:?}"))
        };
        assert!(at(Method::GET, "").unwrap().starts_with("Show"));
        assert!(at(Method::HEAD, "/result").unwrap().starts_with("Answer"));
        assert!(at(Method::POST, "/cancel/").unwrap().starts_with("Cancel"));
        assert_eq!(at(Method::PUT, "").unwrap_err().status(), 405);
        assert_eq!(at(Method::GET, "/x").unwrap_err().status(), 404);
        for id in [
            "",
            "x",
            "job_1",
            "job_0123456789ABCDEF0123456789abcdef",
            "../job_",
        ] {
            let path = format!("/v1/jobs/{id}");
            assert_eq!(
                JobEndpoint::at(&Method::GET, &path).unwrap_err().status(),
                404,
                "{id}"
            );
        }
    }
}
