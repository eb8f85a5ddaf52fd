mod builder;

use std::sync::Arc;

use edge_ai_core::{
    ChatModel, ChatRequest, ChatResponse, ChatStream, Dialect, EmbeddingInput, EmbeddingModel,
    EmbeddingOutput, EmbeddingRequest, EmbeddingResponse, Error, ErrorKind, HttpClient, ModelInfo, NativeApi,
    Provider, Result, Secret, TokenCount, TokenCounter, Verbatim, async_trait,
};
use futures_util::StreamExt;

pub use builder::GeminiBuilder;

use super::count::{decode_count_response, encode_count_request};
use super::embedding::MAX_INPUTS;
use super::{
    GENERATE, decode_embed_response, decode_generate_response, encode_embed_request, encode_generate_request,
    generate_frames, model_path,
};
use crate::client::VendorClient;

/// Google's Gemini models.
///
/// ```no_run
/// use std::sync::Arc;
/// use edge_ai_core::{ChatModel, ChatRequest, HttpClient};
/// use edge_ai_providers::Gemini;
///
/// # async fn example(http: Arc<dyn HttpClient>) -> edge_ai_core::Result<()> {
/// let gemini = Gemini::builder(http, "AIza…").build()?;
/// let answer = gemini.chat(ChatRequest::new("gemini-3.8-flash").user("Capital of France?")).await?;
/// println!("{}", answer.text());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Gemini {
    client: Arc<VendorClient>,
    models: Arc<[ModelInfo]>,
}

impl Gemini {
    /// The address of Google's API.
    pub const BASE_URL: &'static str = "https://generativelanguage.googleapis.com/v1beta";

    /// A client with a key.
    pub fn builder(http: Arc<dyn HttpClient>, api_key: impl Into<Secret>) -> GeminiBuilder {
        GeminiBuilder::new(http, api_key.into())
    }

    /// The client that a Worker's variables configure: the secret `GEMINI_API_KEY` and, for another server,
    /// `GEMINI_BASE_URL`. `None` without a key.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a variable that cannot be right.
    #[cfg(feature = "worker")]
    pub fn from_env(env: &worker::Env) -> Result<Option<Self>> {
        use edge_ai_worker::{EnvExt, FetchClient};

        let Some(key) = env.text("GEMINI_API_KEY") else {
            return Ok(None);
        };
        let mut builder = Self::builder(Arc::<FetchClient>::default(), key);
        if let Some(base_url) = env.text("GEMINI_BASE_URL") {
            builder = builder.base_url(base_url);
        }
        builder.build().map(Some)
    }

    fn own(&self, error: Error) -> Error {
        error.with_provider(self.client.provider())
    }

    async fn ask(&self, request: &ChatRequest) -> Result<ChatResponse> {
        let path = format!("/models/{}:generateContent", model_path(&request.model)?);
        let client = self.client.for_request(&request.context);
        decode_generate_response(client.post(&path, encode_generate_request(request)?).await?)
    }

    async fn ask_stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        let model = model_path(&request.model)?;
        let path = format!("/models/{model}:streamGenerateContent?alt=sse");
        let answer = self
            .client
            .for_request(&request.context)
            .post_stream(&path, encode_generate_request(request)?)
            .await?;
        let client = Arc::clone(&self.client);
        let frames = generate_frames(answer)
            .map(move |frame| frame.map_err(|error| error.with_provider(client.provider())));
        Ok(ChatStream::in_dialect(GENERATE, frames))
    }

    async fn count(&self, request: &ChatRequest) -> Result<Verbatim<TokenCount>> {
        let path = format!("/models/{}:countTokens", model_path(&request.model)?);
        let body = encode_count_request(&request.model, &encode_generate_request(request)?)?;
        let client = self.client.for_request(&request.context);
        decode_count_response(client.post(&path, body).await?)
    }

    async fn embed_all(&self, request: &EmbeddingRequest) -> Result<EmbeddingOutput> {
        let mut whole = EmbeddingOutput::new(request.model.as_str(), Vec::new());
        let path = format!("/models/{}:batchEmbedContents", model_path(&request.model)?);
        let client = self.client.for_request(&request.context);
        // One empty call, which is refused, where there is no input.
        let mut rest = request.texts.as_slice();
        loop {
            let (texts, others) = rest.split_at(rest.len().min(MAX_INPUTS));
            let mut input = EmbeddingInput::default();
            input.texts = texts.to_vec();
            input.dimensions = request.dimensions;
            input.purpose = request.purpose;
            input.extra = request.extra.clone();
            let body = encode_embed_request(&request.model, &input)?;
            let answer = decode_embed_response(&request.model, &client.post(&path, body).await?)?;
            let (expected, count) = (texts.len(), answer.embeddings.len());
            if count != expected {
                let message = format!("{expected} inputs were sent, {count} vectors came");
                return Err(Error::new(ErrorKind::BadUpstream, message));
            }
            whole.embeddings.extend(answer.embeddings);
            whole.usage = match (whole.usage, answer.usage) {
                (Some(sum), Some(usage)) => Some(sum + usage),
                (sum, usage) => sum.or(usage),
            };
            rest = others;
            if rest.is_empty() {
                return Ok(whole);
            }
        }
    }
}

#[async_trait]
impl ChatModel for Gemini {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        self.ask(&request).await.map_err(|error| self.own(error))
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        self.ask_stream(&request).await.map_err(|error| self.own(error))
    }
}

#[async_trait]
impl EmbeddingModel for Gemini {
    async fn embed(&self, request: EmbeddingRequest) -> Result<EmbeddingResponse> {
        let output = self.embed_all(&request).await;
        output.map(Into::into).map_err(|error| self.own(error))
    }
}

#[async_trait]
impl TokenCounter for Gemini {
    async fn count_tokens(&self, request: ChatRequest) -> Result<Verbatim<TokenCount>> {
        self.count(&request).await.map_err(|error| self.own(error))
    }
}

impl Provider for Gemini {
    fn name(&self) -> &str {
        self.client.provider()
    }

    fn chat_model(&self) -> Option<Arc<dyn ChatModel>> {
        Some(Arc::new(self.clone()))
    }

    fn embedding_model(&self) -> Option<Arc<dyn EmbeddingModel>> {
        Some(Arc::new(self.clone()))
    }

    fn native_api(&self) -> Option<Arc<dyn NativeApi>> {
        Some(Arc::clone(&self.client) as Arc<dyn NativeApi>)
    }

    fn token_counter(&self) -> Option<Arc<dyn TokenCounter>> {
        Some(Arc::new(self.clone()))
    }

    fn speaks(&self, _: &str, dialect: &Dialect) -> bool {
        *dialect == GENERATE
    }

    fn models(&self) -> Vec<ModelInfo> {
        self.models.to_vec()
    }

    fn takes_credentials(&self) -> bool {
        true
    }

    fn owns(&self, model: &str) -> bool {
        model.starts_with("gemini-")
    }
}
