use std::sync::Arc;

use edge_ai_core::EmbeddingModel;

use crate::digest::Digest;
use crate::{Parser, Splitter};

/// What makes chunks and vectors of documents, and the name of it all: what was made under another name is made anew.
#[derive(Clone, Debug)]
pub struct Pipeline {
    pub(super) parser: Arc<dyn Parser>,
    pub(super) splitter: Arc<dyn Splitter>,
    pub(super) embedder: Arc<dyn EmbeddingModel>,
    pub(super) model: String,
    pub(super) dimensions: Option<u32>,
    variant: String,
}

impl Pipeline {
    /// Takes the text out by `parser`, cuts it by `splitter` and embeds it with the model of this name.
    pub fn new(
        parser: impl Parser,
        splitter: impl Splitter,
        embedder: impl EmbeddingModel,
        model: impl Into<String>,
    ) -> Self {
        Self {
            parser: Arc::new(parser),
            splitter: Arc::new(splitter),
            embedder: Arc::new(embedder),
            model: model.into(),
            dimensions: None,
            variant: String::new(),
        }
    }

    /// Asks the model for shorter vectors.
    #[must_use]
    pub fn dimensions(mut self, dimensions: u32) -> Self {
        self.dimensions = Some(dimensions);
        self
    }

    /// Names whatever else vectors depend on, such as `cls` for the way of pooling: vectors of another name do not compare, and are made anew.
    #[must_use]
    pub fn variant(mut self, variant: impl Into<String>) -> Self {
        self.variant = variant.into();
        self
    }

    /// Names the vectors of a text. A chunk's id carries it rather than the whole [`fingerprint`](Self::fingerprint), so that another way of parsing or splitting
    /// embeds only the texts that it makes differently.
    pub(super) fn embedding(&self) -> String {
        let dimensions = self.dimensions.map(|dimensions| dimensions.to_string());
        Digest::new("embedding")
            .part(&self.model)
            .optional(dimensions.as_deref())
            .part(&self.variant)
            .into_base64()
    }

    /// Names everything.
    pub fn fingerprint(&self) -> String {
        Digest::new("pipeline/1")
            .part(self.parser.fingerprint())
            .part(self.splitter.fingerprint())
            .part(self.embedding())
            .into_base64()
    }
}
