use std::sync::Arc;

use edge_ai_core::{Error, ErrorKind, HttpClient, ModelInfo, Result, Secret};
use http::HeaderName;

use super::Gemini;
use crate::client::VendorClient;
use crate::gemini::{catalog, decode_error};

/// Sets up a [`Gemini`].
#[derive(Clone, Debug)]
pub struct GeminiBuilder {
    http: Arc<dyn HttpClient>,
    api_key: Secret,
    name: String,
    base_url: String,
    models: Vec<ModelInfo>,
}

impl GeminiBuilder {
    pub(super) fn new(http: Arc<dyn HttpClient>, api_key: Secret) -> Self {
        Self {
            http,
            api_key,
            name: "gemini".to_owned(),
            base_url: Gemini::BASE_URL.to_owned(),
            models: catalog::models(),
        }
    }

    /// Another server, with or without the API's version at its end. The `/openai` of the address of Google's compatible endpoint is left out.
    #[must_use]
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Another [name](edge_ai_core::Provider::name) than `gemini`, for a second server or key.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The models to list instead of Google's current ones.
    #[must_use]
    pub fn models(mut self, models: impl IntoIterator<Item = ModelInfo>) -> Self {
        self.models = models.into_iter().collect();
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a missing key, or a base URL that is none.
    pub fn build(self) -> Result<Gemini> {
        if self.api_key.is_empty() {
            let message = "the API key is empty; set `GEMINI_API_KEY`";
            return Err(Error::new(ErrorKind::Configuration, message).with_provider(self.name));
        }
        let client = VendorClient::new(
            self.http,
            &*self.name,
            &versioned(&self.base_url),
            "GEMINI_BASE_URL",
            decode_error,
        )?
        .secret_header(HeaderName::from_static("x-goog-api-key"), self.api_key.expose())?;
        Ok(Gemini {
            client: Arc::new(client),
            models: self.models.into(),
        })
    }
}

/// The address with the API's version at its end.
fn versioned(base_url: &str) -> String {
    let base_url = base_url.trim().trim_end_matches('/');
    let base_url = base_url.strip_suffix("/openai").unwrap_or(base_url);
    let last = base_url.rsplit('/').next().unwrap_or_default();
    let number = last.strip_prefix('v').unwrap_or_default();
    if number.starts_with(|first: char| first.is_ascii_digit()) || base_url.is_empty() {
        base_url.to_owned()
    } else {
        format!("{base_url}/v1beta")
    }
}

#[cfg(test)]
mod tests {
    use super::versioned;

    #[test]
    fn the_version_is_in_the_address_once() {
        for (given, expect) in [
            ("https://g.example", "https://g.example/v1beta"),
            ("https://g.example/v1beta/ ", "https://g.example/v1beta"),
            ("https://g.example/v1beta/openai", "https://g.example/v1beta"),
            ("https://g.example/v1alpha", "https://g.example/v1alpha"),
            ("https://g.example/vertex", "https://g.example/vertex/v1beta"),
            ("", ""),
        ] {
            assert_eq!(versioned(given), expect);
        }
    }
}
