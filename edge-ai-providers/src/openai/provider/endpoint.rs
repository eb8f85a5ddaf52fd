use std::borrow::Cow;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{
    ChatFrame, ChatModel, ChatRequest, ChatResponse, ChatStream, EmbeddingInput, EmbeddingModel,
    EmbeddingOutput, EmbeddingRequest, EmbeddingResponse, EmbeddingText, Error, Result, TokenCount,
    TokenCounter, Verbatim,
};
use futures_util::StreamExt;

use super::api::{Apis, ChatApi};
use super::paths::Paths;
use crate::client::VendorClient;
use crate::openai::embedding::encode_embedding_request_with;
use crate::openai::responses::{
    self, RESPONSES, decode_input_tokens, decode_responses_response, encode_input_tokens_request,
    encode_responses_request,
};
use crate::openai::{
    CHAT, Compatibility, EMBEDDINGS, decode_chat_response, decode_embedding_response,
    encode_chat_request_with, stream,
};

/// The most bytes of text in one call for embeddings: OpenAI takes
/// [300,000 tokens](https://platform.openai.com/docs/api-reference/embeddings/create#embeddings-create-input), and a
/// token of ordinary text is two bytes or more.
const MAX_BYTES: usize = 600_000;

const COMPLETIONS: &str = "/chat/completions";

const RESPONSES_PATH: &str = "/responses";

const INPUT_TOKENS: &str = "/responses/input_tokens";

/// The server's services.
#[derive(Debug)]
pub(super) struct Endpoint {
    client: VendorClient,
    server: Compatibility,
    paths: Paths,
    apis: Apis,
}

impl Endpoint {
    pub(super) const fn new(client: VendorClient, server: Compatibility, paths: Paths, apis: Apis) -> Self {
        Self {
            client,
            server,
            paths,
            apis,
        }
    }

    pub(super) fn name(&self) -> &str {
        self.client.provider()
    }

    /// Whether requests carry a key.
    pub(super) const fn takes_credentials(&self) -> bool {
        self.client.takes_key()
    }

    pub(super) const fn apis(&self) -> &Apis {
        &self.apis
    }

    /// Whether the server has the Responses API, which counts tokens.
    pub(super) fn counts(&self) -> bool {
        self.apis.api != ChatApi::Completions
    }

    fn own(&self, error: Error) -> Error {
        error.with_provider(self.name())
    }

    fn path(&self, service: &'static str, model: &str) -> Result<Cow<'static, str>> {
        self.paths.of(service, model).map_err(|error| self.own(error))
    }

    async fn embed_once(
        &self,
        request: &EmbeddingRequest,
        body: Bytes,
        expected: usize,
    ) -> Result<EmbeddingResponse> {
        let path = self.path("/embeddings", &request.model)?;
        let answer = self
            .client
            .for_request(&request.context)
            .post(&path, body)
            .await?;
        let response = decode_embedding_response(answer).map_err(|error| self.own(error))?;
        let count = response.embeddings.len();
        if count != expected {
            let message = format!("{expected} inputs were sent, {count} vectors came");
            return Err(self.own(Error::new(edge_ai_core::ErrorKind::BadUpstream, message)));
        }
        Ok(response)
    }
}

#[async_trait]
impl ChatModel for Endpoint {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        if cfg!(feature = "responses") && self.apis.by_responses(&request) {
            let body = encode_responses_request(&request, false).map_err(|error| self.own(error))?;
            let path = self.path(RESPONSES_PATH, &request.model)?;
            let answer = self
                .client
                .for_request(&request.context)
                .post(&path, body)
                .await?;
            return decode_responses_response(answer).map_err(|error| self.own(error));
        }
        let body =
            encode_chat_request_with(&request, false, &self.server).map_err(|error| self.own(error))?;
        let path = self.path(COMPLETIONS, &request.model)?;
        let answer = self
            .client
            .for_request(&request.context)
            .post(&path, body)
            .await?;
        decode_chat_response(answer).map_err(|error| self.own(error))
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        let provider = self.name().to_owned();
        let named =
            move |frame: Result<ChatFrame>| frame.map_err(|error| error.with_provider(provider.as_str()));
        if cfg!(feature = "responses") && self.apis.by_responses(&request) {
            let body = encode_responses_request(&request, true).map_err(|error| self.own(error))?;
            let path = self.path(RESPONSES_PATH, &request.model)?;
            let answer = self
                .client
                .for_request(&request.context)
                .post_stream(&path, body)
                .await?;
            return Ok(ChatStream::in_dialect(
                RESPONSES,
                responses::frames(answer).map(named),
            ));
        }
        let body = encode_chat_request_with(&request, true, &self.server).map_err(|error| self.own(error))?;
        let path = self.path(COMPLETIONS, &request.model)?;
        let answer = self
            .client
            .for_request(&request.context)
            .post_stream(&path, body)
            .await?;
        Ok(ChatStream::in_dialect(CHAT, stream::frames(answer).map(named)))
    }
}

