use std::sync::Arc;

use bytes::Bytes;
use edge_ai_core::{
    Capabilities, ChatModel, ChatRequest, ChatResponse, ChatStream, EmbeddingModel, EmbeddingOutput,
    EmbeddingRequest, EmbeddingResponse, Error, ErrorKind, ModelInfo, Provider, RerankRequest,
    RerankResponse, Reranker, ResponseFormat, Result, Usage, async_trait,
};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::embedding::texts;
use super::error::refine;
use super::stream::text_frames;
use super::{
    AiAnswer, AiRunner, DEFAULT_MAX_TOKENS, MAX_TEXTS, Pooling, TEXT, TextExchange, decode_embedding_answer,
    decode_rerank_answer, decode_text_response, encode_embedding_inputs, encode_rerank_inputs,
    encode_text_request,
};

const NAME: &str = "workers-ai";

/// The most bytes of a whole answer that are read.
const MAX_ANSWER: usize = 32 << 20;

/// How many calls one embedding request makes at once; a Worker has six connections.
const PARALLEL_CALLS: usize = 4;

/// Workers AI: chat, embeddings and reranking.
///
/// Answers in JSON are not streamed by the service: such a stream arrives whole, once the answer is complete.
///
/// ```no_run
/// use std::sync::Arc;
/// use edge_ai_core::{ChatModel, ChatRequest, HttpClient};
/// use edge_ai_providers::WorkersAi;
/// use edge_ai_providers::workers_ai::WorkersAiRest;
///
/// # async fn example(http: Arc<dyn HttpClient>) -> edge_ai_core::Result<()> {
/// let workers_ai = WorkersAi::new(Arc::new(WorkersAiRest::new(http, "0123456789abcdef", "token")?));
/// let request = ChatRequest::new("@cf/meta/llama-3.3-70b-instruct-fp8-fast").user("Capital of France?");
/// println!("{}", workers_ai.chat(request).await?.text());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct WorkersAi {
    runner: Arc<dyn AiRunner>,
    models: Arc<[ModelInfo]>,
    pooling: Pooling,
    default_max_tokens: u32,
}

impl WorkersAi {
    /// Workers AI, through `runner`.
    pub fn new(runner: Arc<dyn AiRunner>) -> Self {
        Self {
            runner,
            models: models().into(),
            pooling: Pooling::default(),
            default_max_tokens: DEFAULT_MAX_TOKENS,
        }
    }

    /// Workers AI through a Worker's binding, such as `AI`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the binding is not there.
    #[cfg(feature = "worker")]
    pub fn from_env(env: &worker::Env, binding: &str) -> Result<Self> {
        use edge_ai_worker::EnvExt;

        Ok(Self::new(Arc::new(env.required_ai(binding)?)))
    }

    /// The models to list instead of a choice of Workers AI's.
    #[must_use]
    pub fn models(mut self, models: impl IntoIterator<Item = ModelInfo>) -> Self {
        self.models = models.into_iter().collect();
        self
    }

    /// How the models that leave it open make a vector; [`Pooling::Cls`] unless set. Never change it for an index that is filled.
    #[must_use]
    pub fn pooling(mut self, pooling: Pooling) -> Self {
        self.pooling = pooling;
        self
    }

    /// The `max_tokens` of requests without a limit, instead of [`DEFAULT_MAX_TOKENS`]; a longer answer is cut there.
    #[must_use]
    pub fn default_max_tokens(mut self, tokens: u32) -> Self {
        self.default_max_tokens = tokens;
        self
    }

    /// Runs a model that answers whole.
    async fn run(&self, model: &str, inputs: Bytes) -> Result<Bytes> {
        match self.runner.run(model, inputs, false).await? {
            AiAnswer::Json(json) => Ok(json),
            // The binding hands over as a stream what is not labeled as JSON, though it may be.
            AiAnswer::Stream(body) => body.bytes(MAX_ANSWER).await.map_err(|error| match error.kind() {
                ErrorKind::TooLarge => {
                    Error::new(ErrorKind::BadUpstream, "the answer is too large").with_source(error)
                }
                _ => error,
            }),
        }
    }

    async fn answer(&self, request: &ChatRequest) -> Result<ChatResponse> {
        let inputs = encode_text_request(request, false, self.default_max_tokens)?;
        let exchange = TextExchange::new(&*request.model, &inputs);
        decode_text_response(&exchange, self.run(&request.model, inputs).await?)
    }

