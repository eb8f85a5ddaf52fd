use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edge_ai_core::{Error, ErrorKind, Result};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::{hmac, signature};

use crate::access::{JwtAlgorithm, SignatureVerifier};
use crate::vendor_keys::Cipher;

/// Cryptography by [ring](https://docs.rs/ring), for gateways that run natively; a Worker has its own.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing in it")]
pub struct RingCrypto;

fn failed(_: ring::error::Unspecified) -> Error {
    Error::new(ErrorKind::Internal, "the cryptography failed")
}

#[async_trait]
impl Cipher for RingCrypto {
    async fn seal(&self, key: &[u8; 32], nonce: &[u8; 12], data: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(failed)?);
        let mut sealed = plain.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        key.seal_in_place_append_tag(nonce, Aad::from(data), &mut sealed)
            .map_err(failed)?;
        Ok(sealed)
    }

    async fn open(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        data: &[u8],
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(failed)?);
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = key.open_in_place(nonce, Aad::from(data), &mut sealed);
        Ok(opened.ok().map(|plain| plain.to_vec()))
    }
}

#[async_trait]
impl SignatureVerifier for RingCrypto {
    async fn verify(
        &self,
        algorithm: JwtAlgorithm,
        jwk: &str,
        signed: &[u8],
        message: &[u8],
    ) -> Result<bool> {
        let wrong = || Error::new(ErrorKind::Configuration, "the key does not read");
        let jwk: serde_json::Value = serde_json::from_str(jwk).map_err(|_| wrong())?;
        let part = |name: &str| {
            let text = jwk.get(name).and_then(serde_json::Value::as_str);
            text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
                .ok_or_else(wrong)
        };
        Ok(match algorithm {
            JwtAlgorithm::Hs256 => {
                hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &part("k")?), message, signed).is_ok()
            }
            JwtAlgorithm::Rs256 => {
                let key = signature::RsaPublicKeyComponents {
                    n: part("n")?,
                    e: part("e")?,
                };
                key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signed)
                    .is_ok()
            }
            JwtAlgorithm::Es256 => {
                let point = [vec![4], part("x")?, part("y")?].concat();
                let key = signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point);
                key.verify(message, signed).is_ok()
            }
        })
    }
}
