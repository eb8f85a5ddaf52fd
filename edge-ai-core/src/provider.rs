use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{ChatModel, Dialect, EmbeddingModel, NativeApi, Reranker, TokenCounter};

/// A vendor, or a server of one: what it can do, and the models it lists.
///
/// Each part answers for all of the vendor's models; a request names which.
pub trait Provider: fmt::Debug + Send + Sync + 'static {
    /// The short name before the slash in `openai/gpt-5`: lower case, no slash.
    fn name(&self) -> &str;

    /// Answers chats.
    fn chat_model(&self) -> Option<Arc<dyn ChatModel>> {
        None
    }

    /// Embeds texts.
    fn embedding_model(&self) -> Option<Arc<dyn EmbeddingModel>> {
        None
    }

    /// Reranks documents.
    fn reranker(&self) -> Option<Arc<dyn Reranker>> {
        None
    }

    /// Counts the tokens of prompts, where the vendor has a service for it.
    fn token_counter(&self) -> Option<Arc<dyn TokenCounter>> {
        None
    }

    /// The vendor's own API, for what has no words here.
    fn native_api(&self) -> Option<Arc<dyn NativeApi>> {
        None
    }

    /// Whether a request in `dialect` reaches this model as it was written. What refers to things that the vendor keeps, such as an
    /// earlier answer by its id, is understood there and nowhere else.
    fn speaks(&self, model: &str, dialect: &Dialect) -> bool {
        let _ = (model, dialect);
        false
    }

    /// The models to list. A vendor serves others too: a name that is not listed is still asked for.
    fn models(&self) -> Vec<ModelInfo> {
        Vec::new()
    }

    /// Whether it asks the vendor with the [caller's own key](crate::Context::credentials) where a request has one.
    fn takes_credentials(&self) -> bool {
        false
    }

    /// Whether a name without a provider is recognisably this vendor's, as `@cf/…` is Workers AI's.
    fn owns(&self, model: &str) -> bool {
        let _ = model;
        false
    }
}

/// A model in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelInfo {
    /// The vendor's name for it.
    pub id: String,
    /// What it can do.
    pub capabilities: Capabilities,
}

impl ModelInfo {
    /// A model with its capabilities.
    pub fn new(id: impl Into<String>, capabilities: Capabilities) -> Self {
        Self {
            id: id.into(),
            capabilities,
        }
    }
}

/// What a model can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Capabilities {
    /// Answers chats.
    pub chat: bool,
    /// Calls tools.
    pub tools: bool,
    /// Calls several tools in one turn.
    #[serde(default)]
    pub parallel_tools: bool,
    /// Sees images.
    pub vision: bool,
    /// Answers in a JSON schema.
    pub json_schema: bool,
    /// Thinks before it answers.
    pub reasoning: bool,
    /// Reads a repeated beginning of the prompt from the vendor's cache, and says how much.
    #[serde(default)]
    pub prompt_caching: bool,
    /// Embeds texts.
    pub embeddings: bool,
    /// Orders documents by a query.
    #[serde(default)]
    pub rerank: bool,
}

impl Capabilities {
    /// A chat model without more.
    pub const CHAT: Self = Self {
        chat: true,
        tools: false,
        parallel_tools: false,
        vision: false,
        json_schema: false,
        reasoning: false,
        prompt_caching: false,
        embeddings: false,
        rerank: false,
    };

    /// Everything that a vendor of chat models has; reranking is an API of its own.
    pub const ALL: Self = Self {
        chat: true,
        tools: true,
        parallel_tools: true,
        vision: true,
        json_schema: true,
        reasoning: true,
        prompt_caching: true,
        embeddings: true,
        rerank: false,
    };

    /// An embedding model.
    pub const EMBEDDINGS: Self = Self {
        chat: false,
        embeddings: true,
        ..Self::CHAT
    };

    /// A reranker.
    pub const RERANK: Self = Self {
        chat: false,
        rerank: true,
        ..Self::CHAT
    };

    /// And tools.
    #[must_use]
    pub const fn tools(self) -> Self {
        Self { tools: true, ..self }
    }

    /// And several tools in one turn.
    #[must_use]
    pub const fn parallel_tools(self) -> Self {
        Self {
            tools: true,
            parallel_tools: true,
            ..self
        }
    }

    /// And images.
    #[must_use]
    pub const fn vision(self) -> Self {
        Self { vision: true, ..self }
    }

    /// And JSON schemas.
    #[must_use]
    pub const fn json_schema(self) -> Self {
        Self {
            json_schema: true,
            ..self
        }
    }

    /// And reasoning.
    #[must_use]
    pub const fn reasoning(self) -> Self {
        Self {
            reasoning: true,
            ..self
        }
    }

    /// And embeddings.
    #[must_use]
    pub const fn embeddings(self) -> Self {
        Self {
            embeddings: true,
            ..self
        }
    }

    /// And reranking.
    #[must_use]
    pub const fn rerank(self) -> Self {
        Self { rerank: true, ..self }
    }

    /// And the vendor's prompt cache.
    #[must_use]
    pub const fn prompt_caching(self) -> Self {
        Self {
            prompt_caching: true,
            ..self
        }
    }
}
