use edge_ai_core::{Capabilities, Price};

/// A model as the catalog has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatalogEntry {
    /// What it is for.
    pub kind: ModelKind,
    /// What it can do.
    pub capabilities: Capabilities,
    /// The most tokens that it reads, where that is known.
    pub max_input_tokens: Option<u64>,
    /// The most tokens that it writes, where that is known.
    pub max_output_tokens: Option<u64>,
    /// What it costs, where that is known.
    pub price: Option<Price>,
}

/// What a model is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelKind {
    /// Answers chats.
    #[default]
    Chat,
    /// Embeds.
    Embedding,
    /// Orders documents.
    Rerank,
    /// Makes pictures.
    Image,
    /// Speaks.
    Speech,
    /// Writes down what is said.
    Transcription,
    /// Talks over a connection that stays.
    Realtime,
}

impl ModelKind {
    /// The name in the data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embedding => "embedding",
            Self::Rerank => "rerank",
            Self::Image => "image",
            Self::Speech => "speech",
            Self::Transcription => "transcription",
            Self::Realtime => "realtime",
        }
    }

    pub(super) fn named(name: &str) -> Self {
        [
            Self::Embedding,
            Self::Rerank,
            Self::Image,
            Self::Speech,
            Self::Transcription,
            Self::Realtime,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == name)
        .unwrap_or_default()
    }
}
