use std::fmt;

use async_trait::async_trait;
use edge_ai_core::Result;

/// AES-256-GCM ([NIST SP 800-38D](https://csrc.nist.gov/pubs/sp/800/38/d/final)), as the runtime has it.
#[async_trait]
pub trait Cipher: fmt::Debug + Send + Sync + 'static {
    /// The ciphertext of `plain` with its tag of 16 bytes at the end, bound to `data`. A nonce is used once under a key.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](edge_ai_core::ErrorKind::Internal) when the runtime fails.
    async fn seal(&self, key: &[u8; 32], nonce: &[u8; 12], data: &[u8], plain: &[u8]) -> Result<Vec<u8>>;

    /// The plain text again; `None` for what was not sealed with this key, nonce and data.
    ///
    /// # Errors
    /// As [`seal`](Self::seal).
    async fn open(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        data: &[u8],
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>>;
}
