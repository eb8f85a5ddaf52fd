use std::sync::Arc;

use edge_ai_core::{
    Capabilities, ChatModel, ChatRequest, ChatResponse, ChatStream, Dialect, Error, ErrorKind, HttpClient,
    ModelInfo, NativeApi, Provider, Result, Secret, TokenCount, TokenCounter, Verbatim, async_trait,
};
use futures_util::StreamExt;
use http::{HeaderName, HeaderValue};

use super::request::DEFAULT_MAX_TOKENS;
use super::stream::message_frames;
use super::{
    MESSAGES, decode_count_tokens, decode_error, decode_messages_response, encode_count_tokens_request,
    encode_messages_request,
};
use crate::client::VendorClient;

const BASE_URL: &str = "https://api.anthropic.com";

/// The [version](https://platform.claude.com/docs/en/api/versioning) of the API that this module speaks.
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// Anthropic's models, or those of a server that speaks its Messages API.
///
/// ```no_run
/// use std::sync::Arc;
/// use edge_ai_core::{ChatModel, ChatRequest, HttpClient};
/// use edge_ai_providers::Anthropic;
///
/// # async fn example(http: Arc<dyn HttpClient>) -> edge_ai_core::Result<()> {
/// let anthropic = Anthropic::builder(http, "sk-ant-…").build()?;
/// let answer = anthropic.chat(ChatRequest::new("claude-sonnet-5").user("Capital of France?")).await?;
/// println!("{}", answer.text());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Anthropic {
    client: Arc<VendorClient>,
    models: Arc<[ModelInfo]>,
    default_max_tokens: u32,
}

impl Anthropic {
    /// A client with a key.
    pub fn builder(http: Arc<dyn HttpClient>, api_key: impl Into<Secret>) -> AnthropicBuilder {
        AnthropicBuilder {
            http,
            api_key: api_key.into(),
            name: "anthropic".to_owned(),
            base_url: BASE_URL.to_owned(),
            betas: Vec::new(),
            models: models(),
            default_max_tokens: DEFAULT_MAX_TOKENS,
        }
    }

    /// The client that a Worker's variables configure: the secret `ANTHROPIC_API_KEY` and, for another server,
    /// `ANTHROPIC_BASE_URL`. `None` without a key.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a variable that cannot be right.
    #[cfg(feature = "worker")]
    pub fn from_env(env: &worker::Env) -> Result<Option<Self>> {
        use edge_ai_worker::{EnvExt, FetchClient};

        let Some(key) = env.text("ANTHROPIC_API_KEY") else {
            return Ok(None);
        };
        let mut builder = Self::builder(Arc::<FetchClient>::default(), key);
        if let Some(base_url) = env.text("ANTHROPIC_BASE_URL") {
            builder = builder.base_url(base_url);
        }
        builder.build().map(Some)
    }

    async fn ask(&self, request: &ChatRequest) -> Result<ChatResponse> {
        let body = encode_messages_request(request, false, self.default_max_tokens)?;
        decode_messages_response(
            self.client
                .for_request(&request.context)
                .post("/v1/messages", body)
                .await?,
        )
    }

    fn own(&self, error: Error) -> Error {
        error.with_provider(self.client.provider())
    }
}

#[async_trait]
impl ChatModel for Anthropic {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        self.ask(&request).await.map_err(|error| self.own(error))
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        let body = encode_messages_request(&request, true, self.default_max_tokens)
            .map_err(|error| self.own(error))?;
        let answer = self
            .client
            .for_request(&request.context)
            .post_stream("/v1/messages", body)
            .await?;
        let client = Arc::clone(&self.client);
        let frames = message_frames(answer)
            .map(move |frame| frame.map_err(|error| error.with_provider(client.provider())));
        Ok(ChatStream::in_dialect(MESSAGES, frames))
    }
}

#[async_trait]
impl TokenCounter for Anthropic {
    async fn count_tokens(&self, request: ChatRequest) -> Result<Verbatim<TokenCount>> {
        let body = encode_count_tokens_request(&request).map_err(|error| self.own(error))?;
        let client = self.client.for_request(&request.context);
        let answer = client.post("/v1/messages/count_tokens", body).await?;
        decode_count_tokens(answer).map_err(|error| self.own(error))
    }
}

