mod api;
mod authentication;
mod builder;
mod catalog;
mod endpoint;
#[cfg(feature = "worker")]
mod env;
mod paths;

use std::sync::Arc;

use edge_ai_core::{
    ChatModel, Dialect, EmbeddingModel, HttpClient, ModelInfo, NativeApi, Provider, Reranker, Result, Secret,
    TokenCounter,
};

use super::responses::RESPONSES;
use super::{CHAT, Compatibility, MediaServices};
use crate::client::VendorClient;
use crate::rerank::RerankModel;
pub use api::ChatApi;
pub use authentication::Authentication;
pub use builder::OpenAiBuilder;
use endpoint::Endpoint;
pub(crate) use paths::is_plain;

/// OpenAI, or a server that is compatible with it.
///
/// ```no_run
/// use std::sync::Arc;
/// use edge_ai_core::{HttpClient, Provider, Secret};
/// use edge_ai_providers::OpenAi;
///
/// # fn example(http: Arc<dyn HttpClient>) -> edge_ai_core::Result<()> {
/// let openai = OpenAi::builder(Arc::clone(&http), Secret::new("sk-…")).build()?;
/// let ollama = OpenAi::compatible("ollama", "http://127.0.0.1:11434/v1", http, Secret::new("ollama"))?;
/// assert_eq!(ollama.name(), "ollama");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OpenAi {
    endpoint: Arc<Endpoint>,
    models: Arc<[ModelInfo]>,
    /// Whether it is OpenAI itself, whose models are known by their names.
    vendor: bool,
    chats: bool,
    embeds: bool,
    reranker: Option<Arc<RerankModel>>,
    native: Arc<VendorClient>,
    media: MediaServices,
}

impl OpenAi {
    /// The address of OpenAI's API.
    pub const BASE_URL: &'static str = "https://api.openai.com/v1";

    /// OpenAI with a key, to configure further.
    pub fn builder(http: Arc<dyn HttpClient>, api_key: Secret) -> OpenAiBuilder {
        OpenAiBuilder::new(http, api_key)
    }

    /// A compatible server under `base_url`, by the provider name `name`. Without a key none is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](edge_ai_core::ErrorKind::Configuration) for a name, an address or a key that cannot be one.
    pub fn compatible(
        name: impl Into<String>,
        base_url: impl Into<String>,
        http: Arc<dyn HttpClient>,
        api_key: Secret,
    ) -> Result<Self> {
        Self::builder(http, api_key)
            .name(name)
            .base_url(base_url)
            .compatibility(Compatibility::COMPATIBLE)
            .models([])
            .build()
    }
}

impl Provider for OpenAi {
    fn name(&self) -> &str {
        self.endpoint.name()
    }

    fn chat_model(&self) -> Option<Arc<dyn ChatModel>> {
        self.chats
            .then(|| Arc::clone(&self.endpoint) as Arc<dyn ChatModel>)
    }

    fn embedding_model(&self) -> Option<Arc<dyn EmbeddingModel>> {
        self.embeds
            .then(|| Arc::clone(&self.endpoint) as Arc<dyn EmbeddingModel>)
    }

    fn reranker(&self) -> Option<Arc<dyn Reranker>> {
        if !cfg!(feature = "rerank") {
            return None;
        }
        let reranker = Arc::clone(self.reranker.as_ref()?);
        Some(reranker)
    }

    fn token_counter(&self) -> Option<Arc<dyn TokenCounter>> {
        if !cfg!(feature = "responses") {
            return None;
        }
        self.endpoint
            .counts()
            .then(|| Arc::clone(&self.endpoint) as Arc<dyn TokenCounter>)
    }

    fn speaks(&self, model: &str, dialect: &Dialect) -> bool {
        let apis = self.endpoint.apis();
        (*dialect == RESPONSES && apis.speaks_responses(model))
            || (*dialect == CHAT && apis.speaks_completions(model))
            || self.media.speak(dialect)
    }

    fn native_api(&self) -> Option<Arc<dyn NativeApi>> {
        Some(Arc::clone(&self.native) as Arc<dyn NativeApi>)
    }

    fn models(&self) -> Vec<ModelInfo> {
        self.models.to_vec()
    }

    fn takes_credentials(&self) -> bool {
        self.endpoint.takes_credentials()
    }

    fn owns(&self, model: &str) -> bool {
        self.models.iter().any(|listed| listed.id == model) || (self.vendor && catalog::is_openais(model))
    }
}
