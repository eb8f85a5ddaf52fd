use std::sync::Arc;

use edge_ai_core::{Capabilities, Error, ErrorKind, HttpClient, ModelInfo, Result};

use super::error::decode_error;
use super::provider::Vertex;
use super::token::TokenSource;
use crate::anthropic::DEFAULT_MAX_TOKENS;
use crate::client::VendorClient;
use crate::gemini::chat_models;
use crate::openai::is_plain;

/// Sets up a [`Vertex`].
#[derive(Clone, Debug)]
pub struct VertexBuilder {
    http: Arc<dyn HttpClient>,
    tokens: Arc<dyn TokenSource>,
    project: String,
    location: String,
    name: String,
    base_url: Option<String>,
    models: Vec<ModelInfo>,
    default_max_tokens: u32,
}

impl VertexBuilder {
    pub(super) fn new(http: Arc<dyn HttpClient>, project: String, tokens: Arc<dyn TokenSource>) -> Self {
        Self {
            http,
            tokens,
            project,
            location: "global".to_owned(),
            name: "vertex".to_owned(),
            base_url: None,
            models: models(),
            default_max_tokens: DEFAULT_MAX_TOKENS,
        }
    }

    /// Where the models run: a region such as `europe-west1`, a multi-region (`us`, `eu`), or `global`, which it is unless told
    /// (<https://docs.cloud.google.com/vertex-ai/generative-ai/docs/learn/locations>).
    #[must_use]
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = location.into();
        self
    }

    /// Another server than the location's, with the API's version at its end: `https://europe-west1-aiplatform.googleapis.com/v1`.
    #[must_use]
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Another [name](edge_ai_core::Provider::name) than `vertex`, for a second project or location.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The models to list instead of the current ones.
    #[must_use]
    pub fn models(mut self, models: impl IntoIterator<Item = ModelInfo>) -> Self {
        self.models = models.into_iter().collect();
        self
    }

    /// The `max_tokens` of requests to Claude without a limit, instead of
    /// [`DEFAULT_MAX_TOKENS`]; a longer answer is cut there.
    #[must_use]
    pub fn default_max_tokens(mut self, tokens: u32) -> Self {
        self.default_max_tokens = tokens;
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a project, a location or a base URL that cannot be one.
    pub fn build(self) -> Result<Vertex> {
        let (project, location) = (self.project.trim(), self.location.trim());
        for (setting, value) in [
            ("GOOGLE_VERTEX_PROJECT", project),
            ("GOOGLE_VERTEX_LOCATION", location),
        ] {
            // Projects of a domain are named `example.com:project`.
            let plain = |character: char| is_plain(character) || character == ':';
            if value.is_empty() || value.starts_with('.') || !value.chars().all(plain) {
                let message = format!("`{setting}` must be of letters, digits, `-`, `_`, `.` and `:`");
                return Err(Error::new(ErrorKind::Configuration, message).with_provider(self.name));
            }
        }
        let base_url = self.base_url.unwrap_or_else(|| address(location));
        let client = VendorClient::new(
            self.http,
            &*self.name,
            &base_url,
            "GOOGLE_VERTEX_BASE_URL",
            decode_error,
        )?;
        Ok(Vertex {
            client,
            tokens: self.tokens,
            place: format!("/projects/{project}/locations/{location}/publishers").into(),
            models: self.models.into(),
            default_max_tokens: self.default_max_tokens,
        })
    }
}

/// The address of a location's server.
fn address(location: &str) -> String {
    match location {
        "global" => "https://aiplatform.googleapis.com/v1".to_owned(),
        "us" | "eu" => format!("https://aiplatform.{location}.rep.googleapis.com/v1"),
        _ => format!("https://{location}-aiplatform.googleapis.com/v1"),
    }
}

/// Gemini's current models, and Claude's
/// (<https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude>, November 2026).
fn models() -> Vec<ModelInfo> {
    let all = Capabilities::CHAT
        .parallel_tools()
        .vision()
        .json_schema()
        .reasoning()
        .prompt_caching();
    let claude = ["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"];
    chat_models()
        .chain(claude.map(|id| ModelInfo::new(id, all)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn every_location_has_its_server() {
        assert_eq!(address("global"), "https://aiplatform.googleapis.com/v1");
        assert_eq!(address("eu"), "https://aiplatform.eu.rep.googleapis.com/v1");
        assert_eq!(
            address("europe-west1"),
            "https://europe-west1-aiplatform.googleapis.com/v1"
        );
    }
}
