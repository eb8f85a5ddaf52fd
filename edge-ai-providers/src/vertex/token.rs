use std::fmt;

use edge_ai_core::{Result, Secret, async_trait};

/// Where access tokens come from.
#[async_trait]
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// A token that is good for at least the next request.
    ///
    /// # Errors
    /// Whatever keeps a token from being had; a request then is not sent.
    async fn token(&self) -> Result<Secret>;
}

/// A token that was had elsewhere, such as from `gcloud auth print-access-token`. It is good for an hour, and is not renewed.
#[derive(Clone, Debug)]
pub struct AccessToken(Secret);

impl AccessToken {
    /// A given token.
    pub fn new(token: impl Into<Secret>) -> Self {
        Self(token.into())
    }
}

#[async_trait]
impl TokenSource for AccessToken {
    async fn token(&self) -> Result<Secret> {
        Ok(self.0.clone())
    }
}

/// Signs as the JSON Web Signature algorithm `RS256` does
/// ([RFC 7518 §3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)): RSASSA-PKCS1-v1_5 with SHA-256.
#[async_trait]
pub trait Rs256: fmt::Debug + Send + Sync + 'static {
    /// The signature of `message` by the private key in PKCS #8.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](edge_ai_core::ErrorKind::Configuration) for a key that is none.
    async fn sign(&self, pkcs8: &[u8], message: &[u8]) -> Result<Vec<u8>>;
}
