use std::sync::Arc;

use edge_ai_core::{Error, ErrorKind, HttpClient, ModelInfo, Result, Secret};
use http::{HeaderName, HeaderValue};

use super::api::Apis;
use super::endpoint::Endpoint;
use super::paths::{Paths, is_plain};
use super::{Authentication, ChatApi, OpenAi, catalog};
use crate::client::VendorClient;
use crate::openai::{Compatibility, MediaServices, decode_error};
use crate::rerank::{RerankApi, RerankModel};

/// What a base URL ends with for what a vendor has in OpenAI's shape beside its own.
const COMPATIBILITY: &str = "/compatibility/v1";

/// What there is to configure about [`OpenAi`].
#[derive(Debug)]
#[must_use]
pub struct OpenAiBuilder {
    http: Arc<dyn HttpClient>,
    api_key: Secret,
    name: String,
    base_url: String,
    base_url_setting: Option<&'static str>,
    models: Option<Vec<ModelInfo>>,
    compatibility: Compatibility,
    authentication: Authentication,
    paths: Paths,
    chat: bool,
    chat_api: Option<ChatApi>,
    responses_models: Vec<String>,
    embeddings: bool,
    rerank: Option<RerankApi>,
    media: MediaServices,
    headers: Vec<(HeaderName, String)>,
}

impl OpenAiBuilder {
    pub(super) fn new(http: Arc<dyn HttpClient>, api_key: Secret) -> Self {
        Self {
            http,
            api_key,
            name: String::from("openai"),
            base_url: OpenAi::BASE_URL.to_owned(),
            base_url_setting: None,
            models: None,
            compatibility: Compatibility::OPENAI,
            authentication: Authentication::Bearer,
            paths: Paths::OpenAi,
            chat: true,
            chat_api: None,
            responses_models: Vec::new(),
            embeddings: true,
            rerank: None,
            media: MediaServices::ALL,
            headers: Vec::new(),
        }
    }

    /// The address of the API, up to `/v1`. OpenAI's own by default.
    pub fn base_url(self, base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            ..self
        }
    }

    /// The setting that an error about the address names. By default that of the provider's name.
    pub(crate) fn base_url_setting(self, setting: &'static str) -> Self {
        Self {
            base_url_setting: Some(setting),
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

    /// How the server wants the key. As a bearer token by default.
    pub fn authentication(self, authentication: Authentication) -> Self {
        Self {
            authentication,
            ..self
        }
    }

    /// Whether the server chats. Yes by default.
    pub fn chat(self, chat: bool) -> Self {
        Self { chat, ..self }
    }

    /// By which API chats are asked. By default [as asked](ChatApi::AsAsked) with OpenAI, and completions with every other server.
    pub fn chat_api(self, chat_api: ChatApi) -> Self {
        Self {
            chat_api: Some(chat_api),
            ..self
        }
    }

    /// Models to ask by the Responses API whatever words the request is in. OpenAI's own that have no other are known.
    pub fn responses_models<M: Into<String>>(self, models: impl IntoIterator<Item = M>) -> Self {
        Self {
            responses_models: models.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// Whether the server embeds texts. Yes by default.
    pub fn embeddings(self, embeddings: bool) -> Self {
        Self { embeddings, ..self }
    }

    /// How the server reranks. By default it does not.
    pub fn rerank(self, api: impl Into<Option<RerankApi>>) -> Self {
        Self {
            rerank: api.into(),
            ..self
        }
    }

    /// Which of OpenAI's services for pictures, sound and moderation it has; all unless told.
    pub fn media(self, media: MediaServices) -> Self {
        Self { media, ..self }
    }

    /// Azure's addresses before its v1 API: each model under `/deployments/{model}`, with the API's version by date. The base URL ends with
    /// `/openai` then.
    pub fn deployments(self, api_version: impl Into<String>) -> Self {
        let api_version = api_version.into();
        Self {
            paths: Paths::Deployments { api_version },
            ..self
        }
    }

    /// A header of every request.
    pub fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The organization to bill.
    pub fn organization(self, organization: impl Into<String>) -> Self {
        self.header(HeaderName::from_static("openai-organization"), organization)
    }

    /// The project to bill.
    pub fn project(self, project: impl Into<String>) -> Self {
        self.header(HeaderName::from_static("openai-project"), project)
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
        let setting = match self.base_url_setting {
            Some(setting) => setting.to_owned(),
            None => format!("{}_BASE_URL", self.name.to_uppercase().replace('-', "_")),
        };
        let name: Arc<str> = self.name.into();
        let http = Arc::clone(&self.http);
        let mut client = VendorClient::new(http, Arc::clone(&name), &self.base_url, &setting, decode_error)?;
        if let Paths::Deployments { api_version } = &self.paths
            && (api_version.is_empty() || !api_version.chars().all(is_plain))
        {
            let message = format!("`{api_version}` is not a version of the API");
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        for (name, value) in &self.headers {
            let value = HeaderValue::try_from(value.as_str()).map_err(|error| {
                Error::new(
                    ErrorKind::Configuration,
                    format!("the value for `{name}` is no header's"),
                )
                .with_source(error)
            })?;
            client = client.header(name.clone(), value);
        }
        client = self.authentication.apply(client, &self.api_key)?;
        // A vendor's own services are not under the address of those that are like OpenAI's.
        let base_url = self.base_url.trim().trim_end_matches('/');
        let native = client
            .clone()
            .at(base_url.strip_suffix(COMPATIBILITY).unwrap_or(base_url), &setting)?;
        let reranker = self.rerank.map(|api| {
            let base_url = self.base_url.trim().trim_end_matches('/');
            let base_url = base_url.strip_suffix(api.not_under).unwrap_or(base_url);
            let client = client.clone().at(base_url, &setting)?;
            Ok::<_, Error>(Arc::new(RerankModel::new(client, api)))
        });
        Ok(OpenAi {
            endpoint: Arc::new(Endpoint::new(
                client,
                self.compatibility,
                self.paths,
                Apis {
                    api: self.chat_api.unwrap_or(if vendor {
                        ChatApi::AsAsked
                    } else {
                        ChatApi::Completions
                    }),
                    responses: self.responses_models,
                    vendor,
                },
            )),
            models: self.models.unwrap_or_else(catalog::models).into(),
            vendor,
            chats: self.chat,
            embeds: self.embeddings,
            reranker: reranker.transpose()?,
            native: Arc::new(native),
            media: self.media,
        })
    }
}
