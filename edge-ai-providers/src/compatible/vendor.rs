use std::sync::Arc;

use edge_ai_core::{Capabilities, HttpClient, ModelInfo, Secret};

use crate::openai::{Authentication, Compatibility, MediaServices, OpenAi, OpenAiBuilder};
use crate::rerank::RerankApi;

/// A vendor that speaks OpenAI's dialect, as data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vendor {
    /// The provider's name in `name/model`.
    pub name: &'static str,
    /// The vendor's name for people.
    pub title: &'static str,
    /// The address of its API, up to what comes before `/chat/completions`. `{NAME}` stands for the value of the setting `NAME`, and
    /// `{NAME=value}` for one with a default.
    pub base_url: &'static str,
    /// The setting (an environment variable or a Worker's secret) with the key.
    pub key_setting: &'static str,
    /// The setting with another address than [`base_url`](Self::base_url).
    pub base_url_setting: &'static str,
    /// The setting without which the vendor is not there.
    pub enabled_by: EnabledBy,
    /// How it wants the key.
    pub authentication: Authentication,
    /// Headers with the settings that have their values. A header whose setting is not there is not sent.
    pub headers: &'static [(&'static str, &'static str)],
    /// Addresses by deployment, which Azure had before its v1 API.
    pub deployments: Option<Deployments>,
    /// In what it differs from OpenAI.
    pub compatibility: Compatibility,
    /// How it reranks, if it does.
    pub rerank: Option<RerankApi>,
    /// Its services for pictures, sound and moderation.
    pub media: MediaServices,
    /// What its API carries. Which of it a model does is the model's.
    pub capabilities: Capabilities,
    /// The models to list; others are served all the same.
    pub models: &'static [Model],
    /// Where it describes its API.
    pub docs: &'static str,
}

impl Vendor {
    /// A vendor under an address, with a key as bearer token, of which nothing else is known yet.
    pub(super) const fn new(
        name: &'static str,
        title: &'static str,
        base_url: &'static str,
        key_setting: &'static str,
        base_url_setting: &'static str,
    ) -> Self {
        Self {
            name,
            title,
            base_url,
            key_setting,
            base_url_setting,
            enabled_by: EnabledBy::Key,
            authentication: Authentication::Bearer,
            headers: &[],
            deployments: None,
            compatibility: Compatibility::COMPATIBLE,
            rerank: None,
            media: MediaServices::NONE,
            capabilities: Capabilities::CHAT,
            models: &[],
            docs: "",
        }
    }

    /// The vendor with a key, to configure further; where its address has settings, the address is to be set.
    pub fn builder(&self, http: Arc<dyn HttpClient>, key: Secret) -> OpenAiBuilder {
        OpenAi::builder(http, key)
            .name(self.name)
            .base_url(self.base_url)
            .base_url_setting(self.base_url_setting)
            .authentication(self.authentication)
            .compatibility(self.compatibility.clone())
            .chat(self.capabilities.chat)
            .embeddings(self.capabilities.embeddings)
            .rerank(self.rerank)
            .media(self.media)
            .models(self.models.iter().map(Model::info))
    }
}

/// What says that a vendor is to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnabledBy {
    /// Its key.
    Key,
    /// Its address: it runs on a machine of yours, and may need no key.
    BaseUrl,
}

/// Azure's addresses by deployment, `{base_url}/deployments/{model}/chat/completions?api-version=…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deployments {
    /// The address up to what comes before `/deployments`.
    pub base_url: &'static str,
    /// The setting with the API's version by date; these addresses are used when it is there.
    pub version_setting: &'static str,
}

impl Deployments {
    pub(super) const fn new(base_url: &'static str, version_setting: &'static str) -> Self {
        Self {
            base_url,
            version_setting,
        }
    }
}

/// A model of a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Model {
    /// The vendor's name for it.
    pub id: &'static str,
    /// What it can do.
    pub capabilities: Capabilities,
}

impl Model {
    pub(super) const fn new(id: &'static str, capabilities: Capabilities) -> Self {
        Self { id, capabilities }
    }

    /// The model as providers list it.
    pub fn info(&self) -> ModelInfo {
        ModelInfo::new(self.id, self.capabilities)
    }
}
