use std::sync::Arc;

use bytes::Bytes;
use edge_ai_core::{
    ChatFrame, ChatModel, ChatRequest, ChatResponse, ChatStream, Dialect, Error, HttpClient, ModelInfo,
    Provider, Result, async_trait,
};
use futures_util::{Stream, StreamExt};
use http::header::AUTHORIZATION;

use super::builder::VertexBuilder;
use super::token::TokenSource;
use crate::anthropic::{MESSAGES, decode_messages_response, encode_messages_request, message_frames};
use crate::client::VendorClient;
use crate::gemini::{
    GENERATE, decode_generate_response, encode_generate_request, generate_frames, model_path,
};
use crate::wire::splice;

/// The version of Anthropic's API on Vertex AI
/// (<https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude>).
const ANTHROPIC_VERSION: &str = "\"vertex-2023-10-16\"";

/// Gemini's and Claude's models on Google Cloud; a model whose name begins with `claude` is Anthropic's, any other Google's.
///
/// ```no_run
/// use std::sync::Arc;
/// use edge_ai_core::{ChatModel, ChatRequest, HttpClient};
/// use edge_ai_providers::{Vertex, vertex::AccessToken};
///
/// # async fn example(http: Arc<dyn HttpClient>) -> edge_ai_core::Result<()> {
/// let tokens = Arc::new(AccessToken::new("ya29.…"));
/// let vertex = Vertex::builder(http, "my-project", tokens).location("europe-west1").build()?;
/// let answer = vertex.chat(ChatRequest::new("claude-sonnet-5-5").user("Capital of France?")).await?;
/// println!("{}", answer.text());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Vertex {
    pub(super) client: VendorClient,
    pub(super) tokens: Arc<dyn TokenSource>,
    /// `/projects/…/locations/…/publishers`.
    pub(super) place: Arc<str>,
    pub(super) models: Arc<[ModelInfo]>,
    pub(super) default_max_tokens: u32,
}

/// Whose model it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Publisher {
    Google,
    Anthropic,
}

impl Vertex {
    /// A client of a project's models, by the tokens of `tokens`.
    pub fn builder(
        http: Arc<dyn HttpClient>,
        project: impl Into<String>,
        tokens: Arc<dyn TokenSource>,
    ) -> VertexBuilder {
        VertexBuilder::new(http, project.into(), tokens)
    }

    /// The client that a Worker's variables configure: the secret `GOOGLE_VERTEX_CREDENTIALS` with the JSON of a service account's key, or
    /// `GOOGLE_VERTEX_ACCESS_TOKEN`; `GOOGLE_VERTEX_PROJECT`, which is the account's own unless told; `GOOGLE_VERTEX_LOCATION`, which is `global`
    /// unless told; and, for another server, `GOOGLE_VERTEX_BASE_URL`. `None` with neither secret.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](edge_ai_core::ErrorKind::Configuration) for a variable that cannot be right.
    #[cfg(feature = "worker")]
    pub fn from_env(env: &worker::Env) -> Result<Option<Self>> {
        use edge_ai_worker::{EnvExt, FetchClient, WorkerClock};

        use super::{AccessToken, ServiceAccount, WebCryptoRs256};

        let http: Arc<dyn HttpClient> = Arc::<FetchClient>::default();
        let mut project = env.text("GOOGLE_VERTEX_PROJECT");
        let tokens: Arc<dyn TokenSource> = if let Some(json) = env.text("GOOGLE_VERTEX_CREDENTIALS") {
            let account = ServiceAccount::from_json(
                &json,
                Arc::clone(&http),
                Arc::new(WorkerClock),
                Arc::new(WebCryptoRs256),
            )?;
            project = project.or_else(|| account.project().map(str::to_owned));
            Arc::new(account)
        } else if let Some(token) = env.text("GOOGLE_VERTEX_ACCESS_TOKEN") {
            Arc::new(AccessToken::new(token))
        } else {
            return Ok(None);
        };
        let mut builder = Self::builder(http, project.unwrap_or_default(), tokens);
        if let Some(location) = env.text("GOOGLE_VERTEX_LOCATION") {
            builder = builder.location(location);
        }
        if let Some(base_url) = env.text("GOOGLE_VERTEX_BASE_URL") {
            builder = builder.base_url(base_url);
        }
        builder.build().map(Some)
    }