#[async_trait]
impl TokenCounter for Endpoint {
    async fn count_tokens(&self, request: ChatRequest) -> Result<Verbatim<TokenCount>> {
        let body = encode_input_tokens_request(&request).map_err(|error| self.own(error))?;
        let path = self.path(INPUT_TOKENS, &request.model)?;
        let answer = self
            .client
            .for_request(&request.context)
            .post(&path, body)
            .await?;
        decode_input_tokens(answer).map_err(|error| self.own(error))
    }
}

#[async_trait]
impl EmbeddingModel for Endpoint {
    async fn embed(&self, request: EmbeddingRequest) -> Result<EmbeddingResponse> {
        let encode = |request: &EmbeddingRequest| {
            encode_embedding_request_with(request, &self.server).map_err(|error| self.own(error))
        };
        // A client's own body is within the limits, or the server's to refuse.
        let calls = split(&request.texts, self.server.embedding_inputs);
        if request.input.native_in(&EMBEDDINGS).is_some() || calls.len() < 2 {
            return self
                .embed_once(&request, encode(&request)?, request.texts.len())
                .await;
        }
        let mut whole = EmbeddingOutput::default();
        for texts in calls {
            let mut input = EmbeddingInput::default();
            input.texts = texts.to_vec();
            input.dimensions = request.dimensions;
            input.purpose = request.purpose;
            input.extra = request.extra.clone();
            let part = EmbeddingRequest::from_input(request.model.as_str(), input);
            let answer = self.embed_once(&request, encode(&part)?, texts.len()).await?;
            let answer = answer.into_inner();
            whole.model = answer.model;
            whole.embeddings.extend(answer.embeddings);
            whole.usage = match (whole.usage, answer.usage) {
                (Some(sum), Some(usage)) => Some(sum + usage),
                (sum, usage) => sum.or(usage),
            };
        }
        Ok(whole.into())
    }
}

/// The inputs in calls that the server takes, of at most `most` inputs.
fn split(texts: &[EmbeddingText], most: usize) -> Vec<&[EmbeddingText]> {
    let mut calls = Vec::new();
    let mut rest = texts;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take(most).take_while(|text| {
            bytes += match text {
                EmbeddingText::Text(text) => text.len(),
                EmbeddingText::Tokens(tokens) => tokens.len() * 2,
                _ => 0,
            };
            bytes <= MAX_BYTES
        });
        // One over the limit by itself goes alone.
        let (call, others) = rest.split_at(fitting.count().max(1));
        calls.push(call);
        rest = others;
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_split_by_number_and_size() {
        let text = |length: usize| EmbeddingText::Text("x".repeat(length));
        let lengths = |texts: &[EmbeddingText]| {
            let calls = split(texts, 2_048).into_iter();
            calls.map(<[_]>::len).collect::<Vec<_>>()
        };
        assert_eq!(lengths(&[]), [0; 0]);
        assert_eq!(lengths(&vec![text(1); 5_000]), [2_048, 2_048, 904]);
        assert_eq!(split(&vec![text(1); 200], 96).len(), 3);
        assert_eq!(lengths(&[text(400_000), text(200_000), text(1)]), [2, 1]);
        assert_eq!(lengths(&[text(700_000), text(700_000)]), [1, 1]);
    }
}
