use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Context, Extra, Result, Usage, Verbatim};

/// Turns texts into vectors.
#[async_trait]
pub trait EmbeddingModel: fmt::Debug + Send + Sync + 'static {
    /// One vector for each input, in the inputs' order, all of one length.
    ///
    /// Inputs over the vendor's number per call are split by the implementation, so that callers never meet that limit.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) without inputs or with an empty one, and the vendor's errors.
    async fn embed(&self, request: EmbeddingRequest) -> Result<EmbeddingResponse>;
}

#[async_trait]
impl<T: EmbeddingModel + ?Sized> EmbeddingModel for Arc<T> {
    async fn embed(&self, request: EmbeddingRequest) -> Result<EmbeddingResponse> {
        (**self).embed(request).await
    }
}

/// What to embed and with which model. Reads as its [`EmbeddingInput`].
///
/// ```
/// use edge_ai_core::{EmbeddingPurpose, EmbeddingRequest};
///
/// let request = EmbeddingRequest::new("@cf/baai/bge-m3", ["how do I reset it?"]).purpose(EmbeddingPurpose::Query);
/// assert_eq!(request.texts.len(), 1);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EmbeddingRequest {
    /// The model asked for.
    pub model: String,
    /// What belongs to the request but not to its content.
    pub context: Context,
    /// The content.
    pub input: Verbatim<EmbeddingInput>,
}

impl EmbeddingRequest {
    /// Embeds `texts` with `model`.
    pub fn new<T: Into<String>>(model: impl Into<String>, texts: impl IntoIterator<Item = T>) -> Self {
        let texts = texts
            .into_iter()
            .map(|text| EmbeddingText::Text(text.into()))
            .collect();
        Self::from_input(
            model,
            EmbeddingInput {
                texts,
                ..EmbeddingInput::default()
            },
        )
    }

    /// A request of a content that is there already.
    pub fn from_input(model: impl Into<String>, input: impl Into<Verbatim<EmbeddingInput>>) -> Self {
        Self {
            model: model.into(),
            context: Context::default(),
            input: input.into(),
        }
    }

    /// Says what the vectors are for.
    #[must_use]
    pub fn purpose(mut self, purpose: EmbeddingPurpose) -> Self {
        self.input.edit().purpose = Some(purpose);
        self
    }

    /// Asks for shorter vectors, from models that can.
    #[must_use]
    pub fn dimensions(mut self, dimensions: u32) -> Self {
        self.input.edit().dimensions = Some(dimensions);
        self
    }

    /// Sets the context.
    #[must_use]
    pub fn with_context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }
}

impl Deref for EmbeddingRequest {
    type Target = EmbeddingInput;

    fn deref(&self) -> &EmbeddingInput {
        &self.input
    }
}

/// The content of an embedding request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmbeddingInput {
    /// The inputs, in order.
    pub texts: Vec<EmbeddingText>,
    /// The wished length of the vectors.
    pub dimensions: Option<u32>,
    /// What the vectors are for; models trained for retrieval embed queries and documents differently.
    pub purpose: Option<EmbeddingPurpose>,
    /// Unknown fields.
    pub extra: Extra,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum EmbeddingText {
    /// A text.
    Text(String),
    /// A text as the vendor's token numbers.
    Tokens(Vec<u32>),
}

/// What an embedding is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EmbeddingPurpose {
    /// A question that looks for documents.
    Query,
    /// A document to be found.
    Document,
}

/// The answer to an embedding request.
pub type EmbeddingResponse = Verbatim<EmbeddingOutput>;

/// The vectors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmbeddingOutput {
    /// The model that answered.
    pub model: String,
    /// One vector for each input, in the inputs' order.
    pub embeddings: Vec<Vec<f32>>,
    /// What it took, where the vendor says so.
    pub usage: Option<Usage>,
    /// Unknown fields.
    pub extra: Extra,
}

impl EmbeddingOutput {
    /// The vectors of a model.
    pub fn new(model: impl Into<String>, embeddings: Vec<Vec<f32>>) -> Self {
        Self {
            model: model.into(),
            embeddings,
            ..Self::default()
        }
    }
}
