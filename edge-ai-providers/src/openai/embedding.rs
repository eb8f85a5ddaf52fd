mod request;
mod response;
mod vector;

pub(super) use request::encode_embedding_request_with;
pub use request::{EmbeddingCall, decode_embedding_request, encode_embedding_request};
pub use response::{decode_embedding_response, encode_embedding_response};

/// The most inputs of one call ([limit](https://platform.openai.com/docs/api-reference/embeddings/create#embeddings-create-input)).
pub(super) const MAX_INPUTS: usize = 2_048;

/// How vectors are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmbeddingEncoding {
    /// An array of numbers.
    #[default]
    Float,
    /// The numbers as 32-bit floats, little-endian, in base64.
    Base64,
}

impl EmbeddingEncoding {
    /// The value of `encoding_format`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Base64 => "base64",
        }
    }
}