    async fn answer_stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        if matches!(
            request.response_format,
            Some(ResponseFormat::JsonObject | ResponseFormat::JsonSchema { .. })
        ) {
            // Workers AI refuses to stream JSON: https://developers.cloudflare.com/workers-ai/features/json-mode/
            return self.answer(request).await.map(ChatStream::from_response);
        }
        let inputs = encode_text_request(request, true, self.default_max_tokens)?;
        let exchange = TextExchange::new(&*request.model, &inputs);
        match self.runner.run(&request.model, inputs, true).await? {
            AiAnswer::Stream(body) => {
                let frames = text_frames(exchange, body).map(|frame| frame.map_err(own));
                Ok(ChatStream::in_dialect(TEXT, frames))
            }
            // A model that does not stream.
            AiAnswer::Json(json) => decode_text_response(&exchange, json).map(ChatStream::from_response),
        }
    }

    async fn vectors(&self, request: &EmbeddingRequest) -> Result<EmbeddingOutput> {
        let texts = texts(&request.input)?;
        let calls = texts
            .chunks(MAX_TEXTS)
            .map(|texts| {
                let inputs = encode_embedding_inputs(&request.model, texts, request.purpose, self.pooling)?;
                Ok((inputs, texts.len()))
            })
            .collect::<Result<Vec<_>>>()?;
        let answers: Vec<(Vec<Vec<f32>>, Option<Usage>)> = stream::iter(calls)
            .map(|(inputs, count)| async move {
                decode_embedding_answer(&self.run(&request.model, inputs).await?, count)
            })
            .buffered(PARALLEL_CALLS)
            .try_collect()
            .await?;
        let mut output = EmbeddingOutput::new(&*request.model, Vec::with_capacity(texts.len()));
        output.usage = answers
            .iter()
            .map(|(_, usage)| *usage)
            .reduce(|sum, usage| Some(sum? + usage?))
            .flatten();
        output
            .embeddings
            .extend(answers.into_iter().flat_map(|(vectors, _)| vectors));
        let length = output.embeddings.first().map_or(0, Vec::len);
        if output.embeddings.iter().any(|vector| vector.len() != length) {
            return Err(Error::new(
                ErrorKind::BadUpstream,
                "the vectors are not of one length",
            ));
        }
        Ok(output)
    }

    async fn ranking(&self, request: &RerankRequest) -> Result<RerankResponse> {
        let inputs = encode_rerank_inputs(request)?;
        let answer = self.run(&request.model, inputs).await?;
        decode_rerank_answer(&answer, request.documents.len(), request.top_n)
    }
}

#[async_trait]
impl ChatModel for WorkersAi {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        self.answer(&request).await.map_err(own)
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        self.answer_stream(&request).await.map_err(own)
    }
}

#[async_trait]
impl EmbeddingModel for WorkersAi {
    async fn embed(&self, request: EmbeddingRequest) -> Result<EmbeddingResponse> {
        self.vectors(&request)
            .await
            .map(EmbeddingResponse::new)
            .map_err(own)
    }
}

#[async_trait]
impl Reranker for WorkersAi {
    async fn rerank(&self, request: RerankRequest) -> Result<RerankResponse> {
        self.ranking(&request).await.map_err(own)
    }
}

impl Provider for WorkersAi {
    fn name(&self) -> &str {
        NAME
    }

    fn chat_model(&self) -> Option<Arc<dyn ChatModel>> {
        Some(Arc::new(self.clone()))
    }

    fn embedding_model(&self) -> Option<Arc<dyn EmbeddingModel>> {
        Some(Arc::new(self.clone()))
    }

    fn reranker(&self) -> Option<Arc<dyn Reranker>> {
        cfg!(feature = "rerank").then(|| Arc::new(self.clone()) as Arc<dyn Reranker>)
    }

    fn models(&self) -> Vec<ModelInfo> {
        self.models.to_vec()
    }

    fn owns(&self, model: &str) -> bool {
        model.starts_with("@cf/") || model.starts_with("@hf/")
    }
}

fn own(error: Error) -> Error {
    refine(error).with_provider(NAME)
}

/// A choice of the [models](https://developers.cloudflare.com/workers-ai/models/).
fn models() -> Vec<ModelInfo> {
    const CHAT: Capabilities = Capabilities::CHAT.tools().json_schema();
    const EMBEDDINGS: Capabilities = Capabilities::EMBEDDINGS;
    [
        ("@cf/openai/gpt-oss-120b", CHAT.reasoning()),
        ("@cf/openai/gpt-oss-20b", CHAT.reasoning()),
        ("@cf/meta/llama-4-scout-17b-16e-instruct", CHAT.vision()),
        ("@cf/meta/llama-3.3-70b-instruct-fp8-fast", CHAT),
        (
            "@cf/meta/llama-3.1-8b-instruct-fast",
            Capabilities::CHAT.json_schema(),
        ),
        ("@cf/mistralai/mistral-small-3.1-24b-instruct", CHAT.vision()),
        ("@cf/qwen/qwen3-30b-a3b-fp8", CHAT.reasoning()),
        ("@cf/zai-org/glm-4.7-flash", CHAT.reasoning()),
        ("@cf/google/gemma-4-26b-a4b-it", CHAT.vision().reasoning()),
        ("@cf/moonshotai/kimi-k2.6", CHAT.vision().reasoning()),
        ("@cf/baai/bge-m3", EMBEDDINGS),
        ("@cf/baai/bge-small-en-v1.5", EMBEDDINGS),
        ("@cf/baai/bge-base-en-v1.5", EMBEDDINGS),
        ("@cf/baai/bge-large-en-v1.5", EMBEDDINGS),
        ("@cf/qwen/qwen3-embedding-0.6b", EMBEDDINGS),
        ("@cf/google/embeddinggemma-300m", EMBEDDINGS),
        ("@cf/baai/bge-reranker-base", Capabilities::RERANK),
    ]
    .map(|(id, capabilities)| ModelInfo::new(id, capabilities))
    .to_vec()
}
