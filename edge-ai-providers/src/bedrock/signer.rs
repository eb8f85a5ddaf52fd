use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use edge_ai_core::{Clock, Error, ErrorKind, Result, Secret};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};

use super::sigv4::{self, Scope, amz_date, canonical_request, string_to_sign};
use crate::client::Sign;

const SERVICE: &str = "bedrock";
const DATE: &str = "x-amz-date";
const SESSION: &str = "x-amz-security-token";

/// Signs requests to Bedrock in one region.
#[derive(Clone)]
pub(super) struct Signer {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: Secret,
    pub(super) session_token: Option<Secret>,
    pub(super) region: Arc<str>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Sign for Signer {
    /// Signs `content-type`, `host`, the time and the session's token: what nobody on the way changes.
    fn sign(&self, request: &mut http::Request<Bytes>) -> Result<()> {
        let date = amz_date(self.clock.now());
        let uri = request.uri();
        let host = uri.authority().map_or_else(String::new, ToString::to_string);
        let content_type = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let mut headers = vec![
            ("content-type", content_type),
            ("host", host.as_str()),
            (DATE, &date),
        ];
        if let Some(token) = &self.session_token {
            headers.push((SESSION, token.expose()));
        }
        let canonical = canonical_request(
            request.method().as_str(),
            uri.path(),
            uri.query().unwrap_or_default(),
            &headers,
            request.body(),
        );
        let scope = Scope {
            date: &date,
            region: &self.region,
            service: SERVICE,
        };
        let signature = sigv4::signature(
            &self.secret_access_key,
            &scope,
            &string_to_sign(&scope, &canonical),
        );
        let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        let authorization = format!(
            "{} Credential={}/{}, SignedHeaders={}, Signature={signature}",
            sigv4::ALGORITHM,
            self.access_key_id,
            scope.name(),
            names.join(";"),
        );
        let mut set = |name: HeaderName, value: &str| -> Result<()> {
            let mut value = HeaderValue::try_from(value).map_err(|_| unfit(&name))?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
            Ok(())
        };
        set(AUTHORIZATION, &authorization)?;
        set(HeaderName::from_static(DATE), &date)?;
        match &self.session_token {
            Some(token) => set(HeaderName::from_static(SESSION), token.expose()),
            None => Ok(()),
        }
    }
}

fn unfit(name: &HeaderName) -> Error {
    let message = format!("the credential for `{name}` has characters that a header cannot carry");
    Error::new(ErrorKind::Configuration, message)
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}
