use edge_ai_core::{Result, async_trait};
use edge_ai_worker::sign_rs256;

use super::token::Rs256;

/// The runtime's own RSA: nothing of it is in the Worker's upload.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebCryptoRs256;

#[async_trait]
impl Rs256 for WebCryptoRs256 {
    async fn sign(&self, pkcs8: &[u8], message: &[u8]) -> Result<Vec<u8>> {
        sign_rs256(pkcs8, message).await
    }
}
