//! Tokens of an identity provider: signed claims, checked here.

mod algorithm;
mod claims;
mod compact;
mod jwk;
mod key_set;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use edge_ai_core::{Error, ErrorKind, HttpClient, Result};

use super::{Authenticator, Presented, Principal, refused};
pub use algorithm::{JwtAlgorithm, SignatureVerifier};
pub use claims::ClaimMapping;
use compact::Compact;
use jwk::Jwk;
use key_set::KeySet;

/// Where a token is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Where keys are.
    Credential,
    /// In a header of its own, which a proxy before the gateway sets.
    Header(&'static str),
}

/// Lets in whoever shows a [JSON Web Token](https://www.rfc-editor.org/rfc/rfc7519) of an issuer, by
/// [the best current practice](https://www.rfc-editor.org/rfc/rfc8725):
///
/// - The algorithms are [set here](Self::algorithms), never taken from the token; `none` is not among those there are, and a key of one
///   kind is not used by an algorithm of another.
/// - `iss`, `aud` and `exp` must be there and right, `nbf` must have come; clocks may differ by a [minute](Self::leeway).
/// - Keys are found by `kid` among those of the [issuer](Self::jwks); addresses and keys that a token itself names are not looked at.
/// - A token has at most 8 KiB.
///
/// Which claim says what is a [`ClaimMapping`].
#[derive(Clone)]
pub struct Jwt {
    issuer: String,
    audiences: Vec<String>,
    algorithms: Vec<JwtAlgorithm>,
    leeway: Duration,
    mapping: ClaimMapping,
    place: Place,
    keys: Arc<KeySet>,
    verifier: Arc<dyn SignatureVerifier>,
}

impl Jwt {
    /// Tokens of `issuer` for `audience`, signed by one of the keys at `url`
    /// (a [JWK set](https://www.rfc-editor.org/rfc/rfc7517#section-5)), by `RS256` or `ES256` unless told.
    ///
    /// The keys are read at the first token, again after an hour, and at a `kid` that is not known, once in 30 seconds at most. While the
    /// address does not answer, known keys count for a day.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for an address that is not `https` (or this machine's), and for an empty issuer or audience.
    pub fn jwks(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        url: impl Into<String>,
        http: Arc<dyn HttpClient>,
        verifier: impl SignatureVerifier,
    ) -> Result<Self> {
        Self::new(issuer, audience, KeySet::at(url.into(), http)?, verifier)
    }

    /// Tokens that are signed by one of these keys, as a JWK set; a key of the kind `oct` signs by `HS256` and has at least 32 bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a set that does not read or has no key that can be used.
    pub fn static_keys(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        jwks: &str,
        verifier: impl SignatureVerifier,
    ) -> Result<Self> {
        Self::new(issuer, audience, KeySet::fixed(jwks)?, verifier)
    }

    /// [Cloudflare Access](https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/)
    /// before the gateway: the header `cf-access-jwt-assertion`, of a team (`acme` or `acme.cloudflareaccess.com`) for the application of an
    /// audience tag. All of the team are one tenant, by its name; the key is the user's or service token's identifier.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a team or audience that cannot be one.
    pub fn cloudflare_access(
        team: &str,
        audience: impl Into<String>,
        http: Arc<dyn HttpClient>,
        verifier: impl SignatureVerifier,
    ) -> Result<Self> {
        const DOMAIN: &str = ".cloudflareaccess.com";
        let team = team.trim().trim_start_matches("https://").trim_end_matches('/');
        let name = team.strip_suffix(DOMAIN).unwrap_or(team);
        if name.is_empty()
            || !name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            let message =
                format!("`{team}` is no team of Cloudflare Access; it is the `acme` of `acme{DOMAIN}`");
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        let issuer = format!("https://{name}{DOMAIN}");
        let url = format!("{issuer}/cdn-cgi/access/certs");
        let jwt = Self::jwks(issuer, audience, url, http, verifier)?;
        Ok(Self {
            place: Place::Header("cf-access-jwt-assertion"),
            ..jwt
                .algorithms([JwtAlgorithm::Rs256])
                .mapping(ClaimMapping::fixed_tenant(name).name("email"))
        })
    }

    fn new(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        keys: KeySet,
        verifier: impl SignatureVerifier,
    ) -> Result<Self> {
        let (issuer, audience) = (issuer.into(), audience.into());
        if issuer.is_empty() || audience.is_empty() {
            let message = "a JWT needs an issuer and an audience to be checked against; without them any token of the provider would do";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        let algorithms = keys.fixed_algorithms();
        Ok(Self {
            issuer,
            audiences: vec![audience],
            algorithms,
            leeway: Duration::from_secs(60),
            mapping: ClaimMapping::default(),
            place: Place::Credential,
            keys: Arc::new(keys),
            verifier: Arc::new(verifier),
        })
    }

    /// Takes tokens for another audience too.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Sets the algorithms.
    #[must_use]
    pub fn algorithms(self, algorithms: impl IntoIterator<Item = JwtAlgorithm>) -> Self {
        Self {
            algorithms: algorithms.into_iter().collect(),
            ..self
        }
    }

    /// Sets how far clocks may differ; a minute unless told.
    #[must_use]
    pub fn leeway(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }

    /// Sets which claim says what.
    #[must_use]
    pub fn mapping(self, mapping: ClaimMapping) -> Self {
        Self { mapping, ..self }
    }

    async fn verify(&self, token: &Compact<'_>, presented: &Presented<'_>) -> Result<()> {
        let algorithm = self
            .algorithms
            .iter()
            .copied()
            .find(|algorithm| algorithm.as_str() == token.header.alg)
            .ok_or_else(|| wrong("is signed by an algorithm that is not taken here"))?;
        let key = self
            .keys
            .find(token.header.kid.as_deref(), algorithm, presented.now)
            .await?;
        let key: Jwk = key.ok_or_else(|| wrong("is signed by a key that its issuer does not have (now)"))?;
        if self
            .verifier
            .verify(algorithm, &key.public, &token.signature, token.signed)
            .await?
        {
            return Ok(());
        }
        Err(wrong("has a signature that is not its issuer's"))
    }
}

#[async_trait]
impl Authenticator for Jwt {
    async fn authenticate(&self, presented: &Presented<'_>) -> Result<Option<Arc<Principal>>> {
        let token = match self.place {
            Place::Credential => presented.token().filter(|token| compact::is_meant(token)),
            Place::Header(name) => presented.headers.get(name).map(http::HeaderValue::as_bytes),
        };
        let Some(token) = token else { return Ok(None) };
        let token = compact::read(token)?;
        // Another issuer's may be for another way in; nothing is believed of it here.
        if token.claims.issuer() != Some(self.issuer.as_str()) {
            return match self.place {
                Place::Credential => Ok(None),
                Place::Header(_) => Err(wrong("is another issuer's")),
            };
        }
        self.verify(&token, presented).await?;
        token.claims.check(&self.audiences, presented.now, self.leeway)?;
        let principal = self.mapping.principal(&token.claims)?;
        Ok(Some(Arc::new(principal)))
    }
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt")
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

/// What is wrong with a token, without a word of it.
fn wrong(what: &str) -> Error {
    refused(
        "invalid_token",
        format!("the token {what}; sign in again, or look at what issued it"),
    )
}
