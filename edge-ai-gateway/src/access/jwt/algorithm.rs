use std::fmt;

use async_trait::async_trait;
use edge_ai_core::{Error, ErrorKind, Result};

/// How a token is signed ([RFC 7518](https://www.rfc-editor.org/rfc/rfc7518#section-3.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwtAlgorithm {
    /// HMAC with SHA-256: whoever checks it can also sign.
    Hs256,
    /// RSA PKCS #1 v1.5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl JwtAlgorithm {
    /// The name in a token's header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// The algorithm of a name in a configuration.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for any other; there is no `none`.
    pub fn parse(name: &str) -> Result<Self> {
        [Self::Hs256, Self::Rs256, Self::Es256]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or_else(|| {
                let message =
                    format!("`{name}` is no algorithm for tokens here; there is HS256, RS256 and ES256");
                Error::new(ErrorKind::Configuration, message)
            })
    }
}

/// Checks signatures, as the runtime does.
#[async_trait]
pub trait SignatureVerifier: fmt::Debug + Send + Sync + 'static {
    /// Whether `signature` of `message` is the key's; `jwk` is a JSON Web Key of the algorithm's kind.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a key that is none.
    async fn verify(
        &self,
        algorithm: JwtAlgorithm,
        jwk: &str,
        signature: &[u8],
        message: &[u8],
    ) -> Result<bool>;
}

#[cfg(feature = "worker")]
#[async_trait]
impl SignatureVerifier for edge_ai_worker::WebCrypto {
    async fn verify(
        &self,
        algorithm: JwtAlgorithm,
        jwk: &str,
        signature: &[u8],
        message: &[u8],
    ) -> Result<bool> {
        Self::verify(algorithm.as_str(), jwk, signature, message).await
    }
}
