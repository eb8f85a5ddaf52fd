use edge_ai_core::{Error, ErrorKind, Result};
use js_sys::futures::JsFuture;
use worker::send::SendFuture;

use crate::bridge;
use crate::error::{Thrown, js_error};

/// The runtime's cryptography, by [`crypto.subtle`](https://developers.cloudflare.com/workers/runtime-apis/web-crypto/): it costs no bytes
/// of upload.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebCrypto;

impl WebCrypto {
    /// AES-256-GCM: the ciphertext of `plain` with its tag at the end, bound to `data`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the runtime fails.
    pub async fn aes_gcm_encrypt(
        key: &[u8; 32],
        nonce: &[u8; 12],
        data: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>> {
        let sealed = JsFuture::from(bridge::aes_gcm(true, key, nonce, data, plain));
        SendFuture::new(sealed)
            .await
            .map_err(|thrown| js_error(ErrorKind::Internal, &thrown))
            .map(|bytes| bridge::bytes(bytes).unwrap_or_default())
    }

    /// AES-256-GCM: the plain text; `None` for what was not sealed with this key, nonce and data.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the runtime fails.
    pub async fn aes_gcm_decrypt(
        key: &[u8; 32],
        nonce: &[u8; 12],
        data: &[u8],
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let plain = JsFuture::from(bridge::aes_gcm(false, key, nonce, data, sealed));
        match SendFuture::new(plain).await {
            Ok(bytes) => Ok(bridge::bytes(bytes)),
            Err(thrown) => match Thrown::of(&thrown) {
                refused if refused.name == "OperationError" => Ok(None),
                thrown => Err(thrown.into_error(ErrorKind::Internal)),
            },
        }
    }

    /// Whether `signature` of `message` is the key's. The algorithm is `HS256`, `RS256` or `ES256`
    /// ([RFC 7518](https://www.rfc-editor.org/rfc/rfc7518#section-3.1)), the key a JWK.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a key that is none; [`ErrorKind::Unsupported`] for another algorithm.
    pub async fn verify(algorithm: &str, jwk: &str, signature: &[u8], message: &[u8]) -> Result<bool> {
        if !matches!(algorithm, "HS256" | "RS256" | "ES256") {
            let message = format!("signatures by `{algorithm}` are not checked here");
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let verified = JsFuture::from(bridge::verify(algorithm, jwk, signature, message));
        SendFuture::new(verified)
            .await
            .map_err(|thrown| js_error(ErrorKind::Configuration, &thrown))
            .map(|verified| verified.is_truthy())
    }
}
