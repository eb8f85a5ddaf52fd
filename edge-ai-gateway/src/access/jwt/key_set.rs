use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, HttpClient, Result, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::JwtAlgorithm;
use super::jwk::Jwk;

/// How long keys count until they are read again.
const FRESH: Duration = Duration::from_secs(3_600);
/// How long they count while the address does not answer.
const STALE: Duration = Duration::from_secs(86_400);
/// How often they are read at most: a token with a made-up `kid` costs nobody a request.
const PAUSE: Duration = Duration::from_secs(30);
/// The most bytes of a set, and the most keys of it: providers have two or three.
const MOST: usize = 256 << 10;
const KEYS: usize = 64;

/// An issuer's keys.
pub(super) struct KeySet {
    address: Option<(String, Arc<dyn HttpClient>)>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Arc<[Jwk]>,
    read: Option<Timestamp>,
    tried: Option<Timestamp>,
}

impl KeySet {
    pub(super) fn at(url: String, http: Arc<dyn HttpClient>) -> Result<Self> {
        let local = url.starts_with("http://127.0.0.1:") || url.starts_with("http://localhost:");
        if !(url.starts_with("https://") || local) || url.parse::<http::Uri>().is_err() {
            let message = format!("`{url}` is no address for keys; it must start with https://");
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        Ok(Self {
            address: Some((url, http)),
            state: Mutex::default(),
        })
    }

    pub(super) fn fixed(jwks: &str) -> Result<Self> {
        let keys = read(jwks.as_bytes(), true)
            .filter(|keys| !keys.is_empty())
            .ok_or_else(|| {
                let message = "the JWK set has no key that can be used; it is {\"keys\": [{\"kty\": \"RSA\", …}]}, with RSA of 2048 bits or more, \
                     EC of P-256, or oct of 32 bytes or more";
                Error::new(ErrorKind::Configuration, message)
            })?;
        Ok(Self {
            address: None,
            state: Mutex::new(State {
                keys: keys.into(),
                ..State::default()
            }),
        })
    }

    /// The algorithms of keys that do not change; those of public keys where they do.
    pub(super) fn fixed_algorithms(&self) -> Vec<JwtAlgorithm> {
        if self.address.is_some() {
            return vec![JwtAlgorithm::Rs256, JwtAlgorithm::Es256];
        }
        let mut algorithms: Vec<_> = self.state().keys.iter().map(|key| key.algorithm).collect();
        algorithms.dedup();
        algorithms
    }

    /// The key of a `kid`, or the only one of the algorithm for a token without.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the keys cannot be read and none are known.
    pub(super) async fn find(
        &self,
        kid: Option<&str>,
        algorithm: JwtAlgorithm,
        now: Timestamp,
    ) -> Result<Option<Jwk>> {
        let (known, due) = self.look_up(kid, algorithm, now);
        let Some((url, http)) = self.address.as_ref().filter(|_| due) else {
            return self.judged(known);
        };
        self.state().tried = Some(now);
        match fetch(http, url).await {
            Ok(keys) => {
                let mut state = self.state();
                state.keys = keys.into();
                state.read = Some(now);
                drop(state);
                Ok(self.look_up(kid, algorithm, now).0)
            }
            Err(error) => match self.judged(known)? {
                Some(key) => Ok(Some(key)),
                None => Err(uncertain().with_source(error)),
            },
        }
    }

    /// What is not found among keys that were never read says nothing.
    fn judged(&self, known: Option<Jwk>) -> Result<Option<Jwk>> {
        if known.is_none() && self.address.is_some() && self.state().read.is_none() {
            return Err(uncertain());
        }
        Ok(known)
    }

    /// The key, and whether it is time to read them.
    fn look_up(&self, kid: Option<&str>, algorithm: JwtAlgorithm, now: Timestamp) -> (Option<Jwk>, bool) {
        let state = self.state();
        let age = state.read.map(|read| now.since(read));
        let usable = self.address.is_none() || age.is_some_and(|age| age < STALE);
        let mut fitting = state.keys.iter().filter(|key| key.algorithm == algorithm);
        let key = match kid {
            Some(kid) => fitting.find(|key| key.kid.as_deref() == Some(kid)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        };
        let key = key.filter(|_| usable).cloned();
        let rested = state.tried.is_none_or(|tried| now.since(tried) >= PAUSE);
        let due = rested && (key.is_none() || age.is_none_or(|age| age >= FRESH));
        (key, due)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn fetch(http: &Arc<dyn HttpClient>, url: &str) -> Result<Vec<Jwk>> {
    let wrong = |what: String| Error::new(ErrorKind::BadUpstream, format!("the keys at {url} {what}"));
    let request = http::Request::get(url).header("accept", "application/json");
    let request = request
        .body(Bytes::new())
        .map_err(|_| wrong("have no address".to_owned()))?;
    let response = http.send(request).await?;
    if !response.status().is_success() {
        return Err(wrong(format!(
            "were answered with {}",
            response.status().as_u16()
        )));
    }
    let bytes = response.into_body().bytes(MOST).await?;
    read(&bytes, false)
        .filter(|keys| !keys.is_empty())
        .ok_or_else(|| wrong("are no JWK set with a key that can be used".to_owned()))
}

/// The keys of a set that can be used. What anybody can read must not be a secret to sign with.
fn read(json: &[u8], secrets: bool) -> Option<Vec<Jwk>> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Map<String, Value>>,
    }
    let set: Set = serde_json::from_slice(json).ok()?;
    let keys = set.keys.into_iter().take(KEYS).filter_map(Jwk::read);
    Some(
        keys.filter(|key| secrets || key.algorithm != JwtAlgorithm::Hs256)
            .collect(),
    )
}

fn uncertain() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the token cannot be checked for now: its issuer's keys cannot be read; try again",
    )
    .with_code("token_check_unavailable")
    .with_retry_after(PAUSE)
}
