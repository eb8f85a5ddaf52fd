use edge_ai_core::{Error, ErrorKind, Result};
use js_sys::futures::JsFuture;
use worker::send::SendFuture;

use crate::bridge;
use crate::error::js_error;

/// The signature of `message` by an RSA key in PKCS #8, as JSON Web Signatures have it in `RS256`: RSASSA-PKCS1-v1_5 with SHA-256, by
/// the runtime's WebCrypto.
///
/// # Errors
/// [`ErrorKind::Configuration`] for a key that is none.
pub async fn sign_rs256(pkcs8: &[u8], message: &[u8]) -> Result<Vec<u8>> {
    let signing = SendFuture::new(async {
        let signed = JsFuture::from(bridge::sign_rs256(pkcs8, message)).await;
        signed.map(bridge::bytes).map_err(|thrown| {
            js_error(ErrorKind::Configuration, &thrown).with_context("the private key cannot sign")
        })
    });
    let missing = || Error::new(ErrorKind::Internal, "the runtime gave no signature");
    signing.await?.ok_or_else(missing)
}
