use std::sync::Arc;

use edge_ai_core::{Error, ErrorKind, Result, Secret};
use edge_ai_worker::{EnvExt, FetchClient};

use super::{ChatApi, OpenAi};

impl OpenAi {
    /// OpenAI by the secret `OPENAI_API_KEY` and, where they are set, the address `OPENAI_BASE_URL` and the API by which every chat is
    /// asked, `OPENAI_CHAT_API` (`completions`, `responses`, or as asked); `None` without a key.
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
        builder = match env.text("OPENAI_CHAT_API").as_deref() {
            None | Some("as_asked") => builder,
            Some("completions") => builder.chat_api(ChatApi::Completions),
            Some("responses") => builder.chat_api(ChatApi::Responses),
            Some(other) => {
                let message =
                    format!("`OPENAI_CHAT_API` is `{other}`; it is one of completions, responses, as_asked");
                return Err(Error::new(ErrorKind::Configuration, message));
            }
        };
        builder.build().map(Some)
    }
}