impl Provider for Anthropic {
    fn name(&self) -> &str {
        self.client.provider()
    }

    fn chat_model(&self) -> Option<Arc<dyn ChatModel>> {
        Some(Arc::new(self.clone()))
    }

    fn token_counter(&self) -> Option<Arc<dyn TokenCounter>> {
        Some(Arc::new(self.clone()))
    }

    fn speaks(&self, _model: &str, dialect: &Dialect) -> bool {
        *dialect == MESSAGES
    }

    fn native_api(&self) -> Option<Arc<dyn NativeApi>> {
        Some(Arc::clone(&self.client) as Arc<dyn NativeApi>)
    }

    fn models(&self) -> Vec<ModelInfo> {
        self.models.to_vec()
    }

    fn takes_credentials(&self) -> bool {
        true
    }

    fn owns(&self, model: &str) -> bool {
        model.starts_with("claude-")
    }
}

/// Sets up an [`Anthropic`].
#[derive(Clone, Debug)]
pub struct AnthropicBuilder {
    http: Arc<dyn HttpClient>,
    api_key: Secret,
    name: String,
    base_url: String,
    betas: Vec<String>,
    models: Vec<ModelInfo>,
    default_max_tokens: u32,
}

impl AnthropicBuilder {
    /// Another server, as for Anthropic's SDKs: `https://api.anthropic.com`. A `/v1` at its end, as in OpenAI's addresses, does no harm.
    #[must_use]
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Another [name](Provider::name) than `anthropic`, for a second server beside Anthropic's own.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Asks for a [beta feature](https://platform.claude.com/docs/en/api/beta-headers); can be repeated.
    #[must_use]
    pub fn beta(mut self, beta: impl Into<String>) -> Self {
        self.betas.push(beta.into());
        self
    }

    /// The models to list instead of Anthropic's current ones.
    #[must_use]
    pub fn models(mut self, models: impl IntoIterator<Item = ModelInfo>) -> Self {
        self.models = models.into_iter().collect();
        self
    }

    /// The `max_tokens` of requests without a limit, instead of [`DEFAULT_MAX_TOKENS`]; a longer answer is cut there.
    #[must_use]
    pub fn default_max_tokens(mut self, tokens: u32) -> Self {
        self.default_max_tokens = tokens;
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a missing key, a base URL that is none, or a beta that no header can carry.
    pub fn build(self) -> Result<Anthropic> {
        let wrong = |message: &str| Error::new(ErrorKind::Configuration, message).with_provider(&self.name);
        if self.api_key.is_empty() {
            return Err(wrong("the API key is empty; set `ANTHROPIC_API_KEY`"));
        }
        let base_url = self.base_url.trim().trim_end_matches('/');
        let mut client = VendorClient::new(
            self.http,
            &*self.name,
            base_url.strip_suffix("/v1").unwrap_or(base_url),
            "ANTHROPIC_BASE_URL",
            decode_error,
        )?
        .secret_header(HeaderName::from_static("x-api-key"), self.api_key.expose())?
        .header(HeaderName::from_static("anthropic-version"), VERSION);
        if !self.betas.is_empty() {
            let betas = HeaderValue::try_from(self.betas.join(","))
                .map_err(|_| wrong("a beta is no header value"))?;
            client = client.header(HeaderName::from_static("anthropic-beta"), betas);
        }
        Ok(Anthropic {
            client: Arc::new(client),
            models: self.models.into(),
            default_max_tokens: self.default_max_tokens,
        })
    }
}

/// Anthropic's current models (<https://platform.claude.com/docs/en/about-claude/models/overview>).
fn models() -> Vec<ModelInfo> {
    let all = Capabilities::CHAT
        .parallel_tools()
        .vision()
        .json_schema()
        .reasoning()
        .prompt_caching();
    [
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "claude-haiku-5-5",
        "claude-opus-5",
        "claude-sonnet-5",
        "claude-haiku-4-5",
    ]
    .map(|id| ModelInfo::new(id, all))
    .to_vec()
}
