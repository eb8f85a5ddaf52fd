mod builder;
mod catalog;
#[cfg(feature = "worker")]
mod env;

use std::sync::Arc;

use bytes::Bytes;
use edge_ai_core::{
    ChatModel, ChatRequest, ChatResponse, ChatStream, Clock, EmbeddingModel, EmbeddingOutput,
    EmbeddingRequest, EmbeddingResponse, Error, ErrorKind, HttpClient, ModelInfo, NativeApi, Provider,
    RerankRequest, RerankResponse, Reranker, Result, Usage, async_trait,
};
use futures_util::StreamExt;
use futures_util::stream::{self, TryStreamExt};
use http::HeaderMap;

pub use builder::BedrockBuilder;

use super::embedding::{Shape, texts};
use super::eventstream::MEDIA_TYPE;
use super::sigv4::encode_segment;
use super::stream::converse_frames;
use super::{
    Credentials, decode_converse_response, decode_embedding_answer, encode_converse_request,
    encode_embedding_request, encode_rerank_request,
};
use crate::client::VendorClient;
use crate::rerank::decode_rerank_answer;

/// How many calls one embedding request makes at once; a Worker has six connections.
const PARALLEL_CALLS: usize = 4;

/// Amazon Bedrock in one region: every model that Converse serves, Titan's and Cohere's embeddings, and rerankers.
///
/// A model's name is what AWS calls `modelId`: that of a model, of an inference profile, or the ARN of one of them.
///
/// ```no_run
/// use std::sync::Arc;
/// use edge_ai_core::{ChatModel, ChatRequest, Clock, HttpClient};
/// use edge_ai_providers::Bedrock;
/// use edge_ai_providers::bedrock::Credentials;
///
/// # async fn example(http: Arc<dyn HttpClient>, clock: Arc<dyn Clock>) -> edge_ai_core::Result<()> {
/// let bedrock = Bedrock::builder(http, clock, Credentials::keys("AKIA…", "…"), "us-east-1").build()?;
/// let request = ChatRequest::new("global.anthropic.claude-sonnet-5").user("Capital of France?");
/// println!("{}", bedrock.chat(request).await?.text());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Bedrock {
    client: Arc<VendorClient>,
    models: Arc<[ModelInfo]>,
}

impl Bedrock {
    /// A client of the region with credentials. The clock tells the time that requests are signed with.
    pub fn builder(
        http: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        credentials: Credentials,
        region: impl Into<String>,
    ) -> BedrockBuilder {
        BedrockBuilder::new(http, clock, credentials, region.into())
    }

    fn own(&self, error: Error) -> Error {
        error.with_provider(self.client.provider())
    }

    async fn answer(&self, request: &ChatRequest) -> Result<ChatResponse> {
        let body = encode_converse_request(request)?;
        let path = path(&request.model, "converse")?;
        let client = self.client.for_request(&request.context);
        decode_converse_response(&request.model, &client.post(&path, body).await?)
    }

    async fn answer_stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        let body = encode_converse_request(request)?;
        let path = path(&request.model, "converse-stream")?;
        let client = self.client.for_request(&request.context);
        let answer = client.post_stream_of(&path, body, MEDIA_TYPE).await?;
        let client = Arc::clone(&self.client);
        let frames = converse_frames(&request.model, answer)
            .map(move |frame| frame.map_err(|error| error.with_provider(client.provider())));
        Ok(ChatStream::new(frames))
    }

    async fn vectors(&self, request: &EmbeddingRequest) -> Result<EmbeddingOutput> {
        let texts = texts(&request.input)?;
        let path = path(&request.model, "invoke")?;
        let path = path.as_str();
        let client = &*self.client.for_request(&request.context);
        let calls = texts
            .chunks(Shape::of(&request.model)?.batch())
            .map(|texts| {
                let body =
                    encode_embedding_request(&request.model, texts, request.purpose, request.dimensions)?;
                Ok((body, texts.len()))
            })
            .collect::<Result<Vec<_>>>()?;
        let answers: Vec<(Vec<Vec<f32>>, Option<u64>)> = stream::iter(calls)
            .map(|(body, count)| embed_once(client, &request.model, path, body, count))
            .buffered(PARALLEL_CALLS)
            .try_collect()
            .await?;
        let mut output = EmbeddingOutput::new(&*request.model, Vec::with_capacity(texts.len()));
        let tokens: Option<u64> = answers.iter().map(|(_, tokens)| *tokens).sum();
        output.usage = tokens.map(|tokens| Usage::new(tokens, 0));
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
        let body = encode_rerank_request(request)?;
        let client = self.client.for_request(&request.context);
        let answer = client.exchange(&path(&request.model, "invoke")?, body).await?;
        let mut ranked = decode_rerank_answer(answer.body(), request.documents.len(), request.top_n)?;
        ranked.usage = ranked
            .usage
            .or_else(|| input_tokens(answer.headers()).map(|tokens| Usage::new(tokens, 0)));
        Ok(ranked)
    }
}

async fn embed_once(
    client: &VendorClient,
    model: &str,
    path: &str,
    body: Bytes,
    count: usize,
) -> Result<(Vec<Vec<f32>>, Option<u64>)> {
    let answer = client.exchange(path, body).await?;
    let (vectors, tokens) = decode_embedding_answer(model, answer.body(), count)?;
    Ok((vectors, tokens.or_else(|| input_tokens(answer.headers()))))
}

/// The path of an action of a model, whose name is one segment of it.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`] for a name that cannot be one.
fn path(model: &str, action: &str) -> Result<String> {
    if model.is_empty() || matches!(model, "." | "..") {
        return Err(Error::invalid("model", "the name of a model is missing"));
    }
    Ok(format!("/model/{}/{action}", encode_segment(model)))
}

/// What an invocation tells in its head.
fn input_tokens(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get("x-amzn-bedrock-input-token-count")?;
    value.to_str().ok()?.parse().ok()
}

#[async_trait]
impl ChatModel for Bedrock {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        self.answer(&request).await.map_err(|error| self.own(error))
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        self.answer_stream(&request)
            .await
            .map_err(|error| self.own(error))
    }
}

#[async_trait]
impl EmbeddingModel for Bedrock {
    async fn embed(&self, request: EmbeddingRequest) -> Result<EmbeddingResponse> {
        let vectors = self.vectors(&request).await;
        vectors
            .map(EmbeddingResponse::new)
            .map_err(|error| self.own(error))
    }
}

#[async_trait]
impl Reranker for Bedrock {
    async fn rerank(&self, request: RerankRequest) -> Result<RerankResponse> {
        self.ranking(&request).await.map_err(|error| self.own(error))
    }
}

impl Provider for Bedrock {
    fn name(&self) -> &str {
        self.client.provider()
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

    fn native_api(&self) -> Option<Arc<dyn NativeApi>> {
        Some(Arc::clone(&self.client) as Arc<dyn NativeApi>)
    }

    fn models(&self) -> Vec<ModelInfo> {
        self.models.to_vec()
    }

    /// A caller's own key is a [Bedrock API key](Credentials::ApiKey), also where the operator's requests are signed.
    fn takes_credentials(&self) -> bool {
        self.client.takes_key()
    }

    fn owns(&self, model: &str) -> bool {
        model.starts_with("arn:aws") && model.contains(":bedrock:")
    }
}
