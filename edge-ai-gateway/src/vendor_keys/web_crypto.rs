use async_trait::async_trait;
use edge_ai_core::Result;
use edge_ai_worker::WebCrypto;

use super::Cipher;

#[async_trait]
impl Cipher for WebCrypto {
    async fn seal(&self, key: &[u8; 32], nonce: &[u8; 12], data: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
        Self::aes_gcm_encrypt(key, nonce, data, plain).await
    }

    async fn open(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        data: &[u8],
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        Self::aes_gcm_decrypt(key, nonce, data, sealed).await
    }
}
