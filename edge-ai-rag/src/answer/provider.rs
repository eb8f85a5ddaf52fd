use std::collections::BTreeMap;
use std::sync::Arc;

use edge_ai_core::{
    Capabilities, ChatModel, ChatRequest, ChatResponse, ChatStream, Error, ErrorKind, ModelInfo, Provider,
    Result, async_trait,
};

use super::RagModel;

/// Models that answer from documents, as a vendor of them: a gateway that has it serves `rag/<name>` to any client, routes to it, limits and records it.
///
/// ```
/// # use edge_ai_core::{Clock, ManualClock, Metric, Provider, SeededEntropy};
/// # use edge_ai_rag::{ChunkSource, MemoryVectorStore, RagModel, RagProvider, Retriever};
/// # use edge_ai_testkit::scripted::{ScriptedChatModel, ScriptedEmbeddingModel};
/// # fn provider(index: impl ChunkSource, clock: impl Clock) -> RagProvider {
/// let retriever = Retriever::new(index, clock).dense(MemoryVectorStore::new(Metric::Cosine), ScriptedEmbeddingModel::new(64), "m");
/// let handbook = RagModel::new(retriever, ScriptedChatModel::new(), "gpt-6-luna", SeededEntropy::new(1)).namespace("handbook");
/// let provider = RagProvider::new("rag").model("handbook", handbook);
/// assert_eq!(provider.models()[0].id, "handbook");
/// # provider }
/// ```
#[derive(Clone, Debug)]
pub struct RagProvider {
    name: String,
    models: Models,
}

#[derive(Clone, Debug, Default)]
struct Models(BTreeMap<String, (Arc<RagModel>, Capabilities)>);

impl RagProvider {
    /// A provider without models; its name is what stands before the slash.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            models: Models::default(),
        }
    }

    /// Adds a model that chats.
    #[must_use]
    pub fn model(self, name: impl Into<String>, model: RagModel) -> Self {
        self.model_with(name, model, Capabilities::CHAT)
    }

    /// Adds a model that can what the model behind it can, such as calling tools.
    #[must_use]
    pub fn model_with(
        mut self,
        name: impl Into<String>,
        model: RagModel,
        capabilities: Capabilities,
    ) -> Self {
        self.models.0.insert(name.into(), (Arc::new(model), capabilities));
        self
    }
}

impl Provider for RagProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn chat_model(&self) -> Option<Arc<dyn ChatModel>> {
        Some(Arc::new(self.models.clone()))
    }

    fn models(&self) -> Vec<ModelInfo> {
        let models = self.models.0.iter();
        models
            .map(|(name, (_, capabilities))| ModelInfo::new(name.as_str(), *capabilities))
            .collect()
    }
}

impl Models {
    fn of(&self, request: &ChatRequest) -> Result<&RagModel> {
        self.0
            .get(&request.model)
            .map(|(model, _)| &**model)
            .ok_or_else(|| {
                let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
                let message = format!(
                    "there is no model `{}` over documents; there is {}",
                    request.model,
                    known.join(", ")
                );
                Error::new(ErrorKind::NotFound, message).with_param("model")
            })
    }
}

#[async_trait]
impl ChatModel for Models {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        self.of(&request)?.chat(request).await
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        self.of(&request)?.chat_stream(request).await
    }
}
