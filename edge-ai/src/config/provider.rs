use std::sync::Arc;

use edge_ai_core::{HttpClient, Result, Secret};
use edge_ai_providers::OpenAi;
use edge_ai_providers::openai::Compatibility;
use serde::Deserialize;

use super::document::wrong;

/// A server that speaks OpenAI's dialect.
///
/// ```toml
/// [providers.house]
/// base_url = "https://llm.example.com/v1"
/// key_setting = "HOUSE_KEY"
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ProviderConfig {
    /// The address of its API, up to what comes before `/chat/completions`.
    pub base_url: String,
    /// The variable or secret with its key; without one, no key is sent.
    pub key_setting: Option<String>,
    /// Whether it has embeddings.
    #[serde(default)]
    pub embeddings: bool,
}

impl ProviderConfig {
    pub(super) fn check(&self, name: &str) -> Result<()> {
        if name.is_empty()
            || !name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        {
            return Err(wrong(
                &["providers", name],
                "a provider's name is of lower-case letters, digits and `-`",
            ));
        }
        if !["https://", "http://"]
            .iter()
            .any(|scheme| self.base_url.starts_with(scheme))
        {
            return Err(wrong(
                &["providers", name, "base_url"],
                "it begins with `https://`, or `http://` for a server of one's own",
            ));
        }
        Ok(())
    }

    /// The provider, with the key that `setting` has.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](edge_ai_core::ErrorKind::Configuration) for a setting that is not there and an address that is none.
    pub fn build(
        &self,
        name: &str,
        http: Arc<dyn HttpClient>,
        setting: &dyn Fn(&str) -> Option<String>,
    ) -> Result<OpenAi> {
        let key = match &self.key_setting {
            None => String::new(),
            Some(key) => setting(key).ok_or_else(|| {
                let problem = format!("there is no `{key}`: `wrangler secret put {key}`");
                wrong(&["providers", name, "key_setting"], &problem)
            })?,
        };
        OpenAi::builder(http, Secret::new(key))
            .name(name)
            .base_url(&self.base_url)
            .compatibility(Compatibility::COMPATIBLE)
            .embeddings(self.embeddings)
            .build()
            .map_err(|error| wrong(&["providers", name], error.message()))
    }
}
