use std::sync::Arc;

use edge_ai_core::{Error, ErrorKind, HttpClient, ModelInfo, Result, Secret};
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};

use super::endpoint::Endpoint;
use super::{OpenAi, catalog};
use crate::client::VendorClient;
use crate::openai::{Compatibility, decode_error};

/// What there is to configure about [`OpenAi`].
#[derive(Debug)]
#[must_use]
pub struct OpenAiBuilder {
    http: Arc<dyn HttpClient>,
    api_key: Secret,
    name: String,
    base_url: String,
    models: Option<Vec<ModelInfo>>,
    compatibility: Compatibility,
    organization: Option<String>,
    project: Option<String>,
}

impl OpenAiBuilder {
    pub(super) fn new(http: Arc<dyn HttpClient>, api_key: Secret) -> Self {
        Self {
            http,
            api_key,
            name: String::from("openai"),
            base_url: OpenAi::BASE_URL.to_owned(),
            models: None,
            compatibility: Compatibility::OPENAI,
            organization: None,
            project: None,
        }
    }

    /// The address of the API, up to `/v1`. OpenAI's own by default.
    pub fn base_url(self, base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            ..self
        }
    }

    /// The provider's name in `name/model`: lower case, no slash. `openai` by default.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    /// The models to list. By default OpenAI's current ones; others are served all the same.
    pub fn models(self, models: impl IntoIterator<Item = ModelInfo>) -> Self {
        Self {
            models: Some(models.into_iter().collect()),
            ..self
        }
    }

    /// In what the server differs from OpenAI.
    pub fn compatibility(self, compatibility: Compatibility) -> Self {
        Self {
            compatibility,
            ..self
        }
    }

    /// The organization to bill.
    pub fn organization(self, organization: impl Into<String>) -> Self {
        Self {
            organization: Some(organization.into()),
            ..self
        }
    }

    /// The project to bill.
    pub fn project(self, project: impl Into<String>) -> Self {
        Self {
            project: Some(project.into()),
            ..self
        }
    }

    /// The provider.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a name, an address or a credential that cannot be one.
    pub fn build(self) -> Result<OpenAi> {
        if self.name.is_empty() || self.name.contains('/') || self.name.chars().any(char::is_uppercase) {
            let message = format!(
                "the provider name `{}` must be lower case and without a slash",
                self.name
            );
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        let vendor = self.name == "openai";
        let setting = format!("{}_BASE_URL", self.name.to_uppercase().replace('-', "_"));
        let mut client = VendorClient::new(self.http, self.name, &self.base_url, &setting, decode_error)?;
        if !self.api_key.is_empty() {
            client = client.secret_header(AUTHORIZATION, &format!("Bearer {}", self.api_key.expose()))?;
        }
        for (name, value) in [
            ("openai-organization", self.organization),
            ("openai-project", self.project),
        ] {
            if let Some(value) = value {
                let value = HeaderValue::try_from(value).map_err(|error| {
                    Error::new(
                        ErrorKind::Configuration,
                        format!("the value for `{name}` is no header's"),
                    )
                    .with_source(error)
                })?;
                client = client.header(HeaderName::from_static(name), value);
            }
        }
        Ok(OpenAi {
            endpoint: Arc::new(Endpoint::new(client, self.compatibility)),
            models: self.models.unwrap_or_else(catalog::models).into(),
            vendor,
        })
    }
}
