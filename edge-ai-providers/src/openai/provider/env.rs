use std::sync::Arc;

use edge_ai_core::{Result, Secret};
use edge_ai_worker::{EnvExt, FetchClient};

use super::OpenAi;

impl OpenAi {
    /// OpenAI by the secret `OPENAI_API_KEY` and, where it is set, the address `OPENAI_BASE_URL`; `None` without a key.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](edge_ai_core::ErrorKind::Configuration) for an address or a key that cannot be one.
    pub fn from_env(env: &worker::Env) -> Result<Option<Self>> {
        let Some(key) = env.text("OPENAI_API_KEY") else {
            return Ok(None);
        };
        let mut builder = Self::builder(Arc::<FetchClient>::default(), Secret::new(key));
        if let Some(base_url) = env.text("OPENAI_BASE_URL") {
            builder = builder.base_url(base_url);
        }
        builder.build().map(Some)
    }
}
