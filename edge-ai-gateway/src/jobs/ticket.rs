use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use edge_ai_core::{Error, ErrorKind, LimitRule, Result};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use serde::{Deserialize, Serialize};

use crate::access::{ModelPermissions, Principal};

/// A request without its body, as it is kept until somebody works on it: what it wished, and whose it was. Credentials are not among it:
/// they were checked when it came.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) who: Who,
    pub(crate) address: Option<IpAddr>,
}

/// Headers that show who asks, or concern the connection or the wish to wait alone.
const LEFT_OUT: [&str; 14] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "cookie",
    "cf-access-jwt-assertion",
    "cf-access-client-id",
    "cf-access-client-secret",
    "prefer",
    "x-edge-ai-async",
    "x-edge-ai-webhook",
    "connection",
    "content-length",
    "host",
];

impl Ticket {
    pub(crate) fn of(head: &Parts, principal: &Principal, address: Option<IpAddr>) -> Self {
        let kept = |(name, value): (&HeaderName, &HeaderValue)| {
            let left_out = LEFT_OUT.contains(&name.as_str()) || name.as_str().starts_with("sec-");
            let value = value.to_str().ok().filter(|_| !left_out)?;
            Some((name.as_str().to_owned(), value.to_owned()))
        };
        Self {
            path: head.uri.path().to_owned(),
            headers: head.headers.iter().filter_map(kept).collect(),
            who: Who::from(principal),
            address,
        }
    }

    /// A request of JSON that came in another way than by its own path, such as a line of a batch.
    pub(crate) fn json(path: &str, who: Who) -> Self {
        Self {
            path: path.to_owned(),
            headers: Vec::new(),
            who,
            address: None,
        }
    }

    /// The request's head.
    pub(crate) fn head(&self) -> Result<Parts> {
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self
            .path
            .parse()
            .map_err(|_| Error::new(ErrorKind::Internal, "the path of a job does not read"))?;
        let headers: HeaderMap = self
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, value.parse().ok()?)))
            .collect();
        *request.headers_mut() = headers;
        Ok(request.into_parts().0)
    }
}

/// A [`Principal`] as it is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Who {
    pub(crate) tenant: Option<String>,
    key: Option<String>,
    models: ModelPermissions,
    limits: Vec<LimitRule>,
    metadata: BTreeMap<String, String>,
    verified: bool,
}

impl From<&Principal> for Who {
    fn from(principal: &Principal) -> Self {
        Self {
            tenant: principal.tenant.as_deref().map(str::to_owned),
            key: principal.key.as_deref().map(str::to_owned),
            models: principal.models.clone(),
            limits: principal.limits.to_vec(),
            metadata: principal.metadata.clone(),
            verified: principal.verified,
        }
    }
}

impl Who {
    pub(crate) fn principal(&self) -> Principal {
        Principal {
            tenant: self.tenant.as_deref().map(Arc::from),
            key: self.key.as_deref().map(Arc::from),
            models: self.models.clone(),
            limits: self.limits.clone().into(),
            metadata: self.metadata.clone(),
            verified: self.verified,
            ..Principal::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_credential_is_kept() {
        let request = Request::post("/v1/chat/completions")
            .header("authorization", "Bearer sk-secret")
            .header("x-api-key", "sk-secret")
            .header("cf-aig-metadata", r#"{"a":"b"}"#)
            .body(())
            .unwrap();
        let ticket = Ticket::of(&request.into_parts().0, &Principal::of("acme"), None);
        let kept = serde_json::to_string(&ticket).unwrap();
        assert!(!kept.contains("secret"), "{kept}");
        let read: Ticket = serde_json::from_str(&kept).unwrap();
        let head = read.head().unwrap();
        assert_eq!(head.headers["cf-aig-metadata"], r#"{"a":"b"}"#);
        assert_eq!(read.who.principal(), Principal::of("acme"));
    }
}