    fn own(&self, error: Error) -> Error {
        error.with_provider(self.client.provider())
    }

    /// The client with a token that is good now.
    async fn authorized(&self, request: &ChatRequest) -> Result<VendorClient> {
        let token = self.tokens.token().await?;
        let bearer = format!("Bearer {}", token.expose());
        let client = self.client.for_request(&request.context).into_owned();
        client.secret_header(AUTHORIZATION, &bearer)
    }

    fn path(&self, request: &ChatRequest, stream: bool) -> Result<String> {
        let model = model_path(&request.model)?;
        let (publisher, method) = match (Publisher::of(model), stream) {
            (Publisher::Google, false) => ("google", "generateContent"),
            (Publisher::Google, true) => ("google", "streamGenerateContent?alt=sse"),
            (Publisher::Anthropic, false) => ("anthropic", "rawPredict"),
            (Publisher::Anthropic, true) => ("anthropic", "streamRawPredict"),
        };
        Ok(format!("{}/{publisher}/models/{model}:{method}", self.place))
    }

    fn encode(&self, request: &ChatRequest, stream: bool) -> Result<Bytes> {
        match Publisher::of(&request.model) {
            Publisher::Google => encode_generate_request(request),
            Publisher::Anthropic => {
                let body = encode_messages_request(request, stream, self.default_max_tokens)?;
                splice(
                    &body,
                    &[("model", None), ("anthropic_version", Some(ANTHROPIC_VERSION))],
                )
            }
        }
    }

    async fn ask(&self, request: &ChatRequest) -> Result<ChatResponse> {
        let path = self.path(request, false)?;
        let body = self.encode(request, false)?;
        let answer = self.authorized(request).await?.post(&path, body).await?;
        match Publisher::of(&request.model) {
            Publisher::Google => decode_generate_response(answer),
            Publisher::Anthropic => decode_messages_response(answer),
        }
    }

    async fn ask_stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        let path = self.path(request, true)?;
        let body = self.encode(request, true)?;
        let answer = self.authorized(request).await?.post_stream(&path, body).await?;
        Ok(match Publisher::of(&request.model) {
            Publisher::Google => self.stream(GENERATE, generate_frames(answer)),
            Publisher::Anthropic => self.stream(MESSAGES, message_frames(answer)),
        })
    }

    fn stream(
        &self,
        dialect: Dialect,
        frames: impl Stream<Item = Result<ChatFrame>> + Send + 'static,
    ) -> ChatStream {
        let provider = self.client.provider().to_owned();
        ChatStream::in_dialect(
            dialect,
            frames.map(move |frame| frame.map_err(|error| error.with_provider(provider.as_str()))),
        )
    }
}

impl Publisher {
    fn of(model: &str) -> Self {
        if model.starts_with("claude") {
            Self::Anthropic
        } else {
            Self::Google
        }
    }
}

#[async_trait]
impl ChatModel for Vertex {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        self.ask(&request).await.map_err(|error| self.own(error))
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        self.ask_stream(&request).await.map_err(|error| self.own(error))
    }
}

impl Provider for Vertex {
    fn name(&self) -> &str {
        self.client.provider()
    }

    fn chat_model(&self) -> Option<Arc<dyn ChatModel>> {
        Some(Arc::new(self.clone()))
    }

    fn speaks(&self, model: &str, dialect: &Dialect) -> bool {
        *dialect
            == match Publisher::of(model) {
                Publisher::Google => GENERATE,
                Publisher::Anthropic => MESSAGES,
            }
    }

    fn models(&self) -> Vec<ModelInfo> {
        self.models.to_vec()
    }
}
