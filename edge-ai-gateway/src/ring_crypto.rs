use async_trait::async_trait;
use edge_ai_core::{Error, ErrorKind, Result};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

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
