use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use edge_ai_core::{Clock, Error, ErrorKind, HttpClient, Result, Secret, Timestamp, async_trait};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Deserialize;

use super::credentials::Credentials;
use super::token::{Rs256, TokenSource};

/// A token is renewed so long before its end.
const EARLY: Duration = Duration::from_secs(300);

/// A token is used until so long before its end.
const LAST: Duration = Duration::from_secs(10);

/// Whoever renews a token has so long for it, before another one tries.
const TURN: Duration = Duration::from_secs(30);

/// The most bytes of an answer that are read.
const MAX_ANSWER: usize = 64 << 10;

/// The tokens of a service account: its private key signs an assertion, for which Google gives a token that is good for an hour.
///
/// The token is kept in memory, for all requests of an isolate. From five minutes before its end one request renews it, while the others go on
/// with it; where there is none to go on with, each request asks by itself, since in a Worker none can wait for another's.
#[derive(Clone)]
pub struct ServiceAccount(Arc<Inner>);

struct Inner {
    credentials: Credentials,
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    signer: Arc<dyn Rs256>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    token: Option<(Secret, Timestamp)>,
    /// Until when somebody is at renewing it.
    turn: Option<Timestamp>,
}

impl ServiceAccount {
    /// The account whose key file has this JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for what is no such file; the error does not show it.
    pub fn from_json(
        json: &str,
        http: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        signer: Arc<dyn Rs256>,
    ) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            credentials: Credentials::parse(json)?,
            http,
            clock,
            signer,
            kept: Mutex::default(),
        })))
    }

    /// The project that the account belongs to.
    pub fn project(&self) -> Option<&str> {
        self.0.credentials.project.as_deref()
    }
}

#[async_trait]
impl TokenSource for ServiceAccount {
    async fn token(&self) -> Result<Secret> {
        let good = match self.0.next() {
            Next::Use(token) => return Ok(token),
            Next::Renew(good) => good,
        };
        match self.0.ask().await {
            Ok((token, until)) => {
                let mut kept = self.0.kept();
                kept.token = Some((token.clone(), until));
                kept.turn = None;
                Ok(token)
            }
            // The next one to try is the one after this turn.
            Err(error) => good.ok_or(error),
        }
    }
}

enum Next {
    Use(Secret),
    /// With the token that there is until then.
    Renew(Option<Secret>),
}

impl Inner {
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Next {
        let now = self.clock.now();
        let mut kept = self.kept();
        let Some((token, until)) = kept.token.clone().filter(|(_, until)| now + LAST < *until) else {
            return Next::Renew(None);
        };
        if now + EARLY < until || kept.turn.is_some_and(|turn| now < turn) {
            return Next::Use(token);
        }
        kept.turn = Some(now + TURN);
        Next::Renew(Some(token))
    }

    async fn ask(&self) -> Result<(Secret, Timestamp)> {
        let now = self.clock.now();
        let unsigned = self.credentials.unsigned_assertion(now)?;
        let key = self.credentials.pkcs8()?;
        let signature = self.signer.sign(&key, unsigned.as_bytes()).await?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        let form = format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={unsigned}.{signature}"
        );
        let mut request = http::Request::new(Bytes::from(form));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.credentials.token_uri.parse().map_err(|error| {
            let message = "the `token_uri` of the credentials is not an address";
            Error::new(ErrorKind::Configuration, message).with_source(error)
        })?;
        request.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        let answer = self.http.send(request).await.map_err(no_token)?;
        let status = answer.status().as_u16();
        let body = answer.into_body().bytes(MAX_ANSWER).await.map_err(no_token)?;
        if status != 200 {
            return Err(refused(status, &body));
        }
        let granted: Granted = serde_json::from_slice(&body).map_err(|_| {
            no_token(Error::new(
                ErrorKind::BadUpstream,
                "the answer has no `access_token`",
            ))
        })?;
        let until = now + Duration::from_secs(granted.expires_in.min(86_400));
        Ok((Secret::new(granted.access_token), until))
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: String,
    error_description: String,
}

fn refused(status: u16, body: &[u8]) -> Error {
    let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    let kind = match status {
        429 => ErrorKind::RateLimited,
        400..=499 => ErrorKind::Authentication,
        _ => ErrorKind::Unavailable,
    };
    let said = [refusal.error, refusal.error_description]
        .into_iter()
        .filter(|said| !said.is_empty())
        .collect::<Vec<_>>()
        .join(": ");
    no_token(Error::new(
        kind,
        format!("status {status} {said}").trim_end().to_owned(),
    ))
}

fn no_token(error: Error) -> Error {
    error.with_context("Google gave no access token to the service account")
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("credentials", &self.0.credentials)
            .finish_non_exhaustive()
    }
}
