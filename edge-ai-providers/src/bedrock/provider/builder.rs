use std::sync::Arc;

use edge_ai_core::{Clock, Error, ErrorKind, HttpClient, ModelInfo, Result};
use http::header::AUTHORIZATION;

use super::{Bedrock, catalog};
use crate::bedrock::signer::Signer;
use crate::bedrock::{Credentials, decode_error};
use crate::client::VendorClient;
use crate::openai::is_plain;

/// Sets up a [`Bedrock`].
#[derive(Clone, Debug)]
#[must_use]
pub struct BedrockBuilder {
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    credentials: Credentials,
    region: String,
    name: String,
    base_url: Option<String>,
    models: Vec<ModelInfo>,
}

impl BedrockBuilder {
    pub(super) fn new(
        http: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        credentials: Credentials,
        region: String,
    ) -> Self {
        Self {
            http,
            clock,
            credentials,
            region,
            name: "bedrock".to_owned(),
            base_url: None,
            models: catalog::models(),
        }
    }

    /// Another address than the region's, such as that of a VPC endpoint.
    pub fn base_url(self, base_url: impl Into<String>) -> Self {
        Self {
            base_url: Some(base_url.into()),
            ..self
        }
    }

    /// Another [name](edge_ai_core::Provider::name) than `bedrock`, for a second region or account.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    /// The models to list instead of a choice of Bedrock's.
    pub fn models(self, models: impl IntoIterator<Item = ModelInfo>) -> Self {
        Self {
            models: models.into_iter().collect(),
            ..self
        }
    }

    /// The client.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a region, an address or credentials that cannot be right.
    pub fn build(self) -> Result<Bedrock> {
        let wrong = |message: &str| Error::new(ErrorKind::Configuration, message).with_provider(&self.name);
        let region = self.region.trim();
        if region.is_empty() || !region.chars().all(is_plain) {
            return Err(wrong("`AWS_REGION` must name a region, such as us-east-1"));
        }
        let base_url = self.base_url.clone().unwrap_or_else(|| {
            // China's regions are under a domain of their own.
            let domain = if region.starts_with("cn-") {
                "amazonaws.com.cn"
            } else {
                "amazonaws.com"
            };
            format!("https://bedrock-runtime.{region}.{domain}")
        });
        let name = self.name.as_str();
        let client = VendorClient::new(
            Arc::clone(&self.http),
            name,
            &base_url,
            "BEDROCK_BASE_URL",
            decode_error,
        )?;
        let client = match &self.credentials {
            Credentials::ApiKey(key) if key.is_empty() => {
                return Err(wrong("the API key is empty; set `AWS_BEARER_TOKEN_BEDROCK`"));
            }
            Credentials::ApiKey(key) => {
                client.secret_header(AUTHORIZATION, &format!("Bearer {}", key.expose()))?
            }
            Credentials::Keys {
                access_key_id,
                secret_access_key,
                session_token,
            } => {
                if access_key_id.is_empty() || secret_access_key.is_empty() {
                    return Err(wrong(
                        "a key is empty; set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`",
                    ));
                }
                client.signed(Arc::new(Signer {
                    access_key_id: access_key_id.clone(),
                    secret_access_key: secret_access_key.clone(),
                    session_token: session_token.clone(),
                    region: region.into(),
                    clock: Arc::clone(&self.clock),
                }))
            }
        };
        Ok(Bedrock {
            client: Arc::new(client),
            models: self.models.into(),
        })
    }
}

impl Bedrock {
    /// Bedrock by AWS's settings: the [credentials](Credentials::from_settings), the region in `AWS_REGION` (or `AWS_DEFAULT_REGION`) and, for
    /// another address, `BEDROCK_BASE_URL`. `None` without credentials.
    ///
    /// `settings` gives the value of a setting; an empty one counts as missing.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for credentials without a region, and for a setting that cannot be right; the error names it.
    pub fn from_settings(
        http: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        settings: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>> {
        let setting = |name: &str| settings(name).filter(|value| !value.trim().is_empty());
        let Some(credentials) = Credentials::from_settings(settings)? else {
            return Ok(None);
        };
        let region = setting("AWS_REGION").or_else(|| setting("AWS_DEFAULT_REGION"));
        let mut builder = Self::builder(http, clock, credentials, region.unwrap_or_default());
        if let Some(base_url) = setting("BEDROCK_BASE_URL") {
            builder = builder.base_url(base_url);
        }
        builder.build().map(Some)
    }
}
